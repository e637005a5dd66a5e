//! What a bench has found: the figures, without each single sample, and what it printed.

use std::fs;
use std::path::Path;

use anyhow::{ensure, Context, Result};
use serde_json::{Map, Value};

use crate::plot::Figure;

/// What one bench has found.
pub struct Results {
    /// The machine, the day, and so on.
    pub machine: Record,
    pub records: Vec<Record>,
    /// What it printed.
    pub printed: String,
}

/// One line of it: names and figures.
pub struct Record(pub Map<String, Value>);

impl Record {
    /// A text, or nothing.
    pub fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn number(&self, key: &str) -> Option<f64> {
        self.0.get(key)?.as_f64()
    }

    /// Several numbers.
    pub fn numbers(&self, key: &str) -> Vec<f64> {
        let all = self.0.get(key).and_then(Value::as_array);
        all.map(|all| all.iter().filter_map(Value::as_f64).collect())
            .unwrap_or_default()
    }

    pub fn flag(&self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    /// The median with its quartiles.
    pub fn figure(&self) -> Option<Figure> {
        let both = (self.number("lower_quartile"), self.number("upper_quartile"));
        Some(Figure {
            median: self.number("median")?,
            quartiles: both.0.zip(both.1).map(|(lower, upper)| [lower, upper]),
        })
    }

    /// With the version, if it has one.
    pub fn name(&self) -> String {
        named(self.text("name"), self.text("version"))
    }

    /// Whether a text or a number under a key is this one.
    pub fn is(&self, key: &str, what: impl Into<Value>) -> bool {
        match (self.0.get(key), what.into()) {
            (Some(Value::Number(one)), Value::Number(other)) => one.as_f64() == other.as_f64(),
            (Some(one), other) => *one == other,
            (None, _) => false,
        }
    }
}

/// A name with a version, unless it has that already.
fn named(name: &str, version: &str) -> String {
    if version.is_empty() || name.ends_with(version) {
        return name.to_owned();
    }
    // `tokio Sleep` is of that crate; what comes after a comma or a bracket is not of the version.
    match name.find([',', '(']) {
        Some(at) => {
            let (name, rest) = name.split_at(at);
            let gap = if rest.starts_with('(') { " " } else { "" };
            format!("{} {version}{gap}{rest}", name.trim_end())
        }
        None => format!("{name} {version}"),
    }
}

impl Results {
    /// What is kept of a bench; nothing if it was never run.
    pub fn kept(folder: &Path, name: &str) -> Result<Option<Self>> {
        let Ok(json) = fs::read_to_string(folder.join(name).with_extension("json")) else {
            return Ok(None);
        };
        let printed = fs::read_to_string(folder.join(name).with_extension("txt"))
            .with_context(|| format!("{name}.txt belongs to {name}.json"))?;
        Self::parse(&json, printed).map(Some)
    }

    fn parse(json: &str, printed: String) -> Result<Self> {
        let all: Value = serde_json::from_str(json).context("its JSON")?;
        let records = all["records"].as_array().context("there are no records")?;
        let record = |value: &Value| value.as_object().cloned().map(Record).context("no object");
        Ok(Results {
            machine: record(&all["machine"])?,
            records: records.iter().map(record).collect::<Result<_>>()?,
            printed,
        })
    }

    /// Takes over what a bench has just left: the figures without their samples, and what it printed without the paths of this machine.
    pub fn take(from: &Path, to: &Path, name: &str) -> Result<()> {
        let read = |extension| {
            let path = from.join(name).with_extension(extension);
            fs::read_to_string(&path).with_context(|| path.display().to_string())
        };
        let printed = without_paths(&read("txt")?)?;
        let results = Self::parse(&read("json")?, printed)?;
        ensure!(!results.records.is_empty(), "nothing was measured");
        fs::write(to.join(name).with_extension("json"), results.shown(name))?;
        fs::write(to.join(name).with_extension("txt"), &results.printed)?;
        Ok(())
    }

