//! The driver that does what a plan says.

use std::mem;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

use driver_scope::event::Kind;
use driver_scope::platform::Region;
use driver_scope::{
    Child, DmaBuffer, Driver, DriverScope, Error, HrTimer, Irq, Lock, MaySleep, Mmio, Once, Plain,
    Port, Sleeper, Work,
};

use crate::acts::{perform, perform_all};
use crate::book::lock;
use crate::callbacks;
use crate::ground::World;
use crate::hardware::{Hardware, Regs, TARGET};
use crate::plan::{self, Probe, CHILDREN, LINES, MOST};
use crate::report::Count;
use crate::shared::{Common, Door, Handles, Lent};
use crate::watch::{Mine, Stage, Watch};

/// The driver.
pub struct Machine;

/// A device, and what its driver is to do.
pub struct Device<P: World> {
    /// What the driver is to do.
    pub plan: plan::Machine,
    /// What is noted of it.
    pub watch: Arc<Watch>,
    /// Shared by all.
    pub common: Arc<Common<P>>,
    /// The device itself.
    pub hardware: Arc<Hardware>,
    /// Its registers.
    pub region: Region,
    /// The parent, if this is a child, and what is noted of that.
    pub parent: Option<Door<P>>,
    /// Those of its children that are not bound yet.
    pub children: Mutex<Vec<Device<P>>>,
}

impl<P: World> Device<P> {
    /// A device for a plan, with those of its children.
    pub fn new(
        plan: &plan::Machine,
        name: &str,
        disorderly: bool,
        common: &Arc<Common<P>>,
        platform: &P,
    ) -> Self {
        let watch = Watch::new(platform.book(), name.to_owned(), disorderly);
        let (hardware, region) = Hardware::new(&watch);
        lock(&common.hardware).push(Arc::clone(&hardware));
        let children = plan.children.iter().enumerate().map(|(n, child)| {
            Device::new(child, &format!("{name}.{n}"), disorderly, common, platform)
        });
        Device {
            plan: plan.clone(),
            children: Mutex::new(children.collect()),
            watch,
            common: Arc::clone(common),
            hardware,
            region,
            parent: None,
        }
    }

    /// What is left of it and of its children when they are gone.
    pub fn parts(&self) -> Vec<(Arc<Watch>, Arc<Hardware>, Region)> {
        let own = (
            self.watch.clone(),
            self.hardware.clone(),
            self.region.clone(),
        );
        let mut all = vec![own];
        all.extend(lock(&self.children).iter().flat_map(Device::parts));
        all
    }
}

impl<P: World> Drop for Device<P> {
    fn drop(&mut self) {
        self.watch
            .book
            .line(|| format!("{}: the device goes", self.watch.name));
        if self.watch.device_gone.swap(true, SeqCst) {
            self.watch.wrong("the device is dropped twice");
        }
    }
}

