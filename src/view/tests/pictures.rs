//! A picture of everything that can be on screen, and the way there: every screen, dialog, question and other layer once. The lists are
//! exhaustive matches: a new screen or dialog does not compile without its picture.

use std::sync::Arc;
use std::time::Duration;

use super::super::run_fixtures as runs;
use super::*;
use crate::app::message::{Msg, ShellNews};
use crate::app::model::LibraryRow;
use crate::app::model::runs::Dialog;
use crate::app::model::shell::ShellStage;
use crate::config::action::{Action, Destination};
use crate::config::keymap::KeyCode;
use jumpdeck_fleet::event::FleetEvent;
use jumpdeck_fleet::fleet::Guard;
use jumpdeck_fleet::run::{PastReport, PromptKind, RunEvent, RunView};
use walker::{By, Walker};

mod drawing;
mod promises;
pub(super) mod walker;

pub(super) use promises::unreadable;

/// The sizes of the pictures: the smallest that is supported, the usual one, a large one.
pub(super) const PICTURE_SIZES: [(u16, u16); 3] = [(60, 15), (80, 24), (120, 40)];

/// Something that can be on screen.
#[derive(Clone, Copy)]
pub(super) struct Picture {
    /// Its name: that of its snapshot.
    pub(super) name: &'static str,
    /// The console before.
    from: fn() -> Model,
    /// The way there.
    way: fn(Walker) -> Walker,
}

impl Picture {
    /// The console that shows it, when it was reached so.
    pub(super) fn by(&self, by: By) -> Model {
        self.of((self.from)(), by)
    }

    /// The same, of a console that was something else before.
    pub(super) fn of(&self, from: Model, by: By) -> Model {
        let model = (self.way)(Walker::new(from, by)).model;
        assert_eq!(name_of(&model), self.name, "{by:?} leads elsewhere:\n{}", text(&model, (120, 40)));
        model
    }
}

/// A list of pictures by the variants of a type, and what each is called.
macro_rules! pictures {
    ($all:ident, $name_of:ident, $of:ty; $($name:literal => $pattern:pat, $from:expr, $way:expr;)*) => {
        const $all: &[Picture] = &[$(Picture { name: $name, from: $from, way: $way },)*];

        fn $name_of(it: &$of) -> &'static str {
            match it { $($pattern => $name,)* }
        }
    };
}

pictures! { SCREENS, screen_name, Screen;
    "fleet" => Screen::Fleet, bad_night, |w| w.at(Destination::Fleet);
    "host" => Screen::Host(_), bad_night, |w| w.open_host("db2");
    "replication" => Screen::Replication, bad_night, |w| w.at(Destination::Replication);
    "roles" => Screen::Roles, bad_night, |w| w.at(Destination::Roles);
    "problems" => Screen::Problems, bad_night, |w| w.at(Destination::Problems);
    "services" => Screen::Services, bad_night, |w| w.at(Destination::Services);
    "events" => Screen::Events, events::eventful, |w| w.at(Destination::Events);
    "session" => Screen::Session, bad_night, |w| w.at(Destination::Session);
    "runbooks" => Screen::Runbooks, bad_night, |w| w.at(Destination::Runbooks);
    "plan" => Screen::Plan, bad_night, planned;
    "run" => Screen::Run(_), bad_night, running;
    "compare" => Screen::Compare(_), bad_night, |w| w.mark("db2").mark("db3").act(Action::Compare);
    "compare-environments" => Screen::CompareEnvironments(_), bad_night, |w| w.act(Action::CompareEnvironments);
    "answers" => Screen::Answers, bad_night, answered;
    "past-runs" => Screen::PastRuns, bad_night, past_runs;
    "past-run" => Screen::PastRun(_), bad_night, past_run;
    "charts" => Screen::Charts(_), bad_night, |w| w.select("db2").act(Action::Charts).change(charts::read);
    "look" => Screen::Look(_), bad_night, |w| w.select("db2").act(Action::Processes).change(look::answered);
    "views" => Screen::Views, bad_night, |w| w.at(Destination::Views);
    "logs" => Screen::Logs, bad_night, |w| w.mark("app1").mark("app3").act(Action::Logs).change(logs::hear);
    "power" => Screen::Power(_), bad_night, |w| w.open_host("piwik").act(Action::Power).change(power::told);
}

