// Wrong: the proof that one may sleep leaves the context that it was lent for.
// Instead: do what waits inside the closure.
use driver_scope::platform::Sim;

fn main() {
    let _cx = Sim::new().may_sleep(|cx| cx);
}
