//! Mistakes that an author may make, in copies of the drivers: which of them the compiler refuses, and what the others do at run time.

use std::fs;
use std::path::Path;

use anyhow::{ensure, Context, Result};

use super::drivers::{self, Driver, DRIVERS};
use super::page;
use super::tree::{Built, Machine, Tree};
use crate::util::step;

/// A mistake.
struct Mistake {
    title: &'static str,
    /// By driver, in the order of `DRIVERS`.
    made: [Made; 3],
}

/// What a mistake is in one driver, and what is expected of it.
struct Made {
    edits: &'static [Edit],
    expected: &'static str,
}

/// In a file of the build's folder, replaces what is there once.
struct Edit(&'static str, &'static str, &'static str);

/// A driver that has nothing to make the mistake with.
const NONE: Made = Made {
    edits: &[],
    expected: "there is no such thing",
};

const fn made(edits: &'static [Edit], expected: &'static str) -> Made {
    Made { edits, expected }
}

const OURS: &str = "edu/lib.rs";
const BOUND: &str = "rivals/edu_bound.rs";
const DEVRES: &str = "rivals/edu_devres.rs";

// What ours may be told.
const DONE: &str = "        Ok(EduData {\n            regs,";
const IRQ: &str = "        scope.named(\"interrupt\").irq_threaded(";
const IRQ_NAMED: &str = "        let irq = scope.named(\"interrupt\").irq_threaded(";
const IRQ_DONE: &str = "        // An interrupt when a factorial is done.\n        regs.write";
const IRQ_FORGOTTEN: &str = "        core::mem::forget(irq);\n        regs.write";
const THREAD: &str = "                stats.interrupted();\n";
const CAUSES: &str = "        // What the handler has taken off the device, for the thread.\n";
const LOCAL_CAPTURED: Edit = Edit(OURS, THREAD, "                stats.interrupted();\n                local.fetch_add(1, Ordering::Relaxed);\n");
const LOCAL: Edit = Edit(
    OURS,
    CAUSES,
    "        let local = AtomicU32::new(0);\n        let local = &local;\n",
);
/// What is stored in a static, or in an `Arc` that is, must be `'static`, and is there for ever.
const KEEP_OURS: Edit = Edit(OURS, "/// Makes sure that this is", "fn keep<T: 'static>(value: T) {\n    core::mem::forget(value);\n}\n\n/// Makes sure that this is");

// What the rivals may be told.
const KEEP: &str =
    "fn keep<T: 'static>(value: T) {\n    core::mem::forget(value);\n}\n\nstruct Driver;\n";
const STORED_FACTORIAL: &str = "self.job.lock().start(&self.shared.bar, argument)?;\n        // SAFETY: The handle is not forgotten: it is dropped with the first field of `self`, or when it is replaced.\n        *time_out = Some(unsafe { UnsafeHrTimerPointer::start(self, TIME_OUT) });";
const FORGOTTEN_FACTORIAL: &str = "self.job.lock().start(&self.shared.bar, argument)?;\n        core::mem::forget(unsafe { UnsafeHrTimerPointer::start(self, TIME_OUT) });";
const START: &str = "self.state.job.lock().start(&bar, argument)?;\n        }\n        time_out.handle = Some(self.state.clone().start(TIME_OUT));";
const START_FORGOTTEN: &str = "self.state.job.lock().start(&bar, argument)?;\n        }\n        core::mem::forget(self.state.clone().start(TIME_OUT));";
const SLEEP: &str = "    fn handle(&self) -> ThreadedIrqReturn {\n        kernel::time::delay::fsleep(kernel::time::Delta::from_millis(1));\n";
const HANDLE: &str = "    fn handle(&self) -> ThreadedIrqReturn {\n";
const THREADED: &str = "    fn handle_threaded(&self) -> IrqReturn {\n";
const THREADED_LOCAL: &str =
    "    fn handle_threaded(&self) -> IrqReturn {\n        self.local.add(1, Relaxed);\n";
const VECTORS: &str = "    // Must be after `irq`, which borrows from it.\n    vectors: IrqVectorRegistration<'bound>,\n";
const OPEN: &str = "Ok::<_, Error>(Handler { edu, factorial:";
const REGISTRATION: &str = "                    // SAFETY: The registration is not forgotten: it is a field of `Data`.\n                    unsafe {\n                        ThreadedRegistration::new(";
const BOXED: &str = "                    core::mem::ManuallyDrop::new(KBox::pin_init(unsafe {\n                        ThreadedRegistration::new(";
const MASK: &str = "                    }\n                },\n                _: {";
const BOXED_END: &str =
    "                    }, GFP_KERNEL)?)\n                },\n                _: {";
const FIELD_BOUND: &str = "    #[pin]\n    irq: ThreadedRegistration<'bound, Handler<'bound>>,\n";
const FIELD_DEVRES: &str = "    #[pin]\n    irq: ThreadedRegistration<'bound, Handler>,\n";
const INDEX: &str = "                    // SAFETY: The registration is not forgotten";
const WATCHED: &str = "                    watch(vectors.index(0)?.into())?;\n                    // SAFETY: The registration is not forgotten";
const WATCH: &str = "struct Watcher<'l>(&'l Atomic<u32>);

impl ThreadedHandler for Watcher<'_> {
    fn handle_threaded(&self) -> IrqReturn {
        self.0.add(1, Relaxed);
        IrqReturn::Handled
    }
}

