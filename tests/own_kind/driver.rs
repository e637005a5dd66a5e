//! A driver that uses the kind: nothing `unsafe`, nothing of how it is made.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use driver_scope::{Driver, DriverScope, Error, Platform};

use super::common::{Log, Note};
use super::pins::{EdgeContext, Edges, Pins, PinsOfScope};

pub type Action = Box<dyn FnMut(&mut EdgeContext<'_>) + Send>;

/// Counts the edges of a pin, and does what its device says.
pub struct Counter;

pub struct Device {
    pub pins: Pins,
    pub log: Log,
    /// What it does at each edge.
    pub at_edge: std::sync::Mutex<Option<Action>>,
}

pub struct Data<'drv, P: Platform> {
    pub seen: &'drv AtomicU32,
    pub edges: Edges<'drv, P>,
    log: Log,
}

impl<P: Platform> Drop for Data<'_, P> {
    fn drop(&mut self) {
        self.log.add("drop data");
        // Its handle is still there, and starts nothing any more.
        self.edges.raise();
    }
}

struct OfScope(Note);

impl<P: Platform> Driver<P> for Counter {
    type Device = Device;
    type Data<'drv> = Data<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv Device,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Data<'drv, P>, Error> {
        let owned = scope.own(OfScope(device.log.note("owned")))?;
        let seen = scope.own(AtomicU32::new(0))?;
        let mut at_edge = device.at_edge.lock().unwrap().take();
        let note = device.log.note("callback");
        let edges = scope
            .named("button")
            .on_edge(&device.pins, 7, move |edge| {
                // Both are there as long as this is called, and longer.
                owned.0.log();
                note.log();
                assert_eq!(edge.pin(), 7);
                seen.fetch_add(1, SeqCst);
                if let Some(at_edge) = &mut at_edge {
                    at_edge(edge);
                }
            })?;
        Ok(Data {
            seen,
            edges,
            log: device.log.clone(),
        })
    }
}
