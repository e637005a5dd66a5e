// SPDX-License-Identifier: GPL-2.0

//! The edu driver with Linux's own abstractions, the older way: what belongs to the device is in `Devres`, and who uses it holds an `Arc`.
//!
//! Every use of the BAR or of the transfer buffer asks whether it is still there.

use kernel::{
    device::{Bound, Core},
    devres::Devres,
    dma::{Coherent, Device as _, DmaMask},
    impl_has_delayed_work, impl_has_hr_timer,
    io::{io_project, Io},
    irq::{Flags, IrqReturn, ThreadedHandler, ThreadedIrqReturn, ThreadedRegistration},
    new_delayed_work, new_mutex, new_spinlock_irq, pci,
    pci::{IrqTypes, IrqVectorRegistration},
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        Arc, ArcBorrow, Completion, Mutex, SpinLockIrq,
    },
    time::{
        hrtimer::{
            ArcHrTimerHandle, HrTimer, HrTimerCallback, HrTimerCallbackContext, HrTimerPointer, HrTimerRestart,
            RelativeMode,
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

type Bar = pci::DevresBar<END>;

/// What the timer of a factorial uses. Apart from `Factorials`: a timer's handle holds an `Arc` of it, and in itself that would be a cycle.
#[pin_data]
struct FactorialState {
    #[pin]
    timer: HrTimer<Self>,
    #[pin]
    job: SpinLockIrq<FactorialJob>,
    bar: Arc<Bar>,
    stats: Arc<Stats>,
}

impl_has_hr_timer! {
    impl HasHrTimer<Self> for FactorialState {
        mode: RelativeMode<Monotonic>, field: self.timer
    }
}

impl HrTimerCallback for FactorialState {
    type Pointer<'a> = Arc<Self>;

    fn run(this: ArcBorrow<'_, Self>, _: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        // CANNOT FAIL: `unbind` has ended the timer before the BAR is revoked.
        if let Some(bar) = this.bar.try_access() {
            this.job.lock().finish(&bar, &this.stats, true);
        }
        HrTimerRestart::NoRestart
    }
}

/// The device's arithmetic unit.
#[pin_data]
struct Factorials {
    #[pin]
    time_out: Mutex<TimeOut<FactorialState>>,
    state: Arc<FactorialState>,
}

/// A timer, if it may have been started; and whether it may be started.
struct TimeOut<T: kernel::time::hrtimer::HasHrTimer<T>> {
    handle: Option<ArcHrTimerHandle<T>>,
    closed: bool,
}

impl<T: kernel::time::hrtimer::HasHrTimer<T>> TimeOut<T> {
    fn new() -> Self {
        Self { handle: None, closed: false }
    }

    /// To be called with no lock held that the callback takes: it waits for the callback.
    fn cancel(&mut self) {
        self.handle = None;
    }

    /// Cancels the timer; it is not started again.
    fn close(&mut self) {
        self.closed = true;
        self.cancel();
    }
}

impl Factorials {
    fn new(bar: Arc<Bar>, stats: Arc<Stats>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            time_out <- new_mutex!(TimeOut::new()),
            state: Arc::pin_init(
                pin_init!(FactorialState {
                    timer <- HrTimer::new(),
                    job <- new_spinlock_irq!(FactorialJob::default()),
                    bar,
                    stats,
                }),
                GFP_KERNEL,
            )?,
        })
    }

    /// Context: may sleep. (The handle of a timer can be replaced only where one may wait for its callback.)
    fn start(&self, argument: u32) -> Result {
        let mut time_out = self.time_out.lock();
        if time_out.closed {
            return Err(ENODEV);
        }
        // Before the timer is started again: dropping the old handle would end it. And not under the lock that the callback takes.
        time_out.cancel();
        {
            // CANNOT FAIL: what is not closed under that lock is not unbound.
            let bar = self.state.bar.try_access().ok_or(ENODEV)?;
            self.state.job.lock().start(&bar, argument)?;
        }
        time_out.handle = Some(self.state.clone().start(TIME_OUT));
        Ok(())
    }

    /// Looks whether the device is done: it says so, or may be gone.
    fn look(&self) {
        let mut time_out = self.time_out.lock();
        let running = {
            // CANNOT FAIL: the interrupt's thread and the work, which call this, have ended before the BAR is revoked.
            let Some(bar) = self.state.bar.try_access() else {
                return;
            };
            let mut job = self.state.job.lock();
            job.finish(&bar, &self.state.stats, false);
            job.is_running()
        };
        if !running {
            time_out.cancel();
        }
    }
}

