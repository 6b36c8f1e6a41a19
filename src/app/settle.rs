//! What follows from news and from time: judgement and the selection. Done once before a frame, not once a message: a
//! thousand hosts send two hundred messages a second.

use std::collections::HashMap;
use std::time::Duration;

use super::model::{EnvironmentState, Model};
use super::rows::selection;
use jumpdeck_fleet::judge::{Judgement, Situation, judge};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::problem::{Problem, Severity};
use jumpdeck_fleet::snapshot::LinkState;
use jumpdeck_fleet::time::Moment;
use jumpdeck_fleet::timeline::WallTime;

/// News is judged at most this often; what has come meanwhile is judged together.
const JUDGE_EVERY: Duration = Duration::from_millis(200);
/// Without news, time alone makes problems (values grow old): it is judged again this often.
const REJUDGE_EVERY: Duration = Duration::from_secs(1);

impl Model {
    /// Brings judgement and selection up to date. The event loop calls it before each frame; a model that has settled
    /// is not changed by settling again.
    pub fn settle(&mut self) {
        let now = self.now;
        if let Some(env) = self.environments.get_mut(self.active) {
            // Shown is watched, from then on.
            env.watched = true;
        }
        let (active, held, clock) = (self.active, self.paused.is_some(), self.wall());
        let folded = self.folded;
        for (at, env) in self.environments.iter_mut().enumerate() {
            if due(env).is_none_or(|due| due > now) {
                continue;
            }
            let changed = judge_now(env, now, clock);
            env.judge_likeness(folded, now);
            // Other environments show on their tabs; a held screen shows none of it.
            self.changed |= changed && (!held || at != active);
        }
        selection::reconcile(self);
        self.forget_gone_entries();
    }

    /// When settling has something to do next; `None` when only news can bring it.
    #[must_use]
    pub fn settle_due(&self) -> Option<Moment> {
        self.environments.iter().filter_map(due).min()
    }
}

fn due(env: &EnvironmentState) -> Option<Moment> {
    let Some(judged) = env.judged_at else { return Some(Moment::default()) };
    if env.unjudged {
        return Some(judged.plus(JUDGE_EVERY));
    }
    // Of an environment never asked nothing can grow old.
    let heard = env.jump.link.state != LinkState::Pending || env.hosts.iter().any(|h| h.generation > 0);
    heard.then(|| judged.plus(REJUDGE_EVERY))
}

/// Judges an environment; says whether the verdict is another than before.
fn judge_now(env: &mut EnvironmentState, now: Moment, clock: WallTime) -> bool {
    let situation =
        Situation { env: &env.spec, jump: &env.jump, hosts: &env.hosts, outside: &env.outside, now };
    let judgement = judge(&situation);
    let recorded = env.timeline.look(&situation, &judgement, clock);
    let Judgement { problems, roles } = judgement;
    env.unjudged = false;
    env.judged_at = Some(now);
    let changed = problems != env.problems || roles != env.roles;
    if changed {
        env.worst = worst(&problems);
        env.problems = problems;
        env.roles = roles;
    }
    changed || recorded
}

fn worst(problems: &[Problem]) -> HashMap<HostName, Severity> {
    let mut worst: HashMap<HostName, Severity> = HashMap::new();
    for problem in problems {
        for host in problem.host.iter().chain(&problem.named) {
            let entry = worst.entry(host.clone()).or_insert(problem.severity);
            *entry = (*entry).max(problem.severity);
        }
    }
    worst
}
