//! Runbooks and runs by keys and news, without a terminal.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::*;
use crate::app::fixture::*;
use crate::app::message::{AppEffect, Inputs};
use crate::app::model::Screen;
use crate::app::model::runs::{Dialog, PlanState};
use crate::config::keymap::{KeyCode, KeyPress, Keymap};
use jumpdeck_fleet::run::*;
use jumpdeck_fleet::text::Clean;

mod armed;
mod editing;
mod leave;
mod past;
mod prompts;
mod remedies;
mod sequences;

const A_MOMENT: Duration = Duration::from_millis(500);

fn start() -> Model {
    let mut model = model();
    model.keymap = Arc::new(Keymap::builtin_default());
    jump_up(&mut model, "production");
    frame(&mut model);
    model
}

fn tell(model: &mut Model, event: RunEvent) -> Vec<AppEffect> {
    let effects = update(model, Msg::Run(event));
    frame(model);
    effects
}

fn key(model: &mut Model, code: KeyCode) -> Vec<AppEffect> {
    let effects = press(model, code);
    frame(model);
    effects
}

fn keys(model: &mut Model, text: &str) -> Vec<AppEffect> {
    text.chars().flat_map(|c| key(model, KeyCode::Char(c))).collect()
}

fn alt(model: &mut Model, c: char) -> Vec<AppEffect> {
    let effects = update(model, Msg::Key(KeyPress { code: KeyCode::Char(c), ctrl: false, alt: true }));
    frame(model);
    effects
}

fn wait(model: &mut Model, by: Duration) {
    pass(model, by);
    frame(model);
}

pub(super) fn input(choices: &[&str]) -> InputView {
    InputView {
        name: "candidate".into(),
        label: "The new masterdb".into(),
        help: None,
        wanted: "a host".into(),
        choices: choices.iter().map(|c| Clean::new(c)).collect(),
        default: None,
        finds: false,
        because: None,
        sensitive: false,
        not: Vec::new(),
    }
}

pub(super) fn listing(inputs: Vec<InputView>) -> RunEvent {
    let brief = |id: &str, held| RunBrief {
        id: id.into(),
        runbook: "replace-vm".into(),
        mode: Mode::Live,
        who: "ben".into(),
        held,
        says: "".into(),
    };
    RunEvent::List(Arc::new(Listing {
        env: env_name("production"),
        runs: vec![brief("r-stands", false), brief("r-held", true)],
        runbooks: vec![RunbookEntry {
            name: "promote".into(),
            title: "Promote".into(),
            summary: "".into(),
            danger: Danger::Data,
            own: false,
            steps: 2,
            inputs,
            remedies: Vec::new(),
            last_run: None,
        }],
        troubles: vec![],
    }))
}

fn plan() -> Arc<PlanView> {
    Arc::new(PlanView {
        runbook: "promote".into(),
        title: "Promote".into(),
        env: env_name("production"),
        simulated: true,
        challenge: false,
        hash: "abc".into(),
        inputs: vec![],
        targets: vec![],
        steps: vec![],
        problems: vec![],
    })
}

fn run(mode: Mode, prompt: Option<(u64, PromptKind)>) -> RunView {
    let step = |state| StepView {
        id: "freeze".into(),
        kind: "sql",
        asks: jumpdeck_fleet::run::Asks::Nothing,
        title: "Freeze".into(),
        on: vec![],
        effect: jumpdeck_fleet::run::Effect::Mutate,
        point_of_no_return: false,
        depth: 0,
        captures: Vec::new(),
        state,
        began: None,
        took: None,
        skipped_by_operator: false,
    };
    RunView {
        id: "r1".into(),
        runbook: "promote".into(),
        title: "Promote".into(),
        env: env_name("production"),
        simulated: true,
        mode,
        who: "anna".into(),
        why: "disks".into(),
        began: Moment(0),
        state: if prompt.is_some() { RunState::Waiting } else { RunState::Running },
        steps: vec![step(StepState::Done), step(StepState::Running), step(StepState::Waiting)],
        current: Some(1),
        doing: None,
        past: Vec::new(),
        earlier: 0,
        prompt: prompt.map(|(number, kind)| Prompt { number, title: "?".into(), text: vec![], kind }),
        safety: Safety::Safe,
        in_effect: Vec::new(),
        values: vec![],
        notes: vec![],
        watching: false,
        trouble: None,
        report: Vec::new(),
    }
}

