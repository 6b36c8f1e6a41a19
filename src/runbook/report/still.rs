//! What a run began and has not ended, for its report.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::collect::clean;
use super::{RunReport, StillInEffect};
use crate::runbook::describe::prose;
use crate::runbook::in_effect::{Marks, in_effect};
use crate::runbook::journal::Entry;
use crate::runbook::machine::StepRef;
use crate::runbook::replay;
use crate::runbook::windows::{WindowStory, stories};
use jumpdeck_fleet::run::{EndedBy, InEffect, in_effect_guarded, in_effect_line};
use jumpdeck_fleet::time::Moment;

/// From its entries. A journal whose runbook cannot be read any more tells nothing of it, here as when it is resumed.
/// With it come the titles of its steps, and its windows.
pub(super) fn of(entries: &[Entry]) -> (Vec<StillInEffect>, BTreeMap<String, String>, Vec<WindowStory>) {
    let (Ok(machine), Some(last)) = (replay::machine(entries), entries.last()) else {
        return (Vec::new(), BTreeMap::new(), Vec::new());
    };
    let marks = Marks::of(entries);
    let title = |at: StepRef<'_>| (clean(at.id().as_str()), prose(&at.shown(&at.step().title)).to_string());
    let titles = machine.steps().map(title).collect();
    let begun = |step: &str| {
        let at = machine.steps().find(|at| *at.id() == step)?;
        marks.since(at.id())
    };
    let lasting = in_effect(&machine, &marks, (Moment::default(), last.at));
    let lasting = lasting.iter().map(|one| told(one, begun(&one.step).unwrap_or(last.at))).collect();
    (lasting, titles, stories(machine.plan(), entries))
}

fn told(one: &InEffect, since: Timestamp) -> StillInEffect {
    let by_hand = match &one.ended_by {
        EndedBy::Rollback | EndedBy::GoingOn | EndedBy::NotThisRun => Vec::new(),
        EndedBy::Hand(commands) => commands
            .iter()
            .map(|(host, lines)| {
                let host = host.as_ref().map(|host| clean(host.as_str())).unwrap_or_default();
                (host, lines.iter().map(ToString::to_string).collect())
            })
            .collect(),
    };
    StillInEffect {
        step: clean(&one.step),
        says: one.says.as_str().trim_end_matches('.').to_owned(),
        hosts: one.on.iter().map(|host| clean(host.as_str())).collect(),
        since,
        certain: one.certain,
        stops_writes: one.stops_writes,
        found: one.found,
        guards: one.guards.iter().map(ToString::to_string).collect(),
        ended_by_rollback: one.ended_by == EndedBy::Rollback,
        by_hand,
    }
}

impl StillInEffect {
    /// It in one line, with a time as it is shown: `Writes are refused on db1-masterdb since 13:45:02+01:00`.
    pub(super) fn line(&self, since: &str) -> String {
        let hosts: Vec<&str> = self.hosts.iter().map(String::as_str).collect();
        let guards: Vec<&str> = self.guards.iter().map(String::as_str).collect();
        in_effect_guarded(in_effect_line(&self.says, &hosts, since, self.certain, self.found), &guards)
    }
}

impl RunReport {
    /// What to do about what is in effect: how a rollback or a resume is begun; nothing for a run that is over.
    pub(super) fn way_out(&self) -> Vec<(&'static str, String)> {
        if self.in_effect.is_empty() || self.ended.is_some() || self.simulated {
            return Vec::new();
        }
        let back = self.in_effect.iter().any(|one| one.ended_by_rollback);
        let back = back.then(|| ("roll back", format!("jumpdeck runbook rollback {}", self.run)));
        back.into_iter().chain([("go on", format!("jumpdeck runbook resume {}", self.run))]).collect()
    }
}
