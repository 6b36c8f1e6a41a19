#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use crate::domain::replication::{Connection, GtidMode, ReplicationRole, ServerStatus, Thread};

use super::*;

fn read(status: u8, text: &str) -> Database {
    let mut found = parse(&Raw { status, text: text.to_owned() }).unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

macro_rules! fixture {
    ($name:literal) => {
        read(0, include_str!(concat!("fixtures/", $name, ".txt")))
    };
}

fn server(database: &Database) -> &ServerStatus {
    database.server.as_ref().unwrap()
}

fn connection(database: &Database) -> &Connection {
    &server(database).connections.as_ref().unwrap()[0]
}

#[test]
fn a_master() {
    let db = fixture!("mariadb-10.11-master");
    assert_eq!((db.engine, db.role()), (Engine::MariaDb, ReplicationRole::Master));
    let s = server(&db);
    assert_eq!(
        (s.server_id, s.read_only, s.log_bin, s.have_ssl),
        (Some(1), Some(false), Some(true), Some(false))
    );
    assert_eq!(s.binlog.as_ref().unwrap().file.as_str(), "bin.000001");
    let replicas = s.replicas.as_ref().unwrap();
    assert_eq!((replicas[0].server_id, replicas[0].host.as_str(), replicas[0].port), (2, "db2", Some(23302)));
}

#[test]
fn two_masters_one_of_them_out_of_reach() {
    let db = fixture!("mariadb-10.11-two-masters");
    assert_eq!(db.role(), ReplicationRole::Replica);
    let [first, second] = server(&db).connections.as_ref().unwrap().as_slice() else { panic!("two") };
    assert_eq!((first.name.as_str(), first.lag_s(), first.tls_requested), ("", Some(0), Some(false)));
    assert_eq!((first.master_server_id, first.gtid_mode), (Some(1), GtidMode::SlavePos));
    assert!(first.read.is_some() && first.read == first.executed && first.gtid_received.is_some());
    // The name holds a tab: escaped by the client, and shown as an escape.
    assert_eq!(
        (second.name.as_str(), second.io, second.sql),
        ("second^Ione", Thread::Connecting, Thread::Running)
    );
    assert_eq!(second.lag_s(), None);
    assert_eq!(second.io_error.as_ref().unwrap().number, 2003);
}

#[test]
fn stopped_threads_never_have_a_lag() {
    use Thread::{Running, Stopped};
    let cases = [
        (fixture!("mariadb-10.11-stopped"), Stopped, Stopped),
        (fixture!("mariadb-10.11-io-stopped"), Stopped, Running),
        (fixture!("mariadb-10.11-sql-stopped"), Running, Stopped),
        (fixture!("mariadb-10.11-sql-error"), Running, Stopped),
    ];
    for (db, io, sql) in &cases {
        let c = connection(db);
        assert_eq!((c.io, c.sql, c.lag_s()), (*io, *sql, None));
    }
    assert_eq!(connection(&cases[0].0).tls_requested, Some(true));
    assert_eq!(server(&cases[0].0).read_only, Some(true));
    let error = connection(&cases[3].0).sql_error.as_ref().unwrap();
    assert_eq!(error.number, 1062);
    assert!(error.message.as_str().contains("Duplicate entry"));
}

#[test]
fn refused_down_and_half_refused_are_states_of_their_own() {
    let refused = read(1, include_str!("fixtures/mariadb-10.11-refused.txt"));
    assert!(matches!(&refused.server, Err(Gap::NotPermitted(t)) if t.as_str().contains("1045")));
    let down = read(1, include_str!("fixtures/mariadb-10.11-down.txt"));
    assert!(matches!(&down.server, Err(Gap::Failed(t)) if t.as_str().contains("2002")));
    assert_eq!(down.role(), ReplicationRole::Unknown);
    let half = fixture!("mariadb-10.11-no-rights");
    let s = server(&half);
    assert_eq!((s.server_id, s.binlog.clone()), (Some(1), None));
    assert!(matches!(&s.connections, Err(Gap::NotPermitted(t)) if t.as_str().contains("1227")));
    assert!(matches!(&s.replicas, Err(Gap::NotPermitted(_))));
    assert_eq!(half.role(), ReplicationRole::Unknown);
    let sudo = read(1, "@server mariadbd mariadb\n\n@stderr\nsudo: a password is required\n");
    assert!(matches!(&sudo.server, Err(Gap::NotPermitted(_))));
    assert_eq!(read(124, "@server mysqld mysql\n").server, Err(Gap::TimedOut));
}

#[test]
fn none_installed_is_an_empty_list() {
    assert_eq!(parse(&Raw { status: 127, text: String::new() }), Ok(Vec::new()));
    let no_client = read(127, "@server mysqld\n@no-client\n");
    assert!(matches!(no_client.server, Err(Gap::NoTool(_))));
    assert!(matches!(parse(&Raw { status: 127, text: "timeout: not found\n".into() }), Err(Gap::NoTool(_))));
    assert!(matches!(parse(&Raw { status: 0, text: "\x1b[2J".into() }), Err(Gap::Unreadable(_))));
}

#[test]
fn mysql_of_many_years() {
    let db = fixture!("mysql-5.1-replica");
    let c = connection(&db);
    assert_eq!(
        (db.engine, c.lag_s(), c.gtid_mode, c.tls_requested),
        (Engine::MySql, Some(3), GtidMode::FilePosition, Some(false))
    );
    assert_eq!((c.master_host.as_str(), c.master_server_id), ("db1", None));
    assert_eq!(c.executed.as_ref().unwrap().position, 79001);

    let db = fixture!("mysql-5.1-master");
    assert_eq!((db.role(), server(&db).gtid.clone()), (ReplicationRole::Master, None));
    assert_eq!(server(&db).replicas.as_ref().unwrap()[0].host.as_str(), "db2");

    let db = fixture!("mysql-5.7-channel");
    let c = connection(&db);
    assert_eq!(
        (c.name.as_str(), c.io, c.lag_s(), c.delay_s),
        ("off\\site", Thread::Connecting, None, Some(3600))
    );
    assert_eq!((c.gtid_mode, c.io_error.as_ref().unwrap().number), (GtidMode::AutoPosition, 1045));
    assert!(server(&db).gtid.as_ref().unwrap().as_str().contains(":1-5,4e11fa47"));

    let db = fixture!("mysql-8.0-replica");
    let c = connection(&db);
    assert_eq!(
        (c.io, c.sql, c.lag_s(), c.tls_requested),
        (Thread::Running, Thread::Running, Some(0), Some(true))
    );
    assert_eq!((c.master_host.as_str(), c.read.as_ref().unwrap().position), ("db1", 79001));

    let db = fixture!("mysql-8.4-source");
    let s = server(&db);
    assert_eq!(
        (db.role(), s.have_ssl, s.log_slave_updates),
        (ReplicationRole::Master, Some(true), Some(true))
    );
    assert_eq!(s.replicas.as_ref().unwrap().iter().map(|r| r.server_id).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn an_answer_cut_anywhere_makes_up_nothing() {
    let whole = include_str!("fixtures/mariadb-10.11-two-masters.txt");
    let known = fixture!("mariadb-10.11-two-masters");
    for cut in (0..whole.len()).filter(|i| whole.is_char_boundary(*i)) {
        let Ok(found) = parse(&Raw { status: 124, text: whole[..cut].to_owned() }) else { continue };
        let Some(Ok(part)) = found.first().map(|d| &d.server) else { continue };
        assert!(part.connections.is_err() || part.connections == server(&known).connections, "cut at {cut}");
        assert!(part.replicas.is_err() || part.replicas == server(&known).replicas, "cut at {cut}");
        assert_eq!(part.read_only, Some(false), "cut at {cut}");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_panics(status in 0_u8.., text in "(@server x\n|jd_part\n|variables\n|connections\n|A\tB\n|ERROR 1\n|version\t1\n|\\\\|\\PC)*") {
        let _ = parse(&Raw { status, text });
    }
}
