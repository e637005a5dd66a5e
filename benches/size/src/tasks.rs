//! As tasks of embassy, with its timers on a clock that is turned by hand. What a task cannot have is an end from outside: it looks whether it should.

use core::cell::{Cell, RefCell};
use core::ptr::NonNull;
use core::task::Waker;

use embassy_executor::raw::Executor;
use embassy_executor::Spawner;
use embassy_time_driver::Driver;
use embassy_time_queue_utils::Queue;

use crate::MILLIS;

/// Ticks of the clock in a millisecond.
const TICKS: u64 = embassy_time_driver::TICK_HZ / 1000;

/// The machine: a clock, and who waits for it.
struct Clock {
    now: Cell<u64>,
    queue: RefCell<Queue>,
    stop: Cell<bool>,
}

// SAFETY: the program has one thread and no interrupts.
unsafe impl Sync for Clock {}

embassy_time_driver::time_driver_impl!(static CLOCK: Clock = Clock {
    now: Cell::new(0),
    queue: RefCell::new(Queue::new()),
    stop: Cell::new(false),
});

impl Driver for Clock {
    fn now(&self) -> u64 {
        self.now.get()
    }
    fn schedule_wake(&self, at: u64, waker: &Waker) {
        // Here an alarm would be set.
        self.queue.borrow_mut().schedule_wake(at, waker);
    }
}

struct OneThread;
critical_section::set_impl!(OneThread);

// SAFETY: the program has one thread and no interrupts.
unsafe impl critical_section::Impl for OneThread {
    unsafe fn acquire() -> critical_section::RawRestoreState {}
    unsafe fn release(_token: critical_section::RawRestoreState) {}
}

/// The executor says that it has something to do; `run` looks anyhow.
#[export_name = "__pender"]
fn pender(_context: *mut ()) {}

/// Whether the tasks should end.
#[must_use]
pub fn stopped() -> bool {
    CLOCK.stop.get()
}

/// Spawns some tasks, has them run, and tells them to end. `right` looks whether they did what they should, before that and after it.
pub fn run(spawn: impl FnOnce(Spawner), right: impl Fn(bool) -> bool) -> bool {
    let executor = Executor::new(core::ptr::null_mut());
    // SAFETY: whoever uses it does so before this function returns: it is polled below and nowhere else, and no task is woken later.
    let executor: &'static Executor = unsafe { NonNull::from(&executor).as_ref() };
    spawn(executor.spawner());
    advance(executor, u64::from(MILLIS));
    let before = right(false);
    CLOCK.stop.set(true);
    advance(executor, 1);
    before && right(true)
}

fn advance(executor: &'static Executor, millis: u64) {
    let until = CLOCK.now.get() + millis * TICKS;
    loop {
        // SAFETY: not called from the pender, nor from a task.
        unsafe { executor.poll() };
        let next = CLOCK.queue.borrow_mut().next_expiration(CLOCK.now.get());
        if next > until {
            break;
        }
        CLOCK.now.set(next);
        CLOCK.queue.borrow_mut().next_expiration(next);
    }
    CLOCK.now.set(until);
}

/// A task for a device.
#[macro_export]
macro_rules! ticks {
    ($name:ident, $which:literal) => {
        #[embassy_executor::task]
        async fn $name() {
            use driver_scope::platform::Bus;
            use $crate::platform::Ram;

            let mut every = embassy_time::Ticker::every(embassy_time::Duration::from_millis(1));
            let Ok(mapped) = Ram::map(&&$crate::DEVICES[$which]) else {
                return;
            };
            let io = Ram::io(&mapped);
            let mut ticks = $which;
            loop {
                every.next().await;
                if $crate::tasks::stopped() {
                    break;
                }
                ticks += 1;
                // SAFETY: mapped, aligned and inside.
                unsafe { Ram::write::<u32>(io, 0, ticks) };
            }
            // SAFETY: as above.
            unsafe { Ram::write::<u32>(io, 4, 1 + $which) };
        }
    };
}
