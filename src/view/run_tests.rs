//! The screens of runbooks and runs as text.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::fixtures::*;
use super::run_fixtures::*;
use super::tests::{SIZES, drawn, rows, snapshot, text};
use super::*;
use crate::app::model::Screen;

#[test]
fn the_list_at_every_size() {
    snapshot("runbooks", &list(), SIZES[2]);
    for size in SIZES {
        snapshot("runbooks-for", &list_for(), size);
    }
}

#[test]
fn a_plan_on_a_wide_terminal() {
    snapshot("plan", &planned(plan()), SIZES[2]);
}

#[test]
fn runs_at_every_size() {
    for (title, run) in [
        ("run", run()),
        ("run-confirm", confirm()),
        ("run-challenge", challenge()),
        ("run-failed", failed()),
        ("run-unknown", unknown()),
        ("run-finished", finished()),
        ("run-stopped", stopped()),
        ("run-watching", watching()),
    ] {
        let model = armed(with(run), 1499);
        for size in SIZES {
            snapshot(title, &model, size);
        }
    }
}

#[test]
fn the_ways_of_a_plan_and_of_dialogs() {
    use crate::app::model::editor::Editor;
    use crate::app::model::note::Note;
    use crate::app::model::runs::{Dialog, Form, Leave, LeaveQuestion, PlanState};
    use jumpdeck_fleet::run::{Mode, RunState};
    let small = (80, 24);
    let mut model = planned(plan());
    let state = |model: &mut Model, state| model.runs.plan.as_mut().unwrap().state = state;
    state(&mut model, PlanState::Making);
    snapshot("plan-making", &model, small);
    state(&mut model, PlanState::Failed("db3 does not answer: connection timed out".into()));
    snapshot("plan-failed", &model, small);
    let mut broken = plan();
    broken.problems = vec!["two hosts say that they are masterdb: db1-masterdb, db9".into()];
    let mut model = planned(broken);
    model.runs.plan.as_mut().unwrap().refused =
        vec!["ben@desk2 holds production".into(), "since 4m, at \"Canary\"".into()];
    snapshot("plan-refused", &model, small);

    let fields = vec![
        (input("candidate", "The new masterdb", &["db2", "db3"]), Editor::line()),
        (input("window", "How long writes may be refused", &[]), Editor::line()),
    ];
    let mut form = Form {
        runbook: "r".into(),
        title: "Makes a replica the masterdb".into(),
        fields,
        at: 0,
        picker: crate::app::model::picker::Picker { chosen: Some("db3".into()), ..Default::default() },
        wrong: None,
    };
    form.fields[0].1.set("db3");
    form.fields[1].0.sensitive = true;
    form.fields[1].1.set("geheim");
    let mut note = Note::default();
    note.insert("slow disk on db1\nasked the hoster");
    for (title, model, dialog) in [
        ("dialog-inputs", list(), Dialog::Inputs(form)),
        (
            "dialog-start",
            planned(plan()),
            Dialog::Start { mode: Mode::Live, why: "db1 gets new disks".into(), wrong: None },
        ),
        (
            "dialog-arm",
            planned(plan()),
            Dialog::Arm {
                reason: Editor::line(),
                time: "30m".into(),
                at_time: false,
                wrong: Some("a reason is needed: it is kept in the journal"),
            },
        ),
        ("dialog-note", with(run()), Dialog::Note { run: RUN.into(), text: note }),
        ("dialog-refused", list(), Dialog::Refused(vec!["ben@desk2 holds production since 4m".into()])),
        ("dialog-quit", with(run()), Dialog::Leave(Leave::new(LeaveQuestion::Quit))),
        ("dialog-quit-in-effect", with(frozen()), Dialog::Leave(Leave::new(LeaveQuestion::Quit))),
        (
            "dialog-quit-leaving",
            with(frozen()),
            Dialog::Leave(Leave { typed: Some("le".into()), ..Leave::new(LeaveQuestion::Stop(RUN.into())) }),
        ),
        (
            "dialog-quit-stopping",
            with(run()),
            Dialog::Leave(Leave { stopping: true, ..Leave::new(LeaveQuestion::Quit) }),
        ),
    ] {
        let mut model = model;
        model.runs.dialogs.push(dialog);
        let drawn = text(&model, small);
        assert!(!drawn.contains("geheim"), "{drawn}");
        snapshot(title, &model, small);
    }
    let mut run = run();
    run.state = RunState::RollingBack;
    snapshot("run-rolling-back", &with(run), small);
}

