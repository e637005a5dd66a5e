//! On what it was measured.

use std::fs;
use std::thread;
use std::time::SystemTime;

use crate::report::Value;

/// What a reader of the figures must know of the machine.
#[must_use]
pub fn describe() -> Vec<(&'static str, Value)> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo")
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned())
        .unwrap_or_else(|| "unknown".to_owned());
    let threads = thread::available_parallelism().map_or(0, usize::from);
    let since_epoch = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    vec![
        ("cpu", Value::Text(cpu)),
        ("cpus", Value::Number(threads as f64)),
        (
            "kernel",
            Value::Text(read("/proc/sys/kernel/osrelease").trim().to_owned()),
        ),
        ("rustc", Value::Text(env!("BENCH_RUSTC").to_owned())),
        ("build", Value::Text(env!("BENCH_BUILD").to_owned())),
        (
            "load before",
            Value::Text(read("/proc/loadavg").trim().to_owned()),
        ),
        ("unix time", Value::Number(since_epoch as f64)),
    ]
}

/// The same, for people.
pub fn print() {
    for (name, value) in describe() {
        match value {
            Value::Text(text) => println!("{name:<12} {text}"),
            Value::Number(number) => println!("{name:<12} {number}"),
            Value::Numbers(_) | Value::Null => {}
        }
    }
    println!();
}
