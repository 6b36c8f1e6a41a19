//! What disks say of themselves (SMART): one that expects to fail, on hosts with real disks and smartmontools.
//!
//! Once an hour, first half a minute after the console connected: a question to a disk may wait for its other work. A disk that sleeps is
//! not woken. Disks of a virtual machine have nothing to say, and are not asked. An answer is kept for that hour, and how old it is comes
//! with each report.

use crate::collect::probe::{ProbeCadence, Raw, ServiceProbe, unreadable};
use jumpdeck_fleet::backup::in_words;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Thresholds;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Figure, Finding, HostsOf, Service, ServiceKind, ServiceReading, Unit};
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
    smart_wait=1 smart_kept="@later$NL" smart_asked=0
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
    # Disks of this machine's own: not those that a hypervisor, a network or the kernel makes up. /sys also shows the paths of an
    # NVMe disk, and in a container the disks of its host: nothing can open what has no node in /dev.
    smart_look() {
        smart_disks= smart_n=0
        set +f
        set -- /sys/block/sd* /sys/block/hd* /sys/block/nvme*
        set -f
        for smart_at in "$@"; do
            [ -e "$smart_at/device" ] && [ -b "/dev/${smart_at##*/}" ] || continue
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
    smart_ask() {
        smart_wait=119 smart_kept= smart_asked=$jd_begun
        command -v smartctl > /dev/null || barred smartctl || return 0
        smart_look
        [ -n "$smart_disks" ] || return 0
        # A disk that does not answer holds the question in the kernel: then no second one is started.
        say "@disks $smart_disks"
        apart smart 5 smart_all
        smart_status=$?
        say "@end $smart_status"
        # Not an hour without an answer because a report was late.
        [ "$smart_status" = 0 ] || smart_wait=9
        smart_kept=$jd_out jd_out=
    }
    probe_smart() {
        if [ "$smart_wait" -gt 0 ]; then smart_wait=$((smart_wait - 1)); else smart_ask; fi
        # Without the uptime nobody knows how old an answer is.
        smart_age='?'
        if [ "$smart_asked" != 0 ] && [ "$jd_begun" != 0 ]; then smart_age=$(((jd_begun - smart_asked) / 100)); fi
        case $smart_kept in "@disks "*) say "@asked $smart_age" ;; esac
        jd_out=$jd_out$smart_kept
    }
"#;

/// Disks that expect to fail, and why; that are too hot; that warn of something else, and of what; and that sleep.
const FAILING: &str = "failing";
const HOT: &str = "hot";
const WARNS: &str = "warnings";
const ASLEEP: &str = "asleep";

/// What one disk says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum DiskHealth {
    /// It expects to work.
    Good,
    /// It expects to fail, in its words.
    Failing(String),
    /// Its temperature is over its limit, and nothing else is wrong.
    Hot,
    /// It warns of something else than its own failure, in its words.
    Warns(String),
    /// It sleeps, and is left so.
    Asleep,
    /// Why nobody knows.
    Unknown(Gap),
}

impl DiskHealth {
    /// The reading that names such a disk.
    fn reading(&self) -> Option<&'static str> {
        match self {
            Self::Failing(_) => Some(FAILING),
            Self::Hot => Some(HOT),
            Self::Warns(_) => Some(WARNS),
            Self::Asleep => Some(ASLEEP),
            Self::Good | Self::Unknown(_) => None,
        }
    }

    /// `sda`, `sda (FAILED!)`
    fn words(&self, disk: &str) -> String {
        match self {
            Self::Failing(words) | Self::Warns(words) => format!("{disk} ({words})"),
            Self::Good | Self::Hot | Self::Asleep | Self::Unknown(_) => disk.to_owned(),
        }
    }
}

