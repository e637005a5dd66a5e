//! The edu driver on a bare machine: x86-64, two processors, no operating system, no allocator.
//!
//! Binds the driver to QEMU's edu device, runs [`job`], and ends the machine whatever happened. Every step is reported on the serial port,
//! where `cargo xtask qemu bare-metal` judges it.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

mod job;
mod machine;
mod platform;
mod report;

use machine::{apic, boot, clock, cpu, idt, pci, runtime};
use platform::worker;

/// Whether the second processor is up.
static SECOND: AtomicBool = AtomicBool::new(false);

/// The first processor, from `boot`.
// SAFETY: nothing else in the image has this name; `boot` calls it, as what it is. [LOCAL]
#[no_mangle]
extern "C" fn first_in_rust() -> ! {
    // SAFETY: the first thing that this processor does, with interrupts disabled; in this order. [MACHINE]
    unsafe {
        cpu::set_up(0);
        idt::set_up();
        idt::load();
    }
    apic::silence_old();
    apic::set_up();
    clock::set_up();
    pci::set_up();
    cpu::enable();
    boot::place_trampoline();
    // SAFETY: it is in its place, and this is the only start. [MACHINE]
    unsafe { apic::start_second() };
    let good = job::run(second_came());
    runtime::exit(if good { runtime::GOOD } else { runtime::BAD })
}

/// Whether the second processor is up, soon.
fn second_came() -> bool {
    const PATIENCE: Duration = Duration::from_secs(5);
    let start = clock::now();
    // Acquire: pairs with the Release in `second_in_rust`.
    while !SECOND.load(Ordering::Acquire) {
        if u128::from(clock::now() - start) > PATIENCE.as_nanos() {
            return false;
        }
        core::hint::spin_loop();
    }
    true
}

/// The second processor, from `boot`.
// SAFETY: as above. [LOCAL]
#[no_mangle]
extern "C" fn second_in_rust() -> ! {
    // SAFETY: the first thing that this processor does, with interrupts disabled; the first has set up the table. [MACHINE]
    unsafe {
        cpu::set_up(worker::CPU);
        idt::load();
    }
    apic::set_up();
    cpu::enable();
    // Release: pairs with the Acquire in `second_came`.
    SECOND.store(true, Ordering::Release);
    worker::run(job::load::step, job::load::is_idle)
}
