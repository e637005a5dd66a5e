//! The interrupt controller of each processor: its timer, and interrupts from one processor to another.

use core::time::Duration;

use super::boot::{address, TRAMPOLINE};
use super::clock;
use super::{cpu, port};

/// The vector of the timer, and of the other processor's word that there is something to do.
pub const TIMER: usize = 0x30;
/// The first vector of devices.
pub const FIRST_MESSAGE: usize = 0x40;
/// Of an interrupt that was gone before it was taken.
pub const SPURIOUS: usize = 0xff;

/// Where the controllers are, each processor's own at the same address. The firmware leaves them enabled there.
pub const BASE: u64 = 0xfee0_0000;

const END_OF_INTERRUPT: u64 = 0xb0;
const SPURIOUS_VECTOR: u64 = 0xf0;
const COMMAND: u64 = 0x300;
const COMMAND_TO: u64 = 0x310;
const TIMER_VECTOR: u64 = 0x320;
const TIMER_START: u64 = 0x380;
const TIMER_LEFT: u64 = 0x390;
const TIMER_DIVIDER: u64 = 0x3e0;

fn read(register: u64) -> u32 {
    // SAFETY: the controller is mapped and not cached; its registers are 32 bits at multiples of 16, and reading those named above changes nothing. [MACHINE]
    unsafe { address::<u32>(BASE + register).read_volatile() }
}

/// # Safety
/// What that does is in order.
unsafe fn write(register: u64, value: u32) {
    // SAFETY: as in `read`; the rest is the caller's promise. [MACHINE, CALLER]
    unsafe { address::<u32>(BASE + register).write_volatile(value) }
}

/// Silences the old interrupt controllers, which the firmware has used: their vectors are those of exceptions.
pub fn silence_old() {
    const MASKS: [u16; 2] = [0x21, 0xa1];
    for port in MASKS {
        // SAFETY: masks all their lines, of which nobody uses any. [MACHINE]
        unsafe { port::write_u8(port, 0xff) };
    }
}

/// Enables the controller of this processor. Its timer stands.
pub fn set_up() {
    // SAFETY: the vectors are those of `idt`. The divider is 1. [MACHINE]
    unsafe {
        write(SPURIOUS_VECTOR, 0x100 | SPURIOUS as u32);
        write(TIMER_DIVIDER, 0b1011);
        write(TIMER_VECTOR, TIMER as u32);
        write(TIMER_START, 0);
    }
}

/// Tells the controller that an interrupt has been handled.
pub fn end_of_interrupt() {
    // SAFETY: lets the next one come when interrupts are enabled again. [MACHINE]
    unsafe { write(END_OF_INTERRUPT, 0) }
}

/// Has the timer of this processor interrupt after so many ticks; never, if zero.
pub fn start_timer(ticks: u32) {
    // SAFETY: the handler takes an interrupt for which there is nothing to do. [MACHINE]
    unsafe { write(TIMER_START, ticks) }
}

/// How many ticks are left.
pub fn timer_left() -> u32 {
    read(TIMER_LEFT)
}

/// Interrupts another processor, or this one.
pub fn interrupt(cpu: usize, vector: usize) {
    // SAFETY: handlers take an interrupt for which there is nothing to do. [MACHINE]
    unsafe { command(cpu, vector as u32) }
}

/// # Safety
/// What that does is in order.
unsafe fn command(cpu: usize, word: u32) {
    const PENDING: u32 = 1 << 12;
    // An interrupt between the two writes could send something of its own.
    cpu::mask();
    // SAFETY: the caller's promise. [CALLER]
    unsafe {
        write(COMMAND_TO, (cpu as u32) << 24);
        write(COMMAND, word);
    }
    while read(COMMAND) & PENDING != 0 {
        core::hint::spin_loop();
    }
    cpu::unmask();
}

/// Starts the second processor on the trampoline.
///
/// # Safety
/// The trampoline is in its place; called once.
pub unsafe fn start_second() {
    const INIT: u32 = 0x4500;
    const START: u32 = 0x4600;
    // SAFETY: the caller's promise; the pauses are those that Intel's manual asks for. [MACHINE, CALLER]
    unsafe {
        command(1, INIT);
        clock::wait(Duration::from_millis(10));
        command(1, START | TRAMPOLINE >> 12);
        clock::wait(Duration::from_micros(200));
        // Without effect if it runs by now.
        command(1, START | TRAMPOLINE >> 12);
    }
}
