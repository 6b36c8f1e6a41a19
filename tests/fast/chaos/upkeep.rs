//! What waits for a keeper: a kill, a failed unit, a reboot, updates; one problem of many hosts where it is the same.

use super::*;

const KINDS: &[ProblemKind] = &[
    ProblemKind::OomKill,
    ProblemKind::FailedUnits,
    ProblemKind::RebootRequired,
    ProblemKind::SecurityUpdates,
    ProblemKind::PackageLists,
    ProblemKind::OsSupport,
    ProblemKind::ReadOnly,
];

impl Bench {
    /// What waits: the kind, the host it is about, and the message.
    fn chores(&self) -> Vec<(ProblemKind, Option<String>, String)> {
        let own = self.problems().into_iter().filter(|p| KINDS.contains(&p.kind));
        own.map(|p| (p.kind, p.host.map(|host| host.to_string()), p.message)).collect()
    }

    async fn chores_as(
        &mut self,
        what: &str,
        done: impl Fn(&[(ProblemKind, Option<String>, String)]) -> bool,
    ) {
        let until = Instant::now() + LONG;
        loop {
            let found = if self.jump.is_some() { self.chores() } else { Vec::new() };
            if self.jump.is_some() && done(&found) {
                return;
            }
            assert!(self.next(until).await, "{what}: {found:?}");
        }
    }
}

fn often() -> Cadence {
    cadence(Duration::from_millis(100), Duration::from_secs(8))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_a_failed_unit_and_updates_are_said_of_their_hosts() {
    let mut bench = Bench::up("big-3", often()).await;
    bench.chores_as("all is well", <[_]>::is_empty).await;
    let hosts: Vec<HostName> = bench.hosts.keys().map(|name| HostName::new(name).unwrap()).collect();
    {
        let mut world = bench.world.lock().unwrap();
        world.kill_for_memory(&hosts[0]);
        assert!(world.remount_read_only(&hosts[2], "/"));
        world.fail_unit(&hosts[1], "certbot.service");
        world.publish_updates(&hosts[2], 4, 9);
    }
    let has = |found: &[(ProblemKind, Option<String>, String)], kind, host: &HostName, words: &str| {
        found.iter().any(|(k, h, m)| *k == kind && h.as_deref() == Some(host.as_str()) && m.contains(words))
    };
    bench
        .chores_as("a kill and a unit", |found| {
            has(found, ProblemKind::OomKill, &hosts[0], "killed 1 process for lack of memory")
                && has(found, ProblemKind::FailedUnits, &hosts[1], "unit certbot.service failed. See why")
                && has(
                    found,
                    ProblemKind::ReadOnly,
                    &hosts[2],
                    "/ is read-only, and /etc/fstab mounts it writable",
                )
        })
        .await;
    let upkeep = bench.hosts.get(hosts[0].as_str()).and_then(|host| host.facts.upkeep.current());
    assert_eq!(
        upkeep.map(|upkeep| &upkeep.reboot),
        Some(&Ok(None)),
        "the kernel in /boot is the one that runs"
    );
    bench.world.lock().unwrap().reboot(&hosts[0]);
    bench
        .chores_as("a boot forgets it", |found| found.iter().all(|(k, _, _)| *k != ProblemKind::OomKill))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_the_same_on_many_hosts_is_one_problem_that_names_them() {
    let mut bench =
        Bench::start("wpd-2015", cadence(Duration::from_secs(3), Duration::from_secs(8)), |world| {
            for name in ["app1", "app2", "blog"] {
                let host = HostName::new(name).unwrap();
                world.require_reboot(&host, &["linux-image-3.13.0-170-generic", "linux-base"]);
            }
            world.publish_updates(&HostName::new("mail").unwrap(), 9, 12);
            world.publish_updates(&HostName::new("blog").unwrap(), 2, 2);
        })
        .await;
    bench
        .chores_as("one problem each", |found| {
            let of = |kind, words: &str| {
                let mut own = found.iter().filter(|(k, _, _)| *k == kind);
                own.next().is_some_and(|(_, host, message)| host.is_none() && message == words)
                    && own.next().is_none()
            };
            let why = "(linux-base and 1 more)";
            let reboots = format!("reboot required on 3 hosts: app1 {why}, app2 {why}, blog {why}");
            of(ProblemKind::RebootRequired, &reboots)
                && of(ProblemKind::SecurityUpdates, "security updates wait on 2 hosts: mail (9), blog (2)")
                && found.iter().filter(|(kind, _, _)| *kind == ProblemKind::OsSupport).count() == 1
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_array_that_misses_a_disk_is_critical_until_it_is_rebuilt() {
    let mut bench = Bench::up("big-3", often()).await;
    let host = HostName::new(bench.hosts.keys().next().unwrap()).unwrap();
    let raid = |bench: &Bench| {
        let of_raid = |p: &Problem| p.service.as_deref() == Some("mdraid");
        bench.problems().into_iter().filter(of_raid).map(|p| (p.severity, p.message)).collect::<Vec<_>>()
    };
    for (missing, rebuilt, severity, words) in [
        (true, None, Some(Severity::Critical), "mdraid: md0 has 1 of 2 disks, vdc failed"),
        (true, Some(8), Some(Severity::Warning), "recovery 8.0 %, 40 min left"),
        (false, None, None, ""),
    ] {
        bench.world.lock().unwrap().set_array(&host, missing, rebuilt);
        let until = Instant::now() + LONG;
        loop {
            let found = if bench.jump.is_some() { raid(&bench) } else { Vec::new() };
            let known =
                bench.hosts.get(host.as_str()).is_some_and(|h| h.facts.services.get("mdraid").is_some());
            let fits = match severity {
                None => found.is_empty(),
                Some(severity) => found.iter().any(|(is, text)| *is == severity && text.contains(words)),
            };
            if known && fits {
                break;
            }
            assert!(bench.next(until).await, "{words}: {found:?}");
        }
    }
}
