//! Software RAID of the kernel (md): arrays that miss disks, are rebuilt or do not run, by `/proc/mdstat`, without a process.

use crate::collect::probe::{ProbeCadence, Raw, ServiceProbe, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Thresholds;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Figure, Finding, HostsOf, Service, ServiceKind, ServiceReading};

mod mdstat;

use mdstat::Array;

pub(super) static PROBE: ServiceProbe = ServiceProbe {
    kind: &ServiceKind {
        name: "mdraid",
        hosts: HostsOf::Found { except: &[] },
        // An array that does not run is a finding of its own.
        stopped: Severity::Critical,
        when_stopped: "See cat /proc/mdstat.",
        rule,
        short: |_| None,
    },
    script: r"
    probe_mdraid() {
        [ -e /proc/mdstat ] || return 0
        need /proc/mdstat
    }
    ",
    settings: |_| None,
    cadence: ProbeCadence::Slow,
    read,
};

fn read(raw: &Raw) -> Result<Service, Gap> {
    let text = raw.ok()?;
    if !text.trim().is_empty() && !text.contains("Personalities") {
        return Err(unreadable(text));
    }
    let arrays = mdstat::arrays(text);
    if arrays.is_empty() {
        return Err(Gap::NotInstalled);
    }
    let count = |which: fn(&Array<'_>) -> bool| {
        Figure::count(u64::try_from(arrays.iter().filter(|array| which(array)).count()).unwrap_or(u64::MAX))
    };
    let texts = |which: fn(&Array<'_>) -> Option<String>| {
        let found: Vec<String> = arrays.iter().filter_map(which).collect();
        (!found.is_empty()).then(|| Figure::text(&found.join("; ")))
    };
    let mut readings = vec![
        ServiceReading { name: "arrays", figure: count(|_| true) },
        ServiceReading { name: "degraded", figure: count(|array| array.is_degraded()) },
    ];
    let parts = [
        (BROKEN, texts(|array| array.broken())),
        (REBUILT, texts(|array| array.rebuilt())),
        (INACTIVE, texts(|array| array.inactive())),
        ("checked", texts(|array| array.checked())),
    ];
    let told = parts.into_iter().filter_map(|(name, figure)| Some(ServiceReading { name, figure: figure? }));
    readings.extend(told);
    let words: Vec<String> = arrays.iter().map(|array| array.words()).collect();
    Ok(Service {
        running: true,
        detail: jumpdeck_fleet::text::Clean::first_line(&words.join(", "), 160),
        readings: readings.into(),
        ..Service::default()
    })
}

/// Arrays that miss disks and are not rebuilt, those that are, and those that do not run.
const BROKEN: &str = "broken";
const REBUILT: &str = "rebuilt";
const INACTIVE: &str = "inactive";

