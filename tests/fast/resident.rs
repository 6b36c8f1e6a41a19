//! The resident probe under every shell that may be a host's `/bin/sh`, against this machine's own `/proc`.

mod backups;
mod bench;
mod ceph_health;
mod checks;
mod cloud_servers;
mod code_trees;
mod database_files;
mod deleted_files;
mod elasticsearch;
mod exim;
mod gluster;
mod grains;
mod lvm_snapshots;
mod mdraid;
mod memcached;
mod monit;
mod nfs_server;
mod postfix;
mod redis;
mod salt_minions;
mod smart;
mod tools;
mod units;
mod upkeep;
mod web_status;

use std::path::Path;
use std::time::Duration;

use crate::support::shell::{Resident, find, host, script, shells_here};
use jumpdeck::collect::resident::{learn_clock, sections};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::time::Moment;

/// A report has no time for a question while there is a file `late` in the folder.
fn while_late(program: String, dir: &str) -> String {
    let late = format!("[ -e '{dir}/late' ]");
    let (soon, over) = ("[ \"$jd_seconds\" -lt 1 ]", "[ \"$((jd_up - jd_begun))\" -ge 700 ]");
    assert!(program.contains(soon) && program.contains(over));
    program.replace(soon, &late).replace(over, &late)
}

const QUICK: &[&str] = &["identity", "load", "memory", "uptime"];

fn as_it_is(program: String) -> String {
    program
}

#[test]
fn every_shell_reports_what_the_kernel_says() {
    for shell in shells_here() {
        let dir = tempfile::tempdir().unwrap();
        let host = host("app1");
        let (mut it, report) = Resident::start(shell, &host, dir.path(), as_it_is);
        let names: Vec<&str> = report.sections.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, sections(&host, 0), "{shell:?}");

        // A machine that is busy with other tests may need more than the probe's limit.
        for again in 0.. {
            match it.facts.filesystems.current() {
                Some(_) => break,
                None => assert!(again < 10, "{shell:?}: {:?}", it.facts.filesystems),
            }
            it.poll(&["filesystems"]);
        }
        let facts = &it.facts;
        let kernel = |path: &str| std::fs::read_to_string(path).unwrap().trim().to_owned();
        assert_eq!(
            facts.identity.current().unwrap().hostname.as_str(),
            kernel("/proc/sys/kernel/hostname"),
            "{shell:?}"
        );
        assert!(facts.load.current().unwrap().cpus.unwrap() >= 1, "{shell:?}");
        assert!(facts.memory.current().unwrap().total_kb > 0, "{shell:?}");
        assert!(facts.uptime.current().unwrap() > &Duration::ZERO, "{shell:?}");
        assert_eq!(
            facts.os.current().unwrap().kernel.as_ref().unwrap().as_str(),
            kernel("/proc/sys/kernel/osrelease")
        );
        let all = facts.filesystems.current().unwrap();
        let root = all.iter().find(|f| f.mount.as_str() == "/");
        let root = root.unwrap_or_else(|| panic!("{shell:?}: no / in {:?}", facts.filesystems));
        assert!(root.usage.as_ref().unwrap().use_percent.is_some(), "{shell:?}");

        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        learn_clock(
            &report,
            i64::try_from(now.as_millis()).unwrap(),
            Duration::ZERO,
            Moment(0),
            &mut it.facts,
        );
        assert!(it.facts.clock_offset_ms.current().unwrap().abs() < 20_000, "{shell:?}");
        let prompt = *it.facts.clock_offset_ms.current().unwrap();
        let (arrived, took) = (i64::try_from(now.as_millis()).unwrap(), Duration::from_secs(60));
        learn_clock(&report, arrived, took, Moment(0), &mut it.facts);
        let slow = *it.facts.clock_offset_ms.current().unwrap();
        assert!(slow - prompt < 1_000, "{shell:?}: a report that took a minute is no clock that is ahead");

        for _ in 0..3 {
            let (report, _) = it.poll(QUICK);
            assert_eq!(report.sections.len(), QUICK.len(), "{shell:?}");
        }
        assert!(it.finish().success(), "{shell:?}: ends by itself, in order");
    }
}

