//! Nodes of Galera and Group Replication: in sync, behind, or out of their cluster.

use super::{AskedServer, Situation};
use crate::problem::{Problem, ProblemKind, Severity};
use crate::replication::{Cluster, ClusterKind, NodeHealth};

pub(super) fn judge(s: &Situation<'_>, one: &AskedServer<'_>, out: &mut Vec<Problem>) {
    let Some(cluster) = &one.server.cluster else { return };
    let severity = match cluster.health {
        NodeHealth::InSync => return,
        NodeHealth::Behind => Severity::Warning,
        NodeHealth::Out => Severity::Critical,
        NodeHealth::Unknown => Severity::Unknown,
    };
    let state = if cluster.state.is_empty() { "unknown" } else { cluster.state.as_str() };
    let why = if cluster.reason.is_empty() { String::new() } else { format!(", {}", cluster.reason) };
    let nodes = match (cluster.health, cluster.size) {
        (NodeHealth::Out, Some(1)) => "; it sees no other node".to_owned(),
        (NodeHealth::Out, Some(size)) if size > 1 => format!("; it sees {size} nodes"),
        (NodeHealth::Out | NodeHealth::Behind | NodeHealth::Unknown | NodeHealth::InSync, _) => String::new(),
    };
    let next = next(cluster).map(|next| format!(". {next}")).unwrap_or_default();
    let message = format!("{} node is {state}{why}{nodes}{next}", cluster.kind.name());
    out.push(s.problem(severity, Some(one.host), ProblemKind::Cluster, message));
}

/// What to do next, where it is the same for every such node.
fn next(cluster: &Cluster) -> Option<&'static str> {
    match (cluster.kind, cluster.health) {
        (ClusterKind::Galera, NodeHealth::Behind) if cluster.state.as_str().starts_with("Donor") => Some(
            "It sends its data to a node that joins, or a backup holds it (wsrep_desync). Normal for a while; if it \
             lasts, look at the log of the node that joins",
        ),
        (ClusterKind::Galera, NodeHealth::Behind) => {
            Some("It receives what it missed. Normal for a while; if it lasts, look at its log")
        }
        (ClusterKind::Galera, NodeHealth::Out) if cluster.primary_component == Some(false) => Some(
            "It refuses queries until it reaches most of the nodes: look at the network between them. Only where no \
             node is Primary, bootstrap the one with the highest wsrep_last_committed",
        ),
        (ClusterKind::Galera, NodeHealth::Out | NodeHealth::Unknown | NodeHealth::InSync)
        | (ClusterKind::Group, _) => None,
    }
}
