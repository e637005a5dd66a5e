//! `cargo xtask qemu linux-kernel`: the driver in Linux itself, as a module, in Debian's stock kernel and in one that checks everything.

mod breaks;
pub mod cache;
pub mod chroot;
mod guest;
pub mod kernel;
mod log;
mod modules;
mod packages;

use anyhow::{bail, Context, Result};

use crate::util::step;
use cache::Cache;
use chroot::Chroot;
use guest::Job;
use kernel::Source;

const USAGE: &str = "\
usage: cargo xtask qemu linux-kernel [options]
  --checked    in a kernel of its own with every check, and with the torture
  --cycles N   how often the torture unbinds and binds the driver (2000; without --checked there is none if N is not given)
  --break [part of a name]
               in the same kernel, with one guard of the glue left out at a time, or those whose names have the part: each must be reported
  --compile    build the modules for the stock kernel, and boot nothing
  --update     ask Debian's mirror for newer packages first";

/// How often the torture unbinds and binds.
const CYCLES: u64 = 2000;

/// What is asked for.
#[derive(Debug, Default, PartialEq)]
struct Options {
    checked: bool,
    cycles: Option<u64>,
    breaks: bool,
    /// Those breaks whose names have this.
    part: String,
    compile: bool,
    update: bool,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut args = args.iter().peekable();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--checked" => options.checked = true,
                "--break" => {
                    options.breaks = true;
                    if let Some(part) = args.next_if(|next| !next.starts_with("--")) {
                        options.part.clone_from(part);
                    }
                }
                "--compile" => options.compile = true,
                "--update" => options.update = true,
                "--cycles" => {
                    let n = args.next().context(USAGE)?;
                    let n: u64 = n.parse().with_context(|| format!("`{n}`\n{USAGE}"))?;
                    options.cycles = Some(n);
                }
                other => bail!("`{other}`\n{USAGE}"),
            }
        }
        if options.compile && (options.checked || options.breaks || options.cycles.is_some()) {
            bail!("--compile boots nothing\n{USAGE}");
        }
        if options.breaks && options.checked {
            bail!("--break uses the checked kernel anyway, and not its torture\n{USAGE}");
        }
        Ok(options)
    }
}

/// What keeps this machine from it, if anything.
pub fn missing() -> Option<String> {
    Chroot::missing()
}

pub fn run(args: &[String]) -> Result<()> {
    let options = Options::parse(args)?;
    if let Some(why) = missing() {
        bail!(why);
    }
    if !options.compile {
        step(super::version()?);
    }
    let cache = Cache::open()?;
    let checks = options.checked || options.breaks;
    say_what_it_takes(&cache, checks)?;
    let chroot = Chroot::make(&cache)?;
    if options.update {
        chroot.update()?;
    }
    let source = Source::make(&cache, &chroot)?;
    if options.breaks {
        return breaks::run(&chroot, &source.checked()?, options.cycles, &options.part);
    }
    let kernel = if options.checked {
        source.checked()?
    } else {
        source.stock()?
    };
    step(format!("building the modules for Linux {}", kernel.release));
    let modules = modules::build(&chroot, &kernel)?;
    for (name, file) in &modules.files {
        let size = file.metadata()?.len() / 1024;
        step(format!("{name}.ko, {size} KiB"));
    }
    if options.compile {
        return Ok(());
    }
    let cycles = options.cycles.or(options.checked.then_some(CYCLES));
    let job = Job {
        cycles,
        reports: None,
    };
    guest::run(&kernel, &modules, &job)
}

/// Says, before anything is begun, how much disk and time it wants.
fn say_what_it_takes(cache: &Cache, checks: bool) -> Result<()> {
    let whole = [(true, "stock", 4_u64, 4), (checks, "checked", 2, 15)];
    let missing: Vec<_> = whole
        .into_iter()
        .filter(|(wanted, name, ..)| *wanted && !cache.has(name))
        .collect();
    let disk: u64 = missing.iter().map(|(.., disk, _)| disk).sum();
    let minutes: u64 = missing.iter().map(|(.., minutes)| minutes).sum();
    step(format!(
        "kernels and compilers are kept in {}",
        cache.dir().display()
    ));
    if disk > 0 {
        step(format!(
            "not all is there yet: it wants {disk} GB of disk there and about {minutes} minutes on two processors, once; some 500 MB come from Debian's mirror"
        ));
        cache.ensure_free(disk * 1_000_000_000)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        Options::parse(&args)
    }

    #[test]
    fn options_are_understood_or_refused() {
        assert_eq!(parse(&[]).unwrap(), Options::default());
        let both = parse(&["--checked", "--cycles", "5"]).unwrap();
        assert!(both.checked && both.cycles == Some(5));
        let some = parse(&["--break", "irq", "--cycles", "5"]).unwrap();
        assert!(some.breaks && some.part == "irq" && some.cycles == Some(5));
        assert_eq!(parse(&["--break"]).unwrap().part, "");
        for bad in [
            &["--cycles"][..],
            &["--cycles", "x"],
            &["5"],
            &["--compile", "--checked"],
            &["--break", "--checked"],
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
