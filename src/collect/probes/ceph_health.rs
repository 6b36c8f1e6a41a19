//! The health of a Ceph cluster, as its own `ceph health` says it, on hosts that have its configuration and a key for it.
//!
//! The client costs a second of CPU: it is asked every ten minutes, first half a minute after the console connected, and every two minutes
//! while it fails. Every host with a key tells of the whole cluster; nobody reads the key.

use crate::collect::probe::{HyphenatedProbe, ProbeCadence, Raw, ServiceProbe, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Thresholds;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Figure, Finding, HostsOf, Service, ServiceKind, ServiceReading, Unit};
use jumpdeck_fleet::text::Clean;
use serde_json::Value;

pub(super) static PROBE: HyphenatedProbe = HyphenatedProbe {
    section: "ceph_health",
    probe: ServiceProbe {
        kind: &ServiceKind {
            name: "ceph-health",
            hosts: HostsOf::Found { except: &[] },
            stopped: Severity::Unknown,
            when_stopped: "",
            rule,
            short: |_| None,
        },
        script: SCRIPT,
        settings: |_| None,
        cadence: ProbeCadence::Slow,
        read,
    },
};

// The key of `client.admin`, which the client takes where nobody names another.
const SCRIPT: &str = r#"
    ceph_health_wait=1 ceph_health_at=0 ceph_health_kept="@later$NL"
    ceph_health_ask() {
        if [ -n "$SUDO" ] && [ "$LIMIT" != jd_bounded ]; then $SUDO $LIMIT 4 ceph --connect-timeout 3 health --format json 2>&1
        else ceph --connect-timeout 3 health --format json 2>&1
        fi
    }
    # What it said last, and how many seconds ago it was asked; nothing where the host's clock cannot be read.
    ceph_health_say() {
        ceph_health_age=
        jd_clock
        [ "$jd_up" = 0 ] || ceph_health_age=$(((jd_up - ceph_health_at) / 100))
        jd_out="@asked $ceph_health_age$NL$ceph_health_kept"
    }
    probe_ceph_health() {
        [ -e /etc/ceph/ceph.conf ] || return 0
        ceph_health_key= ceph_health_closed=
        for ceph_health_file in /etc/ceph/ceph.client.admin.keyring /etc/ceph/ceph.keyring /etc/ceph/keyring; do
            if [ -r "$ceph_health_file" ]; then ceph_health_key=yes
            elif [ -e "$ceph_health_file" ]; then ceph_health_closed=$ceph_health_file
            fi
        done
        [ -n "$ceph_health_key$ceph_health_closed" ] || return 0
        command -v ceph > /dev/null || barred ceph || return 0
        [ -z "$ceph_health_key" ] || ceph_health_closed=
        [ -r /etc/ceph/ceph.conf ] || ceph_health_closed=/etc/ceph/ceph.conf
        # With sudo it is enough that they are there: root may read them.
        if [ -n "$ceph_health_closed" ] && [ -z "$SUDO" ]; then
            say "@asked $NL@status 126 no$NL$ceph_health_closed: set sudo = true in the inventory for an account that may use sudo"
            return 0
        fi
        if [ "$ceph_health_wait" -gt 0 ]; then
            ceph_health_wait=$((ceph_health_wait - 1))
            ceph_health_say
            return 0
        fi
        ceph_health_wait=19
        jd_ask 5 65536 ceph_health_ask
        ceph_health_status=$?
        ceph_health_at=$jd_up
        [ "$ceph_health_status" = 0 ] || ceph_health_wait=3
        say "@status $ceph_health_status ${jd_cut:-no}$NL$jd_got"
        ceph_health_kept=$jd_out
        ceph_health_say
    }
"#;

/// Checks that are named.
const SHOWN: usize = 3;

/// One thing that Ceph says is wrong.
struct HealthCheck {
    /// `OSD_DOWN`; before Luminous it has no name.
    name: String,
    severe: bool,
    message: String,
}

fn read(raw: &Raw) -> Result<Service, Gap> {
    let text = raw.ok()?;
    if text.trim().is_empty() {
        return Err(Gap::NotInstalled);
    }
    let (asked, answer) = marked(text, "@asked ")?;
    if answer.trim() == "@later" {
        return Err(Gap::NotAsked);
    }
    let (status, rest) = marked(answer, "@status ")?;
    let amount = |value| Figure::Amount { value, of: None, unit: Unit::Seconds };
    let age = asked.parse::<u64>().ok().map(|value| ServiceReading { name: "age", figure: amount(value) });
    let gap = match status {
        "0 no" => match health_of(rest) {
            Some((word, checks)) => return Ok(service(word, &checks, age)),
            None => unreadable(rest),
        },
        "0 yes" => Gap::Cut("64 KiB of the health of the cluster".into()),
        "124 no" => Gap::TimedOut,
        _ => {
            let why = rest.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("its client failed");
            // No monitor answers.
            match (status, Clean::first_line(why, 160)) {
                _ if why == "timed out" => Gap::TimedOut,
                ("126 no", why) => Gap::NotPermitted(why),
                (_, why) => Gap::Failed(why),
            }
        }
    };
    // A key is there: that nobody knows is said even where it never was known.
    Ok(Service {
        running: true,
        detail: "a key is there".into(),
        readings: age.into_iter().collect(),
        gaps: [("health", gap)].into(),
        ..Service::default()
    })
}

