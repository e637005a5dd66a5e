//! Builds other packages, and times that.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, io, mem};

/// What a command took.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// By the clock.
    pub wall: Duration,
    /// Of the processors, by all of its processes together, in user mode.
    pub user: Duration,
}

/// The folder of this repository.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A folder for what benches build and write, among the other build products.
#[must_use]
pub fn folder() -> PathBuf {
    // This program is `<target>/release/deps/<name>-<hash>`.
    let program = env::current_exe().unwrap_or_default();
    let target = program.ancestors().nth(3).map(PathBuf::from);
    target.unwrap_or_default().join("bench")
}

/// Cargo, as if nobody had called it from a bench.
#[must_use]
pub fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let is_setting = [
            "CARGO_TARGET_DIR",
            "CARGO_BUILD_",
            "CARGO_PROFILE_",
            "CARGO_ENCODED_",
            "RUSTFLAGS",
        ]
        .iter()
        .any(|prefix| text.starts_with(prefix));
        if is_setting {
            cargo.env_remove(&name);
        }
    }
    cargo.env("CARGO_INCREMENTAL", "0");
    cargo
}

/// Runs it to its end: what it took, and what it said on standard error.
///
/// # Errors
/// If it cannot be run, or fails: with what it said.
pub fn timed(command: &mut Command) -> io::Result<(Took, String)> {
    let (begin, before) = (Instant::now(), user_of_children());
    let output = command.output()?;
    let took = Took {
        wall: begin.elapsed(),
        user: user_of_children() - before,
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        Ok((took, said))
    } else {
        Err(io::Error::other(format!(
            "{command:?}: {}\n{said}",
            output.status
        )))
    }
}

/// User time of all processes that have ended and were waited for, by this one and by those.
fn user_of_children() -> Duration {
    // SAFETY: a plain struct, filled in by the call.
    let time = unsafe {
        let mut usage: libc::rusage = mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage);
        usage.ru_utime
    };
    Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_fails_is_told_with_what_it_said() {
        let mut shell = Command::new("sh");
        let error = timed(shell.args(["-c", "echo oh >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().contains("oh"), "{error}");
    }

    #[test]
    fn the_processors_time_of_a_command_is_its_own() {
        let mut shell = Command::new("sh");
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        let (took, _) = timed(shell.args(["-c", busy])).unwrap();
        assert!(took.user > Duration::from_millis(10), "{took:?}");
        let (took, _) = timed(Command::new("sleep").arg("0.2")).unwrap();
        assert!(took.wall >= Duration::from_millis(200), "{took:?}");
        assert!(took.user < Duration::from_millis(100), "{took:?}");
    }
}
