//! The copies of runs' journals: on the disk before a change, taken over by others, kept until the run is over.

use super::shells::exists;
use super::*;
use crate::runbook::event::{Ending, Event, Phase};
use crate::runbook::ids::{RunId, StepId};
use crate::runbook::journal::Journal;
use crate::runbook::plan::Frozen;

const NOBODY: u32 = 65534;

/// A journal of a run that changes something: started, an intent, notes, and with `over` its end.
fn journal(place: &Place, run: &str, notes: usize, over: bool) -> Vec<Entry> {
    journal_of(place, run, (0..notes).map(|n| format!("{n} \\n \"'ü")).collect(), over)
}

/// The same with these notes.
pub(super) fn journal_of(place: &Place, run: &str, notes: Vec<String>, over: bool) -> Vec<Entry> {
    let folder = tempfile::tempdir_in(place.folder().parent().unwrap()).unwrap();
    let mut journal = Journal::create(&folder.path().join("runs"), run).unwrap();
    let plan = Frozen {
        runbook: "promote-masterdb".to_owned(),
        sources: Vec::new(),
        hash: String::new(),
        environment: "production".to_owned(),
        level: "production".to_owned(),
        domain: String::new(),
        jump: "jump".to_owned(),
        inputs: Default::default(),
        targets: Default::default(),
        managed_by: Default::default(),
    };
    let mut events = vec![
        Event::Started {
            schema: crate::runbook::event::SCHEMA,
            run: RunId::new(run).unwrap(),
            who: "anna@desk".to_owned(),
            why: "a \\ 'b' $(x)".to_owned(),
            dry_run: false,
            simulated: false,
            plan: Box::new(plan),
            accounts: Default::default(),
        },
        Event::Intent {
            step: StepId::new("freeze").unwrap(),
            phase: Phase::Run,
            attempt: 1,
            commands: Default::default(),
            facts: Vec::new(),
        },
    ];
    events.extend(notes.into_iter().map(|text| Event::Note { who: "anna".to_owned(), text }));
    if over {
        events.push(Event::Ended { how: Ending::Finished });
    }
    events.iter().map(|event| journal.append(event).unwrap()).collect()
}

pub(super) fn lines(path: &std::path::Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

pub(super) fn told(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.line.clone()).collect()
}