/// The rest of the first line, which begins with this mark, and the lines that follow.
fn marked<'a>(text: &'a str, mark: &str) -> Result<(&'a str, &'a str), Gap> {
    text.strip_prefix(mark).and_then(|rest| rest.split_once('\n')).ok_or_else(|| unreadable(text))
}

/// The word of a cluster, and its checks: `{"status":"HEALTH_WARN","checks":{"OSD_DOWN":{…}}}` since Luminous (12), before it
/// `{"overall_status":"HEALTH_WARN","summary":[{"severity":…,"summary":…}]}`. Other lines of the client come before it.
fn health_of(text: &str) -> Option<(&'static str, Vec<HealthCheck>)> {
    let json = text.lines().rfind(|line| line.starts_with('{'))?;
    let json: Value = serde_json::from_str(json).ok()?;
    let word = json.get("status").or_else(|| json.get("overall_status"))?.as_str()?;
    let word = ["HEALTH_OK", "HEALTH_WARN", "HEALTH_ERR"].into_iter().find(|known| *known == word)?;
    let severe = |check: &Value| check.get("severity").and_then(Value::as_str) == Some("HEALTH_ERR");
    let mut checks = Vec::new();
    for (name, check) in json.get("checks").and_then(Value::as_object).into_iter().flatten() {
        if check.get("muted").and_then(Value::as_bool) == Some(true) {
            continue;
        }
        let message = check.pointer("/summary/message").and_then(Value::as_str).unwrap_or_default();
        checks.push(HealthCheck { name: name.clone(), severe: severe(check), message: message.to_owned() });
    }
    if checks.is_empty() {
        for check in json.get("summary").and_then(Value::as_array).into_iter().flatten() {
            let message = check.get("summary").and_then(Value::as_str).unwrap_or_default().to_owned();
            checks.push(HealthCheck { name: String::new(), severe: severe(check), message });
        }
    }
    checks.sort_by_key(|check| !check.severe);
    Some((word, checks))
}

fn service(word: &str, checks: &[HealthCheck], age: Option<ServiceReading>) -> Service {
    let mut readings = vec![ServiceReading { name: "health", figure: Figure::text(word) }];
    if word != "HEALTH_OK" {
        let words: Vec<String> = checks.iter().take(SHOWN).map(HealthCheck::words).collect();
        let more = match checks.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let all = if words.is_empty() { word.to_owned() } else { format!("{}{more}", words.join("; ")) };
        let name = if word == "HEALTH_ERR" { "errors" } else { "warnings" };
        readings.push(ServiceReading { name, figure: Figure::Text(Clean::first_line(&all, 240)) });
    }
    readings.extend(age);
    Service {
        running: true,
        detail: Clean::first_line(word, 40),
        readings: readings.into(),
        ..Service::default()
    }
}

impl HealthCheck {
    /// `OSD_DOWN (1 osds down)`
    fn words(&self) -> String {
        let short = |text: &str| Clean::first_line(text, 80).to_string();
        match (self.name.is_empty(), self.message.is_empty()) {
            (true, _) => short(&self.message),
            (false, true) => short(&self.name),
            (false, false) => format!("{} ({})", short(&self.name), short(&self.message)),
        }
    }
}

