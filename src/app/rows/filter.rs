//! What the filter lets through. Every term must be found; case does not matter.
//!
//! A term is text (`app`), a field and its value (`role:db`, `state:up,unreachable`), or a figure and a limit
//! (`load>1`, `disk>=90`); `!` before it turns it round. A term that cannot be read hides nothing, and [`wrong`] says what would work.

use std::ops::Range;

use crate::app::model::{EnvironmentState, Model};
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::judge::roles::reported;
use jumpdeck_fleet::snapshot::{HostSnapshot, LinkState};
use jumpdeck_fleet::summary::{ReplicationBrief, replication_brief, worst_filesystem};
use jumpdeck_fleet::time::{Freshness, Moment};

#[cfg(test)]
mod tests;

pub use super::term::Words;
use super::term::{self, Compare, Term};
pub(in crate::app) use super::term::{Field, TermFigure, TermSubject};

/// The terms of a filter.
pub(in crate::app) struct Terms {
    terms: Vec<Term>,
    wrong: Option<String>,
}

/// What a host is looked at against.
pub(in crate::app) struct About<'a> {
    pub(in crate::app) env: &'a EnvironmentState,
    pub(in crate::app) at: Moment,
}

/// The terms of a screen's filter.
pub(in crate::app) fn of(model: &Model, words: &Words) -> Terms {
    Terms::new(model.filter_of(words).text.as_str(), words)
}

/// What of the filter on screen cannot be read, and what would work; `None` when all of it can.
#[must_use]
pub fn wrong(model: &Model) -> Option<String> {
    of(model, model.screen().kind().filter()?).wrong
}

/// The first word of a filter that hides nothing, with its place in the text, and why: it cannot be read, or it is only begun
/// (`role:`).
#[must_use]
pub fn unreadable(text: &str, words: &Words) -> Option<(Range<usize>, String)> {
    let mut from = 0;
    for word in text.split_whitespace() {
        let start = from + text.get(from..)?.find(word)?;
        from = start + word.len();
        match term::read(&word.to_lowercase(), words) {
            Ok(Some(_)) => {}
            Ok(None) => return Some((start..from, format!("no value after {word:?}"))),
            Err(why) => return Some((start..from, why)),
        }
    }
    None
}

/// The words of a filter that are in force, as they were typed.
pub(in crate::app) fn in_force(text: &str, words: &Words) -> String {
    let read = |word: &&str| matches!(term::read(&word.to_lowercase(), words), Ok(Some(_)));
    text.split_whitespace().filter(read).collect::<Vec<_>>().join(" ")
}

impl Terms {
    pub(super) fn new(text: &str, words: &Words) -> Self {
        let mut read = Self { terms: Vec::new(), wrong: None };
        for word in text.split_whitespace() {
            match term::read(&word.to_lowercase(), words) {
                Ok(term) => read.terms.extend(term),
                Err(why) => read.wrong = read.wrong.or(Some(why)),
            }
        }
        read
    }

    /// The text looked for, term by term.
    pub(in crate::app) fn texts(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter(|term| !term.not).filter_map(|term| match &term.what {
            TermSubject::Text(text) => Some(text.as_str()),
            TermSubject::Is(..) | TermSubject::Figure(..) => None,
        })
    }

    /// Whether every term is found, or not found where it must not be.
    pub(in crate::app) fn all(&self, found: impl Fn(&TermSubject) -> bool) -> bool {
        self.terms.iter().all(|term| found(&term.what) != term.not)
    }

    /// Text is looked for in name, roles (inventory's and its own), level, state, severity, operating system, address.
    pub(in crate::app) fn match_host(&self, about: &About<'_>, spec: &Host, host: &HostSnapshot) -> bool {
        self.all(|what| match what {
            TermSubject::Text(text) => {
                contains(host.id.host.as_str(), text)
                    || spec.roles.iter().any(|r| contains(r.as_str(), text))
                    || grain_roles(host).any(|r| contains(r, text))
                    || contains(&host.address, text)
                    || states(about, host).iter().any(|s| contains(s, text))
                    || level(host).is_some_and(|l| contains(l, text))
                    || host.facts.os.last().is_some_and(|os| contains(os.pretty.as_str(), text))
            }
            TermSubject::Is(field, values) => {
                values.iter().any(|value| field_of(about, spec, host, *field, value))
            }
            TermSubject::Figure(figure, compare, limit) => {
                figure_of(about, host, *figure).is_some_and(|value| compare.holds(value, *limit))
            }
        })
    }
}