pictures! { DIALOGS, dialog_name, Dialog;
    "dialog-inputs" => Dialog::Inputs(_), small_night, inputs;
    "dialog-start" => Dialog::Start { .. }, small_night, |w| planned(w).act(Action::Open).text("db1 gets new disks");
    "dialog-arm" => Dialog::Arm { .. }, small_night, |w| w.act(Action::Arm).text("db1 gets new disks");
    "dialog-acknowledge" => Dialog::Acknowledge(_), events::eventful,
        |w| w.at(Destination::Problems).act(Action::Acknowledge).text("the data centre swaps disks");
    "dialog-note" => Dialog::Note { .. }, small_night, |w| running(w).act(Action::Note).text("slow disk on db1");
    "dialog-session" => Dialog::Session(_), small_night, |w| w.act(Action::SessionHandOver).text("bob");
    "dialog-session-note" => Dialog::SessionNote(_), small_night, |w| w.act(Action::SessionNote).text("# db2 first");
    "dialog-command" => Dialog::Command(_), small_night, |w| asked(w.select("app1"));
    "dialog-refused" => Dialog::Refused(_), small_night, refused;
    "dialog-leave" => Dialog::Leave(_), small_night, |w| running(w).at(Destination::Fleet).act(Action::Quit);
    "dialog-view-save" => Dialog::SaveView { .. }, small_night, |w| w.act(Action::SaveView).text("night");
    "dialog-export" => Dialog::Export(_), small_night, |w| w.act(Action::Export);
    "dialog-columns" => Dialog::Columns(_), small_night, |w| w.act(Action::Columns);
    "dialog-view-question" => Dialog::ViewQuestion(_), small_night,
        |w| w.at(Destination::Views).act(Action::First).act(Action::DeleteView);
}

pictures! { PROMPTS, prompt_name, PromptKind;
    "prompt-confirm" => PromptKind::Confirm, small_night, |w| asks(w, runs::confirm());
    "prompt-challenge" => PromptKind::Challenge(_), small_night, |w| asks(w, runs::challenge());
    "prompt-input" => PromptKind::Input(_), small_night, |w| asks(w, runs::asking(
        "How long may writes be refused?", &[], PromptKind::Input(runs::input("window", "The longest", &[]))));
    "prompt-choose" => PromptKind::Choose(_), small_night, |w| asks(w, runs::failed());
    "prompt-approve" => PromptKind::Approve(_), small_night, |w| asks(w, runs::asking(
        "A second person agrees", &[], PromptKind::Approve(Clean::new("jumpdeck runbook approve a3f1"))));
}

pictures! { QUESTIONS, question_name, QuestionKind;
    "question-unknown-key" => QuestionKind::UnknownHostKey { .. }, small_night, |w| ask(w, QuestionKind::UnknownHostKey {
        address: "salt.production.example:22".to_owned(),
        algorithm: "ssh-ed25519".to_owned(),
        fingerprint: "SHA256:mVPwvezndPv/ARoIadVY98vAC0g+P/5633yTC4d/wXE".to_owned(),
        file: "/home/ops/.ssh/known_hosts".to_owned(),
    });
    "question-key-passphrase" => QuestionKind::Passphrase { .. }, small_night,
        |w| ask(w, QuestionKind::Passphrase { key: "/home/ops/.ssh/id_ed25519".to_owned(), wrong: true });
    "question-login" => QuestionKind::Prompt { .. }, small_night, |w| ask(w, QuestionKind::Prompt {
        told: LoginInstructions { name: "Corp login".into(), instructions: vec!["Use your AD account.".into()] },
        prompt: vec!["Verification code:\x1b[2J".into()],
        echo: true,
    });
    "question-login-waits" => QuestionKind::Waiting { .. }, small_night,
        |w| ask(w, QuestionKind::Waiting { told: LoginInstructions::default() });
    "question-login-again" => QuestionKind::LogInAgain { .. }, small_night,
        |w| ask(w, QuestionKind::LogInAgain { why: "the connection to the jump box was lost".into() });
}