/// A run on screen that asks this; the environment is armed or not.
pub(super) fn asked(mode: Mode, armed: bool, kind: PromptKind) -> Model {
    let mut model = start();
    model.runs.known.push(Arc::new(run(mode, Some((4, kind)))));
    model.screens.push(Screen::Run("r1".into()));
    if armed {
        arming::arm(&mut model, "disks", Duration::from_secs(600));
    }
    frame(&mut model);
    model
}

pub(super) fn answered(reply: Reply) -> Vec<AppEffect> {
    vec![AppEffect::TellRun("r1".into(), RunCommand::Answer { prompt: 4, reply })]
}

#[test]
fn from_the_list_over_inputs_and_plan_to_a_live_run() {
    let mut model = start();
    assert_eq!(keys(&mut model, "b"), [AppEffect::ListRunbooks(env_name("production"))]);
    tell(&mut model, listing(vec![input(&["db2", "db3"])]));
    key(&mut model, KeyCode::End);
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert!(matches!(model.runs.dialogs[..], [Dialog::Inputs(_)]));
    assert_eq!(key(&mut model, KeyCode::Enter), [], "nothing is chosen by itself");
    key(&mut model, KeyCode::Down);
    key(&mut model, KeyCode::Down);
    let inputs = Inputs(vec![("candidate".into(), Zeroizing::new("db3".into()))]);
    assert_eq!(
        key(&mut model, KeyCode::Enter),
        [AppEffect::MakePlan(env_name("production"), "promote".into(), inputs)]
    );
    assert_eq!(model.screen(), &Screen::Plan);
    assert_eq!(key(&mut model, KeyCode::Enter), [], "there is no plan yet");
    tell(&mut model, RunEvent::Plan(Ok(plan())));

    key(&mut model, KeyCode::Enter);
    assert_eq!(key(&mut model, KeyCode::Enter), [], "a reason is needed");
    keys(&mut model, "disks");
    key(&mut model, KeyCode::Tab);
    assert_eq!(key(&mut model, KeyCode::Enter), [], "live runs want an armed environment");
    assert!(matches!(&model.runs.dialogs[1], Dialog::Arm { reason, .. } if reason.as_str() == "disks"));
    key(&mut model, KeyCode::Enter);
    assert!(model.is_armed(&env_name("production")));
    let started = AppEffect::StartRun {
        env: env_name("production"),
        plan: "abc".into(),
        why: "disks".into(),
        mode: Mode::Live,
    };
    assert_eq!(key(&mut model, KeyCode::Enter), [started]);
    assert!(model.runs.dialogs.is_empty());
    tell(&mut model, RunEvent::Run(Arc::new(run(Mode::Live, None))));
    assert_eq!(model.screens[1..], [Screen::Runbooks, Screen::Run("r1".into())]);
    assert_eq!(key(&mut model, KeyCode::Esc), [AppEffect::ListRunbooks(env_name("production"))]);
}

#[test]
fn a_start_that_is_refused_says_why_and_can_be_tried_again() {
    let mut model = start();
    keys(&mut model, "b");
    tell(&mut model, listing(vec![]));
    key(&mut model, KeyCode::End);
    key(&mut model, KeyCode::Enter);
    tell(&mut model, RunEvent::Plan(Ok(plan())));
    key(&mut model, KeyCode::Enter);
    keys(&mut model, "try");
    let effects = key(&mut model, KeyCode::Enter);
    assert!(
        matches!(effects[..], [AppEffect::StartRun { mode: Mode::DryRun, .. }]),
        "dry unless chosen otherwise"
    );
    tell(&mut model, RunEvent::Refused(vec!["ben holds it".into()]));
    let screen = model.runs.plan.as_ref().unwrap();
    assert_eq!((screen.refused.len(), matches!(screen.state, PlanState::Made(_))), (1, true));
    assert_eq!(model.screen(), &Screen::Plan);
}

#[test]
fn a_plan_of_something_else_or_with_problems_is_not_started() {
    let mut model = start();
    keys(&mut model, "b");
    tell(&mut model, listing(vec![]));
    key(&mut model, KeyCode::End);
    key(&mut model, KeyCode::Enter);
    let other = PlanView { runbook: "other".into(), ..PlanView::clone(&plan()) };
    tell(&mut model, RunEvent::Plan(Ok(Arc::new(other))));
    assert_eq!(model.runs.plan.as_ref().unwrap().state, PlanState::Making);
    let broken = PlanView { problems: vec!["two masters".into()], ..PlanView::clone(&plan()) };
    tell(&mut model, RunEvent::Plan(Ok(Arc::new(broken))));
    key(&mut model, KeyCode::Enter);
    assert!(model.runs.dialogs.is_empty());
}

