//! Which kernel: the newest whose source, headers and image the same build has made.

use anyhow::{Context, Result};

/// A kernel of Debian's, in packages.
#[derive(Debug, PartialEq, Clone)]
pub struct Kernel {
    /// As `uname -r` will say: `7.0.1+deb13-amd64`.
    pub release: String,
    /// Of all packages.
    pub version: String,
    /// `linux-source-7.0`.
    pub source: String,
    /// The package with the image.
    pub image: String,
}

impl Kernel {
    /// The headers, and those that they share with other flavours; with their versions, as apt takes them.
    pub fn headers(&self) -> String {
        format!("linux-headers-{}={}", self.release, self.version)
    }

    pub fn source_exactly(&self) -> String {
        format!("{}={}", self.source, self.version)
    }

    pub fn image_exactly(&self) -> String {
        format!("{}={}", self.image, self.version)
    }
}

const SOURCE: &str = "linux-source-";
const HEADERS: &str = "linux-headers-";
/// The packages that may have the image: it is the same, but for the signature of the first.
const IMAGES: [&str; 2] = ["linux-binary-", "linux-binary-unsigned-"];
/// The plain flavour. Others have one more word before it (`cloud-amd64`).
const FLAVOUR: &str = "-amd64";

/// Name and version of each paragraph of what `apt-cache show` prints.
fn packages(text: &str) -> Vec<(&str, &str)> {
    let mut packages = Vec::new();
    let mut name = None;
    for line in text.lines() {
        if let Some(value) = line.strip_prefix("Package: ") {
            name = Some(value);
        } else if let (Some(value), Some(package)) = (line.strip_prefix("Version: "), name) {
            packages.push((package, value));
            name = None;
        }
    }
    packages
}

/// The kernel to take, from what `apt-cache show` says of all packages of kernels.
pub fn newest(text: &str) -> Result<Kernel> {
    let packages = packages(text);
    let mut sources: Vec<(Vec<u32>, &str, &str)> = packages
        .iter()
        .filter_map(|&(name, version)| Some((numbers(name.strip_prefix(SOURCE)?)?, name, version)))
        .collect();
    sources.sort();
    let kernels = sources.iter().rev().filter_map(|&(_, source, version)| {
        let of_this = |name: &str| packages.contains(&(name, version));
        packages.iter().find_map(|&(name, other)| {
            let release = name.strip_prefix(HEADERS)?;
            let plain = release.strip_suffix(FLAVOUR)?;
            if other != version || plain.contains('-') {
                return None;
            }
            let image = IMAGES
                .iter()
                .map(|prefix| format!("{prefix}{release}"))
                .find(|image| of_this(image))?;
            Some(Kernel {
                release: release.to_owned(),
                version: version.to_owned(),
                source: source.to_owned(),
                image,
            })
        })
    });
    kernels
        .into_iter()
        .next()
        .context("apt knows no kernel whose source, headers and image are of one version")
}

/// `7.10` is after `7.9`; no number at all is no version.
fn numbers(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(packages: &[(&str, &str)]) -> String {
        packages
            .iter()
            .map(|(name, version)| {
                format!("Package: {name}\nSource: linux\nVersion: {version}\nDescription: x\n\n")
            })
            .collect()
    }

    const OLD: [(&str, &str); 4] = [
        ("linux-source-7.9", "7.9.1-1"),
        ("linux-headers-7.9.1+deb13-amd64", "7.9.1-1"),
        ("linux-headers-7.9.1+deb13-cloud-amd64", "7.9.1-1"),
        ("linux-binary-7.9.1+deb13-amd64", "7.9.1-1"),
    ];

    fn old() -> Kernel {
        Kernel {
            release: "7.9.1+deb13-amd64".into(),
            version: "7.9.1-1".into(),
            source: "linux-source-7.9".into(),
            image: "linux-binary-7.9.1+deb13-amd64".into(),
        }
    }

    #[test]
    fn the_newest_that_is_whole_is_taken() {
        assert_eq!(newest(&shown(&OLD)).unwrap(), old());
        let mut more = OLD.to_vec();
        more.push(("linux-source", "7.10.2-1"));
        more.push(("linux-source-7.10", "7.10.2-1"));
        more.push(("linux-headers-7.10.2+deb13-amd64", "7.10.2-1"));
        // No image yet, and one of another flavour.
        more.push(("linux-binary-7.10.2+deb13-cloud-amd64", "7.10.2-1"));
        more.push(("linux-headers-7.10.2+deb13-cloud-amd64", "7.10.2-1"));
        assert_eq!(newest(&shown(&more)).unwrap(), old());
        // Not of the same version.
        more.push(("linux-binary-7.10.2+deb13-amd64", "7.10.2-2"));
        assert_eq!(newest(&shown(&more)).unwrap(), old());
        more.push(("linux-binary-unsigned-7.10.2+deb13-amd64", "7.10.2-1"));
        let kernel = newest(&shown(&more)).unwrap();
        assert_eq!(kernel.release, "7.10.2+deb13-amd64");
        assert_eq!(kernel.image, "linux-binary-unsigned-7.10.2+deb13-amd64");
        let headers = "linux-headers-7.10.2+deb13-amd64=7.10.2-1";
        assert_eq!(kernel.headers(), headers);
    }

    #[test]
    fn no_kernel_is_an_error() {
        assert!(newest("").is_err());
        assert!(newest(&shown(&OLD[..3])).is_err());
    }
}
