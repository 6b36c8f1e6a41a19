//! What disks say of themselves (SMART): one that expects to fail, on hosts with real disks and smartmontools.
//!
//! Once an hour, first half a minute after the console connected: a question to a disk may wait for its other work. A disk that sleeps is
//! not woken. Disks of a virtual machine have nothing to say, and are not asked.

use crate::collect::probe::{ProbeCadence, Raw, ServiceProbe, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Thresholds;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Figure, Finding, HostsOf, Service, ServiceKind, ServiceReading};
use jumpdeck_fleet::text::Clean;

pub(super) static PROBE: ServiceProbe = ServiceProbe {
    kind: &ServiceKind {
        name: "smart",
        hosts: HostsOf::Found { except: &[] },
        stopped: Severity::Critical,
        when_stopped: "See smartctl -H.",
        rule,
        short: |_| None,
    },
    script: SCRIPT,
    settings: |_| None,
    cadence: ProbeCadence::Slow,
    read,
};

// At most 24 disks. Each has 3 s; what is not reached is named as not asked.
const SCRIPT: &str = r#"
    smart_wait=1 smart_kept="@later$NL"
    smart_run() {
        if [ -n "$SUDO" ] && [ "$LIMIT" != jd_bounded ]; then $SUDO $LIMIT 3 smartctl -n standby -H "/dev/$1" 2>&1
        else $LIMIT 3 smartctl -n standby -H "/dev/$1" 2>&1
        fi
    }
    smart_all() {
        for smart_disk in $smart_disks; do
            echo "@disk $smart_disk"
            smart_run "$smart_disk"
            echo "@status $?"
        done
    }
    # Disks of this machine's own: not those that a hypervisor, a network or the kernel makes up.
    smart_look() {
        smart_disks= smart_n=0
        set +f
        set -- /sys/block/sd* /sys/block/hd* /sys/block/nvme*
        set -f
        for smart_at in "$@"; do
            [ -e "$smart_at/device" ] || continue
            case ${smart_at##*/} in *[!a-z0-9]*) continue ;; esac
            smart_what=
            for smart_file in vendor model; do
                jd_line=
                IFS= read -r jd_line < "$smart_at/device/$smart_file"
                smart_what="$smart_what$jd_line "
            done
            case $smart_what in
                *QEMU*|*VMware*|*VBOX*|*Virtual*|*virtual*|*Msft*|*Google*|*Amazon*|*PersistentDisk*|*BlockVolume*|*iSCSI*|*ISCSI*|*LIO-ORG*) continue ;;
            esac
            smart_n=$((smart_n + 1))
            [ "$smart_n" -le 24 ] || return
            smart_disks="$smart_disks${smart_at##*/} "
        done
    }
    probe_smart() {
        if [ "$smart_wait" -gt 0 ]; then
            smart_wait=$((smart_wait - 1))
            jd_out=$smart_kept
            return 0
        fi
        smart_wait=119 smart_kept=
        command -v smartctl > /dev/null || return 0
        smart_look
        [ -n "$smart_disks" ] || return 0
        # A disk that does not answer holds the question in the kernel: then no second one is started.
        say "@disks $smart_disks"
        apart smart 5 smart_all
        smart_status=$?
        say "@end $smart_status"
        # Not an hour without an answer because a report was late.
        [ "$smart_status" = 0 ] || smart_wait=9
        smart_kept=$jd_out
    }
"#;

/// What one disk says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum DiskHealth {
    /// It expects to work.
    Good,
    /// It expects to fail, in its words.
    Failing(String),
    /// It sleeps, and is left so.
    Asleep,
    /// Why nobody knows.
    Unknown(Gap),
}

