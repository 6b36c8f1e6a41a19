//! The daily jobs of anacron that did not end for two days: logs are not rotated, certificates not renewed.

use super::Situation;
use crate::problem::{Problem, ProblemKind, Severity};

const DAY: u64 = 86_400;

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    for host in s.judgeable() {
        let upkeep = host.facts.upkeep.current();
        let Some(age) = upkeep.and_then(|u| u.daily_jobs_age_s.as_ref().ok()).filter(|age| **age > 2 * DAY)
        else {
            continue;
        };
        // Right after a boot it waits for some minutes, and a host that was off ran nothing.
        if host.facts.uptime.current().is_none_or(|uptime| uptime.as_secs() < DAY) {
            continue;
        }
        let message = format!(
            "the daily jobs of anacron ended {} days ago. See whether one hangs or fails: ps -ef, and lines of anacron in the system log",
            age / DAY
        );
        out.push(s.problem(Severity::Warning, Some(&host.id.host), ProblemKind::DailyJobs, message));
    }
}
