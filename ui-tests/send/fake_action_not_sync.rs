// Wrong: an action of a fake counts in a `Cell`; several contexts may access the device at a time.
// Instead: an atomic.
use core::cell::Cell;
use driver_scope::platform::Fake;
use driver_scope::*;

registers! {
    Regs: 0x4 {
        0x0 => rw STATUS: u32,
    }
}

fn count(fake: &Fake<Regs>) {
    let count = Cell::new(0);
    fake.on_read(STATUS, move |_| {
        count.set(count.get() + 1);
        count.get()
    });
}

fn main() {}