fn read(raw: &Raw) -> Result<Service, Gap> {
    let text = raw.ok()?;
    match text.trim() {
        "" => return Err(Gap::NotInstalled),
        "@later" => return Err(Gap::NotAsked),
        _ => {}
    }
    let (names, rest) = text
        .strip_prefix("@disks ")
        .and_then(|rest| rest.split_once('\n'))
        .ok_or_else(|| unreadable(text))?;
    let end = rest.rsplit_once("@end ").map_or("", |(_, status)| status.trim());
    let missing = match end {
        "123" => Gap::Stuck,
        "124" => Gap::TimedOut,
        _ => Gap::Failed("smartctl says nothing".into()),
    };
    let disks: Vec<(&str, DiskHealth)> = names
        .split_whitespace()
        .take(24)
        .map(|name| (name, said_of(rest, name).map_or_else(|| DiskHealth::Unknown(missing.clone()), health)))
        .collect();
    let of = |which: &dyn Fn(&DiskHealth) -> bool| {
        disks.iter().filter(|(_, health)| which(health)).map(|(name, _)| *name).collect::<Vec<_>>()
    };
    let mut readings = vec![ServiceReading {
        name: "disks",
        figure: Figure::count(u64::try_from(disks.len()).unwrap_or(u64::MAX)),
    }];
    let failing: Vec<String> = disks
        .iter()
        .filter_map(|(name, health)| match health {
            DiskHealth::Failing(words) => Some(format!("{name} ({words})")),
            DiskHealth::Good | DiskHealth::Asleep | DiskHealth::Unknown(_) => None,
        })
        .collect();
    let asleep = of(&|health| *health == DiskHealth::Asleep);
    for (name, found) in [("failing", failing.join(", ")), ("asleep", asleep.join(" "))] {
        if !found.is_empty() {
            readings.push(ServiceReading { name, figure: Figure::text(&found) });
        }
    }
    let gap = disks.iter().find_map(|(name, health)| match health {
        DiskHealth::Unknown(gap) => Some(("disks", named(gap, name))),
        DiskHealth::Good | DiskHealth::Failing(_) | DiskHealth::Asleep => None,
    });
    let good = of(&|health| *health == DiskHealth::Good).len();
    let detail = format!("{good} of {} disks in good health", disks.len());
    let gaps = gap.into_iter().collect();
    Ok(Service {
        running: true,
        detail: detail.into(),
        readings: readings.into(),
        gaps,
        ..Service::default()
    })
}

/// A gap with the name of the first disk that it is about.
fn named(gap: &Gap, disk: &str) -> Gap {
    let with = |why: &Clean| Clean::first_line(&format!("{disk}: {why}"), 160);
    match gap {
        Gap::NotPermitted(why) => Gap::NotPermitted(with(why)),
        Gap::Failed(why) => Gap::Failed(with(why)),
        Gap::NotAsked
        | Gap::TimedOut
        | Gap::Stuck
        | Gap::NotInstalled
        | Gap::NoTool(_)
        | Gap::Cut(_)
        | Gap::Unreadable(_) => gap.clone(),
    }
}

/// The answer of one disk, where it is whole.
fn said_of<'a>(text: &'a str, disk: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("@disk {disk}\n"))?;
    rest.split_once("@status ").map(|(said, _)| said)
}

/// `SMART overall-health self-assessment test result: PASSED`, of SCSI `SMART Health Status: OK`.
fn health(text: &str) -> DiskHealth {
    for line in text.lines() {
        let Some((key, value)) = line.split_once(": ") else { continue };
        if key.ends_with("self-assessment test result") || key == "SMART Health Status" {
            return match value.trim() {
                "PASSED" | "OK" => DiskHealth::Good,
                other => DiskHealth::Failing(Clean::first_line(other, 60).to_string()),
            };
        }
    }
    if ["in STANDBY", "in SLEEP"].iter().any(|words| text.contains(words)) {
        return DiskHealth::Asleep;
    }
    let why = text.lines().rfind(|line| {
        ["open device", "ermission", "password", "Unavailable", "lacks SMART", "please try"]
            .iter()
            .any(|word| line.contains(word))
    });
    let why = Clean::first_line(why.unwrap_or("no health in what smartctl says"), 140);
    if ["ermission", "password"].iter().any(|word| why.as_str().contains(word)) {
        return DiskHealth::Unknown(Gap::NotPermitted(why));
    }
    DiskHealth::Unknown(Gap::Failed(why))
}

