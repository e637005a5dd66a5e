//! `--break`: the driver under load, with one guard of the glue left out at a time, in the kernel with the checks. Each must be reported, else the checks have seen nothing.

use anyhow::{ensure, Context, Result};

use super::chroot::Chroot;
use super::guest::{self, Job};
use super::kernel::Kernel;
use super::modules::{self, Change};
use crate::util::step;

/// Something left out, and what must be seen of it.
struct Break {
    name: &'static str,
    /// The module that shows it.
    module: &'static str,
    changes: &'static [Change],
    /// Any one of these in a line of the transcript.
    reports: &'static [&'static str],
}

/// The driver under load, and the one that leaks a binding.
const LOAD: &str = "edu_load";
const LEAK: &str = "edu_leak";

/// A timer, or work, in memory that is freed; or what it does there.
const FREED: &[&str] = &["ODEBUG: ", "KASAN: "];
/// Something is there that a driver must not leave behind, or in the way of the next.
const LEFT: &[&str] = &["nothing-left FAILED", "load-cycles FAILED"];

const BREAKS: &[Break] = &[
    Break {
        name: "timers-not-cancelled",
        module: LOAD,
        changes: &[
            Change {
                file: "glue/timers.rs",
                from: "waiting::until(stalled, || self.stop().then_some(()));",
                to: "",
            },
        ],
        reports: FREED,
    },
    Break {
        name: "work-not-cancelled",
        module: LOAD,
        changes: &[
            Change {
                file: "glue/timers.rs",
                from: "self.stop().then_some(()));\n        if self.is_work {",
                to: "self.stop().then_some(()));\n        if false {",
            },
        ],
        reports: FREED,
    },
    Break {
        name: "armed-when-shut",
        module: LOAD,
        changes: &[
            Change {
                file: "glue/timers.rs",
                from: "state.shut = true;",
                to: "",
            },
            // It takes a call of `arm` that is under way at that moment; so that of the timer that is never due takes longer.
            Change {
                file: "glue/timers.rs",
                from: "        how: Arm,\n    ) -> Result<(), Error> {\n",
                to: "        how: Arm,\n    ) -> Result<(), Error> {\n        let now = time::monotonic();\n        while at.as_nanos() > now + 50_000_000_000 && time::monotonic() < now + 3_000_000 {\n            core::hint::spin_loop();\n        }\n",
            },
        ],
        reports: FREED,
    },
    Break {
        name: "irq-not-freed",
        module: LOAD,
        changes: &[
            Change {
                file: "glue/irqs.rs",
                from: "unsafe { bindings::free_irq(this.irq, node.as_ptr().cast()) };",
                to: "",
            },
        ],
        reports: &["KASAN: ", "WARNING: ", "kernel BUG at ", "/proc/interrupts"],
    },
    Break {
        name: "region-not-released",
        module: LOAD,
        changes: &[
            Change {
                file: "glue/bus.rs",
                from: "bindings::pci_release_region(device, self.bar.index());",
                to: "",
            },
        ],
        reports: LEFT,
    },
    Break {
        name: "registers-not-unmapped",
        module: LOAD,
        changes: &[
            Change {
                file: "glue/bus.rs",
                from: "bindings::pci_iounmap(device, self.address.as_ptr().cast());",
                to: "",
            },
        ],
        reports: LEFT,
    },
    Break {
        name: "dma-not-freed",
        module: LOAD,
        changes: &[
            Change {
                file: "glue/dma.rs",
                from: "        // SAFETY: from `allocate`, with this claim and layout, and not used again. [FOREIGN, CALLER]\n",
                to: "        if layout.size() > 0 {\n            return;\n        }\n",
            },
        ],
        reports: &["DMA-API: "],
    },
    Break {
        name: "vectors-not-freed",
        module: LOAD,
        changes: &[
            Change {
                file: "glue/device.rs",
                from: "bindings::pci_free_irq_vectors(self.as_raw());",
                to: "",
            },
        ],
        reports: &["nothing-left FAILED", "load-cycles FAILED", "WARNING: "],
    },
    Break {
        name: "device-not-disabled",
        module: LOAD,
        changes: &[
            Change {
                file: "glue/device.rs",
                from: "bindings::pci_disable_device(self.as_raw());",
                to: "",
            },
        ],
        reports: LEFT,
    },
    Break {
        name: "memory-not-freed",
        module: LOAD,
        changes: &[
            Change {
                file: "glue/platform.rs",
                from: "unsafe { Kmalloc::free(block, layout) };",
                to: "",
            },
        ],
        reports: &["no-leak FAILED"],
    },
    Break {
        name: "file-not-unregistered",
        module: LOAD,
        changes: &[
            Change {
                file: "glue/pci.rs",
                from: "drop(file);",
                to: "mem::forget(file);",
            },
        ],
        reports: &["cannot create duplicate filename", "KASAN: ", "load-cycles FAILED"],
    },
    Break {
        name: "reader-not-waited-for",
        module: LOAD,
        changes: &[
            Change {
                file: "glue/sections.rs",
                from: "while !over() {",
                to: "while false && !over() {",
            },
            // It takes a reader that is inside at that moment; so they stay longer.
            Change {
                file: "glue/file.rs",
                from: "F::read(data, &mut state)",
                to: "{\n            crate::waiting::sleep(core::time::Duration::from_millis(5));\n            F::read(data, &mut state)\n        }",
            },
        ],
        reports: FREED,
    },
    Break {
        name: "interrupts-not-masked",
        module: LOAD,
        changes: &[
            Change {
                file: "glue/lock.rs",
                from: "bindings::local_interrupt_disable();",
                to: "",
            },
            Change {
                file: "glue/lock.rs",
                from: "bindings::local_interrupt_enable();",
                to: "",
            },
        ],
        reports: &["inconsistent lock state", "WARNING: possible"],
    },
    Break {
        name: "leak-not-waited-for",
        module: LEAK,
        changes: &[
            Change {
                file: "glue/platform.rs",
                from: "Alive::wait_for_all();",
                to: "",
            },
        ],
        reports: &["BUG: ", "Oops: "],
    },
];

