// Wrong: a trait object that can register is passed off as one of a scope with a shorter life.
// Instead: keep the lifetime of the trait: `&'s dyn Register<'drv>`.
// Refused: function was supposed to return data with lifetime `'drv` but it is returning data with lifetime `'s`
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Restart};

trait Register<'drv> {
    fn timer(&self, callback: Box<dyn FnMut() + Send + 'drv>) -> Result<HrTimer<'drv, Sim>, Error>;
}

impl<'drv> Register<'drv> for DriverScope<'drv, Sim> {
    fn timer(
        &self,
        mut callback: Box<dyn FnMut() + Send + 'drv>,
    ) -> Result<HrTimer<'drv, Sim>, Error> {
        self.hrtimer(move |_| {
            callback();
            Restart::No
        })
    }
}

fn shorten<'s, 'drv: 's>(register: &'s dyn Register<'drv>) -> &'s dyn Register<'s> {
    register
}

fn main() {}
