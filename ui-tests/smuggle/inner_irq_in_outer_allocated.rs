// Wrong: the outer scope's memory holds an interrupt's handle of the inner one.
// Instead: memory of the inner scope: `inner.alloc(..)`.
// Refused: `line` escapes the closure body here
use driver_scope::platform::{IrqLine, Sim};
use driver_scope::{enter, IrqReturn};

fn main_with(line: &IrqLine) {
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, line, |line, outer| {
            enter(Sim::new(), cx, line, |line, inner| {
                let irq = inner.irq(line, |_| IrqReturn::None).unwrap();
                let _ = outer.alloc(irq);
            });
        });
    });
}

fn main() {}
