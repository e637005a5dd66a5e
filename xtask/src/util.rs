//! Running other programs: shown, timed, and never for longer than they may.

use std::env;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a folder in the repository")
}

/// Where build products go. `cargo run` leaves the current folder alone, so a relative
/// `CARGO_TARGET_DIR` means the same here as it did to cargo.
pub fn target_dir() -> Result<PathBuf> {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) if !dir.is_empty() => Ok(env::current_dir()?.join(dir)),
        _ => Ok(root().join("target")),
    }
}

/// The cargo that runs this task, hence the same toolchain.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A line of progress with the time since the first one.
pub fn step(text: impl AsRef<str>) {
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed().as_secs_f64();
    println!("[{elapsed:6.1} s] {}", text.as_ref());
}

/// Runs a command whose output the reader sees as it comes; fails if it does or if it takes too long.
pub fn run(command: &mut Command, limit: Duration) -> Result<()> {
    echo(command);
    let mut child = spawn(command.stdin(Stdio::null()))?;
    let status = wait(&mut child, Instant::now() + limit)
        .with_context(|| format!("`{}`, limit {limit:?}", name(command)))?;
    succeeded(command, status)
}

/// Runs a command for its standard output.
pub fn output(command: &mut Command, limit: Duration) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    let status = pump(command, limit, |bytes| {
        all.extend_from_slice(bytes);
        Ok(())
    })?;
    succeeded(command, status)?;
    Ok(all)
}

/// Runs a command, shows its standard output live and keeps a copy in `file`, which is complete up to
/// the last byte read even if the time limit ends the command.
pub fn tee(command: &mut Command, limit: Duration, file: &Path) -> Result<Vec<u8>> {
    let (all, status) = watch(command, limit, file, |_| Ok(()))?;
    succeeded(command, status)?;
    Ok(all)
}

/// The same; and `seen` is told of each line as soon as it is whole. The command may end as it likes: it is
/// the caller who knows what is right.
pub fn watch(
    command: &mut Command,
    limit: Duration,
    file: &Path,
    mut seen: impl FnMut(&str) -> io::Result<()>,
) -> Result<(Vec<u8>, ExitStatus)> {
    echo(command);
    let mut copy = File::create(file).with_context(|| format!("creating {}", file.display()))?;
    let mut all = Vec::new();
    // The begin of the line that is not whole yet.
    let mut line = 0;
    let status = pump(command, limit, |bytes| {
        all.extend_from_slice(bytes);
        copy.write_all(bytes)?;
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        stdout.flush()?;
        drop(stdout);
        while let Some(len) = all[line..].iter().position(|&byte| byte == b'\n') {
            seen(String::from_utf8_lossy(&all[line..line + len]).trim_end())?;
            line += len + 1;
        }
        Ok(())
    })?;
    Ok((all, status))
}

/// Runs a command that prints much and takes long: its output goes to `file`, and a line now and then says how far it is. When it fails, the last
/// of its output is shown. (Only its standard output is taken.) Returns what was printed.
pub fn logged(command: &mut Command, limit: Duration, file: &Path) -> Result<String> {
    const OFTEN: Duration = Duration::from_secs(10);
    let mut log = File::create(file).with_context(|| format!("creating {}", file.display()))?;
    let started = Instant::now();
    let mut told = started;
    let mut all = Vec::new();
    let status = pump(command, limit, |bytes| {
        log.write_all(bytes)?;
        all.extend_from_slice(bytes);
        if told.elapsed() > OFTEN {
            told = Instant::now();
            let (took, text) = (started.elapsed().as_secs(), String::from_utf8_lossy(&all));
            let last = text.lines().last().unwrap_or_default();
            println!("  {took:4} s, {} lines: {last}", text.lines().count());
        }
        Ok(())
    });
    let text = String::from_utf8_lossy(&all).into_owned();
    let failed = match status.and_then(|status| succeeded(command, status)) {
        Ok(()) => return Ok(text),
        Err(failed) => failed,
    };
    let lines: Vec<&str> = text.lines().collect();
    for line in &lines[lines.len().saturating_sub(30)..] {
        println!("  | {line}");
    }
    Err(failed.context(format!("its output is in {}", file.display())))
}

