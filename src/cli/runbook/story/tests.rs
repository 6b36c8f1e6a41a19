#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::time::Duration;

use super::*;
use crate::cli::runbook::fixture::{at_freeze, freezing, host, run};
use crate::runbook::{journal, watched};
use jumpdeck_fleet::run::{EndedBy, InEffect};

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
    let doing = view.doing.as_mut().unwrap();
    (doing.output, doing.output_before) = (vec![out("2"), out("2"), out("3")], 1);
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
    assert!(text.contains("1/2 ask  Shall db1 be frozen?: - not applicable: mode is gtid"), "{text}");
    assert!(text.contains("2/2 freeze  Freeze db1: no more writes: + done"), "{text}");
}

/// Whoever goes on with a run is told in one line what each step did before; whoever watches it, all of it.
#[test]
fn what_was_done_before_a_run_went_on_is_one_line_a_step() {
    let mut view = at_freeze(run());
    view.keep_current();
    view.steps[1].state = StepState::Done;
    view.earlier = view.past.len();
    let told = story().tell(&view, NOW);
    assert!(told.contains("2/2 freeze  Freeze db1: no more writes: + done"), "{told}");
    assert!(!told.contains("SET GLOBAL"), "{told}");
    view.earlier = 0;
    assert!(story().tell(&view, NOW).contains("SET GLOBAL read_only = 1"));
}

/// The steps of a run go by one after another, and a picture is taken of each moment or of the last alone: what is told
/// differs in nothing but the times.
#[test]
fn steps_that_went_by_between_two_pictures_are_told_in_full() {
    let done = |view: &mut RunView, state: StepState| {
        let at = view.current.unwrap();
        view.steps[at].state = state;
        view.steps[at].took = Some(Duration::from_millis(140));
    };
    let begin = |view: &mut RunView, at: usize, state: RunState| {
        view.keep_current();
        (view.current, view.doing, view.state) = (Some(at), Some(freezing()), state);
        (view.steps[at].state, view.steps[at].took) = (StepState::Running, None);
    };
    let mut view = at_freeze(run());
    let mut pictures = vec![run(), view.clone()];
    // It fails, is tried again and fails the same way, is done, and is undone.
    let failed = || StepState::Failed(Clean::new("ERROR 1045"));
    for (end, then) in [
        (failed(), Some(RunState::Running)),
        (failed(), Some(RunState::Running)),
        (StepState::Done, Some(RunState::RollingBack)),
        (StepState::Undone, None),
    ] {
        done(&mut view, end);
        pictures.push(view.clone());
        if let Some(state) = then {
            begin(&mut view, 1, state);
            pictures.push(view.clone());
        }
    }
    let told = |pictures: &[RunView]| {
        let mut story = story();
        pictures.iter().map(|view| story.tell(view, NOW)).collect::<String>()
    };
    let all = told(&pictures);
    assert_eq!(all.matches("SET GLOBAL read_only = 1").count(), 4, "{all}");
    assert_eq!(all.matches("x FAILED: ERROR 1045").count(), 2, "{all}");
    for missed in 1..pictures.len() {
        for from in 0..pictures.len() - missed {
            let mut few = pictures.clone();
            few.drain(from..from + missed);
            assert_eq!(told(&few), all, "without {missed} from {from}");
        }
    }
}

