// SPDX-License-Identifier: GPL-2.0

//! The edu driver with Linux's own abstractions, the new way: `Data<'bound>`, and what it registers borrows from it.
//!
//! The interrupt's handler and the timers' callbacks borrow the BAR. Delayed work and an open file must be `'static`: they go through `WayIn`.

use kernel::{
    device::{Bound, Core},
    dma::{Coherent, Device as _, DmaMask},
    impl_has_delayed_work, impl_has_hr_timer,
    io::{io_project, Io},
    irq::{Flags, IrqReturn, ThreadedHandler, ThreadedIrqReturn, ThreadedRegistration},
    new_delayed_work, new_mutex, new_spinlock_irq, pci,
    pci::{IrqTypes, IrqVectorRegistration},
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        Arc, Completion, Mutex, SpinLockIrq,
    },
    time::{
        hrtimer::{
            HrTimer, HrTimerCallback, HrTimerCallbackContext, HrTimerRestart, PinHrTimerHandle, RelativeMode,
            UnsafeHrTimerPointer,
        },
        msecs_to_jiffies, Monotonic,
    },
    workqueue::{self, DelayedWork, WorkItem},
};

mod device;
mod front;
mod registers;

use device::*;
use registers::*;

/// The device's arithmetic unit.
#[pin_data]
struct Factorials<'bound> {
    // Must stay the first field: it is dropped first, and ends the timer before what the callback uses is gone.
    #[pin]
    time_out: Mutex<Option<PinHrTimerHandle<'bound, Self>>>,
    #[pin]
    timer: HrTimer<Self>,
    #[pin]
    job: SpinLockIrq<FactorialJob>,
    shared: &'bound Shared<'bound>,
}

impl_has_hr_timer! {
    impl{'bound} HasHrTimer<Self> for Factorials<'bound> {
        mode: RelativeMode<Monotonic>, field: self.timer
    }
}

impl<'bound> HrTimerCallback for Factorials<'bound> {
    type Pointer<'a> = Pin<&'bound Self>;

    fn run(this: Pin<&'bound Self>, _: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        this.job.lock().finish(&this.shared.bar, &this.shared.stats, true);
        HrTimerRestart::NoRestart
    }
}

impl<'bound> Factorials<'bound> {
    fn new(shared: &'bound Shared<'bound>) -> impl PinInit<Self, Error> + 'bound {
        try_pin_init!(Self {
            time_out <- new_mutex!(None),
            timer <- HrTimer::new(),
            job <- new_spinlock_irq!(FactorialJob::default()),
            shared,
        })
    }

    /// Context: may sleep. (The handle of a timer can be replaced only where one may wait for its callback.)
    fn start(self: Pin<&'bound Self>, argument: u32) -> Result {
        let mut time_out = self.time_out.lock();
        // Before the timer is started again: dropping the old handle would end it. And not under the lock that the callback takes.
        *time_out = None;
        self.job.lock().start(&self.shared.bar, argument)?;
        // SAFETY: The handle is not forgotten: it is dropped with the first field of `self`, or when it is replaced.
        *time_out = Some(unsafe { UnsafeHrTimerPointer::start(self, TIME_OUT) });
        Ok(())
    }

    /// Looks whether the device is done: it says so, or may be gone.
    fn look(&self) {
        let mut time_out = self.time_out.lock();
        let mut job = self.job.lock();
        job.finish(&self.shared.bar, &self.shared.stats, false);
        let running = job.is_running();
        drop(job);
        if !running {
            *time_out = None;
        }
    }
}

/// The device's DMA engine.
#[pin_data]
struct Transfers<'bound> {
    // Must stay the first field, as in `Factorials`.
    #[pin]
    time_out: Mutex<Option<PinHrTimerHandle<'bound, Self>>>,
    #[pin]
    timer: HrTimer<Self>,
    #[pin]
    job: SpinLockIrq<TransferJob>,
    /// In memory; as large as the device's.
    buffer: Coherent<[u8]>,
    shared: &'bound Shared<'bound>,
}

