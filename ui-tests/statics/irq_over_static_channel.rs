// Wrong: an interrupt's handle is sent by a channel whose other end is in a `static`.
// Instead: send numbers, not handles.
// Refused: argument requires that `'1` must outlive `'static`
use std::sync::mpsc::Sender;
use std::sync::OnceLock;

use driver_scope::{platform::Sim, Irq};

static TO_POWER: OnceLock<Sender<Irq<'static, Sim>>> = OnceLock::new();

fn hand_over(irq: Irq<'_, Sim>) {
    let _ = TO_POWER.get().unwrap().send(irq);
}

fn main() {}
