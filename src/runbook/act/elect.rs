//! The best host of a target, by captured values.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Done, HostOutcome, Machine, Verdict, failed};
use crate::runbook::value::{Value, ValueKind, gtid};

/// Ranks the step's hosts; the best one becomes the value of `into`. Hosts that cannot be compared (diverged GTIDs) have
/// no best.
pub(super) fn best(machine: &Machine, index: usize, by: &[String], into: &str) -> Done {
    let hosts = machine.hosts(index).unwrap_or_default();
    let mut best: Option<&String> = None;
    for host in &hosts {
        let better = match best {
            None => Ok(true),
            Some(other) => compare(machine, by, host, other).map(|order| order == Ordering::Greater),
        };
        match better {
            Ok(true) => best = Some(host),
            Ok(false) => {}
            Err(why) => {
                return Done { hosts: BTreeMap::from([(String::new(), failed(&why))]), secrets: Vec::new() };
            }
        }
    }
    let outcome = match best {
        Some(host) => HostOutcome {
            verdict: Verdict::Done,
            values: BTreeMap::from([(into.to_owned(), host.clone())]),
            output: format!("{host} is the furthest: {}", told(machine, by, host)),
            proof: Vec::new(),
        },
        None => failed("there is no host to choose from"),
    };
    Done { hosts: BTreeMap::from([(String::new(), outcome)]), secrets: Vec::new() }
}

fn value<'m>(machine: &'m Machine, name: &str, host: &str) -> Option<&'m Value> {
    machine.captured().get(name)?.get(host)
}

fn told(machine: &Machine, by: &[String], host: &str) -> String {
    let all: Vec<String> =
        by.iter().filter_map(|n| Some(format!("{n} {}", value(machine, n, host)?.shown()))).collect();
    all.join(", ")
}

fn compare(machine: &Machine, by: &[String], one: &str, other: &str) -> Result<Ordering, String> {
    for name in by {
        let missing = |host: &str| format!("{name} of {host} is not known");
        let a = value(machine, name, one).ok_or_else(|| missing(one))?;
        let b = value(machine, name, other).ok_or_else(|| missing(other))?;
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
