//! What the reader knows of a kind of step: its word, its keys, its rules.

use std::sync::Arc;
use std::time::Duration;

use super::{Reading, StepHead};
use crate::config::reader::Table;
use crate::runbook::definition::Step;
use crate::runbook::kinds::{StepKind, TakesBack};
use jumpdeck_fleet::run::{Asks, Effect};

/// What the reader knows of a kind.
#[derive(Debug)]
pub(crate) struct KindEntry {
    /// The word a runbook names it by.
    pub(crate) word: &'static str,
    /// Its keys: groups of those that kinds have in common, then its own.
    pub(crate) keys: &'static [&'static [&'static str]],
    /// How it is read.
    pub(crate) reads: Reads,
    /// What it asks of people.
    pub(crate) asks: Asks,
    /// What it may change.
    pub(crate) effects: Effects,
    /// Where it runs.
    pub(crate) on: Where,
    /// It runs on one host only.
    pub(crate) one_host: bool,
    /// Its title where the runbook gives none; `None`: the runbook must.
    pub(crate) untitled: Option<&'static str>,
    /// How long it may take where the runbook does not say.
    pub(crate) timeout: Duration,
    /// It looks itself whether its change is in effect, so that it needs no `read_back`.
    pub(crate) proves_itself: bool,
    /// Why it needs no undo.
    pub(crate) undone: Option<&'static str>,
    /// Where its keys name the variable that it brings.
    pub(crate) brings_at: &'static [&'static str],
    /// As the way back of another step.
    pub(crate) undo: Option<UndoEntry>,
    /// Rules of its own, when everything else of a step is read.
    pub(crate) rules: fn(&mut Reading<'_>, &Table<'_>, &mut Step),
}

impl KindEntry {
    /// A kind that changes nothing, runs wherever it is said, and has no rules of its own.
    pub(crate) const fn new(
        word: &'static str,
        keys: &'static [&'static [&'static str]],
        reads: Reads,
    ) -> Self {
        Self {
            word,
            keys,
            reads,
            asks: Asks::Nothing,
            effects: Effects::READ,
            on: Where::Anywhere,
            one_host: false,
            untitled: None,
            timeout: Duration::from_secs(30),
            proves_itself: false,
            undone: None,
            brings_at: &[],
            undo: None,
            rules: |_, _, _| {},
        }
    }

    /// Whether it holds other steps.
    pub(crate) fn is_group(&self) -> bool {
        matches!(self.reads, Reads::Group { .. })
    }

    /// Whether the steps that it holds are done several times.
    pub(crate) fn repeats(&self) -> bool {
        matches!(self.reads, Reads::Group { repeats: true, .. })
    }

    /// All of its keys.
    pub(crate) fn all_keys(&self) -> Vec<&'static str> {
        self.keys.concat()
    }
}

/// How a kind is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reads {
    /// One step, from its own keys.
    Step(fn(&mut Reading<'_>, &Table<'_>, &StepHead) -> Option<Arc<dyn StepKind>>),
    /// A step that holds others, or the steps that stand for it.
    Group {
        /// Reads all of it.
        read: fn(&mut Reading<'_>, &Table<'_>, StepHead, &mut Vec<Step>),
        /// The keys under which its steps stand.
        inside: &'static [&'static str],
        /// Its steps are done several times.
        repeats: bool,
    },
}

/// A kind as the way back of another step: `undo = { sql = "…" }`.
#[derive(Debug)]
pub(crate) struct UndoEntry {
    /// The key that says so.
    pub(crate) verb: &'static str,
    /// All of its keys.
    pub(crate) keys: &'static [&'static str],
    /// Reads it.
    pub(crate) read: fn(&mut Reading<'_>, &Table<'_>) -> Option<Arc<dyn TakesBack>>,
}

/// Where a kind runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    /// On no host: `on` is wrong.
    Nowhere,
    /// Where it is said, if it is.
    Anywhere,
    /// It must be said.
    Said,
    /// On the jump box, unless it is said.
    JumpBox,
}

/// What a kind may change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effects {
    /// Unless it is said.
    pub(crate) usual: Effect,
    /// What may be said.
    pub(crate) allowed: &'static [Effect],
    /// It must be said.
    pub(crate) must_be_said: bool,
    /// What to do when it is said wrongly.
    pub(crate) help: &'static str,
}

impl Effects {
    const LEAVE_OUT: &'static str = "remove effect";

    /// It only reads.
    pub(crate) const READ: Self =
        Self { usual: Effect::Read, allowed: &[Effect::Read], must_be_said: false, help: Self::LEAVE_OUT };

    /// It asks machines, and only reads.
    pub(crate) const ASKS: Self = Self {
        help: "it only reads: make the change a step of kind \"run\", \"sql\" or \"salt\"",
        ..Self::READ
    };

    /// It must be said what it changes.
    pub(crate) const SAID: Self = Self {
        usual: Effect::Mutate,
        allowed: &[Effect::Read, Effect::Mutate, Effect::Destructive],
        must_be_said: true,
        help: Self::LEAVE_OUT,
    };

    /// It changes something.
    pub(crate) const CHANGES: Self = Self {
        usual: Effect::Mutate,
        allowed: &[Effect::Mutate, Effect::Destructive],
        must_be_said: false,
        help: Self::LEAVE_OUT,
    };
}
