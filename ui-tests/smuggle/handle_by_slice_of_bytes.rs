// Wrong: a handle is looked at as bytes, to be put together again elsewhere.
// Instead: nothing: bytes of a handle are no handle.
// Refused: no method named `as_bytes` found for reference `&'a HrTimer<'_, Sim>` in the current scope
use driver_scope::{platform::Sim, HrTimer};
use zerocopy::IntoBytes;

fn bytes<'a>(timer: &'a HrTimer<'_, Sim>) -> &'a [u8] {
    timer.as_bytes()
}

fn main() {}
