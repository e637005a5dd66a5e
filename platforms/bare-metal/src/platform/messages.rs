//! Interrupts: a message of a function (MSI) is a write that the interrupt controller of a processor takes for a vector.

use core::hint::spin_loop;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use driver_scope::platform::{IrqEntry, IrqState, Irqs};
use driver_scope::{Error, MaySleep};

use crate::machine::cpu::{self, CPUS};
use crate::machine::lock::Spin;
use crate::machine::pci::{capability, command, Capability, Function};
use crate::machine::{apic, clock};

/// How many vectors there are for messages.
const VECTORS: usize = 16;
/// How often a wait that lasts is reported, in nanoseconds.
const STALL: u64 = 1_000_000_000;

/// Offsets in the capability.
const CONTROL: u16 = 2;
const ADDRESS: u16 = 4;
const CONTROL_ENABLE: u16 = 1;
const CONTROL_SEVERAL: u16 = 0b111 << 4;
const CONTROL_64_BITS: u16 = 1 << 7;

/// The interrupts of the machine.
pub struct Messages;

/// The one message of a function.
pub struct Message {
    function: Function,
    capability: Capability,
}

impl Message {
    /// That of this function.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it has none.
    pub fn of(function: Function) -> Result<Self, Error> {
        let capability = function
            .capability(capability::MSI)
            .ok_or(Error::Unsupported)?;
        Ok(Message {
            function,
            capability,
        })
    }
}

/// A handler on a message: the number of its vector, from 0, which registration of that vector it is, and where it was taken from.
pub struct Node {
    vector: usize,
    registration: u64,
    function: Function,
    capability: Capability,
}

/// What is behind a vector. In static memory, so that nothing of a handler that has ended is touched.
struct Vector {
    /// Who has it, if anybody.
    owner: Option<Function>,
    /// How many have had it. A node of an earlier one has ended, and does nothing here.
    registration: u64,
    handler: Option<Handler>,
    /// The processor that takes its interrupts: always the same, so the handler never runs beside itself.
    cpu: usize,
    disabled: u32,
    /// It came while it was disabled.
    pending: bool,
    running: bool,
    /// How many runs have begun.
    runs: u64,
}

impl Vector {
    fn state(&self) -> IrqState {
        IrqState {
            enabled: self.handler.is_some() && self.disabled == 0,
            running: self.running,
        }
    }
}

/// The state of a handler that was shut.
const ENDED: IrqState = IrqState {
    enabled: false,
    running: false,
};

#[derive(Clone, Copy)]
struct Handler {
    entry: IrqEntry,
    context: *const (),
}

// SAFETY: an entry may be called from any context (`Irqs::init`). [SHARED]
unsafe impl Send for Handler {}

static TABLE: [Spin<Vector>; VECTORS] = [const {
    Spin::new(Vector {
        owner: None,
        registration: 0,
        handler: None,
        cpu: 0,
        disabled: 0,
        pending: false,
        running: false,
        runs: 0,
    })
}; VECTORS];

/// Interrupts that nobody was there to take: of a handler that has just ended, for instance. Relaxed: a count.
static STRAY: AtomicUsize = AtomicUsize::new(0);

/// How many there were.
pub fn stray() -> usize {
    STRAY.load(Relaxed)
}

/// An interrupt that is not the timer's: called by the processor that was interrupted.
pub fn dispatch(vector: usize) {
    let Some(place) = vector
        .checked_sub(apic::FIRST_MESSAGE)
        .and_then(|at| TABLE.get(at))
    else {
        STRAY.fetch_add(1, Relaxed);
        return;
    };
    let handler = place.with(|vector| {
        let handler = vector.handler?;
        // A message of who had the vector before, that has come late, may be for the other processor.
        if vector.cpu != cpu::this().number() {
            return None;
        }
        if vector.disabled > 0 {
            vector.pending = true;
            return None;
        }
        vector.running = true;
        vector.runs += 1;
        Some(handler)
    });
    match handler {
        Some(Handler { entry, context }) => {
            // SAFETY: the handler was there under the lock, and `shut` waits while it is marked as running. One processor takes the vector's
            // interrupts, and handlers do not nest, so it does not run already. [LOCKED, SHUT]
            cpu::callback(|| unsafe { entry(context) });
            place.with(|vector| vector.running = false);
        }
        None => {
            STRAY.fetch_add(1, Relaxed);
        }
    }
}

/// Points the message of a function to a vector of a processor, and enables it.
///
/// # Safety
/// The vector is the function's.
unsafe fn enable_message(line: &Message, cpu: usize, vector: usize) {
    let Message {
        function,
        capability: Capability(at),
    } = *line;
    let control = function.read_u16(at + CONTROL);
    let to = apic::BASE as u32 | (cpu as u32) << 12;
    let data = if control & CONTROL_64_BITS != 0 {
        12
    } else {
        8
    };
    // SAFETY: the address is that of the interrupt controllers. A message is a write by the device, so it has to be a bus master; it reaches nothing that it was
    // not given, since `Pages::quiet` has its last word before its memory is another's, and drivers stop it before. [MACHINE]
    unsafe {
        function.write_u32(at + ADDRESS, to);
        if control & CONTROL_64_BITS != 0 {
            function.write_u32(at + ADDRESS + 4, 0);
        }
        function.write_u16(at + data, (apic::FIRST_MESSAGE + vector) as u16);
        function.write_u16(at + CONTROL, control & !CONTROL_SEVERAL | CONTROL_ENABLE);
        function.command(command::BUS_MASTER, 0);
    }
}

impl Node {
    /// Looks at its place in the table; nothing, if the handler has ended and the place is free, or another's.
    fn with<R>(&self, f: impl FnOnce(&mut Vector) -> R) -> Option<R> {
        TABLE[self.vector].with(|vector| {
            let ours = vector.owner.is_some() && vector.registration == self.registration;
            ours.then(|| f(vector))
        })
    }

