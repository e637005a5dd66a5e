//! A raw lock can be made and taken by anybody, but given back only by who promises to hold it.

use core::panic::Location;

use driver_scope::platform::{RawLock, Sim};
use driver_scope::Platform;

fn main() {
    let lock = <Sim as Platform>::RawLock::new(Location::caller());
    lock.unlock(lock.lock());
}
