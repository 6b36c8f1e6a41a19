//! Which database server the applications' files name.

use super::*;
use crate::database_address::{NamedServer, NamingFile};

const FILE: &str = "/etc/webplatform/db.ini";

fn named(word: &str, resolved: Option<&str>) -> NamedServer {
    NamedServer { word: word.into(), resolved: resolved.map(|address| address.parse().unwrap()) }
}

/// Three applications and two database servers, by address.
fn applications() -> World {
    let mut w = world(&["db1-masterdb", "db2", "app1", "app2", "app3"]);
    for (at, host) in w.env.hosts.iter_mut().enumerate() {
        Arc::make_mut(host).address = format!("10.0.0.{}", at + 1);
    }
    for app in ["app1", "app2", "app3"] {
        w.names(app, &["10.0.0.1"]);
    }
    w
}

impl World {
    fn names(&mut self, app: &str, words: &[&str]) {
        let servers = words.iter().map(|word| named(word, None)).collect();
        self.file(app, Ok(servers));
    }

    fn file(&mut self, app: &str, servers: Result<Vec<NamedServer>, Gap>) {
        self.change(app, |h| {
            h.facts.database_files.learn(vec![NamingFile { file: FILE.into(), servers }], NOW)
        });
    }
}

#[test]
fn the_address_of_the_writable_server_is_well_and_so_is_its_name() {
    let mut w = applications();
    assert_eq!(brief(&w.judge()), Vec::<String>::new());
    w.names("app1", &["db1-masterdb"]);
    w.file("app2", Ok(vec![named("masterdb", Some("10.0.0.1"))]));
    // A name that nobody resolves here, and what may be a proxy: not judged.
    w.names("app3", &["mysql.example.org"]);
    assert_eq!(brief(&w.judge()), Vec::<String>::new());
    w.names("app3", &["127.0.0.1"]);
    assert_eq!(brief(&w.judge()), Vec::<String>::new());
}

#[test]
fn a_file_that_names_a_replica_is_critical_until_it_is_promoted() {
    let mut w = applications();
    w.names("app2", &["10.0.0.2"]);
    let problems = w.judge();
    assert_eq!(brief(&problems), ["critical database_address app2"]);
    assert_eq!(
        problems[0].message,
        "/etc/webplatform/db.ini names db2 (10.0.0.2), which is read-only; writable is db1-masterdb. Correct the address \
         where the file is written (with Salt: in the pillar), then reload the application"
    );
    // The other two are wrong after the promotion, and one problem.
    w.database("db1-masterdb", |d| d.read_only = Some(true));
    w.database("db2", |d| d.read_only = Some(false));
    let problems: Vec<Problem> =
        w.judge().into_iter().filter(|p| p.kind == ProblemKind::DatabaseAddress).collect();
    assert_eq!(brief(&problems), ["critical database_address -"]);
    assert!(problems[0].message.contains("app1 names db1-masterdb (10.0.0.1), app3 names db1-masterdb"));
    assert!(problems[0].concerns(&HostName::new("app3").unwrap()));
    for app in ["app1", "app3"] {
        w.names(app, &["10.0.0.2"]);
    }
    assert!(w.judge().iter().all(|p| p.kind != ProblemKind::DatabaseAddress));
    // A name that the host itself resolves to a replica.
    w.file("app1", Ok(vec![named("masterdb", Some("10.0.0.1"))]));
    assert!(w.judge().iter().any(|p| p.kind == ProblemKind::DatabaseAddress));
}

