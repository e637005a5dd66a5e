//! What a driver does with what it has: in callbacks, in calls from outside, in hooks.

use std::future::Future;
use std::mem;
use std::pin::pin;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use driver_scope::{Devres, Error, Family, MaySleep, Port, Units};

use crate::book::{lock, Book};
use crate::driver::{Data, Kit, Machine};
use crate::ground::World;
use crate::hardware::{SCRATCH, STATUS};
use crate::plan::{Act, Hook};
use crate::report::Count;
use crate::shared::{Common, Lent};
use crate::watch::{Mine, Stage, Watch};

/// So long; on `Sim` never none: where something comes again at the same instant, time would stand.
fn delay<P: World>(micros: u64) -> Duration {
    micros.max(u64::from(!P::REAL_TIME)).micros()
}

/// Counts what a start said.
fn started<T>(book: &Book, result: Result<T, Error>) {
    if result.is_err_and(|error| error == Error::Closed) {
        book.count(Count::StartsRefused);
    }
}

/// Counts what a wait said.
fn waited<T>(book: &Book, result: Result<T, Error>, what: Count) {
    match result {
        Ok(_) => book.count(what),
        Err(Error::Deadlock) => book.count(Count::Deadlocks),
        Err(other) => book.wrong(format!("{what:?}: {other}")),
    }
}

/// Does one thing. `cx` if one may sleep.
pub fn perform<P: World>(act: &Act, kit: &Kit<'_, P>, cx: Option<MaySleep<'_>>) {
    let (device, book) = (kit.device, &*kit.device.watch.book);
    let common = &*device.common;
    book.line(|| format!("{}: {act:?}", device.watch.name));
    match *act {
        Act::Rest => {}
        Act::Registers => {
            kit.regs
                .write(SCRATCH, kit.regs.read(SCRATCH).wrapping_add(1));
            if kit.regs.read_or_gone(STATUS) == Err(Error::Gone) {
                book.count(Count::VanishSeen);
            }
        }
        Act::Memory => {
            if let Some(memory) = kit.memory {
                let was: u32 = memory.try_read(0).expect("8 bytes at least");
                let _ = memory.try_write(4, was.wrapping_add(1));
            }
        }
        Act::Owned => kit.owned.iter().flatten().for_each(|mine| mine.read(|| ())),
        Act::Lock => {
            *kit.lock.lock() += 1;
            book.count(Count::Locks);
        }
        Act::Start(which, after, slack) => {
            if let Some(timer) = kit.timers[which] {
                started(book, timer.start_within(delay::<P>(after), slack.micros()));
            }
        }
        Act::Restart(which, period) => {
            if let Some(timer) = kit.timers[which] {
                match period {
                    // (On `Sim`, for what is past, it would come again at the same instant.)
                    None if P::REAL_TIME => started(book, timer.restart()),
                    None => {}
                    Some(period) => started(book, timer.forward(period.micros())),
                }
            }
        }
        Act::Cancel(which) => match (kit.timers[which], cx) {
            (Some(timer), Some(cx)) => waited(book, timer.cancel(cx), Count::Cancels),
            (Some(timer), None) => _ = timer.try_cancel(),
            (None, _) => {}
        },
        Act::Queue(which, after) => {
            if let Some(work) = kit.works[which] {
                started(book, work.queue_after(delay::<P>(after)));
            }
        }
        Act::CancelWork(which) => match (kit.works[which], cx) {
            (Some(work), Some(cx)) => waited(book, work.cancel(cx), Count::Cancels),
            (Some(work), None) => _ = work.try_cancel(),
            (None, _) => {}
        },
        Act::Flush(which) => {
            if let (Some(work), Some(cx)) = (kit.works[which], cx) {
                waited(book, work.flush(cx), Count::Flushes);
            }
        }
        Act::Raise(which) => common.lines[which].raise(),
        Act::Level(which) if common.levels => common.lines[which].set_level(true),
        Act::Level(which) => common.lines[which].raise(),
        Act::Mask(which) => {
            if let Some(irq) = kit.irqs[which] {
                match cx {
                    Some(cx) => {
                        let masked = irq.disable_sync(cx);
                        let enable = masked.is_ok();
                        waited(book, masked, Count::Synchronized);
                        if enable {
                            irq.enable();
                        }
                    }
                    None => {
                        irq.disable();
                        irq.enable();
                    }
                }
            }
        }
        Act::Synchronize(which) => {
            if let (Some(irq), Some(cx)) = (kit.irqs[which], cx) {
                waited(book, irq.synchronize(cx), Count::Synchronized);
            }
        }
        Act::Revocable(which) => revocable(common, which, book, || ()),
        Act::Revoke(which) => {
            if let Some(cx) = cx {
                revoke(common, which, book, cx, Some(20));
            }
        }
        Act::Devres(which) => devres(common, which, book),
        Act::Sleep(after, forget) => sleep(kit, after, forget),
        Act::Parent => {
            if let Some(parent) = &device.parent {
                call(&parent.port, &parent.watch, |data| {
                    if let Some(work) = data.kit.works[0] {
                        started(book, work.queue_after(delay::<P>(0)));
                    }
                });
            }
        }
        Act::Child(which) => {
            if let Some(child) = kit.children[which] {
                let called = child.call(|data| perform(&Act::Registers, &data.kit, None));
                book.count(match called {
                    Ok(()) => Count::Calls,
                    Err(_) => Count::CallsRefused,
                });
            }
        }
        Act::OwnPort => {
            if let Some(port) = kit.port {
                call(port, &device.watch, |data| {
                    perform(&Act::Registers, &data.kit, None);
                });
            }
        }
        Act::Wait(micros) => match cx {
            Some(cx) => kit.platform.sleep(cx, micros.micros()),
            None => kit.platform.delay(micros.micros()),
        },
        Act::Panic => book.panic(Count::CallPanics),
    }
}

