//! `elect`: the best of the step's hosts, ranked by captured values.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Brings, ByMachines, DoneBy, KindEntry, Reads, StepKind, Used, Where};
use crate::config::diagnostic::nearest;
use crate::config::reader::{At, Table};
use crate::runbook::act::{Done, For, Mark, Work, failed};
use crate::runbook::definition::Step;
use crate::runbook::definition::read::{Meaning, NameFound, Reading, StepHead, keys, place};
use crate::runbook::event::{HostOutcome, Outcomes, Verdict};
use crate::runbook::machine::StepRef;
use crate::runbook::place::Place;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::value::{Value, ValueKind, gtid};
use crate::transport::BoxFuture;
use jumpdeck_fleet::names::HostName;

pub(super) static KIND: KindEntry = KindEntry {
    on: Where::Said,
    brings_at: &["into"],
    ..KindEntry::new("elect", &[keys::ALL, keys::DONE, &["by", "into"]], Reads::Step(read))
};

#[derive(Debug)]
struct ElectStep {
    /// Captured values that rank, the weightiest first (`gtid`, `position`, `int`: more is better).
    by: Vec<String>,
    /// The host variable it goes into.
    into: String,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &StepHead) -> Option<Arc<dyn StepKind>> {
    let hint = "write by = [\"gtid\"], captured values where more is better, the most important first";
    let by = reading.reader.strings(table, "by", hint).unwrap_or_default();
    if by.is_empty() {
        reading.reader.error(place(table, "by"), "no rule says which host is the best", hint);
    }
    for name in &by {
        ranks(reading, name);
    }
    let into = reading.need_string(table, "into", "write into = \"best\", the variable it becomes");
    let into = into.filter(|into| reading.variable_name(into))?;
    let by = by.into_iter().map(|b| b.value.to_owned()).collect();
    Some(Arc::new(ElectStep { by, into: into.value.to_owned() }))
}

/// Judges a name that ranks hosts.
fn ranks(reading: &mut Reading<'_>, name: &At<&str>) {
    let meaning = match reading.names.find(name.value) {
        NameFound::Known(meaning) => meaning,
        NameFound::Sometimes(_) | NameFound::Later | NameFound::Unknown => {
            let known = reading.names.usable();
            let help = match nearest(name.value, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near:?}?"),
                None => "capture it in a step before this one".to_owned(),
            };
            let message = format!("unknown variable {:?}", name.value);
            return reading.reader.error(name.span.clone(), message, help);
        }
    };
    let ranked = [ValueKind::Gtid, ValueKind::Position, ValueKind::Int];
    let fits = match meaning {
        Meaning::Value { kind, secret, .. } => !secret && ranked.contains(&kind),
        Meaning::Anything => true,
        Meaning::Hosts { .. } => false,
    };
    if !fits {
        let message = format!("{:?} cannot rank hosts", name.value);
        reading.reader.error(name.span.clone(), message, "name a captured gtid, position or int");
    }
}

impl StepKind for ElectStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::Machines(self)
    }

    fn lines(&self) -> Vec<String> {
        vec![format!("{} = the host with the most {}", self.into, self.by.join(", then "))]
    }

    fn shown(&self, _: &Scope<'_>, _: &Places) -> String {
        String::new()
    }

    fn uses<'s>(&'s self, names: &mut Used<'s>) {
        names.extend(self.by.iter().map(String::as_str));
    }

    fn brings(&self) -> Option<Brings<'_>> {
        Some(Brings { name: &self.into, kind: ValueKind::Host, secret: false, key: "into" })
    }
}

impl ByMachines for ElectStep {
    fn perform<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Done> {
        Box::pin(async move {
            let outcome = match self.best(work.at) {
                Ok(host) => HostOutcome {
                    values: BTreeMap::from([(self.into.clone(), host.to_string())]),
                    output: format!("{host} has the most: {}", self.told(work.at, &host)),
                    ..HostOutcome::of(Verdict::Done)
                },
                Err(why) => failed(&why),
            };
            Done::of(Outcomes::one(Place::Nowhere, outcome))
        })
    }

    fn mark(&self, _: &Step, _: For) -> Mark<'_> {
        Mark::None
    }
}

impl ElectStep {
    /// Ranks the step's hosts. Hosts that cannot be compared (diverged GTIDs) have no best.
    fn best(&self, at: StepRef<'_>) -> Result<HostName, String> {
        let mut best: Option<HostName> = None;
        for host in at.hosts().map_err(|error| error.to_string())?.unwrap_or_default() {
            let better = match &best {
                None => true,
                Some(other) => self.compare(at, &host, other)? == Ordering::Greater,
            };
            if better {
                best = Some(host);
            }
        }
        best.ok_or_else(|| "there is no host to choose from".to_owned())
    }

    /// What ranks a host, in words.
    fn told(&self, at: StepRef<'_>, host: &HostName) -> String {
        let all: Vec<String> =
            self.by.iter().filter_map(|n| Some(format!("{n} {}", value(at, n, host)?.shown()))).collect();
        all.join(", ")
    }

    fn compare(&self, at: StepRef<'_>, one: &HostName, other: &HostName) -> Result<Ordering, String> {
        for name in &self.by {
            let missing = |host: &HostName| format!("{name} of {host} is not known");
            let a = value(at, name, one).ok_or_else(|| missing(one))?;
            let b = value(at, name, other).ok_or_else(|| missing(other))?;
            let order = order(a, b).ok_or_else(|| {
                format!(
                    "{name} of {one} ({}) and of {other} ({}) have diverged: neither contains the other",
                    a.shown(),
                    b.shown()
                )
            })?;
            if order != Ordering::Equal {
                return Ok(order);
            }
        }
        Ok(Ordering::Equal)
    }
}

fn value<'m>(at: StepRef<'m>, name: &str, host: &HostName) -> Option<&'m Value> {
    at.machine().captured().get(name)?.get(&host.into())
}

fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match a.kind() {
        ValueKind::Gtid => match (gtid::covers(a.text(), b.text())?, gtid::covers(b.text(), a.text())?) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Greater),
            (false, true) => Some(Ordering::Less),
            (false, false) => None,
        },
        ValueKind::Position => {
            let parts = |v: &Value| {
                let (file, at) = v.text().rsplit_once(':')?;
                Some((file.rsplit_once('.')?.1.parse::<u64>().ok()?, at.parse::<u64>().ok()?))
            };
            Some(parts(a)?.cmp(&parts(b)?))
        }
        ValueKind::Int => Some(a.text().parse::<i64>().ok()?.cmp(&b.text().parse::<i64>().ok()?)),
        // The reader lets nothing else rank.
        ValueKind::Text
        | ValueKind::Bool
        | ValueKind::Host
        | ValueKind::Address
        | ValueKind::Word
        | ValueKind::Lines => None,
    }
}
