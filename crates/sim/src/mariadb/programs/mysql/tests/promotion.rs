//! A planned switchover by the book, on the demo world: the statements of the runbook, and what goes wrong with each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::time::Duration;

use crate::apps::DB_INI;
use crate::programs::tests::{Shared, host, run, world};

use super::{pass, value};

const MASTER: &str = "db1-masterdb";
const CANDIDATE: &str = "db2";

fn production() -> Shared {
    let world = world("wpd-2015", 0);
    pass(&world, 5);
    world
}

/// The answer of a statement that works.
fn sql(world: &Shared, on: &str, statements: &str) -> String {
    let (text, error, status) = run(world, on, &["mysql", "-N"], statements);
    assert_eq!((error.as_str(), status), ("", 0), "{on}: {statements}");
    text.trim_end().to_owned()
}

/// The complaint about one that does not.
fn fails(world: &Shared, on: &str, statements: &str) -> String {
    let (_, error, status) = run(world, on, &["mysql", "-N"], statements);
    assert_eq!(status, 1, "{on}: {statements}");
    error
}

fn status(world: &Shared, on: &str) -> String {
    run(world, on, &["mysql", "-E", "-e", "SHOW ALL SLAVES STATUS"], "").0
}

fn address(world: &Shared, name: &str) -> String {
    world.lock().unwrap().machine(&host(name)).unwrap().address.clone()
}

fn repoint_apps(world: &Shared, to: &str) {
    let address = address(world, to);
    for app in ["app1", "app2", "app3", "app1-jobrunner"] {
        let text = format!(
            "[database]\nhost = {address}\nuser = wiki\npassword_file = /etc/webplatform/db.password\n"
        );
        world.lock().unwrap().write_file(&host(app), DB_INI, text.into_bytes());
    }
}

fn follow(world: &Shared, on: &str, master: &str, how: &str) {
    let address = address(world, master);
    sql(
        world,
        on,
        &format!(
            "CHANGE MASTER TO MASTER_HOST='{address}', MASTER_PORT=3306, MASTER_USER='repl', \
             MASTER_PASSWORD='repl-simulated', MASTER_SSL=1, MASTER_SSL_CA='/etc/mysql/ssl/ca-cert.pem', \
             MASTER_SSL_CERT='/etc/mysql/ssl/client-cert.pem', MASTER_SSL_KEY='/etc/mysql/ssl/client-key.pem', {how}; \
             START SLAVE;"
        ),
    );
}

