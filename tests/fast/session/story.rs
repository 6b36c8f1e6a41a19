//! A maintenance of two people: two runbooks, notes, an acknowledged problem, a shell command, a console that is killed and opened again, a
//! handover; then one report with everything once.

use std::process::Command;

use serde_json::Value;

use super::{Operator, id_of, texts};
use crate::inventory::Site;
use crate::support::terminal::Terminal;

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

const WRITE: &str = r#"
name = "write"
title = "Write a file"
summary = "Writes a file on one host."
danger = "changes"

[[input]]
name = "where"
label = "On which host?"
kind = "host"

[[step]]
id = "agree"
kind = "confirm"
title = "Write the file?"
covers = ["write"]

[[step]]
id = "write"
kind = "run"
title = "Write the file"
on = "where"
effect = "mutate"
run = "echo small > /tmp/small"
read_back = [{ says = "the file says small", run = "cat /tmp/small", expect = [{ is = "small" }] }]
undo = { run = "rm /tmp/small", read_back = [{ says = "it is gone", run = "ls /tmp/small 2>/dev/null | wc -l", expect = [{ is = "0" }] }] }
"#;

fn site() -> Site {
    let site = Site::start();
    site.write("app1 = {}\ndb2 = {}\nghost = { address = \"127.0.0.1\", port = 1 }\n");
    let runbooks = site.home.path().join(".config/jumpdeck/runbooks");
    std::fs::create_dir_all(&runbooks).unwrap();
    std::fs::write(runbooks.join("look.toml"), LOOK).unwrap();
    std::fs::write(runbooks.join("write.toml"), WRITE).unwrap();
    site
}

fn console(of: &Operator<'_>) -> Terminal {
    let mut command = Command::new("setsid");
    command.args(["--ctty", env!("CARGO_BIN_EXE_jumpdeck")]);
    for variable in ["XDG_CONFIG_HOME", "JUMPDECK_INVENTORY", "NO_COLOR", "SSH_AUTH_SOCK"] {
        command.env_remove(variable);
    }
    command.env("HOME", of.site.home.path()).env("TERM", "xterm-256color");
    command.env("JUMPDECK_WHO", format!("{}@desk", of.who)).env("XDG_STATE_HOME", of.state());
    Terminal::run(command)
}

/// A runbook at a terminal, to its end.
fn runs(of: &Operator<'_>, runbook: &str) {
    let arguments = ["runbook", "run", runbook, "--set", "where=app1", "--why", "maintenance"];
    let mut terminal = Terminal::run(of.program(&arguments));
    terminal.until("type yes to begin> ");
    terminal.types("yes\n");
    if runbook == "write" {
        terminal.until(" to do it> ");
        terminal.types(if terminal.said.contains("type production to do it") {
            "production\n"
        } else {
            "y\n"
        });
    }
    terminal.until("FINISHED");
    assert_eq!(terminal.ends(), 0, "{}", terminal.said);
}

fn count(report: &Value, kind: &str, text: &str) -> usize {
    texts(report, kind).iter().filter(|one| one.contains(text)).count()
}

#[test]
fn a_session_of_two_people_is_one_complete_report() {
    let site = site();
    let (anna, bob) = (Operator::new(&site, "anna"), Operator::new(&site, "bob"));
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

    runs(&anna, "look");
    // With kill -9 nothing is lost, and nothing is there twice when a console is opened again.
    console_a.kill();
    runs(&bob, "write");
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
        assert_eq!(count(&report, "run", "started write"), 1, "{report:#}");
        let runs = report["runs"].as_array().unwrap();
        assert_eq!(runs.len(), 2);
        let outcome = |at: usize| runs[at]["outcome"].as_str().unwrap_or_default();
        assert!(outcome(0).starts_with("Finished") && outcome(1).starts_with("Finished"), "{report:#}");
        let who = |at: usize| runs[at]["who"][0].as_str().unwrap();
        assert_eq!((who(0), who(1)), ("anna@desk", "bob@desk"));
        let entries = report["entries"].as_array().unwrap();
        let mut once: Vec<String> = entries.iter().map(ToString::to_string).collect();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), entries.len(), "nothing is there twice: {report:#}");
    }
    // Steps and answers come from the journals: the own run's is on this machine.
    let report = bob.report(&id);
    let steps = report["runs"][1]["report"]["steps"].to_string();
    assert!(steps.contains("\"agree\"") && steps.contains("done"), "{steps}");
    let markdown = bob.session(&["report", &id]);
    for wanted in ["# Maintenance of production: upgrade the databases", "## Runs", "### write: ", "## Notes"]
    {
        assert!(markdown.contains(wanted), "{wanted}: {markdown}");
    }
}
