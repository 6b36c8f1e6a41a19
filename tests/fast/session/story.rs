//! A maintenance of two people: two runbooks, notes, an acknowledged problem, a shell command, a console that is killed and opened again, a
//! handover; then one report with everything once.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Operator, id_of, texts};
use crate::exec::ran;
use crate::inventory::Site;
use crate::support::asked::{read, title, wanted};
use crate::support::desk::{self, Answers};
use crate::support::program;
use crate::support::terminal::Terminal;
use jumpdeck_fleet::names::HostName;

const LOOK: &str = r#"
name = "look"
title = "Look at a host"
summary = "Asks a host for its name."
danger = "reads"

[[input]]
name = "where"
label = "On which host?"
kind = "host"

[[step]]
id = "name"
kind = "check"
title = "{where} answers by its name"
on = "where"
run = "hostname"
expect = [{ is = "{where}" }]
"#;

/// Its second step goes on until /tmp/go is there.
const WRITE: &str = r#"
name = "write"
title = "Write three files"
summary = "Writes files on one host."
danger = "changes"

[[input]]
name = "where"
label = "On which host?"
kind = "host"

[[step]]
id = "agree"
kind = "confirm"
title = "Write the first two?"
covers = ["first", "slow"]

[[step]]
id = "first"
kind = "run"
title = "Write the first file"
on = "where"
effect = "mutate"
run = "echo first >> /tmp/first"
read_back = [{ says = "it is there", run = "tail -n 1 /tmp/first", expect = [{ is = "first" }] }]
undo = { not_needed = "it is a note" }

[[step]]
id = "slow"
kind = "run"
title = "Write the second file, slowly"
on = "where"
effect = "mutate"
timeout = "60s"
run = "echo begun >> /tmp/slow; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo done >> /tmp/slow"
done_if = [{ says = "it is written", run = "tail -n 1 /tmp/slow", expect = [{ is = "done" }] }]
read_back = [{ says = "it is written to its end", run = "tail -n 1 /tmp/slow", expect = [{ is = "done" }] }]
undo = { not_needed = "it is a note" }

[[step]]
id = "agree-last"
kind = "confirm"
title = "Write the last?"
covers = ["last"]

[[step]]
id = "last"
kind = "run"
title = "Write the last file"
on = "where"
effect = "mutate"
run = "echo last >> /tmp/last"
read_back = [{ says = "it is there", run = "tail -n 1 /tmp/last", expect = [{ is = "last" }] }]
undo = { not_needed = "it is a note" }
"#;

const HOSTS: &str = "app1 = {}\ndb2 = {}\nghost = { address = \"127.0.0.1\", port = 1 }\n";

/// Somebody with a machine, a key and runbooks of their own.
fn operator<'s>(site: &'s Site, who: &'static str) -> Operator<'s> {
    let operator = Operator::with_home(site, who, HOSTS);
    program::keep_runbook(operator.home(), "look", LOOK);
    program::keep_runbook(operator.home(), "write", WRITE);
    operator
}

fn console(of: &Operator<'_>) -> Terminal {
    let mut command = program::console(of.home(), &[]);
    command.env("JUMPDECK_WHO", format!("{}@desk", of.who)).env("XDG_STATE_HOME", of.state());
    Terminal::run(command)
}

/// A file of app1, when it is there.
fn file(site: &Site, path: &str) -> Option<String> {
    let bytes = site.world(|world| world.read_file(&HostName::new("app1").unwrap(), path))?;
    Some(String::from_utf8(bytes).unwrap())
}

/// Waits until a file of app1 says that, while a console works.
fn until_it_says(site: &Site, console: Option<&mut Terminal>, path: &str, text: &str) {
    let end = Instant::now() + Duration::from_secs(60);
    let mut console = console;
    while file(site, path).as_deref() != Some(text) {
        assert!(Instant::now() < end, "{path}: {:?}", file(site, path));
        match &mut console {
            Some(console) => _ = console.pump(),
            None => std::thread::yield_now(),
        }
    }
}

