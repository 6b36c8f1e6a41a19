#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::programs::tests::{Shared, host, run, world};

fn curl(world: &Shared, on: &str, args: &[&str]) -> (String, String, u8) {
    let args: Vec<&str> = std::iter::once("curl").chain(args.iter().copied()).collect();
    run(world, on, &args, "")
}

fn ask(world: &Shared, method: &str, path: &str, body: &str) -> (u16, Value) {
    let url = format!("http://elastic:9200/{path}");
    let mut args = vec!["-s", "-X", method, "-w", "\n%{http_code}", &url];
    if !body.is_empty() {
        args.extend(["-d", body]);
    }
    let (text, complaint, status) = curl(world, "salt", &args);
    assert_eq!((complaint.as_str(), status), ("", 0), "{path}");
    let (body, code) = text.rsplit_once('\n').unwrap();
    (code.parse().unwrap(), serde_json::from_str(body).unwrap_or(Value::Null))
}

/// Does something while the world's time passes.
fn passing<T>(world: &Shared, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                world.lock().unwrap().advance(Duration::from_millis(10));
                std::thread::yield_now();
            }
        });
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        done.store(true, Ordering::SeqCst);
        worked.unwrap()
    })
}

#[test]
fn health_waits_for_a_status_and_says_when_it_did_not_come() {
    let world = world("wpd-2015", 0);
    let (code, health) = ask(&world, "GET", "_cluster/health?wait_for_status=green&timeout=50s", "");
    assert_eq!(
        (code, health["status"].as_str(), health["timed_out"].as_bool()),
        (200, Some("green"), Some(false))
    );
    assert_eq!(health["active_primary_shards"], 13);
    ask(&world, "PUT", "_settings", r#"{"index":{"number_of_replicas":1}}"#);
    let (code, health) =
        passing(&world, || ask(&world, "GET", "_cluster/health?wait_for_status=green&timeout=2s", ""));
    assert_eq!(
        (code, health["status"].as_str(), health["timed_out"].as_bool()),
        (408, Some("yellow"), Some(true))
    );
    assert_eq!(health["unassigned_shards"], 13, "one node holds no copy of its own primaries");
}

#[test]
fn a_node_away_refuses_and_is_waited_for_when_it_is_back() {
    let world = world("wpd-2015", 0);
    world.lock().unwrap().stop_elastic(&host("elastic"));
    let (_, complaint, status) = curl(&world, "salt", &["-sS", "http://elastic:9200/"]);
    assert_eq!(status, 7);
    assert_eq!(complaint, "curl: (7) Failed to connect to elastic port 9200: Connection refused\n");
    world.lock().unwrap().start_elastic(&host("elastic"));
    world.lock().unwrap().advance(Duration::from_secs(7));
    let (_, health) = ask(&world, "GET", "_cluster/health", "");
    assert_eq!(health["status"], "red");
    let (_, health) =
        passing(&world, || ask(&world, "GET", "_cluster/health?wait_for_status=green&timeout=50s", ""));
    assert_eq!(health["status"], "green");
}

#[test]
fn settings_are_set_nested_or_not_and_forgotten_with_an_empty_value() {
    let world = world("wpd-2015", 0);
    let body = r#"{"transient":{"cluster.routing.allocation.enable":"none"}}"#;
    let (code, answer) = ask(&world, "PUT", "_cluster/settings", body);
    assert_eq!(code, 200);
    assert_eq!(answer["transient"]["cluster"]["routing"]["allocation"]["enable"], "none");
    let (_, settings) = ask(&world, "GET", "_cluster/settings", "");
    assert_eq!(settings["transient"]["cluster"]["routing"]["allocation"]["enable"], "none");
    let body = r#"{"transient":{"cluster":{"routing":{"allocation":{"enable":""}}}}}"#;
    ask(&world, "PUT", "_cluster/settings", body);
    assert_eq!(ask(&world, "GET", "_cluster/settings", "").1["transient"], serde_json::json!({}));
    let body = r#"{"transient":{"cluster.routing.allocation.enable":"some"}}"#;
    assert_eq!(ask(&world, "PUT", "_cluster/settings", body).0, 400);
    assert_eq!(ask(&world, "PUT", "_cluster/settings", "{").0, 400);
}

#[test]
fn tables_are_as_wide_as_what_is_in_them() {
    let world = world("wpd-2015", 0);
    let (text, _, _) =
        curl(&world, "salt", &["-s", "elastic:9200/_cat/shards?v&h=index,shard,prirep,state,node"]);
    let expected = "\
index                shard prirep state   node    
annotator            0     p      STARTED elastic 
";
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(text.lines().count(), 14);
    let (text, _, _) = curl(&world, "salt", &["-s", "elastic:9200/_cat/nodes?h=ip,master,name"]);
    assert_eq!(text, "10.10.10.29 * elastic \n");
    let (text, _, _) = curl(&world, "elastic", &["-s", "localhost:9200/_cat/indices?v"]);
    assert!(text.starts_with("health status index"), "{text}");
}

#[test]
fn snapshots_are_registered_made_listed_and_restored() {
    let world = world("wpd-2015", 0);
    let (_, all) = ask(&world, "GET", "_snapshot/_all", "");
    assert_eq!(all["nfsshared"]["settings"]["location"], "/mnt/backup/elasticsearch/nfsshared");
    let (_, list) = ask(&world, "GET", "_snapshot/nfsshared/_all", "");
    assert_eq!(list["snapshots"].as_array().unwrap().len(), 7);
    assert_eq!(list["snapshots"][6]["state"], "SUCCESS");
    let place = r#"{"type":"fs","settings":{"location":"/nowhere"}}"#;
    assert_eq!(ask(&world, "PUT", "_snapshot/other", place).0, 500);
    let place = r#"{"type":"fs","settings":{"location":"/mnt/backup/elasticsearch/nfsshared/other"}}"#;
    let error = ask(&world, "PUT", "_snapshot/other", place).1["error"].to_string();
    assert!(error.contains("RepositoryVerificationException"), "{error}");
    assert_eq!(ask(&world, "PUT", "_snapshot/nfsshared/now", "").0, 202);
    assert_eq!(ask(&world, "GET", "_snapshot/nfsshared/now", "").1["snapshots"][0]["state"], "IN_PROGRESS");
    world.lock().unwrap().advance(Duration::from_secs(60));
    let (code, made) =
        passing(&world, || ask(&world, "PUT", "_snapshot/nfsshared/later?wait_for_completion=true", ""));
    assert_eq!((code, made["snapshot"]["state"].as_str()), (200, Some("SUCCESS")));
    let (code, error) = ask(&world, "POST", "_snapshot/nfsshared/later/_restore", "");
    assert_eq!(code, 500);
    assert!(error["error"].as_str().unwrap().contains("because it's open"));
    assert_eq!(ask(&world, "POST", "annotator/_close", "").1["acknowledged"], true);
    let (code, done) = passing(&world, || {
        let path = "_snapshot/nfsshared/later/_restore?wait_for_completion=true";
        ask(&world, "POST", path, r#"{"indices":"annotator"}"#)
    });
    assert_eq!((code, &done["snapshot"]["indices"]), (200, &serde_json::json!(["annotator"])));
    assert_eq!(ask(&world, "GET", "_snapshot/nfsshared/none", "").0, 404);
    world.lock().unwrap().elastic().next_snapshot_fails();
    let (_, made) =
        passing(&world, || ask(&world, "PUT", "_snapshot/nfsshared/bad?wait_for_completion=true", ""));
    assert_eq!(made["snapshot"]["state"], "FAILED");
}

#[test]
fn web_servers_answer_by_host_header_and_on_their_public_address() {
    let world = world("wpd-2015", 0);
    let code = |args: &[&str]| {
        let all: Vec<&str> =
            ["-s", "-o", "/dev/null", "-w", "%{http_code}"].into_iter().chain(args.iter().copied()).collect();
        let (text, _, status) = curl(&world, "salt", &all);
        (text, status)
    };
    let ok = ("200".to_owned(), 0);
    assert_eq!(code(&["-H", "Host: docs.webplatform.org", "http://app1/"]), ok);
    assert_eq!(
        code(&["--resolve", "docs.webplatform.org:80:10.10.10.16", "http://docs.webplatform.org/"]),
        ok
    );
    assert_eq!(code(&["-H", "Host: example.org", "http://app1/"]), ("404".to_owned(), 0));
    let public = {
        let world = world.lock().unwrap();
        let server = world.cloud().find("app1", 0.0).unwrap();
        format!("http://{}/", world.cloud().public_address(server).unwrap())
    };
    let (text, _, _) = curl(&world, "salt", &["-s", "-H", "Host: docs.webplatform.org", &public]);
    assert!(text.contains("served by app1.production.wpdn"), "{text}");
    // The database its configuration names is looked for.
    let ini = b"[database]\nhost = 10.10.10.14\n".to_vec();
    world.lock().unwrap().write_file(&host("app1"), "/etc/webplatform/db.ini", ini);
    assert_eq!(code(&["-H", "Host: docs.webplatform.org", "http://app1/"]), ok);
    world.lock().unwrap().power_off(&host("db1-masterdb"));
    assert_eq!(code(&["-H", "Host: docs.webplatform.org", "http://app1/"]), ("500".to_owned(), 0));
    assert_eq!(code(&["-f", "-H", "Host: docs.webplatform.org", "http://app1/"]), ("500".to_owned(), 22));
    world.lock().unwrap().set_web_fault(&host("app2"), Some(503));
    assert_eq!(code(&["http://app2/"]), ("503".to_owned(), 0));
    assert_eq!(code(&["http://memcache1/"]), ("000".to_owned(), 7), "no web server");
    assert_eq!(code(&["http://nowhere/"]), ("000".to_owned(), 6));
    assert_eq!(
        passing(&world, || code(&["--connect-timeout", "1", "http://10.10.10.200/"])),
        ("000".to_owned(), 28)
    );
    assert_eq!(passing(&world, || code(&["http://db1-masterdb/"])), ("000".to_owned(), 7), "it is off");
}

/// The token by standard input, a form's value escaped, data behind the URL; a locked version, a name that is there, a version without
/// backends and a token that nobody knows are refused in the API's own words.
#[test]
fn the_cdn_answers_as_its_api_says_and_serves_what_is_active() {
    let world = world("wpd-2015", 0);
    let token =
        String::from_utf8(world.lock().unwrap().read_file(&host("salt"), "/root/.fastly-token").unwrap());
    let config = format!("# the token\nheader = \"Fastly-Key: {}\"\n", token.unwrap().trim());
    let api = |args: &[&str], config: &str| {
        let mut all = vec!["curl", "-sS", "--config", "-", "-w", "\n%{http_code}"];
        all.extend(args);
        let (text, complaint, status) = run(&world, "salt", &all, config);
        assert_eq!((complaint.as_str(), status), ("", 0));
        let (body, code) = text.rsplit_once('\n').unwrap();
        (code.parse::<u16>().unwrap(), serde_json::from_str::<Value>(body).unwrap())
    };
    let (code, found) = api(
        &["-G", "--data-urlencode", "name=docs.webplatform.org", "https://api.fastly.com/service/search"],
        &config,
    );
    assert_eq!((code, found["version"].as_u64()), (200, Some(7)));
    let service = format!("https://api.fastly.com/service/{}/version", found["id"].as_str().unwrap());
    let wrong = api(&[&service], "header = \"Fastly-Key: x\"\n");
    assert_eq!(
        (wrong.0, wrong.1["msg"].as_str()),
        (401, Some("Provided credentials are missing or invalid"))
    );
    assert_eq!(api(&["-X", "DELETE", &format!("{service}/7/backend/app1")], &config).0, 422, "it is locked");
    let (code, draft) = api(&["-X", "PUT", &format!("{service}/7/clone")], &config);
    assert_eq!((code, draft["number"].as_u64(), draft["active"].as_bool()), (200, Some(8), Some(false)));
    let backends = format!("{service}/8/backend");
    let add = ["-X", "POST", "--data-urlencode", "name=a b", "-d", "address=192.0.2.1", &backends];
    assert_eq!(api(&add, &config).1["ipv4"], "192.0.2.1");
    assert_eq!(api(&add, &config).0, 409);
    assert_eq!(api(&["-X", "DELETE", &format!("{backends}/a%20b")], &config).0, 200);
    for name in ["app1", "app2", "app3"] {
        assert_eq!(api(&["-X", "DELETE", &format!("{backends}/{name}")], &config).0, 200);
    }
    assert_eq!(api(&[&format!("{service}/8/validate")], &config).1["status"], "error");
    assert_eq!(api(&["-X", "PUT", &format!("{service}/8/activate")], &config).0, 400);
    let page = || curl(&world, "salt", &["-si", "http://docs.webplatform.org/"]).0;
    assert!(page().starts_with("HTTP/1.1 200") && page().contains("Via: 1.1 varnish\r\n"), "{}", page());
    for name in ["app1", "app2", "app3"] {
        world.lock().unwrap().set_web_fault(&host(name), Some(500));
    }
    assert!(page().starts_with("HTTP/1.1 503"), "{}", page());
    world.lock().unwrap().cdn().faults.changes_left = Some(0);
    assert_eq!(api(&["-X", "PUT", &format!("{service}/7/clone")], &config).0, 429);
    assert_eq!(api(&[&service], &config).0, 200, "reading is not counted");
    let (_, complaint, status) = curl(&world, "salt", &["-sS", "--config", "/nowhere", "http://app1/"]);
    assert!(status == 2 && complaint.contains("/nowhere"), "{complaint}");
}
