//! What the rest of the world does: threads that know nothing of when the driver ends.

use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::pin;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use driver_scope::{Binding, Error, MaySleep, ReadSection, Units};

use crate::acts::{accessed, call, lent, perform, read_or_refused, revocable, revoke, slept};
use crate::book::{lock, Book, OnPurpose};
use crate::callbacks::Nested;
use crate::driver::{Device, Machine};
use crate::ground::World;
use crate::plan::{self, Access, Act, Action};
use crate::report::Count;
use crate::shared::{Common, Door, Lent};
use crate::watch::Stage;

/// Calls something that may panic on purpose; whatever else it panics with is wrong.
pub fn caught<R>(book: &Book, f: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(result) => Some(result),
        Err(payload) => {
            if payload.is::<OnPurpose>() {
                book.line(|| "a panic came through".into());
                book.passed.fetch_add(1, SeqCst);
            } else {
                let text = payload.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
                book.wrong(format!("a panic: {}", text.unwrap_or("of some kind")));
            }
            None
        }
    }
}

/// One thread of the world: how far it has come.
pub struct Outsider<'a, P: World> {
    common: &'a Arc<Common<P>>,
    platform: &'a P,
    script: &'a [Action],
    next: usize,
}

impl<'a, P: World> Outsider<'a, P> {
    /// At the beginning of a script.
    pub fn new(common: &'a Arc<Common<P>>, platform: &'a P, script: &'a [Action]) -> Self {
        Outsider {
            common,
            platform,
            script,
            next: 0,
        }
    }

    /// Whether there is more in its script; else it begins again.
    pub fn has_more(&self) -> bool {
        self.next < self.script.len()
    }

    /// Does the next thing.
    pub fn step(&mut self) {
        let action = self.script[self.next % self.script.len()];
        self.next += 1;
        let book = self.platform.book();
        book.line(|| format!("outside: {action:?}"));
        caught(book, || self.act(action));
    }

    /// Lets time pass inside of a section: where there are threads.
    fn hold(&self, micros: u64) {
        if P::REAL_TIME && micros > 0 {
            self.platform.pass(micros.micros());
        }
    }

