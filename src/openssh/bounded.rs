//! Files of this machine, read with a bound: none is read without end, and a named pipe holds nobody up.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// The longest file of host keys or of signers. A fleet of 10,000 hosts with three keys each needs about half of it.
pub(crate) const LONGEST_LIST: u64 = 16 << 20;

/// Opens a file for reading. A named pipe or a socket is an error, and is not waited for.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_fifo() || kind.is_socket() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a pipe or a socket, not a file"));
    }
    Ok(file)
}

/// The whole of a file that has at most `longest` bytes; one that is longer is an error, never cut.
pub(crate) fn read(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(longest.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > longest {
        let why = format!("it is longer than {} MiB", longest >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

/// The same off the event loop; `None` when there is no such file.
pub(crate) async fn read_if_there(path: &Path, longest: u64) -> Result<Option<Vec<u8>>, String> {
    let path = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || match read(&path, longest) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(format!("{}: {e}", path.display())),
    });
    reading.await.unwrap_or_else(|e| Err(e.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        std::fs::write(&path, vec![b'x'; 64]).unwrap();
        assert_eq!(read(&path, 64).unwrap().len(), 64);
        assert_eq!(read(&path, 63).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(read(Path::new("/dev/zero"), 1 << 20).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(read(Path::new("/dev/null"), 1).unwrap().is_empty());
    }

    #[test]
    fn a_named_pipe_without_a_writer_is_an_error_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        assert_eq!(read(&pipe, 64).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    #[tokio::test]
    async fn what_is_missing_is_told_apart_from_what_cannot_be_read() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_if_there(&dir.path().join("none"), 9).await, Ok(None));
        assert!(read_if_there(dir.path(), 9).await.is_err());
    }
}
