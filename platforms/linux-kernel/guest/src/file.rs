//! The driver's device file: a command is written, the state is read.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::{Duration, Instant};

/// The device needs milliseconds; an emulated processor may be slow to notice.
const PATIENCE: Duration = Duration::from_secs(10);

/// The open file.
pub struct Edu(File);

impl Edu {
    pub fn open(path: &str) -> Result<Self, String> {
        Self::try_open(path).map_err(|error| format!("{path}: {error}"))
    }

    pub fn try_open(path: &str) -> io::Result<Self> {
        Ok(Self(OpenOptions::new().read(true).write(true).open(path)?))
    }

    /// Begins something; the result comes later.
    pub fn try_command(&self, command: &str) -> io::Result<()> {
        (&self.0).write_all(command.as_bytes())
    }

    pub fn command(&self, command: &str) -> Result<(), String> {
        self.try_command(command)
            .map_err(|error| format!("`{command}`: {error}"))
    }

    pub fn try_text(&self) -> io::Result<String> {
        let mut text = vec![0; 4096];
        let len = self.0.read_at(&mut text, 0)?;
        text.truncate(len);
        String::from_utf8(text).map_err(io::Error::other)
    }

    pub fn state(&self) -> Result<State, String> {
        let text = self.try_text().map_err(|error| format!("read: {error}"))?;
        State::parse(&text).ok_or_else(|| format!("not understood: {text:?}"))
    }

    /// Waits until this is so of the state.
    pub fn until(&self, what: &str, is: impl Fn(&State) -> bool) -> Result<State, String> {
        let started = Instant::now();
        loop {
            let state = self.state()?;
            if is(&state) {
                return Ok(state);
            }
            if started.elapsed() > PATIENCE {
                return Err(format!("{what}: not after {PATIENCE:?}; {state:?}"));
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// What the file says.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub id: u32,
    pub computing: bool,
    /// In the driver's words, as is the next.
    pub last_factorial: String,
    pub transferring: bool,
    pub last_transfer: String,
    pub received: String,
    stats: Vec<(String, u64)>,
}

impl State {
    fn parse(text: &str) -> Option<Self> {
        let line = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        };
        let running = |name| match line(name)? {
            "running" => Some(true),
            "idle" => Some(false),
            _ => None,
        };
        let stats = line("stats")?.split(' ').map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Some(Self {
            id: u32::from_str_radix(line("id")?.strip_prefix("0x")?, 16).ok()?,
            computing: running("factorial")?,
            last_factorial: line("last factorial")?.to_owned(),
            transferring: running("transfer")?,
            last_transfer: line("last transfer")?.to_owned(),
            received: line("received")?.to_owned(),
            stats: stats.collect::<Option<_>>()?,
        })
    }

    /// One of the statistics.
    pub fn stat(&self, name: &str) -> Result<u64, String> {
        let stat = self.stats.iter().find(|(other, _)| other == name);
        stat.map(|(_, value)| *value)
            .ok_or_else(|| format!("no `{name}` in {:?}", self.stats))
    }
}

/// `WHAT in NS ns`: the time, if it is this that was done.
pub fn took(text: &str, what: &str) -> Option<Duration> {
    let rest = text.strip_prefix(what)?.strip_prefix(" in ")?;
    Some(Duration::from_nanos(
        rest.strip_suffix(" ns")?.parse().ok()?,
    ))
}

/// The bytes that the driver sends.
pub fn pattern(len: u32) -> impl Iterator<Item = u8> {
    #[allow(clippy::cast_possible_truncation)] // It is a byte of it that is sent.
    (0..len).map(|i| (i * 7 + i / 256) as u8)
}

/// As the file tells what was received.
pub fn told(len: u32) -> String {
    let hash = pattern(len).fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("{len} bytes {hash:#010x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "id 0x010000ed\n\
        factorial running\n\
        last factorial 10 = 3628800 in 1234567 ns\n\
        transfer idle\n\
        last transfer none\n\
        received none\n\
        stats interrupts=3 computed=1 transferred=0 failed=0 samples=9 busy=2\n";

    #[test]
    fn the_state_is_understood() {
        let state = State::parse(TEXT).unwrap();
        assert_eq!(state.id, 0x0100_00ed);
        assert!(state.computing && !state.transferring);
        let time = took(&state.last_factorial, "10 = 3628800");
        assert_eq!(time, Some(Duration::from_nanos(1_234_567)));
        assert_eq!(took(&state.last_factorial, "10 = 36288"), None);
        assert_eq!(state.last_transfer, "none");
        assert_eq!(state.stat("samples"), Ok(9));
        assert!(state.stat("sample").is_err());
        for line in TEXT.lines() {
            assert!(State::parse(&TEXT.replace(line, "")).is_none(), "{line}");
        }
    }

    #[test]
    fn what_was_received_is_told_by_its_hash() {
        // The hash of nothing, and that of one zero, by the published parameters.
        assert_eq!(told(0), "0 bytes 0x811c9dc5");
        assert_eq!(told(1), "1 bytes 0x050c5d1f");
        assert_eq!(pattern(258).last(), Some(0x08));
    }
}
