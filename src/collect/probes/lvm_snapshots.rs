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
            [!0]*noflush*)
                lvm_snapshots_ask status --target snapshot || return
                lvm_snapshots_ask status --target snapshot-merge ;;
            *) echo "$lvm_snapshots_said"; return "$lvm_snapshots_failed" ;;
        esac
    }
    probe_lvm_snapshots() {
        set +f
        set -- /sys/block/dm-*/dm/uuid
        set -f
        # /sys shows a container the devices of its host, which it cannot ask for.
        [ -e "$1" ] && [ -e /dev/mapper/control ] || return 0
        lvm_snapshots_found=
        for lvm_snapshots_file in "$@"; do
            [ -r "$lvm_snapshots_file" ] || { say "$lvm_snapshots_file"; return 126; }
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

/// A snapshot, a thin pool, or one of its two parts.
struct Fill {
    /// `backup1/snap`, `vg/pool data`.
    name: String,
    part: FillPart,
    state: FillState,
}

/// What is made larger, each in its own way.
#[derive(Clone, Copy)]
enum FillPart {
    /// A snapshot, or a pool's room for data.
    Room,
    /// A pool's room for its metadata.
    Metadata,
}

#[derive(Clone, Copy)]
enum FillState {
    /// Percent of its room.
    Used(u64),
    /// A pool has no room for data.
    NoRoom,
    /// It goes back into its origin, and gets emptier with time.
    Merging,
    /// That ended with an error.
    MergeFailed,
    /// A snapshot that is lost, in the kernel's words.
    Lost(&'static str),
    /// A pool that is to be repaired, and why.
    Broken(&'static str),
    /// The kernel does not say.
    Unknown(&'static str),
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
    let fullest = fills.iter().filter_map(Fill::percent).max();
    readings.extend(
        fullest.map(|percent| ServiceReading { name: "fullest_percent", figure: Figure::count(percent) }),
    );
    for name in [LOST, MERGE_FAILED, BROKEN, UNREAD, FULL, FILLING, METADATA_FULL, METADATA_FILLING, MERGING]
    {
        let found: Vec<String> =
            fills.iter().filter(|fill| fill.reading() == Some(name)).map(Fill::words).collect();
        if !found.is_empty() {
            readings.push(ServiceReading { name, figure: Figure::text(&found.join("; ")) });
        }
    }
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
/// dm-thin.c of the kernel print them. While a snapshot is merged, its origin has the target `snapshot-merge`, with the same words.
fn fills_of(line: &str) -> Vec<Fill> {
    let Some((device, rest)) = line.split_once(": ") else { return Vec::new() };
    let mut words = rest.split_whitespace().skip(2);
    let (kind, words): (_, Vec<&str>) = (words.next(), words.collect());
    let name = volume(device);
    let snapshot = |name, state| vec![Fill { name, part: FillPart::Room, state }];
    match kind {
        Some("snapshot") => snapshot(name, snapshot_state(&words, FillState::Used)),
        Some("snapshot-merge") => {
            snapshot(format!("a snapshot of {name}"), snapshot_state(&words, |_| FillState::Merging))
        }
        Some("thin-pool") => pool(&name, &words),
        _ => Vec::new(),
    }
}

/// The state of a snapshot; `used`: what a share of its room means.
fn snapshot_state(words: &[&str], used: impl Fn(u64) -> FillState) -> FillState {
    match words {
        ["Invalid", ..] => FillState::Lost("is invalid"),
        ["Overflow", ..] => FillState::Lost("overflowed"),
        ["Merge", ..] => FillState::MergeFailed,
        [fill, ..] => share(fill).map_or(FillState::Unknown(NO_STATE), used),
        [] => FillState::Unknown(NO_STATE),
    }
}

/// A thin pool: `TRANSACTION METADATA DATA HELD-ROOT MODE DISCARDS NO-SPACE NEEDS-CHECK …`, as thin-provisioning.txt of the kernel says.
/// Or `Fail`, where all of its volumes refuse every access, or `Error`, where its metadata could not be asked.
fn pool(name: &str, words: &[&str]) -> Vec<Fill> {
    let whole = |state| Fill { name: name.to_owned(), part: FillPart::Room, state };
    let (metadata, data, rest) = match words {
        ["Fail", ..] => return vec![whole(FillState::Broken("failed"))],
        ["Error", ..] => return vec![whole(FillState::Unknown("has an error instead of its state"))],
        [_, metadata, data, rest @ ..] => (*metadata, *data, rest),
        _ => return vec![whole(FillState::Unknown(NO_STATE))],
    };
    let mode = rest.get(1).copied();
    let used = |fill| share(fill).map_or(FillState::Unknown(NO_STATE), FillState::Used);
    let data = if mode == Some("out_of_data_space") { FillState::NoRoom } else { used(data) };
    let broken = if mode == Some("ro") {
        Some("is read-only")
    } else if rest.contains(&"needs_check") {
        Some("needs thin_check")
    } else {
        None
    };
    let mut fills: Vec<Fill> = broken.map(|why| whole(FillState::Broken(why))).into_iter().collect();
    fills.push(Fill { name: format!("{name} data"), part: FillPart::Room, state: data });
    fills.push(Fill { name: format!("{name} metadata"), part: FillPart::Metadata, state: used(metadata) });
    fills
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
        let state = match self.state {
            FillState::Used(percent) => return format!("{} {percent} %", self.name),
            FillState::NoRoom => "has no room left",
            FillState::Merging => "is being merged",
            FillState::MergeFailed => "could not be merged",
            FillState::Lost(state) | FillState::Broken(state) | FillState::Unknown(state) => state,
        };
        format!("{} {state}", self.name)
    }

    fn percent(&self) -> Option<u64> {
        match self.state {
            FillState::Used(percent) => Some(percent),
            FillState::NoRoom => Some(100),
            FillState::Merging
            | FillState::MergeFailed
            | FillState::Lost(_)
            | FillState::Broken(_)
            | FillState::Unknown(_) => None,
        }
    }

    /// The reading that names it, where that is more than how full it is.
    fn reading(&self) -> Option<&'static str> {
        let (full, filling) = match self.part {
            FillPart::Room => (FULL, FILLING),
            FillPart::Metadata => (METADATA_FULL, METADATA_FILLING),
        };
        match self.state {
            FillState::Used(CRITICAL..) | FillState::NoRoom => Some(full),
            FillState::Used(WARNING..) => Some(filling),
            FillState::Used(_) => None,
            FillState::Merging => Some(MERGING),
            FillState::MergeFailed => Some(MERGE_FAILED),
            FillState::Lost(_) => Some(LOST),
            FillState::Broken(_) => Some(BROKEN),
            FillState::Unknown(_) => Some(UNREAD),
        }
    }
}

/// What the kernel says nothing of.
const NO_STATE: &str = "is in an unknown state";
/// What is lost, what is nearly, what will be, and what nobody can tell of.
const LOST: &str = "lost";
const UNREAD: &str = "unread";
const FULL: &str = "full";
const FILLING: &str = "filling";
/// The same of a pool's metadata.
const METADATA_FULL: &str = "metadata_full";
const METADATA_FILLING: &str = "metadata_filling";
/// A pool that is to be repaired.
const BROKEN: &str = "broken";
/// What goes back into its origin, and what could not.
const MERGING: &str = "merging";
const MERGE_FAILED: &str = "merge_failed";

fn rule(service: &Service, _: &Thresholds, found: &mut Vec<Finding>) {
    const LARGER: &str =
        "Make it larger (lvextend -L +SIZE VG/NAME), or remove a snapshot that is no longer needed";
    const MORE_METADATA: &str = "Make it larger (lvextend --poolmetadatasize +SIZE VG/POOL)";
    let mut add = |name, severity, message: &dyn Fn(&str) -> String| {
        if let Some(text) = service.text(name) {
            found.push(Finding::of(name, severity, message(text)));
        }
    };
    add(LOST, Severity::Critical, &|volumes| {
        format!(
            "lvm-snapshots: {volumes}. See lvs -a and dmesg; a snapshot that is lost cannot be read again"
        )
    });
    add(MERGE_FAILED, Severity::Critical, &|volumes| {
        format!(
            "lvm-snapshots: {volumes}: only a part of it is in its origin. Keep both, and see dmesg for errors of their disks; the \
             merge begins again when the origin is next activated"
        )
    });
    add(BROKEN, Severity::Critical, &|pools| {
        format!("lvm-snapshots: {pools}. See lvs -a and dmesg; lvmthin(7) says how a pool is repaired")
    });
    add(FULL, Severity::Critical, &|volumes| {
        format!("lvm-snapshots: {volumes}: a full snapshot is lost, and a full pool refuses writes. {LARGER}")
    });
    add(METADATA_FULL, Severity::Critical, &|pools| {
        format!("lvm-snapshots: {pools}: a pool with full metadata becomes read-only. {MORE_METADATA}")
    });
    add(FILLING, Severity::Warning, &|volumes| format!("lvm-snapshots: {volumes} in use. {LARGER}"));
    add(METADATA_FILLING, Severity::Warning, &|pools| {
        format!("lvm-snapshots: {pools} in use. {MORE_METADATA}")
    });
    add(UNREAD, Severity::Unknown, &|volumes| {
        format!("lvm-snapshots: {volumes}. See dmsetup status and dmesg")
    });
}

#[cfg(test)]
mod tests;
