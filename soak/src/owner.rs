//! Who binds the driver, does this and that with it, and brings about its end.

use std::mem::ManuallyDrop;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::Arc;
use std::time::Duration;

use driver_scope::event::Kind;
use driver_scope::{enter, Binding, DriverScope, Error, MaySleep, ReadSection, Units};

use crate::acts::{call, perform};
use crate::book::lock;
use crate::checks::{Ended, Expected, Fault};
use crate::driver::{build, Device, Kit, Machine};
use crate::ground::World;
use crate::outside::caught;
use crate::plan::{self, Act, Deed, End, Plan, Site};
use crate::report::Count;
use crate::shared::{Common, Door};
use crate::watch::{Mine, Seat, Stage};

/// The owner of a plan's driver.
pub struct Owner<'a, P: World> {
    /// What is to happen.
    pub plan: &'a Plan,
    /// Where.
    pub platform: &'a P,
    /// Shared with the world.
    pub common: &'a Arc<Common<P>>,
    /// Lets the world act for a while, where it has no threads.
    pub meanwhile: &'a dyn Fn(),
}

impl<P: World> Owner<'_, P> {
    /// Binds the driver, and ends it.
    pub fn bound(&self, device: Device<P>) {
        let book = self.platform.book();
        let watch = Arc::clone(&device.watch);
        let bind =
            |cx: MaySleep<'_>| Binding::<Machine, P>::bind(self.platform.clone(), device, cx);
        match caught(book, || self.platform.lend_sleep(bind)) {
            Some(Ok(binding)) => {
                self.open(&binding);
                if self.plan.lack.is_some_and(|lack| lack.late) {
                    self.platform.refuse(self.plan.lack);
                }
                for &deed in &self.plan.owner {
                    book.line(|| format!("the owner: {deed:?}"));
                    let done = |cx: MaySleep<'_>| {
                        binding.with_scope(cx, |data, scope| self.deed(deed, &data.kit, scope));
                    };
                    caught(book, || self.platform.lend_sleep(done));
                    self.pass(deed);
                }
                let kept = match book.fault {
                    Some(Fault::InsideAtTheEnd) => Some(watch.enter(None, "a call")),
                    _ => None,
                };
                match book.fault {
                    Some(Fault::WrongOrder) => watch.come_to(Stage::Owned, None),
                    Some(Fault::CallAfter) => {
                        watch.come_to(Stage::Remove, None);
                        self.call_first();
                    }
                    _ => {}
                }
                self.end(binding);
                self.until(|| watch.device_gone.load(SeqCst));
                drop(kept);
            }
            Some(Err(failed)) => self.failed(failed.error),
            None => {}
        }
    }

    /// Enters a scope, which ends with that.
    pub fn entered(&self, device: &Device<P>) {
        let book = self.platform.book();
        book.count(Count::Entered);
        let result = caught(book, || {
            self.platform.lend_sleep(|cx| {
                enter(self.platform.clone(), cx, device, |device, scope| {
                    let kit = build(device, scope, false)?;
                    for &deed in &self.plan.owner {
                        book.line(|| format!("the owner: {deed:?}"));
                        caught(book, || self.deed(deed, &kit, scope));
                        self.pass(deed);
                    }
                    if self.plan.end == End::Unwind {
                        book.panic(Count::Unwound);
                    }
                    Ok::<(), Error>(())
                })
            })
        });
        if let Some(Err(error)) = result {
            self.failed(error);
        }
    }

    /// It did not bind.
    fn failed(&self, error: Error) {
        let book = self.platform.book();
        match error {
            Error::NoMemory if self.plan.lack.is_some() => book.count(Count::ProbeWithoutMemory),
            Error::Platform(-5) => book.count(Count::ProbeFailed),
            other => book.wrong(format!("the driver did not bind: {other}")),
        }
    }

    /// Gives the world ways in.
    fn open(&self, binding: &Binding<Machine, P>) {
        let mut doors = Vec::new();
        let watch = binding.with(|data| {
            for child in data.kit.children.iter().flatten() {
                // (A child of its own accord does not go.)
                if let Ok(watch) = child.call(|data| Arc::clone(&data.kit.device.watch)) {
                    let port = child.port();
                    doors.push(Door { port, watch });
                }
            }
            Arc::clone(&data.kit.device.watch)
        });
        match binding.port() {
            Ok(port) => doors.insert(0, Door { port, watch }),
            Err(Error::NoMemory) if self.plan.lack.is_some() => {}
            Err(other) => watch.wrong(&format!("no port: {other}")),
        }
        *lock(&self.common.ports) = doors;
    }

    fn pass(&self, deed: Deed) {
        if let Deed::Pass(micros) = deed {
            self.platform.pass(micros.micros());
        }
        (self.meanwhile)();
    }

    fn deed<'drv>(&self, deed: Deed, kit: &Kit<'drv, P>, scope: &DriverScope<'drv, P>) {
        let (device, cx) = (kit.device, scope.may_sleep());
        let watch = &device.watch;
        match deed {
            Deed::Pass(_) => {}
            Deed::With(act) => perform(&act, kit, Some(cx)),
            Deed::Inspect => {
                let mut expected = Expected::of(watch);
                scope.inspect(|item| expected.see(item));
                expected.check();
                let table = scope.table().to_string();
                watch.book.line(|| table);
            }
            Deed::UnbindChild(which) => {
                if let Some(child) = kit.children[which] {
                    match child.unbind(cx) {
                        Ok(device) => {
                            let (watch, hardware) = (&device.watch, &device.hardware);
                            watch.book.count(Count::ChildUnbound);
                            Ended::new(watch.clone(), hardware.clone(), device.region.clone());
                        }
                        Err(Error::Gone) => {}
                        Err(other) => watch.wrong(&format!("unbinding a child: {other}")),
                    }
                }
            }
            Deed::Register => match self.register(kit, scope) {
                Ok(()) => watch.book.count(Count::Registered),
                Err(Error::NoMemory) if self.plan.lack.is_some() => {
                    watch.book.count(Count::RegisteringFailed);
                }
                Err(other) => watch.wrong(&format!("registering: {other}")),
            },
        }
    }

    /// Registers one of several kinds.
    fn register<'drv>(
        &self,
        kit: &Kit<'drv, P>,
        scope: &DriverScope<'drv, P>,
    ) -> Result<(), Error> {
        let watch = &kit.device.watch;
        let owned = scope.own(Mine::new(watch, Some(Stage::Owned), false))?;
        watch.registered(Kind::Owned);
        let number = watch.number();
        scope.on_remove(move |_| {
            watch.come_to(Stage::Hooks, Some(number));
            owned.read(|| ());
        })?;
        watch.registered(Kind::Action);
        let (mine, seat) = (
            Mine::new(watch, Some(Stage::Captures), false),
            Seat::of(watch, "late timer"),
        );
        let timer = scope.hrtimer(move |t| {
            let _inside = watch.enter(Some(&seat), seat.name);
            watch.book.count(Count::TimerRuns);
            mine.read(|| owned.read(|| ()));
            t.restart_after(30.micros())
        })?;
        watch.registered(Kind::Timer);
        let _ = timer.start(5.micros());
        if number % 2 == 0 {
            let device = Device::new(
                &plan::Machine::empty(),
                "late child",
                watch.disorderly,
                self.common,
                self.platform,
            );
            scope
                .child::<Machine>(device)
                .map_err(|failed| failed.error)?;
            watch.registered(Kind::Child);
            watch.book.count(Count::Children);
        }
        Ok(())
    }

    /// Waits until something is so.
    fn until(&self, so: impl Fn() -> bool) {
        while !so() {
            self.platform.pass(50.micros());
            (self.meanwhile)();
        }
    }

    fn call_first(&self) {
        let door = lock(&self.common.ports).first().cloned();
        if let Some(door) = door {
            call(&door.port, &door.watch, |_| ());
        }
    }

    fn end(&self, binding: Binding<Machine, P>) {
        let book = self.platform.book();
        book.line(|| format!("the end: {:?}", self.plan.end));
        match self.plan.end {
            End::Unbind => {
                book.count(Count::Unbound);
                self.unbind(binding);
            }
            End::Vanish => {
                book.count(Count::Vanished);
                let device = binding.device();
                device.hardware.gone.store(true, SeqCst);
                binding.with(|data| perform(&Act::Registers, &data.kit, None));
                self.platform.pass(50.micros());
                (self.meanwhile)();
                self.unbind(binding);
            }
            End::Leak => {
                book.count(Count::Leaked);
                let leaked = ManuallyDrop::new(binding);
                self.platform.pass(300.micros());
                (self.meanwhile)();
                leaked.with(|data| perform(&Act::Registers, &data.kit, None));
                self.unbind(ManuallyDrop::into_inner(leaked));
            }
            End::Unwind => {
                caught(book, || {
                    let _binding = binding;
                    book.panic(Count::Unwound);
                });
            }
            End::InCallback(site) => self.end_in_callback(binding, site),
            End::InCall if P::REAL_TIME && P::TELLS => {
                let door = lock(&self.common.ports).first().cloned();
                let Some(door) = door else {
                    return self.unbind(binding);
                };
                book.count(Count::DroppedInCall);
                call(&door.port, &door.watch, |data| {
                    drop(binding);
                    // It is all there still.
                    perform(&Act::Registers, &data.kit, None);
                });
            }
            End::InSection if P::REAL_TIME && P::TELLS => {
                book.count(Count::DroppedInSection);
                let section = ReadSection::enter(self.platform);
                drop(binding);
                drop(section);
            }
            End::Drop | End::InCall | End::InSection => {
                book.count(Count::DroppedBinding);
                drop(binding);
            }
        }
    }

    fn unbind(&self, binding: Binding<Machine, P>) {
        match self.platform.lend_sleep(|cx| binding.unbind(cx)) {
            Ok(device) => {
                // Before it goes: what is seen of it from here on is too late.
                Ended::new(
                    device.watch.clone(),
                    device.hardware.clone(),
                    device.region.clone(),
                );
            }
            Err(_busy) => self
                .platform
                .book()
                .wrong("an unbind outside of everything is busy"),
        }
    }

    /// Leaves it to the next callback of a kind; if none comes, drops it.
    fn end_in_callback(&self, binding: Binding<Machine, P>, site: Site) {
        /// So many looks.
        const PATIENCE: u32 = 60;
        *lock(&self.common.shelf) = Some(binding);
        *lock(&self.common.site) = Some(site);
        for look in 0..PATIENCE {
            if lock(&self.common.shelf).is_none() {
                return;
            }
            if site == Site::Irq && look % 8 == 0 {
                self.common.lines.iter().for_each(|line| line.raise());
            }
            self.platform.pass(Duration::from_micros(50));
            (self.meanwhile)();
        }
        let left = lock(&self.common.shelf).take();
        if left.is_some() {
            self.platform.book().count(Count::DroppedBinding);
        }
        drop(left);
    }
}
