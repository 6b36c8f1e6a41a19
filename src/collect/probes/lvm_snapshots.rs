//! Snapshots and thin pools of LVM: how full each is. A snapshot that is full is lost, and so is what nobody copied from it.
//!
//! `dmsetup status` asks the kernel alone: it takes no lock, reads no disk and, with `--noflush`, writes nothing. `lvs` would take LVM's locks,
//! and without them says no percentage. Which devices there are, files in `/sys` say without a process.

use crate::collect::probe::{HyphenatedProbe, ProbeCadence, Raw, ServiceProbe, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Thresholds;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Figure, Finding, HostsOf, Service, ServiceKind, ServiceReading};
use jumpdeck_fleet::text::Clean;

pub(super) static PROBE: HyphenatedProbe = HyphenatedProbe {
    section: "lvm_snapshots",
    probe: ServiceProbe {
        kind: &ServiceKind {
            name: "lvm-snapshots",
            hosts: HostsOf::Found { except: &[] },
            // One that is lost is a finding of its own.
            stopped: Severity::Critical,
            when_stopped: "See dmsetup status.",
            rule,
            short: |_| None,
        },
        script: SCRIPT,
        settings: |_| None,
        cadence: ProbeCadence::Slow,
        read,
    },
};

// LVM names its devices of a snapshot `…-cow`, and those of a thin pool `…-tpool`. Before 1.02.77 dmsetup has no --noflush, and no
// thin pool to flush.
const SCRIPT: &str = r#"
    lvm_snapshots_ask() {
        if [ -n "$SUDO" ] && [ "$LIMIT" != jd_bounded ]; then $SUDO $LIMIT 3 dmsetup "$@" 2>&1
        else dmsetup "$@" 2>&1
        fi
    }
    lvm_snapshots_status() {
        lvm_snapshots_said=$(lvm_snapshots_ask status --noflush)
        lvm_snapshots_failed=$?
        case $lvm_snapshots_failed:$lvm_snapshots_said in
            [!0]*noflush*) lvm_snapshots_ask status --target snapshot ;;
            *) echo "$lvm_snapshots_said"; return "$lvm_snapshots_failed" ;;
        esac
    }
    probe_lvm_snapshots() {
        set +f
        set -- /sys/block/dm-*/dm/uuid
        set -f
        [ -e "$1" ] || return 0
        lvm_snapshots_found=
        for lvm_snapshots_file in "$@"; do
            jd_line=
            IFS= read -r jd_line < "$lvm_snapshots_file"
            case $jd_line in LVM-*-cow|LVM-*-tpool) lvm_snapshots_found=yes; break ;; esac
        done
        [ -n "$lvm_snapshots_found" ] || return 0
        ! lacks dmsetup || return 127
        # The kernel answers when the device does: then no second one is started.
        apart lvm_snapshots 3 lvm_snapshots_status || return
        jd_out="@status$NL$jd_out"
    }
"#;

/// Percent of its room at which a snapshot or a pool is to be made larger, and at which that is urgent.
const WARNING: u64 = 80;
const CRITICAL: u64 = 95;

/// A snapshot, or one of the two parts of a thin pool.
struct Fill {
    /// `backup1/snap`, `vg/pool data`.
    name: String,
    /// Percent; or what the kernel says of one that is lost.
    state: Result<u64, &'static str>,
}

fn read(raw: &Raw) -> Result<Service, Gap> {
    let text = match raw.ok() {
        Ok(text) => text,
        Err(gap) => return Ok(not_answered(gap)),
    };
    if text.trim().is_empty() {
        return Err(Gap::NotInstalled);
    }
    let Some(rows) = text.strip_prefix("@status\n") else { return Ok(not_answered(unreadable(text))) };
    let fills: Vec<Fill> = rows.lines().flat_map(fills_of).take(1000).collect();
    if fills.is_empty() {
        return Ok(not_answered(unreadable(rows)));
    }
    let count = u64::try_from(fills.len()).unwrap_or(u64::MAX);
    let mut readings = vec![ServiceReading { name: "watched", figure: Figure::count(count) }];
    let fullest = fills.iter().filter_map(|fill| fill.state.ok()).max();
    readings.extend(
        fullest.map(|percent| ServiceReading { name: "fullest_percent", figure: Figure::count(percent) }),
    );
    let mut add = |name, which: &dyn Fn(&Fill) -> bool| {
        let found: Vec<String> = fills.iter().filter(|fill| which(fill)).map(Fill::words).collect();
        if !found.is_empty() {
            readings.push(ServiceReading { name, figure: Figure::text(&found.join("; ")) });
        }
    };
    add(LOST, &|fill| fill.state.is_err_and(|state| state != UNKNOWN));
    add(UNREAD, &|fill| fill.state == Err(UNKNOWN));
    add(FULL, &|fill| fill.state.is_ok_and(|percent| percent >= CRITICAL));
    add(FILLING, &|fill| fill.state.is_ok_and(|percent| (WARNING..CRITICAL).contains(&percent)));
    let words: Vec<String> = fills.iter().map(Fill::words).collect();
    Ok(Service {
        running: true,
        detail: Clean::first_line(&words.join(", "), 160),
        readings: readings.into(),
        ..Service::default()
    })
}

