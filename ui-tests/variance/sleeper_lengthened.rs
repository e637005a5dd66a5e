// Wrong: a sleeper is passed off as one that lives for ever.
// Instead: write the lifetime: `Sleeper<'drv, P>`.
// Refused: returning this value requires that `'drv` must outlive `'static`
use driver_scope::{platform::Sim, Sleeper};

fn lengthen<'drv>(sleeper: Sleeper<'drv, Sim>) -> Sleeper<'static, Sim> {
    sleeper
}

fn main() {}
