//! An inventory file that is looked at again and again. It is small: its whole text is compared, so that nothing rests on
//! times or inode numbers, which network file systems and editors treat each in its own way.

use std::path::{Path, PathBuf};

use super::diagnostic::Diagnostic;
use super::files;
use super::inventory::{self, Context};
use jumpdeck_fleet::fleet::Fleet;

/// What a look found: the text, or why there is none.
type Look = Result<String, Box<Diagnostic>>;

/// An inventory file, and what was last made of it.
#[derive(Debug)]
pub struct Watched {
    path: PathBuf,
    context: Context,
    /// What was last told.
    told: Look,
    /// What the last look found, when it differs from that.
    candidate: Option<Look>,
}

impl Watched {
    /// Reads the inventory for the first time.
    ///
    /// # Errors
    /// Every mistake of the file, or that it cannot be read.
    pub fn open(path: &Path, context: &Context) -> Result<(Fleet, Self), Vec<Diagnostic>> {
        let text = files::read_text(path).map_err(|error| vec![*error])?;
        let fleet = inventory::parse(&path.display().to_string(), &text, context)?;
        let watched =
            Self { path: path.to_owned(), context: context.clone(), told: Ok(text), candidate: None };
        Ok((fleet, watched))
    }

    /// Whether there is something to look at a second time: a pipe (`--inventory <(decrypt …)`) has been read to its end.
    #[must_use]
    pub fn is_file(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|meta| meta.is_file())
    }

    /// The file's name.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks at the file. `Some` when two looks in a row have found the same, and that differs from what was last told: a file that
    /// is being written, or moved into place, is looked at once more.
    pub fn look(&mut self) -> Option<Result<Fleet, Vec<Diagnostic>>> {
        let found = files::read_text(&self.path);
        if found == self.told {
            self.candidate = None;
            return None;
        }
        if self.candidate.as_ref() != Some(&found) {
            self.candidate = Some(found);
            return None;
        }
        self.candidate = None;
        self.told = found;
        Some(match &self.told {
            Ok(text) => inventory::parse(&self.path.display().to_string(), text, &self.context),
            Err(error) => Err(vec![(**error).clone()]),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const SOUND: &str = "[environments.production]\njump = \"local\"\nuser = \"ops\"\n[environments.production.hosts]\ndb1 = {}\n";

    fn watched(folder: &Path) -> (PathBuf, Watched) {
        let path = folder.join("inventory.toml");
        fs::write(&path, SOUND).unwrap();
        let (_, watched) = Watched::open(&path, &Context::default()).unwrap();
        (path, watched)
    }

    /// The first look at something new finds it, the second tells it.
    fn told(watched: &mut Watched) -> Option<Result<usize, String>> {
        assert!(watched.look().is_none(), "told at the first look");
        let said = watched.look()?;
        assert!(watched.look().is_none(), "told twice");
        Some(said.map(|fleet| fleet.environments.iter().map(|e| e.hosts.len()).sum()).map_err(|errors| {
            let first = errors.into_iter().next().unwrap();
            format!("{first} / {}", first.advice().unwrap_or_default())
        }))
    }

    #[test]
    fn a_file_that_did_not_change_tells_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut watched) = watched(folder.path());
        assert_eq!(told(&mut watched), None);
        // Written again, with the same text.
        fs::write(&path, SOUND).unwrap();
        assert_eq!(told(&mut watched), None);
    }

    #[test]
    fn a_change_is_told_however_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut watched) = watched(folder.path());
        fs::write(&path, format!("{SOUND}db2 = {{}}\n")).unwrap();
        assert_eq!(told(&mut watched), Some(Ok(2)), "written in place");
        let new = folder.path().join(".inventory.toml.swp");
        fs::write(&new, format!("{SOUND}db2 = {{}}\ndb3 = {{}}\n")).unwrap();
        fs::rename(&new, &path).unwrap();
        assert_eq!(told(&mut watched), Some(Ok(3)), "renamed over it");
        fs::rename(&path, folder.path().join("kept.toml")).unwrap();
        std::os::unix::fs::symlink("kept.toml", &path).unwrap();
        assert_eq!(told(&mut watched), None, "a link to the same text");
    }

    #[test]
    fn a_file_that_is_being_written_is_looked_at_once_more() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut watched) = watched(folder.path());
        fs::write(&path, "").unwrap();
        assert!(watched.look().is_none());
        fs::write(&path, format!("{SOUND}db2 = {{}}\n")).unwrap();
        assert!(watched.look().is_none());
        assert!(watched.look().unwrap().is_ok());
        fs::remove_file(&path).unwrap();
        assert!(watched.look().is_none());
        fs::write(&path, format!("{SOUND}db2 = {{}}\n")).unwrap();
        assert!(watched.look().is_none(), "the text that was told is back");
    }

    #[test]
    fn what_cannot_be_used_is_told_once_with_its_place_and_advice() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut watched) = watched(folder.path());
        fs::write(&path, format!("{SOUND}db2 = {{ rolls = [\"db\"] }}\n")).unwrap();
        let error = told(&mut watched).unwrap().unwrap_err();
        assert!(error.contains("inventory.toml:6:9"), "{error}");
        assert!(error.contains("roles"), "{error}");
        fs::write(&path, SOUND).unwrap();
        assert_eq!(told(&mut watched), Some(Ok(1)), "the old text is told as sound again");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let error = told(&mut watched).unwrap().unwrap_err();
        assert!(error.contains("chmod go-w"), "{error}");
        fs::remove_file(&path).unwrap();
        assert!(told(&mut watched).unwrap().unwrap_err().contains("cannot be read"));
    }
}
