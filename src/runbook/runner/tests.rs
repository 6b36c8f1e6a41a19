//! Runs over scripted hosts: nothing is repeated, whatever entry of the journal a run dies at.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::domain::access::{Access, KnownHosts};
use crate::domain::fleet::{Cadence, Guard, Host, Jump, Thresholds, Transport};
use crate::domain::names::{EnvName, HostId, HostName, RoleName};
use crate::domain::run::{Prompt, PromptKind, Reply};
use crate::runbook::approval::Approval;
use crate::runbook::event::Verdict;
use crate::runbook::ids::RunId;
use crate::runbook::plan::{Frozen, FrozenHost, Plan};
use crate::runbook::reach::{Held, Limits, Ran, Reach, Session};
use crate::runbook::redact::Redactor;
use crate::runbook::spec::Runbook;
use crate::ssh::dial::BoxFuture;
use crate::ssh::error::{ErrorKind, SshError};

mod armed;
mod asking;
mod impossible;
mod lease;
mod salt_job;
mod schema_1;
mod secrets;
mod signed;

/// Hosts that know five words: `set NAME`, `unset NAME`, `get NAME`, `say TEXT`, `fail TEXT`. What is set is counted.
#[derive(Default)]
struct World {
    set: Mutex<BTreeMap<(String, String), u32>>,
    done: Mutex<Vec<String>>,
    /// Words that report success and do nothing.
    idle: Mutex<Vec<String>>,
    /// Words after which the link is lost: they are done, and nobody hears of it.
    cut: Mutex<Vec<String>>,
    /// Every script that came.
    scripts: Mutex<Vec<String>>,
    /// Changes that came while the environment was read-only.
    unarmed: Mutex<Vec<String>>,
    read_only: AtomicBool,
    /// It becomes read-only with this word.
    ends_arming: Mutex<Option<String>>,
}

struct Hosts(Arc<World>, HostName);

impl Reach for Hosts {
    fn host<'a>(&'a self, host: &'a HostName) -> BoxFuture<'a, Result<Arc<dyn Session>, SshError>> {
        let session = OnHost(self.0.clone(), host.to_string());
        Box::pin(async move { Ok(Arc::new(session) as Arc<dyn Session>) })
    }

    fn jump(&self) -> &HostName {
        &self.1
    }
}

struct OnHost(Arc<World>, String);

impl Session for OnHost {
    fn exec<'a>(
        &'a self,
        _command: &'a str,
        stdin: &'a [u8],
        _limits: Limits,
        out: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, SshError>> {
        Box::pin(async move {
            let text = String::from_utf8(stdin.to_vec()).unwrap();
            self.0.scripts.lock().unwrap().push(text.clone());
            let word =
                |l: &&str| ["set ", "unset ", "get ", "say ", "fail "].iter().any(|word| l.starts_with(word));
            let line = text.lines().find(word).unwrap_or_default().trim().to_owned();
            if line.is_empty() && text.contains("mkdir ") {
                // Whether something is under way: here nothing outlives its link.
                let stdout = b"over\n".to_vec();
                return Ok(Ran { status: Some(0), stdout, stderr: Vec::new() });
            }
            let (word, name) = line.split_once(' ').unwrap();
            let key = (self.1.clone(), name.to_owned());
            let mut set = self.0.set.lock().unwrap();
            let idle = self.0.idle.lock().unwrap().contains(&line);
            let mut said = String::new();
            match word {
                "get" => said = u32::from(set.contains_key(&key)).to_string(),
                "say" => said = name.to_owned(),
                "fail" => {
                    let stderr = name.as_bytes().to_vec();
                    return Ok(Ran { status: Some(1), stdout: Vec::new(), stderr });
                }
                _ => {
                    if self.0.read_only.load(Ordering::SeqCst) {
                        self.0.unarmed.lock().unwrap().push(line.clone());
                    }
                    if self.0.ends_arming.lock().unwrap().as_ref() == Some(&line) {
                        self.0.read_only.store(true, Ordering::SeqCst);
                    }
                    self.0.done.lock().unwrap().push(format!("{} {line}", self.1));
                }
            }
            if word == "set" && !idle {
                *set.entry(key.clone()).or_default() += 1;
            }
            if word == "unset" && !idle {
                set.remove(&key);
            }
            let mut cut = self.0.cut.lock().unwrap();
            if let Some(at) = cut.iter().position(|c| *c == line) {
                cut.remove(at);
                let hop = crate::domain::hop::Hop::Host(HostName::new(&self.1).unwrap());
                return Err(SshError::new(&hop, ErrorKind::Dropped, "the link is cut"));
            }
            out(said.as_bytes());
            Ok(Ran { status: Some(0), stdout: said.into_bytes(), stderr: Vec::new() })
        })
    }

