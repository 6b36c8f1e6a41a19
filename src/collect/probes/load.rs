//! Load averages and CPUs online.

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::snapshot::{HostFacts, Load as Averages};
use jumpdeck_fleet::time::Moment;

pub(super) struct LoadProbe;

impl Probe for LoadProbe {
    fn name(&self) -> &'static str {
        "load"
    }

    fn script(&self) -> &'static str {
        // The load average counts every CPU of the kernel, so `online` is asked first: `nproc` counts only those this
        // process may use. Before Linux 2.6.26 there is none: then the CPUs of /proc/stat are counted.
        // A container may see CPUs and a load average of its own (lxcfs), the machine's (Docker), or one of each. Whose the
        // average is shows by the number of tasks that stands in it.
        r#"
        load_cpus() {
            slurp /sys/devices/system/cpu/online && return
            [ -r /proc/stat ] || { say "count $(nproc || grep -c ^processor /proc/cpuinfo)"; return; }
            load_count=0
            while IFS= read -r load_line; do
                case $load_line in
                    'cpu '*) ;;
                    cpu[0-9]*) load_count=$((load_count + 1)) ;;
                    *) break ;;
                esac
            done < /proc/stat
            say "count $load_count"
        }
        load_container() {
            load_quota= load_period=
            read -r load_quota load_period < /sys/fs/cgroup/cpu.max || {
                read -r load_quota < /sys/fs/cgroup/cpu/cpu.cfs_quota_us &&
                    read -r load_period < /sys/fs/cgroup/cpu/cpu.cfs_period_us
            } || load_quota=
            case $load_quota in ''|max|-1) load_quota= ;; *) say "quota $load_quota $load_period" ;; esac
            load_lxcfs=
            ! jd_mounts || case $jd_table in
                *' /sys/devices/system/cpu/online '*|*' /sys/devices/system/cpu '*|*' /proc/stat '*|*' /proc/cpuinfo '*)
                    load_lxcfs=yes; say 'own cpus' ;;
            esac
            [ -n "$load_quota$load_lxcfs" ] || return 0
            set +f
            set -- /proc/[0-9]*/task/[0-9]*
            set -f
            say "tasks $#"
        }
        probe_load() {
            need /proc/loadavg || return
            load_cpus
            load_container
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
    let mut words = first.split_ascii_whitespace();
    let mut next = || {
        let average = words.next().and_then(|word| word.parse::<f64>().ok());
        average.filter(|v| v.is_finite() && *v >= 0.0).ok_or_else(|| unreadable(first))
    };
    let (one, five, fifteen) = (next()?, next()?, next()?);
    let counted = words.next().and_then(|word| word.split_once('/')?.1.parse::<u32>().ok());
    let seen = lines.next().and_then(cpus).filter(|c| *c > 0);
    let container = Container::read(lines);
    let (cpus, of_container_host) = match (container.limits(), container.counts_these(counted)) {
        (false, _) => (seen, false),
        // Its own average: what its quota lets it use is what it has.
        (true, true) => {
            (container.quota.map_or(seen, |quota| Some(seen.map_or(quota, |c| c.min(quota)))), false)
        }
        // The machine's average on the machine's CPUs is a figure of the machine; on the container's it is none.
        (true, false) if container.own_cpus => (None, true),
        (true, false) => (seen, false),
    };
    Ok(Averages { one, five, fifteen, cpus, of_container_host })
}

/// What a container sees.
#[derive(Debug, Default)]
struct Container {
    /// CPUs that its quota lets it use, rounded up.
    quota: Option<u32>,
    /// The list of CPUs is not the kernel's.
    own_cpus: bool,
    /// Tasks that it sees.
    tasks: Option<u32>,
}

impl Container {
    fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut container = Self::default();
        for line in lines {
            let mut words = line.split_ascii_whitespace();
            let (name, first, second) = (words.next(), words.next(), words.next());
            let number = |word: Option<&str>| word.and_then(|w| w.parse::<u32>().ok());
            match (name, first) {
                (Some("quota"), _) => {
                    let parts = (number(first), number(second).filter(|period| *period > 0));
                    container.quota = match parts {
                        (Some(quota), Some(period)) => Some(quota.div_ceil(period).max(1)),
                        (Some(_) | None, _) => None,
                    };
                }
                (Some("tasks"), _) => container.tasks = number(first),
                (Some("own"), Some("cpus")) => container.own_cpus = true,
                _ => {}
            }
        }
        container
    }

    fn limits(&self) -> bool {
        self.quota.is_some() || self.own_cpus
    }

    /// Whether the average counts the tasks seen here, and no others: tasks come and go while they are counted.
    fn counts_these(&self, counted: Option<u32>) -> bool {
        match (self.tasks, counted) {
            (Some(tasks), Some(counted)) => counted <= tasks.saturating_add(tasks / 2).saturating_add(10),
            (Some(_) | None, _) => false,
        }
    }
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

    /// Case 17: the machine's load must not be divided by a container's CPUs.
    #[test]
    fn a_container_is_judged_by_what_its_load_counts() {
        let load = |text: &str| {
            let load = parse(text).unwrap();
            (load.cpus, load.of_container_host)
        };
        // lxcfs without -l: 946 tasks are counted, 30 are here.
        assert_eq!(load("31.20 29.80 28.10 12/946 9050\n0-1\nown cpus\ntasks 30\n"), (None, true));
        assert_eq!(load("31.20 29.80 28.10 12/946 9050\n0-1\nown cpus\n"), (None, true));
        // lxcfs -l
        assert_eq!(load("3.20 2.80 2.10 3/31 9050\n0-1\nown cpus\ntasks 30\n"), (Some(2), false));
        // Docker with --cpus=1.5: load and CPUs are the machine's.
        assert_eq!(
            load("3.20 2.80 2.10 3/946 9050\n0-15\nquota 150000 100000\ntasks 9\n"),
            (Some(16), false)
        );
        // A load of its own under a quota.
        assert_eq!(load("3.2 2.8 2.1 3/12 90\n0-15\nquota 150000 100000\ntasks 9\n"), (Some(2), false));
        assert_eq!(load("3.2 2.8 2.1 3/12 90\n0\nquota 150000 100000\ntasks 9\n"), (Some(1), false));
        // No container.
        assert_eq!(load("3.2 2.8 2.1 3/12 90\n0-3\n"), (Some(4), false));
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
