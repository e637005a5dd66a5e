//! The page: in short, then subject by subject.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use crate::results::Results;
use crate::subjects::{self, Part, Subject};

/// Where the results, what was printed and the plots are, beside the page.
pub const FOLDER: &str = "benchmarks";

const HEAD: &str = "\
# Benchmarks

Made by `cargo xtask bench-report`, which runs the benches, and makes this page and its plots of what they find. The candidates of a subject are measured in
turns in one run, so that its ratios hold although a machine is noisy; shown are medians, and the quartiles as whiskers. Each candidate was first seen to do what it should: to read what
is there and, where it is protected, nothing after its revoke; to fire what is pending, and nothing that was cancelled; to end what it is to end. Other crates are named
with their versions. What each bench printed, its bounds and its figures are beside this page, in [`benchmarks/`](benchmarks).

";

/// All files of the page, by their paths.
pub fn make(kept: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let mut short = String::from("## In short\n\n");
    let mut rest = String::new();
    for subject in &subjects::ALL {
        let Some(results) = Results::kept(kept, subject.bench)? else {
            rest += &format!(
                "\n## {}\n\nNot measured yet: `{}`.\n",
                subject.title,
                command(subject)
            );
            continue;
        };
        let part = (subject.make)(&results);
        let anchor = subject.title.to_lowercase().replace(' ', "-");
        for claim in &part.claims {
            short += &format!("- **[{}](#{anchor})**: {claim}\n", subject.title);
        }
        rest += &section(subject, &results, &part);
        for plot in part.plots {
            files.insert(format!("{FOLDER}/{}.svg", plot.file), plot.drawn + "\n");
        }
    }
    files.insert("benchmarks.md".to_owned(), format!("{HEAD}{short}{rest}"));
    Ok(files)
}

fn command(subject: &Subject) -> String {
    format!("cargo xtask bench-report {}", subject.bench)
}

fn section(subject: &Subject, results: &Results, part: &Part) -> String {
    let name = subject.bench;
    let mut text = format!("\n## {}\n\n{}\n\n", subject.title, part.about);
    for plot in &part.plots {
        text += &format!("![{}]({FOLDER}/{}.svg)\n\n", plot.about, plot.file);
    }
    for table in &part.tables {
        text += &format!("{}\n", table.shown());
    }
    text += &bounds(&results.printed);
    let machine = |key: &str| results.machine.text(key);
    let cpus = results.machine.number("cpus").unwrap_or_default();
    // What builds programs itself says how, above.
    let build = match name {
        "size" | "compile" => String::new(),
        _ => format!(", {}", machine("build")),
    };
    text += &format!(
        "`{}`, {}; {}, {cpus} CPUs, Linux {}; {}{}; load before: {}. [All that it printed]({FOLDER}/{name}.txt), [the figures]({FOLDER}/{name}.json).\n",
        command(subject),
        machine("date"),
        machine("cpu"),
        machine("kernel"),
        machine("rustc"),
        build,
        machine("load before"),
    );
    text
}

/// What was promised, and what of it did not hold in this run.
fn bounds(printed: &str) -> String {
    let of = |verdict: &str| -> Vec<String> {
        let lines = printed
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix(verdict));
        lines.map(|line| line.trim().replace('<', "&lt;")).collect()
    };
    let (held, failed) = (of("PASS ").len(), of("FAIL "));
    match (held, failed.len()) {
        (0, 0) => String::new(),
        (held, 0) => format!("Bounds: all {held} hold.\n\n"),
        (held, broken) => {
            let mut text =
                format!("<details><summary>Bounds: {held} hold, {broken} do not.</summary>\n\n");
            for line in &failed {
                text += &format!("- {line}\n");
            }
            text + "\n</details>\n\n"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_that_do_not_hold_are_told() {
        assert_eq!(bounds("no bounds"), "");
        assert_eq!(bounds("  PASS a\n  PASS b\n"), "Bounds: all 2 hold.\n\n");
        let told = bounds("  PASS a\n  FAIL x < y? no\nFAILURE\n");
        assert!(
            told.contains("1 hold, 1 do not") && told.contains("- x &lt; y? no\n"),
            "{told}"
        );
    }
}
