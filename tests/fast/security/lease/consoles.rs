//! The program itself: consoles of two operators on one jump box.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::rig::{FOLDER, RIGHT, Rig};
use crate::support::sshd::{Sshd, public, run};
use crate::support::terminal::Terminal;

/// A change that leaves a line each time it is made.
fn book(file: &Path) -> String {
    let file = file.display();
    format!(
        r#"
name = "change"
title = "A change"
summary = "For tests."
danger = "changes"
[[target]]
name = "one"
host = "app1"
[[step]]
id = "change"
kind = "run"
title = "Change"
on = "one"
run = "echo changed >> {file}"
effect = "mutate"
read_back = [{{ says = "it is there", run = "[ -s {file} ] && echo yes || echo no", expect = [{{ is = "yes" }}] }}]
undo = {{ not_needed = "a line of a test" }}
"#
    )
}

/// Two operators of one environment, each with a home, an account on the jump box and an inventory.
struct Lane {
    dir: tempfile::TempDir,
    changes: std::path::PathBuf,
}

impl Lane {
    fn new(rig: &Rig, host: &Sshd, number: usize, more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let changes = dir.path().join("changes");
        std::fs::write(rig.dir.path().join("known"), rig.jump.known() + &host.known()).unwrap();
        for account in ["anna", "bob"] {
            let home = dir.path().join(account);
            let runbooks = home.join(".config/jumpdeck/runbooks");
            std::fs::create_dir_all(&runbooks).unwrap();
            std::fs::write(runbooks.join("change.toml"), book(&changes)).unwrap();
            let inventory = format!(
                "user = \"root\"\nkeys = [\"{rig}/key\"]\nknown_hosts = [\"{rig}/known\"]\nagent = false\n\
                 [environments.lane{number}]\nlevel = \"test\"\n{more}\
                 jump = {{ name = \"gate\", address = \"127.0.0.1\", port = {}, user = \"{account}\" }}\n\
                 [environments.lane{number}.hosts]\n\
                 app1 = {{ address = \"127.0.0.1\", port = {}, user = \"root\", hostname = \"{}\" }}\n",
                rig.jump.port,
                host.port,
                run("hostname", &[]).trim(),
                rig = rig.dir.path().display()
            );
            std::fs::write(home.join("inventory.toml"), inventory).unwrap();
        }
        Self { dir, changes }
    }

    /// The program as that account has it.
    fn program(&self, account: &str, arguments: &[&str]) -> Command {
        let home = self.dir.path().join(account);
        let mut command = Command::new(env!("CARGO_BIN_EXE_jumpdeck"));
        command.arg("runbook").args(arguments).arg("--inventory").arg(home.join("inventory.toml"));
        for variable in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "JUMPDECK_INVENTORY", "NO_COLOR"] {
            command.env_remove(variable);
        }
        command.env("HOME", &home).env("JUMPDECK_WHO", account).env("TERM", "xterm");
        command
    }

    /// The account's console at the question before the change, or at its end when it got no lease.
    fn begun(&self, account: &str) -> (Terminal, bool) {
        let mut terminal = Terminal::run(self.program(account, &["run", "change", "--why", "a test"]));
        terminal.until("type yes to begin> ");
        terminal.types("yes\n");
        let asks = terminal.until_or_end("to do it> ");
        (terminal, asks)
    }

    /// The account's console at the question before the change; else what it said: the lease is held.
    fn at_the_yes(&self, account: &str) -> Result<Terminal, String> {
        let (terminal, asks) = self.begun(account);
        if asks { Ok(terminal) } else { Err(terminal.said.clone()) }
    }

    /// The journal of the account's only run.
    fn journal(&self, account: &str) -> PathBuf {
        let runs = self.dir.path().join(account).join(".local/state/jumpdeck/runs");
        let all = std::fs::read_dir(runs).unwrap().map(|entry| entry.unwrap().path());
        let mut journals = all.filter(|path| path.extension().is_some_and(|e| e == "jsonl"));
        let first = journals.next().unwrap();
        assert_eq!(journals.next(), None);
        first
    }

    fn changes(&self) -> usize {
        std::fs::read_to_string(&self.changes).unwrap_or_default().lines().count()
    }

    /// A console that is stopped at the yes until another has the lease, and then goes on.
    fn round(&self, typed_while_stopped: bool) {
        let before = self.changes();
        let mut anna = self.at_the_yes("anna").expect("the lease is free");
        signal(anna.pid(), "-STOP");
        if typed_while_stopped {
            anna.types("yes\n");
        }
        let end = Instant::now() + Duration::from_secs(90);
        let mut bob = loop {
            match self.at_the_yes("bob") {
                Ok(bob) => break bob,
                Err(said) => {
                    assert!(Instant::now() < end, "the lease of a stopped console is never free:\n{said}")
                }
            }
        };
        signal(anna.pid(), "-CONT");
        if !typed_while_stopped {
            anna.types("yes\n");
        }
        assert_ne!(anna.ends(), 0, "{}", anna.said);
        assert_eq!(self.changes(), before, "changed without the lease:\n{}", anna.said);
        assert!(anna.said.contains("the lease on the jump box is lost"), "{}", anna.said);
        bob.types("yes\n");
        assert_eq!(bob.ends(), 0, "{}", bob.said);
        assert_eq!(self.changes(), before + 1, "{}", bob.said);
    }
}

