//! Those who watch, and second persons.

use super::shells::exists;
use super::*;
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

async fn until(watching: &mut Watching, wanted: impl Fn(&Seen) -> bool) -> Vec<Seen> {
    let mut all = Vec::new();
    let from = Instant::now();
    while !all.iter().any(&wanted) {
        assert!(from.elapsed() < Duration::from_secs(20), "{all:?}");
        all.extend(watching.poll().await.unwrap().unwrap_or_default());
    }
    all
}

fn told(seen: &[Seen]) -> Vec<&Entry> {
    seen.iter().filter_map(|s| if let Seen::Entry(e) = s { Some(&**e) } else { None }).collect()
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
        let seen = until(&mut watching, |s| matches!(s, Seen::Entry(e) if e.seq == 2)).await;
        assert_eq!(told(&seen), [&all[0], &all[1]]);
        assert!(seen.iter().any(|s| matches!(s, Seen::Holder(Some(h)) if h.who.as_str() == "first@desk")));
        drop(lease);
        until(&mut watching, |s| *s == Seen::Holder(None)).await;

        let lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        for entry in &all {
            lease.say(entry);
        }
        lease.release().await;
        let seen = until(&mut watching, |s| matches!(s, Seen::Entry(e) if e.seq == 4)).await;
        assert_eq!(told(&seen), [&all[2], &all[3]]);
        assert_eq!(watching.poll().await.unwrap(), None);
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn a_second_person_approves_the_step_that_is_asked_for() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: a second account takes root");
    }
    for shell in SHELLS {
        let place = Place::new();
        let places = place.places();
        let lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        let step = "repoint[1/2]/start now";
        lease.step(step);
        lease.prove().await.unwrap();
        let second = Local::of(shell, NOBODY);
        let approve = |session: Arc<Local>, run: &'static str, step: &'static str, who: &'static str| {
            let places = places.clone();
            async move { ask::approve_in(&places, session.as_ref(), run, step, who).await }
        };
        let (ours, second) = (Arc::new(Local::new(shell)), Arc::new(second));
        assert!(
            matches!(approve(ours, "first", step, "bob@desk").await, Err(LeaseError::SamePerson(_))),
            "{shell}"
        );
        let same = approve(second.clone(), "first", step, "first@desk").await;
        assert!(matches!(same, Err(LeaseError::SamePerson(_))), "{shell}");
        assert!(matches!(
            approve(second.clone(), "first", "other", "bob@desk").await,
            Err(LeaseError::OtherStep(_))
        ));
        assert_eq!(approve(second.clone(), "none", step, "bob@desk").await, Err(LeaseError::NoRun));
        lease.prove().await.unwrap();
        assert_eq!(lease.approved(step), None);

        approve(second.clone(), "first", step, "bob@desk").await.unwrap();
        lease.prove().await.unwrap();
        assert_eq!(lease.approved(step).unwrap().as_str(), "bob@desk (as nobody)", "{shell}");
        // Asked again, it must be said again; also to the next holder.
        lease.step(step);
        lease.prove().await.unwrap();
        assert_eq!(lease.approved(step), None);
        approve(second.clone(), "first", step, "bob@desk").await.unwrap();
        lease.prove().await.unwrap();
        assert!(lease.approved(step).is_some());
        drop(lease);
        let lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        lease.step(step);
        lease.prove().await.unwrap();
        lease.prove().await.unwrap();
        assert_eq!(lease.approved(step), None, "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn approvals_that_somebody_forged_do_not_count() {
    let place = Place::new();
    let lease = take(&place, "dash", "first", &["production.x"]).await.unwrap();
    lease.step("s");
    lease.prove().await.unwrap();
    let yes = |run: &str, who: &str| format!("{{\"run\":\"{run}\",\"step\":\"s\",\"who\":\"{who}\"}}\n");
    // By the operator's own account; by another one with the operator's name, for another run, and as a link.
    fs::write(place.file("first.approve.s.1"), yes("first", "bob@desk")).unwrap();
    fs::write(place.file("first.approve.s.2"), yes("first", "first@desk")).unwrap();
    fs::write(place.file("first.approve.s.3"), yes("other", "bob@desk")).unwrap();
    fs::write(place.file("first.approve.s.4"), "x".repeat(1 << 20)).unwrap();
    fs::write(place.file("elsewhere"), yes("first", "bob@desk")).unwrap();
    symlink(place.file("elsewhere"), place.file("first.approve.s.5")).unwrap();
    if rustix::process::geteuid().is_root() {
        for file in ["first.approve.s.2", "first.approve.s.3", "first.approve.s.4", "elsewhere"] {
            std::os::unix::fs::chown(place.file(file), Some(NOBODY), None).unwrap();
        }
    }
    lease.prove().await.unwrap();
    assert_eq!(lease.approved("s"), None);
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
        assert!(!exists(&place.file("second.holder")));
    }
}