#[test]
fn by_the_book_nothing_is_lost() {
    let world = production();
    assert_eq!(
        sql(&world, CANDIDATE, "SELECT @@read_only, @@log_slave_updates, @@gtid_strict_mode"),
        "1\t1\t0"
    );
    assert!(sql(&world, MASTER, "SHOW SLAVE HOSTS").contains("db2"));
    // The heartbeat, and the true lag.
    sql(&world, MASTER, "CREATE TABLE webplatform.heartbeat (id INT PRIMARY KEY, at DATETIME(3))");
    sql(&world, MASTER, "REPLACE INTO webplatform.heartbeat VALUES (1, NOW(3))");
    let beat = sql(&world, MASTER, "SELECT @@gtid_current_pos");
    pass(&world, 3);
    assert_eq!(sql(&world, CANDIDATE, &format!("SELECT MASTER_GTID_WAIT('{beat}', 2)")), "0");
    assert_eq!(sql(&world, CANDIDATE, "SELECT COUNT(*) FROM webplatform.heartbeat"), "1");
    // Freeze: versioned comments leave out what 10.0 does not know.
    sql(&world, MASTER, "/*M!100101 SET STATEMENT max_statement_time=10 FOR */ SET GLOBAL read_only=1");
    let frozen = sql(&world, MASTER, "SELECT @@gtid_current_pos; SHOW MASTER STATUS");
    pass(&world, 4);
    assert_eq!(sql(&world, MASTER, "SELECT @@gtid_current_pos; SHOW MASTER STATUS"), frozen);
    let g = sql(&world, MASTER, "SELECT @@gtid_current_pos");
    assert_eq!(sql(&world, CANDIDATE, &format!("SELECT MASTER_GTID_WAIT('{g}', 30)")), "0");
    assert_eq!(sql(&world, CANDIDATE, "SELECT @@gtid_slave_pos"), g);
    let place = sql(&world, MASTER, "SHOW MASTER STATUS");
    let place: Vec<&str> = place.split('\t').collect();
    let wait = format!("SELECT MASTER_POS_WAIT('{}', {}, 30) >= 0", place[0], place[1]);
    assert_eq!(sql(&world, CANDIDATE, &wait), "1");
    assert_eq!(value(&status(&world, CANDIDATE), "Exec_Master_Log_Pos"), place[1]);
    // Promote.
    sql(&world, CANDIDATE, "STOP ALL SLAVES; RESET SLAVE ALL");
    assert_eq!(status(&world, CANDIDATE), "");
    assert_eq!(sql(&world, CANDIDATE, "SELECT @@gtid_current_pos"), g);
    sql(&world, CANDIDATE, "SET GLOBAL read_only=0");
    repoint_apps(&world, CANDIDATE);
    pass(&world, 5);
    let list =
        sql(&world, CANDIDATE, "SELECT user, host FROM information_schema.processlist WHERE user='wiki'");
    assert_eq!(list.lines().count(), 4, "{list}");
    assert_eq!(
        sql(&world, MASTER, "SELECT COUNT(*) FROM information_schema.processlist WHERE user='wiki'"),
        "0"
    );
    // The old master follows.
    sql(&world, MASTER, &format!("SET GLOBAL gtid_slave_pos='{g}'"));
    follow(&world, MASTER, CANDIDATE, "MASTER_USE_GTID=slave_pos");
    pass(&world, 10);
    let shown = status(&world, MASTER);
    for (name, wanted) in [
        ("Slave_IO_Running", "Yes"),
        ("Slave_SQL_Running", "Yes"),
        ("Master_Server_Id", "2"),
        ("Last_IO_Errno", "0"),
    ] {
        assert_eq!(value(&shown, name), wanted, "{name}: {shown}");
    }
    let new = sql(&world, CANDIDATE, "SET GLOBAL read_only=1; SELECT @@gtid_current_pos");
    assert!(new.starts_with("0-2-"), "{new}");
    pass(&world, 4);
    assert_eq!(sql(&world, MASTER, "SELECT @@gtid_slave_pos"), new);
    let rows = "SELECT COUNT(*), MAX(seq) FROM webplatform.journal";
    assert_eq!(sql(&world, MASTER, rows), sql(&world, CANDIDATE, rows));
    sql(&world, CANDIDATE, "SET GLOBAL read_only=0");
    let score = world.lock().unwrap().score();
    assert!(score.acknowledged > 100, "{score:?}");
    assert!(score.refused > 0, "{score:?}");
    assert_eq!((score.lost, score.duplicated, score.split_rows), (Some(0), 0, 0), "{score:?}");
    assert!(score.split_brain.is_zero());
}

/// Seen by who keeps score: two servers that acknowledge rows within the same second are two masters only when one lacks what
/// the other has.
#[test]
fn a_switchover_within_a_second_is_no_split_brain() {
    let world = production();
    sql(&world, MASTER, "SET GLOBAL read_only=1");
    let end = sql(&world, MASTER, "SELECT @@gtid_current_pos");
    world.lock().unwrap().advance(Duration::from_millis(250));
    assert_eq!(sql(&world, CANDIDATE, &format!("SELECT MASTER_GTID_WAIT('{end}', 30)")), "0");
    sql(&world, CANDIDATE, "STOP ALL SLAVES; RESET SLAVE ALL; SET GLOBAL read_only=0");
    repoint_apps(&world, CANDIDATE);
    let before = world.lock().unwrap().score();
    pass(&world, 5);
    let score = world.lock().unwrap().score();
    assert!(score.acknowledged > before.acknowledged, "the new master takes writes: {score:?}");
    assert!(score.longest_gap < Duration::from_secs(1), "{score:?}");
    assert_eq!((score.lost, score.split_rows, score.split_brain), (Some(0), 0, Duration::ZERO), "{score:?}");
}

