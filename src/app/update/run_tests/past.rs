//! Console 31: past runs by keys and news.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;

fn past(n: usize) -> PastRun {
    PastRun {
        id: format!("r{n}"),
        began: Some("2026-11-28 04:02Z".into()),
        runbook: "replace-vm".into(),
        env: if n.is_multiple_of(2) { "production".into() } else { "staging".into() },
        who: "anna".into(),
        end: PastEnd::Finished,
        says: "finished".into(),
    }
}

fn listed(n: usize) -> Model {
    let mut model = start();
    keys(&mut model, "b");
    assert_eq!(keys(&mut model, "H"), [AppEffect::ListPastRuns]);
    let runs = Ok((0..n).map(past).collect());
    tell(&mut model, RunEvent::PastRuns(Arc::new(PastRuns { folder: "/runs".into(), runs })));
    model
}

#[test]
fn a_past_run_is_opened_to_read_and_left_again() {
    let mut model = listed(1000);
    key(&mut model, KeyCode::End);
    assert_eq!(key(&mut model, KeyCode::Enter), [AppEffect::ReadPastRun("r999".into())]);
    assert_eq!(model.screen(), &Screen::PastRun("r999".into()));
    let report = |run: &str| RunEvent::PastReport(Arc::new(PastReport { run: run.into(), told: Ok(vec![]) }));
    tell(&mut model, report("r1"));
    assert!(model.runs.past_report.is_none(), "another question has this answer");
    tell(&mut model, report("r999"));
    assert!(model.runs.past_report.is_some());
    for c in ['x', 'u', 'n', 'y'] {
        assert_eq!(key(&mut model, KeyCode::Char(c)), [], "{c} changes nothing");
    }
    assert!(model.runs.dialogs.is_empty());
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.screen(), &Screen::PastRuns);
    assert_eq!(model.shown().unwrap().selection.past_run.as_deref(), Some("r999"));
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.screen(), &Screen::Runbooks);
}

#[test]
fn an_empty_list_opens_nothing_and_a_filter_finds_by_its_fields() {
    let mut model = listed(0);
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    let mut model = listed(10);
    for (filter, found) in
        [("env:staging", 5), ("r3", 1), ("name:replace state:fin", 10), ("!r3", 9), ("state:stopped", 0)]
    {
        model.filter_mut().unwrap().text = filter.into();
        assert_eq!(crate::app::screens::past::past_rows(&model).len(), found, "{filter}");
    }
}