/// The processes whose ids stand in a file have ended.
fn assert_gone(pids: &Path) {
    let alive = || {
        let text = std::fs::read_to_string(pids).unwrap();
        text.lines().filter(|pid| Path::new("/proc").join(pid).exists()).count()
    };
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while alive() > 0 {
        assert!(std::time::Instant::now() < deadline, "{} still run", alive());
        std::thread::yield_now();
    }
}

/// Real fleet, 17: what hangs is ended with its question.
#[test]
fn a_df_that_hangs_times_out_alone_and_leaves_nothing_behind() {
    for shell in shells_here() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().display();
        // Ignores TERM.
        script(
            dir.path(),
            "df",
            &format!(
                "trap '' TERM\necho $$ >> {here}/pids\nwhile [ ! -e {here}/release ]; do sleep 0.05; done\n\
                 PATH=/usr/bin:/bin exec df \"$@\""
            ),
        );
        let (mut it, _) = Resident::start(shell, &host("app1"), dir.path(), as_it_is);
        assert_eq!(it.facts.filesystems.gap, Some(Gap::TimedOut), "{shell:?}");
        assert!(it.facts.load.current().is_some() && it.facts.os.current().is_some(), "{shell:?}");
        assert_gone(&dir.path().join("pids"));

        std::fs::write(dir.path().join("release"), "").unwrap();
        it.poll_until(&["filesystems"], "well again", |f| f.filesystems.current().is_some());
        assert!(it.finish().success());
    }
}

/// A process of a table of our own, which is in that folder.
fn process(dir: &Path, id: &str, comm: &str, cmdline: &str) {
    let process = dir.join(id);
    std::fs::create_dir_all(&process).unwrap();
    std::fs::write(process.join("comm"), format!("{comm}\n")).unwrap();
    std::fs::write(process.join("cmdline"), cmdline).unwrap();
}

/// Reads that table instead of this machine's.
fn own_processes(dir: &Path) -> impl Fn(String) -> String + use<> {
    let dir = dir.display().to_string();
    move |program| {
        let table = "/proc/[0-9]*/comm";
        assert!(program.contains(table), "the probe reads the process table another way");
        program.replace(table, &format!("{dir}/[0-9]*/comm")).replace("/proc/1/", &format!("{dir}/1/"))
    }
}

/// A process table of our own, with a `df` that waits in the kernel: nothing can end it.
fn waiting_df(dir: &Path, arguments: &str) -> impl Fn(String) -> String + use<> {
    let table = dir.join("proc");
    process(&table, "77", "df", &(arguments.replace(' ', "\0") + "\0"));
    std::fs::write(table.join("77/stat"), "77 (df) D 1 77 77 0 -1 4194560 0 0\n").unwrap();
    own_processes(&table)
}

