//! What a console shows of a session, and what its operator wants of one.

use std::sync::Arc;
use std::time::Duration;

use super::MaintenanceSession;
use crate::names::EnvName;
use crate::text::Clean;

/// How the records here and on the jump box compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionSync {
    /// The jump box was not asked yet.
    Unknown,
    /// It has every line of this machine.
    Same {
        /// Whether other accounts can read them there.
        shared: bool,
    },
    /// How many lines it lacks, and why.
    Behind {
        /// How many lines.
        lines: usize,
        /// Why.
        why: Clean,
    },
}

/// A session as a console has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenSession {
    /// It.
    pub session: Arc<MaintenanceSession>,
    /// Whether the operator of this console takes part.
    pub takes_part: bool,
    /// Whether it was handed over to them, and they have not confirmed it.
    pub leads_when_joined: bool,
    /// How the records compare.
    pub sync: SessionSync,
}

/// News of the sessions of an environment.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionNews {
    /// The environment.
    pub env: EnvName,
    /// Its session that is under way; `None`: none is known.
    pub seen: Option<SeenSession>,
    /// Why others' sessions are unknown; `None` when the jump box was asked.
    pub unknown: Option<Clean>,
    /// What became of something that the operator wanted.
    pub said: Option<Result<Clean, Clean>>,
}

/// What an operator wants of the session of an environment.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionOrder {
    /// Start one.
    Start {
        /// Why.
        reason: Clean,
        /// The ticket; empty for none.
        ticket: Clean,
        /// Who is meant to take part.
        people: Vec<Clean>,
        /// How long it is planned to last.
        lasts: Duration,
    },
    /// Join the one of somebody else.
    Join,
    /// Add a note.
    Note(Vec<Clean>),
    /// Hand it over.
    HandOver(Clean),
    /// End it.
    End(Clean),
}
