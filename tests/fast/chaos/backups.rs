//! Backups that stop, shrink or vanish: each by its own name.

use super::*;

const HOST: &str = "backup";

impl Bench {
    /// What is wrong with the backups, worst first.
    fn of_backups(&self) -> Vec<(Severity, String)> {
        let own = |p: &Problem| p.message.starts_with("backup ");
        self.problems().into_iter().filter(own).map(|p| (p.severity, p.message)).collect()
    }

    fn asked(&self) -> bool {
        let names = ["databases", "files", "salt"].map(|key| format!("backup {key}"));
        let services = self.hosts.get(HOST).map(|host| &host.facts.services);
        services.is_some_and(|all| {
            names.iter().all(|name| all.get(name).is_some_and(|fact| fact.gap != Some(Gap::NotAsked)))
        })
    }

    /// Waits for these problems and no others.
    async fn backups_as(&mut self, what: &str, wanted: &[(Severity, &str)]) {
        let until = Instant::now() + LONG;
        loop {
            let found = if self.jump.is_some() && self.asked() { self.of_backups() } else { Vec::new() };
            let mut pairs = found.iter().zip(wanted);
            let fits = found.len() == wanted.len()
                && pairs.all(|(is, want)| is.0 == want.0 && is.1.contains(want.1));
            if fits && self.asked() {
                return;
            }
            assert!(self.next(until).await, "{what}: {found:?}");
        }
    }
}

fn often() -> Cadence {
    cadence(Duration::from_millis(200), Duration::from_secs(8))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_that_stopped_is_critical_and_well_again_when_one_comes() {
    let mut bench = Bench::up("wpd-2015", often()).await;
    bench.backups_as("all are well", &[]).await;
    let host = HostName::new(HOST).unwrap();
    let kept = bench.world.lock().unwrap().newest_backup(&host, "/mnt/backup/mysql").unwrap();
    {
        let mut world = bench.world.lock().unwrap();
        assert!(world.miss_backups(&host, "/mnt/backup/mysql", 3) > 30);
        assert!(world.resize_backup(&host, "/mnt/backup/files", 1_000_000));
    }
    let wanted = [
        (Severity::Critical, "backup databases: newest file webplatform-"),
        (Severity::Warning, "backup files: newest file webplatform-"),
    ];
    bench.backups_as("each is named", &wanted).await;
    let found = bench.of_backups();
    assert!(found[0].1.contains(" days old, at most 26 h is allowed. Look"), "{found:?}");
    assert!(found[1].1.contains(".tar.gz is only 977K, the one before has "), "{found:?}");

    {
        let mut world = bench.world.lock().unwrap();
        let (path, file) = kept;
        world.store_file(&host, &path, Vec::new(), file.size, file.attributes);
    }
    bench.backups_as("a dump came", &[wanted[1]]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_dump_and_a_folder_without_any_are_named() {
    let host = HostName::new(HOST).unwrap();
    let mut bench = Bench::start("wpd-2015", often(), |_| ()).await;
    {
        let mut world = bench.world.lock().unwrap();
        assert!(world.resize_backup(&host, "/mnt/backup/mysql", 0));
        assert_eq!(world.miss_backups(&host, "/mnt/backup/files", 1000), 0);
        assert!(world.rename(&host, "/mnt/backup/salt", "/mnt/backup/elsewhere"));
    }
    let wanted = [
        (Severity::Critical, "backup files: there is no file /mnt/backup/files/*.tar.gz. Look"),
        (
            Severity::Unknown,
            "backup salt failed: the folder /mnt/backup/salt is missing: say in the inventory",
        ),
        (Severity::Warning, "is empty, the one before has "),
    ];
    bench.backups_as("each is named", &wanted).await;
}
