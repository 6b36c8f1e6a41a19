//! Time since boot.

use std::time::Duration;

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::time::Moment;

pub(super) struct Uptime;

impl Probe for Uptime {
    fn name(&self) -> &'static str {
        "uptime"
    }

    fn script(&self) -> &'static str {
        "
        probe_uptime() { need /proc/uptime; }
        "
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Every
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        facts.uptime.take(raw.and_then(|raw| parse(raw.ok()?)), at);
    }
}

fn parse(text: &str) -> Result<Duration, Gap> {
    let first = text.split_ascii_whitespace().next().unwrap_or_default();
    let seconds: f64 = first.parse().map_err(|_| unreadable(text))?;
    Duration::try_from_secs_f64(seconds).map_err(|_| unreadable(text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn seconds_with_hundredths() {
        assert_eq!(parse("350735.47 234388.90\n").unwrap(), Duration::from_millis(350_735_470));
        for odd in ["", "-1 2", "NaN", "1e400", "up 3 days"] {
            assert!(matches!(parse(odd), Err(Gap::Unreadable(_))), "{odd:?}");
        }
    }
}
