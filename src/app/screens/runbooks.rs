//! Runs that are not over, and the runbooks; a row leads to the run, or to the questions and the plan of the runbook.

use std::sync::Arc;

use super::{Door, Screen, ScreenKind};
use crate::app::message::{AppEffect, Inputs};
use crate::app::model::editor::Editor;
use crate::app::model::picker::Picker;
use crate::app::model::runs::{Dialog, Form, is_over};
use crate::app::model::{LibraryRow, Model};
use crate::app::rows::filter::{self, Field, TermSubject, Terms, contains, same};
use crate::app::rows::{Words, selection};
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::run::{Danger, Remedy, RunBrief, RunState, RunView, RunbookEntry};

pub(super) struct Kind;

/// What its filter may name.
static WORDS: Words = Words {
    screen: "runbooks",
    example: None,
    fields: &[("name", Field::Name), ("state", Field::State), ("risk", Field::Risk)],
    figures: &[],
};

/// A row of the list of runbooks.
#[derive(Debug, Clone, Copy)]
pub enum RunbookRow<'a> {
    /// A run this console has.
    Here(&'a Arc<RunView>),
    /// A run to resume, or to watch.
    Run(&'a RunBrief),
    /// A runbook.
    Runbook(&'a RunbookEntry),
}

impl RunbookRow<'_> {
    /// What it is, so that it can be found again.
    #[must_use]
    pub fn id(&self) -> LibraryRow {
        match self {
            Self::Here(run) => LibraryRow::Run(run.id.clone()),
            Self::Run(run) => LibraryRow::Run(run.id.clone()),
            Self::Runbook(runbook) => LibraryRow::Runbook(runbook.name.clone()),
        }
    }
}

/// Runs under way, runs that stand, runs of others, runs that are over, then the runbooks; as the filter lets through.
#[must_use]
pub fn runbook_rows(model: &Model) -> Vec<RunbookRow<'_>> {
    let Some(env) = model.environments.get(model.active) else { return Vec::new() };
    let terms = filter::of(model, &WORDS);
    let mut here: Vec<&Arc<RunView>> =
        model.runs.known.iter().rev().filter(|r| r.env == env.spec.name).collect();
    here.sort_by_key(|r| (!r.state.is_under_way(), is_over(&r.state)));
    let over = here.partition_point(|r| !is_over(&r.state));
    let (open, over) = here.split_at(over);
    let mut rows: Vec<RunbookRow<'_>> = open.iter().map(|r| RunbookRow::Here(r)).collect();
    if let Some(listing) = model.listing() {
        let others = listing.runs.iter().filter(|r| here.iter().all(|h| h.id != r.id));
        rows.extend(others.map(RunbookRow::Run));
    }
    rows.extend(over.iter().map(|r| RunbookRow::Here(r)));
    rows.extend(model.listing().into_iter().flat_map(|l| &l.runbooks).map(RunbookRow::Runbook));
    rows.retain(|row| matches(&terms, row));
    // The runbook that the inventory names for the problem that one comes from, what else is for it, then the best match: whoever
    // types a name means that runbook.
    rows.sort_by_key(|row| (!is_named(model, row), !fits(model, row), farthest(&terms, row)));
    rows
}

/// Whether a row is a runbook for the problem that one comes from.
#[must_use]
pub fn fits(model: &Model, row: &RunbookRow<'_>) -> bool {
    is_named(model, row) || remedy(model, row).is_some()
}

/// Whether the inventory names it for that problem.
fn is_named(model: &Model, row: &RunbookRow<'_>) -> bool {
    let RunbookRow::Runbook(runbook) = row else { return false };
    model.about().and_then(|problem| model.named_runbook(problem)) == Some(runbook.name.as_str())
}

/// What makes a row a runbook for the problem that one comes from.
fn remedy<'a>(model: &Model, row: &RunbookRow<'a>) -> Option<&'a Remedy> {
    let RunbookRow::Runbook(runbook) = row else { return None };
    model.remedy(model.about()?, runbook)
}

fn matches(terms: &Terms, row: &RunbookRow<'_>) -> bool {
    terms.all(|what| match what {
        TermSubject::Text(text) => texts(row).iter().any(|t| contains(t, text)),
        TermSubject::Is(Field::Name, values) => values.iter().any(|v| contains(name(row), v)),
        TermSubject::Is(Field::State, values) => values.iter().any(|v| contains(state(row), v)),
        TermSubject::Is(Field::Risk, values) => {
            values.iter().any(|v| risk(row).is_some_and(|r| contains(r, v)))
        }
        TermSubject::Is(..) | TermSubject::Figure(..) => false,
    })
}

