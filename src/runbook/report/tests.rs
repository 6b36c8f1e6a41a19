//! What a report tells, and that nothing in it means something to a terminal or to Markdown.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::*;
use crate::runbook::event::{
    Asked, Ending, Event, HostOutcome, OperatorAnswer, Outcomes, Phase, ProvedFact, SCHEMA, Verdict,
};
use crate::runbook::ids::{RunId, StepId};
use crate::runbook::place::Place;
use crate::runbook::plan::{Frozen, FrozenHost};
use jumpdeck_fleet::names::HostName;

fn entries(events: Vec<(i64, Event)>) -> Vec<Entry> {
    let base = "2026-11-21T13:45:02.120Z".parse::<Timestamp>().unwrap().as_millisecond();
    let entry = |(i, (ms, event)): (usize, (i64, Event))| Entry {
        seq: u64::try_from(i).unwrap() + 1,
        at: Timestamp::from_millisecond(base + ms).unwrap(),
        prev: String::new(),
        event,
        seal: Default::default(),
        hash: String::new(),
        line: String::new(),
    };
    events.into_iter().enumerate().map(entry).collect()
}

fn id(step: &str) -> StepId {
    StepId::new(step).unwrap()
}

fn started(simulated: bool) -> Event {
    let host = |name: &str, address: &str| FrozenHost {
        name: name.to_owned(),
        address: address.to_owned(),
        roles: vec!["db".to_owned()],
        port: 22,
        database_files: String::new(),
        machine_id: None,
    };
    Event::Started {
        schema: SCHEMA,
        run: RunId::new("20261121-134502-promote-masterdb-a3f1").unwrap(),
        who: "anna@desk".to_owned(),
        why: "db1's disk | is *failing*".to_owned(),
        dry_run: false,
        simulated,
        plan: Box::new(Frozen {
            runbook: "promote-masterdb".to_owned(),
            sources: vec![],
            hash: "ab".repeat(32),
            environment: "production".to_owned(),
            level: "production".to_owned(),
            domain: "production.wpdn".to_owned(),
            jump: "salt".to_owned(),
            managed_by: Default::default(),
            inputs: BTreeMap::from([("candidate".to_owned(), "db2".to_owned())]),
            targets: BTreeMap::from([(
                "dbs".to_owned(),
                vec![host("db1-masterdb", "10.10.10.11"), host("db2", "10.10.10.12")],
            )]),
        }),
        accounts: Default::default(),
    }
}

fn intent(step: &str, phase: Phase, host: &str, command: &str) -> Event {
    let fact = ProvedFact {
        says: "exactly one is writable".to_owned(),
        host: Place::new(host).unwrap(),
        seen: "read_only=0".to_owned(),
        holds: true,
    };
    Event::Intent {
        step: id(step),
        phase,
        attempt: 1,
        commands: BTreeMap::from([(Place::new(host).unwrap(), command.to_owned())]),
        facts: vec![fact],
    }
}

fn outcome(step: &str, phase: Phase, host: &str, verdict: Verdict) -> Event {
    let proof = ProvedFact {
        says: "it is read-only".to_owned(),
        host: Place::new(host).unwrap(),
        seen: "@@read_only 1".to_owned(),
        holds: verdict == Verdict::Done,
    };
    let done = HostOutcome {
        verdict,
        values: BTreeMap::from([("position".to_owned(), "0-11-\u{1b}[31m4711".to_owned())]),
        output: "Query OK\n```\n\u{1b}]0;evil\u{7}\n".to_owned(),
        proof: vec![proof],
    };
    Event::Outcome {
        step: id(step),
        phase,
        attempt: 1,
        hosts: Outcomes::one(Place::new(host).unwrap(), done),
        withheld: Vec::new(),
        took_ms: 112,
    }
}

fn said(step: &str, asked: Asked) -> Event {
    let answer = match asked {
        Asked::Challenge => OperatorAnswer::Typed(asked, "db2".to_owned()),
        _ => OperatorAnswer::Confirmed(asked),
    };
    Event::Answered { step: id(step), answer, who: "anna@desk".to_owned(), reason: None }
}

/// A promotion that lost its link, went on, left a host out, and finished.
fn promotion() -> Vec<Entry> {
    let (freeze, open) = ("freeze", "open");
    entries(vec![
        (0, started(true)),
        (900, Event::Skipped { step: id("stop-apps"), reason: "they cannot".to_owned() }),
        (2_000, said(freeze, Asked::Confirm)),
        (
            2_010,
            intent(
                freeze,
                Phase::Run,
                "db1-masterdb",
                "SET STATEMENT max_statement_time=10\n  FOR SET GLOBAL read_only=1;",
            ),
        ),
        (2_130, outcome(freeze, Phase::Run, "db1-masterdb", Verdict::Done)),
        (
            2_200,
            Event::Excluded {
                host: HostName::new("db3").unwrap(),
                step: id("wait"),
                reason: "behind".to_owned(),
            },
        ),
        (2_300, Event::Trouble { text: "the link was lost".to_owned() }),
        (2_310, Event::Stopped { reason: "the link was lost".to_owned() }),
        (
            64_000,
            Event::Resumed { who: "bob@desk".to_owned(), taken_over: false, accounts: Default::default() },
        ),
        (64_100, Event::Note { who: "bob@desk".to_owned(), text: "<b>going</b> on\u{202e}".to_owned() }),
        (65_000, said(open, Asked::Challenge)),
        (65_010, intent(open, Phase::Run, "db2", "SET GLOBAL read_only=0;")),
        (65_200, outcome(open, Phase::Run, "db2", Verdict::Done)),
        (66_000, Event::Ended { how: Ending::Finished }),
    ])
}

