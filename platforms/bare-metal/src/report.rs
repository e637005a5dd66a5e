//! The lines that `cargo xtask qemu bare-metal` judges.

use core::fmt::{self, Write};

use crate::machine::serial;

/// What they begin with.
pub const PREFIX: &str = "BARE";

/// Why a check failed.
pub struct Why {
    text: [u8; 112],
    len: usize,
}

impl Why {
    /// What this says, as far as there is room.
    pub fn new(text: impl fmt::Display) -> Self {
        let mut why = Why {
            text: [0; 112],
            len: 0,
        };
        // What does not fit is left out.
        let _ = write!(why, "{text}");
        why
    }
}

impl Write for Why {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            let end = self.len + char.len_utf8();
            let place = self.text.get_mut(self.len..end).ok_or(fmt::Error)?;
            char.encode_utf8(place);
            self.len = end;
        }
        Ok(())
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&self.text[..self.len]).unwrap_or_default())
    }
}

/// [`Why::new`] of what `format!` takes.
#[macro_export]
macro_rules! why {
    ($($text:tt)*) => { $crate::report::Why::new(format_args!($($text)*)) };
}

/// Something for the reader, not judged.
pub fn info(text: fmt::Arguments<'_>) {
    serial::line(format_args!("{PREFIX}-INFO {text}"));
}

/// Counts the checks and prints a line for each.
#[derive(Default)]
pub struct Report {
    ok: u32,
    failed: u32,
}

impl Report {
    /// A check that others do not depend on.
    pub fn check(&mut self, name: &str, result: Result<(), Why>) {
        match result {
            Ok(()) => {
                self.ok += 1;
                serial::line(format_args!("{PREFIX}-CHECK {name} ok"));
            }
            Err(why) => {
                self.failed += 1;
                serial::line(format_args!("{PREFIX}-CHECK {name} FAILED {why}"));
            }
        }
    }

    /// A check that yields something; the error is its name, for the caller to stop with.
    ///
    /// # Errors
    /// The check failed.
    pub fn step<T>(
        &mut self,
        name: &'static str,
        result: Result<T, Why>,
    ) -> Result<T, &'static str> {
        match result {
            Ok(value) => {
                self.check(name, Ok(()));
                Ok(value)
            }
            Err(why) => {
                self.check(name, Err(why));
                Err(name)
            }
        }
    }

    /// The last line. Says whether all was well.
    pub fn finish(&self) -> bool {
        let (ok, failed) = (self.ok, self.failed);
        if failed == 0 {
            serial::line(format_args!("{PREFIX}-RESULT pass checks={ok}"));
        } else {
            serial::line(format_args!(
                "{PREFIX}-RESULT FAILED ok={ok} failed={failed}"
            ));
        }
        failed == 0
    }
}
