//! A database server that is nearly used up, and one with a transaction that nobody ends: seen, named, and well again.

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
