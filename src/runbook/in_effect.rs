//! What a run began and has not ended, from its machine and the marks of its entries: refused writes, a disabled
//! highstate. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::act;
use super::definition::{Undo, Writes};
use super::event::{Ending, Event, Phase, Verdict};
use super::ids::StepId;
use super::journal::Entry;
use super::machine::{Machine, StepRef, StepStatus};
use super::place::{Place, Places};
use super::wall;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Effect, EndedBy, InEffect};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

/// What a run began and has not ended, in the order of its steps. `now` is the same moment by the screen's clock and by
/// the wall's.
#[must_use]
pub fn in_effect(machine: &Machine, marks: &Marks, now: (Moment, Timestamp)) -> Vec<InEffect> {
    if machine.dry_run {
        return Vec::new();
    }
    felt(machine, marks, now)
}

/// The same in a dry run, too: what its checks found is so, and what it printed is not.
pub(super) fn felt(machine: &Machine, marks: &Marks, now: (Moment, Timestamp)) -> Vec<InEffect> {
    machine.steps().filter_map(|at| lasting(at, marks, now)).collect()
}

fn lasting(at: StepRef<'_>, marks: &Marks, now: (Moment, Timestamp)) -> Option<InEffect> {
    let step = at.step();
    let found = step.writes == Some(Writes::FoundStopped);
    let stops_writes = found || step.writes == Some(Writes::Stop);
    let says = match (&step.lasts, &step.impact) {
        (Some(lasts), _) => at.shown(&lasts.says),
        (None, Some(impact)) if found => at.shown(impact),
        (None, None) if found => "Users cannot write".to_owned(),
        (None, _) if stops_writes => "Writes are refused".to_owned(),
        (None, Some(impact)) if step.max_dwell.is_some() => at.shown(impact),
        (None, None) if step.max_dwell.is_some() => at.shown(&step.title),
        (None, Some(_) | None) => return None,
    };
    let left = if found { found_by(at) } else { left_by(at) }?;
    if is_ended(at) {
        return None;
    }
    let since = marks.since(at.id()).unwrap_or(now.1);
    let guards = if found { Vec::new() } else { guards(at, &left.hosts) };
    // A guard acts when the run has stopped, and nobody has looked yet.
    Some(InEffect {
        step: at.id().to_string(),
        says: Clean::new(says.trim()),
        on: left.hosts,
        since: moment(now, since),
        since_clock: Clean::new(&wall::since(since, now.1, &TimeZone::system())),
        certain: left.certain && (guards.is_empty() || !marks.stopped),
        stops_writes,
        found,
        guards,
        ended_by: ended_by(at),
    })
}

/// The guards that undo it on these hosts when the run is cut off: begun before it, and not told to stand down.
fn guards(at: StepRef<'_>, hosts: &[HostName]) -> Vec<Clean> {
    let machine = at.machine();
    if at.step().writes != Some(Writes::Stop) || machine.ended().is_some() {
        return Vec::new();
    }
    let before = machine.steps().take_while(|step| step.planned().position < at.planned().position);
    let told = before.filter_map(|guard| {
        let end = guard.step().kind.keeps_session().filter(|end| end.acts)?;
        let on: Vec<String> =
            guard.known_hosts().iter().filter(|host| hosts.contains(host)).map(ToString::to_string).collect();
        let stood_down = |until: &str| {
            let near = format!("{}{until}", guard.id().prefix());
            machine
                .steps()
                .any(|step| (*step.id() == until || *step.id() == near.as_str()) && step.record().touched)
        };
        if guard.record().status != StepStatus::Done || on.is_empty() || end.until.is_some_and(stood_down) {
            return None;
        }
        let until = end.until.map(|step| format!(" until step {step}")).unwrap_or_default();
        let title = guard.shown(&guard.step().title);
        Some(Clean::new(&format!("guard on {}{until}: {title}", on.join(", "))))
    });
    told.collect()
}

/// When something was, by the screen's clock.
pub(super) fn moment((screen, wall): (Moment, Timestamp), at: Timestamp) -> Moment {
    let ago = u64::try_from(wall.duration_since(at).as_millis()).unwrap_or(0);
    Moment(screen.0.saturating_sub(ago))
}

/// Where a step was done, or may have been, and was not undone.
struct NotUndone {
    hosts: Vec<HostName>,
    certain: bool,
}

/// `None` when nothing of it is in effect.
fn left_by(at: StepRef<'_>) -> Option<NotUndone> {
    let record = at.record();
    let changes = at.step().effect != Effect::Read;
    let on = |wanted: fn(&Verdict) -> bool| {
        let places = record.hosts.iter().filter(|(_, verdict)| wanted(verdict));
        places.map(|(place, _)| place.clone()).collect::<Vec<Place>>()
    };
    let hosts = |places: Vec<Place>| places.iter().filter_map(|place| place.host().cloned()).collect();
    let touched = || record.touched_on.iter().cloned().collect::<Vec<_>>();
    let part = |wanted: fn(&Verdict) -> bool, certain| {
        let places = on(wanted);
        (!places.is_empty()).then(|| NotUndone { hosts: hosts(places), certain })
    };
    let done: fn(&Verdict) -> bool = |verdict| matches!(verdict, Verdict::Done);
    match &record.status {
        StepStatus::Printed | StepStatus::Undone => None,
        StepStatus::Done => Some(NotUndone { hosts: hosts(on(done)), certain: true }),
        // Of several hosts some may have it all the same.
        StepStatus::Waiting | StepStatus::NotDone | StepStatus::Failed(_) | StepStatus::Skipped(_) => {
            if record.touched {
                part(done, true)
            } else {
                None
            }
        }
        StepStatus::Unknown(_) if changes => {
            part(|verdict| matches!(verdict, Verdict::Done | Verdict::Unknown(_)), false)
                .or_else(|| Some(NotUndone { hosts: touched(), certain: false }))
        }
        StepStatus::Open(Phase::Run | Phase::Probe) if changes => {
            Some(NotUndone { hosts: touched(), certain: false })
        }
        StepStatus::Unknown(_) | StepStatus::Open(Phase::Run | Phase::Probe) => None,
        StepStatus::Open(Phase::Undo | Phase::UndoProbe) | StepStatus::UndoUnknown(_) => {
            Some(NotUndone { hosts: touched(), certain: false })
        }
        StepStatus::UndoFailed(_) => Some(NotUndone { hosts: touched(), certain: true }),
    }
}

