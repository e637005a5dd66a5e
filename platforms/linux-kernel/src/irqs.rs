// SPDX-License-Identifier: GPL-2.0

//! Interrupts.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use driver_scope::platform::{IrqEntry, IrqState, Irqs};
use driver_scope::{Error, MaySleep};
use kernel::bindings;
use kernel::ffi::{c_int, c_uint, c_void};
use kernel::prelude::*;

use crate::alive::Alive;
use crate::context;
use crate::device::Use;
use crate::lock::Spin;
use crate::waiting;

/// The kernel's interrupts.
pub struct LinuxIrqs;

/// An interrupt of a device: its line, or a message.
pub struct Line {
    function: Use,
    irq: c_uint,
}

impl Line {
    /// Number `number` of those that the device was given.
    pub(crate) fn new(function: Use, number: u32) -> Option<Self> {
        // SAFETY: the device is there and has these interrupts as long as `function` is. [FOREIGN]
        let irq = unsafe { bindings::pci_irq_vector(function.as_raw(), number) };
        Some(Line {
            irq: c_uint::try_from(irq).ok()?,
            function,
        })
    }
}

/// A handler on a line.
pub struct Node {
    irq: c_uint,
    is_shared: bool,
    entry: IrqEntry,
    context: *const (),
    state: Spin<State>,
    /// The context that runs the entry, or 0. Relaxed: who waits for it is told by the kernel.
    running: AtomicUsize,
    /// Whether the entry is called no more. Relaxed: `free_irq` waits for calls that have not seen it.
    shut: AtomicBool,
    _alive: Alive,
}

struct State {
    /// How often it is disabled; for the kernel, once.
    disabled: u64,
    shut: bool,
}

// SAFETY: what the entry's context is may be told to any context, says whoever gave it; the rest is under a lock, atomic or never written. [SHARED]
unsafe impl Send for Node {}
// SAFETY: as above. [SHARED]
unsafe impl Sync for Node {}

/// The handler of every line here.
///
/// # Safety
/// For the kernel: `node` is what `init` gave it, between `request_irq` and the return of `free_irq`.
unsafe extern "C" fn handle(_irq: c_int, node: *mut c_void) -> bindings::irqreturn_t {
    // SAFETY: what `init` told the kernel; the node is there until `shut` has returned, which waits for this call. [FOREIGN, SHUT]
    let node = unsafe { &*node.cast::<Node>() };
    if node.shut.load(Ordering::Relaxed) {
        return bindings::irqreturn::IRQ_NONE;
    }
    node.running
        .store(context::current().get(), Ordering::Relaxed);
    // SAFETY: `shut` has not returned. [SHUT]
    let handled = unsafe { (node.entry)(node.context) };
    node.running.store(0, Ordering::Relaxed);
    if handled {
        bindings::irqreturn::IRQ_HANDLED
    } else {
        bindings::irqreturn::IRQ_NONE
    }
}

impl Node {
    fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed) != 0
    }

    fn is_inside(&self) -> bool {
        self.running.load(Ordering::Relaxed) == context::current().get()
    }

    fn get(&self, state: &State) -> IrqState {
        IrqState {
            enabled: !state.shut && state.disabled == 0,
            running: self.is_running(),
        }
    }

    /// Waits for a call of the entry that runs, where that may take long, so that it is reported.
    fn wait(&self, stalled: &dyn Fn()) {
        waiting::until(stalled, || (!self.is_running()).then_some(()));
        context::assert_may_sleep();
    }
}

// SAFETY: the promises, by their numbers. 1: the kernel calls a handler from `request_irq` to `free_irq`, never beside itself, and orders its calls. 2: it does so in
// an interrupt, or in one that it plays with interrupts disabled and no lock held. 3: `free_irq` waits for handlers that run, on all CPUs, as does `synchronize_irq`. 4: they
// wait for the kernel's call, which is around the entry's. [PROMISE]
unsafe impl Irqs for LinuxIrqs {
    type Line = Line;
    type Node = Node;

