//! QEMU's monitor, by which a running machine is asked for something: a line of JSON each way.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A machine that does not answer in this time does not answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection to a machine's monitor.
pub struct Monitor {
    lines: BufReader<UnixStream>,
}

impl Monitor {
    /// Connects to a machine that was started with `-qmp unix:<socket>,server=on,wait=off`, which is there as soon as the machine prints anything.
    pub fn connect(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut monitor = Monitor {
            lines: BufReader::new(stream),
        };
        // It greets, and then wants to be told that it was understood.
        monitor.line()?;
        monitor.execute("qmp_capabilities", "{}")?;
        Ok(monitor)
    }

    /// Has a command executed. `arguments` is a JSON object.
    pub fn execute(&mut self, command: &str, arguments: &str) -> io::Result<()> {
        let text = format!("{{\"execute\":\"{command}\",\"arguments\":{arguments}}}\n");
        self.lines.get_mut().write_all(text.as_bytes())?;
        loop {
            let line = self.line()?;
            match answer(&line) {
                Some(true) => return Ok(()),
                Some(false) => return Err(io::Error::other(format!("{command}: {line}"))),
                None => {}
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.lines.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

/// Whether a line says that a command was executed, or that it failed; nothing if it tells of an event. (The first member of the object says it.)
fn answer(line: &str) -> Option<bool> {
    let member = line.trim_start_matches(['{', ' ']);
    if member.starts_with("\"return\"") {
        Some(true)
    } else if member.starts_with("\"error\"") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_from_events() {
        assert_eq!(answer(r#"{"return": {}}"#), Some(true));
        assert_eq!(
            answer(r#"{"error": {"class": "GenericError"}}"#),
            Some(false)
        );
        let event =
            r#"{"timestamp": {"seconds": 1}, "event": "DEVICE_DELETED", "data": {"return": 1}}"#;
        assert_eq!(answer(event), None);
    }
}
