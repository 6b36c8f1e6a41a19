//! What is compared of two hosts, as text, and the verdict over each fact.

use std::sync::Arc;

use crate::app::rows::beside::{ComparedFact, ComparedValue};
use crate::view::scene::{Scene, ShownFact};
use crate::view::text;
use jumpdeck_fleet::fact::Fact;
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::names::RoleName;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::replication::Database;
use jumpdeck_fleet::service::{Service, ServiceEntry, ServiceHealth};
use jumpdeck_fleet::snapshot::{HostSnapshot, LinkState};
use jumpdeck_fleet::storage::{Filesystem, human_kb};
use jumpdeck_fleet::summary::{ReplicationBrief, replication_brief, replication_words};

/// A value by its name, and whether it moves.
type NamedValue = (String, ComparedValue, bool);

/// The facts of two hosts, in the order of the left one's; then what only the right one has.
pub(super) fn compared(scene: &Scene<'_>, hosts: [(&Arc<Host>, &Arc<HostSnapshot>); 2]) -> Vec<ComparedFact> {
    let [left, right] = hosts.map(|(spec, host)| OneHost { scene, spec, host }.facts());
    joined(left, right)
}

fn joined(left: HostValues, right: HostValues) -> Vec<ComparedFact> {
    let mut facts: Vec<ComparedFact> = Vec::new();
    let HostValues { values, missing: missing_left } = left;
    let HostValues { values: mut of_right, missing: missing_right } = right;
    for (name, value, moves) in values {
        let other = match of_right.iter().position(|(other, ..)| *other == name) {
            Some(at) => of_right.remove(at).1,
            None => missing_right(&name),
        };
        facts.push(ComparedFact { name, values: [value, other], moves });
    }
    for (name, value, moves) in of_right {
        let other = missing_left(&name);
        facts.push(ComparedFact { name, values: [other, value], moves });
    }
    facts
}

/// The values of a host, and what is said of one that it does not have.
struct HostValues {
    values: Vec<NamedValue>,
    missing: Box<dyn Fn(&str) -> ComparedValue>,
}

struct OneHost<'s, 'a> {
    scene: &'s Scene<'a>,
    spec: &'a Host,
    host: &'a HostSnapshot,
}

impl OneHost<'_, '_> {
    fn facts(&self) -> HostValues {
        let facts = &self.host.facts;
        let mut values: Vec<NamedValue> = Vec::new();
        let mut add =
            |name: &str, moves: bool, value: ComparedValue| values.push((name.to_owned(), value, moves));
        add("state", false, self.state());
        add("problems", false, self.problems());
        add("roles", false, known(names(&self.spec.roles)));
        add(
            "own roles",
            false,
            self.of(&facts.grains, |grains| match &grains.roles {
                Some(roles) => known(names(roles)),
                None => ComparedValue::Nothing,
            }),
        );
        add(
            "own level",
            false,
            self.of(&facts.grains, |grains| match &grains.level {
                Some(level) => known(level.to_string()),
                None => ComparedValue::Nothing,
            }),
        );
        add("system", false, self.of(&facts.os, |os| known(os.pretty.to_string())));
        add(
            "kernel",
            false,
            self.of(&facts.os, |os| match &os.kernel {
                Some(kernel) => known(kernel.to_string()),
                None => ComparedValue::Unknown("not said".to_owned()),
            }),
        );
        add(
            "CPUs",
            false,
            self.of(&facts.load, |load| match load.cpus {
                Some(cpus) => known(cpus.to_string()),
                None => ComparedValue::Unknown("not said".to_owned()),
            }),
        );
        add(
            "load 1m 5m 15m",
            true,
            self.of(&facts.load, |load| known([load.one, load.five, load.fifteen].map(text::load).join(" "))),
        );
        add("memory", false, self.of(&facts.memory, |memory| known(human_kb(memory.total_kb))));
        add(
            "memory in use",
            true,
            self.of(&facts.memory, |memory| match memory.used_percent() {
                Some(used) if memory.cache_unread => {
                    ComparedValue::Unknown(format!("≤{}", text::percent(used)))
                }
                Some(used) => known(text::percent(used)),
                None => ComparedValue::Unknown("not said".to_owned()),
            }),
        );
        add(
            "swap",
            false,
            self.of(&facts.memory, |memory| match memory.swap_total_kb {
                0 => ComparedValue::Nothing,
                swap => known(human_kb(swap)),
            }),
        );
        add("up", true, self.of(&facts.uptime, |up| known(text::two_units(*up))));
        add("replication", false, self.of(&facts.databases, |databases| replication(databases)));
        add("replication lag", true, self.of(&facts.databases, |databases| lag(databases)));
        add(
            "database",
            false,
            self.of(&facts.databases, |databases| match databases.as_slice() {
                [] => ComparedValue::Nothing,
                some => {
                    versions(some.iter().map(|database| database.version.as_ref().map(ToString::to_string)))
                }
            }),
        );
        add(
            "writable",
            false,
            self.of(&facts.databases, |databases| match databases.as_slice() {
                [] => ComparedValue::Nothing,
                some => versions(some.iter().map(|database| {
                    let server = database.server.as_ref().ok()?;
                    server
                        .read_only
                        .map(|read_only| if read_only { "read-only" } else { "writable" }.to_owned())
                })),
            }),
        );
        let mut disks = Vec::new();
        let unknown_disks = self.disks(&facts.filesystems, &mut disks);
        let unknown_remote = self.disks(&facts.network_filesystems, &mut disks);
        values.extend(disks);
        for entry in facts.services.iter() {
            let detail = |service: &Arc<Service>| {
                if service.detail.is_empty() {
                    ComparedValue::Nothing
                } else {
                    known(service.detail.to_string())
                }
            };
            values.push((format!("service {}", entry.name()), self.service(entry), false));
            values.push((format!("{} detail", entry.name()), self.of(&entry.fact, detail), true));
        }
        let silent = self.scene.silence(self.host).map(|(why, _)| why.into_owned());
        let disks = unknown_disks.or(unknown_remote);
        let missing = move |name: &str| match (&silent, &disks) {
            (Some(why), _) => ComparedValue::Unknown(why.clone()),
            // A filesystem of a host whose filesystems are not known.
            (None, Some(why)) if name.starts_with("disk ") => ComparedValue::Unknown(why.clone()),
            (None, Some(_) | None) => ComparedValue::Nothing,
        };
        HostValues { values, missing: Box::new(missing) }
    }