/// Begins the runbook in the console, live, and agrees: until its slow step is under way on the host.
fn begin_to_write(site: &Site, console: &mut Terminal) {
    console.types("A");
    console.until_it_shows("the question what for", |s| s.contains("Arm PRODUCTION"));
    console.types("maintenance\r");
    console.until_it_shows("the arming", |s| s.contains("ARMED"));
    console.types("b");
    console.until_it_shows("the list", |s| s.contains("Write three files"));
    console.types("/write three\r");
    console.until_it_shows("one runbook", |s| !s.contains("Look at a host"));
    console.types("\r");
    console.until_it_shows("the form", |s| s.contains("▸ On which host?"));
    console.types("\x1b[B\r");
    let plan = console.until_it_shows("the plan", |s| s.contains("to start"));
    assert!(plan.contains("app1"), "{plan}");
    console.types("\r");
    console.until_it_shows("the way to run it", |s| s.contains("▸ dry run"));
    console.types("\t");
    console.until_it_shows("LIVE", |s| s.contains("▸ LIVE"));
    console.types("maintenance\r");
    let shown = console.until_it_shows("its question", |s| title(s).is_some());
    read(console);
    match wanted(&shown) {
        Some(value) => console.types(&format!("{value}\r")),
        None => console.types("y"),
    }
    until_it_says(site, Some(console), "/tmp/slow", "begun\n");
}

/// The runbook that looks, at a terminal, to its end.
fn looks(of: &Operator<'_>) {
    let arguments = ["runbook", "run", "look", "--set", "where=app1", "--why", "maintenance"];
    let mut terminal = Terminal::run(of.program(&arguments));
    terminal.until("type yes to begin> ");
    terminal.types("yes\n");
    terminal.until("FINISHED");
    assert_eq!(terminal.ends(), 0, "{}", terminal.said);
}

/// Takes over the run that was left on the jump box, to its end.
fn takes_over(of: &Operator<'_>) {
    let left = ran(of.program(&["runbook", "runs", "--jump", "--env", "production"]));
    let run = left.out.split_whitespace().find(|word| word.contains("-write-"));
    let run = run.unwrap_or_else(|| panic!("{}{}", left.out, left.err));
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let mut terminal = Terminal::run(of.program(&["runbook", "takeover", run, "--env", "production"]));
        let mut answers = Answers::new();
        let code = desk::to_the_end(&mut terminal, &mut answers, &mut desk::go_on, Duration::from_secs(60));
        if terminal.said.contains("You took over") {
            assert!(code == 0 && terminal.said.contains("FINISHED"), "{code}: {}", terminal.said);
            return;
        }
        // The lease outlives its console by a moment.
        assert!(Instant::now() < end, "{}", terminal.said);
    }
}

fn count(report: &Value, kind: &str, text: &str) -> usize {
    texts(report, kind).iter().filter(|one| one.contains(text)).count()
}

