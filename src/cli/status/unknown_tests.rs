//! Nothing unknown is ok: every world, every way not to know, every output of `status`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;

use super::gather::{Picture, gather};
use super::{exit_code, json, nagios, table};
use crate::cli::simulate;
use crate::collect::Collector;
use crate::collect::clock::Clock;
use crate::transport::ask::RefuseAll;
use crate::transport::ssh::SshConnector;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::judge::roles::RoleState;
use jumpdeck_fleet::judge::{Judgement, judge, worst};
use jumpdeck_fleet::problem::{Problem, Severity};
use jumpdeck_fleet::replication::{Connection, ServerStatus, Thread};
use jumpdeck_fleet::snapshot::unknowns::{SERVICES, gaps, miss, misses, states};
use jumpdeck_fleet::snapshot::{HostFacts, HostSnapshot, Link, LinkState};
use jumpdeck_fleet::time::Moment;

/// Every environment of a simulated fleet, as `status --all` gathers it.
pub(super) async fn pictures(world: &str) -> Vec<Picture> {
    let (universe, servers) = simulate::start(world).unwrap();
    let fleet = Arc::new(universe.fleet(|env| servers.access(env)));
    let (sender, events) = mpsc::channel(1024);
    let clock = Clock::start();
    let reach = Arc::new(SshConnector::new(Arc::new(servers), Arc::new(RefuseAll)));
    let collector = Collector::new(fleet.clone(), reach, clock, sender);
    gather(&fleet, &fleet.environments.clone(), &collector, events, clock, Duration::from_secs(120)).await
}

impl Picture {
    fn judged(&mut self) {
        let Judgement { problems, roles } = judge(&self.situation());
        (self.problems, self.roles) = (problems, roles);
    }

    /// One host is another than it was; judged again.
    fn with(&self, at: usize, change: impl FnOnce(&mut HostSnapshot)) -> Self {
        let mut picture = Self {
            env: self.env.clone(),
            simulated: self.simulated,
            jump: self.jump.clone(),
            hosts: self.hosts.clone(),
            outside: self.outside.clone(),
            problems: Vec::new(),
            roles: Vec::new(),
            now: self.now,
        };
        change(Arc::make_mut(&mut picture.hosts[at]));
        picture.judged();
        picture
    }

    fn problems_of(&self, at: usize) -> Vec<Problem> {
        let host = &self.hosts[at].id.host;
        self.problems.iter().filter(|p| p.host.as_ref() == Some(host)).cloned().collect()
    }

    fn document(&self, at: usize) -> Value {
        let status = json::EnvironmentStatus::new(self, "now".to_owned());
        serde_json::to_value(&status).unwrap()["hosts"][at].clone()
    }

    fn row(&self, at: usize) -> String {
        let table = table::render(self, false, None);
        table.lines().nth(at + 2).unwrap().to_owned()
    }

    /// The host is no "ok" of any output; what is new about it alone would not exit with 0.
    fn is_told(&self, before: &Self, at: usize, what: &str) {
        let old = before.problems_of(at);
        let new: Vec<Problem> = self.problems_of(at).into_iter().filter(|p| !old.contains(p)).collect();
        assert!(exit_code(worst(&new)) != 0, "{what}: nothing new is said; {old:?}");
        let row = self.row(at);
        assert!(!row.starts_with("ok") && !row.starts_with(".."), "{what}: {row}");
        let plugin = nagios::render(std::slice::from_ref(self));
        assert!(!plugin.starts_with("JUMPDECK OK"), "{what}: {plugin}");
    }
}

/// The fields of the document that rest on a question.
fn fields(question: &str) -> &'static [&'static str] {
    match question {
        "load" => &["load"],
        "memory" => &["memory"],
        "uptime" => &["uptime_s"],
        "operating system" => &["os"],
        "grains" => &["level"],
        "filesystems" => &["filesystems"],
        "databases" => &["replication"],
        "database files" => &["database_files"],
        "upkeep" => &["upkeep"],
        SERVICES | "identity" | "network filesystems" | "deleted files" | "clock" => &[],
        other => panic!("a question of no field: {other}"),
    }
}

