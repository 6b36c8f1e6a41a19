//! Journals, approvals and heads that somebody changed: each of a thousand changes is found, by `examine` (what
//! `jumpdeck runbook verify` says) and by `contrib/verify-run` with ssh-keygen alone.
//!
//! The script takes a noticeable part of a second a journal: it gets every tenth, and all with JUMPDECK_EVIDENCE=all.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jumpdeck::openssh::sshsig::{AllowedSigners, TextSigner};
use jumpdeck::runbook::event::Event;
use jumpdeck::runbook::evidence::{Head, NAMESPACE, Signed, SignedApproval, head_path, statement};
use jumpdeck::runbook::examine::{Examined, Grade, examine};
use jumpdeck::runbook::journal::Journal;
use jumpdeck::transport::ask::RefuseAll;
use jumpdeck::transport::ssh::ring::KeyRing;
use jumpdeck::transport::ssh::signing::signer_for;
use jumpdeck_fleet::names::EnvName;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

#[path = "evidence/forge.rs"]
mod forge;

const RUN: &str = "20261128-101500-promote-masterdb-a3f1";
const OTHER: &str = "20261128-112000-promote-masterdb-77e0";
const ANNA: &str = "anna@desk";
const BOB: &str = "bob@lap\"top\\1";
const CAROL: &str = "carol@hq";

/// People and their keys. Mallory has a key, and nobody allowed it.
struct People {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    keys: Vec<(&'static str, TextSigner, String)>,
}

impl People {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let kinds = [(ANNA, "ed25519"), (BOB, "ed25519"), (CAROL, "ed25519"), ("mallory@out", "ed25519")];
        let keys = kinds.map(|(who, kind)| {
            let path = folder.path().join(who.split('@').next().unwrap());
            let made =
                Command::new("ssh-keygen").args(["-q", "-t", kind, "-N", "", "-f"]).arg(&path).status();
            assert!(made.expect("ssh-keygen is needed (package openssh-client)").success());
            let public = fs::read_to_string(path.with_extension("pub")).unwrap();
            let env = EnvName::new("staging").unwrap();
            let ring = KeyRing::new();
            let signer = signer_for(&env, &ring, Arc::new(RefuseAll), Some(&path), None);
            (who, runtime.block_on(signer).unwrap(), public)
        });
        Self { folder, runtime, keys: keys.into() }
    }

    fn allowed(&self) -> String {
        let line = |(who, _, public): &(&str, TextSigner, String)| {
            let name = who.split('@').next().unwrap();
            format!("{name}@* namespaces=\"{NAMESPACE}\",valid-before=\"20991231Z\" {public}")
        };
        self.keys.iter().filter(|(who, ..)| *who != "mallory@out").map(line).collect()
    }

    fn sign(&self, who: &str, text: &str) -> String {
        let (_, key, _) = self.keys.iter().find(|(name, ..)| *name == who).unwrap();
        let signing = key.sign(NAMESPACE, text.as_bytes(), Duration::from_secs(60), || {});
        self.runtime.block_on(signing).unwrap().to_base64().unwrap()
    }

    fn approval(&self, run: &str, step: &str, question: &str, plan: &str) -> SignedApproval {
        let text = format!(
            "jumpdeck approval 1\nrun: {run}\nstep: {step}\nquestion: {question}\nplan: {plan}\n\
             commands: {}\nwho: {CAROL}\n",
            "c".repeat(64)
        );
        SignedApproval { sig: Some(self.sign(CAROL, &text)), text }
    }
}

fn event(value: Value) -> Event {
    serde_json::from_value(value).unwrap()
}

fn answered(step: &str, asked: &str, who: &str) -> Value {
    json!({"event": "answered", "step": step, "asked": asked, "said": "confirmed", "who": who, "reason": null})
}

fn change(step: &str) -> [Value; 2] {
    [
        json!({"event": "intent", "step": step, "phase": "run", "attempt": 1,
               "commands": {"db1": "SET GLOBAL read_only = 1", "signed": "printf ',\"signed\":{\"by\":\"x\"'"}, "facts": []}),
        json!({"event": "outcome", "step": step, "phase": "run", "attempt": 1, "took_ms": 12,
               "hosts": {"db1": {"verdict": {"verdict": "done"}, "values": {}, "output": "Ω \u{1b}[0m", "proof": []}}}),
    ]
}

