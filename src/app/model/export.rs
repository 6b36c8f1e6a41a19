//! Exporting the table on screen: in which format, and where to.

use super::Model;
use super::editor::Editor;
use jumpdeck_fleet::table::TableFormat;

/// What is asked about an export.
#[derive(Debug)]
pub struct ExportForm {
    /// The format.
    pub format: TableFormat,
    /// It goes to the clipboard of the terminal, not into a file.
    pub to_clipboard: bool,
    /// The name of the file.
    pub name: Editor,
    /// How many rows there are.
    pub rows: usize,
    /// What is wrong with the name.
    pub wrong: Option<&'static str>,
}

impl ExportForm {
    /// Takes the next format; a name that ends as files of the last one do ends so as well.
    pub(in crate::app) fn next_format(&mut self) {
        let at = TableFormat::ALL.iter().position(|one| *one == self.format).unwrap_or(0);
        let next = TableFormat::ALL.iter().cycle().nth(at + 1).copied().unwrap_or(self.format);
        if let Some(stem) = self.name.as_str().strip_suffix(self.format.extension()).map(str::to_owned) {
            self.name.set(&format!("{stem}{}", next.extension()));
        }
        (self.format, self.wrong) = (next, None);
    }
}

impl Model {
    /// What the screen on top is called: by its key, else by what it shows.
    #[must_use]
    pub fn screen_words(&self) -> String {
        let kind = self.screen().kind();
        kind.door().map_or_else(|| kind.name(self.screen()), |door| door.key.title().to_owned())
    }

    /// What an export begins with: a new file in the home folder.
    pub(in crate::app) fn export_form(&self) -> ExportForm {
        let env = self.shown().map_or("", |env| env.spec.name.as_str());
        let what = self.screen_words().replace(' ', "-");
        let at = self.wall().written("%Y%m%dT%H%M%SZ");
        let format = TableFormat::Csv;
        let name = format!("~/jumpdeck-{env}-{what}-{at}.{}", format.extension());
        let name = name.as_str().into();
        ExportForm { format, to_clipboard: false, name, rows: self.screen().kind().count(self), wrong: None }
    }
}