fn grain_roles(host: &HostSnapshot) -> impl Iterator<Item = &str> {
    let grains = host.facts.grains.last();
    grains.into_iter().flat_map(|g| g.roles.iter().flatten()).map(|role| role.as_str())
}

fn level(host: &HostSnapshot) -> Option<&str> {
    host.facts.grains.last()?.level.as_ref().map(|level| level.as_str())
}

/// The words for how a host is: its connection, the worst known problem, `ok` only by a fresh report.
fn states(about: &About<'_>, host: &HostSnapshot) -> Vec<&'static str> {
    let state = host.link.state;
    let mut words = vec![state.label(), state.word()];
    match about.env.worst.get(&host.id.host) {
        Some(severity) => words.push(severity.word()),
        None if state == LinkState::Up && freshness(about, host) == Some(Freshness::Fresh) => {
            words.push("ok")
        }
        None => words.push("unknown"),
    }
    words
}

fn freshness(about: &About<'_>, host: &HostSnapshot) -> Option<Freshness> {
    Some(Freshness::of(host.age(about.at)?, about.env.spec.cadence.poll))
}

fn field_of(about: &About<'_>, spec: &Host, host: &HostSnapshot, field: Field, value: &str) -> bool {
    match field {
        Field::Host => contains(host.id.host.as_str(), value),
        Field::Role => match reported(spec, host) {
            Some(roles) => roles.iter().any(|r| same(r.as_str(), value)),
            None => spec.roles.iter().any(|r| same(r.as_str(), value)),
        },
        Field::State => states(about, host).iter().any(|state| same(state, value)),
        Field::Env => {
            level(host).is_some_and(|l| same(l, value)) || same(about.env.spec.name.as_str(), value)
        }
        Field::Os => host.facts.os.last().is_some_and(|os| contains(os.pretty.as_str(), value)),
        Field::Address => contains(&host.address, value),
        Field::Problem => {
            let own = about.env.problems.iter().filter(|p| p.host.as_ref() == Some(&host.id.host));
            own.into_iter().any(|p| contains(&p.message, value) || contains(p.kind.word(), value))
        }
        Field::Kind | Field::Name | Field::Risk => false,
    }
}

/// A figure of a host, as far as it is known now.
fn figure_of(about: &About<'_>, host: &HostSnapshot, figure: TermFigure) -> Option<f64> {
    let (at, poll) = (about.at, about.env.spec.cadence.poll);
    let facts = &host.facts;
    if !host.link.is_up() && figure != TermFigure::Age {
        return None;
    }
    match figure {
        TermFigure::Load => facts.load.trusted(at, poll).map(|load| load.one),
        TermFigure::PerCpu => facts.load.trusted(at, poll)?.one_per_cpu(),
        TermFigure::Memory => facts.memory.trusted(at, poll).filter(|m| !m.cache_unread)?.used_percent(),
        TermFigure::Disk => {
            facts.filesystems.trusted(at, poll)?;
            let usage = worst_filesystem(facts)?.usage.as_ref().ok()?;
            usage.use_percent.map(f64::from)
        }
        #[allow(clippy::cast_precision_loss)] // a lag is far below 2^52 seconds
        TermFigure::Lag => match replication_brief(facts.databases.trusted(at, poll)?) {
            ReplicationBrief::Following { lag_s, .. } => lag_s.map(|lag| lag as f64),
            _ => None,
        },
        TermFigure::Age => host.age(at).map(|age| age.as_secs_f64()),
        TermFigure::Up => facts.uptime.trusted(at, poll).map(|up| up.as_secs_f64() / 86_400.0),
    }
}

/// Whether `text` is `value` (lower case), whatever its case.
pub(in crate::app) fn same(text: &str, value: &str) -> bool {
    text.to_lowercase() == value
}

/// Whether `text` holds `term` (lower case), whatever its case. ASCII, which nearly all of it is, costs no copy.
pub(in crate::app) fn contains(text: &str, term: &str) -> bool {
    if text.is_ascii() {
        let (text, term) = (text.as_bytes(), term.as_bytes());
        return term.is_empty() || text.windows(term.len()).any(|w| w.eq_ignore_ascii_case(term));
    }
    text.to_lowercase().contains(term)
}

impl Compare {
    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Over => value > limit,
            Self::AtLeast => value >= limit,
            Self::Under => value < limit,
            Self::AtMost => value <= limit,
        }
    }
}
