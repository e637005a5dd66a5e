//! A driver that has one of every kind: each callback uses what the others have, and does what its device says.
#![forbid(unsafe_code)]

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use driver_scope::platform::{registration, Dma, Host, Sim};
use driver_scope::{
    Binding, Child, DmaBuffer, Driver, DriverScope, Error, Family, HrTimer, Irq, IrqReturn,
    MaySleep, Once, Port, TryCancel, Units, Work,
};

use super::common::irqs::{Line, LineOf, TestIrqs};
use super::common::{leaked_on_purpose, on_purpose, DeviceSide, Foreign, Metered, TestPlatform};
use super::pins::{AsCallback, Edges, Pins, PinsOfScope};

/// A platform with everything.
pub trait Kinds: TestIrqs {
    /// How the threads of a source say that they run a callback.
    const AS_CALLBACK: AsCallback;
}
impl Kinds for Host {
    const AS_CALLBACK: AsCallback = |f| registration::callback(f);
}
impl Kinds for Sim {
    const AS_CALLBACK: AsCallback = |f| registration::callback(f);
}
impl Kinds for Foreign {
    const AS_CALLBACK: AsCallback = |f| Foreign::callback(f);
}

/// Where a driver's code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    Timer,
    Check,
    Thread,
    Work,
    Edge,
    Hook,
    Remove,
    DropOfData,
    DropOfCapture,
}

/// The sites that come again and again.
pub const CALLBACKS: [Site; 5] = [
    Site::Timer,
    Site::Check,
    Site::Thread,
    Site::Work,
    Site::Edge,
];

/// What `probe` does when all is registered and runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Bind,
    Fail,
    Panic,
}

type At<P> = Box<dyn Fn(&Device<P>, Site, Option<MaySleep<'_>>) + Send + Sync>;

pub struct Device<P: Kinds> {
    pub platform: Metered<P>,
    pub line: LineOf<Metered<P>>,
    pub pins: Pins,
    pub pin: u32,
    dma: <P::Dma as Dma>::Device,
    side: Arc<dyn DeviceSide>,
    /// Where the device writes: the last address it was told.
    target: Arc<AtomicU64>,
    /// How long the work rests between its runs.
    pub rest: Duration,
    pub fate: Fate,
    pub children: Mutex<Vec<Device<P>>>,
    parent: Once<Port<Machine, Metered<P>>>,
    /// Whether the parent's probe has succeeded, so that its port lets this in.
    parent_bound: Arc<AtomicBool>,
    bound: Arc<AtomicBool>,
    /// Called at each site.
    pub at: At<P>,
    /// Its last part to go.
    _alive: Arc<()>,
}

impl<P: Kinds> Device<P> {
    /// `alive` is there as long as the device.
    pub fn new(platform: &Metered<P>, pins: &Pins, pin: u32, alive: &Arc<()>) -> Self {
        let (dma, side) = platform.dma_device();
        Device {
            platform: platform.clone(),
            line: platform.line(),
            pins: pins.clone(),
            pin,
            dma,
            side,
            target: Arc::default(),
            rest: 20.micros(),
            fate: Fate::Bind,
            children: Mutex::default(),
            parent: Once::new(),
            parent_bound: Arc::default(),
            bound: Arc::default(),
            at: Box::new(|_, _, _| ()),
            _alive: Arc::clone(alive),
        }
    }

    pub fn at(
        mut self,
        at: impl Fn(&Device<P>, Site, Option<MaySleep<'_>>) + Send + Sync + 'static,
    ) -> Self {
        self.at = Box::new(at);
        self
    }

    pub fn with(self, child: Device<P>) -> Self {
        self.children.lock().unwrap().push(child);
        self
    }

    pub fn dma(&self) -> &<P::Dma as Dma>::Device {
        &self.dma
    }

    /// What the hardware does by itself, driver or no driver.
    pub fn hardware(&self) -> Hardware<P> {
        Hardware {
            line: self.line.clone(),
            pins: self.pins.clone(),
            pin: self.pin,
            side: Arc::clone(&self.side),
            target: Arc::clone(&self.target),
        }
    }

    pub fn bind(self) -> Result<Binding<Machine, Metered<P>>, Error> {
        let platform = self.platform.clone();
        platform.lend_sleep(|cx| {
            Binding::bind(platform.clone(), self, cx).map_err(|failed| failed.error)
        })
    }
}

pub struct Hardware<P: Kinds> {
    line: LineOf<Metered<P>>,
    pins: Pins,
    pin: u32,
    side: Arc<dyn DeviceSide>,
    target: Arc<AtomicU64>,
}

impl<P: Kinds> Hardware<P> {
    /// All of it, once. Says whether it reached memory.
    pub fn act(&self) -> bool {
        self.line.edge();
        self.pins.raise(self.pin);
        self.side.write(self.target.load(SeqCst), &[0x55; 8])
    }
}

pub struct Machine;

/// Of a driver's, to see that it is there.
const CANARY: u64 = 0x6d61_6368_696e_6521;

struct Canary(Box<AtomicU64>);

/// Everything that a callback uses.
pub struct Parts<'drv, P: Kinds> {
    pub device: &'drv Device<P>,
    /// In a block of its own, which is given back when the owned value goes.
    canary: &'drv Canary,
    pub bytes: DmaBuffer<'drv, [u8], Metered<P>>,
    pub runs: &'drv AtomicU32,
}

impl<P: Kinds> Clone for Parts<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Kinds> Copy for Parts<'_, P> {}

impl<P: Kinds> Parts<'_, P> {
    fn touch(&self, site: Site, cx: Option<MaySleep<'_>>) {
        assert_eq!(self.canary.0.load(SeqCst), CANARY);
        self.runs.fetch_add(1, SeqCst);
        self.bytes.try_write(8, site as u32).unwrap();
        if let Some(parent) = self.device.parent.get() {
            let _ = parent.call(|parent| parent.work.queue());
        }
        (self.device.at)(self.device, site, cx);
    }
}

