//! Exporting the table on screen.

use crate::app::message::{AppEffect, ExportTarget};
use crate::app::model::Model;
use crate::app::model::runs::Dialog;
use crate::config::action::Need;
use crate::config::keymap::{KeyCode, KeyPress};

/// Asks for the format and the place.
pub(super) fn open(model: &mut Model) {
    match model.obstacle(Need::Table) {
        Some(why) => model.say(why.to_owned()),
        None => {
            let form = model.export_form();
            model.runs.dialogs.push(Dialog::Export(form));
        }
    }
}

/// A key of the dialog.
pub(super) fn key(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    let Some(Dialog::Export(form)) = model.runs.dialogs.last_mut() else { return Vec::new() };
    match key.code {
        KeyCode::Esc => {
            model.runs.dialogs.pop();
        }
        KeyCode::Tab => form.next_format(),
        KeyCode::Up | KeyCode::Down => (form.to_clipboard, form.wrong) = (!form.to_clipboard, None),
        KeyCode::Enter => {
            let name = form.name.as_str().trim().to_owned();
            if !form.to_clipboard && (name.is_empty() || name.ends_with('/')) {
                form.wrong = Some("a name of a file is needed");
                return Vec::new();
            }
            let target = if form.to_clipboard { ExportTarget::Clipboard } else { ExportTarget::File(name) };
            let format = form.format;
            model.runs.dialogs.pop();
            model.say("exporting".to_owned());
            return vec![AppEffect::ExportTable(format, target)];
        }
        _ if form.to_clipboard => {}
        _ => {
            form.wrong = None;
            form.name.key(key);
        }
    }
    Vec::new()
}
