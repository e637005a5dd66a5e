// Handles are `Send` and `Sync`, and so is a `Binding`; a thread that ends before the scope may use them.
#![forbid(unsafe_code)]

use driver_scope::platform::{Host, Platform, Sim};
use driver_scope::{enter, Binding, Driver, HrTimer, Lock, Mmio, Once, Registers, Restart, Units};

// A block is only a name: what it is made of does not matter.
struct Block(#[allow(dead_code)] std::cell::Cell<u8>);
impl Registers for Block {
    const SIZE: usize = 4;
}

fn send_and_sync<T: Send + Sync>() {}

#[allow(dead_code)]
fn for_every_platform<'drv, P: Platform, D: Driver<P>>() {
    send_and_sync::<HrTimer<'drv, P>>();
    send_and_sync::<Mmio<'drv, Block, P>>();
    send_and_sync::<Lock<std::cell::Cell<u8>, P>>();
    send_and_sync::<Once<&'drv u8>>();
    send_and_sync::<Binding<D, P>>();
    send_and_sync::<D::Data<'drv>>();
}

fn main() {
    send_and_sync::<HrTimer<'static, Host>>();
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, scope| {
            let timer = scope.hrtimer(|_| Restart::No).unwrap();
            std::thread::scope(|threads| {
                threads.spawn(move || timer.start(1.millis()).unwrap());
            });
            assert!(timer.is_active());
        });
    });
}