    /// Looks again and again, until `f` returns something.
    fn wait<R>(
        &self,
        stalled: &dyn Fn(),
        mut f: impl FnMut(&mut Vector) -> Option<R>,
    ) -> Option<R> {
        let mut report = clock::now() + STALL;
        loop {
            match self.with(&mut f) {
                Some(None) => {}
                Some(result) => return result,
                None => return None,
            }
            spin_loop();
            if clock::now() > report {
                stalled();
                report = clock::now() + STALL;
            }
        }
    }
}

fn disable_message(function: Function, capability: Capability) {
    let at = capability.0 + CONTROL;
    let control = function.read_u16(at);
    // SAFETY: it sends fewer messages. [MACHINE]
    unsafe { function.write_u16(at, control & !CONTROL_ENABLE) };
}

/// From now on the messages of a function are lost, whoever has a handler for them.
///
/// # Errors
/// As for [`Message::of`].
pub fn lose(function: Function) -> Result<(), Error> {
    let message = Message::of(function)?;
    disable_message(function, message.capability);
    Ok(())
}

// SAFETY: the promises, by their numbers. 1: an entry is called while its handler is in the table, by the one processor that its messages go to. 2: only `dispatch`
// calls entries, on the stack of an interrupt, without the lock; `enable` asks for such an interrupt. 3: `shut` takes the handler out, so no interrupt
// finds it any more, and waits until none runs that has. Both under the lock of the vector. 4: that it runs is noted in the table, not in the node. [PROMISE]
unsafe impl Irqs for Messages {
    type Line = Message;
    type Node = Node;

    unsafe fn init(
        &self,
        node: *mut Node,
        line: &Message,
        entry: IrqEntry,
        context: *const (),
    ) -> Result<(), Error> {
        if TABLE
            .iter()
            .any(|place| place.with(|vector| vector.owner == Some(line.function)))
        {
            // A message is not shared.
            return Err(Error::Unsupported);
        }
        // The next processor, so that whoever waits for an interrupt and whoever takes it are not the same.
        let cpu = (cpu::this().number() + 1) % CPUS;
        let mut registration = 0;
        let take = |place: &Spin<Vector>| {
            place.with(|vector| {
                if vector.owner.is_some() {
                    return false;
                }
                registration = vector.registration + 1;
                *vector = Vector {
                    owner: Some(line.function),
                    registration,
                    handler: None,
                    cpu,
                    disabled: 0,
                    pending: false,
                    running: false,
                    runs: vector.runs,
                };
                true
            })
        };
        let Some(vector) = TABLE.iter().position(take) else {
            return super::full("an interrupt");
        };
        let new = Node {
            vector,
            registration,
            function: line.function,
            capability: line.capability,
        };
        // SAFETY: memory for a node, says the caller. [CALLER]
        unsafe { node.write(new) };
        // Only now: a message of who had the vector before may still come, and its handler finds the node.
        TABLE[vector].with(|vector| vector.handler = Some(Handler { entry, context }));
        // SAFETY: just taken for it. [LOCAL]
        unsafe { enable_message(line, cpu, vector) };
        Ok(())
    }

    unsafe fn enable(&self, node: NonNull<Node>) {
        // SAFETY: (this and those below) initialised, says the caller, and never written again. [CALLER]
        let node = unsafe { node.as_ref() };
        let again = node.with(|vector| {
            if vector.disabled == 0 {
                return None;
            }
            vector.disabled -= 1;
            let again = vector.disabled == 0 && vector.pending;
            vector.pending &= !again;
            again.then_some(vector.cpu)
        });
        if let Some(cpu) = again.flatten() {
            apic::interrupt(cpu, apic::FIRST_MESSAGE + node.vector);
        }
    }

    unsafe fn disable(&self, node: NonNull<Node>) {
        // SAFETY: see `enable`. [CALLER]
        let node = unsafe { node.as_ref() };
        node.with(|vector| vector.disabled += 1);
    }

    unsafe fn state(&self, node: NonNull<Node>) -> IrqState {
        // SAFETY: see `enable`. [CALLER]
        let node = unsafe { node.as_ref() };
        node.with(|vector| vector.state()).unwrap_or(ENDED)
    }

    unsafe fn is_inside(&self, node: NonNull<Node>) -> bool {
        // SAFETY: see `enable`. [CALLER]
        let node = unsafe { node.as_ref() };
        let here = cpu::this().number();
        // Handlers do not nest: if one runs on this processor, it is what the caller runs in.
        node.with(|vector| vector.running && vector.cpu == here)
            .unwrap_or(false)
    }

    unsafe fn synchronize(
        &self,
        node: NonNull<Node>,
        _cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> bool {
        // SAFETY: see `enable`. [CALLER]
        let node = unsafe { node.as_ref() };
        let mut begun = None;
        let waited = node.wait(stalled, |vector| {
            let first = begun.is_none();
            let begun = *begun.get_or_insert(vector.runs);
            (!vector.running || vector.runs != begun).then_some(!first)
        });
        waited.unwrap_or(false)
    }

    unsafe fn shut(&self, node: NonNull<Node>, _cx: MaySleep<'_>, stalled: &dyn Fn()) -> IrqState {
        // SAFETY: see `enable`. [CALLER]
        let node = unsafe { node.as_ref() };
        disable_message(node.function, node.capability);
        let mut found = None;
        let shut = node.wait(stalled, |vector| {
            let found = *found.get_or_insert(vector.state());
            vector.handler = None;
            if vector.running {
                return None;
            }
            vector.owner = None;
            Some(found)
        });
        shut.unwrap_or(ENDED)
    }
}