/// A row that the old master committed and did not answer is found on the new one while others write there already: its writer
/// wrote nothing since.
#[test]
fn a_row_found_on_the_new_master_is_no_split_brain() {
    let world = production();
    world.lock().unwrap().crash_database(&host(MASTER));
    pass(&world, 2);
    world.lock().unwrap().start_database(&host(MASTER));
    sql(&world, MASTER, "SET GLOBAL read_only=1");
    let end = sql(&world, MASTER, "SELECT @@gtid_current_pos");
    pass(&world, 2);
    assert_eq!(sql(&world, CANDIDATE, &format!("SELECT MASTER_GTID_WAIT('{end}', 30)")), "0");
    sql(&world, CANDIDATE, "STOP ALL SLAVES; RESET SLAVE ALL; SET GLOBAL read_only=0");
    let before = world.lock().unwrap().score();
    repoint_apps(&world, CANDIDATE);
    pass(&world, 5);
    let score = world.lock().unwrap().score();
    assert!(score.acknowledged > before.acknowledged, "the new master takes writes: {score:?}");
    let split = (score.split_rows, score.split_brain);
    assert_eq!((score.lost, score.duplicated, split), (Some(0), 0, (0, Duration::ZERO)), "{score:?}");
}

#[test]
fn a_promotion_before_the_candidate_caught_up_loses_what_it_did_not_have() {
    let world = production();
    world.lock().unwrap().databases().limit_apply_rate(&host(CANDIDATE), Some(0));
    pass(&world, 20);
    sql(&world, MASTER, "SET GLOBAL read_only=1");
    let g = sql(&world, MASTER, "SELECT @@gtid_current_pos");
    assert_eq!(sql(&world, CANDIDATE, &format!("SELECT MASTER_GTID_WAIT('{g}', 0.1)")), "-1");
    sql(&world, CANDIDATE, "STOP ALL SLAVES; RESET SLAVE ALL; SET GLOBAL read_only=0");
    repoint_apps(&world, CANDIDATE);
    pass(&world, 5);
    let lost = world.lock().unwrap().score().lost.unwrap();
    assert!(lost > 100, "{lost}");
    // The old master cannot follow: it has what the new one has not.
    sql(&world, MASTER, &format!("SET GLOBAL gtid_slave_pos='{g}'"));
    follow(&world, MASTER, CANDIDATE, "MASTER_USE_GTID=slave_pos");
    pass(&world, 2);
    let shown = status(&world, MASTER);
    assert_eq!(value(&shown, "Last_IO_Errno"), "1236");
    assert!(
        value(&shown, "Last_IO_Error")
            .contains(&format!("start from GTID {g}, which is not in the master's binlog"))
    );
}

#[test]
fn errant_transactions_are_seen_and_strict_mode_stops_at_them() {
    let world = production();
    world.lock().unwrap().databases().write_by_hand(&host(CANDIDATE), 2);
    let state = sql(&world, CANDIDATE, "SELECT @@gtid_binlog_state");
    assert!(state.contains("0-2-"), "{state}");
    sql(&world, CANDIDATE, "SET GLOBAL gtid_strict_mode=1");
    pass(&world, 5);
    assert_eq!(value(&status(&world, CANDIDATE), "Last_SQL_Errno"), "1950");
    sql(&world, CANDIDATE, "STOP SLAVE");
    let errant = sql(&world, CANDIDATE, "SELECT @@gtid_current_pos");
    assert!(errant.starts_with("0-2-"), "{errant}");
    let complaint = fails(&world, CANDIDATE, "SET GLOBAL gtid_slave_pos='0-1-5'");
    let wanted = format!("conflicts with the binary log which contains a more recent GTID {errant}. If");
    assert!(complaint.contains("ERROR 1947 (HY000)") && complaint.contains(&wanted), "{complaint}");
    follow(&world, CANDIDATE, MASTER, "MASTER_USE_GTID=current_pos");
    pass(&world, 2);
    assert!(
        value(&status(&world, CANDIDATE), "Last_IO_Error")
            .contains("diverged due to executing extra erroneous")
    );
}