    fn start<'a>(&'a self, _command: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, SshError>> {
        Box::pin(async { panic!("nothing is held here") })
    }
}

/// A journal in memory that dies at an entry: before it is written, or right after.
#[derive(Clone, Default)]
struct Paper {
    entries: Arc<Mutex<Vec<Entry>>>,
    dies_at: Option<(usize, bool)>,
}

impl Record for Paper {
    fn append(&mut self, event: &Event) -> Result<Entry, String> {
        let mut entries = self.entries.lock().unwrap();
        let seq = entries.len() + 1;
        let entry = Entry {
            seq: seq as u64,
            at: Timestamp::UNIX_EPOCH,
            prev: String::new(),
            event: event.clone(),
            seal: Default::default(),
            hash: String::new(),
            line: String::new(),
        };
        match self.dies_at {
            Some((at, false)) if at == seq => return Err("killed before".to_owned()),
            Some((at, true)) if at == seq => {
                entries.push(entry);
                return Err("killed after".to_owned());
            }
            _ => entries.push(entry.clone()),
        }
        Ok(entry)
    }
}

const BOOK: &str = r#"
name = "book"
title = "A book"
summary = "For tests."
danger = "changes"

[[target]]
name = "apps"
role = "app"

[[target]]
name = "one"
host = "app1"

[[step]]
id = "look"
kind = "check"
title = "Look"
on = "apps"
run = "get nothing"
expect = [{ is = "0" }]

[[step]]
id = "first"
kind = "run"
title = "First"
on = "one"
run = "set first"
effect = "mutate"
read_back = [{ says = "it is set", run = "get first", expect = [{ is = "1" }] }]
undo = { run = "unset first", read_back = [{ says = "it is gone", run = "get first", expect = [{ is = "0" }] }] }

[[step]]
id = "each"
kind = "for_each"
title = "Each"
over = "apps"
item = "app"
batch = 1
max_failures = 0

  [[step.step]]
  id = "second"
  kind = "run"
  title = "Second on {app}"
  on = "app"
  run = "set second"
  effect = "mutate"
  read_back = [{ says = "it is set", run = "get second", expect = [{ is = "1" }] }]
  undo = { run = "unset second", read_back = [{ says = "it is gone", run = "get second", expect = [{ is = "0" }] }] }

[[step]]
id = "last"
kind = "run"
title = "Last"
on = "one"
run = "set last"
effect = "destructive"
point_of_no_return = true
read_back = [{ says = "it is set", run = "get last", expect = [{ is = "1" }] }]
"#;

fn environment() -> Arc<Environment> {
    let access = Arc::new(Access {
        user: "root".to_owned(),
        keys: Vec::new(),
        agent: None,
        password: false,
        known_hosts: KnownHosts::own(Vec::new()),
    });
    let env = EnvName::new("test").unwrap();
    let host = |name: &str| {
        Arc::new(Host {
            id: HostId { env: env.clone(), host: HostName::new(name).unwrap() },
            address: format!("10.0.0.{}", name.len()),
            port: 22,
            access: access.clone(),
            roles: vec![RoleName::new("app").unwrap()],
            roles_declared: true,
            hostname: None,
            sudo: false,
        })
    };
    Arc::new(Environment {
        name: env.clone(),
        level: "test".to_owned(),
        guard: Guard::Confirm,
        signatures: Default::default(),
        lease: Default::default(),
        domain: None,
        jump: Jump::Local { name: HostName::new("jump").unwrap() },
        transport: Transport::Ssh,
        thresholds: Thresholds::default(),
        requirements: Vec::new(),
        cadence: Cadence::default(),
        hosts: vec![host("app1"), host("app2")],
    })
}

