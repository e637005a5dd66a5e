//! Tells the benches how they were built.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc)
        .arg("--version")
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default();
    println!("cargo::rustc-env=BENCH_RUSTC={version}");

    // As `cargo xtask bench` sets them.
    let setting = |name: &str| {
        println!("cargo::rerun-if-env-changed={name}");
        std::env::var(name).unwrap_or_else(|_| "default".to_owned())
    };
    println!(
        "cargo::rustc-env=BENCH_BUILD=lto {}, codegen units {}",
        setting("CARGO_PROFILE_BENCH_LTO"),
        setting("CARGO_PROFILE_BENCH_CODEGEN_UNITS")
    );
}
