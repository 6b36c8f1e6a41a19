//! What drawing remembers from frame to frame: where lists are scrolled to, and what the last frame had room for.

use std::collections::HashMap;

/// Owned by the event loop beside the model; drawing may change nothing else.
#[derive(Debug, Clone, Default)]
pub struct ViewState {
    offsets: HashMap<(usize, List), usize>,
    page: usize,
    scroll_limit: Option<usize>,
}

/// A list that scrolls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum List {
    Fleet,
    Replication,
    Roles,
    Problems,
    Runbooks,
    Steps,
}

impl ViewState {
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
        *offset
    }

    /// The same for a text that is scrolled by itself.
    pub(crate) fn scroll_text(&mut self, wanted: usize, len: usize, height: u16) -> usize {
        let height = usize::from(height).max(1);
        self.page = height;
        let limit = len.saturating_sub(height);
        self.scroll_limit = Some(limit);
        wanted.min(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_row_stays_in_sight_and_the_end_is_not_overrun() {
        let mut state = ViewState::default();
        let mut at = |selected, len| state.scroll(0, List::Fleet, selected, len, 10);
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
    fn a_page_stops_at_its_end() {
        let mut state = ViewState::default();
        assert_eq!(state.scroll_text(500, 30, 20), 10);
        assert_eq!(state.scroll_limit(), Some(10));
        assert_eq!(state.scroll_text(500, 5, 20), 0);
    }
}
