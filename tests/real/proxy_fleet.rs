//! promote-masterdb and failover-masterdb on a real fleet whose applications connect to a HAProxy of their own host
//! (`tests/fleet up --layout proxy`), while they write all the time. Needs `JUMPDECK_PROXY_FLEET`, the directory of such a fleet that
//! is up (`tests/run --thorough` gives it). `JUMPDECK_SWITCHOVERS=6` makes the row of docs/performance.md.

use crate::support::{lane, plain_lane, sweep};
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use jumpdeck_fleet::run::{Prompt, PromptKind, Reply, RunState};
use lane::{MASTER, agrees, score, until};
use plain_lane::Plain;

const VARIABLE: &str = "JUMPDECK_PROXY_FLEET";
const CONFIG: &str = "/etc/haproxy/haproxy.cfg";
const TO_DB2: &[(&str, &str)] = &[("old", MASTER), ("candidate", "db2")];

/// Keeps its connection for as long as it can, only reads, and says each new thing that it learns.
const READER: &str = r#"
import pymysql, select, sys
from pathlib import Path
password = Path("/etc/webplatform/db.password").read_text().strip()
connection, seen = None, None
while not select.select([sys.stdin], [], [], 0.05)[0]:
    try:
        if connection is None:
            connection = pymysql.connect(host="127.0.0.1", user="wiki", password=password, database="webplatform",
                                         ssl={"ca": "/etc/webplatform/ca.pem"}, connect_timeout=1, read_timeout=3)
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@server_id")
            said = f"server {cursor.fetchone()[0]}"
    except (pymysql.MySQLError, OSError) as error:
        said, connection = f"error {error.args[0]}", None
    if said != seen:
        seen = said
        print(said, flush=True)
"#;

/// An application on app1 that keeps its connection through the proxy and only reads.
struct Reader(Child);

impl Reader {
    fn start(dir: &Path) -> Self {
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet"));
        command.arg("--dir").arg(dir).args(["exec", "app1", "/usr/bin/python3", "-BIuc", READER]);
        Self(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
    }

    /// Ends it; what it learned, in order.
    fn end(mut self) -> Vec<String> {
        drop(self.0.stdin.take());
        let mut said = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        self.0.wait().unwrap();
        said.lines().map(str::to_owned).collect()
    }
}

/// That nothing lies beside the proxies' files any more.
fn proxies_are_tidy(fleet: &Plain) {
    for app in ["app1", "app2"] {
        assert_eq!(fleet.lane(&["exec", app, "find", "/etc/haproxy", "-name", "*.next*"]), "", "{app}");
    }
}

/// Answers `key` at each choice that has it, after `act`, and keeps what was asked there; else as who agrees.
fn once<'a>(
    key: char,
    mut act: impl FnMut(&Prompt) + 'a,
    said: &'a mut Vec<String>,
) -> impl FnMut(&Prompt) -> Reply + 'a {
    move |prompt| match &prompt.kind {
        PromptKind::Choose(choices) if choices.iter().any(|choice| choice.key == key) => {
            // The first line is about the hosts that failed; behind it is what is in effect elsewhere.
            said.push(format!("{}: {}", prompt.title, prompt.text.first().map_or("", |line| line.as_str())));
            println!("asked: {}", said[said.len() - 1]);
            act(prompt);
            Reply::Chosen(key, None)
        }
        _ => {
            act(prompt);
            agrees(prompt)
        }
    }
}

fn is_last_question(prompt: &Prompt) -> bool {
    prompt.title.as_str().starts_with("Move writes from")
}

/// The same as [`agrees`], but what fails is tried again, three times: a busy machine is slow. A window that failed is one more time
/// without writes.
fn persists() -> impl FnMut(&Prompt) -> Reply {
    let mut tries = 3;
    move |prompt| match &prompt.kind {
        PromptKind::Choose(choices) if tries > 0 && choices.iter().any(|choice| choice.key == 'r') => {
            tries -= 1;
            println!("tried again: {}: {:?}", prompt.title, prompt.text.first());
            Reply::Chosen('r', None)
        }
        _ => agrees(prompt),
    }
}

