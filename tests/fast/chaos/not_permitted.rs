//! What the account may not read or run is unknown, by its own name, and well again when it may. Never ok.

use super::*;

/// A host, what is closed on it, and the beginning of what is said of it.
type Closed = (&'static str, &'static [&'static str], &'static str);

const CLOSED: &[Closed] = &[
    ("app1", &["/proc/loadavg"], "load "),
    ("app1", &["/proc/meminfo"], "memory "),
    ("app1", &["/proc/uptime"], "uptime "),
    ("app1", &["/etc/webplatform/db.ini"], FILE_CLOSED),
    ("app1", &["/proc/vmstat"], "OOM kills not permitted: /proc/vmstat"),
    ("app2", &["/usr/bin/df"], "filesystems "),
    ("app2", &["/etc/webplatform"], FILE_CLOSED),
    ("app2", &["/proc/mdstat"], "mdraid "),
    ("app3", &["/etc/salt/grains"], "grains "),
    ("sessions1", &["/usr/bin/redis-cli"], "redis tool missing: redis-cli"),
    ("memcache1", &["/usr/bin/nc", "/usr/bin/bash"], "memcached "),
    ("elastic", &["/usr/bin/curl", "/usr/bin/wget"], "elasticsearch tool missing: curl or wget"),
    ("mail", &["/usr/bin/postqueue"], "postfix "),
    (
        "backup",
        &["/mnt/backup/mysql"],
        "backup databases not permitted: /mnt/backup/mysql: let this account read it, or set sudo = true in the inventory",
    ),
    (
        "salt",
        &["/etc/salt/pki/master/minions"],
        "salt-minions not permitted: /etc/salt/pki/master/minions: set sudo = true in the inventory",
    ),
];
const FILE_CLOSED: &str = "the database address in /etc/webplatform/db.ini is unknown: not permitted: the account may not read it. \
                           Set sudo = true in the inventory";

impl Bench {
    /// What is unknown of a host.
    fn unknown_of(&self, host: &str) -> Vec<String> {
        let own = |p: &Problem| {
            p.severity == Severity::Unknown && p.host.as_ref().is_some_and(|name| name.as_str() == host)
        };
        self.problems().into_iter().filter(own).map(|p| p.message).collect()
    }

    fn says(&self, (host, _, words): &Closed) -> bool {
        self.jump.is_some() && self.unknown_of(host).iter().any(|message| message.starts_with(words))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_account_may_not_read_or_run_is_unknown_and_never_ok() {
    let often = cadence(Duration::from_millis(200), Duration::from_secs(8));
    let array = |world: &mut World| world.set_array(&HostName::new("app2").unwrap(), false, None);
    let mut bench = Bench::start_as("wpd-2015", often, Some("watcher"), array).await;
    bench.until("every host is up", LONG, Bench::all_up).await;
    let has_array = |b: &Bench| b.hosts["app2"].facts.services.get("mdraid").is_some();
    bench.until("it has an array", LONG, has_array).await;
    bench.until("nothing of it is said", LONG, |b| CLOSED.iter().all(|one| !b.says(one))).await;
    for (host, paths, _) in CLOSED {
        let host = HostName::new(host).unwrap();
        paths.iter().for_each(|path| bench.world.lock().unwrap().close(&host, path));
    }
    for one in CLOSED {
        let until = Instant::now() + LONG;
        while !bench.says(one) {
            assert!(bench.next(until).await, "{one:?} is not said: {:#?}", bench.unknown_of(one.0));
        }
    }
    for (host, paths, _) in CLOSED {
        let host = HostName::new(host).unwrap();
        assert!(paths.iter().all(|path| bench.world.lock().unwrap().open(&host, path)));
    }
    for one in CLOSED {
        let until = Instant::now() + LONG;
        while bench.says(one) {
            assert!(bench.next(until).await, "{one:?} stays: {:#?}", bench.unknown_of(one.0));
        }
    }
}
