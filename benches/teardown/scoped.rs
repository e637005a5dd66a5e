//! A driver with many things, and its unbind.

use std::time::Duration;

use driver_scope::{Binding, Driver, DriverScope, Error, Restart};
use driver_scope_benches::platform::{On, C};

use super::kinds::{timed, Token};

/// The platform: `Host`'s timers, sections by membarrier(2).
type P = On<C>;

const FAR: Duration = Duration::from_secs(3600);

/// What its driver is to have.
#[derive(Clone, Copy)]
enum What {
    Armed,
    Idle,
    Values,
    Actions,
}

/// The "device" says what, and how many.
struct Plan(What, usize);

struct Many;

impl Driver<P> for Many {
    type Device = Plan;
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(
        &Plan(what, count): &'drv Plan,
        scope: &DriverScope<'drv, P>,
    ) -> Result<(), Error> {
        for _ in 0..count {
            let token = Token::new();
            match what {
                What::Armed | What::Idle => {
                    let timer = scope.hrtimer(move |_| {
                        token.hold();
                        Restart::No
                    })?;
                    if matches!(what, What::Armed) {
                        timer.start(FAR)?;
                    }
                }
                What::Values => {
                    scope.own(token)?;
                }
                What::Actions => scope.on_remove(move |_| drop(token))?,
            }
        }
        Ok(())
    }
}

fn end(what: What, count: usize) -> u64 {
    let platform = P::shared();
    platform.may_sleep(|cx| {
        let bound = Binding::<Many, P>::bind(platform.clone(), Plan(what, count), cx);
        let binding = bound
            .map_err(|failed| failed.error)
            .expect("there is memory");
        let (took, device) = timed(count, || binding.unbind(cx));
        assert!(device.is_ok(), "this is no callback");
        took
    })
}

pub fn armed(count: usize) -> u64 {
    end(What::Armed, count)
}

pub fn idle(count: usize) -> u64 {
    end(What::Idle, count)
}

pub fn values(count: usize) -> u64 {
    end(What::Values, count)
}

pub fn actions(count: usize) -> u64 {
    end(What::Actions, count)
}