/// Issue 10, part 4: there and back with HAProxy in front. No application stays with the old master, one that keeps its connection and
/// only reads neither.
#[tokio::test(flavor = "multi_thread")]
async fn writes_move_by_the_proxies_configuration_and_back_and_none_is_lost() {
    let Some(fleet) = Plain::new(VARIABLE) else { return };
    let times: usize = std::env::var("JUMPDECK_SWITCHOVERS").ok().and_then(|n| n.parse().ok()).unwrap_or(2);
    let reader = Reader::start(&fleet.dir);
    for turn in 0..times {
        let (old, candidate) = if turn % 2 == 0 { (MASTER, "db2") } else { ("db2", MASTER) };
        let told =
            fleet.run(("promote-masterdb", &[("old", old), ("candidate", candidate)]), persists()).await;
        assert_eq!(told.view.in_effect, [], "{}", told.story());
        proxies_are_tidy(&fleet);
        assert_eq!(sweep::mentions(&fleet.dir, old), BTreeSet::new(), "turn {turn}");
    }
    let journals = fleet.journals();
    for words in ["connection of haproxy, a proxy for python3 of this host: with the above", CONFIG] {
        assert!(journals.contains(words), "{words}");
    }
    let learned = reader.end();
    println!("the reader learned: {learned:?}");
    let servers: Vec<&String> = learned.iter().filter(|line| line.starts_with("server")).collect();
    let expected: Vec<&str> =
        (0..=times).map(|turn| if turn % 2 == 0 { "server 1" } else { "server 2" }).collect();
    assert_eq!(servers, expected, "{learned:?}");
    fleet.is_clean(if times.is_multiple_of(2) { MASTER } else { "db2" });
    let score = score(&fleet.dir);
    let mut gaps: Vec<f64> =
        score["gaps"].as_array().unwrap().iter().map(|gap| gap["ms"].as_f64().unwrap()).collect();
    gaps.sort_unstable_by(f64::total_cmp);
    let longest = gaps.split_off(gaps.len().saturating_sub(times));
    println!("times without writes, sorted: {longest:?} ms; others over 200 ms: {gaps:?}");
}

/// Issue 10, part 4: the master is killed; its proxies' next configuration brings the applications to the replica that takes its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_master_is_replaced_behind_the_proxies() {
    let Some(fleet) = Plain::new(VARIABLE) else { return };
    fleet.waits_for_replicas();
    fleet.lane(&["db", MASTER, "kill"]);
    let mut promoted = String::new();
    let told = fleet
        .run(("failover-masterdb", &[("old", MASTER)]), |prompt| match &prompt.kind {
            PromptKind::Input(view) if view.name == "fence_proof" => {
                Reply::Text("port-dropped".to_owned().into())
            }
            PromptKind::Challenge(value) => {
                promoted = value.to_string();
                agrees(prompt)
            }
            _ => agrees(prompt),
        })
        .await;
    assert_eq!(told.view.in_effect, [], "{}", told.story());
    let left = sweep::mentions(&fleet.dir, MASTER);
    // What the dead master itself has nobody can change yet.
    let left: Vec<_> = left.iter().filter(|mention| !mention.starts_with("db1-masterdb: ")).collect();
    assert!(left.is_empty(), "{left:#?}");
    proxies_are_tidy(&fleet);
    fleet.is_clean(&promoted);
}

