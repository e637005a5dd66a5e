// Wrong: the driver's data is named for ever by way of another trait's associated type, and asked for by that name.
// Instead: name data for any lifetime: `D::Data<'_>`.
// Refused: `data` escapes the closure body here
use driver_scope::{platform::Sim, Binding, Driver};

trait Kept {
    type Data;
}
impl<D: Driver<Sim>> Kept for D {
    type Data = D::Data<'static>;
}

fn keep<D: Driver<Sim>>(binding: &Binding<D, Sim>, look: fn(&<D as Kept>::Data)) {
    binding.with(|data| look(data));
}

fn main() {}
