//! How late timers fire: a hundred periodic ones, by `Host`, by runtimes, and by a bare loop around Linux's own.

use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use driver_scope::platform::{Host, Platform as _};
use driver_scope::{enter, Restart};
use driver_scope_benches::report::{time, Records, Table, Value};
use driver_scope_benches::rounds::interleave;
use driver_scope_benches::stats::Spread;

use super::runtimes::{monotonic, settime, timerfd};

const TIMERS: u64 = 100;

/// From 1 to 10 ms.
fn period(timer: u64) -> Duration {
    Duration::from_nanos(1_000_000 + timer * 9_000_000 / (TIMERS - 1))
}

struct Contestant {
    name: &'static str,
    run: fn(Duration) -> Vec<f64>,
    lateness: Vec<f64>,
}

/// Measures, prints, and says whether `Host` is as good as the bare loop.
pub fn measure(quick: bool, records: &mut Records) {
    let new = |name, run| Contestant {
        name,
        run,
        lateness: Vec::new(),
    };
    let mut contestants = [
        new("driver-scope Host", host as fn(Duration) -> Vec<f64>),
        new("bare timerfd loop, epoll", bare),
        new("tokio", tokio),
        new("async-io", async_io),
    ];
    // SAFETY: takes no pointer. The slack is inherited by the threads that are made from here on: those of all contestants.
    let precise = unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1_u64) } == 0;
    let (rounds, each) = if quick {
        (1, Duration::from_millis(30))
    } else {
        (5, Duration::from_secs(1))
    };
    interleave("lateness", rounds, &mut contestants, |contestant| {
        let found = (contestant.run)(each);
        assert!(
            found.len() as u64 > TIMERS,
            "{} fired but {} times",
            contestant.name,
            found.len()
        );
        contestant.lateness.extend(found);
    });
    if quick {
        return;
    }
    let mut table = Table::new(&["lateness", "expiries", "p50", "p99", "max"]);
    for contestant in &mut contestants {
        contestant.lateness.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let last = contestant.lateness.len() - 1;
            contestant.lateness[(part * last as f64) as usize]
        };
        table.row(vec![
            contestant.name.to_owned(),
            contestant.lateness.len().to_string(),
            time(at(0.5)),
            time(at(0.99)),
            time(at(1.0)),
        ]);
        records.add(vec![
            ("lateness of", Value::Text(contestant.name.into())),
            ("p50", Value::Number(at(0.5))),
            ("p99", Value::Number(at(0.99))),
            ("max", Value::Number(at(1.0))),
        ]);
    }
    table.print(&format!(
        "LATENESS: {TIMERS} periodic timers of 1 to 10 ms, {rounds} rounds of {} s in turns; timer slack {}",
        each.as_secs(),
        if precise { "1 ns for all" } else { "as it was" }
    ));
    let median = |number: usize| Spread::of(&contestants[number].lateness).median;
    let ratio = median(0) / median(1);
    println!(
        "  {} the median of Host at most 1.1 x that of the bare timerfd loop? {ratio:.2} x\n",
        if ratio <= 1.1 { "PASS" } else { "FAIL" }
    );
}

fn host(length: Duration) -> Vec<f64> {
    let late = Mutex::new(Vec::new());
    let host = Host::new().expect("its threads start");
    let clock = host.clone();
    host.may_sleep(|cx| {
        enter(host.clone(), cx, &late, |late, scope| {
            for timer in 0..TIMERS {
                let clock = clock.clone();
                let tick = scope.hrtimer(move |t| {
                    let by = clock.now().saturating_duration_since(t.expires());
                    late.lock().expect("no panic").push(by.as_nanos() as f64);
                    // From instant to instant, whatever was missed.
                    match t.expires().checked_add(period(timer)) {
                        Some(next) => Restart::At(next),
                        None => Restart::No,
                    }
                });
                tick.expect("a timer").start(period(timer)).expect("open");
            }
            scope.platform().sleep(cx, length);
        });
    });
    late.into_inner().expect("no panic")
}