/// What a terminal shows, whatever its width and colours.
fn words(said: &str) -> String {
    let mut plain = String::new();
    let mut pieces = said.split("\u{1b}[");
    plain.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        plain.push_str(piece.split_once(char::is_alphabetic).map_or("", |(_, text)| text));
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn signal(pid: u32, signal: &str) {
    run("kill", &[signal, &pid.to_string()]);
}

#[test]
fn a_console_that_was_stopped_at_the_yes_changes_nothing_twenty_times() {
    let Some(rig) = Rig::new(RIGHT) else { return };
    let host = Sshd::start(rig.dir.path(), "host", "");
    let lanes: Vec<Lane> = (0..4).map(|number| Lane::new(&rig, &host, number, "")).collect();
    std::thread::scope(|scope| {
        for lane in &lanes {
            scope.spawn(move || (0..5).for_each(|round| lane.round(round % 2 == 0)));
        }
    });
    assert_eq!(lanes.iter().map(Lane::changes).sum::<usize>(), 20);
}

#[test]
fn without_the_folder_two_accounts_do_not_change_at_once_and_each_says_what_to_do() {
    let Some(rig) = Rig::new("true") else { return };
    let host = Sshd::start(rig.dir.path(), "host", "");
    let lane = Lane::new(&rig, &host, 0, "");
    let mut anna = lane.at_the_yes("anna").expect("the lease is free");
    let limits = "one run at a time can make changes through this jump box";
    assert!(words(&anna.said).contains(limits), "{}", anna.said);
    let (mut bob, asks) = lane.begun("bob");
    assert!(!asks, "{}", bob.said);
    assert_ne!(bob.ends(), 0);
    let said = words(&bob.said);
    for word in ["another run makes changes", "install -d -o root -g jumpdeck -m 2770", "own-account"] {
        assert!(said.contains(word), "{word:?}: {said}");
    }
    anna.types("yes\n");
    assert_eq!(anna.ends(), 0, "{}", anna.said);
    let mut bob = lane.at_the_yes("bob").expect("the lease is free again");
    bob.types("yes\n");
    assert_eq!(bob.ends(), 0, "{}", bob.said);
    assert_eq!(lane.changes(), 2);
}

#[test]
fn where_the_inventory_says_so_an_account_keeps_off_its_own_runs_only() {
    let Some(rig) = Rig::new("true") else { return };
    let host = Sshd::start(rig.dir.path(), "host", "");
    let lane = Lane::new(&rig, &host, 0, "lease = \"own-account\"\n");
    let plan = |lane: &Lane| {
        let said = lane.program("anna", &["plan", "change"]).stdin(Stdio::null()).output().unwrap();
        assert_eq!(said.status.code(), Some(0), "{said:?}");
        words(std::str::from_utf8(&said.stdout).unwrap())
    };
    let warning = "runs of other accounts there are not excluded";
    assert!(plan(&lane).contains(warning), "{}", plan(&lane));
    let safe = plan(&Lane::new(&rig, &host, 2, ""));
    assert!(safe.contains("1 makes changes") && !safe.contains(warning), "{safe}");
    let anna = lane.at_the_yes("anna").expect("the lease is free");
    assert!(words(&anna.said).contains("not those of other accounts"), "{}", anna.said);
    let (second, asks) = lane.begun("anna");
    assert!(!asks, "{}", second.said);
    let _bob = lane.at_the_yes("bob").expect("the lease of another account is another");
    // Where root made the folder, what the inventory says changes nothing.
    let Some(rig) = Rig::new(RIGHT) else { return };
    let host = Sshd::start(rig.dir.path(), "host", "");
    let lane = Lane::new(&rig, &host, 1, "lease = \"own-account\"\n");
    let _anna = lane.at_the_yes("anna").expect("the lease is free");
    let (bob, asks) = lane.begun("bob");
    assert!(!asks && bob.said.contains("anna"), "{}", bob.said);
}

/// `verify --jump` compares the journal with what the jump box has of the run.
#[test]
fn verify_compares_a_journal_with_the_jump_boxs_copy() {
    let Some(rig) = Rig::new(RIGHT) else { return };
    let host = Sshd::start(rig.dir.path(), "host", "");
    let lane = Lane::new(&rig, &host, 0, "");
    let mut anna = lane.at_the_yes("anna").expect("the lease is free");
    anna.types("yes\n");
    assert_eq!(anna.ends(), 0, "{}", anna.said);
    let journal = lane.journal("anna");
    let id = journal.file_stem().unwrap().to_str().unwrap().to_owned();
    let signers = rig.dir.path().join("signers");
    let key = public(&rig.dir.path().join("key"));
    std::fs::write(&signers, format!("anna@* namespaces=\"run@jumpdeck\" {key}\n")).unwrap();
    let verify = |account: &str, run: &str| {
        let words = ["verify", run, "--allowed-signers", signers.to_str().unwrap(), "--jump"];
        let said = lane.program(account, &words).stdin(Stdio::null()).output().unwrap();
        let text = [said.stdout, said.stderr].concat();
        (said.status.code(), String::from_utf8_lossy(&text).into_owned())
    };
    let whole = std::fs::read_to_string(&journal).unwrap();
    let (status, said) = verify("anna", &id);
    assert_eq!(status, Some(0), "{said}");
    let count = whole.lines().count();
    assert!(said.contains(&format!("{count} entries")) && said.contains("proved: "), "{said}");
    // A colleague has the journal from elsewhere, and the same copy to compare with.
    let elsewhere = rig.dir.path().join(format!("{id}.jsonl"));
    let head = |path: &Path| path.with_extension("head");
    std::fs::copy(head(&journal), head(&elsewhere)).unwrap();
    std::fs::write(&elsewhere, &whole).unwrap();
    let (status, said) = verify("bob", elsewhere.to_str().unwrap());
    assert_eq!(status, Some(0), "{said}");
    // An earlier state of itself, with the head of that time: only the copy shows it.
    let signed = whole.lines().position(|line| line.contains(",\"signed\":{")).unwrap();
    let earlier: Vec<&str> = whole.split_inclusive('\n').take(signed + 1).collect();
    assert!(earlier.len() < count);
    std::fs::write(&journal, earlier.concat()).unwrap();
    std::fs::write(head(&journal), earlier[signed]).unwrap();
    let (status, said) = verify("anna", &id);
    assert_eq!(status, Some(3), "{said}");
    assert!(said.contains("entries were cut off the end"), "{said}");
    // A copy that somebody changed there is none.
    std::fs::write(&journal, &whole).unwrap();
    std::fs::copy(head(&elsewhere), head(&journal)).unwrap();
    rig.root(&format!("sed -i '2s/change/chance/' {FOLDER}/{id}/entries"));
    let (status, said) = verify("anna", &id);
    assert!(!matches!(status, Some(0)) && said.contains("damaged"), "{status:?} {said}");
    // When it is gone there, that is said, and nothing is wrong with the journal.
    rig.root(&format!("rm -r {FOLDER}/{id}"));
    let (status, said) = verify("anna", &id);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("has no entries of this run"), "{said}");
}