pub struct Data<'drv, P: Kinds> {
    pub parts: Parts<'drv, P>,
    pub irq: Irq<'drv, Metered<P>>,
    pub thread: Work<'drv, Metered<P>>,
    pub work: Work<'drv, Metered<P>>,
    pub timer: HrTimer<'drv, Metered<P>>,
    pub edges: Edges<'drv, Metered<P>>,
    pub children: Vec<Child<'drv, Machine, Metered<P>>>,
}

/// Handles of all kinds, for a `Devres`.
pub struct Handles<'drv, P: Kinds> {
    irq: Irq<'drv, Metered<P>>,
    thread: Work<'drv, Metered<P>>,
    work: Work<'drv, Metered<P>>,
    timer: HrTimer<'drv, Metered<P>>,
    edges: Edges<'drv, Metered<P>>,
    bytes: DmaBuffer<'drv, [u8], Metered<P>>,
    child: Option<Child<'drv, Machine, Metered<P>>>,
}

impl<P: Kinds> Family for Handles<'_, P> {
    type At<'a> = Handles<'a, P>;
}

impl<'drv, P: Kinds> Data<'drv, P> {
    pub fn handles(&self) -> Handles<'drv, P> {
        Handles {
            irq: self.irq,
            thread: self.thread,
            work: self.work,
            timer: self.timer,
            edges: self.edges,
            bytes: self.parts.bytes,
            child: self.children.first().copied(),
        }
    }
}

impl<P: Kinds> Handles<'_, P> {
    /// Everything that may wait, and everything that may not; each time in another order than others who do it.
    pub fn use_all(&self, who: usize, cx: MaySleep<'_>) {
        for what in 0..8 {
            match (what + who) % 8 {
                0 => {
                    let _ = self.work.flush(cx);
                }
                1 => {
                    let _ = self.thread.cancel(cx);
                }
                2 => {
                    let _ = self.irq.synchronize(cx);
                }
                3 => {
                    if self.irq.disable_sync(cx).is_ok() {
                        self.irq.enable();
                    }
                }
                4 => {
                    let _ = self.work.requeue_after(1.micros());
                    let _ = self.timer.cancel(cx);
                    let _ = self.timer.start(2.micros());
                }
                5 => {
                    self.bytes.try_write(0, 7_u16).unwrap();
                    self.edges.raise();
                }
                6 => {
                    let _ = self.thread.flush(cx);
                }
                _ => {
                    if let Some(child) = self.child {
                        // Inside a section nobody unbinds, where that can be told.
                        if P::TELLS {
                            assert_eq!(child.unbind(cx).err(), Some(Error::Deadlock));
                        }
                        let _ = child.call(|data| data.work.queue());
                    }
                    let _ = self.thread.queue();
                }
            }
        }
    }
}

/// What panicked before the end says that.
fn is_over<T>(started: Result<T, Error>) -> bool {
    matches!(started, Err(Error::Closed | Error::Panicked))
}

/// What a destructor may do with what it has: all is there, and nothing begins any more.
impl<P: Kinds> Drop for Data<'_, P> {
    fn drop(&mut self) {
        self.irq.disable();
        self.irq.enable();
        assert!(!self.irq.is_enabled());
        assert!(is_over(self.work.queue()));
        assert!(is_over(self.thread.queue()));
        assert_eq!(self.work.try_cancel(), TryCancel::Idle);
        assert!(is_over(self.timer.start(0.nanos())));
        self.edges.raise();
        for child in &self.children {
            assert_eq!(child.call(|_| ()), Err(Error::Gone));
        }
        self.parts.touch(Site::DropOfData, None);
    }
}

