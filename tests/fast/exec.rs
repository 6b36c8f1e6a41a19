//! `jumpdeck exec` as people and scripts meet it: the built program, on the simulated fleet and on real sshds behind a real jump
//! box, with hosts that hang, print without end, have another key, or are not there.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::sshd::{Sshd, keygen, missing, not_root, public, run};
use crate::support::terminal::Terminal;

const SOON: Duration = Duration::from_secs(60);

pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn document(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

/// The built program in a home of its own.
pub(crate) fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jumpdeck"));
    command.args(arguments).env_clear().env("HOME", home).env("USER", "ada").env("TERM", "xterm");
    command.stdin(Stdio::null());
    command
}

pub(crate) fn ran(mut command: Command) -> Ran {
    let out = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: out.status.code(), out: text(out.stdout), err: text(out.stderr) }
}

fn exec(arguments: &[&str]) -> Ran {
    let home = tempfile::tempdir().unwrap();
    ran(command(home.path(), &[&["exec"], arguments].concat()))
}

/// The hosts of the groups with this outcome.
fn hosts_with(document: &Value, outcome: &str) -> Vec<String> {
    let groups = document["groups"].as_array().unwrap().iter().filter(|group| group["outcome"] == outcome);
    let hosts = groups.flat_map(|group| group["hosts"].as_array().unwrap());
    hosts.map(|host| host.as_str().unwrap().to_owned()).collect()
}

// ---- the simulated fleet --------------------------------------------------------------------------------------------

#[test]
fn hosts_that_answer_the_same_are_one_group() {
    let all =
        exec(&["--demo", "app1,app2", "db2", "--env", "production", "--yes", "--", "echo", "a  b;", "$HOME"]);
    assert_eq!(
        (all.code, all.out.as_str()),
        (
            Some(0),
            "3 hosts, exit 0: db2, app1, app2\n  | a  b; $HOME\n\nSIMULATED production: 3 hosts: 3 exit 0\n"
        ),
        "{}",
        all.err
    );
    let apart =
        exec(&["--demo", "wpd-2015", "app1,app2", "-e", "production", "--yes", "--", "hostname | grep app1"]);
    assert_eq!(apart.code, Some(1), "{}{}", apart.out, apart.err);
    assert!(apart.out.contains("1 host, exit 0: app1\n  | app1"), "{}", apart.out);
    assert!(apart.out.contains("1 host, exit 1: app2\n  no output\n"), "{}", apart.out);
}

#[test]
fn roles_of_the_inventory_name_hosts_and_json_has_them() {
    let ran = exec(&[
        "role:app",
        "!role:jobrunner",
        "env:staging",
        "--demo",
        "--yes",
        "--format",
        "json",
        "--",
        "echo out; echo err >&2; exit 4",
    ]);
    let document = ran.document();
    assert_eq!(
        (ran.code, &document["environment"], &document["simulated"]),
        (Some(1), &"staging".into(), &true.into())
    );
    let group = &document["groups"][0];
    assert_eq!(
        (&group["status"], &group["stdout"]["text"], &group["stderr"]["text"]),
        (&4.into(), &"out".into(), &"err".into())
    );
    assert_eq!(document["counts"]["exit_other"], document["counts"]["hosts"]);
    assert!(!hosts_with(&document, "exit").is_empty() && !ran.out.contains("echo out"), "{}", ran.out);
}

#[test]
fn what_is_not_agreed_to_is_not_run() {
    let refused = |arguments: &[&str], code: i32, says: &str| {
        let ran = exec(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(code), ""), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(says), "{arguments:?}: {}", ran.err);
    };
    refused(&["--demo", "role:app", "-e", "production", "--", "id"], 7, "say --yes");
    refused(&["--demo", "role:app", "--yes", "--", "id"], 2, "--env production");
    refused(&["--demo", "nosuch", "--", "id"], 2, "no host \"nosuch\"");
    refused(&["--demo", "load>1", "--", "id"], 2, "only what the inventory says");
    refused(&["--demo", "app1", "-e", "nosuch", "--", "id"], 2, "there is no environment");
    refused(&["--demo", "app1", "--", " "], 2, "no command is given");
    refused(&["--demo", "app1"], 2, "COMMAND");
    // One host needs no question.
    assert_eq!(exec(&["--demo", "app1", "--", "true"]).code, Some(0));
}

