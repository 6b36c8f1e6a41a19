//! The columns of the fleet table, chosen in their dialog.

use super::*;
use crate::app::model::columns::NamedColumn;
use crate::app::model::runs::Dialog;
use crate::app::opening::OpeningView;
use crate::app::rows::order::{INVENTORY, SEVERITY};

fn with_columns() -> Model {
    let mut model = model();
    model.all_columns = vec![
        NamedColumn { title: "HOST", order: Some(&INVENTORY) },
        NamedColumn { title: "1m", order: Some(&SEVERITY) },
        NamedColumn { title: "WORST PROBLEM", order: None },
    ];
    model
}

fn rows(model: &Model) -> Vec<(&'static str, bool)> {
    match model.runs.dialogs.last() {
        Some(Dialog::Columns(form)) => form.rows.clone(),
        Some(_) | None => Vec::new(),
    }
}

#[test]
fn columns_are_hidden_moved_and_kept_with_a_view() {
    let mut model = with_columns();
    act(&mut model, Action::Columns);
    assert_eq!(rows(&model), [("HOST", true), ("1m", true), ("WORST PROBLEM", true)]);
    type_text(&mut model, " ");
    assert_eq!(rows(&model)[0], ("HOST", true), "without it the rows could not be told apart");
    type_text(&mut model, "j jhh");
    assert_eq!(rows(&model), [("WORST PROBLEM", true), ("HOST", true), ("1m", false)]);
    press(&mut model, KeyCode::Enter);
    assert_eq!(model.columns, Some(vec!["WORST PROBLEM", "HOST"]));
    assert_eq!(model.orders(), [&INVENTORY], "rows are sorted by what is shown");
    let view = OpeningView::of(&model);
    assert_eq!(view.arguments(), ["--columns", "worst-problem,host"]);
    let mut saved = view.to_save(env_name("production"));
    saved.name = "few".into();
    let again = OpeningView::saved(&saved, &[]).unwrap();
    assert_eq!(again, view);
    let mut other = with_columns();
    again.enter(&mut other);
    assert_eq!(other.columns, model.columns);
    OpeningView::default().enter(&mut other);
    assert_eq!(other.columns, model.columns, "a view without columns leaves them as they are");
}

#[test]
fn all_in_their_order_is_no_choice_and_a_choice_can_be_dropped() {
    let mut model = with_columns();
    act(&mut model, Action::Columns);
    press(&mut model, KeyCode::Enter);
    assert_eq!(model.columns, None);
    act(&mut model, Action::Columns);
    type_text(&mut model, "j ");
    press(&mut model, KeyCode::Esc);
    assert_eq!((model.columns.clone(), rows(&model).len()), (None, 0));
    model.columns = Some(vec!["1m", "HOST"]);
    act(&mut model, Action::Columns);
    assert_eq!(rows(&model), [("1m", true), ("HOST", true), ("WORST PROBLEM", false)]);
    type_text(&mut model, "d");
    assert_eq!((model.columns.clone(), rows(&model).len()), (None, 0));
    acts(&mut model, &[Action::Screen(Destination::Problems), Action::Columns]);
    assert!(rows(&model).is_empty() && model.notice.is_some());
}