fn bare(length: Duration) -> Vec<f64> {
    let mut late = Vec::new();
    let begin = monotonic();
    let end = begin + length.as_nanos() as u64;
    let mut next: Vec<u64> = (0..TIMERS)
        .map(|timer| begin + period(timer).as_nanos() as u64)
        .collect();
    let timers: Vec<libc::c_int> = next
        .iter()
        .map(|&at| {
            let timer = timerfd().expect("a descriptor");
            settime(timer, at);
            timer
        })
        .collect();
    // SAFETY: descriptors of our own, and buffers as long as is said.
    unsafe {
        let poll = libc::epoll_create1(0);
        for (number, &timer) in timers.iter().enumerate() {
            let mut event = libc::epoll_event {
                events: libc::EPOLLIN as u32,
                u64: number as u64,
            };
            libc::epoll_ctl(poll, libc::EPOLL_CTL_ADD, timer, &mut event);
        }
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 32];
        while monotonic() < end {
            let found = libc::epoll_wait(poll, events.as_mut_ptr(), 32, 100).max(0);
            for event in &events[..found as usize] {
                let number = event.u64 as usize;
                let mut expiries = 0_u64;
                let buffer = (&raw mut expiries).cast();
                if libc::read(timers[number], buffer, 8) == 8 {
                    late.push(monotonic().saturating_sub(next[number]) as f64);
                    next[number] += period(number as u64).as_nanos() as u64;
                    settime(timers[number], next[number]);
                }
            }
        }
        libc::close(poll);
        for timer in timers {
            libc::close(timer);
        }
    }
    late
}

fn tokio(length: Duration) -> Vec<f64> {
    let late = Arc::new(Mutex::new(Vec::new()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime without I/O can be made");
    runtime.block_on(async {
        let begin = tokio::time::Instant::now();
        for timer in 0..TIMERS {
            let late = Arc::clone(&late);
            tokio::spawn(async move {
                let mut next = begin;
                loop {
                    next += period(timer);
                    tokio::time::sleep_until(next).await;
                    let by = next.elapsed();
                    late.lock().expect("no panic").push(by.as_nanos() as f64);
                }
            });
        }
        tokio::time::sleep(length).await;
    });
    drop(runtime);
    let late = std::mem::take(&mut *late.lock().expect("no panic"));
    late
}

/// One timer's part of a task that is all of them.
struct Part {
    woken: AtomicBool,
    task: Waker,
}

impl Wake for Part {
    fn wake(self: Arc<Self>) {
        // Release: pairs with the Acquire of the task, which then polls what was made ready.
        self.woken.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

fn async_io(length: Duration) -> Vec<f64> {
    let mut late = Vec::new();
    let begin = Instant::now();
    let mut next: Vec<Instant> = (0..TIMERS).map(|timer| begin + period(timer)).collect();
    let mut timers: Vec<async_io::Timer> = next.iter().map(|&at| async_io::Timer::at(at)).collect();
    let mut parts: Vec<Arc<Part>> = Vec::new();
    // The thread that blocks drives the reactor itself, which is the shortest way.
    async_io::block_on(poll_fn(|cx| {
        if parts.is_empty() {
            parts.extend((0..TIMERS).map(|_| {
                Arc::new(Part {
                    woken: AtomicBool::new(true),
                    task: cx.waker().clone(),
                })
            }));
        }
        for (number, part) in parts.iter().enumerate() {
            // Acquire: pairs with the Release in `wake`.
            if !part.woken.swap(false, Ordering::Acquire) {
                continue;
            }
            let waker = Waker::from(Arc::clone(part));
            let mut cx = Context::from_waker(&waker);
            while Pin::new(&mut timers[number]).poll(&mut cx).is_ready() {
                late.push(next[number].elapsed().as_nanos() as f64);
                next[number] += period(number as u64);
                timers[number].set_at(next[number]);
            }
        }
        if begin.elapsed() < length {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }));
    late
}
