// Wrong: a read section is made without being entered.
// Instead: `ReadSection::enter(&platform)`.
use driver_scope::{platform::Sim, ReadSection};

fn main() {
    let _ = ReadSection::<'static, Sim> {};
}
