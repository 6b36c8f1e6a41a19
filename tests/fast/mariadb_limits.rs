//! What the database probe believes and what it leaves behind, with a real MariaDB: option files, warnings, rights, TLS,
//! statements that hang, clusters.

#[allow(dead_code)]
use crate::support::mariadb;
use crate::support::shell;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::replication::{
    Connection, Database, Encryption, NodeHealth, ReplicationRole, ServerActivity, ServerStatus, Thread,
    encryption,
};
use jumpdeck_fleet::snapshot::HostFacts;
use mariadb::{Server, is_here, is_root, ports};
use shell::{Resident, host, script};

const ASKED: &[&str] = &["mariadb"];

/// A host on which the client's own option file holds this.
fn resident(home: &Path, options: &str) -> Resident {
    std::fs::write(home.join(".my.cnf"), options).unwrap();
    Resident::start(&["sh"], &host("db1"), home, |program| program).0
}

/// The same without its counters, which every question moves.
fn but_for_counters(facts: &HostFacts) -> Database {
    let mut database = database(facts).clone();
    database.server.as_mut().unwrap().activity = ServerActivity::default();
    database
}

fn database(facts: &HostFacts) -> &Database {
    &facts.databases.current().unwrap_or_else(|| panic!("{:?}", facts.databases.gap))[0]
}

fn server(facts: &HostFacts) -> &ServerStatus {
    database(facts).server.as_ref().unwrap_or_else(|gap| panic!("{}", gap.describe()))
}

fn connection(facts: &HostFacts) -> Option<&Connection> {
    facts.databases.current()?.first()?.server.as_ref().ok()?.connections.as_ref().ok()?.first()
}

/// The gap of a server that could not be asked.
fn refused(facts: &HostFacts) -> String {
    match &database(facts).server {
        Ok(server) => panic!("{server:#?}"),
        Err(gap) => gap.describe(),
    }
}

/// Sessions in the server, but for the one that asks.
fn sessions(server: &Server) -> String {
    server.value(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE USER = 'root' AND ID <> CONNECTION_ID()",
    )
}

/// Client processes that this test's probe started: those whose home is its own.
fn clients(home: &Path) -> Vec<String> {
    let wanted = format!("HOME={}", home.display());
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|p| {
            let environ = std::fs::read(p.path().join("environ")).ok()?;
            let command = std::fs::read_to_string(p.path().join("cmdline")).ok()?;
            let is_ours = environ.split(|b| *b == 0).any(|v| v == wanted.as_bytes());
            (is_ours && command.contains("--batch")).then_some(command)
        })
        .collect()
}

fn within(seconds: u64, what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !is() {
        assert!(Instant::now() < deadline, "not within {seconds} s: {what}");
        std::thread::yield_now();
    }
}

/// Case 05: an option of the account's option file changes nothing of the answer, or is named.
#[test]
fn option_files_change_no_answer() {
    if !is_here() {
        return;
    }
    let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [port] = ports();
    let db = Server::start(dirs[0].path(), 11, port);
    let home = dirs[1].path();
    let with = |group: &str, option: &str| {
        let options = format!("[client]\nsocket={}\nuser=root\n[{group}]\n{option}\n", db.socket);
        resident(home, &options)
    };
    let plain = with("mysql", "");
    let expected = but_for_counters(&plain.facts);
    assert_eq!(server(&plain.facts).server_id, Some(11));
    let tee = format!("tee={}/tee", home.display());
    for option in [
        "auto-vertical-output",
        "html",
        "xml",
        "table",
        "vertical",
        "skip-column-names",
        "raw",
        "pager=cat",
        &tee,
        "init-command=SELECT 1",
        "quick",
        "show-warnings",
        "column-type-info",
        "debug-info",
        "safe-updates",
        "database=nope",
        "delimiter=//",
        "skip-line-numbers",
        "binary-mode",
        "named-commands",
        "unbuffered",
        "max-allowed-packet=1024",
        "default-character-set=utf16",
        "prompt=x",
        "sandbox",
        "wait",
        "compress",
        "quick-max-column-width=3",
        "skip-print-query-on-error",
    ] {
        assert_eq!(but_for_counters(&with("mysql", option).facts), expected, "{option}");
    }
    for group in ["client", "mariadb-client", "client-mariadb", "client-server"] {
        assert_eq!(but_for_counters(&with(group, "auto-vertical-output\nhtml").facts), expected, "{group}");
    }
    for option in ["silent", "verbose", "execute=SELECT 1", "one-database"] {
        let said = refused(&with("mysql", option).facts);
        assert!(said.starts_with("unreadable") && said.contains("option files"), "{option}: {said}");
    }
    let said = refused(&with("client", "ssl-mode=DISABLED").facts);
    assert!(said.contains("unknown variable 'ssl-mode=DISABLED'"), "{said}");
}

