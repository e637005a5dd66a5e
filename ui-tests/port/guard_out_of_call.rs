// Wrong: the guard of a resource that the driver's data holds leaves `Port::call`. It borrows the data.
// Instead: return a clone of the `Devres`, and access that.
use driver_scope::{platform::Sim, Devres, Driver, Plain, Port};

fn steal<D>(port: &Port<D, Sim>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = Devres<Plain<u32>, Sim>>,
{
    let _guard = port.call(|devres| devres.try_access());
}

fn main() {}
