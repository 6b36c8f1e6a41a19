//! What a run asks a person, and what a person tells it.

use super::InputView;
use crate::text::Clean;

/// What a person is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// Tells prompts apart: an answer to another one is no answer.
    pub number: u64,
    /// One line.
    pub title: Clean,
    /// More lines.
    pub text: Vec<Clean>,
    /// What kind of answer.
    pub kind: PromptKind,
}

/// What kind of answer a prompt wants.
#[derive(Debug, Clone, PartialEq)]
pub enum PromptKind {
    /// Yes or no; no is what Enter means.
    Confirm,
    /// This value, which stands on screen, must be typed.
    Challenge(Clean),
    /// A value.
    Input(InputView),
    /// One of these, by its key: `r` retry, `s` stop, …
    Choose(Vec<Choice>),
    /// A second person says yes: the words to run elsewhere.
    Approve(Clean),
}

/// One way to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The key.
    pub key: char,
    /// What it does.
    pub label: Clean,
    /// A reason must be given with it.
    pub reason: bool,
    /// It changes hosts: the environment must be armed.
    pub changes: bool,
}

/// What a person tells a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunCommand {
    /// An answer to that prompt.
    Answer {
        /// The prompt's number.
        prompt: u64,
        /// The answer.
        reply: Reply,
    },
    /// A note for the journal.
    Note(String),
    /// Stop before the next step.
    Stop,
    /// Take back to the last safe point, after a yes.
    Rollback,
}

/// An answer.
#[derive(Clone, PartialEq, Eq)]
pub enum Reply {
    /// Yes.
    Yes,
    /// No, or cancelled.
    No,
    /// A typed value; wiped when dropped.
    Text(zeroize::Zeroizing<String>),
    /// The choice of that key, and the reason.
    Chosen(char, Option<String>),
}

impl std::fmt::Debug for Reply {
    /// Without what was typed: it may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Yes => "Yes",
            Self::No => "No",
            Self::Text(_) => "Text(…)",
            Self::Chosen(..) => "Chosen(…)",
        })
    }
}
