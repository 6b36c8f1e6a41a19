//! Storage: bricks of GlusterFS that end, peers that are away, deleted files that fill a disk, snapshots that are full, exports that nobody serves.

use jumpdeck_fleet::service::ServiceHealth;

use super::*;

const GLUSTER: &str = "gluster";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_brick_that_ends_is_critical_and_a_peer_that_is_away_a_warning() {
    let start =
        |prepare: fn(&mut World)| Bench::start("wpd-2013", cadence(POLL, Duration::from_secs(8)), prepare);
    let named = HostName::new("storage5").unwrap();
    let mut bench = start(|_| ()).await;
    let found = bench.named_as(("storage3", GLUSTER), "both bricks run", ServiceHealth::Ok).await;
    assert_eq!(found, []);
    let service = bench.hosts["storage3"].facts.services.get(GLUSTER).unwrap().current().unwrap().clone();
    // The two differ, as they did in 2013.
    let used = service.text("used").unwrap();
    assert!(used.starts_with("storage3:/srv/storage/wiki-images ") && used.contains(", storage5:"), "{used}");
    assert!(bench.hosts.get("app1").is_none_or(|host| host.facts.services.get(GLUSTER).is_none()));
    assert!(bench.world.lock().unwrap().set_service(&named, "glusterfs-server", false));
    // The one that is stopped says so itself with its next look; its peer asks every two minutes.
    let found = bench.named_as(("storage5", GLUSTER), "it is stopped", ServiceHealth::Down).await;
    assert!(
        found.iter().any(
            |(severity, text)| *severity == Severity::Critical && text.starts_with("glusterd is stopped")
        ),
        "{found:?}"
    );
    drop(bench);

    let mut bench = start(|world| assert!(world.set_brick(&HostName::new("storage5").unwrap(), false))).await;
    let found = bench.named_as(("storage3", GLUSTER), "a brick is down", ServiceHealth::Degraded).await;
    assert_eq!((found.len(), found[0].0), (1, Severity::Critical), "{found:?}");
    assert!(
        found[0]
            .1
            .starts_with("gluster: wiki-images: brick storage5:/srv/storage/wiki-images is down: one more"),
        "{found:?}"
    );
    drop(bench);

    let stop = |world: &mut World| {
        assert!(world.set_service(&HostName::new("storage5").unwrap(), "glusterfs-server", false))
    };
    let mut bench = start(stop).await;
    let found = bench.named_as(("storage3", GLUSTER), "a peer is away", ServiceHealth::Degraded).await;
    assert_eq!((found.len(), found[0].0), (1, Severity::Warning), "{found:?}");
    assert!(found[0].1.starts_with("gluster: peer storage5 is disconnected"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_deleted_files_fill_names_who_holds_them_until_it_is_restarted() {
    let host = HostName::new("db2").unwrap();
    let fill = |world: &mut World| {
        let host = HostName::new("db2").unwrap();
        let free = world.available_kb(&host, "/");
        assert!(world.hold_deleted(&host, "mysql", "/", free - free / 50));
    };
    let mut bench = Bench::start("wpd-2015", cadence(POLL, Duration::from_secs(8)), fill).await;
    let full = |bench: &Bench| {
        let own =
            |p: &Problem| p.kind == ProblemKind::Disk && p.host.as_ref().is_some_and(|h| h.as_str() == "db2");
        bench.problems().into_iter().find(own).map(|p| p.message)
    };
    let named = |bench: &Bench| {
        full(bench)
            .is_some_and(|text| text.contains("deleted files held open by mysqld (pid 1187). They are freed"))
    };
    bench.until("it names who holds them", LONG, |b| b.jump.is_some() && named(b)).await;
    assert!(bench.world.lock().unwrap().restart_service(&host, "mysql"));
    bench.until("the disk has room again", LONG, |b| full(b).is_none()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_fills_and_exports_that_nobody_serves_are_said_of_their_host() {
    const SNAPSHOTS: &str = "lvm-snapshots";
    let host = HostName::new("backup").unwrap();
    let mut bench = Bench::start("wpd-2015", cadence(POLL, Duration::from_secs(8)), |_| ()).await;
    bench.named_as(("backup", "nfs-server"), "the kernel serves them", ServiceHealth::Ok).await;
    assert!(bench.hosts["backup"].facts.services.get(SNAPSHOTS).is_none());
    for (percent, severity, words) in [
        (Some(87), Severity::Warning, "backup1/nightly 87 % in use"),
        (None, Severity::Critical, "backup1/nightly is invalid"),
    ] {
        bench.world.lock().unwrap().set_snapshot(&host, percent);
        let said = |b: &Bench| {
            let judged = b.judged("backup", SNAPSHOTS);
            judged.is_some_and(|(_, found)| {
                found.iter().any(|(is, text)| *is == severity && text.contains(words))
            })
        };
        bench.until(words, LONG, said).await;
    }
    bench.world.lock().unwrap().set_snapshot(&host, Some(12));
    bench.named_as(("backup", SNAPSHOTS), "it was made larger", ServiceHealth::Ok).await;
    assert!(bench.world.lock().unwrap().set_service(&host, "nfs-kernel-server", false));
    let words = "nfs-server is stopped: /etc/exports has 1 entry";
    let said = |b: &Bench| {
        let judged = b.judged("backup", "nfs-server");
        judged.is_some_and(|(_, found)| {
            found.iter().any(|(is, text)| *is == Severity::Warning && text.starts_with(words))
        })
    };
    bench.until("nobody serves them", LONG, said).await;
}
