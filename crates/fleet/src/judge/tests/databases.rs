//! Databases: writable servers, connections, clusters, and what was not answered.

use super::*;
use crate::snapshot::unknowns::states;

#[test]
fn stopped_threads_are_critical_and_named_and_their_lag_is_never_zero() {
    let mut w = trio();
    w.database("db2", |d| {
        let c = &mut d.connections.as_mut().unwrap()[0];
        c.io = Thread::Stopped;
        assert_eq!(c.lag_s(), None, "Seconds_Behind_Master 0 with the IO thread stopped is not a lag of 0");
    });
    let problems = w.judge();
    assert_eq!(brief(&problems), ["critical replication db2"]);
    assert!(problems[0].message.contains("IO thread is stopped"));

    let mut w = trio();
    w.database("db2", |d| {
        let c = &mut d.connections.as_mut().unwrap()[0];
        c.sql = Thread::Stopped;
        c.seconds_behind = None;
        c.sql_error = Some(ReplicationError { number: 1062, message: "Duplicate entry".into() });
    });
    let problems = w.judge();
    assert!(problems[0].message.contains("SQL thread is stopped: error 1062 Duplicate entry"));
}

#[test]
fn lag_warns_and_null_lag_is_unknown() {
    for (lag, delay, want) in [
        (Some(30), None, vec![]),
        (Some(31), None, vec!["warning replication_lag db2"]),
        (Some(301), None, vec!["critical replication_lag db2"]),
        (Some(3630), Some(3600), vec![]),
        (Some(3700), Some(3600), vec!["warning replication_lag db2"]),
        (Some(3950), Some(3600), vec!["critical replication_lag db2"]),
        (None, None, vec!["unknown replication_lag db2"]),
    ] {
        let mut w = trio();
        w.database("db2", |d| {
            let c = &mut d.connections.as_mut().unwrap()[0];
            c.seconds_behind = lag;
            c.delay_s = delay;
        });
        assert_eq!(brief(&w.judge()), want, "{lag:?}");
    }
}

#[test]
fn writers_are_counted() {
    let mut w = trio();
    w.database("db2", |d| d.read_only = Some(false));
    let problems = w.judge();
    assert_eq!(brief(&problems), ["critical writable_masters -"]);
    let concerned = |host: &str| problems[0].concerns(&HostName::new(host).unwrap());
    assert_eq!(["db1-masterdb", "db2", "app1"].map(concerned), [true, true, false]);

    let mut w = trio();
    w.database("db1-masterdb", |d| d.read_only = Some(true));
    assert_eq!(brief(&w.judge()), ["critical writable_masters -"]);

    // What could not be read is neither writable nor read-only.
    let mut w = trio();
    w.database("db1-masterdb", |d| d.read_only = None);
    assert_eq!(brief(&w.judge()), ["unknown replication db1-masterdb", "unknown writable_masters -"]);

    // The other one took over and the name was not moved.
    let mut w = trio();
    w.database("db1-masterdb", |d| d.read_only = Some(true));
    w.database("db2", |d| d.read_only = Some(false));
    assert_eq!(brief(&w.judge()), ["critical writable_masters db2"]);

    // A secondary site: every server follows a master outside it.
    let mut w = world(&["db2"]);
    w.database("db2", |d| {
        let c = &mut d.connections.as_mut().unwrap()[0];
        c.master_host = "10.9.9.9".into();
        c.master_server_id = Some(900);
    });
    assert_eq!(w.judge(), []);
}

#[test]
fn unencrypted_replication_duplicate_ids_and_unmanaged_replicas_are_found() {
    let mut w = trio();
    w.database("db2", |d| d.connections.as_mut().unwrap()[0].tls_requested = Some(false));
    assert_eq!(brief(&w.judge()), ["warning replication_tls db2"]);

    let mut w = trio();
    w.database("db2", |d| d.server_id = Some(1));
    let problems = brief(&w.judge());
    assert!(problems.contains(&"critical server_id -".to_owned()), "{problems:?}");

    let mut w = trio();
    w.database("db1-masterdb", |d| {
        d.replicas = Ok(vec![ConnectedReplica { server_id: 77, host: Clean::default(), port: None }]);
    });
    assert_eq!(brief(&w.judge()), ["warning replication db1-masterdb"]);
}

