// Wrong: `revoke` is called without proof that one may sleep; it waits for readers.
// Instead: take a `MaySleep` where one may sleep: `fn stop(number: &Revocable<u32, Sim>, cx: MaySleep<'_>)`.
use driver_scope::{platform::Sim, Error, Revocable};

fn stop(number: &Revocable<u32, Sim>) -> Result<bool, Error> {
    number.revoke()
}

fn main() {}