fn rule(service: &Service, _: &Thresholds, found: &mut Vec<Finding>) {
    let mut add = |name, severity, message: &dyn Fn(&str) -> String| {
        if let Some(text) = service.text(name) {
            found.push(Finding::of(name, severity, message(text)));
        }
    };
    add(BROKEN, Severity::Critical, &|arrays| {
        format!(
            "mdraid: {arrays}: one more failure can lose its data. See mdadm --detail, replace the disk, and add it: mdadm ARRAY --add DISK"
        )
    });
    add(INACTIVE, Severity::Critical, &|arrays| {
        format!("mdraid: {arrays} does not run: what is on it cannot be read. See mdadm --detail and dmesg")
    });
    add(REBUILT, Severity::Warning, &|arrays| {
        format!("mdraid: {arrays}. Until then one more failure can lose its data")
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn of(text: &str) -> Result<Service, Gap> {
        read(&Raw { status: 0, text: text.to_owned() })
    }

    fn findings(text: &str) -> Vec<(Severity, String)> {
        let mut found = Vec::new();
        rule(&of(text).unwrap(), &Thresholds::default(), &mut found);
        found.into_iter().map(|finding| (finding.severity, finding.message)).collect()
    }

    // As the kernel's md.c and raid1.c print it (Linux 3.2 to 6.1).
    const WELL: &str = "Personalities : [raid1] [raid6] [raid5] [raid4] [raid0]\n\
        md1 : active raid1 sdb2[1] sda2[0]\n      976630464 blocks super 1.2 [2/2] [UU]\n      bitmap: 2/8 pages [8KB], 65536KB chunk\n\n\
        md0 : active raid0 sdb1[1] sda1[0]\n      1048512 blocks super 1.2 512k chunks\n\nunused devices: <none>\n";
    const DEGRADED: &str = "Personalities : [raid1]\nmd1 : active raid1 sdb2[1](F) sda2[0]\n      976630464 blocks super 1.2 [2/1] [U_]\n\n\
        unused devices: <none>\n";
    const REBUILDING: &str = "Personalities : [raid1]\nmd1 : active raid1 sdc2[2] sda2[0]\n      976630464 blocks super 1.2 [2/1] [U_]\n      \
        [=>...................]  recovery =  8.5% (83052032/976630464) finish=112.3min speed=132543K/sec\n\nunused devices: <none>\n";

    #[test]
    fn arrays_that_are_whole_are_well() {
        let service = of(WELL).unwrap();
        assert_eq!(service.detail.as_str(), "md1 raid1 2 of 2 disks, md0 raid0");
        assert_eq!((service.amount("arrays"), service.amount("degraded")), (Some(2), Some(0)));
        assert!(findings(WELL).is_empty());
        let checked = WELL.replace(
            "[UU]\n",
            "[UU]\n      [==>..................]  check = 12.0% (117195/976630464) finish=90.1min speed=1K/sec\n",
        );
        assert!(findings(&checked).is_empty());
        assert_eq!(of(&checked).unwrap().text("checked"), Some("md1 check 12.0 %, 90 min left"));
    }

    #[test]
    fn a_missing_disk_is_critical_until_it_is_rebuilt() {
        let found = findings(DEGRADED);
        assert_eq!(found[0].0, Severity::Critical);
        assert!(found[0].1.starts_with("mdraid: md1 has 1 of 2 disks, sdb2 failed: one more"), "{found:?}");
        let found = findings(REBUILDING);
        assert_eq!((found.len(), found[0].0), (1, Severity::Warning));
        assert!(
            found[0].1.starts_with("mdraid: md1 has 1 of 2 disks, recovery 8.5 %, 112 min left."),
            "{found:?}"
        );
        // It waits for another array on the same disks, or for somebody to allow it.
        let waits = REBUILDING
            .lines()
            .map(|line| if line.contains("recovery") { "      \tresync=DELAYED" } else { line });
        let found = findings(&waits.collect::<Vec<_>>().join("\n"));
        assert!(found[0].1.contains("resync delayed"), "{found:?}");
    }

    #[test]
    fn an_array_that_does_not_run_is_critical() {
        let text = "Personalities : \nmd2 : inactive sdc1[0](S) sdd1[1](S)\n      1046528 blocks super 1.2\n       \nunused devices: <none>\n";
        let found = findings(text);
        assert_eq!((found.len(), found[0].0), (1, Severity::Critical));
        assert!(found[0].1.starts_with("mdraid: md2 does not run"), "{found:?}");
    }

    #[test]
    fn a_container_never_runs_and_is_no_array() {
        // Intel RST, as md.c prints it.
        let text = "Personalities : [raid1]\nmd126 : active raid1 sda[1] sdb[0]\n      \
            976759808 blocks super external:/md127/0 [2/2] [UU]\n\n\
            md127 : inactive sdb[1](S) sda[0](S)\n      5288 blocks super external:imsm\n       \nunused devices: <none>\n";
        assert!(findings(text).is_empty(), "{:?}", findings(text));
        assert_eq!(of(text).unwrap().detail.as_str(), "md126 raid1 2 of 2 disks");
        assert_eq!(of(text).unwrap().amount("arrays"), Some(1));
        let degraded = findings(&text.replace("[2/2] [UU]", "[2/1] [U_]").replace(":/md127", ":-md127"));
        assert_eq!((degraded.len(), degraded[0].0), (1, Severity::Critical), "{degraded:?}");
        let stopped = findings(&text.replace("md126 : active raid1", "md126 : inactive"));
        assert!(stopped[0].1.starts_with("mdraid: md126 does not run"), "{stopped:?}");
    }

    #[test]
    fn no_array_is_nothing_to_say_and_rubbish_is_unknown() {
        assert_eq!(of(""), Err(Gap::NotInstalled));
        assert_eq!(of("Personalities : \nunused devices: <none>\n"), Err(Gap::NotInstalled));
        assert!(matches!(of("\x1b[2J"), Err(Gap::Unreadable(_))));
        let denied = Raw { status: 126, text: "/proc/mdstat: cannot be read\n".to_owned() };
        assert!(matches!(read(&denied), Err(Gap::NotPermitted(_))));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "Personalities(md1 : |active|inactive|raid1| sda\\[0\\]|\\(F\\)|\\[2/1\\]|recovery = |8.5%|finish=|min|\n|\\PC)*") {
            let _ = of(&text);
        }
    }
}
