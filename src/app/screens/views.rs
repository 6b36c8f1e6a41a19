//! The saved views of the operator; a row leads to its view.

use super::{Door, Screen, ScreenKind, place};
use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::config::action::{Action, Destination};
use crate::config::views::SavedView;

pub(super) struct Kind;

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON SAVED VIEWS"
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[A::Up, A::Down, A::Open, A::DeleteView, A::Export, A::Refresh, A::Back]
    }

    fn hints(&self, _: &Model) -> &'static [(Action, &'static str)] {
        &[
            (Action::Help, "help"),
            (Action::Back, "back"),
            (Action::DeleteView, "delete"),
            (Action::Open, "open"),
            (Action::Refresh, "read again"),
        ]
    }

    fn is_table(&self) -> bool {
        true
    }

    fn tab(&self) -> Destination {
        Destination::Fleet
    }

    fn door(&self) -> Option<Door> {
        Some(Door { key: Destination::Views, screen: Screen::Views, tab: None })
    }

    fn is_view(&self) -> bool {
        false
    }

    fn arrive(&self, _: &mut Model) -> bool {
        true
    }

    fn count(&self, model: &Model) -> usize {
        model.views.list.len()
    }

    fn selected(&self, model: &Model) -> Option<usize> {
        place(model.views.list.iter().map(|view| &view.name), model.views.selected.as_ref()?)
    }

    fn select(&self, model: &mut Model, at: usize) -> bool {
        let Some(name) = model.views.list.get(at).map(|view| view.name.clone()) else { return false };
        model.views.selected = Some(name);
        true
    }

    fn view(&self, model: &Model) -> Option<SavedView> {
        model.views.list.get(self.selected(model)?).cloned()
    }

    fn asks(&self, _: &Model) -> Vec<AppEffect> {
        vec![AppEffect::ReadViews]
    }
}
