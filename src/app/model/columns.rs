//! The columns of the fleet table: which there are, which are shown, and the dialog that chooses them.

use super::Model;
use super::runs::Dialog;
use crate::app::rows::order::Order;

/// A column that the fleet table may have.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedColumn {
    /// Its title.
    pub title: &'static str,
    /// What rows are ordered by when they are sorted by it.
    pub order: Option<&'static Order>,
}

/// Columns being chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnForm {
    /// All of them, from left to right, and whether each is shown.
    pub rows: Vec<(&'static str, bool)>,
    /// Which is selected.
    pub at: usize,
    /// What is wrong with it.
    pub wrong: Option<&'static str>,
}

impl ColumnForm {
    /// Selects another column.
    pub(in crate::app) fn go(&mut self, down: bool) {
        let last = self.rows.len().saturating_sub(1);
        self.at = if down { (self.at + 1).min(last) } else { self.at.saturating_sub(1) };
        self.wrong = None;
    }

    /// Shows the selected column, or hides it.
    pub(in crate::app) fn toggle(&mut self, needed: Option<&'static str>) {
        let Some((title, shown)) = self.rows.get_mut(self.at) else { return };
        let is_needed = needed == Some(*title);
        self.wrong = (is_needed && *shown).then_some("without it the rows could not be told apart");
        *shown = is_needed || !*shown;
    }

    /// Moves the selected column one place to the left of the table, or to the right.
    pub(in crate::app) fn shift(&mut self, right: bool) {
        let last = self.rows.len().saturating_sub(1);
        let to = if right { (self.at + 1).min(last) } else { self.at.saturating_sub(1) };
        if to != self.at && to < self.rows.len() {
            self.rows.swap(self.at, to);
        }
        (self.at, self.wrong) = (to, None);
    }

    /// The columns that are shown.
    #[must_use]
    pub fn chosen(&self) -> Vec<&'static str> {
        self.rows.iter().filter(|(_, shown)| *shown).map(|(title, _)| *title).collect()
    }
}

impl Model {
    /// The orders that the columns have which are shown, from left to right.
    #[must_use]
    pub fn orders(&self) -> Vec<&'static Order> {
        let of = |title: &&'static str| self.all_columns.iter().find(|column| column.title == *title);
        match &self.columns {
            Some(chosen) => chosen.iter().filter_map(|title| of(title)?.order).collect(),
            None => self.all_columns.iter().filter_map(|column| column.order).collect(),
        }
    }

    /// Asks which columns are shown.
    pub(in crate::app) fn ask_columns(&mut self) {
        let all = self.all_columns.iter().map(|column| column.title);
        let rows = match &self.columns {
            None => all.map(|title| (title, true)).collect(),
            Some(chosen) => {
                let shown = chosen.iter().map(|title| (*title, true));
                shown.chain(all.filter(|title| !chosen.contains(title)).map(|title| (title, false))).collect()
            }
        };
        self.runs.dialogs.push(Dialog::Columns(ColumnForm { rows, at: 0, wrong: None }));
    }
}