/// A run: anna begins it, carol approves twice, anna stops, bob goes on to the end. Its journal and head.
fn written(people: &People, folder: &Path, run: &str) -> (String, String) {
    let plan = "9".repeat(64);
    let started = json!({"event": "started", "run": run, "who": ANNA, "why": "the disk is old", "dry_run": false,
        "simulated": false, "plan": {"runbook": "promote-masterdb", "sources": [["a.toml", "title = \"x\"\n"]],
        "hash": plan, "environment": "production", "level": "production", "domain": "", "jump": "salt",
        "inputs": {}, "targets": {}}});
    let mut events = vec![(started, None, None)];
    let second = |step: &str, question: &str| {
        let approval = people.approval(run, step, &question.repeat(32), &plan);
        (answered(step, "approve", "carol@hq (as carol)"), Some(approval), Some(ANNA))
    };
    events.push((answered("freeze", "confirm", ANNA), None, Some(ANNA)));
    events.extend(change("freeze").map(|event| (event, None, None)));
    events.push(second("fence", "1"));
    events.extend(change("fence").map(|event| (event, None, None)));
    events.push((json!({"event": "note", "who": ANNA, "text": "lag, \"odd\""}), None, None));
    events.push(second("promote", "2"));
    events.push((json!({"event": "stopped", "reason": "a break"}), None, Some(ANNA)));
    events.push((json!({"event": "resumed", "who": BOB}), None, None));
    events.push((answered("thaw", "challenge", BOB), None, Some(BOB)));
    events.extend(change("thaw").map(|event| (event, None, None)));
    events.push((json!({"event": "ended", "how": {"ending": "finished"}}), None, Some(BOB)));
    let mut journal = Journal::create(folder, run).unwrap();
    for (value, approved, by) in events {
        let draft = journal.draft(event(value), approved).unwrap();
        let signed = by
            .map(|by| Signed { by: by.to_owned(), sig: people.sign(by, &statement(run, by, draft.text())) });
        journal.append_draft(draft, signed).unwrap();
    }
    let path = journal.path();
    (fs::read_to_string(path).unwrap(), fs::read_to_string(head_path(path)).unwrap())
}

/// What somebody is given to check.
#[derive(Clone)]
struct Case {
    what: String,
    journal: Vec<u8>,
    head: Option<Vec<u8>>,
    copy: Option<Vec<u8>>,
    /// Under which name.
    run: &'static str,
}

fn verify(case: &Case, allowed: &str) -> (Grade, String) {
    let head = case.head.clone().map_or(Head::Missing, Head::Text);
    let copy: Option<Vec<(u64, String)>> = case.copy.as_ref().map(|copy| {
        let line = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        let of = |v: Value| (v["seq"].as_u64().unwrap(), v["hash"].as_str().unwrap().to_owned());
        std::str::from_utf8(copy).unwrap().lines().map(|l| of(line(l))).collect()
    });
    let seen = Examined { run: case.run, journal: &case.journal, head: &head, elsewhere: copy.as_deref() };
    let found = examine(&seen, &AllowedSigners::read(allowed));
    (found.grade(), format!("{:#?}", found.remarks))
}

fn script(case: &Case, folder: &Path, allowed: &Path, quick: bool) -> (Option<i32>, String) {
    let journal = folder.join(format!("{}.jsonl", case.run));
    fs::write(&journal, &case.journal).unwrap();
    let head = head_path(&journal);
    let _ = fs::remove_file(&head);
    if let Some(text) = &case.head {
        fs::write(&head, text).unwrap();
    }
    let mut run = Command::new("sh");
    run.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/verify-run")).arg("-f").arg(allowed);
    if quick {
        run.arg("-q");
    }
    if let Some(copy) = &case.copy {
        fs::write(folder.join("copy"), copy).unwrap();
        run.arg("-c").arg(folder.join("copy"));
    }
    let said =
        run.arg(&journal).env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null()).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    (said.status.code(), text)
}

