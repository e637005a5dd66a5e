//! By hand, on the same platform: its own timers, and an order to hold to.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;

use driver_scope::platform::{Arm, Bus, Timers};
use driver_scope::timer::TimerMode;
use driver_scope::{Instant, Platform};

use crate::platform::{Address, Machine, Mapped, Ram};
use crate::scoped::platform;
use crate::{holds, DEVICES, MILLIS};

type Node = <Machine as Timers>::Node;

/// What a driver keeps: in C, its private data.
struct Private {
    node: UnsafeCell<MaybeUninit<Node>>,
    io: Address,
    ticks: AtomicU32,
}

unsafe extern "C" fn tick<const WHICH: u32>(context: *const (), expires: Instant) {
    // SAFETY: the private data of a driver whose timer has not been shut.
    let private = unsafe { &*context.cast::<Private>() };
    let count = private.ticks.fetch_add(1, Relaxed) + 1;
    // SAFETY: mapped until the timer has been shut; aligned and inside.
    unsafe { Ram::write(private.io, 0, count) };
    if let Some(next) = expires.checked_add(Duration::from_millis(1)) {
        arm::<WHICH>(private, next);
    }
}

fn arm<const WHICH: u32>(private: &Private, at: Instant) {
    // SAFETY: initialised, and not dropped yet. (Nobody arms what has been shut.)
    let armed = unsafe {
        let node = NonNull::new_unchecked(private.node.get()).cast();
        platform().timers().arm(node, at, None, Arm::Replace)
    };
    debug_assert!(armed.is_ok());
}

/// Starts the driver, has others run, and stops it.
pub fn with<const WHICH: u32>(others: impl FnOnce() -> bool) -> bool {
    let platform = platform();
    let Ok(mapped) = Ram::map(&&DEVICES[WHICH as usize]) else {
        return false;
    };
    let mapped: Mapped = mapped;
    let private = Private {
        node: UnsafeCell::new(MaybeUninit::uninit()),
        io: Ram::io(&mapped),
        ticks: AtomicU32::new(WHICH),
    };
    let node = private.node.get().cast::<Node>();
    let context = (&raw const private).cast();
    // SAFETY: it lies there until it has been shut, below.
    let made = unsafe {
        platform
            .timers()
            .init(node, TimerMode::new(), tick::<WHICH>, context)
    };
    if made.is_err() {
        return false;
    }
    if let Some(first) = platform.now().checked_add(Duration::from_millis(1)) {
        arm::<WHICH>(&private, first);
    }
    let right = others() && holds(WHICH as usize, WHICH + MILLIS, 0);
    // First the device is told, then nothing calls any more, then what was used goes.
    // SAFETY: mapped, aligned and inside.
    unsafe { Ram::write(private.io, 4, 1 + WHICH) };
    platform.may_sleep(|cx| {
        // SAFETY: initialised above; shut and dropped once.
        unsafe {
            platform
                .timers()
                .shut(NonNull::new_unchecked(node), cx, &|| {});
            node.drop_in_place();
        }
    });
    drop(mapped);
    right && holds(WHICH as usize, WHICH + MILLIS, 1 + WHICH)
}
