//! Threads that come after the end: what their thread-locals hold, what the last of their callbacks has put off.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use driver_scope::platform::{Host, Sim};
use driver_scope::{
    enter, Binding, Devres, Driver, DriverScope, Error, HrTimer, Plain, Platform, Port, Restart,
    Revocable, Units,
};

use crate::common::{rounds, wait_until, Log, Note};

/// Its timer does what its device says.
struct Acts;

type Action = Box<dyn Fn() + Send + Sync>;

impl<P: Platform> Driver<P> for Acts {
    type Device = (Action, Note);
    type Data<'drv> = (HrTimer<'drv, P>, Devres<Plain<Note>, P>);
    type Error = Error;

    fn probe<'drv>(
        (action, note): &'drv Self::Device,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Self::Data<'drv>, Error> {
        let timer = scope.hrtimer(move |_| {
            action();
            Restart::No
        })?;
        let resource = scope.devres::<Plain<Note>>(note.log().note("resource"))?;
        Ok((timer, resource.devres()))
    }
}

type Handles = (Port<Acts, Host>, Devres<Plain<Note>, Host>, Log);

/// Uses the driver when its thread ends.
struct Late(Handles);

impl Drop for Late {
    fn drop(&mut self) {
        let (port, resource, log) = &self.0;
        assert_eq!(port.call(|_| ()), Err(Error::Gone));
        assert!(resource.try_access().is_none());
        drop((port.clone(), resource.clone()));
        log.add("late");
    }
}

thread_local! {
    static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
}

/// A callback leaves the last handles to a driver of another host in a thread-local of its timers' thread, which ends when its own host has gone.
#[test]
fn a_timer_thread_ends_with_the_last_handles() {
    let log = Log::default();
    let handles = Arc::new(Mutex::new(None::<Handles>));
    let left = Arc::new(AtomicBool::new(false));
    let bind = |action: Action, note| {
        let host = Host::new().unwrap();
        host.may_sleep(|cx| Binding::<Acts, Host>::bind(host.clone(), (action, note), cx))
            .unwrap()
    };
    let leaves = bind(
        Box::new({
            let (handles, left) = (handles.clone(), left.clone());
            move || {
                let late = handles.lock().unwrap().take().map(Late);
                LATE.with(|slot| *slot.borrow_mut() = late);
                left.store(true, SeqCst);
            }
        }),
        Log::default().note("another"),
    );
    let binding = bind(Box::new(|| {}), log.note("device"));
    let resource = binding.with(|(_, resource)| resource.clone());
    *handles.lock().unwrap() = Some((binding.port().unwrap(), resource, log.clone()));
    leaves.with(|(timer, _)| timer.start(1.micros())).unwrap();
    wait_until(|| left.load(SeqCst));
    assert_eq!(log.lines(), [""; 0]);
    drop(binding);
    assert_eq!(log.lines(), ["drop resource", "drop device"]);
    drop(leaves);
    wait_until(|| log.count("late") == 1);
    assert_eq!(log.lines().len(), 3);
}

/// A thread ends with the last handles of a driver that is bound: its resource goes there, and the binding that was in a thread-local, too.
#[test]
fn a_thread_ends_with_a_binding() {
    thread_local! {
        static KEPT: RefCell<Vec<Box<dyn std::any::Any>>> = const { RefCell::new(Vec::new()) };
    }
    for _ in 0..rounds(50, 5) {
        let log = Log::default();
        let host = Host::new().unwrap();
        let device: (Action, Note) = (Box::new(|| {}), log.note("device"));
        let binding = host
            .may_sleep(|cx| Binding::<Acts, Host>::bind(host.clone(), device, cx))
            .unwrap();
        let (port, outside) = (binding.port().unwrap(), binding.port().unwrap());
        let calls = AtomicU32::new(0);
        thread::scope(|threads| {
            threads.spawn(|| {
                KEPT.with(|kept| {
                    let mut kept = kept.borrow_mut();
                    kept.push(Box::new(port));
                    kept.push(Box::new(binding));
                    kept.push(Box::new(host));
                });
            });
            while outside.call(|(timer, _)| timer.expires()).is_ok() {
                calls.fetch_add(1, SeqCst);
            }
        });
        wait_until(|| log.count("drop device") == 1);
        assert_eq!(log.lines(), ["drop resource", "drop device"]);
    }
}

/// A wait of `Sim` ends by the very callback that drops a binding, and nobody lets time pass ever after: the binding is removed all the same.
#[test]
fn what_the_last_callback_of_a_wait_put_off_is_removed() {
    let sim = Sim::new();
    let log = Log::default();
    let device: (Action, Note) = (Box::new(|| {}), log.note("device"));
    let other = sim
        .may_sleep(|cx| Binding::<Acts, Sim>::bind(sim.clone(), device, cx))
        .unwrap();
    let other = Mutex::new(Some(other));
    let value = Revocable::new(sim.clone(), 7);
    let [read, ends, ended] = [(); 3].map(|()| AtomicBool::new(false));
    thread::scope(|threads| {
        threads.spawn(|| {
            let guard = value.try_access().unwrap();
            read.store(true, SeqCst);
            wait_until(|| ends.load(SeqCst));
            drop(guard);
            ended.store(true, SeqCst);
        });
        wait_until(|| read.load(SeqCst));
        sim.may_sleep(|cx| {
            let env = (&other, &ends, &ended);
            enter(sim.clone(), cx, &env, |(other, ends, ended), scope| {
                let mut calls = 0;
                let timer = scope.hrtimer(move |t| {
                    calls += 1;
                    // So many at one instant are the last that a wait makes, before it looks again.
                    if calls == 1_001 {
                        drop(other.lock().unwrap().take());
                        ends.store(true, SeqCst);
                        wait_until(|| ended.load(SeqCst));
                        return Restart::No;
                    }
                    Restart::At(t.expires())
                })?;
                timer.start(1.nanos())?;
                assert_eq!(value.revoke(cx), Ok(true));
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
    let now = sim.now();
    for _ in 0..2_000 {
        if log.count("drop device") == 1 {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(log.lines(), ["drop resource", "drop device"]);
    assert_eq!(sim.now(), now);
}
