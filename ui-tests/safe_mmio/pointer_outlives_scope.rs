// Wrong: a pointer to registers is kept longer than the scope in which they are mapped.
// Instead: use it in the scope; keep it in what the scope holds.
use driver_scope::platform::{Addressed, Bus};
use driver_scope::{enter, Error, MaySleep, Platform};
use safe_mmio::fields::ReadPureWrite;
use safe_mmio::UniqueMmioPointer;

type Region<P> = <<P as Platform>::Bus as Bus>::Region;

fn kept<P: Platform<Bus: Addressed>>(platform: P, cx: MaySleep<'_>, region: &Region<P>) {
    let mut kept: Option<UniqueMmioPointer<'_, ReadPureWrite<u32>>> = None;
    enter(platform, cx, region, |region, scope| {
        kept = Some(unsafe { scope.map_unique(region)? });
        Ok::<(), Error>(())
    })
    .unwrap();
    kept.unwrap().write(1); // of registers that are mapped no more
}

fn main() {}
