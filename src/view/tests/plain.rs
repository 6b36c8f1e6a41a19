//! The screen as plain text.

use super::*;
use crate::view::plain;

fn of(model: &Model) -> crate::app::handoff::PlainScreen {
    plain(model, &styles("dark"))
}

#[test]
fn the_rows_and_their_ages_are_those_of_the_screen() {
    let model = trouble();
    let shown = text(&model, (200, 50));
    let copy = of(&model);
    assert!(copy.body.len() > 20 && copy.body.len() <= 40);
    for line in copy.body.iter().filter(|line| !line.is_empty()) {
        assert!(shown.contains(line.as_str()), "not on the screen: {line}");
    }
    assert!(
        copy.body.iter().any(|line| line.contains("redis-alpha1") && line.contains('?')),
        "{:?}",
        copy.body
    );
    assert_eq!(copy.head.len(), 1);
    let head = copy.head.first().unwrap();
    assert!(
        head.starts_with("PRODUCTION  via salt") && head.ends_with("old") && !head.contains("    "),
        "{head}"
    );
    assert!(!copy.body.iter().any(|line| line.contains("staging")), "other environments stay here");
}

#[test]
fn problems_have_their_messages_and_no_empty_page_between() {
    let copy = of(&on(trouble(), Screen::Problems));
    assert!(copy.body.iter().any(|line| line.contains("Duplicate entry '4711'")));
    assert!(copy.body.windows(2).all(|two| two.iter().any(|line| !line.is_empty())));
    assert_eq!((copy.before, copy.after, copy.hidden), (0, 0, 0));
}

#[test]
fn a_long_list_is_bounded_and_says_how_many_more_there_are() {
    let mut model = large(400);
    let all = model.shown().unwrap().hosts.len();
    let copy = of(&model);
    assert!(copy.body.len() <= 40, "{}", copy.body.len());
    let rows = copy.body.len() - 1;
    assert_eq!((copy.before, rows + copy.after), (0, all));
    // Where the selection is.
    crate::app::update::update(
        &mut model,
        crate::app::message::Msg::Key(crate::config::keymap::KeyPress {
            code: crate::config::keymap::KeyCode::End,
            ctrl: false,
            alt: false,
        }),
    );
    let model = settled(model);
    let copy = of(&model);
    assert_eq!((copy.before + rows, copy.after), (all, 0));
}

#[test]
fn what_a_filter_hides_is_counted() {
    let mut model = trouble();
    model.filter_mut().unwrap().text.set("role:db");
    let all = model.shown().unwrap().hosts.len();
    let copy = of(&model);
    assert_eq!(copy.hidden + copy.body.len() - 1, all);
}

#[test]
fn a_jump_box_that_is_down_is_said_first() {
    let copy = of(&jump_down(90));
    let head = copy.head.join("\n");
    assert!(head.contains("JUMP BOX") && head.contains("Values below are from before the outage."), "{head}");
}

#[test]
fn a_question_and_what_is_typed_for_it_are_not_part_of_it() {
    let mut model = trouble();
    let before = of(&model);
    model.questions.push(Question {
        id: QuestionId(1),
        env: crate::app::fixture::env_name("production"),
        hop: Hop::Here,
        kind: QuestionKind::Passphrase { key: "/home/ops/.ssh/id_ed25519".into(), wrong: false },
    });
    model.answer.set("hunter2");
    model.help = Some(0);
    assert_eq!(of(&model), before);
}

#[test]
fn text_of_a_host_that_obeys_nothing_reaches_it() {
    let copy = of(&odd());
    assert!(copy.body.iter().chain(&copy.head).all(|line| line.chars().all(jumpdeck_fleet::text::is_drawn)));
}
