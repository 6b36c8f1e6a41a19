//! The columns of the fleet table: chosen in a dialog.

use crate::app::model::Model;
use crate::app::model::runs::Dialog;
use crate::config::keymap::{KeyCode, KeyPress};

/// A key of the dialog.
pub(super) fn key(model: &mut Model, key: KeyPress) {
    let needed = model.all_columns.first().map(|column| column.title);
    let all: Vec<&'static str> = model.all_columns.iter().map(|column| column.title).collect();
    let Some(Dialog::Columns(form)) = model.runs.dialogs.last_mut() else { return };
    match key.code {
        KeyCode::Esc => {
            model.runs.dialogs.pop();
        }
        KeyCode::Up | KeyCode::Char('k') => form.go(false),
        KeyCode::Down | KeyCode::Char('j') => form.go(true),
        KeyCode::Char(' ') => form.toggle(needed),
        KeyCode::Left | KeyCode::Char('h') => form.shift(false),
        KeyCode::Right | KeyCode::Char('l') => form.shift(true),
        KeyCode::Char('d') => keep(model, None),
        KeyCode::Enter => {
            let chosen = form.chosen();
            // All of them in their order is no choice: then those are shown that fit.
            keep(model, Some(chosen).filter(|chosen| *chosen != all));
        }
        _ => {}
    }
}

fn keep(model: &mut Model, chosen: Option<Vec<&'static str>>) {
    model.runs.dialogs.pop();
    model.say(match &chosen {
        None => "all columns that fit, in their usual order".to_owned(),
        Some(chosen) => format!("{} columns chosen; a saved view keeps them", chosen.len()),
    });
    model.columns = chosen;
}
