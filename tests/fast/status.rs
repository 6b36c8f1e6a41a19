//! `jumpdeck status` as scripts and people meet it: the real binary, its documents, its exit codes. What the simulated
//! fleet of 2013 shows is compared with the text it was written from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::storage::human_kb;
use jumpdeck_sim::sshd::SimFleet;
use jumpdeck_sim::world::universe::Universe;
use serde_json::Value;
use tempfile::TempDir;

const SEED: &str = include_str!("../fixtures/seeds/000_wpd-2013.txt");

struct Ran {
    out: String,
    err: String,
    code: i32,
}

impl Ran {
    fn documents(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.out.lines().map(parse).collect()
    }

    fn document(&self) -> Value {
        let mut all = self.documents();
        assert_eq!(all.len(), 1, "{}{}", self.out, self.err);
        all.remove(0)
    }
}

/// The binary in a home of its own: nothing of this machine's configuration, agent or keys.
fn command(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jumpdeck"));
    command.args(args).env_clear().env("HOME", home).env("USER", "ada").stdin(Stdio::null());
    command
}

fn run(home: &Path, args: &[&str]) -> Ran {
    let out = command(home, args).output().unwrap();
    Ran {
        out: String::from_utf8(out.stdout).unwrap(),
        err: String::from_utf8(out.stderr).unwrap(),
        code: out.status.code().expect("ended by itself"),
    }
}

fn status(args: &[&str]) -> Ran {
    let home = tempfile::tempdir().unwrap();
    run(home.path(), &[&["status"], args].concat())
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no text {key} in {value}"))
}

// ---- what the document of 2013 says --------------------------------------------------------------------------------

/// One host as the document of 2013 has it.
#[derive(Debug, Default)]
struct Seen {
    load: Vec<f64>,
    /// Mount → device, size, used, available, use.
    disks: BTreeMap<String, [String; 5]>,
}

/// A table of a kind of node: loads in the order of its nodes, `df` a node.
#[derive(Default)]
struct Table {
    node: String,
    loads: Vec<Vec<f64>>,
    disks: BTreeMap<String, BTreeMap<String, [String; 5]>>,
}

impl Table {
    fn hosts(self) -> Vec<(String, Seen)> {
        assert_eq!(self.loads.len(), self.disks.len(), "{}: a load for each df", self.node);
        let seen = |(load, (name, disks))| (name, Seen { load, disks });
        self.loads.into_iter().zip(self.disks).map(seen).collect()
    }
}

fn seed() -> BTreeMap<String, Seen> {
    let mut hosts = BTreeMap::new();
    let mut table: Option<Table> = None;
    let (mut wants_load, mut wants_df, mut host) = (false, false, String::new());
    for line in SEED.lines() {
        if let Some(rest) = line.strip_prefix("|+Node <tt>") {
            let node = rest.split("</tt>").next().unwrap().replace("[n]", "");
            host.clone_from(&node);
            table = Some(Table { node, ..Table::default() });
        }
        let Some(open) = &mut table else { continue };
        match line {
            "|}" => {
                let done = table.take().unwrap();
                hosts.extend(if done.disks.is_empty() { Vec::new() } else { done.hosts() });
                (wants_load, wants_df) = (false, false);
            }
            "|-" => wants_load = false,
            "|'''Load average:'''" => wants_load = true,
            "|'''Disk usage:'''" => wants_df = true,
            _ if wants_load => {
                let figures = line.trim_start_matches(['|', '*', ' ']);
                let load: Vec<f64> = figures
                    .split([',', ' '])
                    .filter(|f| !f.is_empty())
                    .map(|f| f.parse().unwrap_or_else(|_| panic!("{line}")))
                    .collect();
                if !load.is_empty() {
                    open.loads.push(load);
                }
            }
            _ if wants_df => match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["Filesystem", ..] | ["|"] | [] => {}
                [name] => host = name.strip_suffix(':').unwrap().to_owned(),
                [device, size, used, available, percent, mount] => {
                    let row = [device, size, used, available, percent].map(|w| (*w).to_owned());
                    open.disks.entry(host.clone()).or_default().insert((*mount).to_owned(), row);
                }
                other => panic!("{other:?}"),
            },
            _ => {}
        }
    }
    hosts
}