#[test]
fn an_application_with_super_writes_through_read_only_and_two_masters_are_a_split_brain() {
    let world = production();
    world.lock().unwrap().databases().empower_apps(&host(MASTER), "SUPER");
    let powerful = "SELECT grantee FROM information_schema.user_privileges WHERE privilege_type='SUPER' AND grantee \
                    NOT LIKE \"'root'@%\"";
    assert_eq!(sql(&world, MASTER, powerful), "'wiki'@'%'");
    // A connection keeps the privileges it logged in with.
    let ids = sql(&world, MASTER, "SELECT id FROM information_schema.processlist WHERE user='wiki'");
    let kills: String = ids.lines().map(|id| format!("KILL {id};")).collect();
    sql(&world, MASTER, &kills);
    pass(&world, 1);
    sql(&world, MASTER, "SET GLOBAL read_only=1");
    let before = sql(&world, MASTER, "SHOW MASTER STATUS");
    pass(&world, 4);
    assert_ne!(sql(&world, MASTER, "SHOW MASTER STATUS"), before);
    // One of them is sent to the candidate, made writable too early.
    sql(&world, CANDIDATE, "SET GLOBAL read_only=0");
    let text = format!("[database]\nhost = {}\nuser = wiki\n", address(&world, CANDIDATE));
    world.lock().unwrap().write_file(&host("app1"), DB_INI, text.into_bytes());
    pass(&world, 10);
    let score = world.lock().unwrap().score();
    assert!(score.split_brain.as_secs() >= 8 && score.split_rows > 50, "{score:?}");
    // Both gave a row the same id: replication stops at it.
    let shown = status(&world, CANDIDATE);
    assert_eq!(value(&shown, "Last_SQL_Errno"), "1062", "{shown}");
    assert!(score.lost.unwrap() > 0, "{score:?}");
}

#[test]
fn without_log_slave_updates_only_the_exact_position_attaches() {
    let world = production();
    for name in [MASTER, CANDIDATE] {
        world.lock().unwrap().databases().server_mut(&host(name)).unwrap().settings.log_slave_updates = false;
    }
    pass(&world, 3);
    sql(&world, MASTER, "SET GLOBAL read_only=1");
    pass(&world, 4);
    let g = sql(&world, MASTER, "SELECT @@gtid_current_pos");
    sql(&world, CANDIDATE, "STOP ALL SLAVES; RESET SLAVE ALL; SET GLOBAL read_only=0");
    repoint_apps(&world, CANDIDATE);
    pass(&world, 3);
    sql(&world, MASTER, &format!("SET GLOBAL gtid_slave_pos='{g}'"));
    follow(&world, MASTER, CANDIDATE, "MASTER_USE_GTID=slave_pos");
    pass(&world, 5);
    assert_eq!(value(&status(&world, MASTER), "Slave_SQL_Running"), "Yes");
    sql(&world, CANDIDATE, "SET GLOBAL read_only=1");
    pass(&world, 4);
    let last = sql(&world, CANDIDATE, "SELECT @@gtid_current_pos");
    assert_eq!(sql(&world, MASTER, "SELECT @@gtid_slave_pos"), last);
    // One before it does not.
    let (head, seq) = g.rsplit_once('-').unwrap();
    let earlier = format!("{head}-{}", seq.parse::<u64>().unwrap() - 1);
    sql(&world, MASTER, &format!("STOP SLAVE; SET GLOBAL gtid_slave_pos='{earlier}'; START SLAVE"));
    pass(&world, 2);
    let shown = status(&world, MASTER);
    assert_eq!(
        (value(&shown, "Slave_IO_Running"), value(&shown, "Last_IO_Errno")),
        ("No".into(), "1236".into())
    );
}

