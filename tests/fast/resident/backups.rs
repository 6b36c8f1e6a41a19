//! The probe of backups under every shell, against folders of the test's own.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jumpdeck_fleet::backup::{DAY, DeclaredBackup};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::Service;
use jumpdeck_fleet::service::backups::findings;

use super::bench::{Sudo, as_nobody};
use crate::support::shell::{Resident, find, host, script, shells_here};

const HOUR: u64 = 3600;

fn declared(key: &str, folder: &Path, pattern: &str) -> Arc<DeclaredBackup> {
    Arc::new(DeclaredBackup {
        name: DeclaredBackup::name_of(key),
        roles: Vec::new(),
        folder: folder.display().to_string(),
        pattern: pattern.to_owned(),
        every: DAY,
        when_old: None,
        built_in: false,
    })
}

struct Bench {
    dir: tempfile::TempDir,
    backups: Vec<Arc<DeclaredBackup>>,
}

impl Bench {
    /// A folder of dumps, and one of archives.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let [dumps, archives] = ["dumps", "archives"].map(|name| dir.path().join(name));
        fs::create_dir(&dumps).unwrap();
        fs::create_dir(&archives).unwrap();
        let backups = vec![declared("db1", &dumps, "*.sql.gz"), declared("files", &archives, "files-?.tar")];
        Self { dir, backups }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A file that is so old; negative: of the future.
    fn file(&self, name: &str, size: usize, age: i64) {
        fs::write(self.path(name), vec![b'x'; size]).unwrap();
        let now = SystemTime::now();
        let by = Duration::from_secs(age.unsigned_abs());
        let modified = if age < 0 { now + by } else { now - by };
        File::options().append(true).open(self.path(name)).unwrap().set_modified(modified).unwrap();
    }

    fn host(&self) -> Host {
        Host { backups: self.backups.clone(), ..host("backup") }
    }

    fn start(&self, shell: &[&str]) -> Resident {
        self.start_with(shell, |program| program)
    }

    fn start_with(&self, shell: &[&str], change: impl Fn(String) -> String) -> Resident {
        let host = self.host();
        let (mut it, _) = Resident::start(shell, &host, self.dir.path(), change);
        it.facts.services.follow(&host);
        it
    }

    /// What a shell that has just begun says of one.
    fn told(&self, shell: &[&str], key: &str) -> Result<Service, Gap> {
        let mut it = self.start(shell);
        it.poll(&["backups"]);
        let service = service(&it, key);
        assert!(it.finish().success(), "{shell:?}");
        service
    }

    fn severity(&self, shell: &[&str], key: &str) -> Option<Severity> {
        let service = self.told(shell, key).unwrap();
        let name = DeclaredBackup::name_of(key);
        let backup = self.backups.iter().find(|backup| backup.name == name).unwrap();
        findings(backup, &service).iter().map(|finding| finding.severity).max()
    }
}

fn service(it: &Resident, key: &str) -> Result<Service, Gap> {
    let fact = it.facts.services.get(&DeclaredBackup::name_of(key)).unwrap();
    fact.current().map(|service| service.as_ref().clone()).ok_or_else(|| fact.gap.clone().unwrap())
}