/// Captured by the timer: as a whole, by a method, or the closure would capture copies of the fields, and the rest go with `probe`.
struct Captured<'drv, P: Kinds>(Parts<'drv, P>, Work<'drv, Metered<P>>);

impl<P: Kinds> Captured<'_, P> {
    fn touch(&self) {
        self.0.touch(Site::Timer, None);
    }
}

impl<P: Kinds> Drop for Captured<'_, P> {
    fn drop(&mut self) {
        assert!(is_over(self.1.queue_after(1.micros())));
        self.0.touch(Site::DropOfCapture, None);
    }
}

impl<P: Kinds> Driver<Metered<P>> for Machine {
    type Device = Device<P>;
    type Data<'drv> = Data<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv Device<P>,
        scope: &DriverScope<'drv, Metered<P>>,
    ) -> Result<Data<'drv, P>, Error> {
        let dma = scope.dma(&device.dma, 32)?;
        let bytes = scope.dma_bytes(dma, 64)?;
        device.target.store(bytes.address(), SeqCst);
        let parts = Parts {
            device,
            canary: scope.own(Canary(Box::new(AtomicU64::new(CANARY))))?,
            bytes,
            runs: scope.own(AtomicU32::new(0))?,
        };
        let (work, vacant_work) = scope.named("work").vacant_work()?;
        let (timer, vacant_timer) = scope.named("timer").vacant_hrtimer()?;
        let (irq, thread) = scope.named("irq").irq_threaded(
            &device.line,
            move |_| {
                parts.touch(Site::Check, None);
                let _ = timer.start(30.micros());
                IrqReturn::WakeThread
            },
            move |w| {
                parts.touch(Site::Thread, Some(w.may_sleep()));
                let _ = work.queue();
            },
        )?;
        let edges = scope
            .named("edges")
            .on_edge(&device.pins, device.pin, move |_| {
                parts.touch(Site::Edge, None);
                // What is not to be done to a thread.
                let _ = thread.try_cancel();
                irq.disable();
                let _ = timer.try_cancel();
                irq.enable();
                let _ = thread.queue();
            })?;
        vacant_work.set(scope, move |w| {
            parts.touch(Site::Work, Some(w.may_sleep()));
            assert_eq!(work.flush(w.may_sleep()), Err(Error::Deadlock));
            assert_eq!(work.cancel(w.may_sleep()), Err(Error::Deadlock));
            let _ = irq.synchronize(w.may_sleep());
            let _ = timer.start(10.micros());
            match device.rest {
                Duration::ZERO => w.requeue(),
                rest => w.requeue_after(rest),
            }
        })?;
        let captured = Captured(parts, thread);
        vacant_timer.set(scope, move |t| {
            captured.touch();
            let _ = work.queue();
            device.line.edge();
            t.restart_after(50.micros())
        })?;
        scope.on_remove(move |cx| {
            let _ = work.flush(cx);
            let _ = irq.disable_sync(cx);
            parts.touch(Site::Hook, Some(cx));
            irq.enable();
        })?;
        let mut children = Vec::new();
        for (n, child) in mem::take(&mut *device.children.lock().unwrap())
            .into_iter()
            .enumerate()
        {
            let _ = child.parent.set(scope.port()?);
            let child = Device {
                parent_bound: Arc::clone(&device.bound),
                ..child
            };
            let child = scope.child(child).map_err(|failed| failed.error)?;
            leaked_on_purpose(child);
            if n % 2 == 0 {
                children.push(child);
            }
        }
        // (Both may have been started by an interrupt, and have panicked.)
        let _ = timer.start(0.nanos());
        let _ = work.queue();
        device.line.edge();
        leaked_on_purpose((timer, work, thread, irq, edges, bytes, dma));
        match device.fate {
            Fate::Bind => {}
            Fate::Fail => return Err(Error::Platform(-5)),
            Fate::Panic => on_purpose("a probe"),
        }
        device.bound.store(true, SeqCst);
        Ok(Data {
            parts,
            irq,
            thread,
            work,
            timer,
            edges,
            children,
        })
    }

    fn remove(data: &Data<'_, P>, cx: MaySleep<'_>) {
        let device = data.parts.device;
        if let Some(parent) = device.parent.get() {
            if device.parent_bound.load(SeqCst) {
                assert!(parent.call(|parent| parent.timer.start(0.nanos())).is_ok());
            }
        }
        // They have gone before.
        for child in &data.children {
            assert!(!child.is_bound());
        }
        data.parts.touch(Site::Remove, Some(cx));
        let _ = data.thread.flush(cx);
    }
}
