#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

fn head() -> SessionHead {
    SessionHead {
        id: "20261130T2130-a3f9".to_owned(),
        env: EnvName::new("production").unwrap(),
        simulated: false,
        reason: "upgrade the databases".into(),
        ticket: "OPS-12".into(),
        people: vec!["anna".into(), "bob".into()],
        began: WallTime(1000),
        by: "anna@desk".into(),
        until: WallTime(8200),
    }
}

fn joined() -> SessionEntry {
    SessionEntry::Joined { head: head(), confirms: None }
}

fn note(text: &str) -> SessionEntry {
    SessionEntry::Note(Clean::lines(text))
}

/// A record whose lines are at these times.
fn record(name: &str, who: &str, lines: Vec<(i64, SessionEntry)>) -> SessionRecord {
    let numbered = lines.into_iter().zip(1..).map(|((at, entry), number)| SessionLine {
        number,
        at: WallTime(at),
        ms: 0,
        who: who.into(),
        entry,
    });
    SessionRecord { name: name.to_owned(), lines: numbered.collect(), ..SessionRecord::default() }
}

fn says(session: &MaintenanceSession) -> Vec<String> {
    let told = |row: &SessionRow| format!("{} {} {}: {}", row.at.0, row.who, row.mark.word(), row.says);
    session.story.iter().map(told).collect()
}

#[test]
fn two_records_are_one_story_in_the_order_of_their_times() {
    let anna = record(
        "a",
        "anna@desk",
        vec![(1000, SessionEntry::Started(head())), (1010, note("first\nmore")), (1100, note("fourth"))],
    );
    let bob = record("b", "bob@lap", vec![(1020, joined()), (1050, note("third"))]);
    let session = MaintenanceSession::of(&[bob.clone(), anna.clone()]).unwrap();
    assert_eq!(
        says(&session),
        [
            "1000 anna@desk session: began: upgrade the databases",
            "1010 anna@desk note: first",
            "1020 bob@lap joined: joined",
            "1050 bob@lap note: third",
            "1100 anna@desk note: fourth",
        ]
    );
    assert_eq!(session.story[1].more, ["more".into()]);
    assert_eq!(
        session,
        MaintenanceSession::of(&[anna, bob]).unwrap(),
        "the order of records counts for nothing"
    );
    assert_eq!((session.lead.as_str(), session.people.len()), ("anna@desk", 2));
    assert_eq!((session.overdue(WallTime(8200)), session.overdue(WallTime(8260))), (None, Some(60)));
}

#[test]
fn a_record_can_be_read_without_the_one_of_who_started_it() {
    let bob = record("b", "bob@lap", vec![(1020, joined()), (1050, note("alone"))]);
    let session = MaintenanceSession::of(std::slice::from_ref(&bob)).unwrap();
    assert_eq!((session.head, session.lead.as_str()), (head(), "anna@desk"));
    let nothing = record("b", "bob@lap", vec![(1, note("what of?"))]);
    assert_eq!(MaintenanceSession::of(&[nothing]), None);
    assert_eq!(MaintenanceSession::of(&[]), None);
}

#[test]
fn a_clock_that_is_set_back_changes_no_order_within_a_record() {
    let anna = record(
        "a",
        "anna@desk",
        vec![(1000, SessionEntry::Started(head())), (2000, note("one")), (1500, note("two"))],
    );
    let bob = record("b", "bob@lap", vec![(1900, joined()), (2001, note("three"))]);
    let session = MaintenanceSession::of(&[anna, bob]).unwrap();
    let order: Vec<&str> = session.story.iter().map(|row| row.says.as_str()).collect();
    assert_eq!(order, ["began: upgrade the databases", "joined", "one", "two", "three"]);
    assert_eq!(session.story[3].at, WallTime(1500), "its own time is shown");
}

