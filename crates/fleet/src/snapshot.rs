//! What is known of the jump box and of each host, with ages: what actors publish and screens draw.

use std::time::Duration;

use super::database_address::NamingFile;
use super::fact::{Fact, Gap};
use super::fleet::{Environment, Jump};
use super::growth::{FilesystemGrowth, Growth};
use super::hop::Hop;
use super::left::LeftRun;
use super::names::{EnvName, HostId, HostName, RoleName};
use super::replication::Database;
use super::service::Services;
use super::storage::{DeletedFiles, Filesystem};
use super::text::Clean;
use super::time::Moment;
use super::upkeep::Upkeep;

#[cfg(any(test, feature = "testing"))]
pub mod unknowns;

/// Whether a machine answers, and if not, why. The words are the status JSON's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkState {
    /// It answers.
    Up,
    /// Nobody has an answer yet: the first connection is under way.
    Pending,
    /// No connection: refused, no route, name not found, dropped.
    Unreachable,
    /// It did not answer within its deadline.
    TimedOut,
    /// It answers, and no algorithm that it and we allow is in common: no login was tried.
    NoAlgorithm,
    /// It answers, and gives no report: it does not speak SSH, refuses a session, or its shell ended.
    NotUsable,
    /// It refused our login.
    AuthFailed,
    /// Its host key is not in any known_hosts file.
    HostKeyUnknown,
    /// Its host key differs from the known one.
    HostKeyChanged,
    /// Its host key cannot be accepted, whether it is the known one or not: revoked, certified badly, its known key unreadable.
    HostKeyRefused,
    /// Another machine answered than the one asked for.
    IdentityMismatch,
}

impl LinkState {
    /// The word of the status JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Pending => "pending",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::NoAlgorithm => "no_algorithm",
            Self::NotUsable => "not_usable",
            Self::AuthFailed => "auth_failed",
            Self::HostKeyUnknown => "host_key_unknown",
            Self::HostKeyChanged => "host_key_changed",
            Self::HostKeyRefused => "host_key_refused",
            Self::IdentityMismatch => "identity_mismatch",
        }
    }

    /// The same for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Pending => "connecting",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed out",
            Self::NoAlgorithm => "no safe algorithm",
            Self::NotUsable => "not usable",
            Self::AuthFailed => "login refused",
            Self::HostKeyUnknown => "unknown host key",
            Self::HostKeyChanged => "HOST KEY CHANGED",
            Self::HostKeyRefused => "HOST KEY REFUSED",
            Self::IdentityMismatch => "WRONG MACHINE",
        }
    }

    /// Whether trying again by itself is of no use: a person must act first.
    #[must_use]
    pub fn needs_a_person(self) -> bool {
        matches!(
            self,
            Self::AuthFailed
                | Self::HostKeyUnknown
                | Self::HostKeyChanged
                | Self::HostKeyRefused
                | Self::IdentityMismatch
        )
    }
}

/// Who may try a failed connection again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retry {
    /// The program, after a while.
    #[default]
    Automatic,
    /// An operator only: the login may send a push, count as a failed attempt or cost money.
    ByOperator,
}

/// A link's state with what there is to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The state.
    pub state: LinkState,
    /// Which hop failed; `None` while up or pending.
    pub hop: Option<Hop>,
    /// What happened, and what to do next. Empty while up.
    pub detail: Clean,
    /// Since when it has been in this state.
    pub since: Moment,
    /// When it will be tried again, when that is planned.
    pub retry_at: Option<Moment>,
}

impl Link {
    /// Up since `at`.
    #[must_use]
    pub fn up(at: Moment) -> Self {
        Self { state: LinkState::Up, hop: None, detail: Clean::default(), since: at, retry_at: None }
    }

    /// The first connection is under way.
    #[must_use]
    pub fn pending(at: Moment) -> Self {
        Self { state: LinkState::Pending, ..Self::up(at) }
    }

    /// Whether it answers.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.state == LinkState::Up
    }
}

/// What is known of an environment's jump box.
#[derive(Debug, Clone, PartialEq)]
pub struct JumpSnapshot {
    /// The environment.
    pub env: EnvName,
    /// The jump box's name.
    pub name: HostName,
    /// `address:port`, after those of the jump boxes before it: `198.51.100.1:22 → 10.0.0.9:22`; `local` when the console
    /// runs on it.
    pub address: String,
    /// Whether the fleet is reached: through it, or through the second one.
    pub link: Link,
    /// The second jump box, while the fleet is reached through it.
    pub second: Option<SecondJump>,
    /// The last measured round trip to the one in use, and when.
    pub rtt: Fact<Duration>,
    /// Runs that are not over, by their entries there.
    pub left: Fact<Vec<LeftRun>>,
    /// What the one in use said before authentication (level, ASCII art), made printable.
    pub banner: Vec<Clean>,
}

