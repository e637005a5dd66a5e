//! Wakers are the executor's code: called with nothing held, whatever they do.

use super::*;

pub fn the_last_waker_is_woken<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(1)?;
        let (first, last) = (Spy::new(), Spy::new());
        let at = scope.now().saturating_add(AHEAD);
        let mut sleep = sleeper.sleep_until(at);
        assert_eq!(poll(&mut sleep, &first), Pending);
        assert_eq!(first.live(), 1);
        assert_eq!(poll(&mut sleep, &last), Pending);
        assert_eq!((first.live(), last.live()), (0, 1));
        until(scope, || last.wakes() > 0);
        assert_eq!((first.wakes(), last.wakes()), (0, 1));
        assert_eq!((first.live(), last.live()), (0, 0));
        assert_eq!(poll(&mut sleep, &first), Ready(Ok(())));
        Ok(())
    });
}

pub fn the_same_waker_is_not_cloned_again<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(1)?;
        let spy = Spy::new();
        let waker = spy.waker();
        let mut sleep = sleeper.sleep(NEVER);
        for _ in 0..10 {
            assert_eq!(poll_with(&mut sleep, &waker), Pending);
        }
        assert_eq!((spy.clones(), spy.wakes(), spy.live()), (1, 0, 2));
        drop(sleep);
        assert_eq!((spy.wakes(), spy.live()), (0, 1));
        Ok(())
    });
}

/// A sleep that its own waker gets at, as a task does. (No lock is held while its waker runs but by a poll.)
type Shared<'drv, P> = Arc<Mutex<Option<Sleep<'drv, P>>>>;

fn poll_shared<P: Platform>(sleep: &Shared<'_, P>, spy: &Arc<Spy>) -> Poll<Result<(), Error>> {
    let mut sleep = sleep.try_lock().expect("polled by one at a time");
    poll(sleep.as_mut().expect("not dropped"), spy)
}

/// At the expiry, on the stack of its callback, the task ends, and sleeps again in the very place.
pub fn a_waker_may_poll_at_once<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(1)?;
        let spy = Spy::new();
        let shared: Shared<'_, _> = Arc::default();
        let ended = AtomicUsize::new(0);
        // In a callback, so that it does not expire before the task's first poll is over.
        let hook = |act| {
            if act == Act::Wake && ended.load(SeqCst) < 5 {
                assert_eq!(poll_shared(&shared, &spy), Ready(Ok(())));
                *shared.lock().unwrap() = Some(sleeper.sleep(AHEAD));
                assert_eq!(poll_shared(&shared, &spy), Pending);
                ended.fetch_add(1, SeqCst);
            }
        };
        // SAFETY: calmed below.
        unsafe { spy.set_hook(hook) };
        *shared.lock().unwrap() = Some(sleeper.sleep(AHEAD));
        assert_eq!(poll_shared(&shared, &spy), Pending);
        until(scope, || ended.load(SeqCst) == 5 && spy.wakes() == 6);
        spy.calm();
        assert_eq!(poll_shared(&shared, &spy), Ready(Ok(())));
        assert_eq!(spy.live(), 0);
        Ok(())
    });
}

pub fn a_waker_may_drop_its_sleep<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(1)?;
        let spy = Spy::new();
        let shared: Shared<'_, _> = Arc::default();
        for act in [Act::Wake, Act::Clone, Act::Drop] {
            let other = sleeper.sleep(NEVER);
            let mut sleep = sleeper.sleep(AHEAD);
            let _ = poll(&mut sleep, &Spy::new());
            // One that is at its place, if it is to be woken; one that is not, if it is polled itself meanwhile.
            let (polled, kept) = match act {
                Act::Wake => (None, sleep),
                _ => (Some(sleep), other),
            };
            *shared.lock().unwrap() = Some(kept);
            let dropped = AtomicBool::new(false);
            // SAFETY: calmed below.
            unsafe {
                spy.set_hook(|done| {
                    if done == act {
                        drop(shared.lock().unwrap().take());
                        dropped.store(true, SeqCst);
                    }
                });
            }
            match polled {
                None => {
                    assert_eq!(poll_shared(&shared, &spy), Pending);
                    until(scope, || dropped.load(SeqCst));
                }
                Some(mut polled) => assert_eq!(poll(&mut polled, &spy), Pending),
            }
            assert!(dropped.load(SeqCst));
            spy.calm();
            assert_eq!(spy.live(), 0);
        }
        Ok(())
    });
}

/// In each of its three functions.
pub fn a_waker_may_sleep<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(2)?;
        let (spy, inner) = (Spy::new(), Spy::new());
        let acts = AtomicUsize::new(0);
        // SAFETY: calmed below.
        unsafe {
            spy.set_hook(|_| {
                let mut sleep = sleeper.sleep(NEVER);
                assert_eq!(poll(&mut sleep, &inner), Pending);
                acts.fetch_add(1, SeqCst);
            });
        }
        let mut sleep = sleeper.sleep(AHEAD);
        assert_eq!(poll(&mut sleep, &spy), Pending);
        // Replaced, so dropped in the place.
        assert_eq!(poll(&mut sleep, &inner), Pending);
        assert_eq!(poll(&mut sleep, &spy), Pending);
        let before = acts.load(SeqCst);
        until(scope, || acts.load(SeqCst) > before);
        assert_eq!(poll(&mut sleep, &inner), Ready(Ok(())));
        // Dropped with its sleep, as the place is given back.
        let mut dropped = sleeper.sleep(NEVER);
        assert_eq!(poll(&mut dropped, &spy), Pending);
        let before = acts.load(SeqCst);
        drop(dropped);
        assert_eq!(acts.load(SeqCst), before + 1);
        spy.calm();
        assert_eq!((spy.live(), inner.live()), (0, 0));
        Ok(())
    });
}

pub fn a_waker_that_panics_spoils_nothing<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    run_on(&platform, |scope| {
        let sleeper = scope.named("nap").sleeper(1)?;
        let spy = Spy::new();
        // SAFETY: the hook borrows nothing.
        unsafe {
            spy.set_hook(|act| {
                if act == Act::Wake {
                    on_purpose("waker")
                }
            });
        }
        for round in 1..=3 {
            let mut sleep = sleeper.sleep(AHEAD);
            let _ = poll(&mut sleep, &spy);
            until(scope, || spy.wakes() == round);
            until(scope, || {
                platform.log().count("enter: nap panicked") == round
            });
            assert_eq!(poll(&mut sleep, &spy), Ready(Ok(())));
            assert_eq!(spy.live(), 0);
        }
        Ok(())
    });
}

pub fn a_waker_that_panics_when_it_is_cloned_spoils_nothing<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(1)?;
        let (bad, spy) = (Spy::new(), Spy::new());
        // SAFETY: the hook borrows nothing.
        unsafe {
            bad.set_hook(|act| {
                if act == Act::Clone {
                    on_purpose("waker")
                }
            });
        }
        let waker = bad.waker();
        let mut sleep = sleeper.sleep(AHEAD);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            poll_with(&mut sleep, &waker)
        }));
        assert!(caught.is_err());
        // It has its place, and is started by the next poll.
        let _ = poll(&mut sleep, &spy);
        until(scope, || {
            poll(&mut sleeper.sleep(0.nanos()), &spy) == Ready(Ok(()))
        });
        until(scope, || spy.wakes() > 0);
        assert_eq!(poll(&mut sleep, &spy), Ready(Ok(())));
        assert_eq!((bad.live(), spy.live()), (1, 0));
        Ok(())
    });
}
