//! What the filter lets through. Every term must be found; case does not matter.
//!
//! A term is text (`app`), a field and its value (`role:db`, `state:up,unreachable`), or a figure and a limit
//! (`load>1`, `disk>=90`); `!` before it turns it round. A term that cannot be read hides nothing, and [`wrong`] says what would work.

use super::RunbookRow;
use crate::app::model::{EnvironmentState, Filtered, Model};
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::judge::roles::{RoleStanding, reported};
use jumpdeck_fleet::problem::Problem;
use jumpdeck_fleet::run::{Danger, PastRun, RunState};
use jumpdeck_fleet::snapshot::{HostSnapshot, LinkState};
use jumpdeck_fleet::summary::{ReplicationBrief, replication_brief, worst_filesystem};
use jumpdeck_fleet::time::{Freshness, Moment};

mod term;
#[cfg(test)]
mod tests;

use term::{Compare, Field, Figure, Term, What};

/// The terms of a filter.
pub(super) struct Terms {
    terms: Vec<Term>,
    wrong: Option<String>,
}

/// What a host is looked at against.
pub(super) struct About<'a> {
    pub(super) env: &'a EnvironmentState,
    pub(super) at: Moment,
}

/// The terms of a screen's filter.
pub(super) fn of(model: &Model, rows: Filtered) -> Terms {
    Terms::new(model.filter_of(rows).text.as_str(), rows)
}

/// What of the filter on screen cannot be read, and what would work; `None` when all of it can.
#[must_use]
pub fn wrong(model: &Model) -> Option<String> {
    let rows = model.screen().filtered()?;
    of(model, rows).wrong
}

impl Terms {
    fn new(text: &str, rows: Filtered) -> Self {
        let mut read = Self { terms: Vec::new(), wrong: None };
        for word in text.split_whitespace() {
            match term::read(&word.to_lowercase(), rows) {
                Ok(term) => read.terms.extend(term),
                Err(why) => read.wrong = read.wrong.or(Some(why)),
            }
        }
        read
    }

    fn all(&self, found: impl Fn(&What) -> bool) -> bool {
        self.terms.iter().all(|term| found(&term.what) != term.not)
    }

    /// Text is looked for in name, roles (inventory's and its own), level, state, severity, operating system, address.
    pub(super) fn match_host(&self, about: &About<'_>, spec: &Host, host: &HostSnapshot) -> bool {
        self.all(|what| match what {
            What::Text(text) => {
                contains(host.id.host.as_str(), text)
                    || spec.roles.iter().any(|r| contains(r.as_str(), text))
                    || grain_roles(host).any(|r| contains(r, text))
                    || contains(&host.address, text)
                    || states(about, host).iter().any(|s| contains(s, text))
                    || level(host).is_some_and(|l| contains(l, text))
                    || host.facts.os.last().is_some_and(|os| contains(os.pretty.as_str(), text))
            }
            What::Is(field, values) => values.iter().any(|value| field_of(about, spec, host, *field, value)),
            What::Figure(figure, compare, limit) => {
                figure_of(about, host, *figure).is_some_and(|value| compare.holds(value, *limit))
            }
        })
    }

    pub(super) fn match_problem(&self, problem: &Problem) -> bool {
        let host = |text: &str| problem.host.as_ref().is_some_and(|h| contains(h.as_str(), text));
        self.all(|what| match what {
            What::Text(text) => {
                host(text)
                    || contains(problem.kind.word(), text)
                    || contains(&problem.kind.word().replace('_', " "), text)
                    || contains(problem.severity.word(), text)
                    || contains(&problem.message, text)
            }
            What::Is(Field::Host, values) => values.iter().any(|value| host(value)),
            What::Is(Field::State, values) => values.iter().any(|v| contains(problem.severity.word(), v)),
            What::Is(Field::Kind, values) => values.iter().any(|v| contains(problem.kind.word(), v)),
            // `term::read` lets no other field through on this screen.
            What::Is(..) | What::Figure(..) => false,
        })
    }

    pub(super) fn match_role(&self, role: &RoleStanding) -> bool {
        let host = |text: &str| role.hosts.iter().chain(&role.unknown).any(|h| contains(h.as_str(), text));
        self.all(|what| match what {
            What::Text(text) => {
                contains(role.role.as_str(), text) || contains(role.state.word(), text) || host(text)
            }
            What::Is(Field::Host, values) => values.iter().any(|value| host(value)),
            What::Is(Field::Role, values) => values.iter().any(|v| same(role.role.as_str(), v)),
            What::Is(Field::State, values) => values.iter().any(|v| contains(role.state.word(), v)),
            What::Is(..) | What::Figure(..) => false,
        })
    }

    pub(super) fn match_runbook(&self, row: &RunbookRow<'_>) -> bool {
        self.all(|what| match what {
            What::Text(text) => texts(row).iter().any(|t| contains(t, text)),
            What::Is(Field::Name, values) => values.iter().any(|v| contains(name(row), v)),
            What::Is(Field::State, values) => values.iter().any(|v| contains(state(row), v)),
            What::Is(Field::Risk, values) => values.iter().any(|v| risk(row).is_some_and(|r| contains(r, v))),
            What::Is(..) | What::Figure(..) => false,
        })
    }

