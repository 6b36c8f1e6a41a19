//! What an entry of the journal makes of a run.

use std::collections::BTreeMap;

use super::{
    Act, Effect, Event, Leaving, Machine, Phase, PlannedStep, Record, Status, Value, ValueKind, Verdict,
    kinds,
};
use crate::runbook::event::HostOutcome;

impl Machine {
    /// Takes an entry of the journal.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Intent { step, phase, commands, .. } => self.intend(step, *phase, commands),
            Event::Outcome { step, phase, hosts, withheld, .. } => {
                self.conclude(step, *phase, hosts);
                self.withhold(step, withheld);
            }
            Event::Answered { step, asked, answer, .. } if asked == "choice" => self.decide(step, answer),
            Event::Skipped { step, reason } => self.set(step, Status::Skipped(reason.clone())),
            Event::Excluded { host, reason, .. } => {
                self.excluded.insert(host.clone(), reason.clone());
                self.without_excluded();
            }
            Event::HoldLost { step, .. } => self.set(step, Status::Waiting),
            Event::RollingBack { reason } => self.leaving = Some(Leaving::Back(reason.clone())),
            Event::Abandoning { reason } => self.leaving = Some(Leaving::Abandon(reason.clone())),
            Event::Resumed { .. } => self.resume(),
            Event::Ended { how } => self.ended = Some(how.clone()),
            Event::Started { .. }
            | Event::Answered { .. }
            | Event::Note { .. }
            | Event::Trouble { .. }
            | Event::Stopped { .. } => {}
        }
    }

    fn record(&mut self, step: &str) -> Option<(&mut Record, &PlannedStep)> {
        let index = self.plan.index(step)?;
        Some((self.records.get_mut(index)?, self.plan.steps.get(index)?))
    }

    fn set(&mut self, step: &str, status: Status) {
        if let Some((record, _)) = self.record(step) {
            record.status = status;
        }
    }

    fn intend(&mut self, step: &str, phase: Phase, commands: &BTreeMap<String, String>) {
        let Some((record, _)) = self.record(step) else { return };
        match phase {
            Phase::Run => {
                record.attempts += 1;
                record.commands = commands.clone();
                record.touched = true;
                record.status = Status::Open(phase);
            }
            Phase::Undo => {
                record.undos += 1;
                record.status = Status::Open(phase);
            }
            // Looking changes nothing: the status it was looked from stays.
            Phase::Probe | Phase::UndoProbe => {}
        }
    }

    fn conclude(&mut self, step: &str, phase: Phase, hosts: &BTreeMap<String, HostOutcome>) {
        let Some((record, planned)) = self.record(step) else { return };
        let kinds = kinds(planned);
        let undoing = matches!(phase, Phase::Undo | Phase::UndoProbe);
        if !undoing {
            for (host, outcome) in hosts {
                record.hosts.insert(host.clone(), outcome.verdict.clone());
            }
        }
        let verdicts: Vec<(&str, &Verdict)> = match undoing {
            true => hosts.iter().map(|(h, o)| (h.as_str(), &o.verdict)).collect(),
            false => record.hosts.iter().map(|(h, v)| (h.as_str(), v)).collect(),
        };
        record.status = sum(&verdicts, undoing);
        for (host, outcome) in hosts {
            for (name, text) in &outcome.values {
                let kind = kinds.iter().find(|(n, _)| n == name).map_or(ValueKind::Lines, |(_, kind)| *kind);
                // It fitted when it was written.
                if let Ok(value) = Value::new(kind, text) {
                    let by_host = self.captured.entry(name.clone()).or_default();
                    by_host.insert(host.clone(), value);
                }
            }
        }
        self.without_excluded();
    }

    /// Values of it were not written, as they hold a secret.
    fn withhold(&mut self, step: &str, names: &[String]) {
        if let Some((record, _)) = self.record(step) {
            record.withheld |= !names.is_empty();
        }
    }

    /// A step that stands only because of hosts that are left out now goes on without them.
    fn without_excluded(&mut self) {
        for record in &mut self.records {
            let before = record.hosts.len();
            record.hosts.retain(|host, _| !self.excluded.contains_key(host));
            if record.hosts.len() == before
                || !matches!(record.status, Status::Failed(_) | Status::Unknown(_))
            {
                continue;
            }
            let verdicts: Vec<(&str, &Verdict)> = record.hosts.iter().map(|(h, v)| (h.as_str(), v)).collect();
            record.status = match verdicts.is_empty() {
                true => Status::Skipped("no host is left to do it on".to_owned()),
                false => sum(&verdicts, false),
            };
        }
    }

    /// A person decided what becomes of a step.
    fn decide(&mut self, step: &str, answer: &str) {
        let Some((record, _)) = self.record(step) else { return };
        let undoing = matches!(record.status, Status::UndoFailed(_) | Status::UndoUnknown(_));
        match answer {
            "retry" if undoing => record.status = Status::Done,
            "retry" => record.status = Status::Waiting,
            "look" if undoing => record.status = Status::Open(Phase::Undo),
            "look" => record.status = Status::Open(Phase::Run),
            "done" if undoing => record.status = Status::Undone,
            "done" => {
                record.status = Status::Done;
                record.hosts.values_mut().for_each(|v| *v = Verdict::Done);
            }
            "not_done" if undoing => record.status = Status::UndoFailed("it was not taken back".to_owned()),
            "not_done" => record.status = Status::NotDone,
            _ => {}
        }
    }

    /// Another process goes on: secrets are gone, and so are held sessions; what reads them reads again.
    fn resume(&mut self) {
        for values in self.captured.values_mut() {
            values.retain(|_, value| !value.is_secret() && !value.is_hidden());
        }
        self.captured.retain(|_, values| !values.is_empty());
        let plan = self.plan.clone();
        for (index, planned) in plan.steps.iter().enumerate() {
            let step = &planned.step;
            let withheld = self.records.get(index).is_some_and(|record| record.withheld);
            let again = match &step.act {
                Act::Hold { until, .. } => !until.as_ref().is_some_and(|id| self.reached(id)),
                Act::Input(input) => input.sensitive || withheld,
                _ => step.effect == Effect::Read && (withheld || step.capture.iter().any(|c| c.sensitive)),
            };
            let Some(record) = self.records.get_mut(index) else { continue };
            let only_looks = step.effect == Effect::Read || matches!(step.act, Act::Hold { .. });
            if (again && record.status == Status::Done)
                || (only_looks && record.status == Status::Open(Phase::Run))
            {
                record.status = Status::Waiting;
            }
        }
    }

    fn reached(&self, id: &str) -> bool {
        self.plan.index(id).and_then(|i| self.records.get(i)).is_some_and(|r| r.status != Status::Waiting)
    }
}

