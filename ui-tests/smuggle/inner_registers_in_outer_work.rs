// Wrong: work of the outer scope reads registers that the inner one has mapped, and unmaps first.
// Instead: map them in the outer scope.
// Refused: `region` escapes the closure body here
use driver_scope::platform::{Region, Sim};
use driver_scope::{enter, Restart};

fn main_with(region: &Region) {
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, region, |region, outer| {
            enter(Sim::new(), cx, region, |region, inner| {
                let regs = inner.map::<[u8]>(region).unwrap();
                let _ = outer.work(move |_| {
                    let _ = regs.try_read::<u32>(0);
                    Restart::No
                });
            });
        });
    });
}

fn main() {}
