//! What becomes of sleeps when their scope ends.

use super::*;

/// Forgotten sleeps keep their places; the close wakes them, and nothing of them is left.
pub fn forgotten_sleeps_are_harmless<P: TestPlatform>() {
    const PLACES: usize = 8;
    let spy = Spy::new();
    run::<P>(|scope| {
        let sleeper = scope.sleeper(PLACES)?;
        for _ in 0..PLACES {
            let mut sleep = sleeper.sleep(NEVER);
            assert_eq!(poll(&mut sleep, &spy), Pending);
            mem::forget(sleep);
        }
        let mut late = sleeper.sleep(NEVER);
        assert_eq!(poll(&mut late, &spy), Ready(Err(Error::TooManySleeps)));
        assert_eq!((spy.wakes(), spy.live()), (0, PLACES as isize));
        Ok(())
    });
    assert_eq!((spy.wakes(), spy.live()), (PLACES, 0));
}

/// Calls a function when it is dropped: with a callback's captured values, after the close.
struct AtEnd<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Has `f` called when the scope destroys what callbacks have captured.
fn at_end<'drv, P: Platform>(
    scope: &DriverScope<'drv, P>,
    f: impl FnMut() + Send + 'drv,
) -> Result<(), Error> {
    let end = AtEnd(f);
    scope.hrtimer(move |_| {
        let _ = &end;
        Restart::No
    })?;
    Ok(())
}

/// The close wakes the task, which finds `Closed` at once.
pub fn a_pending_sleep_ends_with_closed<P: TestPlatform>() {
    let spy = Spy::new();
    let seen = Mutex::new(Vec::new());
    // The closure may not borrow what is outside of it but by `env`.
    let (spied, told) = (Arc::clone(&spy), Arc::new(seen));
    let tell = Arc::clone(&told);
    run::<P>(move |scope| {
        let sleeper = scope.sleeper(2)?;
        let sleep = Arc::new(Mutex::new(sleeper.sleep(NEVER)));
        let weak: Weak<Mutex<Sleep<'_, _>>> = Arc::downgrade(&sleep);
        assert_eq!(poll(&mut *sleep.lock().unwrap(), &spied), Pending);
        // It lives until the captured values of callbacks are destroyed.
        at_end(scope, move || drop(Arc::clone(&sleep)))?;
        let task = Arc::clone(&spied);
        let hook = move |act| {
            if act == Act::Wake {
                let sleep = weak.upgrade().expect("not destroyed yet");
                let polled = poll(&mut *sleep.try_lock().unwrap(), &task);
                let late = poll(&mut sleeper.sleep(0.nanos()), &task);
                tell.lock().unwrap().extend([polled, late]);
            }
        };
        // SAFETY: it is called by the close, with the scope's end still ahead; no waker is left after it, as is checked below.
        unsafe { spied.set_hook(hook) };
        Ok(())
    });
    assert_eq!((spy.wakes(), spy.live()), (1, 0));
    let closed = Ready(Err(Error::Closed));
    assert_eq!(*told.lock().unwrap(), [closed, closed]);
    // The hook still has a `Weak`, of another lifetime, and the spy.
    spy.calm();
}

/// In a hook everything still works; when values are destroyed, no sleep does, not even one that would end at once.
pub fn after_the_close_every_sleep_is_closed<P: TestPlatform>() {
    let spy = Spy::new();
    let task = Arc::clone(&spy);
    let checked = Arc::new(AtomicUsize::new(0));
    let check = Arc::clone(&checked);
    run::<P>(move |scope| {
        let sleeper = scope.sleeper(3)?;
        let mut ended = sleeper.sleep(0.nanos());
        assert_eq!(poll(&mut ended, &task), Ready(Ok(())));
        let mut waits = sleeper.sleep(NEVER);
        assert_eq!(poll(&mut waits, &task), Pending);
        let mut idle = sleeper.sleep(NEVER);
        let (at_close, at_hook) = (Arc::clone(&check), check);
        let at_close_task = Arc::clone(&task);
        at_end(scope, move || {
            let closed = Ready(Err(Error::Closed));
            let task = &at_close_task;
            assert_eq!(poll(&mut ended, task), Ready(Ok(())), "it had ended before");
            assert_eq!(poll(&mut waits, task), closed);
            assert_eq!(poll(&mut idle, task), closed);
            assert_eq!(poll(&mut sleeper.sleep(0.nanos()), task), closed);
            assert_eq!(poll(&mut sleeper.sleep(NEVER), task), closed);
            let mut limited = sleeper.timeout(NEVER, pending::<()>());
            assert_eq!(poll(&mut limited, task), Ready(Err(Error::Closed)));
            at_close.fetch_add(1, SeqCst);
        })?;
        scope.on_remove(move |_| {
            assert_eq!(poll(&mut sleeper.sleep(0.nanos()), &task), Ready(Ok(())));
            assert_eq!(poll(&mut sleeper.sleep(NEVER), &task), Pending);
            at_hook.fetch_add(1, SeqCst);
        })
    });
    assert_eq!(checked.load(SeqCst), 2);
    // That of `waits`, by the close; the others have stored none.
    assert_eq!((spy.wakes(), spy.live()), (1, 0));
}

/// A driver that can only sleep.
struct Sleepy;

impl<P: Platform> Driver<P> for Sleepy {
    type Device = ();
    type Data<'drv> = Sleeper<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        _dev: &'drv (),
        scope: &DriverScope<'drv, P>,
    ) -> Result<Sleeper<'drv, P>, Error> {
        scope.sleeper(2)
    }

    fn remove(_sleeper: &Sleeper<'_, P>, _cx: MaySleep<'_>) {}
}

/// The remove waits for the call, and the call for an hour: so the sleep must end first.
pub fn a_remove_ends_the_sleep_of_a_port_call<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let bound: Result<Binding<Sleepy, _>, _> =
        platform.lend_sleep(|cx| Binding::bind(platform.clone(), (), cx));
    let binding = bound.map_err(|failed| failed.error).unwrap();
    let port = binding.port().unwrap();
    let inside = Arc::new(AtomicBool::new(false));
    let call = thread::spawn({
        let inside = Arc::clone(&inside);
        let port = port.clone();
        move || {
            port.call(|sleeper| {
                inside.store(true, SeqCst);
                block_on(sleeper.sleep(NEVER))
            })
        }
    });
    wait_until(|| inside.load(SeqCst));
    platform.lend_sleep(|cx| binding.unbind(cx).map(drop).unwrap());
    assert_eq!(call.join().unwrap(), Ok(Err(Error::Closed)));
    assert_eq!(port.call(|_| ()), Err(Error::Gone));
    drop(port);
    platform.assert_at_rest();
}

pub fn a_waker_that_panics_at_the_close_leaves_none_asleep<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    let spy = Spy::new();
    // SAFETY: the hook borrows nothing.
    unsafe {
        spy.set_hook(|act| {
            if act == Act::Wake {
                on_purpose("waker")
            }
        });
    }
    run_on(&platform, |scope| {
        let sleeper = scope.named("nap").sleeper(3)?;
        for _ in 0..3 {
            let mut sleep = sleeper.sleep(NEVER);
            assert_eq!(poll(&mut sleep, &spy), Pending);
            mem::forget(sleep);
        }
        Ok(())
    });
    assert_eq!((spy.wakes(), spy.live()), (3, 0));
    assert_eq!(platform.log().count("enter: nap panicked"), 3);
}
