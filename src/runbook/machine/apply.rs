//! What an entry of the journal makes of a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Effect, Event, Impossible, Leaving, Machine, NotKept, OperatorAnswer, Phase, PlannedStep, StepId,
    StepRecord, StepStatus, Value, Verdict, Way, kinds,
};
use crate::runbook::event::Outcomes;
use crate::runbook::place::Place;

impl Machine {
    /// Takes an entry of the journal.
    ///
    /// # Errors
    /// When it is about another plan than this run's, or cannot be: the run must not go on.
    pub fn apply(&mut self, event: &Event) -> Result<(), Impossible> {
        match event {
            Event::Intent { step, phase, commands, .. } => self.intend(step, *phase, commands)?,
            Event::Outcome { step, phase, hosts, withheld, .. } => {
                self.conclude(step, *phase, hosts)?;
                self.withhold(step, withheld)?;
            }
            Event::Answered { step, answer, .. } => match answer {
                OperatorAnswer::Chosen(way) => self.decide(step, *way)?,
                // What follows from these is in the step's outcome.
                OperatorAnswer::Confirmed(_)
                | OperatorAnswer::Declined(_)
                | OperatorAnswer::Typed(..)
                | OperatorAnswer::Hidden(_) => drop(self.find(step)?),
            },
            Event::Skipped { step, reason } => self.set(step, StepStatus::Skipped(reason.clone()))?,
            Event::Excluded { host, step, reason } => {
                self.find(step)?;
                self.excluded.insert(host.clone(), reason.clone());
                self.without_excluded();
            }
            Event::HoldLost { step, reason } => {
                self.set(step, StepStatus::Waiting)?;
                self.break_windows(&format!("{step}: its held session was lost: {reason}"));
            }
            Event::RollingBack { reason } => self.leaving = Some(Leaving::Back(reason.clone())),
            Event::Abandoning { reason } => {
                self.leaving = Some(Leaving::Abandon(reason.clone()));
                self.windows.clear();
            }
            Event::WindowFailed { window, reason } => self.fail_window(window, reason)?,
            Event::Resumed { .. } => {
                self.break_windows("the console ended during the window");
                self.resume();
            }
            Event::Ended { how } => self.ended = Some(how.clone()),
            Event::Started { .. } | Event::Note { .. } | Event::Trouble { .. } | Event::Stopped { .. } => {}
        }
        Ok(())
    }

    /// For those who do not have a run's secrets: which values an outcome brought that are or hold one, each as dots.
    pub fn know_of_secrets(&mut self, event: &Event) {
        let Event::Outcome { step, phase: Phase::Run, hosts, withheld, .. } = event else { return };
        let Ok(at) = self.find(step) else { return };
        let gone = |name: &String| is_secret(at.planned(), name) || withheld.contains(name);
        let gone: Vec<_> = kinds(at.planned()).into_iter().filter(|(name, _)| gone(name)).collect();
        for (place, outcome) in hosts.iter().filter(|(_, outcome)| outcome.verdict == Verdict::Done) {
            for (name, kind) in gone.iter().filter(|(name, _)| !outcome.values.contains_key(name)) {
                self.keep_secret(name, place.clone(), Value::unknown_secret(*kind));
            }
        }
    }

    fn entry(&mut self, step: &StepId) -> Result<(&Arc<PlannedStep>, &mut StepRecord), Impossible> {
        let found = self.steps.iter_mut().find(|(planned, _)| planned.id == *step);
        let (planned, record) = found.ok_or_else(|| Impossible::UnknownStep(step.clone()))?;
        Ok((planned, record))
    }

    fn set(&mut self, step: &StepId, status: StepStatus) -> Result<(), Impossible> {
        self.entry(step)?.1.status = status;
        Ok(())
    }

    fn intend(
        &mut self,
        step: &StepId,
        phase: Phase,
        commands: &BTreeMap<Place, String>,
    ) -> Result<(), Impossible> {
        let (planned, record) = self.entry(step)?;
        match phase {
            Phase::Run => {
                record.attempts += 1;
                record.commands = commands.clone();
                record.touched = true;
                record.looks = 0;
                record.status = StepStatus::Open(phase);
                let window = planned.window.as_ref().map(|window| window.id.clone());
                self.open_window_of(window);
            }
            Phase::Undo => {
                record.undos += 1;
                record.tries_back += 1;
                record.status = StepStatus::Open(phase);
            }
            // Looking changes nothing: the status it was looked from stays.
            Phase::Probe => {
                record.looks += 1;
                record.tries_back += 1;
            }
            Phase::UndoProbe => record.tries_back += 1,
        }
        Ok(())
    }