#[test]
fn by_file_and_position() {
    let world = production();
    sql(&world, CANDIDATE, "STOP SLAVE; CHANGE MASTER TO MASTER_USE_GTID=no; START SLAVE");
    pass(&world, 3);
    assert_eq!(value(&status(&world, CANDIDATE), "Using_Gtid"), "No");
    sql(&world, MASTER, "SET GLOBAL read_only=1");
    pass(&world, 4);
    let place = sql(&world, MASTER, "SHOW MASTER STATUS");
    let place: Vec<&str> = place.split('\t').collect();
    assert_eq!(value(&status(&world, CANDIDATE), "Exec_Master_Log_Pos"), place[1]);
    sql(&world, CANDIDATE, "STOP ALL SLAVES");
    let new = sql(&world, CANDIDATE, "SHOW MASTER STATUS");
    let new: Vec<&str> = new.split('\t').collect();
    sql(&world, CANDIDATE, "RESET SLAVE ALL; SET GLOBAL read_only=0");
    repoint_apps(&world, CANDIDATE);
    pass(&world, 3);
    let how = format!("MASTER_USE_GTID=no, MASTER_LOG_FILE='{}', MASTER_LOG_POS={}", new[0], new[1]);
    follow(&world, MASTER, CANDIDATE, &how);
    sql(&world, CANDIDATE, "SET GLOBAL read_only=1");
    pass(&world, 5);
    let rows = "SELECT app, COUNT(*), MAX(seq) FROM webplatform.journal GROUP BY app ORDER BY app";
    assert_eq!(sql(&world, MASTER, rows), sql(&world, CANDIDATE, rows));
    sql(&world, MASTER, "STOP SLAVE");
    follow(
        &world,
        MASTER,
        CANDIDATE,
        &format!("MASTER_USE_GTID=no, MASTER_LOG_FILE='{}', MASTER_LOG_POS=7777", new[0]),
    );
    pass(&world, 1);
    assert_eq!(value(&status(&world, MASTER), "Last_IO_Errno"), "1236");
}

#[test]
fn a_restart_reads_the_option_file() {
    let world = production();
    let read_only = || sql(&world, MASTER, "SELECT @@read_only");
    sql(&world, MASTER, "SET GLOBAL read_only=1");
    assert!(world.lock().unwrap().restart_database(&host(MASTER)));
    assert_eq!(read_only(), "0", "set by hand, not in the file");
    let file = b"[mysqld]\nread-only = 1\n".to_vec();
    world.lock().unwrap().write_file(&host(MASTER), "/etc/mysql/conf.d/zz-switchover.cnf", file);
    assert!(world.lock().unwrap().restart_database(&host(MASTER)));
    assert_eq!(read_only(), "1");
    pass(&world, 3);
    assert_eq!(value(&status(&world, CANDIDATE), "Slave_IO_Running"), "Yes");
}

#[test]
fn read_only_waits_for_a_commit_and_a_limit_ends_the_waiting() {
    let world = world("big-101", 0);
    let limited = "SET STATEMENT max_statement_time=0.1 FOR SET GLOBAL read_only=1";
    let id = world.lock().unwrap().databases().open_transaction(&host(MASTER), 0.0, 30.0, true).unwrap();
    let (_, error, _) = run(&world, MASTER, &["mariadb"], limited);
    assert!(error.contains(
        "ERROR 1969 (70100) at line 1: Query execution was interrupted (max_statement_time exceeded)"
    ));
    let old =
        "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_started < NOW() - INTERVAL 10 SECOND";
    let sql = |statements: &str| run(&world, MASTER, &["mariadb", "-N"], statements).0;
    assert_eq!(
        sql(&format!("SELECT @@read_only; {old}; KILL {id}; {old}; {limited}; SELECT @@read_only")),
        "0\n1\n0\n1\n"
    );
    // SUPER alone does not write through it since 10.11; READ ONLY ADMIN does.
    let made = "CREATE USER a@localhost IDENTIFIED BY 'x'; GRANT SUPER ON *.* TO a@localhost; GRANT INSERT, CREATE ON \
                webplatform.* TO a@localhost; SHOW GRANTS FOR a@localhost";
    assert!(sql(made).starts_with("GRANT SUPER ON *.* TO `a`@`localhost` IDENTIFIED BY PASSWORD '*"));
    let write = || run(&world, MASTER, &["mariadb", "-ua", "-px", "webplatform"], "CREATE TABLE x (id INT)");
    assert!(write().1.contains("ERROR 1290 (HY000)"), "{:?}", write());
    sql("GRANT READ ONLY ADMIN ON *.* TO a@localhost");
    assert_eq!(write().2, 0);
    assert!(sql("SHOW GRANTS FOR a@localhost").contains("SUPER, READ_ONLY ADMIN"));
}

