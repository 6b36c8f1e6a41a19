//! Maintenance sessions on the jump box, against real shells: added to in pieces, by two accounts, without room, at the same time.

use super::*;
use crate::runbook::lease::sessions::{
    RecordAdded, SessionPart, SessionsThere, add_in, close_in, record_in, sessions_in,
};

const ONE: (&str, &str, &str) = ("production", "20261130T2130-a3f9", "0a1b");
const TWO: (&str, &str, &str) = ("production", "20261130T2131-ffff", "0a1c");

async fn there(place: &Place, shell: &str) -> SessionsThere {
    sessions_in(&place.places(), &Local::new(shell), Some("production")).await.unwrap()
}

async fn add(place: &Place, shell: &str, of: (&str, &str, &str), offset: u64, text: &str) -> RecordAdded {
    add_in(&place.places(), &Local::new(shell), of, offset, text).await.unwrap()
}

async fn read(place: &Place, shell: &str, part: &SessionPart, from: u64) -> String {
    let bytes =
        record_in(&place.places(), &Local::new(shell), part, &part.records[0].0, (from, 1 << 20)).await;
    String::from_utf8(bytes.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_added_to_in_pieces_and_no_piece_twice() {
    for shell in SHELLS {
        let place = Place::new();
        assert_eq!(there(&place, shell).await.parts, []);
        let text = "{\"a\":\"'$(x)`\\n %s ü\"}\n";
        assert_eq!(add(&place, shell, ONE, 0, text).await, RecordAdded::Size(text.len() as u64), "{shell}");
        // The answer was lost, and the same is sent again.
        assert_eq!(add(&place, shell, ONE, 0, text).await, RecordAdded::Size(text.len() as u64));
        let size = (text.len() * 2) as u64;
        assert_eq!(add(&place, shell, ONE, text.len() as u64, text).await, RecordAdded::Size(size));

        let seen = there(&place, shell).await;
        let [part] = seen.parts.as_slice() else { panic!("{shell}: {seen:?}") };
        assert_eq!((part.id.as_str(), part.uid, part.over), (ONE.1, seen.uid, false), "{shell}");
        assert_eq!(part.records, [("0a1b".to_owned(), size)]);
        assert_eq!(read(&place, shell, part, 0).await, text.repeat(2));
        assert_eq!(read(&place, shell, part, text.len() as u64).await, text);
        assert!(seen.now > 1_700_000_000, "{seen:?}");
        let mode = fs::metadata(place.file(&format!("session@production@{}@{}", ONE.1, part.uid))).unwrap();
        assert_eq!(
            mode.permissions().mode() & 0o027,
            0,
            "others cannot read it, the group cannot write to it"
        );
        assert!(
            sessions_in(&place.places(), &Local::new(shell), Some("staging")).await.unwrap().parts.is_empty()
        );
        assert_eq!(sessions_in(&place.places(), &Local::new(shell), None).await.unwrap().parts.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_has_one_session_until_it_is_over() {
    for shell in SHELLS {
        let place = Place::new();
        add(&place, shell, ONE, 0, "x\n").await;
        let RecordAdded::Other(parts) = add(&place, shell, TWO, 0, "y\n").await else { panic!("{shell}") };
        assert_eq!(parts[0].id, ONE.1, "{shell}");
        assert_eq!(there(&place, shell).await.parts.len(), 1, "nothing was made");
        // Another environment's is another one.
        let staging = ("staging", TWO.1, TWO.2);
        assert_eq!(add(&place, shell, staging, 0, "y\n").await, RecordAdded::Size(2));

        close_in(&place.places(), &Local::new(shell), (ONE.0, ONE.1)).await.unwrap();
        close_in(&place.places(), &Local::new(shell), (ONE.0, ONE.1)).await.unwrap();
        assert!(there(&place, shell).await.parts[0].over);
        assert_eq!(add(&place, shell, TWO, 0, "y\n").await, RecordAdded::Size(2), "{shell}");
        assert_eq!(add(&place, shell, ONE, 2, "late\n").await, RecordAdded::Size(7), "a late line is kept");
        let stranger = close_in(&place.places(), &Local::new(shell), ("production", "other")).await;
        assert!(stranger.unwrap_err().to_string().contains("takes no part"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_begin_at_once_one_has_begun() {
    let place = Place::new();
    let starts = (0..6).map(|i| {
        let (place, shell) = (&place, SHELLS[i % SHELLS.len()]);
        async move { add(place, shell, ("production", &format!("s{i}"), "0a"), 0, "x\n").await }
    });
    let begun = futures::future::join_all(starts).await;
    assert_eq!(begun.iter().filter(|one| **one == RecordAdded::Size(2)).count(), 1, "{begun:?}");
    assert_eq!(there(&place, "dash").await.parts.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_and_sessions_do_not_see_each_other() {
    let place = Place::new();
    add(&place, "dash", ONE, 0, "x\n").await;
    let lease = take(&place, "dash", "first", &["production.x"]).await.unwrap();
    let seen = ask::look_in(&place.places(), &Local::new("dash"), "").await.unwrap();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(copy::left_in(&place.places(), &Local::new("dash")).await.unwrap().is_empty());
    assert_eq!(there(&place, "dash").await.parts.len(), 1);
    lease.release().await;
    // What a run removes of old folders are not sessions'.
    let folder = place.file(&format!("session@production@{}@{}", ONE.1, there(&place, "dash").await.uid));
    let touched = std::process::Command::new("touch").args(["-d", "40 days ago"]).arg(&folder).status();
    assert!(touched.unwrap().success());
    take(&place, "dash", "second", &["production.x"]).await.unwrap().release().await;
    assert_eq!(there(&place, "dash").await.parts.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_after_its_end_a_session_is_removed() {
    let place = Place::new();
    add(&place, "dash", ONE, 0, "x\n").await;
    close_in(&place.places(), &Local::new("dash"), (ONE.0, ONE.1)).await.unwrap();
    let folder = place.file(&format!("session@production@{}@{}", ONE.1, there(&place, "dash").await.uid));
    std::process::Command::new("touch").args(["-d", "31 days ago"]).arg(&folder).status().unwrap();
    add(&place, "dash", TWO, 0, "y\n").await;
    let left = there(&place, "dash").await;
    assert_eq!(left.parts.iter().map(|part| part.id.as_str()).collect::<Vec<_>>(), [TWO.1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_member_of_the_group_lays_out_is_not_taken_for_another_s_part() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root for a second account");
        return;
    }
    let place = Place::new();
    add(&place, "dash", ONE, 0, "x\n").await;
    // A folder that says it is root's, and is not; a link; a name with more in it.
    for name in ["session@production@s1@0", "session@production@s2@65534@x", "session@production@a b@65534"] {
        fs::create_dir(place.file(name)).unwrap();
        fs::write(place.file(name).join("0a"), "forged\n").unwrap();
        std::os::unix::fs::chown(place.file(name), Some(65534), None).unwrap();
    }
    symlink("/etc", place.file("session@production@s3@0")).unwrap();
    let seen = there(&place, "dash").await;
    assert_eq!(seen.parts.iter().map(|part| part.id.as_str()).collect::<Vec<_>>(), [ONE.1]);
    // Another account's own part is one.
    let other = "session@production@s4@65534";
    fs::create_dir(place.file(other)).unwrap();
    fs::write(place.file(other).join("0b"), "theirs\n").unwrap();
    symlink("/etc/passwd", place.file(other).join("0c")).unwrap();
    for path in [place.file(other), place.file(other).join("0b")] {
        std::os::unix::fs::chown(path, Some(65534), None).unwrap();
    }
    let seen = there(&place, "dash").await;
    let theirs = seen.parts.iter().find(|part| part.uid == 65534).unwrap();
    assert_eq!((theirs.id.as_str(), theirs.records.as_slice()), ("s4", [("0b".to_owned(), 7)].as_slice()));
    assert_eq!(read(&place, "dash", theirs, 0).await, "theirs\n");
}
