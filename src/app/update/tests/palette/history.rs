//! What was taken from the palette before.

use super::*;
use crate::app::chosen::{ChosenEntry, history_text, read_history};

#[test]
fn what_was_chosen_last_comes_first_and_is_remembered_across_runs() {
    let mut first = console();
    open(&mut first, "db2");
    let effects = press(&mut first, KeyCode::Enter);
    assert!(
        matches!(effects.first(), Some(AppEffect::KeepChosen(ChosenEntry::Host(id))) if id.host.as_str() == "db2")
    );
    press(&mut first, KeyCode::Char('1'));
    take(&mut first, "reverse the order");

    let mut second = console();
    second.palette.taken = read_history(&history_text(&first.palette.taken));
    let gone = ChosenEntry::Runbook(env_name("production"), "gone".into());
    second.palette.taken.insert(0, gone);
    second.palette.taken.insert(0, ChosenEntry::Environment(env_name("lab")));
    open(&mut second, "");
    assert_eq!(listed(&second)[..2], ["reverse the order", "db2"], "what is gone is not listed");
    press(&mut second, KeyCode::Esc);
    // Of two that fit as well, the one that was taken last.
    open(&mut second, "app");
    let best = selected_entry(&second).unwrap().to_owned();
    let other = listed(&second).into_iter().find(|name| *name != best && name.len() == best.len()).unwrap();
    press(&mut second, KeyCode::Esc);
    take(&mut second, &other);
    open(&mut second, "app");
    assert_eq!(selected_entry(&second), Some(other.as_str()));
}
