//! A secret never changes a run's course, and is in no entry, whatever it spells.

use super::*;
use crate::runbook::value::{Value, ValueKind};

/// A lease that keeps what it is given for others, on the jump box: entries, and questions to a second person.
#[derive(Clone, Default)]
struct Watched(Arc<Mutex<Vec<Entry>>>, Arc<Mutex<Vec<Question>>>);

impl Guarded for Watched {
    fn step(&mut self, _step: &str) {}

    fn say(&mut self, entry: &Entry) {
        self.0.lock().unwrap().push(entry.clone());
    }

    fn lost(&self) -> Option<String> {
        None
    }

    fn is_fresh(&self) -> bool {
        true
    }

    fn prove(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    fn ask(&mut self, question: Option<Question>) {
        self.1.lock().unwrap().extend(question);
    }

    fn approved(&self) -> Option<Approved> {
        None
    }

    fn end(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

/// What became of a run, apart from its texts.
#[derive(Debug, PartialEq)]
struct Course {
    ended: bool,
    asked: usize,
    sent: Vec<String>,
    entries: Vec<(String, String)>,
}

/// Runs a book with secrets given as its inputs.
async fn run_with(book: &str, secrets: &[&str]) -> (Course, Vec<Entry>, RunState) {
    run_at(book, secrets, &Arc::new(World::default())).await
}

async fn run_at(book: &str, secrets: &[&str], world: &Arc<World>) -> (Course, Vec<Entry>, RunState) {
    let (paper, watched) = (Paper::default(), Watched::default());
    let machine = machine_with(book, secrets);
    let (state, asked) = drive(launch(machine, needs_of(world, &paper, &watched, secrets)), yes).await;
    let entries = paper.entries.lock().unwrap().clone();
    let said: Vec<Event> = watched.0.lock().unwrap().iter().map(|e| e.event.clone()).collect();
    assert_eq!(
        said,
        entries.iter().map(|e| e.event.clone()).collect::<Vec<_>>(),
        "the jump box has the same"
    );
    let course = Course {
        ended: state == RunState::Finished,
        asked: asked.len(),
        sent: world.done.lock().unwrap().clone(),
        entries: entries.iter().filter_map(|e| place(&e.event)).collect(),
    };
    (course, entries, state)
}

fn machine_with(book: &str, secrets: &[&str]) -> Machine {
    let machine = machine_of(book, false);
    let values = secrets.iter().map(|s| Value::secret(ValueKind::Lines, s).unwrap());
    let inputs = values.enumerate().map(|(number, value)| (format!("pw{number}"), value)).collect();
    let plan = Plan::new(machine.plan().runbook.clone(), machine.plan().frozen.clone(), inputs).unwrap();
    Machine::new(Arc::new(plan), &RunId::new("run").unwrap(), "me@here", "because", "20261121", false)
}

fn needs_of(world: &Arc<World>, paper: &Paper, watched: &Watched, secrets: &[&str]) -> Needs {
    let redactor = Redactor::new();
    secrets.iter().for_each(|secret| redactor.add(secret).unwrap());
    Needs { lease: Some(Box::new(watched.clone())), redactor, ..needs(world, paper) }
}

/// What kind an entry is, and of which step.
fn place(event: &Event) -> Option<(String, String)> {
    let json = serde_json::to_value(event).unwrap();
    let word = |key: &str| json.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    // That a secret is a weak one is said in an entry more.
    (word("event") != "trouble").then(|| (word("event"), word("step")))
}

/// The texts of an entry: everything but ids, tags, host names and names of variables.
fn texts(entries: &[Entry]) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in entries {
        let json = serde_json::to_value(&entry.event).unwrap();
        gather("", &json, &mut texts);
    }
    texts
}

fn gather(key: &str, json: &serde_json::Value, texts: &mut Vec<String>) {
    use serde_json::Value as Json;
    const STRUCTURE: [&str; 12] = [
        "event", "step", "phase", "asked", "host", "verdict", "ending", "who", "run", "plan", "withheld",
        "chosen",
    ];
    match json {
        _ if STRUCTURE.contains(&key) => {}
        // A word of ours; what was typed is an object.
        Json::String(_) if key == "said" => {}
        Json::String(text) => texts.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| gather(key, item, texts)),
        Json::Object(map) => map.iter().for_each(|(key, value)| gather(key, value, texts)),
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
const CAPTURES: &str = r#"
name = "book"
title = "A book"
summary = "For tests."
danger = "changes"

[[target]]
name = "one"
host = "app1"

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
        let (course, entries, state) = run_with(CAPTURES, &[secret]).await;
        assert_eq!(state, RunState::Finished, "{secret}");
        let sets = course.sent.iter().filter(|s| s.ends_with("set freeze")).count();
        assert_eq!(sets, 1, "{secret}: {:?}", course.sent);
        assert!(!texts(&entries).iter().any(|t| t.contains(secret)), "{secret}: {entries:?}");
    }
}

#[tokio::test]
async fn a_captured_value_that_holds_a_secret_is_used_whole_and_not_written() {
    let world = Arc::new(World::default());
    let (_, entries, state) = run_at(CAPTURES, &["prod"], &world).await;
    assert_eq!(state, RunState::Finished);
    let scripts = world.scripts.lock().unwrap().join("\n");
    assert!(scripts.contains("folder=/srv/production\n"), "{scripts}");
    assert!(!texts(&entries).iter().any(|t| t.contains("prod")), "{entries:?}");
}

#[tokio::test]
async fn a_secret_that_spells_a_tag_leaves_no_other_readable() {
    let strong = "Zq7-Strong-Secret";
    let book = CAPTURES.replace("say /srv/production", &format!("say login {strong}"));
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
    let (whole, entries, _) = run_with(CAPTURES, &["Zq7-Strong-Secret"]).await;
    assert!(whole.ended);
    let mut secrets = std::collections::BTreeSet::new();
    for planned in &machine_of(CAPTURES, false).plan().steps {
        substrings(planned.id.as_str(), &mut secrets);
    }
    for word in ["app1", "/srv/production", "Where it is", "it is set", "me@here", "folder", "because"] {
        substrings(word, &mut secrets);
    }
    let mut tags = std::collections::BTreeSet::new();
    for entry in &entries {
        words(&serde_json::to_value(&entry.event).unwrap(), &mut tags);
    }
    tags.iter().for_each(|tag| substrings(tag, &mut secrets));
    assert!(secrets.len() > 200, "{}", secrets.len());
    for secret in secrets {
        let (course, entries, _) = run_with(CAPTURES, &[&secret]).await;
        assert_eq!(course, whole, "{secret}");
        let found: Vec<String> = texts(&entries).into_iter().filter(|t| t.contains(&secret)).collect();
        assert!(found.is_empty(), "{secret}: {found:?}");
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

#[tokio::test]
async fn a_value_that_is_not_written_is_read_again_and_no_change_is_repeated() {
    let secrets = ["prod"];
    let (_, entries, _) = run_with(CAPTURES, &secrets).await;
    for at in 1..=entries.len() {
        for written in [false, true] {
            let world = Arc::new(World::default());
            let dying = Paper { dies_at: Some((at, written)), ..Paper::default() };
            let needs = needs_of(&world, &dying, &Watched::default(), &secrets);
            drive(launch(machine_with(CAPTURES, &secrets), needs), yes).await;
            let mut alive = Paper { dies_at: None, ..dying };
            let mut machine = machine_with(CAPTURES, &secrets);
            alive.entries.lock().unwrap().iter().for_each(|entry| machine.apply(&entry.event).unwrap());
            let event = Event::Resumed { who: "me@here".to_owned() };
            alive.append(&event).unwrap();
            machine.apply(&event).unwrap();
            let needs = needs_of(&world, &alive, &Watched::default(), &secrets);
            let (state, _) = drive(launch(machine, needs), yes).await;
            assert_eq!(state, RunState::Finished, "{at} {written}");
            assert_eq!(*world.done.lock().unwrap(), ["app1 set freeze", "app1 set thaw"], "{at} {written}");
            let scripts = world.scripts.lock().unwrap().clone();
            let freezes = scripts.iter().filter(|s| s.contains("set freeze"));
            freezes.for_each(|s| assert!(s.contains("folder=/srv/production\n"), "{at} {written}: {s}"));
            let entries = alive.entries.lock().unwrap().clone();
            assert!(!texts(&entries).iter().any(|t| t.contains("prod")), "{at} {written}: {entries:?}");
        }
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
    let head = CAPTURES.split("[[step]]").next().unwrap();
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let machine = machine_of(&format!("{head}{SHORT}"), false);
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
    let machine = machine_of(&format!("{head}{typed}[[step]]{uses}"), false);
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
    let head = CAPTURES.split("[[step]]").next().unwrap();
    // What was seen is cut at its end, output at its beginning, what does not fit its kind at its end.
    for (before, after, expect, kind) in
        [(60, 0, "^x", "text"), (60, 0, "^y", "text"), (60, 16_300, ".", "lines"), (40, 0, ".", "int")]
    {
        let output = format!("{}{secret}{}", "x".repeat(before), "z".repeat(after));
        let steps = SHOWS.replace("OUTPUT", &output).replace("EXPECT", expect).replace("KIND", kind);
        let world = Arc::new(World::default());
        let (paper, watched) = (Paper::default(), Watched::default());
        let machine = machine_with(&format!("{head}{steps}"), &[&secret]);
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
    let head = CAPTURES.split("[[step]]").next().unwrap();
    let steps = SHORT.split("[[step]]").nth(1).unwrap().replace("say ab", "say Zq7-Strong-Secret");
    let steps = format!("[[step]]{steps}expect = [{{ is = \"another\" }}]\n");
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let handle = launch(machine_of(&format!("{head}{steps}"), false), needs(&world, &paper));
    let (state, _) = drive(handle, |_| Reply::Chosen('s', None)).await;
    assert!(matches!(state, RunState::Stopped(_)), "{state:?}");
    let texts = texts(&paper.entries.lock().unwrap());
    let texts = texts.into_iter().filter(|t| !t.starts_with("say ")).collect::<Vec<_>>().join("\n");
    assert!(texts.contains("the step is sensitive") && !texts.contains("Zq7"), "{texts}");
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
    let head = CAPTURES.split("[[step]]").next().unwrap();
    let steps = UNPROVED.replace("OUTPUT", &secret);
    let (world, paper, watched) = (Arc::new(World::default()), Paper::default(), Watched::default());
    let machine = machine_with(&format!("{head}{steps}"), &[&secret]);
    let handle = launch(machine, needs_of(&world, &paper, &watched, &[&secret]));
    drive(handle, |prompt| match &prompt.kind {
        PromptKind::Approve(_) => Reply::No,
        PromptKind::Choose(_) => Reply::Chosen('s', None),
        _ => yes(prompt),
    })
    .await;
    let questions = watched.1.lock().unwrap().clone();
    assert!(
        questions.iter().any(|q| q.doubts.iter().any(|d| d.contains(crate::runbook::redact::MARK))),
        "{questions:?}"
    );
    assert!(!format!("{questions:?}").contains("Strong"), "{questions:?}");
}
