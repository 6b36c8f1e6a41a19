//! Saved views by keys and news.
#![allow(clippy::panic)]

use std::sync::Arc;

use super::*;
use crate::app::message::{ViewChange, ViewsNews};
use crate::app::model::runs::Dialog;
use crate::app::model::views::ViewQuestion;
use crate::app::rows::order;
use crate::config::keymap::Keymap;
use crate::config::views::SavedView;
use jumpdeck_fleet::text::Clean;

fn view(name: &str, env: &str, filter: &str) -> SavedView {
    SavedView {
        name: name.into(),
        environment: env_name(env),
        screen: Destination::Fleet,
        host: None,
        filter: filter.into(),
        sort: None,
        reverse: false,
        fold: false,
        columns: None,
    }
}

fn console(views: Vec<SavedView>) -> Model {
    let mut model = model();
    model.keymap = Arc::new(Keymap::builtin_default());
    jump_up(&mut model, "production");
    model.views.list = views;
    frame(&mut model);
    model
}

fn key(model: &mut Model, code: KeyCode) -> Vec<AppEffect> {
    let effects = press(model, code);
    frame(model);
    effects
}

fn letters(model: &mut Model, text: &str) -> Vec<AppEffect> {
    text.chars().flat_map(|c| key(model, KeyCode::Char(c))).collect()
}

fn wait(model: &mut Model) {
    pass(model, LONG);
    frame(model);
}

fn notice(model: &Model) -> &str {
    model.notice.as_ref().map_or("", |(text, _)| text)
}

#[test]
fn a_view_is_saved_under_a_typed_name() {
    let mut model = console(Vec::new());
    letters(&mut model, "/host:db");
    key(&mut model, KeyCode::Enter);
    letters(&mut model, "S");
    assert_eq!(letters(&mut model, "V"), []);
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    let Some(Dialog::SaveView { wrong: Some(why), .. }) = model.runs.dialogs.last() else {
        panic!("no name")
    };
    assert_eq!(*why, "a name is needed");
    letters(&mut model, "the dbs ");
    let wanted = SavedView { reverse: true, ..view("the dbs", "production", "host:db") };
    assert_eq!(
        key(&mut model, KeyCode::Enter),
        [AppEffect::SaveView { view: wanted.clone(), replace: false }]
    );
    assert!(model.runs.dialogs.is_empty());
    let change = Some(ViewChange::Saved("the dbs".into()));
    update(&mut model, Msg::Views(ViewsNews { views: Ok(vec![wanted]), change }));
    assert_eq!(notice(&model), "view the dbs saved");
    assert_eq!(model.views.list.len(), 1);
}

#[test]
fn replacing_asks_and_queued_keys_do_not_confirm_it() {
    let mut model = console(vec![view("dbs", "production", "host:db")]);
    letters(&mut model, "V");
    letters(&mut model, "dbs");
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert!(matches!(model.runs.dialogs.last(), Some(Dialog::ViewQuestion(ViewQuestion::Replace(_)))));
    assert_eq!(letters(&mut model, "y"), [], "typed ahead");
    wait(&mut model);
    assert_eq!(letters(&mut model, "xy"), [], "in a word");
    // No is what Enter means; the name is there to be changed.
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert!(matches!(model.runs.dialogs.last(), Some(Dialog::SaveView { .. })));
    key(&mut model, KeyCode::Enter);
    wait(&mut model);
    let wanted = view("dbs", "production", "");
    assert_eq!(letters(&mut model, "y"), [AppEffect::SaveView { view: wanted.clone(), replace: true }]);
    assert!(model.runs.dialogs.is_empty());

    // Another console has saved one of that name meanwhile.
    let change = Some(ViewChange::Exists(wanted.clone()));
    update(&mut model, Msg::Views(ViewsNews { views: Ok(vec![view("dbs", "staging", "")]), change }));
    assert_eq!(letters(&mut model, "y"), [], "nobody has seen the question");
    wait(&mut model);
    assert_eq!(letters(&mut model, "y"), [AppEffect::SaveView { view: wanted, replace: true }]);
}

