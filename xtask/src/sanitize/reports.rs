//! What the tools write: reports, and which suppressions were used how often.

use std::collections::BTreeMap;

/// Lines of a report that are shown; the file has them all.
const SHOWN: usize = 40;

/// The reports in a log, each with its first lines.
pub fn reports(log: &str) -> Vec<String> {
    let lines: Vec<&str> = log.lines().map(without_pid).collect();
    if let Some(count) = lines.iter().find_map(|line| valgrinds(line)) {
        return if count == 0 {
            Vec::new()
        } else {
            vec![valgrinds_first(&lines)]
        };
    }
    let begins: Vec<usize> = (0..lines.len()).filter(|&at| begins(lines[at])).collect();
    begins
        .iter()
        .map(|&at| lines[at..lines.len().min(at + SHOWN)].join("\n"))
        .collect()
}

fn begins(line: &str) -> bool {
    ["ERROR: ", "WARNING: "]
        .iter()
        .filter_map(|mark| line.strip_prefix(mark))
        .any(|rest| {
            ["AddressSanitizer", "LeakSanitizer", "ThreadSanitizer"]
                .iter()
                .any(|tool| rest.starts_with(tool))
        })
        // It could not begin, or it broke off.
        || line.contains("Sanitizer CHECK failed")
        || line.starts_with("FATAL: ")
}

/// How many errors valgrind counts in all.
fn valgrinds(line: &str) -> Option<usize> {
    let rest = line.strip_prefix("ERROR SUMMARY: ")?;
    rest.split(' ').next()?.parse().ok()
}

/// What valgrind says, from the first line that is about an error.
fn valgrinds_first(lines: &[&str]) -> String {
    let marks = [
        "Invalid ",
        "Conditional jump",
        "Use of uninit",
        "Syscall param",
        "definitely lost",
        "indirectly lost",
        "free()",
        "Mismatched",
        "Process terminating",
    ];
    let first = lines
        .iter()
        .position(|line| marks.iter().any(|mark| line.contains(mark)))
        .unwrap_or(0);
    lines[first..lines.len().min(first + SHOWN)].join("\n")
}

/// A line without `==123==` in front of it.
fn without_pid(line: &str) -> &str {
    let mark = if line.starts_with("--") { "--" } else { "==" };
    line.strip_prefix(mark)
        .and_then(|rest| rest.split_once(mark))
        .filter(|(pid, _)| pid.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(line, |(_, rest)| rest.strip_prefix(' ').unwrap_or(rest))
}

/// The suppressions that were used, by the function that they name.
pub fn used(log: &str) -> BTreeMap<String, usize> {
    let mut used = BTreeMap::new();
    let mut table = false;
    for line in log.lines().map(without_pid) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let found = match words[..] {
            // LeakSanitizer: count, bytes, template
            ["Suppressions", "used:"] => {
                table = true;
                None
            }
            [count, bytes, name] if table && bytes.bytes().all(|b| b.is_ascii_digit()) => {
                Some((count, name))
            }
            // ThreadSanitizer: count and kind:template
            [count, name] if name.contains(':') => {
                Some((count, name.split_once(':').map_or(name, |(_, name)| name)))
            }
            _ => None,
        };
        if let Some((count, name)) = found {
            if let Ok(count) = count.parse::<usize>() {
                *used.entry(name.to_owned()).or_default() += count;
            }
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_the_sanitizers_are_counted() {
        let log = "=================================================================\n\
            ==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n    #0 0x2 in main\n\
            SUMMARY: AddressSanitizer: heap-use-after-free\n";
        let found = reports(log);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("ERROR: AddressSanitizer: heap-use-after-free"));
        let log = "WARNING: ThreadSanitizer: data race (pid=1)\n  x\nWARNING: ThreadSanitizer: data race (pid=1)\n";
        assert_eq!(reports(log).len(), 2);
        assert!(reports("ThreadSanitizer: Matched 1 suppressions (pid=1):\n1 race:f\n").is_empty());
        assert!(reports("").is_empty());
    }

    #[test]
    fn valgrind_is_believed_its_sum() {
        let none = "==7== Memcheck\n==7== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 1 from 1)\n";
        assert!(reports(none).is_empty());
        let one = "==7== Memcheck\n==7== Invalid read of size 8\n==7==    at 0x1: f\n==7== ERROR SUMMARY: 3 errors from 1 contexts\n";
        let found = reports(one);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("Invalid read of size 8\n"),
            "{found:?}"
        );
    }

    #[test]
    fn suppressions_that_were_used_are_told() {
        let leaks = "-----\nSuppressions used:\n  count      bytes template\n      2        576 a_leaked_binding\n-----\n";
        assert_eq!(
            used(leaks),
            BTreeMap::from([("a_leaked_binding".into(), 2)])
        );
        let races = "ThreadSanitizer: Matched 3 suppressions (pid=1):\n3 race:some_function\n";
        assert_eq!(used(races), BTreeMap::from([("some_function".into(), 3)]));
    }
}
