//! Redis (and Valkey): whether it runs, its memory and evictions, its replication and persistence, whether it requires a password.
//!
//! The host's own client asks `INFO`, without a password: that one is wanted is an answer, and its figures are then unknown.
//! A refused connection is no proof that nothing runs: it may listen on another address. So the process table is looked
//! through, where a server's title says where it listens, and the server is asked there. Only where no process is found is it
//! stopped.

use crate::collect::probe::{ProbeCadence, Raw, ServiceProbe, ServiceProcess, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Thresholds;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Figure, Finding, HostsOf, Service, ServiceKind, ServiceReading, Unit};
use jumpdeck_fleet::text::Clean;

pub(super) static PROBE: ServiceProbe = ServiceProbe {
    kind: &ServiceKind {
        name: "redis",
        hosts: HostsOf::Roles(&["redis", "sessions"]),
        stopped: Severity::Critical,
        when_stopped: "Look at its log, then start it: service redis-server start.",
        rule,
        short: |service| service.text("role"),
    },
    script: SCRIPT,
    settings: |_| None,
    cadence: ProbeCadence::Every,
    read,
};

// Only the lines of INFO that are read are sent; what is no INFO is sent whole.
const SCRIPT: &str = r#"
    jd_wanted="${jd_wanted}redis-server valkey-server "
    redis_run() { "$redis_client" -h "$redis_host" -p "$redis_port" INFO 2>&1; }
    redis_ask() {
        jd_got= redis_refused=
        jd_ask 4 65536 redis_run
        redis_status=$?
        # The client went while this shell remembers it.
        case $redis_status$jd_got in 127?*) say redis-cli; return ;; esac
        case $redis_status$jd_got in
            1*'Could not connect'*'Connection refused'*) redis_refused=yes; return ;;
        esac
        case $NL$jd_got in *"$NL"redis_version:*) ;; *) [ -z "$jd_got" ] || say "$jd_got"; return ;; esac
        IFS=$NL
        set -- $jd_got
        IFS=$jd_ifs
        for redis_line in "$@"; do
            case $redis_line in
                redis_version:*|valkey_version:*|role:*|master_*|connected_*|maxclients:*|used_memory:*|maxmemory:*) ;;
                evicted_keys:*|loading:*|rdb_last_bgsave_status:*|aof_enabled:*|aof_last_*) ;;
                *) continue ;;
            esac
            say "$redis_line"
        done
    }
    # A sentinel is no server. redis_title is `redis-server 10.0.0.5:6379`.
    redis_is() {
        case $jd_line in *sentinel*) return 1 ;; esac
        redis_title=$jd_line
    }
    # Takes address and port from the title; fails when there is nothing new to ask.
    redis_move() {
        set -- $redis_title
        redis_to=${2##*:} redis_at=${2%:*}
        redis_to=${redis_to%%[!0-9]*}
        case $redis_at in '*'|0.0.0.0|::|'') redis_at=127.0.0.1 ;; *[!0-9a-fA-F.:]*) return 1 ;; esac
        case $redis_to in ''|0*) return 1 ;; esac
        [ "$redis_at $redis_to" != "$redis_host $redis_port" ] || return 1
        redis_host=$redis_at redis_port=$redis_to
    }
    probe_redis() {
        redis_client=
        for redis_try in redis-cli valkey-cli; do
            if command -v "$redis_try" > /dev/null; then redis_client=$redis_try; break; fi
        done
        [ -n "$redis_client" ] || { say redis-cli; return 127; }
        [ -n "$redis_port" ] || redis_host=127.0.0.1 redis_port=6379
        redis_ask
        [ -n "$redis_refused" ] || return "$redis_status"
        redis_title=
        jd_seek redis_is redis-server valkey-server
        if redis_move; then
            redis_ask
            [ -n "$redis_refused" ] || return "$redis_status"
        fi
        say "@refused $redis_host:$redis_port"
        say "@process $jd_process $redis_title"
        redis_port=
    }
"#;

/// At most this many characters of a word that the server says.
const MAX_WORD: usize = 80;

fn read(raw: &Raw) -> Result<Service, Gap> {
    let text = raw.ok()?;
    if let Some(refused) = text.strip_prefix("@refused ") {
        let (place, process) = refused.split_once('\n').unwrap_or((refused, ""));
        let refusal = format!("{} refuses connections", Clean::first_line(place, MAX_WORD));
        return ServiceProcess::read(process)?.refused(&refusal, "redis-server process");
    }
    if field(text, "redis_version").is_some() {
        return Ok(info(text));
    }
    let said = Clean::first_line(text, MAX_WORD);
    let code = said.as_str().split(' ').next().unwrap_or_default();
    // Redis answers with an error: a word in capitals, then a sentence.
    if code.len() < 3 || !code.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(unreadable(if text.trim().is_empty() { "it printed nothing" } else { text }));
    }
    let wants_password = code == "NOAUTH";
    let gap = match code {
        "NOAUTH" => Gap::NotPermitted(
            "it requires a password: log in on the host (redis-cli, AUTH) to see them".into(),
        ),
        "NOPERM" => Gap::NotPermitted(said.clone()),
        _ => Gap::Failed(said.clone()),
    };
    let password = ServiceReading { name: "password", figure: Figure::Flag(true) };
    Ok(Service {
        running: true,
        detail: if wants_password { "it requires a password".into() } else { said },
        readings: wants_password.then_some(password).into_iter().collect(),
        gaps: [("figures", gap)].into(),
        ..Service::default()
    })
}

/// A field of INFO: `name:value`.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(value.trim())
}

