//! Judges what a guest printed. A guest that prints nothing, stops half-way, skips a check or takes the
//! kernel down must never pass.

use anyhow::{ensure, Result};

/// What a guest has to say. With the prefix `UIO` its lines are
///
/// ```text
/// UIO-INFO <anything>
/// UIO-CHECK <name> ok
/// UIO-CHECK <name> FAILED <why>
/// UIO-RESULT pass checks=<n>
/// ```
///
/// Anything that does not start with the prefix belongs to the kernel.
pub struct Expected<'a> {
    pub prefix: &'a str,
    /// Each must be there exactly once, and no other.
    pub checks: &'a [&'a str],
}

/// No line of a good run contains these.
const TROUBLE: [&str; 9] = [
    "BUG:",
    "Oops",
    "Kernel panic",
    "WARNING:",
    "INFO: task",
    "Call Trace:",
    "general protection fault",
    "segfault at",
    // Rust's, from the guest program.
    "panicked at",
];

/// Fails, saying everything that is wrong, if this is not what a good run prints.
pub fn judge(text: &[u8], expected: &Expected) -> Result<()> {
    let wrong = complaints(&String::from_utf8_lossy(text), expected);
    ensure!(
        wrong.is_empty(),
        "the transcript is not that of a good run:\n    {}",
        wrong.join("\n    ")
    );
    Ok(())
}

/// Fails unless all of these stand in one line that the kernel has printed, and not the guest's program.
pub fn kernel_says(text: &[u8], words: &[&str]) -> Result<()> {
    let text = String::from_utf8_lossy(text);
    // With the time of day of the kernel: `[    1.234567] `.
    let mut lines = text.lines().filter(|line| line.starts_with('['));
    ensure!(
        words.is_empty() || lines.any(|line| words.iter().all(|word| line.contains(word))),
        "no line of the kernel's with `{}`",
        words.join("` and `")
    );
    Ok(())
}

