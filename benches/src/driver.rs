//! A driver whose register is read, from inside and from outside.

use std::sync::{PoisonError, RwLock};

use driver_scope::{
    registers, Binding, Bound, Devres, Driver, DriverScope, Error, Mmio, Platform, Port,
};

use crate::batch::Run;
use crate::guarded::Object;
use crate::payload::{sum_of, Register};
use crate::platform::{Memory, On, Region, Strategy};

registers! {
    /// The device's registers.
    #[derive(Debug)]
    pub Regs: { Register::SIZE } {
        /// The register that is read.
        0 => rw FIRST: u32,
    }
}

/// The driver.
#[derive(Debug)]
pub enum Reader {}

/// Its data: the registers twice, once as they are and once for others to hold on to.
#[derive(Debug)]
pub struct Data<'drv, P: Platform> {
    regs: Mmio<'drv, Regs, P>,
    bound: Bound<'drv, Mmio<'static, Regs, P>, P>,
}

impl<P: Platform<Bus = Memory>> Driver<P> for Reader {
    type Device = Region;
    type Data<'drv> = Data<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        region: &'drv Region,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Data<'drv, P>, Error> {
        let regs = scope.map::<Regs>(region)?;
        let bound = regs.into_devres(scope)?;
        Ok(Data { regs, bound })
    }
}

/// By which way the register is read.
#[derive(Debug)]
enum Way<S: Strategy> {
    Mmio,
    Bound,
    Devres(Devres<Mmio<'static, Regs, On<S>>, On<S>>),
}

/// A bound driver.
#[derive(Debug)]
pub struct Driven<S: Strategy> {
    /// Locked once in a batch.
    binding: RwLock<Option<Binding<Reader, On<S>>>>,
    way: Way<S>,
}

fn bind<S: Strategy>() -> Binding<Reader, On<S>> {
    let platform = On::<S>::shared();
    platform
        .may_sleep(|cx| Binding::bind(platform.clone(), Region::default(), cx))
        .expect("there is memory")
}

impl<S: Strategy> Driven<S> {
    /// Read by an `Mmio` in the driver's data.
    #[must_use]
    pub fn mmio() -> Self {
        Driven {
            binding: RwLock::new(Some(bind())),
            way: Way::Mmio,
        }
    }

    /// Read by a `Bound` in the driver's data, with the scope as the proof.
    #[must_use]
    pub fn bound() -> Self {
        Driven {
            binding: RwLock::new(Some(bind())),
            way: Way::Bound,
        }
    }

    /// Read by a `Devres`, from outside.
    #[must_use]
    pub fn devres() -> Self {
        let binding = bind();
        let devres = binding.with(|data| data.bound.devres());
        Driven {
            binding: RwLock::new(Some(binding)),
            way: Way::Devres(devres),
        }
    }
}

impl<S: Strategy> Object for Driven<S> {
    fn with<R: Run>(&self, run: R) -> R::Out {
        if let Way::Devres(devres) = &self.way {
            return run.run(
                devres,
                #[inline(always)]
                |devres| {
                    devres
                        .try_access()
                        .map(|regs| regs.get().read_relaxed(FIRST))
                },
            );
        }
        let binding = self.binding.read().unwrap_or_else(PoisonError::into_inner);
        let binding = binding
            .as_ref()
            .expect("nobody has a driver's data after its end");
        match self.way {
            Way::Mmio => binding.with(|data| {
                run.run(
                    data,
                    #[inline(always)]
                    |data| Some(data.regs.read_relaxed(FIRST)),
                )
            }),
            _ => On::<S>::shared().may_sleep(|cx| {
                binding.with_scope(cx, |data, scope| {
                    run.run(
                        data,
                        #[inline(always)]
                        |data| Some(data.bound.access(scope).read_relaxed(FIRST)),
                    )
                })
            }),
        }
    }

    fn revoke(&self, _gone: &dyn Fn() -> bool) {
        let mut binding = self.binding.write().unwrap_or_else(PoisonError::into_inner);
        drop(binding.take());
    }
}

/// `N` reads in one entry of a port.
#[derive(Debug)]
pub struct PortTimes<S: Strategy, const N: usize> {
    binding: RwLock<Option<Binding<Reader, On<S>>>>,
    port: Port<Reader, On<S>>,
}

impl<S: Strategy, const N: usize> PortTimes<S, N> {
    /// A bound driver with a port.
    #[must_use]
    pub fn new() -> Self {
        let binding = bind();
        let port = binding.port().expect("there is memory");
        PortTimes {
            binding: RwLock::new(Some(binding)),
            port,
        }
    }
}

impl<S: Strategy, const N: usize> Default for PortTimes<S, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Strategy, const N: usize> Object for PortTimes<S, N> {
    fn with<R: Run>(&self, run: R) -> R::Out {
        run.run(
            &self.port,
            #[inline(always)]
            |port| {
                // As `Register::read_times`.
                port.call(|data| sum_of::<N>(|| data.regs.read_relaxed(FIRST)))
                    .ok()
            },
        )
    }

    fn revoke(&self, _gone: &dyn Fn() -> bool) {
        let mut binding = self.binding.write().unwrap_or_else(PoisonError::into_inner);
        drop(binding.take());
    }
}