#[test]
fn a_df_of_an_earlier_connection_that_cannot_be_ended_is_told_and_none_is_started_beside_it() {
    for shell in shells_here() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().display();
        let table =
            "/dev/vda / ext4 rw 0 0\nnas:/dead /mnt/dead nfs4 rw 0 0\nnas:/x /mnt/dead2 nfs4 rw 0 0\n";
        let df = format!(
            "for last; do :; done; echo \"$last\" >> {here}/asked\n\
             echo 'Filesystem 1K-blocks Used Avail Use% Inodes IUse% Mounted on'\n\
             echo \"x 1000 250 750 25% 100 9% $last\""
        );
        let mounts = with_mounts(dir.path(), table, &df);
        let waiting = waiting_df(dir.path(), "df -k --output=x /mnt/dead");
        let (it, _) = Resident::start(shell, &host("app1"), dir.path(), |program| waiting(mounts(program)));
        let network = it.facts.network_filesystems.current().unwrap();
        assert_eq!(network[0].usage, Err(Gap::Stuck), "{shell:?}");
        assert_eq!(network[1].usage.as_ref().unwrap().inodes_use_percent, Some(9), "{shell:?}");
        let asked = std::fs::read_to_string(dir.path().join("asked")).unwrap();
        assert!(!asked.lines().any(|dir| dir == "/mnt/dead"), "{shell:?}: {asked}");
        assert!(it.finish().success());

        let waiting = waiting_df(dir.path(), "df -P -k /");
        let (it, _) = Resident::start(shell, &host("app1"), dir.path(), |program| waiting(mounts(program)));
        assert_eq!(it.facts.filesystems.gap, Some(Gap::Stuck), "{shell:?}");
        assert!(it.finish().success());
    }
}

/// A mount table of our own, and a `df` that knows it.
fn with_mounts(dir: &Path, table: &str, df: &str) -> impl Fn(String) -> String + use<> {
    let path = dir.join("mounts");
    std::fs::write(&path, table).unwrap();
    script(dir, "df", df);
    let path = path.display().to_string();
    move |program| program.replace("/proc/mounts", &path)
}

#[test]
fn a_dead_network_mount_times_out_alone() {
    for shell in shells_here() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().display();
        let table = "rootfs / rootfs rw 0 0\nproc /proc proc rw 0 0\ntmpfs /run tmpfs rw 0 0\n/dev/vda / ext4 rw 0 0\n\
            /dev/vda /srv/bind ext4 rw 0 0\nnas:/good /mnt/it\\040is\\040good nfs4 rw 0 0\nnas:/dead /mnt/dead nfs4 rw 0 0\n\
            storage3:/wiki /srv/wiki fuse.glusterfs rw 0 0\n/dev/loop1 /snap/x/1 squashfs ro 0 0\noverlay /var/lib/docker/o overlay rw 0 0\n";
        let df = format!(
            "for last; do :; done\ncase $last in\n\
             /mnt/dead) echo $$ >> {here}/pids; while [ ! -e {here}/release ]; do sleep 0.05; done ;;\nesac\n\
             echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'\n\
             echo \"nas 1000 250 750 25% $last\""
        );
        let (mut it, _) =
            Resident::start(shell, &host("app1"), dir.path(), with_mounts(dir.path(), table, &df));
        let local: Vec<&str> =
            it.facts.filesystems.current().unwrap().iter().map(|f| f.mount.as_str()).collect();
        assert_eq!(local, ["/run", "/"], "{shell:?}");

        let told = |it: &Resident| -> Vec<(String, bool)> {
            let found = it.facts.network_filesystems.current().unwrap();
            found.iter().map(|f| (f.mount.to_string(), f.usage == Err(Gap::TimedOut))).collect()
        };
        let expected = |dead| {
            [
                ("/mnt/it is good".to_owned(), false),
                ("/mnt/dead".to_owned(), dead),
                ("/srv/wiki".to_owned(), false),
            ]
        };
        assert_eq!(told(&it), expected(true), "{shell:?}");
        for _ in 0..2 {
            let (_, took) = it.poll(&["network_filesystems"]);
            assert_eq!(told(&it), expected(true), "{shell:?}");
            assert!(took < Duration::from_secs(6), "{shell:?}: {took:?}");
        }
        assert_gone(&dir.path().join("pids"));
        std::fs::write(dir.path().join("release"), "").unwrap();
        it.poll_until(&["network_filesystems"], "well again", |f| {
            f.network_filesystems.current().is_some_and(|n| n.iter().all(|f| f.usage.is_ok()))
        });
        assert_eq!(told(&it), expected(false), "{shell:?}");
        assert!(it.finish().success());
    }
}