    /// One record a line.
    fn shown(&self, name: &str) -> String {
        let line = |record: &Record| {
            let kept = record.0.iter();
            let kept: Map<String, Value> = kept
                .filter(|(key, _)| !key.starts_with("samples"))
                .map(|(key, value)| (key.clone(), rounded(value)))
                .collect();
            Value::Object(kept).to_string()
        };
        let records: Vec<String> = self
            .records
            .iter()
            .filter(|r| is_told(name, r))
            .map(line)
            .collect();
        format!(
            "{{\"machine\":{},\"records\":[\n{}\n]}}\n",
            line(&self.machine),
            records.join(",\n")
        )
    }

    /// All records of which this is so.
    pub fn of<'a>(&'a self, key: &'a str, what: impl Into<Value>) -> Vec<&'a Record> {
        let what = what.into();
        self.records
            .iter()
            .filter(|r| r.is(key, what.clone()))
            .collect()
    }
}

/// What the page has a use for. The timers have many figures that stand in what they print.
fn is_told(name: &str, record: &Record) -> bool {
    name != "timers" || record.is("deadlines", "mixed")
}

/// Four digits are more than anything here is measured to.
fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let value = number.as_f64().unwrap_or_default();
            let digits = 10f64.powf(3.0 - value.abs().max(1e-9).log10().floor());
            Value::from((value * digits).round() / digits)
        }
        Value::Array(all) => all.iter().map(rounded).collect(),
        other => other.clone(),
    }
}

/// All up to the line that says where on this machine the samples are; that must be there, or the bench did not come to its end.
fn without_paths(printed: &str) -> Result<String> {
    ensure!(
        !printed.contains("NOT COUNTED") && !printed.contains("NOT TO BE TRUSTED"),
        "instructions were not counted, so this is no run for the page"
    );
    let lines: Vec<&str> = printed.lines().collect();
    let end = lines
        .iter()
        .position(|line| line.starts_with("the same for programs"))
        .context("it did not come to its end")?;
    let kept: Vec<&str> = lines[..end].iter().map(|line| line.trim_end()).collect();
    Ok(kept.join("\n").trim_end().to_owned() + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_loses_its_paths() {
        let text = without_paths("a  \nb\n\nthe same for programs: /x\n").unwrap();
        assert_eq!(text, "a\nb\n");
    }

    #[test]
    fn a_run_that_did_not_count_or_end_is_none() {
        assert!(without_paths("NOT COUNTED: x\nthe same for programs\n").is_err());
        assert!(without_paths("a\n").is_err());
    }

    #[test]
    fn samples_are_not_kept_and_figures_are_short() {
        let json = r#"{"machine":{"cpu":"x"},"records":[{"samples_ns":[1.0],"median":1.23456,"q":[123456.7],"n":3}]}"#;
        let results = Results::parse(json, String::new()).unwrap();
        assert_eq!(
            results.shown("access"),
            "{\"machine\":{\"cpu\":\"x\"},\"records\":[\n{\"median\":1.235,\"n\":3,\"q\":[123500.0]}\n]}\n"
        );
        // What is kept can be read again.
        let again = Results::parse(&results.shown("access"), String::new()).unwrap();
        assert_eq!(again.shown("access"), results.shown("access"));
        assert!(again.records[0].is("n", 3));
    }

    #[test]
    fn a_version_stands_behind_the_crate() {
        assert_eq!(named("tokio Sleep", "1.2"), "tokio Sleep 1.2");
        assert_eq!(
            named("seize, retire + flush", "0.5"),
            "seize 0.5, retire + flush"
        );
        assert_eq!(named("tokio Sleep 1.2", "1.2"), "tokio Sleep 1.2");
        assert_eq!(
            named("tokio (a task each)", "1.2"),
            "tokio 1.2 (a task each)"
        );
        assert_eq!(named("BTreeMap", ""), "BTreeMap");
    }
}