/// Does what a hook is to do. Its kit may not be there: then the probe has failed before.
pub fn perform_all<P: World>(
    hook: &Hook,
    kit: Option<&Kit<'_, P>>,
    watch: &Watch,
    cx: MaySleep<'_>,
) {
    for act in &hook.acts {
        if let Some(kit) = kit {
            perform(act, kit, Some(cx));
        }
    }
    if hook.panics {
        watch.book.panic(Count::HookPanics);
    }
}

/// Calls a driver by a port. Who is let in after the end has begun should not have been.
pub fn call<P: World, R>(
    port: &Port<Machine, P>,
    watch: &Watch,
    f: impl for<'a, 'drv> FnOnce(&'a Data<'drv, P>) -> R,
) -> Option<R> {
    let removed = watch.has_come_to(Stage::Remove);
    let result = port.call(|data| {
        let _inside = watch.enter(None, "a call");
        f(data)
    });
    watch.book.count(match result {
        Ok(_) => Count::Calls,
        Err(Error::NotBound) => Count::CallsEarly,
        Err(_) => Count::CallsRefused,
    });
    if removed && result.is_ok() {
        watch.wrong("a call is let in after the remove has begun");
    }
    result.ok()
}

/// Accesses what may be revoked.
pub fn revocable<P: World>(
    common: &Common<P>,
    which: usize,
    book: &Book,
    meanwhile: impl FnOnce(),
) {
    let Some((revocable, revoked)) = common.revocables.get(which) else {
        return;
    };
    let was_revoked = revoked.load(SeqCst);
    let read = revocable.try_access().map(|guard| guard.read(meanwhile));
    read_or_refused(
        book,
        read.is_some(),
        [Count::RevocableRead, Count::RevocableRefused],
    );
    if was_revoked && read.is_some() {
        book.wrong("a value is accessed after it was revoked");
    }
}

/// Revokes it.
pub fn revoke<P: World>(
    common: &Common<P>,
    which: usize,
    book: &Book,
    cx: MaySleep<'_>,
    patience: Option<u64>,
) {
    let Some((revocable, revoked)) = common.revocables.get(which) else {
        return;
    };
    let result = match patience {
        None => revocable.revoke(cx),
        Some(micros) => revocable.revoke_within(cx, micros.micros()),
    };
    book.line(|| format!("revoke of {which}: {result:?}"));
    // In any case access is refused from here on, but where nothing was done.
    revoked.fetch_or(result != Err(Error::Deadlock), SeqCst);
    match result {
        Ok(true) => book.count(Count::Revoked),
        Ok(false) => book.count(Count::RevokedBefore),
        Err(Error::TimedOut) => book.count(Count::RevokeTimedOut),
        Err(Error::Deadlock) => book.count(Count::Deadlocks),
        Err(other) => book.wrong(format!("revoke: {other}")),
    }
}

pub(crate) fn read_or_refused(book: &Book, read: bool, [yes, no]: [Count; 2]) {
    book.count(if read { yes } else { no });
}

/// One of those that are lent.
pub(crate) fn lent<P: World>(common: &Common<P>, which: usize) -> Option<Lent<P>> {
    let lent = lock(&common.lent);
    lent.get(which % lent.len().max(1)).cloned()
}

/// Accesses what is lent, by a closure.
fn devres<P: World>(common: &Common<P>, which: usize, book: &Book) {
    match lent(common, which) {
        Some(Lent::Value(of, watch)) => accessed(&of, &watch, book, |mine: &Mine| mine.read(|| ())),
        Some(Lent::Handles(of, watch)) => accessed(&of, &watch, book, |handles| {
            handles.mine.read(|| handles.timer.try_cancel());
        }),
        None => {}
    }
}

/// Accesses it; what is accessed after the data has been dropped should not have been.
pub(crate) fn accessed<F: Family, P: World>(
    of: &Devres<F, P>,
    watch: &Watch,
    book: &Book,
    f: impl for<'a, 'd> FnOnce(&'a F::At<'d>),
) {
    let over = watch.has_come_to(Stage::Data) && !watch.disorderly;
    let read = of.try_access_with(f).is_some();
    read_or_refused(book, read, [Count::DevresRead, Count::DevresRefused]);
    if over && read {
        watch.wrong("what was lent is accessed after the end");
    }
}

/// Polls a sleep once, and leaves it.
fn sleep<P: World>(kit: &Kit<'_, P>, after: u64, forget: bool) {
    let Some(sleeper) = kit.sleeper else {
        return;
    };
    let book = &kit.device.watch.book;
    let mut cx = Context::from_waker(Waker::noop());
    // A forgotten one lies where it may be forgotten: not pinned to a stack.
    let mut boxed = sleeper.sleep(after.micros());
    let polled = pin!(&mut boxed).poll(&mut cx);
    slept(book, polled);
    if forget {
        mem::forget(boxed);
    }
}

/// Counts what a sleep said.
pub(crate) fn slept(book: &Book, polled: Poll<Result<(), Error>>) {
    match polled {
        Poll::Pending => book.count(Count::SleepsLeft),
        Poll::Ready(Ok(())) => book.count(Count::SleepsDone),
        Poll::Ready(Err(Error::Closed)) => book.count(Count::SleepsClosed),
        Poll::Ready(Err(Error::TooManySleeps)) => book.count(Count::TooManySleeps),
        Poll::Ready(Err(other)) => book.wrong(format!("a sleep ends with: {other}")),
    }
}
