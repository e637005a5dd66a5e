//! The platform of the benches: threads and real time, registers in memory as on a real machine, and read sections to choose.

use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use driver_scope::platform::{
    DeferredNode, Fenced, Host, MachineBarriers, Membarrier, MemoryBus, ThreadSections, Threads,
};
use driver_scope::sections::{Counted, Sections};
use driver_scope::{Error, MaySleep, Platform};

use crate::hand_on::hand_on;
use crate::payload::Register;

/// A bus whose devices are in memory.
#[derive(Debug)]
pub enum Memory {}

/// The device of [`Register`], to be mapped.
#[derive(Debug, Default)]
pub struct Region(Arc<AtomicBool>);

/// The device, mapped.
#[derive(Debug)]
pub struct Mapping(Arc<AtomicBool>);

impl Drop for Mapping {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

// SAFETY: a mapping is of a static, which stays where it is and is aligned to 128 bytes. It is of atomics, so accesses of a register's width do not
// tear; nobody writes while the benches read, so they race with nothing. A region remembers that it is mapped.
unsafe impl MemoryBus for Memory {
    type Region = Region;
    type Mapping = Mapping;
    type Barriers = MachineBarriers;

    fn map(region: &Region) -> Result<Mapping, Error> {
        if region.0.swap(true, Ordering::Acquire) {
            return Err(Error::AlreadyMapped);
        }
        Ok(Mapping(Arc::clone(&region.0)))
    }

    fn size(_: &Mapping) -> usize {
        Register::SIZE
    }

    fn address(_: &Mapping) -> NonNull<u8> {
        Register::first().address()
    }
}

/// How readers are remembered: a type for each way.
pub trait Strategy: Send + Sync + 'static {
    /// The sections.
    type Sections: Sections;
    /// The letter by which the tables call it.
    const LETTER: char;
    /// The sections of the process.
    fn sections() -> &'static Self::Sections;
}

/// (a): one word for each object.
#[derive(Debug)]
pub enum A {}
/// (b): cells of each thread, and the reader's full fence.
#[derive(Debug)]
pub enum B {}
/// (c): cells of each thread, and membarrier(2) by who waits.
#[derive(Debug)]
pub enum C {}

impl Strategy for A {
    type Sections = Counted;
    const LETTER: char = 'a';
    #[inline(always)]
    fn sections() -> &'static Counted {
        static ALL: Counted = Counted::new();
        &ALL
    }
}

impl Strategy for B {
    type Sections = ThreadSections<Fenced>;
    const LETTER: char = 'b';
    #[inline(always)]
    fn sections() -> &'static Self::Sections {
        &const { Threads::sections() }
    }
}

impl Strategy for C {
    type Sections = ThreadSections<Membarrier>;
    const LETTER: char = 'c';
    #[inline(always)]
    fn sections() -> &'static Self::Sections {
        &const { Threads::sections() }
    }
}

/// [`Host`] on that bus, with the sections of `S`.
#[derive(Debug)]
pub struct On<S: Strategy> {
    host: Host<Memory>,
    _strategy: PhantomData<fn() -> S>,
}

impl<S: Strategy> On<S> {
    /// One that the whole process shares.
    ///
    /// # Panics
    /// If its threads cannot be started.
    #[must_use]
    pub fn shared() -> Self {
        static HOST: OnceLock<Host<Memory>> = OnceLock::new();
        let host = HOST.get_or_init(|| Host::on_bus(|_| {}).expect("two threads"));
        On {
            host: host.clone(),
            _strategy: PhantomData,
        }
    }

    /// Lends the proof that one may sleep.
    pub fn may_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
        self.host.may_sleep(f)
    }
}

impl<S: Strategy> Clone for On<S> {
    fn clone(&self) -> Self {
        On {
            host: self.host.clone(),
            _strategy: PhantomData,
        }
    }
}

// SAFETY: the promises are those of `Host`, to which everything is handed on, and those of the sections, which know every thread.
unsafe impl<S: Strategy> Platform for On<S> {
    hand_on!(Host<Memory>, host: bus, lock, memory, timers, defer, pause, trace);
    type Sections = S::Sections;
    type Deferred = DeferredNode;

    #[inline(always)]
    fn sections(&self) -> &S::Sections {
        S::sections()
    }
}

/// Whether membarrier(2) works in this process. Where it does not, strategy (c) makes a full fence after all, and a figure under its name
/// would be of something else.
#[must_use]
pub fn membarrier_works() -> bool {
    let call = |command: libc::c_int| {
        // SAFETY: membarrier(2) takes a command, flags and a CPU, and touches no memory of ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    };
    call(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
        && call(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
}