#[test]
fn on_a_terminal_the_command_and_the_hosts_are_shown_and_the_environment_is_typed() {
    let home = tempfile::tempdir().unwrap();
    let arguments = ["exec", "--demo", "app1,app2", "--", "echo one; hostname"];
    let mut terminal = Terminal::run(command(home.path(), &arguments));
    terminal.until("Run on 2 hosts of SIMULATED production:");
    terminal.until("echo one; hostname");
    terminal.until("hosts: app1, app2");
    terminal.until("type production to run it> ");
    terminal.types("y\n");
    terminal.until("type production to run it, or n to leave");
    terminal.until("type production to run it> ");
    terminal.types("production\n");
    assert_eq!(terminal.ends(), 0, "{}", terminal.said);
    assert!(terminal.said.contains("| app2") && terminal.shows_what_is_typed(), "{}", terminal.said);

    let mut terminal = Terminal::run(command(home.path(), &arguments));
    terminal.until("type production to run it> ");
    terminal.types("n\n");
    assert_eq!(terminal.ends(), 1, "{}", terminal.said);
    assert!(
        terminal.said.contains("nothing was run") && !terminal.said.contains("| one"),
        "{}",
        terminal.said
    );
}

// ---- real sshds -----------------------------------------------------------------------------------------------------

/// Sessions find what is in the folder's `bin` first.
fn own_programs(dir: &Path) -> String {
    format!("SetEnv PATH={}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", dir.display())
}

/// A jump box and three hosts, in the order one, two, three.
pub(crate) struct Site {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) jump: Sshd,
    pub(crate) hosts: Vec<Sshd>,
}

