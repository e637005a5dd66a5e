// Wrong: the section is a temporary, so it ends at the end of the line.
// Instead: give it a name: `let section = ReadSection::enter(&sim);`.
use driver_scope::{platform::Sim, ReadSection, Revocable};

fn main() {
    let sim = Sim::new();
    let number = Revocable::new(sim.clone(), 1);
    let one = number.try_access_with_guard(&ReadSection::enter(&sim));
    assert_eq!(one, Some(&1));
}
