// Wrong: the value borrows from what is dropped before it. Its own `Drop` would use what is gone.
// Instead: declare what it borrows first.
use driver_scope::{platform::Sim, Revocable};

struct Tells<'a>(&'a String);
impl Drop for Tells<'_> {
    fn drop(&mut self) {
        println!("{}", self.0);
    }
}

fn main() {
    let revocable;
    let text = String::from("gone");
    revocable = Revocable::new(Sim::new(), Tells(&text));
    assert!(!revocable.is_revoked());
}
