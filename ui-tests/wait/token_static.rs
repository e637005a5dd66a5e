// Wrong: the proof that one may sleep is passed off as one that holds for ever.
// Instead: take it for any lifetime, `MaySleep<'_>`, and pass it on by value.
use driver_scope::MaySleep;

fn lengthen(cx: MaySleep<'_>) -> MaySleep<'static> {
    cx
}

fn main() {}
