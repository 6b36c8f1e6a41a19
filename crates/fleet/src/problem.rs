//! Problems: what somebody should look at, worst first.

use super::names::{EnvName, HostName};

/// How bad. Ordered: unknown is worse than a warning (what is not seen may be anything), critical is worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Look at it in daylight.
    Warning,
    /// Nobody can tell how it is.
    Unknown,
    /// Look at it now.
    Critical,
}

impl Severity {
    /// The word of the status JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Critical => "critical",
        }
    }
}

/// What kind of problem: stable words, for scripts to match on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // each word says itself
pub enum ProblemKind {
    JumpDown,
    HostDown,
    HostKey,
    Identity,
    Load,
    Memory,
    Swap,
    Disk,
    Inodes,
    Mount,
    Clock,
    Level,
    RolesDiffer,
    RoleCount,
    RoleImplies,
    OsDiffers,
    Replication,
    ReplicationLag,
    ReplicationTls,
    WritableMasters,
    ServerId,
    Cluster,
    Unreadable,
    Stale,
    Run,
    Service,
}

impl ProblemKind {
    /// The word of the status JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::JumpDown => "jump_down",
            Self::HostDown => "host_down",
            Self::HostKey => "host_key",
            Self::Identity => "identity",
            Self::Load => "load",
            Self::Memory => "memory",
            Self::Swap => "swap",
            Self::Disk => "disk",
            Self::Inodes => "inodes",
            Self::Mount => "mount",
            Self::Clock => "clock",
            Self::Level => "level",
            Self::RolesDiffer => "roles_differ",
            Self::RoleCount => "role_count",
            Self::RoleImplies => "role_implies",
            Self::OsDiffers => "os_differs",
            Self::Replication => "replication",
            Self::ReplicationLag => "replication_lag",
            Self::ReplicationTls => "replication_tls",
            Self::WritableMasters => "writable_masters",
            Self::ServerId => "server_id",
            Self::Cluster => "cluster",
            Self::Unreadable => "unreadable",
            Self::Stale => "stale",
            Self::Run => "run",
            Self::Service => "service",
        }
    }
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad.
    pub severity: Severity,
    /// The environment it is in.
    pub env: EnvName,
    /// The host it is about; `None` when it is about the environment (or its jump box).
    pub host: Option<HostName>,
    /// The hosts that a problem of the environment names, all of them even where the message shortens the list: two
    /// writable servers, two with one server id. Empty for a problem of one host.
    pub named: Vec<HostName>,
    /// What kind.
    pub kind: ProblemKind,
    /// What is wrong, with the figures, and where it helps, what to do next. Printable.
    pub message: String,
}

impl Problem {
    /// Whether the problem is this host's own, or one of the environment that names it: such a host is marked.
    #[must_use]
    pub fn concerns(&self, host: &HostName) -> bool {
        self.host.as_ref() == Some(host) || self.named.contains(host)
    }
}
