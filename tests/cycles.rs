//! A driver bound and removed thousands of times, with timers armed, handles forgotten and others that outlive it, leaves nothing behind.
//!
//! `cargo xtask test valgrind` runs it under a memory checker.

use std::mem;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::Arc;

use common::{memory_region, rounds, TestPlatform};
use driver_scope::platform::{Host, Region, Sim};
use driver_scope::{
    registers, Binding, Bound, Devres, Driver, DriverScope, Error, HrTimer, Mmio, Plain, Platform,
    Port, Restart, Units,
};

mod common;

const CYCLES: u32 = rounds(10_000, 20);

registers! {
    Regs: 8 {
        0 => rw COUNT: u32,
    }
}

/// What the driver shares with the test, on the heap, so that a leak would be seen.
#[derive(Default)]
struct Counts {
    probed: AtomicU32,
    fired: AtomicU32,
    removed: AtomicU32,
    dropped: AtomicU32,
}

struct Counted(Arc<Counts>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Relaxed);
    }
}

struct Mayfly;

struct Data<'drv, P: Platform> {
    regs: Mmio<'drv, Regs, P>,
    near: HrTimer<'drv, P>,
    shared: Bound<'drv, Plain<Counted>, P>,
    _counted: Counted,
}

impl<P: TestPlatform> Driver<P> for Mayfly {
    type Device = (Arc<Counts>, Region);
    type Data<'drv> = Data<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        (counts, region): &'drv Self::Device,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Data<'drv, P>, Error> {
        let counted = || Counted(Arc::clone(counts));
        let regs = scope.map::<Regs>(region)?;
        let owned = scope.own((counted(), String::from("on the heap")))?;
        let captured = counted();
        let near = scope.hrtimer(move |t| {
            captured.0.fired.fetch_add(1, Relaxed);
            regs.write(COUNT, owned.1.len() as u32);
            t.restart_after(30.micros())
        })?;
        let captured = counted();
        let far = scope.hrtimer(move |_| {
            let _all_of_it = &captured;
            Restart::No
        })?;
        near.start(0.nanos())?;
        far.start(3600.secs())?;
        let hook = counted();
        scope.on_remove(move |_| {
            hook.0.removed.fetch_add(1, Relaxed);
        })?;
        let (_, vacant) = scope.vacant_hrtimer()?;
        #[allow(clippy::forget_non_drop)] // That it changes nothing is what is tested.
        mem::forget((far, vacant, owned));
        let shared = scope.devres::<Plain<Counted>>(counted())?;
        // Its last handle: released here.
        drop(scope.devres::<Plain<Counted>>(counted())?);
        counts.probed.fetch_add(1, Relaxed);
        Ok(Data {
            regs,
            near,
            shared,
            _counted: counted(),
        })
    }
}

fn cycles<P: TestPlatform>(platform: &P, settle: impl Fn(u32)) {
    let counts = Arc::new(Counts::default());
    let mut device = (Arc::clone(&counts), memory_region(8));
    // Handles to the driver before.
    let mut outlived = None;
    for cycle in 0..CYCLES {
        device = platform.lend_sleep(|cx| {
            let binding = Binding::<Mayfly, P>::bind(platform.clone(), device, cx)
                .map_err(|failed| failed.error)
                .expect("it binds");
            settle(cycle);
            binding.with(|data| {
                let _ = data.near.start(10.micros());
                let _ = data.regs.read(COUNT);
            });
            let port = binding.port().expect("memory");
            let shared = port.call(|data| data.shared.devres()).expect("bound");
            assert!(shared.try_access().is_some());
            if let Some((port, shared)) = outlived.replace((port, shared)) {
                let (port, shared): (Port<Mayfly, P>, Devres<Plain<Counted>, P>) = (port, shared);
                assert_eq!(port.call(|_| ()), Err(Error::Gone));
                assert!(shared.try_access().is_none());
            }
            binding.unbind(cx).expect("no callback")
        });
    }
    drop((device, outlived));
    assert_eq!(counts.probed.load(Relaxed), CYCLES);
    assert_eq!(counts.removed.load(Relaxed), CYCLES);
    // Data, an owned value, two captures, a hook, two resources.
    assert_eq!(counts.dropped.load(Relaxed), 7 * CYCLES);
    assert!(counts.fired.load(Relaxed) > 0);
    assert_eq!(Arc::strong_count(&counts), 1);
}

#[test]
fn ten_thousand_on_sim() {
    let sim = Sim::new();
    cycles(&sim, |_| sim.advance(100.micros()));
}

#[test]
fn ten_thousand_on_host() {
    // One for all: its threads are not what is tested.
    let host = Host::fresh();
    cycles(&host, |cycle| {
        // Now and then the callback is let run; else it is caught at whatever it is doing.
        if cycle % rounds(100, 2) == 0 {
            std::thread::sleep(50.micros());
        }
    });
}