/// What the timer of a transfer uses. Apart from `Transfers`: as for a factorial.
#[pin_data]
struct TransferState {
    #[pin]
    timer: HrTimer<Self>,
    #[pin]
    job: SpinLockIrq<TransferJob>,
    bar: Arc<Bar>,
    stats: Arc<Stats>,
}

impl_has_hr_timer! {
    impl HasHrTimer<Self> for TransferState {
        mode: RelativeMode<Monotonic>, field: self.timer
    }
}

impl HrTimerCallback for TransferState {
    type Pointer<'a> = Arc<Self>;

    fn run(this: ArcBorrow<'_, Self>, _: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        // CANNOT FAIL: `unbind` has ended the timer before the BAR is revoked.
        if let Some(bar) = this.bar.try_access() {
            this.job.lock().finish(&bar, &this.stats, true);
        }
        HrTimerRestart::NoRestart
    }
}

/// The device's DMA engine.
#[pin_data]
struct Transfers {
    #[pin]
    time_out: Mutex<TimeOut<TransferState>>,
    state: Arc<TransferState>,
    /// In memory; as large as the device's. An open file keeps this alive, and must not keep the memory: it belongs to the device.
    buffer: Devres<Coherent<[u8]>>,
}

impl Transfers {
    fn new<'a>(
        pdev: &'a pci::Device<Bound>,
        bar: Arc<Bar>,
        stats: Arc<Stats>,
    ) -> impl PinInit<Self, Error> + 'a {
        try_pin_init!(Self {
            time_out <- new_mutex!(TimeOut::new()),
            buffer: Devres::new(
                pdev.as_ref(),
                Ok::<_, Error>(Coherent::zeroed_slice(pdev.as_ref(), DMA_BUFFER_SIZE, GFP_KERNEL)?),
            )?,
            state: Arc::pin_init(
                pin_init!(TransferState {
                    timer <- HrTimer::new(),
                    job <- new_spinlock_irq!(TransferJob::default()),
                    bar,
                    stats,
                }),
                GFP_KERNEL,
            )?,
        })
    }

    /// Copies `bytes` into the device's buffer, from its byte `at` on.
    fn send(&self, at: usize, bytes: &[u8]) -> Result {
        let len = bytes.len();
        if len > DMA_BUFFER_SIZE {
            return Err(EINVAL);
        }
        self.start(Direction::ToDevice, at, len, |buffer| {
            io_project!(buffer, [panic: ..len]).copy_from_slice(bytes)
        })
    }

    /// Copies so many bytes out of the device's buffer, from its byte `at` on.
    fn receive(&self, at: usize, len: usize) -> Result {
        self.start(Direction::FromDevice, at, len, |_| ())
    }

    fn start(&self, direction: Direction, at: usize, len: usize, prepare: impl FnOnce(&Coherent<[u8]>)) -> Result {
        let mut time_out = self.time_out.lock();
        if time_out.closed {
            return Err(ENODEV);
        }
        // As for a factorial.
        time_out.cancel();
        {
            // CANNOT FAIL: what is not closed under that lock is not unbound.
            let bar = self.state.bar.try_access().ok_or(ENODEV)?;
            // CANNOT FAIL: as above.
            let buffer = self.buffer.try_access().ok_or(ENODEV)?;
            let address = buffer.dma_address() as u32;
            let mut job = self.state.job.lock();
            job.start(&bar, direction, address, at, len, || prepare(&buffer))?;
        }
        time_out.handle = Some(self.state.clone().start(TIME_OUT));
        Ok(())
    }

    /// Looks whether the device is done: it says so, or may be gone.
    fn look(&self) {
        let mut time_out = self.time_out.lock();
        let running = {
            // CANNOT FAIL: as for a factorial.
            let Some(bar) = self.state.bar.try_access() else {
                return;
            };
            let mut job = self.state.job.lock();
            job.finish(&bar, &self.state.stats, false);
            job.is_running()
        };
        if !running {
            time_out.cancel();
        }
    }

    /// What the last transfer has brought; how many bytes.
    fn received(&self, to: &mut [u8]) -> Result<usize> {
        let buffer = self.buffer.try_access().ok_or(ENODEV)?;
        let job = self.state.job.lock();
        let len = job.received()?.min(to.len());
        io_project!(&*buffer, [panic: ..len]).copy_to_slice(&mut to[..len]);
        Ok(len)
    }
}

