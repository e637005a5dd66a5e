//! The front of a character device: a directory of nodes, and open files that may outlive the driver behind them.

use std::collections::HashMap;
use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use driver_scope::platform::Host;
use driver_scope::{Binding, MaySleep, Port};
use edu::{Edu, EduData};

/// How long a file waits between two looks at a computation.
const NAP: Duration = Duration::from_micros(50);
/// How long a file stays inside the driver that has been told to leave.
const DAWDLE: Duration = Duration::from_millis(20);

/// What a file answers when it cannot do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errno {
    /// There is no node of that name.
    NoEntry,
    /// The device is gone, or its driver is: this file will not work again.
    NoDevice,
    /// The file has a computation under way.
    Busy,
    /// What was written is no number.
    Invalid,
    /// Something else.
    Io,
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Errno::NoEntry => "ENOENT",
            Errno::NoDevice => "ENODEV",
            Errno::Busy => "EBUSY",
            Errno::Invalid => "EINVAL",
            Errno::Io => "EIO",
        })
    }
}

impl std::error::Error for Errno {}

/// What the crate says: that of [`Port::call`], and that of a timer which is started while the scope is closing.
impl From<driver_scope::Error> for Errno {
    fn from(error: driver_scope::Error) -> Self {
        match error {
            driver_scope::Error::Gone | driver_scope::Error::Closed => Errno::NoDevice,
            _ => Errno::Io,
        }
    }
}

/// What the driver says.
impl From<edu::Error> for Errno {
    fn from(error: edu::Error) -> Self {
        match error {
            edu::Error::Core(error) => error.into(),
            edu::Error::Gone => Errno::NoDevice,
            edu::Error::Busy => Errno::Busy,
            _ => Errno::Io,
        }
    }
}

/// The directory of devices. It knows of those whose driver is bound.
#[derive(Default)]
pub struct Dev {
    nodes: Mutex<HashMap<&'static str, Node>>,
}

/// What every file opened at one path shares.
#[derive(Clone)]
struct Node {
    edu: Port<Edu, Host>,
    queue: Arc<Queue>,
}

impl Dev {
    /// Makes a node for a bound driver. It goes away with the driver, by itself.
    pub fn publish(
        self: &Arc<Self>,
        path: &'static str,
        binding: &Binding<Edu, Host>,
        cx: MaySleep<'_>,
    ) -> Result<(), driver_scope::Error> {
        let node = Node {
            edu: binding.port()?,
            queue: Arc::default(),
        };
        let queue = Arc::clone(&node.queue);
        lock(&self.nodes).insert(path, node);

        let dev = Arc::clone(self);
        binding.with_scope(cx, |_, scope| {
            // The remove waits for those who are inside, so they are told not to wait for anything any more.
            scope.named("hang up").on_remove(move |_| {
                lock(&dev.nodes).remove(path);
                queue.hang_up();
            })
        })
    }

    /// Opens a file. Nothing of it refers to the driver's memory: it may be kept, used and closed at any time.
    pub fn open(&self, path: &str) -> Result<File, Errno> {
        let node = lock(&self.nodes).get(path).cloned();
        Ok(File {
            node: node.ok_or(Errno::NoEntry)?,
            written: None,
        })
    }
}

/// What can be asked of a file by [`ioctl`](File::ioctl).
pub enum Request {
    /// The factorial of a number.
    Factorial(u32),
    /// The identification of the device, when it is about to go.
    LastWords,
}

/// An open file: a clone of the port, and what this one file is about.
pub struct File {
    node: Node,
    /// A number that was written and not read back yet; until then it is this file's turn.
    written: Option<(u32, Turn)>,
}

impl File {
    /// Has the device compute, and waits *inside* one call. In there the driver is there, whatever happens outside: a remove
    /// waits for this.
    pub fn ioctl(&self, request: Request) -> Result<u32, Errno> {
        match request {
            Request::Factorial(argument) => self.factorial(argument),
            Request::LastWords => self.last_words(),
        }
    }

    fn factorial(&self, argument: u32) -> Result<u32, Errno> {
        if self.written.is_some() {
            return Err(Errno::Busy);
        }
        self.call(|edu| {
            let queue = &self.node.queue;
            let _turn = queue.turn()?;
            // Of a file that was closed with its computation under way.
            while edu.is_computing() {
                queue.nap()?;
            }
            edu.start_factorial(argument)?;
            while edu.is_computing() {
                queue.nap()?;
            }
            result(edu, argument)
        })
    }