#[test]
fn read_only_is_said_and_arming_counts_down() {
    let head = |model: &Model, width| text(model, (width, 24)).lines().next().unwrap().to_owned();
    let mut model = planned(plan());
    assert!(head(&model, 80).contains(" READ-ONLY "));
    model.runs.disarmed = Some((model.environments[0].spec.name.clone(), "time is up"));
    assert!(head(&model, 120).contains("READ-ONLY (time is up)"), "{}", head(&model, 120));
    let model = armed(model, 1499);
    assert!(head(&model, 80).contains(" ARMED 24:59 db1 gets ne… "), "{}", head(&model, 80));
    assert!(head(&model, 120).contains(" ARMED 24:59 db1 gets new disks "));
    assert!(head(&armed(model, 4 * 3600 + 61), 120).contains(" ARMED 4:01:01 "));
}

#[test]
fn a_second_of_arming_changes_the_clock_alone() {
    let model = armed(planned(plan()), 1499);
    let mut later = armed(planned(plan()), 1498);
    later.now = model.now;
    let (one, other) = (drawn(&model, &styles("dark"), (120, 40)), drawn(&later, &styles("dark"), (120, 40)));
    let changed = one.content.iter().zip(&other.content).filter(|(a, b)| a != b).count();
    assert_eq!(changed, 1, "24:59 and 24:58 differ in one cell");
}

#[test]
fn what_a_run_without_arming_asks_says_so() {
    let model = with(confirm());
    assert!(text(&model, (80, 24)).contains("read-only: confirming asks you to arm"));
    assert!(!text(&armed(model, 60), (80, 24)).contains("confirming asks you to arm"));
}

#[test]
fn in_eighty_columns_a_question_stands_below_the_command_and_the_facts_it_rests_on() {
    let screen = text(&armed(with(confirm()), 60), (80, 24));
    for wanted in
        ["SET STATEMENT max_statement_time=10", "db2 has caught up", "2s ago", "db1-masterdb", "OLD", "y yes"]
    {
        assert!(screen.contains(wanted), "{wanted} is not in\n{screen}");
    }
}

#[test]
fn hostile_and_wide_text_does_no_harm() {
    let evil = "\u{1b}[2J\u{202e}東京東京東京東京東京東京東京東京東京東京東京東京東京\u{200b}e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}";
    let evil = evil.repeat(20);
    let mut run = failed();
    run.title = evil.as_str().into();
    run.who = evil.as_str().into();
    for step in &mut run.steps {
        step.title = evil.as_str().into();
        step.state = jumpdeck_fleet::run::StepState::Unknown(evil.as_str().into());
    }
    let doing = run.doing.as_mut().unwrap();
    doing.output = (0..500).map(|_| (None, evil.as_str().into())).collect();
    doing.commands[0].1 = vec![evil.as_str().into()];
    let prompt = run.prompt.as_mut().unwrap();
    prompt.title = evil.as_str().into();
    prompt.text = vec![evil.as_str().into(); 50];
    let mut plan = plan();
    plan.title = evil.as_str().into();
    plan.targets[0].hosts[0].roles.1 = Ok(evil.as_str().into());
    for size in [(60, 15), (61, 16), (80, 24), (99, 17), (100, 15), (120, 40), (300, 80)] {
        for model in [armed(with(run.clone()), 60), planned(plan.clone())] {
            let buf = drawn(&model, &styles("dark"), size);
            let screen = rows(&buf).join("\n");
            assert!(screen.contains("SIMULATED") && screen.contains("PRODUCTION"), "{screen}");
            assert!(!screen.contains(['\u{1b}', '\u{202e}', '\u{200b}']));
            if matches!(model.screen(), Screen::Run(_)) {
                assert!(screen.contains("s  stop here"), "{size:?}\n{screen}");
            }
        }
    }
}

