// Wrong: work enters a scope of its own, whose timer takes along that work may sleep. The timer may not.
// Instead: what waits is done in the work, outside that timer.
use driver_scope::{enter, platform::Sim, Error, Restart, Work, WorkContext};

fn run(sim: &Sim, context: &WorkContext<'_, Sim>, other: Work<'_, Sim>) -> Result<(), Error> {
    let env = (context, other);
    enter(sim.clone(), context.may_sleep(), &env, |(context, other), scope| {
        let timer = scope.hrtimer(move |_| {
            let _ = other.cancel(context.may_sleep());
            Restart::No
        })?;
        timer.start(core::time::Duration::ZERO)
    })
}

fn main() {}