#[test]
fn every_shell_finds_the_newest_file_whatever_else_is_there() {
    for shell in shells_here() {
        let bench = Bench::new();
        // Its age is that of its last change, whatever its name says; what is unfinished, elsewhere or no file is none of them.
        bench.file("dumps/2026-11-29.sql.gz", 3000, 20 * 3600);
        bench.file("dumps/2026-11-28.sql.gz", 2900, 44 * 3600);
        bench.file("dumps/2026-12-31.sql.gz", 10, 90 * 3600);
        bench.file("dumps/2026-11-30.sql.gz.part", 5, 7200);
        bench.file("dumps/.hidden.sql.gz", 5, 7200);
        bench.file("dumps/notes.txt", 5, 7200);
        fs::create_dir(bench.path("dumps/folder.sql.gz")).unwrap();
        symlink("2026-11-29.sql.gz", bench.path("dumps/latest.sql.gz")).unwrap();
        symlink("nowhere", bench.path("dumps/dead.sql.gz")).unwrap();
        let found = bench.told(shell, "db1").unwrap();
        assert_eq!(found.text("newest"), Some("2026-11-29.sql.gz"), "{shell:?}: {found:?}");
        assert_eq!(found.text("before"), Some("2026-11-28.sql.gz"), "{shell:?}: {found:?}");
        assert_eq!(
            (found.amount("size"), found.amount("size_before")),
            (Some(3000), Some(2900)),
            "{shell:?}"
        );
        let age = found.amount("age").unwrap();
        assert!((20 * HOUR..20 * HOUR + 60).contains(&age), "{shell:?}: {age}");
        assert_eq!(bench.severity(shell, "db1"), None, "{shell:?}");

        bench.file("dumps/2026-11-30.sql.gz", 7, 5);
        let found = bench.told(shell, "db1").unwrap();
        let said = (found.text("newest"), found.text("being_written"));
        assert_eq!(said, (Some("2026-11-29.sql.gz"), Some("2026-11-30.sql.gz")), "{shell:?}");

        bench.file("archives/files-1.tar", 9, 53 * 3600);
        bench.file("archives/files-22.tar", 9, 100);
        assert_eq!(bench.severity(shell, "files"), Some(Severity::Critical), "{shell:?}");
    }
}

#[test]
fn every_shell_tells_late_small_and_future_ones_and_none() {
    for shell in shells_here() {
        let bench = Bench::new();
        let none = bench.told(shell, "db1").unwrap();
        assert!(!none.running && none.detail.as_str().contains("/dumps/*.sql.gz"), "{shell:?}: {none:?}");
        bench.file("dumps/a.sql.gz", 1000, 30 * 3600);
        assert_eq!(bench.severity(shell, "db1"), Some(Severity::Warning), "{shell:?}: late");
        bench.file("dumps/b.sql.gz", 0, 3600);
        assert_eq!(bench.severity(shell, "db1"), Some(Severity::Warning), "{shell:?}: empty");
        bench.file("dumps/b.sql.gz", 999, 3600);
        assert_eq!(bench.severity(shell, "db1"), None, "{shell:?}");
        bench.file("dumps/c.sql.gz", 999, -3600);
        assert_eq!(bench.severity(shell, "db1"), Some(Severity::Unknown), "{shell:?}: of the future");
        fs::remove_dir_all(bench.path("dumps")).unwrap();
        let gone = bench.told(shell, "db1").unwrap();
        assert!(!gone.running && gone.detail.as_str().ends_with("dumps is missing"), "{shell:?}: {gone:?}");
        // Something is there, and it cannot be opened.
        symlink("/nowhere/at/all", bench.path("dumps")).unwrap();
        assert!(matches!(bench.told(shell, "db1"), Err(Gap::Failed(_))), "{shell:?}");
        fs::remove_file(bench.path("dumps")).unwrap();
        fs::write(bench.path("dumps"), "").unwrap();
        assert!(matches!(bench.told(shell, "db1"), Err(Gap::Failed(_))), "{shell:?}: no folder");
    }
}

/// A question that ended before the shell could write down which process it is was taken for a failed one.
#[test]
fn an_answer_that_comes_before_its_process_id_is_one() {
    for shell in shells_here() {
        let bench = Bench::new();
        let late = |program: String| program.replace("echo \"@jd-pid", "sleep 0.2; echo \"@jd-pid");
        let mut it = bench.start_with(shell, late);
        it.poll(&["backups"]);
        assert!(service(&it, "db1").is_ok_and(|none| !none.running), "{shell:?}: {:?}", service(&it, "db1"));
        assert!(it.facts.filesystems.current().is_some(), "{shell:?}: {:?}", it.facts.filesystems.gap);
        assert!(it.finish().success(), "{shell:?}");
    }
}