    fn conclude(&mut self, step: &StepId, phase: Phase, hosts: &Outcomes) -> Result<(), Impossible> {
        let (planned, record) = self.entry(step)?;
        let kinds = kinds(planned);
        let undoing = match phase {
            Phase::Run | Phase::Probe => false,
            Phase::Undo | Phase::UndoProbe => true,
        };
        record.status = if undoing {
            sum(hosts.iter().map(|(place, outcome)| (place, &outcome.verdict)), true)
        } else {
            for (place, outcome) in hosts {
                record.hosts.insert(place.clone(), outcome.verdict.clone());
                record.touched_on.extend(place.host().cloned());
            }
            sum(&record.hosts, false)
        };
        for (place, outcome) in hosts {
            for (name, text) in &outcome.values {
                let odd = |why: &str| Impossible::At {
                    step: step.clone(),
                    what: format!("the journal has a value of {name} that {why}"),
                };
                let kind = kinds.iter().find(|(n, _)| n == name).map(|(_, kind)| *kind);
                let kind = kind.ok_or_else(|| odd("the step does not capture"))?;
                let value = Value::new(kind, text).map_err(|error| odd(&format!("does not fit: {error}")))?;
                self.captured.entry(name.clone()).or_default().insert(place.clone(), value);
            }
        }
        if phase == Phase::Run && self.find(step)?.record().status == StepStatus::Done {
            self.not_kept.retain(|value| value.step != *step);
        }
        self.without_excluded();
        Ok(())
    }

    /// Values of it were not written, as they hold a secret.
    fn withhold(&mut self, step: &StepId, names: &[String]) -> Result<(), Impossible> {
        self.entry(step)?.1.withheld.extend(names.iter().cloned());
        Ok(())
    }

    /// A step that waits for a decision only because of hosts that are now excluded goes on without them.
    fn without_excluded(&mut self) {
        for (_, record) in &mut self.steps {
            let before = record.hosts.len();
            record.hosts.retain(|place, _| place.host().is_none_or(|host| !self.excluded.contains_key(host)));
            if record.hosts.len() == before
                || !matches!(record.status, StepStatus::Failed(_) | StepStatus::Unknown(_))
            {
                continue;
            }
            record.status = match record.hosts.is_empty() {
                true => StepStatus::Skipped("no host left".to_owned()),
                false => sum(&record.hosts, false),
            };
        }
    }

    /// A person decided what becomes of a step.
    fn decide(&mut self, step: &StepId, way: Way) -> Result<(), Impossible> {
        if way == Way::Retry && self.is_retry_of_window(step)? {
            return self.retry_window(step);
        }
        let (_, record) = self.entry(step)?;
        (record.looks, record.tries_back) = (0, 0);
        let undoing = matches!(record.status, StepStatus::UndoFailed(_) | StepStatus::UndoUnknown(_));
        match way {
            Way::Retry if undoing => record.status = StepStatus::Done,
            Way::Retry => record.status = StepStatus::Waiting,
            Way::Look if undoing => record.status = StepStatus::Open(Phase::Undo),
            Way::Look => record.status = StepStatus::Open(Phase::Run),
            Way::WasDone if undoing => record.status = StepStatus::Undone,
            Way::WasDone => {
                record.status = StepStatus::Done;
                record.hosts.values_mut().for_each(|v| *v = Verdict::Done);
            }
            Way::WasNotDone if undoing => {
                record.status = StepStatus::UndoFailed("it was not undone".to_owned())
            }
            Way::WasNotDone => record.status = StepStatus::NotDone,
            // What follows from these is written down by itself.
            Way::Skip => record.skipped_by_operator = true,
            Way::Exclude | Way::Rollback | Way::Stop | Way::Abandon => {}
        }
        Ok(())
    }

    /// Another process goes on: secrets are gone, and so are held sessions; what reads them reads again.
    fn resume(&mut self) {
        for values in self.captured.values_mut() {
            values.retain(|_, value| !value.is_secret() && !value.is_hidden());
        }
        self.captured.retain(|_, values| !values.is_empty());
        let reached: Vec<StepId> = self
            .steps()
            .filter(|s| s.record().status != StepStatus::Waiting)
            .map(|s| s.id().clone())
            .collect();
        for (planned, record) in &mut self.steps {
            let step = &planned.step;
            let gone = not_kept(planned, record);
            let session = step.kind.keeps_session();
            let again = match &session {
                Some(end) => {
                    record.status == StepStatus::Done
                        && !end.until.is_some_and(|id| reached.iter().any(|step| *step == id))
                }
                None => {
                    let ended = matches!(
                        record.status,
                        StepStatus::Done | StepStatus::Failed(_) | StepStatus::Unknown(_)
                    );
                    step.effect == Effect::Read && ended && !gone.is_empty()
                }
            };
            for value in gone {
                if !self.not_kept.contains(&value) {
                    self.not_kept.push(value);
                }
            }
            let only_looks = step.effect == Effect::Read || session.is_some();
            if again || (only_looks && record.status == StepStatus::Open(Phase::Run)) {
                record.status = StepStatus::Waiting;
            }
        }
    }
}

