//! The table on screen as data: the rows as they are filtered and sorted, the columns as they are shown, every cell to its end.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::scene::Scene;
use super::screens::{Signs, drawing};
use super::signs::Status;
use super::state::{TableRecord, ViewState};
use super::styles::Styles;
use crate::app::model::Model;
use crate::app::rows::count;
use jumpdeck_fleet::table::PlainTable;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::short_age;
use jumpdeck_fleet::timeline::WallTime;

/// Lines that a screen has besides its rows, at most.
const AROUND: usize = 80;
/// Cells of a screen that are held in memory for it.
const MOST_CELLS: usize = 2 << 20;

/// The table.
///
/// # Errors
/// That the screen has none, or more rows than can be exported at once.
pub fn table(model: &Model, styles: &Styles) -> Result<PlainTable, String> {
    let none = || "this screen has no table".to_owned();
    let record = TableRecord::default();
    let mut state = ViewState::of_table(record.clone());
    state.begin();
    let scene = Scene::of(model, styles).ok_or_else(none)?;
    let kind = model.screen().kind();
    // A pane below the rows takes at most half of the lines.
    let (rows, height) = (count(model), count(model) * 2 + AROUND);
    let most = (MOST_CELLS / usize::from(model.size.0).max(1)).min(usize::from(u16::MAX));
    let height =
        u16::try_from(height).ok().filter(|height| usize::from(*height) <= most).ok_or_else(|| {
            format!("{rows} rows are too many ({} at most): filter them", most.saturating_sub(AROUND) / 2)
        })?;
    let area = Rect::new(0, 0, model.size.0, height);
    let mut buf = Buffer::empty(area);
    let drawing = drawing(model.screen());
    (drawing.draw)(&mut buf, area, &scene, &mut state);
    let mut recorded = record.lock().map_err(|error| error.to_string())?.clone();
    let says_its_state = recorded.titles.iter().skip(1).any(|title| recorded.titles.first() == Some(title));
    for sign in recorded.rows.iter_mut().filter_map(|row| row.first_mut()) {
        *sign = match drawing.signs {
            Signs::Hosts if says_its_state => String::new(),
            Signs::Hosts => state_word(sign, kind.rows_are_hosts()),
            // A column of theirs says it in words.
            Signs::Steps => String::new(),
        };
    }
    if recorded.titles.is_empty() {
        return Err(none());
    }
    if recorded.rows.len() < rows {
        // A part would be taken for all of it.
        return Err(format!("only {} of {rows} rows could be read", recorded.rows.len()));
    }
    let paused = model.paused.as_ref().map(|paused| model.now.since(paused.since));
    let wall = model.wall();
    // The rows are of the moment at which the screen was paused.
    let taken = paused.map_or(wall, |since| {
        WallTime(wall.0.saturating_sub(i64::try_from(since.as_secs()).unwrap_or(i64::MAX)))
    });
    let mut table = PlainTable {
        taken_at: taken.rfc3339(),
        environment: scene.env.spec.name.to_string(),
        simulated: model.fleet.simulated,
        screen: model.screen_words(),
        filter: Clean::new(model.filter().text.as_str()).to_string(),
        paused: paused.map(short_age),
        titles: recorded.titles,
        rows: recorded.rows,
    };
    drop_empty(&mut table);
    Ok(table)
}

/// The word of a sign.
fn state_word(sign: &str, of_host: bool) -> String {
    // A dash is for other rows what has no state.
    let is_state = |status: &&Status| status.sign() == sign && (of_host || **status != Status::NotWatched);
    let status = Status::ALL.iter().find(is_state);
    status.map_or_else(|| sign.to_owned(), |status| status.word().to_owned())
}

/// Drops columns without any text: those that only draw, and notes where nothing is noted.
fn drop_empty(table: &mut PlainTable) {
    let kept: Vec<bool> = (0..table.titles.len())
        .map(|at| table.rows.iter().any(|row| row.get(at).is_some_and(|cell| !cell.is_empty())))
        .collect();
    for cells in table.rows.iter_mut().chain([&mut table.titles]) {
        let mut at = kept.iter();
        cells.retain(|_| at.next().copied().unwrap_or(true));
    }
}
