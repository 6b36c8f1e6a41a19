//! News of runs: lists, plans, runs that began, went on, ask something or ended.

use std::sync::Arc;

use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::app::model::runs::{Dialog, Leave, PlanState, ReplyDraft, is_over};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::run::{InputView, PlanView, RunEvent, RunView};
use jumpdeck_fleet::text::Clean;

/// Runs that are over are kept to look at, so many.
const KEPT: usize = 20;

pub(super) fn take(model: &mut Model, event: RunEvent) -> Vec<AppEffect> {
    match event {
        RunEvent::List(listing) => {
            model.runs.listings.insert(listing.env.clone(), listing);
            Vec::new()
        }
        RunEvent::Found { env, runbook, inputs } => {
            take_found(model, &env, &runbook, inputs);
            Vec::new()
        }
        RunEvent::Plan(made) => {
            take_plan(model, made);
            Vec::new()
        }
        RunEvent::Run(run) => take_run(model, run),
        RunEvent::PastRuns(past) => {
            model.runs.past = Some(past);
            Vec::new()
        }
        RunEvent::PastReport(report) => {
            // Another one's may come late.
            if model.shown_past_run() == Some(report.run.as_str()) {
                model.runs.past_report = Some(report);
            }
            Vec::new()
        }
        RunEvent::CommandReady { id, said } => {
            super::commands::ready(model, id, said);
            Vec::new()
        }
        RunEvent::Command(view) => {
            super::commands::take(model, view);
            Vec::new()
        }
        RunEvent::Power(news) => {
            super::power::take(model, &news);
            Vec::new()
        }
        RunEvent::Refused(why) => {
            refused(model, why);
            Vec::new()
        }
    }
}

/// What facts answer stands in the form, unless a person wrote something there.
fn take_found(model: &mut Model, env: &EnvName, runbook: &str, inputs: Vec<InputView>) {
    let here = model.shown_name().as_ref() == Some(env);
    let Some(Dialog::Inputs(form)) = model.runs.dialogs.last_mut() else { return };
    if here && form.runbook == runbook {
        inputs.into_iter().for_each(|input| form.found(input));
    }
}

fn take_plan(model: &mut Model, made: Result<Arc<PlanView>, Clean>) {
    let Some(screen) = &mut model.runs.plan else { return };
    if screen.state != PlanState::Making {
        return;
    }
    match made {
        // Another one's plan, asked for before this.
        Ok(plan) if plan.env != screen.env || plan.runbook != screen.runbook => {}
        Ok(plan) => screen.state = PlanState::Made(plan),
        Err(why) => screen.state = PlanState::Failed(why),
    }
}

fn refused(model: &mut Model, why: Vec<Clean>) {
    model.runs.opening = None;
    match &mut model.runs.plan {
        Some(screen) if matches!(screen.state, PlanState::Starting(_)) => {
            if let PlanState::Starting(plan) = screen.state.clone() {
                screen.state = PlanState::Made(plan);
            }
            (screen.refused, screen.scroll) = (why, 0);
        }
        _ => model.runs.dialogs.push(Dialog::Refused(why)),
    }
}

fn take_run(model: &mut Model, run: Arc<RunView>) -> Vec<AppEffect> {
    let id = run.id.clone();
    let shown = model.shows_run(&id);
    let before = model.runs.known.iter().position(|r| r.id == id);
    let asked = |r: &RunView| r.prompt.as_ref().map(|p| p.number);
    let was = before.and_then(|at| model.runs.known.get(at).cloned());
    if shown && was.as_ref().is_some_and(|w| w.current != run.current) && model.runs.step.is_none() {
        model.runs.scroll = None;
    }
    if was.as_ref().and_then(|w| asked(w)) != asked(&run) {
        if shown {
            let was_open = was.as_ref().is_some_and(|w| w.prompt.is_some() && !w.watching);
            if was_open && !model.runs.reply.given {
                // Whoever is typing an answer goes on for a moment.
                model.vanished = Some(model.now);
            }
            // What is asked is asked with its command and facts on screen.
            (model.runs.reply, model.runs.scroll, model.runs.step) = (ReplyDraft::default(), None, None);
            model.runs.asked = None;
        } else if run.prompt.is_some() && !run.watching {
            model.say(format!("{} of {} waits for an answer", run.runbook, run.env));
        }
    }
    match before.and_then(|at| model.runs.known.get_mut(at)) {
        Some(slot) => *slot = run.clone(),
        None => keep(model, run.clone()),
    }
    if !run.state.is_under_way() && was.is_some_and(|was| was.state.is_under_way()) {
        // What was said of it while it was under way is over.
        model.notice = None;
    }
    appear(model, &run);
    quit_when_all_stand(model)
}

fn keep(model: &mut Model, run: Arc<RunView>) {
    model.runs.known.push(run);
    let shown = model.shown_run().map(|r| r.id.clone());
    while model.runs.known.len() > KEPT {
        let old = |r: &Arc<RunView>| is_over(&r.state) && Some(&r.id) != shown.as_ref();
        let Some(at) = model.runs.known.iter().position(old) else { break };
        model.runs.known.remove(at);
    }
}

/// A run that was asked for is shown when it appears.
fn appear(model: &mut Model, run: &RunView) {
    if model.runs.opening.as_deref() == Some(run.id.as_str()) {
        model.runs.opening = None;
        if model.shows_list() {
            model.show_run(run.id.clone());
        }
    }
    let starting = |screen: &crate::app::model::runs::PlanScreen| matches!(&screen.state, PlanState::Starting(plan) if plan.env == run.env && plan.runbook == run.runbook);
    let begun = run.state.is_under_way() && !run.watching;
    if begun && model.runs.plan.as_ref().is_some_and(starting) {
        model.plan_begun(run.id.clone());
    }
}

/// Who wants to leave is let go once nothing is under way any more.
fn quit_when_all_stand(model: &Model) -> Vec<AppEffect> {
    let leaving = model.runs.dialogs.iter().any(|d| matches!(d, Dialog::Leave(Leave { stopping: true, .. })));
    if leaving && model.runs_under_way().next().is_none() { vec![AppEffect::Quit] } else { Vec::new() }
}
