// Wrong: the memory of a read section is made by hand: leaving it would end somebody else's.
// Instead: `ReadSection::enter(&platform)`.
use std::ptr::NonNull;

use driver_scope::sections::SlotSection;

fn main() {
    let _ = SlotSection(NonNull::dangling());
}
