//! A future with a limit of time.

use super::*;

pub fn a_future_in_time_wins<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(2)?;
        // Needs no place, since it ends at once.
        let none = scope.sleeper(0)?;
        assert_eq!(
            poll(&mut none.timeout(NEVER, ready(7)), &Spy::new()),
            Ready(Ok(7))
        );

        let spy = Spy::new();
        let mut limited = sleeper.timeout(NEVER, sleeper.sleep(AHEAD));
        assert_eq!(poll(&mut limited, &spy), Pending);
        until(scope, || spy.wakes() > 0);
        assert_eq!(poll(&mut limited, &spy), Ready(Ok(Ok(()))));
        // Though it is kept, both places are free.
        let mut two = [NEVER; 2].map(|delay| sleeper.sleep(delay));
        let polled = two.each_mut().map(|sleep| poll(sleep, &spy));
        assert_eq!(polled, [Pending, Pending]);
        Ok(())
    });
}

pub fn a_future_out_of_time_loses<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(1)?;
        let spy = Spy::new();
        let begin = scope.now();
        let mut limited = sleeper.timeout(AHEAD, pending::<()>());
        assert_eq!(poll(&mut limited, &spy), Pending);
        until(scope, || spy.wakes() > 0);
        assert!(scope.now() >= begin.saturating_add(AHEAD));
        assert_eq!(poll(&mut limited, &spy), Ready(Err(Error::TimedOut)));
        assert_eq!(poll(&mut sleeper.sleep(NEVER), &spy), Pending);
        Ok(())
    });
}

pub fn at_the_same_instant_the_future_wins<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(2)?;
        let spy = Spy::new();
        // In real time it may be over by its first poll.
        let polls_before = if P::REAL_TIME { 0..1 } else { 0..2 };
        for polls_before in polls_before {
            let mut limited = sleeper.timeout(1.millis(), sleeper.sleep(1.millis()));
            for _ in 0..polls_before {
                let _ = poll(&mut limited, &spy);
            }
            scope.sleep(2.millis());
            assert_eq!(poll(&mut limited, &spy), Ready(Ok(Ok(()))));
        }
        // Nothing that ends at once is out of time.
        let mut limited = sleeper.timeout(0.nanos(), ready(7));
        assert_eq!(poll(&mut limited, &spy), Ready(Ok(7)));
        Ok(())
    });
}

pub fn timeouts_nest<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.meanwhile(|| {
        run_on(&platform, |scope| {
            let sleeper = scope.sleeper(2)?;
            let inner = sleeper.timeout(1.millis(), pending::<()>());
            let outer = sleeper.timeout(NEVER, inner);
            assert_eq!(block_on(outer), Ok(Err(Error::TimedOut)));
            let inner = sleeper.timeout(NEVER, pending::<()>());
            let outer = sleeper.timeout(1.millis(), inner);
            assert_eq!(block_on(outer), Err(Error::TimedOut));
            // In an `async` block, which is not `Unpin`.
            let result = block_on(async {
                let work = async {
                    sleeper.sleep(1.millis()).await?;
                    sleeper.sleep(NEVER).await
                };
                sleeper.timeout(3.millis(), work).await
            });
            assert_eq!(result, Err(Error::TimedOut));
            Ok(())
        });
    });
}

pub fn a_timeout_tells_what_its_sleep_tells<P: TestPlatform>() {
    run::<P>(|scope| {
        let none = scope.sleeper(0)?;
        let spy = Spy::new();
        let mut limited = none.timeout(NEVER, pending::<()>());
        assert_eq!(poll(&mut limited, &spy), Ready(Err(Error::TooManySleeps)));
        let mut limited = none.timeout(Duration::MAX, pending::<()>());
        assert_eq!(poll(&mut limited, &spy), Ready(Err(Error::TimeOverflow)));
        Ok(())
    });
}

pub fn a_timeout_is_not_polled_again<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(1)?;
        let mut limited = sleeper.timeout(NEVER, ready(()));
        assert_eq!(poll(&mut limited, &Spy::new()), Ready(Ok(())));
        common::quiet();
        let again = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            poll(&mut limited, &Spy::new())
        }));
        let told = again.unwrap_err();
        let told = told.downcast_ref::<&str>();
        assert_eq!(told, Some(&"a `Timeout` is polled after its end"));
        Ok(())
    });
}
