#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use super::*;
use jumpdeck_fleet::service::ServiceHealth;

/// What Redis 5.0.14 says, as far as it is read; with the protocol's line ends.
const MASTER: &str = "redis_version:5.0.14\r\nconnected_clients:9\r\nused_memory:137363456\r\nmaxmemory:536870912\r\n\
    loading:0\r\nrdb_last_bgsave_status:ok\r\naof_enabled:1\r\naof_last_bgrewrite_status:ok\r\n\
    aof_last_write_status:ok\r\nevicted_keys:0\r\nrole:master\r\nconnected_slaves:1\r\nmaster_repl_offset:640\r\n";

const REPLICA: &str = "redis_version:7.0.15\r\nconnected_clients:2\r\nmaxclients:10000\r\nused_memory:937000\r\nmaxmemory:0\r\n\
    loading:0\r\nrdb_last_bgsave_status:ok\r\naof_enabled:0\r\nevicted_keys:0\r\nrole:slave\r\nmaster_host:10.0.0.5\r\n\
    master_port:6379\r\nmaster_link_status:up\r\nconnected_slaves:0\r\n";

fn said(status: u8, text: &str) -> Result<Service, Gap> {
    read(&Raw { status, text: text.to_owned() })
}

fn service(text: &str) -> Service {
    said(0, text).unwrap()
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
fn a_master_and_a_replica_that_are_well() {
    let master = service(MASTER);
    assert_eq!(judged(&master), (ServiceHealth::Ok, vec![]));
    assert_eq!(master.detail.as_str(), "5.0.14, master");
    assert_eq!(
        shown(&master),
        [
            "version 5.0.14",
            "role master",
            "replicas 1",
            "clients 9",
            "memory 131M of 512M",
            "evicted 0",
            "rdb ok",
            "aof ok",
            "password no"
        ]
    );
    let replica = service(REPLICA);
    assert_eq!(judged(&replica), (ServiceHealth::Ok, vec![]));
    assert_eq!(replica.detail.as_str(), "7.0.15, replica of 10.0.0.5:6379");
    assert_eq!(
        shown(&replica),
        [
            "version 7.0.15",
            "role replica",
            "master 10.0.0.5:6379",
            "link up",
            "replicas 0",
            "clients 2 of 10000",
            "memory 916K",
            "evicted 0",
            "rdb ok",
            "aof off",
            "password no"
        ]
    );
    assert_eq!((PROBE.kind.short)(&replica), Some("replica"));
    assert_eq!(service(&format!("valkey_version:8.0.1\n{MASTER}")).text("version"), Some("8.0.1"));
}

#[test]
fn what_is_wrong_is_named_with_its_reading_and_what_to_do() {
    use Severity::{Critical, Warning};
    for (text, from, to, severity, reading, words) in [
        (MASTER, "evicted_keys:0", "evicted_keys:12", Warning, "evicted", "evicted 12 keys"),
        (MASTER, "used_memory:137363456", "used_memory:480000000", Warning, "memory", "89% of its limit"),
        (MASTER, "used_memory:137363456", "used_memory:536870912", Critical, "memory", "512M of 512M"),
        (MASTER, "bgsave_status:ok", "bgsave_status:err", Critical, "rdb", "last RDB save: err"),
        (MASTER, "aof_last_write_status:ok", "aof_last_write_status:err", Critical, "aof", "append-only"),
        (MASTER, "loading:0", "loading:1", Warning, "loading", "is loading its data"),
        (REPLICA, "link_status:up", "link_status:down", Critical, "link", "master 10.0.0.5:6379: link down"),
    ] {
        let service = service(&text.replace(from, to));
        let findings = PROBE.kind.findings(&service, &Thresholds::default());
        assert_eq!(findings.len(), 1, "{to}: {findings:?}");
        assert_eq!((findings[0].severity, findings[0].reading), (severity, Some(reading)), "{to}");
        assert!(findings[0].message.contains(words), "{to}: {}", findings[0].message);
        assert_eq!(ServiceHealth::of(&service, &findings), ServiceHealth::Degraded);
    }
}

#[test]
fn stopped_needs_a_process_table_without_it() {
    let stopped = service("@refused 127.0.0.1:6379\n@process \n");
    let (health, problems) = judged(&stopped);
    assert_eq!((health, problems[0].0, problems.len()), (ServiceHealth::Down, Severity::Critical, 1));
    assert_eq!(
        problems[0].1,
        "redis is stopped: 127.0.0.1:6379 refuses connections, and no redis-server process runs. \
         Look at its log, then start it: service redis-server start."
    );
    for (process, words) in [
        ("@process hidden", "cannot see every process"),
        ("@process id 7 redis-server 10.0.0.5:0", "process 7 redis-server 10.0.0.5:0 runs"),
    ] {
        let gap = said(0, &format!("@refused 127.0.0.1:6379\n{process}\n")).unwrap_err();
        assert!(matches!(&gap, Gap::Failed(why) if why.as_str().contains(words)), "{gap:?}");
    }
    assert!(matches!(said(0, "@refused 127.0.0.1:6379\n"), Err(Gap::Unreadable(_))));
}

#[test]
fn one_that_wants_a_password_runs_and_its_figures_are_unknown() {
    let locked = service("NOAUTH Authentication required.\n\n");
    assert!(locked.running);
    assert_eq!(locked.reading("password"), Some(&Figure::Flag(true)));
    let (health, problems) = judged(&locked);
    assert_eq!((health, problems.len(), problems[0].0), (ServiceHealth::Unknown, 1, Severity::Unknown));
    assert!(problems[0].1.contains("figures not permitted: it requires a password"), "{}", problems[0].1);
    for line in
        ["NOPERM this user has no permissions to run the 'info' command", "ERR max number of clients reached"]
    {
        let service = service(line);
        assert_eq!((service.running, judged(&service).0), (true, ServiceHealth::Unknown), "{line}");
        assert!(judged(&service).1[0].1.contains(line), "{line}");
    }
}

#[test]
fn who_could_not_look_knows_nothing() {
    assert_eq!(said(127, "redis-cli\n"), Err(Gap::NoTool("redis-cli".into())));
    assert_eq!(said(124, ""), Err(Gap::TimedOut));
    assert_eq!(said(123, ""), Err(Gap::Stuck));
    assert_eq!(
        said(126, "redis-cli: Permission denied"),
        Err(Gap::NotPermitted("redis-cli: Permission denied".into()))
    );
    let lost = "Could not connect to Redis at 127.0.0.1:6379: Connection timed out\n";
    assert!(matches!(said(1, lost), Err(Gap::Failed(_))));
    for odd in ["", "\n\n", "HTTP/1.1 400 Bad Request", "hello", "\x1b[2J", "ok", "# Server", "@process x"] {
        assert!(matches!(said(0, odd), Err(Gap::Unreadable(_))), "{odd:?}");
    }
}

#[test]
fn what_info_leaves_out_is_a_gap_and_no_zero() {
    for name in
        ["role", "used_memory", "evicted_keys", "connected_clients", "rdb_last_bgsave_status", "aof_enabled"]
    {
        let start = format!("{name}:");
        let kept: Vec<&str> = MASTER.lines().filter(|line| !line.starts_with(&start)).collect();
        let service = service(&kept.join("\n"));
        assert_eq!(service.gaps.len(), 1, "{name}: {:?}", service.gaps);
        assert_eq!(judged(&service).0, ServiceHealth::Unknown, "{name}");
    }
    for (from, to) in [
        ("evicted_keys:0", "evicted_keys:-1"),
        ("used_memory:137363456", "used_memory:9e99"),
        ("role:master", "role:sentinel"),
    ] {
        let service = service(&MASTER.replace(from, to));
        assert_eq!((service.gaps.len(), judged(&service).0), (1, ServiceHealth::Unknown), "{to}");
    }
    // Redis 2.2 (Ubuntu 12.04) says nothing of its last save.
    let old = "redis_version:2.2.12\nconnected_clients:1\nused_memory:900000\nevicted_keys:0\nrole:master\nconnected_slaves:0\n";
    assert_eq!(judged(&service(old)), (ServiceHealth::Ok, vec![]));
}

#[test]
fn hostile_and_huge_answers_stay_small_and_printable() {
    let evil = format!("\x1b[2J\u{202e}{}", "A".repeat(100_000));
    let text = REPLICA
        .replace("7.0.15", &evil)
        .replace("10.0.0.5", &evil)
        .replace("link_status:up", &format!("link_status:{evil}"))
        .replace("bgsave_status:ok", &format!("bgsave_status:{evil}"));
    let service = service(&text);
    let (_, problems) = judged(&service);
    let all = shown(&service).into_iter().chain(problems.into_iter().map(|(_, message)| message));
    for line in all.chain([service.detail.to_string()]) {
        assert!(line.chars().count() < 500, "{}", line.len());
        assert!(!line.contains('\x1b') && !line.contains('\u{202e}'), "{line}");
    }
    for huge in
        ["redis_version:1\n".repeat(10_000), "x".repeat(200_000), format!("ERR {}", "y".repeat(200_000))]
    {
        if let Ok(service) = said(0, &huge) {
            assert!(service.readings.len() + service.gaps.len() < 20 && service.detail.as_str().len() < 400);
        }
    }
    let refused = format!("@refused {evil}\n@process id {evil}\n");
    assert!(matches!(said(0, &refused), Err(Gap::Failed(why)) if why.as_str().chars().count() < 300));
}
