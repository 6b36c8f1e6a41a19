//! Asks the environments once and waits until every host has given its first answer, or failed to.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::collect::clock::Clock;
use crate::collect::{Collector, host};
use crate::listening;
use jumpdeck_fleet::event::FleetEvent;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::{Environment, Fleet};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::judge::roles::RoleStanding;
use jumpdeck_fleet::judge::{Judgement, Situation, judge};
use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::outside::{OutsideSnapshot, Viewpoint};
use jumpdeck_fleet::problem::Problem;
use jumpdeck_fleet::snapshot::{HostSnapshot, JumpSnapshot, Link, LinkState};
use jumpdeck_fleet::time::Moment;

/// One environment at one moment, judged.
#[derive(Debug)]
pub struct Picture {
    /// What the inventory says.
    pub env: Arc<Environment>,
    /// Whether the fleet is simulated.
    pub simulated: bool,
    /// The jump box.
    pub jump: Arc<JumpSnapshot>,
    /// The hosts, in the inventory's order.
    pub hosts: Vec<Arc<HostSnapshot>>,
    /// What is seen from outside.
    pub outside: Arc<OutsideSnapshot>,
    /// Judged problems, worst first.
    pub problems: Vec<Problem>,
    /// Roles against their requirements.
    pub roles: Vec<RoleStanding>,
    /// The moment of judgement, for ages.
    pub now: Moment,
}

/// What has arrived so far.
struct Arrived {
    jumps: HashMap<EnvName, Arc<JumpSnapshot>>,
    hosts: HashMap<(EnvName, HostName), Arc<HostSnapshot>>,
    outside: HashMap<EnvName, Arc<OutsideSnapshot>>,
}

impl Picture {
    /// What rules judge.
    #[must_use]
    pub fn situation(&self) -> Situation<'_> {
        Situation {
            env: &self.env,
            jump: &self.jump,
            hosts: &self.hosts,
            outside: &self.outside,
            now: self.now,
        }
    }
}

/// Asks once. Ends when every host has answered or failed, or when `limit` is over, not counted while this program could
/// not listen: hosts that have not answered by then are timed out, and say so.
pub async fn gather(
    fleet: &Fleet,
    wanted: &[Arc<Environment>],
    collector: &Collector,
    mut events: mpsc::Receiver<FleetEvent>,
    clock: Clock,
    limit: Duration,
) -> Vec<Picture> {
    let mut over = pin!(listening::passes(limit));
    let mut arrived = Arrived { jumps: HashMap::new(), hosts: HashMap::new(), outside: HashMap::new() };
    for env in wanted {
        collector.activate(&env.name);
    }
    while !wanted.iter().all(|env| arrived.is_settled(env)) {
        tokio::select! {
            biased;
            event = events.recv() => match event {
                Some(event) => arrived.take(event),
                None => break,
            },
            () = &mut over => break,
        }
    }
    wanted.iter().map(|env| arrived.picture(fleet, env, clock.now(), limit)).collect()
}

impl Arrived {
    fn take(&mut self, event: FleetEvent) {
        match event {
            FleetEvent::Jump(jump) => {
                self.jumps.insert(jump.env.clone(), jump);
            }
            FleetEvent::Host(host) => {
                self.hosts.insert((host.id.env.clone(), host.id.host.clone()), host);
            }
            FleetEvent::Outside(outside) => {
                self.outside.insert(outside.env.clone(), outside);
            }
            // Nobody is there to answer; the one who asked has been refused already.
            // One status is of one inventory.
            FleetEvent::Question(_) | FleetEvent::QuestionGone(_) | FleetEvent::Inventory(_) => {}
        }
    }

    fn is_settled(&self, env: &Environment) -> bool {
        let jump = self.jumps.get(&env.name);
        // What is seen from the first jump box is not seen from the second.
        let from = match jump {
            Some(jump) if jump.second.is_some() => &[Viewpoint::ThisMachine][..],
            Some(_) | None => &[Viewpoint::ThisMachine, Viewpoint::JumpBox],
        };
        match jump.map(|jump| jump.link.state) {
            None | Some(LinkState::Pending) => false,
            Some(LinkState::Up) if !self.has_looked_for_runs(env) => false,
            Some(LinkState::Up) if !self.has_looked(env, from) => false,
            Some(LinkState::Up) => env.hosts.iter().all(|h| {
                let seen = self.hosts.get(&(env.name.clone(), h.id.host.clone()));
                seen.is_some_and(|s| s.link.state != LinkState::Pending)
            }),
            // What is looked at from here needs no jump box.
            Some(_) => self.has_looked(env, &[Viewpoint::ThisMachine]),
        }
    }

    /// Whether it is known which runs are not over, or why that is not known.
    fn has_looked_for_runs(&self, env: &Environment) -> bool {
        let left = self.jumps.get(&env.name).map(|jump| &jump.left);
        left.is_some_and(|left| left.gap != Some(Gap::NotAsked))
    }

