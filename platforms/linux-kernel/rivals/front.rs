// SPDX-License-Identifier: GPL-2.0

//! The device file of a rival: commands are written to it, and it is read for the state. Not counted in the comparison.

use core::fmt::{self, Write};

use kernel::{
    fs::{File, Kiocb},
    iov::{IovIterDest, IovIterSource},
    miscdevice::{MiscDevice, MiscDeviceOptions, MiscDeviceRegistration},
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        Arc, ArcBorrow,
    },
};

use crate::device::{Direction, Factorial, Stats, Transfer};
use crate::registers::DMA_BUFFER_SIZE;

/// What a driver lets the file do. An open file outlives the driver: any of these may say `ENODEV`.
pub(crate) trait Driver: Send + Sync + 'static {
    fn factorial(&self, argument: u32) -> Result;
    fn send(&self, at: usize, bytes: &[u8]) -> Result;
    fn receive(&self, at: usize, len: usize) -> Result;
    fn raise(&self, causes: u32) -> Result;
    fn state(&self, received: &mut [u8]) -> Result<State>;
}

/// What is printed.
pub(crate) struct State {
    pub(crate) id: u32,
    pub(crate) computing: bool,
    pub(crate) factorial: Option<Result<Factorial>>,
    pub(crate) transferring: bool,
    pub(crate) transfer: Option<Result<Transfer>>,
    pub(crate) received: Result<usize>,
    pub(crate) stats: [u32; 6],
}

impl State {
    pub(crate) fn counters(stats: &Stats) -> [u32; 6] {
        let Stats { interrupts, computed, transferred, failed, samples, busy } = stats;
        [interrupts, computed, transferred, failed, samples, busy].map(|counter: &Atomic<u32>| counter.load(Relaxed))
    }
}

/// The file.
#[pin_data]
pub(crate) struct Registration<T: Driver> {
    #[pin]
    misc: MiscDeviceRegistration<OpenFile<T>>,
    driver: Arc<T>,
}

impl<T: Driver> Registration<T> {
    pub(crate) fn new(name: &'static CStr, driver: Arc<T>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            // First, because the file may be opened as soon as it is registered.
            driver,
            misc <- MiscDeviceRegistration::register(MiscDeviceOptions { name }),
        })
    }
}

pub(crate) struct OpenFile<T>(core::marker::PhantomData<T>);

#[vtable]
impl<T: Driver> MiscDevice for OpenFile<T> {
    type Ptr = Arc<T>;

    fn open(_file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<Arc<T>> {
        // SAFETY: A registration with `OpenFile` is the field `misc` of a `Registration` and nothing else, and is not unregistered during this call.
        let registration = unsafe { &*kernel::container_of!(core::ptr::from_ref(misc), Registration<T>, misc) };
        Ok(registration.driver.clone())
    }

    fn read_iter(mut kiocb: Kiocb<'_, Arc<T>>, iov: &mut IovIterDest<'_>) -> Result<usize> {
        let driver = kiocb.file();
        let mut text = Text(KVec::with_capacity(1024, GFP_KERNEL)?);
        print(driver, &mut text)?;
        iov.simple_read_from_buffer(kiocb.ki_pos_mut(), &text.0)
    }

    fn write_iter(kiocb: Kiocb<'_, Arc<T>>, iov: &mut IovIterSource<'_>) -> Result<usize> {
        let driver: ArcBorrow<'_, T> = kiocb.file();
        let mut line = [0; 64];
        let all = iov.len();
        let len = iov.copy_from_iter(&mut line);
        if len < all {
            return Err(EINVAL);
        }
        let line = core::str::from_utf8(&line[..len]).map_err(|_| EINVAL)?;
        obey(&*driver, line)?;
        Ok(len)
    }
}

/// Does what the line says.
fn obey(driver: &impl Driver, line: &str) -> Result {
    let mut words = line.split_ascii_whitespace();
    let command = words.next().ok_or(EINVAL)?;
    let mut number = || words.next().and_then(number).ok_or(EINVAL);
    match command {
        "factorial" => driver.factorial(number()?),
        "raise" => driver.raise(number()?),
        "receive" => driver.receive(number()? as usize, number()? as usize),
        "send" => {
            let (at, len) = (number()? as usize, number()? as usize);
            if len > DMA_BUFFER_SIZE {
                return Err(EINVAL);
            }
            let mut bytes = KVec::with_capacity(len, GFP_KERNEL)?;
            for i in 0..len {
                bytes.push(((i * 7 + i / 256) & 0xff) as u8, GFP_KERNEL)?;
            }
            driver.send(at, &bytes)
        }
        _ => Err(EINVAL),
    }
}

fn number(word: &str) -> Option<u32> {
    match word.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

/// Text that grows.
struct Text(KVec<u8>);

impl Write for Text {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.0.extend_from_slice(s.as_bytes(), GFP_KERNEL).map_err(|_| fmt::Error)
    }
}

fn print<T: Driver>(driver: ArcBorrow<'_, T>, text: &mut Text) -> Result {
    let mut received = KVec::from_elem(0u8, DMA_BUFFER_SIZE, GFP_KERNEL)?;
    let state = driver.state(&mut received)?;
    write_state(&state, &received, text).map_err(|_| ENOMEM)
}

fn write_state(state: &State, received: &[u8], text: &mut Text) -> fmt::Result {
    let running = |is| if is { "running" } else { "idle" };
    writeln!(text, "id {:#010x}", state.id)?;
    writeln!(text, "factorial {}", running(state.computing))?;
    match state.factorial {
        None => writeln!(text, "last factorial none")?,
        Some(Ok(done)) => {
            let Factorial { argument, value, took } = done;
            writeln!(text, "last factorial {argument} = {value} in {} ns", took.as_nanos())?;
        }
        Some(Err(error)) => writeln!(text, "last factorial {error:?}")?,
    }
    writeln!(text, "transfer {}", running(state.transferring))?;
    match state.transfer {
        None => writeln!(text, "last transfer none")?,
        Some(Ok(done)) => {
            let way = match done.direction {
                Direction::ToDevice => "to-device",
                Direction::FromDevice => "from-device",
            };
            writeln!(text, "last transfer {way} {} in {} ns", done.len, done.took.as_nanos())?;
        }
        Some(Err(error)) => writeln!(text, "last transfer {error:?}")?,
    }
    match state.received {
        Ok(len @ 1..) => {
            let hash = received[..len]
                .iter()
                .fold(0x811c_9dc5_u32, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
            writeln!(text, "received {len} bytes {hash:#010x}")?;
        }
        _ => writeln!(text, "received none")?,
    }
    let [interrupts, computed, transferred, failed, samples, busy] = state.stats;
    writeln!(
        text,
        "stats interrupts={interrupts} computed={computed} transferred={transferred} failed={failed} samples={samples} busy={busy}"
    )
}