#[test]
fn what_could_not_be_asked_is_unknown() {
    let mut w = trio();
    w.change("app1", |h| h.facts.load.miss(Gap::Unreadable("two fields".into())));
    assert_eq!(brief(&w.judge()), ["unknown unreadable app1"]);

    let mut w = trio();
    w.change("db2", |h| {
        let mut databases = h.facts.databases.current().unwrap().clone();
        databases[0].server = Err(Gap::NotPermitted("ERROR 1045".into()));
        h.facts.databases.learn(databases, NOW);
    });
    assert_eq!(brief(&w.judge()), ["unknown replication db2"]);
}

/// Case 06: the nodes of a healthy Galera cluster are all writable, and rightly so.
#[test]
fn writable_nodes_of_one_cluster_are_no_fault() {
    let of = |healths: [NodeHealth; 2], ids: [&str; 2]| {
        let mut w = world(&["db1", "db2"]);
        for ((host, health), id) in ["db1", "db2"].into_iter().zip(healths).zip(ids) {
            w.database(host, |d| {
                (d.read_only, d.connections, d.log_bin) = (Some(false), Ok(vec![]), Some(false));
                d.cluster = cluster(id, health);
            });
        }
        brief(&w.judge())
    };
    use NodeHealth::{Behind, InSync, Out, Unknown};
    assert_eq!(of([InSync, InSync], ["a", "a"]), Vec::<String>::new());
    assert_eq!(of([InSync, Behind], ["a", "a"]), ["warning cluster db2"]);
    // A node out of its component takes no writes, whatever its read_only says.
    assert_eq!(of([InSync, Out], ["a", "a"]), ["critical cluster db2"]);
    assert_eq!(of([InSync, Unknown], ["a", ""]), ["unknown cluster db2"]);
    // A cluster begun twice.
    assert_eq!(of([InSync, InSync], ["a", "b"]), ["critical writable_masters -"]);
    let nobody = of([Out, Out], ["a", "a"]);
    assert_eq!(nobody, ["critical cluster db1", "critical cluster db2", "critical writable_masters -"]);
}

/// Connections that run out, those that were refused, and a transaction that nobody ends.
#[test]
fn a_server_that_is_nearly_used_up_says_so() {
    use crate::replication::{OpenTransaction, RefusedLately, ServerActivity};
    let with = |activity: ServerActivity| {
        let mut w = trio();
        w.database("db2", |d| d.activity = activity.clone());
        let problems = w.judge();
        assert!(problems.iter().all(|p| p.kind == ProblemKind::Database), "{problems:?}");
        problems.into_iter().map(|p| (p.severity, p.message)).collect::<Vec<_>>()
    };
    let used = |connections, max_connections| {
        with(ServerActivity { connections, max_connections, ..ServerActivity::default() })
    };
    assert_eq!(used(Some(160), Some(200)), []);
    // Without one of the two nothing can be said, and a server says neither 0.
    for (connections, most) in [(None, Some(200)), (Some(500), None), (Some(5), Some(0))] {
        assert_eq!(used(connections, most), []);
    }
    for (connections, severity, percent) in [
        (161, Severity::Warning, 80),
        (190, Severity::Warning, 95),
        (191, Severity::Critical, 95),
        (201, Severity::Critical, 100),
    ] {
        let said = used(Some(connections), Some(200));
        let [(worst, message)] = said.as_slice() else { panic!("{said:?}") };
        assert_eq!(*worst, severity);
        let begin = format!(
            "mariadb: {connections} of 200 connections in use ({percent}%): see who holds them: SHOW"
        );
        assert!(message.starts_with(&begin), "{message}");
    }
    let refused = RefusedLately { count: 12, last: NOW };
    let said = with(ServerActivity {
        refused_lately: Some(refused),
        max_connections: Some(60),
        ..ServerActivity::default()
    });
    assert_eq!((said.len(), said[0].0), (1, Severity::Warning));
    let begin = "mariadb: refused 12 connections in the last minutes, as all 60 were in use: see who";
    assert!(said[0].1.starts_with(begin), "{said:?}");
    let open = |connection, age_s| {
        let longest = Some(OpenTransaction { connection, age_s });
        with(ServerActivity { longest, ..ServerActivity::default() })
    };
    assert_eq!(open(37, 600), []);
    let said = open(37, 725);
    assert_eq!((said.len(), said[0].0), (1, Severity::Warning));
    let begin = "mariadb: the transaction of connection 37 is open for 12 min. See whose it is: SHOW FULL PROCESSLIST.";
    assert!(
        said[0].1.starts_with(begin) && said[0].1.contains("A dump") && !said[0].1.contains("KILL"),
        "{said:?}"
    );
    let said = open(0, 725);
    assert!(said[0].1.contains("XA RECOVER") && !said[0].1.contains("KILL"), "{said:?}");
}

