//! Screens as text, at three sizes, and the styles that text does not show.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fmt::Write;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::fixtures::*;
use super::*;
use crate::app::model::{Paused, SortColumn};
use crate::config::theme::builtin;
use crate::domain::event::{Question, QuestionId, QuestionKind, Told};
use crate::domain::fact::Gap;
use crate::domain::hop::Hop;
use crate::domain::text::Clean;
use crate::domain::time::Moment;

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
fn every_screen_at_every_size() {
    for (title, screen) in screens() {
        for size in SIZES {
            snapshot(title, &on(trouble(), screen.clone()), size);
        }
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
    model.filter_mut().unwrap().text = "mem".to_owned();
    model.filter_mut().unwrap().editing = true;
    snapshot("filter-typed", &settled(model), (80, 24));

    let mut model = trouble();
    model.filter_mut().unwrap().text = "nothing like this".to_owned();
    snapshot("filter-empty", &settled(model), (80, 24));

    let mut model = healthy();
    model.help = Some(0);
    snapshot("help", &model, (80, 24));

    let mut model = trouble();
    model.paused = Some(Paused { since: Moment(NOW.0 - 72_000), environments: healthy().environments });
    model.notice = Some(("asking 26 hosts".to_owned(), Moment(NOW.0 + 1)));
    model.sort.by = SortColumn::Load;
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
    model.answer.push_str("secret");
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
        told: Told::default(),
        prompt: vec!["Verification code:\x1b[2J".into()],
        echo,
    };
    snapshot("question-prompt", &asked(prompt(true)), (80, 24));
    // Case 11: every line, in its order; what does not fit is said to be missing, and the answer stays in sight.
    let duo = "Duo two-factor login for deploy\n\nEnter a passcode or select one of the following options:\n\n \
               1. Duo Push to XXX-XXX-1234\n 2. Phone call to XXX-XXX-1234\n\nPasscode or option (1-2): ";
    let told =
        Told { name: "Corp login".into(), instructions: Clean::lines("Use your AD account.\nThen the app.") };
    let several = QuestionKind::Prompt { told: told.clone(), prompt: Clean::lines(duo), echo: true };
    snapshot("question-prompt-lines", &asked(several), (80, 24));
    let long = Clean::lines(&(0..60).map(|n| format!("line {n}\n")).collect::<String>());
    let shown =
        text(&asked(QuestionKind::Prompt { told: Told::default(), prompt: long, echo: false }), (80, 24));
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

/// The styles of cells that matter, found by their text.
fn key_cells(styles: &Styles) -> String {
    let mut model = trouble();
    let selection = &mut model.environments[0].selection;
    (selection.host, selection.chosen) = (Some(name("salt")), true);
    let buf = drawn(&settled(model), styles, (120, 40));
    let rows = rows(&buf);
    let mut out = String::new();
    for (what, row, needle) in [
        ("brand", 0, "jumpdeck"),
        ("active tab", 0, "✖9"),
        ("another tab's sign", 0, "– staging"),
        ("simulated", 0, "SIMULATED"),
        ("guarded band", 1, "PRODUCTION"),
        ("title", 2, "HOST"),
        ("critical sign", 3, "✖"),
        ("host name", 3, "app2"),
        ("role", 3, "app "),
        ("critical figure", 3, "9.31"),
        ("plain figure", 11, "0.33"),
        ("empty bar", 3, "─"),
        ("state of a silent host", 8, "unreachable"),
        ("too old", 12, "?  "),
        ("warned figure", 14, "lag 47 s"),
        ("selected row", 16, "salt"),
        ("ok sign", 17, "●"),
        ("fresh age", 17, "≤5s"),
        ("stale figure", 24, "0.54"),
        ("screen shown", 39, "1 fleet"),
        ("other screen", 39, "2 repl"),
        ("key", 39, "Enter"),
    ] {
        let at = rows[row].find(needle).unwrap_or_else(|| panic!("{needle} is not in {:?}", rows[row]));
        let x = u16::try_from(rows[row][..at].chars().count()).unwrap();
        let cell = &buf[(x, u16::try_from(row).unwrap())];
        writeln!(out, "{what:<24} {:?} on {:?} {:?}", cell.fg, cell.bg, cell.modifier).unwrap();
    }
    out
}

#[test]
fn every_theme_and_colour_depth() {
    for theme in builtin() {
        for (depth, support) in [
            ("true", ColorSupport::TrueColor),
            ("256", ColorSupport::Ansi256),
            ("16", ColorSupport::Ansi16),
            ("none", ColorSupport::None),
        ] {
            let cells = key_cells(&Styles::new(&theme, support));
            insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
                insta::assert_snapshot!(format!("styles-{}-{depth}", theme.name), cells);
            });
        }
    }
}