/// Who watches looks once a second: whatever happened between two looks is told as if one had seen each entry come.
#[test]
fn who_watches_is_told_everything_however_seldom_they_look() {
    for name in ["finished", "stopped", "cut-off-in-a-change", "cut-off-in-an-undo"] {
        let file = format!("{}/tests/fixtures/journals/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
        let entries = journal::read(std::path::Path::new(&file)).unwrap();
        let wall = entries.last().unwrap().at;
        let told = |looks: &[usize]| {
            let mut story = story();
            let pictures = looks.iter().map(|upto| watched::view(&entries[..*upto], (NOW, wall)).unwrap());
            let text: String = pictures.map(|view| story.tell(&view, NOW)).collect();
            // What went wrong with the way there is told as it stands when one looks.
            let mut lines: Vec<String> =
                text.lines().filter(|line| !line.starts_with("! ")).map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let each: Vec<usize> = (1..=entries.len()).collect();
        let all = told(&each);
        assert!(all.iter().any(|line| line.contains("command")), "{all:?}");
        for seldom in [2, 3, 5, 7, entries.len()] {
            let looks: Vec<usize> =
                each.iter().copied().filter(|at| at % seldom == 0 || *at == entries.len()).collect();
            assert_eq!(told(&looks), all, "{name}, every {seldom} entries");
        }
    }
}

#[test]
fn lines_that_came_too_fast_are_counted() {
    let mut story = story();
    let mut view = at_freeze(run());
    view.doing.as_mut().unwrap().output = vec![(Some(host("db1")), Clean::new("1"))];
    let _ = story.tell(&view, NOW);
    let doing = view.doing.as_mut().unwrap();
    (doing.output, doing.output_before) = (vec![(Some(host("db1")), Clean::new("9"))], 8);
    assert_eq!(story.tell(&view, NOW), "  (7 lines of output came too fast to be shown)\n  | 9\n");
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
    let no =
        Safety::NoWrites { since: Moment(NOW.0 - 4000), says: Clean::new("Users cannot write: db1 is dead") };
    for (safety, wanted) in [
        (Safety::Safe, "Safe to pause: yes, no time limit"),
        (until(30_000), "Safe to pause: 24 s left. nobody can write"),
        (until(6000), "Safe to pause: NO, the time is up. nobody can write"),
        (no, "Safe to pause: NO, for 4s already. Users cannot write: db1 is dead"),
        (
            Safety::Meanwhile(Clean::new("Highstate is disabled")),
            "Safe to pause: yes, no time limit. Meanwhile: Highstate is disabled",
        ),
        (Safety::Unknown(Clean::new("It is not known.")), "Safe to pause: unknown. It is not known."),
    ] {
        view.safety = safety;
        let text = story().question(&view, &prompt, NOW);
        assert!(text.contains(wanted), "{text}");
    }
}

/// Console finding 2: whoever leaves a run is told what is still in effect, and what ends it first.
#[test]
fn every_way_out_tells_what_is_still_in_effect() {
    let frozen = |ended_by| InEffect {
        step: "freeze".to_owned(),
        says: Clean::new("Writes are refused"),
        on: vec![host("db1")],
        since: Moment(2000),
        since_clock: Clean::new("13:45:02Z"),
        certain: true,
        stops_writes: true,
        found: false,
        guards: Vec::new(),
        ended_by,
    };
    let by_hand = || EndedBy::Hand(vec![(Some(host("db1")), vec![Clean::new("SET GLOBAL read_only = 0")])]);
    let left = |state: RunState, simulated, watching, ended_by| {
        let view =
            RunView { state, simulated, watching, in_effect: vec![frozen(ended_by)], ..at_freeze(run()) };
        let text = story().ending(&view, NOW);
        assert!(
            text.contains("STILL IN EFFECT") && text.contains("Writes are refused on db1 since 13:45:02Z"),
            "{text}"
        );
        text
    };
    let why = || Clean::new("stopped by anna@desk");
    for state in [RunState::Stopped(why()), RunState::Running] {
        let text = left(state, false, false, EndedBy::Rollback);
        let (back, on) =
            (text.find("jumpdeck runbook rollback 2026"), text.find("jumpdeck runbook resume 2026"));
        assert!(back.is_some() && back < on, "{text}");
    }
    // Behind the point of no return a rollback ends nothing.
    let text = left(RunState::Stopped(why()), false, false, EndedBy::GoingOn);
    assert!(!text.contains("runbook rollback") && text.contains("runbook resume"), "{text}");
    let text = left(RunState::Abandoned(why()), false, false, by_hand());
    assert!(text.contains("end it by hand on db1:\n        SET GLOBAL read_only = 0"), "{text}");
    assert!(!text.contains("runbook resume"), "{text}");
    let text = left(RunState::Abandoned(why()), false, false, EndedBy::Hand(Vec::new()));
    assert!(text.contains("no undo for step freeze"), "{text}");
    let text = left(RunState::Stopped(why()), true, false, EndedBy::Rollback);
    assert!(text.contains("on a real fleet it would stay") && !text.contains("runbook resume"), "{text}");
    let text = left(RunState::Stopped(why()), false, true, EndedBy::Rollback);
    assert!(!text.contains("runbook resume"), "who watches resumes nothing: {text}");
}

/// Console finding 10: what nobody did is not counted as done.
#[test]
fn the_end_says_what_was_skipped_and_what_was_not_applicable() {
    let mut view = RunView { state: RunState::Finished, ..run() };
    assert!(story().ending(&view, NOW).contains("FINISHED in 5s\n"));
    let skipped = |kind, by_operator| StepView {
        kind,
        state: StepState::Skipped(Clean::new("why")),
        skipped_by_operator: by_operator,
        ..run().steps[0].clone()
    };
    view.steps = vec![skipped("check", true), skipped("sql", false), skipped("check", false)];
    assert_eq!(view.finished(), "Finished: 1 step skipped by you, 2 not applicable");
    assert!(story().ending(&view, NOW).contains("FINISHED in 5s: 1 step skipped by you, 2 not applicable"));
    view.steps.push(skipped("sql", true));
    view.watching = true;
    assert_eq!(view.finished(), "Finished: 2 steps skipped by the operator, 2 not applicable");
}
