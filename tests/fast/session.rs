//! Maintenance sessions: the built program, two people, one jump box of a simulated fleet that is reached over SSH.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::exec::{Ran, command, ran};
use crate::inventory::Site;

mod story;

/// Somebody with a state folder of their own.
struct Operator<'s> {
    site: &'s Site,
    who: &'static str,
    /// A machine, a key and an inventory of their own; else those of the site are shared.
    own: Option<tempfile::TempDir>,
}

impl<'s> Operator<'s> {
    fn new(site: &'s Site, who: &'static str) -> Self {
        Self { site, who, own: None }
    }

    /// The same with a machine, a key and an inventory of their own.
    fn with_home(site: &'s Site, who: &'static str, hosts: &str) -> Self {
        Self { site, who, own: Some(site.another_home(hosts)) }
    }

    fn home(&self) -> &Path {
        self.own.as_ref().unwrap_or(&self.site.home).path()
    }

    fn state(&self) -> PathBuf {
        self.home().join(format!("state-of-{}", self.who))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.program(&[&["session"], arguments].concat())
    }

    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = command(self.home(), arguments);
        command.env("JUMPDECK_WHO", format!("{}@desk", self.who)).env("XDG_STATE_HOME", self.state());
        command
    }

    fn try_to(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments))
    }

    /// Does it, and gives what was printed.
    fn session(&self, arguments: &[&str]) -> String {
        let ran = self.try_to(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}{}", ran.out, ran.err);
        ran.out
    }

    /// Does something else.
    fn done(&self, arguments: &[&str]) {
        let ran = ran(self.program(arguments));
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}{}", ran.out, ran.err);
    }

    fn refused(&self, arguments: &[&str], code: i32, says: &str) {
        let ran = self.try_to(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(says), "{arguments:?}: {}", ran.err);
    }

    fn report(&self, id: &str) -> Value {
        serde_json::from_str(&self.session(&["report", id, "--format", "json"])).unwrap()
    }
}

/// The name of the session that a line names.
fn id_of(said: &str) -> String {
    let after = said.split("session ").nth(1).unwrap_or_else(|| panic!("{said}"));
    after.split_whitespace().next().unwrap().to_owned()
}

fn site() -> Site {
    let site = Site::start();
    site.write("app1 = {}\ndb2 = {}\n");
    site
}

fn texts(report: &Value, kind: &str) -> Vec<String> {
    let of_kind = report["entries"].as_array().unwrap().iter().filter(|one| one["kind"] == kind);
    of_kind
        .map(|one| format!("{}: {}", one["who"].as_str().unwrap(), one["lines"][0].as_str().unwrap()))
        .collect()
}

