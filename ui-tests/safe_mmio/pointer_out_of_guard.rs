// Wrong: a pointer that was made of a `Devres`'s registers is used when the guard is gone.
// Instead: use it before the guard is dropped.
use driver_scope::platform::Addressed;
use driver_scope::{registers, Devres, Mmio, Platform};
use safe_mmio::fields::ReadPure;
use safe_mmio::SharedMmioPointer;

registers! {
    Regs: 8 {
        0x00 => ro ID: u32,
    }
}

fn late<P: Platform<Bus: Addressed>>(devres: &Devres<Mmio<'static, Regs, P>, P>) -> Option<u32> {
    let guard = devres.try_access()?;
    let id: SharedMmioPointer<'_, ReadPure<u32>> = unsafe { guard.get().shared_pointer() };
    drop(guard);
    Some(id.read()) // nobody waits for this
}

fn main() {}