#[test]
fn without_colour_no_cell_has_one_and_states_still_differ() {
    let styles = Styles::new(&builtin()[0], ColorSupport::None);
    for (_, screen) in screens() {
        let buf = drawn(&on(trouble(), screen), &styles, (120, 40));
        use ratatui::style::Color::Reset;
        assert!(buf.content.iter().all(|c| c.fg == Reset && c.bg == Reset));
    }
}

#[test]
fn nothing_unknown_is_green_or_zero() {
    let styles = styles("dark");
    for model in [aged(60), jump_down(300)] {
        let buf = drawn(&model, &styles, (200, 50));
        for (y, row) in rows(&buf).iter().enumerate().take(47).skip(2) {
            let line = u16::try_from(y).unwrap();
            assert!((0..200).all(|x| buf[(x, line)].fg != styles.ok.fg.unwrap()), "green: {row}");
            assert!(!row.contains(" 0.0") && !row.contains(" 0%"), "zero: {row}");
        }
    }
}

#[test]
fn an_environment_is_not_well_before_every_host_has_answered() {
    let tab = |model: &Model| text(model, (120, 40)).lines().next().unwrap_or_default().to_owned();
    let mut model = healthy();
    assert!(tab(&model).contains("● production"), "{}", tab(&model));
    let last = model.environments[0].hosts.last().unwrap().id.host.to_string();
    edit(&mut model.environments[0], &last, |h| {
        h.link = crate::domain::snapshot::Link::pending(Moment(0));
        h.reported_at = None;
    });
    assert!(tab(&model).contains("◌ production"), "{}", tab(&model));
}

#[test]
fn how_many_hosts_answer_is_told_in_eighty_columns() {
    let mut model = healthy();
    std::sync::Arc::make_mut(&mut model.environments[0].jump).name = name("deployment1");
    let band = text(&model, (80, 24)).lines().nth(1).unwrap_or_default().to_owned();
    assert!(band.contains("26 of 26") && band.contains(" up ") && !band.contains('…'), "{band}");
}

#[test]
fn a_lag_that_is_not_known_is_never_a_number() {
    use crate::domain::replication::Thread;
    let mut model = healthy();
    edit(&mut model.environments[0], "db2", |h| {
        // What a server with a stopped IO thread really says.
        database(h, |s| s.connections.as_mut().unwrap()[0].io = Thread::Stopped);
    });
    let model = settled(model);
    let fleet = text(&model, (120, 40));
    let row = fleet.lines().find(|l| l.contains("db2 ")).unwrap();
    assert!(row.contains("IO stopped") && !row.contains("lag"), "{row}");
    let screen = text(&on(model, Screen::Replication), (120, 40));
    let row = screen.lines().find(|l| l.contains("db2 ")).unwrap();
    assert!(row.contains(" ? IO stopped") && !row.contains("0s "), "{row}");
}

#[test]
fn a_jump_box_down_is_one_banner_and_no_red_rows() {
    let styles = styles("dark");
    for ago in [3, 8, 300] {
        let buf = drawn(&jump_down(ago), &styles, (80, 24));
        let rows = rows(&buf);
        assert_eq!(rows.iter().filter(|r| r.contains("JUMP BOX salt unreachable")).count(), 1);
        let title = rows.iter().position(|r| r.contains("HOST")).unwrap();
        for (y, row) in rows.iter().enumerate().take(22).skip(title) {
            let line = u16::try_from(y).unwrap();
            assert!((0..80).all(|x| buf[(x, line)].fg != styles.critical.fg.unwrap()), "{row}");
        }
    }
}

