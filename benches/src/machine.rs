//! On what it was measured.

use std::fs;
use std::process::Command;
use std::thread;

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
    let date = Command::new("date").args(["-u", "+%F"]).output();
    let date = date.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let load = read("/proc/loadavg");
    let load: Vec<&str> = load.split(' ').take(3).collect();
    let load = load.join(" ");
    vec![
        ("date", Value::Text(date.unwrap_or_default())),
        ("cpu", Value::Text(cpu)),
        ("cpus", Value::Number(threads as f64)),
        (
            "kernel",
            Value::Text(read("/proc/sys/kernel/osrelease").trim().to_owned()),
        ),
        ("rustc", Value::Text(env!("BENCH_RUSTC").to_owned())),
        ("build", Value::Text(env!("BENCH_BUILD").to_owned())),
        ("load before", Value::Text(load)),
    ]
}

/// The same, for people.
pub fn print() {
    for (name, value) in describe() {
        match value {
            Value::Text(text) => println!("{name:<12} {text}"),
            Value::Number(number) => println!("{name:<12} {number}"),
            Value::Numbers(_) | Value::Flag(_) | Value::Null => {}
        }
    }
    println!();
}
