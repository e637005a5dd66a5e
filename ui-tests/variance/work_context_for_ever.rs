// Wrong: work asks for a context that lives for ever, so that its token could be kept.
// Instead: `|work| ..`, or `|work: &mut WorkContext<'_, P>| ..`.
// Refused: requires that `'1` must outlive `'static`
use driver_scope::{platform::Sim, DriverScope, Error, MaySleep, Restart, WorkContext};

fn for_ever(_: MaySleep<'static>) {}

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    scope.work(|work: &mut WorkContext<'static, Sim>| {
        for_ever(work.may_sleep());
        Restart::No
    })?;
    Ok(())
}

fn main() {}