#[test]
fn every_gap_has_a_word() {
    for (gap, word) in [
        (Gap::TimedOut, "timed out"),
        (Gap::NotPermitted("no".into()), "denied"),
        (Gap::Unreadable("x".into()), "garbled"),
        (Gap::Failed("x".into()), "failed"),
        (Gap::NotInstalled, "none"),
        (Gap::Stuck, "stuck"),
        (Gap::NoTool("df".into()), "no tool"),
        (Gap::Cut("at 256 KiB".into()), "cut"),
        (Gap::NotAsked, "not asked"),
    ] {
        let mut model = healthy();
        edit(&mut model.environments[0], "app1", |h| h.facts.load.miss(gap));
        let fleet = text(&settled(model), (80, 24));
        let row = fleet.lines().find(|l| l.contains("app1 ")).unwrap();
        assert!(row.contains(word) && !row.contains("0.06"), "{row}");
    }
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
    assert!(end[21].contains("services are not checked"), "{:?}", end[21]);
    model.screens = vec![Screen::Fleet];
    terminal.draw(|frame| draw(frame, &model, &styles("dark"), &mut state)).unwrap();
    assert_eq!(state.scroll_limit(), None);
}

#[test]
fn a_key_is_hinted_as_it_is_bound() {
    use crate::config::keymap::{Keymap, parse_onto};
    let mut model = healthy();
    let keymap = parse_onto(&Keymap::builtin_default(), "own.toml", "[keys]\nhelp = [\"f12\"]\n").unwrap();
    model.keymap = std::sync::Arc::new(keymap);
    let screen = text(&model, (80, 24));
    assert!(screen.contains("F12 help") && !screen.contains("? help"), "{screen}");
}

#[test]
fn keys_move_through_the_replication_tree_as_it_is_drawn() {
    let mut model = on(healthy(), Screen::Replication);
    let hosts: Vec<_> =
        crate::app::rows::replication_rows(&model).iter().map(|h| h.id.host.clone()).collect();
    assert_eq!(hosts.len(), 3);
    for (i, host) in hosts.into_iter().enumerate() {
        model.environments[0].selection.host = Some(host);
        let rows = text(&model, (80, 24));
        let at = rows.lines().position(|r| r.starts_with('▸')).unwrap();
        assert_eq!(at, 3 + i, "{rows}");
    }
}

/// Every screen with text on it that there is, for what must hold everywhere.
fn everything() -> Vec<Model> {
    use super::run_fixtures as runs;
    let mut all: Vec<Model> = screens().into_iter().map(|(_, screen)| on(trouble(), screen)).collect();
    for select in ["app2", "redis-alpha1", "source", "nginx1", "salt", "piwik"] {
        let mut model = trouble();
        let selection = &mut model.environments[0].selection;
        (selection.host, selection.chosen) = (Some(name(select)), true);
        all.push(settled(model));
    }
    all.extend([aged(15), aged(60), jump_down(8), jump_down(300), waiting(), healthy()]);
    all.extend([on(aged(15), Screen::Replication), on(aged(60), Screen::Host(name("db2")))]);
    for run in [
        runs::run(),
        runs::confirm(),
        runs::challenge(),
        runs::failed(),
        runs::unknown(),
        runs::finished(),
        runs::stopped(),
        runs::watching(),
    ] {
        for step in 0..run.steps.len() {
            let mut model = runs::armed(runs::with(run.clone()), 1499);
            model.runs.step = Some(step);
            all.push(model);
        }
        all.push(runs::armed(runs::with(run), 1499));
    }
    all.extend([runs::list(), runs::planned(runs::plan())]);
    let mut model = trouble();
    model.help = Some(0);
    all.push(model);
    let mut model = trouble();
    model.filter_mut().unwrap().text = "db colour:red".to_owned();
    all.push(settled(model));
    let mut model = trouble();
    model.filter_mut().unwrap().editing = true;
    model.paused = Some(Paused { since: Moment(NOW.0 - 72_000), environments: healthy().environments });
    all.push(model);
    all.push(asked(QuestionKind::Passphrase { key: "k".to_owned(), wrong: true }));
    all
}