#[test]
fn every_figure_of_2013_is_the_document_s() {
    let ran = status(&["--demo", "wpd-2013", "--format", "json"]);
    let document = ran.document();
    let told: BTreeMap<&str, &Value> =
        document["hosts"].as_array().unwrap().iter().map(|h| (text(h, "name"), h)).collect();
    let seed = seed();
    assert_eq!(seed.len(), 19);
    assert_eq!(told.keys().copied().collect::<Vec<_>>(), seed.keys().map(String::as_str).collect::<Vec<_>>());

    let mut rows = 0;
    for (name, seen) in &seed {
        let host = told[name.as_str()];
        assert_eq!((text(host, "state"), &host["state_detail"]), ("up", &Value::Null), "{host}");
        let load = ["one", "five", "fifteen"].map(|k| host["load"][k].as_f64().unwrap());
        assert_eq!(load.as_slice(), seen.load, "{name}");

        let kb = |f: &Value, key: &str| human_kb(f[key].as_u64().unwrap_or_else(|| panic!("{key}: {f}")));
        let disks: BTreeMap<String, [String; 5]> = host["filesystems"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| {
                let row = [
                    text(f, "device").to_owned(),
                    kb(f, "size_kb"),
                    kb(f, "used_kb"),
                    kb(f, "available_kb"),
                    format!("{}%", f["use_percent"]),
                ];
                (text(f, "mount").to_owned(), row)
            })
            .collect();
        assert_eq!(disks, seen.disks, "{name}");
        rows += disks.len();
    }
    assert_eq!(rows, 46, "rows of df");
}

#[test]
fn the_full_disks_and_mixed_releases_of_2013_are_problems() {
    let ran = status(&["--demo", "wpd-2013", "--format", "json"]);
    let document = ran.document();
    let problems = document["problems"].as_array().unwrap();
    let of = |kind: &str| problems.iter().filter(|p| p["kind"] == kind).collect::<Vec<_>>();
    let full = of("disk");
    assert_eq!(full.len(), 2, "{problems:#?}");
    for (problem, mount) in full.iter().zip(["/mnt ", "/mnt/backup "]) {
        assert_eq!((text(problem, "severity"), text(problem, "host")), ("critical", "backup"));
        assert!(text(problem, "message").starts_with(&format!("{mount}100% full")), "{problem}");
    }
    let mixed = of("os_differs");
    assert_eq!(mixed.len(), 1, "{problems:#?}");
    for release in ["ubuntu 12.04", "ubuntu 10.04"] {
        assert!(text(mixed[0], "message").contains(release), "{}", mixed[0]);
    }
    assert_eq!(ran.code, 2);
    assert!(of("clock").is_empty(), "one clock there is: {problems:#?}");
}

// ---- the schema ----------------------------------------------------------------------------------------------------

/// What a field of the schema may hold.
#[derive(Debug, Clone, Copy)]
enum Is {
    Text,
    Number,
    Bool,
    List,
    Object,
    /// Any of these words.
    Word(&'static [&'static str]),
    /// Anything but `null`.
    Present,
    /// That, or `null`.
    Or(&'static Is),
}

impl Is {
    fn fits(self, value: &Value) -> bool {
        match self {
            Is::Text => value.is_string(),
            Is::Number => value.is_number(),
            Is::Bool => value.is_boolean(),
            Is::List => value.is_array(),
            Is::Object => value.is_object(),
            Is::Word(words) => value.as_str().is_some_and(|w| words.contains(&w)),
            Is::Present => !value.is_null(),
            Is::Or(is) => value.is_null() || is.fits(value),
        }
    }
}

use Is::{Bool, List, Number, Object, Or, Present, Text, Word};

type Fields = &'static [(&'static str, Is)];

const TEXT_OR_NULL: Is = Or(&Text);
const NUMBER_OR_NULL: Is = Or(&Number);
const BOOL_OR_NULL: Is = Or(&Bool);
const LIST_OR_NULL: Is = Or(&List);
const OBJECT_OR_NULL: Is = Or(&Object);
const STATE: Is = Word(&[
    "up",
    "unreachable",
    "timed_out",
    "no_algorithm",
    "not_usable",
    "auth_failed",
    "host_key_unknown",
    "host_key_changed",
    "host_key_refused",
    "identity_mismatch",
    "pending",
]);
const THREAD: Is = Or(&Word(&["running", "connecting", "stopped", "unknown"]));

