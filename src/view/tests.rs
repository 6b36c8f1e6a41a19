//! Screens as text, at three sizes, and the styles that text does not show.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::fixtures::*;
use super::*;
use crate::app::model::{Paused, Screen};
use crate::config::theme::builtin;
use jumpdeck_fleet::event::{LoginInstructions, Question, QuestionId, QuestionKind};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

mod charts;
mod columns;
mod commands;
mod compare;
mod compare_environments;
mod contacts;
mod events;
mod export;
mod fold;
mod growth;
mod hints;
mod knowledge;
mod logs;
mod look;
mod marks;
mod palette;
mod past;
mod pending;
mod pictures;
mod plain;
mod power;
mod services;
mod session;
mod shell;
mod strip;
mod themes;
mod views;
mod walk;

pub(super) const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

pub(super) fn drawn(model: &Model, styles: &Styles, size: (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    let mut state = ViewState::default();
    terminal.draw(|frame| draw(frame, model, styles, &mut state)).unwrap();
    terminal.backend().buffer().clone()
}

pub(super) fn rows(buf: &Buffer) -> Vec<String> {
    (0..buf.area.height)
        .map(|y| {
            let mut skip = 0;
            let mut row = String::new();
            for x in 0..buf.area.width {
                let symbol = buf[(x, y)].symbol();
                if skip == 0 {
                    row.push_str(symbol);
                    skip = unicode_width::UnicodeWidthStr::width(symbol).max(1);
                }
                skip -= 1;
            }
            row.trim_end().to_owned()
        })
        .collect()
}

pub(super) fn text(model: &Model, size: (u16, u16)) -> String {
    rows(&drawn(model, &styles("dark"), size)).join("\n")
}

pub(super) fn snapshot(name: &str, model: &Model, size: (u16, u16)) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(format!("{name}-{}x{}", size.0, size.1), text(model, size));
    });
}

fn screens() -> [(&'static str, Screen); 5] {
    [
        ("fleet", Screen::Fleet),
        ("host", Screen::Host(name("db2"))),
        ("replication", Screen::Replication),
        ("roles", Screen::Roles),
        ("problems", Screen::Problems),
    ]
}

#[test]
fn every_main_screen_on_a_wide_terminal() {
    for (title, screen) in screens() {
        snapshot(title, &on(trouble(), screen), (200, 50));
    }
}

#[test]
fn other_days() {
    let small = (80, 24);
    for (title, model) in [
        ("healthy", healthy()),
        ("waiting", waiting()),
        ("jump-down", jump_down(8)),
        ("jump-down-long", jump_down(300)),
        ("second-jump", by_second(240, None)),
        ("second-jump-back", by_second(240, Some(75))),
        ("stale", aged(15)),
        ("expired", aged(60)),
        ("odd", odd()),
        ("large", large(1000)),
        ("odd-host", on(odd(), Screen::Host(name("app1")))),
        ("silent-host", on(trouble(), Screen::Host(name("piwik")))),
        ("expired-database", on(aged(60), Screen::Host(name("db2")))),
        ("no-problems", on(healthy(), Screen::Problems)),
        ("jump-down-replication", on(jump_down(300), Screen::Replication)),
        ("no-replication", on(large(3), Screen::Replication)),
    ] {
        snapshot(title, &model, small);
    }
    snapshot("narrow", &trouble(), (60, 15));
    snapshot("too-small", &trouble(), (59, 15));
}

#[test]
fn filter_notice_help_and_hold() {
    let mut model = trouble();
    model.filter_mut().unwrap().text = "mem".into();
    model.filter_mut().unwrap().editing = true;
    snapshot("filter-typed", &settled(model), (80, 24));

    let mut model = trouble();
    model.filter_mut().unwrap().text = "nothing like this".into();
    snapshot("filter-empty", &settled(model), (80, 24));

    let mut model = healthy();
    model.help = Some(0);
    snapshot("help", &model, (80, 24));

    let mut model = trouble();
    model.paused = Some(Paused { since: Moment(NOW.0 - 72_000), environments: healthy().environments });
    model.notice = Some(("asking 26 hosts".to_owned(), Moment(NOW.0 + 1)));
    model.sort.by = model.orders().into_iter().find(|order| order.words == "by load").unwrap();
    snapshot("held", &model, (80, 24));
}

fn asked(kind: QuestionKind) -> Model {
    let mut model = waiting();
    let env = model.environments[0].spec.name.clone();
    model.questions = vec![
        Question { id: QuestionId(1), env: env.clone(), hop: Hop::Jump(name("salt")), kind },
        Question {
            id: QuestionId(2),
            env,
            hop: Hop::Host(name("app1")),
            kind: QuestionKind::Passphrase { key: "k".to_owned(), wrong: false },
        },
    ];
    model.answer.insert("secret");
    model
}

#[test]
fn questions() {
    let key = QuestionKind::UnknownHostKey {
        address: "salt.production.example:22".to_owned(),
        algorithm: "ssh-ed25519".to_owned(),
        fingerprint: "SHA256:mVPwvezndPv/ARoIadVY98vAC0g+P/5633yTC4d/wXE".to_owned(),
        file: "/home/ops/.ssh/known_hosts".to_owned(),
    };
    snapshot("question-host-key", &asked(key), (80, 24));
    let passphrase = QuestionKind::Passphrase { key: "/home/ops/.ssh/id_ed25519".to_owned(), wrong: true };
    snapshot("question-passphrase", &asked(passphrase.clone()), (80, 24));
    assert!(!text(&asked(passphrase), (80, 24)).contains("secret"));
    let prompt = |echo| QuestionKind::Prompt {
        told: LoginInstructions::default(),
        prompt: vec!["Verification code:\x1b[2J".into()],
        echo,
    };
    snapshot("question-prompt", &asked(prompt(true)), (80, 24));
    // Case 11: every line, in its order; what does not fit is said to be missing, and the answer stays in sight.
    let duo = "Duo two-factor login for deploy\n\nEnter a passcode or select one of the following options:\n\n \
               1. Duo Push to XXX-XXX-1234\n 2. Phone call to XXX-XXX-1234\n\nPasscode or option (1-2): ";
    let told = LoginInstructions {
        name: "Corp login".into(),
        instructions: Clean::lines("Use your AD account.\nThen the app."),
    };
    let several = QuestionKind::Prompt { told: told.clone(), prompt: Clean::lines(duo), echo: true };
    snapshot("question-prompt-lines", &asked(several), (80, 24));
    let long = Clean::lines(&(0..60).map(|n| format!("line {n}\n")).collect::<String>());
    let shown = text(
        &asked(QuestionKind::Prompt { told: LoginInstructions::default(), prompt: long, echo: false }),
        (80, 24),
    );
    assert!(
        shown.contains("lines do not fit") && shown.contains("line 59") && shown.contains("> •"),
        "{shown}"
    );
    // Case 12: a login that waits for a phone, and one that would be the next push.
    snapshot("question-waiting", &asked(QuestionKind::Waiting { told }), (80, 24));
    let why = "the connection to the jump box was lost".into();
    snapshot("question-log-in-again", &asked(QuestionKind::LogInAgain { why }), (80, 24));
    assert!(!text(&asked(prompt(false)), (80, 24)).contains("secret"));
}

#[test]
fn ascii_terminals_get_ascii() {
    for model in [trouble(), jump_down(8), odd(), on(trouble(), Screen::Replication)] {
        let buf = drawn(&model, &styles("dark").in_ascii(true), (120, 40));
        assert!(buf.content.iter().all(|c| c.symbol().is_ascii()));
    }
    let buf = drawn(&trouble(), &styles("dark").in_ascii(true), (80, 24));
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("ascii-80x24", rows(&buf).join("\n"));
    });
}

