//! The model's interrupts, delivered to a line of a hosted platform.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use driver_scope::platform::{Emulated, IrqLine, Irqs, Platform};
use driver_scope::{
    Binding, Driver, DriverScope, Error, HrTimer, Instant, MaySleep, PciDevice, Port, Restart,
};

use crate::model::Wire;
use crate::{EduConfig, EduModel};

/// How the device tells of an interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// By the level of its INTx line: [`EduModel::interrupt_level`].
    Level,
    /// By messages (MSI): [`EduModel::messages`].
    Messages,
}

/// A model whose interrupts are delivered: see [`EduModel::interrupts`]. Until this is dropped.
pub struct Interrupts<P: Platform> {
    model: Arc<EduModel>,
    line: IrqLine,
    /// Looks at the model when it is due.
    _clockwork: Binding<Clockwork, P>,
}

impl EduModel {
    /// A device whose time is a platform's, as [`interrupts`](Self::interrupts) needs it.
    pub fn on(platform: &impl Platform, config: EduConfig) -> Arc<Self> {
        let platform = platform.clone();
        Arc::new(Self::new(move || platform.now().as_nanos(), config))
    }

    /// Delivers the model's interrupts to a line, each when it is due by the time of the platform: that of a `Host` as it is, that of a `Sim`
    /// when it passes. A timer of that platform looks at the model.
    ///
    /// ```
    /// use driver_scope::{enter, platform::Sim, Error, IrqReturn, Units};
    /// use edu_model::{Delivery, EduConfig, EduModel};
    ///
    /// let sim = Sim::new();
    /// let model = EduModel::on(&sim, EduConfig::default());
    /// sim.may_sleep(|cx| {
    ///     let interrupts = model.interrupts(&sim, cx, Delivery::Level)?;
    ///     enter(sim.clone(), cx, &(&model, interrupts.line()), |&(model, line), scope| {
    ///         scope.irq(line, move |_| {
    ///             let causes = model.read(0x24, 4);
    ///             model.write(0x64, 4, causes);
    ///             (causes != 0).into()
    ///         })?;
    ///         model.write(0x20, 4, 0x80); // an interrupt when it is done
    ///         model.write(0x08, 4, 5);
    ///         scope.sleep(100.micros());
    ///         assert_eq!(scope.table().to_string().matches("1 handled").count(), 1);
    ///         Ok::<(), Error>(())
    ///     })
    /// })?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// What the platform lacks for a timer.
    pub fn interrupts<P: Platform>(
        self: &Arc<Self>,
        platform: &P,
        cx: MaySleep<'_>,
        how: Delivery,
    ) -> Result<Interrupts<P>, Error> {
        let clockwork = Binding::bind(platform.clone(), Arc::clone(self), cx);
        let clockwork: Binding<Clockwork, P> = clockwork.map_err(|failed| failed.error)?;
        let line = IrqLine::new();
        self.connect(Some(Arc::new(Output {
            line: line.clone(),
            how,
            raised: AtomicU64::new(self.messages()),
            timer: clockwork.port()?,
            started_for: Mutex::new(None),
        })));
        Ok(Interrupts {
            model: Arc::clone(self),
            line,
            _clockwork: clockwork,
        })
    }
}

impl<P: Platform> Interrupts<P> {
    /// The line.
    #[must_use]
    pub fn line(&self) -> &IrqLine {
        &self.line
    }

    /// The model as a PCI function with its BAR 0 and its interrupt, number 0, to bind a driver to.
    ///
    /// # Errors
    /// None in practice: a PCI function has a BAR 0 and an interrupt 0.
    pub fn pci_device<Q>(&self) -> Result<PciDevice<Q>, Error>
    where
        Q: Platform<Bus = Emulated>,
        Q::Irqs: Irqs<Line = IrqLine>,
    {
        self.model.pci_device()?.with_irq(0, self.line.clone())
    }
}

impl<P: Platform> Drop for Interrupts<P> {
    fn drop(&mut self) {
        self.model.connect(None);
    }
}

impl<P: Platform> fmt::Debug for Interrupts<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupts")
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// A driver whose device is a model: it looks at the model when that is due.
struct Clockwork;

impl<P: Platform> Driver<P> for Clockwork {
    type Device = Arc<EduModel>;
    type Data<'drv> = HrTimer<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        model: &'drv Arc<EduModel>,
        scope: &DriverScope<'drv, P>,
    ) -> Result<HrTimer<'drv, P>, Error> {
        scope.named("edu model").hrtimer(move |_| {
            // Any look will do; if the model's clock is behind, once more.
            match model.next_event() {
                Some(at) => Restart::At(Instant::from_nanos(at)),
                None => Restart::No,
            }
        })
    }
}

/// Where the model's interrupts go, and who is told when to look.
struct Output<P: Platform> {
    line: IrqLine,
    how: Delivery,
    /// Of the messages sent so far, those that the line has been raised for. Written with the model's lock.
    raised: AtomicU64,
    timer: Port<Clockwork, P>,
    /// Held while the timer is started, so that the last start is for what was seen last.
    started_for: Mutex<Option<u64>>,
}

impl<P: Platform> Wire for Output<P> {
    fn set(&self, level: bool, messages: u64) {
        // Relaxed: ordered by the model's lock.
        let raised = self.raised.swap(messages, Ordering::Relaxed);
        match self.how {
            Delivery::Level => self.line.set_level(level),
            Delivery::Messages if raised != messages => self.line.raise(),
            Delivery::Messages => {}
        }
    }

    fn look(&self, model: &EduModel) {
        let lock = self.started_for.lock();
        let mut started_for = lock.unwrap_or_else(PoisonError::into_inner);
        let due = model.due();
        if *started_for == due {
            return;
        }
        *started_for = due;
        if let Some(due) = due {
            // After its remove nobody is to be told.
            let _ = self
                .timer
                .call(|timer| timer.start_at(Instant::from_nanos(due)));
        }
    }
}
