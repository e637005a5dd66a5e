// Wrong: what orders memory against devices is written without `unsafe`: here nothing does.
// Instead: `unsafe impl`, with the reason why the promise is kept; or those that are there: `MachineBarriers`.
use driver_scope::platform::Barriers;

enum Nothing {}

impl Barriers for Nothing {
    fn write_barrier() {}
    fn read_barrier() {}
}

fn main() {}
