//! Clocks that are off: logs that do not line up, certificates and replication that fail.

use super::Situation;
use crate::problem::{Problem, ProblemKind, Severity};

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    for host in s.judgeable() {
        let Some(offset) = host.facts.clock_offset_ms.current() else { continue };
        #[allow(clippy::cast_precision_loss)] // a clock some 285,000 years off may lose a millisecond
        let seconds = *offset as f64 / 1000.0;
        let severity = if seconds.abs() > s.env.thresholds.clock.critical {
            Severity::Critical
        } else if seconds.abs() > s.env.thresholds.clock.warning {
            Severity::Warning
        } else {
            continue;
        };
        let way = if seconds > 0.0 { "ahead of" } else { "behind" };
        let keeper = host.facts.upkeep.current().map(|upkeep| &upkeep.clock_keeper);
        let next = match keeper {
            Some(Ok(None)) => "; no program sets it: start chronyd, ntpd or systemd-timesyncd".to_owned(),
            Some(Ok(Some(keeper))) => format!("; {keeper} runs: see what it is synchronized with"),
            Some(Err(_)) | None => String::new(),
        };
        let message = format!("its clock is {:.1} s {way} this machine's{next}", seconds.abs());
        out.push(s.problem(severity, Some(&host.id.host), ProblemKind::Clock, message));
    }
}
