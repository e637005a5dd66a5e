// The closure form: callbacks borrow the environment, one lifetime for all of them.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::platform::Sim;
use driver_scope::{enter, Error, Units};

fn main() -> Result<(), Error> {
    let sim = Sim::new();
    let (ticks, name) = (AtomicU32::new(0), String::from("tick"));
    let removed = AtomicU32::new(0);
    let late = sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &(&ticks, &name, &removed), |env, scope| {
            let timer = scope.hrtimer(move |t| {
                let (ticks, name, _) = *env;
                assert_eq!(name, "tick");
                ticks.fetch_add(1, Ordering::Relaxed);
                t.forward(10.millis())
            })?;
            timer.start(10.millis())?;
            scope.on_remove(move |cx| {
                assert_eq!(timer.cancel(cx), Ok(true));
                env.2.store(1, Ordering::Relaxed);
            })?;
            scope.sleep(105.millis());
            Ok::<_, Error>(timer.remaining().is_some())
        })
    })?;
    assert!(late);
    assert_eq!(ticks.into_inner(), 10);
    assert_eq!(removed.into_inner(), 1);
    Ok(())
}
