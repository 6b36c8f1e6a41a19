//! The probe of a host's upkeep under every shell, with files and programs of the test's own.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::upkeep::{UpdateSource, Upkeep};

use super::bench::as_nobody;
use super::own_processes;
use crate::support::shell::{Resident, host, script, shells_here};

const SYSTEMCTL: &str =
    "echo x >> \"${0%/*}/asked\"\n[ ! -e \"${0%/*}/hangs\" ] || exec sleep 60\ncat \"${0%/*}/failed\"";
/// Says what would be installed, in the words of apt 2.6.
const APT: &str = "echo \"$@\" >> \"${0%/*}/apt-asked\"\ncat \"${0%/*}/apt\"";

struct Keeper {
    dir: tempfile::TempDir,
    it: Resident,
}

impl Keeper {
    fn start(shell: &[&str], prepare: impl FnOnce(&Path)) -> Self {
        Self::start_changed(shell, prepare, |program, _| program)
    }

    /// With the program as `more` makes it of that and the folder.
    fn start_changed(
        shell: &[&str],
        prepare: impl FnOnce(&Path),
        more: impl Fn(String, &str) -> String,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().display().to_string();
        super::process(dir.path(), "1", "init", "/sbin/init");
        std::fs::create_dir_all(dir.path().join("dpkg")).unwrap();
        std::fs::create_dir_all(dir.path().join("boot")).unwrap();
        script(dir.path(), "systemctl", SYSTEMCTL);
        script(dir.path(), "apt-get", APT);
        script(dir.path(), "who", "cat \"${0%/*}/who.txt\"");
        for (file, text) in [
            ("failed", ""),
            ("who.txt", ""),
            ("mounts", "/dev/vda1 / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\n"),
            ("vmstat", "nr_free_pages 9\noom_kill 0\nunevictable_pgs_culled 0\n"),
            ("osrelease", "6.1.0-28-amd64\n"),
            (
                "apt",
                "Reading package lists...\n0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n",
            ),
        ] {
            std::fs::write(dir.path().join(file), text).unwrap();
        }
        prepare(dir.path());
        let own = own_processes(dir.path());
        let change = |program: String| {
            let program =
                more(own(program), &here).replace("/run/systemd/system ]", &format!("{here}/systemd ]"));
            let program = program.replace("in /run/reboot-required", &format!("in {here}/reboot-required"));
            let program = program.replace("/boot/vmlinuz-", &format!("{here}/boot/vmlinuz-"));
            let program = program.replace("/proc/mounts", &format!("{here}/mounts"));
            let program = program.replace("/etc/fstab", &format!("{here}/fstab"));
            let program = program.replace("/etc/os-release", &format!("{here}/os-release"));
            let program = program.replace("/proc/vmstat", &format!("{here}/vmstat"));
            let program = program
                .replace("slurp /proc/sys/kernel/osrelease\nset", &format!("slurp {here}/osrelease\nset"));
            let program = program.replace("/var/lib/update-notifier", &here);
            let program = program.replace("/var/cache/salt", &format!("{here}/salt"));
            let program = program.replace("/var/spool/anacron", &format!("{here}/anacron-spool"));
            program
                .replace("/var/lib/apt/", &format!("{here}/"))
                .replace("/var/lib/dpkg", &format!("{here}/dpkg"))
                .replace("/etc/apt", &format!("{here}/etc-apt"))
        };
        let (it, _) = Resident::start_long(shell, &host("app1"), dir.path(), change);
        Self { dir, it }
    }

    fn says(&self, file: &str, text: &str) {
        std::fs::write(self.dir.path().join(file), text).unwrap();
    }

    fn asked(&self, file: &str) -> usize {
        std::fs::read_to_string(self.dir.path().join(file)).unwrap_or_default().lines().count()
    }

    fn known(&self) -> Upkeep {
        let fact = &self.it.facts.upkeep;
        fact.current().cloned().unwrap_or_else(|| panic!("{fact:?}"))
    }

    fn poll(&mut self) -> Upkeep {
        self.it.poll(&["upkeep"]);
        self.known()
    }

