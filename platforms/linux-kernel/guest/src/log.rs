//! The kernel's log, passed on line by line for `cargo xtask qemu` to judge, from a mark on and with none missing.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};

use linux_guest::Report;
use rustix::fs::OFlags;
use std::os::unix::fs::OpenOptionsExt;

const PATH: &str = "/dev/kmsg";
/// The driver under load says the same thousands of times. Each text is passed on this often, and then counted.
const TIMES: u32 = 3;

/// The log from the mark on.
pub struct Log {
    file: File,
    /// The number of the next line.
    next: Option<u64>,
    lost: u64,
    told: HashMap<String, u32>,
}

impl Log {
    pub fn open() -> Result<Self, String> {
        let fail = |error| format!("{PATH}: {error}");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlags::NONBLOCK.bits() as i32)
            .open(PATH)
            .map_err(fail)?;
        file.seek(SeekFrom::End(0)).map_err(fail)?;
        let mut log = Self {
            file,
            next: None,
            lost: 0,
            told: HashMap::new(),
        };
        log.mark("the checks begin")?;
        Ok(log)
    }

    /// Writes a line into it.
    pub fn mark(&mut self, text: &str) -> Result<(), String> {
        self.file
            .write_all(format!("<6>LINUX: {text}\n").as_bytes())
            .map_err(|error| format!("{PATH}: {error}"))
    }

    /// Passes on what has come since the last call. Fails if a line was overwritten before it was read.
    pub fn pass_on(&mut self, report: &Report) -> Result<(), String> {
        let mut record = vec![0; 8192];
        loop {
            match self.file.read(&mut record) {
                Ok(len) => self.line(report, &String::from_utf8_lossy(&record[..len]))?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // Some were overwritten; the numbers tell how many.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
                Err(error) => return Err(format!("{PATH}: {error}")),
            }
        }
        match self.lost {
            0 => Ok(()),
            lost => Err(format!("{lost} lines were lost")),
        }
    }

    fn line(&mut self, report: &Report, record: &str) -> Result<(), String> {
        let (level, number, text) =
            taken_apart(record).ok_or_else(|| format!("not understood: {record:?}"))?;
        self.lost += self.next.map_or(0, |next| number.abs_diff(next));
        self.next = Some(number + 1);
        let line = format!("{level} {text}");
        let times = self.told.entry(line.clone()).or_default();
        *times += 1;
        if *times <= TIMES {
            report.info(&format!("kernel {line}"));
        }
        Ok(())
    }
}

/// Level, number and text of a record: `6,339,5140900,-;NET: Registered`, and lines with more for machines.
fn taken_apart(record: &str) -> Option<(u8, u64, &str)> {
    let (head, text) = record.split_once(';')?;
    let mut head = head.split(',');
    // The rest of it is the part of the system.
    let level = head.next()?.parse::<u32>().ok()? & 7;
    let number = head.next()?.parse().ok()?;
    Some((u8::try_from(level).ok()?, number, text.lines().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_taken_apart() {
        let record = "12,339,5140900,-;LINUX: x; y\n SUBSYSTEM=pci\n";
        assert_eq!(taken_apart(record), Some((4, 339, "LINUX: x; y")));
        assert_eq!(taken_apart("x"), None);
    }
}
