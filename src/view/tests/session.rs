//! The maintenance session: its screen, its dialogs, and what every header says of it.

use std::sync::Arc;

use super::*;
use crate::app::message::Msg;
use crate::app::model::note::Note;
use crate::app::model::runs::Dialog;
use crate::app::model::session::{SessionForm, SessionNote};
use crate::app::update::update;
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::fleet::Guard;
use jumpdeck_fleet::maintenance::{
    MaintenanceSession, RunEntry, SeenSession, SessionEntry, SessionHead, SessionLine, SessionNews,
    SessionRecord, SessionSync, SessionWork,
};
use jumpdeck_fleet::timeline::WallTime;

/// When the session began, of a screen whose clock says an hour later.
fn begin(model: &Model) -> i64 {
    model.wall().0 - 3600
}

fn record(model: &Model, name: &str, who: &str, lines: Vec<(i64, SessionEntry)>) -> SessionRecord {
    let began = begin(model);
    let numbered = lines.into_iter().zip(1..).map(|((at, entry), number)| SessionLine {
        number,
        at: WallTime(began + at),
        ms: 0,
        who: who.into(),
        entry,
    });
    SessionRecord { name: name.to_owned(), lines: numbered.collect(), ..SessionRecord::default() }
}

fn session(model: &Model, lasts: i64) -> MaintenanceSession {
    let head = SessionHead {
        id: "20261130T1420-a3f9".to_owned(),
        env: model.environments[0].spec.name.clone(),
        simulated: false,
        reason: "upgrade the databases to 10.11".into(),
        ticket: "OPS-12".into(),
        people: vec!["anna".into(), "bob".into()],
        began: WallTime(begin(model)),
        by: "anna@desk".into(),
        until: WallTime(begin(model) + lasts),
    };
    let shell = SessionWork::Shell { host: "db2".into() };
    let run = SessionEntry::Run {
        run: "20261130-142501-promote-masterdb-a3f1".to_owned(),
        runbook: "promote-masterdb".into(),
        dry_run: false,
        how: RunEntry::Started,
    };
    let anna = vec![
        (0, SessionEntry::Started(head.clone())),
        (300, SessionEntry::Note(Clean::lines("# Plan\n\n* db2 first\n* then db1-masterdb"))),
        (420, run),
        (900, SessionEntry::Opened { work: "1".to_owned(), what: shell }),
        (960, SessionEntry::Closed { work: "1".to_owned(), says: "exit 0".into() }),
        (
            1200,
            SessionEntry::RunOver {
                run: "20261130-142501-promote-masterdb-a3f1".to_owned(),
                says: "Finished: 1 step skipped by you".into(),
            },
        ),
        (1800, SessionEntry::HandedOver { to: "bob".into() }),
    ];
    let down = SessionEntry::Event {
        state: "began".into(),
        host: Some("app3".into()),
        key: "host_down".into(),
        says: "critical down: no route to host".into(),
    };
    let bob = vec![
        (60, SessionEntry::Joined { head, confirms: None }),
        (700, down),
        (
            720,
            SessionEntry::Acknowledged {
                problem: "app3: down: no route to host".into(),
                reason: "restarted with the others".into(),
                until: None,
            },
        ),
        (1000, SessionEntry::Clock { ahead: 42 }),
    ];
    MaintenanceSession::of(&[record(model, "a", "anna@desk", anna), record(model, "b", "bob@lap", bob)])
        .unwrap()
}

/// A console with a session that is planned to last so long.
fn with(lasts: i64, change: impl FnOnce(&mut SeenSession)) -> Model {
    let mut model = healthy();
    model.sessions = vec![news(&model, lasts, change)];
    model
}

/// What is known of that session.
pub(super) fn news(model: &Model, lasts: i64, change: impl FnOnce(&mut SeenSession)) -> SessionNews {
    let mut seen = SeenSession {
        session: Arc::new(session(model, lasts)),
        takes_part: true,
        leads_when_joined: false,
        sync: SessionSync::Same { shared: true },
    };
    change(&mut seen);
    let env = model.environments[0].spec.name.clone();
    SessionNews { env, seen: Some(seen), unknown: None, said: None }
}