const ROOT: Fields = &[
    ("schema", Number),
    ("taken_at", Text),
    ("environment", Text),
    ("simulated", Bool),
    ("jump", Object),
    ("hosts", List),
    ("outside", List),
    ("roles", List),
    ("problems", List),
];
const OUTSIDE: Fields = &[
    ("name", Text),
    ("kind", Word(&["site", "closed_port", "relay", "dns", "reverse"])),
    ("from", Word(&["here", "jump"])),
    ("target", Text),
    ("state", Word(&["ok", "warning", "critical", "unknown"])),
    ("detail", Text),
    ("age_ms", NUMBER_OR_NULL),
    ("status", NUMBER_OR_NULL),
    ("took_ms", NUMBER_OR_NULL),
    ("ends_at", TEXT_OR_NULL),
    ("open", BOOL_OR_NULL),
    ("relays", BOOL_OR_NULL),
    ("certificates", LIST_OR_NULL),
    ("replies", LIST_OR_NULL),
    ("addresses", LIST_OR_NULL),
    ("errors", List),
];
const REPLY: Fields = &[
    ("server", Text),
    ("said", Word(&["answers", "no_such_name", "no_record", "elsewhere", "failed", "not_asked"])),
    ("values", List),
    ("alias", TEXT_OR_NULL),
    ("ttl_seconds", NUMBER_OR_NULL),
    ("error", TEXT_OR_NULL),
];
const ADDRESS: Fields = &[
    ("address", Text),
    ("names", List),
    ("state", Word(&["confirmed", "missing", "other_name", "not_back", "unknown"])),
    ("error", TEXT_OR_NULL),
];
const CERTIFICATE: Fields = &[
    ("host", Text),
    ("names", List),
    ("for_host", Bool),
    ("issuer", Text),
    ("chain", Number),
    ("trusted", BOOL_OR_NULL),
    ("seconds_left", Number),
];
const JUMP: Fields = &[
    ("name", Text),
    ("address", Text),
    ("state", STATE),
    ("state_detail", TEXT_OR_NULL),
    ("rtt_ms", NUMBER_OR_NULL),
    ("banner", List),
    ("second", OBJECT_OR_NULL),
];
const HOST: Fields = &[
    ("name", Text),
    ("address", Text),
    ("state", STATE),
    ("state_detail", TEXT_OR_NULL),
    ("age_ms", NUMBER_OR_NULL),
    ("level", TEXT_OR_NULL),
    ("roles", LIST_OR_NULL),
    ("os", TEXT_OR_NULL),
    ("uptime_s", NUMBER_OR_NULL),
    ("load", Or(&Object)),
    ("memory", Or(&Object)),
    ("filesystems", LIST_OR_NULL),
    ("replication", LIST_OR_NULL),
    ("database_files", LIST_OR_NULL),
    ("upkeep", OBJECT_OR_NULL),
    ("services", LIST_OR_NULL),
    ("problems", List),
];
const UPKEEP: Fields = &[
    ("security_updates", NUMBER_OR_NULL),
    ("updates", NUMBER_OR_NULL),
    ("updates_from", TEXT_OR_NULL),
    ("lists_age_s", NUMBER_OR_NULL),
    ("reboot_required", BOOL_OR_NULL),
    ("reboot_reason", TEXT_OR_NULL),
    ("failed_units", LIST_OR_NULL),
    ("oom_kills", NUMBER_OR_NULL),
    ("read_only_mounts", LIST_OR_NULL),
    ("logged_in", LIST_OR_NULL),
    ("clock_keeper", TEXT_OR_NULL),
    ("states_age_s", NUMBER_OR_NULL),
    ("daily_jobs_age_s", NUMBER_OR_NULL),
    ("support_ends", TEXT_OR_NULL),
    ("errors", List),
];
const LOAD: Fields = &[("one", Number), ("five", Number), ("fifteen", Number), ("cpus", NUMBER_OR_NULL)];
const MEMORY: Fields = &[
    ("total_kb", Number),
    ("available_kb", Number),
    ("cache_unread", Bool),
    ("swap_total_kb", Number),
    ("swap_free_kb", Number),
];
const FILESYSTEM: Fields = &[
    ("device", Text),
    ("mount", Text),
    ("fstype", TEXT_OR_NULL),
    ("size_kb", NUMBER_OR_NULL),
    ("used_kb", NUMBER_OR_NULL),
    ("available_kb", NUMBER_OR_NULL),
    ("use_percent", NUMBER_OR_NULL),
    ("inodes_use_percent", NUMBER_OR_NULL),
    ("growth_kb_per_day", NUMBER_OR_NULL),
    ("full_in_days", NUMBER_OR_NULL),
    ("remote", Bool),
    ("deleted", OBJECT_OR_NULL),
    ("errors", List),
];
const REPLICATION: Fields = &[
    ("engine", Word(&["mariadb", "mysql"])),
    ("version", TEXT_OR_NULL),
    ("role", Word(&["master", "replica", "standalone", "member", "unknown"])),
    ("connection", TEXT_OR_NULL),
    ("source", TEXT_OR_NULL),
    ("io", THREAD),
    ("sql", THREAD),
    ("lag_s", NUMBER_OR_NULL),
    ("delay_s", NUMBER_OR_NULL),
    ("tls", BOOL_OR_NULL),
    ("tls_detail", TEXT_OR_NULL),
    ("read_only", BOOL_OR_NULL),
    ("writable", BOOL_OR_NULL),
    ("cluster", OBJECT_OR_NULL),
    ("activity", OBJECT_OR_NULL),
    ("gtid", TEXT_OR_NULL),
    ("server_id", NUMBER_OR_NULL),
    ("replicas", LIST_OR_NULL),
    ("errors", List),
];
const REPLICA: Fields = &[("server_id", Number), ("host", TEXT_OR_NULL), ("port", NUMBER_OR_NULL)];
const SERVICE: Fields = &[
    ("name", Text),
    ("state", Word(&["ok", "degraded", "down", "unknown"])),
    ("detail", Text),
    ("age_ms", NUMBER_OR_NULL),
    ("readings", LIST_OR_NULL),
    ("perfdata", LIST_OR_NULL),
    ("errors", List),
];
const READING: Fields = &[("name", Text), ("value", Present), ("of", NUMBER_OR_NULL), ("unit", TEXT_OR_NULL)];
const ROLE: Fields = &[
    ("role", Text),
    ("required", TEXT_OR_NULL),
    ("found", Number),
    ("hosts", List),
    ("unknown", List),
    ("state", Word(&["ok", "unmet", "unknown", "free"])),
];
const PERFDATA: Fields = &[
    ("label", Text),
    ("value", Number),
    ("unit", Text),
    ("warning", TEXT_OR_NULL),
    ("critical", TEXT_OR_NULL),
    ("min", NUMBER_OR_NULL),
    ("max", NUMBER_OR_NULL),
];
const PROBLEM: Fields = &[
    ("severity", Word(&["warning", "unknown", "critical"])),
    ("host", TEXT_OR_NULL),
    ("hosts", List),
    ("kind", Text),
    ("service", TEXT_OR_NULL),
    ("message", Text),
    ("owner", TEXT_OR_NULL),
    ("docs", TEXT_OR_NULL),
    ("runbook", TEXT_OR_NULL),
];

