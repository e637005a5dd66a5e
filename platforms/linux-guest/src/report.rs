//! The lines that `cargo xtask qemu` judges.

use std::io::{self, Write};

use crate::Step;

/// Counts the checks and prints a line for each.
pub struct Report {
    prefix: &'static str,
    ok: u32,
    failed: u32,
}

impl Report {
    /// A report whose lines begin with this.
    #[must_use]
    pub fn new(prefix: &'static str) -> Self {
        Report {
            prefix,
            ok: 0,
            failed: 0,
        }
    }

    /// What its lines begin with.
    #[must_use]
    pub fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// Something for the reader, not judged.
    pub fn info(&self, text: &str) {
        line(&format!("{}-INFO {text}", self.prefix));
    }

    /// A check that others do not depend on.
    pub fn check(&mut self, name: &str, result: Result<(), String>) {
        match result {
            Ok(()) => {
                self.ok += 1;
                line(&format!("{}-CHECK {name} ok", self.prefix));
            }
            Err(why) => {
                self.failed += 1;
                line(&format!("{}-CHECK {name} FAILED {why}", self.prefix));
            }
        }
    }

    /// A check that yields something; the error is its name, for the caller to stop with.
    ///
    /// # Errors
    /// The name.
    pub fn step<T>(&mut self, name: &'static str, result: Result<T, String>) -> Step<T> {
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
            line(&format!("{}-RESULT pass checks={}", self.prefix, self.ok));
        } else {
            let (ok, failed) = (self.ok, self.failed);
            line(&format!(
                "{}-RESULT FAILED ok={ok} failed={failed}",
                self.prefix
            ));
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
