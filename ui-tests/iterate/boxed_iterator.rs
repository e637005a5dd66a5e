// Wrong: a boxed iterator over handles says that it holds nothing with a lifetime.
// Instead: `Box<dyn Iterator<Item = Irq<'drv, P>> + 'drv>`.
// Refused: returning this value requires that `'1` must outlive `'static`
use driver_scope::{platform::Sim, Irq};

fn all(irqs: Vec<Irq<'_, Sim>>) -> Box<dyn Iterator<Item = bool>> {
    Box::new(irqs.into_iter().map(|irq| irq.is_enabled()))
}

fn main() {}