impl_has_hr_timer! {
    impl{'bound} HasHrTimer<Self> for Transfers<'bound> {
        mode: RelativeMode<Monotonic>, field: self.timer
    }
}

impl<'bound> HrTimerCallback for Transfers<'bound> {
    type Pointer<'a> = Pin<&'bound Self>;

    fn run(this: Pin<&'bound Self>, _: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        this.job.lock().finish(&this.shared.bar, &this.shared.stats, true);
        HrTimerRestart::NoRestart
    }
}

impl<'bound> Transfers<'bound> {
    fn new(pdev: &'bound pci::Device<Bound>, shared: &'bound Shared<'bound>) -> impl PinInit<Self, Error> + 'bound {
        try_pin_init!(Self {
            time_out <- new_mutex!(None),
            timer <- HrTimer::new(),
            job <- new_spinlock_irq!(TransferJob::default()),
            buffer: Coherent::zeroed_slice(pdev.as_ref(), DMA_BUFFER_SIZE, GFP_KERNEL)?,
            shared,
        })
    }

    /// Copies `bytes` into the device's buffer, from its byte `at` on.
    fn send(self: Pin<&'bound Self>, at: usize, bytes: &[u8]) -> Result {
        let len = bytes.len();
        if len > DMA_BUFFER_SIZE {
            return Err(EINVAL);
        }
        self.start(Direction::ToDevice, at, len, || {
            io_project!(self.buffer, [panic: ..len]).copy_from_slice(bytes)
        })
    }

    /// Copies so many bytes out of the device's buffer, from its byte `at` on.
    fn receive(self: Pin<&'bound Self>, at: usize, len: usize) -> Result {
        self.start(Direction::FromDevice, at, len, || ())
    }

    fn start(self: Pin<&'bound Self>, direction: Direction, at: usize, len: usize, prepare: impl FnOnce()) -> Result {
        let address = self.buffer.dma_address() as u32;
        let mut time_out = self.time_out.lock();
        // As for a factorial.
        *time_out = None;
        self.job.lock().start(&self.shared.bar, direction, address, at, len, prepare)?;
        // SAFETY: The handle is not forgotten: it is dropped with the first field of `self`, or when it is replaced.
        *time_out = Some(unsafe { UnsafeHrTimerPointer::start(self, TIME_OUT) });
        Ok(())
    }

    /// Looks whether the device is done: it says so, or may be gone.
    fn look(&self) {
        let mut time_out = self.time_out.lock();
        let mut job = self.job.lock();
        job.finish(&self.shared.bar, &self.shared.stats, false);
        let running = job.is_running();
        drop(job);
        if !running {
            *time_out = None;
        }
    }

    /// What the last transfer has brought; how many bytes.
    fn received(&self, to: &mut [u8]) -> Result<usize> {
        let job = self.job.lock();
        let len = job.received()?.min(to.len());
        io_project!(self.buffer, [panic: ..len]).copy_to_slice(&mut to[..len]);
        Ok(len)
    }
}

/// What every part uses.
struct Shared<'bound> {
    bar: Bar0<'bound>,
    stats: Stats,
}

/// The parts, for one who calls the driver.
#[derive(Clone, Copy)]
struct Edu<'bound> {
    shared: &'bound Shared<'bound>,
    factorials: Pin<&'bound Factorials<'bound>>,
    transfers: Pin<&'bound Transfers<'bound>>,
}

/// Takes the interrupts.
struct Handler<'bound> {
    edu: Edu<'bound>,
    /// What the handler has taken off the device, for the thread.
    factorial: Atomic<bool>,
    dma: Atomic<bool>,
}

impl ThreadedHandler for Handler<'_> {
    fn handle(&self) -> ThreadedIrqReturn {
        let bar = &self.edu.shared.bar;
        match or_gone(bar.read(INTERRUPT_STATUS)) {
            Ok(raised) if raised.into_raw() != 0 => {
                bar.write_reg(INTERRUPT_ACKNOWLEDGE::from(raised.into_raw()));
                if raised.factorial() {
                    self.factorial.store(true, Relaxed);
                }
                if raised.dma() {
                    self.dma.store(true, Relaxed);
                }
                ThreadedIrqReturn::WakeThread
            }
            _ => ThreadedIrqReturn::None,
        }
    }

    fn handle_threaded(&self) -> IrqReturn {
        self.edu.shared.stats.interrupts.add(1, Relaxed);
        if self.factorial.xchg(false, Relaxed) {
            self.edu.factorials.look();
        }
        if self.dma.xchg(false, Relaxed) {
            self.edu.transfers.look();
        }
        IrqReturn::Handled
    }
}

/// The driver for those that must be `'static` and may outlive it: an open file, and work. There is neither delayed work nor a file that borrows.
#[pin_data]
struct WayIn {
    #[pin]
    edu: Mutex<Option<Edu<'static>>>,
}

