// Wrong: the value is accessed without a check, and without `unsafe`.
// Instead: `try_access`; or `unsafe`, with the reason why the value cannot be revoked meanwhile.
use driver_scope::{platform::Sim, Revocable};

fn read(number: &Revocable<u32, Sim>) -> u32 {
    *number.access()
}

fn main() {}