    pub(super) fn match_past(&self, run: &PastRun) -> bool {
        let texts =
            [run.id.as_str(), run.runbook.as_str(), run.env.as_str(), run.who.as_str(), run.says.as_str()];
        self.all(|what| match what {
            What::Text(text) => texts.iter().any(|t| contains(t, text)),
            What::Is(Field::Name, values) => values.iter().any(|v| contains(run.runbook.as_str(), v)),
            What::Is(Field::State, values) => values.iter().any(|v| contains(run.says.as_str(), v)),
            What::Is(Field::Env, values) => values.iter().any(|v| same(run.env.as_str(), v)),
            What::Is(..) | What::Figure(..) => false,
        })
    }

    /// How far a row is from what was typed: a name that begins with it, one that holds it, a title, anything else.
    pub(super) fn distance(&self, row: &RunbookRow<'_>) -> u8 {
        let texts = self.terms.iter().filter(|term| !term.not).filter_map(|term| match &term.what {
            What::Text(text) => Some(text.as_str()),
            What::Is(..) | What::Figure(..) => None,
        });
        texts.map(|text| distance(row, text)).max().unwrap_or(0)
    }
}

fn distance(row: &RunbookRow<'_>, text: &str) -> u8 {
    let name = name(row);
    if same(name, text) {
        0
    } else if name.to_lowercase().starts_with(text) {
        1
    } else if contains(name, text) {
        2
    } else if title(row).is_some_and(|title| contains(title, text)) {
        3
    } else {
        4
    }
}

fn name<'a>(row: &RunbookRow<'a>) -> &'a str {
    match row {
        RunbookRow::Here(run) => &run.runbook,
        RunbookRow::Run(run) => &run.runbook,
        RunbookRow::Runbook(runbook) => &runbook.name,
    }
}

fn title<'a>(row: &RunbookRow<'a>) -> Option<&'a str> {
    match row {
        RunbookRow::Here(run) => Some(run.title.as_str()),
        RunbookRow::Run(_) => None,
        RunbookRow::Runbook(runbook) => Some(runbook.title.as_str()),
    }
}

fn texts<'a>(row: &RunbookRow<'a>) -> Vec<&'a str> {
    match row {
        RunbookRow::Here(run) => vec![&run.id, run.title.as_str(), run.who.as_str(), state(row)],
        RunbookRow::Run(run) => vec![&run.id, run.who.as_str(), state(row)],
        RunbookRow::Runbook(runbook) => {
            vec![&runbook.name, runbook.title.as_str(), runbook.summary.as_str()]
        }
    }
}

fn state(row: &RunbookRow<'_>) -> &'static str {
    match row {
        RunbookRow::Here(run) => match &run.state {
            RunState::Running | RunState::Waiting | RunState::RollingBack => "under way",
            ended => ended.word(),
        },
        RunbookRow::Run(run) if run.held => "under way",
        RunbookRow::Run(_) => "stopped",
        RunbookRow::Runbook(_) => "",
    }
}

fn risk(row: &RunbookRow<'_>) -> Option<&'static str> {
    match row {
        RunbookRow::Runbook(runbook) => Some(match runbook.danger {
            Danger::Reads => "read-only",
            Danger::Changes => "reversible",
            Danger::Data => "irreversible",
        }),
        RunbookRow::Here(_) | RunbookRow::Run(_) => None,
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
fn figure_of(about: &About<'_>, host: &HostSnapshot, figure: Figure) -> Option<f64> {
    let (at, poll) = (about.at, about.env.spec.cadence.poll);
    let facts = &host.facts;
    if !host.link.is_up() && figure != Figure::Age {
        return None;
    }
    match figure {
        Figure::Load => facts.load.trusted(at, poll).map(|load| load.one),
        Figure::PerCpu => facts.load.trusted(at, poll)?.one_per_cpu(),
        Figure::Memory => facts.memory.trusted(at, poll).filter(|m| !m.cache_unread)?.used_percent(),
        Figure::Disk => {
            facts.filesystems.trusted(at, poll)?;
            let usage = worst_filesystem(facts)?.usage.as_ref().ok()?;
            usage.use_percent.map(f64::from)
        }
        #[allow(clippy::cast_precision_loss)] // a lag is far below 2^52 seconds
        Figure::Lag => match replication_brief(facts.databases.trusted(at, poll)?) {
            ReplicationBrief::Following { lag_s, .. } => lag_s.map(|lag| lag as f64),
            _ => None,
        },
        Figure::Age => host.age(at).map(|age| age.as_secs_f64()),
        Figure::Up => facts.uptime.trusted(at, poll).map(|up| up.as_secs_f64() / 86_400.0),
    }
}

fn same(text: &str, value: &str) -> bool {
    text.to_lowercase() == value
}

/// Whether `text` holds `term` (lower case), whatever its case. ASCII, which nearly all of it is, costs no copy.
fn contains(text: &str, term: &str) -> bool {
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