/// Case 25: an account that may see replication's state in part.
#[test]
fn an_account_with_few_rights_sees_what_it_may_and_no_more() {
    if !is_here() {
        return;
    }
    let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [port, nobody] = ports();
    let db = Server::start(dirs[0].path(), 12, port);
    db.sql(&format!("CHANGE MASTER TO master_host='127.0.0.1', master_port={nobody}, master_user='r'"));
    db.sql("CREATE USER mon@localhost IDENTIFIED BY 'm'; GRANT REPLICATION CLIENT ON *.* TO mon@localhost");
    let options = format!("[client]\nsocket={}\nuser=mon\npassword=m\n", db.socket);
    let mon = resident(dirs[1].path(), &options);
    let s = server(&mon.facts);
    assert_eq!((s.server_id, s.read_only, s.port), (Some(12), Some(false), Some(port)));
    assert!(s.binlog.is_some() && s.gtid.is_some(), "{s:#?}");
    assert_eq!((s.activity.connections, s.activity.longest), (Some(1), None));
    let [("longest transaction", Gap::NotPermitted(said))] = s.gaps.as_slice() else {
        panic!("{:?}", s.gaps)
    };
    assert!(said.as_str().contains("1227") && said.as_str().contains("PROCESS"), "{said}");
    assert!(matches!(&s.connections, Err(Gap::NotPermitted(t)) if t.as_str().contains("SLAVE MONITOR")));
    assert!(matches!(&s.replicas, Err(Gap::NotPermitted(_))));
    assert_eq!(database(&mon.facts).role(), ReplicationRole::Unknown);
    db.sql("GRANT SLAVE MONITOR, REPLICATION MASTER ADMIN, PROCESS ON *.* TO mon@localhost");
    let mut mon = resident(dirs[1].path(), &options);
    mon.poll(ASKED);
    assert_eq!(database(&mon.facts).role(), ReplicationRole::Replica);
    assert_eq!((&server(&mon.facts).replicas, &server(&mon.facts).gaps), (&Ok(vec![]), &vec![]));
}

/// Fleet finding 1: the real server says `Master_SSL_Allowed: Yes` and replicates in clear text.
#[test]
fn replication_in_clear_text_is_not_called_encrypted() {
    if !is_here() {
        return;
    }
    let dirs = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let [first, second] = ports();
    let master = Server::start_with(dirs[0].path(), 11, first, &["--skip-ssl".to_owned()]);
    let replica = Server::start(dirs[1].path(), 12, second);
    master.sql(
        "CREATE USER repl@'127.0.0.1' IDENTIFIED BY 'r'; GRANT REPLICATION SLAVE ON *.* TO repl@'127.0.0.1'",
    );
    let follow = |verify: u8| {
        replica.sql(&format!(
            "STOP SLAVE; CHANGE MASTER TO master_host='127.0.0.1', master_port={first}, master_user='repl', \
             master_password='r', master_ssl=1, master_ssl_verify_server_cert={verify}; START SLAVE"
        ));
    };
    let options = |server: &Server| format!("[client]\nsocket={}\nuser=root\n", server.socket);
    let on_master = resident(dirs[2].path(), &options(&master));
    let of_master = server(&on_master.facts).clone();
    assert_eq!(of_master.have_ssl, Some(false));
    follow(0);
    let mut on_replica = resident(dirs[2].path(), &options(&replica));
    on_replica.poll_until(ASKED, "running", |f| connection(f).is_some_and(|c| c.io == Thread::Running));
    let c = connection(&on_replica.facts).unwrap();
    assert_eq!((c.tls_requested, c.tls_verified), (Some(true), Some(false)));
    let db = database(&on_replica.facts);
    assert!(matches!(encryption(db, c, Some(&of_master)), Encryption::Clear(_)));
    assert!(matches!(encryption(db, c, None), Encryption::Unknown(_)));
    // What makes a verified connection a proof: the server does not connect without.
    follow(1);
    on_replica.poll_until(ASKED, "refused", |f| connection(f).is_some_and(|c| c.io_error.is_some()));
    let c = connection(&on_replica.facts).unwrap();
    assert_ne!(c.io, Thread::Running);
    assert_eq!(encryption(database(&on_replica.facts), c, Some(&of_master)), Encryption::NoConnection);
}

