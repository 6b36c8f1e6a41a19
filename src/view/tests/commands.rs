//! Commands on hosts: the dialog and the answers, as they are drawn.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;

use super::marks::keys;
use super::*;
use crate::app::message::Msg;
use crate::app::model::Room;
use crate::app::model::runs::Dialog;
use crate::app::update::update;
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::command::{CommandOutcome, CommandState, CommandView, PrintedLine, SameAnswers};
use jumpdeck_fleet::fleet::Guard;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::RunEvent;

const TEXT: &str = "df -h / | tail -1";

/// Marked hosts, a command typed, and this said before; drawn for long enough to be answered.
fn asked(model: Model, said: &[&str]) -> Model {
    let mut model = keys(model, &format!("!{TEXT}\n"));
    let Some(Dialog::Command(form)) = model.runs.dialogs.last() else { panic!("no dialog") };
    let id = form.id;
    let said = Ok(said.iter().map(|text| Clean::new(text)).collect());
    update(&mut model, Msg::Run(RunEvent::CommandReady { id, said }));
    model.drawn(Room::default());
    let later = model.now.plus(std::time::Duration::from_millis(500));
    update(&mut model, Msg::Tick(later));
    model
}

fn begun(model: Model) -> Model {
    let model = keys(asked(model, &[]), "production\n");
    assert!(model.shows_answers(), "{}", text(&model, (80, 24)));
    model
}

/// Tells answers: status, then what was printed on each stream.
pub(super) fn told(mut model: Model, over: bool) -> Model {
    let mut view = CommandView::clone(&model.last_command().unwrap().view);
    let all: Vec<HostName> = view.order.hosts.clone();
    let printed = |out: &[&str], err: &[&str]| {
        let out = out.iter().map(|line| PrintedLine::Out(Clean::new(line)));
        let err = err.iter().map(|line| PrintedLine::Err(Clean::new(line)));
        let remark = PrintedLine::Remark("9 bytes more on standard output are not shown".into());
        let remark = (!err.clone().collect::<Vec<_>>().is_empty()).then_some(remark);
        Some(out.chain(err).chain(remark).collect::<Vec<_>>().into())
    };
    let group = |number, hosts: &[HostName], outcome, why: Option<&str>, printed| SameAnswers {
        number,
        hosts: hosts.to_vec(),
        outcome,
        why: why.map(Clean::new),
        printed,
    };
    let evil = "\u{1b}]0;owned\u{7} 東京  two  spaces";
    view.groups = vec![
        group(
            1,
            &all[2..20],
            CommandOutcome::Exit(0),
            None,
            printed(&["/dev/sda1  18G  11G  6.1G  65% /"], &[]),
        ),
        group(0, &all[..1], CommandOutcome::Exit(127), None, printed(&[], &["/bin/sh: df: not found", evil])),
        group(
            2,
            &all[1..2],
            CommandOutcome::Unknown,
            Some("the host itself: no end within 30 s"),
            printed(&[], &[]),
        ),
    ];
    view.waiting = all[20..].to_vec();
    if over {
        let why = "the host itself: connection refused: is sshd running there?";
        view.groups.push(group(3, &all[20..], CommandOutcome::NotAsked, Some(why), None));
        view.waiting.clear();
        view.state = CommandState::Over(model.now);
    }
    update(&mut model, Msg::Run(RunEvent::Command(Arc::new(view))));
    model.settle();
    model
}

#[test]
fn the_dialog_says_on_which_hosts_what_and_what_else_goes_on() {
    for size in [(80, 24), (120, 40), (60, 15)] {
        let mut model = trouble();
        model.size = size;
        snapshot("command-typed", &keys(model, &format!("mm!{TEXT}")), size);
        let mut model = trouble();
        model.size = size;
        let said = [
            "a run is under way: anna@desk runs promote-masterdb (r1)",
            "in effect: writes are refused on db1",
        ];
        snapshot("command-asked", &asked(keys(model, "*"), &said), size);
    }
    let mut model = trouble();
    let env = Arc::make_mut(&mut model.environments[0].spec);
    env.guard = Guard::Confirm;
    snapshot("command-confirm", &asked(keys(model, "mm"), &[]), (80, 24));
}

#[test]
fn the_question_is_seen_whatever_is_said_before_it() {
    for size in [(60, 15), (80, 24), (200, 50)] {
        let mut model = keys(large(1000), "*!");
        model.size = size;
        model = keys(model, &"x".repeat(350));
        model = keys(model, "\n");
        let Some(Dialog::Command(form)) = model.runs.dialogs.last() else { panic!("no dialog") };
        let id = form.id;
        let said = Ok((0..40).map(|n| Clean::new(&format!("a run is under way: r{n}"))).collect());
        update(&mut model, Msg::Run(RunEvent::CommandReady { id, said }));
        let screen = text(&model, size);
        assert!(screen.contains("Run it on 1000 hosts? Type  production"), "{screen}");
        assert!(screen.contains("Enter run it") && screen.contains("lines more"), "{screen}");
        assert!(screen.matches('x').count() >= 350, "all of the command is seen\n{screen}");
    }
}

#[test]
fn answers_are_grouped_and_what_one_group_printed_is_shown() {
    for size in SIZES {
        snapshot("answers-under-way", &told(begun(keys(trouble(), "*")), false), size);
    }
    snapshot("answers", &told(begun(keys(trouble(), "*")), true), SIZES[2]);
    let mut model = told(begun(keys(trouble(), "*")), true);
    update(&mut model, Msg::Key(KeyPress { code: KeyCode::Down, ctrl: false, alt: false }));
    let screen = text(&model, (80, 24));
    assert!(screen.contains(" ! ^[]0;owned^G 東京  two  spaces"), "{screen}");
    assert!(screen.contains("▲ 9 bytes more on standard output are not shown"), "{screen}");
    let buf = drawn(&model, &styles("dark").in_ascii(true), (80, 24));
    assert!(
        rows(&buf).iter().any(|row| row.starts_with("> ! 1 host    exit 127")),
        "{}",
        rows(&buf).join("\n")
    );
}

#[test]
fn a_command_elsewhere_is_in_every_header_and_in_no_copy() {
    let model = told(begun(keys(trouble(), "*")), false);
    assert!(!text(&model, (120, 40)).contains("COMMAND"));
    let plain = crate::view::plain(&model, &styles("dark"));
    let copy = [plain.head, plain.body].concat().join("\n");
    assert!(copy.contains("exit 127") && copy.contains("(the command is not copied)"), "{copy}");
    assert!(!copy.contains("tail -1"), "{copy}");
    let elsewhere = keys(model, "1");
    assert!(text(&elsewhere, (80, 24)).contains("► COMMAND"), "{}", text(&elsewhere, (80, 24)));
    assert!(!text(&told(elsewhere, true), (80, 24)).contains("► COMMAND"));
}

#[test]
fn no_size_is_too_odd_for_it() {
    for size in [(60, 15), (61, 16), (133, 15), (300, 80)] {
        for model in [keys(odd(), "*!ls"), told(begun(keys(trouble(), "*")), true)] {
            drawn(&model, &styles("dark"), size);
        }
    }
}
