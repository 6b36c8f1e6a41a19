//! Folding the rows of the fleet: which hosts are alike, as last judged.

use std::collections::{HashMap, HashSet};

use super::{EnvironmentState, Model};
use jumpdeck_fleet::judge::Situation;
use jumpdeck_fleet::judge::likeness::likeness;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::problem::Problem;
use jumpdeck_fleet::time::Moment;

impl EnvironmentState {
    /// Judges the likeness of its hosts by the problems it has; nobody needs it while rows are not folded.
    pub(in crate::app) fn judge_likeness(&mut self, folded: bool, now: Moment) {
        self.likeness.clear();
        if !folded {
            return;
        }
        let mut problems: HashMap<&HostName, Vec<&Problem>> = HashMap::new();
        for problem in &self.problems {
            let concerned: HashSet<&HostName> = problem.host.iter().chain(&problem.named).collect();
            for host in concerned {
                problems.entry(host).or_default().push(problem);
            }
        }
        let situation =
            Situation { env: &self.spec, jump: &self.jump, hosts: &self.hosts, outside: &self.outside, now };
        let hosts = self.spec.hosts.iter().zip(&self.hosts);
        self.likeness = hosts
            .map(|(spec, host)| {
                let of_it = problems.get(&host.id.host).map_or(&[][..], Vec::as_slice);
                likeness(&situation, spec, host, of_it)
            })
            .collect();
    }
}

impl Model {
    /// The hosts of the folded row that is selected; none where one host is.
    #[must_use]
    pub fn folded_row(&self) -> Vec<HostName> {
        self.screen().kind().folded_row(self)
    }

    /// Folds the rows of the fleet, or unfolds them. A host that is selected stays so, or its row is.
    pub fn fold(&mut self) {
        self.folded = !self.folded;
        self.judge_likeness();
        if let Some(env) = self.shown_mut() {
            env.selection.alike.clear();
        }
    }

    /// Judges the likeness of hosts of all environments anew: rows are folded, or unfolded, from now on.
    pub(in crate::app) fn judge_likeness(&mut self) {
        let paused = self.paused.as_mut().map(|paused| (paused.since, &mut paused.environments));
        for (now, environments) in paused.into_iter().chain([(self.now, &mut self.environments)]) {
            environments.iter_mut().for_each(|env| env.judge_likeness(self.folded, now));
        }
    }
}