fn machine() -> Machine {
    machine_of(BOOK, false)
}

fn machine_of(book: &str, dry_run: bool) -> Machine {
    let runbook = Runbook::read("book.toml", book, &|_| None)
        .unwrap_or_else(|errors| panic!("{}", errors.iter().map(|e| e.render(false)).collect::<String>()));
    let host = |name: &str| FrozenHost {
        name: name.to_owned(),
        address: "10.0.0.1".to_owned(),
        roles: vec!["app".to_owned()],
        machine_id: None,
    };
    let frozen = Frozen {
        runbook: "book".to_owned(),
        sources: runbook.sources.clone(),
        hash: runbook.hash.clone(),
        environment: "test".to_owned(),
        level: "test".to_owned(),
        domain: String::new(),
        jump: "jump".to_owned(),
        inputs: BTreeMap::new(),
        targets: [("apps", vec![host("app1"), host("app2")]), ("one", vec![host("app1")])]
            .map(|(k, v)| (k.to_owned(), v))
            .into(),
    };
    let plan = Plan::new(Arc::new(runbook), frozen, BTreeMap::new()).unwrap();
    Machine::new(Arc::new(plan), &RunId::new("run").unwrap(), "me@here", "because", "20261121", dry_run)
}

fn needs(world: &Arc<World>, paper: &Paper) -> Needs {
    Needs {
        env: environment(),
        simulated: true,
        reach: Arc::new(Hosts(world.clone(), HostName::new("jump").unwrap())),
        record: Recorder::new(paper.clone()),
        lease: None,
        who: "me@here".to_owned(),
        clock: Arc::new(|| Moment(0)),
        armed: {
            let world = world.clone();
            Arc::new(move || !world.read_only.load(Ordering::SeqCst))
        },
        redactor: Redactor::new(),
        signing: crate::runbook::evidence::Signing::none("a test"),
        entries: Vec::new(),
    }
}

/// Answers every prompt until the run stands.
async fn drive(mut handle: RunHandle, mut answer: impl FnMut(&Prompt) -> Reply) -> (RunState, Vec<String>) {
    let mut asked = Vec::new();
    let mut last = 0;
    loop {
        let view = handle.view.borrow_and_update().clone();
        if !matches!(view.state, RunState::Running | RunState::Waiting | RunState::RollingBack) {
            return (view.state.clone(), asked);
        }
        if let Some(prompt) = view.prompt.as_ref().filter(|p| p.number != last) {
            last = prompt.number;
            asked.push(prompt.title.to_string());
            let command = RunCommand::Answer { prompt: prompt.number, reply: answer(prompt) };
            handle.commands.send(command).await.unwrap();
        }
        let changed = tokio::time::timeout(Duration::from_secs(20), handle.view.changed()).await;
        changed.expect("the run hangs").unwrap();
    }
}

fn yes(prompt: &Prompt) -> Reply {
    match &prompt.kind {
        PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
        PromptKind::Choose(choices) => Reply::Chosen(choices[0].key, Some("because".to_owned())),
        _ => Reply::Yes,
    }
}

async fn go_on(world: &Arc<World>, paper: &Paper, began: bool) -> (RunState, Vec<String>) {
    let mut machine = machine();
    for entry in paper.entries.lock().unwrap().iter() {
        machine.apply(&entry.event).unwrap();
    }
    let mut paper = paper.clone();
    if began {
        let event = Event::Resumed { who: "me@here".to_owned() };
        if paper.append(&event).is_ok() {
            machine.apply(&event).unwrap();
        }
    }
    drive(launch(machine, needs(world, &paper)), yes).await
}

