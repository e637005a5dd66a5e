// Wrong: a handle is put into a map of services by their types, which the whole program shares.
// Instead: a `Port` or a `Devres` as the service.
// Refused: coercion requires that `'1` must outlive `'static`
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use driver_scope::{platform::Sim, Mmio};

type Services = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

fn offer(services: &mut Services, regs: Mmio<'_, [u8], Sim>) {
    services.insert(TypeId::of::<u8>(), Arc::new(regs));
}

fn main() {}