#[test]
fn a_writable_server_beside_a_cluster_is_a_second_master() {
    let mut w = world(&["db1", "db2", "db3"]);
    for host in ["db1", "db2", "db3"] {
        w.database(host, |d| (d.read_only, d.connections) = (Some(false), Ok(vec![])));
    }
    for host in ["db1", "db2"] {
        w.database(host, |d| d.cluster = cluster("a", NodeHealth::InSync));
    }
    let problems = w.judge();
    assert_eq!(brief(&problems), ["critical writable_masters -"]);
    assert_eq!(problems[0].named.len(), 3);
}

/// Case 25: an account that may not ask for connections, and addresses that another machine answers at.
#[test]
fn no_database_is_writable_is_said_only_of_servers_that_answered() {
    let follows = |change: &dyn Fn(&mut ServerStatus)| {
        let mut w = trio();
        w.database("db1-masterdb", |d| (d.read_only, d.port) = (Some(true), Some(3306)));
        w.database("db2", |d| change(d));
        brief(&w.judge())
    };
    let to = |d: &mut ServerStatus, host: &str, port: u16, id: u64| {
        let c = &mut d.connections.as_mut().unwrap()[0];
        (c.master_host, c.master_port, c.master_server_id) = (host.into(), Some(port), Some(id));
    };
    let none = "critical writable_masters -";
    let maybe = "unknown writable_masters -";
    assert_eq!(follows(&|_| {}), [none]);
    let refused = |d: &mut ServerStatus| d.connections = Err(Gap::NotPermitted("ERROR 1227".into()));
    assert_eq!(follows(&refused), ["unknown replication db2", maybe]);
    assert_eq!(follows(&|d| d.read_only = None), ["unknown replication db2", maybe]);
    // Another server id answered than ours: at a host's own address too, by NAT or on another port.
    assert_eq!(follows(&|d| to(d, "db1-masterdb.production.wpdn", 3306, 900)), Vec::<String>::new());
    assert_eq!(follows(&|d| to(d, "db1-masterdb.production.wpdn", 3307, 900)), Vec::<String>::new());
    assert_eq!(follows(&|d| to(d, "10.9.9.9", 3306, 900)), Vec::<String>::new());
    // Every MariaDB has server id 1 by default: alone it proves nothing.
    assert_eq!(follows(&|d| to(d, "10.9.9.9", 3306, 1)), [maybe]);
    assert_eq!(follows(&|d| to(d, "127.0.0.1", 3306, 1)), [maybe]);
    assert_eq!(follows(&|d| to(d, "db1-masterdb.production.wpdn", 3307, 1)), [maybe]);
    // Before the first contact there is only an address.
    assert_eq!(follows(&|d| to(d, "10.9.9.9", 3306, 0)), [maybe]);
    let mut w = trio();
    w.database("db2", |d| d.read_only = Some(true));
    w.change("db1-masterdb", |h| h.facts.databases.miss(Gap::TimedOut));
    assert_eq!(brief(&w.judge()), [maybe, "unknown unreadable db1-masterdb"]);
}

