//! Files that only their owner, or root, can have written, as `ssh` has it (`StrictModes`, `UNPROTECTED PRIVATE KEY FILE`):
//! what is checked is what is read.
//!
//! A file of the configuration is taken when it belongs to the own account or root, nobody else may write to it, and the
//! same holds for every folder on the way to it: from the home folder down when it is below that, else from `/`. In a folder with
//! the sticky bit, as `/tmp`, others can replace nothing that is not theirs. Each folder is judged before what is in it is
//! looked at, so that nobody can put another file there in between; links are followed, and judged, one by one.
//!
//! A group may write when the own account is its only member: Debian's `ssh` takes such files, because Debian gives each
//! account a group of its own and a umask of 0002.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags};

mod group;
mod replace;

pub use replace::{ReplaceError, replace, replaceable};

/// The kernel follows as many.
const MOST_LINKS: usize = 40;

/// A file or folder that somebody else could have changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}; {fix}", path.display())]
pub struct Exposed {
    /// The file, or the folder on the way to it.
    pub path: PathBuf,
    /// What is wrong, with its owner and its mode.
    pub what: String,
    /// What to do: a command.
    pub fix: String,
}

/// Why a file is not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody else could have changed it, or read it.
    #[error(transparent)]
    Exposed(#[from] Exposed),
    /// What the system says.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Opens a file of the configuration.
///
/// # Errors
/// When others could have changed it or put it there, or what the system says.
pub fn open(path: &Path) -> Result<File, OpenError> {
    let meta = fs::metadata(path)?;
    if meta.is_file() || meta.is_dir() {
        let file = no_link(&way_to(path)?, OFlags::RDONLY)?;
        unwritable(path, &file.metadata()?)?;
        return Ok(file);
    }
    // A pipe (`--inventory <(decrypt …)`) has no way to it. Whose it is is asked before it is opened: that may block.
    unwritable(path, &meta)?;
    let file = File::open(path)?;
    unwritable(path, &file.metadata()?)?;
    Ok(file)
}

/// Judges a folder of configuration files. One that is not there is good.
///
/// # Errors
/// When others could have changed what is in it, or what the system says.
pub fn judge_folder(path: &Path) -> Result<(), OpenError> {
    match way_to(path) {
        Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        way => way.map(drop),
    }
}

/// Opens a private key. One's own is readable for nobody else; who may read one of root's is root's decision, as with `ssh`.
///
/// # Errors
/// When others can read one's own or write to root's, or what the system says.
pub fn open_private(path: &Path) -> Result<File, OpenError> {
    let file =
        File::from(rustix::fs::open(path, flags(OFlags::RDONLY), Mode::empty()).map_err(io::Error::from)?);
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file").into());
    }
    trusted_owner(path, &meta)?;
    if meta.uid() == own_uid() && meta.mode() & 0o077 != 0 {
        return Err(Exposed {
            path: path.to_owned(),
            what: format!("other accounts can read this private key ({})", described(&meta)),
            fix: command("chmod go=", path),
        }
        .into());
    }
    writable_for_nobody(path, &meta)?;
    Ok(file)
}

/// Makes a file, or empties one that is there: a plain file of the own account under one name, no link.
///
/// # Errors
/// When something else is there, or what the system says.
pub fn create(path: &Path) -> Result<File, OpenError> {
    let flags = flags(OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW);
    let file = match rustix::fs::open(path, flags, Mode::from_raw_mode(0o644)) {
        Ok(fd) => File::from(fd),
        Err(rustix::io::Errno::LOOP) => {
            let what = "this is a link, and jumpdeck does not write through links".to_owned();
            return Err(not_ours(path, what).into());
        }
        Err(errno) => return Err(io::Error::from(errno).into()),
    };
    own(path, &file.metadata()?)?;
    file.set_len(0)?;
    Ok(file)
}

/// Judges a file that this program keeps: of the own account, under one name, writable for nobody else.
///
/// # Errors
/// When it is not, or what the system says.
pub fn judge_own(path: &Path, file: &File) -> Result<(), OpenError> {
    let meta = file.metadata()?;
    own(path, &meta)?;
    writable_for_nobody(path, &meta)?;
    Ok(())
}

