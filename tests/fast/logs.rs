//! `jumpdeck logs` as people and scripts meet it: the built program, on the simulated fleet and on real sshds with real files that
//! rotate, are cut, are missing, closed, binary, without end, and written faster than anybody reads.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::exec::{Ran, Site, command, ran};

mod programs;

const SOON: Duration = Duration::from_secs(60);

fn logs(arguments: &[&str]) -> Ran {
    let home = tempfile::tempdir().unwrap();
    ran(command(home.path(), &[&["logs"], arguments].concat()))
}

// ---- the simulated fleet --------------------------------------------------------------------------------------------

#[test]
fn the_simulated_fleet_has_logs_of_its_roles() {
    let ran = logs(&["--demo", "app1,db1-masterdb", "-n", "3", "--env", "production", "--format", "json"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    let objects: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = |host: &str, log: &str| {
        objects.iter().filter(|object| object["host"] == host && object["log"] == log).count()
    };
    for (host, log) in [
        ("app1", "/var/log/syslog"),
        ("app1", "/var/log/apache2/error.log"),
        ("db1-masterdb", "/var/log/syslog"),
        ("db1-masterdb", "/var/log/mysql/error.log"),
    ] {
        assert_eq!(count(host, log), 3, "{host} {log}: {}", ran.out);
    }
    let end = objects.last().unwrap();
    assert_eq!((&end["kind"], &end["lines"], &end["simulated"]), (&"end".into(), &12.into(), &true.into()));
    assert!(
        objects.iter().all(|object| object["kind"] == "end" || object["time_is"] == "line"),
        "{}",
        ran.out
    );
    let times: Vec<&str> = objects.iter().filter_map(|object| object["time"].as_str()).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn simulated_lines_are_filtered_there_and_what_is_missing_is_said() {
    let ran = logs(&["app1", "--demo", "--grep", "CRON|nothing", "-n", "5"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(
        lines[..lines.len() - 1].iter().all(|line| line.contains("CRON[") && line.contains(" app1:syslog "))
    );
    // A line that is written while they are read comes with them.
    let printed = lines.len() - 1;
    assert!((5..=7).contains(&printed), "{}", ran.out);
    assert_eq!(*lines.last().unwrap(), format!("-- SIMULATED production: 1 host, {printed} lines"));
    let none = logs(&["app1", "--demo", "--file", "/var/log/none"]);
    assert_eq!(none.code, Some(3), "{}", none.out);
    assert!(none.out.contains("-- app1:/var/log/none: not there"), "{}", none.out);
    let bad = logs(&["app1", "--demo", "--grep", "a("]);
    assert_eq!(bad.code, Some(3), "{}", bad.out);
    assert!(bad.out.contains("the pattern cannot be read there: grep: "), "{}", bad.out);
    let usage = |arguments: &[&str]| assert_eq!(logs(arguments).code, Some(2), "{arguments:?}");
    usage(&["--demo", "app1", "--file", "log"]);
    usage(&["--demo", "app1", "--since", "ten"]);
    usage(&["--demo", "nosuch"]);
    usage(&["--demo=big-500", "host:a"]);
}

// ---- real sshds -----------------------------------------------------------------------------------------------------

/// A `jumpdeck logs --follow` that is read line by line.
struct Following {
    child: Child,
    lines: Receiver<Value>,
}

impl Following {
    fn new(site: &Site, arguments: &[&str]) -> Self {
        let mut child = command_of(site, &[&["--follow", "--format", "json"], arguments].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines() {
                let Ok(line) = line else { break };
                if sender.send(serde_json::from_str(&line).unwrap()).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// The next object that is like this; those before it are given, too.
    fn until(&self, what: &str, is: impl Fn(&Value) -> bool) -> Vec<Value> {
        let end = Instant::now() + SOON;
        let mut seen = Vec::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(object) = self.lines.recv_timeout(left) else { panic!("no {what}: {seen:?}") };
            let found = is(&object);
            seen.push(object);
            if found {
                return seen;
            }
        }
    }

    fn until_line(&self, text: &str) -> Vec<Value> {
        self.until(text, |object| object["kind"] == "line" && object["text"] == text)
    }

    fn until_note(&self, text: &str) -> Vec<Value> {
        self.until(text, |object| object["kind"] == "note" && object["text"].as_str().unwrap().contains(text))
    }

    fn interrupt(mut self) -> (Option<i32>, Value) {
        kill_process(Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap(), Signal::INT).unwrap();
        let end = self.until("end", |object| object["kind"] == "end").pop().unwrap();
        (self.child.wait().unwrap().code(), end)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command_of(site: &Site, arguments: &[&str]) -> Command {
    let inventory = site.path("inventory.toml");
    let own = ["logs", "--inventory", inventory.to_str().unwrap()];
    command(site.dir.path(), &[&own, arguments].concat())
}

fn append(path: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(bytes).unwrap();
}

fn texts(objects: &[Value]) -> Vec<&str> {
    objects
        .iter()
        .filter(|object| object["kind"] == "line")
        .map(|object| object["text"].as_str().unwrap())
        .collect()
}

/// Processes whose command line or open files have to do with this path, except ours.
fn processes_with(path: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        if !name.bytes().all(|byte| byte.is_ascii_digit()) || name == std::process::id().to_string() {
            continue;
        }
        let command = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default().replace('\0', " ");
        let open = fs::read_dir(entry.path().join("fd")).into_iter().flatten().flatten();
        let holds = open.filter_map(|fd| fs::read_link(fd.path()).ok()).any(|target| target == path);
        if holds || command.contains(path.to_str().unwrap()) && !command.contains("jumpdeck logs") {
            found.push(command);
        }
    }
    found
}

#[test]
fn a_log_is_followed_by_name_while_it_rotates_is_cut_and_comes_anew() {
    let Some(site) = Site::new("") else { return };
    let log = site.path("app.log");
    fs::write(&log, "one\ntwo\nthree\n").unwrap();
    let following = Following::new(&site, &["one", "--file", log.to_str().unwrap(), "-n", "2"]);
    assert_eq!(texts(&following.until_line("three")), ["two", "three"]);
    append(&log, b"four\npart");
    assert_eq!(texts(&following.until_line("four")), ["four"]);
    append(&log, b"ial\n");
    assert_eq!(texts(&following.until_line("partial")), ["partial"], "a line is whole");

    // Rotated: what the old file still had comes first.
    append(&log, b"last of the old");
    fs::rename(&log, site.path("app.log.1")).unwrap();
    fs::write(&log, "first of the new\n").unwrap();
    let seen = following.until_line("first of the new");
    assert_eq!(texts(&seen), ["last of the old", "first of the new"], "{seen:?}");

    // Cut where it is, as copytruncate does.
    File::create(&log).unwrap();
    following.until_note("cut shorter");
    append(&log, b"after the cut\n");
    assert_eq!(texts(&following.until_line("after the cut")), ["after the cut"]);

    // Gone, and another one comes.
    fs::remove_file(&log).unwrap();
    following.until_note("not there");
    fs::write(&log, "a new one, and longer than the one before it was\n").unwrap();
    let seen = following.until_line("a new one, and longer than the one before it was");
    assert!(seen.iter().all(|object| object["host"] == "one"), "{seen:?}");

    // An end without a line end is a line, after a while.
    append(&log, b"no line end");
    following.until_line("no line end");
    let (code, end) = following.interrupt();
    assert_eq!((code, &end["interrupted"], &end["not_read"]), (Some(3), &true.into(), &Value::Array(vec![])));
    assert!(end["gaps"].as_u64().unwrap() >= 2, "{end}");
}

#[test]
fn whatever_a_line_holds_it_is_one_safe_line() {
    let Some(site) = Site::new("") else { return };
    let log = site.path("odd log");
    fs::write(&log, b"\x1b[2J\x07bell\n\0\xff\xfe\nit's $(touch /tmp/x)\n-- two: not read\n").unwrap();
    let ran = ran(command_of(&site, &["one", "--file", log.to_str().unwrap()]));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    let shown: Vec<&str> = ran
        .out
        .lines()
        .map(|line| line.split_once("one:odd log   ").map_or(line, |(_, text)| text))
        .collect();
    assert_eq!(
        shown,
        [
            "^[[2J^Gbell",
            "^@\u{fffd}\u{fffd}",
            "it's $(touch /tmp/x)",
            "-- two: not read",
            "-- test: 1 host, 4 lines"
        ]
    );
    let pattern = "it's $(touch";
    let found =
        command_of(&site, &["one", "--file", log.to_str().unwrap(), "--text", pattern]).output().unwrap();
    assert!(String::from_utf8(found.stdout).unwrap().contains("-- test: 1 host, 1 lines"));
}

#[test]
fn files_that_cannot_be_read_are_named_and_hide_no_other() {
    let Some(site) = Site::new("") else { return };
    let good = site.path("good.log");
    fs::write(&good, "fine\n").unwrap();
    let folder = site.path("folder");
    fs::create_dir(&folder).unwrap();
    let arguments =
        ["--file", good.to_str().unwrap(), "--file", folder.to_str().unwrap(), "--file", "/nowhere/x"];
    let ran = ran(command_of(&site, &[&["role:web"], &arguments[..]].concat()));
    assert_eq!(ran.code, Some(3), "{}", ran.out);
    for host in ["one", "two", "three"] {
        assert!(ran.out.contains(&format!("{host}:good.log")), "{}", ran.out);
        assert!(ran.out.contains(&format!("-- {host}:{}: is no file", folder.display())), "{}", ran.out);
        assert!(ran.out.contains(&format!("-- {host}:/nowhere/x: not there")), "{}", ran.out);
    }
}

#[test]
fn a_host_that_cannot_be_asked_is_named_with_hop_and_reason() {
    let Some(site) = Site::new("") else { return };
    let log = site.path("app.log");
    fs::write(&log, "there\n").unwrap();
    let Site { dir, jump, mut hosts } = site;
    drop(hosts.pop());
    let site = Site { dir, jump, hosts };
    let ran = ran(command_of(&site, &["role:web", "--file", log.to_str().unwrap()]));
    assert_eq!(ran.code, Some(3), "{}", ran.out);
    assert!(ran.out.contains("-- three: not read: host three: "), "{}", ran.out);
    assert!(ran.out.contains("3 hosts, 2 lines, 1 of them not read"), "{}", ran.out);
}

#[test]
fn a_line_without_end_and_a_flood_are_bounded_and_counted() {
    let Some(site) = Site::new("") else { return };
    let log = site.path("app.log");
    fs::write(&log, "begin\n").unwrap();
    let following = Following::new(&site, &["one", "--file", log.to_str().unwrap()]);
    following.until_line("begin");
    append(&log, &b"x".repeat(100 << 20));
    append(&log, b"\nafter the long one\n");
    let seen = following.until_line("after the long one");
    let shown: u64 = seen.iter().filter_map(|object| object["bytes_cut"].as_u64()).sum();
    assert!(
        shown > 0 && seen.iter().all(|object| object["text"].as_str().unwrap_or_default().len() <= 4200),
        "{shown}"
    );

    let flood: String = (0..400_000).map(|n| format!("line {n} of a flood that nobody can read\n")).collect();
    append(&log, flood.as_bytes());
    append(&log, b"after the flood\n");
    let seen = following.until("not_shown", |object| object["kind"] == "not_shown");
    let shown = texts(&seen).iter().filter(|text| text.contains("of a flood")).count() as u64;
    let missed = seen.last().unwrap()["lines"].as_u64().unwrap();
    append(&log, b"and on\n");
    let more = following.until_line("and on");
    let more_shown = texts(&more).iter().filter(|text| text.contains("flood")).count() as u64;
    let more_missed: u64 = more.iter().filter_map(|object| object["lines"].as_u64()).sum();
    assert_eq!(shown + missed + more_shown + more_missed, 400_001, "every line is shown or counted");
    let (code, end) = following.interrupt();
    assert_eq!((code, end["lines_not_shown"].as_u64()), (Some(0), Some(missed + more_missed)), "{end}");
}

#[test]
fn a_lost_connection_is_said_and_what_came_between_is_read() {
    let Some(site) = Site::new("") else { return };
    let log = site.path("app.log");
    fs::write(&log, "begin\n").unwrap();
    let following = Following::new(&site, &["one", "--file", log.to_str().unwrap()]);
    following.until_line("begin");
    site.hosts[0].signal_sessions("-KILL");
    append(&log, b"while it was away\n");
    let seen = following.until_line("while it was away");
    let notes: Vec<&str> = seen
        .iter()
        .filter(|object| object["kind"] == "note")
        .map(|object| object["text"].as_str().unwrap())
        .collect();
    assert!(notes.iter().any(|note| note.starts_with("connection lost at ")), "{seen:?}");
    following.until_note("what was written meanwhile is read now");
    let (code, _) = following.interrupt();
    assert_eq!(code, Some(0));
}

#[test]
fn nothing_is_left_on_the_host_when_the_operator_goes() {
    let Some(site) = Site::new("") else { return };
    let log = site.path("app.log");
    fs::write(&log, "begin\n").unwrap();
    for signal in [Signal::INT, Signal::KILL] {
        let following = Following::new(&site, &["role:web", "--file", log.to_str().unwrap()]);
        following.until_line("begin");
        let id = Pid::from_raw(i32::try_from(following.child.id()).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
        let mut following = following;
        following.child.wait().unwrap();
        let end = Instant::now() + SOON;
        loop {
            let left: Vec<String> = [processes_with(&log), shells(&site)].concat();
            if left.is_empty() {
                break;
            }
            assert!(Instant::now() < end, "{signal:?}: {left:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What runs below the sshds of the hosts.
fn shells(site: &Site) -> Vec<String> {
    let mut parents: Vec<u32> = site.hosts.iter().map(|host| host.child.id()).collect();
    let mut found = Vec::new();
    while let Some(parent) = parents.pop() {
        let children =
            fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
        for child in children.split_whitespace() {
            parents.push(child.parse().unwrap());
            found.push(fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default());
        }
    }
    found
}