#[test]
fn a_session_is_handed_over_when_the_named_person_joins() {
    let over = |to: &str| SessionEntry::HandedOver { to: to.into() };
    let confirms = |key: &str| SessionEntry::Joined { head: head(), confirms: Some(key.to_owned()) };
    let anna = record("a", "anna@desk", vec![(1000, SessionEntry::Started(head())), (1010, over("bob"))]);
    let waiting = MaintenanceSession::of(std::slice::from_ref(&anna)).unwrap();
    let pending = PendingHandover { to: "bob".into(), key: "a:2".to_owned() };
    assert!(pending.is_for("bob@lap") && !pending.is_for("carl@lap"));
    assert_eq!((waiting.lead.as_str(), waiting.handed_to), ("anna@desk", Some(pending.clone())));

    // Others who join, or confirm what was not for them, confirm nothing.
    let carl = record("c", "carl@lap", vec![(1020, joined()), (1021, confirms("a:2"))]);
    let unconfirmed = MaintenanceSession::of(&[anna.clone(), carl]).unwrap();
    assert_eq!((unconfirmed.lead.as_str(), unconfirmed.handed_to), ("anna@desk", Some(pending)));

    // Bob's clock is behind: his confirmation seems to come before the handover.
    let bob = record("b", "bob@lap", vec![(900, confirms("a:2"))]);
    let session = MaintenanceSession::of(&[anna.clone(), bob.clone()]).unwrap();
    assert_eq!((session.lead.as_str(), session.handed_to.clone()), ("bob@lap", None));
    assert_eq!(says(&session)[0], "900 bob@lap session: joined, and leads the session from here on");

    // Handed over again, and not confirmed yet.
    let mut bob = bob;
    bob.lines.push(SessionLine {
        number: 2,
        at: WallTime(2000),
        ms: 0,
        who: "bob@lap".into(),
        entry: over("anna"),
    });
    let session = MaintenanceSession::of(&[anna, bob]).unwrap();
    assert_eq!(session.lead.as_str(), "bob@lap");
    assert_eq!(session.handed_to, Some(PendingHandover { to: "anna".into(), key: "b:2".to_owned() }));
    assert!(means("bob", "bob@lap") && means("bob@lap", "bob@lap"));
    assert!(!means("bo", "bob@lap") && !means("bob@other", "bob@lap") && !means("", "@lap"));
}

#[test]
fn work_has_one_row_and_an_end_that_is_missing_is_not_guessed() {
    let shell = |work: &str, host: &str| SessionEntry::Opened {
        work: work.to_owned(),
        what: SessionWork::Shell { host: host.into() },
    };
    let closed = |work: &str, says: &str| SessionEntry::Closed { work: work.to_owned(), says: says.into() };
    let command = SessionEntry::Opened {
        work: "3".to_owned(),
        what: SessionWork::Command {
            hosts: (1..=10).map(|n| Clean::new(&format!("app{n}"))).collect(),
            command: Clean::lines("uptime\ndate"),
        },
    };
    let anna = record(
        "a",
        "anna@desk",
        vec![
            (1000, SessionEntry::Started(head())),
            (1001, shell("1", "db1")),
            (1002, shell("2", "db2")),
            (1003, closed("1", "exit 0")),
            (1004, command),
            (1005, closed("9", "exit 1")),
        ],
    );
    // Another machine's work of the same number is another work.
    let bob = record("b", "bob@lap", vec![(1010, joined()), (1011, closed("2", "exit 7"))]);
    let session = MaintenanceSession::of(&[anna, bob]).unwrap();
    assert_eq!(
        says(&session)[1..],
        [
            "1001 anna@desk shell: on db1: exit 0, after 2 s",
            "1002 anna@desk shell: on db2",
            "1004 anna@desk command: on app1, app2, app3, app4, app5, app6, app7, app8 and 2 more hosts: uptime",
            "1005 anna@desk command: exit 1 (its beginning is missing)",
            "1010 bob@lap joined: joined",
            "1011 bob@lap command: exit 7 (its beginning is missing)",
        ]
    );
}