fn holds(value: &Value, fields: Fields) {
    let keys: BTreeSet<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, fields.iter().map(|(key, _)| *key).collect::<BTreeSet<_>>(), "{value}");
    for (key, is) in fields {
        assert!(is.fits(&value[key]), "{key} is no {is:?}: {value}");
    }
}

fn each<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

fn all_hold(value: &Value, key: &str, fields: Fields) {
    each(value, key).for_each(|v| holds(v, fields));
}

/// Holds a document against schema 1.
fn schema(document: &Value) {
    holds(document, ROOT);
    assert_eq!(document["schema"], 1);
    let taken: jiff::Timestamp = text(document, "taken_at").parse().expect("RFC 3339");
    assert!(text(document, "taken_at").ends_with('Z'), "UTC");
    assert!(taken.duration_until(jiff::Timestamp::now()).as_secs() < 600, "{taken}");
    holds(&document["jump"], JUMP);
    all_hold(document, "outside", OUTSIDE);
    for (key, fields) in [("certificates", CERTIFICATE), ("replies", REPLY), ("addresses", ADDRESS)] {
        each(document, "outside").for_each(|seen| all_hold(seen, key, fields));
    }
    all_hold(document, "roles", ROLE);
    all_hold(document, "problems", PROBLEM);
    for host in each(document, "hosts") {
        holds(host, HOST);
        for (key, fields) in [("load", LOAD), ("memory", MEMORY), ("upkeep", UPKEEP)] {
            if !host[key].is_null() {
                holds(&host[key], fields);
            }
        }
        all_hold(host, "filesystems", FILESYSTEM);
        all_hold(host, "services", SERVICE);
        each(host, "services").for_each(|s| all_hold(s, "readings", READING));
        each(host, "services").for_each(|s| all_hold(s, "perfdata", PERFDATA));
        all_hold(host, "replication", REPLICATION);
        each(host, "replication").for_each(|r| all_hold(r, "replicas", REPLICA));
        all_hold(host, "problems", PROBLEM);
        let told: Vec<&Value> = each(document, "problems").filter(|p| p["host"] == host["name"]).collect();
        assert_eq!(told, each(host, "problems").collect::<Vec<_>>(), "its part of the problems");
        if host["state"] != "up" {
            assert!(host["state_detail"].is_string(), "why: {host}");
            for (key, _) in &HOST[5..15] {
                assert!(host[key].is_null(), "{key} of a host that does not answer: {host}");
            }
        }
    }
    let rank = |p: &Value| ["critical", "unknown", "warning"].iter().position(|s| *s == p["severity"]);
    let ranks: Vec<_> = each(document, "problems").map(rank).collect();
    assert!(ranks.is_sorted(), "worst first: {ranks:?}");
}