/// Opens a file that this program keeps, to read it: a plain file of the own account, no link, writable for nobody else.
///
/// # Errors
/// When it is not, or what the system says.
pub fn open_own(path: &Path) -> Result<File, OpenError> {
    match no_link(path, OFlags::RDONLY) {
        Ok(file) => judge_own(path, &file).map(|()| file),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            Err(not_ours(path, "this is a link, not a file".to_owned()).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Opens a folder that this program keeps: of the own account, no link, writable for nobody else.
///
/// # Errors
/// When it is not, or what the system says.
pub fn open_own_folder(path: &Path) -> Result<File, OpenError> {
    let opened = match rustix::fs::open(
        path,
        flags(OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW),
        Mode::empty(),
    ) {
        Ok(fd) => File::from(fd),
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR) => {
            return Err(not_ours(path, "this is a link or a file, not a folder".to_owned()).into());
        }
        Err(errno) => return Err(io::Error::from(errno).into()),
    };
    let meta = opened.metadata()?;
    if meta.uid() != own_uid() {
        return Err(not_ours(path, format!("this folder is not your own ({})", described(&meta))).into());
    }
    writable_for_nobody(path, &meta)?;
    Ok(opened)
}

fn own(path: &Path, meta: &Metadata) -> Result<(), Exposed> {
    if meta.is_file() && meta.nlink() == 1 && meta.uid() == own_uid() {
        return Ok(());
    }
    Err(not_ours(
        path,
        format!("this is not a plain file of your own with one name (hard link) ({})", described(meta)),
    ))
}

fn not_ours(path: &Path, what: String) -> Exposed {
    Exposed { path: path.to_owned(), what, fix: "remove it, or choose another path".to_owned() }
}

/// The real path of a file, every folder and link on the way judged. Nobody but trusted accounts can change what has been judged.
fn way_to(path: &Path) -> Result<PathBuf, OpenError> {
    let mut here = PathBuf::new();
    let mut ahead = VecDeque::new();
    set_out(&std::path::absolute(path)?, &mut here, &mut ahead)?;
    let mut links = 0;
    while let Some(name) = ahead.pop_front() {
        if name == ".." {
            here.pop();
            continue;
        }
        let next = here.join(&name);
        let meta = fs::symlink_metadata(&next)?;
        if meta.is_symlink() {
            links += 1;
            if links > MOST_LINKS {
                return Err(io::Error::from(rustix::io::Errno::LOOP).into());
            }
            trusted_owner(&next, &meta)?;
            let target = fs::read_link(&next)?;
            let rest = std::mem::take(&mut ahead);
            if target.is_absolute() {
                set_out(&target, &mut here, &mut ahead)?;
            } else {
                ahead.extend(names(&target));
            }
            ahead.extend(rest);
            continue;
        }
        if meta.is_dir() {
            unwritable(&next, &meta)?;
        }
        here = next;
    }
    Ok(here)
}

/// Begins at the home folder when the path is below it: who can write above it can replace the home folder itself.
fn set_out(path: &Path, here: &mut PathBuf, ahead: &mut VecDeque<OsString>) -> Result<(), OpenError> {
    let home = etcetera::home_dir().ok().filter(|home| home.is_absolute());
    let below = home.as_ref().and_then(|home| path.strip_prefix(home).ok());
    let (start, rest) = match (home.as_ref(), below) {
        (Some(home), Some(rest)) => (home.clone(), rest),
        _ => (PathBuf::from("/"), path),
    };
    unwritable(&start, &fs::metadata(&start)?)?;
    ahead.extend(names(rest));
    *here = start;
    Ok(())
}

fn names(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    })
}

/// Of the own account or root, and writable for nobody else.
fn unwritable(path: &Path, meta: &Metadata) -> Result<(), Exposed> {
    trusted_owner(path, meta)?;
    let sticky = meta.is_dir() && meta.mode() & 0o1000 != 0;
    if sticky { Ok(()) } else { writable_for_nobody(path, meta) }
}

/// Nobody but its owner may write to it, and root.
fn writable_for_nobody(path: &Path, meta: &Metadata) -> Result<(), Exposed> {
    let who = if meta.mode() & 0o002 != 0 {
        "others".to_owned()
    } else if meta.mode() & 0o020 != 0 && !group::is_private(meta.gid()) {
        format!("members of the group {}", group::name(meta.gid()))
    } else {
        return Ok(());
    };
    let what = if meta.is_dir() { "can replace what is in this folder" } else { "can write to this file" };
    Err(Exposed {
        path: path.to_owned(),
        what: format!("{who} {what} ({})", described(meta)),
        fix: command("chmod go-w", path),
    })
}

fn trusted_owner(path: &Path, meta: &Metadata) -> Result<(), Exposed> {
    if meta.uid() == own_uid() || meta.uid() == 0 {
        return Ok(());
    }
    let (as_root, me) = if own_uid() == 0 { ("", "root".to_owned()) } else { ("sudo ", account(own_uid())) };
    Err(Exposed {
        path: path.to_owned(),
        what: format!("this belongs neither to you nor to root ({})", described(meta)),
        fix: format!("read it; if its content is right: {}", command(&format!("{as_root}chown {me}"), path)),
    })
}

fn described(meta: &Metadata) -> String {
    format!("owner {}, mode {:04o}", account(meta.uid()), meta.mode() & 0o7777)
}

/// An account's name, or its number.
fn account(uid: u32) -> String {
    let named = nix::unistd::User::from_uid(uid.into()).ok().flatten();
    named.map_or_else(|| uid.to_string(), |user| user.name)
}

fn command(command: &str, path: &Path) -> String {
    let path = path.display().to_string();
    let quoted = shlex::try_quote(&path).map_or_else(|_| path.clone(), |quoted| quoted.into_owned());
    format!("{command} {quoted}")
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn no_link(path: &Path, access: OFlags) -> io::Result<File> {
    Ok(File::from(rustix::fs::open(path, flags(access | OFlags::NOFOLLOW), Mode::empty())?))
}

/// Opening never waits, and no program that is started gets the file.
fn flags(access: OFlags) -> OFlags {
    access | OFlags::NONBLOCK | OFlags::CLOEXEC
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
