#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use super::*;
use jumpdeck_fleet::service::ServiceHealth;

// What Postfix 3.7.11 of Debian 12 printed, in a network of its own, with a relay that refuses connections. For `nobody` after
// `authorized_mailq_users = root`, and with a postqueue that is not setgid.
const DEFERRED: &str = include_str!("recorded/deferred.json");
const DEFERRED_TABLE: &str = include_str!("recorded/deferred.txt");
const DOWN_ROOT: &str = include_str!("recorded/down-root.txt");
const NEVER_STARTED: &str = "postqueue: warning: Mail system is down -- accessing queue directly (Connect to the Postfix showq \
    service: No such file or directory)\npostqueue: fatal: malformed showq server response\n";
const DOWN_NOBODY: &str = "postqueue: fatal: Queue report unavailable - mail system is down (Connect to the Postfix showq \
    service: Connection refused)\n";
const NOT_ALLOWED: &str = "postqueue: fatal: User nobody(65534) is not allowed to view the mail queue\n";
const NO_SETGID: &str = "postqueue: fatal: Connect to the Postfix showq service: Permission denied\n";

const NOW: &str = "@now 1795996470 2026-11-29 23:54:30\n";

fn read_of(master: &str, said: &str) -> Result<Service, Gap> {
    read(&Raw {
        status: 0,
        text: format!(
            "@process {master}\n@status {}\n{NOW}{said}\n",
            if said.contains("fatal") { 69 } else { 0 }
        ),
    })
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

/// That number of deferred messages of that age.
fn waiting(count: usize, age: i64) -> String {
    let one = format!(
        "{{\"queue_name\": \"deferred\", \"queue_id\": \"3FB\", \"arrival_time\": {}, \"message_size\": 9, \"sender\": \"a@b\", \
         \"recipients\": [{{\"address\": \"c@d\", \"delay_reason\": \"connect to relay[10.0.0.9]:25: Connection timed out\"}}]}}\n",
        1_795_996_470 - age
    );
    one.repeat(count)
}

#[test]
fn an_empty_queue_is_well() {
    for said in ["", "Mail queue is empty"] {
        let service = read_of("id 77", said).unwrap();
        assert_eq!(judged(&service), (ServiceHealth::Ok, vec![]));
        assert_eq!(service.detail.as_str(), "nothing waits");
        assert_eq!(shown(&service), ["queue 0", "deferred 0", "hold 0", "late 0"]);
    }
}

#[test]
fn both_forms_of_the_queue_say_the_same() {
    for said in [DEFERRED, DEFERRED_TABLE] {
        let service = read_of("id 77", said).unwrap();
        assert_eq!(judged(&service), (ServiceHealth::Ok, vec![]), "{said}");
        assert_eq!(
            shown(&service),
            [
                "queue 4",
                "deferred 4",
                "hold 0",
                "late 0",
                "oldest 1 min",
                "reason connect to 127.0.0.1[127.0.0.1]:2599: Connection refused",
                "reason_count 4",
            ],
            "{said}"
        );
    }
}

/// The year is not in `postqueue -p`: a message of December is not from the coming one.
#[test]
fn a_message_of_last_year_has_its_age() {
    let text = "@process id 77\n@status 0\n@now 1767225600 2026-01-01 00:00:10\n3E2FB277!       260 Wed Dec 31 23:59:50  a@b\n\
        3E2FB278        260 Wed Dec 31 23:59:40  a@b\n                     c@d\n\n-- 1 Kbytes in 2 Requests.\n";
    let service = read(&Raw { status: 0, text: text.to_owned() }).unwrap();
    assert_eq!((service.amount("oldest"), service.amount("hold")), (Some(30), Some(1)));
}

#[test]
fn a_queue_that_is_long_or_late_is_reported() {
    let level = |count, age| {
        let (_, found) = judged(&read_of("id 77", &waiting(count, age)).unwrap());
        found.first().cloned()
    };
    assert_eq!(level(200, 60), None);
    assert_eq!(
        level(201, 60).unwrap(),
        (
            Severity::Warning,
            "postfix queue: 201 messages wait. Most often (201×): connect to relay[10.0.0.9]:25: Connection timed out. \
             Look at postqueue -p."
                .to_owned()
        )
    );
    assert_eq!(level(2001, 60).unwrap().0, Severity::Critical);
    assert_eq!(level(50, 90_000), None, "dead addresses");
    let (severity, message) = level(51, 15_000).unwrap();
    assert_eq!(severity, Severity::Warning);
    assert!(message.starts_with("postfix: 51 messages wait for over 4 h. Most often"), "{message}");
    assert_eq!(level(51, -15_000), None, "a message from the future");
}

#[test]
fn of_a_long_queue_only_the_beginning_is_read() {
    let cut = |count: &str| {
        let text = format!(
            "@process id 77\n@status 0\n@cut {count}\n{NOW}{}{{\"queue_name\": \"defe\n",
            waiting(60, 15_000)
        );
        read(&Raw { status: 0, text }).unwrap()
    };
    let (health, found) = judged(&cut("-- 4711 Kbytes in 100000 Requests."));
    assert_eq!((health, found.len(), found[0].0), (ServiceHealth::Degraded, 1, Severity::Critical));
    assert!(found[0].1.starts_with("postfix queue: 100000 messages wait."), "{found:?}");
    let service = cut("");
    assert_eq!(service.detail.as_str(), "at least 60 messages wait");
    let (_, found) = judged(&service);
    assert!(
        found.iter().any(|(_, message)| message.contains("at least 60 messages wait for over 4 h")),
        "{found:?}"
    );
    assert!(found.iter().any(|(severity, _)| *severity == Severity::Unknown), "{found:?}");
}

#[test]
fn stopped_only_when_it_is_certain() {
    for (master, said) in [
        ("", DOWN_ROOT),
        ("", NEVER_STARTED),
        ("", DOWN_NOBODY),
        ("", NOT_ALLOWED),
        ("", NO_SETGID),
        ("hidden", DOWN_ROOT),
        ("hidden", DOWN_NOBODY),
    ] {
        let service = read_of(master, said).unwrap();
        let (health, found) = judged(&service);
        assert_eq!(health, ServiceHealth::Down, "{master} {said}");
        assert_eq!(found[0].0, Severity::Critical);
    }
    let found = judged(&read_of("", DOWN_ROOT).unwrap()).1;
    assert_eq!(
        found[0].1,
        "postfix is stopped: postqueue cannot reach it, and no master process of postfix runs; 4 messages wait in its queue. Look at its log, then start it: \
         service postfix start."
    );
    // A queue that somebody shows is served.
    assert!(read_of("", DEFERRED).unwrap().running);
}

#[test]
fn what_nobody_knows_is_a_gap() {
    for master in ["id 77", "hidden"] {
        for said in [NOT_ALLOWED, NO_SETGID] {
            let gap = read_of(master, said).unwrap_err();
            assert!(matches!(&gap, Gap::NotPermitted(_)), "{master}: {gap:?}");
        }
    }
    assert!(matches!(read_of("id 77", DOWN_ROOT), Err(Gap::Failed(_))), "it starts, or hangs");
    assert!(matches!(
        read_of("id 77", "postqueue: fatal: open /etc/postfix/main.cf: No such file"),
        Err(Gap::Failed(_))
    ));
    let old = "postqueue: fatal: Queue report unavailable - mail system is down";
    assert!(matches!(read_of("hidden", old), Err(Gap::Failed(_))));
    for status in [124, 126, 127] {
        assert!(read(&Raw { status, text: "postqueue\n".to_owned() }).is_err());
    }
    let crashed = format!("@process id 77\n@status 139\n{NOW}");
    assert!(matches!(read(&Raw { status: 0, text: crashed }), Err(Gap::Failed(_))), "no empty queue");
    let without_clock = format!("@process id 77\n@status 0\n{DEFERRED}");
    let service = read(&Raw { status: 0, text: without_clock }).unwrap();
    assert_eq!(judged(&service).0, ServiceHealth::Unknown, "no age without a clock");
}

#[test]
fn garbage_is_unreadable_and_never_shown_as_it_came() {
    for text in [
        "",
        "\n",
        "@process",
        "@process id 7\n",
        "@process maybe\n@status 0\n",
        "@process\n@status x\n",
        "garbage\n",
    ] {
        assert!(
            matches!(read(&Raw { status: 0, text: text.to_owned() }), Err(Gap::Unreadable(_))),
            "{text:?}"
        );
    }
    for said in ["\x1b[2Jx", "{", "{\"queue_name\": 7}", "{}", "x", "3E2FB277 260 Sun Foo 29 23:53:30 a@b"] {
        let gap = read_of("id 77", said).unwrap_err();
        assert!(matches!(&gap, Gap::Unreadable(_)) && !gap.describe().contains('\x1b'), "{said:?}: {gap:?}");
    }
    let hostile = "{\"queue_name\": \"deferred\", \"queue_id\": \"1\", \"arrival_time\": -9223372036854775808, \"recipients\": \
        [{\"address\": \"\", \"delay_reason\": \"\\u001b[2J<<<> \\n\\u202e<\"}]}";
    let service = read_of("id 77", hostile).unwrap();
    let all = shown(&service).join("\n");
    assert!(!all.contains(['\x1b', '\u{202e}']), "{all:?}");
}

/// Addresses and numbers are not what a reason is.
#[test]
fn reasons_that_differ_in_an_address_are_one() {
    let line = |reason: &str| {
        format!(
            "{{\"queue_name\": \"deferred\", \"arrival_time\": 1795990000, \"recipients\": [{{\"address\": \"x\"}}, \
             {{\"delay_reason\": \"{reason}\"}}]}}\n"
        )
    };
    let said = [
        line("host a[198.51.100.25] said: 450 <b@example.org>: rate limited"),
        line("Host not found"),
        line("host a[198.51.100.26] said: 450 <c@example.org>: rate limited"),
    ];
    let service = read_of("id 77", &said.concat()).unwrap();
    assert_eq!(service.amount("reason_count"), Some(2));
    assert!(service.text("reason").unwrap().ends_with("rate limited"));
}
