//! What the console knows of runbooks: what there is to run, the plan that is shown, the runs, what lies over them, and
//! whether changes may be made at all.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Model;
use super::columns::ColumnForm;
use super::commands::CommandForm;
use super::editor::Editor;
use super::export::ExportForm;
use super::note::Note;
use super::picker::Picker;
use super::session::{SessionForm, SessionNote};
use super::views::ViewQuestion;
use crate::config::keymap::{KeyCode, KeyPress};
use crate::config::views::SavedView;
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::problem::Problem;
use jumpdeck_fleet::run::{
    Arming, InEffect, InputView, Listing, Mode, PastReport, PastRuns, PlanView, Prompt, PromptKind, RunState,
    RunView, StepState,
};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;
use jumpdeck_fleet::timeline::ProblemKey;

/// Columns and rows below which no screen is drawn, and nothing on it can be answered.
pub const SMALLEST: (u16, u16) = (60, 15);
/// Keys pressed sooner than this after a prompt was drawn were meant for what stood there before; the silence wanted
/// before a single letter that answers.
const ANSWER_AFTER: Duration = Duration::from_millis(400);
/// How long changes are asked for, to begin with.
const USUAL_TIME: &str = "30m";

/// Runbooks and runs.
#[derive(Default)]
pub struct Runs {
    /// What there is to run, by environment, as last told.
    pub listings: HashMap<EnvName, Arc<Listing>>,
    /// The problem that a runbook is looked for.
    pub about: Option<Problem>,
    /// What the plan screen shows.
    pub plan: Option<PlanScreen>,
    /// Every run this console started, resumed or watches, oldest first.
    pub known: Vec<Arc<RunView>>,
    /// Runs under which the inventory has changed, by their id: what changed.
    pub outdated: HashMap<String, Clean>,
    /// The past runs of this machine, as last read.
    pub past: Option<Arc<PastRuns>>,
    /// What the journal of the past run opened last tells, once it is read.
    pub past_report: Option<Arc<PastReport>>,
    /// A run that was asked for and has not shown itself yet.
    pub opening: Option<String>,
    /// The dialogs, the last on top.
    pub dialogs: Vec<Dialog>,
    /// What is being answered to the prompt shown.
    pub reply: ReplyDraft,
    /// The prompt last drawn, and when it first was (or, where a single letter answers, when the last other key was
    /// pressed).
    pub(in crate::app) asked: Option<(PromptId, Moment)>,
    /// The step looked at; none: the current one, whichever that is.
    pub step: Option<usize>,
    /// The first line shown of what the step does; none: what matters now is chosen.
    pub scroll: Option<usize>,
    /// The environment armed for changes.
    pub armed: Option<Arming>,
    /// The environment that is not armed any more, and why.
    pub disarmed: Option<(EnvName, &'static str)>,
    /// When a person last pressed a key.
    pub touched: Moment,
}

/// Tells what a person is asked apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptId {
    /// By a run: its id and the prompt's number.
    Run(String, u64),
    /// By the console itself, in the dialog that lies so high.
    Dialog(usize),
}

/// The plan screen.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanScreen {
    /// The environment.
    pub env: EnvName,
    /// The runbook.
    pub runbook: String,
    /// How far it is.
    pub state: PlanState,
    /// Why it could not be started.
    pub refused: Vec<Clean>,
    /// The first line shown.
    pub scroll: usize,
}

/// How far a plan is.
#[derive(Debug, Clone, PartialEq)]
pub enum PlanState {
    /// Hosts are being asked.
    Making,
    /// Here it is.
    Made(Arc<PlanView>),
    /// There is none: why.
    Failed(Clean),
    /// It was started.
    Starting(Arc<PlanView>),
}

/// What is being answered to a prompt.
#[derive(Default)]
pub struct ReplyDraft {
    /// To which.
    pub to: Option<PromptId>,
    /// What is typed: a value, or the reason of a choice.
    pub typed: Editor,
    /// The choice whose reason is typed.
    pub chosen: Option<char>,
    /// Which of the values to choose from.
    pub picker: Picker,
    /// What was wrong with the last try.
    pub wrong: Option<&'static str>,
    /// It was given; the run has not gone on yet.
    pub given: bool,
}