impl Site {
    /// None, and said so, where there is no sshd or this is not root. `lines` are added to the environment.
    pub(crate) fn new(lines: &str) -> Option<Self> {
        if missing(&["sshd", "ssh-keygen"]) || not_root() {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        keygen(&dir.path().join("key"), "ed25519", "");
        fs::write(dir.path().join("authorized_keys"), public(&dir.path().join("key")) + "\n").unwrap();
        let jump = Sshd::start(dir.path(), "jump", &own_programs(dir.path()));
        let hosts: Vec<Sshd> =
            ["one", "two", "three"].iter().map(|name| Sshd::start(dir.path(), name, "")).collect();
        let known: String = hosts.iter().map(Sshd::known).collect();
        fs::write(dir.path().join("known"), jump.known() + &known).unwrap();
        let own = run("hostname", &[]);
        let own = own.trim();
        let host = |(name, sshd): (&str, &Sshd)| {
            format!(
                "{name} = {{ address = \"127.0.0.1\", port = {}, roles = [\"web\"], hostname = \"{own}\" }}\n",
                sshd.port
            )
        };
        let entries: String = ["one", "two", "three"].into_iter().zip(&hosts).map(host).collect();
        let inventory = format!(
            "user = \"root\"\nkeys = [\"{dir}/key\"]\nknown_hosts = [\"{dir}/known\"]\nagent = false\n\
             [environments.test]\nlevel = \"test\"\nguard = \"confirm\"\n{lines}\
             jump = {{ name = \"gate\", address = \"127.0.0.1\", port = {} }}\n[environments.test.hosts]\n{entries}",
            jump.port,
            dir = dir.path().display()
        );
        fs::write(dir.path().join("inventory.toml"), inventory).unwrap();
        Some(Self { dir, jump, hosts })
    }

    /// A second jump box, `gw2`, for programs that start from now on.
    pub(crate) fn with_second_jump(&self) -> Sshd {
        let second = Sshd::start(self.dir.path(), "second", &own_programs(self.dir.path()));
        let known = fs::read_to_string(self.path("known")).unwrap() + &second.known();
        fs::write(self.path("known"), known).unwrap();
        let line = format!(
            "second_jump = {{ name = \"gw2\", address = \"127.0.0.1\", port = {} }}\n[environments.test.hosts]",
            second.port
        );
        let inventory = fs::read_to_string(self.path("inventory.toml")).unwrap();
        fs::write(self.path("inventory.toml"), inventory.replace("[environments.test.hosts]", &line))
            .unwrap();
        second
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let inventory = self.path("inventory.toml");
        let own = ["exec", "--inventory", inventory.to_str().unwrap()];
        command(self.dir.path(), &[&own, arguments].concat())
    }

    fn exec(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments))
    }

    /// A line of the shell that runs `there` on host number `at`, and `elsewhere` on the others.
    fn only_on(&self, at: usize, there: &str, elsewhere: &str) -> String {
        format!("case \"$SSH_CONNECTION\" in *\" {}\") {there};; *) {elsewhere};; esac", self.hosts[at].port)
    }

    /// Waits until a command has left this file.
    fn until_there(&self, name: &str, child: &mut Child) {
        let end = Instant::now() + SOON;
        while !self.path(name).exists() {
            assert!(child.try_wait().unwrap().is_none() && Instant::now() < end, "no {name}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn arguments_reach_the_host_as_they_are_and_input_does_not() {
    let Some(site) = Site::new("") else { return };
    let ran = site.exec(&["one", "--", "printf", "%s\n", "a  b", "$HOME", "it's", "!x\\n", "*"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    assert!(
        ran.out.starts_with("1 host, exit 0: one\n  | a  b\n  | $HOME\n  | it's\n  | !x\\n\n  | *\n"),
        "{}",
        ran.out
    );
    let mut child = site
        .command(&["role:web", "--yes", "--", "cat; echo $0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"typed\n").unwrap();
    let out = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(out, "3 hosts, exit 0: one, two, three\n  | /bin/sh\n\ntest: 3 hosts: 3 exit 0\n");
}

#[test]
fn what_a_host_prints_is_made_printable_and_bounded() {
    let Some(site) = Site::new("") else { return };
    let ran = site.exec(&[
        "one",
        "--",
        r"printf '\033[2J\007\n9 hosts, exit 0: x\nq\377\n'; printf 'e\033c\n' >&2; kill -9 $$",
    ]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let wanted = "1 host, ended by signal KILL: one\n  | ^[[2J^G\n  | 9 hosts, exit 0: x\n  | q\u{fffd}\n";
    assert!(ran.out.starts_with(wanted) && ran.out.contains("\n  ! e^[c\n"), "{}", ran.out);
    assert!(
        ran.out.contains("standard output is not all UTF-8") && !ran.out.contains('\u{1b}'),
        "{}",
        ran.out
    );

    let much = site.exec(&[
        "role:web",
        "--yes",
        "--timeout",
        "120",
        "--format",
        "json",
        "--",
        &site.only_on(1, "head -c 100000000 /dev/zero", "echo little"),
    ]);
    let document = much.document();
    assert_eq!(
        (much.code, hosts_with(&document, "exit")),
        (Some(0), vec!["one".into(), "three".into(), "two".into()])
    );
    assert_eq!(document["groups"][1]["stdout"]["bytes_beyond"], 100_000_000 - (1 << 20));

    let endless = site.exec(&["one", "--timeout", "1", "--", "yes"]);
    assert_eq!(endless.code, Some(3), "{}", endless.err);
    assert!(
        endless
            .out
            .starts_with("1 host, outcome unknown: one\n  the host itself: it did not finish within 1 s"),
        "{:.200}",
        endless.out
    );
    assert!(endless.out.contains("bytes more on standard output; the first 1024 KiB are shown"));
}

#[test]
fn a_host_that_hangs_holds_up_no_other() {
    let Some(site) = Site::new("") else { return };
    let hangs = site.only_on(0, "echo begun; sleep 15", "echo done");
    let ran = site.exec(&["role:web", "--yes", "--timeout", "1.5", "--", &hangs]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert_eq!(
        ran.out,
        "2 hosts, exit 0: two, three\n  | done\n\n1 host, outcome unknown: one\n  the host itself: it did not finish within 1.5 s; \
         it may still be running there\n  | begun\n\ntest: 3 hosts: 2 exit 0, 1 outcome unknown\n"
    );
    // It has ended; what it started keeps its output open.
    let ran = site.exec(&["one", "--timeout", "1.5", "--", "sleep 15 & echo started"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(
        ran.out.starts_with("1 host, exit 0: one\n  something that it started still had its output open"),
        "{}",
        ran.out
    );
}

#[test]
fn hosts_that_could_not_be_asked_say_where_and_why() {
    let Some(site) = Site::new("") else { return };
    // The second host has another key now, and the third does not listen any more.
    let other = site.path("other");
    keygen(&other, "ed25519", "");
    let changed = format!("[127.0.0.1]:{} {}\n", site.hosts[1].port, public(&other));
    let known = site.jump.known() + &site.hosts[0].known() + &changed + &site.hosts[2].known();
    fs::write(site.path("known"), known).unwrap();
    let Site { dir, jump, mut hosts } = site;
    drop(hosts.pop());
    let site = Site { dir, jump, hosts };
    let ran = site.exec(&["role:web", "--yes", "--format", "json", "--", "echo done"]);
    let document = ran.document();
    assert_eq!((ran.code, hosts_with(&document, "exit")), (Some(3), vec!["one".to_owned()]), "{}", ran.out);
    assert_eq!(hosts_with(&document, "not_run"), ["two", "three"]);
    let why = |at: usize| document["groups"][at]["why"].as_str().unwrap();
    assert!(
        why(1).starts_with("the host itself: ") && why(1).contains("do not log in before you know why"),
        "{}",
        why(1)
    );
    assert!(why(2).contains("refused"), "{}", why(2));
    assert_eq!(document["groups"][2]["stdout"], Value::Null);
}

#[test]
fn without_the_jump_box_nobody_is_asked_and_it_is_named() {
    let Some(site) = Site::new("") else { return };
    let Site { dir, jump, hosts } = site;
    let port = jump.port;
    drop(jump);
    let all = ran({
        let inventory = dir.path().join("inventory.toml");
        command(dir.path(), &["exec", "-i", inventory.to_str().unwrap(), "role:web", "--yes", "--", "true"])
    });
    assert_eq!(all.code, Some(3), "{}", all.err);
    let begins = "3 hosts could not be asked: one, two, three\n  jump box gate: ";
    assert!(all.out.starts_with(begins) && all.out.contains(&port.to_string()), "{}", all.out);
    drop(hosts);
}

#[test]
fn a_jump_box_that_is_lost_leaves_outcomes_unknown() {
    let Some(site) = Site::new("") else { return };
    let mark = site.path("begun");
    let line = site.only_on(0, &format!("touch {}; sleep 15", mark.display()), "true");
    let mut child = site
        .command(&["role:web", "--yes", "--at-once", "1", "--format", "json", "--", &line])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    site.until_there("begun", &mut child);
    site.jump.signal_sessions("-KILL");
    let out = child.wait_with_output().unwrap();
    let document: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(3));
    assert_eq!(hosts_with(&document, "unknown"), ["one"], "{document}");
    assert_eq!(hosts_with(&document, "not_run"), ["two", "three"], "nobody logs in again: {document}");
    for group in document["groups"].as_array().unwrap() {
        assert!(group["why"].as_str().unwrap().starts_with("jump box gate: "), "{document}");
    }
}

#[test]
fn an_interrupt_prints_what_has_answered_and_names_the_rest() {
    let Some(site) = Site::new("") else { return };
    let mark = site.path("begun");
    let line = site.only_on(1, &format!("touch {}; sleep 15", mark.display()), "echo done");
    let mut child = site
        .command(&["role:web", "--yes", "--at-once", "1", "--", &line])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // One host after the other: the first has answered when the second begins.
    site.until_there("begun", &mut child);
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(3));
    assert_eq!(
        String::from_utf8(out.stdout).unwrap(),
        "1 host, exit 0: one\n  | done\n\n1 host, outcome unknown: two\n  interrupted by you; it may still be running there\n  \
         no output\n\n1 host not asked: three\n  interrupted by you before its turn\n\n\
         test: 3 hosts: 1 exit 0, 1 outcome unknown, 1 not asked\n"
    );
}

/// A runbook that asks before its only change.
const ASKS: &str = r#"
name = "asks"
title = "Asks"
summary = "For tests."
danger = "changes"
[[target]]
name = "one"
host = "one"
[[step]]
id = "ask"
kind = "confirm"
title = "Change it now"
covers = ["change"]
[[step]]
id = "change"
kind = "run"
title = "Change"
on = "one"
run = "true"
effect = "mutate"
read_back = [{ says = "done", run = "echo yes", expect = [{ is = "yes" }] }]
undo = { not_needed = "a test" }
"#;

#[test]
fn a_run_that_somebody_has_under_way_is_said_before() {
    let Some(site) = Site::new("") else { return };
    let books = site.path(".config/jumpdeck/runbooks");
    fs::create_dir_all(&books).unwrap();
    fs::write(books.join("asks.toml"), ASKS).unwrap();
    assert_eq!(site.exec(&["one", "--", "true"]).err, "");
    let inventory = site.path("inventory.toml");
    let arguments = ["runbook", "run", "asks", "-i", inventory.to_str().unwrap(), "--why", "a test"];
    let mut run = Terminal::run(command(site.dir.path(), &arguments));
    run.until("type yes to begin> ");
    run.types("yes\n");
    run.until("Change it now");
    let ran = site.exec(&["one", "--", "true"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.starts_with("jumpdeck: a run is under way: "), "{}", ran.err);
    assert!(ran.err.contains(" runs asks ("), "{}", ran.err);
}

#[test]
fn nothing_of_a_command_is_logged() {
    let Some(site) = Site::new("") else { return };
    let mut command = site.command(&["one", "--", "echo printed-canary # typed-canary"]);
    command.env("JUMPDECK_LOG", "trace");
    let ran = ran(command);
    assert!(ran.code == Some(0) && ran.out.contains("printed-canary"), "{}{}", ran.out, ran.err);
    let log = fs::read_to_string(site.path(".local/state/jumpdeck/jumpdeck.log")).unwrap();
    assert!(log.contains("a command on hosts") && !log.contains("canary"), "{log}");
}

#[test]
fn where_answers_must_be_signed_it_is_refused() {
    let Some(site) = Site::new("signatures = \"required\"\n") else { return };
    let ran = site.exec(&["one", "--yes", "--", "true"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{}", ran.err);
    assert!(ran.err.contains("signatures = \"required\""), "{}", ran.err);
}

#[test]
fn the_second_jump_box_leads_to_the_hosts_while_the_first_is_gone() {
    let Some(mut site) = Site::new("") else { return };
    let mut second = site.with_second_jump();
    let asked = ["one,two", "--yes", "--", "echo", "hello"];
    let ran = site.exec(&asked);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    kill(&mut site.jump);
    let ran = site.exec(&asked);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.starts_with("2 hosts, exit 0: one, two\n  | hello\n"), "{}", ran.out);
    let says = "whether a run is under way is unknown: connected through gw2, as jump box gate: no connection to 127.0.0.1:";
    assert!(ran.err.contains(says), "{}", ran.err);
    let status = |site: &Site| {
        let inventory = site.path("inventory.toml");
        let arguments = ["status", "--format", "json", "--inventory", inventory.to_str().unwrap()];
        let done = self::ran(command(site.dir.path(), &arguments));
        done.document()["jump"].clone()
    };
    let jump = status(&site);
    assert_eq!((&jump["name"], &jump["state"]), (&"gate".into(), &"up".into()), "{jump}");
    let in_use = &jump["second"];
    assert_eq!((&in_use["name"], &in_use["first_state"]), (&"gw2".into(), &"unreachable".into()), "{jump}");
    kill(&mut second);
    let ran = site.exec(&asked);
    assert_eq!(ran.code, Some(3), "{}{}", ran.out, ran.err);
    let said = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["neither jump box answers", "second jump box gw2", "check the network of this machine first"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let jump = status(&site);
    assert_eq!((&jump["state"], jump["second"].is_null()), (&"unreachable".into(), true), "{jump}");
}

fn kill(sshd: &mut Sshd) {
    sshd.child.kill().unwrap();
    sshd.child.wait().unwrap();
}
