//! The least that a kind of registration says of itself.

use driver_scope::event::{Kind, Outcome};
use driver_scope::inspect::Details;
use driver_scope::platform::registration::{self, Registration};
use driver_scope::platform::Sim;
use driver_scope::{enter, Error, MaySleep, Platform};

/// Calls nobody.
struct Silent;

// SAFETY: nothing is ever called for it.
unsafe impl<P: Platform> Registration<P> for Silent {
    const KIND: &'static str = "silent";

    fn shut(&self, _: &P, _: MaySleep<'_>, _: &dyn Fn()) -> Outcome {
        Outcome::Idle
    }
}

#[test]
fn it_is_registered() {
    let sim = Sim::new();
    sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &(), |(), scope| {
            registration::register(scope, registration::name(scope), Silent)?;
            let mut told = Vec::new();
            scope.inspect(|item| told.push((item.kind, item.details)));
            assert_eq!(
                told,
                [(Kind::Other("silent"), Details::Other("registered"))]
            );
            Ok::<(), Error>(())
        })
    })
    .unwrap();
}
