//! `/run/lock` has a few megabytes on Debian, and every account can write there.

use std::time::{Duration, Instant};

use jumpdeck::runbook::event::Event;
use jumpdeck::runbook::journal::Journal;
use jumpdeck::runbook::lease::{Holder, Lease, watch};

use super::keys;
use super::rig::{RIGHT, Rig, WEB, runtime};

#[test]
fn an_account_that_fills_the_folder_ends_no_lease() {
    let small = format!("mount -t tmpfs -o mode=1777,size=256k tmpfs /run/lock; {RIGHT}");
    let Some(rig) = Rig::new(&small) else { return };
    runtime().block_on(async {
        let (_anna, ours) = rig.session("anna").await;
        let holder = Holder::new("anna@desk", "first", "promote");
        let lease = Lease::take(ours.as_ref(), &keys(), &holder).await.unwrap();
        let mut journal = Journal::create(&rig.dir.path().join("runs"), "first").unwrap();
        let entry = |text: &str| Event::Note { who: "anna".to_owned(), text: text.to_owned() };
        let whole = journal.append(&entry("before")).unwrap();
        lease.say(&whole);
        lease.prove().await.unwrap();
        let (_, said) = rig.by(WEB, "", "head -c 1M /dev/zero > /run/lock/fill");
        assert!(said.contains("No space left"), "{said}");
        // Half of this finds room, at most; what comes after it would not be readable.
        lease.say(&journal.append(&entry(&"x".repeat(300_000))).unwrap());
        let from = Instant::now();
        while from.elapsed() < Duration::from_secs(8) {
            lease.prove().await.unwrap();
            lease.step("a step");
        }
        // Somebody else gets none meanwhile, and is told why.
        let (_bob, others) = rig.session("bob").await;
        let other = Holder::new("bob@desk", "second", "promote");
        let refused = Lease::take(others.as_ref(), &["production.x".to_owned()], &other).await.unwrap_err();
        assert!(refused.to_string().contains("is /run/lock full"), "{refused}");
        rig.root("rm /run/lock/fill");
        lease.say(&journal.append(&entry("after")).unwrap());
        lease.prove().await.unwrap();
        let seen = watch(others, "first").unwrap().poll().await.unwrap().unwrap();
        assert!(seen.len() == 2, "the holder and the first entry: {seen:?}");
        lease.release().await;
    });
}