#[test]
fn two_hundred_steps_and_long_outputs_scroll() {
    let mut long = run();
    let step = long.steps[8].clone();
    long.steps = (0..200)
        .map(|i| jumpdeck_fleet::run::StepView {
            title: format!("step number {}", i + 1).into(),
            ..step.clone()
        })
        .collect();
    long.current = Some(150);
    let doing = long.doing.as_mut().unwrap();
    doing.output = (0..400).map(|i| (None, format!("line {i}").into())).collect();
    let mut model = with(long);
    let screen = text(&model, (120, 40));
    assert!(
        screen.contains("step number 151 ") && screen.contains("line 399") && screen.contains("COMMAND"),
        "{screen}"
    );
    assert!(!screen.contains("step number 12 ") && !screen.contains("line 2\n"));
    model.runs.step = Some(3);
    assert!(text(&model, (120, 40)).contains("step number 4 "));
    model.runs.step = None;
    model.runs.scroll = Some(60);
    assert!(text(&model, (120, 40)).contains("line 60"));
}

#[test]
fn every_size_ascii_and_no_colour_hold_for_runs_too() {
    let plain = Styles::new(&crate::config::theme::builtin()[0], ColorSupport::None);
    for run in [run(), confirm(), challenge(), failed(), unknown(), finished(), stopped(), watching()] {
        let model = with(run);
        for size in [(1, 1), (59, 40), (60, 14), (60, 15), (79, 23), (99, 15), (100, 16), (300, 80)] {
            drawn(&model, &styles("dark"), size);
        }
        let buf = drawn(&model, &styles("dark").in_ascii(true), (120, 40));
        let odd = buf
            .content
            .iter()
            .find(|c| !c.symbol().is_ascii() || c.symbol() == "?" && c.fg == styles("dark").ok.fg.unwrap());
        assert!(odd.is_none());
        use ratatui::style::Color::Reset;
        let buf = drawn(&model, &plain, (120, 40));
        assert!(buf.content.iter().all(|c| c.fg == Reset && c.bg == Reset));
    }
}

#[test]
fn every_theme_tells_the_states_of_steps_apart() {
    use crate::view::signs::Progress;
    let mut signs: Vec<&str> = Progress::ALL.iter().map(|p| p.sign()).collect();
    let mut words: Vec<&str> = Progress::ALL.iter().map(|p| p.word()).collect();
    signs.sort_unstable();
    words.sort_unstable();
    signs.dedup();
    words.dedup();
    assert_eq!((signs.len(), words.len()), (Progress::ALL.len(), Progress::ALL.len()));
    for theme in crate::config::theme::builtin() {
        for (depth, support) in
            [("true", ColorSupport::TrueColor), ("16", ColorSupport::Ansi16), ("none", ColorSupport::None)]
        {
            let styles = Styles::new(&theme, support);
            let mut out: Vec<String> = Progress::ALL
                .iter()
                .map(|p| {
                    let style = styles.progress(*p);
                    format!("{} {:<8} {:?} {:?}", p.sign(), p.word(), style.fg, style.add_modifier)
                })
                .collect();
            let armed = styles.armed;
            out.push(format!("ARMED {:?} on {:?} {:?}", armed.fg, armed.bg, armed.add_modifier));
            insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
                insta::assert_snapshot!(format!("progress-{}-{depth}", theme.name), out.join("\n"));
            });
        }
    }
}

