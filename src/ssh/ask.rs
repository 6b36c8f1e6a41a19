//! Questions a login may have for a person, and who answers them. Imports `domain`.

use crate::domain::event::{Answer, QuestionKind};
use crate::domain::hop::Hop;
use crate::domain::names::EnvName;

use super::dial::BoxFuture;

/// Puts a question to whoever can answer it.
pub trait Ask: Send + Sync + 'static {
    /// Waits for the answer. Dropping the future takes the question back.
    fn ask<'a>(&'a self, env: &'a EnvName, hop: &'a Hop, kind: QuestionKind) -> BoxFuture<'a, Answer>;
}

/// Nobody is there to answer: every question is refused (`status`, scripts).
#[derive(Debug, Clone, Copy, Default)]
pub struct RefuseAll;

impl Ask for RefuseAll {
    fn ask<'a>(&'a self, _: &'a EnvName, _: &'a Hop, _: QuestionKind) -> BoxFuture<'a, Answer> {
        Box::pin(std::future::ready(Answer::Refuse))
    }
}
