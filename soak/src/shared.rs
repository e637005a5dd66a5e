//! What a driver shares with the rest of the world.

use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex};

use driver_scope::platform::IrqLine;
use driver_scope::{Binding, Covariant, Devres, Family, HrTimer, Mmio, Plain, Port, Revocable};

use crate::driver::Machine;
use crate::ground::World;
use crate::hardware::{Hardware, Regs};
use crate::plan::{Site, LINES};
use crate::watch::{Mine, Watch};

/// What everybody in a plan shares, the world outside included.
pub struct Common<P: World> {
    /// The interrupt lines.
    pub lines: [IrqLine; LINES],
    /// What may be revoked; and whether somebody has done so, and knows.
    pub revocables: Vec<(Revocable<Mine, P>, AtomicBool)>,
    /// The binding, when it is to be dropped in a callback.
    pub shelf: Mutex<Option<Binding<Machine, P>>>,
    /// Whether a line may be held high: not if a handler panics, and would then never see to it.
    pub levels: bool,
    /// In which callback.
    pub site: Mutex<Option<Site>>,
    /// How deep this is in what time must not pass in (`Sim`).
    pub nested: AtomicUsize,
    /// What the drivers have lent to the world.
    pub lent: Mutex<Vec<Lent<P>>>,
    /// The ways in for the world: the driver's first, then its children's.
    pub ports: Mutex<Vec<Door<P>>>,
    /// All devices.
    pub hardware: Mutex<Vec<Arc<Hardware>>>,
}

/// A way in, and whose it is.
pub struct Door<P: World> {
    /// The way.
    pub port: Port<Machine, P>,
    /// Whose.
    pub watch: Arc<Watch>,
}

impl<P: World> Clone for Door<P> {
    fn clone(&self) -> Self {
        Door {
            port: self.port.clone(),
            watch: Arc::clone(&self.watch),
        }
    }
}

/// What a driver lends, and whose it is.
pub enum Lent<P: World> {
    /// A value without a lifetime.
    Value(Devres<Plain<Mine>, P>, Arc<Watch>),
    /// Handles.
    Handles(Devres<Handles<'static, P>, P>, Arc<Watch>),
}

impl<P: World> Clone for Lent<P> {
    fn clone(&self) -> Self {
        match self {
            Lent::Value(of, watch) => Lent::Value(of.clone(), Arc::clone(watch)),
            Lent::Handles(of, watch) => Lent::Handles(of.clone(), Arc::clone(watch)),
        }
    }
}

/// Handles to be lent.
pub struct Handles<'drv, P: World> {
    /// Looked at while they are used.
    pub mine: Mine,
    /// A timer's.
    pub timer: HrTimer<'drv, P>,
    /// The device's.
    pub regs: Mmio<'drv, Regs, P>,
}

impl<P: World> Family for Handles<'_, P> {
    type At<'a> = Handles<'a, P>;
}
impl<P: World> Covariant for Handles<'_, P> {
    fn shorten<'s, 'l: 's>(x: &'s Handles<'l, P>) -> &'s Handles<'s, P> {
        x
    }
}
