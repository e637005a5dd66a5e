//! A driver bound to a device, run, and removed in the middle of everything.
//!
//! The device is the software model of QEMU's edu, the platform is this process: real threads, real time. The driver is
//! `drivers/edu`, as it also runs on the real thing.

use std::io::{IsTerminal, Write};
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use driver_scope::platform::{Host, Platform};
use driver_scope::{Binding, DriverScope, HrTimer, MaySleep, Units};
use edu::{Edu, EduData};
use edu_model::{EduConfig, EduModel};

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
    let model = Arc::new(EduModel::new(
        move || clock.now().as_nanos(),
        EduConfig {
            compute: Duration::from_millis(150),
            ..EduConfig::default()
        },
    ));

    println!("probe");
    let binding: Binding<Edu, Host> =
        Binding::bind(host.clone(), model.pci_device()?, cx).map_err(|failed| failed.error)?;
    binding.with(|edu| println!("  device {:#010x}, bound\n", edu.id()));

    println!("run");
    for argument in [5, 10, 12] {
        binding.with(|edu| edu.start_factorial(argument))?;
        while binding.with(|edu| edu.is_computing()) {
            host.sleep(cx, 25.millis());
            binding.with(|edu| show(host, edu));
        }
        let computed = binding.with(|edu| edu.last()).ok_or("no result")??;
        println!(
            "{}  {:>2}! = {:<12} found after {:.1} ms{:30}",
            if std::io::stdout().is_terminal() {
                "\r"
            } else {
                ""
            },
            computed.argument,
            computed.value,
            computed.took.as_secs_f64() * 1e3,
            ""
        );
    }

    println!("\nremove, with everything under way");
    // A handle that is forgotten on purpose, with what it holds. The scope does not mind: the timer is its own.
    binding.with_scope(cx, |_, scope| forget_a_handle(scope))?;
    binding.with(|edu| edu.start_factorial(13))?;
    host.sleep(cx, 30.millis());
    let stats = binding.with(|edu| edu.stats());
    println!(
        "  13! is being computed: {}; so far {} looks, {} samples\n",
        model.is_computing(),
        stats.polls,
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

    // What the timers would do now, if any were left: nothing reaches the device any more.
    let before = model.accesses();
    host.sleep(cx, 50.millis());
    let late = model.accesses() != before;
    println!(
        "\naccesses to the device within 50 ms after remove: {}",
        if late { "SOME" } else { "none" }
    );
    if late {
        return Err("the driver outlived its remove".into());
    }
    Ok(())
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

/// What the timers are doing: one line that changes in place, or a line each time if this is no terminal.
fn show(host: &Host, edu: &EduData<'_, Host>) {
    let stats = edu.stats();
    let (start, end) = if std::io::stdout().is_terminal() {
        ("\r", "  ")
    } else {
        ("", "\n")
    };
    print!(
        "{start}  [{}] {} looks at the status, {} samples ({} busy, {} missed){end}",
        host.now(),
        stats.polls,
        stats.samples,
        stats.busy,
        stats.missed
    );
    // A terminal that is gone is no reason to stop.
    let _ = std::io::stdout().flush();
}
