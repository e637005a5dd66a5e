// Wrong: the read section of one kind of platform is shown to an object of another kind.
// Instead: enter a section on the object's own platform.
use driver_scope::platform::{Host, Sim};
use driver_scope::{ReadSection, Revocable};

fn read(number: &Revocable<u32, Sim>, host: &Host) -> Option<u32> {
    let section = ReadSection::enter(host);
    number.try_access_with_guard(&section).copied()
}

fn main() {}