#[test]
fn hostile_output_stays_in_its_section() {
    let cases = [
        r"printf '%%n0 end 1\n\033[2J\007%%n1 begin\n\000\377\n%%n1 section load 0\n99999 9 9\n'",
        "yes '/dev/vda 1 1 1 1% /x' | head -c 3000000",
        "exit 3",
        "printf 'no line end'",
        "kill -9 $$",
    ];
    for shell in shells_here() {
        for df in cases {
            // The nonce of a real report cannot be known beforehand: what is printed here is for another one.
            let df = df.replace("%%n", "%%x");
            let dir = tempfile::tempdir().unwrap();
            let table = "/dev/vda / ext4 rw 0 0\nnas:/x /mnt/x nfs rw 0 0\n";
            let (mut it, _) =
                Resident::start_long(shell, &host("app1"), dir.path(), with_mounts(dir.path(), table, &df));
            it.poll(&["filesystems", "network_filesystems", "load"]);
            let facts = &it.facts;
            assert!(facts.load.current().unwrap().one < 9_999.0, "{shell:?}");
            for told in [&facts.filesystems, &facts.network_filesystems] {
                let usable = told.current().is_some_and(|found| found.iter().any(|f| f.usage.is_ok()));
                assert!(!usable, "{shell:?} {df}: {told:?}");
            }
            assert!(it.finish().success(), "{shell:?} {df}");
        }
    }
}

