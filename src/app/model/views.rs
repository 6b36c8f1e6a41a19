//! Saved views: those of the operator's file, and which is selected in their list.

use crate::app::rows::order::Order;
use crate::config::views::SavedView;
use jumpdeck_fleet::text::Clean;

/// The views of `views.toml`.
#[derive(Debug, Default)]
pub struct SavedViews {
    /// In the order of the file.
    pub list: Vec<SavedView>,
    /// Why the file is not used: where in it, what is wrong, what to do. There are no views then.
    pub refused: Option<Clean>,
    /// The orders that a view may name; those of columns that are not shown, too.
    pub orders: Vec<&'static Order>,
    /// The name of the selected one.
    pub selected: Option<String>,
}

impl SavedViews {
    /// The view of that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&SavedView> {
        self.list.iter().find(|view| view.name == name)
    }

    /// Takes in what the file says now. What is selected stays so.
    pub fn take(&mut self, read: Result<Vec<SavedView>, Clean>) {
        (self.list, self.refused) = match read {
            Ok(list) => (list, None),
            Err(why) => (Vec::new(), Some(why)),
        };
    }
}

/// What is asked about a saved view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewQuestion {
    /// Whether this one takes the place of the one of its name.
    Replace(SavedView),
    /// Whether the one of that name is deleted.
    Delete(String),
}
