// A parent with children: bound in its probe and later, called, unbound early, and left to the teardown. A child calls its parent.
#![forbid(unsafe_code)]

use driver_scope::platform::Sim;
use driver_scope::{
    Binding, Child, Driver, DriverScope, Error, MaySleep, Platform, Port, Restart, Units,
};

struct Card;

struct CardData<'drv, P: Platform> {
    first: Child<'drv, Function, P>,
    second: Child<'drv, Function, P>,
}

impl<P: Platform> Driver<P> for Card {
    type Device = ();
    type Data<'drv> = CardData<'drv, P>;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), scope: &DriverScope<'drv, P>) -> Result<CardData<'drv, P>, Error> {
        let first = add(scope, 1)?;
        let second = scope.named("second").child::<Function>(Slot {
            number: 2,
            card: scope.port()?,
        });
        let second = second.map_err(|failed| failed.error)?;
        // Handles are `Copy`, and work in callbacks.
        let timer = scope.hrtimer(move |_| {
            assert_eq!(second.call(|function| function.slot.number), Ok(2));
            Restart::No
        })?;
        timer.start(1.millis())?;
        Ok(CardData { first, second })
    }
}

fn add<'drv, P: Platform>(
    scope: &DriverScope<'drv, P>,
    number: u32,
) -> Result<Child<'drv, Function, P>, Error> {
    let card = scope.port::<Card>()?;
    scope
        .child(Slot { number, card })
        .map_err(|failed| failed.error)
}

struct Function;

struct Slot<P: Platform> {
    number: u32,
    card: Port<Card, P>,
}

struct FunctionData<'drv, P: Platform> {
    slot: &'drv Slot<P>,
}

impl<P: Platform> Driver<P> for Function {
    type Device = Slot<P>;
    type Data<'drv> = FunctionData<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        slot: &'drv Slot<P>,
        _: &DriverScope<'drv, P>,
    ) -> Result<FunctionData<'drv, P>, Error> {
        Ok(FunctionData { slot })
    }

    fn remove(data: &FunctionData<'_, P>, _: MaySleep<'_>) {
        assert_eq!(data.slot.card.call(|_| ()), Ok(()));
    }
}

/// A shorter name for the same child.
fn shorter<'a, P: Platform>(child: &'a Child<'_, Function, P>) -> Child<'a, Function, P> {
    *child
}

fn main() -> Result<(), Error> {
    let sim = Sim::new();
    sim.may_sleep(|cx| {
        let card =
            Binding::<Card, Sim>::bind(sim.clone(), (), cx).map_err(|failed| failed.error)?;
        sim.advance(2.millis());
        let third = card.with_scope(cx, |_, scope| add(scope, 3).map(Child::port))?;
        assert_eq!(third.call(|function| function.slot.number), Ok(3));
        card.with(|data| {
            assert_eq!(shorter(&data.first).unbind(cx)?.number, 1);
            assert!(!data.first.is_bound() && data.second.is_bound());
            Ok::<(), Error>(())
        })?;
        drop(card);
        assert_eq!(third.call(|_| ()), Err(Error::Gone));
        Ok(())
    })
}