#[test]
fn the_services_of_a_host_have_their_state_their_readings_and_their_age() {
    let ran = status(&["--demo", "wpd-2015", "--env", "production", "--format", "json"]);
    let document = ran.document();
    schema(&document);
    let named = |line: &Value| line.as_str().unwrap().contains("level: PRODUCTION");
    assert!(each(&document["jump"], "banner").any(named), "{}", document["jump"]);
    let mut with = Vec::new();
    for host in each(&document, "hosts").filter(|host| !host["services"].is_null()) {
        for service in each(host, "services") {
            let name = text(service, "name");
            with.push(format!("{} {name}", text(host, "name")));
            assert_eq!(text(service, "state"), "ok", "{host}");
            assert!(service["age_ms"].as_u64().is_some_and(|age| age < 60_000), "{service}");
            let reading = |name: &str| each(service, "readings").find(|r| r["name"] == name).unwrap().clone();
            match name {
                "code-trees" => {
                    ["trees", "uncommitted", "unpushed"].into_iter().for_each(|name| drop(reading(name)))
                }
                "salt-minions" => assert_eq!(text(service, "detail"), "25 accepted, 25 connected"),
                "nfs-server" => assert_eq!(reading("exports")["value"], 1),
                "elasticsearch" => assert_eq!(reading("status")["value"], "green"),
                "exim" => ["queue", "frozen", "late"].into_iter().for_each(|name| drop(reading(name))),
                "memcached" => ["hits", "memory", "clients"].into_iter().for_each(|name| drop(reading(name))),
                "postfix" => ["queue", "oldest", "reason"].into_iter().for_each(|name| drop(reading(name))),
                "redis" => {
                    assert_eq!(text(service, "detail"), "5.0.14, master");
                    let memory = reading("memory");
                    assert_eq!((memory["of"].as_u64(), text(&memory, "unit")), (Some(512 << 20), "bytes"));
                    assert!(memory["value"].as_u64().is_some_and(|used| used > 800_000), "{memory}");
                    assert_eq!(reading("evicted")["value"], 0);
                    assert_eq!(reading("password")["value"], false);
                }
                "check jobs" => {
                    let figure = each(service, "perfdata").next().unwrap();
                    assert!(figure["value"].as_f64().is_some_and(|jobs| jobs < 5000.0), "{figure}");
                    assert_eq!(figure["critical"], "over 50000");
                }
                backup if backup.starts_with("backup ") => {
                    ["newest", "age", "size"].into_iter().for_each(|name| drop(reading(name)));
                }
                _ => assert!(text(service, "detail").starts_with("process "), "{service}"),
            }
        }
    }
    for wanted in [
        "app1-jobrunner check jobs",
        "app3 apache",
        "backup backup databases",
        "elastic elasticsearch",
        "hhvmbackend1 hhvm",
        "mail opendkim",
        "mail postfix",
        "memcache1 memcached",
        "nginx1 nginx",
        "piwik php-fpm",
        "redis-alpha1 redis",
        "salt gdnsd",
        "salt salt-master",
        "sessions1 memcached",
        "sessions1 redis",
    ] {
        assert!(with.iter().any(|service| service == wanted), "{wanted}: {with:?}");
    }
}

