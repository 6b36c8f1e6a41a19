//! A database server that is nearly used up, one with a transaction that nobody ends, an application that uses the wrong one: seen,
//! named, and well again.

use super::*;

const HOST: &str = "db1-masterdb";

impl Bench {
    /// What is said of the server's activity.
    fn of_activity(&self) -> Vec<(Severity, String)> {
        let own = |p: &Problem| p.kind == ProblemKind::Database;
        self.problems().into_iter().filter(own).map(|p| (p.severity, p.message)).collect()
    }

    async fn said(&mut self, what: &str, severity: Severity, begin: &str) -> String {
        let is = |b: &Bench| matches!(b.of_activity().as_slice(), [(s, m)] if *s == severity && m.starts_with(begin));
        self.until(what, LONG, is).await;
        self.of_activity().remove(0).1
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_server_says_when_its_connections_run_out_and_what_is_open_for_long() {
    let mut bench = Bench::up("wpd-2015", cadence(POLL, Duration::from_secs(8))).await;
    let host = HostName::new(HOST).unwrap();
    let world = Arc::clone(&bench.world);
    let busy = |b: &Bench| {
        let databases = b.hosts.get(HOST)?.facts.databases.current()?;
        Some(databases.first()?.server.as_ref().ok()?.activity.clone())
    };
    bench.until("it counts commits", LONG, |b| busy(b).is_some_and(|a| a.commits_per_s.is_some())).await;
    let activity = busy(&bench).unwrap();
    assert_eq!((activity.max_connections, activity.refused, activity.longest), (Some(200), Some(0), None));
    assert!(activity.connections.is_some_and(|used| used < 100), "{activity:?}");
    assert_eq!(bench.of_activity(), []);

    let hold = |clients| assert!(world.lock().unwrap().databases().hold_connections(&host, clients));
    // Some are the applications'.
    let own = activity.connections.unwrap();
    hold(175 - own);
    bench.said("many are in use", Severity::Warning, "mariadb: 1").await;
    hold(199 - own);
    let said = bench.said("nearly all are in use", Severity::Critical, "mariadb: ").await;
    assert!(said.contains(" of 200 connections in use (") && said.contains("SHOW PROCESSLIST"), "{said}");
    hold(0);
    bench.until("it is well again", LONG, |b| b.of_activity().is_empty()).await;

    let open = {
        let mut world = world.lock().unwrap();
        let now = world.now().as_secs_f64();
        world.databases().open_transaction(&host, now, 900.0, false).unwrap()
    };
    let begin = format!("mariadb: the transaction of connection {open} is open for 15 min. ");
    let said = bench.said("a transaction is open for long", Severity::Warning, &begin).await;
    assert!(said.contains("A dump and a replication thread"), "{said}");
    world.lock().unwrap().databases().server_mut(&host).unwrap().sessions.close(open);
    bench.until("it is well again", LONG, |b| b.of_activity().is_empty()).await;

    assert!(world.lock().unwrap().databases().refuse_connections(&host, 3));
    bench.said("three were refused", Severity::Warning, "mariadb: refused 3 connections").await;
}

/// A file of an application names the other server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_names_a_read_only_server_is_critical_until_the_file_or_the_server_changes() {
    const FILE: &str = "/etc/webplatform/db.ini";
    let often = cadence(Duration::from_millis(200), Duration::from_secs(8));
    let mut bench = Bench::up("wpd-2015", often).await;
    let host = |name: &str| HostName::new(name).unwrap();
    let (apps, world) = (["app1", "app2", "app3", "app1-jobrunner"], Arc::clone(&bench.world));
    let [master, replica] = [HOST, "db2"].map(|name| bench.env.host(&host(name)).unwrap().address.clone());
    let of_files = |b: &Bench| -> Vec<Problem> {
        b.problems().into_iter().filter(|p| p.kind == ProblemKind::DatabaseAddress).collect()
    };
    let named = |b: &Bench, app: &str| {
        let files = b.hosts.get(app)?.facts.database_files.current()?;
        Some(files.first()?.servers.as_ref().ok()?.first()?.word.to_string())
    };
    bench
        .until("all are read", LONG, |b| apps.iter().all(|app| named(b, app).is_some_and(|is| is == master)))
        .await;
    assert_eq!(of_files(&bench), []);
    assert_eq!(bench.hosts[HOST].facts.database_files.current(), Some(&Vec::new()), "it has none");

    let rename = |app: &str, from: &str, to: &str| {
        let mut world = world.lock().unwrap();
        let text = String::from_utf8(world.read_file(&host(app), FILE).unwrap()).unwrap();
        assert!(text.contains(from), "{text}");
        world.write_file(&host(app), FILE, text.replace(from, to).into_bytes());
    };
    rename("app2", &master, &replica);
    let is_alone = |b: &Bench| match of_files(b).as_slice() {
        [one] => one.severity == Severity::Critical && one.host == Some(host("app2")),
        _ => false,
    };
    bench.until("app2 names the replica", LONG, is_alone).await;
    let said = of_files(&bench).remove(0).message;
    assert!(
        said.starts_with(&format!("{FILE} names db2 ({replica}), which is read-only; writable is {HOST}. ")),
        "{said}"
    );

    // The roles of the servers change: now the others are wrong, and then nobody is.
    for (server, is) in [("db2", false), (HOST, true)] {
        world.lock().unwrap().databases().server_mut(&host(server)).unwrap().read_only = is;
    }
    let are_others = |b: &Bench| match of_files(b).as_slice() {
        [one] => one.severity == Severity::Critical && one.host.is_none() && one.named.len() == 3,
        _ => false,
    };
    bench.until("the other three name the old one", LONG, are_others).await;
    apps.iter().filter(|app| **app != "app2").for_each(|app| rename(app, &master, &replica));
    bench.until("all is well", LONG, |b| of_files(b).is_empty()).await;
}
