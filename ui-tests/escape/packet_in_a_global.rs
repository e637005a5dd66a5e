// Wrong: a network stack puts a driver's packet into a global queue, where it would be found after `remove`, its buffer gone.
// Instead: queue packets in the scope (what a callback captures, the driver's data), or copy what is in them. A stack that outlives the
// driver calls it by a `Port`. Both are in `examples/nic`.
use std::sync::Mutex;

use driver_scope::{platform::Sim, Driver, DriverScope, Error, Lock, Units};

static QUEUE: Mutex<Vec<Packet<'static>>> = Mutex::new(Vec::new());

fn receive(packet: Packet<'_>) {
    QUEUE.lock().unwrap().push(packet);
}

/// The buffers that nobody has.
type Pool = Lock<Vec<Vec<u8>>, Sim>;

/// A buffer that the driver lends, and gets back.
struct Packet<'drv> {
    pool: &'drv Pool,
    bytes: Vec<u8>,
}
impl Drop for Packet<'_> {
    fn drop(&mut self) {
        self.pool.lock().push(std::mem::take(&mut self.bytes));
    }
}

struct Nic;
impl Driver<Sim> for Nic {
    type Device = ();
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv (), scope: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        let pool: &Pool = scope.own(Lock::new(vec![Vec::new(); 8]))?;
        let poll = scope.hrtimer(move |t| {
            if let Some(bytes) = pool.lock().pop() {
                receive(Packet { pool, bytes });
            }
            t.forward(1.millis())
        })?;
        poll.start(1.millis())
    }
}

fn main() {}