#[test]
fn a_view_is_opened_in_its_environment_with_its_filter_and_order() {
    let mut sorted = view("quiet", "staging", "app");
    (sorted.sort, sorted.reverse) = (Some("inventory-order".into()), true);
    let mut model = console(vec![view("dbs", "production", "host:db"), sorted]);
    assert_eq!(letters(&mut model, "v"), [AppEffect::ReadViews]);
    assert_eq!(model.screen(), &Screen::Views);
    key(&mut model, KeyCode::Down);
    let effects = key(&mut model, KeyCode::Enter);
    assert_eq!(effects.first(), Some(&AppEffect::Activate(env_name("staging"))));
    assert_eq!((model.screen(), model.active), (&Screen::Fleet, 1));
    assert_eq!(model.filter().text.as_str(), "app");
    assert_eq!((model.sort.by, model.sort.reversed), (&order::INVENTORY, true));

    // One without a filter shows everything, whatever was typed before.
    model.views.list[0].filter.clear();
    model.views.list[0].environment = env_name("staging");
    letters(&mut model, "v");
    key(&mut model, KeyCode::Home);
    key(&mut model, KeyCode::Enter);
    assert_eq!((model.filter().text.as_str(), model.sort.reversed), ("", false));
}

#[test]
fn a_view_of_what_is_gone_says_so_and_changes_nothing() {
    let mut gone = view("gone", "production", "");
    gone.host = Some(host_name("db99"));
    let mut model = console(vec![view("old", "lab", ""), gone]);
    letters(&mut model, "v");
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert_eq!(notice(&model), "view old: environment lab is not in the inventory");
    key(&mut model, KeyCode::Down);
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert_eq!(notice(&model), "view gone: host db99 is not in the inventory");
    assert_eq!((model.screen(), model.active), (&Screen::Views, 0));
}

#[test]
fn deleting_asks_and_the_selection_stays_when_the_file_changes() {
    let mut model =
        console(vec![view("a", "production", ""), view("b", "production", ""), view("c", "production", "")]);
    letters(&mut model, "D");
    assert_eq!(notice(&model), "no saved view is selected");
    letters(&mut model, "v");
    key(&mut model, KeyCode::Down);
    letters(&mut model, "D");
    assert_eq!(letters(&mut model, "y"), [], "typed ahead");
    wait(&mut model);
    assert_eq!(letters(&mut model, "y"), [AppEffect::DeleteView("b".into())]);
    letters(&mut model, "D");
    update(&mut model, Msg::Resize(50, 10));
    wait(&mut model);
    assert_eq!(letters(&mut model, "y"), [], "too small a terminal shows no question");
    update(&mut model, Msg::Resize(80, 24));
    key(&mut model, KeyCode::Esc);
    let left = vec![view("new", "production", ""), view("a", "production", ""), view("c", "production", "")];
    model.views.selected = Some("c".into());
    update(
        &mut model,
        Msg::Views(ViewsNews { views: Ok(left), change: Some(ViewChange::Deleted("b".into())) }),
    );
    model.settle();
    assert_eq!(model.views.selected.as_deref(), Some("c"));
    assert_eq!(selected(&model), Some(2));
}

#[test]
fn a_broken_file_is_said_and_nothing_is_saved_into_it() {
    let mut model = console(vec![view("a", "production", "")]);
    let why = Clean::new("views.toml:3:8: unknown order");
    update(&mut model, Msg::Views(ViewsNews { views: Err(why.clone()), change: None }));
    assert_eq!((model.views.list.len(), model.views.refused.as_ref()), (0, Some(&why)));
    letters(&mut model, "V");
    assert!(model.runs.dialogs.is_empty() && notice(&model).contains("mend it first"), "{}", notice(&model));
    let failed = Some(ViewChange::Failed("disk full".into()));
    update(&mut model, Msg::Views(ViewsNews { views: Ok(Vec::new()), change: failed }));
    assert!(matches!(model.runs.dialogs.last(), Some(Dialog::Refused(_))));
    assert_eq!(model.views.refused, None, "the file can be read again");
}

#[test]
fn the_palette_finds_views_that_can_be_opened() {
    let mut model = console(vec![view("night shift", "staging", "app"), view("night old", "lab", "")]);
    letters(&mut model, ":night");
    let names: Vec<&str> = model.palette.list().unwrap().rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["night shift"]);
    key(&mut model, KeyCode::Enter);
    assert_eq!((model.active, model.filter().text.as_str()), (1, "app"));
}

#[test]
fn the_list_itself_is_not_a_view() {
    let mut model = console(Vec::new());
    letters(&mut model, "vV");
    assert_eq!(notice(&model), "the list of views cannot be saved as a view");
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.screen(), &Screen::Fleet, "the way back leads to where it was opened");
}
