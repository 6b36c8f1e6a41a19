//! What is known of an environment's past: the fold of its records.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::stretch::Stretch;
use super::{Acknowledgement, Onset, ProblemKey, RecordedProblem, TimelineChange, TimelineRecord, WallTime};
use crate::names::{HostName, RoleName};
use crate::problem::ProblemKind;

/// The last known state of an environment, by its records and what has been seen since.
#[derive(Debug, Clone, Default)]
pub struct KnownTimeline {
    /// The jump box answered.
    pub(super) looks: Option<Stretch>,
    /// When the last look was recorded by this console.
    pub(super) noted: Option<WallTime>,
    /// Every host either answered or failed.
    pub(super) whole: Option<Stretch>,
    /// The hosts of the inventory.
    pub(super) listed: Option<BTreeSet<HostName>>,
    pub(super) hosts: HashMap<HostName, KnownHost>,
    pub(super) checks: HashMap<String, Stretch>,
    /// When a console that has ended looked last: as much is known of what has no time of its own.
    pub(super) ended: Option<WallTime>,
    pub(super) open: HashMap<ProblemKey, OpenProblem>,
    /// Of open problems: what somebody who knows of one says.
    pub(super) acknowledged: BTreeMap<ProblemKey, Acknowledgement>,
}

/// What is known of a host.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownHost {
    pub(super) roles: Option<Vec<RoleName>>,
    /// It could be judged.
    pub(super) judged: Option<Stretch>,
    /// The snapshot whose roles were compared.
    pub(super) generation: u64,
}

/// A problem that has not ended as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenProblem {
    /// As it was last seen.
    pub problem: RecordedProblem,
    /// When it began, or was first seen.
    pub began: WallTime,
    /// How well that is known.
    pub onset: Onset,
    /// When it was last seen.
    pub seen: WallTime,
}