/// Everything that is wrong with a transcript; nothing if the run was good.
pub fn complaints(text: &str, expected: &Expected) -> Vec<String> {
    let marker = format!("{}-", expected.prefix);
    let mut wrong = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    let mut result = None;

    for line in text.lines().map(str::trim_end) {
        if let Some(word) = TROUBLE.iter().find(|word| line.contains(*word)) {
            wrong.push(format!("`{word}` in: {line}"));
        }
        let Some(statement) = line.strip_prefix(&marker) else {
            // Such a line would otherwise be taken for the kernel's, and its check for a skipped one.
            if line.contains(&marker) {
                wrong.push(format!("another line runs into a guest line: {line}"));
            }
            continue;
        };
        if result.is_some() {
            wrong.push(format!("a line after the result: {line}"));
        }
        let words: Vec<&str> = statement.split(' ').collect();
        match words.as_slice() {
            ["INFO", ..] => {}
            ["CHECK", name, "ok"] => seen.push(name),
            ["CHECK", name, "FAILED", ..] => {
                seen.push(name);
                wrong.push(format!("check failed: {line}"));
            }
            ["RESULT", ..] => result = Some(line),
            _ => wrong.push(format!("not understood: {line}")),
        }
    }

    for name in expected.checks {
        match seen.iter().filter(|other| *other == name).count() {
            0 => wrong.push(format!("check `{name}` was not made")),
            1 => {}
            n => wrong.push(format!("check `{name}` was made {n} times")),
        }
    }
    for name in seen {
        if !expected.checks.contains(&name) {
            wrong.push(format!("check `{name}` is not on the expected list"));
        }
    }
    let good = format!("{marker}RESULT pass checks={}", expected.checks.len());
    match result {
        None => wrong.push(format!("no final line `{good}`")),
        Some(line) if line != good => wrong.push(format!("`{line}` instead of `{good}`")),
        Some(_) => {}
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[    0.5] uio: loaded\r\n\
        UIO-INFO kernel 6.1\r\n\
        UIO-CHECK bind ok\r\n\
        UIO-CHECK identify ok\r\n\
        UIO-RESULT pass checks=2\r\n\
        [    1.0] reboot: Power down\r\n";

    fn complaints_of(text: &str) -> Vec<String> {
        let checks = &["bind", "identify"];
        complaints(
            text,
            &Expected {
                prefix: "UIO",
                checks,
            },
        )
    }

    #[track_caller]
    fn refused(text: &str, why: &[&str]) {
        let wrong = complaints_of(text);
        assert_eq!(wrong.len(), why.len(), "{wrong:#?}");
        for (wrong, why) in wrong.iter().zip(why) {
            assert!(wrong.contains(why), "`{why}` is not in `{wrong}`");
        }
    }

    #[test]
    fn a_good_run_passes() {
        assert_eq!(complaints_of(GOOD), Vec::<String>::new());
    }

    #[test]
    fn what_the_kernel_must_say_is_not_taken_from_the_guest() {
        let words = &["DMAR: [DMA Write", "fault addr 0x"];
        let line = "DMAR: [DMA Write NO_PASID] Request device [00:01.0] fault addr 0x20000 [x]";
        let said = |text: String| kernel_says(text.as_bytes(), words).is_ok();
        assert!(said(format!("{GOOD}[    1.0] {line}\r\n")));
        assert!(!said(GOOD.into()));
        assert!(!said(format!("{GOOD}UIO-INFO the kernel: {line}\r\n")));
        // Not here one and there the other.
        let (one, other) = line.split_at(30);
        assert!(!said(format!("[    1.0] {one}\r\n[    1.1] {other}\r\n")));
        assert!(kernel_says(b"", &[]).is_ok());
    }

    #[test]
    fn silence_fails() {
        refused("", &["`bind` was not", "`identify` was not", "no final"]);
    }

    #[test]
    fn a_skipped_check_fails_even_if_the_guest_says_pass() {
        let text = GOOD.replace("UIO-CHECK identify ok\r\n", "");
        refused(&text, &["`identify` was not made"]);
    }

    #[test]
    fn a_check_made_twice_fails() {
        let twice = "UIO-CHECK bind ok\r\nUIO-CHECK bind ok";
        let text = GOOD.replace("UIO-CHECK bind ok", twice);
        refused(&text, &["`bind` was made 2 times"]);
    }

    #[test]
    fn an_unknown_check_fails() {
        let more = "UIO-CHECK bind ok\r\nUIO-CHECK dma ok";
        let text = GOOD.replace("UIO-CHECK bind ok", more);
        refused(&text, &["`dma` is not on"]);
    }

    #[test]
    fn a_failed_check_fails_even_if_the_guest_says_pass() {
        let text = GOOD.replace("identify ok", "identify FAILED id 0xffffffff");
        refused(&text, &["0xffffffff"]);
    }

    #[test]
    fn a_run_that_stops_before_the_result_fails() {
        let text = GOOD.split("UIO-RESULT").next().unwrap();
        refused(text, &["no final line"]);
    }

    #[test]
    fn a_wrong_result_fails() {
        let text = GOOD.replace("checks=2", "checks=3");
        refused(&text, &["instead of"]);
        let text = GOOD.replace("pass checks=2", "FAILED checks=2");
        refused(&text, &["instead of"]);
        // A count that only begins right.
        let text = GOOD.replace("checks=2", "checks=21");
        refused(&text, &["instead of"]);
    }

    #[test]
    fn nothing_may_follow_the_result() {
        let text = format!("{GOOD}UIO-INFO still here\r\n");
        refused(&text, &["after the result"]);
        let text = format!("{GOOD}UIO-RESULT pass checks=2\r\n");
        refused(&text, &["after the result"]);
    }

    #[test]
    fn trouble_in_the_kernel_fails_even_if_the_guest_says_pass() {
        for line in [
            "[    1.1] BUG: unable to handle page fault for address: 0000000000001000",
            "[    1.1] Oops: 0002 [#1] PREEMPT SMP NOPTI",
            "[    1.1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100",
            "[    1.1] WARNING: CPU: 0 PID: 1 at kernel/irq/manage.c:1",
            "thread 'main' panicked at src/main.rs:1:1:",
        ] {
            refused(&format!("{GOOD}{line}\r\n"), &[line]);
        }
    }

    #[test]
    fn garbled_guest_lines_fail() {
        let text = GOOD.replace("UIO-CHECK bind", "[ 0.9] x UIO-CHECK bind");
        refused(&text, &["runs into", "`bind` was not made"]);
        let text = GOOD.replace("identify ok", "identify ok[ 0.9] x");
        refused(&text, &["not understood", "`identify` was not made"]);
    }
}
