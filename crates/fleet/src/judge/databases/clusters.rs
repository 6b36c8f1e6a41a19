//! Nodes of Galera and Group Replication: in sync, behind, or out of their cluster.

use super::{AskedServer, Situation};
use crate::problem::{Problem, ProblemKind, Severity};
use crate::replication::NodeHealth;

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
    let message = format!("{} node is {state}{why}", cluster.kind.name());
    out.push(s.problem(severity, Some(one.host), ProblemKind::Cluster, message));
}
