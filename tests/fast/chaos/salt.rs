//! What a Salt master keeps: its minions, their keys, git trees.

use jumpdeck_fleet::service::ServiceHealth;
use jumpdeck_sim::cloud::Order;

use super::*;

const MINIONS: (&str, &str) = ("salt", "salt-minions");
const CLOUD: (&str, &str) = ("salt", "cloud-servers");
const TREES: (&str, &str) = ("salt", "code-trees");

impl Bench {
    /// Waits until that service is degraded, and a warning of its host begins so: a round of looks may take several reports.
    async fn names(&mut self, (host, name): (&str, &str), words: &str) {
        let warns =
            |(severity, said): &(Severity, String)| *severity == Severity::Warning && said.starts_with(words);
        let named = |b: &Self| {
            let judged = b.judged(host, name).filter(|judged| judged.0 == ServiceHealth::Degraded);
            judged.is_some_and(|(_, problems)| problems.iter().any(warns))
        };
        self.until(words, LONG, named).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_waits_a_minion_that_stopped_and_a_dirty_tree_are_named() {
    let faults = |world: &mut World| {
        world.show_key("app9", "00:11");
        world.show_key("app1", "00:11");
        let host = |name: &str| HostName::new(name).unwrap();
        assert!(world.set_service(&host("db2"), "salt-minion", false));
        world.write_file(&host("salt"), "/srv/pillar/quick.sls", b"a: 1\n".to_vec());
        world.write_file(&host("salt"), "/srv/code/www/repo/out/index.html", b"<h1>Mended</h1>\n".to_vec());
        assert!(world.commit_unpushed("/srv/code/www/repo"));
    };
    let mut bench = Bench::start("wpd-2015", cadence(POLL, Duration::from_secs(8)), faults).await;
    bench.names(MINIONS, "1 minion has no connection to the Salt master: db2. ").await;
    let stopped = bench.named_as(("db2", "salt-minion"), "its minion is stopped", ServiceHealth::Down).await;
    let [(severity, message)] = stopped.as_slice() else { panic!("{stopped:?}") };
    assert_eq!(*severity, Severity::Warning, "{message}");
    assert!(
        message.starts_with("salt-minion is stopped: ") && message.ends_with("service salt-minion start."),
        "{message}"
    );
    bench.names(MINIONS, "1 key waits to be accepted by the Salt master: app9. ").await;
    bench.names(MINIONS, "1 key is denied by the Salt master: app1. ").await;
    bench.names(TREES, "Uncommitted changes in /srv/pillar (1 file). ").await;
    bench.names(TREES, "Unpushed commits in /srv/code/www/repo (1 commit). ").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_nobody_knows_and_a_host_without_one_are_named() {
    let mut bench = Bench::up("wpd-2015", cadence(POLL, Duration::from_secs(8))).await;
    assert_eq!(bench.named_as(CLOUD, "the cloud is well", ServiceHealth::Ok).await, []);
    drop(bench);
    let mut bench = Bench::start("wpd-2015", cadence(POLL, Duration::from_secs(8)), |_| ()).await;
    {
        let mut world = bench.world.lock().unwrap();
        let order = Order {
            name: "test-7".into(),
            flavor: world.cloud().flavors()[0].id.clone(),
            image: world.cloud().images()[0].id.clone(),
            key_name: None,
            security_groups: Vec::new(),
            user_data: None,
        };
        world.build_server(&order).unwrap();
        world.delete_server("specs").unwrap();
    }
    bench.names(CLOUD, "The cloud has servers that the inventory does not: test-7. ").await;
    bench.names(CLOUD, "The inventory has hosts that the cloud does not: specs. ").await;
}