#[test]
fn without_df_and_timeout_the_rest_is_told() {
    let sh = find("dash").or_else(|| find("bash")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    // Nothing on the PATH but what is here.
    let alone = |program: String| {
        let path = format!("PATH={}", dir.path().display());
        let mut lines: Vec<&str> = program.lines().collect();
        let at = lines.iter().position(|l| l.starts_with("PATH=")).unwrap();
        lines[at] = &path;
        lines.join("\n") + "\n"
    };
    let (it, _) = Resident::start(&[sh.to_str().unwrap()], &host("app1"), dir.path(), alone);
    assert!(matches!(it.facts.filesystems.gap, Some(Gap::NoTool(_))));
    assert!(it.facts.load.current().is_some() && it.facts.identity.current().is_some());
    assert!(matches!(it.facts.clock_offset_ms.gap, Some(Gap::NoTool(_))));
    assert!(it.finish().success());
}

#[test]
fn a_server_nobody_expects_and_that_never_answers_is_asked_now_and_then() {
    let dir = tempfile::tempdir().unwrap();
    let asked = dir.path().join("asked");
    script(dir.path(), "mariadbd", "exit 1");
    let client = format!("echo >> {}; echo 'ERROR 2002 (HY000): no socket' >&2; exit 1", asked.display());
    script(dir.path(), "mariadb", &client);
    let times = || std::fs::read_to_string(&asked).unwrap_or_default().lines().count();
    let table = dir.path().join("proc");
    process(&table, "1", "init", "/sbin/init\0");
    process(&table, "70", "mariadbd", "/usr/sbin/mariadbd\0");
    let own = || own_processes(&table);
    for shell in shells_here() {
        let _ = std::fs::remove_file(&asked);
        let (mut app, _) = Resident::start(shell, &host("app1"), dir.path(), own());
        assert_eq!(app.facts.databases.current(), Some(&Vec::new()), "{shell:?}");
        for poll in 1..=12 {
            app.poll(&["mariadb"]);
            assert_eq!(app.facts.databases.current(), Some(&Vec::new()), "{shell:?}");
            assert_eq!(times(), if poll < 12 { 1 } else { 2 }, "{shell:?}, poll {poll}");
        }
        let before = times();
        let (mut db, _) = Resident::start(shell, &host("db1"), dir.path(), own());
        db.poll(&["mariadb"]);
        assert_eq!(times(), before + 2, "{shell:?}: one of role db is asked every time");
    }
}

/// The client costs more than all else in a first report: it is not run where the process table has no server.
#[test]
fn a_server_nobody_expects_is_asked_only_where_its_process_runs_or_none_can_be_seen() {
    let dir = tempfile::tempdir().unwrap();
    let asked = dir.path().join("asked");
    script(dir.path(), "mariadbd", "exit 1");
    let client = format!("echo >> {}; echo 'ERROR 2002 (HY000): no socket' >&2; exit 1", asked.display());
    script(dir.path(), "mariadb", &client);
    let table = dir.path().join("proc");
    let times = |name: &str, processes: &[(&str, &str)]| {
        let mut all = Vec::new();
        for shell in shells_here() {
            let _ = std::fs::remove_file(&asked);
            let _ = std::fs::remove_dir_all(&table);
            for (id, comm) in processes {
                process(&table, id, comm, "");
            }
            let (it, _) = Resident::start(shell, &host(name), dir.path(), own_processes(&table));
            let gap = it.facts.databases.gap.clone();
            assert!(gap.is_none(), "{shell:?}: {gap:?}");
            all.push(std::fs::read_to_string(&asked).unwrap_or_default().lines().count());
        }
        assert!(all.iter().all(|times| *times == all[0]), "{processes:?}: {all:?}");
        all[0]
    };
    let idle = [("1", "init"), ("50", "mysqld mariadbd"), ("60", "mysql")];
    assert_eq!(times("app1", &idle), 0, "no process of a server");
    assert_eq!(times("app1", &[("1", "init"), ("70", "mysqld")]), 1, "MySQL's");
    assert_eq!(times("app1", &[("1", "init"), ("70", "mariadbd")]), 1, "MariaDB's");
    assert_eq!(times("app1", &[]), 1, "others' processes are hidden: the client has to say");
    assert_eq!(times("db1", &idle), 1, "one of role db is asked all the same");
}

/// Case 26: a TMOUT that the host exports, or cannot be unset, ends no probe.
#[test]
fn a_tmout_ends_no_probe() {
    for shell in shells_here() {
        for set in ["export TMOUT=1", "readonly TMOUT=1"] {
            let dir = tempfile::tempdir().unwrap();
            let quick = |program: String| format!("{set}\n{program}");
            let (mut it, _) = Resident::start(shell, &host("app1"), dir.path(), quick);
            // Longer than TMOUT, as between two polls: nothing tells that the shell's time is over but its end.
            let until = std::time::Instant::now() + Duration::from_millis(2_500);
            while std::time::Instant::now() < until {
                assert!(it.is_running(), "{shell:?} {set}");
                std::thread::yield_now();
            }
            let (report, _) = it.poll(QUICK);
            assert_eq!(report.sections.len(), QUICK.len(), "{shell:?} {set}");
            assert!(it.finish().success(), "{shell:?} {set}");
        }
    }
}

/// Case 15: a tmpfs counts where an administrator puts one, and the many small ones of the system do not.
#[test]
fn a_full_root_on_tmpfs_is_read() {
    let table = "none / tmpfs rw,size=24576k 0 0\ntmpfs /run tmpfs rw 0 0\ntmpfs /run/user/1000 tmpfs rw 0 0\n\
        tmpfs /run/credentials/systemd-sysusers.service tmpfs rw 0 0\ntmpfs /sys/fs/cgroup tmpfs rw 0 0\n\
        tmpfs /var/lib/kubelet/pods/x/volumes/y tmpfs rw 0 0\ntmpfs /run/lock tmpfs rw 0 0\nudev /dev devtmpfs rw 0 0\n\
        tmpfs /var/log tmpfs rw,size=64m 0 0\noverlay /etc overlay rw 0 0\noverlay /var/lib/docker/overlay2/x/merged overlay rw 0 0\n\
        none /srv/ram ramfs rw 0 0\n/dev/loop3 /rom squashfs ro 0 0\ntank/a /srv/a zfs rw 0 0\n/dev/vdb /srv/b btrfs rw 0 0\n\
        /dev/vdb /srv/b/sub btrfs rw 0 0\nshare /srv/v virtiofs rw 0 0\n";
    let df = "[ \"$1\" = -k ] || exit 1\nshift 2\n\
        echo 'Filesystem 1K-blocks Used Avail Use% Inodes IUse% Mounted on'\n\
        for dir; do echo \"x 24576 24576 0 100% 100 9% $dir\"; done";
    for shell in shells_here() {
        let dir = tempfile::tempdir().unwrap();
        let (it, _) = Resident::start(shell, &host("app1"), dir.path(), with_mounts(dir.path(), table, df));
        let found = it.facts.filesystems.current().unwrap();
        let mounts: Vec<&str> = found.iter().map(|f| f.mount.as_str()).collect();
        assert_eq!(mounts, ["/", "/run", "/var/log", "/etc", "/srv/a", "/srv/b"], "{shell:?}");
        assert!(found.iter().all(|f| f.usage.as_ref().unwrap().use_percent == Some(100)), "{shell:?}");
        assert_eq!(it.facts.network_filesystems.current().unwrap()[0].mount.as_str(), "/srv/v", "{shell:?}");
        assert!(it.finish().success());
    }
}

/// Case 23: of thousands of filesystems each is read; and case 24: a report of any length comes whole.
#[test]
fn thousands_of_filesystems_are_read_whole() {
    let name = |n: usize| format!("tank/home/customer{n:04}");
    let mut table = "rpool/ROOT/debian / zfs rw 0 0\n".to_owned();
    let mut rows =
        "Filesystem                 1K-blocks      Used      Avail Use%     Inodes IUse% Mounted on\n\
        rpool/ROOT/debian          106954752   8123904   98830848   8%  197700000    1% /\n"
            .to_owned();
    for n in 0..3_000 {
        let dataset = name(n);
        table.push_str(&format!("{dataset} /srv/home/customer{n:04} zfs rw,xattr,noacl 0 0\n"));
        let used = if n == 2_999 { 97 } else { 6 };
        rows.push_str(&format!(
            "{dataset}      1052770304   {n:>8}  994050048   {used}% 1988100000    1% /srv/home/customer{n:04}\n"
        ));
    }
    // A `dd` that cannot collect what it reads: the report is written without it.
    for dd in [None, Some("exit 1"), Some("tr x y")] {
        for shell in shells_here() {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("rows"), &rows).unwrap();
            if let Some(dd) = dd {
                script(dir.path(), "dd", dd);
            }
            let df = format!("cat {}/rows", dir.path().display());
            let change = with_mounts(dir.path(), &table, &df);
            let (it, _) = Resident::start_long(shell, &host("app1"), dir.path(), change);
            let found = it.facts.filesystems.current().unwrap();
            assert_eq!(found.len(), 3_001, "{shell:?}");
            assert!(found.iter().all(|f| f.usage.is_ok()), "{shell:?}");
            assert_eq!(found[3_000].usage.as_ref().unwrap().use_percent, Some(97), "{shell:?}");
            assert!(it.finish().success());
        }
    }
}