/// Issue 10, part 4: a proxy's configuration that somebody broke by hand, and a proxy that does not run, are found before writes stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_cannot_read_its_next_configuration_stops_the_run_before_writes_move() {
    let Some(fleet) = Plain::new(VARIABLE) else { return };
    let broken = format!("sed -i 's/ bind / bnid /' {CONFIG}");
    let mended = format!("sed -i 's/ bnid / bind /' {CONFIG}");
    for (break_it, words, mend_it) in [
        (broken.as_str(), "unknown keyword 'bnid'", mended.as_str()),
        ("systemctl stop haproxy", "inactive", "systemctl start haproxy"),
    ] {
        fleet.lane(&["exec", "app1", "sh", "-c", break_it]);
        let mut said = Vec::new();
        let told = fleet.try_run(("promote-masterdb", TO_DB2), once('b', |_| (), &mut said)).await;
        assert_eq!(told.view.state, RunState::RolledBack, "{}", told.story());
        let found = said.iter().find(|said| said.contains("(ready/accepted) failed"));
        let found = found.unwrap_or_else(|| panic!("{}", told.story()));
        assert!(found.contains(words) && found.contains("app1") && !found.contains("app2"), "{found}");
        assert_eq!(fleet.sql(MASTER, "SELECT @@global.read_only"), "0", "{break_it}");
        proxies_are_tidy(&fleet);
        fleet.lane(&["exec", "app1", "sh", "-c", mend_it]);
    }
    fleet.is_clean(MASTER);
}

/// Issue 10, part 4: a proxy that ends after the last question, and one whose reload ends well and does nothing, are named after the
/// promotion with their host; with the proxy mended, the same step moves it.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_not_moved_is_named_and_moved_by_the_same_step() {
    for (break_it, step, words, mend_it) in [
        ("systemctl stop haproxy", "(moved/files) failed", "is not active", "systemctl start haproxy"),
        (
            "kill -STOP $(cat /run/haproxy.pid)",
            "(moved/reloaded) failed",
            "haproxy is connected to",
            "kill -CONT $(cat /run/haproxy.pid)",
        ),
    ] {
        let Some(fleet) = Plain::new(VARIABLE) else { return };
        let mut said = Vec::new();
        let told = fleet
            .run(
                ("promote-masterdb", TO_DB2),
                once(
                    'r',
                    |prompt| {
                        if is_last_question(prompt) {
                            fleet.lane(&["exec", "app1", "sh", "-c", break_it]);
                        } else if matches!(prompt.kind, PromptKind::Choose(_)) {
                            fleet.lane(&["exec", "app1", "sh", "-c", mend_it]);
                        }
                    },
                    &mut said,
                ),
            )
            .await;
        let found = said.iter().find(|said| said.contains(step));
        let found = found.unwrap_or_else(|| panic!("{step}: {}", told.story()));
        assert!(found.contains(words) && found.contains("app1") && !found.contains("app2"), "{found}");
        assert_eq!(sweep::mentions(&fleet.dir, MASTER), BTreeSet::new());
        fleet.is_clean("db2");
    }
}

/// Issue 10, part 4: a health check that fails on both servers from the window on does not end as finished without a word: the hosts
/// whose applications are not connected to the new master are named.
#[tokio::test(flavor = "multi_thread")]
async fn a_health_check_that_fails_on_both_servers_is_noticed() {
    let Some(fleet) = Plain::new(VARIABLE) else { return };
    let mut said = Vec::new();
    let told = fleet
        .run(
            ("promote-masterdb", TO_DB2),
            once(
                'r',
                |prompt| {
                    if is_last_question(prompt) {
                        fleet.sql(MASTER, "DROP USER haproxy@'%'");
                        until("the proxies take the master for down", 20, || {
                            let listed = fleet.lane(&[
                                "exec",
                                MASTER,
                                "ss",
                                "-Htn",
                                "state",
                                "established",
                                "sport = :3306",
                            ]);
                            listed.lines().count() <= 2
                        });
                    } else if matches!(prompt.kind, PromptKind::Choose(_)) {
                        for host in [MASTER, "db2"] {
                            fleet.lane(&[
                                "sql",
                                host,
                                "SET SESSION sql_log_bin = 0; CREATE USER IF NOT EXISTS haproxy@'%'",
                            ]);
                        }
                    }
                },
                &mut said,
            ),
        )
        .await;
    println!("{}", told.story());
    assert!(!said.is_empty(), "{}", told.story());
    fleet.is_clean("db2");
}