/// What INFO says.
fn info(text: &str) -> Service {
    let mut found = InfoSoFar { text, readings: Vec::new(), gaps: Vec::new() };
    let version = word(found.optional("valkey_version").or_else(|| found.optional("redis_version")));
    found.add("version", Figure::Text(version.clone()));
    let role = match found.required("role") {
        Some("master") => Some("master"),
        Some("slave") => Some("replica"),
        Some(odd) => {
            found.gaps.push(("role", unreadable(odd)));
            None
        }
        None => None,
    };
    let mut detail = version.to_string();
    if let Some(role) = role {
        detail = format!("{detail}, {role}");
        found.add("role", Figure::text(role));
    }
    if role == Some("replica") {
        let host = word(found.required("master_host"));
        let master = format!("{host}:{}", word(found.required("master_port")));
        detail = format!("{detail} of {master}");
        found.add("master", Figure::text(&master));
        let link = found.required("master_link_status").map(Figure::text);
        link.into_iter().for_each(|link| found.add("link", link));
    }
    if let Some(replicas) = found.number("connected_slaves") {
        found.add("replicas", Figure::count(replicas));
    }
    if let Some(value) = found.number("connected_clients") {
        let of = found.optional("maxclients").and_then(|most| most.parse().ok());
        found.add("clients", Figure::Amount { value, of, unit: Unit::Count });
    }
    if let Some(value) = found.number("used_memory") {
        // 0: no limit. Before Redis 3.2 INFO has no such field.
        let of = found.optional("maxmemory").and_then(|most| most.parse().ok()).filter(|most| *most > 0);
        found.add("memory", Figure::Amount { value, of, unit: Unit::Bytes });
    }
    if let Some(evicted) = found.number("evicted_keys") {
        found.add("evicted", Figure::count(evicted));
    }
    found.persistence(version.as_str());
    if found.optional("loading").is_some_and(|loading| loading != "0") {
        found.add("loading", Figure::Flag(true));
    }
    found.add("password", Figure::Flag(false));
    Service {
        running: true,
        detail: detail.into(),
        readings: found.readings.into(),
        gaps: found.gaps.into(),
        ..Service::default()
    }
}

fn word(text: Option<&str>) -> Clean {
    Clean::first_line(text.unwrap_or("?"), MAX_WORD)
}

/// What is read of INFO so far.
struct InfoSoFar<'t> {
    text: &'t str,
    readings: Vec<ServiceReading>,
    gaps: Vec<(&'static str, Gap)>,
}

impl<'t> InfoSoFar<'t> {
    fn add(&mut self, name: &'static str, figure: Figure) {
        self.readings.push(ServiceReading { name, figure });
    }

    fn optional(&self, name: &str) -> Option<&'t str> {
        field(self.text, name)
    }

    /// A field that every version has.
    fn required(&mut self, name: &'static str) -> Option<&'t str> {
        let value = self.optional(name);
        if value.is_none() {
            self.gaps.push((name, Gap::Unreadable("INFO has no such field".into())));
        }
        value
    }

    fn number(&mut self, name: &'static str) -> Option<u64> {
        let value = self.required(name)?;
        let number = value.parse().ok();
        if number.is_none() {
            self.gaps.push((name, unreadable(value)));
        }
        number
    }

    /// Redis 2.6 and newer say how the last write of each kind went.
    fn persistence(&mut self, version: &str) {
        if version.starts_with("2.4") || version.starts_with("2.2") || version.starts_with("2.0") {
            return;
        }
        if let Some(saved) = self.required("rdb_last_bgsave_status") {
            self.add("rdb", Figure::text(saved));
        }
        match self.required("aof_enabled") {
            Some("0") => self.add("aof", Figure::text("off")),
            Some(_) => {
                let failed = ["aof_last_write_status", "aof_last_bgrewrite_status"]
                    .into_iter()
                    .filter_map(|name| self.optional(name))
                    .find(|status| *status != "ok");
                self.add("aof", Figure::text(failed.unwrap_or("ok")));
            }
            None => {}
        }
    }
}

fn rule(service: &Service, limits: &Thresholds, found: &mut Vec<Finding>) {
    let mut add = |reading, severity, message| found.push(Finding::of(reading, severity, message));
    if let Some(link) = service.text("link").filter(|link| *link != "up") {
        let master = service.text("master").unwrap_or("?");
        let message = format!(
            "redis receives nothing from its master {master}: link {link}. Look at the route to it and at both logs."
        );
        add("link", Severity::Critical, message);
    }
    if let Some(memory) = service.reading("memory")
        && let Some(used) = memory.percent()
        && used > limits.memory.warning
    {
        let severity = if used > limits.memory.critical { Severity::Critical } else { Severity::Warning };
        let message = format!(
            "redis memory {used:.0}% of its limit in use ({memory}). Raise maxmemory, or see what fills it."
        );
        add("memory", severity, message);
    }
    if let Some(evicted) = service.amount("evicted").filter(|evicted| *evicted > 0) {
        let message = format!(
            "redis evicted {evicted} keys since it started: their data is lost. Raise maxmemory, then run \
             redis-cli CONFIG RESETSTAT."
        );
        add("evicted", Severity::Warning, message);
    }
    if let Some(status) = service.text("rdb").filter(|status| *status != "ok") {
        let message = format!(
            "redis could not save its data (last RDB save: {status}) and may refuse writes. Look at its disk and its log."
        );
        add("rdb", Severity::Critical, message);
    }
    if let Some(status) = service.text("aof").filter(|status| !matches!(*status, "ok" | "off")) {
        let message = format!(
            "redis could not write its append-only file (last write: {status}). Look at its disk and its log."
        );
        add("aof", Severity::Critical, message);
    }
    if service.reading("loading").is_some() {
        let message =
            "redis is loading its data from disk and does not answer yet. Wait, or look at its log.";
        add("loading", Severity::Warning, message.to_owned());
    }
}

#[cfg(test)]
mod tests;