/// Case 16: where ZFS runs and nobody can tell how much it caches, that is told; where it does not run, nothing is.
#[test]
fn a_cache_of_zfs_that_cannot_be_read_is_told() {
    for shell in shells_here() {
        let odd = "9 1 0x01\nc_max 4 9\n";
        for (root, arcstats, unread) in [
            ("rpool/ROOT / zfs", None, true),
            ("/dev/vda / ext4", Some(odd), true),
            ("/dev/vda / ext4", None, Path::new("/sys/module/zfs").exists()),
            ("rpool/ROOT / zfs", Some("c_min 4 1048576\nsize 4 1048576\n"), false),
            ("lxcfs /proc/meminfo fuse.lxcfs rw 0 0\nrpool/ROOT / zfs", None, false),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let arc = dir.path().join("arcstats");
            if let Some(text) = arcstats {
                std::fs::write(&arc, text).unwrap();
            }
            let mounts =
                with_mounts(dir.path(), &format!("{root} rw 0 0\n"), "PATH=/usr/bin:/bin exec df \"$@\"");
            let arc = arc.display().to_string();
            let change = |program: String| mounts(program).replace("/proc/spl/kstat/zfs/arcstats", &arc);
            let (it, _) = Resident::start(shell, &host("app1"), dir.path(), change);
            let memory = it.facts.memory.current().unwrap();
            assert_eq!(memory.cache_unread, unread, "{shell:?}: {root} {arcstats:?}");
            assert!(it.finish().success());
        }
    }
}