/// How far a row is from what was typed: a name that begins with it, one that holds it, a title, anything else.
fn farthest(terms: &Terms, row: &RunbookRow<'_>) -> u8 {
    terms.texts().map(|text| distance(row, text)).max().unwrap_or(0)
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

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON RUNBOOKS"
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[A::Up, A::Down, A::Open, A::Export, A::Filter, A::Screen(Destination::PastRuns), A::Arm, A::Back]
    }

    fn hints(&self, _: &Model) -> &'static [(Action, &'static str)] {
        &[
            (Action::Help, "help"),
            (Action::Quit, "quit"),
            (Action::Filter, "filter"),
            (Action::Open, "open"),
            (Action::Screen(Destination::PastRuns), "past runs"),
            (Action::NextEnvironment, "env"),
            (Action::Palette, "find"),
            (Action::Arm, "arm"),
            (Action::Back, "back"),
        ]
    }

    fn is_table(&self) -> bool {
        true
    }

    fn tab(&self) -> Destination {
        Destination::Runbooks
    }

    fn door(&self) -> Option<Door> {
        Some(Door { key: Destination::Runbooks, screen: Screen::Runbooks, tab: Some("runs") })
    }

    fn filter(&self) -> Option<&'static Words> {
        Some(&WORDS)
    }

    fn best_match_first(&self) -> bool {
        true
    }

    fn may_pause(&self) -> bool {
        false
    }

    fn count(&self, model: &Model) -> usize {
        runbook_rows(model).len()
    }

    fn selected(&self, model: &Model) -> Option<usize> {
        let wanted = model.shown()?.selection.runbook.as_ref()?;
        runbook_rows(model).iter().position(|r| r.id() == *wanted)
    }

    fn select(&self, model: &mut Model, at: usize) -> bool {
        let Some(row) = runbook_rows(model).get(at).map(RunbookRow::id) else { return false };
        let Some(env) = model.shown_mut() else { return false };
        env.selection.runbook = Some(row);
        true
    }

    fn open(&self, model: &mut Model) -> Vec<AppEffect> {
        let rows = runbook_rows(model);
        let row = selection::selected(model).and_then(|at| rows.get(at).copied());
        let Some(row) = row else { return Vec::new() };
        match row {
            RunbookRow::Here(run) => {
                let id = run.id.clone();
                model.show_run(id);
                Vec::new()
            }
            RunbookRow::Run(run) if run.held => {
                let id = run.id.clone();
                model.say(format!("looking for {id}"));
                model.runs.opening = Some(id.clone());
                vec![AppEffect::WatchRun(id)]
            }
            RunbookRow::Run(run) => {
                let (id, mode) = (run.id.clone(), run.mode);
                model.resume_run(id, mode)
            }
            RunbookRow::Runbook(runbook) => {
                let runbook = runbook.clone();
                open_runbook(model, &runbook)
            }
        }
    }

    fn arrive(&self, model: &mut Model) -> bool {
        if model.shows_list() {
            return model.runs.about.is_some();
        }
        model.runs.about = model.screen().kind().problem(model).cloned();
        if model.runs.about.is_some()
            && let Some(env) = model.shown_mut()
        {
            env.selection.runbook = None;
        }
        model.runs.about.is_some()
    }

    fn asks(&self, model: &Model) -> Vec<AppEffect> {
        model.shown_name().map(AppEffect::ListRunbooks).into_iter().collect()
    }
}

/// Opens a runbook: the host of the problem that one comes from answers the input that asks for it.
fn open_runbook(model: &mut Model, runbook: &RunbookEntry) -> Vec<AppEffect> {
    let host = remedy(model, &RunbookRow::Runbook(runbook))
        .and_then(|remedy| Some((remedy.input.clone()?, model.about()?.host.as_ref()?.to_string())));
    begin(model, runbook, host.as_ref())
}

/// Asks what a runbook wants to know, then for its plan. `host`: an input, and the host that answers it.
fn begin(model: &mut Model, runbook: &RunbookEntry, host: Option<&(String, String)>) -> Vec<AppEffect> {
    if let Some(why) = model.no_runs() {
        model.runs.dialogs.push(Dialog::Refused(vec![why.into()]));
        return Vec::new();
    }
    let fields: Vec<_> = runbook
        .inputs
        .iter()
        .map(|input| {
            let mut value = if input.sensitive { Editor::secret() } else { Editor::line() };
            value.set(input.default.as_ref().map_or("", |d| d.as_str()));
            let mut input = input.clone();
            if let Some((_, host)) = host.filter(|(name, _)| *name == input.name) {
                value.set(host);
                input.because = Some("the host of the problem".into());
            } else if input.finds {
                input.because = Some("asking the database servers …".into());
            }
            (input, value)
        })
        .collect();
    let (name, title) = (runbook.name.clone(), runbook.title.clone());
    if fields.is_empty() {
        return model.make_plan(name, Inputs(Vec::new()));
    }
    let finds = fields.iter().any(|(input, _)| input.finds);
    let runbook = name.clone();
    let mut form = Form { runbook: name, title, fields, at: 0, picker: Picker::default(), wrong: None };
    form.go_to(0);
    model.runs.dialogs.push(Dialog::Inputs(form));
    match model.shown_name() {
        Some(env) if finds => vec![AppEffect::FindInputs(env, runbook)],
        Some(_) | None => Vec::new(),
    }
}

impl Model {
    /// What leads to the list.
    pub(in crate::app) const RUNBOOKS: Destination = Destination::Runbooks;

    /// Whether the list is on screen.
    pub(in crate::app) fn shows_list(&self) -> bool {
        self.screen() == &Screen::Runbooks
    }

    /// Selects a runbook of the list, and opens it, also when the filter hides it.
    pub(in crate::app) fn open_runbook(&mut self, name: &str) -> Vec<AppEffect> {
        let runbook = self.listing().and_then(|all| all.runbooks.iter().find(|one| one.name == name));
        let Some(runbook) = runbook.cloned() else { return Vec::new() };
        if let Some(env) = self.shown_mut() {
            env.selection.runbook = Some(LibraryRow::Runbook(runbook.name.clone()));
        }
        open_runbook(self, &runbook)
    }

    /// Goes to the list.
    pub(in crate::app) fn show_list(&mut self) {
        self.show(Screen::Runbooks);
    }
}
