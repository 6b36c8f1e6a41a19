#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod limits;
mod promotion;

use std::time::Duration;

use crate::programs::tests::{Shared, host, run, world};

/// Captured from MariaDB 10.11.19.
const RUNNING: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/fixtures/sim/mariadb-10.11/all-slaves-running.txt"
));
const SLAVE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/fixtures/sim/mariadb-10.11/slave-running.txt"
));
const MASTER: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/fixtures/sim/mariadb-10.11/master-batch.txt"
));
const TABLE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/sim/mariadb-10.11/table.txt"));
const CONNECTING: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/fixtures/sim/mariadb-10.11/all-slaves-connecting.txt"
));

fn names(vertical: &str) -> Vec<&str> {
    vertical.lines().filter_map(|l| l.split_once(':')).map(|(name, _)| name).collect()
}

fn value(vertical: &str, name: &str) -> String {
    let found = vertical.lines().filter_map(|l| l.split_once(": ")).find(|(n, _)| n.trim() == name);
    found.unwrap_or_else(|| panic!("no {name} in {vertical}")).1.to_owned()
}

fn big() -> Shared {
    world("big-101", 0)
}

fn slaves(world: &Shared) -> String {
    run(world, "db2", &["mariadb", "-E", "-e", "SHOW ALL SLAVES STATUS"], "").0
}

fn pass(world: &Shared, seconds: u64) {
    world.lock().unwrap().advance(Duration::from_secs(seconds));
}

#[test]
fn columns_stand_as_a_real_server_prints_them_with_the_same_alignment() {
    let world = big();
    pass(&world, 10);
    assert_eq!(names(&slaves(&world)), names(RUNNING));
    let slave = run(&world, "db2", &["mariadb", "-e", "show replica status\\G"], "").0;
    assert_eq!(names(&slave), names(SLAVE));
    let sql = "show master status; show slave hosts; show slave status";
    let (text, _, status) = run(&world, "db1-masterdb", &["mariadb", "-B", "-e", sql], "");
    let heads: Vec<&str> =
        MASTER.lines().filter(|l| l.contains("Binlog_Do_DB") || l.contains("Master_id")).collect();
    assert_eq!(status, 0);
    assert_eq!(text.lines().next().unwrap(), heads[0]);
    assert_eq!(text.lines().nth(2).unwrap(), *heads.last().unwrap());
    assert!(text.lines().nth(1).unwrap().ends_with("\t\t"));
}

#[test]
fn a_stopped_sql_thread_stands_still_and_catches_up_after_the_start() {
    let world = big();
    pass(&world, 5);
    let position = |name: &str| value(&slaves(&world), name).parse::<u64>().unwrap();
    run(&world, "db2", &["mariadb", "-e", "STOP SLAVE SQL_THREAD"], "");
    let before = position("Exec_Master_Log_Pos");
    let read = position("Read_Master_Log_Pos");
    pass(&world, 300);
    let status = slaves(&world);
    assert_eq!(position("Exec_Master_Log_Pos"), before);
    assert!(position("Read_Master_Log_Pos") > read);
    assert_eq!(value(&status, "Slave_SQL_Running"), "No");
    assert_eq!(value(&status, "Slave_IO_Running"), "Yes");
    assert_eq!(value(&status, "Seconds_Behind_Master"), "NULL");
    assert_eq!(value(&status, "Slave_SQL_State"), "");
    run(&world, "db2", &["mariadb", "-e", "start slave sql_thread"], "");
    pass(&world, 1);
    let lag: u64 = value(&slaves(&world), "Seconds_Behind_Master").parse().unwrap();
    assert!(lag > 100, "{lag}");
    pass(&world, 120);
    let lag: u64 = value(&slaves(&world), "Seconds_Behind_Master").parse().unwrap();
    assert!(lag <= 2, "{lag}");
}

#[test]
fn a_stopped_io_thread_or_a_dead_master_is_null_never_zero() {
    let world = big();
    run(&world, "db2", &["mariadb", "-e", "STOP SLAVE IO_THREAD"], "");
    pass(&world, 30);
    assert_eq!(value(&slaves(&world), "Seconds_Behind_Master"), "NULL");
    assert_eq!(value(&slaves(&world), "Slave_IO_Running"), "No");
    run(&world, "db2", &["mariadb", "-e", "START SLAVE"], "");
    world.lock().unwrap().databases().server_mut(&host("db1-masterdb")).unwrap().running = false;
    let status = slaves(&world);
    for name in ["Slave_IO_Running", "Slave_IO_State", "Seconds_Behind_Master", "Last_IO_Errno"] {
        assert_eq!(value(&status, name), value(CONNECTING, name), "{name}");
    }
    let (_, error, end) = run(&world, "db1-masterdb", &["mariadb", "-e", "select 1"], "");
    assert_eq!(end, 1);
    assert!(
        error.starts_with("ERROR 2002 (HY000): Can't connect to local server through socket '/run/"),
        "{error}"
    );
}