#[test]
fn a_run_that_is_taken_over_is_one_run_of_two_people() {
    let run = |how| SessionEntry::Run {
        run: "r1".to_owned(),
        runbook: "promote-masterdb".into(),
        dry_run: false,
        how,
    };
    let over = |says: &str| SessionEntry::RunOver { run: "r1".to_owned(), says: says.into() };
    let anna =
        record("a", "anna@desk", vec![(1000, SessionEntry::Started(head())), (1001, run(RunEntry::Started))]);
    let bob = record(
        "b",
        "bob@lap",
        vec![
            (1010, joined()),
            (1011, run(RunEntry::TookOver)),
            (1012, over("stopped")),
            (1013, run(RunEntry::Resumed)),
            (1014, over("finished")),
        ],
    );
    let session = MaintenanceSession::of(&[anna, bob]).unwrap();
    let [run] = session.runs.as_slice() else { unreachable!("{:?}", session.runs) };
    assert_eq!(run.who, ["anna@desk".into(), "bob@lap".into()]);
    assert_eq!(run.says, Some("finished".into()));
}

#[test]
fn a_change_that_two_consoles_saw_is_one_event() {
    let event = |says: &str| SessionEntry::Event {
        state: "began".into(),
        host: Some("db2".into()),
        key: says.into(),
        says: says.into(),
    };
    let anna = record(
        "a",
        "anna@desk",
        vec![(1000, SessionEntry::Started(head())), (1100, event("down")), (1400, event("down"))],
    );
    let bob = record("b", "bob@lap", vec![(1010, joined()), (1108, event("down")), (1109, event("lag"))]);
    let session = MaintenanceSession::of(&[anna, bob]).unwrap();
    let events: Vec<&SessionRow> =
        session.story.iter().filter(|row| row.mark == SessionMark::Event).collect();
    let told: Vec<(i64, &str)> = events.iter().map(|row| (row.at.0, row.says.as_str())).collect();
    assert_eq!(told, [(1100, "began: db2: down"), (1109, "began: db2: lag"), (1400, "began: db2: down")]);
}

#[test]
fn the_first_end_counts_and_later_lines_are_kept() {
    let ended = |reason: &str| SessionEntry::Ended { reason: reason.into() };
    let anna = record(
        "a",
        "anna@desk",
        vec![(1000, SessionEntry::Started(head())), (9000, ended("all well")), (9001, note("late"))],
    );
    let bob = record("b", "bob@lap", vec![(1010, joined()), (9002, ended("twice"))]);
    let session = MaintenanceSession::of(&[anna, bob]).unwrap();
    let end = SessionState::Ended { at: WallTime(9000), by: "anna@desk".into(), reason: "all well".into() };
    assert_eq!((&session.state, session.story.len()), (&end, 5));
    assert_eq!(session.overdue(WallTime(99_999)), None);
}

#[test]
fn what_is_missing_and_clocks_that_differ_are_said() {
    let mut anna = record(
        "a",
        "anna@desk",
        vec![
            (1000, SessionEntry::Started(head())),
            (1001, note("x")),
            (1002, SessionEntry::Clock { ahead: 90 }),
        ],
    );
    anna.lines[1].number = 5;
    anna.lines[2].number = 6;
    anna.trouble = Some("line 7 is not a line of a session".into());
    let session = MaintenanceSession::of(std::slice::from_ref(&anna)).unwrap();
    let troubles: Vec<&str> = session.troubles.iter().map(Clean::as_str).collect();
    assert_eq!(
        troubles,
        [
            "the record of anna@desk: line 7 is not a line of a session",
            "the record of anna@desk: lines are missing: line 5 follows line 1"
        ]
    );
    assert_eq!(session.clocks(), ["anna@desk: this clock is 90 s ahead of the jump box's"]);
    anna.lines.push(SessionLine {
        number: 7,
        entry: SessionEntry::Clock { ahead: 1 },
        ..anna.lines[2].clone()
    });
    let session = MaintenanceSession::of(&[anna]).unwrap();
    assert_eq!(session.clocks(), Vec::<String>::new());
    assert_eq!(session.story.last().unwrap().says.as_str(), "this clock agrees with the jump box's again");
}