#[test]
fn hostile_names_stay_names() {
    for shell in shells_here() {
        let bench = Bench::new();
        let ran = bench.path("ran");
        let names = [
            format!("$(touch {})", ran.display()).replace('/', "%"),
            "a\n@backup files 0 1\nnow 9\n1 1\nname x".to_owned(),
            "@jd-pid 1".to_owned(),
            "-c %n".to_owned(),
            "a b *".to_owned(),
            "\x1b[2J`id`;'\"".to_owned(),
        ];
        let mut it = bench.start(shell);
        for (i, name) in names.iter().enumerate() {
            let age = 40_000 - i64::try_from(i).unwrap() * 100;
            bench.file(&format!("dumps/{name}.sql.gz"), 100 + i, age);
            for _ in 0..12 {
                it.poll(&["backups"]);
            }
            let found = service(&it, "db1").unwrap();
            // A name of several lines is nobody's backup: it is passed over.
            let seen = 100 + i as u64 - u64::from(name.contains('\n'));
            assert_eq!(found.amount("size"), Some(seen), "{shell:?}: {name:?}: {found:?}");
            assert!(!found.text("newest").unwrap().contains(['\n', '\x1b']), "{shell:?}: {found:?}");
            let other = service(&it, "files").unwrap();
            assert!(!other.running, "{shell:?}: {name:?}: {other:?}");
        }
        assert!(it.finish().success(), "{shell:?}");
        assert!(!ran.exists(), "{shell:?}");
    }
}

/// The age is the host's, and goes on between two looks; what has changed is seen within a dozen reports.
#[test]
fn a_new_file_is_seen_and_nobody_looks_every_time() {
    for shell in shells_here() {
        let bench = Bench::new();
        let asked = bench.path("asked");
        let stat = find("stat").unwrap();
        // Another probe asks it for something else.
        let counting = format!(
            "case \"$*\" in *dumps*) echo >> {} ;; esac\nexec {} \"$@\"",
            asked.display(),
            stat.display()
        );
        script(bench.dir.path(), "stat", &counting);
        let times = || fs::read_to_string(&asked).unwrap_or_default().lines().count();
        bench.file("dumps/a.sql.gz", 10, 3600);
        let mut it = bench.start(shell);
        assert_eq!(times(), 1, "{shell:?}: nothing to ask about in the other folder");
        bench.file("dumps/b.sql.gz", 20, 1800);
        let sees = |it: &Resident| service(it, "db1").is_ok_and(|s| s.text("newest") == Some("b.sql.gz"));
        let mut polls = 0;
        while !sees(&it) {
            polls += 1;
            assert!(polls <= 12, "{shell:?}");
            it.poll(&["backups"]);
        }
        assert_eq!((polls, times()), (12, 2), "{shell:?}");
        assert!(it.finish().success(), "{shell:?}");
    }
}

/// A file server that is gone: its own backup alone is unknown, and nobody waits for it twice.
#[test]
fn a_folder_that_hangs_is_unknown_alone() {
    for shell in shells_here() {
        let mut bench = Bench::new();
        bench.backups.swap(0, 1);
        bench.file("dumps/a.sql.gz", 10, 3600);
        bench.file("archives/files-1.tar", 10, 3600);
        let hangs = format!(
            "case $* in */archives/*) echo $$ >> {0}/pids; exec sleep 60 ;; esac\nexec {1} \"$@\"",
            bench.dir.path().display(),
            find("stat").unwrap().display()
        );
        script(bench.dir.path(), "stat", &hangs);
        let mut it = bench.start(shell);
        let (_, took) = it.poll(&["backups"]);
        assert!(took < Duration::from_secs(2), "{shell:?}: {took:?}: not asked again");
        assert_eq!(service(&it, "files"), Err(Gap::TimedOut), "{shell:?}");
        assert!(service(&it, "db1").unwrap().running, "{shell:?}");
        for _ in 0..3 {
            it.poll(&["backups"]);
        }
        assert_eq!(service(&it, "files"), Err(Gap::Stuck), "{shell:?}");
        let pids = fs::read_to_string(bench.path("pids")).unwrap();
        assert_eq!(pids.lines().count(), 1, "{shell:?}: no second one beside it");
        let killed = std::process::Command::new("kill").arg(pids.trim()).status().unwrap();
        assert!(killed.success(), "{shell:?}");
        assert!(it.finish().success(), "{shell:?}");
    }
}