#[test]
fn values_are_selected_and_formatted_as_the_client_does() {
    let world = big();
    let sql =
        "select 'a b' as x, 1, @@server_id, @@global.read_only ro, VERSION(), CURRENT_USER(), null, 'it''s'";
    let (text, _, _) = run(&world, "db2", &["mariadb", "-B"], &format!("{sql};\n"));
    assert_eq!(
        text,
        "x\t1\t@@server_id\tro\tVERSION()\tCURRENT_USER()\tNULL\tit's\n\
         a b\t1\t100\t1\t10.11.6-MariaDB-0+deb12u1-log\troot@localhost\tNULL\tit's\n"
            .replace("\tNULL\tit's\na", "\tnull\tit's\na")
    );
    let table = run(&world, "db2", &["mariadb", "-t", "-e", "select 1, null, \"ab\""], "").0;
    assert!(TABLE.to_lowercase().ends_with(&table.to_lowercase()), "{table}");
    let vertical = run(&world, "db2", &["mariadb", "-NE", "-e", "select 1 as a; select 2"], "").0;
    let stars = "*".repeat(27);
    assert_eq!(vertical, format!("{stars} 1. row {stars}\n1\n{stars} 1. row {stars}\n2\n"));
    let (variables, _, _) = run(
        &world,
        "db2",
        &[
            "mariadb",
            "-N",
            "-e",
            "show variables where Variable_name in ('server_id','read_only','have_ssl')",
        ],
        "",
    );
    assert_eq!(variables, "have_ssl\tYES\nread_only\tON\nserver_id\t100\n");
    let like = run(&world, "db2", &["mariadb", "-N", "-e", "show global variables like 'server\\_id'"], "").0;
    assert_eq!(like, "server_id\t100\n");
}

#[test]
fn errors_are_the_servers_own_and_force_goes_on() {
    let world = big();
    let (text, error, status) =
        run(&world, "db2", &["mariadb", "-f"], "select 1;\nfoo;\n select @@nope; select 3;");
    assert_eq!((text.as_str(), status), ("1\n1\n3\n3\n", 0));
    assert!(error.contains(
        "ERROR 1064 (42000) at line 2: You have an error in your SQL syntax; check the manual that corresponds to \
         your MariaDB server version for the right syntax to use near 'foo' at line 1\n"
    ));
    assert!(error.contains("ERROR 1193 (HY000) at line 3: Unknown system variable 'nope'\n"));
    let (_, error, status) = run(&world, "db2", &["mariadb", "-e", "stop slave 'x'"], "");
    assert_eq!(status, 1);
    assert!(error.ends_with("ERROR 1617 (HY000) at line 1: There is no master connection 'x'\n"), "{error}");
    let (_, error, status) = run(&world, "db2", &["mariadb", "-unobody", "-e", "select 1"], "");
    assert_eq!(status, 1);
    assert_eq!(
        error,
        "ERROR 1045 (28000): Access denied for user 'nobody'@'localhost' (using password: NO)\n"
    );
    assert_eq!(run(&world, "db2", &["mariadb", "--bogus"], "").2, 2);
}

#[test]
fn read_only_is_set_and_applications_stop_writing() {
    let world = big();
    let position = || run(&world, "db1-masterdb", &["mariadb", "-N", "-e", "show master status"], "").0;
    let before = position();
    pass(&world, 20);
    let after = position();
    assert_ne!(before, after);
    run(&world, "db1-masterdb", &["mariadb", "-e", "SET GLOBAL read_only = ON"], "");
    pass(&world, 20);
    assert_eq!(position(), after);
    let text = run(&world, "db1-masterdb", &["mariadb", "-N", "-e", "select @@read_only"], "").0;
    assert_eq!(text, "1\n");
}

#[test]
fn older_servers_know_fewer_words_and_columns() {
    let old = world("wpd-2013", 0);
    let (status, _, _) = run(&old, "db2", &["mysql", "-E", "-e", "SHOW SLAVE STATUS"], "");
    assert_eq!(names(&status).len(), 38);
    assert_eq!(value(&status, "Seconds_Behind_Master"), "0");
    assert_eq!(value(&status, "Master_SSL_Allowed"), "No");
    let (_, error, end) = run(&old, "db2", &["mysql", "-e", "SHOW ALL SLAVES STATUS"], "");
    assert_eq!(end, 1);
    assert!(error.starts_with("ERROR 1064 (42000) at line 1: "), "{error}");
    assert!(error.contains("your MySQL server version"));
    let (_, error, end) = run(&old, "db2", &["mysql", "-e", "select @@gtid_current_pos"], "");
    assert_eq!((error.contains("1193"), end), (true, 1));
    let newer = world("wpd-2015", 2);
    pass(&newer, 5);
    let (status, _, _) = run(&newer, "db1", &["mysql", "-E", "-e", "SHOW ALL SLAVES STATUS"], "");
    assert_eq!(value(&status, "Master_Server_Id"), "1");
    assert_eq!(value(&status, "Master_SSL_Allowed"), "Yes");
    assert!(!status.contains("SQL_Delay"));
    assert!(!crate::programs::tests::find("mariadb").installed(&newer.lock().unwrap(), &host("db1")));
    assert!(!crate::programs::tests::find("mysql").installed(&newer.lock().unwrap(), &host("app1")));
}