    fn nested(&self) -> Nested<'a, P> {
        Nested::new(self.common)
    }

    fn door(&self, which: usize) -> Option<Door<P>> {
        let ports = lock(&self.common.ports);
        ports.get(which % ports.len().max(1)).cloned()
    }

    fn act(&self, action: Action) {
        let (common, book) = (&**self.common, &**self.platform.book());
        match action {
            Action::Call(which, act) => self.call(which, act),
            Action::Devres(which, access) => {
                if let Some(lent) = lent(common, which) {
                    self.access(&lent, access);
                }
            }
            Action::Revocable(which, access) => match access {
                Access::With => revocable(common, which, book, || ()),
                Access::Guard(micros) => {
                    let _nested = self.nested();
                    revocable(common, which, book, || self.hold(micros));
                }
                Access::Section(micros) => self.revocable_in_section(which, micros),
            },
            Action::Revoke(which, patience) => {
                self.platform
                    .lend_sleep(|cx| revoke(common, which, book, cx, patience));
            }
            Action::CloneDevres(which) => {
                let lent = lent(common, which);
                self.hold(10);
                drop(lent);
            }
            Action::DropDevres(which) => {
                let mut lent = lock(&common.lent);
                if which < lent.len() {
                    let gone = lent.swap_remove(which);
                    // Its drop may be that of what is lent, which may panic.
                    drop(lent);
                    drop(gone);
                }
            }
            Action::Raise(which) => common.lines[which].raise(),
            Action::Transfer => {
                let all = lock(&common.hardware).clone();
                for hardware in &all {
                    hardware.transfer();
                }
            }
            Action::Sleep(which, micros) => self.sleep(which, micros),
            Action::BindInSection => self.bind_in_section(),
            Action::Rest(micros) => self.hold(micros),
        }
    }

    fn call(&self, which: usize, act: Act) {
        let Some(door) = self.door(which) else {
            return;
        };
        if P::REAL_TIME {
            self.platform.lend_sleep(|cx| {
                call(&door.port, &door.watch, |data| {
                    perform(&act, &data.kit, Some(cx));
                });
            });
        } else {
            let _nested = self.nested();
            call(&door.port, &door.watch, |data| {
                perform(&act, &data.kit, None)
            });
        }
    }

    fn access(&self, of: &Lent<P>, access: Access) {
        let book = self.platform.book();
        let (watch, over) = match of {
            Lent::Value(_, watch) | Lent::Handles(_, watch) => {
                (watch, watch.has_come_to(Stage::Data) && !watch.disorderly)
            }
        };
        let read = match access {
            Access::With => {
                match of {
                    Lent::Value(of, _) => accessed(of, watch, book, |mine| mine.read(|| ())),
                    Lent::Handles(of, _) => accessed(of, watch, book, |handles| {
                        handles.mine.read(|| {
                            use crate::hardware::SCRATCH;
                            handles.regs.write(SCRATCH, 1);
                            let _ = handles.timer.start(2.micros());
                        });
                    }),
                }
                return;
            }
            Access::Guard(micros) => {
                let _nested = self.nested();
                let read = match of {
                    Lent::Value(of, _) => of.try_access().map(|guard| {
                        guard.get().read(|| self.hold(micros));
                    }),
                    Lent::Handles(of, _) => of.try_access().map(|guard| {
                        guard.get().mine.read(|| self.hold(micros));
                    }),
                };
                read
            }
            Access::Section(micros) => {
                let _nested = self.nested();
                book.count(Count::Sections);
                let section = ReadSection::enter(self.platform);
                let read = match of {
                    Lent::Value(of, _) => of.try_access_with_guard(&section).map(|mine| {
                        mine.read(|| self.hold(micros));
                    }),
                    Lent::Handles(of, _) => of.try_access_with_guard(&section).map(|handles| {
                        handles.mine.read(|| self.hold(micros));
                    }),
                };
                read
            }
        };
        read_or_refused(
            book,
            read.is_some(),
            [Count::DevresRead, Count::DevresRefused],
        );
        if over && read.is_some() {
            watch.wrong("what was lent is accessed after the end");
        }
    }

    fn revocable_in_section(&self, which: usize, micros: u64) {
        let Some((revocable, revoked)) = self.common.revocables.get(which) else {
            return;
        };
        let book = self.platform.book();
        let _nested = self.nested();
        book.count(Count::Sections);
        let section = ReadSection::enter(self.platform);
        let was_revoked = revoked.load(SeqCst);
        let read = revocable.try_access_with_guard(&section);
        if let Some(mine) = read {
            mine.read(|| self.hold(micros));
        }
        if was_revoked && read.is_some() {
            book.wrong("a value is accessed after it was revoked");
        }
        read_or_refused(
            book,
            read.is_some(),
            [Count::RevocableRead, Count::RevocableRefused],
        );
    }

    /// A call that waits for a sleep; the close of the driver ends that.
    fn sleep(&self, which: usize, micros: u64) {
        let Some(door) = self.door(which) else {
            return;
        };
        let book = self.platform.book();
        let _nested = self.nested();
        call(&door.port, &door.watch, |data| {
            if let Some(sleeper) = data.kit.sleeper {
                let sleep = sleeper.sleep(micros.micros());
                slept(book, poll(P::REAL_TIME, sleep));
            }
        });
    }

    /// No driver is bound inside of a section: its end could have to wait for that.
    fn bind_in_section(&self) {
        if !P::TELLS {
            return;
        }
        let book = self.platform.book();
        let _nested = self.nested();
        let empty = plan::Machine::empty();
        let device = Device::new(&empty, "in a section", true, self.common, self.platform);
        let _section = ReadSection::enter(self.platform);
        let bind =
            |cx: MaySleep<'_>| Binding::<Machine, P>::bind(self.platform.clone(), device, cx);
        match self.platform.lend_sleep(bind) {
            Err(failed) if failed.error == Error::Deadlock => book.count(Count::BindRefused),
            _ => book.wrong("a driver is bound inside of a section"),
        }
    }
}

/// Polls a future once, or until it is ready if there is somebody to wake this thread.
fn poll<T>(to_its_end: bool, future: impl Future<Output = T>) -> Poll<T> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        let polled = future.as_mut().poll(&mut cx);
        if polled.is_ready() || !to_its_end {
            return polled;
        }
        thread::park();
    }
}
