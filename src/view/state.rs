//! What drawing remembers from frame to frame: where lists are scrolled to, and what the last frame had room for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// What is recorded of a table in place of being drawn: its titles and rows as text.
pub(crate) type TableRecord = Arc<Mutex<RecordedTable>>;

/// Titles and rows as text.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecordedTable {
    pub(crate) titles: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// Owned by the event loop beside the model; drawing may change nothing else.
#[derive(Debug, Clone, Default)]
pub struct ViewState {
    offsets: HashMap<(usize, List), usize>,
    page: usize,
    scroll_limit: Option<usize>,
    rest: (usize, usize),
    read: Option<(Text, usize)>,
    copy: bool,
    record: Option<TableRecord>,
}

/// Which text is read: the run, its step, the number of what it asks, and the width it is wrapped to.
pub(crate) type Text = (String, Option<usize>, Option<u64>, u16);

/// A list that scrolls, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct List(pub(crate) &'static str);

impl ViewState {
    /// For a copy of a screen.
    pub(crate) fn of_copy() -> Self {
        Self { copy: true, ..Self::default() }
    }

    /// For a table whose rows are recorded, not drawn.
    pub(crate) fn of_table(record: TableRecord) -> Self {
        Self { record: Some(record), ..Self::default() }
    }

    /// Where rows of tables are recorded.
    pub(crate) fn record(&self) -> Option<TableRecord> {
        self.record.clone()
    }

    /// Whether what is drawn is a copy, which is kept in a file.
    pub(crate) fn is_copy(&self) -> bool {
        self.copy
    }

    /// How many rows the last frame's list or page had room for: what a page up or down should move by.
    #[must_use]
    pub fn page(&self) -> usize {
        self.page.max(1)
    }

    /// The furthest line that the text on top of the last frame (help, or a host's detail) can be scrolled to, for
    /// `Model::drawn`; `None` when there was none.
    #[must_use]
    pub fn scroll_limit(&self) -> Option<usize> {
        self.scroll_limit
    }

    /// A new frame begins.
    pub(crate) fn begin(&mut self) {
        self.scroll_limit = None;
        self.rest = (0, 0);
    }

    /// Rows or lines before and after those that the last frame had room for.
    pub(crate) fn rest(&self) -> (usize, usize) {
        self.rest
    }

    /// The first row to draw of a list of `len` rows in `height` lines, so that the selected one is seen.
    pub(crate) fn scroll(
        &mut self,
        environment: usize,
        list: List,
        selected: Option<usize>,
        len: usize,
        height: u16,
    ) -> usize {
        let height = usize::from(height).max(1);
        let offset = self.offsets.entry((environment, list)).or_default();
        if let Some(selected) = selected {
            if selected < *offset {
                *offset = selected;
            } else if selected >= *offset + height {
                *offset = selected + 1 - height;
            }
        }
        *offset = (*offset).min(len.saturating_sub(height));
        self.page = height;
        self.rest = (*offset, len.saturating_sub(*offset + height));
        *offset
    }

    /// Notes that of a text of `len` lines those from `top` on, `height` of them, are on screen; returns how many below them
    /// have never been. A text that is left and opened again is to be read again.
    pub(crate) fn unread(&mut self, text: Text, top: usize, height: u16, len: usize) -> usize {
        let before = self.read.take().filter(|(of, _)| *of == text).map_or(0, |(_, read)| read);
        let end = (top + usize::from(height)).min(len);
        let read = if top <= before { before.max(end) } else { before };
        self.read = Some((text, read));
        len.saturating_sub(read)
    }

    /// The same for a list that knows itself what is at its bottom.
    pub(crate) fn fills(&mut self, height: u16) {
        self.page = usize::from(height).max(1);
    }

    /// The same for a text that is scrolled by itself.
    pub(crate) fn scroll_text(&mut self, wanted: usize, len: usize, height: u16) -> usize {
        let height = usize::from(height).max(1);
        self.page = height;
        let limit = len.saturating_sub(height);
        self.scroll_limit = Some(limit);
        let top = wanted.min(limit);
        self.rest = (top, limit - top);
        top
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_row_stays_in_sight_and_the_end_is_not_overrun() {
        let mut state = ViewState::default();
        let mut at = |selected, len| state.scroll(0, List("fleet"), selected, len, 10);
        assert_eq!(at(Some(0), 100), 0);
        assert_eq!(at(Some(9), 100), 0);
        assert_eq!(at(Some(10), 100), 1);
        assert_eq!(at(Some(50), 100), 41);
        assert_eq!(at(Some(45), 100), 41, "moving inside the window does not scroll");
        assert_eq!(at(Some(3), 100), 3);
        assert_eq!(at(Some(99), 100), 90);
        assert_eq!(at(None, 5), 0, "rows went away");
        assert_eq!(state.page(), 10);
    }

    #[test]
    fn a_line_is_unread_until_it_was_on_screen() {
        let mut state = ViewState::default();
        let mut at = |top| state.unread(("r".into(), None, None, 80), top, 10, 35);
        assert_eq!([at(0), at(10), at(0), at(20)], [25, 15, 15, 5]);
        assert_eq!(at(0), 5, "going back makes nothing unread");
        assert_eq!(at(25), 0);
        assert_eq!(state.unread(("r".into(), None, Some(2), 80), 0, 10, 35), 25, "another question");
        assert_eq!(
            state.unread(("r".into(), None, Some(2), 80), 30, 10, 35),
            25,
            "lines between were jumped over"
        );
    }

    #[test]
    fn a_page_stops_at_its_end() {
        let mut state = ViewState::default();
        assert_eq!(state.scroll_text(500, 30, 20), 10);
        assert_eq!(state.scroll_limit(), Some(10));
        assert_eq!(state.scroll_text(500, 5, 20), 0);
    }
}