/// A dialog over the screen.
#[derive(Debug)]
pub enum Dialog {
    /// What a runbook asks before a plan is made.
    Inputs(Form),
    /// Why a run is started, and whether changes are made.
    Start {
        /// Whether changes are made.
        mode: Mode,
        /// Why.
        why: Editor,
        /// What is wrong with it.
        wrong: Option<&'static str>,
    },
    /// For what and for how long an environment is armed.
    Arm {
        /// For what.
        reason: Editor,
        /// For how long, as typed.
        time: Editor,
        /// Whether the time is being typed, not the reason.
        at_time: bool,
        /// What is wrong with it.
        wrong: Option<&'static str>,
    },
    /// Why a problem needs nothing now, and until when.
    Acknowledge(AcknowledgeForm),
    /// A note on a run.
    Note {
        /// Which run.
        run: String,
        /// The text so far.
        text: Note,
    },
    /// What a maintenance session is, to whom it is handed over, or whether it ends.
    Session(SessionForm),
    /// A note for a maintenance session.
    SessionNote(SessionNote),
    /// A command on hosts, before it is run.
    Command(CommandForm),
    /// A run could not be started, resumed or watched: why.
    Refused(Vec<Clean>),
    /// Whether to leave although runs are under way or something is still in effect.
    Leave(Leave),
    /// Under which name the view on screen is saved.
    SaveView {
        /// The view, without its name.
        view: SavedView,
        /// The name so far.
        name: Editor,
        /// What is wrong with it.
        wrong: Option<&'static str>,
    },
    /// Where the table on screen is written.
    Export(ExportForm),
    /// Which columns the fleet table has.
    Columns(ColumnForm),
    /// Whether a saved view is replaced or deleted.
    ViewQuestion(ViewQuestion),
}

/// An acknowledgement that is being written.
#[derive(Debug)]
pub struct AcknowledgeForm {
    /// The environment.
    pub env: EnvName,
    /// The problem.
    pub key: ProblemKey,
    /// Its host, and what it says.
    pub message: Clean,
    /// Why nothing is to be done now.
    pub reason: Editor,
    /// Its end, as typed.
    pub until: Editor,
    /// Whether the end is being typed, not the reason.
    pub at_until: bool,
    /// What is wrong with it.
    pub wrong: Option<&'static str>,
}

/// What is typed to leave something in effect.
pub const LEAVE_WORD: &str = "leave";

/// What is left, and how far that is.
#[derive(Debug)]
pub struct Leave {
    /// What.
    pub what: LeaveQuestion,
    /// The word being typed that leaves things in effect.
    pub typed: Option<Editor>,
    /// What is wrong with it.
    pub wrong: Option<&'static str>,
    /// Runs were told to stop, and are waited for.
    pub stopping: bool,
}

/// What may be left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaveQuestion {
    /// The program.
    Quit,
    /// A run, which is told to stop.
    Stop(String),
}

impl Leave {
    /// Asks.
    #[must_use]
    pub fn new(what: LeaveQuestion) -> Self {
        Self { what, typed: None, wrong: None, stopping: false }
    }
}

/// What a runbook asks for, and what was given.
pub struct Form {
    /// The runbook.
    pub runbook: String,
    /// Its title.
    pub title: Clean,
    /// What is asked, and each answer.
    pub fields: Vec<(InputView, Editor)>,
    /// Which is being answered.
    pub at: usize,
    /// The choice of it, where it is one of several values.
    pub picker: Picker,
    /// What is wrong with it.
    pub wrong: Option<&'static str>,
}

impl Form {
    /// The values that the question at hand may be answered with: without those it must differ from. Empty for any.
    #[must_use]
    pub fn choices(&self) -> Vec<Clean> {
        let Some((input, _)) = self.fields.get(self.at) else { return Vec::new() };
        let taken = |choice: &&Clean| {
            self.fields
                .iter()
                .any(|(other, value)| input.not.contains(&other.name) && value.as_str() == choice.as_str())
        };
        input.choices.iter().filter(|choice| !taken(choice)).cloned().collect()
    }

