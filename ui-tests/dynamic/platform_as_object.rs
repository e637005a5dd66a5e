// Wrong: the platform is chosen at run time, as `dyn Platform`.
// Instead: code that is generic in its platform: `fn run<P: Platform>(platform: P)`.
// Refused: the trait `driver_scope::Platform` is not dyn compatible
use driver_scope::Platform;

fn run(_: &dyn Platform) {}

fn main() {}
