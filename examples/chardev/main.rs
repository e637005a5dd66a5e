//! Open files that survive the unplug of the device behind them, and its driver's removal under load.
//!
//! ```sh
//! cargo run --example chardev
//! ```
//!
//! A character device is the classical case of something that must outlive a driver: a program keeps its file open for as long as it
//! likes, and the device is pulled out meanwhile. Here each open file holds a clone of a [`Port<Edu, Host>`](driver_scope::Port): a
//! `'static` way in, checked once per call. Eight threads compute factorials through their files as fast as they can, half of
//! them waiting for the device inside a call (`ioctl`), half between calls (`write`, `read`); a ninth is inside all the time, and slow to
//! leave. In the middle of that
//!
//! 1. the device is pulled out, and then its driver removed;
//! 2. another device is plugged in, and its driver removed while it works.
//!
//! Every file gets a clear `ENODEV` in the end. The remove waits for the calls that are inside, however long they take. They are told to
//! hurry by an `on_remove` action (see [`Dev::publish`](front::Dev::publish)): whoever waits for something inside a call needs that. The
//! old files stay dead when there is a device again. The exit status says whether all of this was so.
#![forbid(unsafe_code)]

use std::sync::mpsc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{process, thread};

use driver_scope::platform::{Host, Platform};
use driver_scope::{Binding, MaySleep, Units};
use edu::Edu;
use edu_model::{Delivery, EduConfig, EduModel, Interrupts};

mod front;

use front::{Dev, Errno, File, Request};

type Error = Box<dyn std::error::Error>;

const PATH: &str = "/dev/edu0";
const THREADS: usize = 8;
/// How much each thread has to do before anything is taken away.
const WARM_UP: usize = 300;
/// How long it may all take, several times over.
const LIMIT: Duration = Duration::from_secs(30);

fn main() -> Result<(), Error> {
    // That nothing hangs is a part of what is shown.
    thread::spawn(|| {
        thread::sleep(LIMIT);
        eprintln!("something hangs");
        process::exit(2);
    });
    let host = Host::new()?;
    host.may_sleep(|cx| run(&host, cx))
}

fn run(host: &Host, cx: MaySleep<'_>) -> Result<(), Error> {
    let dev = Arc::new(Dev::default());

    println!("1. the device is pulled out, then its driver removed");
    let (binding, device) = plug(host, &dev, cx)?;
    let mut dead = under_load(&dev, binding, cx, || {
        device.model.unplug();
        host.sleep(cx, 1.millis());
    })?;

    println!("\n2. another device; its driver is removed while it works");
    let (binding, _device) = plug(host, &dev, cx)?;
    dead.append(&mut under_load(&dev, binding, cx, || ())?);

    println!("\n3. and another; {} old files are still open", dead.len());
    let (_binding, _device) = plug(host, &dev, cx)?;
    for file in &mut dead {
        check(is_dead(file), "an old file stays dead")?;
    }
    let answer = dev.open(PATH)?.ioctl(Request::Factorial(12))?;
    println!(
        "   each answers {}; a new one says 12! = {answer}",
        Errno::NoDevice
    );
    check(answer == 479_001_600, "12! is right")?;
    // Closed long after their drivers have gone, and while another is bound. (That one goes at the end of this block.)
    drop(dead);
    Ok(())
}

/// A device in its slot.
struct Device {
    model: Arc<EduModel>,
    _interrupts: Interrupts<Host>,
}

/// A new device, its driver, and the node for programs to find it by.
fn plug(
    host: &Host,
    dev: &Arc<Dev>,
    cx: MaySleep<'_>,
) -> Result<(Binding<Edu, Host>, Device), Error> {
    let config = EduConfig {
        compute: Duration::from_micros(20),
        ..EduConfig::default()
    };
    let model = EduModel::on(host, config);
    let interrupts = model.interrupts(host, cx, Delivery::Messages)?;
    let binding =
        Binding::bind(host.clone(), interrupts.pci_device()?, cx).map_err(|failed| failed.error)?;
    dev.publish(PATH, &binding, cx)?;
    let device = Device {
        model,
        _interrupts: interrupts,
    };
    Ok((binding, device))
}

