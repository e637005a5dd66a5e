//! Objects that hold a payload until they are revoked.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use driver_scope::{ReadSection, Revocable};

use crate::batch::Run;
use crate::payload::{now, Payload, Register};
use crate::platform::{On, Strategy};

/// An object that many threads read through.
pub trait Object: Send + Sync {
    /// Does something with a thread's way to read.
    fn with<R: Run>(&self, run: R) -> R::Out;

    /// Takes the payload away: later reads find nothing. Returns when `gone` says that the payload has been dropped.
    fn revoke(&self, gone: &dyn Fn() -> bool);
}

/// Waits for a drop that comes by itself, or by doing `step` again and again.
///
/// # Panics
/// If it does not come.
pub fn until(gone: &dyn Fn() -> bool, mut step: impl FnMut()) {
    const PATIENCE: u64 = 60_000_000_000;
    let begin = now();
    let mut rounds = 0_u64;
    while !gone() {
        assert!(now() - begin < PATIENCE, "the payload was never dropped");
        step();
        rounds += 1;
        if rounds > 64 {
            thread::yield_now();
        } else {
            spin_loop();
        }
    }
}

/// Not protected: an address.
#[derive(Debug)]
pub struct Raw(pub Register);

impl Object for Raw {
    fn with<R: Run>(&self, run: R) -> R::Out {
        run.run(
            self,
            #[inline(always)]
            |raw| Some(raw.0.read()),
        )
    }
    fn revoke(&self, _gone: &dyn Fn() -> bool) {}
}

/// An address, read `N` times.
#[derive(Debug)]
pub struct RawTimes<const N: usize>(pub Register);

impl<const N: usize> Object for RawTimes<N> {
    fn with<R: Run>(&self, run: R) -> R::Out {
        run.run(
            self,
            #[inline(always)]
            |raw| Some(raw.0.read_times::<N>()),
        )
    }
    fn revoke(&self, _gone: &dyn Fn() -> bool) {}
}

/// Checked, but not protected: nothing keeps the payload there between check and read.
#[derive(Debug)]
pub struct Flag {
    open: AtomicBool,
    register: Register,
}

impl Flag {
    /// Open.
    #[must_use]
    pub fn new(register: Register) -> Self {
        Flag {
            open: AtomicBool::new(true),
            register,
        }
    }
}

impl Object for Flag {
    fn with<R: Run>(&self, run: R) -> R::Out {
        run.run(
            self,
            #[inline(always)]
            |flag| {
                // Acquire: pairs with whoever opens.
                flag.open
                    .load(Ordering::Acquire)
                    .then(|| flag.register.read())
            },
        )
    }
    fn revoke(&self, _gone: &dyn Fn() -> bool) {
        self.open.store(false, Ordering::Release);
    }
}

impl<S: Strategy> Object for Revocable<Payload, On<S>> {
    fn with<R: Run>(&self, run: R) -> R::Out {
        run.run(
            self,
            #[inline(always)]
            |object| object.try_access_with(Payload::read),
        )
    }
    fn revoke(&self, _gone: &dyn Fn() -> bool) {
        revoke(self);
    }
}

fn revoke<S: Strategy>(object: &Revocable<Payload, On<S>>) {
    let platform = On::<S>::shared();
    let revoked = platform.may_sleep(|cx| object.revoke(cx));
    assert_eq!(revoked, Ok(true), "nobody else revokes");
}

/// How many objects there are in a [`Many`].
pub const MANY: usize = 16;

/// Several objects, each read once: under one section, or each in a section of its own.
#[derive(Debug)]
pub struct Many<S: Strategy, const ONE_SECTION: bool> {
    platform: On<S>,
    objects: [Revocable<Payload, On<S>>; MANY],
}

impl<S: Strategy, const ONE_SECTION: bool> Many<S, ONE_SECTION> {
    /// The first holds `payload`, the others hold some more of them.
    pub fn new(payload: Payload) -> Self {
        let platform = On::shared();
        Many {
            platform: platform.clone(),
            objects: std::array::from_fn(|_| Revocable::new(platform.clone(), payload.clone())),
        }
    }
}

impl<S: Strategy, const ONE_SECTION: bool> Object for Many<S, ONE_SECTION> {
    fn with<R: Run>(&self, run: R) -> R::Out {
        run.run(
            self,
            #[inline(always)]
            |many| {
                let mut sum = 0_u32;
                if ONE_SECTION {
                    let section = ReadSection::enter(&many.platform);
                    for object in &many.objects {
                        sum = sum.wrapping_add(object.try_access_with_guard(&section)?.read());
                    }
                } else {
                    for object in &many.objects {
                        sum = sum.wrapping_add(object.try_access_with(Payload::read)?);
                    }
                }
                Some(sum)
            },
        )
    }
    fn revoke(&self, _gone: &dyn Fn() -> bool) {
        self.objects.iter().for_each(revoke);
    }
}
