//! The probes of software RAID and of DRBD under every shell, with files of the test's own.

use jumpdeck_fleet::fact::Gap;

use super::bench::ServiceBench;
use crate::support::shell::{host, script, shells_here};

#[test]
fn every_shell_finds_an_array_that_misses_a_disk() {
    for shell in shells_here() {
        let change = |program: String, here: &str| program.replace("/proc/mdstat", &format!("{here}/mdstat"));
        let mut bench = ServiceBench::start(shell, (&host("app1"), "mdraid"), |_| (), change);
        let none = "Personalities : [raid1]\nunused devices: <none>\n";
        for (text, arrays) in [
            (None, false),
            (Some(none), false),
            (
                Some(
                    "Personalities : [raid1]\n\
            md1 : active raid1 sdb2[1](F) sda2[0]\n      976630464 blocks super 1.2 [2/1] [U_]\n\nunused devices: <none>\n",
                ),
                true,
            ),
        ] {
            text.into_iter().for_each(|text| bench.says("mdstat", text));
            bench.it.poll(&["mdraid"]);
            assert_eq!(bench.it.facts.services.get("mdraid").is_some(), arrays, "{shell:?}: {text:?}");
        }
        let raid = bench.known("mdraid").unwrap();
        assert_eq!(raid.text("broken"), Some("md1 has 1 of 2 disks, sdb2 failed"), "{shell:?}");
        bench.says("mdstat", "\x1b[2Jrubbish\n");
        assert!(matches!(bench.poll(), Err(Gap::Unreadable(_))), "{shell:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn every_shell_reads_drbd_and_asks_the_newer_one() {
    for shell in shells_here() {
        let change = |program: String, here: &str| program.replace("/proc/drbd", &format!("{here}/drbd"));
        let prepare = |dir: &std::path::Path| script(dir, "drbdadm", "cat \"${0%/*}/status\"");
        let mut bench = ServiceBench::start(shell, (&host("app1"), "drbd"), prepare, change);
        assert!(bench.it.facts.services.get("drbd").is_none(), "{shell:?}");
        let eight = "version: 8.4.11 (api:1/proto:86-101)\n 0: cs:StandAlone ro:Primary/Unknown ds:UpToDate/DUnknown   r-----\n";
        bench.says("drbd", eight);
        assert_eq!(bench.poll().unwrap().text("alone"), Some("drbd0 is StandAlone"), "{shell:?}");
        bench.says("drbd", "version: 9.1.4 (api:2/proto:110-121)\nTransports (api:17): tcp (9.1.4)\n");
        bench.says(
            "status",
            "r0 role:Primary\n  disk:UpToDate\n  nodeb role:Secondary\n    peer-disk:UpToDate\n",
        );
        assert_eq!(bench.poll().unwrap().detail.as_str(), "r0 Primary UpToDate", "{shell:?}");
        script(bench.path(), "drbdadm", "echo 'drbdadm: Permission denied' >&2; exit 1");
        let gaps = bench.poll().unwrap().gaps;
        assert!(matches!(*gaps, [("state", Gap::NotPermitted(_))]), "{shell:?}: {gaps:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

/// It may hang in the kernel, as root: then it is not asked again.
#[test]
fn a_drbdadm_that_hangs_is_unknown_from_the_first_look_and_runs_once() {
    for shell in shells_here().into_iter().take(2) {
        let change = |program: String, here: &str| program.replace("/proc/drbd", &format!("{here}/drbd"));
        let prepare = |dir: &std::path::Path| {
            std::fs::write(dir.join("drbd"), "version: 9.1.4 (api:2/proto:110-121)\n").unwrap();
            script(dir, "drbdadm", "echo \"$@\" >> \"${0%/*}/asked\"\nexec sleep 20 > /dev/null 2>&1");
        };
        let mut bench = ServiceBench::start(shell, (&host("app1"), "drbd"), prepare, change);
        for gap in [Gap::TimedOut, Gap::Stuck] {
            let gaps = bench.known("drbd").unwrap().gaps;
            assert_eq!(*gaps, [("state", gap)], "{shell:?}");
            bench.it.poll(&["drbd"]);
        }
        assert_eq!(bench.asked(), ["status"], "{shell:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}
