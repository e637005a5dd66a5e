//! Where the kernels are kept between runs, and which steps of their making are done.
//!
//! A step leaves a mark when it is whole, and the mark says what it was made of. A step without its mark, because it was interrupted or its
//! inputs have changed, is begun anew, from nothing.

use std::env;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure, Context, Result};

use crate::util::{self, step};

/// The folder, held for one process.
pub struct Cache {
    dir: PathBuf,
}

impl Cache {
    /// Opens it, for this process alone.
    pub fn open() -> Result<Self> {
        let dir = place(|name| env::var_os(name).map(PathBuf::from))?.join("linux-kernel");
        ensure!(
            !dir.starts_with(util::root()),
            "{} is in the repository; set DRIVER_SCOPE_CACHE to a folder elsewhere",
            dir.display()
        );
        for part in ["marks", "logs"] {
            let part = dir.join(part);
            fs::create_dir_all(&part).with_context(|| format!("creating {}", part.display()))?;
        }
        lock(&dir.join("lock"))?;
        Ok(Self { dir })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The Debian in which everything is built.
    pub fn root(&self) -> PathBuf {
        self.dir.join("root")
    }

    /// Where a step's output goes.
    pub fn log(&self, name: &str) -> PathBuf {
        self.dir.join("logs").join(format!("{name}.log"))
    }

    /// Whether a step was completed with these inputs.
    pub fn is_done(&self, name: &str, inputs: &str) -> bool {
        fs::read_to_string(self.mark(name)).is_ok_and(|mark| mark == inputs)
    }

    /// Whether a step was completed, whatever its inputs were.
    pub fn has(&self, name: &str) -> bool {
        self.mark(name).exists()
    }

    /// Makes a step unless it was completed with the same inputs.
    pub fn step(
        &self,
        name: &str,
        inputs: &str,
        what: &str,
        make: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        if self.is_done(name, inputs) {
            step(format!("{what}: cached"));
            return Ok(());
        }
        step(format!("{what} ..."));
        self.forget(name)?;
        let started = Instant::now();
        make().with_context(|| what.to_owned())?;
        // The mark has its name only when it is whole.
        let partial = self.dir.join("marks/partial");
        fs::write(&partial, inputs)?;
        fs::rename(&partial, self.mark(name))?;
        step(format!("{what}: {:.0} s", started.elapsed().as_secs_f64()));
        Ok(())
    }

    /// Has a step count as not made.
    pub fn forget(&self, name: &str) -> Result<()> {
        absent(fs::remove_file(self.mark(name)))
    }

    /// Has none count as made.
    pub fn forget_all(&self) -> Result<()> {
        for entry in fs::read_dir(self.dir.join("marks"))? {
            fs::remove_file(entry?.path())?;
        }
        Ok(())
    }

    fn mark(&self, name: &str) -> PathBuf {
        self.dir.join("marks").join(name)
    }

    /// Fails unless so much is free on its disk.
    pub fn ensure_free(&self, bytes: u64) -> Result<()> {
        let mut df = Command::new("df");
        df.args(["--output=avail", "--block-size=1"]).arg(&self.dir);
        let text = util::output(&mut df, Duration::from_secs(10))?;
        let free = free(&String::from_utf8_lossy(&text)).context("df says nothing")?;
        ensure!(
            free >= bytes,
            "{:.1} GB are free on the disk of {}, and {:.1} GB are wanted (DRIVER_SCOPE_CACHE names another place)",
            gigabytes(free),
            self.dir.display(),
            gigabytes(bytes)
        );
        Ok(())
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.dir.join("lock"));
    }
}

/// The folder of the project's caches.
fn place(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf> {
    let set = |name| variable(name).filter(|path| !path.as_os_str().is_empty());
    let place = set("DRIVER_SCOPE_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("driver-scope")))
        .or_else(|| Some(set("HOME")?.join(".cache/driver-scope")));
    let place = place.context("neither DRIVER_SCOPE_CACHE nor HOME is set")?;
    Ok(env::current_dir()?.join(place))
}

/// Takes the folder for this process. The file names the process, so that one that was ended does not keep it for ever.
fn lock(path: &Path) -> Result<()> {
    loop {
        match File::create_new(path) {
            Ok(mut file) => return Ok(write!(file, "{}", process::id())?),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(error).with_context(|| format!("creating {}", path.display()))
            }
        }
        let holder = fs::read_to_string(path).unwrap_or_default();
        if holder.is_empty() || Path::new("/proc").join(&holder).exists() {
            bail!(
                "process {holder} builds in this folder; if there is none, remove {}",
                path.display()
            );
        }
        absent(fs::remove_file(path))?;
    }
}

/// What is not there need not be removed.
fn absent(removed: std::io::Result<()>) -> Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// The second line of what df prints.
fn free(text: &str) -> Option<u64> {
    text.lines().nth(1)?.trim().parse().ok()
}

#[allow(clippy::cast_precision_loss)] // For the reader.
fn gigabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_with(variables: &[(&str, &str)]) -> Result<PathBuf> {
        place(|name| {
            let (_, value) = variables.iter().find(|(other, _)| *other == name)?;
            Some(PathBuf::from(value))
        })
    }

    #[test]
    fn the_place_is_the_first_that_is_set() {
        let home = ("HOME", "/home/me");
        let xdg = ("XDG_CACHE_HOME", "/xdg");
        let own = ("DRIVER_SCOPE_CACHE", "/own");
        let is = |path: &str| PathBuf::from(path);
        assert_eq!(place_with(&[home, xdg, own]).unwrap(), is("/own"));
        assert_eq!(place_with(&[home, xdg]).unwrap(), is("/xdg/driver-scope"));
        let empty = ("XDG_CACHE_HOME", "");
        let expected = is("/home/me/.cache/driver-scope");
        assert_eq!(place_with(&[home, empty]).unwrap(), expected);
        assert!(place_with(&[]).is_err());
    }

    #[test]
    fn a_step_is_made_once_for_its_inputs_and_again_after_a_failure() {
        let dir = env::temp_dir().join(format!("xtask-cache-{}", process::id()));
        fs::create_dir_all(dir.join("marks")).unwrap();
        let cache = Cache { dir };
        let made = |inputs: &str, well: bool| {
            let mut made = false;
            let result = cache.step("x", inputs, "x", || {
                made = true;
                ensure!(well, "bad");
                Ok(())
            });
            assert_eq!(result.is_ok(), well || !made);
            made
        };
        assert!(made("1", true));
        assert!(!made("1", true));
        assert!(made("2", false));
        // Neither what was to be made nor what was there before.
        assert!(!cache.is_done("x", "1") && !cache.is_done("x", "2"));
        assert!(made("2", true));
        cache.forget("x").unwrap();
        assert!(made("2", true));
        fs::remove_dir_all(cache.dir()).unwrap();
    }

    #[test]
    fn the_folder_is_for_one_process() {
        let path = env::temp_dir().join(format!("xtask-lock-{}", process::id()));
        lock(&path).unwrap();
        assert!(lock(&path).is_err());
        // One that is no more.
        fs::write(&path, "4194999").unwrap();
        lock(&path).unwrap();
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_df_prints_is_read() {
        assert_eq!(free("     Avail\n 12345\n"), Some(12345));
        assert_eq!(free(""), None);
    }
}
