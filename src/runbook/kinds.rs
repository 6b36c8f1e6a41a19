//! The kinds of steps. A kind is one file in `kinds/` and one line in the list below: its word and keys, how it is
//! read, its rules, the variables it uses and brings, how it is shown, how it is done, undone and looked for. Everything
//! else loops over [`KINDS`] or calls [`StepKind`]; no other file names a kind. docs/architecture.md says how to add one.
//! Imports everything of `runbook`, `config` (the reader of TOML), `domain`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::config::diagnostic::nearest;
use crate::config::reader::Table;
use crate::domain::run::{Asks, Effect};

use super::place::Places;
use super::plan::FrozenHost;
use super::scope::Scope;
use super::spec::read::{Common, Reading};
use super::spec::{Act, Ask, Step};
use super::value::ValueKind;

/// Names the files of the kinds and makes their list, so that a kind is one line.
macro_rules! kinds {
    ($($file:ident,)*) => {
        $(mod $file;)*

        /// Every kind of step, in the order in which messages name them.
        pub(crate) static KINDS: &[&KindEntry] = &[$(&$file::KIND,)*];
    };
}

kinds! {
    note,
    input,
    check,
    wait_until,
    run,
    sql,
    salt,
    edit,
    host_key,
    manual,
    confirm,
    challenge,
    approve,
    hold,
    fence,
    elect,
    for_each,
    branch,
    include,
    report,
}

/// The variables that something uses.
pub(crate) type Used<'s> = BTreeSet<&'s str>;

/// A step as read: what its kind's own keys say.
pub(crate) trait StepKind: fmt::Debug + Send + Sync {
    /// Its line in the list.
    fn entry(&self) -> &'static KindEntry;

    /// Who does it.
    fn part(&self) -> Part<'_>;

    /// What it does, as the runbook says it, for `runbook show`.
    fn lines(&self) -> Vec<String>;

    /// What it would do on a host, for eyes; empty where there is nothing to show. `places` are all of its places.
    fn shown(&self, scope: &Scope<'_>, places: &Places) -> String;

    /// Adds the variables that it needs to be done. What people are only shown stands for itself.
    fn uses<'s>(&'s self, names: &mut Used<'s>);

    /// Whether one command does it for all of its hosts.
    fn is_one_command(&self) -> bool {
        false
    }

    /// The variable it brings, its captures aside.
    fn brings(&self) -> Option<Brings<'_>> {
        None
    }

    /// What its answer is like, for what picks a part of it; `None` where there is none to pick from.
    fn answers_like(&self) -> Option<Ask> {
        None
    }
}

/// What a kind is to those who do steps.
pub(crate) enum Part<'k> {
    /// It is done, by machines or by people.
    Act(Act),
    /// It holds others.
    Group(&'k dyn HoldsSteps),
}

/// What a step is undone by.
pub(crate) trait TakesBack: StepKind {}

/// A kind that holds other steps. The plan unrolls it: it is never done itself.
pub(crate) trait HoldsSteps {
    /// Its steps, as often and under such conditions as they stand in a plan.
    fn turns<'s>(&self, inside: &'s [Inside], targets: &BTreeMap<String, Vec<FrozenHost>>) -> Vec<Turn<'s>>;
}

/// Steps that a step holds.
#[derive(Debug, Clone)]
pub(crate) struct Inside {
    /// Stands above them where a runbook is shown; empty for nothing.
    pub(crate) heading: &'static str,
    /// The steps.
    pub(crate) steps: Vec<Step>,
}

/// Steps of a group, as they stand in a plan.
pub(crate) struct Turn<'s> {
    /// The steps.
    pub(crate) steps: &'s [Step],
    /// Whether the group's own conditions must hold, or must not.
    pub(crate) wanted: bool,
    /// The hosts they are for, when not for all.
    pub(crate) batch: Option<Batch>,
}

/// A batch of hosts that steps are done for.
pub(crate) struct Batch {
    /// Stands in the ids behind the group's: `[1/3]`.
    pub(crate) number: String,
    /// The name that steps run `on`.
    pub(crate) item: String,
    /// Its hosts.
    pub(crate) hosts: Vec<String>,
    /// How many of them may fail.
    pub(crate) max_failures: usize,
}

/// A variable that a step brings.
pub(crate) struct Brings<'k> {
    /// Its name.
    pub(crate) name: &'k str,
    /// What it may be.
    pub(crate) kind: ValueKind,
    /// Neither shown nor kept.
    pub(crate) secret: bool,
    /// The key that names it.
    pub(crate) key: &'static str,
}

/// What the reader knows of a kind.
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
#[derive(Clone, Copy)]
pub(crate) enum Reads {
    /// One step, from its own keys.
    Step(fn(&mut Reading<'_>, &Table<'_>, &Common) -> Option<Arc<dyn StepKind>>),
    /// A step that holds others, or the steps that stand for it.
    Group {
        /// Reads all of it.
        read: fn(&mut Reading<'_>, &Table<'_>, Common, &mut Vec<Step>),
        /// The keys under which its steps stand.
        inside: &'static [&'static str],
        /// Its steps are done several times.
        repeats: bool,
    },
}

/// A kind as the way back of another step: `undo = { sql = "…" }`.
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
    const LEAVE_OUT: &'static str = "leave effect out";

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

/// The kind of that word.
pub(crate) fn by_word(word: &str) -> Option<&'static KindEntry> {
    KINDS.iter().find(|kind| kind.word == word).copied()
}

/// What to write instead of a word that names no kind.
pub(crate) fn instead_of(word: &str) -> String {
    match nearest(word, KINDS.iter().map(|kind| kind.word)) {
        Some(near) => format!("did you mean {near:?}?"),
        None => all_words(),
    }
}

/// What to write where a kind is missing.
pub(crate) fn all_words() -> String {
    let words: Vec<&str> = KINDS.iter().map(|kind| kind.word).collect();
    format!("write kind = one of \"{}\"", words.join("\", \""))
}

/// The keys under which steps hold other steps.
pub(crate) fn inside_keys() -> BTreeSet<&'static str> {
    let keys = KINDS.iter().filter_map(|kind| match kind.reads {
        Reads::Group { inside, .. } => Some(inside),
        Reads::Step(_) => None,
    });
    keys.flatten().copied().collect()
}
