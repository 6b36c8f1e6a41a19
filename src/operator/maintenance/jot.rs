//! What is done by hand, or with a runbook, while a session of the environment is under way: lines of its record.

use jiff::Timestamp;

use super::record::RecordError;
use super::{KeptSession, SessionStore};
use jumpdeck_fleet::maintenance::{RunEntry, SessionEntry, SessionWork};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::run::{Mode, RunState, RunView};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::timeline::{Acknowledgement, RecordedProblem, TimelineChange, TimelineRecord};

/// Where a command line writes what it does: the session in which its operator takes part, if there is one.
#[derive(Debug)]
pub struct SessionJot(Option<(KeptSession, String)>);

impl SessionJot {
    /// The session of an environment that is under way, if that operator takes part.
    #[must_use]
    pub fn of(store: &SessionStore, env: &EnvName, who: &str) -> Self {
        let open = store.open(env).filter(|(_, story)| story.has(who));
        Self(open.map(|(kept, _)| (kept, who.to_owned())))
    }

    /// Writes lines, if there is a session.
    ///
    /// # Errors
    /// Why they are not in the record.
    pub fn write(&self, entries: &[SessionEntry]) -> Result<(), RecordError> {
        match &self.0 {
            Some((kept, who)) => kept.own().append(who, Timestamp::now(), entries).map(drop),
            None => Ok(()),
        }
    }
}

/// A name for work that begins, which its end names.
#[must_use]
pub fn new_work() -> String {
    format!("{:012x}", rand::random::<u64>() >> 16)
}

/// Work by hand begins.
#[must_use]
pub fn opened(work: &str, what: SessionWork) -> SessionEntry {
    SessionEntry::Opened { work: work.to_owned(), what }
}

/// Work by hand ended.
#[must_use]
pub fn closed(work: &str, says: &str) -> SessionEntry {
    SessionEntry::Closed { work: work.to_owned(), says: Clean::new(says) }
}

/// A run begins, or goes on.
#[must_use]
pub fn run(view: &RunView, how: RunEntry) -> SessionEntry {
    SessionEntry::Run {
        run: view.id.clone(),
        runbook: Clean::new(&view.runbook),
        dry_run: view.mode == Mode::DryRun,
        how,
    }
}

/// A run is over, or stopped; `None` while it is under way.
#[must_use]
pub fn run_over(view: &RunView) -> Option<SessionEntry> {
    let says = match &view.state {
        RunState::Running | RunState::Waiting | RunState::RollingBack => return None,
        RunState::Stopped(why) => Clean::new(&format!("stopped: {why}")),
        RunState::Finished => Clean::new(&view.finished()),
        RunState::RolledBack => "rolled back".into(),
        RunState::Abandoned(why) => Clean::new(&format!("aborted: {why}")),
    };
    Some(SessionEntry::RunOver { run: view.id.clone(), says })
}

/// A run is left: over, or as it is now.
#[must_use]
pub fn run_left(view: &RunView) -> SessionEntry {
    let as_it_is =
        || SessionEntry::RunOver { run: view.id.clone(), says: "left while it was under way".into() };
    run_over(view).unwrap_or_else(as_it_is)
}

/// A change of the fleet; `None` for what is only compared with.
#[must_use]
pub fn event(record: &TimelineRecord) -> Option<SessionEntry> {
    let of_host = |state: &str, host: &jumpdeck_fleet::names::HostName, says: String| {
        let (state, says) = (Clean::new(state), Clean::new(&says));
        Some(SessionEntry::Event {
            state,
            host: Some(Clean::new(host.as_str())),
            key: Clean::default(),
            says,
        })
    };
    match &record.change {
        TimelineChange::Looked { .. }
        | TimelineChange::Hosts(_)
        | TimelineChange::Roles { before: None, .. }
        | TimelineChange::Cut => None,
        TimelineChange::Added(host) => of_host("added", host, "added to the inventory".to_owned()),
        TimelineChange::Removed(host) => of_host("removed", host, "removed from the inventory".to_owned()),
        TimelineChange::Roles { host, before: Some(before), after, .. } => {
            let words = |roles: &[jumpdeck_fleet::names::RoleName]| {
                roles.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            };
            of_host("changed", host, format!("roles: {} (before: {})", words(after), words(before)))
        }
        TimelineChange::Began { problem, .. } => Some(of_problem("began", problem, String::new())),
        TimelineChange::Changed { problem, before } => {
            Some(of_problem("changed", problem, format!(" (was {})", before.word())))
        }
        TimelineChange::Ended { problem, .. } => Some(of_problem("ended", problem, String::new())),
        TimelineChange::Reopened { problem, .. } => Some(of_problem("open again", problem, String::new())),
        TimelineChange::Acknowledged { problem, acknowledgement } => {
            let Acknowledgement { reason, until, .. } = acknowledgement;
            let host = problem.host.as_ref().map(|host| format!("{host}: ")).unwrap_or_default();
            Some(SessionEntry::Acknowledged {
                problem: Clean::new(&format!("{host}{}", problem.message)),
                reason: reason.clone(),
                until: *until,
            })
        }
    }
}

fn of_problem(state: &str, problem: &RecordedProblem, more: String) -> SessionEntry {
    let about = problem.about.as_ref().map(Clean::as_str).unwrap_or_default();
    SessionEntry::Event {
        state: Clean::new(state),
        host: problem.host.as_ref().map(|host| Clean::new(host.as_str())),
        key: Clean::new(&format!("{} {about}", problem.kind.word())),
        says: Clean::new(&format!("{} {}{more}", problem.severity.word(), problem.message)),
    }
}
