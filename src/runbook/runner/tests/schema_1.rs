//! Journals of schema 1, written by the version before, on the simulated fleet: they are read, and their runs go on.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::*;
use crate::runbook::event::{HostOutcome, OperatorAnswer, Outcomes, Phase, Way};
use crate::runbook::ids::StepId;
use crate::runbook::journal::{self, Journal, runs};
use crate::runbook::place::Place;
use crate::runbook::report::RunReport;
use crate::runbook::signing_keys::SigningKeys;
use crate::runbook::watched;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journals").join(format!("{name}.jsonl"))
}

fn entries(name: &str) -> Vec<Entry> {
    journal::read(&fixture(name)).unwrap()
}

/// A folder of journals with that one, as it would be found on disk.
fn folder(name: &str) -> (tempfile::TempDir, PathBuf) {
    let top = tempfile::tempdir().unwrap();
    let runs = top.path().join("runs");
    std::fs::create_dir(&runs).unwrap();
    std::fs::set_permissions(&runs, std::fs::Permissions::from_mode(0o700)).unwrap();
    let file = runs.join(format!("{name}.jsonl"));
    std::fs::copy(fixture(name), &file).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    (top, runs)
}

/// Hosts as the run left them.
fn left(set: &[(&str, &str)]) -> Arc<World> {
    let world = World::default();
    for (host, name) in set {
        world.set.lock().unwrap().insert(((*host).to_owned(), (*name).to_owned()), 1);
    }
    Arc::new(world)
}

/// Goes on with the run of a journal.
async fn resumed(
    name: &str,
    world: &Arc<World>,
    answer: impl FnMut(&Prompt) -> Reply,
) -> (RunState, Vec<String>, Vec<String>) {
    let mut machine = replay(&entries(name), BTreeMap::new()).unwrap();
    let mut paper = Paper::default();
    *paper.entries.lock().unwrap() = entries(name);
    let event = Event::Resumed { who: "me@here".to_owned(), taken_over: false, accounts: Default::default() };
    paper.append(&event).unwrap();
    machine.apply(&event).unwrap();
    let (state, asked) = drive(launch(machine, needs(world, &paper)), answer).await;
    let done = world.done.lock().unwrap().clone();
    (state, asked, done)
}

#[tokio::test]
async fn a_change_that_was_cut_off_is_looked_for_and_not_repeated() {
    let before = [("app1", "first"), ("db1-masterdb", "second")];
    let (state, asked, done) =
        resumed("cut-off-in-a-change", &left(&[&before[..], &[("db2", "second")]].concat()), yes).await;
    assert_eq!((state, asked, done), (RunState::Finished, Vec::new(), Vec::new()));
    let (state, asked, done) = resumed("cut-off-in-a-change", &left(&before), yes).await;
    assert_eq!(state, RunState::Finished);
    assert_eq!(asked, ["Step 8 (each[2/2]/second) failed", "Second on db2"]);
    assert_eq!(done, ["db2 set second"]);
}

#[tokio::test]
async fn an_undo_that_was_cut_off_is_looked_for() {
    let (state, asked, done) = resumed("cut-off-in-an-undo", &left(&[]), yes).await;
    assert_eq!((state, asked, done), (RunState::RolledBack, Vec::new(), Vec::new()));
    let (state, asked, done) = resumed("cut-off-in-an-undo", &left(&[("app1", "first")]), yes).await;
    assert_eq!(state, RunState::RolledBack);
    assert_eq!((asked.len(), done), (1, vec!["app1 unset first".to_owned()]), "{asked:?}");
}

#[tokio::test]
async fn a_run_that_stopped_asks_the_same_question_again() {
    let world = left(&[("app1", "first")]);
    let (state, asked, done) = resumed("stopped", &world, |prompt| match &prompt.kind {
        PromptKind::Choose(choices) => {
            assert!(choices.iter().any(|c| c.key == 'k'), "{choices:?}");
            Reply::Chosen('k', Some("seen on site".to_owned()))
        }
        _ => yes(prompt),
    })
    .await;
    assert_eq!(state, RunState::Finished);
    assert_eq!(asked, ["Step 6 (panel-is-right) failed", "Second on db1-masterdb", "Second on db2"]);
    assert_eq!(done, ["db1-masterdb set second", "db2 set second"]);
    let chosen: Vec<Way> = (entries("stopped").iter())
        .filter_map(|entry| match &entry.event {
            Event::Answered { answer: OperatorAnswer::Chosen(way), .. } => Some(*way),
            _ => None,
        })
        .collect();
    assert_eq!(chosen, [Way::Retry, Way::Stop]);
    assert!(replay(&entries("finished"), BTreeMap::new()).unwrap().ended().is_some());
}