impl WayIn {
    fn with<R>(&self, f: impl for<'a> FnOnce(&Edu<'a>) -> Result<R>) -> Result<R> {
        f(self.edu.lock().as_ref().ok_or(ENODEV)?)
    }
}

/// Work that keeps statistics, and notices that the device was pulled out.
#[pin_data]
struct Statistics {
    #[pin]
    work: DelayedWork<Self>,
    #[pin]
    ended: Completion,
    way_in: Arc<WayIn>,
}

impl_has_delayed_work! {
    impl HasDelayedWork<Self> for Statistics { self.work }
}

impl WorkItem for Statistics {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        let sampled = this.way_in.with(|edu| {
            match or_gone(edu.shared.bar.read(STATUS)) {
                Ok(status) => {
                    edu.shared.stats.samples.add(1, Relaxed);
                    edu.shared.stats.busy.add(u32::from(status.computing()), Relaxed);
                }
                Err(_) => {
                    // Nobody will raise an interrupt for them any more.
                    edu.factorials.look();
                    edu.transfers.look();
                }
            }
            Ok(())
        });
        match sampled {
            Ok(()) => Self::queue(this),
            Err(_) => this.ended.complete_all(),
        }
    }
}

impl Statistics {
    fn new(way_in: Arc<WayIn>) -> impl PinInit<Self> {
        pin_init!(Self {
            work <- new_delayed_work!("edu statistics"),
            ended <- Completion::new(),
            way_in,
        })
    }

    fn queue(this: Arc<Self>) {
        // CANNOT FAIL: the work is not queued while it runs, nor before it was queued first.
        let _ = workqueue::system_power_efficient().enqueue_delayed(this, msecs_to_jiffies(SAMPLE_PERIOD));
    }
}

/// Lets the outside in while it lives.
struct Open {
    way_in: Arc<WayIn>,
    statistics: Arc<Statistics>,
}

impl Open {
    /// # Safety
    ///
    /// The returned value must not be forgotten, and must be dropped before what `edu` borrows.
    unsafe fn new(way_in: Arc<WayIn>, edu: Edu<'_>) -> Result<Self> {
        let statistics = Arc::pin_init(Statistics::new(way_in.clone()), GFP_KERNEL)?;
        // SAFETY: It is taken out again when the returned value is dropped, under the lock that its users hold; by the safety requirements that is early enough.
        *way_in.edu.lock() = Some(unsafe { core::mem::transmute::<Edu<'_>, Edu<'static>>(edu) });
        Statistics::queue(statistics.clone());
        Ok(Self { way_in, statistics })
    }

    fn close(&self) {
        *self.way_in.edu.lock() = None;
        // There is no cancelling of work: it is waited until it notices by itself. (The last instructions of it may run after this, in a module that is unloaded.)
        self.statistics.ended.wait_for_completion();
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.close();
    }
}

/// The driver while it is bound.
///
/// The order of the fields is the order of teardown: first the outside is kept out, then interrupts, then the timers; the BAR is unmapped last.
#[pin_data]
struct Data<'bound> {
    #[pin]
    file: front::Registration<WayIn>,
    open: Open,
    #[pin]
    irq: ThreadedRegistration<'bound, Handler<'bound>>,
    // Must be after `irq`, which borrows from it.
    vectors: IrqVectorRegistration<'bound>,
    // Must be after `open` and `irq`.
    #[pin]
    factorials: Factorials<'bound>,
    // Must be after `open` and `irq`.
    #[pin]
    transfers: Transfers<'bound>,
    // Must be after everything above, which borrows from it.
    shared: Shared<'bound>,
}

struct Driver;

// 1234:11e8; that vendor has no name in `pci::Vendor`, so by its class and, in `probe`, its id.
kernel::pci_device_table!(
    PCI_TABLE,
    <Driver as pci::Driver>::IdInfo,
    [(pci::DeviceId::from_class(0x00ff00, 0xffffff), ())]
);

impl pci::Driver for Driver {
    type IdInfo = ();
    type Data<'bound> = Data<'bound>;
    const ID_TABLE: pci::IdTable<Self::IdInfo> = &PCI_TABLE;

