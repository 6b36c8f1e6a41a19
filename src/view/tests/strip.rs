//! What is wrong with the environment as a whole, on every screen.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;
use jumpdeck_fleet::problem::{Problem, ProblemKind, Severity};

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

/// The replicas follow an address that may be anybody's: which database is writable is unknown.
fn unclear() -> Model {
    let mut model = healthy();
    let production = &mut model.environments[0];
    edit(production, "db1-masterdb", |h| database(h, |s| s.read_only = Some(true)));
    for host in ["db2", "db3"] {
        edit(production, host, |h| {
            database(h, |s| {
                let connection = &mut s.connections.as_mut().unwrap()[0];
                (connection.master_host, connection.master_server_id) = ("10.99.0.1".into(), None);
            });
        });
    }
    settled(model)
}

/// One more problem of the environment, as a rule would say it.
fn with(mut model: Model, severity: Severity, message: &str) -> Model {
    let env = &mut model.environments[0];
    let problem = Problem {
        severity,
        env: env.spec.name.clone(),
        host: None,
        named: vec![name("db2")],
        kind: ProblemKind::ServerId,
        service: None,
        subject: None,
        message: message.to_owned(),
    };
    env.problems.push(problem);
    env.problems.sort_by_key(|p| std::cmp::Reverse(p.severity));
    model
}

fn all_screens(model: &Model) -> Vec<Vec<Screen>> {
    let more = [Screen::Runbooks, Screen::Plan].map(|screen| vec![Screen::Fleet, screen]);
    let mut all: Vec<_> = screens().into_iter().map(|(_, screen)| vec![Screen::Fleet, screen]).collect();
    all.extend(more);
    all.push(model.screens.clone());
    all
}

#[test]
fn what_is_unknown_of_the_environment_is_a_line_on_every_screen() {
    let mut model = unclear();
    for size in SIZES {
        for stack in all_screens(&model) {
            model.screens = stack;
            let buf = drawn(&model, &styles("dark"), size);
            let rows = rows(&buf);
            assert!(rows[2].starts_with(" ? no writable database found"), "{}", rows.join("\n"));
            assert_eq!(buf[(4, 2)].fg, styles("dark").unknown.fg.unwrap(), "told apart from critical");
        }
    }
}

#[test]
fn on_few_rows_the_environment_has_one_line_and_its_count_is_never_cut() {
    let long = "the two servers have one server id and so do these others: ".repeat(4);
    for (model, starts, ends) in [
        (unclear(), " ? no writable database found", "…"),
        (with(unclear(), Severity::Unknown, &long), " ? no writable", "…  (+1 unknown: 4)"),
        (with(unclear(), Severity::Critical, &long), " ✖ the two servers", "…  (+1 unknown: 4)"),
        (
            with(with(unclear(), Severity::Critical, &long), Severity::Critical, &long),
            " ✖ the two servers",
            "…  (+1 critical, +1 unknown: 4)",
        ),
    ] {
        let shown = rows(&drawn(&model, &styles("dark"), (80, 24)));
        assert!(shown[2].starts_with(starts) && shown[2].ends_with(ends), "{}", shown.join("\n"));
        assert!(shown[3].contains("HOST"), "one line: {}", shown.join("\n"));
    }
    let both = with(unclear(), Severity::Critical, "two servers have one server id");
    let shown = rows(&drawn(&both, &styles("dark"), (120, 40)));
    assert!(shown[2].starts_with(" ✖ two servers") && shown[3].starts_with(" ? no writable"), "{shown:#?}");
}

#[test]
fn what_is_for_daylight_has_no_line() {
    let model = with(healthy(), Severity::Warning, "two servers have one server id");
    assert!(!text(&model, (80, 24)).contains("one server id"));
}

#[test]
fn a_keymap_or_theme_that_is_not_used_is_a_line_on_every_screen() {
    let mut model = healthy();
    let why = "/home/ops/.config/jumpdeck/keymaps/mine.toml:3:12: \"f10\" is bound to both \"help\" and \"refresh\"";
    model.keymap_refused = Some(why.into());
    for size in SIZES {
        for stack in all_screens(&model) {
            model.screens = stack;
            let shown = text(&model, size);
            assert!(shown.lines().nth(2).unwrap().starts_with(" ▲ OWN KEYMAP NOT USED"), "{shown}");
            assert!(shown.contains("mine.toml:3:12"), "{shown}");
        }
    }
    model.theme_refused = Some("/home/ops/.config/jumpdeck/themes/night.toml:2:10: expected a table".into());
    let shown = text(&model, (120, 40));
    let lines: Vec<&str> = shown.lines().filter(|line| line.contains("NOT USED")).collect();
    assert!(
        matches!(lines[..], [keymap, theme] if keymap.contains("KEYMAP") && theme.contains("THEME")),
        "{shown}"
    );
}