#[test]
fn a_report_in_markdown() {
    let report = RunReport::new(&promotion(), Some(("freeze", &["open"][..]))).unwrap();
    insta::assert_snapshot!(report.to_markdown(&TimeZone::UTC));
}

#[test]
fn a_report_in_json() {
    let report = RunReport::new(&promotion(), Some(("freeze", &["open"][..]))).unwrap();
    insta::assert_snapshot!(report.to_json().unwrap());
}

#[test]
fn a_log_is_a_line_an_entry() {
    let lines: Vec<String> = promotion().iter().map(|e| line(e, &TimeZone::UTC, false)).collect();
    insta::assert_snapshot!(lines.join("\n"));
    assert!(line(&promotion()[0], &TimeZone::UTC, true).starts_with("2026-11-21 13:45:02.120Z  SIMULATED"));
}

#[test]
fn nothing_of_it_moves_a_terminal() {
    let report = RunReport::new(&promotion(), None).unwrap();
    let log: String = promotion().iter().map(|e| line(e, &TimeZone::UTC, false)).collect();
    for text in [report.to_markdown(&TimeZone::UTC), report.to_json().unwrap(), log] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']));
    }
}

#[test]
fn writes_are_possible_again_when_the_last_step_is_done_or_the_first_undone() {
    let times =
        |entries: &[Entry]| RunReport::new(entries, Some(("freeze", &["open"][..]))).unwrap().without_writes;
    let window = |entries: &[Entry]| times(entries).pop();
    let done = window(&promotion()).unwrap();
    assert_eq!((done.took_ms, done.until_step.as_deref()), (63_070, Some("open")));
    let mut all = promotion();
    all.truncate(9);
    let open = window(&all).unwrap();
    assert_eq!((open.took_ms, open.until_step), (61_870, None));
    let undone = entries(vec![
        (0, started(false)),
        (10, outcome("freeze", Phase::Run, "db1-masterdb", Verdict::Done)),
        (500, outcome("freeze", Phase::Undo, "db1-masterdb", Verdict::Failed("refused".to_owned()))),
        (800, outcome("freeze", Phase::Undo, "db1-masterdb", Verdict::Done)),
        (900, outcome("open", Phase::Run, "db2", Verdict::Done)),
    ]);
    let back = window(&undone).unwrap();
    assert_eq!((back.took_ms, back.until_step.as_deref()), (790, Some("freeze undone")));
    let never = entries(vec![(0, started(false)), (9, outcome("freeze", Phase::Run, "x", Verdict::NotDone))]);
    assert_eq!(window(&never), None);
    // A window that failed and was opened again: both times count, and the last is the one of the switch.
    let twice = entries(vec![
        (0, started(false)),
        (10, outcome("freeze", Phase::Run, "db1-masterdb", Verdict::Done)),
        (800, outcome("freeze", Phase::Undo, "db1-masterdb", Verdict::Done)),
        (5_000, outcome("freeze", Phase::Run, "db1-masterdb", Verdict::Done)),
        (5_100, outcome("freeze", Phase::Probe, "db1-masterdb", Verdict::Done)),
        (7_500, outcome("open", Phase::Run, "db2", Verdict::Done)),
        // A rollback much later does not lengthen it.
        (90_000, outcome("freeze", Phase::Undo, "db1-masterdb", Verdict::Done)),
    ]);
    let shown: Vec<_> =
        times(&twice).into_iter().map(|time| (time.took_ms, time.until_step.unwrap())).collect();
    assert_eq!(shown, [(790, "freeze undone".to_owned()), (2_500, "open".to_owned())]);
}

#[test]
fn each_step_says_how_it_stands() {
    let state = |events: Vec<Event>| {
        let mut all = vec![(0, started(false))];
        all.extend((1..).zip(events));
        let report = RunReport::new(&entries(all), None).unwrap();
        (report.steps[0].state, report.steps[0].reason.clone())
    };
    let run = || intent("s", Phase::Run, "db1", "x");
    let of = |phase, verdict| outcome("s", phase, "db1", verdict);
    let lost = Some("it was cut off: outcome unknown".to_owned());
    assert_eq!(state(vec![run()]), ("unknown", lost));
    assert_eq!(state(vec![run(), of(Phase::Run, Verdict::Done)]), ("done", None));
    assert_eq!(state(vec![run(), of(Phase::Probe, Verdict::NotDone)]), ("not done", None));
    assert_eq!(state(vec![run(), of(Phase::Run, Verdict::Printed)]), ("printed", None));
    let why = |w: &str| Some(w.to_owned());
    assert_eq!(state(vec![run(), of(Phase::Run, Verdict::Failed("no".to_owned()))]), ("failed", why("no")));
    assert_eq!(state(vec![run(), of(Phase::Undo, Verdict::Done)]), ("undone", None));
    let undo = of(Phase::Undo, Verdict::Unknown("link".to_owned()));
    assert_eq!(state(vec![run(), undo]), ("unknown", why("undo: link")));
    assert_eq!(state(vec![said("s", Asked::Confirm)]), ("asked", None));
    assert!(RunReport::new(&entries(vec![(0, run())]), None).is_none());
    assert!(RunReport::new(&[], None).is_none());
}

#[test]
fn durations_are_for_people() {
    let all = [0, 999, 9_950, 10_000, 59_999, 65_000, 7_810_000].map(crate::runbook::wall::duration);
    assert_eq!(all, ["0 ms", "999 ms", "9.9 s", "10 s", "59 s", "1 min 05 s", "2 h 10 min"]);
}
