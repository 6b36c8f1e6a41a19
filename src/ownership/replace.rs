//! Putting another text in the place of a file of the configuration, in one step.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, Gid, OFlags, Uid};

use super::{OpenError, no_link, own_uid, unwritable, way_to};

/// Why a file is not replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// It says something else than what was seen: somebody else has changed it.
    #[error("{}: changed since it was read; nothing was written", .0.display())]
    Changed(PathBuf),
    /// It cannot be replaced here: why.
    #[error("{0}")]
    NotHere(String),
    /// It, or a folder on the way to it, could have been changed by others; or what the system says.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<io::Error> for ReplaceError {
    fn from(error: io::Error) -> Self {
        Self::Open(OpenError::Io(error))
    }
}

/// The file that a path leads to, if its text can be replaced: a plain file under one name, of the own account (root may replace
/// those that it trusts), in a folder that can be written to.
///
/// # Errors
/// Why not.
pub fn replaceable(path: &Path) -> Result<PathBuf, ReplaceError> {
    let real = way_to(path)?;
    let shown = real.display();
    let meta = fs::symlink_metadata(&real)?;
    unwritable(&real, &meta).map_err(OpenError::from)?;
    if !meta.is_file() {
        return Err(ReplaceError::NotHere(format!("{shown} is not a plain file")));
    }
    if meta.nlink() > 1 {
        let why = format!(
            "{shown} has {} names (hard links): replacing it would leave the others unchanged",
            meta.nlink()
        );
        return Err(ReplaceError::NotHere(why));
    }
    if meta.uid() != own_uid() && own_uid() != 0 {
        return Err(ReplaceError::NotHere(format!("{shown} belongs to root: you cannot write to it")));
    }
    let folder = folder(&real);
    let writable = |path: &Path| rustix::fs::access(path, Access::WRITE_OK).is_ok();
    if meta.mode() & 0o200 == 0 || !writable(&real) {
        return Err(ReplaceError::NotHere(format!("{shown} is read-only")));
    }
    if !writable(folder) {
        let why = format!("the folder {} cannot be written to", folder.display());
        return Err(ReplaceError::NotHere(why));
    }
    Ok(real)
}

/// Puts `after` in the place of `before`: a new file beside it, flushed, then moved over it. Mode, owner and group stay; through
/// symbolic links the file that they lead to is replaced, and the links stay.
///
/// # Errors
/// When the file does not say `before` any more, or cannot be replaced.
pub fn replace(path: &Path, before: &str, after: &str) -> Result<(), ReplaceError> {
    let real = replaceable(path)?;
    let old = no_link(&real, OFlags::RDONLY)?;
    let meta = old.metadata()?;
    let mut name = real.file_name().map(ToOwned::to_owned).unwrap_or_default();
    name.push(format!(".jumpdeck-{:016x}", rand::random::<u64>()));
    let part = folder(&real).join(name);
    let written = write(&part, &meta, after).and_then(|()| {
        if !says(&real, before)? {
            return Err(ReplaceError::Changed(path.to_owned()));
        }
        Ok(fs::rename(&part, &real)?)
    });
    if written.is_err() {
        let _not_left_behind = fs::remove_file(&part);
        return written;
    }
    // The new name is on the disk, too.
    File::open(folder(&real))?.sync_all()?;
    Ok(())
}

fn write(part: &Path, meta: &fs::Metadata, text: &str) -> Result<(), ReplaceError> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?;
    let now = file.metadata()?;
    if (now.uid(), now.gid()) != (meta.uid(), meta.gid()) {
        let (uid, gid) = (Uid::from_raw(meta.uid()), Gid::from_raw(meta.gid()));
        rustix::fs::fchown(&file, Some(uid), Some(gid)).map_err(|error| {
            let why = format!("owner and group cannot be kept: {}", io::Error::from(error));
            ReplaceError::NotHere(why)
        })?;
    }
    file.set_permissions(fs::Permissions::from_mode(meta.mode() & 0o7777))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}

fn says(path: &Path, text: &str) -> Result<bool, ReplaceError> {
    let mut now = Vec::new();
    no_link(path, OFlags::RDONLY)?.take(text.len() as u64 + 1).read_to_end(&mut now)?;
    Ok(now == text.as_bytes())
}

fn folder(real: &Path) -> &Path {
    real.parent().unwrap_or(Path::new("/"))
}
