//! A network driver that lends its packet buffers to a network stack, and is removed while the stack has some.
//!
//! ```sh
//! cargo run --example nic
//! ```
//!
//! Who owns a received packet when the driver goes away? It lies in the driver's memory, and the stack has it. There are two
//! answers, and the compiler knows which of them applies:
//!
//! 1. **The stack lives in the driver's world** ([`stacks::Inside`]). It keeps the packets themselves, `Packet<'drv>`, for as long as it likes, without a copy.
//!    At remove nothing needs to be handed back: what is still queued goes with the scope, and each buffer finds its pool.
//! 2. **The stack outlives the driver** ([`stacks::SOCKETS`], a `static`). A `Packet<'drv>` does not fit in there (see
//!    `ui-tests/escape/packet_in_a_global.rs`), so it keeps copies, and calls the driver by a [`Port`](driver_scope::Port), which says
//!    `Gone` after the driver has gone.
//!
//! Two cards are connected by a cable, one with either stack. All is software, and the time is virtual: each run is the same. The exit
//! status says whether everything was as expected.
#![forbid(unsafe_code)]

use driver_scope::platform::Sim;
use driver_scope::{Binding, MaySleep, Units};

mod device;
mod driver;
mod stacks;

use device::Card;
use driver::{Counts, Error, Nic, NicDevice, Stack};
use stacks::{Global, Inside, SOCKETS};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let sim = Sim::new();
    sim.may_sleep(|cx| run(&sim, cx))
}

fn run(sim: &Sim, cx: MaySleep<'_>) -> Result<(), Failure> {
    let (left, right) = Card::pair();
    let inside = bind(sim, &left, Inside, cx)?;
    let outside = bind(sim, &right, Global, cx)?;
    SOCKETS.route(outside.port()?);

    println!("a stack that outlives the driver sends through a port");
    for text in ["one", "two", "three", "four"] {
        SOCKETS.send(text)?;
    }
    sim.advance(1.millis());
    println!("  {} frames sent", outside.with(|nic| nic.sent()));

    println!("a stack inside the driver keeps the packets");
    inside.with(|nic| {
        let packet = nic.inlet().next().ok_or("no packet")?;
        println!("  {:?} read in the driver's buffer", text(&packet));
        expect("the packets come in order", &*packet == b"one")?;
        expect("three more are queued", nic.inlet().len() == 3)?;
        nic.transmit(b"answer to one").map_err(Failure::from)
    })?;
    sim.advance(1.millis());

    println!("the inner stack's driver is removed, with packets in the stack's queue");
    let queued = inside.with(|nic| nic.inlet().len());
    let counts = inside.unbind(cx)?.counts;
    println!(
        "  {queued} were queued; of {} buffers lent, {} came back",
        counts.lent(),
        counts.returned()
    );
    expect("three were queued", queued == 3)?;
    expect("four buffers were lent", counts.lent() == 4)?;
    expect("all came back", counts.returned() == 4)?;

    println!("the outer stack's card is pulled out, and its driver removed");
    right.pull_out();
    let pulled_out = SOCKETS.send("anybody there?");
    println!("  before the remove: {}", said(pulled_out));
    expect("the driver notices", pulled_out == Err(Error::PulledOut))?;
    let counts = outside.unbind(cx)?.counts;
    expect("its one buffer came back", counts.returned() == 1)?;
    let gone = SOCKETS.send("anybody there?");
    println!("  after the remove:  {}", said(gone));
    expect(
        "the port is closed",
        gone == Err(Error::Core(driver_scope::Error::Gone)),
    )?;
    let kept = SOCKETS.receive().ok_or("nothing was received")?;
    println!("  {:?} was received, and is still there", text(&kept));
    expect("the copy is right", kept == b"answer to one")?;

    println!("other cards, the same stacks");
    let (left, right) = Card::pair();
    let inside = bind(sim, &left, Inside, cx)?;
    let outside = bind(sim, &right, Global, cx)?;
    SOCKETS.route(outside.port()?);
    // More than there are buffers: the rest waits in the card until the stack has let go of some.
    for number in 0..10 {
        SOCKETS.send(&number.to_string())?;
    }
    sim.advance(1.millis());
    let full = inside.with(|nic| nic.inlet().len());
    inside.with(|nic| while nic.inlet().next().is_some() {});
    sim.advance(1.millis());
    let rest = inside.with(|nic| nic.inlet().len());
    println!("  {full} packets in the stack, and after those {rest} more");
    expect("each buffer is lent once", full == driver::BUFFERS)?;
    expect("no frame is lost", full + rest == 10)?;
    // Both drivers go here, as bindings do. The inner stack has two packets.
    Ok(())
}

fn bind<S: Stack>(
    sim: &Sim,
    card: &std::sync::Arc<Card>,
    stack: S,
    cx: MaySleep<'_>,
) -> Result<Binding<Nic<S>, Sim>, Failure> {
    let device = NicDevice {
        pci: card.pci_device()?,
        stack,
        counts: Counts::default(),
    };
    Ok(Binding::bind(sim.clone(), device, cx).map_err(|failed| failed.error)?)
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn said(sent: Result<(), Error>) -> String {
    sent.map_or_else(|error| error.to_string(), |()| "sent".into())
}

fn expect(what: &str, holds: bool) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(format!("NOT SO: {what}").into())
    }
}