    /// Takes what facts say of a question. What a person wrote stays.
    pub fn found(&mut self, found: InputView) {
        let Some(at) = self.fields.iter().position(|(input, _)| input.name == found.name) else { return };
        let Some((input, value)) = self.fields.get_mut(at) else { return };
        let default = input.default.as_ref().map_or("", Clean::as_str);
        let untouched = value.as_str() == default;
        (input.default, input.because) = (found.default, found.because);
        if !untouched || (at == self.at && !self.picker.filter.is_empty()) {
            return;
        }
        value.set(input.default.as_ref().map_or("", Clean::as_str));
        if at == self.at {
            self.go_to(at);
        }
    }

    /// Goes to another question.
    pub fn go_to(&mut self, at: usize) {
        (self.at, self.wrong) = (at.min(self.fields.len().saturating_sub(1)), None);
        // Only of values to choose from: another may be a secret.
        let choice = self.fields.get(self.at).filter(|(input, _)| !input.choices.is_empty());
        let value = choice.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty());
        self.picker = Picker { chosen: value.map(str::to_owned), ..Picker::default() };
    }
}

impl std::fmt::Debug for Form {
    /// Without the answers: they may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Form").field("runbook", &self.runbook).field("at", &self.at).finish_non_exhaustive()
    }
}

impl Model {
    /// A run by its id.
    #[must_use]
    pub fn run(&self, id: &str) -> Option<&Arc<RunView>> {
        self.runs.known.iter().find(|r| r.id == id)
    }

    /// The step of the run on screen that is looked at.
    #[must_use]
    pub fn shown_step(&self) -> Option<usize> {
        let run = self.shown_run()?;
        let last = run.steps.len().checked_sub(1)?;
        let reached = run.steps.iter().rposition(|s| s.state != StepState::Waiting);
        Some(self.runs.step.or(run.current).or(reached).unwrap_or(0).min(last))
    }

    /// What there is to run in the environment shown.
    #[must_use]
    pub fn listing(&self) -> Option<&Arc<Listing>> {
        self.runs.listings.get(&self.environments.get(self.active)?.spec.name)
    }

    /// The prompt a key would answer: that of the run on screen, when nothing lies over it.
    #[must_use]
    pub fn open_prompt(&self) -> Option<(&Arc<RunView>, &Prompt)> {
        let covered = self.help.is_some()
            || self.palette.is_open()
            || !self.questions.is_empty()
            || !self.runs.dialogs.is_empty()
            || self.size.0 < SMALLEST.0
            || self.size.1 < SMALLEST.1;
        let run = self.shown_run().filter(|run| !covered && !run.watching)?;
        Some((run, run.prompt.as_ref()?))
    }

    /// Whether the prompt on screen takes that key, so that it means nothing else there.
    #[must_use]
    pub fn prompt_takes(&self, key: KeyPress) -> bool {
        let Some((run, prompt)) = self.open_prompt() else { return false };
        let own = PromptId::Run(run.id.clone(), prompt.number);
        let reply = Some(&self.runs.reply).filter(|reply| reply.to.as_ref() == Some(&own));
        if reply.is_some_and(|reply| reply.given) {
            return false;
        }
        let plain = !key.ctrl && !key.alt;
        let typed = reply.is_some_and(|reply| !reply.typed.is_empty());
        match &prompt.kind {
            PromptKind::Confirm => {
                plain && matches!(key.code, KeyCode::Char('y' | 'Y' | 'n' | 'N') | KeyCode::Enter)
            }
            PromptKind::Approve(_) => plain && matches!(key.code, KeyCode::Char('n' | 'N')),
            PromptKind::Choose(_) if reply.is_some_and(|reply| reply.chosen.is_some()) => {
                is_typing(key) || key.code == KeyCode::Esc
            }
            PromptKind::Choose(ways) => plain && ways.iter().any(|way| key.code == KeyCode::Char(way.key)),
            PromptKind::Input(input) if !input.choices.is_empty() => {
                let narrowed = reply.is_some_and(|reply| !reply.picker.filter.is_empty());
                let takes = |picker: &Picker| picker.takes(key, input.choices.len());
                reply.map_or_else(|| takes(&Picker::default()), |reply| takes(&reply.picker))
                    || key.code == KeyCode::Enter
                    || (key.code == KeyCode::Esc && narrowed)
            }
            // Nothing is thrown away by a key that leaves the screen.
            PromptKind::Challenge(_) | PromptKind::Input(_) => {
                is_typing(key) || (key.code == KeyCode::Esc && typed)
            }
        }
    }

