//! Galera and Group Replication, from what a node says of itself.

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::replication::{Cluster, ClusterKind, NodeHealth};
use jumpdeck_fleet::text::Clean;

use super::answer::{ClientAnswer, ResultRow};
use super::status::{switch, variable};

/// The cluster that the server is a node of. Galera: a provider is loaded. Group Replication: a group is configured.
pub(super) fn cluster(
    variables: &[ResultRow],
    status: &Result<&[ResultRow], Gap>,
    answer: &ClientAnswer,
    gaps: &mut Vec<(&'static str, Gap)>,
) -> Option<Cluster> {
    let filled = |name: &str| variable(variables, name).filter(|v| !v.is_empty());
    if filled("wsrep_provider").is_some_and(|provider| !provider.eq_ignore_ascii_case("none")) {
        let is_on = variable(variables, "wsrep_on").and_then(switch);
        let name = Clean::new(filled("wsrep_cluster_name").unwrap_or_default());
        return Some(match status {
            Ok(rows) => galera(name, is_on, rows),
            Err(gap) => {
                gaps.push(("Galera", gap.clone()));
                unknown(ClusterKind::Galera, Clean::default(), name)
            }
        });
    }
    let group = filled("group_replication_group_name")?;
    let uuid = filled("server_uuid").unwrap_or_default();
    Some(match answer.part("group", &["member_id", "member_state"]) {
        Ok(rows) => group_replication(group, uuid, rows),
        Err(gap) => {
            gaps.push(("Group Replication", gap));
            unknown(ClusterKind::Group, Clean::new(group), Clean::new(group))
        }
    })
}

fn unknown(kind: ClusterKind, id: Clean, name: Clean) -> Cluster {
    Cluster {
        kind,
        id,
        name,
        state: Clean::default(),
        primary_component: None,
        size: None,
        health: NodeHealth::Unknown,
        reason: Clean::default(),
    }
}

/// A node's state, its component and whether it executes queries are three things: `Synced` alone says nothing of a node
/// that lost its peers.
fn galera(name: Clean, is_on: Option<bool>, rows: &[ResultRow]) -> Cluster {
    let value = |name: &str| variable(rows, name).filter(|v| !v.is_empty());
    let state = value("wsrep_local_state_comment").unwrap_or_default();
    let primary = value("wsrep_cluster_status").map(|v| v.eq_ignore_ascii_case("primary"));
    let ready = value("wsrep_ready").and_then(switch);
    let connected = value("wsrep_connected").and_then(switch);
    let (health, reason) = match (is_on, connected, primary, ready) {
        (Some(false), ..) => (NodeHealth::Out, "its writes are not replicated (wsrep_on is OFF)"),
        (_, Some(false), ..) => (NodeHealth::Out, "not connected to its cluster"),
        (_, _, Some(false), _) => (NodeHealth::Out, "not in the primary component"),
        (.., Some(false)) => (NodeHealth::Out, "it executes no queries (wsrep_ready is OFF)"),
        (Some(true), Some(true), Some(true), Some(true)) => match state {
            "Synced" => (NodeHealth::InSync, ""),
            "" => (NodeHealth::Unknown, ""),
            _ => (NodeHealth::Behind, ""),
        },
        _ => (NodeHealth::Unknown, "it does not report its whole state"),
    };
    let id = value("wsrep_cluster_state_uuid").filter(|id| id.chars().any(|c| !matches!(c, '0' | '-')));
    Cluster {
        id: Clean::new(id.unwrap_or_default()),
        state: Clean::new(state),
        primary_component: primary,
        size: value("wsrep_cluster_size").and_then(|v| v.parse().ok()),
        health,
        reason: Clean::new(reason),
        ..unknown(ClusterKind::Galera, Clean::default(), name)
    }
}

/// The group as this member sees it. A member whose peers are mostly unreachable blocks writes.
fn group_replication(group: &str, uuid: &str, rows: &[ResultRow]) -> Cluster {
    let state_of = |row: &ResultRow| row.get("member_state").unwrap_or_default().to_ascii_uppercase();
    let own = rows.iter().find(|row| row.get("member_id").is_some_and(|id| id.eq_ignore_ascii_case(uuid)));
    let members = rows.iter().filter(|row| row.get("member_id").is_some_and(|id| !id.is_empty()));
    let (total, reachable) = members.fold((0_u64, 0_u64), |(total, reachable), row| {
        let counts = matches!(state_of(row).as_str(), "ONLINE" | "RECOVERING");
        (total + 1, reachable + u64::from(counts))
    });
    // Without START GROUP_REPLICATION the table has one row, without an id.
    let state = own.or(rows.first()).map(state_of).unwrap_or_default();
    let majority = (total > 0).then_some(reachable * 2 > total);
    let (health, reason) = match (state.as_str(), majority) {
        ("", _) => (NodeHealth::Unknown, ""),
        ("ONLINE", Some(true)) => (NodeHealth::InSync, ""),
        ("ONLINE" | "RECOVERING", Some(false)) => {
            (NodeHealth::Out, "most members of its group are unreachable")
        }
        ("RECOVERING", _) => (NodeHealth::Behind, ""),
        ("ONLINE", None) => (NodeHealth::Unknown, ""),
        _ => (NodeHealth::Out, ""),
    };
    Cluster {
        state: Clean::new(&state),
        primary_component: majority,
        size: Some(total),
        health,
        reason: Clean::new(reason),
        ..unknown(ClusterKind::Group, Clean::new(group), Clean::new(group))
    }
}
