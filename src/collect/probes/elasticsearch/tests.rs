#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use super::answer::read;
use super::*;
use crate::collect::probe::Raw;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Thresholds;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Figure, Service, ServiceHealth};

/// The documentation of 1.x (Elasticsearch: The Definitive Guide), which has no waiting tasks before 1.5.
const GREEN_1_4: &str = r#"{
   "cluster_name": "elasticsearch_zach",
   "status": "green",
   "timed_out": false,
   "number_of_nodes": 1,
   "number_of_data_nodes": 1,
   "active_primary_shards": 10,
   "active_shards": 10,
   "relocating_shards": 0,
   "initializing_shards": 0,
   "unassigned_shards": 0
}"#;

/// The reference of 1.5.
const GREEN_1_5: &str = r#"{
  "cluster_name" : "testcluster",
  "status" : "green",
  "timed_out" : false,
  "number_of_nodes" : 2,
  "number_of_data_nodes" : 2,
  "active_primary_shards" : 5,
  "active_shards" : 10,
  "relocating_shards" : 0,
  "initializing_shards" : 0,
  "unassigned_shards" : 0,
  "number_of_pending_tasks" : 0
}
"#;

/// The reference of 6.x and 7.x: a node alone, of an index with one replica.
const YELLOW_7: &str = r#"{
  "cluster_name" : "testcluster",
  "status" : "yellow",
  "timed_out" : false,
  "number_of_nodes" : 1,
  "number_of_data_nodes" : 1,
  "active_primary_shards" : 1,
  "active_shards" : 1,
  "relocating_shards" : 0,
  "initializing_shards" : 0,
  "unassigned_shards" : 1,
  "delayed_unassigned_shards": 0,
  "number_of_pending_tasks" : 0,
  "number_of_in_flight_fetch": 0,
  "task_max_waiting_in_queue_millis": 0,
  "active_shards_percent_as_number": 50.0
}"#;

/// A cluster in use, of 2.x or newer, on the day it was red.
const RED: &str = r#"{"cluster_name":"production","status":"red","timed_out":false,"number_of_nodes":7,
"number_of_data_nodes":3,"active_primary_shards":19,"active_shards":38,"relocating_shards":0,"initializing_shards":0,
"unassigned_shards":4,"delayed_unassigned_shards":0,"number_of_pending_tasks":0,"number_of_in_flight_fetch":0,
"task_max_waiting_in_queue_millis":0,"active_shards_percent_as_number":90.47619047619048}"#;

/// One that has just started: its last figure is no number.
const STARTED: &str = r#"{"cluster_name":"elasticsearch","status":"red","timed_out":false,"number_of_nodes":3,
"number_of_data_nodes":1,"active_primary_shards":0,"active_shards":0,"relocating_shards":0,"initializing_shards":0,
"unassigned_shards":0,"delayed_unassigned_shards":0,"number_of_pending_tasks":0,"number_of_in_flight_fetch":0,
"task_max_waiting_in_queue_millis":0,"active_shards_percent_as_number":"NaN"}"#;

const NO_MASTER_1: &str = r#"{"error":"MasterNotDiscoveredException[waited for [1s]]","status":503}"#;
const NO_MASTER_7: &str = r#"{"error":{"root_cause":[{"type":"master_not_discovered_exception","reason":null}],
"type":"master_not_discovered_exception","reason":null},"status":503}"#;

fn said(status: u8, text: &str) -> Result<Service, Gap> {
    read(&Raw { status, text: text.to_owned() })
}

/// As the script says it.
fn answered(body: &str, code: u16) -> Result<Service, Gap> {
    said(0, &format!("@at 127.0.0.1:9200\n{body}\n@http {code}\n"))
}

fn service(body: &str) -> Service {
    answered(body, 200).unwrap()
}

fn judged(service: &Service) -> (ServiceHealth, Vec<(Severity, String)>) {
    let findings = PROBE.kind.findings(service, &Thresholds::default());
    let health = ServiceHealth::of(service, &findings);
    (health, findings.into_iter().map(|finding| (finding.severity, finding.message)).collect())
}

fn shown(service: &Service) -> Vec<String> {
    service.readings.iter().map(|reading| format!("{} {}", reading.name, reading.figure)).collect()
}