fn press(model: &mut Model, code: KeyCode) {
    update(model, Msg::Key(KeyPress { code, ctrl: false, alt: false }));
    model.settle();
}

#[test]
fn the_session() {
    let late = |seen: &mut SeenSession| {
        seen.sync = SessionSync::Behind { lines: 3, why: "the connection to the jump box is lost".into() };
    };
    snapshot("session-late", &on(with(1800, late), Screen::Session), (80, 24));
    let others = |seen: &mut SeenSession| seen.takes_part = false;
    snapshot("session-others", &on(with(7200, others), Screen::Session), (80, 24));
    let to_confirm = |seen: &mut SeenSession| seen.leads_when_joined = true;
    assert!(text(&on(with(7200, to_confirm), Screen::Session), (80, 24)).contains("handed over to you"));
    let alone = |seen: &mut SeenSession| seen.sync = SessionSync::Same { shared: false };
    assert!(text(&on(with(7200, alone), Screen::Session), (120, 40)).contains("others cannot see it"));
}

#[test]
fn without_a_session_the_screen_says_how_to_start_one_and_what_is_unknown() {
    let mut model = on(healthy(), Screen::Session);
    let env = model.environments[0].spec.name.clone();
    model.sessions = vec![SessionNews { env, seen: None, unknown: Some("no answer".into()), said: None }];
    snapshot("session-none", &model, (80, 24));
    press(&mut model, KeyCode::Enter);
    assert!(matches!(model.runs.dialogs.as_slice(), [Dialog::Session(_)]));
}

#[test]
fn a_note_is_read_in_full_and_the_newest_row_is_selected_until_another_is() {
    let mut model = on(with(7200, |_| ()), Screen::Session);
    assert!(text(&model, (80, 24)).contains("10/10") || text(&model, (80, 24)).contains("9/9"));
    for _ in 0..20 {
        press(&mut model, KeyCode::Up);
    }
    press(&mut model, KeyCode::Down);
    press(&mut model, KeyCode::Down);
    let shown = text(&model, (80, 24));
    assert!(shown.contains("* then db1-masterdb"), "{shown}");
}

#[test]
fn every_header_says_how_long_the_session_lasts() {
    for (lasts, wanted) in [(7200, "SESS 1h 00m"), (1800, "▲ SESS 30m over")] {
        let shown = text(&on(with(lasts, |_| ()), Screen::Problems), (80, 24));
        assert!(shown.lines().next().unwrap().contains(wanted), "{shown}");
    }
    let behind = |seen: &mut SeenSession| seen.sync = SessionSync::Behind { lines: 3, why: "gone".into() };
    let shown = text(&on(with(7200, behind), Screen::Fleet), (120, 40));
    assert!(shown.contains("SESSION 1h 00m ▲3 unsent"), "{shown}");
    let others = |seen: &mut SeenSession| seen.takes_part = false;
    assert!(text(&on(with(7200, others), Screen::Fleet), (120, 40)).contains("(not joined)"));
}

#[test]
fn the_dialogs_of_a_session() {
    let dialog = |name: &str, dialog: Dialog| {
        let mut model = on(with(7200, |_| ()), Screen::Session);
        model.runs.dialogs.push(dialog);
        snapshot(name, &model, (80, 24));
    };
    let env = || healthy().environments[0].spec.name.clone();
    dialog("dialog-session-start", Dialog::Session(SessionForm::start(env())));
    dialog("dialog-session-hand-over", Dialog::Session(SessionForm::hand_over(env())));
    dialog("dialog-session-end", Dialog::Session(SessionForm::end(env(), Guard::Challenge)));
    dialog("dialog-session-note", Dialog::SessionNote(SessionNote { env: env(), text: Note::default() }));
}