#[test]
fn logins_from_other_hosts_are_checked() {
    let world = production();
    let to = address(&world, MASTER);
    let login = |more: &[&str], file: &str| {
        let mut args =
            vec!["mysql", "--defaults-file=/dev/stdin", "-h", &to, "-N", "-e", "SELECT CURRENT_USER()"];
        args.extend(more);
        run(&world, CANDIDATE, &args, file)
    };
    let good = "[client]\nuser=repl\npassword=repl-simulated\n";
    assert_eq!(login(&["--ssl"], good).0, "repl@%\n");
    let denied = format!(
        "ERROR 1045 (28000): Access denied for user 'repl'@'{}' (using password: YES)\n",
        address(&world, CANDIDATE)
    );
    assert_eq!(login(&[], good).1, denied, "the account asks for TLS");
    assert_eq!(login(&["--ssl"], "[client]\nuser=repl\npassword=wrong\n").1, denied);
    world.lock().unwrap().databases().lose_account(&host(MASTER), "repl");
    assert_eq!(login(&["--ssl"], good).1, denied);
}

#[test]
fn a_master_that_dies_leaves_its_last_rows_behind_or_with_the_replica() {
    let world = production();
    world.lock().unwrap().databases().limit_apply_rate(&host(CANDIDATE), Some(0));
    pass(&world, 2);
    assert!(world.lock().unwrap().crash_database(&host(MASTER)));
    pass(&world, 2);
    let shown = status(&world, CANDIDATE);
    assert_eq!(value(&shown, "Slave_IO_Running"), "Connecting");
    assert_eq!(value(&shown, "Last_IO_Errno"), "2003");
    // What was received is applied before the promotion.
    world.lock().unwrap().databases().limit_apply_rate(&host(CANDIDATE), None);
    pass(&world, 5);
    sql(&world, CANDIDATE, "STOP ALL SLAVES; RESET SLAVE ALL; SET GLOBAL read_only=0");
    repoint_apps(&world, CANDIDATE);
    pass(&world, 5);
    let score = world.lock().unwrap().score();
    assert_eq!(score.lost, Some(0), "what was acknowledged had been received: {score:?}");
    assert_eq!(score.duplicated, 4, "the four rows under way were written again: {score:?}");
    assert!(score.longest_gap.as_secs() >= 7, "{score:?}");
}

#[test]
fn locks_end_with_the_session_that_holds_them() {
    let world = production();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let open = |text: &'static str| {
            let (stdin, keep) = tokio::io::duplex(4096);
            let (out, stdout) = tokio::io::duplex(4096);
            let call = crate::program::Call {
                host: host(MASTER),
                user: "root".to_owned(),
                world: world.clone(),
                args: ["mysql", "-N", "-n"].map(str::to_owned).to_vec(),
                env: Default::default(),
                cwd: "/".to_owned(),
                stdin: Box::new(stdin),
                stdout: Box::new(out),
                stderr: Box::new(tokio::io::sink()),
                descriptors: Vec::new(),
            };
            let task = tokio::spawn(crate::programs::tests::find("mysql").run(call));
            (task, keep, stdout, text)
        };
        use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
        let (task, mut keep, stdout, text) =
            open("SELECT GET_LOCK('jumpdeck', 0); FLUSH TABLES WITH READ LOCK; SELECT 'held';\n");
        keep.write_all(text.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(stdout).lines();
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "1");
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "held");
        let end = || world.lock().unwrap().databases().server(&host(MASTER)).unwrap().log_end();
        let before = end();
        pass(&world, 5);
        assert_eq!(end(), before, "nobody writes under the lock");
        let (other, _keep, stdout, _) = open("");
        let mut other_lines = BufReader::new(stdout).lines();
        let mut writer = _keep;
        writer
            .write_all(b"SELECT IS_USED_LOCK('jumpdeck') <> CONNECTION_ID(), GET_LOCK('jumpdeck', 0);\n")
            .await
            .unwrap();
        assert_eq!(other_lines.next_line().await.unwrap().unwrap(), "1\t0");
        // The first client is killed.
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        writer.write_all(b"SELECT GET_LOCK('jumpdeck', 5);\n").await.unwrap();
        assert_eq!(other_lines.next_line().await.unwrap().unwrap(), "1");
        pass(&world, 5);
        assert_ne!(end(), before, "writes go on");
        drop(writer);
        assert_eq!(other.await.unwrap(), 0);
    });
}
