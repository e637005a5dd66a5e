//! A driver bound to a device, run, and removed in the middle of everything.
//!
//! The device is the software model of QEMU's edu, the platform is this process: real threads, real time. The driver is
//! `drivers/edu`, as it also runs on the real thing. It has the device compute and copy memory, takes its interrupts, and keeps statistics.

use std::io::{IsTerminal, Write};
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use driver_scope::platform::{DmaSpace, Host, Platform};
use driver_scope::{Binding, DriverScope, HrTimer, MaySleep, Units};
use edu::{Edu, EduData};
use edu_model::{Delivery, EduConfig, EduModel};

mod report;

use report::Report;

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let report = Arc::new(Mutex::new(Report::default()));
    let listener = Arc::clone(&report);
    let host = Host::with_tracer(move |event| {
        // The tracer must not panic, so a poisoned report is as good as any.
        if let Ok(mut report) = listener.lock() {
            report.note(event);
        }
    })?;
    host.may_sleep(|cx| run(&host, &report, cx))
}

fn run(host: &Host, report: &Mutex<Report>, cx: MaySleep<'_>) -> Result<(), Error> {
    let clock = host.clone();
    // What the device reaches of the memory.
    let memory = DmaSpace::new();
    let config = EduConfig {
        compute: Duration::from_millis(150),
        transfer: Duration::from_millis(60),
        ..EduConfig::default()
    };
    let model = EduModel::new(move || clock.now().as_nanos(), config).with_dma(&memory);
    let model = Arc::new(model);
    let interrupts = model.interrupts(host, cx, Delivery::Messages)?;

    println!("probe");
    let device = interrupts.pci_device()?.with_dma(memory.clone());
    let binding: Binding<Edu, Host> =
        Binding::bind(host.clone(), device, cx).map_err(|failed| failed.error)?;
    binding.with(|edu| println!("  device {:#010x}, bound\n", edu.id()));

    println!("run");
    for (argument, text) in [(5, "five"), (10, "ten"), (12, "twelve")] {
        binding.with(|edu| edu.start_factorial(argument))?;
        // Meanwhile, into the device's own buffer and back.
        binding.with(|edu| edu.send(0, text.as_bytes()))?;
        wait(host, &binding, cx, |edu| edu.is_transferring());
        binding
            .with(|edu| edu.last_transfer())
            .ok_or("no transfer")??;
        binding.with(|edu| edu.receive(0, text.len()))?;
        wait(host, &binding, cx, |edu| edu.is_transferring());
        let mut back = [0; 16];
        let len = binding.with(|edu| edu.received(&mut back))?;
        let back = String::from_utf8_lossy(&back[..len]).into_owned();
        if back != text {
            return Err(format!("`{text}` came back as `{back}`").into());
        }
        wait(host, &binding, cx, |edu| edu.is_computing());
        let computed = binding.with(|edu| edu.last()).ok_or("no result")??;
        println!(
            "{}  {:>2}! = {:<12} after {:.1} ms; meanwhile there and back: {back:20}",
            if std::io::stdout().is_terminal() {
                "\r"
            } else {
                ""
            },
            computed.argument,
            computed.value,
            computed.took.as_secs_f64() * 1e3,
        );
    }

    println!("\nremove, with everything under way");
    // A handle that is forgotten on purpose, with what it holds. The scope does not mind: the timer is its own.
    binding.with_scope(cx, |_, scope| forget_a_handle(scope))?;
    binding.with(|edu| edu.start_factorial(13))?;
    binding.with(|edu| edu.receive(0, 4096))?;
    host.sleep(cx, 30.millis());
    let (stats, transferring) = binding.with(|edu| (edu.stats(), edu.is_transferring()));
    println!(
        "  13! is being computed: {}; 4096 bytes are coming: {transferring}; so far {} interrupts, {} samples\n",
        model.is_computing(),
        stats.interrupts,
        stats.samples
    );
    // What there is, and what it has counted so far: how late the timers were at most, and how long they took.
    for line in binding.table().to_string().lines() {
        println!("  {line}");
    }
    println!();
    let removed = host.now();
    let _device = binding.unbind(cx)?;

    print!(
        "{}",
        report
            .lock()
            .map_err(|_| "a poisoned report")?
            .table(removed)
    );

    // What the callbacks would do now, if any were left: nothing reaches the device any more. And what the device does.
    let before = (model.accesses(), model.transfers().made);
    host.sleep(cx, 150.millis());
    let late = model.accesses() != before.0;
    let written = model.transfers().made != before.1;
    println!(
        "\naccesses to the device within 150 ms after remove: {}",
        if late { "SOME" } else { "none" }
    );
    println!(
        "what the device went on to write to memory: {} refused{}",
        model.transfers().refused,
        if written { ", BUT SOME IS THERE" } else { "" }
    );
    if late || written {
        return Err("the driver outlived its remove".into());
    }
    Ok(())
}

/// Waits, and shows what goes on.
fn wait(
    host: &Host,
    binding: &Binding<Edu, Host>,
    cx: MaySleep<'_>,
    at_it: impl Fn(&EduData<'_, Host>) -> bool,
) {
    while binding.with(|edu| at_it(edu)) {
        host.sleep(cx, 25.millis());
        binding.with(|edu| show(host, edu));
    }
}

/// What a careless author might write: a guard with a timer in it, forgotten.
fn forget_a_handle<'drv>(scope: &DriverScope<'drv, Host>) -> Result<(), driver_scope::Error> {
    struct Heartbeat<'drv>(HrTimer<'drv, Host>);
    impl Drop for Heartbeat<'_> {
        fn drop(&mut self) {
            let _ = self.0.try_cancel();
        }
    }

    let beat = scope
        .named("forgotten heartbeat")
        .hrtimer(|t| t.forward(7.millis()))?;
    beat.start(7.millis())?;
    mem::forget(Heartbeat(beat));
    Ok(())
}

/// What the driver is doing: one line that changes in place, or a line each time if this is no terminal.
fn show(host: &Host, edu: &EduData<'_, Host>) {
    let stats = edu.stats();
    let (start, end) = if std::io::stdout().is_terminal() {
        ("\r", "  ")
    } else {
        ("", "\n")
    };
    print!(
        "{start}  [{}] {} interrupts, {} transfers, {} samples ({} busy){end}",
        host.now(),
        stats.interrupts,
        stats.transferred,
        stats.samples,
        stats.busy,
    );
    // A terminal that is gone is no reason to stop.
    let _ = std::io::stdout().flush();
}
