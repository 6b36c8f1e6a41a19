//! The command palette by keys and news.
#![allow(clippy::panic)]

use std::sync::Arc;

use super::*;
use crate::app::model::palette::{PaletteList, PaletteTarget};
use crate::app::model::runs::Dialog;
use crate::app::update::run_tests::{self, listing};
use crate::config::keymap::Keymap;
use jumpdeck_fleet::event::InventoryNews;
use jumpdeck_fleet::fleet::{Environment, Fleet};
use jumpdeck_fleet::run::{Mode, PromptKind};

fn console() -> Model {
    let mut model = model();
    model.keymap = Arc::new(Keymap::builtin_default());
    jump_up(&mut model, "production");
    frame(&mut model);
    model
}

fn list(model: &Model) -> &PaletteList {
    model.palette.list().unwrap()
}

fn listed(model: &Model) -> Vec<String> {
    list(model).rows.iter().map(|row| row.name.clone()).collect()
}

fn selected_entry(model: &Model) -> Option<&str> {
    let list = list(model);
    list.selected.map(|at| list.rows[at].name.as_str())
}

fn open(model: &mut Model, typed: &str) {
    press(model, KeyCode::Char(':'));
    type_text(model, typed);
    frame(model);
}

/// Takes what is best for a text.
fn take(model: &mut Model, typed: &str) -> Vec<AppEffect> {
    open(model, typed);
    let effects = press(model, KeyCode::Enter);
    frame(model);
    without_history(effects)
}

/// What was asked for beside remembering it.
fn without_history(mut effects: Vec<AppEffect>) -> Vec<AppEffect> {
    effects.retain(|effect| !matches!(effect, AppEffect::KeepChosen(_)));
    effects
}

fn tell_listing(model: &mut Model) {
    update(model, Msg::Run(listing(vec![run_tests::input(&["db2"])])));
    frame(model);
}

fn without_host(model: &mut Model, env: usize, name: &str) {
    let mut environments: Vec<Environment> =
        model.fleet.environments.iter().map(|env| Environment::clone(env)).collect();
    environments[env].hosts.retain(|host| host.id.host.as_str() != name);
    let fleet = Fleet { environments: environments.into_iter().map(Arc::new).collect(), simulated: false };
    update(model, Msg::Fleet(FleetEvent::Inventory(InventoryNews::Read(Arc::new(fleet)))));
    frame(model);
}

#[test]
fn it_opens_over_every_screen_and_not_over_what_asks() {
    for screen in ["1", "2", "3", "4", "5", "b", "H"] {
        let mut model = console();
        type_text(&mut model, screen);
        let under = model.screen().clone();
        open(&mut model, "");
        assert!(model.palette.is_open(), "{screen}");
        press(&mut model, KeyCode::Esc);
        assert!(!model.palette.is_open() && model.screen() == &under, "{screen}");
        ctrl(&mut model, 'p');
        assert!(model.palette.is_open(), "{screen}");
        ctrl(&mut model, 'p');
        assert!(!model.palette.is_open(), "{screen}: the key that opens it closes it");
    }
    let mut model = console();
    act(&mut model, Action::Help);
    open(&mut model, "");
    assert!(model.palette.is_open() && model.help.is_none());

    let mut model = console();
    ask(&mut model, 1, unknown_key());
    press(&mut model, KeyCode::Char(':'));
    ctrl(&mut model, 'p');
    assert!(!model.palette.is_open(), "a question is answered first");

    let mut model = console();
    act(&mut model, Action::Arm);
    press(&mut model, KeyCode::Char(':'));
    ctrl(&mut model, 'p');
    assert!(!model.palette.is_open(), "a dialog is answered first");
}

#[test]
fn while_a_filter_is_typed_a_colon_is_text() {
    let mut model = console();
    type_text(&mut model, "/role:app");
    assert_eq!((model.filter().text.as_str(), model.palette.is_open()), ("role:app", false));
    ctrl(&mut model, 'p');
    assert!(model.palette.is_open());
    press(&mut model, KeyCode::Esc);
    assert!(model.filter().editing, "typing goes on where it was");
    ctrl(&mut model, 'p');
    type_text(&mut model, "roles");
    press(&mut model, KeyCode::Enter);
    press(&mut model, KeyCode::Char('1'));
    assert_eq!((model.filter().editing, model.filter().text.as_str()), (false, "role:app"));
}

