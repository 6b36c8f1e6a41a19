//! Which variables are known at a place of a runbook, and what each of them means.

use std::collections::{BTreeMap, BTreeSet};

use crate::runbook::value::ValueKind;

/// What every run knows by itself.
pub(super) const GIVEN: [&str; 9] =
    ["level", "domain", "environment", "managed_by", "reason", "run", "today", "operator", "jump"];

/// Names that nothing else may have.
pub(super) const RESERVED: [&str; 11] = [
    "level",
    "domain",
    "environment",
    "managed_by",
    "reason",
    "run",
    "today",
    "operator",
    "jump",
    "host",
    "here",
];

/// What a variable holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::runbook) enum Meaning {
    /// A value.
    Value {
        kind: ValueKind,
        secret: bool,
        /// It is one host for the whole run: steps may run on it.
        place: bool,
    },
    /// Hosts.
    Hosts {
        /// There is exactly one.
        one: bool,
        /// A `for_each` may go over them.
        target: bool,
    },
    /// Whatever it is where this part is included.
    Anything,
}

impl Meaning {
    pub(in crate::runbook) fn is_secret(self) -> bool {
        matches!(self, Self::Value { secret: true, .. })
    }

    /// Whether steps may run on it.
    pub(in crate::runbook) fn is_place(self) -> bool {
        match self {
            Self::Value { place, .. } => place,
            Self::Hosts { .. } | Self::Anything => true,
        }
    }

    /// Whether it may be more than one host.
    pub(in crate::runbook) fn is_several(self) -> bool {
        matches!(self, Self::Hosts { one: false, .. })
    }

    /// The fields it has.
    pub(in crate::runbook) fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Value { kind: ValueKind::Host, .. } => {
                &["address", "name", "port", "roles", "database_files"]
            }
            Self::Hosts { .. } => &["address", "name", "port", "roles", "database_files", "count"],
            Self::Value { kind: ValueKind::Position, .. } => &["file", "offset"],
            Self::Value { .. } => &[],
            Self::Anything => {
                &["address", "name", "port", "roles", "database_files", "count", "file", "offset"]
            }
        }
    }
}

#[derive(Debug, Clone)]
struct KnownNames {
    meaning: Meaning,
    /// The conditions it is known under: all of one of these sets. The empty set is always.
    ways: Vec<BTreeSet<String>>,
    /// The step it comes from.
    step: String,
}

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::runbook) enum NameFound {
    Known(Meaning),
    /// Only when the conditions of that step hold.
    Sometimes(String),
    /// A later step captures it.
    Later,
    Unknown,
}

/// Everything that is known so far.
#[derive(Debug, Clone, Default)]
pub(in crate::runbook) struct Names {
    known: BTreeMap<String, KnownNames>,
    /// The conditions that hold here.
    guards: BTreeSet<String>,
    /// Whether there is a host that the step runs on.
    pub(in crate::runbook) host: bool,
    /// What steps of this file capture, earlier or later.
    pub(in crate::runbook) later: BTreeSet<String>,
}

impl Names {
    /// A name that is known from the start.
    pub(in crate::runbook) fn always(&mut self, name: &str, meaning: Meaning) {
        let known = KnownNames { meaning, ways: vec![BTreeSet::new()], step: String::new() };
        self.known.insert(name.to_owned(), known);
    }

    /// A name that whatever includes this part knows.
    pub(in crate::runbook) fn anything(&mut self, name: &str) {
        self.always(name, Meaning::Anything);
    }

    /// A name that a step brings, under the conditions of this place. What it meant before, if that differs.
    pub(in crate::runbook) fn bring(
        &mut self,
        name: &str,
        meaning: Meaning,
        step: &str,
    ) -> Option<(Meaning, String)> {
        let way = self.guards.clone();
        match self.known.get_mut(name) {
            Some(known) if known.meaning == meaning && !known.step.is_empty() => {
                known.ways.push(way);
                None
            }
            Some(known) => Some((known.meaning, known.step.clone())),
            None => {
                let known = KnownNames { meaning, ways: vec![way], step: step.to_owned() };
                self.known.insert(name.to_owned(), known);
                None
            }
        }
    }

    pub(in crate::runbook) fn forget(&mut self, name: &str) {
        self.known.remove(name);
    }

    pub(in crate::runbook) fn find(&self, name: &str) -> NameFound {
        if let Some(known) = self.known.get(name) {
            return match known.ways.iter().any(|way| way.is_subset(&self.guards)) {
                true => NameFound::Known(known.meaning),
                false => NameFound::Sometimes(known.step.clone()),
            };
        }
        let value = |kind| NameFound::Known(Meaning::Value { kind, secret: false, place: false });
        match name {
            "host" if self.host => value(ValueKind::Host),
            "jump" => value(ValueKind::Host),
            name if GIVEN.contains(&name) => value(ValueKind::Text),
            name if self.later.contains(name) => NameFound::Later,
            _ => NameFound::Unknown,
        }
    }

    /// All that may be used here.
    pub(in crate::runbook) fn usable(&self) -> Vec<String> {
        let own = self.known.keys().filter(|name| matches!(self.find(name), NameFound::Known(_))).cloned();
        let host = self.host.then(|| "host".to_owned());
        own.chain(host).chain(GIVEN.iter().map(|s| (*s).to_owned())).collect()
    }

    /// The conditions that hold here.
    pub(super) fn conditions(&self) -> &BTreeSet<String> {
        &self.guards
    }

    /// Adds conditions; returns those that are new, for [`Names::leave`].
    pub(in crate::runbook) fn enter(&mut self, conditions: Vec<String>) -> Vec<String> {
        conditions.into_iter().filter(|c| self.guards.insert(c.clone())).collect()
    }

    /// Takes conditions away.
    pub(in crate::runbook) fn leave(&mut self, conditions: &[String]) {
        for condition in conditions {
            self.guards.remove(condition);
        }
    }

    /// After both ways of a branch: what each of them brings is known here.
    pub(in crate::runbook) fn join(&mut self, one: &[String], other: &str) {
        let here = self.guards.clone();
        for known in self.known.values_mut() {
            let brought = |ends: &[String]| {
                let way: BTreeSet<String> = here.iter().chain(ends).cloned().collect();
                known.ways.iter().any(|w| w.is_subset(&way))
            };
            if brought(one) && brought(&[other.to_owned()]) {
                known.ways.push(here.clone());
            }
        }
    }
}