    unsafe fn init(
        &self,
        node: *mut Node,
        line: &Line,
        entry: IrqEntry,
        context: *const (),
    ) -> Result<(), Error> {
        context::assert_may_sleep();
        let is_shared = line.function.shares_its_line();
        if !is_shared && !line.function.allow_messages() {
            return Err(Error::Unsupported);
        }
        let new = Node {
            irq: line.irq,
            is_shared,
            entry,
            context,
            state: Spin::new(State {
                disabled: 0,
                shut: false,
            }),
            running: AtomicUsize::new(0),
            shut: AtomicBool::new(false),
            _alive: Alive::new(),
        };
        // SAFETY: memory for a node, says the caller. [CALLER]
        unsafe { node.write(new) };
        let flags = if is_shared { bindings::IRQF_SHARED } else { 0 };
        // SAFETY: the interrupt is the device's; handler, name and node are there until `free_irq`. [FOREIGN]
        let result = unsafe {
            bindings::request_threaded_irq(
                line.irq,
                Some(handle),
                None,
                flags as usize,
                line.function.name().as_char_ptr(),
                node.cast(),
            )
        };
        if result == 0 {
            return Ok(());
        }
        // SAFETY: just written; the kernel has not taken it, and has not called it. [FOREIGN]
        unsafe { node.drop_in_place() };
        Err(match kernel::error::Error::from_errno(result) {
            ENOMEM => Error::NoMemory,
            _ => Error::Unsupported,
        })
    }

    unsafe fn enable(&self, node: NonNull<Node>) {
        // SAFETY: (this and those below) initialised, says the caller, and never written again as a whole. [CALLER]
        let node = unsafe { node.as_ref() };
        node.state.with(|state| {
            if state.disabled > 0 && !state.shut {
                state.disabled -= 1;
                if state.disabled == 0 {
                    // SAFETY: disabled once, and not freed, which `shut` waits with for this lock. [FOREIGN, LOCKED]
                    unsafe { bindings::enable_irq(node.irq) };
                }
            }
        });
    }

    unsafe fn disable(&self, node: NonNull<Node>) {
        // SAFETY: see `enable`. [CALLER]
        let node = unsafe { node.as_ref() };
        node.state.with(|state| {
            if !state.shut {
                if state.disabled == 0 {
                    // SAFETY: as in `enable`. [FOREIGN, LOCKED]
                    unsafe { bindings::disable_irq_nosync(node.irq) };
                }
                state.disabled += 1;
            }
        });
    }

    unsafe fn state(&self, node: NonNull<Node>) -> IrqState {
        // SAFETY: see `enable`. [CALLER]
        let node = unsafe { node.as_ref() };
        node.state.with(|state| node.get(state))
    }

    unsafe fn is_inside(&self, node: NonNull<Node>) -> bool {
        // SAFETY: see `enable`. [CALLER]
        unsafe { node.as_ref() }.is_inside()
    }

    unsafe fn synchronize(
        &self,
        node: NonNull<Node>,
        _cx: MaySleep<'_>,
        _stalled: &dyn Fn(),
    ) -> bool {
        // SAFETY: see `enable`. [CALLER]
        let node = unsafe { node.as_ref() };
        let running = node.is_running();
        context::assert_may_sleep();
        // SAFETY: an interrupt that has not been freed; the caller may sleep. [FOREIGN]
        unsafe { bindings::synchronize_irq(node.irq) };
        running
    }

    unsafe fn shut(&self, node: NonNull<Node>, _cx: MaySleep<'_>, stalled: &dyn Fn()) -> IrqState {
        // SAFETY: see `enable`. [CALLER]
        let this = unsafe { node.as_ref() };
        this.shut.store(true, Ordering::Relaxed);
        let found = this.state.with(|state| {
            let found = this.get(state);
            state.shut = true;
            // Those that it shares its line with want to be called.
            if this.is_shared && state.disabled > 0 {
                // SAFETY: as in `enable`. [FOREIGN, LOCKED]
                unsafe { bindings::enable_irq(this.irq) };
            }
            found
        });
        this.wait(stalled);
        // SAFETY: requested by `init`, freed once; the caller may sleep. [FOREIGN]
        unsafe { bindings::free_irq(this.irq, node.as_ptr().cast()) };
        found
    }
}
