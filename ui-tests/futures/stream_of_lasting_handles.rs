// Wrong: a stream whose items are handles that live for ever.
// Instead: `type Item = Mmio<'drv, [u8], P>`.
// Refused: returning this value requires that `'1` must outlive `'static`
use std::pin::Pin;
use std::task::{Context, Poll};

use driver_scope::{platform::Sim, Mmio};

trait Stream {
    type Item;
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>>;
}

struct Parts<'drv>(Vec<Mmio<'drv, [u8], Sim>>);
impl Stream for Parts<'_> {
    type Item = Mmio<'static, [u8], Sim>;
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop())
    }
}

fn main() {}
