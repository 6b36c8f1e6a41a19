//! Entries that are too long for one piece.

use super::copies::{copied, journal_of, lines, told};
use super::*;

fn long(bytes: usize) -> String {
    "\\n \"'$(x)` ü€ ".repeat(bytes / 18)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_sent_in_parts_is_kept_whole() {
    for shell in SHELLS {
        let place = Place::new();
        let all = journal_of(&place, "first", vec![long(500_000), "short".to_owned()], false);
        let lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        lease.say_all(&all[..3]);
        lease.say(&all[3]);
        lease.store().await.unwrap();
        assert_eq!(lines(&place.file("first/entries")), told(&all), "{shell}");
        assert_eq!(copied(&place, &Local::new(shell), "first").await.unwrap(), Copy::Entries(all), "{shell}");
        assert_eq!(lease.lost(), None, "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_which_only_parts_came_is_ignored_and_the_next_console_writes_its_own() {
    for shell in SHELLS {
        let place = Place::new();
        let all = journal_of(&place, "first", vec![long(4_000_000)], false);
        let local = Local::new(shell);
        let holder = Holder::new("anna@desk", "first", "promote-masterdb");
        let lease = Lease::take_in(&place.places(), &local, &keys(&["production.x"]), &holder).await.unwrap();
        lease.say_all(&all[..2]);
        lease.store().await.unwrap();
        let size = || fs::metadata(place.file("first/entries")).unwrap().len();
        let before = size();
        lease.say(&all[2]);
        while size() == before {
            tokio::task::yield_now().await;
        }
        local.cut();
        wait_lost(&lease).await;
        wait_free(&place, shell, &["production.x"]).await;
        let copy = copied(&place, &Local::new(shell), "first").await.unwrap();
        assert_eq!(copy, Copy::Entries(all[..2].to_vec()), "{shell}");
        let others = journal_of(&place, "first", vec!["short".to_owned()], false);
        let lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        lease.say_all(&others);
        lease.store().await.unwrap();
        assert_eq!(
            copied(&place, &Local::new(shell), "first").await.unwrap(),
            Copy::Entries(others),
            "{shell}"
        );
    }
}

/// What was said before the last copy of a lease is dropped comes there, however long it takes.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_is_dropped_sends_what_waits_first() {
    let place = Place::new();
    let all = journal_of(&place, "first", vec![long(500_000)], false);
    let lease = take(&place, "dash", "first", &["production.x"]).await.unwrap();
    lease.say_all(&all);
    drop(lease);
    wait_free(&place, "dash", &["production.x"]).await;
    assert_eq!(copied(&place, &Local::new("dash"), "first").await.unwrap(), Copy::Entries(all));
}