fn rule(service: &Service, _: &Thresholds, found: &mut Vec<Finding>) {
    if let Some(disks) = service.text("failing") {
        let message = format!(
            "smart: by its own account {disks} is about to fail. Check that what is on it is elsewhere too, and replace it; see smartctl -a"
        );
        found.push(Finding::of("failing", Severity::Critical, message));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn of(text: &str) -> Result<Service, Gap> {
        super::read(&Raw { status: 0, text: text.to_owned() })
    }

    fn judged(service: &Service) -> Vec<(Severity, String)> {
        let found = PROBE.kind.findings(service, &Thresholds::default());
        found.into_iter().map(|finding| (finding.severity, finding.message)).collect()
    }

    fn disk(said: &str, status: u8) -> Service {
        of(&format!("@disks sda \n@disk sda\n{HEAD}{said}@status {status}\n@end 0\n")).unwrap()
    }

    // As smartctl's documentation and source print it (5.41 to 7.3).
    const HEAD: &str = "smartctl 7.3 2022-02-28 r5338 [x86_64-linux-6.1.0] (local build)\n\
        Copyright (C) 2002-22, Bruce Allen, Christian Franke, www.smartmontools.org\n\n";
    const ATA: &str = "=== START OF READ SMART DATA SECTION ===\nSMART overall-health self-assessment test result: PASSED\n\n";

    #[test]
    fn a_disk_that_expects_to_fail_is_critical() {
        assert_eq!(judged(&disk(ATA, 0)), vec![]);
        assert_eq!(disk(ATA, 0).detail.as_str(), "1 of 1 disks in good health");
        assert_eq!(judged(&disk("SMART Health Status: OK\n", 0)), vec![]);
        for (said, words) in [
            (
                ATA.replace(
                    "PASSED",
                    "FAILED!\nDrive failure expected in less than 24 hours. SAVE ALL DATA.",
                ),
                "sda (FAILED!) is about",
            ),
            (
                "SMART Health Status: FAILURE PREDICTION THRESHOLD EXCEEDED [asc=5d, ascq=0]\n".to_owned(),
                "sda (FAILURE PREDICTION",
            ),
        ] {
            let found = judged(&disk(&said, 24));
            assert!(
                found.len() == 1 && found[0].0 == Severity::Critical && found[0].1.contains(words),
                "{found:?}"
            );
        }
        // One that sleeps is left so.
        let service = disk("Device is in STANDBY mode, exit(2)\n", 2);
        assert_eq!((service.text("asleep"), judged(&service)), (Some("sda"), vec![]));
    }

    #[test]
    fn a_disk_that_says_nothing_is_unknown() {
        for (said, words) in [
            (
                "Smartctl open device: /dev/sda failed: Permission denied\n",
                "smart disks not permitted: sda: Smartctl open",
            ),
            ("sudo: a password is required\n", "smart disks not permitted: sda: sudo"),
            (
                "Smartctl open device: /dev/sda failed: DELL or MegaRaid controller, please try adding '-d megaraid,N'\n",
                "smart disks failed: sda: Smartctl open device",
            ),
            ("\x1b[2J\n", "smart disks failed: sda: no health"),
        ] {
            let found = judged(&disk(said, 2));
            assert!(
                found.len() == 1 && found[0].0 == Severity::Unknown && found[0].1.starts_with(words),
                "{found:?}"
            );
        }
        // The first hangs, the second was not reached.
        let found = judged(&of("@disks sda sdb \n@disk sda\n@end 124\n").unwrap());
        assert!(found.len() == 1 && found[0].1 == "smart disks timed out", "{found:?}");
    }

    #[test]
    fn no_disk_is_nothing_to_say() {
        assert_eq!(of(""), Err(Gap::NotInstalled));
        assert_eq!(of("@later\n"), Err(Gap::NotAsked));
        assert!(matches!(of("\x1b[2J"), Err(Gap::Unreadable(_))));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "(@disks sda sdb\n|@disk sda\n|@status 0\n|@end |SMART Health Status: |OK\n|in STANDBY\n|\\PC)*") {
            let _ = of(&text);
        }
    }
}
