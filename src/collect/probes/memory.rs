//! Memory and swap.

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::snapshot::{HostFacts, Memory as Figures};
use jumpdeck_fleet::time::Moment;

pub(super) struct MemoryProbe;

impl Probe for MemoryProbe {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn script(&self) -> &'static str {
        // Read no further than needed: some shells read a byte at a time. ZFS gives its cache back when memory is wanted,
        // and MemAvailable does not count it. Within lxcfs the figures are a container's, and the cache is not.
        r#"
        probe_memory() {
            [ -r /proc/meminfo ] || { need /proc/meminfo; return; }
            while IFS= read -r memory_line; do
                case $memory_line in
                    MemTotal:*|MemFree:*|MemAvailable:*|Buffers:*|Cached:*|SwapTotal:*) say "$memory_line" ;;
                    SwapFree:*) say "$memory_line"; break ;;
                esac
            done < /proc/meminfo
            memory_zfs=
            [ ! -e /sys/module/zfs ] || memory_zfs=yes
            [ ! -e /proc/spl/kstat/zfs/arcstats ] || memory_zfs=yes
            # What is wrong with the mount table is said with the filesystems.
            memory_said=$jd_out
            jd_mounts
            jd_out=$memory_said
            case $jd_table in *' zfs '*|*' fuse.zfs '*) memory_zfs=yes ;; esac
            case $jd_table in *' /proc/meminfo fuse.lxcfs '*) return 0 ;; esac
            [ -z "$memory_zfs" ] || say 'Zfs: 1'
            [ -r /proc/spl/kstat/zfs/arcstats ] || return 0
            while read -r memory_name memory_type memory_line; do
                case $memory_name in
                    c_min) say "ArcMin: $memory_line" ;;
                    size) say "ArcSize: $memory_line" ;;
                esac
            done < /proc/spl/kstat/zfs/arcstats
            return 0
        }
        "#
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Every
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        facts.memory.take(raw.and_then(|raw| parse(raw.ok()?)), at);
    }
}

/// Before Linux 3.14 there is no MemAvailable: free + buffers + cached stands in for it, and is marked.
fn parse(text: &str) -> Result<Figures, Gap> {
    let figure = |name: &str| {
        let line = text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().trim_end_matches("kB").trim_end().parse::<u64>().ok()
    };
    let need = |name: &str| figure(name).ok_or_else(|| unreadable(&format!("no {name}")));
    let total_kb = need("MemTotal")?;
    let (available_kb, available_estimated) = match figure("MemAvailable") {
        Some(available) => (available, false),
        None => (need("MemFree")?.saturating_add(need("Buffers")?).saturating_add(need("Cached")?), true),
    };
    // What the cache holds above the least that it keeps.
    let (arc_kb, cache_unread) = match (figure("ArcSize"), figure("ArcMin")) {
        (Some(size), Some(least)) => (size.saturating_sub(least) / 1024, false),
        (Some(_), None) => (0, true),
        (None, _) => (0, figure("Zfs").is_some()),
    };
    Ok(Figures {
        total_kb,
        available_kb: available_kb.saturating_add(arc_kb).min(total_kb),
        available_estimated,
        cache_unread,
        swap_total_kb: need("SwapTotal")?,
        swap_free_kb: need("SwapFree")?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MODERN: &str = "MemTotal:        4028516 kB\nMemFree:          268876 kB\nMemAvailable:    2957876 kB\n\
        Buffers:          186692 kB\nCached:          2433424 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\n";
    // Linux 2.6.32 (Ubuntu 10.04) has no MemAvailable.
    const LUCID: &str = "MemTotal:        8195044 kB\nMemFree:         1200000 kB\nBuffers:          300000 kB\n\
        Cached:          5000000 kB\nSwapTotal:       1048572 kB\nSwapFree:        1000000 kB\n";

    #[test]
    fn available_is_read_or_marked_as_an_estimate() {
        let modern = parse(MODERN).unwrap();
        assert_eq!((modern.available_kb, modern.available_estimated), (2_957_876, false));
        assert_eq!(modern.swap_used_percent(), None);
        let lucid = parse(LUCID).unwrap();
        assert_eq!((lucid.available_kb, lucid.available_estimated), (6_500_000, true));
        assert_eq!((lucid.swap_total_kb, lucid.swap_free_kb), (1_048_572, 1_000_000));
    }

    /// Case 16: `MemAvailable` of a ZFS host, whose cache holds 50 GiB and keeps 2.
    #[test]
    fn what_zfs_gives_back_is_available() {
        let arc = "MemTotal: 65843120 kB\nMemAvailable: 2204980 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n\
                   ArcMin: 2147483648\nArcSize: 53687091200\n";
        assert_eq!(parse(arc).unwrap().available_kb, 2_204_980 + 48 * 1024 * 1024);
        // Below its least it gives nothing back; what is impossible is not believed.
        let small = arc.replace("53687091200", "1073741824");
        assert_eq!(parse(&small).unwrap().available_kb, 2_204_980);
        let lie = arc.replace("53687091200", "18446744073709551615");
        assert_eq!(parse(&lie).unwrap().available_kb, 65_843_120);
        // Without its size or its least nobody knows what it gives back.
        let without = |name: &str| parse(&format!("{}Zfs: 1\n", arc.replace(name, "Other"))).unwrap();
        for name in ["ArcMin", "ArcSize"] {
            assert_eq!((without(name).available_kb, without(name).cache_unread), (2_204_980, true), "{name}");
        }
        assert!(!parse(arc).unwrap().cache_unread && !parse(MODERN).unwrap().cache_unread);
    }

    #[test]
    fn a_missing_line_is_unreadable_never_zero() {
        for name in ["MemTotal", "SwapTotal", "SwapFree"] {
            let without: String =
                MODERN.lines().filter(|l| !l.starts_with(name)).fold(String::new(), |s, l| s + l + "\n");
            assert!(matches!(parse(&without), Err(Gap::Unreadable(_))), "{name}");
        }
        assert!(parse(&LUCID.replace("Cached", "Cashed")).is_err());
        assert!(parse("").is_err());
    }
}
