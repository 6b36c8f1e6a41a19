//! From the list to a run: opening what is selected, inputs, the plan, the start.

use super::listing::{env, list};
use super::{arming, moves, pause};
use crate::app::message::{Effect, Inputs};
use crate::app::model::editor::Editor;
use crate::app::model::picker::Picker;
use crate::app::model::runs::{Dialog, Form, PlanScreen, PlanState};
use crate::app::model::{Model, Row, Screen};
use crate::app::rows::{RunbookRow, past_rows, runbook_rows, selection::selected};
use jumpdeck_fleet::run::{Mode, RunState};

/// Goes to the list.
pub(super) fn show(model: &mut Model) -> Vec<Effect> {
    pause::unpause(model);
    moves::show(model, Screen::Runbooks);
    list(model)
}

/// Opens what is selected: a run, a runbook; of a plan the start; of a run that stands its going on.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    match model.screen() {
        Screen::Runbooks => open_row(model),
        Screen::Plan => {
            ask_start(model);
            Vec::new()
        }
        Screen::Run(_) => go_on(model),
        Screen::PastRuns => open_past(model),
        Screen::Fleet
        | Screen::Host(_)
        | Screen::Replication
        | Screen::Roles
        | Screen::Problems
        | Screen::PastRun(_) => Vec::new(),
    }
}

/// The past runs: their way back is the list of runbooks.
pub(super) fn show_past(model: &mut Model) -> Vec<Effect> {
    if model.screen() == &Screen::PastRuns {
        return Vec::new();
    }
    moves::show(model, Screen::Runbooks);
    moves::push(model, Screen::PastRuns);
    list(model)
}

/// Opens the report of the past run selected: only to read.
fn open_past(model: &mut Model) -> Vec<Effect> {
    let rows = past_rows(model);
    let Some(run) = selected(model).and_then(|at| rows.get(at)).map(|run| run.id.clone()) else {
        return Vec::new();
    };
    moves::push(model, Screen::PastRun(run.clone()));
    vec![Effect::ReadPastRun(run)]
}

fn open_row(model: &mut Model) -> Vec<Effect> {
    let rows = runbook_rows(model);
    let Some(row) = selected(model).and_then(|at| rows.get(at).copied()) else { return Vec::new() };
    match row {
        RunbookRow::Here(run) => {
            let id = run.id.clone();
            show_run(model, id);
            Vec::new()
        }
        RunbookRow::Run(run) if run.held => {
            let id = run.id.clone();
            model.say(format!("looking for {id}"));
            model.runs.opening = Some(id.clone());
            vec![Effect::WatchRun(id)]
        }
        RunbookRow::Run(run) => {
            let (id, mode) = (run.id.clone(), run.mode);
            resume(model, id, mode)
        }
        RunbookRow::Runbook(runbook) => {
            let fields: Vec<_> = runbook
                .inputs
                .iter()
                .map(|input| {
                    let mut value = if input.sensitive { Editor::secret() } else { Editor::line() };
                    value.set(input.default.as_ref().map_or("", |d| d.as_str()));
                    let mut input = input.clone();
                    if input.finds {
                        input.because = Some("asking the database servers …".into());
                    }
                    (input, value)
                })
                .collect();
            let (name, title) = (runbook.name.clone(), runbook.title.clone());
            if fields.is_empty() {
                return plan(model, name, Inputs(Vec::new()));
            }
            let finds = fields.iter().any(|(input, _)| input.finds);
            let runbook = name.clone();
            let mut form =
                Form { runbook: name, title, fields, at: 0, picker: Picker::default(), wrong: None };
            form.go_to(0);
            model.runs.dialogs.push(Dialog::Inputs(form));
            match env(model) {
                Some(env) if finds => vec![Effect::FindInputs(env, runbook)],
                Some(_) | None => Vec::new(),
            }
        }
    }
}

fn resume(model: &mut Model, id: String, mode: Mode) -> Vec<Effect> {
    let Some(env) = env(model) else { return Vec::new() };
    if mode == Mode::Live && arming::wanted(model, &env, format!("resume {id}")) {
        return Vec::new();
    }
    model.say(format!("resuming {id}"));
    model.runs.opening = Some(id.clone());
    vec![Effect::ResumeRun(id)]
}

/// A run that stands goes on.
fn go_on(model: &mut Model) -> Vec<Effect> {
    let Some(run) = model.shown_run() else { return Vec::new() };
    if run.watching || !matches!(run.state, RunState::Stopped(_)) {
        return Vec::new();
    }
    let (id, mode) = (run.id.clone(), run.mode);
    resume(model, id, mode)
}

/// Asks for the plan.
pub(super) fn plan(model: &mut Model, runbook: String, inputs: Inputs) -> Vec<Effect> {
    let Some(env) = env(model) else { return Vec::new() };
    model.runs.plan = Some(PlanScreen {
        env: env.clone(),
        runbook: runbook.clone(),
        state: PlanState::Making,
        refused: Vec::new(),
        scroll: 0,
    });
    moves::push(model, Screen::Plan);
    vec![Effect::MakePlan(env, runbook, inputs)]
}

/// Asks why, and whether changes are to be made.
fn ask_start(model: &mut Model) {
    let Some(PlanScreen { state: PlanState::Made(plan), .. }) = &model.runs.plan else { return };
    if !plan.problems.is_empty() {
        model.say("this plan cannot be run: its blockers are above".to_owned());
        return;
    }
    model.runs.dialogs.push(Dialog::Start { mode: Mode::DryRun, why: Editor::line(), wrong: None });
}

/// Starts the plan shown.
pub(super) fn start(model: &mut Model, mode: Mode, why: &str) -> Vec<Effect> {
    let Some(screen) = &mut model.runs.plan else { return Vec::new() };
    let PlanState::Made(plan) = screen.state.clone() else { return Vec::new() };
    let (env, hash) = (screen.env.clone(), plan.hash.clone());
    screen.refused.clear();
    screen.scroll = 0;
    screen.state = PlanState::Starting(plan);
    vec![Effect::StartRun { env, plan: hash, why: why.to_owned(), mode }]
}

/// Shows a run from its current step.
pub(super) fn show_run(model: &mut Model, id: String) {
    if let Some(env) = model.environments.get_mut(model.active) {
        env.selection.runbook = Some(Row::Run(id.clone()));
    }
    (model.runs.step, model.runs.scroll) = (None, None);
    moves::push(model, Screen::Run(id));
}
