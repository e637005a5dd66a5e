//! Reading the time: never torn, never backwards, never failing, whatever the device does.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use driver_scope::platform::{Emulated, Host, Model, Platform, Region, Sim};
use driver_scope::{Binding, Error, PciDevice};
use nova_timer::{NovaData, NovaTimer, END, TICK};
use nova_timer_model::NovaModel;

/// From one carry to the next.
const WRAP: u64 = 1 << 32;

fn bind<P: Platform<Bus = Emulated>>(
    sim: &Sim,
    platform: P,
    device: PciDevice<P>,
) -> Result<Binding<NovaTimer, P>, Error> {
    sim.may_sleep(|cx| Binding::bind(platform, device, cx).map_err(|failed| failed.error))
}

/// The driver on a device whose counter is a function.
fn bound(counter: impl Fn() -> u64 + Send + Sync + 'static) -> (Arc<NovaModel>, Bound) {
    let sim = Sim::new();
    let model = Arc::new(NovaModel::new(counter));
    let bound = bind(&sim, sim.clone(), model.pci_device().unwrap()).unwrap();
    (model, bound)
}

type Bound = Binding<NovaTimer, Sim>;

fn now(bound: &Bound) -> u64 {
    bound.with(|nova| nova.timer.now())
}

/// A counter that steps on by `steps`, one after the other, each time that it is read.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<(u64, Vec<u64>)>>);

impl Script {
    fn set(&self, start: u64, steps: &[u64]) {
        *self.0.lock().unwrap() = (start, steps.iter().rev().copied().collect());
    }

    /// The counter now, which then steps on.
    fn read(&self) -> u64 {
        let mut script = self.0.lock().unwrap();
        let now = script.0;
        script.0 += script.1.pop().unwrap_or(0);
        now
    }
}

#[test]
fn no_time_is_torn_wherever_the_counter_carries() {
    let starts = [0, TICK, WRAP / 2, WRAP - 2 * TICK, WRAP - TICK, WRAP - 1];
    let steps = [
        0,
        1,
        TICK,
        WRAP / 2,
        WRAP - TICK,
        WRAP,
        WRAP + TICK,
        2 * WRAP - TICK,
        5 * WRAP,
    ];
    let script = Script::default();
    let counter = script.clone();
    let (model, bound) = bound(move || counter.read());
    let mut carries = [0; 2];
    for start in starts.map(|low| 7 * WRAP + low) {
        for first in steps {
            for second in steps {
                script.set(start, &[first, second]);
                let before = model.accesses();
                let time = now(&bound);
                let times = [start, start + first, start + first + second];
                assert_eq!(model.accesses() - before, 3, "as many reads as ever");
                assert_eq!(time % TICK, 0);
                assert!(
                    start - start % TICK <= time && time <= times[2],
                    "{time:#x} is no time from {start:#x} to {:#x}, by way of {:#x}",
                    times[2],
                    times[1]
                );
                if times[0] / WRAP == times[2] / WRAP {
                    assert_eq!(time, times[1] - times[1] % TICK, "to the tick");
                }
                for (count, pair) in carries.iter_mut().zip(times.windows(2)) {
                    *count += usize::from(pair[0] / WRAP != pair[1] / WRAP);
                }
                script.set(start, &[first, second]);
                let tried = bound.with(|nova| nova.timer.try_now());
                assert_eq!(tried, Ok(time));
            }
        }
    }
    assert!(carries.iter().all(|&count| count > 100), "{carries:?}");
}

#[test]
fn times_never_go_back_in_three_million() {
    const READS: usize = if cfg!(miri) { 3_000 } else { 3_000_000 };
    let counter = AtomicU64::new(0);
    let carries = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&carries);
    let (_, bound) = bound(move || {
        let last = counter.load(SeqCst);
        // Small and large steps; a carry between some fifth of the reads.
        let step = last.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) % (WRAP / 2);
        let next = last + 1 + (step >> (last / TICK % 4));
        counter.store(next, SeqCst);
        count.fetch_add((last / WRAP != next / WRAP).into(), SeqCst);
        last
    });
    bound.with(|nova| {
        let mut last = 0;
        for _ in 0..READS {
            let time = nova.timer.now();
            assert!(last <= time, "{last:#x}, then {time:#x}");
            last = time;
        }
    });
    assert!(carries.load(SeqCst) > READS / 3, "{carries:?}");
}

