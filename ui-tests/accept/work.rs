// Work as a driver has it: it borrows, sleeps, waits for other work, queues itself; handles are in data, on threads, and shortened.
use driver_scope::platform::Sim;
use driver_scope::*;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

struct Led;

struct Data<'drv> {
    blink: Work<'drv, Sim>,
    count: &'drv AtomicU32,
}

impl Driver<Sim> for Led {
    type Device = u32;
    type Data<'drv> = Data<'drv>;
    type Error = Error;

    fn probe<'drv>(times: &'drv u32, scope: &DriverScope<'drv, Sim>) -> Result<Data<'drv>, Error> {
        let count = scope.own(AtomicU32::new(0))?;
        let (blink, vacant) = scope.vacant_work()?;
        let log = scope.work(move |_| {
            assert!(!blink.is_running());
            Restart::No
        })?;
        let mut left = *times;
        vacant.set(scope, move |w| {
            w.sleep(1.millis());
            let _ = log.cancel(w.may_sleep());
            let _ = log.queue();
            count.fetch_add(1, Relaxed);
            left = left.saturating_sub(1);
            if left == 0 { Restart::No } else { w.requeue_after(5.millis()) }
        })?;
        blink.queue()?;
        Ok(Data { blink, count })
    }

    fn remove(data: &Data<'_>, cx: MaySleep<'_>) {
        let _ = data.blink.flush(cx);
    }
}

fn shorter<'s, 'l: 's>(work: Work<'l, Sim>, _: &'s u32) -> Work<'s, Sim> {
    work
}

fn main() {
    let sim = Sim::new();
    let binding = sim.may_sleep(|cx| Binding::<Led, Sim>::bind(sim.clone(), 3, cx)).unwrap();
    sim.advance(1.secs());
    binding.with(|data| {
        assert_eq!(data.count.load(Relaxed), 3);
        std::thread::scope(|threads| {
            threads.spawn(|| shorter(data.blink, &0).queue_after(1.millis()));
        });
    });
    drop(binding);
}
