// Wrong: the handle leaves its scope as what a poll has found.
// Instead: return a value, not the handle.
use driver_scope::platform::{Region, Sim};
use driver_scope::*;

registers! {
    Regs: 0x4 {
        0x0 => rw STATUS: u32,
    }
}

fn leak(sim: &Sim, cx: MaySleep<'_>, region: &Region) -> Option<u32> {
    let mut out = None;
    enter(sim.clone(), cx, region, |region, scope| {
        let regs = scope.map::<Regs>(region).ok();
        out = Poll::spinning(scope.platform(), 1.micros(), 1.micros()).until(|| Ok(regs)).ok();
    });
    out.map(|regs: Mmio<'_, Regs, Sim>| regs.read(STATUS))
}

fn main() {}