struct Rig {
    people: People,
    allowed: PathBuf,
    run: (String, String),
    other: (String, String),
}

fn rig() -> Rig {
    let people = People::new();
    let folder = people.folder.path().join("runs");
    let (run, other) = (written(&people, &folder, RUN), written(&people, &folder, OTHER));
    let allowed = people.folder.path().join("allowed_signers");
    fs::write(&allowed, people.allowed()).unwrap();
    Rig { people, allowed, run, other }
}

impl Rig {
    fn untouched(&self) -> Case {
        Case {
            what: "nothing".to_owned(),
            journal: self.run.0.clone().into_bytes(),
            head: Some(self.run.1.clone().into_bytes()),
            copy: None,
            run: RUN,
        }
    }
}

#[test]
fn a_run_that_nobody_touched_is_proved_and_a_thousand_changes_are_told() {
    let rig = rig();
    let allowed = rig.people.allowed();
    let whole = rig.untouched();
    assert_eq!(
        forge::put_together_again(&rig.run.0),
        rig.run.0,
        "what the changes are made with changes nothing itself"
    );
    let with_copy = Case { copy: Some(whole.journal.clone()), ..whole.clone() };
    for case in [&whole, &with_copy] {
        let (grade, remarks) = verify(case, &allowed);
        assert_eq!(grade, Grade::Proved, "{remarks}");
        let said = script(case, rig.people.folder.path(), &rig.allowed, false);
        assert_eq!(said.0, Some(0), "{}", said.1);
    }
    let every = if std::env::var_os("JUMPDECK_EVIDENCE").is_some_and(|v| v == "all") { 1 } else { 10 };
    let (next, broken, scripts) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|threads| {
        for thread in 0..3 {
            let (next, broken, scripts, rig, allowed) = (&next, &broken, &scripts, &rig, &allowed);
            threads.spawn(move || {
                let folder = rig.people.folder.path().join(format!("thread{thread}"));
                fs::create_dir(&folder).unwrap();
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= 1000 {
                        break;
                    }
                    let case = forge::case(rig, seed);
                    let (grade, remarks) = verify(&case, allowed);
                    assert_ne!(grade, Grade::Proved, "change {seed}, {}: {remarks}", case.what);
                    broken.fetch_add(u64::from(grade == Grade::Broken), Ordering::SeqCst);
                    // 10 shares no factor with the number of kinds of changes: all of them are reached.
                    if seed % every == 0 {
                        let (status, said) = script(&case, &folder, &rig.allowed, true);
                        assert!(
                            matches!(status, Some(1 | 3)),
                            "change {seed}, {}: {status:?}\n{said}",
                            case.what
                        );
                        scripts.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let (broken, scripts) = (broken.into_inner(), scripts.into_inner());
    println!("1000 changes: {broken} are broken, {} not proved; {scripts} of them by script", 1000 - broken);
}

/// In any shell, with nothing on PATH but what it names, jumpdeck least of all. Without one of these it examines nothing.
#[test]
fn the_script_needs_only_a_shell_and_the_tools_it_names() {
    let rig = rig();
    let bin = rig.people.folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let tools = "awk cat cmp cp cut expr grep head mkdir mktemp rm sed sha256sum ssh-keygen tail tr wc xargs";
    let place = |tool: &str| {
        let found =
            ["/usr/bin", "/bin"].iter().map(|folder| Path::new(folder).join(tool)).find(|path| path.exists());
        std::os::unix::fs::symlink(found.unwrap_or_else(|| panic!("there is no {tool}")), bin.join(tool))
            .unwrap();
    };
    tools.split(' ').for_each(place);
    let journal = rig.people.folder.path().join(format!("{RUN}.jsonl"));
    fs::write(&journal, &rig.run.0).unwrap();
    fs::write(head_path(&journal), &rig.run.1).unwrap();
    let said = |shell: &[&str]| {
        let mut run = Command::new("/usr/bin/env");
        run.arg("-i").arg(format!("PATH={}", bin.display())).args(shell);
        run.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/verify-run"));
        let said = run.arg("-f").arg(&rig.allowed).arg(&journal).stdin(Stdio::null()).output().unwrap();
        (said.status.code(), String::from_utf8([said.stdout, said.stderr].concat()).unwrap())
    };
    let shells: [&[&str]; 4] =
        [&["/bin/sh"], &["/bin/dash"], &["/bin/bash", "--posix"], &["/bin/busybox", "sh"]];
    for shell in shells {
        if !Path::new(shell[0]).exists() {
            eprintln!("skipped: there is no {}", shell[0]);
            continue;
        }
        let (status, text) = said(shell);
        assert!(status == Some(0) && text.contains("proved: "), "{shell:?}: {status:?} {text}");
        fs::write(&journal, rig.run.0.replacen("the disk is old", "the disk is new", 1)).unwrap();
        let (status, text) = said(shell);
        assert!(
            status == Some(3) && text.contains("does not match its hash"),
            "{shell:?}: {status:?} {text}"
        );
        fs::write(&journal, &rig.run.0).unwrap();
    }
    for tool in [
        "awk",
        "cmp",
        "cut",
        "expr",
        "grep",
        "head",
        "mktemp",
        "sed",
        "ssh-keygen",
        "tail",
        "tr",
        "wc",
        "xargs",
    ] {
        fs::remove_file(bin.join(tool)).unwrap();
        let (status, text) = said(&["/bin/dash"]);
        assert!(
            status == Some(64) && text.contains(&format!("there is no {tool}")),
            "{tool}: {status:?} {text}"
        );
        place(tool);
    }
    fs::remove_file(bin.join("sha256sum")).unwrap();
    let (status, text) = said(&["/bin/dash"]);
    assert!(status == Some(64) && text.contains("there is no shasum"), "{status:?} {text}");
}

#[test]
fn the_script_and_verify_agree_on_what_is_not_proved() {
    let rig = rig();
    let (whole, folder) = (rig.untouched(), rig.people.folder.path());
    let say = |case: &Case, allowed: &str, wanted: (Grade, i32)| {
        let file = folder.join("allowed");
        fs::write(&file, allowed).unwrap();
        let (grade, remarks) = verify(case, allowed);
        let (status, said) = script(case, folder, &file, false);
        assert_eq!((grade, status), (wanted.0, Some(wanted.1)), "{}\n{remarks}\n{said}", case.what);
    };
    let allowed = rig.people.allowed();
    let unproved = (Grade::Unproved, 1);
    say(&whole, "", unproved);
    say(&whole, &allowed.replace("anna@*", "eva@*").replace("bob@*", "eva@*"), (Grade::Broken, 3));
    say(&whole, &allowed.replace(NAMESPACE, "file"), unproved);
    say(&whole, &allowed.replace("20991231Z", "20250101Z"), unproved);
    let headless = Case { what: "no head".to_owned(), head: None, ..whole.clone() };
    say(&headless, &allowed, unproved);
    let torn = Case {
        what: "torn".to_owned(),
        journal: [&whole.journal[..], b"{\"seq\":17,"].concat(),
        ..whole.clone()
    };
    say(&torn, &allowed, unproved);
    let unsigned = forge::unsigned(&rig, RUN);
    say(
        &Case { what: "unsigned".to_owned(), head: None, journal: unsigned.into_bytes(), ..whole },
        &allowed,
        unproved,
    );
}

const BOOK: &str = r#"
name = "mark"
title = "A mark"
summary = "For tests."
danger = "changes"
[[target]]
name = "one"
host = "backup"
[[step]]
id = "mark"
kind = "run"
title = "Mark"
on = "one"
run = "touch DIR/done"
effect = "mutate"
read_back = [{ says = "it is done", run = "[ -e DIR/done ] && echo yes || echo no", expect = [{ is = "yes" }] }]
undo = { not_needed = "a mark" }
"#;

/// What the program says of a journal, with an empty home.
fn said(journal: &Path, allowed: &Path, home: &Path) -> (Option<i32>, String) {
    let mut verify = Command::new(env!("CARGO_BIN_EXE_jumpdeck"));
    verify.args(["runbook", "verify"]).arg(journal).arg("--allowed-signers").arg(allowed);
    let said = verify.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    (said.status.code(), text)
}

/// Journals of the version before signatures: whole, and proof of nothing.
#[test]
fn a_journal_of_schema_1_is_whole_and_unsigned() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journals");
    let home = tempfile::tempdir().unwrap();
    let nobody = home.path().join("nobody");
    fs::write(&nobody, "").unwrap();
    let mut journals = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let run = first["event"]["run"].as_str().unwrap();
        let journal = home.path().join(format!("{run}.jsonl"));
        let both = |bytes: &str| {
            fs::write(&journal, bytes).unwrap();
            let (status, text) = said(&journal, &nobody, home.path());
            let mut script = Command::new("sh");
            script.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/verify-run")).arg("-f");
            let script = script.arg(&nobody).arg(&journal).env_clear().env("PATH", "/usr/bin:/bin");
            let script = script.output().unwrap();
            let script = (script.status.code(), String::from_utf8_lossy(&script.stdout).into_owned());
            assert_eq!(status, script.0, "{run}: {text}\n{}", script.1);
            for text in [&text, &script.1] {
                assert!(status != Some(1) || text.contains("no entry is signed"), "{run}: {text}");
            }
            status
        };
        assert_eq!(both(&text), Some(1), "{run}");
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().concat();
        assert_eq!(both(&without(lines.len() / 2)), Some(3), "{run}");
        assert_eq!(both(&text.replacen("anna@desk", "anna@sofa", 1)), Some(3), "{run}");
        // Nothing tells of an end that was cut off but a missing end.
        assert_eq!(both(&without(lines.len() - 1)), Some(1), "{run}");
        journals += 1;
    }
    assert!(journals >= 5, "{journals}");
}

/// Over real sshd, without any setting: the key that logged in signs, and the program and the script say what that proves.
#[test]
fn a_run_is_signed_with_the_key_that_logged_in_and_both_say_so() {
    let Some(rig) = crate::security::hosts::rig::Rig::new("") else { return };
    let dir = rig.dir.path();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let book = BOOK.replace("DIR", &dir.display().to_string());
    let (view, prompts) =
        runtime.block_on(rig.run(("mark", Some(&book)), &[], |prompt| match &prompt.kind {
            jumpdeck_fleet::run::PromptKind::Challenge(value) => {
                jumpdeck_fleet::run::Reply::Text(value.to_string().into())
            }
            _ => jumpdeck_fleet::run::Reply::Yes,
        }));
    let story = crate::support::operator::story(&view, &prompts);
    assert_eq!(view.state, jumpdeck_fleet::run::RunState::Finished, "{story}");
    let journal = dir.join("runs").join(format!("{}.jsonl", view.id));
    let (signers, nobody) = (dir.join("signers"), dir.join("nobody"));
    fs::write(
        &signers,
        format!("test@* namespaces=\"{NAMESPACE}\" {}\n", crate::support::sshd::public(&dir.join("key"))),
    )
    .unwrap();
    fs::write(&nobody, "").unwrap();
    let whole = fs::read(&journal).unwrap();
    let judged = |wanted: i32, allowed: &Path, bytes: &[u8], word: &str| {
        fs::write(&journal, bytes).unwrap();
        let (status, text) = said(&journal, allowed, dir);
        assert_eq!(status, Some(wanted), "{text}");
        assert!(text.contains(word), "{text}");
        let mut script = Command::new("sh");
        script.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/verify-run")).arg("-f").arg(allowed);
        let script = script.arg(&journal).env_clear().env("PATH", "/usr/bin:/bin").output().unwrap();
        assert_eq!(script.status.code(), Some(wanted), "{}", String::from_utf8_lossy(&script.stdout));
    };
    judged(0, &signers, &whole, "proved: ");
    judged(1, &nobody, &whole, "not proved: ");
    let cut = whole.iter().rposition(|b| *b == b'{').unwrap();
    let end = whole[..cut].iter().rposition(|b| *b == b'\n').unwrap();
    judged(3, &signers, &whole[..=end], "entries were cut off the end");
    let lie = String::from_utf8(whole).unwrap().replace("touch", "fetch");
    judged(3, &signers, lie.as_bytes(), "broken: ");
}
