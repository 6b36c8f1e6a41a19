//! A secret never changes a run's course, and is in no entry, whatever it spells.

use super::*;
use crate::runbook::value::{Value, ValueKind};

mod again;

/// What became of a run, apart from its texts.
#[derive(Debug, PartialEq)]
struct Course {
    ended: bool,
    asked: usize,
    sent: Vec<String>,
    /// Every entry without its texts.
    entries: Vec<serde_json::Value>,
}

/// Runs a book with secrets given as its inputs.
async fn run_with(book: &str, secrets: &[&str]) -> (Course, Vec<Entry>, RunState) {
    run_at(book, secrets, &Arc::new(World::default())).await
}

async fn run_at(book: &str, secrets: &[&str], world: &Arc<World>) -> (Course, Vec<Entry>, RunState) {
    let (paper, watched) = (Paper::default(), Arc::<Lent>::default());
    let machine = machine_with(book, secrets);
    // There are hundreds of these: nobody watches them.
    let needs = needs_of(world, &paper, &watched, secrets);
    let (state, asked) = drive(launch_unseen(machine, needs), yes).await;
    let entries = paper.entries.lock().unwrap().clone();
    assert_eq!(events(&watched.said.lock().unwrap()), events(&entries), "the jump box has the same");
    let course = Course {
        ended: state == RunState::Finished,
        asked: asked.len(),
        sent: world.done.lock().unwrap().clone(),
        entries: events(&entries).iter().filter_map(shape).collect(),
    };
    (course, entries, state)
}

fn events(entries: &[Entry]) -> Vec<Event> {
    entries.iter().map(|entry| entry.event.clone()).collect()
}

fn machine_with(book: &str, secrets: &[&str]) -> Machine {
    let machine = machine_of(book, false);
    let values = secrets.iter().map(|s| Value::secret(ValueKind::Lines, s).unwrap());
    let inputs = values.enumerate().map(|(number, value)| (format!("pw{number}"), value)).collect();
    let plan = Plan::new(machine.plan().runbook.clone(), machine.plan().frozen.clone(), inputs).unwrap();
    Machine::new(Arc::new(plan), &RunId::new("run").unwrap(), "me@here", "because", "20261121", false)
}

fn needs_of(world: &Arc<World>, paper: &Paper, watched: &Arc<Lent>, secrets: &[&str]) -> Needs {
    let redactor = Redactor::new();
    secrets.iter().for_each(|secret| redactor.add(secret).unwrap());
    Needs { lease: watched.lease(), redactor, ..needs(world, paper) }
}

/// An entry without its texts: every id, tag, host, name and number is there.
fn shape(event: &Event) -> Option<serde_json::Value> {
    // That a secret is a weak one is said in an entry more.
    if matches!(event, Event::Trouble { .. }) {
        return None;
    }
    let mut event = event.clone();
    if let Event::Outcome { hosts, withheld, took_ms, .. } = &mut event {
        *took_ms = 0;
        // A value that is not written is named all the same.
        withheld.extend(hosts.values().flat_map(|outcome| outcome.values.keys().cloned()));
        withheld.sort();
        hosts.values_mut().for_each(|outcome| outcome.values.clear());
    }
    let mut json = serde_json::to_value(&event).unwrap();
    each_text("", &mut json, &mut |text| text.clear());
    Some(json)
}

/// The texts of entries: everything but ids, tags, host names and names of variables.
fn texts(entries: &[Entry]) -> Vec<String> {
    let mut texts = Vec::new();
    for event in events(entries) {
        let mut json = serde_json::to_value(event).unwrap();
        each_text("", &mut json, &mut |text| texts.push(text.clone()));
    }
    texts
}

