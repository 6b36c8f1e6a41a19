//! How copies find a node: what the cluster does by itself when nodes come and go, or are excluded.

use super::indices::{Index, Place};
use super::{Elastic, Power, STARTING};

/// Seconds between two looks of the master.
const LOOK: f64 = 0.5;
/// Recoveries that a node takes at once (`node_concurrent_recoveries`).
const AT_ONCE: usize = 2;
/// MB a second that a copy is read from another node with, and the most seconds one takes here.
const SPEED: f64 = 40.0;
const LONGEST: f64 = 12.0;
/// Seconds to start a copy whose data lie on the node's own disk.
const LOCAL: f64 = 1.5;

impl Elastic {
    /// Brings the cluster up to a moment.
    pub(super) fn settle(&mut self, now: f64, power: &Power) {
        let span = now - self.settled;
        let look = LOOK.max(span / 5000.0);
        while self.settled < now {
            self.settled = (self.settled + look).min(now);
            self.look(self.settled, power);
            if self.is_quiet(power) {
                self.settled = now;
            }
        }
        // What was changed by hand holds at once, even when no time passed.
        self.look(now, power);
    }

    /// Whether nothing would happen by itself from now on.
    fn is_quiet(&self, power: &Power) -> bool {
        let settled =
            self.nodes.iter().zip(power).all(|(node, up)| node.member == (node.started && up.is_some()));
        let still = |place: Place| matches!(place, Place::Started { .. });
        settled
            && self.excluded().is_empty()
            && self.indices.iter().filter(|i| i.open).flat_map(|i| &i.copies).all(|copy| still(copy.place))
    }

    fn look(&mut self, now: f64, power: &Power) {
        for number in 0..self.nodes.len() {
            let up = power.get(number).copied().flatten();
            let Some(node) = self.nodes.get_mut(number) else { continue };
            let member = node.started && up.is_some_and(|up| now >= node.since.max(up) + STARTING);
            let left = node.member && !member;
            node.member = member;
            if left {
                self.leave(number);
            }
        }
        self.finish(now);
        self.allocate(now);
        self.evacuate(now);
    }

    /// A node went: what it served is promoted elsewhere, or nobody serves it.
    fn leave(&mut self, gone: usize) {
        for index in &mut self.indices {
            for copy in &mut index.copies {
                copy.place = match copy.place {
                    Place::Relocating { from, to, .. } if to == gone => Place::Started { node: from },
                    place if place.node() == Some(gone) => Place::Unassigned { last: Some(gone) },
                    place => place,
                };
            }
            index.promote();
        }
    }

    fn finish(&mut self, now: f64) {
        for copy in self.indices.iter_mut().flat_map(|index| &mut index.copies) {
            copy.place = match copy.place {
                Place::Initializing { node, until } if until <= now => Place::Started { node },
                Place::Relocating { to, until, .. } if until <= now => Place::Started { node: to },
                place => place,
            };
        }
    }

    /// The nodes that are excluded from allocation.
    fn excluded(&self) -> Vec<usize> {
        let by = |what: &str| {
            let value =
                self.setting(&format!("cluster.routing.allocation.exclude.{what}")).unwrap_or_default();
            value.split(',').map(|v| v.trim().to_owned()).filter(|v| !v.is_empty()).collect::<Vec<_>>()
        };
        let (addresses, names, hosts) = (by("_ip"), by("_name"), by("_host"));
        let is_excluded = |node: &super::Node| {
            addresses.contains(&node.address) || names.contains(&node.name) || hosts.contains(&node.name)
        };
        (0..).zip(&self.nodes).filter(|(_, node)| is_excluded(node)).map(|(number, _)| number).collect()
    }

    /// Recoveries under way to a node.
    fn busy(&self, number: usize) -> usize {
        let copies = self.indices.iter().flat_map(|index| &index.copies);
        copies
            .filter(|copy| match copy.place {
                Place::Initializing { node, .. } => node == number,
                Place::Relocating { to, .. } => to == number,
                _ => false,
            })
            .count()
    }