    fn probe<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        _info: Option<&'bound Self::IdInfo>,
    ) -> impl PinInit<Self::Data<'bound>, Error> + 'bound {
        pin_init::pin_init_scope(move || {
            if pdev.device_id() != 0x11e8 {
                return Err(ENODEV);
            }
            pdev.enable_device_mem()?;
            let bar = pdev.iomap_region_sized::<END>(0, c"edu_bound")?;
            identify(pdev, &bar)?;
            // Before the device may reach memory: for transfers, or for messages of interrupts.
            wait_until_idle(&bar)?;
            // SAFETY: There are no DMA allocations yet.
            unsafe { pdev.dma_set_mask_and_coherent(DmaMask::new::<ADDRESS_BITS>())? };
            pdev.set_master();
            let way_in = Arc::pin_init(pin_init!(WayIn { edu <- new_mutex!(None) }), GFP_KERNEL)?;

            Ok(try_pin_init!(Data {
                shared: Shared { bar, stats: Stats::new() },
                // SAFETY: `shared` is initialized, pinned with `Data` and dropped after `transfers` and `factorials`.
                transfers <- Transfers::new(pdev, unsafe { &*core::ptr::from_ref(shared) }),
                // SAFETY: As above.
                factorials <- Factorials::new(unsafe { &*core::ptr::from_ref(shared) }),
                vectors: pdev.alloc_irq_vectors(1, 1, IrqTypes::all())?,
                irq <- {
                    // SAFETY: They are initialized, pinned with `Data` and dropped after `irq` and `open`.
                    let edu = unsafe {
                        Edu {
                            shared: &*core::ptr::from_ref(shared),
                            factorials: Pin::new_unchecked(&*core::ptr::from_ref(&*factorials)),
                            transfers: Pin::new_unchecked(&*core::ptr::from_ref(&*transfers)),
                        }
                    };
                    // SAFETY: `vectors` is initialized, pinned with `Data` and dropped after `irq`.
                    let vectors = unsafe { &*core::ptr::from_ref(vectors) };
                    // SAFETY: The registration is not forgotten: it is a field of `Data`.
                    unsafe {
                        ThreadedRegistration::new(
                            vectors.index(0)?.into(),
                            Flags::SHARED,
                            c"edu_bound",
                            Ok::<_, Error>(Handler { edu, factorial: Atomic::new(false), dma: Atomic::new(false) }),
                        )
                    }
                },
                _: {
                    // An interrupt when a factorial is done.
                    shared.bar.write_reg(STATUS::zeroed().with_interrupt(true));
                },
                // SAFETY: It is a field of `Data`, and dropped before what `edu` borrows.
                open: unsafe { Open::new(way_in.clone(), irq.handler().edu)? },
                file <- front::Registration::new(c"edu_bound", way_in),
            }))
        })
    }

    fn unbind<'bound>(pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Data<'bound>>) {
        // No new transfer.
        this.open.close();
        // No interrupt when a factorial is done: nobody is left to take it.
        this.shared.bar.write_reg(STATUS::zeroed());
        // Must not be left out: bus mastering cannot be switched off, and a transfer would go on in memory that is freed.
        if let Err(error) = wait_until_idle(&this.shared.bar) {
            dev_err!(pdev, "a transfer goes on in freed memory: {error:?}\n");
        }
    }
}

impl front::Driver for WayIn {
    fn factorial(&self, argument: u32) -> Result {
        self.with(|edu| edu.factorials.start(argument))
    }

    fn send(&self, at: usize, bytes: &[u8]) -> Result {
        self.with(|edu| edu.transfers.send(at, bytes))
    }

    fn receive(&self, at: usize, len: usize) -> Result {
        self.with(|edu| edu.transfers.receive(at, len))
    }

    fn raise(&self, causes: u32) -> Result {
        self.with(|edu| {
            edu.shared.bar.write_reg(INTERRUPT_RAISE::from(causes));
            Ok(())
        })
    }

    fn state(&self, received: &mut [u8]) -> Result<front::State> {
        self.with(|edu| {
            let (computing, factorial) = {
                let job = edu.factorials.job.lock();
                (job.is_running(), job.last())
            };
            let (transferring, transfer) = {
                let job = edu.transfers.job.lock();
                (job.is_running(), job.last())
            };
            Ok(front::State {
                id: edu.shared.bar.read(ID).into_raw(),
                computing,
                factorial,
                transferring,
                transfer,
                received: edu.transfers.received(received),
                stats: front::State::counters(&edu.shared.stats),
            })
        })
    }
}

kernel::module_pci_driver! {
    type: Driver,
    name: "edu_bound",
    authors: ["driver-scope"],
    description: "QEMU's edu device, with Data<'bound>",
    license: "GPL",
}