#[test]
fn what_is_too_long_for_its_box_can_be_read_to_its_end() {
    let text_of: Vec<String> = (0..40).map(|i| format!("    statement number {i};")).collect();
    let lines: Vec<&str> = text_of.iter().map(String::as_str).collect();
    let mut model =
        armed(with(asking("Agree to these?", &lines, jumpdeck_fleet::run::PromptKind::Confirm)), 60);
    for size in [(80, 24), (120, 40), (60, 15)] {
        model.size = size;
        let mut seen = String::new();
        for top in 0..80 {
            model.runs.scroll = Some(top);
            let screen = text(&model, size);
            assert!(
                screen.contains("y yes, do it") && screen.contains("Full text above (PgUp PgDn)."),
                "{screen}"
            );
            seen.push_str(&screen);
        }
        for line in &text_of {
            assert!(seen.contains(line.as_str()), "{line} at {size:?}");
        }
    }
}

#[test]
fn a_freeze_is_said_on_every_screen_and_marks_its_host() {
    for size in SIZES {
        for screen in [Screen::Fleet, Screen::Replication, Screen::Roles, Screen::Problems, Screen::Runbooks]
        {
            let mut model = with(frozen());
            model.screens = vec![Screen::Fleet, screen.clone()];
            let shown = text(&settled(model), size);
            assert!(
                shown.contains("✖ STILL IN EFFECT: Writes are refused on db1-masterdb since 13:45:02+01:00"),
                "{screen:?}\n{shown}"
            );
        }
        let shown = text(&with(frozen()), size);
        assert_eq!(shown.matches("STILL IN EFFECT").count(), 1, "{shown}");
    }
    let mut model = with(frozen());
    model.screens = vec![Screen::Fleet];
    let shown = text(&settled(model), (80, 24));
    assert!(shown.contains("▲ db1-masterdb"), "{shown}");
}

#[test]
fn the_demo_promises_no_resume() {
    use crate::app::model::runs::{Dialog, Leave, LeaveQuestion};
    for (simulated, promise) in [(true, false), (false, true)] {
        let mut run = run();
        run.simulated = simulated;
        let mut model = with(run);
        model.runs.dialogs.push(Dialog::Leave(Leave::new(LeaveQuestion::Quit)));
        let shown = text(&model, (80, 24));
        assert_eq!(shown.contains("It stays in the journal"), promise, "{shown}");
        assert_eq!(shown.contains("It cannot be resumed"), !promise, "{shown}");
    }
}

/// Finding 10 of the console: a finished run with a check left out by its operator is not said to have done everything.
#[test]
fn a_finished_run_counts_its_steps_by_outcome() {
    use jumpdeck_fleet::run::StepState;
    let mut run = finished();
    for step in &mut run.steps {
        step.state = StepState::Done;
    }
    run.steps[1].state = StepState::Skipped("re-pointed by hand".into());
    run.steps[1].skipped_by_operator = true;
    run.steps[2].state = StepState::Skipped("only when there are siblings".into());
    let shown = text(&with(run), (200, 50));
    assert!(!shown.contains("Everything"), "{shown}");
    assert!(shown.contains("10 of 12 steps done, 1 skipped by an operator, 1 not applicable"), "{shown}");
}

/// A dry run goes on past a check that fails; that it reached its end does not make it good.
#[test]
fn a_dry_run_in_which_a_check_failed_is_not_shown_as_done() {
    use jumpdeck_fleet::run::{Mode, StepState};
    let mut run = finished();
    run.mode = Mode::DryRun;
    run.steps[1].state = StepState::Failed("expected 1 row, got 2".into());
    let shown = text(&with(run), (120, 40));
    assert!(shown.contains("✖ finished") && !shown.contains("✓ finished"), "{shown}");
    assert!(shown.contains("A live run would stop at step 2"), "{shown}");
    assert!(text(&with(finished()), (120, 40)).contains("✓ finished"));
}
