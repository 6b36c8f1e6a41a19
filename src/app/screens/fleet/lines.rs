//! The rows of the fleet, with hosts that are alike in one row. What alike means: `jumpdeck_fleet::judge::likeness`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::fleet_rows;
use crate::app::model::{EnvironmentState, Model};
use jumpdeck_fleet::judge::likeness::{Likeness, Unlike, is_current};
use jumpdeck_fleet::names::{HostName, RoleName};
use jumpdeck_fleet::snapshot::HostSnapshot;
use jumpdeck_fleet::time::Moment;

/// What is said of a host on which a run left something in effect.
const IN_EFFECT: &str = "run in effect";

/// A row of the fleet.
pub enum FleetLine<'a> {
    /// A host; while rows are folded, with what it differs in from those of its roles that are alike.
    Host(&'a Arc<HostSnapshot>, Vec<String>),
    /// Hosts that are alike, two at least.
    Alike(Vec<&'a Arc<HostSnapshot>>),
}

impl<'a> FleetLine<'a> {
    /// Its hosts, in the order of rows.
    #[must_use]
    pub fn hosts(&self) -> &[&'a Arc<HostSnapshot>] {
        match self {
            Self::Host(host, _) => std::slice::from_ref(host),
            Self::Alike(hosts) => hosts,
        }
    }

    /// Whether it has that host.
    #[must_use]
    pub fn has(&self, name: &HostName) -> bool {
        self.hosts().iter().any(|host| host.id.host == *name)
    }
}

/// The rows of the fleet table: one a host; or folded, where those that are alike have the place of the first of them.
#[must_use]
pub fn fleet_lines(model: &Model) -> Vec<FleetLine<'_>> {
    let rows = fleet_rows(model);
    let Some(env) = model.shown().filter(|_| model.folded) else {
        return rows.into_iter().map(|host| FleetLine::Host(host, Vec::new())).collect();
    };
    let known = KnownLikeness::of(model, env);
    let mut groups: BTreeMap<&Likeness, Vec<&Arc<HostSnapshot>>> = BTreeMap::new();
    for host in &rows {
        if let Ok(of_it) = known.of_host(host) {
            groups.entry(of_it).or_default().push(host);
        }
    }
    groups.retain(|_, hosts| hosts.len() > 1);
    let mut largest: HashMap<&[RoleName], (&Likeness, usize)> = HashMap::new();
    for (of_it, hosts) in &groups {
        let found = largest.entry(&of_it.roles).or_insert((of_it, hosts.len()));
        if hosts.len() > found.1 {
            *found = (of_it, hosts.len());
        }
    }
    let mut lines = Vec::new();
    for host in rows {
        let like = known.of_host(host);
        if let Some(hosts) = like.ok().and_then(|of_it| groups.get(of_it)) {
            if hosts.first().is_some_and(|first| first.id == host.id) {
                lines.push(FleetLine::Alike(hosts.clone()));
            }
            continue;
        }
        let mut roles = env.spec.host(&host.id.host).map(|spec| spec.roles.clone()).unwrap_or_default();
        roles.sort();
        let differs = match (largest.get(roles.as_slice()), like) {
            (None, _) => Vec::new(),
            (Some((others, _)), Ok(of_it)) => others.differences(of_it),
            (Some(_), Err(why)) => vec![why.to_owned()],
        };
        lines.push(FleetLine::Host(host, differs));
    }
    lines
}

/// What is known of the likeness of hosts at the moment that is shown.
struct KnownLikeness<'a> {
    env: &'a EnvironmentState,
    in_effect: HashSet<&'a HostName>,
    at: Moment,
}

impl<'a> KnownLikeness<'a> {
    fn of(model: &'a Model, env: &'a EnvironmentState) -> Self {
        // On a paused screen rows stay as they were.
        let at = model.paused.as_ref().map_or(model.now, |paused| paused.since);
        let in_effect = model.in_effect(&env.spec.name).flat_map(|(_, effect)| &effect.on).collect();
        Self { env, in_effect, at }
    }

    /// As last judged, unless news or time since then made it unknown.
    fn of_host(&self, host: &HostSnapshot) -> Result<&'a Likeness, &'static str> {
        if self.in_effect.contains(&host.id.host) {
            return Err(IN_EFFECT);
        }
        let poll = self.env.spec.cadence.poll;
        is_current(&self.env.jump, host, poll, self.at).map_err(Unlike::words)?;
        let place = self.env.place(&host.id.host);
        let judged = place.and_then(|place| self.env.likeness.get(place)).ok_or(Unlike::Unknown.words())?;
        judged.as_ref().map_err(|why| why.words())
    }
}
