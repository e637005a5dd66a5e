//! A process may end while timers run, with a binding leaked (trap 20): nothing crashes and nothing hangs.

use std::cell::Cell;
use std::env;
use std::mem;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use driver_scope::platform::Host;
use driver_scope::{Binding, Driver, DriverScope, Error, HrTimer, Platform, Units};

/// Set in the environment of the child process.
const CHILD: &str = "DRIVER_SCOPE_EXIT_CHILD";

struct Busy;

static TICKS: AtomicU32 = AtomicU32::new(0);

/// Has a destructor, so that it is gone when the thread ends.
struct Noisy(Cell<u32>);

impl Drop for Noisy {
    fn drop(&mut self) {
        self.0.set(0);
    }
}

thread_local! {
    static LOCAL: Noisy = const { Noisy(Cell::new(0)) };
}

impl<P: Platform> Driver<P> for Busy {
    type Device = ();
    type Data<'drv> = [HrTimer<'drv, P>; 2];
    type Error = Error;

    fn probe<'drv>(
        (): &'drv (),
        scope: &DriverScope<'drv, P>,
    ) -> Result<[HrTimer<'drv, P>; 2], Error> {
        let timer = || {
            let timer = scope.hrtimer(|t| {
                let _ = LOCAL.try_with(|local| local.0.set(local.0.get() + 1));
                TICKS.fetch_add(1, Ordering::Relaxed);
                t.restart_after(1.micros())
            })?;
            timer.start(1.micros())?;
            Ok(timer)
        };
        Ok([timer()?, timer()?])
    }
}

/// The child: not a check of its own, but what the other test runs.
#[test]
fn child() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    let host = Host::new().unwrap();
    let binding: Binding<Busy, Host> = host
        .may_sleep(|cx| Binding::bind(host.clone(), (), cx))
        .unwrap();
    mem::forget(binding);
    // A second one, dropped by a thread-local's destructor or not at all.
    thread_local! {
        static LATE: Cell<Option<Binding<Busy, Host>>> = const { Cell::new(None) };
    }
    let late = host
        .may_sleep(|cx| Binding::bind(host.clone(), (), cx))
        .unwrap();
    LATE.with(|slot| slot.set(Some(late)));
    while TICKS.load(Ordering::Relaxed) < 100 {
        thread::sleep(Duration::from_millis(1));
    }
    // The process ends here, with timers running.
}

#[cfg_attr(miri, ignore = "it starts processes")]
#[test]
fn a_process_may_end_while_timers_run() {
    let program = env::current_exe().unwrap();
    for round in 0..20 {
        let status = Command::new(&program)
            .args(["--exact", "child", "--quiet"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        assert!(
            status.status.success(),
            "round {round}: {}\n{}{}",
            status.status,
            String::from_utf8_lossy(&status.stdout),
            String::from_utf8_lossy(&status.stderr)
        );
    }
}
