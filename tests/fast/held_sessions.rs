//! Statements in the session that a `hold` keeps open, in whole runs on the simulated fleet.

use crate::support::rehearsal;
use std::sync::{Arc, Mutex};

use jumpdeck::runbook::event::{Event, Phase};
use jumpdeck::runbook::journal::Entry;
use jumpdeck::transport::BoxFuture;
use jumpdeck::transport::SessionPool;
use jumpdeck::transport::error::{ErrorKind, TransportError};
use jumpdeck::transport::{Held, HostSessions, Limits, Ran, Session};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Prompt, PromptKind, Reply, RunState, StepState};
use rehearsal::{Stage, Told};

const RUNBOOK: &str = r#"
name = "gap"
title = "t"
summary = "s"
danger = "data"
[[input]]
name = "old"
label = "Which?"
kind = "host"
[[step]]
id = "go"
kind = "confirm"
title = "Go"
covers = ["lock", "freeze"]
[[step]]
id = "lock"
kind = "hold"
title = "Lock"
on = "old"
sql = "SELECT GET_LOCK('gap', 0) AS held"
expect = [{ column = "held", is = "1" }]
heartbeat = "SELECT IS_USED_LOCK('gap') = CONNECTION_ID()"
[[step]]
id = "before"
kind = "check"
title = "Before"
on = "old"
in = "lock"
sql = "SELECT @@server_id AS id, @@global.read_only AS r"
expect = [{ column = "r", is = "0" }]
capture = [{ name = "id", kind = "int", column = "id" }]
[[step]]
id = "freeze"
kind = "sql"
title = "Freeze"
on = "old"
in = "lock"
pre = [{ says = "writable", in = "lock", sql = "SELECT @@global.read_only", expect = [{ is = "0" }] }]
sql = "SET GLOBAL read_only = 1"
effect = "mutate"
read_back = [{ says = "read-only", in = "lock", sql = "SELECT @@global.read_only", expect = [{ is = "1" }] }]
undo = { in = "lock", sql = "SET GLOBAL read_only = 0", read_back = [{ says = "writable", in = "lock", sql = "SELECT @@global.read_only", expect = [{ is = "0" }] }] }
[[step]]
id = "after"
kind = "wait_until"
title = "After"
on = "old"
in = "lock"
timeout = "20s"
sql = "SELECT @@server_id AS id"
expect = [{ column = "id", is = "{id}" }]
"#;

/// What becomes of a session when a statement is sent in it, the first time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Never,
    /// The link is gone before it is sent.
    Before,
    /// It is sent, and the link is gone before an answer comes. The client stays.
    After,
}

#[derive(Clone)]
struct Watched {
    inner: Arc<SessionPool>,
    /// Programs that were started on hosts.
    started: Arc<Mutex<Vec<String>>>,
    cut: Cut,
    at: &'static str,
    spent: Arc<Mutex<bool>>,
    /// Clients whose link is gone.
    gone: Arc<Mutex<Vec<Box<dyn Held>>>>,
}

impl HostSessions for Watched {
    fn host<'a>(&'a self, name: &'a HostName) -> BoxFuture<'a, Result<Arc<dyn Session>, TransportError>> {
        Box::pin(async move {
            let session = self.inner.host(name).await?;
            Ok(Arc::new(On { session, watched: self.clone() }) as Arc<dyn Session>)
        })
    }

    fn jump(&self) -> &HostName {
        self.inner.jump()
    }
}

struct On {
    session: Arc<dyn Session>,
    watched: Watched,
}

impl Session for On {
    fn exec<'a>(
        &'a self,
        command: &'a str,
        stdin: &'a [u8],
        limits: Limits,
        out: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, TransportError>> {
        if command.contains("mariadb") {
            self.watched.started.lock().unwrap().push(String::from_utf8_lossy(stdin).into_owned());
        }
        self.session.exec(command, stdin, limits, out)
    }

    fn start<'a>(&'a self, command: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, TransportError>> {
        Box::pin(async move {
            let held = self.session.start(command).await?;
            if !command.contains("mariadb") {
                return Ok(held);
            }
            let held = Some(held);
            Ok(Box::new(Line { held, watched: self.watched.clone() }) as Box<dyn Held>)
        })
    }
}

struct Line {
    held: Option<Box<dyn Held>>,
    watched: Watched,
}

fn dropped() -> TransportError {
    TransportError::new(&Hop::Here, ErrorKind::Dropped, "cut by the test")
}

impl Held for Line {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), TransportError>> {
        Box::pin(async move {
            let mut held = self.held.take().ok_or_else(dropped)?;
            let hit = String::from_utf8_lossy(bytes).contains(self.watched.at);
            let first = hit && !std::mem::replace(&mut *self.watched.spent.lock().unwrap(), hit);
            match self.watched.cut {
                Cut::After if first => {
                    held.write(bytes).await?;
                    self.watched.gone.lock().unwrap().push(held);
                    Ok(())
                }
                Cut::Never | Cut::Before | Cut::After => {
                    let sent = held.write(bytes).await;
                    self.held = Some(held);
                    sent
                }
            }
        })
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, TransportError>> {
        Box::pin(async move {
            let read = self.held.as_mut().ok_or_else(dropped)?.read().await?;
            // After the answer to what stands before it.
            let begins = String::from_utf8_lossy(&read).contains("held") && self.watched.cut == Cut::Before;
            if begins && !std::mem::replace(&mut *self.watched.spent.lock().unwrap(), true) {
                self.watched.gone.lock().unwrap().extend(self.held.take());
            }
            Ok(read)
        })
    }

