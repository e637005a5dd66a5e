// Wrong: the parent keeps a handle of its child's scope, in a variable. It dies with the child, before the parent.
// Instead: call the child again.
use driver_scope::{platform::Sim, Child, Driver, HrTimer};

fn steal<D>(child: Child<'_, D, Sim>)
where
    D: for<'c> Driver<Sim, Data<'c> = HrTimer<'c, Sim>>,
{
    let mut kept = None;
    let _ = child.call(|timer| kept = Some(*timer));
}

fn main() {}