/// Feeds `sink` until the command closes its standard output.
fn pump(
    command: &mut Command,
    limit: Duration,
    mut sink: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<ExitStatus> {
    let deadline = Instant::now() + limit;
    let mut child = spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    let mut pipe = child.stdout.take().expect("stdout is piped");
    // A thread, because a read from a pipe has no time limit. It is not joined: a grandchild that
    // keeps the pipe open must not keep this task waiting.
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = pipe.read(&mut buffer) {
            if sender.send(buffer[..n].to_vec()).is_err() {
                break;
            }
        }
    });
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let failure = match receiver.recv_timeout(left) {
            Ok(bytes) => match sink(&bytes) {
                Ok(()) => continue,
                Err(error) => anyhow::Error::new(error).context("copying its output"),
            },
            Err(RecvTimeoutError::Disconnected) => match wait(&mut child, deadline) {
                Ok(status) => return Ok(status),
                Err(error) => error,
            },
            Err(RecvTimeoutError::Timeout) => anyhow::anyhow!("took too long and was ended"),
        };
        end(&mut child);
        return Err(failure.context(format!("`{}`, limit {limit:?}", name(command))));
    }
}

fn spawn(command: &mut Command) -> Result<Child> {
    command
        .spawn()
        .with_context(|| format!("cannot start `{}`", name(command)))
}

fn wait(child: &mut Child, deadline: Instant) -> Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            end(child);
            bail!("took too long and was ended");
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn end(child: &mut Child) {
    // Both fail only if the child is gone already, which is what they are for.
    let _ = child.kill();
    let _ = child.wait();
}

fn succeeded(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` failed: {status}", name(command));
    }
    Ok(())
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn echo(command: &Command) {
    let mut line = format!("$ {}", name(command));
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&quoted(&arg.to_string_lossy()));
    }
    println!("{line}");
}

/// The argument as a shell would take it, so that an echoed line can be pasted.
fn quoted(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+.,:/@%".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) {
        arg.to_owned()
    } else {
        format!("'{}'", arg.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_is_captured() {
        let text = output(&mut sh("echo one; echo two"), Duration::from_secs(10)).unwrap();
        assert_eq!(text, b"one\ntwo\n");
    }

    #[test]
    fn lines_are_told_when_they_are_whole() {
        let file = env::temp_dir().join(format!("xtask-watch-{}", std::process::id()));
        let mut lines = Vec::new();
        let mut script = sh("printf 'one\\r\\ntw'; sleep 0.1; printf 'o\\nthree'; exit 3");
        let (text, status) = watch(&mut script, Duration::from_secs(10), &file, |line| {
            lines.push(line.to_owned());
            Ok(())
        })
        .unwrap();
        assert_eq!(lines, ["one", "two"]);
        assert_eq!(text, b"one\r\ntwo\nthree");
        assert_eq!(std::fs::read(&file).unwrap(), text);
        assert_eq!(status.code(), Some(3));
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn a_failing_command_is_an_error() {
        let error = output(&mut sh("exit 3"), Duration::from_secs(10)).unwrap_err();
        assert!(format!("{error:#}").contains("exit status: 3"), "{error:#}");
    }

    #[test]
    fn the_time_limit_holds_whether_or_not_the_pipe_is_open() {
        for script in ["exec sleep 60", "exec >&-; exec sleep 60"] {
            let started = Instant::now();
            let error = output(&mut sh(script), Duration::from_millis(100)).unwrap_err();
            assert!(format!("{error:#}").contains("too long"), "{error:#}");
            assert!(started.elapsed() < Duration::from_secs(30));
        }
    }

    #[test]
    fn a_missing_program_is_named() {
        let mut command = Command::new("/nonexistent/program");
        let error = output(&mut command, Duration::from_secs(1)).unwrap_err();
        assert!(format!("{error:#}").contains("/nonexistent/program"));
    }

    #[test]
    fn echoed_arguments_can_be_pasted() {
        assert_eq!(quoted("-m"), "-m");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