#[test]
fn every_text_can_be_read_on_its_ground_in_every_theme() {
    for theme in builtin() {
        for support in [ColorSupport::TrueColor, ColorSupport::Ansi256] {
            let styles = Styles::new(&theme, support);
            for model in everything() {
                let buf = drawn(&model, &styles, (120, 40));
                for (at, cell) in buf.content.iter().enumerate() {
                    // Lines of boxes, trees and empty bars are no text.
                    let line = cell.symbol().chars().all(|c| ('\u{2500}'..='\u{257f}').contains(&c));
                    if line || cell.symbol() == " " {
                        continue;
                    }
                    let ratio = styles::contrast(cell.fg, cell.bg).unwrap();
                    let (x, y) = buf.pos_of(at);
                    assert!(
                        ratio >= 4.5,
                        "{} {support:?}: {:?} {:?} on {:?} is {ratio:.2} at {x},{y} of\n{}",
                        theme.name,
                        cell.symbol(),
                        cell.fg,
                        cell.bg,
                        rows(&buf).join("\n")
                    );
                }
            }
        }
    }
}

#[test]
fn a_filter_says_how_much_it_hides_and_what_it_cannot_read() {
    for size in SIZES {
        let mut model = on(trouble(), Screen::Problems);
        model.filter_mut().unwrap().text = "memc".to_owned();
        let screen = text(&settled(model), size);
        assert!(screen.contains("FILTER /memc (18 hidden) Esc clears"), "{screen}");
        assert!(screen.contains("9 critical"), "{screen}");
        let mut model = trouble();
        model.filter_mut().unwrap().text = "weight>3".to_owned();
        let screen = text(&settled(model), size);
        assert!(screen.contains("no field \"weight\"; fields: host: role:"), "{screen}");
        assert!(screen.contains("piwik"), "a filter that cannot be read hides nothing\n{screen}");
    }
}

#[test]
fn two_writable_servers_are_a_line_on_every_screen_and_mark_their_hosts() {
    let two_writers = || {
        let mut model = healthy();
        edit(&mut model.environments[0], "db2", |h| database(h, |s| s.read_only = Some(false)));
        settled(model)
    };
    let model = two_writers();
    let named: Vec<_> = model.environments[0].problems.iter().flat_map(|p| &p.named).collect();
    assert!(named.contains(&&name("db2")), "{named:?}");
    for (_, screen) in screens() {
        for size in SIZES {
            let shown = text(&on(two_writers(), screen.clone()), size);
            let line = shown.lines().nth(2).unwrap();
            assert!(line.starts_with(" ✖ ") && line.contains("db2"), "{screen:?}\n{shown}");
        }
    }
    let shown = text(&model, (80, 24));
    for host in ["db1-masterdb ", "db2 "] {
        let row = shown.lines().skip(4).find(|l| l.contains(host)).unwrap();
        assert!(row.contains('✖'), "{row}");
    }
}

#[test]
fn a_host_that_was_never_reached_was_not_asked_for_its_databases() {
    let screen = text(&on(waiting(), Screen::Host(name("app1"))), (120, 60));
    assert!(!screen.contains("no database on this host"), "{screen}");
    let at = screen.lines().position(|l| l.contains("REPLICATION")).unwrap();
    assert!(screen.lines().nth(at + 1).unwrap().contains("not asked"), "{screen}");
}

#[test]
fn a_paused_screen_grows_old() {
    let mut model = healthy();
    model.paused = Some(Paused { since: model.now, environments: model.environments.clone() });
    model.now = Moment(NOW.0 + 26_000);
    let screen = text(&settled(model), (120, 40));
    assert!(screen.contains("PAUSED 26s"), "{screen}");
    assert!(screen.lines().nth(1).unwrap().contains(" old"), "{screen}");
    assert!(!screen.contains("≤5s") && screen.contains("26s"), "{screen}");
    assert!(!screen.contains("● app1"), "nothing is well that nobody has looked at for 26 s\n{screen}");
}

