// Wrong: a section on everything is left by hand; it may have been left before, and this end somebody else's.
// Instead: `ReadSection`, which leaves once.
use driver_scope::sections::Sections;

fn leave<S: Sections>(sections: &S, section: S::Section) {
    sections.leave_all(section);
}

fn main() {}