#[test]
fn it_lists_what_can_be_done_now() {
    let mut model = console();
    open(&mut model, "");
    let names = listed(&model);
    for there in
        ["sort by the next column", "arm for changes, or disarm", "problems", "staging", "db1-masterdb"]
    {
        assert!(names.iter().any(|name| name == there), "{there}: {names:?}");
    }
    for not in ["stop the run at the next step", "production", "back, or clear the filter", "disarm"] {
        assert!(names.iter().all(|name| name != not), "{not}: {names:?}");
    }
    assert_eq!(names.iter().filter(|name| *name == "app1").count(), 2, "one in each environment");
    assert!(
        list(&model)
            .rows
            .iter()
            .all(|row| row.target != PaletteTarget::Action(Action::Palette, Action::Palette.help()))
    );
    assert_eq!(list(&model).all, names.len());

    // On a page without rows.
    press(&mut model, KeyCode::Esc);
    acts(&mut model, &[Action::Open]);
    open(&mut model, "");
    let names = listed(&model);
    assert!(names.iter().all(|name| name != "sort by the next column" && name != "filter the rows"));
    assert!(names.iter().all(|name| name != "open what is selected"));
    assert!(names.iter().any(|name| name == "back, or clear the filter"));

    press(&mut model, KeyCode::Esc);
    arming::arm(&mut model, "disks", LONG);
    open(&mut model, "disarm");
    assert_eq!(listed(&model), ["disarm"]);
}

