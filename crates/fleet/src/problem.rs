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

/// Names the kinds and their words, so that none is without the other.
macro_rules! kinds {
    ($($kind:ident = $word:literal,)*) => {
        /// What kind of problem: stable words, for scripts to match on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)] // each word says itself
        pub enum ProblemKind {
            $($kind,)*
        }

        impl ProblemKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The word of the status JSON.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }
        }
    };
}

kinds! {
    JumpDown = "jump_down",
    SecondJump = "second_jump",
    HostDown = "host_down",
    HostKey = "host_key",
    Identity = "identity",
    Load = "load",
    Memory = "memory",
    Swap = "swap",
    Disk = "disk",
    Inodes = "inodes",
    Mount = "mount",
    Clock = "clock",
    Level = "level",
    RolesDiffer = "roles_differ",
    RoleCount = "role_count",
    RoleImplies = "role_implies",
    OsDiffers = "os_differs",
    Replication = "replication",
    ReplicationLag = "replication_lag",
    ReplicationTls = "replication_tls",
    WritableMasters = "writable_masters",
    ServerId = "server_id",
    Cluster = "cluster",
    Database = "database",
    DatabaseAddress = "database_address",
    Unreadable = "unreadable",
    Stale = "stale",
    Run = "run",
    Service = "service",
    Outside = "outside",
    SecurityUpdates = "security_updates",
    PackageLists = "package_lists",
    RebootRequired = "reboot_required",
    FailedUnits = "failed_units",
    OomKill = "oom_kill",
    DailyJobs = "daily_jobs",
    OsSupport = "os_support",
    ReadOnly = "read_only",
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
    /// The service that a problem of a service is about; for one that is seen from outside, the check.
    pub service: Option<String>,
    /// What tells it from others of its kind on the same host, where it is no service: the mount point, the question, the role, the run.
    pub subject: Option<String>,
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
