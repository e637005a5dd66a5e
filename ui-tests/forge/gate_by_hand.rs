// Wrong: the entrance to what may be revoked is made by hand; an open one lets everybody in.
// Instead: `Revocable`, `Devres` and `Port` each bring their own.
use driver_scope::sections::Gate;

fn main() {
    let _ = Gate::new((), true);
}
