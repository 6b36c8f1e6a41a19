#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use jumpdeck_fleet::replication::{
    Connection, GtidMode, OpenTransaction, ReplicationRole, ServerActivity, ServerStatus, Thread,
};

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

/// A host with MariaDB's programs may ask a MySQL server, in a container or elsewhere, and the other way round.
#[test]
fn the_engine_is_what_the_server_says_not_what_is_installed() {
    let with = |text: &str, programs: &str| {
        let (_, rest) = text.split_once('\n').unwrap();
        read(0, &format!("@server {programs}\n{rest}")).engine
    };
    for programs in ["mariadbd mariadb", " mariadb", "mysqld mysql", " mysql"] {
        assert_eq!(
            with(include_str!("fixtures/mysql-8.0-replica.txt"), programs),
            Engine::MySql,
            "{programs}"
        );
        assert_eq!(
            with(include_str!("fixtures/mariadb-10.11-master.txt"), programs),
            Engine::MariaDb,
            "{programs}"
        );
    }
    assert_eq!(fixture!("mariadb-10.11-down").engine, Engine::MariaDb);
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

/// A server whose connections are all in use, with a transaction that is open: of ten, one more for root.
#[test]
fn a_server_that_is_used_up() {
    let db = fixture!("mariadb-10.11-used-up");
    let s = server(&db);
    let expected = ServerActivity {
        connections: Some(11),
        max_connections: Some(10),
        refused: Some(1),
        aborted: Some(2),
        slow_queries: Some(0),
        commits: Some(0),
        uptime_s: Some(276),
        longest: Some(OpenTransaction { connection: 10, age_s: 5 }),
        ..ServerActivity::default()
    };
    assert_eq!((&s.activity, s.gaps.as_slice()), (&expected, [].as_slice()));
    // Another account gets no connection any more.
    let out = read(1, include_str!("fixtures/mariadb-10.11-too-many.txt"));
    assert!(matches!(&out.server, Err(Gap::Failed(said)) if said.as_str().starts_with("ERROR 1040 ")));
}

#[test]
fn an_account_without_process_sees_all_but_the_transactions() {
    let db = fixture!("mariadb-10.11-no-process");
    let s = server(&db);
    let [("longest transaction", Gap::NotPermitted(said))] = s.gaps.as_slice() else {
        panic!("{:?}", s.gaps)
    };
    assert!(said.as_str().contains("PROCESS privilege"), "{said}");
    assert!(s.activity.connections.is_some() && s.activity.longest.is_none(), "{:?}", s.activity);
    assert_eq!((s.connections.as_deref(), s.replicas.as_deref()), (Ok([].as_slice()), Ok([].as_slice())));
}

/// The recorded answer with one line changed.
fn changed(from: &str, to: &str) -> ServerStatus {
    let text = include_str!("fixtures/mariadb-10.11-used-up.txt");
    assert!(text.contains(from), "{from}");
    read(0, &text.replace(from, to)).server.unwrap()
}

#[test]
fn figures_that_are_missing_or_odd_cost_nothing_else() {
    let gap_of = |s: &ServerStatus| {
        s.gaps.iter().map(|(what, gap)| format!("{what} {}", gap.word())).collect::<Vec<_>>()
    };
    for odd in ["", "Threads_connected\t-3\n", "Threads_connected\tmany\n", "Threads_connected\tNULL\n"] {
        let s = changed("Threads_connected\t11\n", odd);
        assert_eq!(
            (s.activity.connections, gap_of(&s)),
            (None, vec!["connections in use unreadable".to_owned()])
        );
        assert_eq!(s.activity.max_connections, Some(10));
    }
    let s = changed("Connection_errors_max_connections\t1\n", "");
    assert_eq!((s.activity.refused, gap_of(&s)), (None, vec![]));
    for odd in ["10\tNULL", "x\t5", "10\t99999999999999999999"] {
        let s = changed("10\t5\n", &format!("{odd}\n"));
        assert_eq!(
            (s.activity.longest, gap_of(&s)),
            (None, vec!["longest transaction unreadable".to_owned()])
        );
    }
    // A clock that was set back; and none open.
    assert_eq!(changed("10\t5\n", "10\t-5\n").activity.longest.unwrap().age_s, 0);
    let s = changed("connection\tage\n10\t5\n", "");
    assert_eq!((s.activity.longest, gap_of(&s)), (None, vec![]));
    // It hangs in the server; and a server without InnoDB.
    let s = changed("connection\tage\n10\t5\n", "jd_hangs\n1\n");
    assert_eq!(gap_of(&s), ["longest transaction timed out"]);
    let text = include_str!("fixtures/mariadb-10.11-used-up.txt").replace("connection\tage\n10\t5\n", "");
    let none = "ERROR 1109 (42S02) at line 16: Unknown table 'innodb_trx' in information_schema\n";
    let s = read(0, &format!("{text}{none}")).server.unwrap();
    assert_eq!((s.activity.longest, gap_of(&s)), (None, vec![]));
}

#[test]
fn rates_come_from_two_reports_of_the_same_server() {
    let mut facts = HostFacts::default();
    let text = include_str!("fixtures/mariadb-10.11-used-up.txt");
    let mut tell = |text: &str, at: u64| {
        MariaDb.ingest(Ok(&Raw { status: 0, text: text.to_owned() }), Moment(at), &mut facts);
        server(&facts.databases.current().unwrap()[0]).activity.clone()
    };
    assert_eq!(tell(text, 1000).commits_per_s, None);
    let later = text.replace("Uptime\t276", "Uptime\t286").replace("Binlog_commits\t0", "Binlog_commits\t25");
    let later = later.replace("max_connections\t1\n", "max_connections\t4\n");
    let activity = tell(&later, 11_000);
    assert_eq!(activity.commits_per_s, Some(2.5));
    assert_eq!(activity.refused_lately.map(|refused| refused.count), Some(3));
    assert_eq!(tell(text, 21_000).commits_per_s, None, "it started anew");
}

proptest::proptest! {
    #[test]
    fn nothing_panics(status in 0_u8.., text in "(@server x\n|jd_part\n|variables\n|connections\n|A\tB\n|ERROR 1\n|version\t1\n|\\\\|\\PC)*") {
        let _ = parse(&Raw { status, text });
    }
}

/// A MySQL server that is a member of a group, as its own table of members says (reference manual 8.0, "The
/// replication_group_members Table").
fn member(rows: &str) -> Database {
    let variables = "group_replication_group_name\tg-1\nread_only\tOFF\nserver_id\t1\nserver_uuid\tu-1\nversion\t8.0.36\n";
    let columns =
        "CHANNEL_NAME\tMEMBER_ID\tMEMBER_HOST\tMEMBER_PORT\tMEMBER_STATE\tMEMBER_ROLE\tMEMBER_VERSION";
    let part = |name: &str, line: u32, body: &str| format!("jd_part\tjd_line\n{name}\t{line}\n{body}");
    let text = [
        "@server mysqld mysql\njumpdeck\nas\\tbatch\n".to_owned(),
        part("variables", 4, &format!("Variable_name\tValue\n{variables}")),
        part("group", 6, &format!("{columns}\n{rows}")),
        part("connections", 8, ""),
        part("replicas", 10, ""),
        part("end", 0, "\n@stderr\n"),
    ];
    read(0, &text.concat())
}

/// Case 06, MySQL's kind of it.
#[test]
fn members_of_a_replication_group_are_known_as_such() {
    use jumpdeck_fleet::replication::NodeHealth::{self, Behind, InSync, Out};
    let row = |id: &str, state: &str| {
        format!("group_replication_applier\t{id}\th\t3306\t{state}\tPRIMARY\t8.0.36\n")
    };
    let health = |states: &[(&str, &str)]| -> (NodeHealth, Option<bool>, ReplicationRole) {
        let db = member(&states.iter().map(|(id, state)| row(id, state)).collect::<String>());
        let cluster = server(&db).cluster.clone().unwrap();
        (cluster.health, server(&db).writable(), db.role())
    };
    let of = |health: NodeHealth, writable: bool| (health, Some(writable), ReplicationRole::Member);
    let peers = [("u-2", "ONLINE"), ("u-3", "ONLINE")];
    let with = |own: &'static str| [[("u-1", own)].as_slice(), &peers].concat();
    assert_eq!(health(&with("ONLINE")), of(InSync, true));
    assert_eq!(health(&with("RECOVERING")), of(Behind, true));
    for state in ["ERROR", "OFFLINE", "UNREACHABLE"] {
        assert_eq!(health(&with(state)), of(Out, false), "{state}");
    }
    assert_eq!(health(&[("u-1", "ONLINE"), ("u-2", "UNREACHABLE"), ("u-3", "UNREACHABLE")]), of(Out, false));
    assert_eq!(health(&[("u-1", "ONLINE"), ("u-2", "ONLINE"), ("u-3", "UNREACHABLE")]), of(InSync, true));
    // Not started: one row without an id.
    assert_eq!(health(&[("", "OFFLINE")]), of(Out, false));
}

/// Case 27: without a client, and where no server program is, nobody knows whether there is a server.
#[test]
fn a_server_that_cannot_be_seen_from_here_is_not_missing() {
    let nothing = parse(&Raw { status: 127, text: "@server \n@no-client\n".into() });
    assert!(matches!(nothing, Err(Gap::NoTool(said)) if said.as_str().contains("container")));
    let socket = "\n@stderr\nERROR 2002 (HY000): Can't connect to local server through socket '/run/s' (2)\n";
    let in_container = read(1, &format!("@server  mariadb\n{socket}"));
    assert!(matches!(&in_container.server, Err(Gap::NoTool(said)) if said.as_str().contains("ERROR 2002")));
    let down = read(1, &format!("@server mariadbd mariadb\n{socket}"));
    assert!(matches!(&down.server, Err(Gap::Failed(_))));
}