/// In real time, on two threads, against one another: what one has read, the other does not read less of.
#[test]
fn times_never_go_back_from_thread_to_thread() {
    /// The device's time runs 2²⁰ times as fast: a carry each 4 µs.
    const SPEED: u32 = 20;
    const READS: usize = if cfg!(miri) { 300 } else { 1_000_000 };

    let begun = Instant::now();
    let model = Arc::new(NovaModel::new(move || {
        (begun.elapsed().as_nanos() as u64) << SPEED
    }));
    let host = Host::new().unwrap();
    let device = model.pci_device().unwrap();
    let bound: Binding<NovaTimer, Host> = host
        .may_sleep(|cx| Binding::bind(host.clone(), device, cx).map_err(|failed| failed.error))
        .unwrap();
    let latest = AtomicU64::new(0);
    let read = |nova: &NovaData<'_, Host>| {
        for _ in 0..READS {
            let known = latest.load(SeqCst);
            let time = nova.timer.now();
            assert!(known <= time, "{known:#x} was, but it is {time:#x}");
            latest.fetch_max(time, SeqCst);
        }
    };
    bound.with(|nova| {
        std::thread::scope(|threads| {
            threads.spawn(|| read(nova));
            read(nova);
        });
    });
    assert!(
        latest.into_inner() / WRAP > READS as u64 / 1_000,
        "it has carried"
    );
}

#[test]
fn a_vanished_device_reads_as_the_end_of_time() {
    for accesses in 0..=3 {
        let start = 3 * WRAP + 64;
        let (model, bound) = bound(move || start);
        model.unplug_after(accesses);
        let time = now(&bound);
        if accesses == 3 {
            assert_eq!(time, start, "it was there all the time");
        } else {
            assert!(time > END - WRAP, "{time:#x} before {accesses} reads");
        }
        assert_eq!(now(&bound), END);
        // As long as that takes, somebody may wait for it without looking.
        assert!(time <= END);

        let (model, bound) = self::bound(move || start);
        model.unplug_after(accesses);
        let expected = if accesses == 3 {
            Ok(start)
        } else {
            Err(Error::Gone)
        };
        assert_eq!(bound.with(|nova| nova.timer.try_now()), expected);
    }
}

/// Answers something else each time: no two reads of the high word ever agree.
#[test]
fn a_mad_device_cannot_hang_it() {
    struct Mad(AtomicU64);
    impl Model for Mad {
        fn read(&self, _: u64, _: u8) -> u64 {
            self.0.fetch_add(0x0123_4567_89ab_cdef, SeqCst)
        }
        fn write(&self, _: u64, _: u8, _: u64) {}
    }
    let mad = Arc::new(Mad(AtomicU64::new(1)));
    let region = Region::new(mad.clone(), nova_timer_model::BAR_SIZE);
    let sim = Sim::new();
    let device = PciDevice::new(0x10de, 0x1380).with_bar(0, region).unwrap();
    let bound = bind(&sim, sim.clone(), device).unwrap();
    for _ in 0..1000 {
        assert!(now(&bound) <= END);
    }
}

#[test]
fn it_refuses_what_is_no_timer() {
    let sim = Sim::new();
    let none = bind(&sim, sim.clone(), PciDevice::new(0x10de, 0x1380));
    assert_eq!(none.unwrap_err(), Error::NoSuchBar(0));

    let model = Arc::new(NovaModel::new(|| 0));
    model.unplug();
    let empty_slot = bind(&sim, sim.clone(), model.pci_device().unwrap());
    assert_eq!(empty_slot.unwrap_err(), Error::Gone);

    let model: Arc<dyn Model> = Arc::new(NovaModel::new(|| 0));
    let small = PciDevice::new(0x10de, 0x1380)
        .with_bar(0, Region::new(model, 0x9414))
        .unwrap();
    let (needed, size) = (0xa000, 0x9414);
    assert_eq!(
        bind(&sim, sim.clone(), small).unwrap_err(),
        Error::RegionTooSmall { needed, size }
    );
}
