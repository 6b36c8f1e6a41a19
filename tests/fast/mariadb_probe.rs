//! The database probe against real servers: a master and a replica of this test's own, in a temporary folder.

#[allow(dead_code)]
use crate::support::mariadb;
use crate::support::shell;

use std::path::Path;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::replication::{
    Connection, Database, Engine, GtidMode, ReplicationRole, ServerStatus, Thread,
};
use jumpdeck_fleet::snapshot::HostFacts;
use mariadb::{Server, is_here, ports};
use shell::{Resident, host};

const ASKED: &[&str] = &["mariadb"];

/// A host on which the client's own option file leads to `socket`.
fn resident(home: &Path, socket: &str, account: &str) -> Resident {
    std::fs::write(home.join(".my.cnf"), format!("[client]\nsocket={socket}\n{account}\n")).unwrap();
    Resident::start(&["sh"], &host("db1"), home, |program| program).0
}

fn database(facts: &HostFacts) -> &Database {
    &facts.databases.current().unwrap()[0]
}

fn server(facts: &HostFacts) -> &ServerStatus {
    database(facts).server.as_ref().unwrap_or_else(|gap| panic!("{}", gap.describe()))
}

fn connection(facts: &HostFacts) -> Option<&Connection> {
    let found = facts.databases.current()?.first()?.server.as_ref().ok()?;
    found.connections.as_ref().ok()?.first()
}

fn threads(facts: &HostFacts) -> Option<(Thread, Thread)> {
    connection(facts).map(|c| (c.io, c.sql))
}

#[test]
fn a_master_and_its_replica() {
    use Thread::{Running, Stopped};
    if !is_here() {
        return;
    }
    let dirs: Vec<_> = (0..5).map(|_| tempfile::tempdir().unwrap()).collect();
    let ports: [u16; 2] = ports();
    let master = Server::start(dirs[0].path(), 11, ports[0]);
    let replica = Server::start(dirs[1].path(), 12, ports[1]);
    master.sql(
        "CREATE USER repl@'127.0.0.1' IDENTIFIED BY 'r'; GRANT REPLICATION SLAVE ON *.* TO repl@'127.0.0.1'",
    );
    master.sql("CREATE USER nobody@localhost IDENTIFIED BY 'n'; CREATE DATABASE a; CREATE TABLE a.t (id INT PRIMARY KEY)");
    replica.sql(&format!(
        "CHANGE MASTER TO master_host='127.0.0.1', master_port={}, master_user='repl', master_password='r', \
         master_use_gtid=slave_pos; START SLAVE; SET GLOBAL read_only=1",
        ports[0]
    ));

    let mut on_replica = resident(dirs[3].path(), &replica.socket, "user=root");
    on_replica.poll_until(ASKED, "replicating", |f| connection(f).is_some_and(|c| c.lag_s() == Some(0)));
    let db = database(&on_replica.facts);
    assert_eq!((db.engine, db.role()), (Engine::MariaDb, ReplicationRole::Replica));
    let s = server(&on_replica.facts);
    assert_eq!((s.server_id, s.read_only, s.log_slave_updates), (Some(12), Some(true), Some(true)));
    let c = connection(&on_replica.facts).unwrap();
    assert_eq!(
        (c.master_server_id, c.master_port, c.gtid_mode),
        (Some(11), Some(ports[0]), GtidMode::SlavePos)
    );

    let mut on_master = resident(dirs[2].path(), &master.socket, "user=root");
    on_master.poll_until(ASKED, "followed", |f| server(f).replicas.as_ref().is_ok_and(|r| !r.is_empty()));
    let s = server(&on_master.facts);
    assert_eq!(database(&on_master.facts).role(), ReplicationRole::Master);
    assert_eq!((s.read_only, s.replicas.as_ref().unwrap()[0].server_id), (Some(false), 12));
    assert!(s.binlog.is_some() && s.gtid.as_ref().is_some_and(|g| !g.is_empty()));

    for (stop, start, stopped) in [
        ("STOP SLAVE SQL_THREAD", "START SLAVE SQL_THREAD", (Running, Stopped)),
        ("STOP SLAVE IO_THREAD", "START SLAVE IO_THREAD", (Stopped, Running)),
    ] {
        replica.sql(stop);
        master.sql("REPLACE INTO a.t VALUES (7)");
        for _ in 0..3 {
            on_replica.poll(ASKED);
            assert_eq!(threads(&on_replica.facts), Some(stopped), "{stop}");
            assert_eq!(connection(&on_replica.facts).unwrap().lag_s(), None, "{stop}");
        }
        replica.sql(start);
        on_replica.poll_until(ASKED, "caught up", |f| connection(f).is_some_and(|c| c.lag_s() == Some(0)));
    }

    replica.sql("SET sql_log_bin=0; INSERT INTO a.t VALUES (1)");
    master.sql("INSERT INTO a.t VALUES (1)");
    on_replica.poll_until(ASKED, "stopped by the error", |f| threads(f) == Some((Running, Stopped)));
    assert_eq!(connection(&on_replica.facts).unwrap().sql_error.as_ref().unwrap().number, 1062);

    let half = resident(dirs[4].path(), &master.socket, "user=nobody\npassword=n");
    assert!(matches!(server(&half.facts).connections, Err(Gap::NotPermitted(_))));
    drop(half);
    let refused = resident(dirs[4].path(), &master.socket, "user=nobody\npassword=wrong");
    assert!(
        matches!(&database(&refused.facts).server, Err(Gap::NotPermitted(t)) if t.as_str().contains("1045"))
    );

    drop(master);
    on_master.poll(ASKED);
    assert!(matches!(&database(&on_master.facts).server, Err(Gap::Failed(t)) if t.as_str().contains("2002")));
    on_replica.poll_until(ASKED, "without its master", |f| connection(f).is_some_and(|c| c.io != Running));
    assert_eq!(connection(&on_replica.facts).unwrap().lag_s(), None);
}
