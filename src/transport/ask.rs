//! Questions a login may have for a person, and who answers them.

use jumpdeck_fleet::event::{Answer, QuestionKind};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::EnvName;

use super::BoxFuture;

/// Puts a question to whoever can answer it.
pub trait AskPerson: Send + Sync + 'static {
    /// Waits for the answer. Dropping the future takes the question back.
    fn ask<'a>(&'a self, env: &'a EnvName, hop: &'a Hop, kind: QuestionKind) -> BoxFuture<'a, Answer>;

    /// Whether an operator is there. Without one no password or keyboard-interactive login is begun: the mere beginning may
    /// send a push to a phone.
    fn is_attended(&self) -> bool {
        true
    }
}

/// Nobody is there to answer: every question is refused (`status`, scripts).
#[derive(Debug, Clone, Copy, Default)]
pub struct RefuseAll;

impl AskPerson for RefuseAll {
    fn ask<'a>(&'a self, _: &'a EnvName, _: &'a Hop, _: QuestionKind) -> BoxFuture<'a, Answer> {
        Box::pin(std::future::ready(Answer::Refuse))
    }

    fn is_attended(&self) -> bool {
        false
    }
}
