//! Judges the kernel's log, which the guest passes on in lines like `LINUX-INFO kernel <level> <text>`. Only what is expected may stand there.

/// What a kernel says of its own while the modules are tried, and why that is all right.
const EXPECTED: [&str; 4] = [
    // The guest's own mark.
    "LINUX: ",
    // The device's interrupt is connected when it is first enabled.
    "ACPI: \\x5c_SB_.GSI",
    // The watchdog of the time stamp counters: an emulated processor may not have come to answer it.
    "clocksource: Watchdog remote CPU ",
    // Once, of the first module. The taint that it leaves is looked at, too.
    "edu: loading out-of-tree module taints kernel.",
];

/// The modules, as they begin their lines: `edu: x`, or `edu 0000:00:01.0: x` where it is about the device.
const MODULES: [&str; 5] = ["edu", "edu_load", "edu_leak", "edu_bound", "edu_devres"];

/// The least urgent level of a warning. Of those that are, nothing of a module's is expected.
const WARNING: u8 = 4;

const PREFIX: &str = "LINUX-INFO kernel ";
/// The first line of the log.
const MARK: &str = "LINUX: the checks begin";

/// From this line of the guest's on, a driver has leaked a binding, and this is said of it.
const LEAK_MARK: &str = "LINUX: from here on a binding is leaked";
const LEAKED: &str = "driver_scope: a binding was leaked: ";

/// What is wrong with the kernel's log in a transcript.
pub fn complaints(text: &str, also_expected: &[&str]) -> Vec<String> {
    let lines: Vec<_> = text
        .lines()
        .filter_map(|line| line.trim_end().strip_prefix(PREFIX))
        .collect();
    let mut wrong = Vec::new();
    let mut leaked = false;
    if !lines.first().is_some_and(|line| line.ends_with(MARK)) {
        wrong.push("the guest has not passed on the kernel's log from its mark on".to_owned());
    }
    for line in lines {
        leaked |= line.ends_with(LEAK_MARK);
        let good = line
            .split_once(' ')
            .and_then(|(level, text)| Some((level.parse().ok()?, text)))
            .is_some_and(|(level, text)| {
                is_expected(level, text, also_expected) || leaked && text.starts_with(LEAKED)
            });
        if !good {
            wrong.push(format!("the kernel says: {line}"));
        }
    }
    wrong
}

/// Whether the log says that a leaked binding keeps its module.
pub fn tells_of_the_leak(text: &str) -> bool {
    text.lines()
        .filter_map(|line| line.strip_prefix(PREFIX))
        .any(|line| line.contains(LEAKED))
}

fn is_expected(level: u8, text: &str, also: &[&str]) -> bool {
    EXPECTED
        .iter()
        .chain(also)
        .any(|expected| text.starts_with(expected))
        || level > WARNING && of_module(text)
        || of_rivals_queue(text)
}

/// The only queue for plain work that the kernel's own abstractions in Rust have is one that the kernel deprecates; it says so once for each kind of work.
fn of_rivals_queue(text: &str) -> bool {
    text.starts_with("workqueue: work func ")
        && (text.contains(" [edu_bound] ") || text.contains(" [edu_devres] "))
        && text.contains("enqueued on deprecated workqueue")
}

fn of_module(text: &str) -> bool {
    let Some((who, _)) = text.split_once(": ") else {
        return false;
    };
    let name = who.split_once(' ').map_or(who, |(name, _)| name);
    MODULES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "LINUX-INFO kernel 6 LINUX: the checks begin\r\n\
        LINUX-INFO kernel 4 edu: loading out-of-tree module taints kernel.\r\n\
        LINUX-INFO kernel 6 edu 0000:00:01.0: enabling device (0000 -> 0002)\r\n\
        LINUX-CHECK x ok\r\n\
        LINUX-INFO kernel 6 edu_load: x\r\n";

    #[test]
    fn what_is_expected_passes() {
        assert_eq!(complaints(GOOD, &[]), Vec::<String>::new());
    }

    #[test]
    fn a_leak_is_only_expected_where_there_is_one() {
        let leak = format!("{PREFIX}3 {LEAKED}1 parts of it\r\n");
        assert_eq!(complaints(&format!("{GOOD}{leak}"), &[]).len(), 1);
        let marked = format!("{GOOD}{PREFIX}6 {LEAK_MARK}\r\n{leak}");
        assert!(complaints(&marked, &[]).is_empty());
        assert!(tells_of_the_leak(&marked) && !tells_of_the_leak(GOOD));
    }

    #[test]
    fn a_log_that_is_not_passed_on_is_no_good_one() {
        assert_eq!(complaints("LINUX-CHECK x ok", &[]).len(), 1);
        let late = GOOD.split_once('\n').unwrap().1;
        assert_eq!(complaints(late, &[]).len(), 1);
    }

    #[test]
    fn anything_else_is_wrong() {
        for line in [
            "4 ------------[ cut here ]------------",
            "3 BUG: KASAN: slab-use-after-free in x",
            "6 something else",
            "4 edu 0000:00:01.0: DMA-API: device driver has pending DMA allocations",
            "3 edu: probe failed",
            "edu: without a level",
            "6 educated: guess",
        ] {
            let text = format!("{GOOD}{PREFIX}{line}\r\n");
            assert_eq!(complaints(&text, &[]).len(), 1, "{line}");
        }
        for (module, complaints_about) in [("edu", 1), ("edu_bound", 0)] {
            let line = format!(
                "4 workqueue: work func _Rx [{module}] enqueued on deprecated workqueue. Use y"
            );
            let text = format!("{GOOD}{PREFIX}{line}\r\n");
            assert_eq!(complaints(&text, &[]).len(), complaints_about, "{line}");
        }
        let text = format!("{GOOD}{PREFIX}6 something else\r\n");
        assert!(complaints(&text, &["something"]).is_empty());
    }
}