/// Everything that a driver has: what is not there is `None`.
pub struct Kit<'drv, P: World> {
    /// Its device.
    pub device: &'drv Device<P>,
    /// Its platform.
    pub platform: &'drv P,
    /// Its registers.
    pub regs: Mmio<'drv, Regs, P>,
    /// Its timers.
    pub timers: [Option<HrTimer<'drv, P>>; MOST],
    /// Its work.
    pub works: [Option<Work<'drv, P>>; MOST],
    /// Its handlers.
    pub irqs: [Option<Irq<'drv, P>>; LINES],
    /// Its values.
    pub owned: [Option<&'drv Mine>; MOST],
    /// A lock.
    pub lock: &'drv Lock<u64, P>,
    /// Its memory.
    pub memory: Option<DmaBuffer<'drv, [u8], P>>,
    /// What makes its sleeps.
    pub sleeper: Option<Sleeper<'drv, P>>,
    /// Its children.
    pub children: [Option<Child<'drv, Machine, P>>; CHILDREN],
    /// Its own way in, if it is a driver's and not that of `enter`.
    pub port: Option<&'drv Port<Machine, P>>,
}

impl<P: World> Clone for Kit<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: World> Copy for Kit<'_, P> {}

/// A kit that is there when everything in it is.
pub type KitCell<'drv, P> = &'drv Once<Kit<'drv, P>>;

/// The driver's data.
pub struct Data<'drv, P: World> {
    /// What it has.
    pub kit: Kit<'drv, P>,
    _mine: Mine,
}

impl<P: World> Drop for Data<'_, P> {
    /// A destructor may use everything; and nothing begins any more.
    fn drop(&mut self) {
        let (kit, watch) = (&self.kit, &self.kit.device.watch);
        watch.come_to(Stage::Data, None);
        kit.regs.write(TARGET, kit.regs.read(TARGET));
        for timer in kit.timers.iter().flatten() {
            if timer.start(core::time::Duration::ZERO).is_ok() || timer.is_active() {
                watch.wrong("a timer is active when the data is dropped");
            }
        }
        for work in kit.works.iter().flatten() {
            if work.queue().is_ok() || work.is_pending() || work.is_running() {
                watch.wrong("work is active when the data is dropped");
            }
        }
        for irq in kit.irqs.iter().flatten() {
            irq.enable();
            if irq.is_enabled() {
                watch.wrong("a handler is enabled when the data is dropped");
            }
        }
        for child in kit.children.iter().flatten() {
            if child.is_bound() || child.call(|_| ()) != Err(Error::Gone) {
                watch.wrong("a child is bound when the data of its parent is dropped");
            }
        }
        for mine in kit.owned.iter().flatten() {
            mine.read(|| ());
        }
        if let Some(memory) = kit.memory {
            if memory.try_write(0, 1_u8).is_err() {
                watch.wrong("memory is not there when the data is dropped");
            }
        }
    }
}

/// Registers all that a plan wants.
///
/// # Errors
/// No memory; and what the plan wants to fail with.
pub fn build<'drv, P: World>(
    device: &'drv Device<P>,
    scope: &DriverScope<'drv, P>,
    is_driver: bool,
) -> Result<Kit<'drv, P>, Error> {
    let (plan, watch) = (&device.plan, &device.watch);
    let cell: KitCell<'drv, P> = scope.alloc(Once::new())?;
    let regs = scope.map::<Regs>(&device.region)?;
    watch.registered(Kind::Mapping);
    let mut memory = None;
    if let Some(bytes) = plan.memory {
        let dma = scope.dma(&device.hardware.space, 32)?;
        watch.registered(Kind::Dma);
        let bytes = scope.dma_bytes(dma, bytes)?;
        watch.registered(Kind::DmaMemory);
        regs.write(TARGET, bytes.address());
        memory = Some(bytes);
    }
    let mut owned = [None; MOST];
    for (place, &panics) in owned.iter_mut().zip(&plan.owned) {
        *place = Some(scope.own(Mine::new(watch, Some(Stage::Owned), panics))?);
        watch.registered(Kind::Owned);
    }
    let lock = scope.own(Lock::new(0))?;
    watch.registered(Kind::Owned);
    let port = match is_driver {
        true => {
            watch.registered(Kind::Owned);
            Some(scope.own(scope.port::<Machine>()?)?)
        }
        false => None,
    };
    let mut sleeper = None;
    if plan.sleeps > 0 {
        sleeper = Some(scope.named("sleeper").sleeper(plan.sleeps)?);
        watch.registered(Kind::Owned);
        for _ in 0..plan.sleeps {
            watch.registered(Kind::Timer);
            watch.registered(Kind::Sleep);
        }
    }
    let works = callbacks::works(device, scope, cell)?;
    let irqs = callbacks::irqs(device, scope, cell)?;
    let timers = callbacks::timers(device, scope, cell)?;
    hooks(device, scope, cell)?;
    lend(device, scope, regs, timers[0])?;
    let children = children(device, scope)?;
    let kit = Kit {
        device,
        platform: scope.platform(),
        regs,
        timers,
        works,
        irqs,
        owned,
        lock,
        memory,
        sleeper,
        children,
        port,
    };
    watch.built.store(true, SeqCst);
    let _ = cell.set(kit);
    callbacks::start(&kit);
    match plan.probe {
        Probe::Binds => Ok(kit),
        Probe::Fails => Err(Error::Platform(-5)),
        Probe::Panics => watch.book.panic(Count::ProbePanicked),
    }
}