/// The driver: for the interrupt's handler, the work and open files.
#[pin_data]
struct Edu {
    bar: Arc<Bar>,
    stats: Arc<Stats>,
    #[pin]
    factorials: Factorials,
    #[pin]
    transfers: Transfers,
}

impl Edu {
    fn new<'a>(pdev: &'a pci::Device<Bound>, bar: Arc<Bar>) -> impl PinInit<Self, Error> + 'a {
        pin_init::pin_init_scope(move || {
            let stats = Arc::new(Stats::new(), GFP_KERNEL)?;
            Ok(try_pin_init!(Self {
                factorials <- Factorials::new(bar.clone(), stats.clone()),
                transfers <- Transfers::new(pdev, bar.clone(), stats.clone()),
                bar: bar.clone(),
                stats: stats.clone(),
            }))
        })
    }
}

/// Takes the interrupts.
struct Handler {
    edu: Arc<Edu>,
    /// What the handler has taken off the device, for the thread.
    factorial: Atomic<bool>,
    dma: Atomic<bool>,
}

impl ThreadedHandler for Handler {
    fn handle(&self) -> ThreadedIrqReturn {
        // CANNOT FAIL: the registration is dropped before the BAR is revoked. (If it failed, nobody would acknowledge the interrupt.)
        let Some(bar) = self.edu.bar.try_access() else {
            return ThreadedIrqReturn::None;
        };
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
        self.edu.stats.interrupts.add(1, Relaxed);
        if self.factorial.xchg(false, Relaxed) {
            self.edu.factorials.look();
        }
        if self.dma.xchg(false, Relaxed) {
            self.edu.transfers.look();
        }
        IrqReturn::Handled
    }
}

/// Work that keeps statistics, and notices that the device was pulled out.
#[pin_data]
struct Statistics {
    #[pin]
    work: DelayedWork<Self>,
    #[pin]
    ended: Completion,
    stop: Atomic<bool>,
    edu: Arc<Edu>,
}

impl_has_delayed_work! {
    impl HasDelayedWork<Self> for Statistics { self.work }
}

impl WorkItem for Statistics {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        if this.stop.load(Relaxed) {
            this.ended.complete_all();
            return;
        }
        // CANNOT FAIL: the work has ended before the BAR is revoked.
        let status = this.edu.bar.try_access().ok_or(ENODEV).and_then(|bar| or_gone(bar.read(STATUS)));
        match status {
            Ok(status) => {
                this.edu.stats.samples.add(1, Relaxed);
                this.edu.stats.busy.add(u32::from(status.computing()), Relaxed);
            }
            Err(_) => {
                // Nobody will raise an interrupt for them any more.
                this.edu.factorials.look();
                this.edu.transfers.look();
            }
        }
        Self::queue(this);
    }
}

impl Statistics {
    fn new(edu: Arc<Edu>) -> impl PinInit<Self> {
        pin_init!(Self {
            work <- new_delayed_work!("edu statistics"),
            ended <- Completion::new(),
            stop: Atomic::new(false),
            edu,
        })
    }

    fn queue(this: Arc<Self>) {
        // CANNOT FAIL: the work is not queued while it runs, nor before it was queued first.
        let _ = workqueue::system_power_efficient().enqueue_delayed(this, msecs_to_jiffies(SAMPLE_PERIOD));
    }
}

/// The driver runs: it does not any more when this was dropped, whatever open files keep.
struct Running {
    edu: Arc<Edu>,
    statistics: Arc<Statistics>,
}

impl Running {
    fn new(edu: Arc<Edu>) -> Result<Self> {
        let statistics = Arc::pin_init(Statistics::new(edu.clone()), GFP_KERNEL)?;
        Statistics::queue(statistics.clone());
        Ok(Self { edu, statistics })
    }

