// SPDX-License-Identifier: GPL-2.0

//! Read sections: sleepable RCU, one domain for the module.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

use driver_scope::sections::{Gate, Sections, Stuck};
use kernel::bindings;
use kernel::error::{to_result, Result};
use kernel::ffi::c_int;
use kernel::prelude::*;
use kernel::static_lock_class;

use crate::waiting;

/// The domain, while the module is there.
struct Domain(UnsafeCell<MaybeUninit<bindings::srcu_struct>>);

// SAFETY: changed by the kernel's functions alone, which any CPU may call. [SHARED]
unsafe impl Sync for Domain {}

static DOMAIN: Domain = Domain(UnsafeCell::new(MaybeUninit::zeroed()));

fn domain() -> *mut bindings::srcu_struct {
    DOMAIN.0.get().cast()
}

/// The domain; ends with this.
pub(crate) struct Srcu(());

impl Srcu {
    /// Makes the domain. Once.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: memory for a domain, where it stays; name and key are statics. [FOREIGN]
        to_result(unsafe {
            bindings::init_srcu_struct_with_key(
                domain(),
                c"driver_scope".as_char_ptr(),
                static_lock_class!().as_ptr(),
            )
        })?;
        Ok(Srcu(()))
    }
}

impl Drop for Srcu {
    fn drop(&mut self) {
        // A section that was forgotten lasts for ever, and so does this wait then, as for a leaked binding: the kernel goes on to look for its end.
        let over = grace_period();
        waiting::until(
            &|| pr_err!("a read section was forgotten: the module cannot be unloaded\n"),
            || over().then_some(()),
        );
        // SAFETY: made by `new`. Nobody is inside, and nobody enters: there are no scopes, and files keep the module. [FOREIGN]
        unsafe { bindings::cleanup_srcu_struct(domain()) };
    }
}

/// Begins a grace period; what it returns says whether it is over.
fn grace_period() -> impl Fn() -> bool {
    // SAFETY: the domain is there as long as the module is. (Both have the barriers of a grace period.) [FOREIGN]
    let begun = unsafe { bindings::start_poll_synchronize_srcu(domain()) };
    // SAFETY: as above. [FOREIGN]
    move || unsafe { bindings::poll_state_synchronize_srcu(domain(), begun) }
}

/// The module's read sections.
pub struct SrcuSections;

// SAFETY: the promises, by their numbers. 1: `is_open` is an acquire. 2: a grace period of the domain, begun after the gate was closed, waits for all sections that began
// before; those that begin later see it closed. 3: but for the ones that cannot be masked, which no driver has, every interrupt may use it. 4: none of it unwinds. [PROMISE]
unsafe impl Sections for SrcuSections {
    type Id = ();
    type Section = c_int;

    fn new_id(&self) {}

    #[inline]
    unsafe fn enter(&self, gate: &Gate<()>) -> Option<c_int> {
        // SAFETY: the domain is there as long as the module is. [FOREIGN]
        let section = unsafe { bindings::__srcu_read_lock(domain()) };
        if gate.is_open() {
            return Some(section);
        }
        // SAFETY: just entered. [FOREIGN]
        unsafe { bindings::__srcu_read_unlock(domain(), section) };
        None
    }

    #[inline]
    unsafe fn leave(&self, _gate: &Gate<()>, section: c_int) {
        // SAFETY: entered by `enter`, says the caller, in this context, and once. [FOREIGN, CALLER]
        unsafe { bindings::__srcu_read_unlock(domain(), section) };
    }

    unsafe fn enter_all(&self) -> c_int {
        // SAFETY: as in `enter`. [FOREIGN]
        unsafe { bindings::__srcu_read_lock(domain()) }
    }

    unsafe fn leave_all(&self, section: c_int) {
        // SAFETY: as in `leave`. [FOREIGN, CALLER]
        unsafe { bindings::__srcu_read_unlock(domain(), section) };
    }

    fn covers(&self, _other: &Self) -> bool {
        true
    }

    /// The kernel counts its readers, it does not know them.
    fn holds(&self, _gate: Option<&Gate<()>>) -> bool {
        false
    }

    unsafe fn wait(&self, _gate: &Gate<()>, still: &mut dyn FnMut() -> bool) -> Result<(), Stuck> {
        let over = grace_period();
        while !over() {
            if !still() {
                return Err(Stuck::GaveUp);
            }
        }
        Ok(())
    }
}
