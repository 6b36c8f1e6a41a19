//! Those who watch, and second persons.

use super::shells::{self, exists};
use super::*;
use crate::runbook::approval::Approval;
use crate::runbook::event::{Ending, Event};
use crate::runbook::journal::Journal;

const NOBODY: u32 = 65534;

fn entries(folder: &std::path::Path, run: &str, texts: &[&str]) -> Vec<Entry> {
    let mut journal = Journal::create(folder, run).unwrap();
    let note = |text: &&str| Event::Note { who: "anna".to_owned(), text: (*text).to_owned() };
    let mut all: Vec<Entry> = texts.iter().map(|t| journal.append(&note(t)).unwrap()).collect();
    all.push(journal.append(&Event::Ended { how: Ending::Finished }).unwrap());
    all
}

async fn until(watching: &mut Watching, wanted: impl Fn(&WatcherSees) -> bool) -> Vec<WatcherSees> {
    let mut all = Vec::new();
    let from = Instant::now();
    while !all.iter().any(&wanted) {
        assert!(from.elapsed() < Duration::from_secs(20), "{all:?}");
        all.extend(watching.poll().await.unwrap().unwrap_or_default());
    }
    all
}

fn told(seen: &[WatcherSees]) -> Vec<&Entry> {
    seen.iter().filter_map(|s| if let WatcherSees::Entry(e) = s { Some(&**e) } else { None }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_sees_every_entry_once_also_when_it_goes_on_elsewhere() {
    for shell in SHELLS {
        let place = Place::new();
        let long = "\\n \"'$(x)` ü".repeat(5000);
        let all = entries(&place.folder().with_extension("runs"), "first", &["  a \\", &long, "c"]);
        let mut watching = ask::watch_in(&place.places(), Arc::new(Local::new(shell)), "first").unwrap();
        assert_eq!(watching.poll().await.unwrap_err(), LeaseError::NoRun);

        let lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        for entry in &all[..2] {
            lease.say(entry);
        }
        let seen = until(&mut watching, |s| matches!(s, WatcherSees::Entry(e) if e.seq == 2)).await;
        assert_eq!(told(&seen), [&all[0], &all[1]]);
        assert!(
            seen.iter().any(|s| matches!(s, WatcherSees::Holder(Some(h)) if h.who.as_str() == "first@desk"))
        );
        drop(lease);
        until(&mut watching, |s| *s == WatcherSees::Holder(None)).await;

        let lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        lease.say_all(&all);
        lease.release().await;
        let seen = until(&mut watching, |s| matches!(s, WatcherSees::Entry(e) if e.seq == 4)).await;
        assert_eq!(told(&seen), [&all[2], &all[3]]);
        assert_eq!(watching.poll().await.unwrap(), None);
    }
}

/// A part of an entry came, and its console is gone: whoever goes on writes another entry in its place.
#[tokio::test(flavor = "multi_thread")]
async fn who_watches_sees_what_came_in_place_of_an_entry_that_was_begun() {
    let place = Place::new();
    let runs = |name: &str| place.folder().with_extension(name);
    let all = entries(&runs("runs"), "first", &["a", "b"]);
    let mut journal = Journal::adopt(&runs("others"), "first", &all[..1]).unwrap();
    let mut note =
        |text: &str| journal.append(&Event::Note { who: "bob".to_owned(), text: text.to_owned() }).unwrap();
    let others = [note("c"), note(&"d".repeat(100_000))];
    let lease = take(&place, "dash", "first", &["production.x"]).await.unwrap();
    lease.say(&all[0]);
    lease.store().await.unwrap();
    let file = place.file("first/entries");
    fs::write(&file, format!("{}\n{}", all[0].line, &all[1].line[..60])).unwrap();
    let mut watching = ask::watch_in(&place.places(), Arc::new(Local::new("dash")), "first").unwrap();
    let seen = until(&mut watching, |s| matches!(s, WatcherSees::Entry(_))).await;
    assert_eq!(told(&seen), [&all[0]]);
    fs::write(&file, [&all[0], &others[0], &others[1]].map(|entry| format!("{}\n", entry.line)).concat())
        .unwrap();
    let seen = until(&mut watching, |s| matches!(s, WatcherSees::Entry(e) if e.seq == 3)).await;
    assert_eq!(told(&seen), [&others[0], &others[1]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_is_told_when_entries_were_changed() {
    let place = Place::new();
    let all = entries(&place.folder().with_extension("runs"), "first", &["a", "b"]);
    let lease = take(&place, "dash", "first", &["production.x"]).await.unwrap();
    lease.say(&all[0]);
    lease.say(&all[2]);
    lease.prove().await.unwrap();
    let mut watching = ask::watch_in(&place.places(), Arc::new(Local::new("dash")), "first").unwrap();
    assert!(matches!(watching.poll().await, Err(LeaseError::Damaged(_))));
}

pub(super) fn question(run: &str, nonce: &str) -> ApprovalQuestion {
    ApprovalQuestion {
        run: run.to_owned(),
        step: "repoint[1/2]/start now".to_owned(),
        nonce: nonce.repeat(32),
        plan: "p".repeat(64),
        commands: "c".repeat(64),
        doubts: vec!["db1: exit status 1".to_owned()],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_person_approves_the_question_that_is_put() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: a second account takes root");
    }
    for shell in SHELLS {
        let place = Place::new();
        let lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        let places = place.places();
        let (ours, second) = (Local::new(shell), Local::of(shell, NOBODY));
        let approve = async |session: &Local, question: &ApprovalQuestion, who: &str| {
            ask::approve_in(&places, session, &Approval::to(question, who)).await
        };
        // While nothing is asked there is nothing to approve.
        let early = question("first", "a");
        assert_eq!(approve(&second, &early, "bob@desk").await, Err(LeaseError::NotAsked), "{shell}");
        lease.ask(Some(early.clone()));
        lease.prove().await.unwrap();
        let seen = ask::look_in(&places, &second, "").await.unwrap();
        assert_eq!(seen[0].asks, Some(early.clone()));

        let same = approve(&ours, &early, "bob@desk").await;
        assert!(matches!(same, Err(LeaseError::SamePerson(_))), "{shell}: {same:?}");
        let same = approve(&second, &early, "first@desk").await;
        assert!(matches!(same, Err(LeaseError::SamePerson(_))), "{shell}: {same:?}");
        let other = ApprovalQuestion { commands: "d".repeat(64), ..early.clone() };
        assert_eq!(approve(&second, &other, "bob@desk").await, Err(LeaseError::NotAsked));
        assert_eq!(approve(&second, &question("none", "a"), "bob@desk").await, Err(LeaseError::NoRun));
        lease.prove().await.unwrap();
        assert_eq!(lease.approved(), None);

        approve(&second, &early, "bob@desk").await.unwrap();
        lease.prove().await.unwrap();
        assert_eq!(lease.approved().unwrap().to_string(), "bob@desk (as nobody)", "{shell}");
        // Asked again it is another question; so it is for the next holder.
        let again = question("first", "b");
        lease.ask(Some(again.clone()));
        lease.prove().await.unwrap();
        assert_eq!(approve(&second, &early, "bob@desk").await, Err(LeaseError::NotAsked));
        assert_eq!(lease.approved(), None);
        approve(&second, &again, "bob@desk").await.unwrap();
        lease.prove().await.unwrap();
        assert!(lease.approved().is_some());
        lease.ask(None);
        assert_eq!(lease.approved(), None);
        drop(lease);
        wait_free(&place, shell, &["production.x"]).await;
        let lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        lease.ask(Some(question("first", "e")));
        lease.prove().await.unwrap();
        lease.prove().await.unwrap();
        assert_eq!(lease.approved(), None, "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn approvals_that_somebody_forged_do_not_count() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: a second account takes root");
    }
    let place = Place::new();
    let lease = take(&place, "dash", "first", &["production.x"]).await.unwrap();
    lease.ask(Some(question("first", "a")));
    lease.prove().await.unwrap();
    let yes =
        |run: &str, who: &str| serde_json::to_string(&Approval::to(&question(run, "a"), who)).unwrap() + "\n";
    // By the operator's own account; by another one with the operator's name, for another run, another question, without an
    // end, and as a link.
    let file = |name: &str| place.file(&format!("first/yes/{name}"));
    let (now, before) = ("a".repeat(32), "b".repeat(32));
    let write = |name: &str, text: String| fs::write(file(name), text).unwrap();
    write(&format!("{now}.1"), yes("first", "bob@desk"));
    write(&format!("{now}.2"), yes("first", "first@desk"));
    write(&format!("{now}.3"), yes("other", "bob@desk"));
    write(&format!("{now}.4"), "x".repeat(1 << 20));
    write(&format!("{before}.6"), yes("first", "bob@desk"));
    let other = Approval::to(&question("first", "b"), "bob@desk");
    write(&format!("{now}.7"), serde_json::to_string(&other).unwrap() + "\n");
    fs::write(place.file("elsewhere"), yes("first", "bob@desk")).unwrap();
    symlink(place.file("elsewhere"), file(&format!("{now}.5"))).unwrap();
    for name in fs::read_dir(place.file("first/yes")).unwrap() {
        let path = name.unwrap().path();
        if !path.ends_with(format!("{now}.1")) {
            std::os::unix::fs::lchown(path, Some(NOBODY), None).unwrap();
        }
    }
    std::os::unix::fs::chown(place.file("elsewhere"), Some(NOBODY), None).unwrap();
    lease.prove().await.unwrap();
    assert_eq!(lease.approved(), None);
    assert_eq!(lease.lost(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_can_take_what_the_first_let_go_and_not_what_it_holds() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: a second account takes root");
    }
    for shell in SHELLS {
        let place = Place::new();
        let second = Local::of(shell, NOBODY);
        let holder = Holder::new("bob@desk", "second", "promote-masterdb");
        let lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        let refused = Lease::take_in(&place.places(), &second, &keys(&["production.x"]), &holder).await;
        assert!(matches!(refused, Err(LeaseError::Held(_))), "{shell}: {refused:?}");
        lease.release().await;
        let lease =
            Lease::take_in(&place.places(), &second, &keys(&["production.x"]), &holder).await.unwrap();
        lease.prove().await.unwrap();
        assert!(
            matches!(take(&place, shell, "third", &["production.x"]).await, Err(LeaseError::Held(_))),
            "{shell}"
        );
        lease.release().await;
        assert!(!exists(&place.file("second/holder")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_account_is_one_person_whatever_it_is_called() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: another account takes root");
    }
    for shell in SHELLS {
        let place = Place::new();
        let second = Local::of(shell, NOBODY);
        let holder = Holder::new("corp\\bob@desk", "second", "promote-masterdb");
        let lease =
            Lease::take_in(&place.places(), &second, &keys(&["production.x"]), &holder).await.unwrap();
        lease.ask(Some(question("second", "a")));
        lease.prove().await.unwrap();
        let yes = Approval::to(&question("second", "a"), "carol@desk");
        let approved = ask::approve_in(&place.places(), &second, &yes).await;
        assert!(matches!(approved, Err(LeaseError::SamePerson(_))), "{shell}: {approved:?}");
        // Nor when the file is written without the program.
        let path = place.file(&format!("second/yes/{}.1", "a".repeat(32)));
        fs::write(&path, serde_json::to_string(&yes).unwrap() + "\n").unwrap();
        std::os::unix::fs::chown(&path, Some(NOBODY), None).unwrap();
        lease.prove().await.unwrap();
        assert_eq!(lease.approved(), None, "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_tells_is_for_the_group_only() {
    use std::os::unix::fs::MetadataExt;
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: another account takes root");
    }
    for shell in SHELLS {
        let place = Place::new();
        let all = entries(&place.folder().with_extension("runs"), "first", &["a"]);
        let lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        lease.say(&all[0]);
        lease.prove().await.unwrap();
        let wanted =
            [("first", 0o2750), ("first/entries", 0o640), ("first/holder", 0o640), ("first/yes", 0o3770)];
        for (name, mode) in wanted {
            let found = fs::metadata(place.file(name)).unwrap();
            assert_eq!((found.mode() & 0o7777, found.gid()), (mode, shells::GROUP), "{shell}: {name}");
        }
        let mode = fs::metadata(place.file("production.x.lock")).unwrap().mode() & 0o7777;
        assert_eq!(mode, 0o640, "{shell}");
    }
}
