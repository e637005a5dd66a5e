//! Debian's stock kernel: the package that apt would install, downloaded and unpacked but never installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use crate::util::{self, step};

/// Depends on whichever kernel is current.
const META_PACKAGE: &str = "linux-image-amd64";

const QUICK: Duration = Duration::from_secs(60);
const DOWNLOAD: Duration = Duration::from_secs(600);
const UNPACK: Duration = Duration::from_secs(120);

/// An unpacked kernel package.
pub struct Kernel {
    /// As `uname -r` will say in the guest.
    pub release: String,
    pub image: PathBuf,
    modules: PathBuf,
}

/// The kernel that the machine's apt sources name as current, from the cache if it is there.
pub fn stock_kernel(cache: &Path) -> Result<Kernel> {
    let package = current()?;
    let dir = cache
        .join("debian")
        .join(format!("{}_{}", package.name, package.version));
    if dir.is_dir() {
        step(format!("{} {}: cached", package.name, package.version));
    } else {
        download(&package, &dir)?;
    }
    Kernel::open(&dir)
}

#[derive(Debug, PartialEq)]
struct Package {
    name: String,
    version: String,
}

/// The concrete package behind the meta package.
fn current() -> Result<Package> {
    let advice = || {
        format!(
            "apt does not know {META_PACKAGE}. Are its lists missing? Run `apt-get update` (as root) first"
        )
    };
    let record = show(META_PACKAGE).with_context(advice)?;
    let depends = field(&record, "Depends").with_context(advice)?;
    concrete(depends).with_context(|| format!("no kernel in {META_PACKAGE}'s Depends: {depends}"))
}

fn show(package: &str) -> Result<String> {
    let mut command = Command::new("apt-cache");
    command.args(["show", "--no-all-versions", package]);
    // The field names and the messages in one language, whoever runs this.
    let text = util::output(command.env("LC_ALL", "C"), QUICK)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// A field of the first paragraph.
fn field<'a>(record: &'a str, name: &str) -> Option<&'a str> {
    record
        .lines()
        .take_while(|line| !line.is_empty())
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

/// Takes `linux-image-6.1.0-1-amd64 (= 6.1.2-3)` apart.
fn concrete(depends: &str) -> Option<Package> {
    let entry = depends
        .split(',')
        .map(str::trim)
        .find(|entry| entry.starts_with("linux-image-"))?;
    let (name, version) = entry.split_once(" (= ")?;
    Some(Package {
        name: name.to_owned(),
        version: version.strip_suffix(')')?.to_owned(),
    })
}

fn download(package: &Package, dir: &Path) -> Result<()> {
    let exact = format!("{}={}", package.name, package.version);
    let record = show(&exact)?;
    let mib = |name, unit: f64| -> Option<f64> {
        let value: f64 = field(&record, name)?.parse().ok()?;
        Some(value * unit / f64::from(1 << 20))
    };
    let (size, unpacked) = (mib("Size", 1.0), mib("Installed-Size", 1024.0));
    let shown = |size: Option<f64>| size.map_or("?".into(), |size| format!("{size:.0} MiB"));
    step(format!(
        "downloading {exact}: {}, {} unpacked (once; kept in {})",
        shown(size),
        shown(unpacked),
        dir.display()
    ));

    // Everything happens in a folder that gets the final name only when it is whole, so that an
    // interrupted run leaves nothing that looks like a kernel.
    let partial = dir.with_file_name(format!("partial-{}", std::process::id()));
    let _ = fs::remove_dir_all(&partial);
    let (archive, tree) = (partial.join("archive"), partial.join("tree"));
    fs::create_dir_all(&archive)?;
    fs::create_dir_all(&tree)?;
    let result = (|| {
        let mut apt = Command::new("apt-get");
        // "-q=0" shows the progress even where standard output is no terminal.
        apt.args(["-q=0", "download", &exact]).current_dir(&archive);
        util::run(&mut apt, DOWNLOAD).context(
            "the download failed; if apt said `404`, its lists are out of date: run `apt-get update` (as root)",
        )?;
        let file = only_entry(&archive)?;
        step("unpacking");
        let mut dpkg = Command::new("dpkg-deb");
        util::run(dpkg.arg("-x").arg(&file).arg(&tree), UNPACK)?;
        fs::rename(&tree, dir).with_context(|| format!("renaming to {}", dir.display()))
    })();
    let _ = fs::remove_dir_all(&partial);
    result
}

fn only_entry(dir: &Path) -> Result<PathBuf> {
    let entries: Vec<_> = fs::read_dir(dir)
        .with_context(|| format!("reading {}", dir.display()))?
        .collect::<Result<_, _>>()?;
    match entries.as_slice() {
        [one] => Ok(one.path()),
        _ => bail!(
            "{} entries in {}, expected one",
            entries.len(),
            dir.display()
        ),
    }
}

impl Kernel {
    fn open(dir: &Path) -> Result<Self> {
        // Releases after bookworm ship /usr/lib/modules.
        let modules = ["lib/modules", "usr/lib/modules"]
            .map(|path| dir.join(path))
            .into_iter()
            .find(|path| path.is_dir())
            .with_context(|| format!("no modules in {}", dir.display()))?;
        let modules = only_entry(&modules)?;
        let release = modules
            .file_name()
            .expect("a directory entry has a name")
            .to_string_lossy()
            .into_owned();
        let image = dir.join(format!("boot/vmlinuz-{release}"));
        ensure!(image.is_file(), "no kernel image {}", image.display());
        Ok(Self {
            release,
            image,
            modules,
        })
    }

    /// A module's contents, decompressed; `path` has no suffix: `kernel/drivers/uio/uio`.
    pub fn module(&self, path: &str) -> Result<Vec<u8>> {
        let with = |suffix: &str| self.modules.join(format!("{path}{suffix}"));
        let plain = with(".ko");
        if plain.is_file() {
            return fs::read(&plain).with_context(|| format!("reading {}", plain.display()));
        }
        for (suffix, tool) in [(".ko.xz", "xz"), (".ko.zst", "zstd")] {
            let file = with(suffix);
            if file.is_file() {
                return util::output(Command::new(tool).arg("-dc").arg(file), QUICK);
            }
        }
        bail!("no module {} (.ko, .ko.xz or .ko.zst)", with("").display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "Package: linux-image-amd64\nSize: 1484\n\
        Depends: linux-image-6.1.0-1-amd64 (= 6.1.2-3)\n\nPackage: other\nVersion: 9\n";

    #[test]
    fn fields_are_found_in_the_first_paragraph_only() {
        assert_eq!(field(RECORD, "Size"), Some("1484"));
        assert_eq!(field(RECORD, "Version"), None);
    }

    #[test]
    fn the_concrete_package_is_found() {
        let package = |name: &str, version: &str| {
            Some(Package {
                name: name.into(),
                version: version.into(),
            })
        };
        let expected = package("linux-image-6.1.0-1-amd64", "6.1.2-3");
        assert_eq!(concrete(field(RECORD, "Depends").unwrap()), expected);
        let other = "kmod, linux-image-7-amd64 (= 1:7-1), linux-base";
        assert_eq!(concrete(other), package("linux-image-7-amd64", "1:7-1"));
        assert_eq!(concrete("linux-image-7-amd64"), None);
        assert_eq!(concrete("kmod"), None);
    }
}
