//! Code of the program's own that is called in the midst of the crate's: writers, visitors, models, values of registers.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use driver_scope::platform::{Fake, IrqLine, Model, Region, Sim};
use driver_scope::{
    enter, registers, Binding, Driver, DriverScope, Error, HrTimer, IrqReturn, Mmio, Platform,
    Port, Restart, Units,
};

use crate::common::{in_a_callback, until, wait_until, Metered, TestPlatform};

/// A writer that uses, at each write, what is being written.
struct Uses<F: FnMut()>(F, String);

impl<F: FnMut()> Write for Uses<F> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        (self.0)();
        self.1.push_str(text);
        Ok(())
    }
}

#[test]
fn a_writer_uses_what_is_written_to_it() {
    let sim = Sim::new();
    let line = IrqLine::new();
    let handled = AtomicU32::new(0);
    sim.may_sleep(|cx| {
        enter(
            sim.clone(),
            cx,
            &(&line, &handled),
            |(line, handled), scope| {
                let irq = scope.irq(line, move |_| {
                    handled.fetch_add(1, SeqCst);
                    IrqReturn::Handled
                })?;
                let timer = scope.hrtimer(|_| Restart::No)?;
                timer.start(1.secs())?;
                let mut writes = 0;
                let mut writer = Uses(
                    || {
                        writes += 1;
                        line.raise();
                        scope.sleep(1.micros());
                        assert!(scope.now() < timer.expires().unwrap());
                    },
                    String::new(),
                );
                write!(
                    writer,
                    "{sim:?} {line:?} {irq:?} {timer:?} {scope:?} {}",
                    scope.table()
                )
                .unwrap();
                assert!(writer.1.contains("handlers: 1"), "{}", writer.1);
                assert!(writes > 10);
                assert_eq!(handled.load(SeqCst), writes);
                Ok::<(), Error>(())
            },
        )
    })
    .unwrap();
}

/// The walk goes from the newest on when it begins: it neither misses nor repeats, and has an end.
pub(super) fn a_visitor_registers_what_it_then_does_not_visit<P: TestPlatform>() {
    crate::common::run::<P>(|scope| {
        for _ in 0..3 {
            scope.own(0)?;
        }
        let mut visits = 0;
        scope.inspect(|_| {
            visits += 1;
            assert!(visits < 10, "it has no end");
            scope.own(0).unwrap();
            scope.hrtimer(|_| Restart::No).unwrap();
            scope.inspect(|_| {});
        });
        assert_eq!(visits, 3);
        scope.inspect(|_| visits += 1);
        assert_eq!(visits, 3 + 9);
        Ok(())
    });
}

registers! {
    Regs: 16 {
        0 => ro STATUS: u32,
        8 => rw WORD: u64,
    }
}

/// A register that does something when it is read.
struct Acts(Box<dyn Fn() + Send + Sync>);

impl Model for Acts {
    fn read(&self, _offset: u64, _width: u8) -> u64 {
        (self.0)();
        7
    }
    fn write(&self, _offset: u64, _width: u8, _value: u64) {}
}

struct Reader;

impl<P: Platform> Driver<P> for Reader {
    type Device = (
        <P::Bus as driver_scope::platform::Bus>::Region,
        Arc<AtomicU32>,
    );
    type Data<'drv> = (Mmio<'drv, Regs, P>, HrTimer<'drv, P>);
    type Error = Error;

    fn probe<'drv>(
        (region, reads): &'drv Self::Device,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Self::Data<'drv>, Error> {
        let regs = scope.map::<Regs>(region)?;
        let counted = scope.own(AtomicU32::new(0))?;
        let timer = scope.hrtimer(move |t| {
            // Still mapped, and all that is captured there, whatever the first read has done.
            for _ in 0..3 {
                assert_eq!(regs.read(STATUS), 7);
                counted.fetch_add(1, SeqCst);
            }
            reads.store(counted.load(SeqCst), SeqCst);
            t.restart_after(10.micros())
        })?;
        Ok((regs, timer))
    }
}

