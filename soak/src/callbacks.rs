//! What calls the driver back: timers, work, interrupts.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::Arc;
use std::thread;

use driver_scope::event::Kind;
use driver_scope::{
    Clock, DriverScope, Error, HrTimer, Irq, IrqReturn, MaySleep, Restart, TimerContext, TimerMode,
    Units, Work, WorkContext,
};

use crate::acts::perform;
use crate::book::lock;
use crate::checks::Fault;
use crate::driver::{Device, Kit, KitCell};
use crate::fates::meet;
use crate::ground::World;
use crate::plan::{Act, Again, Callback, Site, LINES, MOST};
use crate::report::Count;
use crate::watch::{Mine, Seat, Stage};

/// The names of registrations, by which they are found in a table.
const TIMERS: [&str; MOST] = ["timer 0", "timer 1", "timer 2", "timer 3"];
const WORKS: [&str; MOST] = ["work 0", "work 1", "work 2", "work 3"];
const IRQS: [&str; LINES] = ["irq 0", "irq 1", "irq 2"];
const THREADS: [&str; LINES] = ["thread 0", "thread 1", "thread 2"];

/// What a callback has captured.
struct Captured<'drv, P: World> {
    device: &'drv Device<P>,
    plan: &'drv Callback,
    cell: KitCell<'drv, P>,
    seat: Arc<Seat>,
    site: Site,
    /// It is called for an interrupt.
    of_irq: bool,
    _mine: Option<Mine>,
}

impl<'drv, P: World> Captured<'drv, P> {
    fn new(
        device: &'drv Device<P>,
        plan: &'drv Callback,
        cell: KitCell<'drv, P>,
        name: &'static str,
        site: Site,
    ) -> Self {
        let mine = Mine::new(&device.watch, Some(Stage::Captures), plan.capture_panics);
        Captured {
            _mine: Some(mine),
            ..Self::without_mine(device, plan, cell, name, site)
        }
    }

    fn without_mine(
        device: &'drv Device<P>,
        plan: &'drv Callback,
        cell: KitCell<'drv, P>,
        name: &'static str,
        site: Site,
    ) -> Self {
        Captured {
            device,
            plan,
            cell,
            seat: Seat::of(&device.watch, name),
            site,
            of_irq: name.starts_with("irq") || name.starts_with("thread"),
            _mine: None,
        }
    }

    /// A run: one of the acts; perhaps the end of the driver; perhaps a panic.
    fn run(&self, count: Count, cx: Option<MaySleep<'_>>) {
        let watch = &*self.device.watch;
        let run = self.seat.entries();
        let _inside = watch.enter(Some(&self.seat), self.seat.name);
        if run == 0 && watch.book.fault == Some(Fault::BesideItself) {
            let _beside = watch.enter(Some(&self.seat), self.seat.name);
        }
        watch
            .book
            .line(|| format!("{}: {} runs", watch.name, self.seat.name));
        watch.book.count(count);
        if let Some(kit) = self.cell.get() {
            let act = self.plan.acts[run as usize % self.plan.acts.len()];
            // On `Sim` a handler that raises its line, or its thread, comes again and again at one instant.
            let stands =
                !P::REAL_TIME && self.of_irq && matches!(act, Act::Raise(_) | Act::Level(_));
            if !stands {
                perform(&act, kit, cx);
            }
        }
        end(self.device, self.site, cx);
        if self.plan.panics == Some(run) {
            watch.book.panic(Count::CallbackPanics);
        }
    }
}

/// While it is there, a binding that is dropped would be removed by another thread, at whatever time (`Sim`).
pub(crate) struct Nested<'a, P: World>(&'a crate::shared::Common<P>);

impl<'a, P: World> Nested<'a, P> {
    pub(crate) fn new(common: &'a crate::shared::Common<P>) -> Self {
        common.nested.fetch_add(1, SeqCst);
        Nested(common)
    }
}

impl<P: World> Drop for Nested<'_, P> {
    fn drop(&mut self) {
        self.0.nested.fetch_sub(1, SeqCst);
    }
}

/// Drops the binding here, if its end is to come at such a place, now.
fn end<P: World>(device: &Device<P>, site: Site, cx: Option<MaySleep<'_>>) {
    let (common, book) = (&*device.common, &*device.watch.book);
    if *lock(&common.site) != Some(site) {
        return;
    }
    // (Work counts itself.)
    let depth = usize::from(site == Site::Work);
    if !P::REAL_TIME && common.nested.load(SeqCst) != depth {
        return;
    }
    let Some(binding) = lock(&common.shelf).take() else {
        return;
    };
    book.line(|| format!("{}: drops the binding", device.watch.name));
    book.count(match site {
        Site::Timer => Count::DroppedInTimer,
        Site::Irq => Count::DroppedInIrq,
        Site::Work => Count::DroppedInWork,
    });
    if device.parent.is_some() {
        book.count(Count::DroppedInChild);
    }
    match cx.map(|cx| binding.unbind(cx)) {
        Some(Ok(_)) => device
            .watch
            .wrong("a driver was removed at once in its work"),
        Some(Err(_busy)) => book.count(Count::Busy),
        None => {}
    }
}

fn mode(timer: &crate::plan::Timer) -> TimerMode {
    let mut mode = TimerMode::new();
    if timer.soft {
        mode = mode.soft();
    }
    if timer.pinned {
        mode = mode.pinned();
    }
    if timer.boot_time {
        mode = mode.clock(Clock::BootTime);
    }
    mode
}

