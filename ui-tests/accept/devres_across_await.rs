//! A `Devres` is held across an `await` in a future that goes to any thread; only its guards are not.

use driver_scope::platform::Host;
use driver_scope::{Devres, HrTimer, Mmio, Port, registers, Units};

registers! {
    Uart: 8 {
        0 => rw DATA: u32,
    }
}

type Regs = Devres<Mmio<'static, Uart, Host>, Host>;
type Timer = Devres<HrTimer<'static, Host>, Host>;
type Number = Devres<&'static u32, Host>;

async fn packet() {}

async fn watch(regs: Regs, timer: Timer, number: Number) -> Option<u32> {
    let before = regs.try_access()?.get().read(DATA);
    packet().await;
    timer.try_access()?.get().start(1.millis()).ok()?;
    packet().await;
    let again = regs.clone();
    packet().await;
    let after = again.try_access_with(|regs| regs.read(DATA))?;
    Some(before + after + number.try_access_with(|number| **number)?)
}

fn spawn(_: impl std::future::Future + Send + 'static) {}

fn main() {
    let _ = |regs: Regs, timer, number| spawn(watch(regs, timer, number));
    let _ = |port: Port<Null, Host>| {
        spawn(async move {
            packet().await;
            let answer = port.call(|data| *data);
            packet().await;
            answer
        })
    };
}

struct Null;

impl<P: driver_scope::Platform> driver_scope::Driver<P> for Null {
    type Device = ();
    type Data<'drv> = u32;
    type Error = driver_scope::Error;

    fn probe<'drv>(
        (): &'drv (),
        _: &driver_scope::DriverScope<'drv, P>,
    ) -> Result<u32, driver_scope::Error> {
        Ok(7)
    }
}