/// Case 27: no server found is not no server.
#[test]
fn a_role_db_without_a_server_found_is_unknown() {
    let mut w = trio();
    w.change("db2", |h| h.facts.databases.learn(vec![], NOW));
    assert_eq!(brief(&w.judge()), ["unknown replication db2"]);
}

#[test]
fn what_a_server_did_not_say_is_a_problem_of_its_own() {
    let mut w = trio();
    w.database("db2", |d| d.gaps.push(("binary log", Gap::TimedOut)));
    w.database("db1-masterdb", |d| d.replicas = Err(Gap::NotPermitted("ERROR 1227".into())));
    let problems = w.judge();
    assert_eq!(brief(&problems), ["unknown replication db1-masterdb", "unknown replication db2"]);
    assert_eq!(problems[1].message, "binary log timed out");
}

/// Fleet finding 1.
#[test]
fn tls_that_is_only_asked_for_is_a_warning_and_not_ok() {
    let with = |change: &dyn Fn(&mut ServerStatus), have_ssl: Option<bool>| {
        let mut w = trio();
        w.database("db1-masterdb", |d| d.have_ssl = have_ssl);
        w.database("db2", |d| change(d));
        w.judge().into_iter().map(|p| p.message).collect::<Vec<_>>()
    };
    let unverified = |d: &mut ServerStatus| d.connections.as_mut().unwrap()[0].tls_verified = Some(false);
    assert_eq!(with(&|_| {}, Some(true)), Vec::<String>::new());
    let clear = with(&unverified, Some(false));
    assert!(clear[0].contains("is not encrypted"), "{clear:?}");
    for have_ssl in [None, Some(true)] {
        let unknown = with(&unverified, have_ssl);
        assert!(unknown[0].contains("is unknown") && unknown[0].contains("VERIFY"), "{unknown:?}");
    }
}

#[test]
fn an_account_that_is_refused_is_told_the_way_in() {
    let refused = |sudo: bool, said: &str| {
        let mut w = trio();
        Arc::make_mut(&mut w.env.hosts[1]).sudo = sudo;
        w.change("db2", |h| {
            let mut databases = h.facts.databases.current().unwrap().clone();
            databases[0].server = Err(Gap::NotPermitted(said.into()));
            h.facts.databases.learn(databases, NOW);
        });
        w.judge().remove(0).message
    };
    let denied = "ERROR 1045 (28000): Access denied for user 'ops'@'localhost'";
    assert!(refused(false, denied).ends_with("~/.my.cnf of ops on it"));
    assert!(refused(true, denied).ends_with("~/.my.cnf of root on this host"));
    assert!(refused(true, "sudo: a password is required").contains("with sudo without a password"));
}

/// A client that could not ask tells nothing of the server: only one that found no server does.
#[test]
fn a_server_is_down_when_the_client_found_none() {
    for (said, severity) in [
        (
            "ERROR 2002 (HY000): Can't connect to local server through socket '/run/mysqld/mysqld.sock' (2)",
            Severity::Critical,
        ),
        ("ERROR 2003 (HY000): Can't connect to MySQL server on '127.0.0.1:3306' (111)", Severity::Critical),
        ("ERROR 2006 (HY000): Server has gone away", Severity::Critical),
        (
            "ERROR 2013 (HY000): Lost connection to server at 'handshake: reading initial communication packet'",
            Severity::Critical,
        ),
        ("ERROR 1040 (08004): Too many connections", Severity::Critical),
        ("ERROR 2026 (HY000): TLS/SSL error: certificate has expired", Severity::Unknown),
        ("ERROR 2005 (HY000): Unknown server host 'db' (-2)", Severity::Unknown),
        ("ERROR 20021 (HY000): something else", Severity::Unknown),
        ("mariadb: unknown option '--nonexistent-option'", Severity::Unknown),
        ("mariadb: option '--batch' cannot take an argument", Severity::Unknown),
        ("Segmentation fault", Severity::Unknown),
    ] {
        let mut w = trio();
        w.change("db2", |h| {
            let mut databases = h.facts.databases.current().unwrap().clone();
            databases[0].server = Err(Gap::Failed(said.into()));
            h.facts.databases.learn(databases, NOW);
        });
        let problems = w.judge();
        let of_db2: Vec<_> =
            problems.iter().filter(|p| p.message.contains(said)).map(|p| p.severity).collect();
        assert_eq!(of_db2, [severity], "{said}: {problems:#?}");
    }
}

