//! The folder journals are in and their files: opened so that nobody else's link, file or folder is taken for ours.

use std::fs::{DirBuilder, File, TryLockError};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use super::JournalError;
use crate::ownership::{self, Exposed, OpenError};
use crate::runbook::ids::RunId;

/// How often, and how long apart, a lock is tried: whoever only looks at a journal holds it for a moment.
const TRIES: (u32, Duration) = (40, Duration::from_millis(5));

fn io(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io { path, doing, source }
}

/// `FOLDER/RUN.ENDING`, for a run whose name is only a name.
pub(super) fn file(folder: &Path, run: &str, ending: &str) -> Result<PathBuf, JournalError> {
    match RunId::new(run) {
        Ok(run) => Ok(folder.join(format!("{run}.{ending}"))),
        Err(_) => Err(JournalError::Name(run.to_owned())),
    }
}

/// Opens the folder: ours, no link, writable for nobody else. Made with its parents (0700) when `make`.
pub(super) fn open(folder: &Path, make: bool) -> Result<File, JournalError> {
    if make && !folder.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io(folder, "cannot be made"))?;
        if let Some(parent) = folder.parent().filter(|p| !p.as_os_str().is_empty()) {
            let opened = File::open(parent).map_err(io(parent, "cannot be opened"))?;
            sync(&opened, parent)?;
        }
    }
    let opened = ownership::open_own_folder(folder).map_err(|error| exposed(folder, error))?;
    let meta = opened.metadata().map_err(io(folder, "cannot be examined"))?;
    if meta.mode() & 0o077 != 0 {
        let ours = std::fs::Permissions::from_mode(0o700);
        opened.set_permissions(ours).map_err(io(folder, "cannot be made private"))?;
    }
    Ok(opened)
}

/// A new file of that name in the folder.
pub(super) fn create(folder: &File, path: &Path) -> Result<File, JournalError> {
    match at(folder, path, OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::EXCL) {
        Ok(fd) => Ok(File::from(fd)),
        Err(Errno::EXIST) => Err(JournalError::Exists(path.to_owned())),
        Err(errno) => Err(io(path, "cannot be made")(errno.into())),
    }
}

/// The file of that name in the folder, to read and append.
pub(super) fn append_to(folder: &File, path: &Path) -> Result<File, JournalError> {
    let file = at(folder, path, OFlags::RDWR | OFlags::APPEND).map(File::from).map_err(|e| why(path, e))?;
    ours(&file, path)?;
    Ok(file)
}

/// A file to read, that is no link.
pub(super) fn read_only(path: &Path) -> Result<File, JournalError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| why(path, errno))?;
    Ok(File::from(fd))
}

fn at(folder: &File, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let name = path.file_name().unwrap_or_default();
    openat(
        folder,
        name,
        flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Mode::from_raw_mode(0o600),
    )
}

fn why(path: &Path, errno: Errno) -> JournalError {
    match errno {
        Errno::NOENT => JournalError::Missing(path.to_owned()),
        Errno::LOOP => refused(path, "this is a link, and a journal must be a plain file"),
        errno => io(path, "cannot be opened")(errno.into()),
    }
}

fn refused(path: &Path, what: &str) -> JournalError {
    JournalError::Folder { path: path.to_owned(), what: what.to_owned() }
}

/// A plain file of this account, under one name only, writable for nobody else.
fn ours(file: &File, path: &Path) -> Result<(), JournalError> {
    ownership::judge_own(path, file).map_err(|error| exposed(path, error))
}

fn exposed(path: &Path, error: OpenError) -> JournalError {
    match error {
        OpenError::Exposed(Exposed { path, what, fix }) => {
            JournalError::Folder { path, what: format!("{what}; {fix}") }
        }
        OpenError::Io(error) if error.kind() == io::ErrorKind::NotFound => {
            JournalError::Missing(path.to_owned())
        }
        OpenError::Io(error) => io(path, "cannot be opened")(error),
    }
}

/// Nobody else may append while this is open. The lock goes with the process.
pub(super) fn lock(file: &File, path: &Path) -> Result<(), JournalError> {
    for _ in 0..TRIES.0 {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(TRIES.1),
            Err(TryLockError::Error(error)) => return Err(io(path, "cannot be locked")(error)),
        }
    }
    Err(JournalError::Busy(path.to_owned()))
}

/// Waits until a file, or the names in a folder, are on the disk.
pub(super) fn sync(file: &File, path: &Path) -> Result<(), JournalError> {
    file.sync_all().map_err(io(path, "cannot be flushed to the disk"))
}

/// All of a file.
pub(super) fn bytes(file: &mut File, path: &Path) -> Result<Vec<u8>, JournalError> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(io(path, "cannot be read"))?;
    Ok(bytes)
}

/// Gives the last line its end.
pub(super) fn end_line(file: &mut File, path: &Path) -> Result<(), JournalError> {
    file.write_all(b"\n").and_then(|()| file.sync_all()).map_err(io(path, "cannot be repaired"))
}

/// Cuts a torn tail off, once it is safe in a file of its own.
pub(super) fn cut(
    folder: &File,
    file: &mut File,
    path: &Path,
    torn: &Path,
    tail: &[u8],
    len: usize,
) -> Result<(), JournalError> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE;
    let mut keep = at(folder, torn, flags).map(File::from).map_err(|e| why(torn, e))?;
    ours(&keep, torn)?;
    keep.write_all(tail)
        .and_then(|()| keep.write_all(b"\n"))
        .and_then(|()| keep.sync_all())
        .map_err(io(torn, "cannot keep the torn end of the journal"))?;
    sync(folder, path)?;
    file.set_len(u64::try_from(len).unwrap_or(u64::MAX))
        .and_then(|()| file.sync_all())
        .map_err(io(path, "cannot cut its torn end off"))
}
