//! A problem is acknowledged, with a reason and an end.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;
use crate::app::model::runs::Dialog;
use jumpdeck_fleet::timeline::TimelineChange;

/// The page of problems, with a host that does not answer selected.
fn with_a_problem() -> Model {
    let mut model = model();
    model.who = "anna@desk".into();
    jump_up(&mut model, "production");
    fail(&mut model, "production", "db2", LinkState::TimedOut);
    pass(&mut model, LONG);
    model.settle();
    act(&mut model, Action::Screen(Destination::Problems));
    frame(&mut model);
    model
}

fn rows_of_acknowledgements(model: &Model) -> usize {
    let rows = model.environments[0].timeline.rows().iter();
    rows.filter(|row| {
        matches!(row.first.change, TimelineChange::Acknowledged { .. } | TimelineChange::Reopened { .. })
    })
    .count()
}

fn acknowledged(model: &Model) -> Option<(String, String, bool)> {
    let env = &model.environments[0];
    let mut all = env.problems.iter().filter_map(|problem| env.acknowledgement(problem));
    let said = all.next()?;
    Some((said.by.to_string(), said.reason.to_string(), said.until.is_some()))
}

#[test]
fn a_reason_is_asked_for_and_kept_and_the_key_again_opens_the_problem() {
    let mut model = with_a_problem();
    act(&mut model, Action::Acknowledge);
    press(&mut model, KeyCode::Enter);
    let Some(Dialog::Acknowledge(form)) = model.runs.dialogs.last() else { panic!("no dialog") };
    assert!(form.wrong.is_some(), "without a reason nothing is acknowledged");
    assert_eq!(acknowledged(&model), None);
    type_text(&mut model, "disk swap, OPS-7");
    press(&mut model, KeyCode::Enter);
    assert!(model.runs.dialogs.is_empty());
    let said = ("anna@desk".to_owned(), "disk swap, OPS-7".to_owned(), true);
    assert_eq!(acknowledged(&model), Some(said));
    act(&mut model, Action::Acknowledge);
    assert_eq!(acknowledged(&model), None);
    assert_eq!(rows_of_acknowledgements(&model), 2);
}

#[test]
fn an_acknowledgement_is_over_when_its_time_is_up_or_its_problem_has_ended() {
    let mut model = with_a_problem();
    act(&mut model, Action::Acknowledge);
    type_text(&mut model, "known");
    press(&mut model, KeyCode::Tab);
    for _ in 0..2 {
        press(&mut model, KeyCode::Backspace);
    }
    type_text(&mut model, "soon");
    press(&mut model, KeyCode::Enter);
    let Some(Dialog::Acknowledge(form)) = model.runs.dialogs.last_mut() else { panic!("no dialog") };
    assert!(form.wrong.is_some(), "not an end");
    form.until = "1m".into();
    press(&mut model, KeyCode::Enter);
    assert!(acknowledged(&model).is_some());
    pass(&mut model, Duration::from_secs(61));
    model.settle();
    assert_eq!(acknowledged(&model), None);
}

#[test]
fn the_row_that_was_chosen_is_acknowledged_whatever_comes_meanwhile() {
    let mut model = with_a_problem();
    act(&mut model, Action::Acknowledge);
    let Some(Dialog::Acknowledge(form)) = model.runs.dialogs.last() else { panic!("no dialog") };
    let key = form.key.clone();
    // Another host fails while the reason is typed: the rows move.
    fail(&mut model, "production", "app1", LinkState::TimedOut);
    pass(&mut model, LONG);
    model.settle();
    type_text(&mut model, "known");
    press(&mut model, KeyCode::Enter);
    let known = model.environments[0].timeline.known();
    assert!(known.acknowledgement(&key).is_some());
    let others = known.open().filter(|open| open.problem.key() != key);
    assert!(others.map(|open| open.problem.key()).all(|key| known.acknowledgement(&key).is_none()));
}
