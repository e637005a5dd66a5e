//! How far a bench has got, on standard error.

use std::io::{self, IsTerminal, Write};

/// So many steps.
#[derive(Debug)]
pub struct Progress<'a> {
    what: &'a str,
    total: usize,
    done: usize,
    /// The percentage that was shown last.
    shown: Option<usize>,
}

impl<'a> Progress<'a> {
    /// None of them done.
    #[must_use]
    pub fn new(what: &'a str, total: usize) -> Self {
        Progress {
            what,
            total,
            done: 0,
            shown: None,
        }
    }

    /// One more is done.
    pub fn step(&mut self) {
        self.done += 1;
        let percent = self.done * 100 / self.total.max(1);
        let mut stderr = io::stderr().lock();
        // A terminal sees each per cent on the same line, a log each quarter.
        let written = if stderr.is_terminal() {
            if self.shown == Some(percent) {
                return;
            }
            let end = if percent == 100 { "\n" } else { "" };
            write!(stderr, "\r{}: {percent:3} %{end}", self.what)
        } else {
            if self.shown == Some(percent / 25) {
                return;
            }
            writeln!(stderr, "{}: {percent:3} %", self.what)
        };
        self.shown = Some(if stderr.is_terminal() {
            percent
        } else {
            percent / 25
        });
        // Nobody who listens: no matter.
        let _ = written.and_then(|()| stderr.flush());
    }
}
