#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use super::*;
use jumpdeck_fleet::service::ServiceHealth;

const PEERS: &str = "@peers salt=own app1=10.0.0.11 app2=10.0.0.12 db1=db1.example.org\n";
const LISTENS: &str = "   0: 00000000:1199 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1\n";
const EMPTY: &str = "@list minions_pre 0\n@list minions_denied 0\n@list minions_rejected 0\n";

/// A connection from 10.0.0.N to the master at 10.0.0.1.
fn from(n: u8) -> String {
    format!("   1: 0100000A:1199 {n:02X}00000A:D431 01 00000000:00000000 00:00000000 00000000 0 0 1 1\n")
}

fn said(status: u8, text: &str) -> Result<Service, Gap> {
    read(&Raw { status, text: text.to_owned() })
}

fn answer(connections: &str, ids: &[&str], rest: &str) -> String {
    let count = ids.len();
    format!("{PEERS}@connections 0 no\n{connections}\n@list minions {count}\n{}\n{rest}", ids.join("\n"))
}

fn judged(text: &str) -> (ServiceHealth, Vec<(Severity, String)>) {
    let service = said(0, text).unwrap();
    let findings = PROBE.probe.kind.findings(&service, &Thresholds::default());
    let health = ServiceHealth::of(&service, &findings);
    (health, findings.into_iter().map(|finding| (finding.severity, finding.message)).collect())
}

#[test]
fn minions_that_are_connected_and_keys_that_are_rejected_are_no_problem() {
    let rest = "@list minions_pre 0\n@list minions_denied 0\n@list minions_rejected 1\nold1\n";
    // The master's own minion comes from its own address; those of other ports are nobody's.
    let other =
        "   9: 0100000A:B431 0200000A:1199 01 0 0 0 0 0 1 1\n   9: 0100000A:119A 0500000A:B431 01 0 0 0\n";
    let connections = format!("{LISTENS}{}{}{}{other}", from(11), from(12), from(1));
    let text = answer(&connections, &["app1", "app2.example.org", "salt"], rest);
    assert_eq!(judged(&text), (ServiceHealth::Ok, vec![]));
    let service = said(0, &text).unwrap();
    assert_eq!(service.detail.as_str(), "3 accepted, 3 connected, 1 rejected");
    assert_eq!(service.text("rejected_names"), Some("old1"));
}

#[test]
fn a_minion_without_a_connection_is_named_where_it_is_certain() {
    let names = |connections: String, ids: &[&str]| {
        let (health, problems) = judged(&answer(&connections, ids, EMPTY));
        assert_eq!((health, problems.len(), problems[0].0), (ServiceHealth::Degraded, 1, Severity::Warning));
        problems[0].1.clone()
    };
    let said = names(format!("{LISTENS}{}{}", from(1), from(12)), &["app1", "app2", "salt"]);
    assert!(
        said.starts_with("1 minion has no connection to the Salt master: app1. If the host is up"),
        "{said}"
    );
    // Every connection is another's: so it is the one whose address nobody knows.
    let said = names(format!("{LISTENS}{}", from(11)), &["app1", "db1"]);
    assert!(said.starts_with("1 minion has no connection to the Salt master: db1. "), "{said}");
    // Either of two whose addresses nobody knows.
    let said = names(format!("{LISTENS}{}", from(77)), &["old1", "db1"]);
    assert!(
        said.starts_with("1 minion has no connection to the Salt master. See which: salt-run manage.down."),
        "{said}"
    );
    let said = names(LISTENS.to_owned(), &["app1", "app2"]);
    assert!(said.starts_with("2 minions have no connection to the Salt master: app1, app2. "), "{said}");
    // One over IPv6, mapped and not.
    let mapped = "   1: 0000000000000000FFFF00000100000A:1199 0000000000000000FFFF00000B00000A:D431 01 0\n";
    let real = "   1: B80D0120000000000000000001000000:1199 B80D0120000000000000000002000000:D431 01 0\n";
    let said = names(format!("{LISTENS}{mapped}{real}"), &["app1", "app2", "db1"]);
    assert!(said.starts_with("1 minion has no connection to the Salt master. See which"), "{said}");
    // One that is connected twice stands for no other.
    let said = names(format!("{LISTENS}{}{}", from(11), from(11)), &["app1", "app2"]);
    assert!(said.starts_with("1 minion has no connection to the Salt master: app2. "), "{said}");
    // Two of one address, and one connection from there: either.
    let said = names(format!("{LISTENS}{}", from(11)), &["app1", "app1.example.org"]);
    assert!(said.starts_with("1 minion has no connection to the Salt master. See which"), "{said}");
}

