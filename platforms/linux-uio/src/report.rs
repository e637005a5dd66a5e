//! The lines that `cargo xtask qemu uio` judges.

use std::io::{self, Write};

/// Counts the checks and prints a line for each.
#[derive(Default)]
pub struct Report {
    ok: u32,
    failed: u32,
}

impl Report {
    /// Something for the reader, not judged.
    pub fn info(&self, text: &str) {
        line(&format!("UIO-INFO {text}"));
    }

    /// A check that others do not depend on.
    pub fn check(&mut self, name: &str, result: Result<(), String>) {
        match result {
            Ok(()) => {
                self.ok += 1;
                line(&format!("UIO-CHECK {name} ok"));
            }
            Err(why) => {
                self.failed += 1;
                line(&format!("UIO-CHECK {name} FAILED {why}"));
            }
        }
    }

    /// A check that yields something; the error is its name, for the caller to stop with.
    pub fn step<T>(
        &mut self,
        name: &'static str,
        result: Result<T, String>,
    ) -> Result<T, &'static str> {
        let (value, outcome) = match result {
            Ok(value) => (Ok(value), Ok(())),
            Err(why) => (Err(name), Err(why)),
        };
        self.check(name, outcome);
        value
    }

    /// The last line.
    pub fn finish(&self) {
        if self.failed == 0 {
            line(&format!("UIO-RESULT pass checks={}", self.ok));
        } else {
            let (ok, failed) = (self.ok, self.failed);
            line(&format!("UIO-RESULT FAILED ok={ok} failed={failed}"));
        }
    }
}

/// One write for the whole line, then waits until it is out: the kernel's own messages use the same
/// console and would otherwise end up in its middle.
fn line(text: &str) {
    let mut stdout = io::stdout().lock();
    // If the console is gone nobody can be told; the judge misses the line.
    let _ = writeln!(stdout, "{text}");
    let _ = stdout.flush();
    let _ = rustix::termios::tcdrain(&stdout);
}