#[test]
fn only_keys_that_work_are_hinted() {
    use super::run_fixtures as runs;
    let last = |model: &Model| text(model, (120, 40)).lines().last().unwrap().to_owned();
    let challenge = runs::armed(runs::with(runs::challenge()), 1499);
    let keys = last(&challenge);
    for wanted in ["Alt-x stop", "Alt-n note", "Alt-u roll back", "F1 fleet"] {
        assert!(keys.contains(wanted), "{wanted}: {keys}");
    }
    assert!(!keys.contains(" x stop") && !keys.contains("? help") && !keys.contains(" 1 fleet"), "{keys}");
    let confirm = last(&runs::armed(runs::with(runs::confirm()), 1499));
    assert!(confirm.contains("Alt-n note") && !confirm.contains(" n note"), "n is a no: {confirm}");
    assert!(confirm.contains(" x stop"), "{confirm}");
    let small = text(&healthy(), (80, 24));
    for wanted in ["Tab env", "s sort", "/ filter", "? help", "q quit"] {
        assert!(small.lines().last().unwrap().contains(wanted), "{wanted}\n{small}");
    }
    let narrow = text(&runs::list(), (60, 15));
    assert!(narrow.lines().last().unwrap().contains("? help"), "{narrow}");
}

#[test]
fn an_environment_that_nobody_has_opened_is_not_watched() {
    let head = text(&waiting(), (120, 40)).lines().next().unwrap().to_owned();
    assert!(head.contains("◌ production") && head.contains("– staging"), "{head}");
}

#[test]
fn what_was_known_of_a_host_before_the_jump_box_went_stays_known() {
    let mut model = jump_down(300);
    edit(&mut model.environments[0], "mail", |h| {
        h.link.state = crate::domain::snapshot::LinkState::IdentityMismatch
    });
    let screen = text(&settled(model), (120, 40));
    for wanted in ["before the outage: unreachable", "before the outage: WRONG MACHINE"] {
        assert!(screen.contains(wanted), "{wanted}\n{screen}");
    }
    assert!(screen.contains("? mail"), "and nobody knows how it is now\n{screen}");
}

/// As the actors publish it: every host behind a lost jump box is unreachable, with the jump box as the hop that failed.
#[test]
fn a_host_that_is_lost_with_the_jump_box_was_not_unreachable_before() {
    let mut model = jump_down(3);
    edit(&mut model.environments[0], "app1", |h| {
        h.link.state = crate::domain::snapshot::LinkState::Unreachable;
        h.link.hop = Some(Hop::Jump(name("salt")));
        h.link.detail = "jump box salt is lost".into();
    });
    let screen = text(&settled(model), (120, 40));
    let row = screen.lines().find(|l| l.contains(" app1 ")).unwrap();
    assert!(!row.contains("before the outage") && row.contains("0.06"), "its last figures stay: {row}");
    assert!(!row.contains('●') && !row.contains('✖'), "{row}");
}

#[test]
fn help_explains_the_screen_under_it_and_every_bound_key() {
    let all = |screen: Screen, size| {
        let mut model = on(trouble(), screen);
        let mut shown = String::new();
        for top in 0..70 {
            model.help = Some(top);
            shown.push_str(&text(&model, size));
        }
        shown
    };
    for size in SIZES {
        let fleet = all(Screen::Fleet, size);
        for action in crate::config::action::Action::ALL {
            assert!(fleet.contains(action.help()), "{} at {size:?}", action.help());
        }
        for wanted in ["LOAD/CPU", "TREND", "≤5s", "FILTER", "role:db,app", "^D declines", "not watched"] {
            assert!(fleet.contains(wanted), "{wanted} at {size:?}");
        }
        assert!(all(Screen::Replication, size).contains("LOG POSITION"));
        assert!(all(Screen::Runbooks, size).contains("irreversible: has"));
        assert!(!fleet.contains("stop the run at the next s…"), "nothing is cut");
    }
}