/// The palette is a second way to each action, not a second action.
#[test]
fn an_action_does_what_its_key_does() {
    let screens = [
        &[][..],
        &[Action::Open],
        &[Action::Screen(Destination::Problems)],
        &[Action::Screen(Destination::Roles), Action::Open],
        &[Action::Screen(Destination::Runbooks)],
        &[Action::Filter],
    ];
    let mut tried = 0;
    for way in screens {
        let there = || {
            let mut model = console();
            acts(&mut model, way);
            model
        };
        let actions = {
            let mut model = there();
            ctrl(&mut model, 'p');
            list(&model).rows.iter().map(|row| row.target.clone()).collect::<Vec<_>>()
        };
        for (at, target) in actions.into_iter().enumerate() {
            let PaletteTarget::Action(action, _) = target else { continue };
            let mut by_palette = there();
            ctrl(&mut by_palette, 'p');
            // The palette asks for the list of runbooks when it opens: that effect is not the action's.
            frame(&mut by_palette);
            for _ in 0..at {
                press(&mut by_palette, KeyCode::Down);
            }
            let effects = without_history(press(&mut by_palette, KeyCode::Enter));
            let mut by_key = there();
            // A key is text in the filter until Enter.
            by_key.stop_editing();
            let key = by_key.keymap.keys(None, action).next().unwrap().first().unwrap();
            let expected = update(&mut by_key, Msg::Key(key));
            assert_eq!(effects, expected, "{way:?} {action:?}");
            let state = |model: &Model| {
                let selection = model.shown().map(|env| env.selection.clone());
                let on_top = (model.help, model.runs.dialogs.len(), model.filter().editing);
                let order = (model.sort.by.words, model.sort.reversed, model.theme, model.paused.is_some());
                (model.screens.clone(), model.active, selection, on_top, order, model.notice.clone())
            };
            assert_eq!(state(&by_palette), state(&by_key), "{way:?} {action:?}");
            assert!(!by_palette.palette.is_open(), "{way:?} {action:?}");
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn hosts_environments_and_runbooks_are_gone_to() {
    let mut model = console();
    assert_eq!(take(&mut model, "db2"), []);
    assert_eq!(model.screens, [Screen::Fleet, Screen::Host(host_name("db2"))]);
    assert_eq!(take(&mut model, "app2"), []);
    assert_eq!(model.screens, [Screen::Fleet, Screen::Host(host_name("app2"))], "no trail of pages");

    assert_eq!(take(&mut model, "staging"), [AppEffect::Activate(env_name("staging"))]);
    assert_eq!((model.active, model.screen()), (1, &Screen::Fleet));
    assert_eq!(take(&mut model, "app2 prod"), [AppEffect::Activate(env_name("production"))]);
    assert_eq!((model.active, model.screen()), (0, &Screen::Host(host_name("app2"))));
    assert_eq!(selected_host(&model), "app2");

    act(&mut model, Action::Screen(Destination::Fleet));
    tell_listing(&mut model);
    let effects = take(&mut model, "promote");
    assert_eq!(effects, [AppEffect::ListRunbooks(env_name("production"))], "as its key does");
    assert_eq!(model.screen(), &Screen::Runbooks);
    assert!(matches!(&model.runs.dialogs[..], [Dialog::Inputs(form)] if form.runbook == "promote"));
    press(&mut model, KeyCode::Esc);
    frame(&mut model);
    let rows = crate::app::screens::runbooks::runbook_rows(&model);
    assert_eq!(
        rows[selected(&model).unwrap()].id(),
        crate::app::model::LibraryRow::Runbook("promote".into())
    );
}

#[test]
fn a_host_is_gone_to_on_a_paused_screen_and_an_armed_environment_is_left_read_only() {
    let mut model = console();
    arming::arm(&mut model, "disks", LONG);
    act(&mut model, Action::Pause);
    take(&mut model, "app1 staging");
    assert_eq!((model.active, model.screen()), (1, &Screen::Host(host_name("app1"))));
    assert!(model.paused.is_some() && model.shown().unwrap().place(&host_name("app1")).is_some());
    assert!(model.runs.armed.is_none(), "as with the key that leads to another environment");
}

#[test]
fn news_moves_nothing_in_the_list() {
    let mut model = console();
    assert_eq!(
        press(&mut model, KeyCode::Char(':')),
        [AppEffect::ListRunbooks(env_name("production"))],
        "which runbooks there are is asked for"
    );
    frame(&mut model);
    for _ in 0..7 {
        press(&mut model, KeyCode::Down);
    }
    let before = (listed(&model), list(&model).selected, selected_entry(&model).map(str::to_owned));
    assert_eq!(before.1, Some(7));
    for host in ["db2", "app2"] {
        fail(&mut model, "production", host, LinkState::TimedOut);
    }
    report(&mut model, "production", "app1", 9.0);
    pass(&mut model, LONG);
    tell_listing(&mut model);
    let after = (listed(&model), list(&model).selected, selected_entry(&model).map(str::to_owned));
    assert_eq!(before, after);
    assert!(!list(&model).has_runbooks);
    type_text(&mut model, "promote");
    assert_eq!((listed(&model), list(&model).has_runbooks), (vec!["promote".to_owned()], true));
}

#[test]
fn what_was_selected_stays_so_when_another_entry_goes() {
    let mut model = console();
    open(&mut model, "host prod");
    press(&mut model, KeyCode::Down);
    press(&mut model, KeyCode::Down);
    assert_eq!(selected_entry(&model), Some("db1-masterdb"));
    without_host(&mut model, 0, "app1");
    assert_eq!((selected_entry(&model), list(&model).selected), (Some("db1-masterdb"), Some(1)));
    press(&mut model, KeyCode::Enter);
    assert_eq!(model.screen(), &Screen::Host(host_name("db1-masterdb")));
}

#[test]
fn nothing_is_taken_when_what_was_selected_is_gone() {
    let mut model = console();
    open(&mut model, "host prod");
    press(&mut model, KeyCode::Down);
    assert_eq!(selected_entry(&model), Some("app2"));
    // Before the next frame: the screen still shows an entry that is gone.
    let mut environments: Vec<Environment> =
        model.fleet.environments.iter().map(|env| Environment::clone(env)).collect();
    environments[0].hosts.retain(|host| host.id.host.as_str() != "app2");
    let fleet = Fleet { environments: environments.into_iter().map(Arc::new).collect(), simulated: false };
    update(&mut model, Msg::Fleet(FleetEvent::Inventory(InventoryNews::Read(Arc::new(fleet)))));
    assert_eq!(press(&mut model, KeyCode::Enter), []);
    assert_eq!((model.palette.is_open(), model.screen()), (true, &Screen::Fleet));
    frame(&mut model);
    assert_eq!(selected_entry(&model), None);
    assert_eq!(press(&mut model, KeyCode::Enter), [], "still nothing");
    press(&mut model, KeyCode::Down);
    assert_eq!(selected_entry(&model), Some("db1-masterdb"), "its neighbour, when somebody chooses it");
}

#[test]
fn an_action_whose_meaning_changed_is_gone() {
    let mut model = console();
    arming::arm(&mut model, "disks", LONG);
    open(&mut model, "disarm");
    assert_eq!(selected_entry(&model), Some("disarm"));
    pass(&mut model, LONG * 2);
    assert!(model.runs.armed.is_none(), "time is up");
    press(&mut model, KeyCode::Enter);
    assert!(model.runs.dialogs.is_empty(), "who disarms is not asked to arm");
    frame(&mut model);
    assert_eq!(listed(&model), [""; 0]);
}

#[test]
fn what_was_taken_last_comes_first_when_nothing_is_typed() {
    let mut model = console();
    take(&mut model, "app2");
    take(&mut model, "next theme");
    take(&mut model, "replication");
    take(&mut model, "app2");
    open(&mut model, "");
    assert_eq!(listed(&model)[..3], ["app2", "replication", "next theme"]);
    type_text(&mut model, "e");
    assert_ne!(listed(&model)[0], "app2", "what is typed decides alone");
    press(&mut model, KeyCode::Backspace);
    assert_eq!((listed(&model)[0].as_str(), list(&model).selected), ("app2", Some(0)));
}

#[test]
fn a_paste_is_text_and_takes_nothing() {
    let mut model = console();
    open(&mut model, "");
    assert_eq!(update(&mut model, Msg::Paste("staging\nq\n".into())), []);
    assert_eq!((list(&model).typed.as_str(), model.active), ("staging", 0));
    assert_eq!(selected_entry(&model), Some("staging"));
}

#[test]
fn nothing_is_taken_from_a_list_that_cannot_be_seen() {
    let mut model = console();
    open(&mut model, "db2");
    update(&mut model, Msg::Resize(59, 14));
    assert_eq!(press(&mut model, KeyCode::Enter), []);
    type_text(&mut model, "x");
    assert_eq!((model.screen(), list(&model).typed.as_str()), (&Screen::Fleet, "db2"));
    press(&mut model, KeyCode::Esc);
    assert!(!model.palette.is_open());
    press(&mut model, KeyCode::Char(':'));
    assert!(!model.palette.is_open(), "it is not opened there either");
}

#[test]
fn what_a_run_asks_is_not_answered_from_under_the_palette() {
    let mut model = run_tests::asked(Mode::DryRun, true, PromptKind::Confirm);
    pass(&mut model, LONG);
    open(&mut model, "");
    pass(&mut model, LONG);
    assert_eq!(type_text(&mut model, "y"), []);
    assert_eq!(list(&model).typed.as_str(), "y");
    press(&mut model, KeyCode::Esc);
    frame(&mut model);
    assert_eq!(type_text(&mut model, "y"), [], "only after a moment of silence");
    pass(&mut model, LONG);
    assert_eq!(type_text(&mut model, "y"), run_tests::answered(jumpdeck_fleet::run::Reply::Yes));
}

#[test]
fn a_question_lies_over_the_palette_and_quitting_closes_it() {
    let mut model = console();
    open(&mut model, "db2");
    ask(&mut model, 1, passphrase());
    frame(&mut model);
    pass(&mut model, LONG);
    type_text(&mut model, "geheim");
    assert_eq!((list(&model).typed.as_str(), model.answer.as_str()), ("db2", "geheim"));

    let mut model = run_tests::asked(Mode::Live, true, PromptKind::Confirm);
    open(&mut model, "");
    assert_eq!(ctrl(&mut model, 'c'), []);
    assert!(!model.palette.is_open() && matches!(model.runs.dialogs[..], [Dialog::Leave(_)]));
}

mod history;
