//! `jumpdeck runbook …` as a person at a terminal has it: the program runs in a pseudo-terminal on the simulated fleet,
//! answers are typed. Nothing but typing answers.

use crate::support::{program, terminal};
use std::process::{Child, Command, Output, Stdio};

use terminal::Terminal;

const RUNBOOK: &str = r#"
name = "small-change"
title = "A small change"
summary = "Writes a file on one host."
danger = "changes"

[[input]]
name = "where"
label = "On which application host?"
kind = "host"
role = "app"

[[step]]
id = "read-this"
kind = "note"
title = "What this is"
text = "It writes /tmp/small and reads it back."

[[step]]
id = "name"
kind = "check"
title = "{where} answers by its name"
on = "where"
run = "hostname"
expect = [{ is = "{where}" }]

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

[[step]]
id = "sure"
kind = "challenge"
title = "Write it again?"
value = "{where}"
covers = ["again"]

[[step]]
id = "again"
kind = "run"
title = "Write it again"
on = "where"
effect = "mutate"
run = "echo again > /tmp/small"
read_back = [{ says = "the file says again", run = "cat /tmp/small", expect = [{ is = "again" }] }]
undo = { not_needed = "the next one writes it anew" }
"#;

/// A home of one's own, with a runbook.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    program::keep_runbook(home.path(), "small-change", RUNBOOK);
    home
}

fn jumpdeck(home: &tempfile::TempDir, arguments: &[&str]) -> Command {
    let mut command = program::jumpdeck(home.path(), &[&["runbook"], arguments].concat());
    command.env("JUMPDECK_WHO", "anna").env("TERM", "xterm");
    command
}

