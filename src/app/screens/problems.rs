//! What is wrong, worst first; a row leads to its host, or to the screen that shows it.

use super::{Door, Screen, ScreenKind};
use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::app::rows::Words;
use crate::app::rows::filter::{self, Field, TermSubject, Terms, contains};
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::problem::{Problem, ProblemKind};

pub(super) struct Kind;

/// What its filter may name.
static WORDS: Words = Words {
    screen: "problems",
    example: None,
    fields: &[
        ("host", Field::Host),
        ("severity", Field::State),
        ("state", Field::State),
        ("kind", Field::Kind),
    ],
    figures: &[],
};

/// The problems that the filter lets through, worst first; those that somebody has acknowledged come last.
#[must_use]
pub fn problem_rows(model: &Model) -> Vec<&Problem> {
    let Some(env) = model.shown() else { return Vec::new() };
    let terms = filter::of(model, &WORDS);
    let shown = env.problems.iter().filter(|p| matches(&terms, p));
    let (mut open, acknowledged): (Vec<&Problem>, Vec<&Problem>) =
        shown.partition(|problem| env.acknowledgement(problem).is_none());
    open.extend(acknowledged);
    open
}

/// The selected problem, and its place among the problem rows.
#[must_use]
pub fn selected_problem(model: &Model) -> Option<(usize, &Problem)> {
    let selection = &model.shown()?.selection;
    let (kind, host) = selection.problem.as_ref()?;
    problem_rows(model)
        .into_iter()
        .enumerate()
        .filter(|(_, p)| p.kind == *kind && p.host == *host)
        .nth(selection.problem_nth)
}

fn matches(terms: &Terms, problem: &Problem) -> bool {
    let host = |text: &str| problem.host.as_ref().is_some_and(|h| contains(h.as_str(), text));
    terms.all(|what| match what {
        TermSubject::Text(text) => {
            host(text)
                || contains(problem.kind.word(), text)
                || contains(&problem.kind.word().replace('_', " "), text)
                || contains(problem.severity.word(), text)
                || contains(&problem.message, text)
        }
        TermSubject::Is(Field::Host, values) => values.iter().any(|value| host(value)),
        TermSubject::Is(Field::State, values) => values.iter().any(|v| contains(problem.severity.word(), v)),
        TermSubject::Is(Field::Kind, values) => values.iter().any(|v| contains(problem.kind.word(), v)),
        // `term::read` lets no other field through on this screen.
        TermSubject::Is(..) | TermSubject::Figure(..) => false,
    })
}

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON PROBLEMS"
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[
            A::Up,
            A::Down,
            A::Open,
            A::Acknowledge,
            A::Filter,
            A::Retry,
            A::Shell,
            A::Power,
            A::Export,
            A::Pause,
        ]
    }

    fn is_table(&self) -> bool {
        true
    }

    fn tab(&self) -> Destination {
        Destination::Problems
    }

    fn door(&self) -> Option<Door> {
        Some(Door { key: Destination::Problems, screen: Screen::Problems, tab: Some("problems") })
    }

    fn filter(&self) -> Option<&'static Words> {
        Some(&WORDS)
    }

    fn count(&self, model: &Model) -> usize {
        problem_rows(model).len()
    }

    fn selected(&self, model: &Model) -> Option<usize> {
        selected_problem(model).map(|(at, _)| at)
    }

    fn select(&self, model: &mut Model, at: usize) -> bool {
        let rows = problem_rows(model);
        let Some(problem) = rows.get(at) else { return false };
        let identity = (problem.kind, problem.host.clone());
        let nth = rows.iter().take(at).filter(|p| p.kind == identity.0 && p.host == identity.1).count();
        let Some(env) = model.shown_mut() else { return false };
        env.selection.problem = Some(identity);
        env.selection.problem_nth = nth;
        true
    }

    fn host(&self, model: &Model) -> Option<HostName> {
        selected_problem(model)?.1.host.clone()
    }

    fn problem<'a>(&self, model: &'a Model) -> Option<&'a Problem> {
        selected_problem(model).map(|(_, problem)| problem)
    }

    fn acknowledges(&self) -> bool {
        true
    }

    fn hints(&self, _: &Model) -> &'static [(Action, &'static str)] {
        &[
            (Action::Help, "help"),
            (Action::Quit, "quit"),
            (Action::Filter, "filter"),
            (Action::Acknowledge, "acknowledge"),
            (Action::NextEnvironment, "env"),
            (Action::Open, "open"),
            (Action::Refresh, "refresh"),
            (Action::Pause, "pause"),
        ]
    }

    fn asks(&self, model: &Model) -> Vec<AppEffect> {
        // Which runbooks are for a problem is known from the list.
        let wanted = model.shown_name().filter(|_| model.listing().is_none());
        wanted.map(AppEffect::ListRunbooks).into_iter().collect()
    }

    fn open(&self, model: &mut Model) -> Vec<AppEffect> {
        let Some((_, problem)) = selected_problem(model) else { return Vec::new() };
        match (problem.host.clone(), problem.kind) {
            (Some(host), _) => model.open_host(host),
            (None, ProblemKind::RoleCount | ProblemKind::RoleImplies | ProblemKind::RolesDiffer) => {
                model.open_roles();
            }
            (
                None,
                ProblemKind::WritableMasters
                | ProblemKind::ServerId
                | ProblemKind::Cluster
                | ProblemKind::Database
                | ProblemKind::Replication
                | ProblemKind::ReplicationLag
                | ProblemKind::ReplicationTls,
            ) => model.open_replication(),
            (None, _) => model.say("this is about the whole environment, not one host".to_owned()),
        }
        Vec::new()
    }
}
