//! The way through the screens: to one, one further on.

use super::{Model, Screen};

impl Model {
    /// Goes to a screen that has a key; the way back leads to the first one.
    pub(in crate::app) fn show(&mut self, screen: Screen) {
        self.stop_editing();
        self.screens = vec![Screen::ROOT];
        for next in screen.kind().behind().into_iter().chain([screen]) {
            if next != Screen::ROOT {
                self.screens.push(next);
            }
        }
        self.go_to_top();
    }

    /// Goes one screen further; the way back leads to the one on top now.
    pub(in crate::app) fn push(&mut self, screen: Screen) {
        if self.screen() != &screen {
            self.screens.push(screen);
        }
        self.go_to_top();
    }

    /// Nothing is typed into the filter any more.
    pub(in crate::app) fn stop_editing(&mut self) {
        if let Some(filter) = self.filter_mut() {
            filter.editing = false;
        }
    }

    fn go_to_top(&mut self) {
        if let Some(env) = self.shown_mut() {
            env.selection.row = 0;
            env.selection.detail_scroll = 0;
        }
    }
}
