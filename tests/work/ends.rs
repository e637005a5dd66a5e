//! Work and the end of its scope.

use super::*;

on_every_platform!(
    the_end_of_the_scope_cancels_and_waits,
    a_storm_ends_with_the_scope,
    forgotten_handles_change_nothing,
    work_is_refused_once_the_scope_closes,
    a_hook_may_flush,
    a_binding_may_be_dropped_in_its_own_work,
    a_binding_dropped_in_work_is_gone_while_that_waits,
    an_unbind_in_work_gives_the_binding_back,
    work_may_call_a_port,
    work_may_bind_and_enter,
    no_sleep_is_lent_by_the_platform_in_work,
);

fn the_end_of_the_scope_cancels_and_waits<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    platform.meanwhile(|| {
        run_on(&platform, |scope| {
            let note = log.note("captured");
            let inside = scope.own(AtomicBool::new(false))?;
            let (running, vacant) = scope.named("running").vacant_work()?;
            vacant.set(scope, move |w| {
                inside.store(true, SeqCst);
                w.sleep(20.millis());
                // Until the close; then it is too late.
                let _ = running.queue();
                note.log().add("over");
                w.requeue()
            })?;
            let never = scope.named("delayed").work(|_| unreachable!())?;
            never.queue_after(NEVER.secs())?;
            let _idle = scope.named("idle").work(|_| unreachable!())?;
            running.queue()?;
            until(scope, || inside.load(SeqCst));
            Ok(())
        });
    });
    let lines = log.lines();
    let at = |what: &str| {
        lines
            .iter()
            .position(|line| line.starts_with(what))
            .unwrap()
    };
    assert!(at("over") < at("enter: work running: was "));
    assert!(at("enter: work running: was ") < at("drop captured"));
    assert!(at("enter: work idle: was idle") < at("enter: work delayed: was armed for "));
}

/// Work that queues itself and each other, timers that queue all of it, threads that do, too.
fn a_storm_ends_with_the_scope<P: TestPlatform>() {
    for _ in 0..10 {
        let platform = Metered::<P>::fresh();
        let alive = Arc::new(AtomicBool::new(true));
        platform.meanwhile(|| {
            run_on(&platform, |scope| {
                let runs = scope.own(AtomicU32::new(0))?;
                let (one, vacant) = scope.vacant_work()?;
                let storm = {
                    let alive = Arc::clone(&alive);
                    move |work: Work<'_, Metered<P>>| {
                        assert!(alive.load(SeqCst));
                        let _ = work.queue_after(1.micros());
                        runs.fetch_add(1, SeqCst);
                    }
                };
                let stormy = storm.clone();
                let two = scope.work(move |w| {
                    stormy(one);
                    w.requeue_after(1.micros())
                })?;
                let stormy = storm.clone();
                vacant.set(scope, move |w| {
                    stormy(two);
                    w.requeue_after(2.micros())
                })?;
                for _ in 0..4 {
                    let stormy = storm.clone();
                    let timer = scope.hrtimer(move |t| {
                        stormy(one);
                        let _ = two.requeue_after(3.micros());
                        t.restart_after(10.micros())
                    })?;
                    timer.start(0.nanos())?;
                }
                until(scope, || runs.load(SeqCst) > 100);
                Ok(())
            });
            alive.store(false, SeqCst);
            platform.lend_sleep(|cx| platform.sleep(cx, 1.millis()));
        });
    }
}

fn forgotten_handles_change_nothing<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    run_on(&platform, |scope| {
        let note = log.note("captured");
        let work = scope.work(move |w| {
            let _ = &note;
            w.requeue_after(100.micros())
        })?;
        work.queue()?;
        leaked_on_purpose(work);
        leaked_on_purpose(scope.vacant_work()?);
        scope.sleep(1.millis());
        Ok(())
    });
    assert_eq!(log.count("drop captured"), 1);
}

/// What destructors may still do: queue, and be refused.
fn work_is_refused_once_the_scope_closes<P: TestPlatform>() {
    struct Late<'drv, P: Platform>(Work<'drv, P>, Log);
    impl<P: Platform> Drop for Late<'_, P> {
        fn drop(&mut self) {
            assert_eq!(self.0.queue(), Err(Error::Closed));
            assert_eq!(self.0.requeue_after(1.millis()), Err(Error::Closed));
            assert_eq!(self.0.try_cancel(), TryCancel::Idle);
            assert!(!self.0.is_pending());
            self.1.add("late");
        }
    }
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    run_on(&platform, |scope| {
        let (work, _) = counts(scope)?;
        let late = Late(work, log.clone());
        scope.hrtimer(move |_| {
            let _ = &late;
            Restart::No
        })?;
        Ok(())
    });
    assert_eq!(log.count("late"), 1);
}