/// The second jump box, while the fleet is reached through it.
#[derive(Debug, Clone, PartialEq)]
pub struct SecondJump {
    /// Its name.
    pub name: HostName,
    /// `address:port`, as for the first.
    pub address: String,
    /// Since when it is in use.
    pub since: Moment,
    /// What is known of the first meanwhile.
    pub first: FirstJump,
}

/// What is known of the first jump box while the second is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstJump {
    /// Why it is not in use.
    pub state: LinkState,
    /// What happened there.
    pub detail: Clean,
    /// Since when it is not.
    pub since: Moment,
    /// When it was asked for the last time.
    pub asked: Moment,
    /// Since when its SSH port answers again; whether a login works is then not known.
    pub answers: Option<Moment>,
}

impl JumpSnapshot {
    /// The jump box that failed: another one of the route, or this.
    #[must_use]
    pub fn failing(&self) -> &HostName {
        match &self.link.hop {
            Some(Hop::Jump(name)) => name,
            Some(Hop::Here | Hop::Host(_)) | None => self.in_use(),
        }
    }

    /// The jump box that the fleet is reached through.
    #[must_use]
    pub fn in_use(&self) -> &HostName {
        self.second.as_ref().map_or(&self.name, |second| &second.name)
    }

    /// Whether the first jump box is connected: the one with leases and journals.
    #[must_use]
    pub fn is_first_up(&self) -> bool {
        self.link.is_up() && self.second.is_none()
    }

    /// A jump box nobody has heard of yet.
    #[must_use]
    pub fn pending(env: &Environment, at: Moment) -> Self {
        let address = match &env.jump {
            Jump::Remote(jump) => jump.route_text(),
            Jump::Local { .. } => "local".to_owned(),
        };
        Self {
            env: env.name.clone(),
            name: env.jump.name().clone(),
            address,
            link: Link::pending(at),
            second: None,
            rtt: Fact::default(),
            left: Fact::default(),
            banner: Vec::new(),
        }
    }
}

/// What is known of a host.
#[derive(Debug, Clone, PartialEq)]
pub struct HostSnapshot {
    /// Which host.
    pub id: HostId,
    /// `address:port` as the jump box sees it.
    pub address: String,
    /// Whether it answers.
    pub link: Link,
    /// Counts up with every published change of this host.
    pub generation: u64,
    /// When the last whole report was asked for: its figures are at most this old. The host's age counts from here.
    pub reported_at: Option<Moment>,
    /// How long the last report took, from question to answer.
    pub took: Option<Duration>,
    /// What the reports said.
    pub facts: HostFacts,
    /// Which of its filesystems fill, and how fast, by what they had in use until the last report.
    pub growth: Vec<FilesystemGrowth>,
}

impl HostSnapshot {
    /// A host nobody has heard of yet.
    #[must_use]
    pub fn pending(id: HostId, address: String, at: Moment) -> Self {
        Self {
            id,
            address,
            link: Link::pending(at),
            generation: 0,
            reported_at: None,
            took: None,
            facts: HostFacts::default(),
            growth: Vec::new(),
        }
    }

    /// How fast one of its filesystems fills, where that is known.
    #[must_use]
    pub fn growth_of(&self, filesystem: &Filesystem) -> Option<&Growth> {
        let mut all = self.growth.iter();
        let found = all.find(|one| one.mount == filesystem.mount && one.device == filesystem.device)?;
        Some(&found.growth)
    }

    /// How old the last whole report is.
    #[must_use]
    pub fn age(&self, now: Moment) -> Option<Duration> {
        self.reported_at.map(|at| now.since(at))
    }
}

/// What a host's reports said, a fact a section. Probes fill it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HostFacts {
    /// Who answered.
    pub identity: Fact<Identity>,
    /// Level and roles, from the host's own Salt grains.
    pub grains: Fact<Grains>,
    /// Load averages and CPUs.
    pub load: Fact<Load>,
    /// Memory and swap.
    pub memory: Fact<Memory>,
    /// Seconds since boot.
    pub uptime: Fact<Duration>,
    /// The operating system, as `/etc/os-release` (or `lsb-release`) has it: `Ubuntu 12.04.2 LTS`.
    pub os: Fact<Os>,
    /// The host's clock minus ours, in milliseconds, as well as the round trip lets us know.
    pub clock_offset_ms: Fact<i64>,
    /// Local filesystems.
    pub filesystems: Fact<Vec<Filesystem>>,
    /// Network filesystems, each bounded by itself.
    pub network_filesystems: Fact<Vec<Filesystem>>,
    /// Deleted files that are still open, of each local filesystem that is at least 80 % full.
    pub deleted_files: Fact<Vec<DeletedFiles>>,
    /// Database servers on the host: empty when none is installed.
    pub databases: Fact<Vec<Database>>,
    /// The files that name the database server of its applications; empty where the inventory names none, or it has none of those.
    pub database_files: Fact<Vec<NamingFile>>,
    /// Updates, reboots, failed units, kills: what waits for its keeper.
    pub upkeep: Fact<Upkeep>,
    /// Other services, a fact each.
    pub services: Services,
}