    /// What a person is asked on the screen as it stands.
    pub(in crate::app) fn asking(&self) -> Option<PromptId> {
        if let Some((run, prompt)) = self.open_prompt() {
            return Some(PromptId::Run(run.id.clone(), prompt.number));
        }
        let depth = self.runs.dialogs.len();
        // On a terminal that is too small nothing is drawn.
        let is_seen = self.size.0 >= SMALLEST.0 && self.size.1 >= SMALLEST.1;
        (depth > 0 && is_seen && self.questions.is_empty()).then_some(PromptId::Dialog(depth))
    }

    /// Whether what is asked has been on screen long enough for a key to be meant for it.
    #[must_use]
    pub fn may_reply(&self) -> bool {
        match (&self.runs.asked, self.asking()) {
            (Some((drawn, at)), Some(id)) => *drawn == id && self.now.since(*at) >= ANSWER_AFTER,
            _ => false,
        }
    }

    /// Runs of this console that go on.
    pub fn runs_under_way(&self) -> impl Iterator<Item = &Arc<RunView>> {
        self.runs.known.iter().filter(|r| !r.watching && r.state.is_under_way())
    }

    /// The runs that are left: all of this console, or the one that is stopped.
    pub fn left_by<'a>(&'a self, what: &'a LeaveQuestion) -> impl Iterator<Item = &'a Arc<RunView>> {
        self.runs.known.iter().filter(move |run| {
            !run.watching
                && match what {
                    LeaveQuestion::Quit => true,
                    LeaveQuestion::Stop(id) => run.id == *id,
                }
        })
    }

    /// What runs of an environment began and have not ended, with the run of each.
    pub fn in_effect<'a>(&'a self, env: &'a EnvName) -> impl Iterator<Item = (&'a RunView, &'a InEffect)> {
        let here = self.runs.known.iter().filter(move |run| run.env == *env);
        here.flat_map(|run| run.in_effect.iter().map(move |effect| (&**run, effect)))
    }

    /// Whether changes may be made in that environment now.
    #[must_use]
    pub fn is_armed(&self, env: &EnvName) -> bool {
        self.runs.armed.as_ref().is_some_and(|a| a.env == *env)
    }

    /// Asks what changes are for, and for how long they may be made.
    pub(in crate::app) fn ask_arming(&mut self, reason: String) {
        let reason = reason.as_str().into();
        let time = USUAL_TIME.into();
        self.runs.dialogs.push(Dialog::Arm { reason, time, at_time: false, wrong: None });
    }

    /// Notes that a frame was drawn: from now on what is asked on it may be answered.
    pub(super) fn prompt_drawn(&mut self) {
        let shown = self.asking();
        if self.runs.asked.as_ref().map(|(id, _)| id) != shown.as_ref() {
            self.runs.asked = shown.map(|id| (id, self.now));
        }
    }

    /// Starts the silence before a single letter over.
    pub(in crate::app) fn prompt_disturbed(&mut self) {
        if let Some((_, since)) = &mut self.runs.asked {
            *since = self.now;
        }
    }

    /// Whether anything of runs changes on screen by time alone.
    pub(super) fn runs_age(&self) -> bool {
        self.runs.armed.is_some()
            || self.runs.known.iter().any(|r| r.state.is_under_way())
            || matches!(&self.runs.plan, Some(p) if matches!(p.state, PlanState::Making | PlanState::Starting(_)))
    }
}

/// Whether a line of text takes that key; what it cannot use of letters means nothing else meanwhile.
fn is_typing(key: KeyPress) -> bool {
    Editor::takes(key) || (!key.alt && matches!(key.code, KeyCode::Char(_) | KeyCode::Enter))
}

/// A run that ended well or was given up has nothing more to say; one that stands may be resumed.
#[must_use]
pub fn is_over(state: &RunState) -> bool {
    matches!(state, RunState::Finished | RunState::RolledBack | RunState::Abandoned(_))
}