/// Has the threads work, calls `meanwhile`, and removes the driver; gives back the files, which are still open.
fn under_load(
    dev: &Dev,
    binding: Binding<Edu, Host>,
    cx: MaySleep<'_>,
    meanwhile: impl FnOnce(),
) -> Result<Vec<File>, Error> {
    let witness = dev.open(PATH)?;
    let (warm, warmed_up) = mpsc::channel();
    let start = |how: How| {
        let (file, warm) = (dev.open(PATH)?, warm.clone());
        // A plain thread, which may run as long as it likes: nothing ties it to the driver.
        Ok::<_, Errno>((how, thread::spawn(move || work(file, how, &warm))))
    };
    // First the one that will be inside for certain.
    let mut workers = vec![start(How::LastWords)?];
    while witness.calls_inside() == 0 {
        thread::yield_now();
    }
    for index in 0..THREADS {
        workers.push(start([How::Ioctl, How::WriteAndRead][index % 2])?);
    }
    for () in warmed_up.iter().take(THREADS) {}

    meanwhile();
    let inside = witness.calls_inside();
    let begun = Instant::now();
    let _device = binding.unbind(cx)?;
    let took = begun.elapsed();
    let left = witness.calls_inside();

    println!("   by             calls    right    ended with");
    let mut files = vec![witness];
    for (how, worker) in workers {
        let (file, tally) = worker.join().map_err(|_| "a thread crashed")?;
        let name = how.name();
        println!(
            "   {name:<14} {:<8} {:<8} {}",
            tally.calls, tally.right, tally.ended
        );
        check(tally.right == tally.calls, "each result is right")?;
        check(tally.ended == Errno::NoDevice, "each file ends with ENODEV")?;
        check(
            how == How::LastWords || tally.calls >= WARM_UP,
            "no file ends before its time",
        )?;
        files.push(file);
    }
    println!(
        "   the remove took {:.1} ms; calls inside: {inside} before it, {left} after",
        took.as_secs_f64() * 1e3
    );
    check(inside > 0 && left == 0, "the remove waits for calls inside")?;
    let reopened = dev.open(PATH).map(|_| ());
    check(
        reopened == Err(Errno::NoEntry),
        "the node goes with the driver",
    )?;
    Ok(files)
}

/// How a thread uses its file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Ioctl,
    WriteAndRead,
    LastWords,
}

impl How {
    fn name(self) -> &'static str {
        match self {
            How::Ioctl => "ioctl",
            How::WriteAndRead => "write, read",
            How::LastWords => "last words",
        }
    }

    /// Does it once, and says whether the result was right.
    fn once(self, file: &mut File, argument: u32) -> Result<bool, Errno> {
        let value: u32 = match self {
            How::Ioctl => file.ioctl(Request::Factorial(argument))?,
            How::WriteAndRead => {
                let mut text = [0; 16];
                file.write(&argument.to_string())?;
                let length = file.read(&mut text)?;
                let text = std::str::from_utf8(&text[..length]).map_err(|_| Errno::Invalid)?;
                text.trim().parse().map_err(|_| Errno::Invalid)?
            }
            // The low byte says that it is an edu device.
            How::LastWords => return Ok(file.ioctl(Request::LastWords)? & 0xff == 0xed),
        };
        Ok(value == expected(argument))
    }
}

/// What a thread has done.
struct Tally {
    calls: usize,
    right: usize,
    ended: Errno,
}

/// Uses the file until that fails. In no other way does it hear of the removal.
fn work(mut file: File, how: How, warm: &mpsc::Sender<()>) -> (File, Tally) {
    let (mut calls, mut right) = (0, 0);
    let mut arguments = (1..=30).cycle();
    let ended = loop {
        match how.once(&mut file, arguments.next().unwrap_or(1)) {
            Ok(is_right) => right += usize::from(is_right),
            Err(errno) => break errno,
        }
        calls += 1;
        if calls == WARM_UP {
            // Nobody listens any more if something has gone wrong already.
            let _ = warm.send(());
        }
    };
    if calls < WARM_UP {
        let _ = warm.send(());
    }
    (
        file,
        Tally {
            calls,
            right,
            ended,
        },
    )
}

/// The low 32 bits of a factorial; up to 30! is exact in 128 bits.
fn expected(argument: u32) -> u32 {
    (1..=u128::from(argument)).product::<u128>() as u32
}

/// Whether a file refuses everything in the one way that it should.
fn is_dead(file: &mut File) -> bool {
    // What was written before the end is lost; then there is nothing to be read.
    let read = file.read(&mut [0; 16]);
    matches!(read, Ok(0) | Err(Errno::NoDevice))
        && file.ioctl(Request::Factorial(3)) == Err(Errno::NoDevice)
        && file.write("3") == Err(Errno::NoDevice)
}

fn check(holds: bool, what: &str) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(format!("NOT SO: {what}").into())
    }
}