    /// What is asked with every fourth look: the look that asks again, where the last one asked.
    fn poll_fourth(&mut self) -> Upkeep {
        (0..3).for_each(|_| drop(self.poll()));
        self.poll()
    }
}

fn with_systemd(dir: &Path) {
    std::fs::create_dir(dir.join("systemd")).unwrap();
}

#[test]
fn every_shell_reads_kernels_and_counters() {
    for shell in shells_here() {
        let mut keeper = Keeper::start(shell, |_| ());
        let well = keeper.known();
        assert_eq!(
            (&well.reboot, &well.oom_kills),
            (&Err(Gap::NotInstalled), &Ok(0)),
            "{shell:?}: no kernel"
        );
        assert_eq!(well.failed_units, Err(Gap::NotInstalled), "{shell:?}: no systemd here");
        assert_eq!(well.clock_keeper, Ok(None), "{shell:?}");
        assert!(well.today.is_some_and(|day| day.as_str().len() == 10), "{shell:?}");

        keeper.says("vmstat", "nr_free_pages 9\noom_kill 2\n");
        (10..60).for_each(|n| keeper.says(&format!("boot/vmlinuz-0-rescue-{n}"), ""));
        keeper.says("boot/vmlinuz-6.1.0-28-amd64", "");
        assert_eq!(keeper.poll_fourth().reboot, Ok(None), "{shell:?}");
        keeper.says("boot/vmlinuz-6.1.0-29-amd64", "");
        let ill = keeper.poll_fourth();
        let words = ill.reboot.unwrap().unwrap().words();
        assert_eq!(words, "kernel 6.1.0-28-amd64 runs, 6.1.0-29-amd64 is installed", "{shell:?}");
        keeper.says("reboot-required", "*** System restart required ***\n");
        keeper.says("reboot-required.pkgs", "libc6\ndbus\nlibc6\n");
        let ill = keeper.poll_fourth();
        assert_eq!(ill.reboot.unwrap().unwrap().words(), "dbus and 1 more", "{shell:?}");
        assert_eq!(ill.oom_kills, Ok(2), "{shell:?}");
        // Before Linux 4.13, and where it cannot be read.
        keeper.says("vmstat", "nr_free_pages 9\n");
        assert_eq!(keeper.poll_fourth().oom_kills, Err(Gap::NotInstalled), "{shell:?}");
        std::fs::remove_file(keeper.dir.path().join("vmstat")).unwrap();
        assert!(matches!(keeper.poll_fourth().oom_kills, Err(Gap::NotPermitted(_))), "{shell:?}");
        assert!(keeper.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn every_shell_names_what_is_read_only_and_should_not_be() {
    let mounts = "/dev/vda1 / ext4 rw,relatime 0 0\n/dev/vdb /srv xfs ro,relatime 0 0\n/dev/vdc /usr ext4 ro 0 0\n\
                  /dev/vdd /by/hand ext4 ro,noatime 0 0\n/dev/loop3 /snap/core/1 squashfs ro,nodev 0 0\n\
                  /dev/vde /mnt/my\\040backup ext4 rw,errors=remount-ro 0 0\n";
    let fstab = "# /etc/fstab\nUUID=1 / ext4 errors=remount-ro 0 1\n/dev/vdb\t/srv\txfs\tdefaults 0 2\n\n\
                 /dev/vdc /usr ext4 defaults,ro 0 2\n/dev/vde /mnt/my\\040backup ext4 defaults 0 2\n";
    for shell in shells_here() {
        let mut keeper = Keeper::start(shell, |dir| std::fs::write(dir.join("fstab"), fstab).unwrap());
        assert_eq!(keeper.known().read_only, Ok(Vec::new()), "{shell:?}");
        keeper.says("mounts", mounts);
        assert_eq!(keeper.poll().read_only, Ok(vec!["/srv".into()]), "{shell:?}");
        std::fs::remove_file(keeper.dir.path().join("fstab")).unwrap();
        assert_eq!(keeper.poll().read_only, Ok(Vec::new()), "{shell:?}: nobody says what it should be");
        std::fs::remove_file(keeper.dir.path().join("mounts")).unwrap();
        assert!(keeper.poll().read_only.is_err(), "{shell:?}");
        assert!(keeper.it.finish().success(), "{shell:?}");
    }
}

/// They are asked for every hour: a report that had no time does not count.
#[test]
fn what_a_report_had_no_time_for_is_asked_with_the_next() {
    for shell in shells_here() {
        let late_from_the_beginning = |dir: &Path| std::fs::write(dir.join("late"), "").unwrap();
        let mut keeper = Keeper::start_changed(shell, late_from_the_beginning, super::while_late);
        assert_eq!((keeper.known().today, keeper.asked("apt-asked")), (None, 0), "{shell:?}");
        std::fs::remove_file(keeper.dir.path().join("late")).unwrap();
        assert!(keeper.poll().today.is_some(), "{shell:?}");
        keeper.says("late", "");
        assert!(keeper.poll().updates.is_err(), "{shell:?}");
        std::fs::remove_file(keeper.dir.path().join("late")).unwrap();
        assert!(keeper.poll().updates.is_ok(), "{shell:?}");
        assert!(keeper.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn systemd_and_terminals_are_asked_rarely_and_their_answers_kept() {
    for shell in shells_here() {
        let mut keeper = Keeper::start(shell, |dir| {
            with_systemd(dir);
            let failed = "nginx.service loaded failed failed A high performance web server\n";
            std::fs::write(dir.join("failed"), failed).unwrap();
            std::fs::write(dir.join("who.txt"), "ops      pts/0        2026-11-30 06:01 (203.0.113.5)\n")
                .unwrap();
            super::process(dir, "88", "chronyd", "/usr/sbin/chronyd\0");
        });
        for _ in 0..3 {
            let upkeep = keeper.poll();
            assert_eq!(upkeep.failed_units, Ok(vec!["nginx.service".into()]), "{shell:?}");
            assert_eq!(upkeep.logged_in.unwrap().len(), 1, "{shell:?}");
            assert_eq!(upkeep.clock_keeper, Ok(Some("chronyd".into())), "{shell:?}");
        }
        assert_eq!(keeper.asked("asked"), 1, "{shell:?}");
        keeper.says("failed", "");
        assert_eq!(keeper.poll().failed_units, Ok(Vec::new()), "{shell:?}");
        assert_eq!(keeper.asked("asked"), 2, "{shell:?}");
        assert!(keeper.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn a_package_manager_is_asked_once_an_hour_and_not_by_a_connection_that_just_came() {
    for shell in shells_here() {
        let simulated = "Inst libc6 [2.36-9+deb12u9] (2.36-9+deb12u10 Debian-Security:12/stable-security [amd64])\n\
                         Inst libspring-security-java [1-1] (1-2 Debian:12.9/stable [all])\n\
                         2 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n";
        let mut keeper = Keeper::start(shell, |dir| std::fs::write(dir.join("apt"), simulated).unwrap());
        assert_eq!(keeper.known().updates, Err(Gap::NotAsked), "{shell:?}");
        for _ in 0..3 {
            let updates = keeper.poll().updates.unwrap();
            assert_eq!((updates.security, updates.all), (1, Some(2)), "{shell:?}");
            assert_eq!(updates.source, UpdateSource::Apt, "{shell:?}");
        }
        assert_eq!(keeper.asked("apt-asked"), 1, "{shell:?}");
        assert!(keeper.it.finish().success(), "{shell:?}");
    }
}

/// Asked with every fourth look, and every sixteenth whatever has changed, instead of every 120th and 2880th.
fn hastily(program: String, _: &str) -> String {
    program.replace("upkeep_n % 120", "upkeep_n % 4").replace("upkeep_n % 2880", "upkeep_n % 16")
}

#[test]
fn a_package_manager_is_asked_again_when_its_answer_may_be_another() {
    for shell in shells_here() {
        let none = "0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n";
        let one = format!("Inst libc6 [1] (2 Debian-Security:12/stable-security [amd64])\n{none}");
        let write = |dir: &Path| {
            std::fs::create_dir_all(dir.join("lists")).unwrap();
            std::fs::write(dir.join("dpkg/status"), "Package: libc6\n").unwrap();
            std::fs::write(dir.join("apt"), &one).unwrap();
        };
        let mut keeper = Keeper::start_changed(shell, write, hastily);
        let dir = keeper.dir.path().to_owned();
        let mut look = |at: usize, asked: usize, security: Option<u64>| {
            // The look with that number; the first was the connection's.
            let upkeep = keeper.poll();
            assert_eq!(keeper.asked("apt-asked"), asked, "{shell:?}: look {at}");
            let said = upkeep.updates.as_ref().ok().map(|updates| updates.security);
            assert_eq!(said, security, "{shell:?}: look {at}");
        };
        (1..=7).for_each(|at| look(at, 1, Some(1)));
        // Installed.
        std::fs::write(dir.join("new"), "Package: libc6\nVersion: 2\n").unwrap();
        std::fs::rename(dir.join("new"), dir.join("dpkg/status")).unwrap();
        std::fs::write(dir.join("apt"), none).unwrap();
        look(8, 2, Some(0));
        (9..=11).for_each(|at| look(at, 2, Some(0)));
        // Lists were refreshed. What it could not answer is asked again.
        std::fs::write(dir.join("lists/security"), "").unwrap();
        std::fs::write(dir.join("apt"), "E: dpkg was interrupted\n").unwrap();
        look(12, 3, None);
        (13..=15).for_each(|at| look(at, 3, None));
        std::fs::write(dir.join("apt"), &one).unwrap();
        look(16, 4, Some(1));
        (17..=31).for_each(|at| look(at, 4, Some(1)));
        // Once a day.
        look(32, 5, Some(1));
        assert!(keeper.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn every_shell_counts_the_rows_of_dnf_and_none_where_centos_cannot_say() {
    // yum breaks a long row after the name.
    let rows = "echo 'openssl.x86_64   1:3.0.7-27.el9   baseos'\n\
                echo 'python3-a-very-long-name-indeed.noarch'\necho '      1.0.16-2.el9   appstream'\n\
                echo 'Obsoleting Packages'\necho 'grub2.x86_64   1:2.06-80.el9   baseos'\nexit 100";
    for shell in shells_here() {
        let mut keeper = Keeper::start(shell, |dir| {
            std::fs::remove_dir(dir.join("dpkg")).unwrap();
            std::fs::write(
                dir.join("os-release"),
                "NAME=\"Rocky Linux\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
            )
            .unwrap();
            script(dir, "dnf", rows);
        });
        let updates = keeper.poll().updates.unwrap();
        assert_eq!((updates.security, updates.source), (2, UpdateSource::Rpm), "{shell:?}");
        assert!(keeper.it.finish().success(), "{shell:?}");
        let mut keeper = Keeper::start(shell, |dir| {
            std::fs::remove_dir(dir.join("dpkg")).unwrap();
            std::fs::write(dir.join("os-release"), "NAME=\"CentOS Linux\"\nID=\"centos\"\n").unwrap();
            script(dir, "dnf", "exit 0");
        });
        assert_eq!(keeper.poll().updates, Err(Gap::NotInstalled), "{shell:?}");
        assert!(keeper.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn what_the_package_manager_cannot_say_is_unknown_and_what_update_notifier_wrote_is_read() {
    for shell in shells_here() {
        let locked =
            "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.\n";
        let mut keeper = Keeper::start(shell, |dir| std::fs::write(dir.join("apt"), locked).unwrap());
        match keeper.poll().updates {
            Err(Gap::Failed(why)) => {
                assert!(why.as_str().contains("dpkg was interrupted"), "{shell:?}: {why}")
            }
            other => panic!("{shell:?}: {other:?}"),
        }
        assert!(keeper.it.finish().success(), "{shell:?}");
        let mut keeper = Keeper::start(shell, |dir| std::fs::write(dir.join("apt"), "\x1b[2J\n").unwrap());
        assert!(matches!(keeper.poll().updates, Err(Gap::Unreadable(_))), "{shell:?}");
        assert!(keeper.it.finish().success(), "{shell:?}");

        let said = "\n12 packages can be updated.\n9 updates are security updates.\n\n";
        let keeper = Keeper::start(shell, |dir| {
            std::fs::write(dir.join("updates-available"), said).unwrap();
            std::fs::create_dir(dir.join("lists")).unwrap();
        });
        let updates = keeper.known().updates.unwrap();
        assert_eq!(
            (updates.security, updates.all, updates.source),
            (9, Some(12), UpdateSource::UpdateNotifier)
        );
        assert!(updates.lists_age_s.is_some_and(|age| age < 600), "{shell:?}: {updates:?}");
        assert_eq!(keeper.asked("apt-asked"), 0, "{shell:?}");
        assert!(keeper.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn a_systemd_that_hangs_or_fails_is_unknown_and_holds_up_nothing() {
    for shell in shells_here().into_iter().take(2) {
        let mut keeper = Keeper::start(shell, |dir| {
            with_systemd(dir);
            std::fs::write(dir.join("hangs"), "").unwrap();
        });
        assert_eq!(keeper.known().failed_units, Err(Gap::TimedOut), "{shell:?}");
        assert_eq!(keeper.known().oom_kills, Ok(0), "{shell:?}");
        std::fs::remove_file(keeper.dir.path().join("hangs")).unwrap();
        script(keeper.dir.path(), "systemctl", "echo 'Failed to connect to bus: No such file' >&2; exit 1");
        (0..3).for_each(|_| drop(keeper.poll()));
        let failed = keeper.poll().failed_units;
        assert!(
            matches!(&failed, Err(Gap::Failed(why)) if why.as_str().contains("bus")),
            "{shell:?}: {failed:?}"
        );
        assert!(keeper.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn every_shell_says_when_salt_and_anacron_last_did_something() {
    for shell in shells_here() {
        let mut keeper = Keeper::start(shell, |_| ());
        let without = keeper.known();
        assert_eq!(without.states_age_s, Err(Gap::NotInstalled), "{shell:?}");
        assert_eq!(without.daily_jobs_age_s, Err(Gap::NotInstalled), "{shell:?}");

        std::fs::create_dir_all(keeper.dir.path().join("salt/minion")).unwrap();
        assert_eq!(keeper.poll_fourth().states_age_s, Ok(None), "{shell:?}");
        keeper.says("salt/minion/highstate.cache.p", "\u{1b}[2J@salt 0");
        std::fs::create_dir(keeper.dir.path().join("anacron-spool")).unwrap();
        keeper.says("anacron-spool/cron.daily", "20261130\n");
        let there = keeper.poll_fourth();
        assert!(there.states_age_s.unwrap().is_some_and(|age| age < 600), "{shell:?}");
        // What was left behind by a program that is gone.
        assert_eq!(there.daily_jobs_age_s, Err(Gap::NotInstalled), "{shell:?}");
        script(keeper.dir.path(), "anacron", "exit 1");
        let ago = std::time::SystemTime::now() - std::time::Duration::from_secs(300_000);
        let file = std::fs::File::open(keeper.dir.path().join("anacron-spool/cron.daily")).unwrap();
        file.set_modified(ago).unwrap();
        let age = keeper.poll_fourth().daily_jobs_age_s.unwrap();
        assert!((300_000..300_600).contains(&age), "{shell:?}: {age}");
        assert!(keeper.it.finish().success(), "{shell:?}");

        let nobody = as_nobody();
        let nobody: Vec<&str> = nobody.iter().map(String::as_str).chain(shell.iter().copied()).collect();
        let closed = |dir: &Path| {
            let mode =
                |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
            mode(dir, 0o755);
            script(dir, "anacron", "exit 1");
            std::fs::create_dir(dir.join("anacron-spool")).unwrap();
            mode(&dir.join("anacron-spool"), 0o000);
        };
        let jobs = Keeper::start(&nobody, closed).known().daily_jobs_age_s;
        assert!(matches!(jobs, Err(Gap::NotPermitted(_))), "{shell:?}: {jobs:?}");
    }
}
