//! Interrupts that the kernel tells of by a file.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use driver_scope::platform::IrqLine;
use rustix::event::{eventfd, poll, EventfdFlags, PollFd, PollFlags, Timespec};
use rustix::io::Errno;

/// How long the handlers of a level get, before the line is looked at for the first time; each further time they get twice as long.
const FIRST_LOOK: Duration = Duration::from_micros(20);
/// The longest time between two looks: a handler may be disabled for long, or there may be none.
const LONGEST: Duration = Duration::from_millis(10);

/// A thread that waits at a file and raises a line. It ends when this is dropped.
pub struct Interrupts {
    stop: OwnedFd,
    thread: Option<JoinHandle<()>>,
}

/// A device's INTx line, which the kernel masks whenever it tells of it.
pub trait Level: Send + 'static {
    /// Whether the device still holds its line.
    ///
    /// # Errors
    /// The kernel's.
    fn is_asserted(&mut self) -> io::Result<bool>;

    /// Lets the next interrupt come.
    ///
    /// # Errors
    /// The kernel's.
    fn unmask(&mut self) -> io::Result<()>;
}

impl Interrupts {
    /// For messages: each time the file, an eventfd, can be read, the line is raised.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn of_messages(file: File, line: IrqLine) -> io::Result<Self> {
        Self::start(move |stop| {
            let mut count = [0; 8];
            while next(&file, stop, &mut count)? {
                line.raise();
            }
            Ok(())
        })
    }

    /// For a level: each time the file, a UIO device, can be read, the line is raised, again and again until the device does not hold it any more, since the handler has
    /// acknowledged that at the device. Then it is unmasked. So what nobody has handled yet is not lost, and a handler of another device is not asked in a loop.
    ///
    /// # Errors
    /// If there is no thread to be had, or the line cannot be unmasked.
    pub fn of_level(file: File, mut level: impl Level, line: IrqLine) -> io::Result<Self> {
        level.unmask()?;
        Self::start(move |stop| {
            let mut count = [0; 4];
            while next(&file, stop, &mut count)? {
                let mut delay = FIRST_LOOK;
                line.raise();
                loop {
                    if stops_within(stop, delay)? {
                        return Ok(());
                    }
                    if !level.is_asserted()? {
                        break;
                    }
                    line.raise();
                    delay = (delay * 2).min(LONGEST);
                }
                level.unmask()?;
            }
            Ok(())
        })
    }

    /// The thread's function returns when the file that it is given can be read.
    fn start(run: impl FnOnce(&OwnedFd) -> io::Result<()> + Send + 'static) -> io::Result<Self> {
        let stop = eventfd(0, EventfdFlags::CLOEXEC)?;
        let stopped = stop.try_clone()?;
        let thread = thread::Builder::new().name("irq".into()).spawn(move || {
            // Without interrupts the driver's time-outs tell; this says why.
            if let Err(error) = run(&stopped) {
                panic!("no more interrupts: {error}");
            }
        })?;
        Ok(Interrupts {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        let told = rustix::io::write(&self.stop, &1_u64.to_ne_bytes());
        if let (Ok(_), Some(thread)) = (told, self.thread.take()) {
            // If it panicked, that was told.
            let _ = thread.join();
        }
    }
}

/// Waits for the file and reads it; `false` if it is time to stop.
fn next(mut file: &File, stop: &OwnedFd, count: &mut [u8]) -> io::Result<bool> {
    let mut fds = [
        PollFd::new(stop, PollFlags::IN),
        PollFd::new(file, PollFlags::IN),
    ];
    wait(&mut fds, None)?;
    if !fds[0].revents().is_empty() {
        return Ok(false);
    }
    file.read_exact(count)?;
    Ok(true)
}

/// Whether it is time to stop, after this time at the latest.
fn stops_within(stop: &OwnedFd, limit: Duration) -> io::Result<bool> {
    wait(&mut [PollFd::new(stop, PollFlags::IN)], Some(limit))
}

/// Waits until one of the files can be read, or has an error to be read. `false` if there was no such within the limit.
fn wait(files: &mut [PollFd<'_>], limit: Option<Duration>) -> io::Result<bool> {
    let limit = limit.map(|limit| Timespec {
        tv_sec: limit.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: limit.subsec_nanos().into(),
    });
    loop {
        match poll(files, limit.as_ref()) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::Arc;

    use driver_scope::platform::Host;
    use driver_scope::{enter, Error, IrqReturn};
    use rustix::pipe::pipe;

    use super::*;

    /// A line that a test holds, and how often it was unmasked.
    #[derive(Clone, Default)]
    struct Wire {
        held: Arc<AtomicU32>,
        unmasked: Arc<AtomicU32>,
    }

    impl Level for Wire {
        fn is_asserted(&mut self) -> io::Result<bool> {
            Ok(self.held.load(Ordering::SeqCst) > 0)
        }

        fn unmask(&mut self) -> io::Result<()> {
            self.unmasked.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }

    fn until(done: impl Fn() -> bool) {
        for _ in 0..10_000 {
            if done() {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        panic!("not in 10 s");
    }

    /// Runs `f` with a handler on the line, which counts, and lets go of the wire at the call with this number.
    fn with_handler(line: &IrqLine, wire: &Wire, last: u32, f: impl FnOnce(&AtomicU32)) {
        let host = Host::new().unwrap();
        let calls = AtomicU32::new(0);
        let ran = host.may_sleep(|cx| {
            enter(
                host.clone(),
                cx,
                &(line, wire, &calls),
                |&(line, wire, calls), scope| {
                    scope.irq(line, move |_| {
                        if calls.fetch_add(1, Ordering::SeqCst) + 1 == last {
                            wire.held.store(0, Ordering::SeqCst);
                        }
                        IrqReturn::Handled
                    })?;
                    f(calls);
                    Ok::<(), Error>(())
                },
            )
        });
        assert_eq!(ran, Ok(()));
    }

    #[test]
    fn each_message_raises_the_line() {
        let line = IrqLine::new();
        let event = eventfd(0, EventfdFlags::empty()).unwrap();
        let interrupts = Interrupts::of_messages(event.try_clone().unwrap().into(), line.clone());
        with_handler(&line, &Wire::default(), 0, |calls| {
            for n in 1..=3 {
                rustix::io::write(&event, &1_u64.to_ne_bytes()).unwrap();
                until(|| calls.load(Ordering::SeqCst) == n);
            }
        });
        drop(interrupts.unwrap());
    }

    #[test]
    fn a_level_is_unmasked_when_the_device_lets_go() {
        let (line, wire) = (IrqLine::new(), Wire::default());
        let (read, write) = pipe().unwrap();
        let interrupts = Interrupts::of_level(read.into(), wire.clone(), line.clone()).unwrap();
        let unmasked = || wire.unmasked.load(Ordering::SeqCst);
        assert_eq!(unmasked(), 1);
        with_handler(&line, &wire, 3, |calls| {
            wire.held.store(1, Ordering::SeqCst);
            rustix::io::write(&write, &[0; 4]).unwrap();
            // The handler does nothing about it twice.
            until(|| unmasked() == 2);
            assert!(calls.load(Ordering::SeqCst) >= 3);
        });
        drop(interrupts);
    }

    #[test]
    fn what_nobody_handles_waits_and_does_not_keep_the_thread_from_its_end() {
        let (line, wire) = (IrqLine::new(), Wire::default());
        let (read, write) = pipe().unwrap();
        let interrupts = Interrupts::of_level(read.into(), wire.clone(), line.clone()).unwrap();
        wire.held.store(1, Ordering::SeqCst);
        rustix::io::write(&write, &[0; 4]).unwrap();
        thread::sleep(Duration::from_millis(30));
        assert_eq!(wire.unmasked.load(Ordering::SeqCst), 1);
        // Then somebody comes.
        with_handler(&line, &wire, 1, |_| {
            until(|| wire.unmasked.load(Ordering::SeqCst) == 2);
        });
        wire.held.store(1, Ordering::SeqCst);
        rustix::io::write(&write, &[0; 4]).unwrap();
        drop(interrupts);
    }
}
