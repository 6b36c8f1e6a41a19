//! Which minions a target means: glob, list, grain, pillar, expression, compound.

use serde_json::Value;

use crate::shell::pattern;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::pillar::lookup;

/// How a target is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `web*`
    Glob,
    /// `-E`
    Expression,
    /// `-L a,b`
    List,
    /// `-G roles:app`
    Grain,
    /// `-I infra:current:tld:*`
    Pillar,
    /// `-C 'G@roles:app and not app2'`
    Compound,
}

impl Kind {
    /// Its name in job lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Glob => "glob",
            Self::Expression => "pcre",
            Self::List => "list",
            Self::Grain => "grain",
            Self::Pillar => "pillar",
            Self::Compound => "compound",
        }
    }
}

impl World {
    /// The ids a target means among the accepted keys, sorted. What a minion's grains are the master knows from its
    /// cache, also of one that is down.
    #[must_use]
    pub fn minions_of(&self, target: &str, kind: Kind) -> Vec<String> {
        let known = self.salt.keys.accepted.iter().map(|(id, key)| (id, self.known_machine(id, key)));
        known
            .filter(|(id, host)| self.is_meant(id, host.as_ref(), target, kind))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// The machine with that key, up or not.
    fn known_machine(&self, id: &str, key: &str) -> Option<HostName> {
        let mut called = self.machines().filter(|m| m.hostname.as_str() == id);
        called.find(|m| self.minion_fingerprint(&m.name).as_deref() == Some(key)).map(|m| m.name.clone())
    }

    fn is_meant(&self, id: &str, host: Option<&HostName>, target: &str, kind: Kind) -> bool {
        match kind {
            Kind::Glob => pattern::matches(target, id),
            Kind::List => target.split(',').any(|name| name.trim() == id),
            Kind::Expression => {
                regex::Regex::new(&format!("^(?:{target})")).is_ok_and(|expression| expression.is_match(id))
            }
            Kind::Grain => host.is_some_and(|host| {
                let (name, wanted) = target.split_once(':').unwrap_or((target, "*"));
                self.grain(host, name).is_some_and(|value| holds(&value, wanted))
            }),
            Kind::Pillar => host.is_some_and(|host| {
                let (path, wanted) = target.rsplit_once(':').unwrap_or((target, "*"));
                lookup(self.pillar_of(host), path).is_some_and(|value| holds(value, wanted))
            }),
            Kind::Compound => {
                let spaced = target.replace('(', " ( ").replace(')', " ) ");
                let words: Vec<&str> = spaced.split_whitespace().collect();
                let mut words = words.as_slice();
                self.any_of(id, host, &mut words)
            }
        }
    }

    fn any_of(&self, id: &str, host: Option<&HostName>, words: &mut &[&str]) -> bool {
        let mut value = self.all_of(id, host, words);
        while let ["or", rest @ ..] = *words {
            *words = rest;
            value |= self.all_of(id, host, words);
        }
        value
    }

    fn all_of(&self, id: &str, host: Option<&HostName>, words: &mut &[&str]) -> bool {
        let mut value = self.one_of(id, host, words);
        while let ["and", rest @ ..] = *words {
            *words = rest;
            value &= self.one_of(id, host, words);
        }
        value
    }

    fn one_of(&self, id: &str, host: Option<&HostName>, words: &mut &[&str]) -> bool {
        let [word, rest @ ..] = *words else { return false };
        *words = rest;
        match *word {
            "not" => !self.one_of(id, host, words),
            "(" => {
                let value = self.any_of(id, host, words);
                if let [")", rest @ ..] = *words {
                    *words = rest;
                }
                value
            }
            word => {
                let (kind, target) = match word.split_once('@') {
                    Some(("G", target)) => (Kind::Grain, target),
                    Some(("L", target)) => (Kind::List, target),
                    Some(("E", target)) => (Kind::Expression, target),
                    Some(("I", target)) => (Kind::Pillar, target),
                    _ => (Kind::Glob, word),
                };
                self.is_meant(id, host, target, kind)
            }
        }
    }
}

/// Whether a value, or one of a list, matches.
fn holds(value: &Value, wanted: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| holds(item, wanted)),
        Value::String(text) => pattern::matches(wanted, text),
        other => pattern::matches(wanted, &other.to_string()),
    }
}