#[test]
fn clusters_that_are_well() {
    let old = service(GREEN_1_4);
    assert_eq!(judged(&old), (ServiceHealth::Ok, vec![]));
    assert_eq!(old.detail.as_str(), "elasticsearch_zach, green");
    let both = service(GREEN_1_5);
    assert_eq!(judged(&both), (ServiceHealth::Ok, vec![]));
    assert_eq!(
        shown(&both),
        [
            "address 127.0.0.1:9200",
            "status green",
            "cluster testcluster",
            "nodes 2",
            "data_nodes 2",
            "unassigned_shards 0",
            "initializing_shards 0",
            "relocating_shards 0",
            "pending_tasks 0"
        ]
    );
    // Before 1.5 nobody says how many wait: that is no gap, and no zero.
    assert_eq!(shown(&old).len(), shown(&both).len() - 1);
    assert_eq!((PROBE.kind.short)(&both), Some("green"));
}

#[test]
fn yellow_warns_and_red_is_critical_with_the_shards_and_what_to_do() {
    let (health, problems) = judged(&service(YELLOW_7));
    assert_eq!((health, problems.len(), problems[0].0), (ServiceHealth::Degraded, 1, Severity::Warning));
    assert_eq!(
        problems[0].1,
        "elasticsearch is yellow, all data are there but not every copy: 1 shard is unassigned. One data node has no place \
         for a second copy: start the others, or, if there are none, set number_of_replicas to 0. See which indices: \
         curl -s '127.0.0.1:9200/_cluster/health?level=indices&pretty'."
    );
    let two = YELLOW_7.replace("\"number_of_data_nodes\" : 1", "\"number_of_data_nodes\" : 2");
    assert!(judged(&service(&two)).1[0].1.contains("Start the nodes that are away"), "{two}");
    let moving = two.replace("\"initializing_shards\" : 0", "\"initializing_shards\" : 3");
    assert!(judged(&service(&moving)).1[0].1.contains("3 are being recovered: wait"), "{moving}");

    let (health, problems) = judged(&service(RED));
    assert_eq!((health, problems.len(), problems[0].0), (ServiceHealth::Degraded, 1, Severity::Critical));
    assert!(problems[0].1.contains("4 shards are unassigned. Start the nodes that are away"), "{problems:?}");
    let started = service(STARTED);
    assert_eq!((judged(&started).1[0].0, started.gaps.len()), (Severity::Critical, 0));
    // The code when a wait is over, with the figures.
    assert_eq!(judged(&answered(RED, 408).unwrap()).1[0].0, Severity::Critical);
    assert_eq!((PROBE.kind.short)(&started), Some("red"));
}

#[test]
fn many_waiting_tasks_warn_and_a_few_do_not() {
    let with = |waiting: u64| {
        service(&GREEN_1_5.replace("pending_tasks\" : 0", &format!("pending_tasks\" : {waiting}")))
    };
    assert_eq!(judged(&with(50)).0, ServiceHealth::Ok);
    let findings = PROBE.kind.findings(&with(51), &Thresholds::default());
    assert_eq!(
        (findings.len(), findings[0].severity, findings[0].reading),
        (1, Severity::Warning, Some("pending_tasks"))
    );
    assert!(findings[0].message.contains("51 tasks wait"), "{findings:?}");
}

#[test]
fn a_cluster_without_a_master_is_critical() {
    for body in [NO_MASTER_1, NO_MASTER_7] {
        let alone = answered(body, 503).unwrap();
        let (health, problems) = judged(&alone);
        assert_eq!((health, problems.len(), problems[0].0), (ServiceHealth::Degraded, 1, Severity::Critical));
        assert!(problems[0].1.contains("has no master"), "{problems:?}");
    }
}

#[test]
fn one_that_wants_a_password_runs_and_its_figures_are_unknown() {
    let shield = r#"{"error":"AuthenticationException[Missing authentication token]","status":401}"#;
    for (body, code) in [(shield, 401), ("", 403)] {
        let closed = answered(body, code).unwrap();
        assert!(closed.running);
        assert_eq!(closed.reading("password"), Some(&Figure::Flag(true)));
        let (health, problems) = judged(&closed);
        assert_eq!((health, problems.len(), problems[0].0), (ServiceHealth::Unknown, 1, Severity::Unknown));
        assert!(problems[0].1.contains("password (HTTP"), "{problems:?}");
        assert!(problems[0].1.contains("curl -u NAME 127.0.0.1:9200/"), "{problems:?}");
    }
    // Elasticsearch 8 as it is installed.
    let locked = said(0, "@at https://127.0.0.1:9200\n{\"error\":{},\"status\":401}\n@http 401\n").unwrap();
    assert!(judged(&locked).1[0].1.contains("curl -ku NAME https://127.0.0.1:9200/"), "{locked:?}");
}