/// What a check found: of no host, since what it found may be another host's fault. Of a run that is over nobody knows whether it
/// still is so.
fn found_by(at: StepRef<'_>) -> Option<NotUndone> {
    let is_so = at.record().status == StepStatus::Done;
    is_so.then(|| NotUndone { hosts: Vec::new(), certain: at.machine().ended().is_none() })
}

/// Whether a later step has ended what this one left in effect.
fn is_ended(at: StepRef<'_>) -> bool {
    let machine = at.machine();
    let later = || machine.steps().skip(at.planned().position + 1);
    if let Some(lasts) = &at.step().lasts {
        let prefix = at.id().prefix();
        let ends = |step: &StepRef<'_>| {
            let id = step.id().as_str();
            let near = id.strip_prefix(prefix).unwrap_or(id);
            step.record().status == StepStatus::Done && lasts.until.iter().any(|end| end == id || end == near)
        };
        return later().any(|step| ends(&step));
    }
    if matches!(at.step().writes, Some(Writes::Stop | Writes::FoundStopped)) {
        // Several steps may end it, the last that is done counts: each of them may be skipped.
        let resume = later().filter(|step| step.step().writes == Some(Writes::Resume));
        let mut ended = false;
        for status in resume.map(|step| &step.record().status) {
            match status {
                StepStatus::Done => ended = true,
                StepStatus::Skipped(_) | StepStatus::Printed => {}
                StepStatus::Waiting
                | StepStatus::Open(_)
                | StepStatus::NotDone
                | StepStatus::Failed(_)
                | StepStatus::Unknown(_)
                | StepStatus::Undone
                | StepStatus::UndoFailed(_)
                | StepStatus::UndoUnknown(_) => return false,
            }
        }
        return ended;
    }
    matches!(machine.ended(), Some(Ending::Finished))
        || later().any(|step| step.step().safe_point && step.record().status == StepStatus::Done)
}

fn ended_by(at: StepRef<'_>) -> EndedBy {
    let machine = at.machine();
    if at.step().writes == Some(Writes::FoundStopped) {
        return if machine.ended().is_some() { EndedBy::NotThisRun } else { EndedBy::GoingOn };
    }
    if machine.ended().is_some() {
        let Undo::By { kind, .. } = &at.step().undo else { return EndedBy::Hand(Vec::new()) };
        let touched = Places::hosts_of(at.record().touched_on.iter().cloned());
        let commands = act::shown(at, kind.as_ref(), &touched.unwrap_or_else(|| at.known_places()));
        let commands = commands.into_iter().map(|(place, text)| (place.host().cloned(), Clean::lines(&text)));
        return EndedBy::Hand(commands.collect());
    }
    match machine.undoable().iter().any(|step| step.id() == at.id()) {
        true => EndedBy::Rollback,
        false => EndedBy::GoingOn,
    }
}

/// What the entries say beside the machine: since when what each step did is so, and whether the run has stopped. Entry by entry.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    /// When each step was begun, and when it was done, the first time that was not undone since.
    since: BTreeMap<StepId, (Option<Timestamp>, Option<Timestamp>)>,
    /// The newest entry says that the run has stopped.
    stopped: bool,
}

impl Marks {
    /// Of all of these.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Self {
        let mut marks = Self::default();
        entries.iter().for_each(|entry| marks.take(entry));
        marks
    }

    /// Since when: the first time it was done and not undone since; else the time it was begun.
    #[must_use]
    pub fn since(&self, id: &StepId) -> Option<Timestamp> {
        let (begun, done) = self.since.get(id)?;
        done.or(*begun)
    }

    /// Takes the next entry.
    pub fn take(&mut self, entry: &Entry) {
        self.stopped = matches!(entry.event, Event::Stopped { .. });
        match &entry.event {
            Event::Intent { step, phase: Phase::Run, .. } => {
                self.since.entry(step.clone()).or_default().0.get_or_insert(entry.at);
            }
            Event::Outcome { step, phase, hosts, .. } => {
                let mut all = hosts.values().map(|outcome| outcome.verdict == Verdict::Done);
                let since = self.since.entry(step.clone()).or_default();
                match phase {
                    Phase::Run | Phase::Probe if all.any(|done| done) => {
                        since.1.get_or_insert(entry.at);
                    }
                    Phase::Undo | Phase::UndoProbe if all.all(|done| done) => *since = (None, None),
                    Phase::Run | Phase::Probe | Phase::Undo | Phase::UndoProbe => {}
                }
            }
            Event::Started { .. }
            | Event::Resumed { .. }
            | Event::Answered { .. }
            | Event::Intent { .. }
            | Event::Skipped { .. }
            | Event::Excluded { .. }
            | Event::RollingBack { .. }
            | Event::Abandoning { .. }
            | Event::WindowFailed { .. }
            | Event::Note { .. }
            | Event::HoldLost { .. }
            | Event::Trouble { .. }
            | Event::Stopped { .. }
            | Event::Ended { .. } => {}
        }
    }
}
