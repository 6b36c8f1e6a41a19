//! DRBD: whether each device is connected and both copies are up to date, by `/proc/drbd`, without a process. DRBD 9 says nothing there;
//! its `drbdadm status` is asked, as root or by sudo.

use crate::collect::probe::{ProbeCadence, Raw, ServiceProbe, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Thresholds;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Figure, Finding, HostsOf, Service, ServiceKind, ServiceReading};
use jumpdeck_fleet::text::Clean;

mod devices;

use devices::DrbdDevice;

pub(super) static PROBE: ServiceProbe = ServiceProbe {
    kind: &ServiceKind {
        name: "drbd",
        hosts: HostsOf::Found { except: &[] },
        stopped: Severity::Critical,
        when_stopped: "See drbdadm status.",
        rule,
        short: |_| None,
    },
    script: SCRIPT,
    settings: |_| None,
    cadence: ProbeCadence::Slow,
    read,
};

const SCRIPT: &str = r#"
    drbd_status() {
        if [ -n "$SUDO" ] && [ "$LIMIT" != jd_bounded ]; then $SUDO $LIMIT 3 drbdadm status 2>&1
        else drbdadm status 2>&1
        fi
    }
    probe_drbd() {
        [ -e /proc/drbd ] || return 0
        need /proc/drbd || return
        case $jd_out in 'version: 8'*) return 0 ;; esac
        drbd_out=$jd_out jd_out=
        ! lacks drbdadm || return 127
        # It may hang in the kernel, as root: then no second one is started.
        apart drbd 4 drbd_status || return
        jd_out="$drbd_out@status$NL$jd_out"
    }
"#;

fn read(raw: &Raw) -> Result<Service, Gap> {
    let text = match raw.ok() {
        Ok(text) => text,
        Err(gap) => return not_answered(gap),
    };
    if text.trim().is_empty() {
        return Err(Gap::NotInstalled);
    }
    let version = text.lines().next().and_then(|line| line.strip_prefix("version: "));
    let version = version.ok_or_else(|| unreadable(text))?.split(' ').next().unwrap_or_default();
    let devices = devices::read(text);
    if devices.is_empty() {
        return Err(Gap::NotInstalled);
    }
    let texts = |which: fn(&DrbdDevice) -> Option<String>| {
        let found: Vec<String> = devices.iter().filter_map(which).collect();
        (!found.is_empty()).then(|| Figure::text(&found.join("; ")))
    };
    let mut readings = vec![
        ServiceReading { name: "version", figure: Figure::text(version) },
        ServiceReading {
            name: "devices",
            figure: Figure::count(u64::try_from(devices.len()).unwrap_or(u64::MAX)),
        },
    ];
    let parts = [
        (BROKEN, texts(|device| device.broken())),
        (ALONE, texts(|device| device.alone())),
        (SYNCED, texts(|device| device.synced())),
    ];
    readings.extend(
        parts.into_iter().filter_map(|(name, figure)| Some(ServiceReading { name, figure: figure? })),
    );
    let words: Vec<String> = devices.iter().map(|device| device.words()).collect();
    Ok(Service {
        running: true,
        detail: Clean::first_line(&words.join(", "), 160),
        readings: readings.into(),
        ..Service::default()
    })
}

/// `/proc/drbd` is there, else nothing was asked: that nobody knows its state is said even where it never was known.
fn not_answered(gap: Gap) -> Result<Service, Gap> {
    let says = |why: &Clean, words: &[&str]| words.iter().any(|word| why.as_str().contains(word));
    let gap = match gap {
        // Every resource was taken down.
        Gap::Failed(why) if says(&why, &["No currently configured DRBD"]) => return Err(Gap::NotInstalled),
        Gap::Failed(why) if says(&why, &["ermission", "root", "password is required"]) => {
            Gap::NotPermitted(why)
        }
        other => other,
    };
    Ok(Service {
        running: true,
        detail: "/proc/drbd is there".into(),
        gaps: [("state", gap)].into(),
        ..Service::default()
    })
}

/// Devices whose own copy is not good, those without a peer, and those that are being synchronized.
const BROKEN: &str = "broken";
const ALONE: &str = "alone";
const SYNCED: &str = "synced";