/// Every service of a host is unknown, and says why.
fn nobody_looked(document: &Value, detail: &str, what: &str) {
    for service in document["services"].as_array().unwrap() {
        assert_eq!(service["state"], "unknown", "{what}: {service}");
        assert!(service["readings"].is_null() && service["age_ms"].is_null(), "{what}: {service}");
        let why = format!("{} {}", service["name"].as_str().unwrap(), service["detail"].as_str().unwrap());
        assert!(detail.contains(&why), "{what}: {detail}: {service}");
    }
}

async fn no_gap_is_ok(world: &str) {
    for picture in pictures(world).await {
        assert!(!picture.hosts.is_empty());
        for (at, host) in picture.hosts.iter().enumerate() {
            if !host.link.is_up() {
                assert!(!picture.problems_of(at).is_empty(), "{}", host.id);
                continue;
            }
            for (question, miss) in misses() {
                if question == SERVICES && host.facts.services.is_empty() {
                    continue;
                }
                for gap in gaps() {
                    for read_before in [true, false] {
                        let what = format!("{} {question} {} {read_before}", host.id, gap.word());
                        let after = picture.with(at, |h| miss(&mut h.facts, &gap, read_before));
                        after.is_told(&picture, at, &what);
                        let document = after.document(at);
                        for field in fields(question) {
                            assert!(document[*field].is_null(), "{what}: {field} {}", document[*field]);
                        }
                        let detail = document["state_detail"].as_str().unwrap();
                        if question == SERVICES {
                            nobody_looked(&document, detail, &what);
                        } else {
                            assert!(detail.contains(question), "{what}");
                        }
                    }
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_gap_of_the_fleet_of_2013_is_ok() {
    no_gap_is_ok("wpd-2013").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_gap_of_the_fleet_of_2015_is_ok() {
    no_gap_is_ok("wpd-2015").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_gap_of_a_generated_fleet_is_ok() {
    no_gap_is_ok("big-30").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_state_of_a_connection_but_up_with_a_report_is_ok() {
    for picture in pictures("wpd-2015").await {
        for (at, host) in picture.hosts.iter().enumerate() {
            for state in states() {
                // Never, long ago, now.
                for reported in [None, Some(Moment(0)), host.reported_at] {
                    if state == LinkState::Up && reported == host.reported_at {
                        continue;
                    }
                    let mut before = picture.with(at, |_| {});
                    before.now = before.now.plus(Duration::from_secs(3600));
                    before.problems.clear();
                    let mut after = picture.with(at, |h| {
                        let hop = Some(Hop::Host(h.id.host.clone()));
                        h.link = Link { state, hop, ..h.link.clone() };
                        h.reported_at = reported;
                    });
                    // What was reported at the start is long ago.
                    if reported == Some(Moment(0)) {
                        after.now = before.now;
                        after.judged();
                    }
                    let what = format!("{} {} {reported:?}", host.id, state.word());
                    let document = after.document(at);
                    for field in [
                        "level",
                        "roles",
                        "os",
                        "uptime_s",
                        "load",
                        "memory",
                        "filesystems",
                        "replication",
                        "services",
                    ] {
                        assert!(document[field].is_null() || state == LinkState::Up, "{what}: {field}");
                    }
                    if state == LinkState::Pending {
                        // `gather` gives no pending host to anybody; a screen shows it as awaited.
                        assert!(!after.row(at).starts_with("ok"), "{what}");
                        continue;
                    }
                    after.is_told(&before, at, &what);
                    let roles = after.roles.iter().filter(|r| r.hosts.contains(&host.id.host));
                    assert_eq!(roles.count(), 0, "{what}: a role counts a host of which nothing is known");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_that_depend_on_a_host_nobody_could_read_are_unknown() {
    for picture in pictures("wpd-2015").await {
        for (at, host) in picture.hosts.iter().enumerate() {
            for gap in gaps().into_iter().filter(|gap| *gap != Gap::NotInstalled) {
                let after = picture.with(at, |h| miss(&mut h.facts.grains, &gap, false));
                let spec = after.env.host(&host.id.host).unwrap();
                for standing in after.roles.iter().filter(|r| spec.roles.contains(&r.role)) {
                    assert!(!standing.hosts.contains(&host.id.host), "{} {gap:?} {standing:?}", host.id);
                    let needed = standing.required.as_ref().map_or(0, |r| r.at_least);
                    let enough = standing.hosts.len() >= usize::try_from(needed).unwrap();
                    assert!(standing.state != RoleState::Ok || enough, "{standing:?}");
                }
            }
        }
    }
}

#[test]
fn unknown_is_an_exit_code_of_its_own() {
    let codes =
        [None, Some(Severity::Warning), Some(Severity::Critical), Some(Severity::Unknown)].map(exit_code);
    assert_eq!(codes, [0, 1, 2, 3]);
}

/// Makes one thing unknown within an answer that came.
type Forget = fn(&mut HostFacts);

fn server(facts: &mut HostFacts) -> &mut ServerStatus {
    facts.databases.known.as_mut().unwrap().value[0].server.as_mut().unwrap()
}

fn connection(facts: &mut HostFacts) -> &mut Connection {
    &mut server(facts).connections.as_mut().unwrap()[0]
}

/// What a replica's answer may leave open.
const FORGETS: [(&str, Forget); 11] = [
    ("the server", |f| f.databases.known.as_mut().unwrap().value[0].server = Err(Gap::TimedOut)),
    ("whether it is read-only", |f| server(f).read_only = None),
    ("its server id", |f| server(f).server_id = None),
    ("its connections", |f| server(f).connections = Err(Gap::NotPermitted("no".into()))),
    ("its replicas", |f| server(f).replicas = Err(Gap::NotPermitted("no".into()))),
    ("the binary log", |f| server(f).gaps.push(("binary log", Gap::TimedOut))),
    ("the IO thread", |f| connection(f).io = Thread::Unknown),
    ("the SQL thread", |f| connection(f).sql = Thread::Unknown),
    ("the lag", |f| connection(f).seconds_behind = None),
    ("whether it is encrypted", |f| connection(f).tls_verified = None),
    ("a filesystem", |f| {
        f.filesystems.known.as_mut().unwrap().value[0].usage =
            Err(Gap::Failed("df has no row for it".into()));
    }),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_answer_leaves_open_is_not_ok() {
    let picture = pictures("wpd-2015").await.remove(0);
    let at = picture.hosts.iter().position(|h| h.id.host.as_str() == "db2").unwrap();
    for (what, forget) in FORGETS {
        let after = picture.with(at, |h| forget(&mut h.facts));
        after.is_told(&picture, at, what);
        let document = after.document(at);
        let read: Vec<&Value> = document["replication"].as_array().unwrap().iter().collect();
        let field = match what {
            "whether it is read-only" => "read_only",
            "its server id" => "server_id",
            "the lag" => "lag_s",
            "whether it is encrypted" => "tls",
            _ => continue,
        };
        assert!(read.iter().all(|entry| entry[field].is_null()), "{what}: {document}");
    }
}

/// Fleet, 6: hosts that a problem of the environment names are not "ok" in the table.
#[tokio::test]
async fn a_host_named_by_a_problem_of_the_environment_is_not_ok() {
    let mut named = 0;
    for picture in pictures("wpd-2015").await {
        for (at, host) in picture.hosts.iter().enumerate() {
            let replicates = |h: &HostSnapshot| h.facts.databases.current().is_some_and(|d| !d.is_empty());
            if !replicates(host) {
                continue;
            }
            let after = picture.with(at, |h| {
                let mut databases = h.facts.databases.current().unwrap().clone();
                databases[0].server.as_mut().unwrap().read_only = Some(false);
                h.facts.databases.learn(databases, picture.now);
            });
            for problem in after.problems.iter().filter(|p| p.severity == Severity::Critical) {
                for at in
                    (0..after.hosts.len()).filter(|at| problem.named.contains(&after.hosts[*at].id.host))
                {
                    assert!(after.row(at).starts_with("CRIT"), "{}: {}", problem.message, after.row(at));
                    named += 1;
                }
            }
        }
    }
    assert!(named > 1, "no second master was found in any environment");
}

/// Behind a jump box that is down nobody was asked: that no host is up is not known.
#[tokio::test]
async fn behind_a_jump_box_that_is_down_hosts_are_not_counted_as_down() {
    let mut picture = pictures("wpd-2013").await.remove(0);
    let all = picture.hosts.len();
    assert!(table::render(&picture, false, None).contains(&format!(" of {all} hosts up")));
    Arc::make_mut(&mut picture.jump).link.state = LinkState::Unreachable;
    let table = table::render(&picture, false, None);
    assert!(table.lines().next().unwrap().contains(&format!("? of {all} hosts up")), "{table}");
}