fn rule(service: &Service, _: &Thresholds, found: &mut Vec<Finding>) {
    for (name, severity) in [("errors", Severity::Critical), ("warnings", Severity::Warning)] {
        if let Some(checks) = service.text(name) {
            found.push(Finding::of(name, severity, format!("ceph-health: {checks}. See ceph health detail")));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn of(status: &str, said: &str) -> Result<Service, Gap> {
        super::read(&Raw { status: 0, text: format!("@asked 540\n@status {status}\n{said}\n") })
    }

    fn judged(status: &str, said: &str) -> Vec<(Severity, String)> {
        let found = PROBE.probe.kind.findings(&of(status, said).unwrap(), &Thresholds::default());
        found.into_iter().map(|finding| (finding.severity, finding.message)).collect()
    }

    #[test]
    fn a_cluster_says_itself_how_bad_it_is() {
        // As Ceph 16.2.15 prints it (Debian 12), one monitor.
        let real = "\n{\"status\":\"HEALTH_WARN\",\"checks\":{\"AUTH_INSECURE_GLOBAL_ID_RECLAIM_ALLOWED\":{\"severity\":\"HEALTH_WARN\",\"summary\":\
            {\"message\":\"mon is allowing insecure global_id reclaim\",\"count\":1},\"muted\":false}},\"mutes\":[]}";
        let found = judged("0 no", real);
        assert!(
            found.len() == 1 && found[0].1.contains("(mon is allowing insecure global_id reclaim). See"),
            "{found:?}"
        );
        // As documented for Luminous and later.
        let well = r#"{"status":"HEALTH_OK","checks":{},"mutes":[]}"#;
        assert_eq!(judged("0 no", well), vec![]);
        let found = of("0 no", well).unwrap();
        assert_eq!((found.detail.as_str(), found.amount("age")), ("HEALTH_OK", Some(540)));
        let warns = "2026-11-30 10:00:00.000 7f1 -1 auth: warning\n{\"status\":\"HEALTH_WARN\",\"checks\":{\"OSD_DOWN\":{\"severity\":\"HEALTH_WARN\",\
            \"summary\":{\"message\":\"1 osds down\",\"count\":1},\"muted\":false},\"OLD\":{\"severity\":\"HEALTH_WARN\",\"summary\":{\"message\":\"x\"},\"muted\":true}},\"mutes\":[]}";
        assert_eq!(
            judged("0 no", warns),
            vec![(
                Severity::Warning,
                "ceph-health: OSD_DOWN (1 osds down). See ceph health detail".to_owned()
            )]
        );
        let fails = warns.replace("\"status\":\"HEALTH_WARN\"", "\"status\":\"HEALTH_ERR\"").replace(
            "\"checks\":{",
            "\"checks\":{\"PG_DAMAGED\":{\"severity\":\"HEALTH_ERR\",\"summary\":{\"message\":\"Possible data damage: 1 pg inconsistent\"}},",
        );
        let found = judged("0 no", &fails);
        assert_eq!((found.len(), found[0].0), (1, Severity::Critical));
        assert!(
            found[0]
                .1
                .starts_with("ceph-health: PG_DAMAGED (Possible data damage: 1 pg inconsistent); OSD_DOWN"),
            "{found:?}"
        );
        // Jewel and before.
        let old = r#"{"health":{"health_services":[]},"summary":[{"severity":"HEALTH_WARN","summary":"too few PGs per OSD (16 < min 30)"}],"overall_status":"HEALTH_WARN","detail":[]}"#;
        let found = judged("0 no", old);
        assert!(found.len() == 1 && found[0].1.contains("too few PGs per OSD"), "{found:?}");
    }

    #[test]
    fn no_answer_is_unknown_and_no_key_is_nothing_to_say() {
        assert_eq!(super::read(&Raw { status: 0, text: String::new() }), Err(Gap::NotInstalled));
        assert_eq!(
            super::read(&Raw { status: 0, text: "@asked 9\n@later\n".to_owned() }),
            Err(Gap::NotAsked)
        );
        for (status, said, words) in [
            (
                "1 no",
                "[errno 110] RADOS timed out (error connecting to the cluster)",
                "ceph-health health failed: [errno 110]",
            ),
            ("124 no", "", "ceph-health health timed out"),
            (
                "126 no",
                "/etc/ceph/ceph.conf: set sudo = true in the inventory",
                "ceph-health health not permitted: /etc/ceph/ceph.conf: set sudo",
            ),
            ("1 no", "timed out", "ceph-health health timed out"),
            ("0 yes", "{", "ceph-health health cut"),
            ("0 no", "\x1b[2J", "ceph-health health unreadable"),
            ("0 no", r#"{"status":"HEALTH_NICE"}"#, "ceph-health health unreadable"),
        ] {
            let found = judged(status, said);
            assert!(found.len() == 1 && found[0].0 == Severity::Unknown, "{found:?}");
            assert!(found[0].1.starts_with(words) || status == "0 yes", "{found:?}");
            assert_eq!(of(status, said).unwrap().amount("age"), Some(540));
        }
    }

    #[test]
    fn hostile_checks_are_clean_and_bounded() {
        let many: Vec<String> = (0..500)
            .map(|n| {
                format!(
                    "\"\\u001b[2J{n}\":{{\"severity\":\"HEALTH_ERR\",\"summary\":{{\"message\":\"{}\"}}}}",
                    "x".repeat(500)
                )
            })
            .collect();
        let found =
            judged("0 no", &format!("{{\"status\":\"HEALTH_ERR\",\"checks\":{{{}}}}}", many.join(",")));
        assert!(found[0].1.len() < 400 && !found[0].1.contains('\x1b'), "{found:?}");
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "@asked 0\n(@later\n|@status 0 no\n|\\{\"status\":|\"HEALTH_ERR\"|,|\"checks\":\\{|\\}|\"summary\":|\\[|\\]|\\PC)*") {
            let _ = super::read(&Raw { status: 0, text });
        }
    }
}
