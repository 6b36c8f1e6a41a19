//! The probe of disks' own health under every shell, with disks and a `smartctl` of the test's own.

use std::path::Path;

use jumpdeck_fleet::fact::Gap;

use super::bench::{ServiceBench, bar};
use crate::support::shell::{find, host, script, shells_here};

const SECTION: &str = "smart";
const CLIENT: &str = r#"here=${0%/*}
echo "$*" >> "$here/asked"
if [ -e "$here/hangs" ]; then exec sleep 20 > /dev/null 2>&1; fi
if [ -e "$here/denied" ]; then echo "Smartctl open device: $4 failed: Permission denied"; exit 2; fi
case $4 in
    /dev/sda) echo 'SMART overall-health self-assessment test result: PASSED' ;;
    *) printf 'SMART overall-health self-assessment test result: FAILED!\n\033[2J@disk sdz\n'; exit 8 ;;
esac"#;

fn disk(dir: &Path, name: &str, vendor: &str, model: &str) {
    let at = dir.join("block").join(name).join("device");
    std::fs::create_dir_all(&at).unwrap();
    std::fs::write(at.join("vendor"), format!("{vendor}\n")).unwrap();
    std::fs::write(at.join("model"), format!("{model}\n")).unwrap();
    std::fs::create_dir_all(dir.join("dev")).unwrap();
    std::fs::write(dir.join("dev").join(name), "").unwrap();
}

/// Disks of the test's own, whose nodes are plain files: only root makes others.
fn own_disks(program: &str, here: &str) -> String {
    let node = r#"[ -b "/dev/${smart_at##*/}" ]"#;
    assert!(program.contains(node) && program.contains("smart_wait=119"));
    program
        .replace(node, &format!(r#"[ -e "{here}/dev/${{smart_at##*/}}" ]"#))
        .replace("/sys/block/", &format!("{here}/block/"))
}

fn start(shell: &[&str], prepare: impl Fn(&Path)) -> ServiceBench {
    ServiceBench::start(shell, (&host("db1"), SECTION), prepare, |program, here| {
        own_disks(&program, here).replace("smart_wait=119", "smart_wait=0")
    })
}

#[test]
fn every_shell_asks_real_disks_only() {
    for shell in shells_here() {
        let mut bench = start(shell, |dir| {
            disk(dir, "sda", "ATA", "Samsung SSD 870");
            disk(dir, "sdb", "ATA", "WDC WD40EFRX");
            disk(dir, "sdc", "QEMU", "QEMU HARDDISK");
            disk(dir, "nvme0n1", "", "Amazon Elastic Block Store");
            std::fs::create_dir_all(dir.join("block/sdd")).unwrap();
            // A path of an NVMe disk, as the kernel's own multipath shows it, and a disk of a container's host.
            for name in ["nvme0c0n1", "sde"] {
                disk(dir, name, "", "Samsung SSD 980");
                std::fs::remove_file(dir.join("dev").join(name)).unwrap();
            }
            script(dir, "smartctl", CLIENT);
        });
        assert!(
            bench.it.facts.services.get(SECTION).is_none() && bench.asked().is_empty(),
            "{shell:?}: not at once"
        );
        bench.it.poll(&[SECTION]);
        let found = bench.poll().unwrap();
        assert_eq!(found.text("failing"), Some("sdb (FAILED!)"), "{shell:?}");
        assert_eq!(found.amount("disks"), Some(2), "{shell:?}");
        assert_eq!(bench.asked()[..2], ["-n standby -H /dev/sda", "-n standby -H /dev/sdb"], "{shell:?}");
        bench.says("denied", "");
        let gaps = bench.poll().unwrap().gaps;
        assert!(matches!(*gaps, [("disks", Gap::NotPermitted(_))]), "{shell:?}: {gaps:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn every_shell_says_how_old_an_answer_is() {
    for shell in shells_here() {
        let prepare = |dir: &Path| {
            disk(dir, "sda", "ATA", "Samsung SSD 870");
            script(dir, "smartctl", CLIENT);
        };
        // As if it had asked twenty minutes before.
        let mut bench = ServiceBench::start(shell, (&host("db1"), SECTION), prepare, |program, here| {
            let asked = "smart_asked=$jd_begun";
            assert!(program.contains(asked));
            own_disks(&program, here)
                .replace("smart_wait=119", "smart_wait=9")
                .replace(asked, "smart_asked=$((jd_begun - 120000))")
        });
        (0..2).for_each(|_| drop(bench.it.poll(&[SECTION])));
        let found = bench.poll().unwrap();
        assert_eq!(bench.asked().len(), 1, "{shell:?}: it is kept");
        assert!(matches!(found.amount("age"), Some(1200..1300)), "{shell:?}: {:?}", found.amount("age"));
        assert!(found.detail.as_str().contains("in good health, asked 2"), "{shell:?}: {}", found.detail);
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn a_virtual_machine_and_one_without_smartctl_say_nothing() {
    let virtual_one = |dir: &Path| {
        disk(dir, "sda", "VMware", "Virtual disk");
        script(dir, "smartctl", CLIENT);
    };
    let mut bench = start(shells_here()[0], virtual_one);
    (0..2).for_each(|_| drop(bench.it.poll(&[SECTION])));
    assert!(bench.it.facts.services.get(SECTION).is_none() && bench.asked().is_empty());
    if find("smartctl").is_none() {
        let mut bench = start(shells_here()[0], |dir| disk(dir, "sda", "ATA", "Samsung SSD 870"));
        (0..2).for_each(|_| drop(bench.it.poll(&[SECTION])));
        assert!(bench.it.facts.services.get(SECTION).is_none());
    }
}

#[test]
fn a_disk_that_hangs_is_unknown_and_asked_once() {
    for shell in shells_here().into_iter().take(2) {
        let mut bench = start(shell, |dir| {
            disk(dir, "sda", "ATA", "Samsung SSD 870");
            // No limit ends it.
            script(dir, "smartctl", &format!("trap '' TERM\n{}", CLIENT.replace("exec sleep", "sleep")));
            std::fs::write(dir.join("hangs"), "").unwrap();
        });
        bench.it.poll(&[SECTION]);
        let (report, took) = bench.it.poll(&[SECTION, "uptime"]);
        assert!(took.as_secs() < 8, "{shell:?}: {took:?}, {} sections", report.sections.len());
        let gaps = bench.known(SECTION).unwrap().gaps;
        assert!(matches!(*gaps, [("disks", _)]), "{shell:?}: {gaps:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn a_smartctl_that_this_account_may_not_run_is_no_missing_one() {
    if find("smartctl").is_some() {
        eprintln!("skipped: smartmontools is installed");
        return;
    }
    for shell in shells_here() {
        let mut bench = start(shell, |dir| {
            disk(dir, "sda", "ATA", "Samsung SSD 870");
            script(dir, "smartctl", CLIENT);
            bar(&dir.join("smartctl"));
        });
        let gaps = bench.poll().unwrap().gaps;
        assert!(matches!(*gaps, [("disks", Gap::NotPermitted(_))]), "{shell:?}: {gaps:?}");
        assert!(bench.asked().is_empty(), "{shell:?}");
    }
}
