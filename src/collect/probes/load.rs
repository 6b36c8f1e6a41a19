//! Load averages and CPUs online.

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use crate::domain::fact::Gap;
use crate::domain::snapshot::{HostFacts, Load as Averages};
use crate::domain::time::Moment;

pub(super) struct Load;

impl Probe for Load {
    fn name(&self) -> &'static str {
        "load"
    }

    fn script(&self) -> &'static str {
        // The load average counts every CPU of the kernel, so `online` is asked first: `nproc` counts only those this
        // process may use. Neither before Linux 2.6.26 nor coreutils 8.1: then the processors listed are counted.
        r#"
        probe_load() {
            slurp /proc/loadavg || return 1
            slurp /sys/devices/system/cpu/online && return
            [ -n "$load_cpus" ] || load_cpus=$(nproc || grep -c ^processor /proc/cpuinfo)
            say "count $load_cpus"
        }
        "#
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Every
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        facts.load.take(raw.and_then(|raw| parse(raw.ok()?)), at);
    }
}

fn parse(text: &str) -> Result<Averages, Gap> {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let mut averages = first.split_ascii_whitespace().map(|word| {
        word.parse::<f64>().ok().filter(|v| v.is_finite() && *v >= 0.0).ok_or_else(|| unreadable(first))
    });
    let mut next = || averages.next().unwrap_or_else(|| Err(unreadable(first)));
    let (one, five, fifteen) = (next()?, next()?, next()?);
    Ok(Averages {
        one,
        five,
        fifteen,
        cpus: lines.next().and_then(cpus).filter(|c| *c > 0),
        of_container_host: false,
    })
}

/// `0-3,8` (the kernel's list of CPUs) or `count 4`.
fn cpus(line: &str) -> Option<u32> {
    if let Some(count) = line.strip_prefix("count ") {
        return count.trim().parse().ok();
    }
    line.trim().split(',').try_fold(0_u32, |sum, range| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let (from, to): (u32, u32) = (from.parse().ok()?, to.parse().ok()?);
        sum.checked_add(to.checked_sub(from)?.checked_add(1)?)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn averages_and_cpus() {
        let load = parse("0.20 0.14 0.10 2/345 6789\n0-3\n").unwrap();
        assert_eq!(
            load,
            Averages { one: 0.20, five: 0.14, fifteen: 0.10, cpus: Some(4), of_container_host: false }
        );
        assert_eq!(parse("0.00 0.01 0.05\n0,2-5,7\n").unwrap().cpus, Some(6));
        assert_eq!(parse("0.00 0.01 0.05\ncount 2\n").unwrap().cpus, Some(2));
    }

    #[test]
    fn cpus_not_known_are_none_never_zero() {
        for odd in ["", "count \n", "count 0\n", "3-1\n", "0-4294967295\n", "x\n"] {
            assert_eq!(parse(&format!("1 1 1\n{odd}")).unwrap().cpus, None, "{odd:?}");
        }
    }

    #[test]
    fn odd_averages_are_unreadable() {
        for odd in ["", "0.1 0.2", "NaN 1 1", "inf 1 1", "-1 0 0", "garbage", "\x1b[2J 1 1"] {
            assert!(matches!(parse(odd), Err(Gap::Unreadable(_))), "{odd:?}");
        }
    }
}