    /// The node with the fewest copies that may take one more of that shard.
    fn target(&self, index: &Index, shard: u32, excluded: &[usize]) -> Option<usize> {
        let holds = |number: usize| index.copies.iter().any(|c| c.shard == shard && c.place.concerns(number));
        let load = |number: usize| {
            self.indices.iter().flat_map(|i| &i.copies).filter(|c| c.place.concerns(number)).count()
        };
        (0..)
            .zip(&self.nodes)
            .filter(|(number, node)| {
                node.member && !excluded.contains(number) && !holds(*number) && self.busy(*number) < AT_ONCE
            })
            .map(|(number, _)| number)
            .min_by_key(|number| load(*number))
    }

    fn allocate(&mut self, now: f64) {
        let enable = self.setting("cluster.routing.allocation.enable").unwrap_or("all").to_owned();
        let excluded = self.excluded();
        for at in 0..self.indices.len() {
            let count = self.indices.get(at).filter(|index| index.open).map_or(0, |index| index.copies.len());
            for which in 0..count {
                let Some((index, copy)) = self.indices.get(at).and_then(|i| Some((i, i.copies.get(which)?)))
                else {
                    continue;
                };
                let Place::Unassigned { last } = copy.place else { continue };
                let back = last.filter(|last| {
                    self.nodes.get(*last).is_some_and(|node| node.member)
                        && self.busy(*last) < AT_ONCE
                        && !index.copies.iter().any(|c| c.shard == copy.shard && c.place.concerns(*last))
                });
                let goal = if copy.primary {
                    // A primary with data can only start where they are.
                    match last {
                        Some(_) => back.filter(|_| enable == "all" || enable == "primaries"),
                        None if enable == "none" => None,
                        None => self.target(index, copy.shard, &excluded),
                    }
                } else if enable == "all" && index.primary_is_active(copy.shard) {
                    back.filter(|back| !excluded.contains(back))
                        .or_else(|| self.target(index, copy.shard, &excluded))
                } else {
                    None
                };
                let takes = if goal.is_some() && goal == back { LOCAL } else { recovery(index) };
                if let Some(node) = goal {
                    self.put(at, which, Place::Initializing { node, until: now + takes });
                }
            }
        }
    }

    /// Copies leave nodes that are excluded.
    fn evacuate(&mut self, now: f64) {
        let excluded = self.excluded();
        let frozen = self.setting("cluster.routing.allocation.enable").is_some_and(|enable| enable != "all");
        if excluded.is_empty() || self.shards_stay || frozen {
            return;
        }
        for at in 0..self.indices.len() {
            let count = self.indices.get(at).filter(|index| index.open).map_or(0, |index| index.copies.len());
            for which in 0..count {
                let Some((index, copy)) = self.indices.get(at).and_then(|i| Some((i, i.copies.get(which)?)))
                else {
                    continue;
                };
                let Place::Started { node } = copy.place else { continue };
                if excluded.contains(&node)
                    && let Some(to) = self.target(index, copy.shard, &excluded)
                {
                    let until = now + recovery(index);
                    self.put(at, which, Place::Relocating { from: node, to, until });
                }
            }
        }
    }

    fn put(&mut self, index: usize, copy: usize, place: Place) {
        if let Some(copy) = self.indices.get_mut(index).and_then(|index| index.copies.get_mut(copy)) {
            copy.place = place;
        }
    }
}

/// Seconds a copy takes from another node.
fn recovery(index: &Index) -> f64 {
    #[allow(clippy::cast_precision_loss)] // MB
    let megabytes = index.megabytes as f64;
    (1.0 + megabytes / SPEED).min(LONGEST)
}

impl Index {
    fn primary_is_active(&self, shard: u32) -> bool {
        self.copies.iter().any(|copy| copy.primary && copy.shard == shard && copy.place.is_active())
    }

    /// A served replica takes over from a primary that is not.
    fn promote(&mut self) {
        for shard in 0..self.shards {
            let of = |primary: bool| {
                self.copies.iter().position(|copy| {
                    copy.shard == shard && copy.primary == primary && copy.place.is_active() != primary
                })
            };
            if let (Some(lost), Some(other)) = (of(true), of(false)) {
                for at in [lost, other] {
                    if let Some(copy) = self.copies.get_mut(at) {
                        copy.primary = at == other;
                    }
                }
            }
        }
    }
}
