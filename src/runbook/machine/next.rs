//! What comes next.

use super::{Act, Confirming, Ending, Event, Leaving, Machine, OnFail, Phase, Status, Undo, Verdict};

/// What comes next in a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Something follows from what is known: to be written down.
    Record(Event),
    /// Something is to be done.
    Do(Doing),
    /// A person decides.
    Decide(Decision),
    /// It is over.
    Ended(Ending),
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doing {
    /// The step, an index of the plan.
    pub step: usize,
    /// What for.
    pub phase: Phase,
    /// From 1.
    pub attempt: u32,
    /// The hosts it is to be done on; none for a step on no host.
    pub hosts: Vec<String>,
    /// Whether a person is asked right before.
    pub confirm: bool,
}

/// A step that stands, and how it may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The step, an index of the plan.
    pub step: usize,
    /// What happened.
    pub why: String,
    /// Whether nobody knows if it was done.
    pub unknown: bool,
    /// The ways on, the safest first.
    pub ways: Vec<Way>,
}

/// A way on from a step that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Do it again.
    Retry,
    /// Look again whether it was done.
    Look,
    /// A person looked: it was done.
    WasDone,
    /// A person looked: it was not done.
    WasNotDone,
    /// Leave it out.
    Skip,
    /// Leave its failed hosts out of the rest.
    Exclude,
    /// Take back what was done.
    Rollback,
    /// Stop here; the run may be resumed.
    Stop,
    /// Give the run up; closing steps are done.
    Abandon,
}

impl Machine {
    /// What comes next.
    #[must_use]
    pub fn next(&self) -> Next {
        if let Some(ended) = &self.ended {
            return Next::Ended(ended.clone());
        }
        match &self.leaving {
            Some(Leaving::Back(_)) => return self.next_back(),
            Some(Leaving::Abandon(reason)) => {
                let ending = Ending::Abandoned(reason.clone());
                return self.closing().unwrap_or(Next::Ended(ending));
            }
            None => {}
        }
        for index in 0..self.records.len() {
            if let Some(next) = self.next_of(index) {
                return next;
            }
        }
        Next::Ended(Ending::Finished)
    }

    /// What comes next of a step; `None` when the run goes on behind it.
    fn next_of(&self, index: usize) -> Option<Next> {
        let (record, planned) = (self.records.get(index)?, self.plan.steps.get(index)?);
        match &record.status {
            status if status.is_settled() => None,
            Status::Waiting => Some(self.begin(index)),
            Status::Open(_) => Some(self.look(index)),
            Status::Failed(why) => match self.failed(index, why) {
                // A dry run tells everything a live one would stand at.
                Next::Decide(_) if self.dry_run => None,
                next => Some(next),
            },
            Status::NotDone => {
                let why = format!("{} was begun and was not done", planned.id);
                Some(self.decide_on(index, why, false, &[Way::Retry]))
            }
            Status::Unknown(why) => {
                let ways = [Way::Look, Way::WasDone, Way::WasNotDone];
                Some(self.decide_on(index, why.clone(), true, &ways))
            }
            _ => None,
        }
    }

    fn begin(&self, index: usize) -> Next {
        let Some((record, planned)) = self.records.get(index).zip(self.plan.steps.get(index)) else {
            return Next::Ended(Ending::Finished);
        };
        let skipped = |reason: String| Next::Record(Event::Skipped { step: planned.id.clone(), reason });
        if let Some(reason) = self.left_out(index) {
            return skipped(reason);
        }
        if self.dry_run
            && let Some(reason) = self.rests_on_unknown(index)
        {
            return skipped(reason);
        }
        let hosts = match self.hosts(index) {
            Some(hosts) if hosts.is_empty() => return skipped("no host is left to do it on".to_owned()),
            Some(hosts) => hosts,
            None => Vec::new(),
        };
        // Of a change that was done on some hosts, those are not touched again.
        let rest: Vec<String> = match Self::changes(planned) {
            true => hosts.into_iter().filter(|h| record.hosts.get(h) != Some(&Verdict::Done)).collect(),
            false => hosts,
        };
        let confirm = match &planned.step.confirm {
            Confirming::No => false,
            Confirming::Asked => true,
            // What covers it may have been left out, or this is another attempt than the one that was agreed to.
            Confirming::CoveredBy(id) => record.attempts > 0 || !self.is_done_near(index, id),
        };
        Next::Do(Doing { step: index, phase: Phase::Run, attempt: record.attempts + 1, hosts: rest, confirm })
    }

    /// Whether the confirmation of that id was given: in the same batch, or outside of all batches.
    fn is_done_near(&self, index: usize, id: &str) -> bool {
        let prefix = self.plan.steps.get(index).and_then(|s| s.id.rsplit_once('/')).map_or("", |(p, _)| p);
        let near = if prefix.is_empty() { id.to_owned() } else { format!("{prefix}/{id}") };
        [near.as_str(), id].iter().any(|id| {
            self.plan.index(id).and_then(|i| self.records.get(i)).is_some_and(|r| r.status == Status::Done)
        })
    }