    fn ended(&mut self) -> BoxFuture<'_, Result<Ran, TransportError>> {
        Box::pin(async move { self.held.as_mut().ok_or_else(dropped)?.ended().await })
    }
}

/// Says yes; stops at a decision.
fn agrees(prompt: &Prompt) -> Reply {
    match &prompt.kind {
        PromptKind::Confirm => Reply::Yes,
        PromptKind::Choose(_) => Reply::Chosen('s', None),
        PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
        PromptKind::Input(_) | PromptKind::Approve(_) => Reply::No,
    }
}

async fn run(cut: Cut, at: &'static str, answer: impl FnMut(&Prompt) -> Reply) -> (Stage, Told, Watched) {
    let mut stage = Stage::new("wpd-2015", "production", false);
    stage.add("gap", RUNBOOK);
    let watched = Watched {
        inner: Arc::new(stage.way()),
        started: Arc::default(),
        cut,
        at,
        spent: Arc::default(),
        gone: Arc::default(),
    };
    let reach = Arc::new(watched.clone());
    let told = stage.run_over(reach, "gap", &[("old", "db1-masterdb")], answer).await;
    (stage, told, watched)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_client_is_started_for_a_statement_in_a_held_session() {
    let (_stage, told, watched) = run(Cut::Never, "-", agrees).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert_eq!(*watched.started.lock().unwrap(), Vec::<String>::new());
    assert_eq!(told.state_of("freeze"), StepState::Done);
    let commands = told.entries.iter().find_map(|entry| match &entry.event {
        Event::Intent { step, commands, .. } if step.as_str() == "freeze" => Some(commands.clone()),
        _ => None,
    });
    let shown: Vec<String> = commands.unwrap().into_values().collect();
    assert_eq!(shown, ["SET GLOBAL read_only = 1\n-- in the session of lock"]);
}

/// How often a step was begun.
fn begun(told: &Told, id: &str) -> usize {
    let intent =
        |e: &&Entry| matches!(&e.event, Event::Intent { step, phase: Phase::Run, .. } if step.as_str() == id);
    told.entries.iter().filter(intent).count()
}

fn retries(prompt: &Prompt) -> Reply {
    match &prompt.kind {
        PromptKind::Choose(choices) if choices.iter().any(|c| c.key == 'r') => Reply::Chosen('r', None),
        PromptKind::Choose(choices) if choices.iter().any(|c| c.key == 'l') => Reply::Chosen('l', None),
        _ => agrees(prompt),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_session_is_lost_is_looked_for_and_done_once() {
    let (_stage, told, watched) = run(Cut::After, "SET GLOBAL read_only = 1", retries).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(told.was_unknown("freeze"), "{}", told.story());
    assert_eq!(told.state_of("freeze"), StepState::Done);
    assert_eq!(begun(&told, "freeze"), 1, "{}", told.story());
    // The session whose link is gone was ended on its server before anybody asked.
    let asked = watched.started.lock().unwrap().clone();
    assert!(asked.iter().any(|text| text.contains("KILL ")), "{asked:#?}");
    let lost = told
        .entries
        .iter()
        .any(|e| matches!(&e.event, Event::HoldLost { step, .. } if step.as_str() == "lock"));
    assert!(lost, "{}", told.story());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_lost_before_a_statement_is_opened_again() {
    let (_stage, told, _) = run(Cut::Before, "-", retries).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(!told.was_unknown("freeze"), "{}", told.story());
    assert_eq!(begun(&told, "freeze"), 1, "{}", told.story());
    assert_eq!(begun(&told, "lock"), 2, "{}", told.story());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_is_undone_after_its_session_was_lost() {
    let undoes = |prompt: &Prompt| match &prompt.kind {
        PromptKind::Choose(choices) if choices.iter().any(|c| c.key == 'b') => Reply::Chosen('b', None),
        _ => retries(prompt),
    };
    // The last read of the runbook is lost.
    let (stage, told, _) = run(Cut::After, "SELECT @@server_id AS id;", undoes).await;
    assert_eq!(told.view.state, RunState::RolledBack, "{}", told.story());
    assert_eq!(told.state_of("freeze"), StepState::Undone);
    let read_only =
        stage.shell("db1-masterdb", "mysql --batch --skip-column-names -e 'SELECT @@global.read_only'").await;
    assert_eq!(read_only, "0");
}

/// The guard of promote-masterdb ends before the step that moves the applications. Where that step does not apply, the next one
/// ends the session.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_after_its_last_step_also_where_the_step_that_ends_it_is_skipped() {
    let ends = r#"
[[step]]
id = "ends"
kind = "check"
title = "Ends"
on = "old"
when = [{ value = "{managed_by}", is = "MANAGED" }]
sql = "SELECT 1 AS one"
[[step]]
id = "free"
kind = "wait_until"
title = "Free"
on = "old"
timeout = "5s"
sql = "SELECT IS_FREE_LOCK('gap') AS free"
expect = [{ column = "free", is = "1" }]
"#;
    for managed in ["salt", "ssh"] {
        let mut stage = Stage::new("wpd-2015", "production", false);
        let heartbeat = "heartbeat = \"SELECT IS_USED_LOCK('gap') = CONNECTION_ID()\"";
        let until = format!("{heartbeat}\nuntil = \"ends\"");
        let text = RUNBOOK.replace(heartbeat, &until) + &ends.replace("MANAGED", managed);
        stage.add("gap", &text);
        let told = stage.run("gap", &[("old", "db1-masterdb")], None, agrees).await;
        assert_eq!(told.view.state, RunState::Finished, "{managed}: {}", told.story());
        let skipped = matches!(told.state_of("ends"), StepState::Skipped(_));
        assert_eq!(skipped, managed == "ssh", "{managed}: {}", told.story());
    }
}
