//! Two network stacks: one lives in the driver's world, the other outlives it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use driver_scope::platform::Sim;
use driver_scope::{Lock, Platform, Port};

use crate::driver::{Error, Nic, Packet, Stack, BUFFERS};

/// A stack inside the driver: it keeps the driver's own packets until somebody wants to have them.
pub struct Inside;

/// Packets that have arrived.
///
/// Two hold on to it, the callback that fills it and the driver's data by which it is read: so it is counted. (`own` takes nothing that borrows
/// from the scope, `alloc` nothing that has a `Drop`. An `Arc` takes both, and the `'drv` in it goes nowhere.)
pub struct Inbox<'drv, P: Platform>(Arc<Lock<VecDeque<Packet<'drv, P>>, P>>);

impl<P: Platform> Clone for Inbox<'_, P> {
    fn clone(&self) -> Self {
        Inbox(Arc::clone(&self.0))
    }
}

impl<'drv, P: Platform> Inbox<'drv, P> {
    /// The oldest packet. It is read where it is, in the driver's buffer.
    pub fn next(&self) -> Option<Packet<'drv, P>> {
        self.0.lock().pop_front()
    }

    /// How many packets there are.
    pub fn len(&self) -> usize {
        self.0.lock().len()
    }
}

impl Stack for Inside {
    type Inlet<'drv, P: Platform> = Inbox<'drv, P>;

    fn attach<'drv, P: Platform>(&'drv self) -> Inbox<'drv, P> {
        // Room for all there are: the callback is not to allocate.
        Inbox(Arc::new(Lock::new(VecDeque::with_capacity(BUFFERS))))
    }

    fn receive<'drv, P: Platform>(inbox: &Inbox<'drv, P>, packet: Packet<'drv, P>) {
        inbox.0.lock().push_back(packet);
    }
}

/// The sockets of the process, whatever cards come and go.
pub static SOCKETS: Sockets = Sockets {
    nic: Mutex::new(None),
    arrived: Mutex::new(VecDeque::new()),
};

/// A stack that outlives the driver. It calls the driver by a port, and keeps copies.
pub struct Sockets {
    /// By which to send. Kept after the driver has gone: then it says so.
    nic: Mutex<Option<Port<Nic<Global>, Sim>>>,
    /// Not `Packet<'static, Sim>`: nobody lends a packet for that long.
    arrived: Mutex<VecDeque<Vec<u8>>>,
}

impl Sockets {
    /// From now on send by this driver.
    pub fn route(&self, nic: Port<Nic<Global>, Sim>) {
        *lock(&self.nic) = Some(nic);
    }

    pub fn send(&self, text: &str) -> Result<(), Error> {
        // A clone, so that no lock is held while the driver works.
        let nic = lock(&self.nic).clone();
        let nic = nic.ok_or(driver_scope::Error::NotBound)?;
        nic.call(|nic| nic.transmit(text.as_bytes()))?
    }

    pub fn receive(&self) -> Option<Vec<u8>> {
        lock(&self.arrived).pop_front()
    }
}

/// The driver's side of [`SOCKETS`].
pub struct Global;

impl Stack for Global {
    type Inlet<'drv, P: Platform> = ();

    fn attach<P: Platform>(&self) {}

    fn receive<'drv, P: Platform>((): &(), packet: Packet<'drv, P>) {
        lock(&SOCKETS.arrived).push_back(packet.to_vec());
        // Here the packet is dropped, and the driver has its buffer back.
    }
}

/// Nothing that panics runs under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
