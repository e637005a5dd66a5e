// Wrong: the callback borrows the caller's buffer, and the function forgets the handle. The timer outlives the buffer.
// Instead: copy the buffer into the scope (`scope.own(buf.to_vec())`), or lend it for the scope's life (`buf: &'drv [u8]`).
use driver_scope::{platform::Sim, DriverScope, Error, Restart, Units};

fn bad(scope: &DriverScope<'_, Sim>, buf: &[u8]) -> Result<(), Error> {
    let timer = scope.hrtimer(move |_| {
        println!("{}", buf[0]);
        Restart::No
    })?;
    timer.start(1.millis())?;
    std::mem::forget(timer);
    Ok(())
}

fn main() {}
