//! Keys of a sequence that is under way.

use super::{Model, Screen};
use crate::app::model::runs::PromptId;
use crate::config::action::Action;
use crate::config::keymap::{KeyPress, KeySequence, Layer, shown};

/// The beginning of a sequence, and where it was typed: elsewhere its rest would mean something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingKeys {
    pub(in crate::app) keys: Vec<KeyPress>,
    pub(in crate::app) screen: Screen,
    pub(in crate::app) asked: Option<PromptId>,
}

impl PendingKeys {
    /// What was typed, as screens show it.
    #[must_use]
    pub fn typed(&self) -> String {
        shown(&self.keys)
    }
}

impl Model {
    /// The layer of the keymap that is active: that of the screen on top. Help has only the keys of every screen.
    #[must_use]
    pub fn layer(&self) -> Option<Layer> {
        self.help.is_none().then(|| self.screen().layer())
    }

    /// The keys of an action where the operator is, the first being the one hints show.
    pub fn keys_of(&self, action: Action) -> impl Iterator<Item = &KeySequence> + '_ {
        self.keymap.keys(self.layer(), action)
    }

    /// What can follow the keys of the sequence that is under way.
    #[must_use]
    pub fn following(&self) -> Vec<(String, Action)> {
        let pending = self.pending.as_ref();
        pending.map_or_else(Vec::new, |pending| self.keymap.following(self.layer(), &pending.keys))
    }
}
