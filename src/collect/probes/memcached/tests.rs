#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use super::*;
use crate::collect::probe::Raw;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Thresholds;
use jumpdeck_fleet::service::{Service, ServiceHealth};

// What memcached 1.6.18 of Debian 12 answered to `stats`.
const STATS: &str = include_str!("recorded/stats-1.6.18.txt");
/// One of Ubuntu 12.04, as its documentation has it: no max_connections, which `stats settings` says.
const OLD: &str = "STAT version 1.4.13\r\nSTAT uptime 60\r\nSTAT bytes 900\r\nSTAT limit_maxbytes 1024\r\nSTAT curr_items 3\r\n\
    STAT get_hits 9\r\nSTAT get_misses 1\r\nSTAT evictions 0\r\nSTAT curr_connections 10\r\nSTAT maxconns 1024\r\nSTAT evictions on\r\nEND\r\n";

fn said(process: &str, status: &str, open: &str, holds: &str, text: &str) -> Result<Service, Gap> {
    let text =
        format!("@process {process}\n@status {status} 127.0.0.1\n@open {open}\n@holds {holds}\n{text}\n");
    answer::read(&Raw { status: 0, text })
}

/// Health, severities and messages.
fn judged(service: &Service) -> (ServiceHealth, Vec<(Severity, String)>) {
    let findings = PROBE.kind.findings(service, &Thresholds::default());
    let health = ServiceHealth::of(service, &findings);
    (health, findings.into_iter().map(|finding| (finding.severity, finding.message)).collect())
}

fn shown(service: &Service) -> Vec<String> {
    service.readings.iter().map(|reading| format!("{} {}", reading.name, reading.figure)).collect()
}

#[test]
fn what_a_real_one_answers_is_read() {
    let service = said("id 7", "0", "127.0.0.1 ", "sessions", STATS).unwrap();
    assert_eq!(judged(&service), (ServiceHealth::Ok, vec![]));
    let expected = [
        "version 1.6.18",
        "uptime 3 s",
        "memory 1K of 64M",
        "items 1",
        "hits 1 of 2",
        "evicted 0",
        "clients 1 of 1024",
        "listens 127.0.0.1",
        "holds sessions",
    ];
    assert_eq!(shown(&service), expected);
    let old = said("id 7", "0", "", "", OLD).unwrap();
    assert_eq!(
        (old.detail.as_str(), old.reading("clients").unwrap().to_string()),
        ("1.4.13", "10 of 1024".into())
    );
    assert_eq!(judged(&old).0, ServiceHealth::Ok);
}

#[test]
fn evicted_sessions_many_clients_and_a_public_address_are_warnings() {
    let one = |holds: &str, open: &str, from: &str, to: &str| {
        assert!(OLD.contains(from));
        judged(&said("id 7", "0", open, holds, &OLD.replace(from, to)).unwrap())
    };
    for (found, words) in [
        (one("sessions", "", "evictions 0", "evictions 3"), "memcached threw away 3 sessions early"),
        (one("", "", "curr_connections 10", "curr_connections 922"), "memcached has 922 of 1024 connections"),
        (one("", "10.0.0.5 203.0.113.5 ", "1.4.13", "1.4.13"), "memcached listens on 203.0.113.5, a public"),
    ] {
        assert_eq!((found.0, found.1.len(), found.1[0].0), (ServiceHealth::Degraded, 1, Severity::Warning));
        assert!(found.1[0].1.starts_with(words), "{found:?}");
    }
    // A cache is full: that is what it is for. An inside address, and every address, are as they should be.
    assert_eq!(
        one("", "10.0.0.5 172.16.0.1 192.168.1.1 ", "evictions 0", "evictions 3").0,
        ServiceHealth::Ok
    );
    assert_eq!(one("", "* * ", "curr_connections 10", "curr_connections 921").0, ServiceHealth::Ok);
}

#[test]
fn stopped_needs_a_process_table_without_it() {
    for text in [
        "",
        "bash: connect: Connection refused",
        "nc: can't connect to remote host (127.0.0.1): Connection refused",
    ] {
        let (health, found) = judged(&said("", "1", "", "", text).unwrap());
        assert_eq!((health, found.len(), found[0].0), (ServiceHealth::Down, 1, Severity::Critical));
        assert_eq!(
            found[0].1,
            "memcached is stopped: 127.0.0.1:11211 refuses connections, and no memcached process runs. Look at its log, then \
             start it: service memcached start."
        );
        for process in ["hidden", "id 77"] {
            assert!(matches!(said(process, "1", "", "", text), Err(Gap::Failed(_))), "{process}");
        }
    }
}

#[test]
fn what_nobody_knows_is_a_gap() {
    let runs = said("id 77", "127", "", "", "").unwrap();
    assert_eq!(judged(&runs).0, ServiceHealth::Unknown);
    assert!(!said("", "127", "", "", "").unwrap().running);
    assert_eq!(said("hidden", "127", "", "", ""), Err(Gap::NoTool("nc or bash".into())));
    assert_eq!(said("id 7", "124", "", "", ""), Err(Gap::TimedOut));
    for text in ["", "ERROR\r\n", "\u{1b}[2J", "STAT pid 7\r\n", "STAT version\r\n"] {
        let gap = said("id 7", "0", "", "", text).unwrap_err();
        assert!(
            matches!(&gap, Gap::Unreadable(_)) && !gap.describe().contains('\u{1b}'),
            "{text:?}: {gap:?}"
        );
    }
    assert!(matches!(said("id 7", "1", "", "", "nc: invalid option"), Err(Gap::Failed(_))));
    let short = said("id 7", "0", "", "", "STAT version \u{1b}[2J1\r\nSTAT bytes x\r\n").unwrap();
    assert_eq!((short.gaps.len(), judged(&short).0), (6, ServiceHealth::Unknown));
    assert!(!shown(&short).join(" ").contains('\u{1b}'));
    for text in ["", "\n", "@process\n", "@process id 7\n@status 0\n", "garbage\n"] {
        let raw = Raw { status: 0, text: text.to_owned() };
        assert!(matches!(answer::read(&raw), Err(Gap::Unreadable(_))), "{text:?}");
    }
}
