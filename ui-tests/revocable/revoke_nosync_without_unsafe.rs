// Wrong: the value is revoked without a wait for its readers, and without `unsafe`.
// Instead: `revoke`; or `unsafe`, with the reason why nobody reads it.
use driver_scope::{platform::Sim, Revocable};

fn stop(number: &Revocable<u32, Sim>) -> bool {
    number.revoke_nosync()
}

fn main() {}