    /// Whether each look from outside, from one of these places, has brought something, or failed.
    fn has_looked(&self, env: &Environment, from: &[Viewpoint]) -> bool {
        let asked = |outside: &Arc<OutsideSnapshot>| {
            let mut from_there = outside.results.iter().filter(|result| from.contains(&result.check.from));
            from_there.all(|result| result.fact.gap != Some(Gap::NotAsked))
        };
        let nothing = !env.outside.checks.iter().any(|check| from.contains(&check.from));
        nothing || self.outside.get(&env.name).is_some_and(asked)
    }

    /// What is seen from outside; what was not is a gap.
    fn outside_of(&self, env: &Environment, jump: &JumpSnapshot) -> Arc<OutsideSnapshot> {
        let seen = self.outside.get(&env.name).cloned();
        let mut outside = seen.unwrap_or_else(|| Arc::new(OutsideSnapshot::pending(&env.name, &env.outside)));
        for result in &mut Arc::make_mut(&mut outside).results {
            if result.fact.gap == Some(Gap::NotAsked) {
                let needs_jump = result.check.from == Viewpoint::JumpBox && !jump.is_first_up();
                result.fact.miss(if needs_jump {
                    Gap::Failed("the jump box is not connected".into())
                } else {
                    Gap::TimedOut
                });
            }
        }
        outside
    }

    fn picture(&self, fleet: &Fleet, env: &Arc<Environment>, now: Moment, limit: Duration) -> Picture {
        let seen = self.jumps.get(&env.name).cloned();
        let mut jump = seen.unwrap_or_else(|| Arc::new(JumpSnapshot::pending(env, now)));
        if jump.link.state == LinkState::Pending {
            Arc::make_mut(&mut jump).link = no_answer(Hop::Jump(jump.name.clone()), now, limit);
        }
        if jump.link.is_up() && jump.left.gap == Some(Gap::NotAsked) {
            Arc::make_mut(&mut jump).left.miss(Gap::TimedOut);
        }
        let hosts: Vec<Arc<HostSnapshot>> = env
            .hosts
            .iter()
            .map(|spec| {
                let seen = self.hosts.get(&(env.name.clone(), spec.id.host.clone())).cloned();
                let mut snapshot = seen.unwrap_or_else(|| Arc::new(host::pending(spec, now)));
                if snapshot.link.state == LinkState::Pending {
                    let link = if jump.link.is_up() {
                        no_answer(Hop::Host(spec.id.host.clone()), now, limit)
                    } else {
                        behind(&jump)
                    };
                    Arc::make_mut(&mut snapshot).link = link;
                }
                snapshot
            })
            .collect();
        let outside = self.outside_of(env, &jump);
        let (problems, roles) = (Vec::new(), Vec::new());
        let mut picture = Picture {
            problems,
            roles,
            env: env.clone(),
            simulated: fleet.simulated,
            jump,
            hosts,
            outside,
            now,
        };
        let Judgement { problems, roles } = judge(&picture.situation());
        (picture.problems, picture.roles) = (problems, roles);
        picture
    }
}

fn no_answer(hop: Hop, now: Moment, limit: Duration) -> Link {
    Link {
        state: LinkState::TimedOut,
        hop: Some(hop),
        detail: format!("no answer within {} s, the time limit of this command", limit.as_secs_f64()).into(),
        since: now,
        retry_at: None,
    }
}

/// A host behind a jump box that is down: nobody could ask it.
fn behind(jump: &JumpSnapshot) -> Link {
    Link {
        state: LinkState::Unreachable,
        hop: Some(Hop::Jump(jump.failing().clone())),
        detail: format!("jump box {} {}", jump.failing(), jump.link.state.label()).into(),
        since: jump.link.since,
        retry_at: None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::cli::simulate;

    #[tokio::test]
    async fn where_the_jump_box_fails_what_is_looked_at_from_here_is_waited_for() {
        let (universe, servers) = simulate::start("wpd-2015").unwrap();
        let fleet = universe.fleet(|env| servers.access(env));
        let from_here =
            |env: &&Arc<Environment>| env.outside.checks.iter().any(|c| c.from == Viewpoint::ThisMachine);
        let env = fleet.environments.iter().find(from_here).unwrap();
        let mut jump = JumpSnapshot::pending(env, Moment::default());
        jump.link.state = LinkState::AuthFailed;
        let mut arrived = Arrived { jumps: HashMap::new(), hosts: HashMap::new(), outside: HashMap::new() };
        arrived.take(FleetEvent::Jump(Arc::new(jump)));
        assert!(!arrived.is_settled(env), "nothing was looked at yet");
        let mut outside = OutsideSnapshot::pending(&env.name, &env.outside);
        arrived.take(FleetEvent::Outside(Arc::new(outside.clone())));
        assert!(!arrived.is_settled(env), "what is pending is no answer");
        for result in outside.results.iter_mut().filter(|r| r.check.from == Viewpoint::ThisMachine) {
            result.fact.miss(Gap::TimedOut);
        }
        arrived.take(FleetEvent::Outside(Arc::new(outside)));
        assert!(arrived.is_settled(env), "the jump box itself cannot look");
    }
}
