//! What the account may not read or run is unknown, by its own name, and well again when it may. Never ok, and never silently gone.
//!
//! docs/probes.md names the test of each probe; where the simulated fleet has no such program, it is one of `tests/fast/resident`.

use jumpdeck_fleet::service::ServiceHealth;
use jumpdeck_fleet::upkeep::Upkeep;
use jumpdeck_sim::mariadb::accounts::Account;
use jumpdeck_sim::posix::files::PROCESSES;

use super::*;

/// A host, what is closed on it, and what is said of it.
type Closed = (&'static str, &'static [&'static str], &'static str);

/// A busy machine takes longer to look again at what it could not in time.
const LONG: Duration = Duration::from_secs(150);
/// Who logs in.
const ACCOUNT: &str = "watcher";
/// Stands for that account's right to log in to the database server of the host.
const LOGIN: &str = "its account in the database";

const CLOSED_2015: &[Closed] = &[
    ("app1", &["/proc/loadavg"], "load not permitted: /proc/loadavg"),
    ("app1", &["/proc/meminfo"], "memory not permitted: /proc/meminfo"),
    ("app1", &["/proc/uptime"], "uptime not permitted: /proc/uptime"),
    ("app1", &["/etc/webplatform/db.ini"], FILE_CLOSED),
    ("app1", &["/proc/vmstat"], "OOM kills not permitted: /proc/vmstat"),
    ("app2", &["/usr/bin/df"], "filesystems tool missing: df"),
    ("app2", &["/etc/webplatform"], FILE_CLOSED),
    ("app2", &["/proc/mdstat"], "mdraid not permitted: /proc/mdstat"),
    ("app2", &["/proc/drbd"], "drbd state not permitted: /proc/drbd"),
    ("app3", &["/etc/salt/grains"], "grains not permitted"),
    ("app3", &["/usr/bin/curl", "/usr/bin/wget"], "apache status page tool missing: curl or wget"),
    ("app1-jobrunner", &["/usr/bin/php"], "check jobs not permitted: php may not be run"),
    ("source", &["/proc/mounts"], "filesystems failed: /proc/mounts: cannot be read"),
    ("source", &["/proc/mounts"], "read-only filesystems failed: /proc/mounts cannot be read"),
    ("specs", &["/usr/bin/date"], "clock tool missing: date"),
    ("piwik", &["/etc/os-release"], "operating system not permitted: /etc/os-release"),
    (
        "accounts",
        &["/proc/sys/kernel/hostname", "/usr/bin/uname", "/usr/bin/hostname"],
        "reports no host name",
    ),
    ("sessions1", &["/usr/bin/redis-cli"], "redis tool missing: redis-cli"),
    ("memcache1", &["/usr/bin/nc", "/usr/bin/bash"], "memcached "),
    ("elastic", &["/usr/bin/curl", "/usr/bin/wget"], "elasticsearch tool missing: curl or wget"),
    ("mail", &["/usr/bin/postqueue"], "postfix tool missing: postqueue"),
    ("project", &["/usr/bin/exim", "/usr/bin/exim4"], "exim4: Permission denied"),
    ("db1-masterdb", &[LOGIN], "not permitted: ERROR 1045 (28000): Access denied for user 'watcher'"),
    ("db2", &["/usr/bin/mysql"], "databases tool missing: no client (mariadb, mysql)"),
    // Who holds them is shown beside the disk, and no problem of its own.
    ("db2", &["/proc/1187/fd"], "deleted files of / not permitted: only root sees"),
    ("db2", &["/sys/block/dm-3/dm/uuid"], "lvm-snapshots fill not permitted: /sys/block/dm-3/dm/uuid"),
    ("backup", &["/etc/exports"], "nfs-server exports not permitted: /etc/exports"),
    ("backup", &["/dev/mapper/control"], "lvm-snapshots fill not permitted: /dev/mapper/control"),
    (
        "backup",
        &["/mnt/backup/mysql"],
        "backup databases not permitted: /mnt/backup/mysql: let this account read it, or set sudo = true in the inventory",
    ),
    // Of each service and of the daemons of others the process is hidden.
    ("notes", &[PROCESSES], "hypothesis not permitted: processes of other accounts are hidden"),
    ("notes", &[PROCESSES], "monit daemon not permitted: processes of other accounts are hidden"),
    ("notes", &[PROCESSES], "exim daemon not permitted: processes of other accounts are hidden"),
    ("notes", &[PROCESSES], "clock keeper not permitted: this account cannot see every process"),
    ("blog", &["/boot"], "reboot required not permitted: /boot"),
    ("blog", &["/etc/fstab"], "read-only filesystems not permitted: /etc/fstab"),
    ("blog", &["/usr/bin/systemctl"], "failed units tool missing: systemctl"),
    ("blog", &["/usr/bin/apt-get"], "updates not permitted: /"),
    ("blog", &["/usr/bin/who"], "logged in tool missing: who"),
    ("blog", &["/var/cache/salt"], "Salt states not permitted: /var/cache/salt"),
    (
        "salt",
        &["/etc/salt/pki/master/minions"],
        "salt-minions not permitted: /etc/salt/pki/master/minions: set sudo = true in the inventory",
    ),
    (
        "salt",
        &["/srv/pillar"],
        "code-trees other trees not permitted: /srv/pillar: this account sees no tree there",
    ),
    ("salt", &["/srv/salt/.git"], "code-trees tree not permitted: /srv/salt: another account's"),
    (
        "salt",
        &["/usr/bin/openstack", "/usr/bin/nova"],
        "cloud-servers not permitted: this account may not run /",
    ),
];
const FILE_CLOSED: &str = "the database address in /etc/webplatform/db.ini is unknown: not permitted: the account may not read it. \
                           Set sudo = true in the inventory";

/// What of it is a service that is well before and after.
const WELL_2015: &[(&str, &str)] = &[
    ("app2", "mdraid"),
    ("app2", "drbd"),
    ("app3", "apache"),
    ("app1-jobrunner", "check jobs"),
    ("notes", "monit"),
    ("notes", "hypothesis"),
    ("backup", "nfs-server"),
    ("backup", "lvm-snapshots"),
    ("salt", "code-trees"),
    ("salt", "cloud-servers"),
];

/// The fleet of 2013 has GlusterFS.
const CLOSED_2013: &[Closed] = &[
    (
        "storage3",
        &["/var/lib/glusterd/glusterd.info"],
        "gluster state not permitted: only root may ask gluster",
    ),
    ("storage5", &["/var/lib/glusterd"], "gluster state not permitted: /var/lib/glusterd"),
    (
        "app1",
        &["/srv/webplatform/wiki"],
        "/srv/webplatform/wiki/images (storage3:/wiki-images) not permitted: df: ",
    ),
    ("app2", &["/usr/bin/df"], "network filesystems tool missing: df"),
];
const WELL_2013: &[(&str, &str)] = &[("storage3", "gluster"), ("storage5", "gluster")];

fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

/// Lets the account do everything on a database server, or refuses it.
fn set_login(world: &mut World, server: &str, may: bool) {
    let server = world.databases().server_mut(&host(server)).unwrap();
    let account = Account::all_powerful(ACCOUNT, "localhost", &server.version);
    if may {
        server.data.accounts.put(account);
    } else {
        assert!(server.data.accounts.remove(ACCOUNT, "localhost"));
    }
}

/// What hosts have of which there is something to close.
fn equip(world: &mut World) {
    world.set_array(&host("app2"), false, None);
    let drbd = "version: 8.4.3 (api:1/proto:86-101)\n 0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----\n";
    world.write_file(&host("app2"), "/proc/drbd", drbd.into());
    ["backup", "db2"].iter().for_each(|name| world.set_snapshot(&host(name), Some(12)));
    assert!(world.install_system(&host("blog"), "debian 12"));
    assert!(world.remount_read_only(&host("blog"), "/"));
    world.write_file(&host("blog"), "/etc/fstab", b"/dev/vda1 / ext4 ro 0 1\n".to_vec());
    let free = world.available_kb(&host("db2"), "/");
    assert!(world.hold_deleted(&host("db2"), "mysql", "/", free - free / 8));
    ["db1-masterdb", "db2"].iter().for_each(|server| set_login(world, server, true));
}

/// What is unknown of each host: problems, and what is shown as unknown and is none.
type Unknowns = BTreeMap<String, Vec<String>>;

fn says(unknowns: &Unknowns, (host, _, words): &Closed) -> bool {
    unknowns.get(*host).is_some_and(|all| all.iter().any(|message| message.contains(words)))
}

impl Bench {
    fn unknowns(&self) -> Unknowns {
        let mut found = Unknowns::new();
        if self.jump.is_none() {
            return found;
        }
        for problem in self.problems() {
            if let (Severity::Unknown, Some(host)) = (problem.severity, problem.host) {
                found.entry(host.to_string()).or_default().push(problem.message);
            }
        }
        for (name, HostSnapshot { facts, link, .. }) in
            self.hosts.iter().map(|(name, one)| (name, one.as_ref()))
        {
            let own = found.entry(name.clone()).or_default();
            if !link.is_up() {
                own.push(link.detail.to_string());
            }
            let upkeep = facts.upkeep.current().into_iter().flat_map(Upkeep::gaps);
            own.extend(upkeep.map(|(what, gap)| format!("{what} {}", gap.describe())));
            let deleted = facts.deleted_files.current().into_iter().flatten();
            let unseen = deleted.filter_map(|one| Some((&one.mount, one.held.as_ref().err()?)));
            own.extend(unseen.map(|(mount, gap)| format!("deleted files of {mount} {}", gap.describe())));
        }
        found
    }

    /// Takes all news that there is: at least one, until then.
    async fn news(&mut self, until: Instant) -> bool {
        let any = self.next(until).await;
        while any && self.next(Instant::now()).await {}
        any
    }

    /// Waits until each of them is said, or none is; names those of which it is not so.
    async fn all_said(&mut self, all: &[Closed], said: bool) {
        let until = Instant::now() + LONG;
        loop {
            let unknowns = self.unknowns();
            let left: Vec<&Closed> = all.iter().filter(|one| says(&unknowns, one) != said).collect();
            if left.is_empty() && self.jump.is_some() {
                return;
            }
            if !self.news(until).await {
                let found = left.iter().map(|one| format!("{one:?}: {:#?}", unknowns.get(one.0)));
                panic!("said is not {said}:\n{}", found.collect::<Vec<_>>().join("\n"));
            }
        }
    }

    /// With the next looks, too, nothing is well that is closed, and nothing is said of what is open.
    async fn stays(&mut self, all: &[Closed], well: &[(&str, &str)], closed: bool) {
        let until = Instant::now() + Duration::from_secs(3);
        while self.news(until).await {
            if closed {
                let taken: Vec<_> = well.iter().filter(|one| self.is_well(one)).collect();
                assert!(taken.is_empty(), "taken for well: {taken:?}");
            } else {
                let unknowns = self.unknowns();
                let again: Vec<&Closed> = all.iter().filter(|one| says(&unknowns, one)).collect();
                assert!(again.is_empty(), "said again: {again:?}");
            }
        }
    }

    fn is_well(&self, (host, name): &(&str, &str)) -> bool {
        self.judged(host, name).is_some_and(|judged| judged.0 == ServiceHealth::Ok)
    }

    async fn all_well(&mut self, well: &[(&str, &str)]) {
        for one in well {
            let until = Instant::now() + LONG;
            while !self.is_well(one) {
                assert!(self.news(until).await, "{one:?}: {:?}", self.judged(one.0, one.1));
            }
        }
    }

    /// Closes all of that, or opens it.
    fn set_closed(&self, all: &[Closed], closed: bool) {
        let mut world = self.world.lock().unwrap();
        let paths: BTreeSet<(&str, &str)> =
            all.iter().flat_map(|(host, paths, _)| paths.iter().map(|path| (*host, *path))).collect();
        for (name, path) in paths {
            match (path, closed) {
                (LOGIN, _) => set_login(&mut world, name, !closed),
                (_, true) => world.close(&host(name), path),
                (_, false) => assert!(world.open(&host(name), path)),
            }
        }
    }

    /// Ends every connection and makes new ones: what is asked rarely is asked again soon.
    async fn reconnect(&mut self) {
        self.servers.set_jump_down(&self.env.name, true);
        let lost = |b: &Self| b.jump.as_ref().is_some_and(|jump| !jump.link.is_up());
        self.until("all is lost", LONG, lost).await;
        self.servers.set_jump_down(&self.env.name, false);
        self.collector.retry(&self.env.name, None);
        self.until("the jump box is back", LONG, |b| !lost(b)).await;
    }

    /// Everything is well, all of that is closed, and each is said; it is opened, and nothing of it is said.
    async fn closes_and_opens(&mut self, all: &[Closed], well: &[(&str, &str)]) {
        let begun = Instant::now();
        let reached = |what: &str| println!("{what} after {:.1?}", begun.elapsed());
        // A report that is late for so short a poll is none of a problem here.
        Arc::make_mut(&mut self.env).cadence.poll = LONG;
        self.until("every host is up", LONG, Self::all_up).await;
        self.all_well(well).await;
        self.all_said(all, false).await;
        reached("well");
        self.set_closed(all, true);
        self.reconnect().await;
        self.all_said(all, true).await;
        reached("said");
        self.stays(all, well, true).await;
        self.set_closed(all, false);
        // One that did not prove who it is is asked again only when a person wants it.
        for name in self.hosts.values().filter(|one| !one.link.is_up()).map(|one| &one.id.host) {
            self.collector.retry(&self.env.name, Some(name));
        }
        self.until("every host is up again", LONG, Self::all_up).await;
        self.reconnect().await;
        self.all_said(all, false).await;
        self.all_well(well).await;
        self.stays(all, well, false).await;
        reached("well again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_account_may_not_read_or_run_is_unknown_and_never_ok() {
    let often = cadence(Duration::from_millis(200), Duration::from_secs(8));
    let mut bench = Bench::start_as("wpd-2015", often, Some(ACCOUNT), equip).await;
    bench.closes_and_opens(CLOSED_2015, WELL_2015).await;
    // What only root may see is never ok for this account.
    bench.named_as(("db2", "exim"), "its queue is unknown", ServiceHealth::Unknown).await;
    drop(bench);
    let mut bench = Bench::start_as("wpd-2013", often, Some(ACCOUNT), |_| ()).await;
    bench.closes_and_opens(CLOSED_2013, WELL_2013).await;
}
