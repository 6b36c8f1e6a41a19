//! The host's clock. Asked last in a report, so that as little as possible lies between the reading and the arrival.

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::time::Moment;

/// The section's name.
pub(crate) const NAME: &str = "clock";

pub(super) struct ClockProbe;

impl Probe for ClockProbe {
    fn name(&self) -> &'static str {
        NAME
    }

    fn script(&self) -> &'static str {
        // GNU date knows nanoseconds; busybox prints the letter, and whole seconds have to do.
        "
        probe_clock() {
            ! lacks date || return 127
            clock_now=$(date +%s.%N) || { say 'date failed'; return 1; }
            say \"$clock_now\"
        }
        "
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Slow
    }

    /// Only what went wrong is noted here: the offset needs our clock and the round trip, see `resident::learn_clock`.
    fn ingest(&self, raw: Result<&Raw, Gap>, _at: Moment, facts: &mut HostFacts) {
        if let Err(gap) = raw.and_then(epoch_ms) {
            facts.clock_offset_ms.miss(gap);
        }
    }
}

/// Milliseconds since 1970 as the host's `date +%s.%N` printed them. Whole seconds become their middle: half a second
/// off at most.
pub(crate) fn epoch_ms(raw: &Raw) -> Result<i64, Gap> {
    let text = raw.ok()?.trim();
    let odd = || unreadable(text);
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = seconds.parse().map_err(|_| odd())?;
    let digits: String = fraction.chars().take_while(char::is_ascii_digit).take(3).collect();
    let ms = if digits.len() == 3 { digits.parse().map_err(|_| odd())? } else { 500 };
    seconds.checked_mul(1000).and_then(|s| s.checked_add(ms)).ok_or_else(odd)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Result<i64, Gap> {
        epoch_ms(&Raw { status: 0, text: text.to_owned() })
    }

    #[test]
    fn gnu_and_busybox_dates() {
        assert_eq!(read("1700000000.123456789\n").unwrap(), 1_700_000_000_123);
        assert_eq!(read("1700000000.%N\n").unwrap(), 1_700_000_000_500);
        assert_eq!(read("1700000000.\n").unwrap(), 1_700_000_000_500);
        assert_eq!(read("1700000000\n").unwrap(), 1_700_000_000_500);
        for odd in ["", "soon", "9223372036854775807", "\x1b[2J"] {
            assert!(matches!(read(odd), Err(Gap::Unreadable(_))), "{odd:?}");
        }
    }
}