fn each_text(key: &str, json: &mut serde_json::Value, of: &mut impl FnMut(&mut String)) {
    use serde_json::Value as Json;
    const STRUCTURE: [&str; 12] = [
        "event", "step", "phase", "asked", "host", "verdict", "ending", "who", "run", "plan", "withheld",
        "chosen",
    ];
    match json {
        _ if STRUCTURE.contains(&key) => {}
        // A word of ours; what was typed is an object.
        Json::String(_) if key == "said" => {}
        Json::String(text) => of(text),
        Json::Array(items) => items.iter_mut().for_each(|item| each_text(key, item, of)),
        Json::Object(map) => map.iter_mut().for_each(|(key, value)| each_text(key, value, of)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn substrings(text: &str, into: &mut std::collections::BTreeSet<String>) {
    let chars: Vec<char> = text.chars().collect();
    for from in 0..chars.len() {
        for to in from + crate::runbook::redact::SHORTEST..=chars.len() {
            let part: String = chars[from..to].iter().collect();
            // What is typed is taken without blanks around it.
            if part == part.trim() {
                into.insert(part);
            }
        }
    }
}

/// Reads a value, and changes something by it, confirmed together.
fn captures() -> String {
    book(CAPTURES)
}

const CAPTURES: &str = r#"
[[step]]
id = "lookup"
kind = "check"
title = "Where it is"
on = "one"
run = "say /srv/production"
capture = [{ name = "folder", kind = "text" }]

[[step]]
id = "agree"
kind = "confirm"
title = "Go?"
covers = ["freeze", "thaw"]

[[step]]
id = "freeze"
kind = "run"
title = "Freeze"
on = "one"
with = ["folder"]
run = "set freeze"
effect = "mutate"
pre = [{ says = "it is ready", run = "get nothing", expect = [{ is = "0" }] }]
read_back = [{ says = "it is set", run = "get freeze", expect = [{ is = "1" }] }]
undo = { not_needed = "a test" }

[[step]]
id = "thaw"
kind = "run"
title = "Thaw {folder}"
on = "one"
run = "set thaw"
effect = "mutate"
read_back = [{ says = "it is set", run = "get thaw", expect = [{ is = "1" }] }]
undo = { not_needed = "a test" }
"#;

#[tokio::test]
async fn a_secret_that_spells_a_step_repeats_nothing() {
    for secret in ["freeze", "reez", "xfreezex"] {
        let (course, entries, state) = run_with(&captures(), &[secret]).await;
        assert_eq!(state, RunState::Finished, "{secret}");
        let sets = course.sent.iter().filter(|s| s.ends_with("set freeze")).count();
        assert_eq!(sets, 1, "{secret}: {:?}", course.sent);
        assert!(!texts(&entries).iter().any(|t| t.contains(secret)), "{secret}: {entries:?}");
    }
}

#[tokio::test]
async fn a_captured_value_that_holds_a_secret_is_used_whole_and_not_written() {
    let world = Arc::new(World::default());
    let (_, entries, state) = run_at(&captures(), &["prod"], &world).await;
    assert_eq!(state, RunState::Finished);
    let scripts = world.scripts.lock().unwrap().join("\n");
    assert!(scripts.contains("folder=/srv/production\n"), "{scripts}");
    assert!(!texts(&entries).iter().any(|t| t.contains("prod")), "{entries:?}");
}

#[tokio::test]
async fn a_secret_that_spells_a_tag_leaves_no_other_readable() {
    let strong = "Zq7-Strong-Secret";
    let book = captures().replace("say /srv/production", &format!("say login {strong}"));
    for weak in ["done", "outcome", "intent", "verdict", "answered", "confirm", "mutate"] {
        let (course, entries, state) = run_with(&book, &[weak, strong]).await;
        assert_eq!(state, RunState::Finished, "{weak}");
        assert_eq!(course.sent.len(), 2, "{weak}: {:?}", course.sent);
        let all = serde_json::to_string(&entries.iter().map(|e| &e.event).collect::<Vec<_>>()).unwrap();
        assert!(!all.contains(strong), "{weak}: {all}");
    }
}

#[tokio::test]
async fn whatever_a_secret_spells_the_run_takes_the_same_course() {
    for book in [captures(), whole_book()] {
        let (whole, entries, _) = run_with(&book, &["Zq7-Strong-Secret"]).await;
        assert!(whole.ended);
        let words = all_words(&book, &entries);
        let mut secrets = std::collections::BTreeSet::new();
        words.iter().for_each(|word| substrings(word, &mut secrets));
        assert!(secrets.len() > 200, "{}", secrets.len());
        for secret in secrets {
            let (course, entries, _) = run_with(&book, &[&secret]).await;
            same_course(&course, &whole, &secret);
            let found: Vec<String> = texts(&entries).into_iter().filter(|t| t.contains(&secret)).collect();
            assert!(found.is_empty(), "{secret}: {found:?}");
        }
    }
}

fn same_course(course: &Course, whole: &Course, secret: &str) {
    for (entry, wanted) in course.entries.iter().zip(&whole.entries) {
        assert_eq!(entry, wanted, "{secret}");
    }
    assert_eq!(course, whole, "{secret}");
}

/// Everything a secret may spell: ids, tags, keys, hosts, values and texts of a run.
fn all_words(book: &str, entries: &[Entry]) -> std::collections::BTreeSet<String> {
    let mut all = std::collections::BTreeSet::new();
    let ids = machine_of(book, false).plan().steps.iter().map(|step| step.id.to_string()).collect::<Vec<_>>();
    let names = ["app1", "app2", "jump", "test", "me@here", "/srv/production", "folder", "because"];
    all.extend(ids.into_iter().chain(names.map(str::to_owned)));
    for event in events(entries) {
        words(&serde_json::to_value(event).unwrap(), &mut all);
    }
    all
}

/// The bytes on disk and the lines on the jump box, of a run whose secret spells a word.
#[tokio::test]
async fn a_secret_is_in_no_line_on_disk_nor_on_the_jump_box() {
    let book = captures();
    let (whole, entries, _) = run_with(&book, &["Zq7-Strong-Secret"]).await;
    for secret in all_words(&book, &entries).iter().filter(|word| word.trim().chars().count() >= 4) {
        let secret = secret.trim();
        let folder = tempfile::tempdir().unwrap();
        let (world, watched) = (Arc::new(World::default()), Arc::<Lent>::default());
        let machine = machine_with(&book, &[secret]);
        let mut journal =
            crate::runbook::journal::Journal::create(&folder.path().join("runs"), "run").unwrap();
        let mut needs = needs_of(&world, &Paper::default(), &watched, &[secret]);
        let first = redacted::redacted(&started(&machine), &needs.redactor, &needs.env).unwrap();
        let first = journal.append(&first).unwrap();
        watched.said.lock().unwrap().push(first.clone());
        needs.entries.push(first);
        needs.record = Recorder::new(journal);
        let (state, _) = drive(launch_unseen(machine, needs), yes).await;
        assert_eq!(state, RunState::Finished, "{secret}");
        let written = std::fs::read_to_string(folder.path().join("runs/run.jsonl")).unwrap();
        let said = watched.said.lock().unwrap().clone();
        let lines: Vec<&str> = said.iter().map(|entry| entry.line.trim_end()).collect();
        assert_eq!(written.lines().collect::<Vec<_>>(), lines, "{secret}: the jump box has the same bytes");
        let read = crate::runbook::journal::read(&folder.path().join("runs/run.jsonl")).unwrap();
        let shapes: Vec<_> = events(&read[1..]).iter().filter_map(shape).collect();
        assert_eq!(shapes, whole.entries, "{secret}");
        let found: Vec<String> = texts(&read).into_iter().filter(|t| t.contains(secret)).collect();
        // Why the run is begun is refused where it holds a secret, before it begins.
        assert!(found.iter().all(|text| text == "because"), "{secret}: {found:?}");
    }
}

/// The keys and the words of an entry.
fn words(json: &serde_json::Value, into: &mut std::collections::BTreeSet<String>) {
    use serde_json::Value as Json;
    match json {
        Json::Object(map) => map.iter().for_each(|(key, value)| {
            into.insert(key.clone());
            words(value, into);
        }),
        Json::Array(items) => items.iter().for_each(|item| words(item, into)),
        Json::String(text) => drop(into.insert(text.clone())),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

const SHORT: &str = r#"
[[step]]
id = "secret"
kind = "check"
title = "The secret"
on = "one"
run = "say ab"
sensitive = true
capture = [{ name = "short", kind = "text", sensitive = true }]

[[step]]
id = "uses"
kind = "run"
title = "Uses it"
on = "one"
secrets = ["short"]
run = "set it"
effect = "mutate"
read_back = [{ says = "it is set", run = "get it", expect = [{ is = "1" }] }]
undo = { not_needed = "a test" }
"#;

#[tokio::test]
async fn a_secret_that_cannot_be_hidden_is_not_taken() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let machine = machine_of(&book(SHORT), false);
    let mut why = String::new();
    let (state, _) = drive(launch(machine, needs(&world, &paper)), |prompt| {
        why = prompt.text.iter().map(Clean::as_str).collect::<Vec<_>>().join(" ");
        Reply::Chosen('s', None)
    })
    .await;
    assert!(matches!(state, RunState::Stopped(_)), "{state:?}");
    assert!(why.contains("fewer than 4 characters"), "{why}");
    assert!(world.done.lock().unwrap().is_empty());

    let typed = "[[step]]\nid = \"asks\"\nkind = \"input\"\ntitle = \"Type it\"\nname = \"short\"\n\
                 label = \"Which?\"\nvalue_kind = \"text\"\nsensitive = true\n";
    let uses = SHORT.split("[[step]]").last().unwrap();
    let machine = machine_of(&book(&format!("{typed}[[step]]{uses}")), false);
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let mut typed = ["ab", "pass••", "long enough"].into_iter();
    let (state, asked) = drive(launch(machine, needs(&world, &paper)), |prompt| match &prompt.kind {
        PromptKind::Input(_) => Reply::Text(typed.next().unwrap().to_owned().into()),
        _ => yes(prompt),
    })
    .await;
    assert_eq!(state, RunState::Finished);
    assert_eq!(asked, ["Type it", "Type it", "Type it", "Uses it"]);
}

/// Every part of a secret that is long enough to be told from other text.
fn parts_of(secret: &str) -> Vec<&str> {
    (0..=secret.len() - 12).map(|at| &secret[at..at + 12]).collect()
}

const SHOWS: &str = r#"
[[step]]
id = "shows"
kind = "check"
title = "Shows it"
on = "one"
run = "say OUTPUT"
expect = [{ matches = "EXPECT" }]
capture = [{ name = "number", kind = "KIND" }]
"#;

#[tokio::test]
async fn no_part_of_a_secret_is_left_where_a_text_is_cut() {
    let secret = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".repeat(4);
    // What was seen is cut at its end, output at its beginning, what does not fit its kind at its end.
    for (before, after, expect, kind) in
        [(60, 0, "^x", "text"), (60, 0, "^y", "text"), (60, 16_300, ".", "lines"), (40, 0, ".", "int")]
    {
        let output = format!("{}{secret}{}", "x".repeat(before), "z".repeat(after));
        let steps = SHOWS.replace("OUTPUT", &output).replace("EXPECT", expect).replace("KIND", kind);
        let world = Arc::new(World::default());
        let (paper, watched) = (Paper::default(), Arc::<Lent>::default());
        let machine = machine_with(&book(&steps), &[&secret]);
        let needs = needs_of(&world, &paper, &watched, &[&secret]);
        drive(launch(machine, needs), |_| Reply::Chosen('s', None)).await;
        let texts = texts(&paper.entries.lock().unwrap()).join("\n");
        assert!(texts.contains(crate::runbook::redact::MARK), "{expect} {kind}: {texts}");
        for part in parts_of(&secret) {
            assert!(!texts.contains(part), "{expect} {kind}: {part} in {texts}");
        }
    }
}

#[tokio::test]
async fn what_a_sensitive_step_printed_is_no_reason_of_its_failing() {
    for (word, told) in [("say", "the step is sensitive"), ("refuse", "exit status 1")] {
        what_it_printed_is_not_told(word, told).await;
    }
}

async fn what_it_printed_is_not_told(word: &str, told: &str) {
    let says = format!("{word} Zq7-Strong-Secret");
    let steps = SHORT.split("[[step]]").nth(1).unwrap().replace("say ab", &says);
    let steps = format!("[[step]]{steps}expect = [{{ is = \"another\" }}]\n");
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let handle = launch(machine_of(&book(&steps), false), needs(&world, &paper));
    let (state, _) = drive(handle, |_| Reply::Chosen('s', None)).await;
    assert!(matches!(state, RunState::Stopped(_)), "{state:?}");
    let texts = texts(&paper.entries.lock().unwrap());
    let texts = texts.into_iter().filter(|t| *t != says).collect::<Vec<_>>().join("\n");
    assert!(texts.contains(told) && !texts.contains("Zq7"), "{texts}");
}

const UNPROVED: &str = r#"
[[step]]
id = "fence"
kind = "fence"
title = "Cut it off"
on = "one"
run = "fail with OUTPUT"
read_back = [{ says = "it is cut off", run = "get cut", expect = [{ is = "1" }] }]
undo = { not_needed = "a test" }
"#;

#[tokio::test]
async fn what_a_second_person_is_asked_holds_no_secret() {
    let secret = "Zq7-Strong-Secret".repeat(30);
    let steps = UNPROVED.replace("OUTPUT", &secret);
    let (world, paper, watched) = (Arc::new(World::default()), Paper::default(), Arc::<Lent>::default());
    let machine = machine_with(&book(&steps), &[&secret]);
    let handle = begin(machine, needs_of(&world, &paper, &watched, &[&secret]));
    drive(handle, |prompt| match &prompt.kind {
        PromptKind::Approve(_) => Reply::No,
        PromptKind::Choose(_) => Reply::Chosen('s', None),
        _ => yes(prompt),
    })
    .await;
    let questions = watched.questions.lock().unwrap().clone();
    assert!(
        questions.iter().any(|q| q.doubts.iter().any(|d| d.contains(crate::runbook::redact::MARK))),
        "{questions:?}"
    );
    assert!(!format!("{questions:?}").contains("Strong"), "{questions:?}");
}
