//! What the integration tests share: platforms to run on, a log to compare, ways to wait.
#![allow(dead_code, unused_imports)] // Each test crate uses some of it.

use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use driver_scope::platform::{Dma, DmaSpace, Emulated, Host, Model, Region, Sim};
use driver_scope::{enter, DriverScope, Error, MaySleep, Platform, Restart};

pub mod foreign;
pub mod hand_on;
pub mod irqs;
pub mod locks;
pub mod machine;
pub mod metered;
pub mod strategies;

pub use foreign::Foreign;
pub(crate) use hand_on::hand_on;
pub use metered::Metered;

/// How long anything may take before a test is given up: long, since the machine may be loaded.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often, or how many: `full`; but `few` under Miri, which is hundreds of times slower.
pub const fn rounds<T: Copy>(full: T, few: T) -> T {
    if cfg!(miri) {
        few
    } else {
        full
    }
}

/// A platform that a test can make and let time pass on.
pub trait TestPlatform: Platform<Bus = Emulated> {
    /// Whether time passes by itself, so that everything may be late.
    const REAL_TIME: bool = true;

    /// Whether its read sections can tell what the calling context is inside of, and which guards were left behind by a thread.
    const TELLS: bool = true;

    /// Whether its read sections know nothing of those of another platform of the kind.
    const OWN_SECTIONS: bool = false;

    /// One of its own for this test.
    fn fresh() -> Self;

    /// Lends the proof that one may sleep.
    fn lend_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R;

    /// A device that can do DMA, and its own side of that.
    fn dma_device(&self) -> (<Self::Dma as Dma>::Device, Arc<dyn DeviceSide>) {
        unimplemented!("no test of DMA is made on this platform")
    }

    /// Runs `f` while time passes by itself.
    fn meanwhile<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }
}

/// What a device does to memory: each time it says whether it was let.
pub trait DeviceSide: Send + Sync {
    /// Reads.
    fn read(&self, address: u64, to: &mut [u8]) -> bool;
    /// Writes.
    fn write(&self, address: u64, from: &[u8]) -> bool;
}

impl DeviceSide for DmaSpace {
    fn read(&self, address: u64, to: &mut [u8]) -> bool {
        DmaSpace::read(self, address, to).is_ok()
    }
    fn write(&self, address: u64, from: &[u8]) -> bool {
        DmaSpace::write(self, address, from).is_ok()
    }
}

fn space() -> (DmaSpace, Arc<dyn DeviceSide>) {
    let space = DmaSpace::new();
    (space.clone(), Arc::new(space))
}

impl TestPlatform for Host {
    fn fresh() -> Self {
        Host::with_tracer(|_| {}).expect("two threads")
    }
    fn lend_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
        self.may_sleep(f)
    }
    fn dma_device(&self) -> (DmaSpace, Arc<dyn DeviceSide>) {
        space()
    }
}

impl TestPlatform for Sim {
    const REAL_TIME: bool = false;
    fn fresh() -> Self {
        Sim::new()
    }
    fn lend_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
        self.may_sleep(f)
    }
    fn dma_device(&self) -> (DmaSpace, Arc<dyn DeviceSide>) {
        space()
    }
    fn meanwhile<R>(&self, f: impl FnOnce() -> R) -> R {
        /// Also when `f` panics, or the thread would never end.
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let stop = AtomicBool::new(false);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    self.advance(Duration::from_micros(100));
                    std::thread::sleep(Duration::from_micros(20));
                }
            });
            let _stop = Stop(&stop);
            f()
        })
    }
}

/// Runs `f` in a scope on a fresh platform, and checks that nothing is left of it.
pub fn run<P: TestPlatform>(
    f: impl for<'drv> FnOnce(&DriverScope<'drv, Metered<P>>) -> Result<(), Error>,
) {
    run_on(&Metered::<P>::fresh(), f);
}

/// Runs `f` in a scope on this platform, and checks that nothing is left of it.
pub fn run_on<P: TestPlatform>(
    platform: &Metered<P>,
    f: impl for<'drv> FnOnce(&DriverScope<'drv, Metered<P>>) -> Result<(), Error>,
) {
    platform
        .lend_sleep(|cx| enter(platform.clone(), cx, &(), |(), scope| f(scope)))
        .expect("the test's own calls succeed");
    platform.assert_at_rest();
}

/// Lets the scope's time pass until something is so.
#[track_caller]
pub fn until<P: Platform>(scope: &DriverScope<'_, P>, so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !so() {
        assert!(begin.elapsed() < PATIENCE, "it never came to be");
        scope.sleep(Duration::from_micros(500));
    }
}