impl HostFacts {
    /// Every question of a report by its name, with why the newest one brought no value. A fact that is not named here
    /// does not compile: what nobody knows cannot be forgotten.
    pub fn questions(&self) -> impl Iterator<Item = (&str, Option<&Gap>)> {
        let Self {
            identity,
            grains,
            load,
            memory,
            uptime,
            os,
            clock_offset_ms,
            filesystems,
            network_filesystems,
            deleted_files,
            databases,
            database_files,
            upkeep,
            services,
        } = self;
        [
            ("identity", identity.gap.as_ref()),
            ("load", load.gap.as_ref()),
            ("memory", memory.gap.as_ref()),
            ("uptime", uptime.gap.as_ref()),
            ("operating system", os.gap.as_ref()),
            ("grains", grains.gap.as_ref()),
            ("filesystems", filesystems.gap.as_ref()),
            ("network filesystems", network_filesystems.gap.as_ref()),
            ("deleted files", deleted_files.gap.as_ref()),
            ("databases", databases.gap.as_ref()),
            ("database files", database_files.gap.as_ref()),
            ("upkeep", upkeep.gap.as_ref()),
        ]
        .into_iter()
        .chain(services.iter().map(|entry| (entry.name(), entry.fact.gap.as_ref())))
        .chain([("clock", clock_offset_ms.gap.as_ref())])
    }

    /// Every filesystem last read, local first.
    pub fn all_filesystems(&self) -> impl Iterator<Item = &Filesystem> {
        let local = self.filesystems.last().into_iter().flatten();
        local.chain(self.network_filesystems.last().into_iter().flatten())
    }
}

/// Who answered a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What `hostname` printed.
    pub hostname: Clean,
    /// `/etc/machine-id`, where there is one (not before Ubuntu 14.04 or so).
    pub machine_id: Option<Clean>,
}

/// What a host says of itself in Salt's grains.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grains {
    /// `level: production`; `None` when the grains name none, which is dangerous: many states assume production.
    pub level: Option<Clean>,
    /// `roles: [...]`; `None` when the grains name none (the name then tells them).
    pub roles: Option<Vec<RoleName>>,
    /// Role names that are none, as they came: shown, never used.
    pub odd_roles: Vec<Clean>,
}

/// Load averages over 1, 5 and 15 minutes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// One minute.
    pub one: f64,
    /// Five minutes.
    pub five: f64,
    /// Fifteen minutes.
    pub fifteen: f64,
    /// CPUs that the averages count over, when the host could say.
    pub cpus: Option<u32>,
    /// The averages are those of the machine that runs this container, and how many CPUs that one has is not known here:
    /// `cpus` is `None`.
    pub of_container_host: bool,
}

impl Load {
    /// One-minute load for each CPU.
    #[must_use]
    pub fn one_per_cpu(&self) -> Option<f64> {
        self.cpus.filter(|c| *c > 0).map(|c| self.one / f64::from(c))
    }

    /// Five-minute load for each CPU.
    #[must_use]
    pub fn five_per_cpu(&self) -> Option<f64> {
        self.cpus.filter(|c| *c > 0).map(|c| self.five / f64::from(c))
    }
}

/// Memory and swap, in kB as `/proc/meminfo` counts (KiB).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// MemTotal.
    pub total_kb: u64,
    /// MemAvailable; on kernels before 3.14 free + buffers + cached, which promises a little too much.
    pub available_kb: u64,
    /// Whether `available_kb` is the older estimate.
    pub available_estimated: bool,
    /// Whether ZFS runs and the size of its cache could not be read: it gives back what others need, so more may be available.
    pub cache_unread: bool,
    /// SwapTotal.
    pub swap_total_kb: u64,
    /// SwapFree.
    pub swap_free_kb: u64,
}

impl Memory {
    /// Memory in use, percent.
    #[must_use]
    pub fn used_percent(&self) -> Option<f64> {
        percent(self.total_kb.saturating_sub(self.available_kb), self.total_kb)
    }

    /// Swap in use, percent; `None` when there is no swap.
    #[must_use]
    pub fn swap_used_percent(&self) -> Option<f64> {
        percent(self.swap_total_kb.saturating_sub(self.swap_free_kb), self.swap_total_kb)
    }
}

#[allow(clippy::cast_precision_loss)]
fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 * 100.0 / whole as f64)
}

/// The operating system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Os {
    /// For people: `Ubuntu 12.04.2 LTS`.
    pub pretty: Clean,
    /// For comparing: distribution and release without the point release, `ubuntu 12.04`.
    pub release: Clean,
    /// `uname -r`, when told.
    pub kernel: Option<Clean>,
}