    /// A step was begun, and how it went is not known: it is looked for, never done again blindly. What changes nothing
    /// is done again.
    fn look(&self, index: usize) -> Next {
        let Some((record, planned)) = self.records.get(index).zip(self.plan.steps.get(index)) else {
            return Next::Ended(Ending::Finished);
        };
        // A value that a person saw is told by a person only.
        let told =
            matches!(planned.step.act, Act::Note(_) | Act::Report | Act::Manual { state: Some(_), .. });
        if !Self::changes(planned) || told {
            return self.begin(index);
        }
        let hosts = self.hosts(index).unwrap_or_default();
        let hosts = hosts.into_iter().filter(|h| record.hosts.get(h) != Some(&Verdict::Done)).collect();
        Next::Do(Doing { step: index, phase: Phase::Probe, attempt: record.attempts, hosts, confirm: false })
    }

    fn failed(&self, index: usize, why: &str) -> Next {
        let Some((record, planned)) = self.records.get(index).zip(self.plan.steps.get(index)) else {
            return Next::Ended(Ending::Finished);
        };
        let bad: Vec<&String> = record
            .hosts
            .iter()
            .filter(|(h, v)| !h.is_empty() && matches!(v, Verdict::Failed(_)))
            .map(|(h, _)| h)
            .collect();
        let left_out = self.excluded.len();
        // A batch may lose so many hosts by itself; more than that is a person's decision.
        if let Some(host) = bad.first()
            && left_out + bad.len() <= planned.max_failures
        {
            let reason = format!("{why} (up to {} may fail)", planned.max_failures);
            return Next::Record(Event::Excluded { host: (*host).clone(), step: planned.id.clone(), reason });
        }
        let more: &[Way] = match &planned.step.on_fail {
            OnFail::Stop => &[],
            OnFail::Rollback if !self.undoable().is_empty() => {
                let mut next = self.decide_on(index, why.to_owned(), false, &[Way::Retry]);
                if let Next::Decide(decision) = &mut next {
                    decision.ways.retain(|w| *w != Way::Rollback);
                    decision.ways.insert(0, Way::Rollback);
                }
                return next;
            }
            OnFail::Rollback => &[],
            OnFail::Skip(_) => &[Way::Skip],
            OnFail::Exclude(_) => &[Way::Exclude],
        };
        self.decide_on(index, why.to_owned(), false, &[&[Way::Retry], more].concat())
    }

    fn decide_on(&self, step: usize, why: String, unknown: bool, ways: &[Way]) -> Next {
        let mut ways = ways.to_vec();
        if self.leaving.is_none() && !self.undoable().is_empty() && !unknown {
            ways.push(Way::Rollback);
        }
        ways.push(Way::Stop);
        ways.push(Way::Abandon);
        Next::Decide(Decision { step, why, unknown, ways })
    }

    /// What comes next on the way back.
    fn next_back(&self) -> Next {
        for index in self.undoable() {
            let Some((record, planned)) = self.records.get(index).zip(self.plan.steps.get(index)) else {
                continue;
            };
            match &record.status {
                // First it must be known whether there is anything to take back.
                Status::Open(Phase::Run) => return self.look(index),
                Status::Unknown(why) => {
                    let ways = [Way::Look, Way::WasDone, Way::WasNotDone];
                    return self.decide_on(index, why.clone(), true, &ways);
                }
                Status::Open(_) => {
                    let hosts = self.hosts(index).unwrap_or_default();
                    let (phase, attempt) = (Phase::UndoProbe, record.undos);
                    return Next::Do(Doing { step: index, phase, attempt, hosts, confirm: false });
                }
                Status::UndoFailed(why) => {
                    return self.decide_on(index, why.clone(), false, &[Way::Retry, Way::WasDone]);
                }
                Status::UndoUnknown(why) => {
                    let ways = [Way::Look, Way::WasDone, Way::WasNotDone];
                    return self.decide_on(index, why.clone(), true, &ways);
                }
                _ if matches!(planned.step.undo, Undo::By { .. }) => {
                    let touched = record.hosts.keys().filter(|h| !h.is_empty()).cloned().collect::<Vec<_>>();
                    let hosts =
                        if touched.is_empty() { self.hosts(index).unwrap_or_default() } else { touched };
                    let (phase, attempt) = (Phase::Undo, record.undos + 1);
                    return Next::Do(Doing { step: index, phase, attempt, hosts, confirm: false });
                }
                _ => {}
            }
        }
        self.closing().unwrap_or(Next::Ended(Ending::RolledBack))
    }

    /// The next of the steps that are done even after a failure.
    fn closing(&self) -> Option<Next> {
        let begun = self.records.iter().any(|r| r.touched);
        let steps = self.plan.steps.iter().enumerate().filter(|(_, s)| begun && s.step.always);
        steps.map(|(index, _)| index).find_map(|index| self.next_of(index))
    }
}
