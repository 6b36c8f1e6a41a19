//! Figures of a host against the thresholds.

use super::*;

#[test]
fn load_is_judged_per_cpu() {
    for (cpus, want) in [
        (Some(8), vec![]),
        (Some(2), vec!["warning load app1"]),
        (None, vec!["unknown load app1"]),
        (Some(1), vec!["critical load app1"]),
    ] {
        let mut w = trio();
        w.change("app1", |h| h.facts.load.learn(load(4.5, 1.0, cpus), NOW));
        assert_eq!(brief(&w.judge()), want, "{cpus:?}");
    }
}

/// Case 17: the load of the machine under a container is no load of the container.
#[test]
fn the_load_of_a_container_s_host_is_unknown_unless_it_is_low_for_any_number_of_cpus() {
    for (one, want) in [(31.2, vec!["unknown load app1"]), (0.9, vec![])] {
        let mut w = trio();
        let averages = Load { of_container_host: true, ..load(one, one, None) };
        w.change("app1", |h| h.facts.load.learn(averages, NOW));
        assert_eq!(brief(&w.judge()), want);
    }
}

#[test]
fn inodes_that_are_not_known_are_one_unknown_problem_of_the_host() {
    let mut w = trio();
    let without =
        |mount| Filesystem { inodes_gap: Some(Gap::Failed("no -i".into())), ..filesystem(mount, 1) };
    w.change("app1", |h| h.facts.filesystems.learn(vec![without("/"), without("/srv")], NOW));
    assert_eq!(brief(&w.judge()), ["unknown inodes app1"]);
    assert_eq!(w.judge()[0].message, "inodes of / and 1 more failed: no -i");
}

#[test]
fn disks_warn_are_critical_and_time_out() {
    let mut w = trio();
    w.change("app1", |h| {
        h.facts
            .filesystems
            .learn(vec![filesystem("/", 84), filesystem("/mnt", 85), filesystem("/b", 100)], NOW);
        let dead = Filesystem { usage: Err(Gap::TimedOut), remote: true, ..filesystem("/nfs", 1) };
        h.facts.network_filesystems.learn(vec![dead], NOW);
    });
    assert_eq!(brief(&w.judge()), ["critical disk app1", "critical mount app1", "warning disk app1"]);
}

/// One message for a filesystem: that it fills is in the problem that it has, or is one.
#[test]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn a_disk_that_fills_soon_warns_once_and_says_when_it_is_full() {
    use crate::growth::{FilesystemGrowth, Growth};
    let mut w = trio();
    // What is free is full in a day and a half, in a day and a half, and in six.
    let growing = |device: &Clean, mount: &str, days: f64, free_kb: f64| FilesystemGrowth {
        device: device.clone(),
        mount: mount.into(),
        growth: Growth { kb_per_day: (free_kb / days) as u64, span: Duration::from_secs(3 * 86_400) },
    };
    w.change("app1", |h| {
        let all = ["/", "/mnt", "/srv"].into_iter().zip([60, 90, 60]);
        let all: Vec<Filesystem> = all.map(|(mount, percent)| filesystem(mount, percent)).collect();
        h.growth = all
            .iter()
            .zip([1.5, 1.5, 6.0])
            .map(|(f, days)| {
                let free = f.usage.as_ref().unwrap().available_kb as f64;
                growing(&f.device, f.mount.as_str(), days, free)
            })
            .collect();
        h.facts.filesystems.learn(all, NOW);
    });
    let problems = w.judge();
    assert_eq!(brief(&problems), ["warning disk app1", "warning disk app1"]);
    for (problem, mount) in problems.iter().zip(["/ 60%", "/mnt 90%"]) {
        assert!(problem.message.starts_with(mount), "{}", problem.message);
        assert!(problem.message.ends_with("/day, full in about 36 h"), "{}", problem.message);
    }
    // Turned off; and of another device at the same place nothing is known.
    w.env.thresholds.disk_full_days = 0.0;
    assert_eq!(brief(&w.judge()), ["warning disk app1"]);
    w.env.thresholds.disk_full_days = 3.0;
    w.change("app1", |h| h.growth.iter_mut().for_each(|one| one.device = "/dev/other".into()));
    let problems = w.judge();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.ends_with("available)"), "{}", problems[0].message);
}

#[test]
fn mixed_operating_systems_are_one_finding() {
    let mut w = trio();
    w.change("db2", |h| {
        h.facts
            .os
            .learn(Os { pretty: "Ubuntu 10.04".into(), release: "ubuntu 10.04".into(), kernel: None }, NOW);
    });
    let problems = w.judge();
    assert_eq!(brief(&problems), ["warning os_differs -"]);
    assert_eq!(problems[0].message, "operating systems differ: ubuntu 14.04 on 2 hosts; ubuntu 10.04 on db2");
}

