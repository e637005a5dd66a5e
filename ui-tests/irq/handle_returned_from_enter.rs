// Wrong: the handle is returned from `enter`, after which the handler is gone.
// Instead: return what was found out with it (a number, a `Result`), and use the handle inside.
use driver_scope::platform::{IrqLine, Sim};
use driver_scope::{enter, Irq, IrqReturn};

fn main() {
    Sim::new().may_sleep(|cx| {
        let _irq: Irq<'_, Sim> = enter(Sim::new(), cx, &IrqLine::new(), |line, scope| {
            scope.irq(line, |_| IrqReturn::Handled).unwrap()
        });
    });
}
