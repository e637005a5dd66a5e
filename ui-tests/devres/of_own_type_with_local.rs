// Wrong: a resource of the driver's own type, with a `Drop`, borrows a local variable of `enter`'s closure.
// Instead: pass what it borrows in as the environment of `enter`.
use driver_scope::{enter, platform::Sim, Error, Family};

struct Log<'a>(&'a String);
impl Drop for Log<'_> {
    fn drop(&mut self) {
        println!("{}", self.0);
    }
}
impl Family for Log<'static> {
    type At<'a> = Log<'a>;
}

fn main() {
    let sim = Sim::new();
    let _ = sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &(), |(), scope| {
            let text = String::from("gone");
            let _log = scope.devres::<Log<'static>>(Log(&text))?;
            Ok::<(), Error>(())
        })
    });
}