#[test]
fn a_clock_that_is_off_is_a_warning() {
    let mut w = trio();
    w.change("app1", |h| h.facts.clock_offset_ms.learn(-1_500, NOW));
    let problems = w.judge();
    assert_eq!(brief(&problems), ["warning clock app1"]);
    for (keeper, next) in [
        (Some("chronyd"), "; chronyd runs: see what it is synchronized with"),
        (None, "; no program sets it: start chronyd, ntpd or systemd-timesyncd"),
    ] {
        let upkeep = Upkeep { clock_keeper: Ok(keeper.map(Clean::new)), ..Upkeep::in_order() };
        w.change("app1", |h| h.facts.upkeep.learn(upkeep, NOW));
        let problems = w.judge();
        assert_eq!(problems[0].message, format!("its clock is 1.5 s behind this machine's{next}"));
    }
}

/// `df` prints `-` where it cannot count: of a filesystem that has a size that is no answer.
#[test]
fn a_filesystem_of_which_df_tells_no_use_is_unknown() {
    for (size_kb, want) in [(1000, vec!["unknown disk app1"]), (0, vec![])] {
        let mut w = trio();
        w.change("app1", |h| {
            let mut odd = filesystem("/srv", 1);
            let usage = odd.usage.as_mut().unwrap();
            (usage.size_kb, usage.use_percent) = (size_kb, None);
            h.facts.filesystems.learn(vec![filesystem("/", 40), odd], NOW);
        });
        assert_eq!(brief(&w.judge()), want, "{size_kb} kB");
    }
}

/// Every machine has a root filesystem.
#[test]
fn a_host_that_lists_no_filesystem_is_unknown() {
    for (network, want) in [(vec![], vec!["unknown disk app1"]), (vec![filesystem("/", 40)], vec![])] {
        let mut w = trio();
        w.change("app1", |h| {
            h.facts.filesystems.learn(vec![], NOW);
            h.facts.network_filesystems.learn(network, NOW);
        });
        assert_eq!(brief(&w.judge()), want);
    }
}

#[test]
fn memory_without_a_total_is_unknown() {
    let mut w = trio();
    w.change("app1", |h| {
        let memory = Memory { total_kb: 0, ..*h.facts.memory.current().unwrap() };
        h.facts.memory.learn(memory, NOW);
    });
    assert_eq!(brief(&w.judge()), ["unknown memory app1"]);
}

/// Case 16: where the cache of ZFS cannot be read, nobody knows how much memory is in use; below the limits that is no matter.
#[test]
fn memory_in_use_is_unknown_where_the_cache_of_zfs_is() {
    let with = |available_kb: u64| {
        let mut w = trio();
        w.change("app1", |h| {
            let memory = Memory { available_kb, cache_unread: true, ..*h.facts.memory.current().unwrap() };
            h.facts.memory.learn(memory, NOW);
        });
        w.judge()
    };
    let total = trio().hosts[0].facts.memory.current().unwrap().total_kb;
    for left in [total / 12, total / 50, 0] {
        let problems = with(left);
        assert_eq!(brief(&problems), ["unknown memory app1"], "{left}");
        assert!(problems[0].message.contains("arcstats"), "{}", problems[0].message);
    }
    assert_eq!(with(total / 2), []);
}

#[test]
fn deleted_files_that_are_still_open_explain_a_full_disk() {
    use crate::storage::{DeletedFiles, FileHolder, HeldFiles};
    let told = |kb: u64, of_holder: u64, at_least: bool| {
        let mut w = trio();
        let holder = Some(FileHolder { program: "mysqld".into(), process: 812, kb: of_holder });
        let held = DeletedFiles {
            mount: "/".into(),
            held: Ok(HeldFiles { kb, files: 3, at_least, holder, age: Some(540) }),
        };
        w.change("app1", |h| {
            h.facts.filesystems.learn(vec![filesystem("/", 96)], NOW);
            h.facts.deleted_files.learn(vec![held], NOW);
        });
        w.judge().remove(0).message
    };
    let message = told(20_480, 20_480, false);
    assert!(
        message.ends_with(
            "; 20M of it are deleted files held open by mysqld (pid 812), seen 9m ago. They are freed when the process closes them; see what they \
             are first (ls -l /proc/812/fd): of a database they are temporary files of a query; of a service whose log was removed, \
             let it open its logs again"
        ),
        "{message}"
    );
    assert!(!message.contains("restart"), "{message}");
    let message = told(20_480, 10_240, true);
    assert!(
        message.contains(
            "; at least 20M of it are deleted files held open, 10M by mysqld (pid 812), seen 9m ago. They"
        ),
        "{message}"
    );
    // Less than a hundredth of it is no explanation.
    assert!(!told(9_999, 9_999, false).contains("deleted"));
}