    /// A fact as it may be shown; of a host that does not answer nothing is known.
    fn of<T>(&self, fact: &Fact<T>, show: impl FnOnce(&T) -> ComparedValue) -> ComparedValue {
        if let Some((why, _)) = self.scene.silence(self.host) {
            return ComparedValue::Unknown(why.into_owned());
        }
        match self.scene.shown(self.host, fact) {
            ShownFact::Value(value, _) => show(value),
            ShownFact::Gap(gap) => ComparedValue::Unknown(text::gap(gap).to_owned()),
            ShownFact::Expired => ComparedValue::Unknown("too old".to_owned()),
        }
    }

    fn state(&self) -> ComparedValue {
        if self.scene.jump_is_down() {
            return ComparedValue::Unknown("the jump box is down".to_owned());
        }
        match self.host.link.state {
            LinkState::Pending => ComparedValue::Unknown(self.host.link.state.label().to_owned()),
            state => known(state.label().to_owned()),
        }
    }

    /// The kinds of its problems, as messages have figures, which move. A problem that is something unknown leaves them unknown.
    fn problems(&self) -> ComparedValue {
        if self.scene.jump_is_down() {
            return ComparedValue::Unknown("the jump box is down".to_owned());
        }
        let concerns = self.scene.env.problems.iter().filter(|problem| problem.concerns(&self.host.id.host));
        let mut kinds: Vec<_> = concerns
            .map(|problem| {
                let service = problem.service.as_deref();
                let what = service.map_or_else(|| problem.kind.word().replace('_', " "), str::to_owned);
                (std::cmp::Reverse(problem.severity), what)
            })
            .collect();
        kinds.sort();
        let mut named: Vec<(String, usize)> = Vec::new();
        for (severity, what) in &kinds {
            let text = format!("{}: {what}", severity.0.word());
            match named.last_mut() {
                Some((last, n)) if *last == text => *n += 1,
                Some(_) | None => named.push((text, 1)),
            }
        }
        let named = named.into_iter().map(|(text, n)| if n == 1 { text } else { format!("{text} ×{n}") });
        let text = named.collect::<Vec<_>>().join(", ");
        match kinds.as_slice() {
            [] if self.host.reported_at.is_none() => ComparedValue::Unknown("no data yet".to_owned()),
            [] => known("none known".to_owned()),
            some if some.iter().any(|(severity, _)| severity.0 == Severity::Unknown) => {
                ComparedValue::Unknown(text)
            }
            [_, ..] => known(text),
        }
    }

    /// How a service is, in a word.
    fn service(&self, entry: &ServiceEntry) -> ComparedValue {
        self.of(&entry.fact, |service| {
            let findings = entry.findings(service, &self.scene.env.spec.thresholds);
            match ServiceHealth::of(service, &findings) {
                ServiceHealth::Unknown => ComparedValue::Unknown(ServiceHealth::Unknown.word().to_owned()),
                health @ (ServiceHealth::Ok | ServiceHealth::Degraded | ServiceHealth::Down) => {
                    known(health.word().to_owned())
                }
            }
        })
    }

