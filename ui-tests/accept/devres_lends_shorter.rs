// A helper of the outside world needs no lifetime of its own, and gets copies that last as long as their guard or section.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use driver_scope::platform::{Model, Platform, Region, Sim};
use driver_scope::{
    enter, Devres, DevresGuard, Error, Mmio, Plain, ReadSection, registers, Revocable,
    RevocableGuard,
};

registers! {
    Uart: 8 {
        0 => rw DATA: u64,
    }
}

struct Ram(AtomicU64);
impl Model for Ram {
    fn read(&self, _offset: u64, _width: u8) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
    fn write(&self, _offset: u64, _width: u8, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

type Regs<P> = Mmio<'static, Uart, P>;

/// A copy that lasts as long as the guard is borrowed.
fn copy<'g, P: Platform>(guard: &'g DevresGuard<'_, Regs<P>, P>) -> Mmio<'g, Uart, P> {
    *guard.get()
}

/// Both under one section.
fn sum<P: Platform>(
    one: &Devres<Regs<P>, P>,
    other: &Devres<Plain<u64>, P>,
    section: &ReadSection<'_, P>,
) -> Option<u64> {
    let regs = *one.try_access_with_guard(section)?;
    Some(regs.read(DATA) + other.try_access_with_guard(section)?)
}

/// A guard that a function returns.
fn first<P: Platform>(bytes: &Revocable<[u8], P>) -> Option<RevocableGuard<'_, [u8], P>> {
    bytes.try_access().filter(|bytes| !bytes.is_empty())
}

fn main() -> Result<(), Error> {
    let sim = Sim::new();
    let region = Region::new(Arc::new(Ram(AtomicU64::new(40))), 8);
    sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &region, |region, scope| {
            let regs = scope.map::<Uart>(region)?.into_devres(scope)?;
            let two = scope.devres::<Plain<u64>>(2)?;
            let section = ReadSection::enter(scope.platform());
            assert_eq!(sum(&regs, &two, &section), Some(42));
            drop(section);

            let guard = regs.try_access().ok_or(Error::Gone)?;
            let copied = copy(&guard);
            copied.write(DATA, 7);
            drop(guard);
            // Inside, a copy lasts as long as the scope.
            let inside = *regs.access(scope);
            drop(regs);
            assert_eq!(inside.read(DATA), 7);
            Ok::<(), Error>(())
        })
    })?;

    let bytes = Revocable::new(sim.clone(), [1, 2, 3]);
    assert_eq!(first::<Sim>(&bytes).as_deref(), Some(&[1, 2, 3][..]));
    sim.may_sleep(|cx| bytes.revoke(cx))?;
    assert!(first::<Sim>(&bytes).is_none());
    Ok(())
}
