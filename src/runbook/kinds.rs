//! The kinds of steps. A kind is one file in `kinds/` and one line in the list below: its word and keys, how
//! it is read, its rules, the variables it uses and brings, how it is shown, how it is done, undone and
//! looked for. Everything else loops over [`KINDS`] or calls [`StepKind`]; no other file names a kind.
//! docs/architecture.md says how to add one.

use std::collections::BTreeSet;
use std::fmt;
use std::future::ready;
use std::time::Duration;

use crate::config::diagnostic::nearest;
use crate::transport::BoxFuture;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::text::Clean;

use super::act::{Done, For, Mark, PlaceAnswers, Work};
use super::definition::read::{Effects, KindEntry, Reads, UndoEntry, Where};
use super::definition::{Ask, Step};
use super::event::Outcomes;
use super::machine::Task;
use super::place::Places;
use super::plan::Frozen;
use super::runner::{Halt, Runner};
use super::scope::Scope;
use super::value::ValueKind;
use jumpdeck_fleet::fleet::Environment;

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
    inventory,
    manual,
    confirm,
    challenge,
    approve,
    hold,
    guard,
    fence,
    elect,
    for_each,
    branch,
    window,
    include,
    report,
}

/// The variables that something uses.
pub(crate) type Used<'s> = BTreeSet<&'s str>;

/// A step as read: what its kind's own keys say.
pub(crate) trait StepKind: fmt::Debug + Send + Sync {
    /// Its line in the list.
    fn entry(&self) -> &'static KindEntry;

    /// Who does it, and how.
    fn done_by(&self) -> DoneBy<'_>;

    /// What it does, as the runbook says it, for `runbook show`.
    fn lines(&self) -> Vec<String>;

    /// What it would do on a host, for eyes; empty where there is nothing to show. `places` are all of its places.
    fn shown(&self, scope: &Scope<'_>, places: &Places) -> String;

    /// Adds the variables that it needs to be done. What people are only shown is not among them.
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

    /// Something that all of its steps share, whatever their hosts: one run at a time may hold it.
    fn shares(&self) -> Option<&'static str> {
        None
    }

    /// The session that it keeps open, when it keeps one: nothing that stays is changed, and it is opened again on
    /// resume.
    fn keeps_session(&self) -> Option<SessionEnd<'_>> {
        None
    }

    /// Whether only a person can tell what came of it: on resume they are asked again, and no machine.
    fn only_people_know(&self) -> bool {
        false
    }

    /// What a second person must say where it is not proved that it was done; `None`: nobody needs to.
    fn second_person(&self) -> Option<SecondPerson> {
        None
    }
}

/// Who does a step. Each of them says how: a kind that nobody does cannot be written.
pub(crate) enum DoneBy<'k> {
    /// Machines are asked, or told to do it.
    Machines(&'k dyn ByMachines),
    /// People are told or asked.
    People(&'k dyn ByPeople),
    /// Nobody: it holds others, and the plan unrolls it.
    Plan(&'k dyn HoldsSteps),
}

/// A kind that machines do. Never asks a person.
pub(crate) trait ByMachines: Send + Sync {
    /// Does it at its places, and says what came of it at each.
    fn perform<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Done>;

    /// What its change leaves on a host while it is under way.
    fn mark(&self, step: &Step, what: For) -> Mark<'_>;

    /// What it would do on a host right now, where that is more than [`StepKind::shown`] knows.
    fn preview<'w>(&'w self, _: Work<'w>, _: &'w HostName) -> BoxFuture<'w, Result<Option<String>, String>> {
        Box::pin(ready(Ok(None)))
    }

    /// What a person is to do where it cannot be done from here; `None`: it can. Then [`Self::find`] tells whether they did.
    fn by_hand<'w>(&'w self, _: Work<'w>) -> BoxFuture<'w, Option<Vec<Clean>>> {
        Box::pin(ready(None))
    }

    /// Looks whether it was done, where it can tell that itself; `None`: the step's proofs are asked.
    fn find<'w>(&'w self, _: Work<'w>) -> BoxFuture<'w, Option<Outcomes>> {
        Box::pin(ready(None))
    }
}

/// What a step is undone by.
pub(crate) trait TakesBack: StepKind + ByMachines {
    /// Undoes it; whether that is in effect is read back after it.
    fn take_back<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, PlaceAnswers>;
}

/// A kind that is between the program and people.
pub(crate) trait ByPeople: Send + Sync {
    /// Tells or asks. `None`: nobody answered, and it stays open.
    fn ask<'r>(
        &'r self,
        run: &'r mut Runner,
        task: &'r Task,
    ) -> BoxFuture<'r, Result<Option<Outcomes>, Halt>>;

    /// What a dry run says that it would ask; `None` where it does what a live one does.
    fn would_ask(&self, run: &Runner, task: &Task) -> Option<Vec<Clean>>;

    /// Who would be asked.
    fn who(&self) -> &'static str {
        "a person"
    }
}

/// A kind that holds other steps. The plan unrolls it: it is never done itself.
pub(crate) trait HoldsSteps {
    /// Its steps, as often and under such conditions as they are in a plan.
    fn turns<'s>(&self, inside: &'s [Inside], frozen: &Frozen) -> Vec<Turn<'s>>;

    /// What keeps a plan with it from running in this environment.
    fn problems(&self, env: &Environment, frozen: &Frozen) -> Vec<String> {
        let _ = (env, frozen);
        Vec::new()
    }

    /// How long its steps may take, when they are a window: nobody is asked between them, and they are undone unless all goes well
    /// in time.
    fn limit(&self) -> Option<Duration> {
        None
    }
}

/// What a second person is asked where a step is not proved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SecondPerson {
    /// What is not proved, as the run's entries tell it.
    pub(crate) doubt: &'static str,
    /// The question.
    pub(crate) question: &'static str,
    /// What they are to do.
    pub(crate) wanted: &'static str,
}

/// When a session that is kept open ends.
pub(crate) struct SessionEnd<'k> {
    /// Before this step; else with the run.
    pub(crate) until: Option<&'k str>,
    /// Whether it acts when the run is cut off before.
    pub(crate) acts: bool,
}

/// Steps that a step holds.
#[derive(Debug, Clone)]
pub(crate) struct Inside {
    /// The line above them where a runbook is shown; empty for none.
    pub(crate) heading: &'static str,
    /// The steps.
    pub(crate) steps: Vec<Step>,
}

/// Steps of a group, as they are in a plan.
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
