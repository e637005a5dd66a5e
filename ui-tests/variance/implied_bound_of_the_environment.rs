// Wrong: the environment's type is to imply that the scope lives for ever: `&'drv &'drv T` for a `&'drv &'static T`.
// Instead: nothing: what `enter` lends is for any `'drv`.
// Refused: returning this value requires that `'1` must outlive `'2`
use driver_scope::{enter, platform::Sim, DriverScope, HrTimer, Restart};

static UNIT: &() = &();

fn body<'e, 'drv: 'e>(_: &'e &'drv (), scope: &DriverScope<'drv, Sim>) -> HrTimer<'e, Sim> {
    scope.hrtimer(|_| Restart::No).unwrap()
}

fn main() {
    Sim::new().may_sleep(|cx| {
        let kept: HrTimer<'static, Sim> =
            enter(Sim::new(), cx, &UNIT, |_, scope| body(&UNIT, scope));
        let _ = kept.restart();
    });
}
