//! Roles against what each environment requires of them.

use std::collections::{HashMap, HashSet};

use super::{Situation, some_names};
use crate::fact::Gap;
use crate::fleet::{Host, Requirement};
use crate::names::{HostName, RoleName};
use crate::problem::{Problem, ProblemKind, Severity};
use crate::snapshot::{Grains, HostSnapshot};

/// How a role stands against its requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleStanding {
    /// The role.
    pub role: RoleName,
    /// What is required; `None` when nothing is.
    pub required: Option<Requirement>,
    /// Hosts that have it and answer.
    pub hosts: Vec<HostName>,
    /// Hosts that should have it by the inventory, and of which nothing current is known.
    pub unknown: Vec<HostName>,
    /// The verdict.
    pub state: RoleState,
}

/// Whether a role's requirement is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleState {
    /// Met.
    Ok,
    /// Not met, whatever the unknown hosts are.
    Unmet,
    /// It depends on hosts of which nothing current is known.
    Unknown,
    /// Nothing is required.
    Free,
}

impl RoleState {
    /// The word of the status JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unmet => "unmet",
            Self::Unknown => "unknown",
            Self::Free => "free",
        }
    }
}

/// The roles a host reports: its grains' list, or, where it has no grains or they hold no list, those of the inventory.
/// `None` while its grains are not known.
#[must_use]
pub fn reported(spec: &Host, snapshot: &HostSnapshot) -> Option<Vec<RoleName>> {
    let grains = &snapshot.facts.grains;
    match (grains.current(), &grains.gap) {
        (Some(Grains { roles: Some(roles), .. }), _) => Some(roles.clone()),
        // Without roles in its grains a host is what its name says: no second source to compare with.
        (Some(Grains { roles: None, .. }), _) | (None, Some(Gap::NotInstalled)) => Some(spec.roles.clone()),
        (
            None,
            None
            | Some(
                Gap::NotAsked
                | Gap::TimedOut
                | Gap::Stuck
                | Gap::NotPermitted(_)
                | Gap::NoTool(_)
                | Gap::Cut(_)
                | Gap::Unreadable(_)
                | Gap::Failed(_),
            ),
        ) => None,
    }
}

/// Every role of the environment (required, in the inventory, or reported) and how it stands: required ones first,
/// in the requirements' order.
pub(super) fn standings(s: &Situation<'_>) -> Vec<RoleStanding> {
    let mut standings: Vec<RoleStanding> = s
        .env
        .requirements
        .iter()
        .filter(|r| !r.built_in || s.env.hosts.iter().any(|host| host.has_role(r.role.as_str())))
        .map(|r| RoleStanding {
            role: r.role.clone(),
            required: Some(r.clone()),
            hosts: Vec::new(),
            unknown: Vec::new(),
            state: RoleState::Free,
        })
        .collect();
    // Where each role is: the first place of those that are required twice.
    let mut places: HashMap<RoleName, usize> =
        standings.iter().enumerate().rev().map(|(at, s)| (s.role.clone(), at)).collect();
    for (spec, snapshot) in s.env.hosts.iter().zip(s.hosts) {
        let known = s.is_judgeable(snapshot).then(|| reported(spec, snapshot)).flatten();
        let answers = known.is_some();
        for role in known.unwrap_or_else(|| spec.roles.clone()) {
            let at = *places.entry(role).or_insert_with_key(|role| {
                standings.push(RoleStanding {
                    role: role.clone(),
                    required: None,
                    hosts: Vec::new(),
                    unknown: Vec::new(),
                    state: RoleState::Free,
                });
                standings.len() - 1
            });
            let Some(standing) = standings.get_mut(at) else { continue };
            let list = if answers { &mut standing.hosts } else { &mut standing.unknown };
            list.push(spec.id.host.clone());
        }
    }
    for standing in &mut standings {
        standing.state = verdict(standing);
    }
    standings
}

fn verdict(standing: &RoleStanding) -> RoleState {
    let Some(required) = &standing.required else { return RoleState::Free };
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let found = count(standing.hosts.len());
    let possible = found.saturating_add(count(standing.unknown.len()));
    let too_many = |n| required.at_most.is_some_and(|most| n > most);
    if too_many(found) || possible < required.at_least {
        RoleState::Unmet
    } else if found < required.at_least || too_many(possible) {
        RoleState::Unknown
    } else {
        RoleState::Ok
    }
}

pub(super) fn rule(s: &Situation<'_>, standings: &[RoleStanding], out: &mut Vec<Problem>) {
    // Nothing was found and nothing was missed before anybody looked.
    if s.hosts.iter().all(|host| host.reported_at.is_none()) {
        return;
    }
    for standing in standings {
        let (Some(required), RoleState::Unmet) = (&standing.required, standing.state) else { continue };
        let found = standing.hosts.len();
        let names: Vec<&HostName> = standing.hosts.iter().collect();
        // Nobody has the role, or more have it than may: critical. Fewer than wanted: it still works.
        let too_few = u32::try_from(found).unwrap_or(u32::MAX) < required.at_least;
        let severity = if found > 0 && too_few { Severity::Warning } else { Severity::Critical };
        let who = if found == 0 { "none".to_owned() } else { format!("{found}: {}", some_names(&names)) };
        let message = format!("role {}: {} required, found {who}", standing.role, required.describe());
        out.push(s.problem_with(severity, None, ProblemKind::RoleCount, standing.role.as_str(), message));
    }
    for (spec, snapshot) in s.env.hosts.iter().zip(s.hosts) {
        let Some(roles) = s.is_judgeable(snapshot).then(|| reported(spec, snapshot)).flatten() else {
            continue;
        };
        let roles: HashSet<&RoleName> = roles.iter().collect();
        for required in s.env.requirements.iter().filter(|r| roles.contains(&r.role)) {
            for implied in required.implies.iter().filter(|i| !roles.contains(i)) {
                let message = format!("a {} must also be a {implied}, but this host is not", required.role);
                out.push(s.problem(
                    Severity::Critical,
                    Some(&spec.id.host),
                    ProblemKind::RoleImplies,
                    message,
                ));
            }
        }
    }
}