pictures! { SHELLS, shell_name, ShellStage;
    "shell-opens" => ShellStage::Opening, small_night, |w| w.select("app1").act(Action::Shell);
    "shell-attended" => ShellStage::Attended, small_night, |w| w.select("app1").act(Action::Shell).change(|mut model| {
        assert!(model.attend_shell(1));
        model
    });
    "shell-fails" => ShellStage::Failed(_), small_night, |w| w.select("app1").act(Action::Shell)
        .hear(Msg::Shell(ShellNews::Failed { number: 1, why: "host app1: connection refused".to_owned() }));
    "shell-goes" => ShellStage::Lost(_), small_night, |w| w.select("app1").act(Action::Shell)
        .hear(Msg::Shell(ShellNews::Ended { number: 1, how: Err("host app1: the connection was lost".to_owned()) }));
}

/// What else may lie over a screen, or on it.
enum Over {
    Palette,
    Help,
    Filter,
    Pause,
}

pictures! { OVER, over_name, Over;
    "palette-open" => Over::Palette, small_night, |w| w.act(Action::Palette).text("db");
    "help-open" => Over::Help, small_night, |w| w.act(Action::Help);
    "filter-open" => Over::Filter, small_night, |w| w.act(Action::Filter).text("role:db");
    "paused" => Over::Pause, small_night, |w| w.act(Action::Pause);
}

/// Every picture.
pub(super) fn all() -> impl Iterator<Item = &'static Picture> {
    [SCREENS, DIALOGS, PROMPTS, QUESTIONS, SHELLS, OVER].into_iter().flatten()
}

/// Those of screens alone.
pub(super) fn screens_alone() -> impl Iterator<Item = &'static Picture> {
    SCREENS.iter()
}

/// What is on top.
pub(super) fn name_of(model: &Model) -> &'static str {
    if let Some(question) = model.questions.first() {
        return question_name(&question.kind);
    }
    if let Some(shell) = &model.shell {
        return shell_name(&shell.stage);
    }
    if let Some(dialog) = model.runs.dialogs.last() {
        return dialog_name(dialog);
    }
    let over = [
        (model.palette.is_open(), Over::Palette),
        (model.help.is_some(), Over::Help),
        (model.filter().editing, Over::Filter),
        (model.paused.is_some(), Over::Pause),
    ];
    if let Some((_, over)) = over.iter().find(|(is_so, _)| *is_so) {
        return over_name(over);
    }
    match model.open_prompt() {
        Some((_, prompt)) => prompt_name(&prompt.kind),
        None => screen_name(model.screen()),
    }
}

/// With everything that a console has of the world beside its hosts.
pub(super) fn told(mut model: Model) -> Model {
    let listing = runs::listing();
    model.runs.listings.insert(listing.env.clone(), listing);
    model.views.list = views::views();
    model.sessions = vec![session::news(&model, 7200, |_| ())];
    model.who = "anna@desk".into();
    settled(model)
}

fn bad_night() -> Model {
    let mut model = trouble();
    let production = &mut model.environments[0];
    edit(production, "sessions1", |host| serve(host, 0));
    edit(production, "redis-alpha1", |host| serve(host, 3));
    told(model)
}

/// The same in a fleet of a few hosts: what lies over it is what is looked at.
fn small_night() -> Model {
    told(few())
}

