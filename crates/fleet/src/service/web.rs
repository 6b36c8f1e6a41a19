//! What is wrong with a web server or PHP that runs: by the figures of its own status page, where it has one.

use super::{Finding, Service};
use crate::problem::Severity;
use crate::service::Figure;

/// Processes or threads that serve a request each; of how many there can be.
pub const WORKERS: &str = "workers";
/// Processes of PHP that run a script.
pub const ACTIVE: &str = "active";
/// Those that wait for a request.
pub const IDLE: &str = "idle";
/// Requests that wait for one.
pub const QUEUE: &str = "queue";

/// Workers in use, percent of the most.
const MANY: u64 = 90;

pub(super) fn findings(name: &str, service: &Service) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(Figure::Amount { value: busy, of: Some(most), .. }) = service.reading(WORKERS)
        && *most > 0
        && busy.saturating_mul(100) > most.saturating_mul(MANY)
    {
        let (severity, so) = if busy >= most {
            (Severity::Critical, "new requests wait")
        } else {
            (Severity::Warning, "few are left for new requests")
        };
        let message = format!(
            "{name}: {busy} of {most} workers busy, {so}. See what they do on its status page and in its logs; raise \
             MaxRequestWorkers only where memory is left."
        );
        found.push(Finding::of(WORKERS, severity, message));
    }
    if let Some(waiting) = service.amount(QUEUE).filter(|waiting| *waiting > 0)
        && service.amount(IDLE) == Some(0)
    {
        let all = service.amount(ACTIVE).map_or_else(String::new, |active| format!(" {active}"));
        let message = format!(
            "{name}: {waiting} requests wait, as all{all} processes are busy. See what they wait for: its slow log, the \
             database; raise pm.max_children only where memory is left."
        );
        found.push(Finding::of(QUEUE, Severity::Warning, message));
    }
    let gaps = service.gaps.iter();
    found.extend(
        gaps.map(|(what, gap)| Finding::new(Severity::Unknown, format!("{name} {what} {}", gap.describe()))),
    );
    found
}
