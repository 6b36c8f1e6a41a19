//! The probe of LVM's snapshots under every shell, with devices and a `dmsetup` of the test's own.

use std::path::Path;

use jumpdeck_fleet::fact::Gap;

use super::bench::ServiceBench;
use crate::support::shell::{host, script, shells_here};

const NAME: &str = "lvm-snapshots";
const SECTION: &str = "lvm_snapshots";
const CLIENT: &str = r#"here=${0%/*}
echo "$*" >> "$here/asked"
if [ -e "$here/hangs" ]; then exec sleep 20 > /dev/null 2>&1; fi
if [ -e "$here/denied" ]; then echo '/dev/mapper/control: open failed: Permission denied' >&2; exit 1; fi
if [ -e "$here/old" ] && [ "$2" = --noflush ]; then echo "dmsetup: unrecognized option '--noflush'" >&2; exit 1; fi
if [ "$2" = --target ]; then grep " $3 " "$here/status"; exit 0; fi
cat "$here/status""#;

fn start(shell: &[&str]) -> ServiceBench {
    let prepare = |dir: &Path| {
        std::fs::create_dir_all(dir.join("sys/dm-0/dm")).unwrap();
        std::fs::write(dir.join("sys/dm-0/dm/uuid"), "LVM-Fz2c9w\n").unwrap();
        std::fs::write(dir.join("control"), "").unwrap();
        script(dir, "dmsetup", CLIENT);
    };
    let change = |program: String, here: &str| {
        assert!(program.contains("/sys/block/dm-*/dm/uuid") && program.contains(" /dev/mapper/control "));
        program
            .replace("/sys/block/dm-*/dm/uuid", &format!("{here}/sys/dm-*/dm/uuid"))
            .replace(" /dev/mapper/control ", &format!(" {here}/control "))
    };
    ServiceBench::start(shell, (&host("backup"), SECTION), prepare, change)
}

#[test]
fn every_shell_asks_only_where_there_is_a_snapshot() {
    for shell in shells_here() {
        let mut bench = start(shell);
        bench.says("sys/dm-1/dm/uuid", "CRYPT-LUKS2-cow\n");
        bench.it.poll(&[SECTION]);
        assert!(bench.it.facts.services.get(NAME).is_none() && bench.asked().is_empty(), "{shell:?}");

        bench.says("sys/dm-2/dm/uuid", "LVM-Fz2c9w-cow\n");
        bench
            .says("status", "vg-data: 0 8192 snapshot-origin 253:1\nvg-snap: 0 8192 snapshot 7200/8000 16\n");
        assert_eq!(bench.poll_of(NAME).unwrap().text("filling"), Some("vg/snap 90 %"), "{shell:?}");
        assert_eq!(bench.asked(), ["status --noflush"], "{shell:?}");
        bench.says("old", "");
        assert_eq!(bench.poll_of(NAME).unwrap().text("filling"), Some("vg/snap 90 %"), "{shell:?}");
        let both = ["status --noflush", "status --target snapshot", "status --target snapshot-merge"];
        assert_eq!(bench.asked()[1..], both, "{shell:?}");
        bench.says("status", "vg-data: 0 8192 snapshot-merge 7200/8000 16\n");
        let merging = bench.poll_of(NAME).unwrap();
        assert_eq!(merging.text("merging"), Some("a snapshot of vg/data is being merged"), "{shell:?}");
        bench.forget("old");
        bench.says("status", "vg-snap: 0 8192 snapshot Invalid\n\x1b[2J%n1 section uptime 0\n");
        assert_eq!(bench.poll_of(NAME).unwrap().text("lost"), Some("vg/snap is invalid"), "{shell:?}");

        bench.says("denied", "");
        let gaps = bench.poll_of(NAME).unwrap().gaps;
        assert!(matches!(*gaps, [("fill", Gap::NotPermitted(_))]), "{shell:?}: {gaps:?}");
        bench.says("sys/dm-2/dm/uuid", "LVM-Fz2c9w\n");
        bench.it.poll(&[SECTION]);
        assert!(bench.it.facts.services.get(NAME).is_none(), "{shell:?}: it was removed");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn a_dmsetup_that_hangs_is_unknown_and_runs_once() {
    for shell in shells_here().into_iter().take(2) {
        let mut bench = start(shell);
        bench.says("sys/dm-2/dm/uuid", "LVM-Fz2c9w-tpool\n");
        bench.says("hangs", "");
        for gap in [Gap::TimedOut, Gap::Stuck] {
            assert_eq!(*bench.poll_of(NAME).unwrap().gaps, [("fill", gap)], "{shell:?}");
        }
        assert_eq!(bench.asked(), ["status --noflush"], "{shell:?}");
        bench.says("sys/dm-2/dm/uuid", "LVM-Fz2c9w\n");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn a_container_does_not_ask_for_the_snapshots_of_its_host() {
    for shell in shells_here() {
        let mut bench = start(shell);
        bench.says("sys/dm-2/dm/uuid", "LVM-Fz2c9w-tpool\n");
        bench.says("denied", "");
        bench.forget("control");
        bench.it.poll(&[SECTION]);
        assert!(bench.it.facts.services.get(NAME).is_none() && bench.asked().is_empty(), "{shell:?}");
        bench.says("control", "");
        assert!(!bench.poll_of(NAME).unwrap().gaps.is_empty(), "{shell:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}
