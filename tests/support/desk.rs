//! A person at the real fleet: the program in a pseudo-terminal with a home of its own, every question answered with
//! what it wants, its journal read from the disk as it grows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use regex::Regex;

use super::terminal::Terminal;

/// The directory of a fleet that is up, when there is one.
pub(crate) fn fleet() -> Option<PathBuf> {
    let dir = std::env::var_os("JUMPDECK_FLEET").map(PathBuf::from);
    if dir.is_none() {
        println!("skipped: JUMPDECK_FLEET is not set");
    }
    dir
}

/// `tests/fleet` with these words: whether it was content, and what it printed.
pub(crate) fn ask_lane(dir: &Path, words: &[&str]) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet");
    let said = Command::new(script).arg("--dir").arg(dir).args(words).output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    (said.status.success(), text + &String::from_utf8_lossy(&said.stderr))
}

/// The same, which must succeed.
pub(crate) fn lane(dir: &Path, words: &[&str]) -> String {
    let (well, text) = ask_lane(dir, words);
    assert!(well, "tests/fleet {words:?}: {text}");
    text
}

/// The program as that person has it, with a home of its own.
pub(crate) fn jumpdeck(home: &Path, fleet: &Path, who: &str, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jumpdeck"));
    command.arg("runbook").args(words).arg("--inventory").arg(fleet.join("inventory.toml"));
    for variable in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "JUMPDECK_INVENTORY", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command.env("HOME", home).env("JUMPDECK_WHO", who).env("TERM", "xterm");
    command
}

/// A home with one runbook of that person's own.
pub(crate) fn home_with(name: &str, runbook: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let runbooks = home.path().join(".config/jumpdeck/runbooks");
    fs::create_dir_all(&runbooks).unwrap();
    fs::write(runbooks.join(format!("{name}.toml")), runbook).unwrap();
    home
}

/// What moves writes from one database to the other.
pub(crate) fn promote<'a>(old: &'a str, candidate: &'a str, why: &'a str) -> Vec<&'a str> {
    let mut words = vec!["run", "promote-masterdb", "--why", why];
    for pair in [old, candidate, "repl_user=repl", "app_user=wiki"] {
        words.extend(["--set", pair]);
    }
    words
}

/// Where journals of that home are.
pub(crate) fn runs(home: &Path) -> PathBuf {
    home.join(".local/state/jumpdeck/runs")
}

/// The only journal there, when there is one.
pub(crate) fn journal(home: &Path) -> Option<PathBuf> {
    let all = fs::read_dir(runs(home)).ok()?;
    all.flatten().map(|e| e.path()).find(|p| p.extension().is_some_and(|e| e == "jsonl"))
}

/// The run's id.
pub(crate) fn run_id(home: &Path) -> String {
    journal(home).expect("a journal").file_stem().unwrap().to_str().unwrap().to_owned()
}

/// The events on the disk, of whole entries.
pub(crate) fn entries(home: &Path) -> Vec<serde_json::Value> {
    let text = journal(home).and_then(|p| fs::read_to_string(p).ok()).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let read = |line| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].take();
    whole.lines().map(read).collect()
}

/// The last event of the run: `finished`, `rolled_back`, `abandoned` when it is over.
pub(crate) fn ending(home: &Path) -> Option<String> {
    let last = entries(home).pop()?;
    (last["event"] == "ended").then(|| last["how"]["ending"].as_str().unwrap().to_owned())
}

/// What a person says to a choice: of what is told and the letters there are, one.
pub(crate) type Choice<'a> = dyn FnMut(&str, &[char]) -> Option<char> + 'a;

/// Answers questions as they come. Where a choice is asked for, `choose` says.
pub(crate) struct Answers {
    answered: usize,
    marks: Regex,
    /// Each choice that was asked for: what stood above it, and what was said.
    pub(crate) chosen: Vec<(String, char)>,
}

impl Answers {
    pub(crate) fn new() -> Self {
        let marks = Regex::new(r"type (\S+) to (?:do it|begin)> |((?:[a-z]/)+[a-z])> |why> ").unwrap();
        Self { answered: 0, marks, chosen: Vec::new() }
    }

    /// What was asked before that question, as it was put last, was answered by hand.
    pub(crate) fn skip_to_the_last(&mut self, terminal: &Terminal, mark: &str) {
        self.answered = terminal.said.rfind(mark).expect("it was asked");
    }

    /// Answers what has been asked since the last time. False: `choose` had no answer.
    pub(crate) fn give(&mut self, terminal: &mut Terminal, choose: &mut Choice<'_>) -> bool {
        loop {
            let fresh = terminal.said[self.answered..].to_owned();
            let Some(found) = self.marks.captures(&fresh) else { return true };
            let whole = found.get(0).unwrap();
            let told = &fresh[..whole.start()];
            let answer = match (found.get(1), found.get(2)) {
                (Some(value), _) => value.as_str().to_owned(),
                (_, Some(letters)) => {
                    let letters: Vec<char> = letters.as_str().split('/').flat_map(str::chars).collect();
                    let Some(letter) = choose(told, &letters) else { return false };
                    self.chosen.push((told.to_owned(), letter));
                    letter.to_string()
                }
                _ => "seen".to_owned(),
            };
            self.answered += whole.end();
            terminal.types(&format!("{answer}\n"));
        }
    }
}

/// Says what is wanted until the program ends. Its exit code; every choice is in `answers`.
pub(crate) fn to_the_end(
    terminal: &mut Terminal,
    answers: &mut Answers,
    choose: &mut Choice<'_>,
    patience: Duration,
) -> i32 {
    let end = Instant::now() + patience;
    loop {
        assert!(Instant::now() < end, "it neither ends nor asks; it said:\n{}", terminal.said);
        terminal.pump();
        assert!(answers.give(terminal, choose), "nobody knows an answer:\n{}", terminal.said);
        if terminal.has_ended() {
            return terminal.ends();
        }
    }
}

/// The same, until an event of that kind and step is on the disk. False: the program ended before.
pub(crate) fn to_the_entry(
    terminal: &mut Terminal,
    answers: &mut Answers,
    choose: &mut Choice<'_>,
    home: &Path,
    (event, step): (&str, &str),
) -> bool {
    let end = Instant::now() + Duration::from_secs(150);
    loop {
        assert!(Instant::now() < end, "{step} was not reached; it said:\n{}", terminal.said);
        let there = entries(home).iter().any(|e| e["event"] == event && e["step"] == step);
        if there || terminal.has_ended() {
            return there;
        }
        terminal.pump();
        assert!(answers.give(terminal, choose), "nobody knows an answer:\n{}", terminal.said);
    }
}

/// What is said to a choice by whoever just wants it done: what nobody knows is looked for, what failed is done again.
pub(crate) fn go_on(_: &str, letters: &[char]) -> Option<char> {
    ['l', 'r'].into_iter().find(|letter| letters.contains(letter))
}