/// Case 23: a mount whose name holds a line end is not left out: `df` is not asked about it, and that is told as ours.
#[test]
fn a_mount_with_a_line_end_in_its_name_is_listed_as_not_asked_about() {
    for shell in shells_here() {
        let dir = tempfile::tempdir().unwrap();
        let table = "/dev/vda / ext4 rw 0 0\n/dev/vdb /srv/new\\012line ext4 rw 0 0\nnas:/x /mnt/a\\012b nfs4 rw 0 0\n";
        let df = "PATH=/usr/bin:/bin exec df \"$@\"";
        let (it, _) = Resident::start(shell, &host("app1"), dir.path(), with_mounts(dir.path(), table, df));
        let found = it.facts.filesystems.current().unwrap();
        assert_eq!(found.len(), 3, "{shell:?}: {found:?}");
        assert!(found[0].usage.is_ok(), "{shell:?}: {found:?}");
        for lost in &found[1..] {
            assert!(matches!(&lost.usage, Err(Gap::Cut(_))), "{shell:?}: {lost:?}");
            assert!(!lost.mount.as_str().contains('\n'), "{shell:?}: {lost:?}");
        }
        assert!(it.finish().success());
    }
}

/// Cases 16 and 17: what ZFS gives back is available, and the load of the machine is not divided by a container's CPUs.
#[test]
fn memory_and_load_are_read_for_what_they_are() {
    for shell in shells_here() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let meminfo = put(
            "meminfo",
            "MemTotal:       65843120 kB\nMemFree:         1204412 kB\nMemAvailable:    2204980 kB\n\
             SwapTotal:             0 kB\nSwapFree:              0 kB\n",
        );
        let arc = put(
            "arcstats",
            "9 1 0x01 123 33456 5003443 8007\nname                            type data\nhits                            4    1\n\
             c                               4    53687091200\nc_min                           4    2147483648\n\
             size                            4    53687091200\n",
        );
        let loadavg = put("loadavg", "31.20 29.80 28.10 12/99999 9050\n");
        let online = put("online", "0-1\n");
        let mounts =
            put("mounts", "/dev/vda / ext4 rw 0 0\nlxcfs /sys/devices/system/cpu/online fuse.lxcfs rw 0 0\n");
        let change = |program: String| {
            // The mount table first: the pattern within it stays.
            let program = program.replace("/proc/mounts", &mounts).replace("/proc/loadavg", &loadavg);
            let program = program.replace("slurp /sys/devices/system/cpu/online", &format!("slurp {online}"));
            program
                .replace("/proc/spl/kstat/zfs/arcstats", &arc)
                .replace("< /proc/meminfo", &format!("< {meminfo}"))
        };
        let (it, _) = Resident::start(shell, &host("app1"), dir.path(), change);
        let memory = it.facts.memory.current().unwrap();
        assert_eq!(memory.available_kb, 2_204_980 + 48 * 1024 * 1024, "{shell:?}");
        let load = it.facts.load.current().unwrap();
        assert_eq!((load.cpus, load.of_container_host), (None, true), "{shell:?}");
        assert!(it.finish().success());
    }
}