fn rule(service: &Service, _: &Thresholds, found: &mut Vec<Finding>) {
    let mut add = |name, severity, message: &dyn Fn(&str) -> String| {
        if let Some(text) = service.text(name) {
            found.push(Finding::of(name, severity, message(text)));
        }
    };
    add(BROKEN, Severity::Critical, &|devices| {
        format!("drbd: {devices}: its own copy is not good. See dmesg and drbdadm status")
    });
    add(ALONE, Severity::Critical, &|devices| {
        format!(
            "drbd: {devices}: nothing is replicated. See the peer and the network; two that both were primary need a choice whose data stays"
        )
    });
    add(SYNCED, Severity::Warning, &|devices| format!("drbd: {devices}. Until then only one copy is good"));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn of(status: u8, text: &str) -> Result<Service, Gap> {
        super::read(&Raw { status, text: text.to_owned() })
    }

    fn findings(text: &str) -> Vec<(Severity, String)> {
        let mut found = Vec::new();
        rule(&of(0, text).unwrap(), &Thresholds::default(), &mut found);
        found.into_iter().map(|finding| (finding.severity, finding.message)).collect()
    }

    // As DRBD's documentation prints it (8.4).
    const WELL: &str = "version: 8.4.11 (api:1/proto:86-101)\nsrcversion: FC3433D849E3B88C1E7B55C\n \
        0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----\n    ns:200 nr:0 dw:200 dr:1000 al:4 bm:0 lo:0 oos:0\n";

    #[test]
    fn eight_tells_in_proc() {
        let service = of(0, WELL).unwrap();
        assert_eq!(
            (service.detail.as_str(), service.text("version")),
            ("drbd0 Primary UpToDate", Some("8.4.11"))
        );
        assert!(findings(WELL).is_empty());
        let alone = WELL.replace("Connected", "WFConnection").replace("/Secondary", "/Unknown");
        let found = findings(&alone);
        assert_eq!((found.len(), found[0].0), (1, Severity::Critical));
        assert!(found[0].1.starts_with("drbd: drbd0 is WFConnection: nothing is replicated"), "{found:?}");
        let sync = WELL.replace("Connected", "SyncTarget").replace("ds:UpToDate", "ds:Inconsistent")
            + "\t[==>...........] sync'ed: 20.1% (8216/10236)Mfinish: 0:43:02 speed: 3,200 K/sec\n";
        let found = findings(&sync);
        assert_eq!((found.len(), found[0].0), (1, Severity::Warning));
        assert!(found[0].1.starts_with("drbd: drbd0 is SyncTarget, 20.1 % done."), "{found:?}");
        let broken = findings(&WELL.replace("ds:UpToDate", "ds:Diskless"));
        assert!(broken[0].1.starts_with("drbd: drbd0 is Diskless: its own copy is not good"), "{broken:?}");
    }

    #[test]
    fn a_device_that_is_down_on_purpose_is_nothing_to_say() {
        let two = WELL.to_owned() + " 1: cs:Unconfigured\n";
        assert!(findings(&two).is_empty(), "{:?}", findings(&two));
        assert_eq!(of(0, &two).unwrap().amount("devices"), Some(1));
        assert_eq!(of(0, "version: 8.4.11 (api:1)\n 0: cs:Unconfigured\n"), Err(Gap::NotInstalled));
        assert_eq!(of(10, "# No currently configured DRBD found.\n"), Err(Gap::NotInstalled));
    }

    #[test]
    fn nine_is_asked() {
        let text = "version: 9.1.4 (api:2/proto:110-121)\n@status\nr0 role:Primary\n  disk:UpToDate\n  nodeb role:Secondary\n    \
            peer-disk:UpToDate\n\nr1 role:Secondary\n  disk:UpToDate\n  nodeb connection:Connecting\n";
        assert_eq!(of(0, text).unwrap().detail.as_str(), "r0 Primary UpToDate, r1 Secondary UpToDate");
        let found = findings(text);
        assert!(found.len() == 1 && found[0].1.starts_with("drbd: r1 is Connecting:"), "{found:?}");
        let sync = text
            .replace("    peer-disk:UpToDate", "    replication:SyncSource peer-disk:Inconsistent done:4.20");
        assert!(
            findings(&sync).iter().any(|(_, text)| text.starts_with("drbd: r0 is SyncSource, 4.20 % done."))
        );
    }

    #[test]
    fn only_what_has_a_role_is_a_resource_and_a_client_has_no_disk() {
        let text = "version: 9.1.4 (api:2/proto:110-121)\n@status\nWARN: stdin/stdout is not a TTY\n\
            r0 role:Primary\n  disk:Diskless client:yes\n  nodeb role:Secondary\n    peer-disk:UpToDate\n";
        assert!(findings(text).is_empty(), "{:?}", findings(text));
        assert_eq!(of(0, text).unwrap().detail.as_str(), "r0 Primary Diskless on purpose");
        let lost = findings(&text.replace(" client:yes", ""));
        assert!(lost.len() == 1 && lost[0].1.starts_with("drbd: r0 is Diskless:"), "{lost:?}");
    }

    #[test]
    fn of_several_peers_the_worst_is_told() {
        let head = "version: 9.1.4 (api:2/proto:110-121)\n@status\nr0 role:Primary\n  disk:UpToDate\n";
        let gone = "  nodeb connection:StandAlone\n";
        let synced = "  nodec role:Secondary\n    replication:SyncSource peer-disk:Inconsistent done:4.20\n";
        for peers in [[gone, synced], [synced, gone]] {
            let found = findings(&format!("{head}{}", peers.concat()));
            assert!(found.len() == 1 && found[0].1.starts_with("drbd: r0 is StandAlone:"), "{found:?}");
        }
        let good = "  noded role:Secondary\n    replication:Established peer-disk:UpToDate\n";
        let found = findings(&format!("{head}{synced}{good}"));
        assert!(found.len() == 1 && found[0].0 == Severity::Warning, "{found:?}");
    }

    #[test]
    fn none_is_nothing_to_say_and_no_answer_is_unknown() {
        assert_eq!(of(0, ""), Err(Gap::NotInstalled));
        assert_eq!(of(0, "version: 8.4.11 (api:1)\n"), Err(Gap::NotInstalled));
        assert!(matches!(of(0, "\x1b[2J"), Err(Gap::Unreadable(_))));
        for (status, said, words) in [
            (1, "drbdadm: must be root", "drbd state not permitted: drbdadm: must be root"),
            (1, "sudo: a password is required", "drbd state not permitted: sudo: a password is required"),
            (127, "drbdadm", "drbd state tool missing: drbdadm"),
            (124, "", "drbd state timed out"),
        ] {
            let found = PROBE.kind.findings(&of(status, said).unwrap(), &Thresholds::default());
            assert!(found.len() == 1 && found[0].severity == Severity::Unknown, "{found:?}");
            assert_eq!(found[0].message, words);
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "version: (8.4|9.1) (\n|@status\n|r0 role:|  disk:| 0: cs:| ro:| ds:|UpToDate|/|sync'ed:|%|\\PC)*") {
            let _ = of(0, &text);
        }
    }
}
