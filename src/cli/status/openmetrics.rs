//! The status as OpenMetrics 1.0, for a collector of metrics. What the status JSON has as `null` is absent here: a figure
//! that nobody knows is never a number. Documented in `docs/status-metrics.md`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::json::outside::OutsideStatus;
use super::json::services::{PerfStatus, ReadingStatus, ReadingValue, ServiceStatus};
use super::json::{EnvironmentStatus, FilesystemStatus, HostStatus, ReplicationStatus};
use jumpdeck_fleet::judge::roles::RoleState;
use jumpdeck_fleet::outside::OutsideHealth;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::replication::Thread;
use jumpdeck_fleet::service::{ServiceHealth, Unit as ReadingUnit};
use jumpdeck_fleet::snapshot::LinkState;

type Labels = Vec<(&'static str, String)>;
type Samples = Family<Labels, Gauge<f64, AtomicU64>>;

/// A metric: its name without unit, its unit, what it is.
struct Metric {
    name: &'static str,
    unit: Option<Unit>,
    help: &'static str,
}

macro_rules! metrics {
    ($($constant:ident: $name:literal $(in $unit:ident)?, $help:literal;)*) => {
        $(const $constant: Metric = Metric { name: $name, unit: unit!($($unit)?), help: $help };)*
        /// Every metric, in the order in which they are written.
        const METRICS: &[Metric] = &[$($constant,)*];
    };
}

macro_rules! unit {
    () => {
        None
    };
    ($unit:ident) => {
        Some(Unit::$unit)
    };
}

metrics! {
    TAKEN_AT: "jumpdeck_taken_at" in Seconds, "When this was taken, since 1970";
    SIMULATED: "jumpdeck_simulated", "1: the fleet is simulated, none of this is real";
    JUMP_UP: "jumpdeck_jump_up", "Whether the jump box is connected";
    JUMP_ROUND_TRIP: "jumpdeck_jump_round_trip" in Seconds, "One round trip to the jump box";
    PROBLEMS: "jumpdeck_problems", "Problems of the environment and its hosts by severity";
    ROLE_HOSTS: "jumpdeck_role_hosts", "Hosts that have the role and answer";
    ROLE_MET: "jumpdeck_role_met", "Whether the inventory's requirement of the role is met";
    OUTSIDE_OK: "jumpdeck_outside_ok", "Whether nothing is wrong with what is seen from outside";
    OUTSIDE_AGE: "jumpdeck_outside_age" in Seconds, "Age of what is seen from outside";
    OUTSIDE_ANSWER: "jumpdeck_outside_answer" in Seconds, "How long the site took to answer";
    CERTIFICATE: "jumpdeck_outside_certificate_left" in Seconds, "Time until the certificate ends, below 0 after that";
    HOST_UP: "jumpdeck_host_up", "Whether the host is connected and its last report is recent";
    HOST_AGE: "jumpdeck_host_report_age" in Seconds, "Age of the host's last report";
    HOST_PROBLEMS: "jumpdeck_host_problems", "Problems of the host by severity";
    HOST_UPTIME: "jumpdeck_host_uptime" in Seconds, "Time since the host booted";
    HOST_CPUS: "jumpdeck_host_cpus", "Processors of the host";
    LOAD: "jumpdeck_host_load", "Load average over 1, 5 and 15 minutes";
    MEMORY_TOTAL: "jumpdeck_host_memory_total" in Bytes, "Memory of the host";
    MEMORY_AVAILABLE: "jumpdeck_host_memory_available" in Bytes, "Memory that programs can still get";
    SWAP_TOTAL: "jumpdeck_host_swap_total" in Bytes, "Swap of the host";
    SWAP_FREE: "jumpdeck_host_swap_free" in Bytes, "Swap that is free";
    FS_SIZE: "jumpdeck_filesystem_size" in Bytes, "Size of the file system";
    FS_USED: "jumpdeck_filesystem_used" in Bytes, "Used in the file system";
    FS_AVAILABLE: "jumpdeck_filesystem_available" in Bytes, "What users can still write, below 0 in root's reserve";
    FS_INODES: "jumpdeck_filesystem_inodes_used" in Ratios, "Used part of the inodes";
    WRITABLE: "jumpdeck_database_writable", "Whether the database can be written to";
    IO: "jumpdeck_replication_io_running", "Whether the IO thread is connected to its master";
    SQL: "jumpdeck_replication_sql_running", "Whether the SQL thread runs";
    LAG: "jumpdeck_replication_lag" in Seconds, "How far the replica is behind";
    ENCRYPTED: "jumpdeck_replication_encrypted", "Whether the connection to the master is encrypted";
    SERVICE_UP: "jumpdeck_service_up", "Whether the service runs";
    SERVICE_OK: "jumpdeck_service_ok", "Whether the service runs and nothing is wrong with it";
    SERVICE_AGE: "jumpdeck_service_age" in Seconds, "Age of what is known of the service";
    READING: "jumpdeck_service_reading", "Figures of the service: counts, and 1 or 0 for yes or no";
    CHECK: "jumpdeck_check_value", "A figure of a check of the inventory, in the unit that its plugin names";
    READING_BYTES: "jumpdeck_service_reading" in Bytes, "Figures of the service in bytes";
    READING_SECONDS: "jumpdeck_service_reading" in Seconds, "Figures of the service in seconds";
    LIMIT: "jumpdeck_service_limit", "The most that the figure of that name can be";
    LIMIT_BYTES: "jumpdeck_service_limit" in Bytes, "The most that the figure of that name can be, in bytes";
    LIMIT_SECONDS: "jumpdeck_service_limit" in Seconds, "The most that the figure of that name can be, in seconds";
}

/// All environments as one exposition, `# EOF` at its end.
///
/// # Errors
/// Never, for a text in memory; the encoder's signature says it might.
pub(super) fn render(all: &[EnvironmentStatus], taken_at: Timestamp) -> Result<String, fmt::Error> {
    let mut exposition = Exposition::default();
    #[allow(clippy::cast_precision_loss)] // exact until long after the sun is gone
    exposition.set(&TAKEN_AT, &[], Some(taken_at.as_millisecond() as f64 / 1000.0));
    for env in all {
        exposition.environment(env);
    }
    exposition.text()
}

/// Samples by the name of their metric.
#[derive(Default)]
struct Exposition(BTreeMap<String, Samples>);

impl Metric {
    /// Its name as it is written.
    fn whole_name(&self) -> String {
        self.unit.as_ref().map_or(self.name.to_owned(), |unit| format!("{}_{}", self.name, unit.as_str()))
    }
}

fn flag(known: Option<bool>) -> Option<f64> {
    known.map(f64::from)
}

#[allow(clippy::cast_precision_loss)] // no figure of a host is larger than 2^53
fn whole(known: Option<u64>) -> Option<f64> {
    known.map(|n| n as f64)
}

impl Exposition {
    /// Nothing is written where nothing is known.
    fn set(&mut self, metric: &Metric, labels: &[(&'static str, &str)], value: Option<f64>) {
        let Some(value) = value else { return };
        let labels: Labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.0.entry(metric.whole_name()).or_default().get_or_create(&labels).set(value);
    }

    fn text(&self) -> Result<String, fmt::Error> {
        let mut registry = Registry::default();
        for metric in METRICS {
            let Some(samples) = self.0.get(&metric.whole_name()).cloned() else { continue };
            match metric.unit.clone() {
                Some(unit) => registry.register_with_unit(metric.name, metric.help, unit, samples),
                None => registry.register(metric.name, metric.help, samples),
            }
        }
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }

    fn environment(&mut self, env: &EnvironmentStatus) {
        let name = ("environment", env.environment.as_str());
        self.set(&SIMULATED, &[name], Some(f64::from(env.simulated)));
        self.set(&JUMP_UP, &[name], Some(f64::from(env.jump.state == LinkState::Up.word())));
        self.set(&JUMP_ROUND_TRIP, &[name], env.jump.rtt_ms.map(|ms| ms / 1000.0));
        let severities: Vec<&str> = env.problems.iter().map(|problem| problem.severity).collect();
        self.problems(&PROBLEMS, &[name], &severities);
        for role in &env.roles {
            let labels = [name, ("role", role.role.as_str())];
            // Of a role with hosts that nobody knows, neither the number nor the judgement is known.
            self.set(&ROLE_HOSTS, &labels, whole(role.unknown.is_empty().then_some(role.found as u64)));
            let met = |state: RoleState| role.state == state.word();
            let known = (met(RoleState::Ok) || met(RoleState::Unmet)).then(|| met(RoleState::Ok));
            self.set(&ROLE_MET, &labels, flag(known));
        }
        for seen in &env.outside {
            self.outside(name, seen);
        }
        for host in &env.hosts {
            self.host(name, host);
        }
    }

    fn outside(&mut self, env: (&'static str, &str), seen: &OutsideStatus) {
        let labels = [env, ("check", seen.name.as_str()), ("kind", seen.kind), ("from", seen.from)];
        let is = |health: OutsideHealth| seen.state == health.word();
        let known = (!is(OutsideHealth::Unknown)).then(|| is(OutsideHealth::Ok));
        self.set(&OUTSIDE_OK, &labels, flag(known));
        self.set(&OUTSIDE_AGE, &labels, whole(seen.age_ms).map(|ms| ms / 1000.0));
        self.set(&OUTSIDE_ANSWER, &labels, whole(seen.took_ms).map(|ms| ms / 1000.0));
        for certificate in seen.certificates.iter().flatten() {
            let labels = [labels.as_slice(), &[("site", certificate.host.as_str())]].concat();
            #[allow(clippy::cast_precision_loss)] // see `whole`
            self.set(&CERTIFICATE, &labels, Some(certificate.seconds_left as f64));
        }
    }

    /// How many there are of each severity; none of one is 0, as what is not known is a problem of its own.
    fn problems(&mut self, metric: &Metric, labels: &[(&'static str, &str)], severities: &[&str]) {
        for severity in [Severity::Warning, Severity::Unknown, Severity::Critical] {
            let count = severities.iter().filter(|word| **word == severity.word()).count();
            let labels = [labels, &[("severity", severity.word())]].concat();
            self.set(metric, &labels, whole(Some(count as u64)));
        }
    }

    fn host(&mut self, env: (&'static str, &str), host: &HostStatus) {
        let on = [env, ("host", host.name.as_str())];
        let bytes = |kb: u64| whole(Some(kb.saturating_mul(1024)));
        self.set(&HOST_UP, &on, Some(f64::from(host.current)));
        self.set(&HOST_AGE, &on, whole(host.age_ms).map(|ms| ms / 1000.0));
        let severities: Vec<&str> = host.problems.iter().map(|problem| problem.severity).collect();
        self.problems(&HOST_PROBLEMS, &on, &severities);
        self.set(&HOST_UPTIME, &on, whole(host.uptime_s));
        if let Some(load) = &host.load {
            for (period, value) in [("1m", load.one), ("5m", load.five), ("15m", load.fifteen)] {
                self.set(&LOAD, &[on.as_slice(), &[("period", period)]].concat(), Some(value));
            }
            self.set(&HOST_CPUS, &on, load.cpus.map(f64::from));
        }
        if let Some(memory) = &host.memory {
            self.set(&MEMORY_TOTAL, &on, bytes(memory.total_kb));
            // With a cache whose size could not be read it is only known to be at least that much.
            let available = Some(memory.available_kb).filter(|_| !memory.cache_unread);
            self.set(&MEMORY_AVAILABLE, &on, available.and_then(bytes));
            self.set(&SWAP_TOTAL, &on, bytes(memory.swap_total_kb));
            self.set(&SWAP_FREE, &on, bytes(memory.swap_free_kb));
        }
        host.filesystems.iter().flatten().for_each(|fs| self.filesystem(&on, fs));
        host.replication.iter().flatten().for_each(|entry| self.replication(&on, entry));
        host.services.iter().flatten().for_each(|service| self.service(&on, service));
    }

    fn filesystem(&mut self, on: &[(&'static str, &str)], fs: &FilesystemStatus) {
        let fstype = fs.fstype.as_deref().unwrap_or("");
        let own = [("device", fs.device.as_str()), ("mount", fs.mount.as_str()), ("fstype", fstype)];
        let labels = [on, &own].concat();
        let bytes = |kb: Option<u64>| whole(kb.map(|kb| kb.saturating_mul(1024)));
        self.set(&FS_SIZE, &labels, bytes(fs.size_kb));
        self.set(&FS_USED, &labels, bytes(fs.used_kb));
        #[allow(clippy::cast_precision_loss)] // see `whole`
        self.set(&FS_AVAILABLE, &labels, fs.available_kb.map(|kb| kb.saturating_mul(1024) as f64));
        self.set(&FS_INODES, &labels, fs.inodes_use_percent.map(|percent| f64::from(percent) / 100.0));
    }

    fn replication(&mut self, on: &[(&'static str, &str)], entry: &ReplicationStatus) {
        let server_id = entry.server_id.map(|id| id.to_string()).unwrap_or_default();
        let server = [on, &[("engine", entry.engine), ("server_id", server_id.as_str())]].concat();
        self.set(&WRITABLE, &server, flag(entry.writable));
        let Some(connection) = &entry.connection else { return };
        let source = entry.source.as_deref().unwrap_or("");
        let labels = [server.as_slice(), &[("connection", connection.as_str()), ("source", source)]].concat();
        let known = |word: &&str| *word != Thread::Unknown.word();
        let running = |word: Option<&str>| flag(word.filter(known).map(|w| w == Thread::Running.word()));
        self.set(&IO, &labels, running(entry.io));
        self.set(&SQL, &labels, running(entry.sql));
        self.set(&LAG, &labels, whole(entry.lag_s));
        self.set(&ENCRYPTED, &labels, flag(entry.tls));
    }

    fn service(&mut self, on: &[(&'static str, &str)], service: &ServiceStatus) {
        let labels = [on, &[("service", service.name.as_str())]].concat();
        let is = |health: ServiceHealth| service.state == health.word();
        let runs = is(ServiceHealth::Down).then_some(false).or(service.readings.as_ref().map(|_| true));
        self.set(&SERVICE_UP, &labels, flag(runs));
        let known = (!is(ServiceHealth::Unknown)).then(|| is(ServiceHealth::Ok));
        self.set(&SERVICE_OK, &labels, flag(known));
        self.set(&SERVICE_AGE, &labels, whole(service.age_ms).map(|ms| ms / 1000.0));
        for reading in service.readings.iter().flatten() {
            self.reading(&labels, reading);
        }
        for datum in service.perfdata.iter().flatten() {
            self.check(&labels, datum);
        }
    }

    fn check(&mut self, service: &[(&'static str, &str)], datum: &PerfStatus) {
        let own = [("label", datum.label.as_str()), ("unit", datum.unit.as_str())];
        self.set(&CHECK, &[service, &own].concat(), Some(datum.value));
    }

    fn reading(&mut self, service: &[(&'static str, &str)], reading: &ReadingStatus) {
        let labels = [service, &[("reading", reading.name)]].concat();
        let (figure, limit) = match reading.unit {
            Some(unit) if unit == ReadingUnit::Bytes.word() => (&READING_BYTES, &LIMIT_BYTES),
            Some(unit) if unit == ReadingUnit::Seconds.word() => (&READING_SECONDS, &LIMIT_SECONDS),
            Some(_) | None => (&READING, &LIMIT),
        };
        let value = match reading.value {
            ReadingValue::Amount(value) => whole(Some(value)),
            ReadingValue::Flag(value) => flag(Some(value)),
            ReadingValue::Text(_) => None,
        };
        self.set(figure, &labels, value);
        self.set(limit, &labels, whole(reading.of));
    }
}