#[test]
fn what_is_seen_from_outside_has_its_place_its_age_and_what_was_seen() {
    let document = status(&["--demo", "wpd-2015", "--env", "production", "--format", "json"]).document();
    schema(&document);
    let seen = |name: &str, from: &str| -> Value {
        let mut all = each(&document, "outside").filter(|o| o["name"] == name && o["from"] == from);
        all.next().unwrap_or_else(|| panic!("{name} from {from}: {}", document["outside"])).clone()
    };
    for from in ["here", "jump"] {
        let www = seen("www.webplatform.org", from);
        assert_eq!((text(&www, "state"), &www["status"]), ("ok", &Value::from(200)), "{www}");
        assert_eq!(www["ends_at"], "https://www.webplatform.org/");
        assert!(www["age_ms"].as_u64().is_some_and(|age| age < 60_000), "{www}");
        let certificate = &www["certificates"][0];
        assert_eq!(
            (&certificate["trusted"], &certificate["for_host"]),
            (&Value::from(true), &Value::from(true))
        );
    }
    let closed = each(&document, "outside").filter(|o| o["kind"] == "closed_port");
    assert!(closed.map(|o| assert_eq!(o["open"], false, "{o}")).count() >= 4);
    assert_eq!(seen("mail.webplatform.org relay", "here")["relays"], false);
    let mail = seen("mail.webplatform.org reverse", "here");
    let address = &mail["addresses"][0];
    assert_eq!(
        (&mail["state"], &address["state"]),
        (&Value::from("ok"), &Value::from("confirmed")),
        "{mail}"
    );
    assert_eq!(address["names"][0], "mail.webplatform.org");
    for (name, from) in [("www.webplatform.org A", "here"), ("masterdb.production.wpdn A", "jump")] {
        let dns = seen(name, from);
        let reply = &dns["replies"][0];
        assert_eq!((&dns["state"], &dns["target"]), (&Value::from("ok"), &Value::from(name)), "{dns}");
        assert_eq!((&reply["said"], &reply["error"]), (&Value::from("answers"), &Value::Null), "{dns}");
        assert!(reply["ttl_seconds"].as_u64().is_some_and(|ttl| ttl > 0), "{dns}");
    }
    assert_eq!(seen("www.webplatform.org A", "here")["replies"][0]["values"][0], "192.0.2.80");
}

#[test]
fn every_environment_is_a_document_of_schema_1_on_its_own_line() {
    let ran = status(&["--demo", "wpd-2015", "--all", "--format", "json"]);
    let documents = ran.documents();
    let names: Vec<&str> = documents.iter().map(|d| text(d, "environment")).collect();
    assert_eq!(names, ["production", "staging", "secondary"]);
    documents.iter().for_each(schema);
    assert!(documents.iter().all(|d| d["simulated"] == true));
    assert!(documents.iter().flat_map(|d| each(d, "hosts")).any(|h| each(h, "replication").count() > 0));
    assert_eq!(ran.code, 1, "production warns: {}", ran.err);
    schema(&status(&["--demo", "wpd-2013", "--format", "json"]).document());
}

#[test]
fn staging_is_well_and_production_warns() {
    let staging = status(&["--demo", "wpd-2015", "--env", "staging", "--format", "json"]);
    let document = staging.document();
    let kinds: Vec<&str> = each(&document, "problems").map(|p| text(p, "kind")).collect();
    // Its system is of 2014, and nobody mends that any more.
    assert_eq!((staging.code, kinds), (1, vec!["os_support"]), "{}", staging.out);
    let production = status(&["--demo", "wpd-2015", "--env", "production"]);
    assert_eq!(production.code, 1, "{}", production.out);
    assert!(production.out.contains("WARN"), "{}", production.out);
    let both = status(&["--demo", "wpd-2015", "--env", "secondary", "--env", "staging", "--format", "json"]);
    let documents = both.documents();
    let names: Vec<&str> = documents.iter().map(|d| text(d, "environment")).collect();
    assert_eq!(names, ["secondary", "staging"], "as asked");
}

