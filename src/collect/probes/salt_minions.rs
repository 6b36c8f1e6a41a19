//! The minions of a Salt master: how many keys it accepted, which wait, were denied or were rejected, and which minions are connected.
//!
//! Keys are the files of four folders. Where the account may read those, no process is started; else root lists them, where the
//! inventory allows `sudo`. A minion chooses its own name before anybody has accepted it: what is no plain name is shown as `?`.
//!
//! Every minion that runs keeps one connection to the master's port 4505, which the kernel lists: nobody has to be pinged. One that is
//! connected and hangs is not seen.

use crate::collect::probe::{HyphenatedProbe, ProbeCadence, Raw, ServiceProbe};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::{Host, Thresholds};
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Figure, Finding, HostsOf, Service, ServiceKind, ServiceReading, Unit};
use jumpdeck_fleet::text::Clean;

mod answer;

use answer::{Connected, MinionsAnswer, OWN, has_other_master};

/// The roles of hosts that may have a master.
const MASTERS: &[&str] = &["salt", "deployment"];

pub(super) static PROBE: HyphenatedProbe = HyphenatedProbe {
    section: "salt_minions",
    probe: ServiceProbe {
        kind: &ServiceKind {
            name: "salt-minions",
            hosts: HostsOf::FoundIn(MASTERS),
            stopped: Severity::Unknown,
            when_stopped: "",
            rule,
            short: |_| None,
        },
        script: SCRIPT,
        settings,
        cadence: ProbeCadence::Slow,
        read,
    },
};

// The code is a text, so that root's shell can have it too. It has no quotes of its kind.
const SCRIPT: &str = r#"
    salt_minions_code='
    # FOLDER NL
    salt_minions_look() {
        salt_minions_said=
        set +f
        for salt_minions_list in minions minions_pre minions_denied minions_rejected; do
            set -- "$1" "$2" "$1/$salt_minions_list"/*
            [ -e "$3" ] || set -- "$1" "$2"
            salt_minions_said="${salt_minions_said}@list $salt_minions_list $(($# - 2))$2"
            salt_minions_most=20
            [ "$salt_minions_list" != minions ] || salt_minions_most=500
            salt_minions_n=0 salt_minions_nl=$2 salt_minions_dir=$1
            shift 2
            for salt_minions_file in "$@"; do
                salt_minions_file=${salt_minions_file##*/}
                case $salt_minions_file in *[!A-Za-z0-9._-]*|-*) salt_minions_file="?" ;; esac
                salt_minions_said="$salt_minions_said$salt_minions_file$salt_minions_nl" salt_minions_n=$((salt_minions_n + 1))
                [ "$salt_minions_n" -lt "$salt_minions_most" ] || break
            done
            set -- "$salt_minions_dir" "$salt_minions_nl"
        done
        set -f
    }'
    eval "$salt_minions_code"
    salt_minions_root() {
        $SUDO $LIMIT 2 sh -c "$salt_minions_code$NL"'[ -d "$1/minions" ] || exit 3; salt_minions_look "$@"; printf %s "$salt_minions_said"' \
            sh "$1" "$NL" 2> /dev/null
    }
    # Prints the lists; its status is the section's, and 3 where there is no master. Not in the resident shell: the folders may be
    # on a file server that is gone.
    salt_minions_keys() {
        salt_minions_top=/etc/salt/pki/master
        for salt_minions_up in /etc/salt /etc/salt/pki "$salt_minions_top" "$salt_minions_top/minions" "$salt_minions_top/minions_pre" \
            "$salt_minions_top/minions_denied" "$salt_minions_top/minions_rejected"; do
            if [ ! -e "$salt_minions_up" ]; then
                case $salt_minions_up in */minions_*) continue ;; *) return 3 ;; esac
            fi
            [ ! -r "$salt_minions_up" ] || [ ! -x "$salt_minions_up" ] || continue
            if [ -n "$SUDO" ] && [ "$LIMIT" != jd_bounded ]; then
                salt_minions_root "$salt_minions_top"
                salt_minions_status=$?
                case $salt_minions_status in 0|3|124|137) return "$salt_minions_status" ;; esac
            fi
            echo "$salt_minions_up"
            return 126
        done
        salt_minions_look "$salt_minions_top" "$NL"
        printf %s "$salt_minions_said"
    }
    probe_salt_minions() {
        apart salt_minions 3 salt_minions_keys
        salt_minions_status=$?
        salt_minions_said=$jd_out
        case $salt_minions_status in 0) jd_out= ;; 3) jd_out=@absent$NL; return 0 ;; *) return "$salt_minions_status" ;; esac
        say "@peers $salt_minions_peers"
        # 4505. Without IPv6 there is no second file.
        jd_ask 2 65536 grep -h ':1199 ' /proc/net/tcp /proc/net/tcp6
        salt_minions_status=$?
        [ "$salt_minions_status" != 127 ] || jd_got=
        say "@connections $salt_minions_status ${jd_cut:-no}$NL$jd_got"
        jd_out=$jd_out$salt_minions_said
    }
"#;

/// The lists that somebody has to look at: folder, the reading that counts it, the reading that names its keys.
const LISTS: [(&str, &str, &str); 3] = [
    ("minions_pre", "waiting", "waiting_names"),
    ("minions_denied", "denied", "denied_names"),
    ("minions_rejected", "rejected", "rejected_names"),
];
/// Names that are shown of a list.
const SHOWN: usize = 4;
/// The reading that says that a minion without a connection may follow another master.
const OTHER_MASTER: &str = "other_master";