#[tokio::test]
async fn a_run_goes_to_its_end() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let (state, asked) = go_on(&world, &paper, false).await;
    assert_eq!(state, RunState::Finished);
    assert_eq!(asked, ["First", "Second on app1", "Second on app2", "Last"]);
    let done = world.done.lock().unwrap().clone();
    assert_eq!(done, ["app1 set first", "app1 set second", "app2 set second", "app1 set last"]);
}

#[tokio::test]
async fn killed_at_any_entry_and_resumed_nothing_is_done_twice() {
    let whole = Paper::default();
    go_on(&Arc::new(World::default()), &whole, false).await;
    let entries = whole.entries.lock().unwrap().len();
    assert!(entries > 10, "{entries}");
    for at in 1..=entries {
        for written in [false, true] {
            let world = Arc::new(World::default());
            let dying = Paper { dies_at: Some((at, written)), ..Paper::default() };
            let (state, _) = go_on(&world, &dying, false).await;
            assert!(matches!(state, RunState::Stopped(_)), "{at} {written}: {state:?}");
            let alive = Paper { dies_at: None, ..dying.clone() };
            let (state, _) = go_on(&world, &alive, true).await;
            assert_eq!(state, RunState::Finished, "{at} {written}");
            let done = world.done.lock().unwrap().clone();
            let wanted = ["app1 set first", "app1 set second", "app2 set second", "app1 set last"];
            assert_eq!(done, wanted, "killed at entry {at}, written: {written}");
        }
    }
}

#[tokio::test]
async fn a_change_that_reports_success_and_did_nothing_fails_and_is_taken_back() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.idle.lock().unwrap().push("set second".to_owned());
    let handle = launch(machine(), needs(&world, &paper));
    let (state, asked) = drive(handle, |prompt| match &prompt.kind {
        PromptKind::Choose(_) => Reply::Chosen('b', None),
        _ => yes(prompt),
    })
    .await;
    assert_eq!(state, RunState::RolledBack);
    assert!(asked.iter().any(|a| a.contains("did not succeed")), "{asked:?}");
    let done = world.done.lock().unwrap().clone();
    assert_eq!(done, ["app1 set first", "app1 set second", "app1 unset second", "app1 unset first"]);
    assert!(world.set.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_link_lost_in_the_middle_of_a_change_is_looked_for_and_not_repeated() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.cut.lock().unwrap().push("set first".to_owned());
    let handle = launch(machine(), needs(&world, &paper));
    let (state, asked) = drive(handle, |prompt| match &prompt.kind {
        PromptKind::Choose(choices) => {
            assert!(choices.iter().all(|c| c.key != 'r'), "never repeated blindly: {choices:?}");
            Reply::Chosen('l', None)
        }
        _ => yes(prompt),
    })
    .await;
    assert_eq!(state, RunState::Finished);
    assert!(asked.iter().any(|a| a.contains("Nobody knows")), "{asked:?}");
    assert_eq!(world.done.lock().unwrap().iter().filter(|d| *d == "app1 set first").count(), 1);
}

#[tokio::test]
async fn no_is_what_happens_unless_somebody_says_yes() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let handle = launch(machine(), needs(&world, &paper));
    let (state, _) = drive(handle, |prompt| match &prompt.kind {
        PromptKind::Choose(_) => Reply::Chosen('s', None),
        _ => Reply::No,
    })
    .await;
    assert!(matches!(state, RunState::Stopped(_)), "{state:?}");
    assert!(world.done.lock().unwrap().is_empty());
}

#[tokio::test]
async fn behind_the_point_of_no_return_nothing_is_taken_back() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.idle.lock().unwrap().push("set last".to_owned());
    let handle = launch(machine(), needs(&world, &paper));
    let (state, _) = drive(handle, |prompt| match &prompt.kind {
        PromptKind::Choose(choices) => {
            assert!(choices.iter().all(|c| c.key != 'b'), "{choices:?}");
            Reply::Chosen('a', Some("enough".to_owned()))
        }
        _ => yes(prompt),
    })
    .await;
    assert!(matches!(state, RunState::Abandoned(_)), "{state:?}");
    assert!(!world.done.lock().unwrap().iter().any(|d| d.contains("unset")));
}
