//! Small texts of the operator that several consoles change: read, changed and written in one step, one console at a time.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::ownership::{self, OpenError};

/// Puts in the place of a file's text what `change` makes of it (`None`: there is no file). Gives the new text. The file is
/// for its owner alone when it is made here; an older one keeps its mode.
///
/// # Errors
/// What `change` says, what the system says, or that others could have changed the file or its folder.
pub fn change(
    path: &Path,
    longest: u64,
    change: impl FnOnce(Option<&str>) -> Result<String, String>,
) -> Result<String, String> {
    let folder = path.parent().ok_or("no folder")?;
    let says = |error: io::Error| format!("{}: {error}", path.display());
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(says)?;
    // Consoles wait for each other here; the lock goes with the process that holds it.
    let lock = File::open(folder).map_err(says)?;
    lock.lock().map_err(says)?;
    let before = match read(path, longest) {
        Ok(text) => Some(text),
        Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.to_string()),
    };
    let after = change(before.as_deref())?;
    match before {
        Some(before) if before == after => {}
        Some(before) => {
            ownership::replace(path, &before, &after).map_err(|error| error.to_string())?;
        }
        None => write_new(path, &after).map_err(says)?,
    }
    Ok(after)
}

/// The text of a file that only its owner and root can have changed.
///
/// # Errors
/// What the system says, that others could have changed it, or that it is longer than `longest` bytes or no UTF-8.
pub fn read(path: &Path, longest: u64) -> Result<String, OpenError> {
    let mut text = String::new();
    let length = ownership::open(path)?.take(longest + 1).read_to_string(&mut text).map_err(OpenError::Io)?;
    if length as u64 > longest {
        let error = io::Error::new(io::ErrorKind::InvalidData, format!("longer than {longest} bytes"));
        return Err(OpenError::Io(error));
    }
    Ok(text)
}

/// A file that is whole when it appears.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let part = path.with_extension(format!("jumpdeck-{:016x}", rand::random::<u64>()));
    let fill = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // Not over one that an editor has made meanwhile.
        fs::hard_link(&part, path)
    };
    let written = fill();
    let _not_left_behind = fs::remove_file(&part);
    written
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn add(path: &Path, line: &str) -> Result<String, String> {
        change(path, 1 << 20, |before| Ok(format!("{}{line}\n", before.unwrap_or_default())))
    }

    #[test]
    fn a_text_is_made_changed_and_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state/jumpdeck/list");
        assert_eq!(add(&path, "a").unwrap(), "a\n");
        assert_eq!(add(&path, "b").unwrap(), "a\nb\n");
        assert_eq!(read(&path, 100).unwrap(), "a\nb\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let names = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(names, 1, "nothing is left beside it");
        assert_eq!(change(&path, 100, |_| Err("no".into())), Err("no".into()));
        assert_eq!(read(&path, 100).unwrap(), "a\nb\n");
        assert!(read(&path, 3).is_err(), "longer than wanted");
    }

    #[test]
    fn two_at_once_lose_nothing() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("list");
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    for line in 0..20 {
                        add(path, &format!("{writer} {line}")).unwrap();
                    }
                });
            }
        });
        let text = read(&path, 1 << 20).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), 160);
    }

    #[test]
    fn what_others_could_have_changed_is_neither_read_nor_written() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("list");
        fs::write(&path, "a\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(add(&path, "b").is_err() && read(&path, 100).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "a\n");
    }
}