/// Fleet finding 3: a statement that hangs is a gap of its own, and leaves neither client nor session.
#[test]
fn a_statement_that_hangs_leaves_nothing_behind() {
    if !is_here() {
        return;
    }
    let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [port] = ports();
    let db = Server::start(dirs[0].path(), 11, port);
    let home = dirs[1].path();
    let options = format!("[client]\nsocket={}\nuser=root\n", db.socket);
    // As if the server hung in that statement: with the session's limit, and as one that takes no notice of it.
    let hangs = |with: &str| {
        let real = "exec /usr/bin/mariadb";
        script(
            home,
            "mariadb",
            &format!("sed 's/^SHOW ALL SLAVES STATUS;/{with}/' | (HOME={} {real} \"$@\")", home.display()),
        );
    };
    for with in ["SELECT SLEEP(600);", "SET max_statement_time=0; SELECT SLEEP(600);"] {
        hangs(with);
        for _ in 0..3 {
            let asked = resident(home, &options);
            let s = server(&asked.facts);
            assert_eq!((s.server_id, s.read_only), (Some(11), Some(false)), "{with}");
            assert_eq!(s.connections, Err(Gap::TimedOut), "{with}");
        }
        within(10, "no session", || sessions(&db) == "0");
        within(10, "no client", || clients(home).is_empty());
    }
    // The console or its connection goes in the middle of a question.
    let mut asked = resident(home, &options);
    asked.abandon(ASKED);
    within(10, "no session", || sessions(&db) == "0");
    within(10, "no client", || clients(home).is_empty());
}

/// Fleet finding 3: `SHOW MASTER STATUS` waits where the binary log's disk is full. MariaDB is not asked for it.
#[test]
fn a_full_disk_of_the_binary_log_hangs_no_session_of_ours() {
    if !is_here() || !is_root() {
        eprintln!("skipped: a small disk needs root");
        return;
    }
    let dirs = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let [port] = ports();
    let small = dirs[2].path().display().to_string();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs", &small]).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("skipped: mount is not permitted");
        return;
    }
    let log = [format!("--log-bin={small}/bin"), "--binlog-format=ROW".to_owned()];
    let db = Server::start_with(dirs[0].path(), 11, port, &log);
    db.sql("CREATE DATABASE a; CREATE TABLE a.t (b LONGBLOB)");
    let write = format!("--socket={}", db.socket);
    let mut writer = Command::new("mariadb")
        .args(["--no-defaults", &write, "--user=root", "-e"])
        .arg("INSERT INTO a.t VALUES (REPEAT('x', 900000)), (REPEAT('x', 900000)), (REPEAT('x', 900000))")
        .spawn()
        .unwrap();
    let waits = "SELECT COUNT(*) FROM information_schema.processlist WHERE STATE LIKE '%free space%'";
    within(30, "the disk is full", || db.value(waits) == "1");
    for _ in 0..5 {
        let asked = resident(dirs[1].path(), &format!("[client]\nsocket={}\nuser=root\n", db.socket));
        let s = server(&asked.facts);
        assert!(s.gaps.is_empty() && s.binlog.is_some() && s.connections == Ok(vec![]), "{s:#?}");
    }
    let ours = "SELECT COUNT(*) FROM information_schema.processlist WHERE INFO LIKE 'SHOW%'";
    assert_eq!(db.value(ours), "0");
    assert!(clients(dirs[1].path()).is_empty());
    let _ = writer.kill();
    let _ = writer.wait();
    let _ = Command::new("umount").args(["-l", &small]).status();
}