/// How often the torture unbinds and binds.
const CYCLES: u64 = 100;

pub fn run(chroot: &Chroot, kernel: &Kernel, cycles: Option<u64>, part: &str) -> Result<()> {
    let breaks: Vec<_> = BREAKS
        .iter()
        .filter(|broken| broken.name.contains(part))
        .collect();
    ensure!(!breaks.is_empty(), "no break has `{part}` in its name");
    let mut results = Vec::new();
    for (number, broken) in breaks.iter().enumerate() {
        let name = broken.name;
        step(format!("break {} of {}: {name}", number + 1, breaks.len()));
        let job = Job {
            cycles: Some(cycles.unwrap_or(CYCLES)),
            reports: Some(broken.reports),
        };
        let modules = modules::build_changed(chroot, kernel, broken.module, broken.changes)?;
        let transcript = guest::boot(kernel, &modules, &job).context(name)?;
        let report = report(&transcript.text, broken.reports);
        match &report {
            Some(line) => step(format!("{name}: reported: {line}")),
            None => {
                step(format!("{name}: NOT REPORTED; what is wrong instead:"));
                for line in &transcript.wrong {
                    println!("    {line}");
                }
            }
        }
        results.push((name, report));
    }
    println!();
    for (name, report) in &results {
        println!(
            "  {name:<44} {}",
            report.as_deref().unwrap_or("NOT REPORTED")
        );
    }
    let unseen = results
        .iter()
        .filter(|(_, report)| report.is_none())
        .count();
    ensure!(
        unseen == 0,
        "{unseen} of {} were not reported",
        results.len()
    );
    Ok(())
}

/// The first line with any of these.
fn report(text: &str, reports: &[&str]) -> Option<String> {
    text.lines()
        .find(|line| reports.iter().any(|report| line.contains(report)))
        .map(|line| line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::util;

    #[test]
    fn each_break_applies_to_what_there_is() {
        for broken in BREAKS {
            for change in broken.changes {
                let file = change.file.replace("glue/", "platforms/linux-kernel/src/");
                let text = std::fs::read_to_string(util::root().join(&file)).unwrap();
                if let Err(error) = modules::changed(&text, change) {
                    panic!("{}: {error}", broken.name);
                }
            }
        }
    }

    #[test]
    fn a_report_is_a_line_with_the_words() {
        let text = "a\r\n[ 1.0] BUG: KASAN: slab-use-after-free in x\r\nb";
        let found = report(text, FREED).unwrap();
        assert_eq!(found, "[ 1.0] BUG: KASAN: slab-use-after-free in x");
        assert_eq!(report(text, LEFT), None);
    }
}