pub(super) async fn copied(place: &Place, session: &Local, run: &str) -> Result<Copy, LeaseError> {
    copy::copy_in(&place.places(), session, run).await
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_on_the_jump_box_when_it_says_so_and_older_ones_stay_until_all_are_there() {
    for shell in SHELLS {
        let place = Place::new();
        let all = journal(&place, "first", 3, false);
        let file = place.file("first/entries");
        let lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        lease.say_all(&all[..3]);
        lease.store().await.unwrap();
        assert_eq!(lines(&file), told(&all[..3]), "{shell}");
        drop(lease);
        wait_free(&place, shell, &["production.x"]).await;

        let lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        lease.say(&all[0]);
        lease.prove().await.unwrap();
        assert_eq!(lines(&file), told(&all[..3]), "{shell}: the older entries are gone");
        lease.say_all(&all[..4]);
        lease.store().await.unwrap();
        assert_eq!(lines(&file), told(&all[..4]), "{shell}");
        lease.say(&all[4]);
        lease.store().await.unwrap();
        assert_eq!(lines(&file), told(&all), "{shell}");
        assert_eq!(copied(&place, &Local::new(shell), "first").await.unwrap(), Copy::Entries(all));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_cannot_be_kept_are_told_and_kept_when_they_can_be_again() {
    for shell in SHELLS {
        let place = Place::new();
        let all = journal(&place, "first", 2, false);
        let lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        lease.say_all(&all[..2]);
        lease.store().await.unwrap();
        fs::remove_file(place.file("first/entries")).unwrap();
        lease.say(&all[2]);
        let why = lease.store().await.unwrap_err();
        assert!(why.as_str().contains("cannot write the run's entries"), "{shell}: {why}");
        assert_eq!(lease.lost(), None, "{shell}");
        // Whatever comes now follows a gap.
        lease.say(&all[3]);
        assert!(lease.store().await.is_err(), "{shell}");
        lease.say_all(&all);
        lease.store().await.unwrap();
        assert_eq!(lines(&place.file("first/entries")), told(&all), "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_changed_is_refused_with_its_line_and_one_that_was_torn_is_read() {
    let place = Place::new();
    let all = journal(&place, "first", 2, false);
    let lease = take(&place, "dash", "first", &["production.x"]).await.unwrap();
    lease.say_all(&all);
    lease.store().await.unwrap();
    let (file, session) = (place.file("first/entries"), Local::new("dash"));
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let (swapped, missing) =
        ([lines[0], lines[2], lines[1], lines[3]].join("\n"), [lines[0], lines[2], lines[3]].join("\n"));
    let changed = whole.replacen("freeze", "freezf", 1);
    for (text, line) in [(&swapped, 2), (&missing, 2), (&changed, 2)] {
        fs::write(&file, format!("{text}\n")).unwrap();
        let error = copied(&place, &session, "first").await.unwrap_err();
        assert!(error.to_string().contains(&format!("line {line}: ")), "{error}");
    }
    fs::write(&file, &whole[..whole.len() - 30]).unwrap();
    assert_eq!(copied(&place, &session, "first").await.unwrap(), Copy::Entries(all[..3].to_vec()));
    fs::write(&file, "").unwrap();
    assert_eq!(copied(&place, &session, "first").await.unwrap(), Copy::Missing);
    assert_eq!(copied(&place, &session, "other").await.unwrap(), Copy::Missing);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_goes_on_in_a_folder_of_its_own_and_everybody_sees_the_newest() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: a second account takes root");
    }
    for shell in SHELLS {
        let place = Place::new();
        let all = journal(&place, "first", 3, true);
        let lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        lease.say_all(&all[..3]);
        lease.store().await.unwrap();
        let left = copy::left_in(&place.places(), &Local::new(shell)).await.unwrap();
        assert_eq!((left.len(), left[0].holder.is_some(), left[0].uid), (1, true, 0), "{shell}");
        drop(lease);
        wait_free(&place, shell, &["production.x"]).await;

        let bob = Local::of(shell, NOBODY);
        let left = copy::left_in(&place.places(), &bob).await.unwrap();
        assert_eq!((left.len(), left[0].run.as_str(), &left[0].holder), (1, "first", &None), "{shell}");
        assert_eq!(copied(&place, &bob, "first").await.unwrap(), Copy::Entries(all[..3].to_vec()), "{shell}");
        let holder = Holder::new("bob@desk", "first", "promote-masterdb");
        let lease = Lease::take_in(&place.places(), &bob, &keys(&["production.x"]), &holder).await.unwrap();
        lease.say_all(&all[..4]);
        lease.store().await.unwrap();
        assert_eq!(lines(&place.file("first/entries")), told(&all[..3]), "{shell}: anna's are hers");
        assert_eq!(lines(&place.file("first.65534/entries")), told(&all[..4]), "{shell}");
        let anna = Local::new(shell);
        assert_eq!(
            copied(&place, &anna, "first").await.unwrap(),
            Copy::Entries(all[..4].to_vec()),
            "{shell}"
        );
        let left = copy::left_in(&place.places(), &anna).await.unwrap();
        let who = left[0].holder.as_ref().map(|holder| holder.who.as_str());
        assert_eq!((left.len(), left[0].uid, who), (1, NOBODY, Some("bob@desk")), "{shell}: {left:?}");
        let seen = ask::look_in(&place.places(), &anna, "").await.unwrap();
        assert_eq!(seen.iter().map(|h| h.who.as_str()).collect::<Vec<_>>(), ["bob@desk"], "{shell}");
        lease.say(&all[4]);
        lease.say(&all[5]);
        lease.release().await;
        assert!(copy::left_in(&place.places(), &anna).await.unwrap().is_empty(), "{shell}");
    }
}

/// A folder of the taker's name that somebody else made does not count.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_in_the_name_of_another_account_does_not_count() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: a second account takes root");
    }
    let place = Place::new();
    let (short, long) = (journal(&place, "first", 0, false), journal(&place, "first", 4, true));
    let lease = take(&place, "dash", "first", &["production.x"]).await.unwrap();
    lease.say_all(&short);
    lease.store().await.unwrap();
    let forged = place.file("first.0");
    fs::create_dir(&forged).unwrap();
    fs::set_permissions(&forged, fs::Permissions::from_mode(0o750)).unwrap();
    fs::write(forged.join("entries"), told(&long).join("\n") + "\n").unwrap();
    fs::write(forged.join("over"), "").unwrap();
    for path in [forged.join("entries"), forged.join("over"), forged] {
        std::os::unix::fs::lchown(path, Some(NOBODY), Some(shells::GROUP)).unwrap();
    }
    let session = Local::new("dash");
    assert_eq!(copied(&place, &session, "first").await.unwrap(), Copy::Entries(short));
    assert_eq!(copy::left_in(&place.places(), &session).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_not_over_keeps_its_entries_and_one_that_is_leaves_a_note() {
    for shell in SHELLS {
        let place = Place::new();
        let (open, over) = (journal(&place, "open", 1, false), journal(&place, "over", 1, true));
        for (run, entries) in [("open", &open), ("over", &over)] {
            let lease = take(&place, shell, run, &["production.x"]).await.unwrap();
            lease.say_all(entries);
            lease.release().await;
        }
        let aged = |run: &str, ago: &str| {
            let touch = std::process::Command::new("touch").args(["-d", ago]).arg(place.file(run)).status();
            assert!(touch.unwrap().success());
        };
        let next =
            async |run: &str| take(&place, shell, run, &["production.x"]).await.unwrap().release().await;
        aged("open", "70 days ago");
        aged("over", "2 hours ago");
        next("next").await;
        let session = Local::new(shell);
        assert_eq!(copied(&place, &session, "open").await.unwrap(), Copy::Entries(open), "{shell}");
        assert_eq!(copied(&place, &session, "over").await.unwrap(), Copy::Over, "{shell}");
        assert!(!exists(&place.file("over/entries")), "{shell}");
        aged("over", "40 days ago");
        next("later").await;
        assert!(!exists(&place.file("over")), "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_in_the_folder_that_the_inventory_names_and_locks_are_not() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: a folder of root's takes root");
    }
    for shell in SHELLS {
        let (place, disk) = (Place::new(), Place::new());
        let places = LeasePlaces { journals: disk.folder().display().to_string(), ..place.places() };
        let holder = Holder::new("anna@desk", "first", "promote-masterdb");
        let all = journal(&place, "first", 1, false);
        let session = Local::new(shell);
        let lease = Lease::take_in(&places, &session, &keys(&["production.x"]), &holder).await.unwrap();
        lease.say_all(&all);
        lease.store().await.unwrap();
        assert_eq!(lines(&disk.file("first/entries")), told(&all), "{shell}");
        assert!(exists(&place.file("production.x.lock")) && !exists(&place.file("first")), "{shell}");
        assert_eq!(copy::copy_in(&places, &session, "first").await.unwrap(), Copy::Entries(all), "{shell}");
        assert_eq!(ask::look_in(&places, &session, "").await.unwrap().len(), 1, "{shell}");
        drop(lease);
        // Others can write there: nothing is kept, and nothing is begun.
        disk.owned_by(0, Some(shells::GROUP), 0o2777);
        let error = loop {
            match Lease::take_in(&places, &session, &keys(&["production.x"]), &holder).await {
                Err(LeaseError::Held(_)) => tokio::task::yield_now().await,
                taken => break taken.map(drop).unwrap_err(),
            }
        };
        assert!(error.to_string().contains("has the mode drwxrwsrwx"), "{shell}: {error}");
        let error = copy::left_in(&places, &session).await.unwrap_err();
        assert!(error.to_string().contains("has the mode drwxrwsrwx"), "{shell}: {error}");
    }
}
