//! Everything of a fleet that a runbook could change.

use std::collections::BTreeMap;

use jumpdeck_fleet::names::HostName;
use jumpdeck_sim::world::World;

use super::rehearsal::Stage;

/// What a run itself keeps, of its lease and its journal, lies below /run, and is no change of the fleet.
const FOLDERS: &[&str] = &["/etc", "/home", "/mnt", "/opt", "/root", "/srv", "/tmp", "/usr", "/var"];

/// Logs grow by time alone.
const LOGS: &str = "/var/log/";

/// Everything of a fleet that a runbook could change and time alone does not: files with their contents, services, accounts and
/// settings of databases, servers and addresses of the cloud.
pub(super) fn fingerprint(stage: &Stage) -> BTreeMap<String, String> {
    let hosts: Vec<HostName> = stage.env.hosts.iter().map(|host| host.id.host.clone()).collect();
    stage.world(|world| {
        let mut all = BTreeMap::new();
        for host in &hosts {
            for path in below(world, host, FOLDERS).into_iter().filter(|path| !path.starts_with(LOGS)) {
                let bytes = world.read_file(host, &path).unwrap_or_default();
                all.insert(format!("{host}: {path}"), String::from_utf8_lossy(&bytes).into_owned());
            }
            for service in world.services(host) {
                let runs = world.service_runs(host, service);
                all.insert(format!("{host}: service {service}"), format!("runs: {runs}"));
            }
            if let Some(server) = world.databases().server(host) {
                let follows: Vec<_> = server
                    .connections
                    .iter()
                    .map(|c| (c.host.clone(), c.user.clone(), c.io_started, c.sql_started))
                    .collect();
                let told =
                    (server.read_only, server.running, &server.settings, &server.data.accounts, follows);
                all.insert(format!("{host}: database"), format!("{told:?}"));
            }
        }
        let now = world.now().as_secs_f64();
        for server in world.cloud().servers(now) {
            all.insert(format!("cloud: {}", server.id), format!("{} {:?}", server.name, server.status(now)));
        }
        for floating in world.cloud().floating_ips() {
            all.insert(format!("cloud: {}", floating.address), format!("{:?}", floating.port));
        }
        all
    })
}

/// The paths of all files of a machine below these folders.
pub(super) fn below(world: &World, host: &HostName, folders: &[&str]) -> Vec<String> {
    let mut folders: Vec<String> = folders.iter().map(|folder| (*folder).to_owned()).collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in world.list_dir(host, &folder).unwrap_or_default() {
            let path = format!("{folder}/{entry}");
            if world.read_file(host, &path).is_some() { found.push(path) } else { folders.push(path) }
        }
    }
    found
}

/// What two fingerprints do not share.
pub(super) fn differences(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Vec<String> {
    let keys = before.keys().chain(after.keys());
    let mut differ: Vec<String> = keys.filter(|key| before.get(*key) != after.get(*key)).cloned().collect();
    differ.dedup();
    differ
}

/// The proof above sees a change of each kind: of a file, a service, an account, a setting, a server of the cloud.
#[tokio::test(flavor = "multi_thread")]
async fn the_fingerprint_of_a_fleet_shows_a_change_of_each_kind() {
    let stage = super::END.stage().await;
    for (host, script, seen) in [
        ("app1", "echo 1 >/srv/new", "app1: /srv/new"),
        ("app1", "service apache2 stop", "app1: service apache2"),
        (
            "db1-masterdb",
            "mysql -e \"CREATE USER 'x'@'%' IDENTIFIED BY 'secret1'\"",
            "db1-masterdb: database",
        ),
        ("db2", "mysql -e 'SET GLOBAL read_only = 0'", "db2: database"),
    ] {
        let before = fingerprint(&stage);
        stage.shell(host, script).await;
        let differ = differences(&before, &fingerprint(&stage));
        assert!(differ.iter().any(|what| what == seen), "{script}: {differ:?}");
    }
    let before = fingerprint(&stage);
    stage.world(|world| world.stop_server("app1").unwrap());
    assert!(differences(&before, &fingerprint(&stage)).iter().any(|what| what.starts_with("cloud: ")));
}