#[test]
fn they_are_listed_told_and_watched() {
    let states = [
        ("finished", "finished"),
        ("stopped", "stopped at panel-is-right: 9; wanted \"7\""),
        ("cut-off-in-a-change", "cut off during step each[2/2]/second: outcome unknown"),
        ("cut-off-in-an-undo", "cut off during step first: outcome unknown"),
        ("undone-on-no-host", "rolled back"),
    ];
    for (name, state) in states {
        let (_top, folder) = folder(name);
        assert_eq!(runs(&folder)[0].state.to_string(), state, "{name}");
        let report = RunReport::of(&entries(name)).unwrap();
        assert!(!report.steps.is_empty(), "{name}");
        if name != "undone-on-no-host" {
            let now = (Moment(0), Timestamp::now());
            assert_eq!(watched::view(&entries(name), now).unwrap().steps.len(), 9, "{name}");
        }
    }
    let report = RunReport::of(&entries("finished")).unwrap();
    let answers: Vec<(String, String)> = (report.steps.iter())
        .flat_map(|step| step.answers.iter().map(|a| (a.asked.clone(), a.answer.clone())))
        .collect();
    let words = |asked: &str, answer: &str| (asked.to_owned(), answer.to_owned());
    for answer in
        [words("input", "3"), words("manual", "9"), words("confirm", "yes"), words("choice", "skip")]
    {
        assert!(answers.contains(&answer), "{answer:?}: {answers:?}");
    }
}

#[test]
fn what_was_undone_on_no_host_is_told_as_unknown() {
    let report = RunReport::of(&entries("undone-on-no-host")).unwrap();
    let hand = report.steps.iter().find(|step| step.id == "hand").unwrap();
    assert_eq!(hand.state, "unknown", "{hand:?}");
}

#[test]
fn entries_are_added_to_an_older_journal_and_handed_on_as_they_are() {
    let (_top, folder) = folder("stopped");
    let (mut journal, before) = Journal::reopen(&folder, "stopped").unwrap();
    journal
        .append(&Event::Resumed {
            who: "me@here".to_owned(),
            taken_over: false,
            accounts: Default::default(),
        })
        .unwrap();
    let after = journal::read(&folder.join("stopped.jsonl")).unwrap();
    assert_eq!(after.len(), before.len() + 1);
    for entry in &after {
        assert_eq!(Entry::from_line(&entry.line).as_ref(), Some(entry));
    }
}

#[test]
fn a_journal_that_names_a_step_the_plan_does_not_have_is_not_gone_on_with() {
    let mut entries = entries("stopped");
    let mut last = entries.last().unwrap().clone();
    last.seq += 1;
    last.event = Event::Outcome {
        step: StepId::new("other").unwrap(),
        phase: Phase::Run,
        attempt: 1,
        hosts: Outcomes::one(Place::Nowhere, HostOutcome::of(Verdict::Done)),
        withheld: Vec::new(),
        took_ms: 1,
    };
    entries.push(last);
    let said = replay(&entries, BTreeMap::new()).unwrap_err().to_string();
    let wanted = "the journal names step other, which the plan does not have; the run cannot be resumed";
    assert!(said.contains(wanted) && said.starts_with(&format!("entry {}: ", entries.len())), "{said}");
}

#[tokio::test]
async fn a_journal_under_another_name_is_not_gone_on_with() {
    let (_top, folder) = folder("stopped");
    let with = Launch {
        env: environment(),
        simulated: true,
        reach: Arc::new(Hosts(Arc::new(World::default()), HostName::new("jump").unwrap())),
        inventory: None,
        keys: SigningKeys::none(),
        folder: folder.clone(),
        who: "me@here".to_owned(),
        clock: Arc::new(|| Moment(0)),
        armed: Arc::new(|| true),
    };
    let said = resume(with, "stopped", BTreeMap::new()).await.unwrap_err().to_string();
    assert!(said.contains("-upgrade-eb28"), "{said}");
    let entries = journal::read(&folder.join("stopped.jsonl")).unwrap();
    assert!(!entries.iter().any(|entry| matches!(entry.event, Event::Resumed { .. })));
}