/// The access that drops the binding is under way in a callback of the very driver.
pub(super) fn a_model_drops_the_driver_that_accesses_it<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let shelf = Arc::new(Mutex::new(None::<Binding<Reader, Metered<P>>>));
    let dropped = Arc::new(AtomicBool::new(false));
    let act = {
        let (shelf, dropped) = (shelf.clone(), dropped.clone());
        move || {
            if let Some(binding) = shelf.lock().unwrap().take() {
                drop(binding);
                dropped.store(true, SeqCst);
            }
        }
    };
    let region = Region::new(Arc::new(Acts(Box::new(act))), 16);
    let reads = Arc::new(AtomicU32::new(0));
    let device = (region, reads.clone());
    let binding = platform
        .lend_sleep(|cx| Binding::<Reader, _>::bind(platform.clone(), device, cx))
        .unwrap();
    let mut shelved = shelf.lock().unwrap();
    binding.with(|(_, timer)| timer.start(10.micros())).unwrap();
    *shelved = Some(binding);
    drop(shelved);
    platform.meanwhile(|| {
        wait_until(|| dropped.load(SeqCst));
        // What it was reached by is dropped with the device.
        wait_until(|| Arc::strong_count(&reads) == 1);
    });
    let last = reads.load(SeqCst);
    assert!(last >= 3 && last % 3 == 0, "cut short: {last}");
    platform.meanwhile(|| std::thread::sleep(Duration::from_millis(2)));
    assert_eq!(reads.load(SeqCst), last);
    platform.assert_at_rest();
}

/// The action of a register calls the driver by its port, which reads the register again, until the innermost call drops the binding.
pub(super) fn a_register_calls_the_driver_that_reads_it<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let fake = Fake::<Regs>::new();
    let shelf = Arc::new(Mutex::new(None::<Binding<Reader, Metered<P>>>));
    let port = Arc::new(Mutex::new(None::<Port<Reader, Metered<P>>>));
    let depth = Arc::new(AtomicU32::new(0));
    fake.on_read(STATUS, {
        let (shelf, port, depth) = (shelf.clone(), port.clone(), depth.clone());
        move |fake| {
            if depth.fetch_add(1, SeqCst) == 3 {
                drop(shelf.lock().unwrap().take());
                return 1;
            }
            let port = port.lock().unwrap().clone().unwrap();
            let inner = port.call(|(regs, _)| regs.read(STATUS)).unwrap();
            fake.set(WORD, fake.get(WORD) + 1);
            // The binding has gone, and its removal waits: nobody else is let in, here neither.
            assert!(shelf.lock().unwrap().is_none());
            inner + 1
        }
    });
    let device = (fake.region(), Arc::new(AtomicU32::new(0)));
    let binding = platform
        .lend_sleep(|cx| Binding::<Reader, _>::bind(platform.clone(), device, cx))
        .unwrap();
    *port.lock().unwrap() = Some(binding.port().unwrap());
    *shelf.lock().unwrap() = Some(binding);
    let outermost = port.lock().unwrap().clone().unwrap();
    let read = Mutex::new(None);
    in_a_callback(&platform, || {
        let found = outermost.call(|(regs, _)| (regs.read(STATUS), regs.read(WORD)));
        *read.lock().unwrap() = Some(found);
    });
    assert_eq!(*read.lock().unwrap(), Some(Ok((4, 3))));
    drop(port.lock().unwrap().take());
    platform.meanwhile(|| wait_until(|| !outermost.is_open()));
    platform.lend_sleep(|cx| {
        enter(platform.clone(), cx, &(), |(), scope| {
            until(scope, || outermost.call(|_| ()) == Err(Error::Gone));
        });
    });
    drop(outermost);
    platform.meanwhile(|| wait_until(|| platform.meter().live() == 0));
    platform.assert_at_rest();
}
