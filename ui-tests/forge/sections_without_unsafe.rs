// Wrong: a strategy for read sections is written without `unsafe`: here one that waits for nobody.
// Instead: `unsafe impl`, with the reason why each promise is kept; or one that is there: `Counted`, `Slots`.
use driver_scope::sections::{Gate, Sections, Stuck};

struct Nobody;

impl Sections for Nobody {
    type Id = ();
    type Section = ();

    fn new_id(&self) {}

    unsafe fn enter(&self, gate: &Gate<()>) -> Option<()> {
        gate.is_open().then_some(())
    }
    unsafe fn leave(&self, _: &Gate<()>, (): ()) {}
    unsafe fn enter_all(&self) {}
    unsafe fn leave_all(&self, (): ()) {}
    fn holds(&self, _: Option<&Gate<()>>) -> bool {
        false
    }
    unsafe fn wait(&self, _: &Gate<()>, _: &mut dyn FnMut() -> bool) -> Result<(), Stuck> {
        Ok(())
    }
}

fn main() {}
