//! The past runs of this machine; a row leads to the report.

use super::{Door, Screen, ScreenKind, place};
use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::app::rows::filter::{self, Field, TermSubject, Terms, contains, same};
use crate::app::rows::{Words, selection};
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::run::PastRun;

pub(super) struct Kind;

/// What its filter may name.
static WORDS: Words = Words {
    screen: "past runs",
    example: None,
    fields: &[("name", Field::Name), ("state", Field::State), ("env", Field::Env)],
    figures: &[],
};

/// The past runs that the filter lets through, the newest first.
#[must_use]
pub fn past_rows(model: &Model) -> Vec<&PastRun> {
    let Some(Ok(runs)) = model.runs.past.as_ref().map(|past| &past.runs) else { return Vec::new() };
    let terms = filter::of(model, &WORDS);
    runs.iter().filter(|run| matches(&terms, run)).collect()
}

fn matches(terms: &Terms, run: &PastRun) -> bool {
    let texts =
        [run.id.as_str(), run.runbook.as_str(), run.env.as_str(), run.who.as_str(), run.says.as_str()];
    terms.all(|what| match what {
        TermSubject::Text(text) => texts.iter().any(|t| contains(t, text)),
        TermSubject::Is(Field::Name, values) => values.iter().any(|v| contains(run.runbook.as_str(), v)),
        TermSubject::Is(Field::State, values) => values.iter().any(|v| contains(run.says.as_str(), v)),
        TermSubject::Is(Field::Env, values) => values.iter().any(|v| same(run.env.as_str(), v)),
        TermSubject::Is(..) | TermSubject::Figure(..) => false,
    })
}

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON PAST RUNS"
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[A::Up, A::Down, A::Open, A::Filter, A::Export, A::Refresh, A::Back]
    }

    fn hints(&self, _: &Model) -> &'static [(Action, &'static str)] {
        &[
            (Action::Help, "help"),
            (Action::Back, "back"),
            (Action::Filter, "filter"),
            (Action::Open, "open"),
            (Action::Refresh, "read again"),
        ]
    }

    fn is_table(&self) -> bool {
        true
    }

    fn tab(&self) -> Destination {
        Destination::Runbooks
    }

    fn door(&self) -> Option<Door> {
        Some(Door { key: Destination::PastRuns, screen: Screen::PastRuns, tab: None })
    }

    fn behind(&self) -> Option<Screen> {
        Screen::at(self.tab())
    }

    fn filter(&self) -> Option<&'static Words> {
        Some(&WORDS)
    }

    fn count(&self, model: &Model) -> usize {
        past_rows(model).len()
    }

    fn selected(&self, model: &Model) -> Option<usize> {
        let wanted = model.shown()?.selection.past_run.as_ref()?;
        place(past_rows(model).iter().map(|r| &r.id), wanted)
    }

    fn select(&self, model: &mut Model, at: usize) -> bool {
        let Some(run) = past_rows(model).get(at).map(|r| r.id.clone()) else { return false };
        let Some(env) = model.shown_mut() else { return false };
        env.selection.past_run = Some(run);
        true
    }

    /// Opens the report of the past run selected: only to read.
    fn open(&self, model: &mut Model) -> Vec<AppEffect> {
        let rows = past_rows(model);
        let run = selection::selected(model).and_then(|at| rows.get(at)).map(|run| run.id.clone());
        run.map_or_else(Vec::new, |run| model.open_past_run(run))
    }

    fn asks(&self, _: &Model) -> Vec<AppEffect> {
        vec![AppEffect::ListPastRuns]
    }
}