/// Makes the timers.
///
/// # Errors
/// No memory.
pub fn timers<'drv, P: World>(
    device: &'drv Device<P>,
    scope: &DriverScope<'drv, P>,
    cell: KitCell<'drv, P>,
) -> Result<[Option<HrTimer<'drv, P>>; MOST], Error> {
    let mut timers = [None; MOST];
    for (n, plan) in device.plan.timers.iter().enumerate() {
        let captured = Captured::new(device, &plan.callback, cell, TIMERS[n], Site::Timer);
        let count = if plan.soft {
            Count::SoftRuns
        } else {
            Count::TimerRuns
        };
        let again = plan.again;
        let callback = move |t: &mut TimerContext<'_, P>| {
            captured.run(count, None);
            match again {
                Again::No => Restart::No,
                Again::Period(micros) => t.forward(micros.micros()),
                Again::After(micros) => t.restart_after(micros.max(1).micros()),
            }
        };
        let timer = if plan.vacant {
            let (timer, vacant) = scope.named(TIMERS[n]).vacant_hrtimer_with(mode(plan))?;
            device.watch.registered(Kind::Timer);
            vacant.set(scope, callback)?;
            timer
        } else {
            let timer = scope.named(TIMERS[n]).hrtimer_with(mode(plan), callback)?;
            device.watch.registered(Kind::Timer);
            timer
        };
        timers[n] = meet(
            plan.callback.fate,
            timer,
            &device.watch.book,
            move |timer| {
                let _ = timer.start_within(plan.first.max(1).micros(), plan.slack.micros());
            },
        );
    }
    Ok(timers)
}

/// Makes the work.
///
/// # Errors
/// No memory.
pub fn works<'drv, P: World>(
    device: &'drv Device<P>,
    scope: &DriverScope<'drv, P>,
    cell: KitCell<'drv, P>,
) -> Result<[Option<Work<'drv, P>>; MOST], Error> {
    let mut works = [None; MOST];
    for (n, plan) in device.plan.works.iter().enumerate() {
        let captured = Captured::new(device, &plan.callback, cell, WORKS[n], Site::Work);
        let again = plan.again;
        let callback = move |w: &mut WorkContext<'_, P>| {
            let _nested = Nested::new(&captured.device.common);
            captured.run(Count::WorkRuns, Some(w.may_sleep()));
            match again {
                Again::No => Restart::No,
                // On `Sim` time would stand.
                Again::After(0) if P::REAL_TIME => w.requeue(),
                Again::Period(micros) | Again::After(micros) => {
                    w.requeue_after(micros.max(1).micros())
                }
            }
        };
        let work = if plan.vacant {
            let (work, vacant) = scope.named(WORKS[n]).vacant_work()?;
            device.watch.registered(Kind::Work);
            vacant.set(scope, callback)?;
            work
        } else {
            let work = scope.named(WORKS[n]).work(callback)?;
            device.watch.registered(Kind::Work);
            work
        };
        works[n] = meet(plan.callback.fate, work, &device.watch.book, |work| {
            let _ = work.queue_after(1.micros());
        });
    }
    Ok(works)
}

/// Makes the handlers.
///
/// # Errors
/// No memory.
pub fn irqs<'drv, P: World>(
    device: &'drv Device<P>,
    scope: &DriverScope<'drv, P>,
    cell: KitCell<'drv, P>,
) -> Result<[Option<Irq<'drv, P>>; LINES], Error> {
    let mut irqs = [None; LINES];
    for (n, plan) in device.plan.irqs.iter().enumerate() {
        let captured = Captured::new(device, &plan.callback, cell, IRQS[n], Site::Irq);
        let line = &device.common.lines[plan.line];
        let check = move |answer: IrqReturn| {
            // Whoever had it high has been heard.
            line.set_level(false);
            captured.run(Count::IrqRuns, None);
            answer
        };
        let irq = if plan.threaded {
            // (The two are ended one after the other: which first is not promised.)
            let thread =
                Captured::without_mine(device, &plan.callback, cell, THREADS[n], Site::Work);
            let (irq, _thread) = scope.named(IRQS[n]).irq_threaded(
                line,
                move |_| check(IrqReturn::WakeThread),
                move |w| {
                    let _nested = Nested::new(&thread.device.common);
                    thread.run(Count::ThreadRuns, Some(w.may_sleep()));
                },
            )?;
            device.watch.registered(Kind::Work);
            irq
        } else {
            scope
                .named(IRQS[n])
                .irq(line, move |_| check(IrqReturn::Handled))?
        };
        device.watch.registered(Kind::Irq);
        irqs[n] = meet(plan.callback.fate, irq, &device.watch.book, |irq| {
            irq.disable();
            irq.enable();
            line.raise();
        });
    }
    Ok(irqs)
}

/// Starts what is kept.
pub fn start<P: World>(kit: &Kit<'_, P>) {
    let plan = &kit.device.plan;
    let start = || {
        for (timer, plan) in kit.timers.iter().zip(&plan.timers) {
            if let Some(timer) = timer {
                let _ = timer.start_within(plan.first.max(1).micros(), plan.slack.micros());
            }
        }
        for (work, plan) in kit.works.iter().zip(&plan.works) {
            if let (Some(work), true) = (work, plan.queued) {
                let _ = work.queue_after(1.micros());
            }
        }
        for irq in &plan.irqs {
            kit.device.common.lines[irq.line].raise();
        }
    };
    if plan.started_elsewhere {
        thread::scope(|threads| drop(threads.spawn(start)));
    } else {
        start();
    }
}