fn a_hook_may_flush<P: TestPlatform>() {
    run::<P>(|scope| {
        let (work, runs) = counts(scope)?;
        scope.on_remove(move |cx| {
            work.queue_after(NEVER.secs()).unwrap();
            assert_eq!(work.flush(cx), Ok(true));
            assert_eq!(runs.load(SeqCst), 1);
        })?;
        Ok(())
    });
}

/// A driver with work, queued in probe, that its device says what to do in.
struct Worker;

type Job<P> = dyn Fn(driver_scope::MaySleep<'_>, &Metered<P>) + Send + Sync;

struct Device<P: Platform> {
    job: Box<Job<P>>,
    platform: Metered<P>,
    log: Log,
}

impl<P: TestPlatform> Driver<Metered<P>> for Worker {
    type Device = Device<P>;
    type Data<'drv> = Work<'drv, Metered<P>>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv Device<P>,
        scope: &DriverScope<'drv, Metered<P>>,
    ) -> Result<Work<'drv, Metered<P>>, Error> {
        let note: Note = device.log.note("captured");
        scope.work(move |w| {
            (device.job)(w.may_sleep(), &device.platform);
            // Still there, whatever the job did.
            note.log().add("worked");
            Restart::No
        })
    }
}

type Bound<P> = Binding<Worker, Metered<P>>;
type Shelf<P> = Arc<Mutex<Option<Bound<P>>>>;

fn bind<P: TestPlatform>(
    platform: &Metered<P>,
    job: impl Fn(driver_scope::MaySleep<'_>, &Metered<P>) + Send + Sync + 'static,
) -> Bound<P> {
    let device = Device {
        job: Box::new(job),
        platform: platform.clone(),
        log: platform.log(),
    };
    platform
        .lend_sleep(|cx| Binding::bind(platform.clone(), device, cx))
        .map_err(|failed| failed.error)
        .expect("it binds")
}

/// Lets time pass until all memory has been given back.
fn until_gone<P: TestPlatform>(platform: &Metered<P>) {
    wait_until(|| {
        platform.lend_sleep(|cx| platform.sleep(cx, 100.micros()));
        platform.meter().live() == 0
    });
}

fn a_binding_may_be_dropped_in_its_own_work<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let shelf = Shelf::<P>::default();
    let job = {
        let shelf = Arc::clone(&shelf);
        move |cx: driver_scope::MaySleep<'_>, platform: &Metered<P>| {
            drop(shelf.lock().unwrap().take());
            // Time for a removal that does not wait.
            platform.sleep(cx, 2.millis());
        }
    };
    let binding = bind(&platform, job);
    let mut held = shelf.lock().unwrap();
    binding.with(|work| work.queue()).unwrap();
    *held = Some(binding);
    drop(held);
    until_gone(&platform);
    let lines = platform.log().lines();
    let at = |what: &str| lines.iter().position(|line| line == what).unwrap();
    assert!(at("worked") < at("drop captured"));
}

/// That of another driver: work waits until it is gone.
fn a_binding_dropped_in_work_is_gone_while_that_waits<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let other = bind(&platform, |_, _| ());
    let port = other.port().unwrap();
    let shelf = Shelf::<P>::default();
    *shelf.lock().unwrap() = Some(other);
    run_on_any(&platform, |scope| {
        let gone = scope.own(AtomicBool::new(false))?;
        let shelf = Arc::clone(&shelf);
        let work = scope.work(move |w| {
            drop(shelf.lock().unwrap().take());
            while port.call(|_| ()).is_ok() {
                w.sleep(100.micros());
            }
            gone.store(true, SeqCst);
            Restart::No
        })?;
        work.queue()?;
        until(scope, || gone.load(SeqCst));
        Ok(())
    });
    until_gone(&platform);
}

/// As `run_on`, where other scopes may have something of the platform.
fn run_on_any<P: TestPlatform>(
    platform: &Metered<P>,
    f: impl for<'drv> FnOnce(&DriverScope<'drv, Metered<P>>) -> Result<(), Error>,
) {
    platform
        .lend_sleep(|cx| enter(platform.clone(), cx, &(), |(), scope| f(scope)))
        .expect("the test's own calls succeed");
}

