//! Views that were copied, kept in files as well: whether a terminal took a copy, nobody can know.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::ownership;

/// Files that are kept; older ones are removed.
const MOST: usize = 50;
/// Files of one second.
const SAME_SECOND: u32 = 9;

/// The folder that they are kept in.
#[derive(Debug, Clone)]
pub struct HandoffFolder(pub PathBuf);

impl HandoffFolder {
    /// Keeps a text under the name of a moment (`20261130T142017Z`), for nobody else to read. Returns the file.
    ///
    /// # Errors
    /// What the system says.
    pub fn keep(&self, moment: &str, text: &str) -> io::Result<PathBuf> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        ownership::open_own_folder(&self.0).map_err(|error| io::Error::other(error.to_string()))?;
        let (path, mut file) = self.new_file(moment)?;
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        if let Err(error) = written {
            // Half of it would be taken for all.
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        self.remove_old();
        Ok(path)
    }

    fn new_file(&self, moment: &str) -> io::Result<(PathBuf, File)> {
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for number in 1..=SAME_SECOND {
            let again = if number == 1 { String::new() } else { format!("-{number}") };
            let path = self.0.join(format!("{moment}{again}.txt"));
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(file) => return Ok((path, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// Removes all but the newest. What is not of this program stays, and one that cannot be removed does no harm.
    fn remove_old(&self) {
        let Ok(entries) = fs::read_dir(&self.0) else { return };
        let mut own: Vec<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_own(path)).collect();
        own.sort();
        for old in own.iter().rev().skip(MOST) {
            let _ = fs::remove_file(old);
        }
    }
}

/// Whether a file has a name that [`HandoffFolder::keep`] gives: `20261130T142017Z.txt`, `20261130T142017Z-2.txt`.
fn is_own(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let Some(stem) = name.strip_suffix(".txt") else { return false };
    let (moment, number) = stem.split_once('-').unwrap_or((stem, "2"));
    let shape: String = moment.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "00000000T000000Z" && number.len() == 1 && number.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_copy_is_for_its_owner_and_none_replaces_another() {
        let home = tempfile::tempdir().unwrap();
        let folder = HandoffFolder(home.path().join("state/handoff"));
        let first = folder.keep("20261130T142017Z", "one\n").unwrap();
        let second = folder.keep("20261130T142017Z", "two\n").unwrap();
        assert_ne!(first, second);
        assert_eq!(
            (fs::read_to_string(&first).unwrap(), fs::read_to_string(&second).unwrap()),
            ("one\n".into(), "two\n".into())
        );
        assert_eq!(fs::metadata(&first).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&folder.0).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn only_the_newest_are_kept_and_other_files_stay() {
        let home = tempfile::tempdir().unwrap();
        let folder = HandoffFolder(home.path().join("handoff"));
        folder.keep("20250101T000000Z", "the oldest").unwrap();
        for foreign in ["notes.txt", "20250101T000000Z.txt.bak", "20250101T000000Z-list.txt"] {
            fs::write(folder.0.join(foreign), "mine").unwrap();
        }
        for number in 0..MOST {
            folder.keep(&format!("20260101T{number:06}Z"), "newer").unwrap();
        }
        let names: Vec<String> = fs::read_dir(&folder.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(names.len(), MOST + 3, "{names:?}");
        assert!(!names.iter().any(|name| name == "20250101T000000Z.txt"));
    }

    #[test]
    fn a_folder_that_is_a_link_or_cannot_be_made_is_refused() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(home.path().join("elsewhere"), home.path().join("link")).unwrap();
        assert!(HandoffFolder(home.path().join("link")).keep("20261130T142017Z", "x").is_err());
        assert_eq!(fs::read_dir(home.path().join("elsewhere")).unwrap().count(), 0);
        fs::write(home.path().join("file"), "").unwrap();
        assert!(HandoffFolder(home.path().join("file/handoff")).keep("20261130T142017Z", "x").is_err());
    }
}
