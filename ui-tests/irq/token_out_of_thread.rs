// Wrong: the thread of an interrupt handler keeps the proof that it may sleep, for its next run or for others.
// Instead: ask for it where it is needed, `w.may_sleep()`.
use driver_scope::platform::{IrqLine, Sim};
use driver_scope::{DriverScope, Error, IrqReturn};

fn probe<'drv>(line: &IrqLine, scope: &DriverScope<'drv, Sim>) -> Result<(), Error> {
    let mut kept = None;
    scope.irq_threaded(
        line,
        |_| IrqReturn::WakeThread,
        move |w| kept = Some(w.may_sleep()),
    )?;
    Ok(())
}

fn main() {}
