//! A writer of newc cpio archives, the format the kernel unpacks as its first root file system.

use anyhow::{ensure, Result};

const DIRECTORY: u32 = 0o040_755;
const EXECUTABLE: u32 = 0o100_755;
const FILE: u32 = 0o100_644;
const CHARACTER_DEVICE: u32 = 0o020_600;

/// An archive under construction, in memory: the ones made here are a few megabytes.
#[derive(Default)]
pub struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

impl Archive {
    pub fn directory(&mut self, path: &str) -> Result<()> {
        self.entry(path, DIRECTORY, (0, 0), &[])
    }

    pub fn executable(&mut self, path: &str, data: &[u8]) -> Result<()> {
        self.entry(path, EXECUTABLE, (0, 0), data)
    }

    pub fn file(&mut self, path: &str, data: &[u8]) -> Result<()> {
        self.entry(path, FILE, (0, 0), data)
    }

    /// A device node. Writing one into an archive, unlike mknod, takes no privilege.
    pub fn character_device(&mut self, path: &str, major: u32, minor: u32) -> Result<()> {
        self.entry(path, CHARACTER_DEVICE, (major, minor), &[])
    }

    pub fn finish(mut self) -> Result<Vec<u8>> {
        self.entry("TRAILER!!!", 0, (0, 0), &[])?;
        Ok(self.bytes)
    }

    fn entry(&mut self, path: &str, mode: u32, device: (u32, u32), data: &[u8]) -> Result<()> {
        ensure!(!path.starts_with('/'), "{path}: paths are relative");
        self.entries += 1;
        let size = u32::try_from(data.len())?;
        let name_size = u32::try_from(path.len() + 1)?;
        let links = if mode == DIRECTORY { 2 } else { 1 };
        // In the format's order: ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor,
        // rdevmajor, rdevminor, namesize, check. Owner and time are zero: same input, same archive.
        let (ino, (major, minor)) = (self.entries, device);
        let fields = [
            ino, mode, 0, 0, links, 0, size, 0, 0, major, minor, name_size, 0,
        ];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes
                .extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(data);
        self.pad();
        Ok(())
    }

    fn pad(&mut self) {
        let length = self.bytes.len().next_multiple_of(4);
        self.bytes.resize(length, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, mode, device, data.
    type Entry = (String, u32, (u32, u32), Vec<u8>);

    /// Reads an archive back by the format's description.
    fn parse(mut bytes: &[u8]) -> Vec<Entry> {
        let mut entries = Vec::new();
        loop {
            assert_eq!(&bytes[..6], b"070701");
            let field = |n: usize| {
                let text = std::str::from_utf8(&bytes[6 + 8 * n..14 + 8 * n]).unwrap();
                u32::from_str_radix(text, 16).unwrap()
            };
            let (size, name_size) = (field(6) as usize, field(11) as usize);
            let name = std::str::from_utf8(&bytes[110..110 + name_size - 1]).unwrap();
            assert_eq!(bytes[110 + name_size - 1], 0);
            let start = (110 + name_size).next_multiple_of(4);
            let data = bytes[start..start + size].to_vec();
            if name == "TRAILER!!!" {
                assert_eq!(bytes.len(), (start + size).next_multiple_of(4));
                return entries;
            }
            entries.push((name.to_owned(), field(1), (field(9), field(10)), data));
            bytes = &bytes[(start + size).next_multiple_of(4)..];
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut archive = Archive::default();
        archive.directory("dev").unwrap();
        archive.character_device("dev/console", 5, 1).unwrap();
        archive.executable("init", b"#!").unwrap();
        // Every remainder by four, of names and of data.
        archive.file("a", b"12345").unwrap();
        archive.file("bb", b"1234567").unwrap();
        archive.file("ccc", b"").unwrap();
        let entries = parse(&archive.finish().unwrap());
        let expected = [
            ("dev", 0o040_755, (0, 0), &b""[..]),
            ("dev/console", 0o020_600, (5, 1), b""),
            ("init", 0o100_755, (0, 0), b"#!"),
            ("a", 0o100_644, (0, 0), b"12345"),
            ("bb", 0o100_644, (0, 0), b"1234567"),
            ("ccc", 0o100_644, (0, 0), b""),
        ];
        let expected = expected.map(|(n, m, r, d)| (n.to_owned(), m, r, d.to_vec()));
        assert_eq!(entries, expected);
    }

    #[test]
    fn absolute_paths_are_refused() {
        assert!(Archive::default().directory("/dev").is_err());
    }
}
