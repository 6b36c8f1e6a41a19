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
cat "$here/status""#;

fn start(shell: &[&str]) -> ServiceBench {
    let prepare = |dir: &Path| {
        std::fs::create_dir_all(dir.join("sys/dm-0/dm")).unwrap();
        std::fs::write(dir.join("sys/dm-0/dm/uuid"), "LVM-Fz2c9w\n").unwrap();
        script(dir, "dmsetup", CLIENT);
    };
    let change = |program: String, here: &str| {
        assert!(program.contains("/sys/block/dm-*/dm/uuid"));
        program.replace("/sys/block/dm-*/dm/uuid", &format!("{here}/sys/dm-*/dm/uuid"))
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
        assert_eq!(bench.asked()[1..], ["status --noflush", "status --target snapshot"], "{shell:?}");
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
