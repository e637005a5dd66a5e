// A resource of the driver's own type: it borrows from the scope and has a `Drop`, which uses what it borrows.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::platform::{Platform, Sim};
use driver_scope::{enter, Covariant, Devres, Error, Family, HrTimer, Lock, Restart, Units};

struct Session<'a, P: Platform> {
    timer: HrTimer<'a, P>,
    ends: &'a AtomicU32,
}
impl<P: Platform> Drop for Session<'_, P> {
    fn drop(&mut self) {
        let _ = self.timer.try_cancel();
        self.ends.fetch_add(1, Ordering::Relaxed);
    }
}
impl<P: Platform> Family for Session<'static, P> {
    type At<'a> = Session<'a, P>;
}
impl<P: Platform> Covariant for Session<'static, P> {
    fn shorten<'s, 'l: 's>(x: &'s Session<'l, P>) -> &'s Session<'s, P> {
        x
    }
}

/// One whose lifetime cannot be shortened.
struct Names<'a, P: Platform>(Lock<Vec<&'a str>, P>);
impl<P: Platform> Family for Names<'static, P> {
    type At<'a> = Names<'a, P>;
}

fn main() -> Result<(), Error> {
    type Sessions = Devres<Session<'static, Sim>, Sim>;

    let sim = Sim::new();
    let (ends, name) = (AtomicU32::new(0), String::from("first"));
    let (session, names): (Sessions, Devres<Names<'static, Sim>, Sim>) = sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &(&ends, &name), |(ends, name), scope| {
            let timer = scope.hrtimer(|_| Restart::No)?;
            timer.start(1.secs())?;
            let session = scope.devres::<Session<'static, Sim>>(Session { timer, ends })?;
            assert!(session.access(scope).timer.is_active());
            assert!(session.try_access().unwrap().get().timer.is_active());

            let names = scope.devres::<Names<'static, Sim>>(Names(Lock::new(Vec::new())))?;
            // Inside, it takes what lives as long as the scope; outside, what lives for ever.
            names.access(scope).0.lock().push(name.as_str());
            names.try_access_with(|names| names.0.lock().push("second"));
            assert_eq!(names.access(scope).0.lock()[..], ["first", "second"]);
            Ok::<_, Error>((session.devres(), names.devres()))
        })
    })?;
    assert_eq!(ends.load(Ordering::Relaxed), 1);
    assert!(session.try_access().is_none());
    assert_eq!(names.try_access_with(|names| names.0.lock().len()), None);
    Ok(())
}