/// Its address is another one than the inventory says, or another minion's: NAT.
#[test]
fn a_connection_from_elsewhere_stands_for_one_minion() {
    for (connections, ids) in [
        (format!("{}{}", from(11), from(77)), ["app1", "app2"]),
        (format!("{}{}", from(11), from(11)), ["app1", "db1"]),
        (format!("{}{}", from(76), from(77)), ["app1", "db1"]),
    ] {
        let text = answer(&format!("{LISTENS}{connections}"), &ids, EMPTY);
        assert_eq!(judged(&text), (ServiceHealth::Ok, vec![]), "{ids:?}");
    }
}

#[test]
fn a_minion_may_follow_another_master() {
    let text = answer(&format!("{LISTENS}{}", from(11)), &["app1", "app2"], EMPTY);
    let (_, problems) = judged(&text.replace("db1=db1.example.org", "deployment=10.0.0.5"));
    let words = "1 minion has no connection to the Salt master, or follows another master: app2. ";
    assert!(problems[0].1.starts_with(words), "{problems:?}");
}

#[test]
fn a_master_that_does_not_listen_is_another_services_problem() {
    let text = format!("{PEERS}@connections 1 no\n@list minions 3\na\nb\nc\n{EMPTY}");
    assert_eq!(judged(&text), (ServiceHealth::Ok, vec![]));
    let service = said(0, &text).unwrap();
    assert_eq!(service.detail.as_str(), "3 accepted, no master listens on port 4505");
    assert_eq!(service.reading("connected"), None);
    for (status, words) in [("124 no", "timed out"), ("127 no", "grep"), ("0 yes", "64 KiB")] {
        let text = format!("{PEERS}@connections {status}\n{LISTENS}@list minions 3\na\nb\nc\n{EMPTY}");
        let (health, problems) = judged(&text);
        assert_eq!((health, problems.len()), (ServiceHealth::Unknown, 1), "{problems:?}");
        assert!(problems[0].1.contains(words), "{problems:?}");
    }
}

#[test]
fn keys_that_wait_and_those_that_are_denied_are_named() {
    let rest =
        "@list minions_pre 6\na\nb\nc\nd\ne\nf\n@list minions_denied 1\ndb1\n@list minions_rejected 0\n";
    let (health, problems) = judged(&answer(&format!("{LISTENS}{}", from(11)), &["app1"], rest));
    assert_eq!(health, ServiceHealth::Degraded);
    assert!(
        problems[0].1.starts_with("6 keys wait to be accepted by the Salt master: a, b, c, d and 2 more. "),
        "{problems:?}"
    );
    assert!(problems[0].1.ends_with("salt-key -a a; or reject it: salt-key -r a."), "{problems:?}");
    assert!(problems[1].1.starts_with("1 key is denied by the Salt master: db1. "), "{problems:?}");
    assert!(problems.iter().all(|(severity, _)| *severity == Severity::Warning));
}

/// Whoever reaches the master chooses the name of a key that waits.
#[test]
fn a_name_that_is_none_goes_into_no_command() {
    let rest = "@list minions_pre 1\n?\n@list minions_denied 0\n@list minions_rejected 0\n";
    let (_, problems) = judged(&answer(&format!("{LISTENS}{}", from(11)), &["app1"], rest));
    assert!(problems[0].1.contains("salt-key -f NAME"), "{problems:?}");
    // A name that was cut would be another key's.
    let rest = rest.replace('?', "app1-of-the-second-building");
    let (_, problems) = judged(&answer(&format!("{LISTENS}{}", from(11)), &["app1"], &rest));
    assert!(problems[0].1.ends_with("salt-key -a NAME; or reject it: salt-key -r NAME."), "{problems:?}");
}

#[test]
fn what_nobody_could_read_is_no_list_of_keys() {
    assert_eq!(said(0, "@absent\n"), Err(Gap::NotInstalled));
    let Err(Gap::NotPermitted(why)) = said(126, "/etc/salt/pki/master\n") else { panic!() };
    assert!(why.as_str().starts_with("/etc/salt/pki/master: set sudo = true"), "{why:?}");
    assert_eq!(said(124, ""), Err(Gap::TimedOut));
    let begun = format!("{PEERS}@connections 0 no\n{LISTENS}");
    for rest in ["", "@list minions x\n", "@list minions 2\n", "@list \n"] {
        assert!(matches!(said(0, &format!("{begun}{rest}")), Err(Gap::Unreadable(_))), "{rest:?}");
    }
    assert!(matches!(said(0, "x\n"), Err(Gap::Unreadable(_))));
}