/// Case 06: two nodes of a real Galera cluster, and one that lost the other.
#[test]
fn nodes_of_a_galera_cluster_are_known_as_such() {
    const PROVIDER: &str = "/usr/lib/galera/libgalera_smm.so";
    if !is_here() || !Path::new(PROVIDER).is_file() {
        eprintln!("skipped: Galera is not installed (galera-4)");
        return;
    }
    let dirs = [(); 4].map(|()| tempfile::tempdir().unwrap());
    let [first, second, one, two, ist_one, ist_two, sst_one, sst_two] = ports();
    let options = |own: u16, [ist, sst]: [u16; 2], peers: &str| {
        [
            "--wsrep-on=ON".to_owned(),
            format!("--wsrep-provider={PROVIDER}"),
            format!("--wsrep-cluster-address=gcomm://{peers}"),
            "--wsrep-cluster-name=wiki".to_owned(),
            format!("--wsrep-node-address=127.0.0.1:{own}"),
            format!(
                "--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{own};ist.recv_addr=127.0.0.1:{ist};pc.ignore_sb=false"
            ),
            "--wsrep-sst-method=rsync".to_owned(),
            format!("--wsrep-sst-receive-address=127.0.0.1:{sst}"),
            "--binlog-format=ROW".to_owned(),
            "--innodb-autoinc-lock-mode=2".to_owned(),
        ]
    };
    let db1 = Server::start_with(dirs[0].path(), 1, first, &options(one, [ist_one, sst_one], ""));
    let mut on_db1 = resident(dirs[2].path(), &format!("[client]\nsocket={}\nuser=root\n", db1.socket));
    let cluster = |f: &HostFacts| server(f).cluster.clone().unwrap_or_else(|| panic!("no cluster: {f:#?}"));
    on_db1.poll_until(ASKED, "in sync", |f| cluster(f).health == NodeHealth::InSync);
    assert_eq!(database(&on_db1.facts).role(), ReplicationRole::Member);
    assert_eq!(server(&on_db1.facts).writable(), Some(true));
    assert_eq!(cluster(&on_db1.facts).name.as_str(), "wiki");
    // It sees a second one for as long as that is there; alone after that, it is out of the primary component.
    if !Command::new("rsync").arg("--version").output().is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: rsync is not installed, so no second node");
        return;
    }
    let db2 = Server::start_with(
        dirs[1].path(),
        2,
        second,
        &options(two, [ist_two, sst_two], &format!("127.0.0.1:{one}")),
    );
    on_db1.poll_until(ASKED, "two nodes", |f| {
        cluster(f).size == Some(2) && cluster(f).state.as_str() == "Synced"
    });
    let on_db2 = resident(dirs[3].path(), &format!("[client]\nsocket={}\nuser=root\n", db2.socket));
    assert!(cluster(&on_db2.facts).is_same(&cluster(&on_db1.facts)));
    db2.kill();
    on_db1.poll_until(ASKED, "alone", |f| cluster(f).health == NodeHealth::Out);
    assert_eq!(server(&on_db1.facts).writable(), Some(false));
    assert_eq!(cluster(&on_db1.facts).primary_component, Some(false));
}

/// A transaction that stays open, connections that run out, and commits: as the server itself counts them.
#[test]
fn what_a_server_does_is_counted_and_its_longest_transaction_found() {
    if !is_here() {
        return;
    }
    let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [port] = ports();
    let most = 10;
    let options = [format!("--max-connections={most}"), "--default-time-zone=-07:00".to_owned()];
    let db = Server::start_with(dirs[0].path(), 11, port, &options);
    db.sql("CREATE DATABASE a; CREATE TABLE a.t (id INT PRIMARY KEY) ENGINE=InnoDB; CREATE TABLE a.opened (id INT)");
    db.sql("CREATE USER app@localhost; GRANT ALL ON a.* TO app@localhost");
    let mut asks = resident(dirs[1].path(), &format!("[client]\nsocket={}\nuser=root\n", db.socket));
    let first = server(&asks.facts).activity.clone();
    assert_eq!((first.connections, first.max_connections, first.refused), (Some(1), Some(most), Some(0)));
    assert_eq!((first.longest, first.commits_per_s), (None, None));

    let begin = "INSERT INTO a.opened VALUES (CONNECTION_ID()); BEGIN; INSERT INTO a.t VALUES (1)";
    let open = db.hold("app", begin);
    let holder = db.value("SELECT id FROM a.opened");
    asks.poll(ASKED);
    let s = server(&asks.facts);
    assert_eq!(s.activity.connections, Some(2));
    assert!(s.activity.commits_per_s.is_some_and(|rate| rate > 0.0), "{:?}", s.activity);
    // InnoDB keeps the list of transactions for 0.1 s after somebody read it.
    db.sql("DO SLEEP(0.2)");
    asks.poll(ASKED);
    let longest = server(&asks.facts).activity.longest.unwrap();
    assert_eq!(longest.connection.to_string(), holder);
    assert!(longest.age_s < 60, "the time zone of a server is no age: {longest:?}");

    let held: Vec<_> = (1..most).map(|_| db.hold("app", "DO 1")).collect();
    // Root has one more, and who is refused while that is free is not counted.
    let last = db.hold("root", "DO 1");
    let refused = db.run_as("app", "SELECT 1");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("1040"), "{refused:?}");
    drop(last);
    asks.poll_until(ASKED, "used up", |f| server(f).activity.connections == Some(most + 1));
    let s = server(&asks.facts);
    assert_eq!((s.activity.connections, s.activity.refused), (Some(most + 1), Some(1)));
    assert_eq!(s.activity.refused_lately.map(|refused| refused.count), Some(1));
    drop((open, held));
}
