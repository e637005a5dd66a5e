// Wrong: the child's data leaves `Child::call`. The child may be unbound as soon as the call has returned.
// Instead: use it inside the closure.
use driver_scope::{platform::Sim, Child, Driver, Error};

fn steal<'drv, D>(child: Child<'drv, D, Sim>) -> Result<&'drv u32, Error>
where
    D: for<'c> Driver<Sim, Data<'c> = u32>,
{
    child.call(|number| number)
}

fn main() {}
