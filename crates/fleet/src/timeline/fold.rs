//! One look more: what is known, a judgement and the time make records.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use super::ends::may_have_ended;
use super::stretch::{Stretch, is_recent};
use super::{
    Acknowledgement, KnownTimeline, Onset, OpenProblem, ProblemEnding, ProblemKey, RecordedProblem,
    Reopening, TimelineChange, TimelineRecord, WallTime, is_reach,
};
use crate::judge::roles::reported;
use crate::judge::{Judgement, Situation};
use crate::names::HostName;
use crate::problem::{Problem, ProblemKind};
use crate::snapshot::LinkState;

/// Time between two records of a console that looks on.
const NOTED_EVERY: Duration = Duration::from_secs(60);

impl KnownTimeline {
    /// Takes in what a console sees now. Returns what changed, in order.
    pub fn look(&mut self, s: &Situation<'_>, judgement: &Judgement, at: WallTime) -> Vec<TimelineRecord> {
        let jump = s.jump.link.state;
        if jump == LinkState::Pending {
            // Nobody has looked yet.
            return Vec::new();
        }
        let mut changes = Vec::new();
        self.inventory(s, at, &mut changes);
        self.problems(s, judgement, at, &mut changes);
        self.acknowledgements(at, &mut changes);
        if jump == LinkState::Up {
            self.roles(s, at, &mut changes);
            self.note(s, at, &mut changes);
        }
        changes.into_iter().map(|change| TimelineRecord { at, change }).collect()
    }

    /// That a console looks: the first time, and from then on once a minute.
    fn note(&mut self, s: &Situation<'_>, at: WallTime, out: &mut Vec<TimelineChange>) {
        let looks = Stretch::seen(self.looks, at);
        let begins = self.noted.is_none() || self.looks.is_none_or(|known| !is_recent(known.last, at));
        // A console of its own begins a time of its own.
        let looks = if self.noted.is_none() { Stretch::seen(None, at).after(self.looks) } else { looks };
        self.looks = Some(looks);
        if begins || self.noted.is_none_or(|noted| at.since(noted) >= NOTED_EVERY) {
            self.noted = Some(at);
            out.push(TimelineChange::Looked { since: looks.from() });
        }
        let awaited = |host: &crate::snapshot::HostSnapshot| {
            host.link.state == LinkState::Pending || (host.link.is_up() && host.reported_at.is_none())
        };
        if !s.hosts.iter().any(|host| awaited(host)) {
            self.whole = Some(Stretch::seen(self.whole, at));
        }
        for host in s.hosts.iter().filter(|host| s.is_judgeable(host)) {
            let known = self.hosts.entry(host.id.host.clone()).or_default();
            let before = known.judged.or(self.ended.map(Stretch::ended));
            known.judged = Some(Stretch::seen(before, at));
        }
        for result in s.outside.results.iter().filter(|result| result.fact.gap.is_none()) {
            let before = self.checks.get(&result.id).copied().or(self.ended.map(Stretch::ended));
            self.checks.insert(result.id.clone(), Stretch::seen(before, at));
        }
    }

    fn inventory(&mut self, s: &Situation<'_>, at: WallTime, out: &mut Vec<TimelineChange>) {
        let same = self.listed.as_ref().is_some_and(|listed| {
            listed.len() == s.env.hosts.len() && s.env.hosts.iter().all(|host| listed.contains(&host.id.host))
        });
        if same {
            return;
        }
        let now: BTreeSet<HostName> = s.env.hosts.iter().map(|host| host.id.host.clone()).collect();
        let Some(listed) = self.listed.replace(now.clone()) else {
            out.push(TimelineChange::Hosts(now.into_iter().collect()));
            return;
        };
        out.extend(now.difference(&listed).cloned().map(TimelineChange::Added));
        for gone in listed.difference(&now) {
            let of_it: Vec<ProblemKey> =
                self.open.keys().filter(|key| key.host.as_ref() == Some(gone)).cloned().collect();
            for key in of_it {
                out.extend(self.end(&key, at, true));
            }
            self.hosts.remove(gone);
            out.push(TimelineChange::Removed(gone.clone()));
        }
    }