fn watch(request: kernel::irq::IrqRequest<'_>) -> Result {
    let local = Atomic::new(0);
    let watcher = Ok::<_, Error>(Watcher(&local));
    let irq = unsafe { ThreadedRegistration::new(request, Flags::SHARED, c\"edu\", watcher) };
    core::mem::forget(KBox::pin_init(irq, GFP_KERNEL)?);
    Ok(())
}

struct Driver;
";
const MISTAKES: [Mistake; 8] = [
    Mistake {
        title: "the handle of the interrupt's registration is forgotten",
        made: [
            made(
                &[Edit(OURS, IRQ, IRQ_NAMED), Edit(OURS, IRQ_DONE, IRQ_FORGOTTEN)],
                "harmless",
            ),
            made(
                &[
                    Edit(BOUND, FIELD_BOUND, "    irq: core::mem::ManuallyDrop<Pin<KBox<ThreadedRegistration<'bound, Handler<'bound>>>>>,\n"),
                    Edit(BOUND, "irq <- {", "irq: {"),
                    Edit(BOUND, REGISTRATION, BOXED),
                    Edit(BOUND, MASK, BOXED_END),
                ],
                "compiles; `WARNING: fs/proc/generic.c:750`",
            ),
            made(
                &[
                    Edit(DEVRES, FIELD_DEVRES, "    irq: core::mem::ManuallyDrop<Pin<KBox<ThreadedRegistration<'bound, Handler>>>>,\n"),
                    Edit(DEVRES, "irq <- {", "irq: {"),
                    Edit(DEVRES, REGISTRATION, BOXED),
                    Edit(DEVRES, MASK, BOXED_END),
                ],
                "compiles; `WARNING: fs/proc/generic.c:750`",
            ),
        ],
    },
    Mistake {
        title: "the handle of a started timer is forgotten",
        made: [
            made(
                &[Edit(OURS, DONE, "        core::mem::forget(factorials);\n        Ok(EduData {\n            regs,")],
                "harmless",
            ),
            made(&[Edit(BOUND, STORED_FACTORIAL, FORGOTTEN_FACTORIAL)], "compiles; `ODEBUG: free active (active state 0)`"),
            made(&[Edit(DEVRES, START, START_FORGOTTEN)], "compiles; `BUG: unable to handle page fault`"),
        ],
    },
    Mistake {
        title: "a handle is kept in a static, or in an `Arc` that is",
        made: [
            made(
                &[KEEP_OURS, Edit(OURS, DONE, "        keep(factorials);\n        Ok(EduData {\n            regs,")],
                "refused: `` error[E0521]: borrowed data escapes outside of associated function ``",
            ),
            made(
                &[Edit(BOUND, "struct Driver;\n", KEEP), Edit(BOUND, INDEX, "                    keep(edu);\n                    // SAFETY: The registration is not forgotten")],
                "refused: `` error[E0521]: borrowed data escapes outside of associated function ``",
            ),
            made(
                &[Edit(DEVRES, "struct Driver;\n", KEEP), Edit(DEVRES, INDEX, "                    keep(edu.clone());\n                    // SAFETY: The registration is not forgotten")],
                "harmless",
            ),
        ],
    },
    Mistake {
        title: "the fields of the driver's data in another order: the BAR before the interrupt",
        made: [
            made(
                &[Edit(OURS, "    regs: Mmio<'drv, EduRegs, P>,\n    stats: &'drv Stats,\n    factorials: Factorials<'drv, P>,\n", "    factorials: Factorials<'drv, P>,\n    stats: &'drv Stats,\n    regs: Mmio<'drv, EduRegs, P>,\n")],
                "harmless",
            ),
            made(
                &[
                    Edit(BOUND, "    // Must be after everything above, which borrows from it.\n    shared: Shared<'bound>,\n", ""),
                    Edit(BOUND, "struct Data<'bound> {\n", "struct Data<'bound> {\n    shared: Shared<'bound>,\n"),
                ],
                "compiles; `BUG: unable to handle page fault`",
            ),
            made(
                &[
                    Edit(DEVRES, "struct Edu {\n    bar: Arc<Bar>,\n", "struct Edu {\n"),
                    Edit(DEVRES, "    transfers: Transfers,\n}", "    transfers: Transfers,\n    bar: Arc<Bar>,\n}"),
                ],
                "harmless",
            ),
        ],
    },
    Mistake {
        title: "the fields of the driver's data in another order: the interrupt's vector before its handler",
        made: [
            NONE,
            made(&[Edit(BOUND, VECTORS, ""), Edit(BOUND, FIELD_BOUND, "    vectors: IrqVectorRegistration<'bound>,\n    #[pin]\n    irq: ThreadedRegistration<'bound, Handler<'bound>>,\n")], "compiles; `WARNING: fs/proc/generic.c:750`"),
            made(&[Edit(DEVRES, VECTORS, ""), Edit(DEVRES, FIELD_DEVRES, "    vectors: IrqVectorRegistration<'bound>,\n    #[pin]\n    irq: ThreadedRegistration<'bound, Handler>,\n")], "compiles; `WARNING: fs/proc/generic.c:750`"),
        ],
    },
    Mistake {
        title: "a handler captures a local variable of `probe`",
        made: [
            made(&[LOCAL, LOCAL_CAPTURED], "refused: `` error[E0597]: `local` does not live long enough ``"),
            made(
                &[
                    Edit(BOUND, "struct Handler<'bound> {\n", "struct Handler<'bound> {\n    local: &'bound Atomic<u32>,\n"),
                    Edit(BOUND, THREADED, THREADED_LOCAL),
                    Edit(BOUND, INDEX, "                    let local = Atomic::new(0);\n                    // SAFETY: The registration is not forgotten"),
                    Edit(BOUND, OPEN, "Ok::<_, Error>(Handler { local: &local, edu, factorial:"),
                ],
                "refused: `` error[E0597]: `local` does not live long enough ``",
            ),
            made(
                &[
                    Edit(DEVRES, "struct Handler {\n", "struct Handler<'bound> {\n    local: &'bound Atomic<u32>,\n"),
                    Edit(DEVRES, "impl ThreadedHandler for Handler {", "impl ThreadedHandler for Handler<'_> {"),
                    Edit(DEVRES, FIELD_DEVRES, "    #[pin]\n    irq: ThreadedRegistration<'bound, Handler<'bound>>,\n"),
                    Edit(DEVRES, THREADED, THREADED_LOCAL),
                    Edit(DEVRES, INDEX, "                    let local = Atomic::new(0);\n                    // SAFETY: The registration is not forgotten"),
                    Edit(DEVRES, OPEN, "Ok::<_, Error>(Handler { local: &local, edu, factorial:"),
                ],
                "refused: `` error[E0597]: `local` does not live long enough ``",
            ),
        ],
    },
    Mistake {
        title: "a handler captures a local variable, and its handle is forgotten",
        made: [
            made(
                &[LOCAL, LOCAL_CAPTURED, Edit(OURS, IRQ, IRQ_NAMED), Edit(OURS, IRQ_DONE, IRQ_FORGOTTEN)],
                "refused: `` error[E0597]: `local` does not live long enough ``",
            ),
            made(&[Edit(BOUND, INDEX, WATCHED), Edit(BOUND, "struct Driver;\n", WATCH)], "compiles; `WARNING: fs/proc/generic.c:750`"),
            made(&[Edit(DEVRES, INDEX, WATCHED), Edit(DEVRES, "struct Driver;\n", WATCH)], "compiles; `BUG: unable to handle page fault`"),
        ],
    },
    Mistake {
        title: "an interrupt's handler waits",
        made: [
            made(
                &[
                    Edit(OURS, CAUSES, "        let cx = scope.may_sleep();\n"),
                    Edit(OURS, "            move |_| match regs.read_or_gone(INTERRUPT_STATUS) {\n", "            move |_| match core::convert::identity((cx, regs)).1.read_or_gone(INTERRUPT_STATUS) {\n"),
                ],
                "refused: `` error[E0277]: a `MaySleep` holds for the context that it was lent to, and for no other ``",
            ),
            made(&[Edit(BOUND, HANDLE, SLEEP)], "compiles; `BUG: scheduling while atomic`"),
            made(&[Edit(DEVRES, HANDLE, SLEEP)], "compiles; `BUG: scheduling while atomic`"),
        ],
    },
];

/// Two processors, as in any machine.
const MACHINE: Machine = Machine {
    cpus: "2",
    more: &[],
};

/// Tries all; the table, and what is not as expected.
pub fn table(tree: &Tree<'_>) -> Result<(String, Vec<String>)> {
    let checked = tree.checked()?;
    let mut rows = vec![vec!["the mistake".to_owned()]];
    let mut unexpected = Vec::new();
    for driver in &DRIVERS {
        rows[0].push(driver.title.to_owned());
        step(format!("{} as it is", driver.name));
        let folder = tree.build(checked, driver)?;
        let log = tree.boot(checked, &MACHINE, driver, &folder, "try")?;
        let seen = seen_in(&log);
        ensure!(
            seen == HARMLESS,
            "{} without a mistake: {seen}",
            driver.name
        );
    }
    for mistake in &MISTAKES {
        let mut row = vec![mistake.title.to_owned()];
        for (driver, made) in DRIVERS.iter().zip(&mistake.made) {
            let seen = if made.edits.is_empty() {
                made.expected.to_owned()
            } else {
                of(tree, driver, made.edits)
                    .with_context(|| format!("{}: {}", driver.name, mistake.title))?
            };
            step(format!("{}: {}: {seen}", driver.name, mistake.title));
            if seen != made.expected {
                unexpected.push(format!(
                    "{}: {}: seen {seen:?}, expected {:?}",
                    driver.name, mistake.title, made.expected
                ));
            }
            row.push(seen);
        }
        rows.push(row);
    }
    Ok((page::table(&rows), unexpected))
}

/// What becomes of a driver with these edits.
fn of(tree: &Tree<'_>, driver: &Driver, edits: &[Edit]) -> Result<String> {
    let checked = tree.checked()?;
    let folder = tree.builds(checked).join("mutant").join(driver.name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    drivers::copy(&tree.builds(checked).join(driver.name), &folder)?;
    for Edit(file, from, to) in edits {
        edit(&folder.join(file), from, to)?;
    }
    let Built { is_made, said } = tree.make(checked, &folder)?;
    if !is_made {
        return Ok(refused(&said));
    }
    let log = tree.boot(checked, &MACHINE, driver, &folder, "try")?;
    Ok(seen_in(&log))
}

fn edit(file: &Path, from: &str, to: &str) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    ensure!(
        text.matches(from).count() == 1,
        "{} times in {}: {from}",
        text.matches(from).count(),
        file.display()
    );
    Ok(fs::write(file, text.replace(from, to))?)
}

/// What the compiler says first.
fn refused(said: &str) -> String {
    let error = said.lines().find(|line| line.starts_with("error"));
    format!("refused: `` {} ``", error.unwrap_or("error without words"))
}

const HARMLESS: &str = "harmless";

/// What the kernel complains about; of several complaints the one that says most.
fn seen_in(log: &str) -> String {
    const COMPLAINTS: [&str; 8] = [
        "BUG: KASAN: ",
        "BUG: scheduling while atomic",
        "BUG: sleeping function",
        "BUG: unable to handle",
        "kernel BUG at",
        "ODEBUG: ",
        "WARNING: ",
        "BUG: ",
    ];
    let complaint = COMPLAINTS.iter().find_map(|text| {
        log.lines()
            .find_map(|line| Some(plain(&line[line.find(text)?..])))
    });
    if let Some(complaint) = complaint {
        return format!("compiles; `{complaint}`");
    }
    let line = |begin: &str| {
        log.lines()
            .find_map(|line| line.split_once(begin).map(|(_, rest)| rest.trim()))
    };
    if let Some(seen) = line("LINUX-SEEN ") {
        return format!("compiles; {seen}");
    }
    match line("LINUX-END ") {
        Some("well") => HARMLESS.to_owned(),
        Some(why) => format!("compiles; {why}"),
        None => "compiles; the machine stops".to_owned(),
    }
}

/// A message without the places and numbers that are other ones in each build.
fn plain(message: &str) -> String {
    let ends = [
        " in ",
        " at ",
        " for address",
        " called from",
        ": swapper",
        " object",
        ": ffff",
    ];
    // Whatever was running.
    if let Some(at) = message.find(" atomic: ") {
        return message[..at + " atomic".len()].to_owned();
    }
    let end = ends.iter().filter_map(|end| message.find(end)).min();
    message[..end.unwrap_or(message.len())].trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_edit_applies_to_the_drivers_as_they_are() {
        let root = crate::util::root();
        for mistake in &MISTAKES {
            for made in &mistake.made {
                for Edit(file, from, _) in made.edits {
                    let path = match file.strip_prefix("edu/") {
                        Some(file) => root.join("drivers/edu/src").join(file),
                        None => root.join("platforms/linux-kernel").join(file),
                    };
                    let text = fs::read_to_string(path).unwrap();
                    assert_eq!(text.matches(from).count(), 1, "{}: {from}", mistake.title);
                }
            }
        }
    }

    #[test]
    fn complaints_are_found() {
        assert_eq!(seen_in("a\nLINUX-END well\n"), HARMLESS);
        assert_eq!(seen_in("LINUX-END unbind: x\n"), "compiles; unbind: x");
        assert_eq!(
            seen_in("[ 1] BUG: KASAN: slab-use-after-free in f+0x1/0x2\nLINUX-END well\n"),
            "compiles; `BUG: KASAN: slab-use-after-free`"
        );
        assert_eq!(
            seen_in("[ 1] BUG: unable to handle page fault for address: ffff8\n"),
            "compiles; `BUG: unable to handle page fault`"
        );
        assert_eq!(
            seen_in("[ 1] ODEBUG: free active object: ffff\n[ 2] BUG: scheduling while atomic: swapper/0/0/0x1\n"),
            "compiles; `BUG: scheduling while atomic`"
        );
        assert_eq!(seen_in(""), "compiles; the machine stops");
        assert_eq!(
            refused("x\nerror[E0597]: y\nz"),
            "refused: `` error[E0597]: y ``"
        );
    }
}
