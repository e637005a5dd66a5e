// Wrong: a reference that was got under a read section is used after the section has ended.
// Instead: end the section when the last use is over.
use driver_scope::{platform::Sim, ReadSection, Revocable};

fn main() {
    let sim = Sim::new();
    let number = Revocable::new(sim.clone(), 1);
    let section = ReadSection::enter(&sim);
    let one = number.try_access_with_guard(&section);
    drop(section);
    assert_eq!(one, Some(&1));
}
