//! Commands on hosts, by keys and news.
#![allow(clippy::panic)]

use std::sync::Arc;

use super::*;
use crate::app::model::commands::{CommandForm, CommandStage};
use crate::app::model::runs::Dialog;
use jumpdeck_fleet::command::{CommandOutcome, CommandState, CommandView, SameAnswers};
use jumpdeck_fleet::fleet::{Environment, Fleet, Guard, Signatures};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::RunEvent;
use jumpdeck_fleet::text::Clean;

/// A console whose environments are like this.
fn console(change: impl Fn(&mut Environment)) -> Model {
    let mut model = model();
    let changed = |env: &Arc<Environment>| {
        let mut env = Environment::clone(env);
        change(&mut env);
        Arc::new(env)
    };
    let environments: Vec<_> = model.fleet.environments.iter().map(changed).collect();
    for (state, spec) in model.environments.iter_mut().zip(&environments) {
        state.spec = spec.clone();
    }
    model.fleet = Arc::new(Fleet { environments, simulated: false });
    frame(&mut model);
    model
}

fn form(model: &Model) -> &CommandForm {
    match model.runs.dialogs.last() {
        Some(Dialog::Command(form)) => form,
        other => panic!("{other:?}"),
    }
}

fn hosts(hosts: &[HostName]) -> Vec<&str> {
    hosts.iter().map(HostName::as_str).collect()
}

/// Types a command, and is told what is to be said before.
fn asked(model: &mut Model, said: &[&str]) -> u64 {
    acts(model, &[Action::Command]);
    type_text(model, "uptime");
    let effects = press(model, KeyCode::Enter);
    let id = form(model).id;
    assert_eq!(effects, [AppEffect::LookBefore(id, env_name("production"))]);
    let said = Ok(said.iter().map(|text| Clean::new(text)).collect());
    update(model, Msg::Run(RunEvent::CommandReady { id, said }));
    frame(model);
    id
}

fn answers(view: &CommandView, number: usize, names: &[&str], outcome: CommandOutcome) -> SameAnswers {
    let hosts: Vec<HostName> =
        view.order.hosts.iter().filter(|host| names.contains(&host.as_str())).cloned().collect();
    assert_eq!(hosts.len(), names.len());
    SameAnswers { number, hosts, outcome, why: None, printed: None }
}

#[test]
fn it_is_for_the_marked_hosts_else_for_the_one_that_is_seen() {
    let mut model = console(|_| ());
    acts(&mut model, &[Action::Down, Action::Command]);
    assert_eq!((hosts(&form(&model).hosts), form(&model).chosen_as), (vec!["app2"], "selected"));
    press(&mut model, KeyCode::Esc);
    acts(&mut model, &[Action::Mark, Action::Mark]);
    act(&mut model, Action::Filter);
    type_text(&mut model, "app");
    press(&mut model, KeyCode::Enter);
    acts(&mut model, &[Action::Command]);
    assert_eq!(hosts(&form(&model).hosts), ["app2", "db1-masterdb"]);
    assert_eq!((form(&model).chosen_as, form(&model).unlisted), ("marked", 1));
    press(&mut model, KeyCode::Esc);
    acts(&mut model, &[Action::First, Action::Open, Action::Command]);
    assert_eq!(hosts(&form(&model).hosts), ["app1"], "the host shown in full, whatever is marked");
    press(&mut model, KeyCode::Esc);
    acts(&mut model, &[Action::Screen(Destination::Services), Action::ClearMarks, Action::Command]);
    assert!(model.runs.dialogs.is_empty());
    assert_eq!(model.notice.as_ref().unwrap().0, "select a host first, or mark hosts");
}