    fn problems(
        &mut self,
        s: &Situation<'_>,
        judgement: &Judgement,
        at: WallTime,
        out: &mut Vec<TimelineChange>,
    ) {
        let mut there: HashMap<ProblemKey, RecordedProblem> = HashMap::new();
        let mut order = Vec::new();
        // Worst first: the first of a key is the one to record.
        let awaited: HashSet<&HostName> =
            s.hosts.iter().filter(|host| host.reported_at.is_none()).map(|host| &host.id.host).collect();
        for problem in judgement.problems.iter().filter(|problem| is_recorded(&awaited, problem)) {
            let key = ProblemKey::of(problem);
            match there.get_mut(&key) {
                Some(known) => known.count = known.count.saturating_add(1),
                None => {
                    there.insert(key.clone(), RecordedProblem::of(problem));
                    order.push(key);
                }
            }
        }
        let gone = |key: &&ProblemKey| !there.contains_key(*key) && may_have_ended(s, judgement, key);
        let mut ended: Vec<ProblemKey> = self.open.keys().filter(gone).cloned().collect();
        ended.sort();
        for key in ended {
            out.extend(self.end(&key, at, false));
        }
        for key in order {
            let Some(problem) = there.remove(&key) else { continue };
            match self.open.get_mut(&key) {
                Some(open) => {
                    let before = (open.problem.severity, open.problem.count);
                    let worse = problem.severity > before.0 || problem.count > before.1;
                    let told = worse || (problem.severity < before.0 && !is_reach(problem.kind));
                    open.seen = at;
                    // On its way back a host is in one state after the other: the worst of them is its state.
                    if told || !is_reach(problem.kind) {
                        open.problem = problem.clone();
                    }
                    if told {
                        out.push(TimelineChange::Changed { problem: problem.clone(), before: before.0 });
                    }
                    if worse && self.acknowledged.remove(&key).is_some() {
                        out.push(TimelineChange::Reopened { problem, why: Reopening::Worse });
                    }
                }
                None => {
                    let onset = self.onset(&key, at);
                    let open = OpenProblem { problem: problem.clone(), began: at, onset, seen: at };
                    self.open.insert(key, open);
                    out.push(TimelineChange::Began { problem, onset });
                }
            }
        }
    }

    fn onset(&self, key: &ProblemKey, at: WallTime) -> Onset {
        let ended = self.ended.map(Stretch::ended);
        if key.kind == ProblemKind::JumpDown {
            return match self.looks {
                None => Onset::FirstLook,
                Some(known) if is_recent(known.last, at) => Onset::Seen,
                Some(known) => Onset::After(known.last),
            };
        }
        match (&key.host, &key.about) {
            (Some(host), _) => {
                let judged = self.hosts.get(host).and_then(|known| known.judged).or(ended);
                match judged {
                    // That it does not answer is seen as soon as it was answering.
                    Some(known) if is_reach(key.kind) && is_recent(known.last, at) => Onset::Seen,
                    judged => Stretch::onset(judged, at),
                }
            }
            (None, Some(check)) if key.kind == ProblemKind::Outside => {
                Stretch::onset(self.checks.get(check.as_str()).copied().or(ended), at)
            }
            (None, _) => Stretch::onset(self.whole, at),
        }
    }

    fn end(&mut self, key: &ProblemKey, at: WallTime, unwatched: bool) -> Option<TimelineChange> {
        let open = self.open.remove(key)?;
        self.acknowledged.remove(key);
        let ending = match (unwatched, is_recent(open.seen, at)) {
            (true, _) => ProblemEnding::Unwatched,
            (false, true) => ProblemEnding::Seen,
            (false, false) => ProblemEnding::After(open.seen),
        };
        let OpenProblem { problem, began, onset, .. } = open;
        Some(TimelineChange::Ended { problem, began, onset, ending })
    }

    fn acknowledgements(&mut self, at: WallTime, out: &mut Vec<TimelineChange>) {
        let is_over = |said: &Acknowledgement| said.until.is_some_and(|until| until <= at);
        let over: Vec<ProblemKey> =
            self.acknowledged.iter().filter(|(_, said)| is_over(said)).map(|(key, _)| key.clone()).collect();
        for key in over {
            self.acknowledged.remove(&key);
            if let Some(open) = self.open.get(&key) {
                let problem = open.problem.clone();
                out.push(TimelineChange::Reopened { problem, why: Reopening::TimeIsUp });
            }
        }
    }

    fn roles(&mut self, s: &Situation<'_>, at: WallTime, out: &mut Vec<TimelineChange>) {
        for (spec, host) in s.env.hosts.iter().zip(s.hosts).filter(|(_, host)| s.is_judgeable(host)) {
            let known = self.hosts.entry(host.id.host.clone()).or_default();
            if known.generation == host.generation && known.roles.is_some() {
                continue;
            }
            known.generation = host.generation;
            let Some(mut after) = reported(spec, host) else { continue };
            after.sort();
            after.dedup();
            if known.roles.as_ref() == Some(&after) {
                continue;
            }
            let before = known.roles.replace(after.clone());
            let last = known.judged.map(|judged| judged.last).or(self.ended);
            let unseen_since = last.filter(|last| before.is_some() && !is_recent(*last, at));
            let host = host.id.host.clone();
            out.push(TimelineChange::Roles { host, before, after, unseen_since });
        }
    }
}

/// Whether a problem is one of the fleet: that the first report is on its way is none.
fn is_recorded(awaited: &HashSet<&HostName>, problem: &Problem) -> bool {
    problem.kind != ProblemKind::Stale || !problem.host.as_ref().is_some_and(|host| awaited.contains(host))
}