    fn stop(&self) {
        // There is no cancelling of work: it is waited until it notices by itself. (The last instructions of it may run after this, in a module that is unloaded.)
        self.statistics.stop.store(true, Relaxed);
        self.statistics.ended.wait_for_completion();
        // Must not be left out: an open file keeps the timers.
        self.edu.factorials.time_out.lock().close();
        self.edu.transfers.time_out.lock().close();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The driver while it is bound.
#[pin_data]
struct Data<'bound> {
    #[pin]
    file: front::Registration<Edu>,
    running: Running,
    #[pin]
    irq: ThreadedRegistration<'bound, Handler>,
    // Must be after `irq`, which borrows from it.
    vectors: IrqVectorRegistration<'bound>,
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
            let bar = pdev.iomap_region_sized::<END>(0, c"edu_devres")?;
            identify(pdev, &bar)?;
            // Before the device may reach memory: for transfers, or for messages of interrupts.
            wait_until_idle(&bar)?;
            // SAFETY: There are no DMA allocations yet.
            unsafe { pdev.dma_set_mask_and_coherent(DmaMask::new::<ADDRESS_BITS>())? };
            pdev.set_master();
            let bar = Arc::new(bar.into_devres()?, GFP_KERNEL)?;
            let edu = Arc::pin_init(Edu::new(pdev, bar), GFP_KERNEL)?;

            Ok(try_pin_init!(Data {
                vectors: pdev.alloc_irq_vectors(1, 1, IrqTypes::all())?,
                irq <- {
                    // SAFETY: `vectors` is initialized, pinned with `Data` and dropped after `irq`.
                    let vectors = unsafe { &*core::ptr::from_ref(vectors) };
                    let edu = edu.clone();
                    // SAFETY: The registration is not forgotten: it is a field of `Data`.
                    unsafe {
                        ThreadedRegistration::new(
                            vectors.index(0)?.into(),
                            Flags::SHARED,
                            c"edu_devres",
                            Ok::<_, Error>(Handler { edu, factorial: Atomic::new(false), dma: Atomic::new(false) }),
                        )
                    }
                },
                _: {
                    // An interrupt when a factorial is done. CANNOT FAIL: `pdev` is the device.
                    edu.bar.access(pdev.as_ref())?.write_reg(STATUS::zeroed().with_interrupt(true));
                },
                running: Running::new(edu.clone())?,
                file <- front::Registration::new(c"edu_devres", edu),
            }))
        })
    }

    fn unbind<'bound>(pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Data<'bound>>) {
        // No new transfer.
        this.running.stop();
        // CANNOT FAIL: `pdev` is the device.
        let Ok(bar) = this.running.edu.bar.access(pdev.as_ref()) else {
            return;
        };
        // No interrupt when a factorial is done: nobody is left to take it.
        bar.write_reg(STATUS::zeroed());
        // Must not be left out: bus mastering cannot be switched off, and a transfer would go on in memory that is freed.
        if let Err(error) = wait_until_idle(bar) {
            dev_err!(pdev, "a transfer goes on in freed memory: {error:?}\n");
        }
    }
}

impl front::Driver for Edu {
    fn factorial(&self, argument: u32) -> Result {
        self.factorials.start(argument)
    }

    fn send(&self, at: usize, bytes: &[u8]) -> Result {
        self.transfers.send(at, bytes)
    }

    fn receive(&self, at: usize, len: usize) -> Result {
        self.transfers.receive(at, len)
    }

    fn raise(&self, causes: u32) -> Result {
        self.bar.try_access().ok_or(ENODEV)?.write_reg(INTERRUPT_RAISE::from(causes));
        Ok(())
    }

    fn state(&self, received: &mut [u8]) -> Result<front::State> {
        let id = self.bar.try_access().ok_or(ENODEV)?.read(ID).into_raw();
        let (computing, factorial) = {
            let job = self.factorials.state.job.lock();
            (job.is_running(), job.last())
        };
        let (transferring, transfer) = {
            let job = self.transfers.state.job.lock();
            (job.is_running(), job.last())
        };
        Ok(front::State {
            id,
            computing,
            factorial,
            transferring,
            transfer,
            received: self.transfers.received(received),
            stats: front::State::counters(&self.stats),
        })
    }
}

kernel::module_pci_driver! {
    type: Driver,
    name: "edu_devres",
    authors: ["driver-scope"],
    description: "QEMU's edu device, with Devres",
    license: "GPL",
}