/// Whoever writes `roles = ["masterdb"]` means a database, too.
#[test]
fn a_masterdb_that_was_not_asked_is_no_server_that_answered() {
    let with = |change: fn(&mut HostSnapshot)| {
        let mut w = trio();
        let specs = w.env.hosts.iter().map(|spec| match spec.has_role("masterdb") {
            true => Arc::new(Host { roles: vec![RoleName::new("masterdb").unwrap()], ..(**spec).clone() }),
            false => spec.clone(),
        });
        w.env.hosts = specs.collect();
        w.change("db1-masterdb", change);
        brief(&w.judge())
    };
    let told = with(|h| h.facts.databases.miss(Gap::TimedOut));
    let nobody_knows = "unknown writable_masters -";
    assert_eq!(told, [nobody_knows, "unknown unreadable db1-masterdb"], "it may be writable");
    let told = with(|h| h.facts.databases.learn(vec![], NOW));
    assert_eq!(told, ["unknown replication db1-masterdb", nobody_knows]);
}

/// Case 25: where the one that may take writes was not heard, nobody knows whether users can write. That is said of the
/// environment, and never as an outage.
#[test]
fn while_the_writable_server_is_not_heard_nobody_knows_whether_users_can_write() {
    let of_writers = |w: &World| -> Vec<(Severity, String)> {
        let all = w.judge();
        let of = all.iter().filter(|p| p.kind == ProblemKind::WritableMasters);
        of.map(|p| (p.severity, p.message.clone())).collect()
    };
    for state in states().into_iter().filter(|s| !matches!(s, LinkState::Up | LinkState::Pending)) {
        let mut w = trio();
        w.change("db1-masterdb", |h| h.link.state = state);
        let said = of_writers(&w);
        let [(Severity::Unknown, message)] = said.as_slice() else { panic!("{state:?}: {said:?}") };
        assert!(message.contains("unknown: db1-masterdb"), "{message}");
        let problems = w.judge();
        let it = problems.iter().find(|p| p.kind == ProblemKind::WritableMasters).unwrap();
        assert!(it.concerns(&HostName::new("db1-masterdb").unwrap()), "it marks the host");
    }
    // Another one takes writes: users can write.
    let mut w = trio();
    w.change("db1-masterdb", |h| h.link.state = LinkState::TimedOut);
    w.database("db2", |d| d.read_only = Some(false));
    assert_eq!(of_writers(&w), []);
    // The first answer is still on its way.
    let mut w = trio();
    w.change("db1-masterdb", |h| (h.link.state, h.reported_at) = (LinkState::Pending, None));
    assert_eq!(of_writers(&w), []);
    // Heard once, and connecting again: nobody knows now.
    let mut w = trio();
    w.change("db1-masterdb", |h| h.link.state = LinkState::Pending);
    assert_eq!(of_writers(&w).len(), 1);
    // All of them silent, one refused, one gone.
    let mut w = trio();
    w.change("db1-masterdb", |h| h.link.state = LinkState::NoAlgorithm);
    w.change("db2", |h| h.link.state = LinkState::Unreachable);
    assert!(of_writers(&w)[0].1.contains("db1-masterdb, db2"), "{:?}", of_writers(&w));
    // A secondary site follows a master outside it, unless the silent one is that master: nobody can tell.
    let mut w = world(&["db2", "db3"]);
    for host in ["db2", "db3"] {
        w.database(host, |d| {
            let c = &mut d.connections.as_mut().unwrap()[0];
            (c.master_host, c.master_server_id) = ("10.9.9.9".into(), Some(900));
        });
    }
    assert_eq!(of_writers(&w), []);
    w.change("db3", |h| h.link.state = LinkState::TimedOut);
    assert_eq!(of_writers(&w).len(), 1);
    // No database host at all.
    assert_eq!(of_writers(&world(&["app1"])), []);
}