    fn last_words(&self) -> Result<u32, Errno> {
        self.call(|edu| {
            while self.node.queue.nap().is_ok() {}
            // This one is in no hurry. The driver has been told to go, and will not before this is over.
            thread::sleep(DAWDLE);
            match edu.id() {
                u32::MAX => Err(Errno::NoDevice),
                id => Ok(id),
            }
        })
    }

    /// Has the device begin with the factorial of a number, in decimal digits.
    pub fn write(&mut self, text: &str) -> Result<(), Errno> {
        let argument = text.trim().parse().map_err(|_| Errno::Invalid)?;
        if self.written.is_some() {
            return Err(Errno::Busy);
        }
        // Not inside a call: from here to the read it is the program's time, and no remove should have to wait for that.
        let turn = self.node.queue.turn()?;
        self.wait_until_idle()?;
        self.call(|edu| Ok(edu.start_factorial(argument)?))?;
        self.written = Some((argument, turn));
        Ok(())
    }

    /// Reads the result of what was written, in decimal digits; waits for it *between* calls. Nothing is there to be read if nothing
    /// was written.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        let Some((argument, _turn)) = self.written.take() else {
            return Ok(0);
        };
        self.wait_until_idle()?;
        let value = self.call(|edu| result(edu, argument))?;
        let size = buffer.len();
        let mut rest = buffer;
        writeln!(rest, "{value}").map_err(|_| Errno::Invalid)?;
        Ok(size - rest.len())
    }

    /// How many calls are inside the driver, by all files of this device.
    pub fn calls_inside(&self) -> usize {
        self.node.queue.inside.load(Relaxed)
    }

    /// The one way into the driver: `Err(Gone)` of the port, errors of the driver and of this front become one.
    fn call<R>(&self, f: impl FnOnce(&EduData<'_, Host>) -> Result<R, Errno>) -> Result<R, Errno> {
        self.node.edu.call(|edu| {
            let _inside = Inside::new(&self.node.queue.inside);
            f(edu)
        })?
    }

    fn wait_until_idle(&self) -> Result<(), Errno> {
        while self.call(|edu| Ok(edu.is_computing()))? {
            self.node.queue.nap()?;
        }
        Ok(())
    }
}

/// What became of the computation that has just ended.
fn result(edu: &EduData<'_, Host>, argument: u32) -> Result<u32, Errno> {
    match edu.last() {
        Some(Ok(computed)) if computed.argument == argument => Ok(computed.value),
        Some(Err(error)) => Err(error.into()),
        _ => Err(Errno::Io),
    }
}

/// Where the files of a device wait: the device computes one factorial at a time, and keeps one result.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    /// Calls that are inside the driver, for the report.
    inside: AtomicUsize,
}

/// Tickets, so that everybody's turn comes.
#[derive(Default)]
struct State {
    next: u64,
    serving: u64,
    hung_up: bool,
}

impl Queue {
    /// Waits for its turn.
    fn turn(self: &Arc<Self>) -> Result<Turn, Errno> {
        let mut state = lock(&self.state);
        let ticket = state.next;
        state.next += 1;
        let state = self
            .changed
            .wait_while(state, |state| !state.hung_up && state.serving != ticket)
            .unwrap_or_else(PoisonError::into_inner);
        if state.hung_up {
            // The ticket is lost, but so is the device.
            return Err(Errno::NoDevice);
        }
        Ok(Turn(Arc::clone(self)))
    }

    /// Waits for a moment.
    fn nap(&self) -> Result<(), Errno> {
        let (state, _) = self
            .changed
            .wait_timeout_while(lock(&self.state), NAP, |state| !state.hung_up)
            .unwrap_or_else(PoisonError::into_inner);
        if state.hung_up {
            Err(Errno::NoDevice)
        } else {
            Ok(())
        }
    }

    /// Ends every wait, for good.
    fn hang_up(&self) {
        lock(&self.state).hung_up = true;
        self.changed.notify_all();
    }
}

/// The device is one file's. It is the next one's when this is dropped, by closing the file at the latest.
struct Turn(Arc<Queue>);

impl Drop for Turn {
    fn drop(&mut self) {
        lock(&self.0.state).serving += 1;
        self.0.changed.notify_all();
    }
}

/// Counts a call while it is inside.
struct Inside<'a>(&'a AtomicUsize);

impl<'a> Inside<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Relaxed);
        Inside(count)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Nothing that panics runs under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
