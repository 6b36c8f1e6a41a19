//! Console 31: the past runs of this machine can be opened.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;

use super::*;
use jumpdeck_fleet::run::{PastEnd, PastReport, PastRun, PastRuns, ReportSection};

const FOLDER: &str = "/home/ops/.local/state/jumpdeck/runs";

fn past(n: usize, end: PastEnd, says: &str) -> PastRun {
    PastRun {
        id: format!("20261128-0402{n:04}-promote-masterdb-a3f1"),
        began: Some("2026-11-28 04:02+01:00".into()),
        runbook: "promote-masterdb".into(),
        env: "production".into(),
        who: "anna@desk1".into(),
        end,
        says: says.into(),
    }
}

fn damaged() -> PastRun {
    let says = "cannot be read: line 12: what it says is not what was written";
    let unknown = past(7, PastEnd::Unknown, says);
    PastRun { began: None, runbook: "".into(), env: "".into(), who: "".into(), ..unknown }
}

fn listed(runs: Result<Vec<PastRun>, Clean>) -> Model {
    let mut model = healthy();
    model.screens = vec![Screen::Fleet, Screen::Runbooks, Screen::PastRuns];
    model.runs.past = Some(Arc::new(PastRuns { folder: FOLDER.into(), runs }));
    settled(model)
}

/// Past runs that ended in every way.
pub(super) fn runs() -> PastRuns {
    let stopped = "stopped at freeze: the connection to the jump box was lost while the answer was awaited";
    let runs = Ok(vec![
        past(1, PastEnd::UnderWay, "runs"),
        past(2, PastEnd::Finished, "finished, dry run, SIMULATED"),
        past(3, PastEnd::RolledBack, "rolled back"),
        past(4, PastEnd::Aborted, "aborted: by the operator"),
        past(5, PastEnd::Stopped, stopped),
        damaged(),
    ]);
    PastRuns { folder: FOLDER.into(), runs }
}

pub(super) fn several() -> Model {
    listed(runs().runs)
}

pub(super) fn opened(told: Result<Vec<ReportSection>, Clean>) -> Model {
    let mut model = several();
    let run = "20261128-04020002-promote-masterdb-a3f1".to_owned();
    model.screens.push(Screen::PastRun(run.clone()));
    model.runs.past_report = Some(Arc::new(PastReport { run, told }));
    settled(model)
}

pub(super) fn report() -> Vec<ReportSection> {
    let row = |a: &str, b: &str| (Clean::new(a), Clean::new(b));
    let timeline =
        (0..60).map(|n| row(&format!("04:02:{:02}+01:00", n % 60), "db2 has applied everything")).collect();
    vec![
        ReportSection {
            title: "REPORT",
            rows: vec![row("who", "anna@desk1"), row("why", "db1 gets new disks")],
        },
        ReportSection { title: "TIMELINE", rows: timeline },
    ]
}

#[test]
fn past_runs_say_when_what_where_how_and_by_whom() {
    for size in SIZES {
        let shown = text(&several(), size);
        for wanted in [
            "2026-11-28 04:02",
            "promote-masterdb",
            "rolled back",
            "aborted: by",
            "cannot be read: line 12",
            "6 past runs",
        ] {
            assert!(shown.contains(wanted), "{wanted} at {size:?}\n{shown}");
        }
    }
    let shown = text(&several(), (120, 40));
    for wanted in ["production", "anna@desk1", "finished, dry run, SIMULATED"] {
        assert!(shown.contains(wanted), "{wanted}\n{shown}");
    }
}

#[test]
fn no_runs_and_an_unreadable_folder_are_told_apart() {
    let none = text(&listed(Ok(vec![])), (80, 24));
    assert!(none.contains("there are no runs in /home/ops"), "{none}");
    let why = "/home/ops/.local/state/jumpdeck/runs: cannot be read: Permission denied (os error 13)";
    let unread = text(&listed(Err(why.into())), (80, 24));
    assert!(unread.contains("? the past runs of this machine are unknown"), "{unread}");
    assert!(unread.contains("Permission denied") && !unread.contains("no runs"), "{unread}");
    let mut model = several();
    model.runs.past = None;
    assert!(text(&model, (80, 24)).contains("reading the journals"));
    let mut model = several();
    model.filter_mut().unwrap().text = "nothing like this".into();
    assert!(text(&settled(model), (80, 24)).contains("no past run matches nothing like this"));
}

#[test]
fn a_thousand_past_runs_are_walked_over() {
    let runs = (0..1000).map(|n| past(n, PastEnd::Finished, "finished")).collect();
    let mut model = listed(Ok(runs));
    model.environments[0].selection.past_run = Some("20261128-04020999-promote-masterdb-a3f1".to_owned());
    let shown = text(&settled(model), (80, 24));
    assert!(shown.contains("1000/1000") && shown.contains("04020999"), "{shown}");
}

#[test]
fn a_past_run_is_read_to_its_end_or_says_why_not() {
    let mut model = opened(Ok(report()));
    let top = text(&model, (80, 24));
    assert!(top.contains("why") && top.contains("db1 gets new disks") && top.contains("below ↓"), "{top}");
    model.environments[0].selection.detail_scroll = 10_000;
    let end = text(&model, (80, 24));
    assert!(end.contains("04:02:59+01:00") && !end.contains("below ↓"), "{end}");
    let unread = text(&opened(Err("line 12: what it says is not what was written".into())), (80, 24));
    assert!(unread.contains("is unknown") && unread.contains("line 12"), "{unread}");
    let mut model = opened(Ok(report()));
    model.runs.past_report = None;
    assert!(text(&model, (80, 24)).contains("reading the journal of 20261128"));
}
