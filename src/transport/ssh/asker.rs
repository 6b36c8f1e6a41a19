//! A login's questions, with its deadline stopped while a person is asked.

use std::sync::Arc;

use jumpdeck_fleet::event::{Answer, QuestionKind};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::EnvName;

use super::patience::Patience;
use crate::transport::ask::AskPerson;
use crate::transport::banner::Banner;

/// What a login needs to put its questions: who asks, and the deadline that stops meanwhile.
pub(super) struct Asker {
    /// The environment that asks.
    pub(super) env: EnvName,
    /// Who answers.
    pub(super) ask: Arc<dyn AskPerson>,
    /// The login's deadline.
    pub(super) patience: Arc<Patience>,
    /// What the server says before it lets us in.
    pub(super) banner: Arc<Banner>,
}

impl Asker {
    /// Puts a question, with the deadline stopped.
    pub(super) async fn put(&self, hop: &Hop, kind: QuestionKind) -> Answer {
        self.patience.pause(self.ask.ask(&self.env, hop, kind)).await
    }
}
