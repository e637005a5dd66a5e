// SPDX-License-Identifier: GPL-2.0

//! What keeps the module from being unloaded.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;

use kernel::prelude::*;

use crate::waiting;

/// A part of something that the kernel may call, or that refers to the module, until it is dropped.
///
/// A module is unloaded when its devices are unbound, and then there are none; unless a driver has leaked a binding of its own, which is sound and leaves what is in it
/// running. So the end of the module waits for them: in that case for ever, as the kernel's own does for a network device that is referred to.
pub(crate) struct Alive(());

static COUNT: AtomicUsize = AtomicUsize::new(0);

impl Alive {
    pub(crate) fn new() -> Self {
        // Relaxed: whoever waits has seen all bindings made.
        COUNT.fetch_add(1, Ordering::Relaxed);
        Alive(())
    }

    /// One that was forgotten. To be called as often as that.
    pub(crate) fn again() -> Self {
        Alive(())
    }

    /// Waits until there are none.
    pub(crate) fn wait_for_all() {
        const LOOK_EVERY: Duration = Duration::from_millis(10);
        const LOOKS: u32 = 1000;
        let mut looks = 0;
        loop {
            // Acquire: pairs with the Release in `drop`. What was done to it before happens before the module goes.
            match COUNT.load(Ordering::Acquire) {
                0 => return,
                count if looks % LOOKS == 100 => {
                    pr_err!("a binding was leaked: {count} parts of it keep the module from being unloaded\n");
                }
                _ => {}
            }
            looks += 1;
            waiting::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        COUNT.fetch_sub(1, Ordering::Release);
    }
}