/// Waits, in real time, until something is so: what other threads do.
#[track_caller]
pub fn wait_until(so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !so() {
        assert!(begin.elapsed() < PATIENCE, "it never came to be");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Has a callback of a scope of its own run `f` once, and waits for it.
pub fn in_a_callback<P: TestPlatform>(platform: &P, f: impl FnOnce() + Send) {
    let f = Mutex::new(Some(f));
    platform
        .lend_sleep(|cx| {
            enter(platform.clone(), cx, &f, |f, scope| {
                let done = scope.own(AtomicBool::new(false))?;
                let timer = scope.hrtimer(move |_| {
                    let f = f.lock().unwrap().take();
                    f.expect("called once")();
                    done.store(true, Ordering::SeqCst);
                    Restart::No
                })?;
                timer.start(Duration::ZERO)?;
                until(scope, || done.load(Ordering::SeqCst));
                Ok::<(), Error>(())
            })
        })
        .expect("the test's own calls succeed");
}

/// Instantiates generic tests for every platform.
#[macro_export]
macro_rules! on_every_platform {
    ($($(#[$meta:meta])* $test:ident),* $(,)?) => {
        mod host {
            $($(#[$meta])* #[test] fn $test() { super::$test::<driver_scope::platform::Host>() })*
        }
        mod sim {
            $($(#[$meta])* #[test] fn $test() { super::$test::<driver_scope::platform::Sim>() })*
        }
        mod foreign {
            $($(#[$meta])* #[test] fn $test() { super::$test::<super::common::Foreign>() })*
        }
    };
}

/// Instantiates generic tests for every strategy for read sections, on the host.
#[macro_export]
macro_rules! on_every_strategy {
    ($($(#[$meta:meta])* $test:ident),* $(,)?) => {
        mod counted {
            $($(#[$meta])* #[test] fn $test() { super::$test::<super::common::strategies::OnCounted>() })*
        }
        mod fenced {
            $($(#[$meta])* #[test] fn $test() { super::$test::<super::common::strategies::OnFenced>() })*
        }
        // Miri has no membarrier(2), and would do the same again.
        #[cfg(all(target_os = "linux", not(miri)))]
        mod membarrier {
            $($(#[$meta])* #[test] fn $test() { super::$test::<super::common::strategies::OnMembarrier>() })*
        }
    };
}

/// Instantiates generic tests where read sections can tell what the calling context is inside of.
#[macro_export]
macro_rules! where_sections_tell {
    ($($(#[$meta:meta])* $test:ident),* $(,)?) => {
        mod telling {
            mod fenced {
                $($(#[$meta])* #[test] fn $test() {
                    super::super::$test::<super::super::common::strategies::OnFenced>()
                })*
            }
            mod host {
                $($(#[$meta])* #[test] fn $test() { super::super::$test::<driver_scope::platform::Host>() })*
            }
            mod sim {
                $($(#[$meta])* #[test] fn $test() { super::super::$test::<driver_scope::platform::Sim>() })*
            }
        }
    };
}

/// Lines in the order in which things happened. Clones are the same log.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Adds a line.
    pub fn add(&self, line: impl Into<String>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line.into());
    }

    /// All lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How often this very line is in it.
    pub fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|&l| l == line).count()
    }

    /// A value whose drop is logged.
    pub fn note(&self, name: &'static str) -> Note {
        Note {
            log: self.clone(),
            name,
            panics: false,
        }
    }

    /// A value whose drop is logged and then panics.
    pub fn mine(&self, name: &'static str) -> Note {
        Note {
            log: self.clone(),
            name,
            panics: true,
        }
    }
}

/// See [`Log::note`].
#[derive(Debug)]
pub struct Note {
    log: Log,
    name: &'static str,
    panics: bool,
}

impl Note {
    /// The log that it will be dropped into.
    pub fn log(&self) -> &Log {
        &self.log
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        self.log.add(format!("drop {}", self.name));
        if self.panics {
            on_purpose(self.name);
        }
    }
}

/// A panic payload whose own drop panics.
pub struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        on_purpose("the payload's own drop");
    }
}

/// Panics without a message on standard error.
pub fn on_purpose(what: &str) -> ! {
    quiet();
    panic!("on purpose: {what}");
}

/// Panics with a payload whose own drop panics.
pub fn on_purpose_with_a_bomb() -> ! {
    quiet();
    std::panic::panic_any(Bomb);
}

/// Silences the panics that are part of a test.
pub fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            let payload = info.payload();
            let text = payload
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| payload.downcast_ref::<&str>().copied())
                .unwrap_or_default();
            let expected = [
                "on purpose",
                "a callback may not sleep",
                "time does not pass",
            ];
            if !expected.iter().any(|start| text.starts_with(start)) && !payload.is::<Bomb>() {
                loud(info);
            }
        }));
    });
}

/// A region of memory that remembers what is written to it.
pub fn memory_region(size: usize) -> Region {
    struct Memory(Mutex<Vec<u8>>);
    impl Model for Memory {
        fn read(&self, offset: u64, width: u8) -> u64 {
            let bytes = self.0.lock().unwrap();
            let mut value = [0; 8];
            value[..width as usize]
                .copy_from_slice(&bytes[offset as usize..offset as usize + width as usize]);
            u64::from_le_bytes(value)
        }
        fn write(&self, offset: u64, width: u8, value: u64) {
            self.0.lock().unwrap()[offset as usize..offset as usize + width as usize]
                .copy_from_slice(&value.to_le_bytes()[..width as usize]);
        }
    }
    Region::new(Arc::new(Memory(Mutex::new(vec![0; size]))), size)
}

/// Leaks a value, in a box of its own: what a test leaks on purpose, checkers are told by the name of this function to pass over
/// (`xtask/src/sanitize/known.txt`), and of nothing else.
#[inline(never)]
pub fn leaked_on_purpose<'a, T: 'a>(value: T) -> &'a mut T {
    Box::leak(Box::new(value))
}

/// Moves a value that is not `Send` where the type system would not have it, and gives it out on any thread.
///
/// For what a careless driver could do with a crate that checks the thread at run time: a callback may run on the very thread.
#[derive(Clone, Copy)]
pub struct Smuggled<T>(T);

// SAFETY: none in general. The tests smuggle `MaySleep`, a proof with no content, on which the crate claims not to rest its
// memory safety.
unsafe impl<T> Send for Smuggled<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Smuggled<T> {}

impl<T: Copy> Smuggled<T> {
    /// Packs it.
    pub fn new(value: T) -> Self {
        Smuggled(value)
    }

    /// Unpacks it; a method, so that a closure captures the whole.
    pub fn get(&self) -> T {
        self.0
    }
}