#[test]
fn what_nobody_may_read_is_unknown() {
    // Root may read everything: there the shell is one of another account.
    let as_root = fs::metadata("/proc/self").map(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0).unwrap();
    let Some(setpriv) = find("setpriv").filter(|_| as_root) else {
        assert!(!as_root, "setpriv is missing");
        return;
    };
    let setpriv = setpriv.display().to_string();
    for shell in shells_here() {
        let bench = Bench::new();
        bench.file("dumps/a.sql.gz", 10, 3600);
        let mode = |name: &str, mode| {
            fs::set_permissions(bench.path(name), fs::Permissions::from_mode(mode)).unwrap()
        };
        fs::set_permissions(bench.dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let nobody =
            [&[setpriv.as_str(), "--reuid=65534", "--regid=65534", "--clear-groups"], shell].concat();
        assert!(bench.told(&nobody, "db1").unwrap().running, "{shell:?}");
        for closed in [0o700, 0o744, 0o711] {
            mode("dumps", closed);
            let found = bench.told(&nobody, "db1");
            assert!(matches!(found, Err(Gap::NotPermitted(_))), "{shell:?}: {closed:o}: {found:?}");
        }
        // A folder above it is closed: nobody knows whether it is there.
        fs::create_dir(bench.path("closed")).unwrap();
        mode("closed", 0o700);
        let backups = vec![declared("db1", &bench.path("closed/dumps/x"), "*")];
        let bench = Bench { backups, dir: bench.dir };
        let found = bench.told(&nobody, "db1");
        assert!(matches!(found, Err(Gap::NotPermitted(_))), "{shell:?}: {found:?}");
    }
}

/// With `sudo = true` what the account may not read is read as root; where sudo refuses, the reason of before stays.
#[test]
fn a_closed_folder_is_read_by_sudo_and_is_unknown_where_sudo_refuses() {
    for shell in shells_here() {
        let bench = Bench::new();
        bench.file("dumps/a.sql.gz", 10, 3600);
        bench.file("archives/files-1.tar", 20, 3600);
        fs::set_permissions(bench.dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        fs::set_permissions(bench.path("dumps"), fs::Permissions::from_mode(0o700)).unwrap();
        let nobody = as_nobody();
        let nobody: Vec<&str> = nobody.iter().map(String::as_str).chain(shell.iter().copied()).collect();
        let told = || {
            let host = Host { sudo: true, ..bench.host() };
            let (mut it, _) = Resident::start(&nobody, &host, bench.dir.path(), |program| program);
            it.facts.services.follow(&host);
            it.poll(&["backups"]);
            let found = ["db1", "files"].map(|key| service(&it, key));
            assert!(it.finish().success(), "{shell:?}");
            found
        };
        script(bench.dir.path(), "sudo", "echo 'sudo: a password is required' >&2; exit 1");
        let [closed, other] = told();
        let Err(gap) = closed else { panic!("{shell:?}: {closed:?}") };
        assert!(!matches!(gap, Gap::NotInstalled | Gap::NotAsked), "{shell:?}: {gap:?}");
        assert!(gap.describe().contains("a password is required"), "{shell:?}: {gap:?}");
        assert_eq!(other.unwrap().amount("size"), Some(20), "{shell:?}: the other is read without it");

        let sudo = Sudo::serve(bench.dir.path());
        let [read, _] = told();
        assert_eq!(read.unwrap().text("newest"), Some("a.sql.gz"), "{shell:?}");
        drop(sudo);
    }
}

/// Ten thousand files cost what `ls` of them does.
#[test]
fn a_folder_of_ten_thousand_files_is_looked_through_in_time() {
    let bench = Bench::new();
    for i in 0..10_000 {
        fs::write(bench.path(&format!("dumps/webplatform-database-{i:05}.sql.gz")), "x").unwrap();
    }
    bench.file("dumps/webplatform-database-05000.sql.gz", 77, -30);
    bench.file("dumps/webplatform-database-05001.sql.gz", 78, -20);
    for shell in shells_here() {
        let found = bench.told(shell, "db1").unwrap();
        assert_eq!(found.text("being_written"), Some("webplatform-database-05000.sql.gz"), "{shell:?}");
        assert_eq!(found.amount("size"), Some(78), "{shell:?}");
    }
}