/// Runs it without a terminal.
fn piped(home: &tempfile::TempDir, arguments: &[&str]) -> Output {
    jumpdeck(home, arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn run(home: &tempfile::TempDir) -> Terminal {
    let arguments = ["run", "small-change", "--demo", "--set", "where=app1", "--why", "to try it"];
    Terminal::run(jumpdeck(home, &arguments))
}

/// The run's id, from what was said.
fn id(said: &str) -> String {
    let at = said.find("  run       ").expect("the run's id") + "  run       ".len();
    said[at..].split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_runbook_is_listed_shown_and_planned() {
    let home = home();
    let list = piped(&home, &["list"]);
    assert!(list.status.success());
    let listed = text(&list.stdout);
    let row = listed.lines().find(|line| line.starts_with("small-change ")).unwrap();
    assert!(row.contains(" reversible ") && row.ends_with("A small change (your own)"), "{listed}");
    let show = text(&piped(&home, &["show", "small-change"]).stdout);
    for part in ["Writes a file on one host.", "echo small > /tmp/small", "rm /tmp/small", "CHANGES"] {
        assert!(show.contains(part), "{part:?} in\n{show}");
    }
    let plan = piped(&home, &["plan", "small-change", "--demo", "--set", "where=app1"]);
    assert_eq!(plan.status.code(), Some(0), "{}", text(&plan.stderr));
    let plan = text(&plan.stdout);
    for part in ["SIMULATED", "6 steps, 2 make changes", "app1 answers by its name"] {
        assert!(plan.contains(part), "{part:?} in\n{plan}");
    }
    let json = piped(&home, &["plan", "small-change", "--demo", "--set", "where=app1", "--format", "json"]);
    assert!(text(&json.stdout).contains("\"simulated\": true"));
    for (arguments, wanted) in [
        (&["show", "nosuch"][..], "there is no runbook \"nosuch\"; there are:"),
        (&["plan", "small-change", "--demo"], "--set where=…: one of app1"),
        (&["plan", "small-change", "--demo", "--set", "wher=app1"], "wher is not an input of small-change"),
        (&["plan", "small-change", "--demo", "--set", "where=db2"], "is not one of app1"),
    ] {
        let done = piped(&home, arguments);
        assert_eq!(done.status.code(), Some(2), "{arguments:?}");
        assert!(text(&done.stderr).contains(wanted), "{arguments:?}: {}", text(&done.stderr));
    }
}

#[test]
fn nothing_is_run_where_nobody_can_answer() {
    let home = home();
    let arguments = ["run", "small-change", "--demo", "--set", "where=app1", "--why", "to try it"];
    let done = piped(&home, &arguments);
    assert_eq!(done.status.code(), Some(7));
    assert!(text(&done.stderr).contains("standard input is not a terminal to type answers at"));
    assert!(!home.path().join(".local/state/jumpdeck/runs").exists());
}

#[test]
fn a_run_is_answered_step_by_step() {
    let home = home();
    let mut terminal = run(&home);
    terminal.until("type yes to begin> ");
    terminal.types("yes\n");
    terminal.until("It writes /tmp/small and reads it back.");
    // In a guarded environment its name is typed.
    terminal.until("type production to do it> ");
    terminal.types("n the wind is from the west\n");
    terminal.until("the wind is from the west");
    terminal.until("type production to do it> ");
    terminal.types("yes\n");
    terminal.until("that is not production");
    terminal.until("type production to do it> ");
    terminal.types("production\n");
    terminal.until("holds: the file says small");
    terminal.until("type app1 to do it> ");
    terminal.types("app1\n");
    terminal.until("FINISHED");
    assert_eq!(terminal.ends(), 0, "{}", terminal.said);
    assert!(terminal.shows_what_is_typed(), "the terminal is given back");
    let run = id(&terminal.said);
    let runs = text(&piped(&home, &["runs"]).stdout);
    assert!(runs.contains(&run) && runs.contains("by anna@") && runs.contains("SIMULATED"), "{runs}");
    let log = text(&piped(&home, &["log", &run]).stdout);
    for part in ["SIMULATED", "the wind is from the west", "to try it", "write  "] {
        assert!(log.contains(part), "{part:?} in\n{log}");
    }
    let report = text(&piped(&home, &["report", &run]).stdout);
    for part in ["SIMULATED", "the wind is from the west", "echo again > /tmp/small", "the file says again"] {
        assert!(report.contains(part), "{part:?} in\n{report}");
    }
    let json = text(&piped(&home, &["report", &run, "--format", "json"]).stdout);
    assert!(json.contains("\"schema\": 1"), "{json}");
    let done = piped(&home, &["log", "../../etc/passwd"]);
    assert_eq!(done.status.code(), Some(2), "{}", text(&done.stderr));
    let done = piped(&home, &["log", "20260101-000000-nosuch-0000"]);
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
}

#[test]
fn what_is_typed_ahead_or_pasted_answers_nothing() {
    let home = home();
    let mut terminal = run(&home);
    // Before anything was asked.
    terminal.types("yes\nyes\nyes\n");
    terminal.until("type yes to begin> ");
    terminal.types("\x1b[200~yes\x1b[201~\n");
    terminal.until("pasted text is not accepted here");
    // Console finding 39: what is neither yes nor no asks again, and the plan stays.
    terminal.until("type yes to begin> ");
    terminal.types("y\n");
    terminal.until("type yes to begin, or no to leave");
    terminal.until("type yes to begin> ");
    terminal.types("no\n");
    terminal.until("nothing was started");
    assert_eq!(terminal.ends(), 0);

    let mut terminal = run(&home);
    terminal.until("type yes to begin> ");
    terminal.types("yes\n");
    terminal.until("type production to do it> ");
    terminal.types("\x1b[200~production\x1b[201~\n");
    terminal.until("pasted text is not accepted here");
    terminal.until("type production to do it> ");
    terminal.types("production\napp1\n");
    terminal.until("several lines came at once; none was used, so type one answer");
    terminal.until("type production to do it> ");
    terminal.types("production\n");
    terminal.until("type app1 to do it> ");
    terminal.types("\n");
    // Enter alone says no.
    terminal.until("declined by anna");
}

#[test]
fn an_interrupt_stops_a_run_and_a_demo_does_not_go_on() {
    let home = home();
    let mut terminal = run(&home);
    terminal.until("type yes to begin> ");
    terminal.types("yes\n");
    terminal.until("type production to do it> ");
    terminal.interrupt();
    terminal.until("stopping before the next step");
    terminal.until("STOPPED");
    assert_eq!(terminal.ends(), 3, "{}", terminal.said);
    assert!(terminal.shows_what_is_typed(), "the terminal is given back");
    let run = id(&terminal.said);

    let gone = "its simulated fleet ended with the program";
    assert!(terminal.said.contains(gone) && !terminal.said.contains("runbook resume"), "{}", terminal.said);

    for arguments in [&["resume", &run][..], &["resume", &run, "--demo"]] {
        let done = piped(&home, arguments);
        assert_eq!(done.status.code(), Some(1));
        assert!(text(&done.stderr).contains(gone), "{}", text(&done.stderr));
    }
    let runs = text(&piped(&home, &["runs"]).stdout);
    assert!(runs.contains(gone) && !runs.contains("runbook resume"), "{runs}");
}

#[test]
fn a_dry_run_asks_hosts_and_changes_nothing() {
    let home = home();
    let arguments = ["run", "small-change", "--demo", "--set", "where=app1", "--why", "look", "--dry-run"];
    let mut terminal = Terminal::run(jumpdeck(&home, &arguments));
    terminal.until("DRY RUN");
    terminal.until("would ask a person:");
    terminal.until("not asked in a dry run");
    terminal.until("printed, not done");
    terminal.until("wanted: app1");
    terminal.until("printed, not done");
    terminal.until("FINISHED");
    assert!(!terminal.said.contains("to do it> "), "{}", terminal.said);
    assert!(!terminal.said.contains("holds: the file says"), "{}", terminal.said);
    assert_eq!(terminal.ends(), 0, "{}", terminal.said);
}

const TWO_PEOPLE: &str = r#"
name = "two-people"
title = "A change two people agree to"
summary = "Writes a file when a second person says yes."
danger = "changes"

[[target]]
name = "place"
host = "app1"

[[step]]
id = "second"
kind = "approve"
title = "A second person agrees"
text = "The file is written over."

[[step]]
id = "write"
kind = "run"
title = "Write the file"
on = "place"
effect = "mutate"
run = "echo small > /tmp/small"
read_back = [{ says = "the file says small", run = "cat /tmp/small", expect = [{ is = "small" }] }]
undo = { not_needed = "the next one writes it anew" }
"#;

/// A simulated fleet that several programs reach, over SSH on loopback.
struct Fleet {
    sim: Child,
    home: tempfile::TempDir,
}

impl Fleet {
    fn start() -> Self {
        let home = home();
        let path = |name: &str| home.path().join(name);
        std::fs::write(path(".config/jumpdeck/runbooks/two-people.toml"), TWO_PEOPLE).unwrap();
        let keygen = ["-q", "-t", "ed25519", "-N", "", "-f"];
        let made = Command::new("ssh-keygen").args(keygen).arg(path("key")).status().unwrap();
        assert!(made.success());
        let mut sim = Command::new(env!("CARGO_BIN_EXE_jumpdeck"));
        sim.args(["sim", "--listen", "127.0.0.1:0", "--known-hosts"]).arg(path("known_hosts"));
        let mut sim = sim.env("HOME", home.path()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = std::io::BufReader::new(sim.stdout.take().unwrap());
        let mut line = String::new();
        std::io::BufRead::read_line(&mut said, &mut line).unwrap();
        let port = line.split(" port ").nth(1).and_then(|rest| rest.split(';').next()).expect("a port");
        for (person, account) in [("anna", "anna"), ("bert", "root")] {
            let inventory = format!(
                "user = {account:?}\nkeys = [{:?}]\nknown_hosts = [{:?}]\nagent = false\n\
                 [environments.staging]\nlevel = \"production\"\n\
                 jump = {{ name = \"salt\", address = \"127.0.0.1\", port = {port} }}\n\
                 [environments.staging.hosts]\nsalt = {{}}\napp1 = {{ address = \"10.10.10.16\" }}\n",
                path("key"),
                path("known_hosts")
            );
            std::fs::write(path(person), inventory).unwrap();
        }
        Self { sim, home }
    }

    /// The program as one of the two has it.
    fn person(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = jumpdeck(&self.home, arguments);
        command.env("JUMPDECK_WHO", name).env("JUMPDECK_INVENTORY", self.home.path().join(name));
        command
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = self.sim.kill();
        let _ = self.sim.wait();
    }
}

#[test]
fn a_second_person_watches_and_approves() {
    let fleet = Fleet::start();
    let run = ["run", "two-people", "--why", "to try it"];
    let mut anna = Terminal::run(fleet.person("anna", &run));
    anna.until("type yes to begin> ");
    anna.types("yes\n");
    anna.until("waiting for a second person");
    let id = id(&anna.said);
    let inventory = fleet.home.path().join("anna");
    let told =
        format!("jumpdeck runbook approve {id} second --env staging --inventory {}", inventory.display());
    assert!(anna.said.contains(&told), "{told:?} in\n{}", anna.said);

    // Nobody else runs the same meanwhile, and is told who does.
    let mut second = Terminal::run(fleet.person("bert", &run));
    second.until("type yes to begin> ");
    second.types("yes\n");
    second.until("anna@");
    assert_eq!(second.ends(), 1, "{}", second.said);

    let approve = ["approve", &id, "second"];
    let mut same = Terminal::run(fleet.person("anna", &approve));
    same.until("type yes to approve it as anna@");
    same.types("yes\n");
    same.until("a second operator must approve");
    assert_eq!(same.ends(), 1, "{}", same.said);

    let mut watch = Terminal::run(fleet.person("bert", &["watch", &id]));
    watch.until("only the operator can answer");

    let mut bert = Terminal::run(fleet.person("bert", &approve));
    bert.until("to try it");
    bert.until("type yes to approve it as bert@");
    bert.types("yes\n");
    bert.until("approved");
    assert_eq!(bert.ends(), 0, "{}", bert.said);

    anna.until("Write the file");
    anna.until("type app1 to do it> ");
    anna.types("app1\n");
    anna.until("FINISHED");
    assert_eq!(anna.ends(), 0, "{}", anna.said);
    watch.until("FINISHED");
    assert_eq!(watch.ends(), 0, "{}", watch.said);
}

#[test]
fn a_stopped_run_goes_on_by_the_command_it_prints() {
    let fleet = Fleet::start();
    let mut anna = Terminal::run(fleet.person("anna", &["run", "two-people", "--why", "to try it"]));
    anna.until("type yes to begin> ");
    anna.types("yes\n");
    anna.until("waiting for a second person");
    anna.interrupt();
    anna.until("STOPPED");
    assert_eq!(anna.ends(), 3, "{}", anna.said);
    let told =
        anna.said.split("go on     jumpdeck runbook ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
    let words: Vec<&str> = told.split_whitespace().collect();
    // Typed as it stands, in another folder, with nothing of the first one's environment.
    let mut command = jumpdeck(&fleet.home, &words);
    command.current_dir("/");
    let mut again = Terminal::run(command);
    again.until("waiting for a second person");
    again.interrupt();
    again.until("STOPPED");
    assert_eq!(again.ends(), 3, "{}", again.said);
}

const FREEZE: &str = r#"
name = "freeze"
title = "Writes are stopped and taken again"
summary = "Stops writes, and resumes them when somebody has agreed."
danger = "changes"

[[target]]
name = "place"
host = "app1"

[[step]]
id = "freeze"
kind = "run"
title = "Stop writes"
on = "place"
effect = "mutate"
run = "echo frozen > /tmp/frozen"
writes = "stop"
max_dwell = "30s"
impact = "Nobody can save a page."
read_back = [{ says = "it is frozen", run = "cat /tmp/frozen", expect = [{ is = "frozen" }] }]
undo = { run = "rm /tmp/frozen", read_back = [{ says = "it is gone", run = "ls /tmp/frozen 2>/dev/null | wc -l", expect = [{ is = "0" }] }] }

[[step]]
id = "sure"
kind = "challenge"
title = "Move writes?"
value = "move"
covers = ["move"]

[[step]]
id = "move"
kind = "run"
title = "Take writes again"
on = "place"
effect = "mutate"
run = "echo moved > /tmp/moved"
writes = "resume"
point_of_no_return = true
read_back = [{ says = "it is moved", run = "cat /tmp/moved", expect = [{ is = "moved" }] }]
"#;

/// What follows a word, to the end of its line.
fn after<'s>(said: &'s str, word: &str) -> &'s str {
    said.split(word)
        .nth(1)
        .and_then(|rest| rest.lines().next())
        .unwrap_or_else(|| panic!("{word:?} in\n{said}"))
}

/// Console finding 2: leaving a run while writes are refused says so everywhere, with the command that rolls back first;
/// that command works as it is printed.
#[test]
fn a_run_that_is_left_while_writes_are_refused_says_so_and_how_to_roll_back() {
    let fleet = Fleet::start();
    std::fs::write(fleet.home.path().join(".config/jumpdeck/runbooks/freeze.toml"), FREEZE).unwrap();
    let plain = |mut command: Command| {
        command.env("NO_COLOR", "1").current_dir("/");
        Terminal::run(command)
    };
    let mut anna = plain(fleet.person("anna", &["run", "freeze", "--why", "to try it"]));
    anna.until("type yes to begin> ");
    anna.types("yes\n");
    anna.until("type app1 to do it> ");
    anna.types("app1\n");
    anna.until(" s left. Nobody can save a page.");
    anna.until("type move to do it> ");
    anna.interrupt();
    anna.until("STOPPED");
    assert_eq!(anna.ends(), 3, "{}", anna.said);
    let id = id(&anna.said);
    let refused = "Writes are refused on app1 since ";
    let told = anna.said.clone();
    let stopped = told.find("STOPPED").unwrap();
    let (effect, back, on) =
        ("STILL IN EFFECT", "roll back jumpdeck runbook ", "go on     jumpdeck runbook ");
    let places = [effect, refused, back, on].map(|part| told[stopped..].find(part));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} in\n{told}");

    let printed = |arguments: &[&str]| text(&fleet.person("anna", arguments).output().unwrap().stdout);
    for arguments in [&["runs"][..], &["log", &id], &["report", &id]] {
        let said = printed(arguments);
        for part in
            ["STILL IN EFFECT", "Writes are refused on app1 since ", &format!("runbook rollback {id}")]
        {
            assert!(said.contains(part), "{part:?} in {arguments:?}\n{said}");
        }
    }
    let report = printed(&["report", &id]);
    assert!(report.contains("without writes | refused since ") && report.contains("NOT ENDED"), "{report}");
    let json = printed(&["report", &id, "--format", "json"]);
    assert!(json.contains("\"stops_writes\": true") && json.contains("\"until_step\": null"), "{json}");

    let words: Vec<&str> = after(&told, back).split_whitespace().collect();
    let mut declined = plain(jumpdeck(&fleet.home, &words));
    declined.until("type yes to do it> ");
    declined.types("no\n");
    declined.until("STOPPED");
    declined.until(refused);
    assert_eq!(declined.ends(), 3, "{}", declined.said);

    let mut again = plain(jumpdeck(&fleet.home, &words));
    again.until("type yes to do it> ");
    again.types("yes\n");
    again.until("ROLLED BACK");
    assert_eq!(again.ends(), 4, "{}", again.said);
    assert!(!again.said.split("ROLLED BACK").nth(1).unwrap().contains("STILL IN EFFECT"), "{}", again.said);
    assert!(!printed(&["runs"]).contains("STILL IN EFFECT"));
}

/// Console finding 14: the plan shows every command, with what is not known yet as it is written in the runbook.
#[test]
fn a_plan_shows_every_command() {
    let home = home();
    let plan = |arguments: &[&str]| {
        let done = piped(&home, &[&["plan"], arguments, &["--demo", "--format", "json"]].concat());
        let said: serde_json::Value = serde_json::from_str(&text(&done.stdout)).unwrap();
        said["steps"].as_array().unwrap().clone()
    };
    let all = |steps: &[serde_json::Value]| -> String {
        steps.iter().map(|step| step["command"].to_string() + "\n").collect()
    };
    let promote = plan(&["promote-masterdb", "--set", "old=db1-masterdb", "--set", "candidate=db2"]);
    let commands = all(&promote);
    for part in ["{master_port}", "{now_at}", "MASTER_LOG_FILE", "{reason}"] {
        assert!(commands.contains(part), "{part:?} in\n{commands}");
    }
    let replace = plan(&["replace-vm", "--set", "vm=app1"]);
    for steps in [&promote, &replace] {
        assert!(!all(steps).contains("is not known"), "{}", all(steps));
        for step in steps
            .iter()
            .filter(|step| ["sql", "run", "salt", "edit", "check"].contains(&step["kind"].as_str().unwrap()))
        {
            assert!(!step["command"].as_array().unwrap().is_empty(), "{step}");
        }
    }
    // Console finding 17: no line end in running text.
    assert!(!serde_json::to_string(&promote).unwrap().contains("^J"));
}

/// Console finding 15: a file with a mistake takes no other runbook away, and is named with its line.
#[test]
fn a_plan_needs_no_answers_where_facts_give_them() {
    let home = home();
    let plan = piped(&home, &["plan", "promote-masterdb", "--demo"]);
    let said = text(&plan.stdout);
    assert!(plan.status.success(), "{said}{}", text(&plan.stderr));
    for line in [
        "old       db1-masterdb  (the only writable database server)",
        "candidate db2  (the only replica whose threads run without an error)",
        "repl_user repl  (the account that this replica logs in with, asked on db2)",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    assert!(!said.contains("is not known here"), "{said}");
    // What is given counts, and what does not go with it is not found.
    let other = piped(&home, &["plan", "promote-masterdb", "--demo", "--set", "old=db2"]);
    let why = text(&other.stderr);
    assert_eq!(other.status.code(), Some(2), "{why}");
    assert!(why.contains("no host is the only replica"), "{why}");
}

#[test]
fn a_broken_runbook_of_ones_own_takes_no_other_away() {
    let home = home();
    let own = home.path().join(".config/jumpdeck/runbooks");
    std::fs::write(own.join("foo.toml"), "name = \"foo\"\nbad\n").unwrap();
    std::fs::write(own.join("deploy-code.toml"), "bad").unwrap();
    let list = piped(&home, &["list"]);
    assert_eq!(list.status.code(), Some(0));
    assert!(text(&list.stdout).contains("small-change") && text(&list.stdout).contains("promote-masterdb"));
    assert!(text(&list.stderr).contains("foo.toml:2:"), "{}", text(&list.stderr));
    let plan = piped(&home, &["plan", "small-change", "--demo", "--set", "where=app1"]);
    assert_eq!(plan.status.code(), Some(0), "{}", text(&plan.stderr));
    // It was to replace what comes with the program: that is not run in its place.
    for (name, place) in [("foo", "foo.toml:2:"), ("deploy-code", "deploy-code.toml:1:")] {
        let done = piped(&home, &["plan", name, "--demo"]);
        assert_eq!(done.status.code(), Some(2));
        assert!(text(&done.stderr).contains(place), "{}", text(&done.stderr));
    }
    let done = piped(&home, &["show", "nosuch"]);
    assert!(
        text(&done.stderr).contains("not usable: ") && text(&done.stderr).contains("foo.toml:2:"),
        "{}",
        text(&done.stderr)
    );
}

/// A new runbook passes `check` and runs in the demo as it is.
#[test]
fn a_new_runbook_is_checked_planned_and_run_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let new = piped(&home, &["new", "mine"]);
    assert_eq!(new.status.code(), Some(0), "{}", text(&new.stderr));
    let file = home.path().join(".config/jumpdeck/runbooks/mine.toml");
    assert!(text(&new.stdout).contains(&format!("jumpdeck check {}", file.display())));
    let again = piped(&home, &["new", "mine"]);
    assert_eq!((again.status.code(), text(&again.stdout)), (Some(1), String::new()));
    let inputs = ["--demo", "--set", "server=app1", "--set", "service=apache2"];
    let plan = piped(&home, &[&["plan", "mine"][..], &inputs].concat());
    assert_eq!(plan.status.code(), Some(0), "{}", text(&plan.stderr));
    let arguments = [&["run", "mine"][..], &inputs, &["--why", "to try it"]].concat();
    let mut terminal = Terminal::run(jumpdeck(&home, &arguments));
    terminal.until("type yes to begin> ");
    terminal.types("yes\n");
    terminal.until("type production to do it> ");
    terminal.types("production\n");
    terminal.until("holds: apache2 runs on app1");
    terminal.until("holds: the notice is gone");
    terminal.until("FINISHED");
    assert_eq!(terminal.ends(), 0, "{}", terminal.said);
}
