// Wrong: a table of a scope's registrations is kept for as long as the handles are. It is of the time at which the scope is lent.
// Instead: make it text (`to_string`), or a new one each time.
use driver_scope::inspect::Table;
use driver_scope::{platform::Sim, DriverScope};

fn keep<'drv>(scope: &DriverScope<'drv, Sim>) -> Table<'drv, Sim> {
    scope.table()
}

fn main() {}