/// The environment's hosts, by which connections are told apart.
fn settings(host: &Host) -> Option<String> {
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "._:-".contains(c));
    let own = std::iter::once(format!("{}={OWN}", host.id.host));
    let others = host.peers.iter().filter(|peer| peer.name != host.id.host && plain(&peer.address));
    let rows: Vec<String> = own.chain(others.map(|peer| format!("{}={}", peer.name, peer.address))).collect();
    Some(format!("salt_minions_peers='{}'\n", rows.join(" ")))
}

fn read(raw: &Raw) -> Result<Service, Gap> {
    if let Some(Gap::NotPermitted(folder)) = raw.gap() {
        let why = format!("{folder}: set sudo = true in the inventory for an account that may use sudo");
        return Err(Gap::NotPermitted(Clean::new(&why)));
    }
    let text = raw.ok()?;
    if text.trim() == "@absent" {
        return Err(Gap::NotInstalled);
    }
    let found = MinionsAnswer::read(text)?;
    let (accepted, ids) = found.list("minions")?;
    let mut readings = vec![ServiceReading { name: "accepted", figure: Figure::count(*accepted) }];
    let mut detail = format!("{accepted} accepted");
    let mut gaps = Vec::new();
    match &found.connections {
        Err(gap) => gaps.push(("connections", gap.clone())),
        Ok(None) => detail.push_str(", no master listens on port 4505"),
        Ok(Some(connections)) => {
            let Connected { count, missing } = Connected::of(*accepted, ids, &found.peers, connections);
            let figure = Figure::Amount { value: count, of: Some(*accepted), unit: Unit::Count };
            readings.push(ServiceReading { name: "connected", figure });
            detail.push_str(&format!(", {count} connected"));
            if let Some(names) = missing {
                let figure = Figure::text(&in_short(&names, accepted.saturating_sub(count)));
                readings.push(ServiceReading { name: "disconnected_names", figure });
            }
            if count < *accepted && has_other_master(&found.peers) {
                readings.push(ServiceReading { name: OTHER_MASTER, figure: Figure::Flag(true) });
            }
        }
    }
    for (folder, count_name, names_name) in LISTS {
        let (count, names) = found.list(folder)?;
        readings.push(ServiceReading { name: count_name, figure: Figure::count(*count) });
        if *count > 0 {
            detail.push_str(&format!(", {count} {count_name}"));
            let figure = Figure::text(&in_short(names, *count));
            readings.push(ServiceReading { name: names_name, figure });
        }
    }
    Ok(Service {
        running: true,
        detail: detail.into(),
        readings: readings.into(),
        gaps: gaps.into(),
        ..Service::default()
    })
}

/// The first names of a list, and how many more there are.
fn in_short(names: &[&str], count: u64) -> String {
    let shown: Vec<String> =
        names.iter().take(SHOWN).map(|name| Clean::first_line(name, 24).to_string()).collect();
    let more = count.saturating_sub(u64::try_from(shown.len()).unwrap_or(0));
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

fn rule(service: &Service, _: &Thresholds, found: &mut Vec<Finding>) {
    if let Some(Figure::Amount { value, of: Some(of), .. }) = service.reading("connected")
        && value < of
    {
        let missing = of - value;
        let minions =
            if missing == 1 { "1 minion has".to_owned() } else { format!("{missing} minions have") };
        let (names, next) = match service.text("disconnected_names") {
            Some(names) => {
                (format!(": {names}"), "If the host is up, look there: service salt-minion status")
            }
            None => (String::new(), "See which: salt-run manage.down"),
        };
        let or = match service.reading(OTHER_MASTER) {
            Some(_) if missing == 1 => ", or follows another master",
            Some(_) => ", or follow another master",
            None => "",
        };
        let message = format!(
            "{minions} no connection to the Salt master{or}{names}. {next}. Of a host that is gone, delete the key."
        );
        found.push(Finding::of("connected", Severity::Warning, message));
    }
    // What a command can name: `?` is a shell's pattern, and a name that was cut is another one's.
    let first = |names: &'static str| {
        let first = service.text(names).and_then(|names| names.split([',', ' ']).next());
        first.filter(|name| *name != "?" && !name.contains('…')).unwrap_or("NAME").to_owned()
    };
    if let Some(waiting) = service.amount("waiting").filter(|waiting| *waiting > 0) {
        let names = service.text("waiting_names").unwrap_or_default();
        let (keys, first) = (keys(waiting, "waits", "wait"), first("waiting_names"));
        let message = format!(
            "{keys} to be accepted by the Salt master: {names}. Compare the fingerprint (salt-key -f {first}) with the one that \
             the host shows (salt-call --local key.finger), then accept it: salt-key -a {first}; or reject it: salt-key -r {first}."
        );
        found.push(Finding::of("waiting", Severity::Warning, message));
    }
    if let Some(denied) = service.amount("denied").filter(|denied| *denied > 0) {
        let names = service.text("denied_names").unwrap_or_default();
        let (keys, first) = (keys(denied, "is", "are"), first("denied_names"));
        let message = format!(
            "{keys} denied by the Salt master: {names}. It has another key of that name, so the host was built again, or another \
             machine uses its name. Find out which before a key is deleted: salt-key -f {first}."
        );
        found.push(Finding::of("denied", Severity::Warning, message));
    }
}

fn keys(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 key {one}") } else { format!("{count} keys {many}") }
}

#[cfg(test)]
mod tests;
