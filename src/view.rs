//! Screens and widgets: model in, cells out. Pure drawing: no I/O, no clock, no state of its own but [`ViewState`]
//! (where each list is scrolled to).
//!
//! A screen is one file under `screens/` and one line in `screens.rs`. Every state has a sign and a word ([`signs`]):
//! colour only repeats what they say.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::app::model::Model;
use crate::app::model::columns::NamedColumn;

mod ascii;
mod data;
mod plain;
pub(crate) mod scene;
pub(crate) mod screens;
pub mod signs;
pub mod state;
pub mod styles;
pub(crate) mod text;
pub(crate) mod widgets;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fixtures;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod run_fixtures;
#[cfg(test)]
mod run_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unknown_tests;

pub use data::table;
pub use plain::plain;
pub use state::ViewState;
pub use styles::{ColorSupport, Styles};

use scene::Scene;
use widgets::{banner, footer, forms, header, help, palette, question, shell, small, strip};

/// Columns and rows below which nothing useful fits.
pub use crate::app::model::SMALLEST;

/// The columns that the fleet table may have, from left to right. The first says which host a row is of.
#[must_use]
pub fn fleet_columns() -> Vec<NamedColumn> {
    screens::fleet::columns::named()
}

/// Their titles.
#[must_use]
pub fn fleet_titles() -> Vec<&'static str> {
    fleet_columns().into_iter().map(|column| column.title).collect()
}

/// Draws the model. Work is proportional to what is visible, but for the sort and the counts of the header.
pub fn draw(frame: &mut Frame<'_>, model: &Model, theme: &Styles, state: &mut ViewState) {
    let area = frame.area();
    let buf = frame.buffer_mut();
    buf.set_style(area, theme.base);
    state.begin();
    match Scene::of(model, theme) {
        _ if area.width < SMALLEST.0 || area.height < SMALLEST.1 => small::draw(buf, area, model, theme),
        None => text::centred(buf, area, &["no environments".into()]),
        Some(scene) => {
            let head = header::draw(buf, area, &scene);
            let banner = banner::draw(buf, below(area, head), &scene);
            let strip = strip::draw(buf, below(area, head + banner), &scene);
            let used = head + banner + strip;
            let body =
                Rect { height: area.height.saturating_sub(used + footer::HEIGHT), ..below(area, used) };
            let drawing = screens::drawing(model.screen());
            let status = (drawing.draw)(buf, body, &scene, state);
            footer::draw(buf, area, &scene, status);
            if let Some(list) = model.palette.list() {
                palette::draw(buf, area, &scene, state, list);
            }
            if let Some(scroll) = model.help {
                let area = Rect { height: area.height.saturating_sub(footer::HEIGHT), ..area };
                help::draw(buf, below(area, head), &scene, state, scroll);
            }
            // Keys go to a dialog that has come meanwhile: it is seen.
            if let Some(dialog) = model.runs.dialogs.last() {
                forms::draw(buf, area, &scene, dialog);
            }
            if let Some(shell) = &model.shell {
                shell::draw(buf, area, &scene, shell);
            }
            if let Some(asked) = model.questions.first() {
                question::draw(buf, area, &scene, asked);
            }
        }
    }
    if theme.ascii {
        ascii::simplify(buf);
    }
}

fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}
