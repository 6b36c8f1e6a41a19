//! The operator's saved views, in their file.

use std::io;
use std::path::PathBuf;

use super::kept_text;
use crate::config::diagnostic::Diagnostic;
use crate::config::files;
use crate::config::views::{SavedView, ViewRules, edit, parse_views};

/// A file that is longer is refused.
const LONGEST: u64 = 1 << 20;

/// `views.toml`.
#[derive(Debug, Clone)]
pub struct ViewsFile {
    /// The file.
    pub path: PathBuf,
    /// What views may say.
    pub rules: ViewRules,
}

/// What became of saving a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewSaved {
    /// The file has it.
    Saved,
    /// The file has another one of that name, which was not to be replaced.
    Exists,
}

impl ViewsFile {
    /// The views; none without a file.
    ///
    /// # Errors
    /// Every mistake of the file, or that it cannot be read.
    pub fn read(&self) -> Result<Vec<SavedView>, Vec<Diagnostic>> {
        if matches!(std::fs::metadata(&self.path), Err(error) if error.kind() == io::ErrorKind::NotFound) {
            return Ok(Vec::new());
        }
        let text = files::read_text(&self.path).map_err(|error| vec![*error])?;
        parse_views(&self.name(), &text, &self.rules)
    }

    /// Saves a view; with `replace` in the place of one of its name.
    ///
    /// # Errors
    /// Why it was not saved. The file is as it was.
    pub fn save(&self, view: &SavedView, replace: bool) -> Result<ViewSaved, String> {
        let mut saved = ViewSaved::Saved;
        kept_text::change(&self.path, LONGEST, |before| {
            let before = before.unwrap_or_default();
            let known = parse_views(&self.name(), before, &self.rules).unwrap_or_default();
            if !replace && known.iter().any(|one| one.name == view.name) {
                saved = ViewSaved::Exists;
                return Ok(before.to_owned());
            }
            edit::with(&self.name(), before, &self.rules, view).map_err(|error| error.to_string())
        })?;
        Ok(saved)
    }

    /// Deletes the view of that name.
    ///
    /// # Errors
    /// Why it was not deleted. The file is as it was.
    pub fn delete(&self, name: &str) -> Result<(), String> {
        kept_text::change(&self.path, LONGEST, |before| {
            let before = before.unwrap_or_default();
            let known = parse_views(&self.name(), before, &self.rules);
            if known.is_ok_and(|known| !known.iter().any(|one| one.name == name)) {
                return Ok(before.to_owned());
            }
            edit::without(&self.name(), before, &self.rules, name).map_err(|error| error.to_string())
        })?;
        Ok(())
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config::action::Destination;
    use crate::config::views::tests::rules;
    use jumpdeck_fleet::names::EnvName;

    fn view(name: &str, filter: &str) -> SavedView {
        SavedView {
            name: name.into(),
            environment: EnvName::new("production").unwrap(),
            screen: Destination::Fleet,
            host: None,
            filter: filter.into(),
            sort: None,
            reverse: false,
            fold: false,
            columns: None,
        }
    }

    #[test]
    fn views_are_saved_replaced_only_when_wanted_and_deleted() {
        let home = tempfile::tempdir().unwrap();
        let file = ViewsFile { path: home.path().join("config/views.toml"), rules: rules() };
        assert_eq!(file.read().unwrap(), []);
        assert_eq!(file.save(&view("a", "db"), false), Ok(ViewSaved::Saved));
        assert_eq!(file.save(&view("a", "app"), false), Ok(ViewSaved::Exists));
        assert_eq!(file.read().unwrap(), [view("a", "db")]);
        assert_eq!(file.save(&view("a", "app"), true), Ok(ViewSaved::Saved));
        assert_eq!(file.save(&view("b", ""), false), Ok(ViewSaved::Saved));
        assert_eq!(file.read().unwrap(), [view("a", "app"), view("b", "")]);
        assert_eq!(file.delete("a"), Ok(()));
        assert_eq!(file.delete("a"), Ok(()), "what is gone is gone");
        assert_eq!(file.read().unwrap(), [view("b", "")]);
    }

    #[test]
    fn a_broken_file_is_never_written_to() {
        let home = tempfile::tempdir().unwrap();
        let file = ViewsFile { path: home.path().join("views.toml"), rules: rules() };
        let broken = "[views.a]\nenvironment = \"production\"\nsort = \"dsk\"\n";
        std::fs::write(&file.path, broken).unwrap();
        let errors = file.read().unwrap_err();
        assert!(errors.iter().any(|error| error.position() == Some((3, 8))), "{errors:?}");
        for failed in [file.save(&view("b", ""), false).map(drop), file.delete("a")] {
            assert!(failed.unwrap_err().contains("views.toml:3:8"));
        }
        assert_eq!(std::fs::read_to_string(&file.path).unwrap(), broken);
    }
}