/// The form of a runbook.
fn inputs(w: Walker) -> Walker {
    let (name, is_it) =
        ("promote-masterdb", |row: &LibraryRow| *row == LibraryRow::Runbook("promote-masterdb".to_owned()));
    match w.by {
        By::Keys(_) => w.at(Destination::Runbooks).row_of_library(is_it).act(Action::Open),
        By::Palette => w.type_into_palette(name),
    }
}

fn planned(w: Walker) -> Walker {
    let w = inputs(w).key(KeyCode::Down).key(KeyCode::Enter);
    w.hear(Msg::Run(RunEvent::Plan(Ok(Arc::new(runs::plan())))))
}

/// A run of the plan.
fn running(w: Walker) -> Walker {
    let w = planned(w).act(Action::Open).text("db1 gets new disks").key(KeyCode::Enter);
    w.hear(Msg::Run(RunEvent::Run(Arc::new(runs::run()))))
}

fn asks(w: Walker, run: RunView) -> Walker {
    running(w).hear(Msg::Run(RunEvent::Run(Arc::new(run))))
}

/// A run of somebody else that cannot be watched.
fn refused(w: Walker) -> Walker {
    let is_it = |row: &LibraryRow| matches!(row, LibraryRow::Run(id) if id.contains("deploy-code"));
    let w = w.at(Destination::Runbooks).row_of_library(is_it).act(Action::Open);
    w.hear(Msg::Run(RunEvent::Refused(vec!["ben@desk2 holds production since 4m".into()])))
}

/// A command that is typed, and what is said before.
fn asked(w: Walker) -> Walker {
    let w = w.act(Action::Command).text("df -h / | tail -1").key(KeyCode::Enter);
    let Some(Dialog::Command(form)) = w.model.runs.dialogs.last() else { panic!("no dialog") };
    let id = form.id;
    let said = Ok(vec!["in effect: writes are refused on db1".into()]);
    w.hear(Msg::Run(RunEvent::CommandReady { id, said })).wait(Duration::from_millis(500))
}

fn answered(w: Walker) -> Walker {
    let w = asked(w.act(Action::MarkAll));
    w.text("production").key(KeyCode::Enter).change(|model| commands::told(model, true))
}

fn past_runs(w: Walker) -> Walker {
    w.at(Destination::PastRuns).hear(Msg::Run(RunEvent::PastRuns(Arc::new(past::runs()))))
}

fn past_run(w: Walker) -> Walker {
    let w = past_runs(w).act(Action::First).act(Action::Down).act(Action::Open);
    let Screen::PastRun(run) = w.model.screen().clone() else { panic!("no past run is open") };
    w.hear(Msg::Run(RunEvent::PastReport(Arc::new(PastReport { run, told: Ok(past::report()) }))))
}

/// A question that nobody asked for.
fn ask(w: Walker, kind: QuestionKind) -> Walker {
    let env = w.model.environments[0].spec.name.clone();
    let hop = Hop::Jump(name("salt"));
    w.hear(Msg::Fleet(FleetEvent::Question(Question { id: QuestionId(1), env, hop, kind })))
}

/// A fleet of a few hosts, one of them silent, one old.
fn few() -> Model {
    let hosts = ["salt", "app1", "app2", "db1-masterdb", "db2", "db3"];
    let mut model = answering(vec![
        environment("production", Guard::Challenge, &hosts),
        environment("staging", Guard::Confirm, &["salt", "app1"]),
    ]);
    let production = &mut model.environments[0];
    edit(production, "app2", |host| {
        host.link = jumpdeck_fleet::snapshot::Link {
            state: jumpdeck_fleet::snapshot::LinkState::Unreachable,
            detail: "connection refused by 10.0.0.3:22: is sshd running there?".into(),
            ..host.link.clone()
        };
    });
    edit(production, "db3", |host| host.reported_at = Some(Moment(NOW.0 - 14_000)));
    settled(model)
}
