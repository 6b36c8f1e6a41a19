#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;
use crate::collect::tests::fleet;
use jumpdeck_fleet::time::Moment;

fn proved(host: &str, hostname: Option<&str>, answered: &str) -> Result<(), String> {
    let fleet = fleet(&["app1", "app2", "db_1", "DB2", "10.0.0.5", "web.eu"]);
    let names = AnsweringNames::of(&fleet);
    let spec = fleet.environments.iter().flat_map(|e| &e.hosts).find(|h| h.id.host.as_str() == host).unwrap();
    let spec = Host { hostname: hostname.map(str::to_owned), ..(**spec).clone() };
    let identity = Identity { hostname: Clean::new(answered), machine_id: None };
    prove(&spec, &names, &Fact::new(identity, Moment(0)))
}

#[test]
fn names_that_are_odd_and_true_pass() {
    for (host, hostname, answered) in [
        ("app1", None, "app1"),
        ("app1", None, "APP1"),
        ("app1", None, "app1."),
        ("app1", None, "app1.production.wpdn"),
        ("db_1", None, "db_1"),
        ("DB2", None, "db2.example.org."),
        ("10.0.0.5", None, "10.0.0.5"),
        ("web.eu", None, "web"),
        ("app1", Some("ip-10-0-0-5"), "ip-10-0-0-5.ec2.internal"),
        ("app1", Some("web.eu.example.org"), "web"),
        ("app1", Some("localhost"), "localhost"),
    ] {
        assert_eq!(proved(host, hostname, answered), Ok(()), "{host} {hostname:?} {answered}");
    }
}

/// Case 19 and the real fleet, 5: no identity is no pass.
#[test]
fn a_machine_that_does_not_say_who_it_is_does_not_pass() {
    for answered in ["(none)", "localhost", "localhost.localdomain", "LOCALHOST", "localhost6", "."] {
        let why = proved("app1", None, answered).unwrap_err();
        assert!(!why.contains("hostname = "), "{answered}: {why}");
    }
    let fleet = fleet(&["app1"]);
    for gap in [Gap::NotAsked, Gap::Unreadable("no hostname".into()), Gap::NoTool("uname".into())] {
        let identity = Fact { known: None, gap: Some(gap) };
        assert!(prove(&fleet.environments[0].hosts[0], &AnsweringNames::of(&fleet), &identity).is_err());
    }
}

#[test]
fn another_machine_does_not_pass() {
    for (host, hostname, answered) in [
        ("app1", None, "app9"),
        ("app1", None, "app1-old"),
        ("10.0.0.5", None, "10.0.0.6"),
        ("app1", Some("web.eu.example.org"), "web.us.example.org"),
        ("app1", Some("web"), "app1"),
    ] {
        let why = proved(host, hostname, answered).unwrap_err();
        assert!(why.contains(&format!("answered as {answered}")), "{why}");
    }
}

/// The real fleet, 14: a name that only looks like another shows by which letters.
#[test]
fn letters_that_look_alike_show_their_code_points() {
    let why = proved("app1", None, "\u{430}pp1").unwrap_err();
    assert!(why.contains("<U+0430>pp1"), "{why}");
    assert!(!why.contains("hostname = "), "{why}");
}

#[test]
fn advice_takes_no_name_from_another_host() {
    let why = proved("app1", None, "app2").unwrap_err();
    assert!(why.contains("app2 is another host of the inventory") && !why.contains("hostname = "), "{why}");
}

/// Whatever a machine calls itself: what a message advises, the inventory accepts (its rule is [`HostName`]'s), and it helps.
#[test]
fn advice_is_accepted_by_the_inventory() {
    let odd = [
        "(none)",
        "web 1",
        "-web",
        "web\"",
        "we\nb",
        "\u{430}",
        "w_b",
        "SRV",
        "srv.example.org",
        "srv.",
        "a;b",
        "..",
        "web/1",
    ];
    let long = "w".repeat(300);
    let mut advised = 0;
    for answered in odd.iter().copied().chain([long.as_str()]) {
        let why = proved("app1", None, answered).unwrap_err();
        let Some(line) = why.split('`').nth(1) else { continue };
        advised += 1;
        let stated = line.strip_prefix("hostname = \"").and_then(|l| l.strip_suffix('"')).unwrap();
        assert!(HostName::new(stated).is_ok() && proved("app1", Some(stated), answered).is_ok(), "{line}");
    }
    assert_eq!(advised, 4, "w_b, SRV, srv.example.org, srv.");
}