/// Files say that there are snapshots: that nobody knows how full they are is said even where it never was known.
fn not_answered(gap: Gap) -> Service {
    let gap = match gap {
        Gap::Failed(why) if ["ermission", "password"].iter().any(|word| why.as_str().contains(word)) => {
            Gap::NotPermitted(why)
        }
        other => other,
    };
    Service {
        running: true,
        detail: "there are snapshots".into(),
        gaps: [("fill", gap)].into(),
        ..Service::default()
    }
}

/// `vg-snap: 0 83886080 snapshot 5243600/10485760 20496`, `vg-pool-tpool: 0 32768 thin-pool 1 25/1024 100/256 - rw …`, as dm-snap.c and
/// dm-thin.c of the kernel print them.
fn fills_of(line: &str) -> Vec<Fill> {
    let Some((device, rest)) = line.split_once(": ") else { return Vec::new() };
    let mut words = rest.split_whitespace().skip(2);
    let (kind, words): (_, Vec<&str>) = (words.next(), words.collect());
    let name = volume(device);
    match (kind, words.as_slice()) {
        (Some("snapshot"), [fill, ..]) => {
            let state = match *fill {
                "Invalid" => Err("is invalid"),
                "Overflow" => Err("overflowed"),
                "Merge" => Err("could not be merged"),
                other => share(other).ok_or(UNKNOWN),
            };
            vec![Fill { name, state }]
        }
        (Some("thin-pool"), ["Fail", ..]) => vec![Fill { name, state: Err("failed") }],
        (Some("thin-pool"), [_, metadata, data, rest @ ..]) => {
            let state = |fill| match rest {
                [_, "ro", ..] => Err("is read-only"),
                [_, "out_of_data_space", ..] => Err("has no room left"),
                rest if rest.contains(&"needs_check") => Err("needs thin_check"),
                _ => share(fill).ok_or(UNKNOWN),
            };
            vec![
                Fill { name: format!("{name} data"), state: state(data) },
                Fill { name: format!("{name} metadata"), state: state(metadata) },
            ]
        }
        _ => Vec::new(),
    }
}

/// Percent, rounded down: `5243600/10485760`.
fn share(text: &str) -> Option<u64> {
    let (used, all) = text.split_once('/')?;
    let (used, all) = (used.parse::<u64>().ok()?, all.parse::<u64>().ok()?);
    used.saturating_mul(100).checked_div(all)
}

/// `vg/volume` of a name of the device mapper: a hyphen in either is two there.
fn volume(device: &str) -> String {
    let device = device.strip_suffix("-tpool").unwrap_or(device);
    device.replace("--", "\0").replacen('-', "/", 1).replace('\0', "-")
}

impl Fill {
    /// `vg/snap 87 %`
    fn words(&self) -> String {
        match self.state {
            Ok(percent) => format!("{} {percent} %", self.name),
            Err(state) => format!("{} {state}", self.name),
        }
    }
}

/// What the kernel says nothing of.
const UNKNOWN: &str = "is in an unknown state";
/// What is lost, what is nearly, what will be, and what nobody can tell of.
const LOST: &str = "lost";
const UNREAD: &str = "unread";
const FULL: &str = "full";
const FILLING: &str = "filling";

