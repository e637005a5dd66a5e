// Handles may be given a shorter life: they are covariant. Helpers need no lifetime of their own.
#![forbid(unsafe_code)]

use driver_scope::platform::{Platform, Sim};
use driver_scope::{enter, Error, HrTimer, Mmio, registers, Restart, Units};

registers! {
    Uart: 8 {
        0 => rw DATA: u8,
    }
}

fn timer<'s, 'drv: 's, P: Platform>(timer: HrTimer<'drv, P>) -> HrTimer<'s, P> {
    timer
}

fn registers<'s, 'drv: 's, P: Platform>(regs: Mmio<'drv, Uart, P>) -> Mmio<'s, Uart, P> {
    regs
}

/// A helper of a driver: any lifetime, any platform.
fn send<P: Platform>(
    uart: Mmio<'_, Uart, P>,
    retry: HrTimer<'_, P>,
    byte: u8,
) -> Result<(), Error> {
    uart.write(DATA, byte);
    retry.start(1.millis())
}

/// The same by reference, as a method of a driver's data would have it.
struct Port<'a, P: Platform> {
    uart: &'a Mmio<'a, Uart, P>,
    retry: &'a HrTimer<'a, P>,
}

fn lend<'a, P: Platform>(uart: &'a Mmio<'_, Uart, P>, retry: &'a HrTimer<'_, P>) -> Port<'a, P> {
    Port { uart, retry }
}

/// One list for the handles of two devices, for the length of a call.
fn both<'s>(outer: HrTimer<'s, Sim>, inner: HrTimer<'s, Sim>) -> [HrTimer<'s, Sim>; 2] {
    [outer, inner]
}

#[allow(dead_code)]
fn all<P: Platform>(uart: Mmio<'_, Uart, P>, retry: HrTimer<'_, P>) -> Result<(), Error> {
    send(registers(uart), timer(retry), 1)?;
    let port = lend(&uart, &retry);
    send(*port.uart, *port.retry, 2)
}

fn main() {
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, outer| {
            let first = outer.hrtimer(|_| Restart::No).unwrap();
            enter(Sim::new(), cx, &(), |_, inner| {
                let second = inner.hrtimer(|_| Restart::No).unwrap();
                for timer in both(first, timer(second)) {
                    timer.start(1.millis()).unwrap();
                }
            });
            assert!(first.is_active());
        });
    });
}
