// Wrong: the proof that one may sleep is made by hand.
// Instead: `scope.may_sleep()`, or the token that `remove`, an `on_remove` action or the platform's `may_sleep` lends.
use driver_scope::MaySleep;

fn main() {
    let _: MaySleep<'static> = MaySleep {};
}
