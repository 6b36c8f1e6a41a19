//! The best host of a target, by captured values.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Done, HostOutcome, Outcomes, Place, StepRef, Verdict, failed};
use crate::domain::names::HostName;
use crate::runbook::value::{Value, ValueKind, gtid};

/// Ranks the step's hosts; the best one becomes the value of `into`. Hosts that cannot be compared (diverged GTIDs) have
/// no best.
pub(super) fn best(at: StepRef<'_>, by: &[String], into: &str) -> Done {
    let outcome = match ranked(at, by) {
        Ok(host) => HostOutcome {
            values: BTreeMap::from([(into.to_owned(), host.to_string())]),
            output: format!("{host} is the furthest: {}", told(at, by, &host)),
            ..HostOutcome::of(Verdict::Done)
        },
        Err(why) => failed(&why),
    };
    Done { hosts: Outcomes::one(Place::Nowhere, outcome), secrets: Vec::new() }
}

fn ranked(at: StepRef<'_>, by: &[String]) -> Result<HostName, String> {
    let mut best: Option<HostName> = None;
    for host in at.hosts().map_err(|error| error.to_string())?.unwrap_or_default() {
        let better = match &best {
            None => true,
            Some(other) => compare(at, by, &host, other)? == Ordering::Greater,
        };
        if better {
            best = Some(host);
        }
    }
    best.ok_or_else(|| "there is no host to choose from".to_owned())
}

fn value<'m>(at: StepRef<'m>, name: &str, host: &HostName) -> Option<&'m Value> {
    at.machine().captured().get(name)?.get(&host.into())
}

fn told(at: StepRef<'_>, by: &[String], host: &HostName) -> String {
    let all: Vec<String> =
        by.iter().filter_map(|n| Some(format!("{n} {}", value(at, n, host)?.shown()))).collect();
    all.join(", ")
}

fn compare(at: StepRef<'_>, by: &[String], one: &HostName, other: &HostName) -> Result<Ordering, String> {
    for name in by {
        let missing = |host: &HostName| format!("{name} of {host} is not known");
        let a = value(at, name, one).ok_or_else(|| missing(one))?;
        let b = value(at, name, other).ok_or_else(|| missing(other))?;
        let order = order(a, b).ok_or_else(|| {
            format!(
                "{one} ({}) and {other} ({}) have each what the other lacks: {name}",
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
        _ => Some(a.text().cmp(b.text())),
    }
}