#[test]
fn runs_are_resumed_when_armed_and_others_are_watched() {
    let mut model = start();
    keys(&mut model, "b");
    tell(&mut model, listing(vec![]));
    key(&mut model, KeyCode::Home);
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert!(matches!(model.runs.dialogs[..], [Dialog::Arm { .. }]));
    key(&mut model, KeyCode::Enter);
    assert_eq!(key(&mut model, KeyCode::Enter), [AppEffect::ResumeRun("r-stands".into())]);
    key(&mut model, KeyCode::Down);
    assert_eq!(key(&mut model, KeyCode::Enter), [AppEffect::WatchRun("r-held".into())]);
    let watched =
        RunView { id: "r-held".into(), watching: true, ..run(Mode::Live, Some((4, PromptKind::Confirm))) };
    tell(&mut model, RunEvent::Run(Arc::new(watched)));
    assert_eq!(model.screen(), &Screen::Run("r-held".into()));
    wait(&mut model, A_MOMENT);
    assert_eq!(keys(&mut model, "yxn"), [], "who watches answers nothing");
    assert!(model.runs.dialogs.is_empty());
}

#[test]
fn values_are_typed_or_chosen() {
    let mut model = asked(Mode::Live, false, PromptKind::Input(input(&[])));
    wait(&mut model, A_MOMENT);
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    update(&mut model, Msg::Paste("10.0.0.9\nrm".into()));
    let typed = Reply::Text(Zeroizing::new("10.0.0.9".into()));
    assert_eq!(key(&mut model, KeyCode::Enter), answered(typed));

    let mut model = asked(Mode::Live, false, PromptKind::Input(input(&["a", "b"])));
    wait(&mut model, A_MOMENT);
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    key(&mut model, KeyCode::Down);
    key(&mut model, KeyCode::Down);
    assert_eq!(key(&mut model, KeyCode::Enter), answered(Reply::Text(Zeroizing::new("b".into()))));
}

#[test]
fn notes_stops_and_rollbacks_reach_the_run_also_while_text_is_typed() {
    let mut model = asked(Mode::Live, true, PromptKind::Challenge("db2".into()));
    wait(&mut model, A_MOMENT);
    keys(&mut model, "n");
    assert_eq!(model.runs.reply.typed.as_str(), "n");
    alt(&mut model, 'n');
    keys(&mut model, "slow");
    ctrl(&mut model, 'j');
    keys(&mut model, "disk");
    let note = |text: &str| AppEffect::TellRun("r1".into(), RunCommand::Note(text.into()));
    let kept = key(&mut model, KeyCode::Enter);
    assert_eq!(kept, [note("slow"), note("disk")], "a line end belongs to no note");
    assert_eq!(alt(&mut model, 'x'), [AppEffect::TellRun("r1".into(), RunCommand::Stop)]);
    assert_eq!(alt(&mut model, 'u'), [AppEffect::TellRun("r1".into(), RunCommand::Rollback)]);
}

#[test]
fn steps_are_walked_over_and_followed_again() {
    let mut model = asked(Mode::Live, true, PromptKind::Approve("x".into()));
    assert_eq!(model.shown_step(), Some(1));
    key(&mut model, KeyCode::Down);
    assert_eq!(model.shown_step(), Some(2));
    let approve = Some((4, PromptKind::Approve("x".into())));
    let moved = RunView { current: Some(0), ..run(Mode::Live, approve) };
    tell(&mut model, RunEvent::Run(Arc::new(moved)));
    assert_eq!(model.shown_step(), Some(2), "who looks at a step stays with it");
    keys(&mut model, "G");
    assert_eq!(model.shown_step(), Some(0));
}

#[test]
fn a_question_of_a_run_that_is_not_on_screen_is_told() {
    let mut model = start();
    tell(&mut model, RunEvent::Run(Arc::new(run(Mode::Live, Some((4, PromptKind::Confirm))))));
    assert!(model.notice.as_ref().unwrap().0.contains("waits for an answer"));
    wait(&mut model, A_MOMENT);
    assert_eq!(keys(&mut model, "y"), []);
}

#[test]
fn secrets_are_in_no_debug_text() {
    let inputs = Inputs(vec![("password".into(), Zeroizing::new("geheim".into()))]);
    assert!(!format!("{:?}", AppEffect::MakePlan(env_name("a"), "r".into(), inputs)).contains("geheim"));
    let reply = Reply::Text(Zeroizing::new("geheim".into()));
    let effect = AppEffect::TellRun("r".into(), RunCommand::Answer { prompt: 1, reply });
    assert!(!format!("{effect:?}").contains("geheim"));
}