#[test]
fn two_people_one_record_handed_over_and_ended() {
    let site = site();
    let (anna, bob) = (Operator::new(&site, "anna"), Operator::new(&site, "bob"));
    bob.refused(&["join"], 1, "no session of production is under way");
    anna.refused(&["note", "x"], 1, "takes part in no session of production");
    let said = anna.session(&[
        "start",
        "--reason",
        "upgrade the databases \u{1b}[2J",
        "--ticket",
        "OPS-12",
        "--with",
        "anna,bob",
        "--for",
        "2h",
    ]);
    assert!(
        said.contains("of production until ") && said.contains("upgrade the databases ^[[2J (OPS-12)"),
        "{said}"
    );
    let id = id_of(&said);

    // One session an environment: the second sees whose it is and how to join it.
    bob.refused(
        &["start", "--reason", "mine", "--for", "1h"],
        1,
        &format!("production has a session already: \"upgrade the databases ^[[2J\" by anna@desk ({id}); join it: jumpdeck session join {id} --env production"),
    );
    assert!(fs::read_dir(bob.state().join("jumpdeck/sessions/production")).unwrap().next().is_none());
    assert!(bob.session(&["list"]).contains(&id), "who does not take part sees it, too");

    assert!(bob.session(&["join"]).starts_with("you joined: session "));
    assert!(bob.session(&["join"]).starts_with("you take part already"));
    bob.session(&["note", "# db2", "is", "ready <script>"]);
    let mut typed = anna.command(&["note"]);
    typed.stdin(Stdio::piped());
    let mut child = typed.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"first line\n\n* second\n").unwrap();
    assert!(child.wait().unwrap().success());

    // Each sees what the other wrote.
    let seen = anna.session(&["show"]);
    assert!(seen.contains("bob@desk: # db2 is ready") && seen.contains("* second"), "{seen}");
    anna.session(&["handover", "bob"]);
    let waiting = anna.report(&id);
    assert_eq!((&waiting["lead"], &waiting["handed_to"]), (&"anna@desk".into(), &"bob".into()));
    assert!(bob.session(&["join"]).starts_with("you lead it from here on"));

    bob.refused(&["end"], 7, "say --yes");
    assert!(
        bob.session(&["end", "--yes", "--env", "production", "--reason", "all well"])
            .starts_with("ended; its report")
    );
    bob.refused(&["note", "late"], 1, "takes part in no session");
    let report = anna.report(&id);
    assert_eq!(
        (&report["lead"], &report["ended_by"], &report["end_reason"], &report["troubles"]),
        (&"bob@desk".into(), &"bob@desk".into(), &"all well".into(), &Value::Array(Vec::new()))
    );
    assert_eq!(texts(&report, "note"), ["bob@desk: # db2 is ready <script>", "anna@desk: first line"]);
    assert_eq!(report["entries"], bob.report(&id)["entries"], "both have the same record");

    let markdown = anna.session(&["report", &id]);
    for wanted in [
        "# Maintenance of production: upgrade the databases",
        "| ticket | OPS-12 |",
        "| led by | bob@desk |",
        "> # db2 is ready \\<script>",
        "> * second",
        "hands over to bob, who confirms by joining",
    ] {
        assert!(markdown.contains(wanted), "{wanted}: {markdown}");
    }
    // The next one can begin, and lists tell them apart.
    anna.session(&["start", "--reason", "again", "--for", "30m"]);
    let list: Value = serde_json::from_str(&anna.session(&["list", "--format", "json"])).unwrap();
    let states: Vec<&str> =
        list["sessions"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["open", "ended"]);
}

#[test]
fn what_is_written_while_the_jump_box_is_gone_is_sent_later_and_once() {
    let site = site();
    let (anna, bob) = (Operator::new(&site, "anna"), Operator::new(&site, "bob"));
    let id = id_of(&anna.session(&["start", "--reason", "upgrade", "--for", "2h"]));
    bob.session(&["join"]);
    let inventory = fs::read_to_string(site.inventory()).unwrap();
    let gone = inventory.lines().map(|line| match line.split_once("port = ") {
        Some((before, _)) => format!("{before}port = 1 }}\n"),
        None => format!("{line}\n"),
    });
    fs::write(site.inventory(), gone.collect::<String>()).unwrap();
    for note in ["one", "two"] {
        let ran = anna.try_to(&["note", note]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert!(ran.err.contains("kept on this machine and not yet on the jump box: "), "{}", ran.err);
    }
    assert!(anna.session(&["show", "--here"]).contains("note      anna@desk: two"));
    fs::write(site.inventory(), inventory).unwrap();
    let ran = anna.try_to(&["note", "three"]);
    assert_eq!((ran.code, ran.err.contains("not yet on the jump box")), (Some(0), false), "{}", ran.err);
    let report = bob.report(&id);
    assert_eq!(texts(&report, "note"), ["anna@desk: one", "anna@desk: two", "anna@desk: three"]);
    assert_eq!(report["troubles"], Value::Array(Vec::new()));
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_kept() {
    let site = site();
    let anna = Operator::new(&site, "anna");
    let long = "x".repeat(400);
    anna.refused(&["start", "--reason", " ", "--for", "1h"], 2, "--reason is empty");
    anna.refused(&["start", "--reason", &long, "--for", "1h"], 2, "400 characters, at most 300");
    anna.refused(&["start", "--reason", "x", "--for", "1s"], 2, "from 1 minute to 14 days");
    anna.refused(&["start", "--reason", "x", "--for", "soon"], 2, "8h");
    anna.refused(&["show", "../../etc"], 2, "is not the name of a session");
    anna.refused(&["show", "nosuch"], 1, "there is no session nosuch of production");
    assert!(anna.session(&["list"]).starts_with("no session of production is known"));
    anna.session(&["start", "--reason", "x", "--for", "1h", "--here"]);
    anna.refused(&["note", &"y".repeat(17 << 10)], 2, "longer than 16 KiB");
    anna.refused(&["handover", "anna"], 2, "is you");
    anna.refused(&["end", "--yes"], 2, "--env production");
}
