//! A plan, before anything runs; opening it starts it.

use super::{Screen, ScreenKind};
use crate::app::message::{AppEffect, Inputs};
use crate::app::model::Model;
use crate::app::model::editor::Editor;
use crate::app::model::runs::{Dialog, PlanScreen, PlanState};
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::run::Mode;

pub(super) struct Kind;

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON A PLAN"
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[A::Up, A::Down, A::PageUp, A::PageDown, A::Open, A::Arm, A::Back]
    }

    fn hints(&self, _: &Model) -> &'static [(Action, &'static str)] {
        &[
            (Action::Help, "help"),
            (Action::Back, "back"),
            (Action::Open, "start"),
            (Action::Down, "scroll"),
            (Action::Arm, "arm"),
        ]
    }

    fn tab(&self) -> Destination {
        Destination::Runbooks
    }

    fn is_text(&self) -> bool {
        true
    }

    fn may_pause(&self) -> bool {
        false
    }

    fn scroll<'a>(&self, model: &'a mut Model) -> Option<&'a mut usize> {
        model.runs.plan.as_mut().map(|plan| &mut plan.scroll)
    }

    fn opens(&self, model: &Model) -> bool {
        matches!(&model.runs.plan, Some(PlanScreen { state: PlanState::Made(_), .. }))
    }

    /// Asks why, and whether changes are to be made.
    fn open(&self, model: &mut Model) -> Vec<AppEffect> {
        let Some(PlanScreen { state: PlanState::Made(plan), .. }) = &model.runs.plan else {
            return Vec::new();
        };
        if plan.problems.is_empty() {
            let why = Editor::line();
            model.runs.dialogs.push(Dialog::Start { mode: Mode::DryRun, why, wrong: None });
        } else {
            model.say("this plan cannot be run: its blockers are above".to_owned());
        }
        Vec::new()
    }
}

impl Model {
    /// Asks for the plan.
    pub(in crate::app) fn make_plan(&mut self, runbook: String, inputs: Inputs) -> Vec<AppEffect> {
        let Some(env) = self.shown_name() else { return Vec::new() };
        self.runs.plan = Some(PlanScreen {
            env: env.clone(),
            runbook: runbook.clone(),
            state: PlanState::Making,
            refused: Vec::new(),
            scroll: 0,
        });
        self.push(Screen::Plan);
        vec![AppEffect::MakePlan(env, runbook, inputs)]
    }

    /// Starts the plan shown.
    pub(in crate::app) fn start_plan(&mut self, mode: Mode, why: &str) -> Vec<AppEffect> {
        let Some(screen) = &mut self.runs.plan else { return Vec::new() };
        let PlanState::Made(plan) = screen.state.clone() else { return Vec::new() };
        let (env, hash) = (screen.env.clone(), plan.hash.clone());
        screen.refused.clear();
        screen.scroll = 0;
        screen.state = PlanState::Starting(plan);
        vec![AppEffect::StartRun { env, plan: hash, why: why.to_owned(), mode }]
    }

    /// The plan has become a run: its screen, when it is on top, makes room for that of the run.
    pub(in crate::app) fn plan_begun(&mut self, run: String) {
        self.runs.plan = None;
        if self.screen() == &Screen::Plan {
            self.screens.pop();
            self.show_run(run);
        }
    }
}
