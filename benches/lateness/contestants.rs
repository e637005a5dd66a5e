//! Who has timers that call: `Host`, a bare loop around Linux's own, runtimes, and threads that sleep.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use driver_scope::platform::{Host, Platform as _};
use driver_scope::{enter, Restart};
use driver_scope_benches::rivals::version;
use driver_scope_benches::timerfd::{monotonic, settime, timerfd};

use super::futures::{async_io, futures_timer};

/// So many periodic timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    pub timers: u64,
    /// The shortest and the longest period, in microseconds.
    periods: [u64; 2],
}

impl Load {
    pub const fn new(timers: u64, periods: [u64; 2]) -> Self {
        Load { timers, periods }
    }

    /// A period for each timer, from the shortest to the longest.
    pub fn period(self, timer: u64) -> Duration {
        let [shortest, longest] = self.periods.map(|micros| micros * 1000);
        let steps = (self.timers - 1).max(1);
        Duration::from_nanos(shortest + timer * (longest - shortest) / steps)
    }

    /// The periods, for people.
    pub fn told(self) -> String {
        match self.periods.map(|micros| micros / 1000) {
            [one, other] if one == other => format!("{one} ms"),
            [one, other] => format!("{one} to {other} ms"),
        }
    }
}

pub struct Contestant {
    pub id: &'static str,
    pub name: &'static str,
    pub version: &'static str,
    pub ours: bool,
    /// Has its timers run for so long; how late each expiry was, in nanoseconds.
    pub run: fn(Load, Duration) -> Vec<f64>,
}

pub fn all() -> Vec<Contestant> {
    let new = |id, name, version, run| Contestant {
        id,
        name,
        version,
        ours: id == "host",
        run,
    };
    vec![
        new(
            "host",
            "driver-scope Host",
            "",
            host as fn(Load, Duration) -> Vec<f64>,
        ),
        new("timerfd", "bare timerfd loop, epoll", "", bare),
        new("sleep", "std thread::sleep, a thread each", "", sleeping),
        new("async-io", "async-io", version("async-io"), async_io),
        new(
            "futures-timer",
            "futures-timer",
            version("futures-timer"),
            futures_timer,
        ),
        new("tokio", "tokio", version("tokio"), tokio),
    ]
}

/// How long ago an instant was, in nanoseconds; less than zero if it is still to come.
pub fn since(at: Instant) -> f64 {
    let now = Instant::now();
    match now.checked_duration_since(at) {
        Some(by) => by.as_nanos() as f64,
        None => -((at - now).as_nanos() as f64),
    }
}

fn host(load: Load, length: Duration) -> Vec<f64> {
    let late = Mutex::new(Vec::new());
    let host = Host::new().expect("its threads start");
    let clock = host.clone();
    host.may_sleep(|cx| {
        enter(host.clone(), cx, &late, |late, scope| {
            for timer in 0..load.timers {
                let clock = clock.clone();
                let tick = scope.hrtimer(move |t| {
                    let by = clock.now().as_nanos() as f64 - t.expires().as_nanos() as f64;
                    late.lock().expect("no panic").push(by);
                    // From instant to instant, whatever was missed.
                    match t.expires().checked_add(load.period(timer)) {
                        Some(next) => Restart::At(next),
                        None => Restart::No,
                    }
                });
                tick.expect("a timer")
                    .start(load.period(timer))
                    .expect("open");
            }
            scope.platform().sleep(cx, length);
        });
    });
    late.into_inner().expect("no panic")
}

fn bare(load: Load, length: Duration) -> Vec<f64> {
    let mut late = Vec::new();
    let begin = monotonic();
    let end = begin + length.as_nanos() as u64;
    let mut next: Vec<u64> = (0..load.timers)
        .map(|timer| begin + load.period(timer).as_nanos() as u64)
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
                    late.push(monotonic() as f64 - next[number] as f64);
                    next[number] += load.period(number as u64).as_nanos() as u64;
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

fn tokio(load: Load, length: Duration) -> Vec<f64> {
    let late = Arc::new(Mutex::new(Vec::new()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime without I/O can be made");
    runtime.block_on(async {
        let begin = tokio::time::Instant::now();
        for timer in 0..load.timers {
            let late = Arc::clone(&late);
            tokio::spawn(async move {
                let mut next = begin;
                loop {
                    next += load.period(timer);
                    tokio::time::sleep_until(next).await;
                    let by = since(next.into_std());
                    late.lock().expect("no panic").push(by);
                }
            });
        }
        tokio::time::sleep(length).await;
    });
    drop(runtime);
    let late = std::mem::take(&mut *late.lock().expect("no panic"));
    late
}

/// A thread for each timer.
fn sleeping(load: Load, length: Duration) -> Vec<f64> {
    let late = Mutex::new(Vec::new());
    let begin = Instant::now();
    let end = begin + length;
    thread::scope(|scope| {
        for timer in 0..load.timers {
            let late = &late;
            let small = thread::Builder::new().stack_size(64 * 1024);
            let started = small.spawn_scoped(scope, move || {
                let mut next = begin + load.period(timer);
                while next < end {
                    thread::sleep(next.saturating_duration_since(Instant::now()));
                    let by = since(next);
                    late.lock().expect("no panic").push(by);
                    next += load.period(timer);
                }
            });
            started.expect("a thread");
        }
    });
    late.into_inner().expect("no panic")
}
