//! Clusters whose nodes may all take writes: Galera and MySQL's Group Replication.

use crate::text::Clean;

/// Which kind of cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClusterKind {
    /// Galera (MariaDB Galera Cluster, Percona XtraDB Cluster).
    Galera,
    /// MySQL Group Replication (InnoDB Cluster).
    Group,
}

impl ClusterKind {
    /// Its name on screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Galera => "Galera",
            Self::Group => "Group Replication",
        }
    }

    /// The word of the status JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Galera => "galera",
            Self::Group => "group_replication",
        }
    }
}

/// How a node takes part in its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeHealth {
    /// `Synced` or `ONLINE`, in the primary component.
    InSync,
    /// It answers, and is behind or busy: `Donor/Desynced`, `Joined`, `RECOVERING`.
    Behind,
    /// It does not take part: another state, not connected, not in the primary component, replication switched off.
    Out,
    /// The server did not say enough.
    Unknown,
}

/// What a server says of the cluster that it is a node of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Kind.
    pub kind: ClusterKind,
    /// `wsrep_cluster_state_uuid` or the group's name: nodes with the same one share their data. Empty when not known.
    pub id: Clean,
    /// `wsrep_cluster_name` or the group's name.
    pub name: Clean,
    /// `wsrep_local_state_comment` or `MEMBER_STATE`, as the server says it.
    pub state: Clean,
    /// `wsrep_cluster_status` is `Primary`, or most members of the group are reachable; `None` when not known.
    pub primary_component: Option<bool>,
    /// Nodes that it sees, itself included.
    pub size: Option<u64>,
    /// What it means.
    pub health: NodeHealth,
    /// Why, in words, when it is not in sync: `not in the primary component`.
    pub reason: Clean,
}

impl Cluster {
    /// Whether two servers are nodes of one cluster, for certain.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind && !self.id.is_empty() && self.id == other.id
    }

    /// Whether the node executes writes, as far as its cluster has a say.
    #[must_use]
    pub fn accepts_writes(&self) -> Option<bool> {
        match self.health {
            NodeHealth::InSync | NodeHealth::Behind => Some(true),
            NodeHealth::Out => Some(false),
            NodeHealth::Unknown => None,
        }
    }
}
