// Wrong: a struct with a handle derives zerocopy's `FromBytes`, and is read from bytes: any would be a handle.
// Instead: what is made of bytes holds integers.
// Refused: the function or associated item `read_from_bytes` exists for struct `Saved<'_>`, but its trait bounds were not satisfied
use driver_scope::{platform::Sim, HrTimer};
use zerocopy::FromBytes;

#[derive(FromBytes)]
#[repr(C)]
struct Saved<'drv> {
    timer: HrTimer<'drv, Sim>,
}

fn revive(bytes: &[u8]) -> Option<HrTimer<'static, Sim>> {
    let saved = Saved::read_from_bytes(bytes).ok()?;
    Some(saved.timer)
}

fn main() {}
