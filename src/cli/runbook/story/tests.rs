#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::time::Duration;

use super::*;
use crate::cli::runbook::fixture::{at_freeze, host, run};

const NOW: Moment = Moment(6000);

fn story() -> Story {
    Story::new(Paper::new(80, false))
}

#[test]
fn a_step_is_told_with_everything_it_rests_on() {
    let mut story = story();
    let view = at_freeze(run());
    let mut text = story.tell(&view, NOW);
    let mut view = view;
    view.doing.as_mut().unwrap().output.push((Some(host("db1")), Clean::new("Query OK")));
    text.push_str(&story.tell(&view, NOW));
    view.steps[1].state = StepState::Done;
    view.steps[1].took = Some(Duration::from_millis(140));
    text.push_str(&story.tell(&view, NOW));
    insta::assert_snapshot!(text);
}

#[test]
fn nothing_is_told_twice() {
    let mut story = story();
    let mut view = at_freeze(run());
    assert!(!story.tell(&view, NOW).is_empty());
    assert_eq!(story.tell(&view, NOW), "");
    let out = |line: &str| (Some(host("db1")), Clean::new(line));
    view.doing.as_mut().unwrap().output = vec![out("1"), out("2")];
    assert_eq!(story.tell(&view, NOW), "  | 1\n  | 2\n");
    // The oldest lines are forgotten, new ones came.
    view.doing.as_mut().unwrap().output = vec![out("2"), out("2"), out("3")];
    assert_eq!(story.tell(&view, NOW), "  | 2\n  | 3\n");
    view.steps[1].state = StepState::Failed(Clean::new("ERROR 1045"));
    assert_eq!(story.tell(&view, NOW), "  x FAILED: ERROR 1045\n");
    assert_eq!(story.tell(&view, NOW), "");
}

#[test]
fn steps_that_pass_between_two_pictures_are_told_too() {
    let mut story = story();
    let _ = story.tell(&run(), NOW);
    let mut view = run();
    view.steps[0].state = StepState::Skipped(Clean::new("mode is gtid"));
    view.steps[1].state = StepState::Done;
    let text = story.tell(&view, NOW);
    assert!(text.contains("1/2 ask  Shall db1 be frozen?: - left out: mode is gtid"), "{text}");
    assert!(text.contains("2/2 freeze  Freeze db1: no more writes: + done"), "{text}");
}

#[test]
fn a_question_says_whether_one_may_stand_here() {
    let mut view = at_freeze(run());
    let prompt = Prompt {
        number: 1,
        title: Clean::new("Open db2 for writes?"),
        text: vec![Clean::new("SET GLOBAL read_only = 0")],
        kind: PromptKind::Challenge(Clean::new("db2")),
    };
    let until = |ms| Safety::Until { until: Moment(ms), cost: Clean::new("nobody can write") };
    for (safety, wanted) in [
        (Safety::Safe, "safe, as long as you like"),
        (until(30_000), "not for long: 24s left; meanwhile nobody can write"),
        (until(6000), "NOT SAFE any more: nobody can write"),
    ] {
        view.safety = safety;
        let text = story().question(&view, &prompt, NOW);
        assert!(text.contains(wanted), "{text}");
    }
}
