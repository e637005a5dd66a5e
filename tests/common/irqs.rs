//! Lines to raise, on every platform.

use std::sync::Arc;

use driver_scope::platform::{Host, IrqLine, Irqs, Sim};
use driver_scope::Platform;

use super::foreign::irqs::c;
use super::{Foreign, Metered, TestPlatform};

/// What a platform's lines are.
pub type LineOf<P> = <<P as Platform>::Irqs as Irqs>::Line;

/// A line as a device sees it. Clones are the same.
pub trait Line: Clone + Send + Sync + 'static {
    /// An edge.
    fn edge(&self);
    /// A level.
    fn level(&self, high: bool);
}

impl Line for IrqLine {
    fn edge(&self) {
        self.raise();
    }
    fn level(&self, high: bool) {
        self.set_level(high);
    }
}

impl Line for Arc<c::Desc> {
    fn edge(&self) {
        c::Desc::edge(self);
    }
    fn level(&self, high: bool) {
        c::Desc::level(self, high);
    }
}

/// A platform on which a test can raise interrupts.
pub trait TestIrqs: TestPlatform<Irqs: Irqs<Line: Line>> {
    /// Whether the handlers of a line are told when it is switched off.
    const TELLS_STORMS: bool = true;

    /// A new line.
    fn line(&self) -> LineOf<Self>;
}

impl TestIrqs for Host {
    fn line(&self) -> IrqLine {
        IrqLine::new()
    }
}

impl TestIrqs for Sim {
    fn line(&self) -> IrqLine {
        IrqLine::new()
    }
}

impl TestIrqs for Foreign {
    const TELLS_STORMS: bool = false;
    fn line(&self) -> Arc<c::Desc> {
        self.irqs().line()
    }
}

impl<P: TestIrqs> TestIrqs for Metered<P> {
    const TELLS_STORMS: bool = P::TELLS_STORMS;
    fn line(&self) -> LineOf<P> {
        self.inner().line()
    }
}
