// What is for the rest of the world is `Send`, `Sync` and `'static`, on every platform.
#![forbid(unsafe_code)]

use driver_scope::platform::{Platform, Sim};
use driver_scope::{Bound, Devres, Driver, Family, HrTimer, Mmio, Plain, Port, Registers, Revocable};

fn for_the_world<T: ?Sized + Send + Sync + 'static>() {}
fn send_and_sync<T: Send + Sync>() {}
fn send<T: Send>() {}

#[allow(dead_code)]
fn for_every_platform<'drv, P: Platform, D: Driver<P>, F: Family + 'static, R: Registers>() {
    for_the_world::<Devres<F, P>>();
    for_the_world::<Devres<Mmio<'static, R, P>, P>>();
    for_the_world::<Devres<Mmio<'static, [u8], P>, P>>();
    for_the_world::<Devres<HrTimer<'static, P>, P>>();
    for_the_world::<Devres<&'static u32, P>>();
    for_the_world::<Devres<Plain<String>, P>>();
    for_the_world::<Port<D, P>>();
    for_the_world::<Revocable<String, P>>();
    for_the_world::<Revocable<dyn Fn() + Send + Sync, P>>();
    send_and_sync::<Bound<'drv, F, P>>();
    send_and_sync::<Revocable<&'drv str, P>>();
    // As a `Cell`: it may go, but not be shared.
    send::<Revocable<std::cell::Cell<u32>, P>>();
}

fn main() {
    let sim = Sim::new();
    let number = std::sync::Arc::new(Revocable::new(sim.clone(), 1));
    let there = std::sync::Arc::clone(&number);
    let thread = std::thread::spawn(move || there.try_access_with(|number| *number));
    assert_eq!(thread.join().unwrap(), Some(1));
}
