//! Leases against real shells on this machine: dash, bash and busybox; consoles killed and stopped; links that die.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod accounts;
mod copies;
mod lost;
mod people;
mod pieces;
mod sessions;
mod shells;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Instant;

use shells::{Client, Local, Place, SHELLS};

use super::*;
use crate::runbook::approval::ApprovalQuestion;
use crate::runbook::journal::Entry;

fn keys(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

async fn take(place: &Place, shell: &str, run: &str, names: &[&str]) -> Result<Lease, LeaseError> {
    let holder = Holder::new(&format!("{run}@desk"), run, "promote-masterdb");
    Lease::take_in(&place.places(), &Local::new(shell), &keys(names), &holder).await
}

/// Takes it as soon as it is free; how long that took.
async fn wait_free(place: &Place, shell: &str, names: &[&str]) -> Duration {
    let from = Instant::now();
    loop {
        match take(place, shell, "next", names).await {
            Ok(lease) => {
                let took = from.elapsed();
                // One that is only dropped may be seen for as long as its last beat counts.
                lease.release().await;
                return took;
            }
            Err(LeaseError::Held(_)) => {
                assert!(from.elapsed() < Duration::from_secs(20), "{shell}: never free")
            }
            Err(error) => panic!("{shell}: {error}"),
        }
    }
}

async fn wait_lost(lease: &Lease) -> Clean {
    let mut state = lease.state();
    let lost = state.wait_for(|s| matches!(s, LeaseState::Lost(_)));
    match &*timeout(Duration::from_secs(20), lost).await.unwrap().unwrap() {
        LeaseState::Lost(why) => why.clone(),
        LeaseState::Held => panic!(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_is_refused_and_sees_who_which_step_since_when() {
    for shell in SHELLS {
        let place = Place::new();
        let lease = take(&place, shell, "first", &["production.promote-masterdb", "production.host.db2"])
            .await
            .unwrap();
        lease.step("freeze");
        lease.prove().await.unwrap();
        let error =
            take(&place, shell, "second", &["production.a", "production.host.db2"]).await.unwrap_err();
        let LeaseError::Held(holders) = &error else { panic!("{shell}: {error}") };
        assert_eq!(holders.len(), 1);
        assert_eq!((holders[0].who.as_str(), holders[0].step.as_str()), ("first@desk", "freeze"));
        assert!(holders[0].since >= holders[0].taken && !holders[0].account.is_empty(), "{holders:?}");
        let said = error.to_string();
        assert!(
            said.starts_with("first@desk (as ")
                && said.contains(") runs promote-masterdb (first), at freeze since "),
            "{said}"
        );
        // None of its keys stayed with the one who was refused.
        let other = take(&place, shell, "third", &["production.a"]).await.unwrap();
        let seen = ask::look_in(&place.places(), &Local::new(shell), "production").await.unwrap();
        assert_eq!(seen.iter().map(|h| h.run.as_str()).collect::<Vec<_>>(), ["first", "third"]);
        assert!(ask::look_in(&place.places(), &Local::new(shell), "staging").await.unwrap().is_empty());
        other.release().await;
        lease.release().await;
        take(&place, shell, "second", &["production.promote-masterdb", "production.host.db2"]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_takers_at_once_one_has_it() {
    let place = Place::new();
    let takers = (0..9).map(|i| {
        let (place, shell) = (&place, SHELLS[i % SHELLS.len()]);
        async move { take(place, shell, &format!("run{i}"), &["production.x", "production.y"]).await }
    });
    let taken = futures::future::join_all(takers).await;
    assert_eq!(taken.iter().filter(|t| t.is_ok()).count(), 1);
    for error in taken.iter().filter_map(|t| t.as_ref().err()) {
        assert!(matches!(error, LeaseError::Held(holders) if holders.len() == 1), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_of_its_console_it_is_free_at_once() {
    if Client::is_this_process() {
        return client().await;
    }
    for shell in SHELLS {
        let place = Place::new();
        let mut client = Client::start(&place, shell);
        client.wait_for("taken");
        client.signal("KILL");
        let free = wait_free(&place, shell, &["production.client"]).await;
        assert!(free < Duration::from_secs(5), "{shell}: {free:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_console_loses_it_within_five_seconds_and_knows_when_it_goes_on() {
    let tries = SHELLS.iter().map(|shell| async move {
        let place = Place::new();
        let mut client = Client::start(&place, shell);
        client.wait_for("taken");
        client.signal("STOP");
        let free = wait_free(&place, shell, &["production.client"]).await;
        assert!(free > Duration::from_secs(2), "{shell}: {free:?}");
        assert!(free < Duration::from_secs(6), "{shell}: {free:?}");
        client.signal("CONT");
        client.wait_for("lost");
    });
    futures::future::join_all(tries).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_link_proves_nothing_and_then_the_lease_is_free() {
    let tries = SHELLS.iter().map(|shell| async move {
        let place = Place::new();
        let local = Local::new(shell);
        let holder = Holder::new("anna@desk", "first", "promote-masterdb");
        let lease = Lease::take_in(&place.places(), &local, &keys(&["production.x"]), &holder).await.unwrap();
        lease.prove().await.unwrap();
        local.cut();
        let error = lease.prove().await.unwrap_err();
        assert!(error.as_str().contains("did not answer for 3 s"), "{error}");
        assert_eq!(lease.lost(), Some(error));
        assert!(!lease.is_fresh());
        wait_free(&place, shell, &["production.x"]).await;
        assert!(!place.file("first/holder").exists(), "{shell}");
    });
    futures::future::join_all(tries).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_on_with_a_run_waits_for_its_own_earlier_holder() {
    let place = Place::new();
    let local = Local::new("dash");
    let holder = Holder::new("anna@desk", "first", "promote-masterdb");
    let lease = Lease::take_in(&place.places(), &local, &keys(&["production.x"]), &holder).await.unwrap();
    local.cut();
    let again = Lease::take_in(&place.places(), &Local::new("dash"), &keys(&["production.x"]), &holder)
        .await
        .unwrap();
    again.prove().await.unwrap();
    assert!(lease.lost().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_copy_dropped_lets_go() {
    let place = Place::new();
    let lease = take(&place, "dash", "first", &["production.x"]).await.unwrap();
    let copy = lease.clone();
    drop(lease);
    copy.prove().await.unwrap();
    assert!(matches!(take(&place, "dash", "second", &["production.x"]).await, Err(LeaseError::Held(_))));
    drop(copy);
    assert!(wait_free(&place, "dash", &["production.x"]).await < Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_lost_when_its_holder_is_killed_or_its_files_removed() {
    for shell in SHELLS {
        let place = Place::new();
        let lease = take(&place, shell, "first", &["production.x", "production.y"]).await.unwrap();
        fs::remove_file(place.file("production.x.lock")).unwrap();
        assert!(wait_lost(&lease).await.as_str().contains("removed"));

        let local = Local::new(shell);
        let holder = Holder::new("anna@desk", "second", "promote-masterdb");
        let lease = Lease::take_in(&place.places(), &local, &keys(&["production.z"]), &holder).await.unwrap();
        local.kill();
        wait_lost(&lease).await;
        assert!(lease.lost().is_some() && lease.prove().await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_and_files_that_others_laid_out_are_refused() {
    let place = Place::new();
    let refused = |taken: Result<Lease, LeaseError>| match taken {
        Err(LeaseError::Refused(why)) => why.to_string(),
        other => panic!("{other:?}"),
    };
    take(&place, "dash", "first", &["production.x"]).await.unwrap().release().await;
    symlink("/etc/hostname", place.file("production.link.lock")).unwrap();
    assert!(refused(take(&place, "dash", "first", &["production.link"]).await).contains("not a plain file"));
    fs::create_dir(place.file("production.dir.lock")).unwrap();
    assert!(refused(take(&place, "dash", "first", &["production.dir"]).await).contains("not a plain file"));
    // A run's folder that was there before: writable for others, a link, a file.
    let run = place.file("second");
    fs::create_dir(&run).unwrap();
    fs::set_permissions(&run, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(refused(take(&place, "dash", "second", &["production.x"]).await).contains("only this account"));
    fs::remove_dir(&run).unwrap();
    symlink("/tmp", &run).unwrap();
    assert!(refused(take(&place, "dash", "second", &["production.x"]).await).contains("only this account"));
    fs::remove_file(&run).unwrap();
    fs::write(&run, "").unwrap();
    assert!(refused(take(&place, "dash", "second", &["production.x"]).await).contains("only this account"));
    if rustix::process::geteuid().is_root() {
        fs::remove_file(&run).unwrap();
        fs::create_dir(&run).unwrap();
        std::os::unix::fs::chown(&run, Some(shells::GROUP), None).unwrap();
        // Another account's is left alone: that account may have begun the run.
        let lease = take(&place, "dash", "second", &["production.x"]).await.unwrap();
        assert!(shells::exists(&place.file("second.0/holder")));
        assert_eq!(fs::read_dir(&run).unwrap().count(), 0);
        lease.release().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_others_can_write_to_is_refused_with_what_to_do() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: a folder of root's takes root");
    }
    let root = 0;
    let wrong = [
        (root, 0o1777, "has the mode drwxrwxrwt"),
        (root, 0o2777, "has the mode drwxrwsrwx"),
        (root, 0o2775, "has the mode drwxrwsr-x"),
        (root, 0o770, "has the mode drwxrwx---"),
        (33, 0o2770, "is not made by root"),
    ];
    for shell in SHELLS {
        for (uid, mode, says) in wrong {
            let place = Place::new();
            place.owned_by(uid, Some(shells::GROUP), mode);
            let error = take(&place, shell, "first", &["production.x"]).await.unwrap_err().to_string();
            assert!(
                error.contains(says) && error.contains("install -d -o root -g jumpdeck -m 2770"),
                "{error}"
            );
            let seen = ask::look_in(&place.places(), &Local::new(shell), "").await.unwrap_err().to_string();
            assert!(seen.contains(says), "{seen}");
        }
        // With the sticky bit no member removes what another made.
        let place = Place::new();
        place.owned_by(root, Some(shells::GROUP), 0o3770);
        take(&place, shell, "first", &["production.x"]).await.unwrap().release().await;
        // Who is not in the group is told so; nobody takes another folder instead.
        let stranger = Local::of(shell, 33);
        let holder = Holder::new("web@server", "first", "promote-masterdb");
        let taken = Lease::take_in(&place.places(), &stranger, &keys(&["production.x"]), &holder).await;
        assert!(taken.unwrap_err().to_string().contains("is not in the group"), "{shell}");
        let place = Place::new();
        fs::rename(place.folder(), place.folder().with_extension("away")).unwrap();
        symlink(place.folder().with_extension("away"), place.folder()).unwrap();
        let error = take(&place, shell, "first", &["production.x"]).await.unwrap_err();
        assert!(error.to_string().contains("is not a folder"), "{error}");
    }
}

#[tokio::test]
async fn names_that_are_no_names_never_reach_a_shell() {
    let place = Place::new();
    for name in ["", "../x", "a b", "$(id)", "-x", "a\nb", "x;y"] {
        assert!(matches!(take(&place, "dash", "first", &[name]).await, Err(LeaseError::Name(_))), "{name:?}");
        assert!(
            matches!(take(&place, "dash", name, &["production.x"]).await, Err(LeaseError::Name(_))),
            "{name:?}"
        );
    }
}

/// The console of the tests above: takes a lease, and tells when it lost it.
async fn client() {
    let [shared, own, shell] =
        ["LEASE_SHARED", "LEASE_OWN", "LEASE_SHELL"].map(|name| std::env::var(name).unwrap());
    let places = LeasePlaces { shared, own, apart: false, journals: String::new() };
    let holder = Holder::new("anna@desk", "client", "promote-masterdb");
    let lease =
        Lease::take_in(&places, &Local::new(&shell), &keys(&["production.client"]), &holder).await.unwrap();
    lease.prove().await.unwrap();
    println!("taken");
    wait_lost(&lease).await;
    println!("lost");
}