fn hooks<'drv, P: World>(
    device: &'drv Device<P>,
    scope: &DriverScope<'drv, P>,
    cell: KitCell<'drv, P>,
) -> Result<(), Error> {
    for hook in &device.plan.hooks {
        let watch = &device.watch;
        let number = watch.number();
        scope.on_remove(move |cx| {
            watch.come_to(Stage::Hooks, Some(number));
            perform_all(hook, cell.get(), watch, cx);
        })?;
        watch.registered(Kind::Action);
    }
    Ok(())
}

fn lend<'drv, P: World>(
    device: &'drv Device<P>,
    scope: &DriverScope<'drv, P>,
    regs: Mmio<'drv, Regs, P>,
    timer: Option<HrTimer<'drv, P>>,
) -> Result<(), Error> {
    let watch = &device.watch;
    for (n, &panics) in device.plan.devres.iter().enumerate() {
        let mine = Mine::new(watch, None, panics);
        let lent = match timer {
            Some(timer) if n % 2 == 0 => {
                let handles = Handles { mine, timer, regs };
                let bound = scope.devres::<Handles<'static, P>>(handles)?;
                // Inside its scope it needs no check.
                bound.access(scope).mine.read(|| ());
                Lent::Handles(bound.devres(), Arc::clone(watch))
            }
            _ => {
                let bound = scope.devres::<Plain<Mine>>(mine)?;
                Lent::Value(bound.devres(), Arc::clone(watch))
            }
        };
        watch.registered(Kind::Devres);
        lock(&device.common.lent).push(lent);
    }
    Ok(())
}

fn children<'drv, P: World>(
    device: &'drv Device<P>,
    scope: &DriverScope<'drv, P>,
) -> Result<[Option<Child<'drv, Machine, P>>; CHILDREN], Error> {
    let mut children = [None; CHILDREN];
    let devices = mem::take(&mut *lock(&device.children));
    for (place, mut child) in children.iter_mut().zip(devices) {
        // (A scope of `enter` is no driver's, and has no ports.)
        let parent = scope.port::<Machine>().ok().map(|port| Door {
            port,
            watch: Arc::clone(&device.watch),
        });
        child.parent = parent;
        let bound = scope.child::<Machine>(child);
        *place = Some(bound.map_err(|failed| failed.error)?);
        device.watch.registered(Kind::Child);
        device.watch.book.count(Count::Children);
    }
    Ok(children)
}

impl<P: World> Driver<P> for Machine {
    type Device = Device<P>;
    type Data<'drv> = Data<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv Device<P>,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Data<'drv, P>, Error> {
        let kit = build(device, scope, true)?;
        let mine = Mine::new(&device.watch, Some(Stage::Data), device.plan.data_panics);
        device.watch.bound.store(true, SeqCst);
        Ok(Data { kit, _mine: mine })
    }

    fn remove(data: &Data<'_, P>, cx: MaySleep<'_>) {
        let device = data.kit.device;
        device.watch.come_to(Stage::Remove, None);
        if let Some(parent) = &device.parent {
            let there = parent
                .port
                .call(|data| perform(&plan::Act::Registers, &data.kit, None));
            if parent.watch.bound.load(SeqCst) && there.is_err() {
                device
                    .watch
                    .wrong("the parent is not there any more in the remove of its child");
            }
        }
        perform_all(&device.plan.remove, Some(&data.kit), &device.watch, cx);
    }
}
