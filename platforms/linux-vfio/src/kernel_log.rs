//! What the kernel says.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

/// The kernel's log, from some moment on.
pub struct KernelLog(File);

impl KernelLog {
    /// All that is said from now on.
    pub fn from_now() -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/kmsg")?;
        // Behind the last record.
        file.seek(SeekFrom::End(0))?;
        Ok(KernelLog(file))
    }

    /// The next record, if there is one already.
    pub fn next(&mut self) -> io::Result<Option<String>> {
        // A record is read at once, and is no longer (`CONSOLE_EXT_LOG_MAX` of Linux).
        let mut record = [0; 8192];
        match self.0.read(&mut record) {
            Ok(len) => Ok(Some(String::from_utf8_lossy(&record[..len]).into_owned())),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}
