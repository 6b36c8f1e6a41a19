//! Saved views: their list, and what is asked about them.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::app::model::editor::Editor;
use crate::app::model::runs::Dialog;
use crate::app::model::views::ViewQuestion;
use crate::config::action::Destination;
use crate::config::views::SavedView;
use jumpdeck_fleet::names::EnvName;

fn view(name: &str, env: &str) -> SavedView {
    SavedView {
        name: name.into(),
        environment: EnvName::new(env).unwrap(),
        screen: Destination::Fleet,
        host: None,
        filter: String::new(),
        sort: None,
        reverse: false,
        fold: false,
        columns: None,
    }
}

pub(super) fn views() -> Vec<SavedView> {
    let env = trouble().environments[0].spec.name.to_string();
    vec![
        SavedView {
            filter: "role:db lag>5".into(),
            sort: Some("disk".into()),
            reverse: true,
            ..view("replicas", &env)
        },
        SavedView { screen: Destination::Problems, filter: "problem".into(), ..view("night shift", &env) },
        SavedView { host: Some(name("db2")), ..view("db2", &env) },
        view("of a fleet that is gone", "lab"),
    ]
}

fn list(views: Vec<SavedView>) -> Model {
    let mut model = trouble();
    model.views.list = views;
    on(model, Screen::Views)
}

#[test]
fn the_list_and_its_dialogs() {
    snapshot("views-none", &list(Vec::new()), (80, 24));
    let mut model = list(Vec::new());
    model.views.refused = Some(
        "/home/ada/.config/jumpdeck/views.toml:3:8: unknown order \"dsk\"; did you mean \"disk\"?".into(),
    );
    snapshot("views-refused", &model, (80, 24));

    let mut model = trouble();
    let saved = views().remove(0);
    let mut typed = Editor::line();
    typed.insert("replicas");
    model.runs.dialogs.push(Dialog::SaveView { view: saved.clone(), name: typed, wrong: None });
    snapshot("dialog-view-save", &model, (80, 24));
    model.views.list = views();
    let other = SavedView { filter: "app".into(), ..view("replicas", "lab") };
    model.runs.dialogs.push(Dialog::ViewQuestion(ViewQuestion::Replace(other)));
    snapshot("dialog-view-replace", &model, (80, 24));
    model.runs.dialogs.push(Dialog::ViewQuestion(ViewQuestion::Delete("night shift".into())));
    snapshot("dialog-view-delete", &model, (80, 24));
}