/// What the verdicts of several hosts make together: the worst, with the hosts' names.
fn sum(verdicts: &[(&str, &Verdict)], undoing: bool) -> Status {
    let told = |pick: &dyn Fn(&Verdict) -> Option<String>| {
        let all: Vec<String> = verdicts
            .iter()
            .filter_map(|(host, verdict)| {
                let why = pick(verdict)?;
                Some(if host.is_empty() { why } else { format!("{host}: {why}") })
            })
            .collect();
        (!all.is_empty()).then(|| all.join("; "))
    };
    let unknown = told(&|v| match v {
        Verdict::Unknown(why) => Some(why.clone()),
        _ => None,
    });
    let failed = told(&|v| match v {
        Verdict::Failed(why) => Some(why.clone()),
        _ => None,
    });
    let not_done = verdicts.iter().any(|(_, v)| **v == Verdict::NotDone);
    let printed = verdicts.iter().any(|(_, v)| **v == Verdict::Printed);
    match (unknown, failed, undoing) {
        (Some(why), _, true) => Status::UndoUnknown(why),
        (Some(why), _, false) => Status::Unknown(why),
        (None, Some(why), true) => Status::UndoFailed(why),
        (None, Some(why), false) => Status::Failed(why),
        (None, None, true) if not_done => Status::UndoFailed("it was not taken back".to_owned()),
        (None, None, true) => Status::Undone,
        (None, None, false) if not_done => Status::NotDone,
        (None, None, false) if printed => Status::Printed,
        (None, None, false) => Status::Done,
    }
}