#[test]
fn an_address_of_no_host_is_a_warning_unless_a_replica_or_a_name_explains_it() {
    let mut w = applications();
    w.names("app2", &["10.9.9.9"]);
    let problems = w.judge();
    assert_eq!(brief(&problems), ["warning database_address app2"]);
    assert!(problems[0].message.contains("names 10.9.9.9, the address of no host in the inventory"));
    // The replica reaches its master there: another address of the same server.
    w.database("db2", |d| d.connections.as_mut().unwrap()[0].master_host = "10.9.9.9".into());
    assert!(w.judge().iter().all(|p| p.kind != ProblemKind::DatabaseAddress));
    // A host that is known by its name may have that address.
    let mut w = applications();
    w.names("app2", &["10.9.9.9"]);
    Arc::make_mut(&mut w.env.hosts[1]).address = "db2.example.org".into();
    assert_eq!(brief(&w.judge()), Vec::<String>::new());
}

#[test]
fn what_is_not_known_is_no_wrong_address_and_what_was_not_read_is_unknown() {
    let mut w = applications();
    w.names("app2", &["10.0.0.2"]);
    w.change("db2", |h| h.facts.databases.miss(Gap::TimedOut));
    assert!(w.judge().iter().all(|p| p.severity != Severity::Critical));
    // One that a file names beside the writable one is its own matter: a replica to read from.
    let mut w = applications();
    w.names("app2", &["10.0.0.1", "10.0.0.2"]);
    assert_eq!(brief(&w.judge()), Vec::<String>::new());
    w.file("app2", Err(Gap::NotPermitted("closed".into())));
    let problems = w.judge();
    assert_eq!(brief(&problems), ["unknown unreadable app2"]);
    assert_eq!(
        problems[0].message,
        "the database address in /etc/webplatform/db.ini is unknown: not permitted: closed"
    );
}

#[test]
fn applications_that_disagree_are_named() {
    let mut w = applications();
    w.names("app2", &["10.0.0.2"]);
    w.database("db2", |d| d.read_only = Some(false));
    let problems: Vec<Problem> =
        w.judge().into_iter().filter(|p| p.kind == ProblemKind::DatabaseAddress).collect();
    assert_eq!(brief(&problems), ["warning database_address -"]);
    assert!(
        problems[0].message.starts_with(
            "/etc/webplatform/db.ini names different database servers: db1-masterdb (by app1, app3), db2 (by app2). "
        ),
        "{problems:?}"
    );
}

#[test]
fn a_read_only_server_of_another_history_is_no_reason_to_write_elsewhere() {
    let mut w = applications();
    // The master came back read-only, and another application's server is writable.
    w.database("db1-masterdb", |d| d.read_only = Some(true));
    w.database("db2", |d| {
        d.read_only = Some(false);
        d.connections = Ok(Vec::new());
    });
    let problems = w.judge();
    let found: Vec<&Problem> = problems.iter().filter(|p| p.kind == ProblemKind::DatabaseAddress).collect();
    assert_eq!(found.len(), 1, "{problems:?}");
    assert!(found[0].message.contains("does not replicate from the writable server"), "{}", found[0].message);
    assert!(!found[0].message.contains("Correct the address"), "{}", found[0].message);
}

#[test]
fn applications_of_their_own_servers_and_a_proxy_are_well() {
    let mut w = applications();
    w.database("db2", |d| d.read_only = Some(false));
    let own = NamingFile { file: "/etc/other.ini".into(), servers: Ok(vec![named("10.0.0.2", None)]) };
    w.change("app2", |h| h.facts.database_files.learn(vec![own], NOW));
    // Another host of the inventory, which has no database: a proxy.
    w.names("app3", &["10.0.0.4"]);
    let of_files =
        |w: &World| w.judge().into_iter().filter(|p| p.kind == ProblemKind::DatabaseAddress).count();
    assert_eq!(of_files(&w), 0);
}

#[test]
fn without_a_writable_server_nobody_is_sent_to_one() {
    let mut w = applications();
    w.database("db1-masterdb", |d| d.read_only = Some(true));
    w.names("app2", &["10.9.9.9"]);
    let problems = w.judge();
    let found = problems.iter().find(|p| p.kind == ProblemKind::DatabaseAddress).unwrap();
    assert!(
        found.message.contains("no database server is known to be writable. If it is a proxy"),
        "{}",
        found.message
    );
}
