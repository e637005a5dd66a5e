// Wrong: an async block holds a handle, and its box says that it holds nothing with a lifetime.
// Instead: `Pin<Box<dyn Future<Output = ()> + Send + 'drv>>`.
// Refused: returning this value requires that `'1` must outlive `'static`
use std::future::Future;
use std::pin::Pin;

use driver_scope::{platform::Sim, Mmio};

fn later(regs: Mmio<'_, [u8], Sim>) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move { regs.try_read(0).unwrap_or_default() })
}

fn main() {}
