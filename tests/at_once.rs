//! On `Sim`, a timer that restarts itself for the same instant again and again is due whenever time passes. A remove that waits for a port call, and lets time
//! pass meanwhile, must look at the call again all the same.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{mpsc, Arc};
use std::thread;
use std::time::Duration;

use driver_scope::platform::Sim;
use driver_scope::{Binding, Driver, DriverScope, Error, Instant, Platform, Port, Restart, Units};

/// Takes its port out of its own probe.
struct Device(mpsc::SyncSender<Port<Eager, Sim>>);

struct Eager;

impl Driver<Sim> for Eager {
    type Device = Device;
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(device: &'drv Device, scope: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        let timer = scope.hrtimer(|t| Restart::At(t.expires()))?;
        device.0.send(scope.port()?).expect("there is room");
        timer.start(1.nanos())
    }
}

#[test]
fn a_remove_ends_although_a_timer_restarts_itself_at_once() {
    let sim = Sim::new();
    let (sender, ports) = mpsc::sync_channel(1);
    let binding: Binding<Eager, Sim> = sim
        .may_sleep(|cx| Binding::bind(sim.clone(), Device(sender), cx))
        .unwrap();
    let port = ports.recv().unwrap();

    let inside = Arc::new(AtomicBool::new(false));
    let call = thread::spawn({
        let (inside, sim) = (Arc::clone(&inside), sim.clone());
        move || {
            port.call(|()| {
                inside.store(true, SeqCst);
                // Until the remove has begun to wait, and the timer to run: nobody else lets time pass.
                while sim.now() == Instant::ZERO {
                    thread::yield_now();
                }
            })
        }
    });
    while !inside.load(SeqCst) {
        thread::yield_now();
    }
    let (removed, done) = mpsc::channel();
    thread::spawn(move || {
        drop(binding);
        let _ = removed.send(());
    });
    assert_eq!(call.join().unwrap(), Ok(()));
    // On a slow machine, too: without the guard it never is.
    done.recv_timeout(Duration::from_secs(60))
        .expect("the driver is removed");
}