#[test]
fn stopped_needs_a_process_table_without_it() {
    let stopped = said(0, "@refused 127.0.0.1:9200\n@process \n").unwrap();
    let (health, problems) = judged(&stopped);
    assert_eq!((health, problems.len(), problems[0].0), (ServiceHealth::Down, 1, Severity::Critical));
    assert_eq!(
        problems[0].1,
        "elasticsearch is stopped: 127.0.0.1:9200 refuses connections, and no process of Elasticsearch runs. Look at its log \
         below /var/log/elasticsearch, then start it: service elasticsearch start."
    );
    for (process, words) in [
        ("@process hidden", "cannot see every process"),
        ("@process id 771", "process of Elasticsearch 771 runs"),
    ] {
        let gap = said(0, &format!("@refused 10.0.0.5:9200\n{process}\n")).unwrap_err();
        assert!(matches!(&gap, Gap::Failed(why) if why.as_str().contains(words)), "{gap:?}");
    }
    assert!(matches!(said(0, "@refused 127.0.0.1:9200\n"), Err(Gap::Unreadable(_))));
}

#[test]
fn who_could_not_look_knows_nothing() {
    assert_eq!(said(127, "curl or wget\n"), Err(Gap::NoTool("curl or wget".into())));
    assert_eq!(said(124, ""), Err(Gap::TimedOut));
    assert!(matches!(said(126, "curl: Permission denied"), Err(Gap::NotPermitted(_))));
    let tls = "curl: (52) Empty reply from server";
    assert_eq!(said(52, tls), Err(Gap::Failed(tls.into())));
    let proxy = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n";
    assert!(matches!(answered(proxy, 502), Err(Gap::Failed(why)) if why.as_str().contains("HTTP 502")));
    assert!(matches!(answered(r#"{"error":"x","status":503}"#, 503), Err(Gap::Failed(_))));
    for odd in [
        "",
        "<!DOCTYPE html><html><body>It works!</body></html>",
        "{}",
        "[]",
        "null",
        "\"green\"",
        r#"{"status":200,"name":"x","tagline":"You Know, for Search"}"#,
        r#"{"status":"purple"}"#,
        "\x1b[2J",
        &RED[..200],
    ] {
        assert!(matches!(answered(odd, 200), Err(Gap::Unreadable(_))), "{odd:?}");
    }
    for odd in ["", "\n", "@at", "@at 127.0.0.1:9200", "@at 127.0.0.1:9200\n{}", "@http 200", GREEN_1_5] {
        assert!(matches!(said(0, odd), Err(Gap::Unreadable(_))), "{odd:?}");
    }
}

#[test]
fn a_figure_that_is_left_out_or_odd_is_a_gap_and_no_zero() {
    for (from, to) in [
        ("\"unassigned_shards\" : 1", "\"unassigned_shards\" : -1"),
        ("\"unassigned_shards\" : 1", "\"unassigned_shards\" : \"many\""),
        ("\"unassigned_shards\" : 1", "\"other\" : 1"),
        ("\"number_of_nodes\" : 1", "\"number_of_nodes\" : 1e99"),
        ("\"number_of_pending_tasks\" : 0", "\"number_of_pending_tasks\" : [[0]]"),
    ] {
        let service = service(&YELLOW_7.replace(from, to));
        assert_eq!((service.gaps.len(), service.running), (1, true), "{to}");
        assert_eq!(judged(&service).1.len(), 2, "{to}");
    }
}

#[test]
fn hostile_and_huge_answers_stay_small_and_printable() {
    let evil = format!("\\u001b[2J\u{202e}{}", "A".repeat(5_000));
    let service =
        service(&RED.replace("production", &evil).replace("_nodes\":7", &format!("_nodes\":\"{evil}\"")));
    let (_, problems) = judged(&service);
    let all = shown(&service).into_iter().chain(problems.into_iter().map(|(_, message)| message));
    for line in all.chain([service.detail.to_string()]) {
        assert!(line.chars().count() < 500, "{}", line.len());
        assert!(!line.contains('\x1b') && !line.contains('\u{202e}'), "{line}");
    }
    // An address becomes a part of a command.
    let odd = format!("@at 127.0.0.1:9200';reboot;'\n{RED}\n@http 200\n");
    assert!(matches!(said(0, &odd), Err(Gap::Unreadable(_))));
    for huge in [
        "[".repeat(200_000),
        "{\"a\":".repeat(3_000),
        format!("{{\"status\":\"red\",\"a\":\"{evil}{evil}{evil}{evil}\"}}"),
    ] {
        assert!(matches!(answered(&huge, 200), Err(Gap::Unreadable(_))), "{}", huge.len());
    }
    assert!(matches!(answered(&evil, 500), Err(Gap::Failed(why)) if why.as_str().chars().count() < 200));
}
