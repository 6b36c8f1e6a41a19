#![allow(clippy::unwrap_used)]

use super::*;
use crate::app::fixture::*;
use crate::app::message::{AppEffect, Msg};
use crate::app::update::update;
use crate::config::action::Action;
use crate::config::keymap::{KeyCode, KeyPress, Keymap};

const COMMAND: &str = "jumpdeck --env production";

fn screen() -> PlainScreen {
    PlainScreen {
        head: vec!["PRODUCTION  via jump".to_owned()],
        body: vec!["HOST  1m".to_owned(), "db2   ?".to_owned()],
        before: 0,
        after: 312,
        hidden: 7,
    }
}

fn copy(model: &Model) -> String {
    Handoff::new(model, &screen(), "2026-11-30 14:20:17 UTC", COMMAND.to_owned()).within(usize::MAX)
}

#[test]
fn it_says_what_where_and_when_with_the_rows_and_the_command() {
    let mut model = model();
    model.filter_mut().unwrap().text.set("role:db");
    assert_eq!(
        copy(&model),
        "jumpdeck  production  the fleet  2026-11-30 14:20:17 UTC\n\
         PRODUCTION  via jump\n\
         FILTER /role:db (7 hidden)\n\
         \n\
         HOST  1m\n\
         db2   ?\n\
         and 312 more\n\
         \n\
         This view: jumpdeck --env production\n"
    );
}

#[test]
fn what_is_simulated_or_paused_says_so() {
    let mut model = model();
    assert!(!copy(&model).contains("SIMULATED") && !copy(&model).contains("PAUSED"));
    let mut fleet = jumpdeck_fleet::fleet::Fleet::clone(&model.fleet);
    fleet.simulated = true;
    model.fleet = fleet.into();
    let text = copy(&model);
    assert!(text.contains("SIMULATED"), "{text}");
    model.paused =
        Some(crate::app::model::Paused { since: model.now, environments: model.environments.clone() });
    pass(&mut model, Duration::from_secs(42));
    let text = copy(&model);
    assert!(text.contains("PAUSED for 42s: newer reports are not shown."), "{text}");
}

#[test]
fn too_long_a_text_is_cut_at_a_line_says_so_and_keeps_its_command() {
    let model = model();
    let long = PlainScreen { body: vec!["é".repeat(100); 500], ..screen() };
    let handoff = Handoff::new(&model, &long, "now", COMMAND.to_owned());
    let whole = handoff.within(usize::MAX);
    assert_eq!(handoff.within(whole.len()), whole);
    for most in [500, 1000, 1001, whole.len() - 1] {
        let cut = handoff.within(most);
        assert!(cut.len() <= most, "{} of {most}", cut.len());
        assert!(
            cut.ends_with("(cut here: too long for a clipboard)\n\nThis view: jumpdeck --env production\n")
        );
        let kept = cut.split("(cut here").next().unwrap();
        assert!(whole.starts_with(kept) && kept.ends_with('\n'));
    }
}

#[test]
fn the_notice_says_what_became_of_it_and_names_the_file() {
    let file = || Ok("~/.local/state/jumpdeck/handoff/20261130T142017Z.txt".to_owned());
    let no = || Err("no space left on device".to_owned());
    let notice = |terminal, file, columns| CopyOutcome { terminal, file }.notice(columns);
    assert_eq!(
        notice(Ok(()), file(), 118),
        "copied (if your terminal allows OSC 52), also in ~/.local/state/jumpdeck/handoff/20261130T142017Z.txt"
    );
    let narrow = notice(Ok(()), file(), 78);
    assert!(narrow.ends_with("/20261130T142017Z.txt") && narrow.chars().count() <= 78, "{narrow}");
    assert_eq!(
        notice(Ok(()), no(), 78),
        "copied (if your terminal allows OSC 52); no file: no space left on device"
    );
    assert!(notice(Err("the Linux console has no clipboard".to_owned()), file(), 78).starts_with("in ~/"));
    assert!(notice(Err("x".to_owned()), no(), 78).contains("not copied: x; no file: no space"));
}

#[test]
fn the_key_asks_for_a_copy_and_the_outcome_is_shown() {
    let mut model = model();
    model.keymap = Keymap::builtin_default().into();
    assert_eq!(press(&mut model, KeyCode::Char('c')), [AppEffect::CopyView]);
    assert_eq!(model.notice.as_ref().unwrap().0, "copying this view");
    let copied = CopyOutcome { terminal: Ok(()), file: Ok("/x.txt".to_owned()) };
    assert_eq!(update(&mut model, Msg::Handover(crate::app::message::HandoverNews::Copied(copied))), []);
    assert!(model.notice.as_ref().unwrap().0.ends_with("also in /x.txt"));
    pass(&mut model, Duration::from_secs(14));
    assert!(model.notice.is_some());
    pass(&mut model, Duration::from_secs(2));
    assert!(model.notice.is_none());
}

/// Where letters are typed it is a letter; where a letter answers a question, `y` is not bound to it.
#[test]
fn the_key_is_no_answer_and_a_letter_where_text_is_typed() {
    let keymap = Keymap::builtin_default();
    let plain = |c| KeyPress { code: KeyCode::Char(c), ctrl: false, alt: false };
    for answer in ['y', 'Y', 'n'] {
        assert_ne!(keymap.action(None, plain(answer)), Some(Action::Copy));
    }
    let mut model = model();
    model.keymap = keymap.into();
    press(&mut model, KeyCode::Char('/'));
    assert_eq!(press(&mut model, KeyCode::Char('c')), []);
    assert_eq!(model.filter().text.as_str(), "c");
    press(&mut model, KeyCode::Enter);
    press(&mut model, KeyCode::Char('?'));
    assert_eq!(press(&mut model, KeyCode::Char('c')), [], "what lies under help is not seen");
    ask(&mut model, 1, unknown_key());
    assert_eq!(press(&mut model, KeyCode::Char('c')), []);
}