fn is_secret(planned: &PlannedStep, name: &str) -> bool {
    planned.step.capture.iter().any(|capture| capture.sensitive && capture.name == name)
        || planned.step.kind.brings().is_some_and(|brings| brings.secret && brings.name == name)
}

/// The values that a step had, on one host at least, and that no journal keeps.
fn not_kept(planned: &PlannedStep, record: &StepRecord) -> Vec<NotKept> {
    if !record.hosts.values().any(|verdict| *verdict == Verdict::Done) {
        return Vec::new();
    }
    let value = |name: &str, secret| NotKept { name: name.to_owned(), step: planned.id.clone(), secret };
    let captures = planned.step.capture.iter().filter(|capture| capture.sensitive);
    let brings = planned.step.kind.brings().filter(|brings| brings.secret);
    let secrets = captures.map(|capture| capture.name.as_str()).chain(brings.map(|brings| brings.name));
    let hiding = record.withheld.iter().map(|name| value(name, false));
    secrets.map(|name| value(name, true)).chain(hiding).collect()
}

/// What verdicts make together: the worst, with the hosts' names. Of no verdict at all nothing is known.
fn sum<'v>(verdicts: impl IntoIterator<Item = (&'v Place, &'v Verdict)>, undoing: bool) -> StepStatus {
    let (mut unknown, mut failed) = (Vec::new(), Vec::new());
    let (mut done, mut not_done, mut printed) = (false, false, false);
    for (place, verdict) in verdicts {
        let told = |why: &String| match place {
            Place::Nowhere => why.clone(),
            Place::Host(host) => format!("{host}: {why}"),
        };
        match verdict {
            Verdict::Done => done = true,
            Verdict::NotDone => not_done = true,
            Verdict::Printed => printed = true,
            Verdict::Failed(why) => failed.push(told(why)),
            Verdict::Unknown(why) => unknown.push(told(why)),
        }
    }
    let status = |undo: fn(String) -> StepStatus, run: fn(String) -> StepStatus, why: &[String]| {
        if undoing { undo(why.join("; ")) } else { run(why.join("; ")) }
    };
    if !unknown.is_empty() {
        return status(StepStatus::UndoUnknown, StepStatus::Unknown, &unknown);
    }
    if !failed.is_empty() {
        return status(StepStatus::UndoFailed, StepStatus::Failed, &failed);
    }
    match (undoing, not_done, printed, done) {
        (true, true, _, _) => StepStatus::UndoFailed("it was not undone".to_owned()),
        (false, true, _, _) => StepStatus::NotDone,
        (true, false, true, _) | (true, false, false, true) => StepStatus::Undone,
        (false, false, true, _) => StepStatus::Printed,
        (false, false, false, true) => StepStatus::Done,
        (_, false, false, false) => {
            status(StepStatus::UndoUnknown, StepStatus::Unknown, &["no host reported a result".to_owned()])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_no_verdict_nothing_is_known() {
        assert!(matches!(sum([], false), StepStatus::Unknown(_)));
        assert!(matches!(sum([], true), StepStatus::UndoUnknown(_)));
    }

    #[test]
    fn the_worst_verdict_counts() {
        let (one, two) = (Place::new("a").unwrap_or(Place::Nowhere), Place::Nowhere);
        let all = |other: Verdict, undoing| {
            [
                sum([(&one, &Verdict::Done), (&two, &other)], undoing),
                sum([(&one, &other), (&two, &Verdict::Done)], undoing),
            ]
        };
        let (failed, unknown) = (Verdict::Failed("x".to_owned()), Verdict::Unknown("y".to_owned()));
        assert!(all(Verdict::Done, false).iter().all(|s| *s == StepStatus::Done));
        assert!(all(Verdict::Done, true).iter().all(|s| *s == StepStatus::Undone));
        assert!(all(Verdict::NotDone, false).iter().all(|s| *s == StepStatus::NotDone));
        assert!(all(Verdict::NotDone, true).iter().all(|s| matches!(s, StepStatus::UndoFailed(_))));
        assert!(all(failed.clone(), false).iter().all(|s| matches!(s, StepStatus::Failed(_))));
        assert!(all(failed, true).iter().all(|s| matches!(s, StepStatus::UndoFailed(_))));
        assert!(all(unknown.clone(), false).iter().all(|s| matches!(s, StepStatus::Unknown(_))));
        assert!(all(unknown, true).iter().all(|s| matches!(s, StepStatus::UndoUnknown(_))));
        assert!(all(Verdict::Printed, false).iter().all(|s| *s == StepStatus::Printed));
    }
}
