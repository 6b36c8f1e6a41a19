//! What text does not show: styles, in every theme and depth of colour, and that every text can be read.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fmt::Write;

use super::*;

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
        ("key", 39, "Tab"),
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
    all.extend(plans_and_dialogs());
    all.extend(["", "db", "no such thing"].map(|text| palette::typed(trouble(), text)));
    all.extend([past::several(), past::opened(Ok(past::report())), past::opened(Err("line 12".into()))]);
    let mut model = trouble();
    model.help = Some(0);
    all.push(model);
    let mut model = trouble();
    model.filter_mut().unwrap().text = "db colour:red".into();
    all.push(settled(model));
    let mut model = trouble();
    model.filter_mut().unwrap().editing = true;
    model.paused = Some(Paused { since: Moment(NOW.0 - 72_000), environments: healthy().environments });
    all.push(model);
    all.push(asked(QuestionKind::Passphrase { key: "k".to_owned(), wrong: true }));
    all
}

/// A plan from its first line to its last, in every state, and every dialog.
fn plans_and_dialogs() -> Vec<Model> {
    use super::super::run_fixtures as runs;
    use crate::app::model::editor::Editor;
    use crate::app::model::note::Note;
    use crate::app::model::runs::{Dialog, Form, Leave, LeaveQuestion, PlanState};
    use jumpdeck_fleet::run::Mode;
    let mut all = Vec::new();
    for scroll in [0, 20, 40, 60, 80] {
        let mut model = runs::planned(runs::plan());
        model.runs.plan.as_mut().unwrap().scroll = scroll;
        all.push(model);
    }
    let mut blocked = runs::plan();
    blocked.problems = vec!["two hosts say that they are masterdb: db1-masterdb, db9".into()];
    for state in [
        PlanState::Making,
        PlanState::Failed("db3 does not answer: connection timed out".into()),
        PlanState::Made(std::sync::Arc::new(blocked)),
        PlanState::Starting(std::sync::Arc::new(runs::plan())),
    ] {
        let mut model = runs::planned(runs::plan());
        let plan = model.runs.plan.as_mut().unwrap();
        (plan.state, plan.refused) = (state, vec!["ben@desk2 holds production".into()]);
        all.push(model);
    }
    let wrong = Some("a reason is needed");
    let form = |choices: &[&str]| {
        let fields = vec![
            (runs::input("candidate", "The new masterdb", choices), Editor::line()),
            (runs::input("other", "Another", &[]), Editor::line()),
        ];
        let picker = crate::app::model::picker::Picker::default();
        let title = "Promote".into();
        Form { runbook: "promote-masterdb".to_owned(), title, fields, at: 0, picker, wrong: None }
    };
    let leave = |typed: Option<&str>, stopping| Leave {
        typed: typed.map(Editor::from),
        wrong: typed.and(Some("type leave")),
        stopping,
        ..Leave::new(LeaveQuestion::Quit)
    };
    for dialog in [
        Dialog::Inputs(form(&["db2", "db3"])),
        Dialog::Inputs(form(&[])),
        Dialog::Start { mode: Mode::Live, why: "new disks".into(), wrong: None },
        Dialog::Start { mode: Mode::DryRun, why: Editor::line(), wrong },
        Dialog::Arm { reason: "new disks".into(), time: "30m".into(), at_time: false, wrong: None },
        Dialog::Arm { reason: Editor::line(), time: "x".into(), at_time: true, wrong },
        Dialog::Note { run: runs::RUN.to_owned(), text: Note::default() },
        Dialog::Refused(vec!["ben@desk2 holds production".into()]),
        Dialog::Leave(leave(None, false)),
        Dialog::Leave(leave(Some("lea"), false)),
        Dialog::Leave(leave(None, true)),
    ] {
        let mut model = runs::armed(runs::with(runs::frozen()), 1499);
        model.runs.dialogs.push(dialog);
        all.push(model);
    }
    all
}

#[test]
fn every_text_can_be_read_on_its_ground_in_every_theme() {
    for theme in builtin() {
        for support in [ColorSupport::TrueColor, ColorSupport::Ansi256] {
            let styles = Styles::new(&theme, support);
            for model in everything() {
                let buf = drawn(&model, &styles, (120, 40));
                let unreadable = pictures::unreadable(&buf);
                assert_eq!(unreadable, None, "{} {support:?}", theme.name);
            }
        }
    }
}

/// A dialog has one ground: text on the ground of the screen behind it looks selected.
#[test]
fn a_dialog_has_one_ground_in_every_theme() {
    let mut lines = 0;
    for theme in builtin() {
        let styles = Styles::new(&theme, ColorSupport::TrueColor);
        let (behind, ground) = (styles.base.bg.unwrap(), styles.dialog.bg.unwrap());
        for model in everything() {
            let buf = drawn(&model, &styles, (120, 40));
            for row in buf.content.chunks(120) {
                let border = |cell: &ratatui::buffer::Cell| cell.symbol() == "│" && cell.bg == ground;
                let (Some(from), Some(to)) = (row.iter().position(border), row.iter().rposition(border))
                else {
                    continue;
                };
                let other = row[from..to].iter().position(|cell| cell.bg == behind);
                let text: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
                assert_eq!(other, None, "{}: {text}", theme.name);
                lines += 1;
            }
        }
    }
    assert!(lines > 500, "{lines} lines of dialogs were looked at");
}