fn an_unbind_in_work_gives_the_binding_back<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let other = bind(&platform, |_, _| ());
    let shelf = Shelf::<P>::default();
    *shelf.lock().unwrap() = Some(other);
    run_on_any(&platform, |scope| {
        let seen = scope.own(AtomicBool::new(false))?;
        let shelf = Arc::clone(&shelf);
        let work = scope.work(move |w| {
            let binding = shelf.lock().unwrap().take().unwrap();
            let Err(Busy(binding)) = binding.unbind(w.may_sleep()) else {
                panic!("unbound in a callback");
            };
            *shelf.lock().unwrap() = Some(binding);
            seen.store(true, SeqCst);
            Restart::No
        })?;
        work.queue()?;
        until(scope, || seen.load(SeqCst));
        Ok(())
    });
    let binding = shelf.lock().unwrap().take().unwrap();
    platform.lend_sleep(|cx| assert!(binding.unbind(cx).is_ok()));
    until_gone(&platform);
}

fn work_may_call_a_port<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let other = bind(&platform, |_, _| ());
    let port: Port<Worker, Metered<P>> = other.port().unwrap();
    run_on_any(&platform, |scope| {
        let seen = scope.own(Once::new())?;
        let work = scope.work(move |_| {
            assert!(seen.set(port.call(|work| work.queue())).is_ok());
            Restart::No
        })?;
        work.queue()?;
        until(scope, || seen.get().is_some());
        assert_eq!(*seen.get().unwrap(), Ok(Ok(true)));
        Ok(())
    });
    platform.lend_sleep(|cx| assert!(other.unbind(cx).is_ok()));
    until_gone(&platform);
}

/// Scopes that begin in work, and end there.
fn work_may_bind_and_enter<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let shelf = Shelf::<P>::default();
    run_on_any(&platform, |scope| {
        let done = scope.own(AtomicBool::new(false))?;
        let platform = platform.clone();
        let shelf = Arc::clone(&shelf);
        let work = scope.work(move |w| {
            let cx = w.may_sleep();
            enter(platform.clone(), cx, &(), |(), inner| {
                let ticks = inner.own(AtomicU32::new(0))?;
                let timer = inner.hrtimer(move |t| {
                    ticks.fetch_add(1, SeqCst);
                    t.forward(100.micros())
                })?;
                timer.start(0.nanos())?;
                until(inner, || ticks.load(SeqCst) > 3);
                let (never, runs) = counts(inner)?;
                never.queue()?;
                inner.sleep(1.millis());
                // Behind this one, where work goes one after the other.
                assert_eq!(runs.load(SeqCst), 0);
                Ok::<(), Error>(())
            })
            .unwrap();
            let device = Device {
                job: Box::new(|_, _| ()),
                platform: platform.clone(),
                log: platform.log(),
            };
            let binding = Binding::bind(platform.clone(), device, cx);
            *shelf.lock().unwrap() = binding.ok();
            done.store(true, SeqCst);
            Restart::No
        })?;
        work.queue()?;
        until(scope, || done.load(SeqCst));
        Ok(())
    });
    let binding = shelf.lock().unwrap().take().expect("it was bound");
    platform.lend_sleep(|cx| assert!(binding.unbind(cx).is_ok()));
    until_gone(&platform);
}

fn no_sleep_is_lent_by_the_platform_in_work<P: TestPlatform>() {
    quiet();
    run::<P>(|scope| {
        let seen = scope.own(Once::new())?;
        let platform = scope.platform();
        let work = scope.work(move |w| {
            let lent = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                platform.lend_sleep(|_| ());
            }));
            assert!(platform.in_callback());
            // Its own is as good as ever.
            w.sleep(10.micros());
            assert!(seen.set(lent.is_err()).is_ok());
            Restart::No
        })?;
        work.queue()?;
        until(scope, || seen.get().is_some());
        assert!(*seen.get().unwrap());
        Ok(())
    });
}

/// Time need not pass any more for what a flush has called.
#[test]
fn a_binding_dropped_in_work_that_a_flush_calls_is_removed() {
    let platform = Metered::around(Sim::new());
    let shelf = Shelf::<Sim>::default();
    *shelf.lock().unwrap() = Some(bind(&platform, |_, _| ()));
    run_on_any(&platform, |scope| {
        let shelf = Arc::clone(&shelf);
        let work = scope.work(move |_| {
            drop(shelf.lock().unwrap().take());
            Restart::No
        })?;
        work.queue()?;
        assert_eq!(work.flush(scope.may_sleep()), Ok(true));
        wait_until(|| platform.log().count("drop captured") == 1);
        Ok(())
    });
    wait_until(|| platform.meter().live() == 0);
}