fn rule(service: &Service, _: &Thresholds, found: &mut Vec<Finding>) {
    let mut add = |name, severity, message: &dyn Fn(&str) -> String| {
        if let Some(text) = service.text(name) {
            found.push(Finding::of(name, severity, message(text)));
        }
    };
    const NEXT: &str =
        "Make it larger (lvextend -L +SIZE VG/NAME), or remove a snapshot that is no longer needed";
    add(LOST, Severity::Critical, &|volumes| {
        format!(
            "lvm-snapshots: {volumes}. See lvs -a and dmesg; a snapshot that is lost cannot be read again"
        )
    });
    add(FULL, Severity::Critical, &|volumes| {
        format!("lvm-snapshots: {volumes}: a full snapshot is lost, and a full pool refuses writes. {NEXT}")
    });
    add(FILLING, Severity::Warning, &|volumes| format!("lvm-snapshots: {volumes} in use. {NEXT}"));
    add(UNREAD, Severity::Unknown, &|volumes| format!("lvm-snapshots: {volumes}. See dmsetup status"));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn of(status: u8, text: &str) -> Result<Service, Gap> {
        super::read(&Raw { status, text: text.to_owned() })
    }

    fn judged(service: &Service) -> Vec<(Severity, String)> {
        let found = PROBE.probe.kind.findings(service, &Thresholds::default());
        found.into_iter().map(|finding| (finding.severity, finding.message)).collect()
    }

    const ORIGIN: &str = "@status\nbackup1-lvbackup1: 0 83886080 snapshot-origin 253:1\nbackup1-lvbackup1-real: 0 83886080 linear 8:16 2048\n\
        backup1-nightly--1-cow: 0 10485760 linear 8:16 83888128\n";

    fn snapshot(fill: &str) -> Service {
        of(0, &format!("{ORIGIN}backup1-nightly--1: 0 83886080 snapshot {fill}\n")).unwrap()
    }

    fn pool(rest: &str) -> Service {
        of(0, &format!("@status\nvg-pool-tpool: 0 32768 thin-pool {rest}\nvg-thin: 0 8192 thin 4096 8191\n"))
            .unwrap()
    }

    #[test]
    fn a_snapshot_is_judged_by_how_full_it_is() {
        let service = snapshot("5243600/10485760 20496");
        assert_eq!((service.detail.as_str(), judged(&service)), ("backup1/nightly-1 50 %", vec![]));
        for (fill, severity, words) in [
            (
                "8388608/10485760 1",
                Severity::Warning,
                "lvm-snapshots: backup1/nightly-1 80 % in use. Make it larger",
            ),
            (
                "9961472/10485760 1",
                Severity::Critical,
                "lvm-snapshots: backup1/nightly-1 95 %: a full snapshot is lost",
            ),
            ("Invalid", Severity::Critical, "lvm-snapshots: backup1/nightly-1 is invalid. See lvs"),
            ("Overflow", Severity::Critical, "backup1/nightly-1 overflowed"),
            ("Merge failed", Severity::Critical, "could not be merged"),
            ("Unknown", Severity::Unknown, "is in an unknown state"),
        ] {
            let found = judged(&snapshot(fill));
            assert!(
                found.len() == 1 && found[0].0 == severity && found[0].1.contains(words),
                "{fill}: {found:?}"
            );
        }
        assert!(judged(&snapshot("8283749/10485760 1")).is_empty(), "79 %");
    }

    #[test]
    fn a_pool_has_room_for_data_and_for_metadata() {
        let service = pool("1 25/1024 128/256 - rw discard_passdown queue_if_no_space - 1024");
        assert_eq!(service.detail.as_str(), "vg/pool data 50 %, vg/pool metadata 2 %");
        assert!(judged(&service).is_empty());
        for (rest, severity, words) in [
            (
                "1 900/1024 128/256 - rw discard_passdown queue_if_no_space - 1024",
                Severity::Warning,
                "vg/pool metadata 87 % in use",
            ),
            (
                "1 25/1024 256/256 - rw discard_passdown queue_if_no_space - 1024",
                Severity::Critical,
                "vg/pool data 100 %:",
            ),
            (
                "1 25/1024 256/256 - out_of_data_space discard_passdown queue_if_no_space - 1024",
                Severity::Critical,
                "has no room left",
            ),
            (
                "1 25/1024 128/256 - ro discard_passdown queue_if_no_space needs_check 1024",
                Severity::Critical,
                "is read-only",
            ),
            (
                "1 25/1024 128/256 - rw discard_passdown queue_if_no_space needs_check 1024",
                Severity::Critical,
                "needs thin_check",
            ),
            ("Fail", Severity::Critical, "vg/pool failed"),
        ] {
            let found = judged(&pool(rest));
            assert!(
                found.len() == 1 && found[0].0 == severity && found[0].1.contains(words),
                "{rest}: {found:?}"
            );
        }
    }

    #[test]
    fn none_is_nothing_to_say_and_no_answer_is_unknown() {
        assert_eq!(of(0, ""), Err(Gap::NotInstalled));
        for (status, said, words) in [
            // As dmsetup 1.02.185 says it to an account that is not root.
            (
                1,
                "/dev/mapper/control: open failed: Permission denied\nCommand failed.",
                "lvm-snapshots fill not permitted: /dev/mapper",
            ),
            (1, "sudo: a password is required", "lvm-snapshots fill not permitted"),
            (127, "dmsetup", "lvm-snapshots fill tool missing: dmsetup"),
            (124, "", "lvm-snapshots fill timed out"),
            (0, "@status\n\x1b[2J\n", "lvm-snapshots fill unreadable"),
        ] {
            let found = judged(&of(status, said).unwrap());
            assert!(
                found.len() == 1 && found[0].0 == Severity::Unknown && found[0].1.starts_with(words),
                "{found:?}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "@status\n(vg-a--b: 0 1 |snapshot |thin-pool |[0-9]{1,25}/|[0-9]{1,3} |Invalid|Fail|\n|\\PC)*") {
            let _ = of(0, &text);
        }
    }
}