#[test]
fn an_environment_that_is_not_there_ends_with_the_names_of_those_that_are() {
    let ran = status(&["--demo", "wpd-2015", "--env", "prodution", "--format", "json"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    for name in ["\"prodution\"", "production", "staging", "secondary"] {
        assert!(ran.err.contains(name), "{}", ran.err);
    }
    let ran = status(&["--demo", "nowhere"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("wpd-2015"), "{}", ran.err);
    assert_eq!(status(&[]).code, 2, "no inventory at all");
    assert_eq!(status(&["--demo", "--timeout", "0"]).code, 2);
}

#[test]
fn the_table_in_a_pipe_has_no_escapes() {
    let home = tempfile::tempdir().unwrap();
    for (key, value) in [("NO_COLOR", "1"), ("TERM", "xterm-256color")] {
        let out = command(home.path(), &["status", "--demo", "wpd-2013"]).env(key, value).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        let control = |c: &char| c.is_control() && *c != '\n';
        assert_eq!(text.chars().filter(control).count(), 0, "{text:?}");
        assert!(text.contains("SIMULATED") && text.contains("19 of 19 hosts up"), "{text}");
        assert!(text.contains("100% /mnt"), "{text}");
    }
}

// ---- inventories ---------------------------------------------------------------------------------------------------

/// A folder with an inventory in it, and the simulated fleet of 2015's staging, on a system of today, served on loopback.
struct Site {
    home: TempDir,
    _runtime: tokio::runtime::Runtime,
    _listening: jumpdeck_sim::sshd::Listening,
    known_hosts: String,
    port: u16,
    hosts: Vec<String>,
}

impl Site {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let universe = Universe::load("wpd-2015", 7).unwrap();
        let staging = EnvName::new("staging").unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (_, world) = universe.environments.iter().find(|(name, _)| *name == staging).unwrap();
        {
            let mut world = world.lock().unwrap();
            let hosts: Vec<HostName> = world.machines().map(|machine| machine.name.clone()).collect();
            assert!(hosts.iter().all(|host| world.install_system(host, "debian 12")));
        }
        let servers = SimFleet::start(&universe);
        let listening = runtime.block_on(servers.listen(&staging, "127.0.0.1:0".parse().unwrap())).unwrap();
        let key = home.path().join("key");
        fs::write(&key, servers.client_key()).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let fleet = universe.fleet(|env| servers.access(env));
        let env = fleet.environments.iter().find(|e| e.name == staging).unwrap();
        Self {
            known_hosts: format!("{}\n{}", listening.known_hosts, servers.known_hosts(&staging)),
            port: listening.address.port(),
            hosts: env.hosts.iter().map(|h| h.id.host.to_string()).collect(),
            home,
            _runtime: runtime,
            _listening: listening,
        }
    }

    /// `jumpdeck status --format json` over TCP, with these known host keys and more text in the inventory.
    fn status(&self, known_hosts: &str, more: &str) -> Ran {
        let home = self.home.path();
        fs::write(home.join("known_hosts"), known_hosts).unwrap();
        let hosts: String = self.hosts.iter().map(|h| format!("{h} = {{}}\n")).collect();
        let (known, key) = (home.join("known_hosts"), home.join("key"));
        let inventory = format!(
            "user = \"root\"\nagent = false\nkeys = [{key:?}]\nknown_hosts = [{known:?}]\n{more}\n\
             [environments.staging]\njump = {{ address = \"127.0.0.1\", port = {} }}\n\
             [environments.staging.hosts]\n{hosts}",
            self.port
        );
        let path = home.join("inventory.toml");
        fs::write(&path, inventory).unwrap();
        run(home, &["status", "--format", "json", "--inventory", path.to_str().unwrap()])
    }
}

#[test]
fn an_inventory_of_well_hosts_ends_with_0_and_lower_thresholds_with_1_and_2() {
    let site = Site::new();
    let ran = site.status(&site.known_hosts, "");
    let document = ran.document();
    schema(&document);
    assert_eq!((ran.code, &document["simulated"]), (0, &Value::Bool(false)), "{}", document["problems"]);
    assert_eq!(document["jump"]["state"], "up");

    let ran = site.status(&site.known_hosts, "[thresholds]\ndisk = { warning = 1, critical = 95 }");
    let document = ran.document();
    assert_eq!(ran.code, 1, "{}", document["problems"]);
    assert!(each(&document, "problems").all(|p| p["kind"] == "disk" && p["severity"] == "warning"));

    let ran = site.status(&site.known_hosts, "[thresholds]\ndisk = { warning = 1, critical = 2 }");
    assert_eq!(ran.code, 2, "{}", ran.document()["problems"]);
}

#[test]
fn a_host_key_nobody_knows_is_refused_and_ends_with_3() {
    let site = Site::new();
    let one = &site.hosts[1];
    let without: String = site
        .known_hosts
        .lines()
        .filter(|l| l.split(' ').next().unwrap().split(',').all(|n| n != one))
        .map(|l| format!("{l}\n"))
        .collect();
    assert_ne!(without.lines().count(), site.known_hosts.lines().count());
    let ran = site.status(&without, "default_requirements = false");
    let document = ran.document();
    schema(&document);
    for host in each(&document, "hosts") {
        let state = if host["name"] == one.as_str() { "host_key_unknown" } else { "up" };
        assert_eq!(host["state"], state, "{host}");
    }
    assert_eq!(ran.code, 3, "{}", document["problems"]);
}

/// Ends the program however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

#[test]
fn sim_listens_and_a_jump_box_nobody_knows_is_not_taken_for_well() {
    let home = tempfile::tempdir().unwrap();
    let mut sim = command(home.path(), &["sim", "--listen", "127.0.0.1:0", "wpd-2013"]);
    let mut sim = Running(sim.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(sim.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    assert!(first.contains("SIMULATED wpd-2013 production"), "{first}");
    let port = first.split("port ").nth(1).unwrap().split(';').next().unwrap().to_owned();
    let fingerprint = lines.next().unwrap().split_whitespace().last().unwrap().to_owned();
    let line = lines.next().unwrap().strip_prefix("known_hosts").unwrap().trim().to_owned();

    let known = home.path().join("known_hosts");
    fs::write(&known, "").unwrap();
    let inventory = home.path().join("inventory.toml");
    let text_of = format!(
        "user = \"root\"\nagent = false\nknown_hosts = [{known:?}]\n[environments.production]\n\
         jump = {{ name = \"deployment\", address = \"127.0.0.1\", port = {port} }}\n\
         [environments.production.hosts]\napp1 = {{}}\n"
    );
    fs::write(&inventory, text_of).unwrap();
    let args = ["status", "--format", "json", "--inventory", inventory.to_str().unwrap()];
    let ran = run(home.path(), &args);
    let document = ran.document();
    schema(&document);
    assert_eq!(document["jump"]["state"], "host_key_unknown", "{}", document["jump"]);
    assert!(text(&document["jump"], "state_detail").contains(&fingerprint), "{}", document["jump"]);
    assert_ne!(ran.code, 0);
    assert_eq!(fs::read_to_string(&known).unwrap(), "", "nobody accepted it");

    // Known, and no key to log in with: a login refused, not a key unknown.
    fs::write(&known, format!("{line}\n")).unwrap();
    let ran = run(home.path(), &args);
    assert_eq!(ran.document()["jump"]["state"], "auth_failed", "{}", ran.out);
}

#[test]
fn a_jump_box_that_refuses_is_critical_and_its_hosts_are_unknown() {
    let home = tempfile::tempdir().unwrap();
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let inventory = home.path().join("inventory.toml");
    let text_of = format!(
        "default_requirements = false\n[environments.production]\njump = {{ address = \"127.0.0.1\", port = {port} }}\n\
         [environments.production.hosts]\napp1 = {{}}\ndb1 = {{}}\n"
    );
    fs::write(&inventory, text_of).unwrap();
    let ran = run(home.path(), &["status", "--format", "json", "--inventory", inventory.to_str().unwrap()]);
    let document = ran.document();
    schema(&document);
    assert_eq!((ran.code, text(&document["jump"], "state")), (2, "unreachable"));
    assert!(document["jump"]["rtt_ms"].is_null());
    assert_eq!(
        each(&document, "problems").count(),
        1,
        "one problem, not one a host: {}",
        document["problems"]
    );
    for host in each(&document, "hosts") {
        assert_eq!(text(host, "state"), "unreachable");
        assert!(text(host, "state_detail").contains("jump box"), "{host}");
    }
    let ran = run(home.path(), &["status", "--inventory", inventory.to_str().unwrap()]);
    assert_eq!(ran.code, 2);
    assert!(ran.out.contains("? of 2 hosts up"), "{}", ran.out);
}

#[test]
fn a_jump_box_that_says_nothing_is_given_up_after_the_timeout() {
    let home = tempfile::tempdir().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let inventory = home.path().join("inventory.toml");
    let text_of = format!(
        "[environments.production]\njump = {{ address = \"127.0.0.1\", port = {} }}\n\
         [environments.production.hosts]\napp1 = {{}}\n",
        silent.local_addr().unwrap().port()
    );
    fs::write(&inventory, text_of).unwrap();
    let path = inventory.to_str().unwrap();
    let begun = Instant::now();
    let ran = run(home.path(), &["status", "--format", "json", "--timeout", "0.5", "--inventory", path]);
    let took = begun.elapsed();
    let document = ran.document();
    schema(&document);
    assert_eq!(text(&document["jump"], "state"), "timed_out");
    assert!(text(&document["jump"], "state_detail").contains("0.5 s"), "{}", document["jump"]);
    assert!(took >= Duration::from_millis(500) && took < Duration::from_secs(5), "{took:?}");
    assert_eq!(ran.code, 2, "{}", document["problems"]);
}
