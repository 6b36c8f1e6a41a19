//! A shell on a host: what is asked for, what keys do meanwhile, and what is said of its end.

#![allow(clippy::panic)]

use super::*;
use crate::app::message::{AskedShell, ShellNews};
use crate::app::model::shell::ShellStage;

/// Asks for a shell on the row that is selected.
fn asked(model: &mut Model) -> AskedShell {
    let effects = acts(model, &[Action::Shell]);
    let [AppEffect::OpenShell(asked)] = effects.as_slice() else { panic!("{effects:?}") };
    asked.clone()
}

#[test]
fn it_is_opened_on_the_host_that_is_selected_and_on_a_host_s_page() {
    let mut model = model();
    acts(&mut model, &[Action::Down]);
    let host = selected_host(&model);
    let first = asked(&mut model);
    assert_eq!((first.host.id.host.as_str(), first.env.name.as_str()), (host.as_str(), "production"));
    assert_eq!(press(&mut model, KeyCode::Esc), [AppEffect::CancelShell]);
    acts(&mut model, &[Action::Open]);
    let second = asked(&mut model);
    assert_eq!(second.host.id.host.as_str(), host);
    assert_ne!(first.number, second.number);
}

#[test]
fn where_no_host_is_selected_it_says_so() {
    let mut model = model();
    acts(&mut model, &[Action::Screen(Destination::Runbooks)]);
    assert_eq!(acts(&mut model, &[Action::Shell]), []);
    assert_eq!(model.notice.as_ref().unwrap().0, "select a host first");
    assert!(model.shell.is_none());
}

#[test]
fn a_host_that_the_filter_hides_gets_none() {
    let mut model = model();
    acts(&mut model, &[Action::Down]);
    model.filter_mut().unwrap().text.set("no such host");
    model.settle();
    assert_eq!(acts(&mut model, &[Action::Shell]), []);
    assert!(model.shell.is_none());
}

#[test]
fn what_is_typed_ahead_of_it_does_nothing_beneath() {
    let mut model = model();
    asked(&mut model);
    let before = (selected_host(&model), model.screens.clone());
    for c in "lsjq:/$AyxK ".chars() {
        assert_eq!(type_text(&mut model, &c.to_string()), [], "{c}");
    }
    for code in [KeyCode::Enter, KeyCode::Down, KeyCode::Tab] {
        assert_eq!(press(&mut model, code), [], "{code:?}");
    }
    update(&mut model, Msg::Paste("rm -rf /".to_owned()));
    assert_eq!((selected_host(&model), model.screens.clone()), before);
    assert_eq!(model.shell.as_ref().unwrap().stage, ShellStage::Opening);
}

#[test]
fn one_that_was_cancelled_gets_no_terminal_and_no_news() {
    let mut model = model();
    let first = asked(&mut model);
    press(&mut model, KeyCode::Esc);
    assert!(!model.attend_shell(first.number), "it came too late");
    let second = asked(&mut model);
    let failed = ShellNews::Failed { number: first.number, why: "refused".to_owned() };
    update(&mut model, Msg::Shell(failed));
    assert_eq!(model.shell.as_ref().unwrap().stage, ShellStage::Opening, "that was the other");
    assert!(model.attend_shell(second.number));
    assert!(!model.attend_shell(second.number), "once");
}

#[test]
fn how_it_ended_is_said_and_a_loss_stays_until_it_is_read() {
    let mut model = model();
    let shell = asked(&mut model);
    assert!(model.attend_shell(shell.number));
    update(&mut model, Msg::Shell(ShellNews::Ended { number: shell.number, how: Ok(3) }));
    let said = format!("the shell on {} has ended with exit status 3", shell.host.id.host);
    assert_eq!(model.notice.as_ref().unwrap().0, said);
    assert!(model.shell.is_none());

    let shell = asked(&mut model);
    assert!(model.attend_shell(shell.number));
    let lost = "host app1: connection lost\u{1b}[2J".to_owned();
    update(&mut model, Msg::Shell(ShellNews::Ended { number: shell.number, how: Err(lost) }));
    pass(&mut model, LONG * 100);
    let ShellStage::Lost(why) = &model.shell.as_ref().unwrap().stage else { panic!("{:?}", model.shell) };
    let why = why.as_str();
    assert!(why.contains("connection lost") && !why.contains('\u{1b}'), "{why}");
    type_text(&mut model, "q");
    assert!(model.shell.is_some(), "keys that were meant for the shell do not close it");
    press(&mut model, KeyCode::Enter);
    assert!(model.shell.is_none());
}

#[test]
fn a_question_of_its_login_is_answered_first() {
    let mut model = model();
    asked(&mut model);
    ask(&mut model, 1, unknown_key());
    frame(&mut model);
    pass(&mut model, LONG);
    let effects = press(&mut model, KeyCode::Esc);
    assert!(matches!(effects.as_slice(), [AppEffect::Answer(..)]), "{effects:?}");
    assert_eq!(model.shell.as_ref().unwrap().stage, ShellStage::Opening);
}