#[test]
fn a_session_of_two_people_is_one_complete_report() {
    let site = Site::start();
    let (anna, bob) = (operator(&site, "anna"), operator(&site, "bob"));
    let mut console_a = console(&anna);
    console_a.until_it_shows("the fleet", |s| s.contains("2 of 3 hosts up"));
    console_a.types("7");
    console_a.until_it_shows("that none is known", |s| s.contains("no maintenance session of production"));
    console_a.types("\r");
    console_a.until_it_shows("the form", |s| s.contains("Start a session of production"));
    console_a.types("upgrade the databases\rOPS-12\ranna,bob\r\r");
    console_a
        .until_it_shows("the session", |s| s.contains("SESS ") && s.contains("began: upgrade the databases"));
    console_a.until_it_shows("that it is there", |s| s.contains("on disk and on the jump box"));
    let id = id_of(&anna.session(&["show"]));

    assert!(bob.session(&["join"]).starts_with("you joined"));
    console_a.until_it_shows("who joined", |s| s.contains("bob@desk"));
    console_a.types("W");
    console_a.until_it_shows("the note", |s| s.contains("A note for the session"));
    console_a.types("db2 is first");
    console_a.until_it_shows("what is typed", |s| s.contains("db2 is first"));
    console_a.types("\r");
    console_a.until_it_shows("the row", |s| s.contains("note") && s.contains("db2 is first"));

    // A problem that is expected, until the planned end of the session.
    console_a.types("4/ghost\r");
    console_a.until_it_shows("the problem", |s| s.contains("ghost"));
    console_a.types("gK");
    console_a.until_it_shows("what for", |s| s.contains("Acknowledge the problem"));
    console_a.types("not built yet\r");
    console_a.until_it_shows("that it is acknowledged", |s| s.contains("acknowledged"));
    console_a.types("7");
    console_a
        .until_it_shows("the expected problem", |s| s.contains("expected") && s.contains("not built yet"));

    looks(&anna);
    // With kill -9 in the middle of a step nothing is lost, and nothing is done twice when the other takes the run over.
    begin_to_write(&site, &mut console_a);
    console_a.kill();
    assert_eq!(file(&site, "/tmp/slow").as_deref(), Some("begun\n"), "the step is under way");
    let app1 = HostName::new("app1").unwrap();
    site.world(|world| world.write_file(&app1, "/tmp/go", Vec::new()));
    takes_over(&bob);
    let written = ["/tmp/first", "/tmp/slow", "/tmp/last"].map(|path| file(&site, path).unwrap_or_default());
    assert_eq!(written, ["first\n", "begun\ndone\n", "last\n"], "each step was done once");
    bob.done(&["exec", "app1", "-e", "production", "--", "true"]);
    bob.session(&["note", "all of app1 is done"]);
    let mut console_a = console(&anna);
    console_a.until_it_shows("the session in the header", |s| s.contains("SESS "));
    console_a.types("7");
    console_a.until_it_shows("what bob wrote", |s| s.contains("all of app1 is done"));
    console_a.types("I");
    console_a.until_it_shows("to whom", |s| s.contains("Hand the session over"));
    console_a.types("bob\r");
    console_a.until_it_shows("the handover", |s| s.contains("handed over to bob, who has not confirmed"));
    assert!(bob.session(&["join"]).starts_with("you lead it from here on"));
    console_a.until_it_shows("who leads", |s| s.contains("led by bob@desk"));
    bob.session(&["end", "--yes", "--env", "production", "--reason", "all well"]);
    console_a.until_it_shows("its end", |s| s.contains("bob@desk ended the session"));
    console_a.types("qq");
    assert_eq!(console_a.ends(), 0);

    for of in [&anna, &bob] {
        let report = of.report(&id);
        assert_eq!(
            (
                &report["reason"],
                &report["ticket"],
                &report["lead"],
                &report["ended_by"],
                &report["end_reason"]
            ),
            (
                &"upgrade the databases".into(),
                &"OPS-12".into(),
                &"bob@desk".into(),
                &"bob@desk".into(),
                &"all well".into()
            )
        );
        assert_eq!(report["troubles"], Value::Array(Vec::new()));
        assert_eq!(texts(&report, "note"), ["anna@desk: db2 is first", "bob@desk: all of app1 is done"]);
        assert_eq!(count(&report, "expected", "not built yet"), 1, "{report:#}");
        assert_eq!(count(&report, "command", "on app1: true: "), 1, "{report:#}");
        assert_eq!(count(&report, "run", "started look"), 1, "{report:#}");
        assert_eq!(count(&report, "run", "anna@desk: started write"), 1, "{report:#}");
        let runs = report["runs"].as_array().unwrap();
        assert_eq!(runs.len(), 2);
        let outcome = |at: usize| runs[at]["outcome"].as_str().unwrap_or_default();
        assert!(outcome(0).starts_with("Finished") && outcome(1).starts_with("Finished"), "{report:#}");
        let who = |at: usize| runs[at]["who"][0].as_str().unwrap();
        assert_eq!((who(0), who(1)), ("anna@desk", "anna@desk"));
        assert_eq!(
            runs[1]["who"],
            serde_json::json!(["anna@desk", "bob@desk"]),
            "who had it, one after the other"
        );
        assert_eq!(count(&report, "run", "bob@desk: took over write"), 1, "{report:#}");
        let entries = report["entries"].as_array().unwrap();
        let mut once: Vec<String> = entries.iter().map(ToString::to_string).collect();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), entries.len(), "nothing is there twice: {report:#}");
    }
    // Steps and answers come from the journals, which both have: the one that was left, and the one that goes on with it.
    for of in [&anna, &bob] {
        let report = of.report(&id);
        let told = &report["runs"][1]["report"];
        assert_eq!(told["who"], serde_json::json!(["anna@desk", "bob@desk"]), "{told:#}");
        let steps: Vec<&str> =
            told["steps"].as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap()).collect();
        assert_eq!(steps, ["agree", "first", "slow", "agree-last", "last"], "{told:#}");
    }
    let markdown = bob.session(&["report", &id]);
    for wanted in ["# Maintenance of production: upgrade the databases", "## Runs", "### write: ", "## Notes"]
    {
        assert!(markdown.contains(wanted), "{wanted}: {markdown}");
    }
}
