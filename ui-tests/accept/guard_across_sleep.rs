// A guard, a section and a port call may be held across a sleep, and by a future that stays on its thread across an `await`.
#![forbid(unsafe_code)]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use driver_scope::platform::{Platform, Sim};
use driver_scope::{Binding, Driver, DriverScope, Error, Plain, ReadSection, Revocable, Units};

struct Nothing;
impl<P: Platform> Driver<P> for Nothing {
    type Device = ();
    type Data<'drv> = u32;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, P>) -> Result<u32, Error> {
        Ok(7)
    }
}

/// Ready at the second look.
async fn packet() {
    let mut looked = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut looked, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

async fn read(number: &Revocable<u32, Sim>) -> Option<u32> {
    let guard = number.try_access()?;
    packet().await;
    Some(*guard)
}

struct Idle;
impl Wake for Idle {
    fn wake(self: Arc<Self>) {}
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Idle));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
    }
}

fn main() -> Result<(), Error> {
    let sim = Sim::new();
    let number = Revocable::new(sim.clone(), 42);
    assert_eq!(run(read(&number)), Some(42));
    sim.may_sleep(|cx| {
        let guard = number.try_access();
        sim.sleep(cx, 1.millis());
        assert_eq!(guard.as_deref(), Some(&42));
        drop(guard);

        let section = ReadSection::enter(&sim);
        sim.sleep(cx, 1.millis());
        assert_eq!(number.try_access_with_guard(&section), Some(&42));
        drop(section);

        let binding = Binding::<Nothing, Sim>::bind(sim.clone(), (), cx).map_err(|e| e.error)?;
        let slept = binding.port()?.call(|data| {
            sim.sleep(cx, 1.millis());
            *data
        });
        assert_eq!(slept, Ok(7));
        binding.with_scope(cx, |_, scope| {
            let one = scope.devres::<Plain<u32>>(1)?;
            let guard = one.try_access().ok_or(Error::Gone)?;
            scope.sleep(1.millis());
            assert_eq!(*guard.get(), 1);
            Ok::<(), Error>(())
        })
    })
}
