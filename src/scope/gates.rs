//! What of a scope outlives it: the gates by which the rest of the world comes in.

use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::panic::Location;
use core::ptr::{self, NonNull};

use crate::context::MaySleep;
use crate::error::Error;
use crate::event::Name;
use crate::platform::Platform;
use crate::scope::inner::Core;
use crate::scope::shared::Shared;
use crate::sections::{Gate, GateOf, Patience, Sections};
use crate::sync::{AtomicBool, AtomicPtr, Ordering};

/// The gates of one scope. All its ports share one, all its `Devres` the other: so a remove waits for the readers of all of them at once.
pub(crate) struct Gates<P: Platform> {
    /// Opened when the driver's data exists, closed when its remove begins.
    pub(crate) ports: GateOf<P>,
    /// Open until every activity has been shut down.
    pub(crate) devres: GateOf<P>,
    /// Whether there ever was a port; if not, nobody can be inside, and there is nothing to wait for.
    has_ports: AtomicBool,
    /// Whether there ever was a `Devres`.
    has_devres: AtomicBool,
}

/// The scope's own handle to its gates, which are made when they are needed first.
pub(crate) struct OwnGates<P: Platform>(AtomicPtr<()>, PhantomData<P>);

impl<P: Platform> OwnGates<P> {
    pub(crate) fn none() -> Self {
        OwnGates(AtomicPtr::new(ptr::null_mut()), PhantomData)
    }

    /// The gates, if they exist.
    fn get(&self) -> Option<ManuallyDrop<Shared<Gates<P>, P>>> {
        // Acquire: pairs with the Release in `get_or_make`.
        let raw = NonNull::new(self.0.load(Ordering::Acquire))?;
        // SAFETY: from `into_raw`; not dropped, so the one owner stays the one in the cell. [COUNTED]
        Some(ManuallyDrop::new(unsafe { Shared::from_raw(raw) }))
    }

    /// Gives up the scope's own handle.
    ///
    /// # Safety
    /// The scope is at its end: nobody else uses this.
    pub(crate) unsafe fn release(&self) {
        if let Some(gates) = self.get() {
            self.0.store(ptr::null_mut(), Ordering::Relaxed);
            drop(ManuallyDrop::into_inner(gates));
        }
    }

    /// The gates; made if need be, with ports open if the driver's data is there.
    fn get_or_make(&self, platform: &P, has_data: bool) -> Result<Shared<Gates<P>, P>, Error> {
        if let Some(gates) = self.get() {
            return Ok(Shared::clone(&gates));
        }
        let gates = Gates {
            ports: Gate::new(platform.sections().new_id(), has_data),
            devres: Gate::new(platform.sections().new_id(), true),
            has_ports: AtomicBool::new(false),
            has_devres: AtomicBool::new(false),
        };
        let gates = Shared::new(platform, gates).map_err(|(error, _)| error)?;
        let ours = gates.clone().into_raw();
        // Release: publishes the gates; pairs with the Acquire here and in `get`.
        match self.0.compare_exchange(
            ptr::null_mut(),
            ours.as_ptr(),
            Ordering::Release,
            Ordering::Acquire,
        ) {
            Ok(_) => Ok(gates),
            Err(theirs) => {
                // SAFETY: ours came from `into_raw` and was not published; theirs was, is not null, and stays with the cell. [COUNTED]
                unsafe {
                    drop(Shared::<Gates<P>, P>::from_raw(ours));
                    let theirs = ManuallyDrop::new(Shared::<Gates<P>, P>::from_raw(
                        NonNull::new_unchecked(theirs),
                    ));
                    Ok(Shared::clone(&theirs))
                }
            }
        }
    }
}

impl<P: Platform> Core<P> {
    /// The scope's gates, for a port.
    pub(crate) fn gates_for_port(&self) -> Result<Shared<Gates<P>, P>, Error> {
        let gates = self.gates()?;
        // Relaxed: the teardown comes later by means that order this, and so below.
        gates.has_ports.store(true, Ordering::Relaxed);
        Ok(gates)
    }

    /// The scope's gates, for a `Devres`.
    pub(crate) fn gates_for_devres(&self) -> Result<Shared<Gates<P>, P>, Error> {
        let gates = self.gates()?;
        gates.has_devres.store(true, Ordering::Relaxed);
        Ok(gates)
    }

    /// Whether these are the scope's gates.
    pub(crate) fn has_gates(&self, gates: &Shared<Gates<P>, P>) -> bool {
        self.gates
            .get()
            .is_some_and(|own| ptr::eq::<Gates<P>>(&**own, &**gates))
    }

    /// The scope's gates, made if need be.
    fn gates(&self) -> Result<Shared<Gates<P>, P>, Error> {
        // Relaxed: who gets here later than `open_ports` does so by means that order this.
        let has_data = self.has_data.load(Ordering::Relaxed);
        self.gates.get_or_make(&self.platform, has_data)
    }

    /// Lets port calls in: the driver's data exists.
    pub(crate) fn open_ports(&self) {
        // Relaxed: see `gates`.
        self.has_data.store(true, Ordering::Relaxed);
        if let Some(gates) = self.gates.get() {
            gates.ports.open();
        }
    }

    /// Lets no port call in any more; those that are inside go on.
    pub(crate) fn close_ports(&self) {
        if let Some(gates) = self.gates.get() {
            gates.ports.close();
        }
    }

    /// Waits for the port calls that are still inside.
    pub(crate) fn wait_for_ports(&self, cx: MaySleep<'_>) {
        if let Some(gates) = self.gates.get() {
            if gates.has_ports.load(Ordering::Relaxed) {
                self.wait_at(&gates.ports, "port calls", cx);
            }
        }
    }

    /// Has all `Devres` refuse access, and waits for those who read them: one grace period, however many there are.
    pub(crate) fn revoke_devres(&self, cx: MaySleep<'_>) {
        if let Some(gates) = self.gates.get() {
            gates.devres.close();
            if gates.has_devres.load(Ordering::Relaxed) {
                self.wait_at(&gates.devres, "readers of devres", cx);
            }
        }
    }

    /// Waits as long as it takes: what the readers have may point anywhere into the scope. One that never leaves (a forgotten guard) is
    /// reported each second, and the scope stays.
    fn wait_at(&self, gate: &GateOf<P>, what: &'static str, cx: MaySleep<'_>) {
        let name = Name::new(Some(what), Location::caller());
        let mut patience = Patience::new(&self.platform, cx, None, (self.driver, &name));
        // SAFETY: both callers closed the gate before. [GATE]
        while unsafe { gate.wait(&mut patience) }.is_err() {
            // Forgotten by a context that has ended. Nothing will change, and nothing may be freed.
            patience.go_on();
        }
    }
}
