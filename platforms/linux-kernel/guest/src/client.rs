//! Another process that uses the driver while it comes and goes.

use std::fmt;
use std::io::{ErrorKind, Read};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;

use crate::file::Edu;
use crate::module::LOAD;

/// The program's first argument, where it is this process.
pub const ARGUMENT: &str = "client";

/// Between two uses. The other process wants a turn, too, on processors that are emulated, and that the driver keeps busy.
const PAUSE: Duration = Duration::from_millis(1);

/// The process, seen from the other.
pub struct Client(Child);

impl Client {
    pub fn start() -> Result<Self, String> {
        let child = Command::new("/init")
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        child
            .map(Self)
            .map_err(|error| format!("a second process: {error}"))
    }

    /// Ends it, and says what it has done.
    pub fn stop(mut self) -> Result<Did, String> {
        // The end of its input.
        drop(self.0.stdin.take());
        let output = self
            .0
            .wait_with_output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("the second process: {}", output.status));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        Did::parse(&text).ok_or_else(|| format!("the second process: {text:?}"))
    }
}

/// What it has done.
#[derive(Default, Debug, PartialEq)]
pub struct Did {
    opened: u64,
    commands: u64,
    /// Commands that the driver had no time for.
    busy: u64,
    states: u64,
    /// The driver was gone while the file was open.
    gone: u64,
}

impl Did {
    fn parse(text: &str) -> Option<Self> {
        let numbers: Vec<u64> = text
            .split_whitespace()
            .map(|word| word.parse().ok())
            .collect::<Option<_>>()?;
        let [opened, commands, busy, states, gone] = numbers.try_into().ok()?;
        Some(Self {
            opened,
            commands,
            busy,
            states,
            gone,
        })
    }

    /// Fails if it was not in the way of anything.
    pub fn enough(&self) -> Result<(), String> {
        if self.commands > 0 && self.states > 0 && self.gone > 0 {
            Ok(())
        } else {
            Err(format!("too little was going on: {self}"))
        }
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            opened,
            commands,
            busy,
            states,
            gone,
        } = self;
        write!(f, "{opened} times open, {commands} commands, {busy} refused as too many, {states} states; {gone} times the driver was gone")
    }
}

/// The process itself.
pub fn run() -> ExitCode {
    let stop = AtomicBool::new(false);
    let mut did = Did::default();
    let result: Result<(), String> = thread::scope(|scope| {
        scope.spawn(|| {
            let _ = std::io::stdin().read(&mut [0]);
            // Relaxed: it is only to be seen some time.
            stop.store(true, Ordering::Relaxed);
        });
        while !stop.load(Ordering::Relaxed) {
            use_it(&mut did, &stop)?;
        }
        Ok(())
    });
    if let Err(why) = result {
        println!("{why}");
        return ExitCode::SUCCESS;
    }
    let Did {
        opened,
        commands,
        busy,
        states,
        gone,
    } = did;
    println!("{opened} {commands} {busy} {states} {gone}");
    ExitCode::SUCCESS
}

/// From the file's opening to the driver's end.
fn use_it(did: &mut Did, stop: &AtomicBool) -> Result<(), String> {
    let nodev = Some(Errno::NODEV.raw_os_error());
    thread::sleep(PAUSE);
    let edu = match Edu::try_open(LOAD.file) {
        Ok(edu) => edu,
        Err(error) if error.kind() == ErrorKind::NotFound || error.raw_os_error() == nodev => {
            return Ok(());
        }
        Err(error) => return Err(format!("open: {error}")),
    };
    did.opened += 1;
    let commands = ["factorial 9", "send 0 64", "factorial 3", "receive 0 64"];
    for command in commands.iter().cycle() {
        match edu.try_command(command) {
            Ok(()) => did.commands += 1,
            Err(error) if error.raw_os_error() == Some(Errno::BUSY.raw_os_error()) => did.busy += 1,
            Err(error) if error.raw_os_error() == nodev => {
                did.gone += 1;
                return Ok(());
            }
            Err(error) => return Err(format!("`{command}`: {error}")),
        }
        match edu.try_text() {
            Ok(_) => did.states += 1,
            Err(error) if error.raw_os_error() == nodev => {
                did.gone += 1;
                return Ok(());
            }
            Err(error) => return Err(format!("read: {error}")),
        }
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_understood() {
        let did = Did::parse("1 2 3 4 5\n").unwrap();
        assert_eq!(
            did,
            Did {
                opened: 1,
                commands: 2,
                busy: 3,
                states: 4,
                gone: 5
            }
        );
        assert!(did.enough().is_ok());
        assert!(Did::parse("1 2 0 4 0").unwrap().enough().is_err());
        assert_eq!(Did::parse("open: no"), None);
    }
}