    /// Each filesystem by its mount: its size, and how much of it is in use. Returns why they are not known.
    fn disks(&self, fact: &Fact<Vec<Filesystem>>, values: &mut Vec<NamedValue>) -> Option<String> {
        match self.scene.shown(self.host, fact) {
            ShownFact::Value(disks, _) if self.scene.silence(self.host).is_none() => {
                for disk in disks {
                    let (size, used) = match &disk.usage {
                        Ok(usage) => (
                            known(human_kb(usage.size_kb)),
                            match usage.use_percent {
                                Some(used) => known(format!("{used}%")),
                                None => ComparedValue::Unknown("not said".to_owned()),
                            },
                        ),
                        Err(gap) => {
                            let why = || ComparedValue::Unknown(text::gap(gap).to_owned());
                            (why(), why())
                        }
                    };
                    values.push((format!("disk {}", disk.mount), size, false));
                    values.push((format!("disk {} in use", disk.mount), used, true));
                }
                None
            }
            ShownFact::Value(..) => None,
            ShownFact::Gap(gap) => Some(text::gap(gap).to_owned()),
            ShownFact::Expired => Some("too old".to_owned()),
        }
    }
}

/// What a host is in its replication, without figures.
fn replication(databases: &[Database]) -> ComparedValue {
    let brief = replication_brief(databases);
    match brief {
        ReplicationBrief::None => ComparedValue::Nothing,
        ReplicationBrief::Unknown(_) | ReplicationBrief::Master { replicas: None, .. } => {
            ComparedValue::Unknown(replication_words(brief))
        }
        ReplicationBrief::Following { .. } => known("replica".to_owned()),
        ReplicationBrief::Standalone { .. }
        | ReplicationBrief::Master { replicas: Some(_), .. }
        | ReplicationBrief::Member { .. }
        | ReplicationBrief::Broken { .. } => known(replication_words(brief)),
    }
}

fn lag(databases: &[Database]) -> ComparedValue {
    match replication_brief(databases) {
        ReplicationBrief::Following { lag_s: Some(lag), .. } => known(format!("{lag} s")),
        ReplicationBrief::Following { lag_s: None, .. }
        | ReplicationBrief::Unknown(_)
        | ReplicationBrief::Broken { .. } => ComparedValue::Unknown("unknown".to_owned()),
        ReplicationBrief::None
        | ReplicationBrief::Standalone { .. }
        | ReplicationBrief::Master { .. }
        | ReplicationBrief::Member { .. } => ComparedValue::Nothing,
    }
}

fn known(text: String) -> ComparedValue {
    ComparedValue::Known(text)
}

fn names(roles: &[RoleName]) -> String {
    let mut names: Vec<&str> = roles.iter().map(RoleName::as_str).collect();
    names.sort_unstable();
    names.join(" ")
}

/// Several texts in one value: when one of them is not known, the whole is not.
fn versions(all: impl Iterator<Item = Option<String>>) -> ComparedValue {
    match all.collect::<Option<Vec<String>>>() {
        Some(all) => known(all.join(", ")),
        None => ComparedValue::Unknown("not said".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::rows::beside::FactVerdict;

    fn values(values: &[(&str, ComparedValue, bool)], missing: ComparedValue) -> HostValues {
        let values = values.iter().map(|(name, value, moves)| ((*name).to_owned(), value.clone(), *moves));
        HostValues { values: values.collect(), missing: Box::new(move |_| missing.clone()) }
    }

    #[test]
    fn what_is_unknown_is_neither_alike_nor_different() {
        let (a, b) = (known("a".to_owned()), known("b".to_owned()));
        let unknown = ComparedValue::Unknown("timed out".to_owned());
        let left = values(
            &[
                ("same", a.clone(), false),
                ("other", a.clone(), false),
                ("half", a.clone(), false),
                ("none", unknown.clone(), false),
                ("figure", a.clone(), true),
                ("lost figure", unknown.clone(), true),
                ("only left", a.clone(), false),
                ("figure only left", a.clone(), true),
                ("no figure", ComparedValue::Nothing, true),
            ],
            unknown.clone(),
        );
        let right = values(
            &[
                ("figure", b.clone(), true),
                ("figure only left", ComparedValue::Nothing, true),
                ("no figure", ComparedValue::Nothing, true),
                ("lost figure", a.clone(), true),
                ("same", a.clone(), false),
                ("other", b, false),
                ("half", unknown.clone(), false),
                ("none", unknown, false),
                ("only right", a, false),
            ],
            ComparedValue::Nothing,
        );
        let found: Vec<(String, FactVerdict)> =
            joined(left, right).into_iter().map(|fact| (fact.name.clone(), fact.verdict())).collect();
        let expected = [
            ("same", FactVerdict::Alike),
            ("other", FactVerdict::Differ),
            ("half", FactVerdict::Unknown),
            ("none", FactVerdict::Unknown),
            ("figure", FactVerdict::Moves),
            ("lost figure", FactVerdict::Unknown),
            ("only left", FactVerdict::Differ),
            ("figure only left", FactVerdict::Differ),
            ("no figure", FactVerdict::Alike),
            ("only right", FactVerdict::Unknown),
        ];
        assert_eq!(found, expected.map(|(name, verdict)| (name.to_owned(), verdict)));
    }
}