fn read(raw: &Raw) -> Result<Service, Gap> {
    let text = raw.ok()?;
    match text.trim() {
        "" => return Err(Gap::NotInstalled),
        "@later" => return Err(Gap::NotAsked),
        _ => {}
    }
    let (age, names, rest) = parts(text).ok_or_else(|| unreadable(text))?;
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
    let mut readings = vec![ServiceReading {
        name: "disks",
        figure: Figure::count(u64::try_from(disks.len()).unwrap_or(u64::MAX)),
    }];
    for (name, between) in [(FAILING, ", "), (HOT, ", "), (WARNS, ", "), (ASLEEP, " ")] {
        let found: Vec<String> = disks
            .iter()
            .filter(|(_, health)| health.reading() == Some(name))
            .map(|(disk, health)| health.words(disk))
            .collect();
        if !found.is_empty() {
            // Long enough for the reasons of two disks.
            let figure = Figure::Text(Clean::first_line(&found.join(between), 240));
            readings.push(ServiceReading { name, figure });
        }
    }
    if let Some(value) = age {
        let figure = Figure::Amount { value, of: None, unit: Unit::Seconds };
        readings.push(ServiceReading { name: "age", figure });
    }
    let gap = disks.iter().find_map(|(name, health)| match health {
        DiskHealth::Unknown(gap) => Some(("disks", named(gap, name))),
        DiskHealth::Good
        | DiskHealth::Failing(_)
        | DiskHealth::Hot
        | DiskHealth::Warns(_)
        | DiskHealth::Asleep => None,
    });
    let good = disks.iter().filter(|(_, health)| *health == DiskHealth::Good).count();
    let asked = match age {
        Some(0..60) => String::new(),
        Some(age) => format!(", asked {} ago", in_words(age)),
        None => ", asked at an unknown time".to_owned(),
    };
    let detail = format!("{good} of {} disks in good health{asked}", disks.len());
    let gaps = gap.into_iter().collect();
    Ok(Service {
        running: true,
        detail: detail.into(),
        readings: readings.into(),
        gaps,
        ..Service::default()
    })
}

/// How many seconds ago the disks were asked, where that is known, their names, and what they said.
fn parts(text: &str) -> Option<(Option<u64>, &str, &str)> {
    let (age, rest) = text.strip_prefix("@asked ")?.split_once('\n')?;
    let (names, rest) = rest.strip_prefix("@disks ")?.split_once('\n')?;
    Some((age.parse().ok(), names, rest))
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
    const SCSI: &str = "SMART Health Status";
    let mut lines = text.lines();
    let said = lines.by_ref().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        (key.ends_with("self-assessment test result") || key == SCSI).then(|| (key, value.trim()))
    });
    match said {
        Some((SCSI, status)) => return scsi(status),
        Some((_, result)) => return assessed(result, lines),
        None => {}
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

/// The result of an ATA or NVMe disk. An NVMe disk says `FAILED!` for each of its critical warnings, and lines `- REASON` follow, as
/// nvmeprint.cpp of smartmontools prints them; one of them is the temperature.
fn assessed<'a>(result: &str, after: impl Iterator<Item = &'a str>) -> DiskHealth {
    match result {
        "PASSED" => return DiskHealth::Good,
        "FAILED!" => {}
        // `UNKNOWN!`: USB bridges, and disks that abort the question.
        _ => return unreadable_status(),
    }
    let reasons: Vec<&str> = after.map_while(|line| line.trim_end().strip_prefix("- ")).take(8).collect();
    if reasons.is_empty() {
        return DiskHealth::Failing(result.to_owned());
    }
    if reasons.iter().all(|reason| *reason == "temperature is above or below threshold") {
        return DiskHealth::Hot;
    }
    DiskHealth::Failing(Clean::first_line(&reasons.join(", "), 160).to_string())
}

/// The status of a SCSI disk, in capitals or not, as scsicmds.cpp of smartmontools prints it. The additional sense code 5d is a failure
/// that is expected, or with `(FALSE)` a test of that report; b is a warning.
fn scsi(status: &str) -> DiskHealth {
    if status == "OK" {
        return DiskHealth::Good;
    }
    let words = Clean::first_line(status, 100).to_string();
    let lower = status.to_lowercase();
    let has = |part: &str| lower.contains(part);
    if lower.starts_with("warning") || has("[asc=b,") || has("(false)") {
        if has("temperature") && !has("low ") { DiskHealth::Hot } else { DiskHealth::Warns(words) }
    } else if has("fail") || has("[asc=5d,") {
        DiskHealth::Failing(words)
    } else {
        unreadable_status()
    }
}

fn unreadable_status() -> DiskHealth {
    DiskHealth::Unknown(Gap::Failed("SMART status cannot be read".into()))
}

fn rule(service: &Service, _: &Thresholds, found: &mut Vec<Finding>) {
    if let Some(disks) = service.text(FAILING) {
        let message = format!(
            "smart: by its own account {disks} is about to fail. Check that what is on it is elsewhere too, and replace it; see smartctl -a"
        );
        found.push(Finding::of(FAILING, Severity::Critical, message));
    }
    if let Some(disks) = service.text(HOT) {
        let (report, its) = if disks.contains(", ") { ("report", "their") } else { ("reports", "its") };
        let message = format!(
            "smart: {disks} {report} a temperature over {its} limit: see {its} cooling and smartctl -a"
        );
        found.push(Finding::of(HOT, Severity::Warning, message));
    }
    if let Some(disks) = service.text(WARNS) {
        let message = format!("smart: a warning of {disks}: see smartctl -a");
        found.push(Finding::of(WARNS, Severity::Warning, message));
    }
}

#[cfg(test)]
mod tests;