impl KnownTimeline {
    /// What records say, oldest first.
    #[must_use]
    pub fn replay<'a>(records: impl IntoIterator<Item = &'a TimelineRecord>) -> Self {
        let mut known = Self::default();
        let mut ended = None;
        for record in records {
            known.take(record);
            if let TimelineChange::Looked { .. } = record.change {
                ended = Some(record.at);
            }
        }
        known.forget_until(ended);
        known
    }

    /// The problems that have not ended as far as is known.
    pub fn open(&self) -> impl Iterator<Item = &OpenProblem> {
        self.open.values()
    }

    /// When this console looked last, to be recorded when it ends.
    #[must_use]
    pub fn last_look(&self) -> Option<TimelineRecord> {
        let looks = self.looks.filter(|_| self.noted.is_some())?;
        Some(TimelineRecord { at: looks.last, change: TimelineChange::Looked { since: looks.from() } })
    }

    /// Whether a problem is acknowledged.
    #[must_use]
    pub fn has_acknowledgements(&self) -> bool {
        !self.acknowledged.is_empty()
    }

    /// What somebody says who knows of a problem.
    #[must_use]
    pub fn acknowledgement(&self, key: &ProblemKey) -> Option<&Acknowledgement> {
        self.acknowledged.get(key)
    }

    /// One of them.
    #[must_use]
    pub fn open_problem(&self, key: &ProblemKey) -> Option<&OpenProblem> {
        self.open.get(key)
    }

    /// Records that lead to this state: what is kept of older ones that are removed.
    #[must_use]
    pub fn baseline(&self, at: WallTime) -> Vec<TimelineRecord> {
        let mut records = vec![TimelineRecord { at, change: TimelineChange::Cut }];
        if let Some(listed) = &self.listed {
            let hosts = TimelineChange::Hosts(listed.iter().cloned().collect());
            records.push(TimelineRecord { at, change: hosts });
        }
        let mut hosts: Vec<_> = self.hosts.iter().collect();
        hosts.sort_by_key(|(name, _)| *name);
        for (host, known) in hosts {
            if let Some(after) = known.roles.clone() {
                let (host, before, unseen_since) = (host.clone(), None, None);
                let change = TimelineChange::Roles { host, before, after, unseen_since };
                records.push(TimelineRecord { at, change });
            }
        }
        let mut open: Vec<&OpenProblem> = self.open.values().collect();
        open.sort_by_key(|open| (open.began, open.problem.key()));
        for open in open {
            let problem = open.problem.clone();
            let began = TimelineChange::Began { problem: problem.clone(), onset: open.onset };
            records.push(TimelineRecord { at: open.began, change: began });
            if let Some(acknowledgement) = self.acknowledgement(&problem.key()).cloned() {
                let change = TimelineChange::Acknowledged { problem, acknowledgement };
                records.push(TimelineRecord { at, change });
            }
        }
        records
    }

    /// Takes in one record.
    pub fn take(&mut self, record: &TimelineRecord) {
        match &record.change {
            TimelineChange::Looked { .. } | TimelineChange::Cut => {}
            TimelineChange::Hosts(hosts) => self.listed = Some(hosts.iter().cloned().collect()),
            TimelineChange::Added(host) => {
                self.listed.get_or_insert_default().insert(host.clone());
            }
            TimelineChange::Removed(host) => {
                self.listed.get_or_insert_default().remove(host);
                self.hosts.remove(host);
            }
            TimelineChange::Roles { host, after, .. } => {
                self.hosts.entry(host.clone()).or_default().roles = Some(after.clone());
            }
            TimelineChange::Began { problem, onset } => {
                let open = OpenProblem {
                    problem: problem.clone(),
                    began: record.at,
                    onset: *onset,
                    seen: record.at,
                };
                // A new beginning is a new problem.
                self.acknowledged.remove(&problem.key());
                self.open.insert(problem.key(), open);
            }
            TimelineChange::Changed { problem, .. } => {
                if let Some(open) = self.open.get_mut(&problem.key()) {
                    (open.problem, open.seen) = (problem.clone(), record.at);
                }
            }
            TimelineChange::Ended { problem, .. } => {
                self.open.remove(&problem.key());
                self.acknowledged.remove(&problem.key());
            }
            TimelineChange::Acknowledged { problem, acknowledgement } => {
                let key = problem.key();
                if self.open.contains_key(&key) {
                    self.acknowledged.insert(key, acknowledgement.clone());
                }
            }
            TimelineChange::Reopened { problem, .. } => {
                self.acknowledged.remove(&problem.key());
            }
        }
    }

    /// The console that wrote the records looked until then, and nothing later is known. Of a host that did not answer, nothing is known
    /// since it stopped; of none, while the jump box was down.
    fn forget_until(&mut self, ended: Option<WallTime>) {
        let Some(ended) = ended else { return };
        let down = |open: &&OpenProblem| open.problem.key().kind == ProblemKind::JumpDown;
        let jump = self.open.values().find(down).map(|open| open.began);
        let all = jump.map_or(ended, |jump| jump.min(ended));
        let mut since: HashMap<HostName, WallTime> = HashMap::new();
        for open in self.open.values().filter(|open| open.problem.key().kind == ProblemKind::HostDown) {
            if let Some(host) = &open.problem.host {
                since.insert(host.clone(), open.began.min(all));
            }
        }
        for (host, at) in &since {
            self.hosts.entry(host.clone()).or_default().judged = Some(Stretch::ended(*at));
        }
        for open in self.open.values_mut() {
            let key = open.problem.key();
            let own = match (key.kind, &key.host) {
                (ProblemKind::JumpDown, _) => ended,
                (ProblemKind::HostDown, _) | (_, None) => all,
                (_, Some(host)) => since.get(host).copied().unwrap_or(all),
            };
            open.seen = open.seen.max(own.max(open.began).min(ended));
        }
        self.ended = Some(all);
        self.looks = Some(Stretch::ended(ended));
        self.whole = Some(Stretch::ended(all));
    }
}
