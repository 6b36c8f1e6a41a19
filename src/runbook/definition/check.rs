//! Questions, what their answers must say, and what is kept of them.

use std::time::Duration;

use regex::Regex;

use super::{Ask, On};
use crate::runbook::template::Template;
use crate::runbook::value::ValueKind;

/// A question and what the answer must say.
#[derive(Debug, Clone)]
pub struct Check {
    /// What it proves, in words.
    pub says: Template,
    /// Where, when not where its step runs.
    pub on: Option<On>,
    /// The question.
    pub ask: Ask,
    /// What the answer must say: all of these.
    pub expect: Vec<Expect>,
    /// An answer that takes longer proves nothing, when it says so.
    pub timeout: Option<Duration>,
}

impl Check {
    /// How long an answer may take where a check says nothing else.
    pub const USUAL_TIMEOUT: Duration = Duration::from_secs(15);

    /// How long an answer may take.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.timeout.unwrap_or(Self::USUAL_TIMEOUT)
    }
}

/// What an answer must say.
#[derive(Debug, Clone)]
pub struct Expect {
    /// Which part of the answer.
    pub pick: Pick,
    /// What must hold for it.
    pub test: Test,
    /// Over all hosts of the step, instead of on each.
    pub across: Option<Across>,
}

/// How an expectation is judged over several hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Across {
    /// No two hosts have the same.
    Unique,
    /// All hosts have the same.
    Same,
    /// The test holds on exactly so many hosts.
    Exactly(usize),
}

/// A part of an answer.
#[derive(Debug, Clone)]
pub enum Pick {
    /// All of it, white space around it cut.
    Whole,
    /// A column of its only row of SQL.
    Column(String),
    /// The number of its rows of SQL (of lines, of a script).
    Rows,
    /// The first group (or all) of the first match.
    Match(Regex),
    /// A value of its JSON, by keys and indices parted by dots.
    Json(String),
}

/// What must hold for a part of an answer. Texts are compared as they are; `1`/`ON`/`Yes` are each themselves.
#[derive(Debug, Clone)]
pub enum Test {
    /// It is this.
    Is(Template),
    /// It is not this.
    IsNot(Template),
    /// It is one of these.
    OneOf(Vec<Template>),
    /// It matches.
    Matches(Regex),
    /// It is a number, at least this.
    AtLeast(f64),
    /// It is a number, at most this.
    AtMost(f64),
    /// There is nothing (or something).
    Empty(bool),
    /// The GTID position has everything of that one.
    GtidCovers(Template),
    /// The GTID positions are the same, server ids too.
    GtidIs(Template),
    /// Nothing more than `across` asks.
    Any,
}

/// What is kept of an answer, a value per host the step ran on.
#[derive(Debug, Clone)]
pub struct Capture {
    /// The variable.
    pub name: String,
    /// What it may be.
    pub kind: ValueKind,
    /// Which part.
    pub pick: Pick,
    /// Neither shown nor kept; read again on resume.
    pub sensitive: bool,
}

/// Something that holds for values already known.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The value.
    pub value: Template,
    /// What must hold.
    pub test: Test,
}