#[test]
fn one_letter_runs_it_only_after_it_was_seen() {
    let mut model = console(|_| ());
    acts(&mut model, &[Action::Mark, Action::Mark]);
    let id = asked(&mut model, &["a run is under way: anna"]);
    assert_eq!(press(&mut model, KeyCode::Char('y')), [], "typed before it was seen");
    pass(&mut model, LONG);
    assert_eq!(press(&mut model, KeyCode::Char('x')), []);
    assert_eq!(press(&mut model, KeyCode::Char('y')), [], "typed by who is typing");
    pass(&mut model, LONG);
    update(&mut model, Msg::Paste("y".into()));
    assert!(form(&model).wrong.is_some_and(|why| why.contains("pasted")));
    model.size = (59, 15);
    assert_eq!(press(&mut model, KeyCode::Char('y')), [], "not drawn");
    model.size = (80, 24);
    pass(&mut model, LONG);
    let effects = press(&mut model, KeyCode::Char('y'));
    let [AppEffect::RunOnHosts(order)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((order.id, order.text.as_str(), hosts(&order.hosts)), (id, "uptime", vec!["app1", "app2"]));
    assert!(!format!("{effects:?}").contains("uptime"), "no log has the command");
    assert!(model.shows_answers() && model.is_command_shown_under_way());
}

#[test]
fn where_the_guard_says_so_the_environment_is_typed() {
    let mut model = console(|env| env.guard = Guard::Challenge);
    acts(&mut model, &[Action::Mark, Action::Mark]);
    asked(&mut model, &[]);
    pass(&mut model, LONG);
    type_text(&mut model, "y");
    assert_eq!(press(&mut model, KeyCode::Enter), []);
    assert!(form(&model).wrong.is_some());
    update(&mut model, Msg::Paste("production".into()));
    assert_eq!(press(&mut model, KeyCode::Enter), [AppEffect::DropOrder(1)], "nothing was typed");
    assert!(matches!(form(&model).stage, CommandStage::Typing), "no is what Enter means");
    let id = {
        press(&mut model, KeyCode::Enter);
        let id = form(&model).id;
        update(&mut model, Msg::Run(RunEvent::CommandReady { id: id - 1, said: Ok(vec![]) }));
        assert!(matches!(form(&model).stage, CommandStage::Looking), "that was of another try");
        update(&mut model, Msg::Run(RunEvent::CommandReady { id, said: Ok(vec![]) }));
        frame(&mut model);
        id
    };
    type_text(&mut model, "produc");
    pass(&mut model, LONG);
    type_text(&mut model, "tion");
    assert_eq!(press(&mut model, KeyCode::Enter), [], "half of it was typed before it was seen");
    type_text(&mut model, "production");
    let effects = press(&mut model, KeyCode::Enter);
    assert!(matches!(&effects[..], [AppEffect::RunOnHosts(order)] if order.id == id), "{effects:?}");

    let mut model = console(|env| env.guard = Guard::Challenge);
    asked(&mut model, &[]);
    pass(&mut model, LONG);
    let effects = press(&mut model, KeyCode::Char('y'));
    assert!(matches!(&effects[..], [AppEffect::RunOnHosts(_)]), "one host is confirmed by a letter");
}

#[test]
fn it_is_refused_where_answers_must_be_signed_and_where_it_cannot_be_looked_before() {
    let mut model = console(|env| env.signatures = Signatures::Required);
    acts(&mut model, &[Action::Command]);
    assert!(model.runs.dialogs.is_empty());
    assert!(model.notice.as_ref().unwrap().0.contains("signatures = \"required\""));
    let mut model = console(|_| ());
    acts(&mut model, &[Action::Command]);
    assert_eq!(press(&mut model, KeyCode::Enter), [], "no command");
    type_text(&mut model, &"x".repeat(351));
    assert_eq!(press(&mut model, KeyCode::Enter), [], "too long to be seen");
    press(&mut model, KeyCode::Backspace);
    assert_eq!(press(&mut model, KeyCode::Enter).len(), 1);
    let id = form(&model).id;
    let said = Err("jump box jump: no answer".into());
    update(&mut model, Msg::Run(RunEvent::CommandReady { id, said }));
    pass(&mut model, LONG);
    frame(&mut model);
    pass(&mut model, LONG);
    assert_eq!(press(&mut model, KeyCode::Char('y')), []);
    assert_eq!(press(&mut model, KeyCode::Esc), [AppEffect::DropOrder(id)]);
    assert_eq!(form(&model).text.as_str().len(), 350, "what was typed is still there");
}

#[test]
fn answers_are_followed_without_moving_what_is_looked_at() {
    let mut model = console(|_| ());
    acts(&mut model, &[Action::MarkAll]);
    let id = asked(&mut model, &[]);
    pass(&mut model, LONG);
    press(&mut model, KeyCode::Char('y'));
    let mut view = CommandView::clone(&model.last_command().unwrap().view);
    let tell = |model: &mut Model, view: &CommandView| {
        update(model, Msg::Run(RunEvent::Command(Arc::new(view.clone()))));
        frame(model);
    };
    view.groups = vec![answers(&view, 0, &["app2"], CommandOutcome::Exit(1))];
    view.waiting.retain(|host| host.as_str() != "app2");
    tell(&mut model, &view);
    assert_eq!(model.last_command().unwrap().chosen, Some(0), "the first answer is shown");
    acts(&mut model, &[Action::Command]);
    assert!(model.runs.dialogs.is_empty(), "one after the other");
    acts(&mut model, &[Action::Back]);
    assert!(!model.shows_answers());
    view.groups.insert(0, answers(&view, 1, &["app1", "db2"], CommandOutcome::Exit(0)));
    view.groups.push(answers(&view, 2, &["db1-masterdb"], CommandOutcome::NotAsked));
    view.waiting.clear();
    view.state = CommandState::Over(model.now);
    tell(&mut model, &view);
    let notice = &model.notice.as_ref().unwrap().0;
    assert!(notice.ends_with("2 exit 0, 1 other exit, 1 not asked"), "{notice}");
    acts(&mut model, &[Action::Answers]);
    let last = model.last_command().unwrap();
    assert_eq!((last.chosen, last.place()), (Some(0), 1), "it is lower in the list now");
    acts(&mut model, &[Action::Down, Action::Down]);
    assert_eq!(model.last_command().unwrap().group().unwrap().outcome, CommandOutcome::NotAsked);
    acts(&mut model, &[Action::NextEnvironment, Action::Answers]);
    assert_eq!(model.notice.as_ref().unwrap().0, "no command was run in this environment");
    let late = CommandView { state: CommandState::UnderWay, ..view };
    tell(&mut model, &late);
    assert_eq!(model.commands_under_way().count(), 0, "what is over stays so ({id})");
}

#[test]
fn a_command_under_way_is_stopped_by_its_key_and_asked_about_before_leaving() {
    let mut model = console(|_| ());
    let id = asked(&mut model, &[]);
    pass(&mut model, LONG);
    press(&mut model, KeyCode::Char('y'));
    assert_eq!(act(&mut model, Action::StopRun), [AppEffect::DropOrder(id)]);
    acts(&mut model, &[Action::Back]);
    assert_eq!(act(&mut model, Action::StopRun), [], "another screen is shown");
    assert_eq!(act(&mut model, Action::Quit), []);
    assert!(matches!(model.runs.dialogs.last(), Some(Dialog::Leave(_))));
    frame(&mut model);
    pass(&mut model, LONG);
    assert_eq!(press(&mut model, KeyCode::Char('y')), [AppEffect::Quit]);
}