#[test]
fn no_size_is_too_odd_to_draw() {
    let sizes =
        [(1, 1), (2, 3), (59, 40), (60, 14), (60, 15), (61, 16), (79, 23), (97, 17), (133, 15), (300, 80)];
    let models: [fn() -> Model; 4] = [trouble, || jump_down(8), odd, waiting];
    for model in models {
        for (_, screen) in screens() {
            let mut model = on(model(), screen);
            for size in sizes {
                drawn(&model, &styles("dark"), size);
                model.help = Some(3);
                drawn(&model, &styles("dark"), size);
                model.help = None;
            }
        }
    }
}

#[test]
fn the_selected_host_is_seen_wherever_it_stands() {
    let mut model = large(1000);
    let mut state = ViewState::default();
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    for host in ["app500", "app1000", "app2", "app18"] {
        model.environments[0].selection.host = Some(name(host));
        terminal.draw(|frame| draw(frame, &model, &styles("dark"), &mut state)).unwrap();
        let buf = terminal.backend().buffer();
        let row = rows(buf).into_iter().find(|r| r.starts_with('▸')).unwrap();
        assert!(row.contains(&format!(" {host} ")), "{host}: {row}");
        assert_eq!(state.page(), 19);
    }
}

#[test]
fn a_page_tells_how_far_it_scrolls() {
    let mut state = ViewState::default();
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let mut model = on(trouble(), Screen::Host(name("db2")));
    terminal.draw(|frame| draw(frame, &model, &styles("dark"), &mut state)).unwrap();
    let limit = state.scroll_limit().unwrap();
    assert!(limit > 0);
    model.environments[0].selection.detail_scroll = 10_000;
    terminal.draw(|frame| draw(frame, &model, &styles("dark"), &mut state)).unwrap();
    let end = rows(terminal.backend().buffer());
    assert!(end[21].contains("clock       set by"), "{:?}", end[21]);
    model.screens = vec![Screen::Fleet];
    terminal.draw(|frame| draw(frame, &model, &styles("dark"), &mut state)).unwrap();
    assert_eq!(state.scroll_limit(), None);
}

#[test]
fn keys_move_through_the_replication_tree_as_it_is_drawn() {
    let mut model = on(healthy(), Screen::Replication);
    let hosts: Vec<_> = crate::app::screens::replication::replication_rows(&model)
        .iter()
        .map(|h| h.id.host.clone())
        .collect();
    assert_eq!(hosts.len(), 3);
    for (i, host) in hosts.into_iter().enumerate() {
        model.environments[0].selection.host = Some(host);
        let rows = text(&model, (80, 24));
        let at = rows.lines().position(|r| r.starts_with('▸')).unwrap();
        assert_eq!(at, 3 + i, "{rows}");
    }
}
