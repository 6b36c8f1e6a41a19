//! A run whose console is gone is a problem of its environment, for whoever looks: on the simulated fleet, over SSH.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::cli::simulate;
use crate::cli::status::gather::{Picture, gather};
use crate::collect::Collector;
use crate::collect::clock::Clock;
use crate::operator::left::LeftRunsFinder;
use crate::runbook::definition::Runbook;
use crate::runbook::lease::{self, LeasePlaces};
use crate::runbook::planner;
use crate::runbook::runner::{self, Launch};
use crate::runbook::signing_keys::SigningKeys;
use crate::transport::ask::RefuseAll;
use crate::transport::ssh::SshConnector;
use crate::transport::{HostSessions, Lane, SessionPool};
use jumpdeck_fleet::fleet::{Environment, Fleet};
use jumpdeck_fleet::problem::{Problem, ProblemKind, Severity};
use jumpdeck_fleet::run::{Mode, RunCommand};
use jumpdeck_sim::sshd::SimFleet;

const FREEZE: &str = r#"
name = "freeze"
title = "Freeze"
summary = "Writes stop."
danger = "data"

[[target]]
name = "master"
role = "masterdb"

[[step]]
id = "freeze"
kind = "run"
title = "Freeze"
on = "master"
run = "echo frozen >> /root/frozen"
effect = "mutate"
WRITES
read_back = [{ says = "it is frozen", run = "cat /root/frozen", expect = [{ is = "frozen" }] }]
undo = { run = "rm -f /root/frozen", read_back = [{ says = "it is gone", run = "ls /root", expect = [{ is = "" }] }] }

[[step]]
id = "wait"
kind = "confirm"
title = "Go on"
text = "?"

[[step]]
id = "end"
kind = "run"
title = "Write again"
on = "master"
run = "rm -f /root/frozen"
effect = "mutate"
WRITES_END
read_back = [{ says = "it is gone", run = "ls /root", expect = [{ is = "" }] }]
undo = { not_needed = "a test" }
"#;

struct Site {
    fleet: Arc<Fleet>,
    env: Arc<Environment>,
    servers: SimFleet,
    _universe: jumpdeck_sim::world::universe::Universe,
}

impl Site {
    fn new() -> Self {
        let (universe, servers) = simulate::start("wpd-2015").unwrap();
        let fleet = universe.fleet(|env| servers.access(env));
        let env = fleet.environments.iter().find(|env| env.name.as_str() == "staging").unwrap().clone();
        Self { fleet: Arc::new(fleet), env, servers, _universe: universe }
    }

    fn reach(&self) -> SessionPool {
        let connector = SshConnector::new(Arc::new(self.servers.clone()), Arc::new(RefuseAll));
        SessionPool::new(Arc::new(connector), self.env.clone(), Lane::Run)
    }

    /// What `status` sees.
    async fn picture(&self) -> Picture {
        let (sender, events) = mpsc::channel(1024);
        let clock = Clock::start();
        let reach = SshConnector::new(Arc::new(self.servers.clone()), Arc::new(RefuseAll));
        let reach = Arc::new(reach);
        let collector = Collector::new(self.fleet.clone(), reach, clock, sender)
            .looking_for_runs(Arc::new(LeftRunsFinder::default()));
        let wanted = [self.env.clone()];
        gather(&self.fleet, &wanted, &collector, events, clock, Duration::from_secs(120)).await.pop().unwrap()
    }

    async fn problems(&self) -> Vec<Problem> {
        let picture = self.picture().await;
        picture.problems.into_iter().filter(|problem| problem.kind == ProblemKind::Run).collect()
    }

    async fn shell(&self, script: &str) {
        let reach = self.reach();
        let session = reach.host(reach.jump()).await.unwrap();
        let ran = session.run(script, Duration::from_secs(60), &mut |_| ()).await.unwrap();
        assert_eq!(ran.status, Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    }

    /// Runs the freeze up to that question, or to its end without one; on a machine that may be dropped then: the machine and
    /// the run.
    async fn freeze(
        &self,
        text: &str,
        journals: &std::path::Path,
        up_to: Option<&'static str>,
    ) -> (tokio::runtime::Runtime, String) {
        let runbook = Runbook::from_sources(&[("freeze.toml".to_owned(), text.to_owned())]).unwrap();
        let reach: Arc<dyn HostSessions> = Arc::new(self.reach());
        let (none, no_secrets) = (BTreeMap::new(), BTreeMap::new());
        let made = planner::make(Arc::new(runbook), &self.env, true, none, &no_secrets, reach.as_ref()).await;
        let clock = Clock::start();
        let launch = Launch {
            env: self.env.clone(),
            simulated: true,
            reach: Arc::new(self.reach()),
            inventory: None,
            keys: SigningKeys::none(),
            folder: journals.join("runs"),
            who: "anna@desk".to_owned(),
            clock: Arc::new(move || clock.now()),
            armed: Arc::new(|| true),
        };
        let machine =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let plan = made.unwrap().0;
        let began = machine.spawn(async move {
            let handle = runner::start(launch, plan, "a test".to_owned(), Mode::Live).await.unwrap();
            let (id, commands, mut view) = (handle.id, handle.commands, handle.view);
            loop {
                let seen = view.borrow_and_update().clone();
                if let Some(prompt) = &seen.prompt {
                    if up_to == Some(prompt.title.as_str()) {
                        return (id, commands);
                    }
                    let reply = jumpdeck_fleet::run::Reply::Yes;
                    let _ = commands.send(RunCommand::Answer { prompt: prompt.number, reply }).await;
                }
                if !seen.state.is_under_way() {
                    assert_eq!(up_to, None, "{:?}", seen.state);
                    return (id, commands);
                }
                view.changed().await.unwrap();
            }
        });
        let (run, commands) = began.await.unwrap();
        // Dropped, it would ask the run to stop, as a console that ends in good order does.
        std::mem::forget(commands);
        (machine, run)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_whose_console_is_gone_is_critical_for_everybody_with_the_command_to_go_on() {
    let (site, home) = (Site::new(), tempfile::tempdir().unwrap());
    assert_eq!(site.problems().await, [], "no run was begun yet");
    let text = FREEZE.replace("WRITES_END", "writes = \"resume\"").replace("WRITES", "writes = \"stop\"");
    let (machine, run) = site.freeze(&text, home.path(), Some("Go on")).await;
    assert_eq!(site.problems().await, [], "its console has it");
    machine.shutdown_background();
    let from = std::time::Instant::now();
    let problems = loop {
        let problems = site.problems().await;
        // The lease outlives its console by a moment.
        if !problems.is_empty() || from.elapsed() > Duration::from_secs(60) {
            break problems;
        }
    };
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((problems[0].severity, &problems[0].host), (Severity::Critical, &None));
    let said = &problems[0].message;
    let command = format!("jumpdeck runbook takeover {run} --env staging");
    for word in ["freeze of anna@desk", "Writes are refused", &command] {
        assert!(said.contains(word), "{word}: {said}");
    }
    // What cannot be read is unknown, never none.
    site.shell(&format!("cd /run/lock/jumpdeck/{run} && sed -i -e '2s/freeze/freezf/' entries")).await;
    let problems = site.problems().await;
    assert_eq!((problems.len(), problems[0].severity), (1, Severity::Unknown), "{problems:?}");
    assert!(problems[0].message.contains("line 2"), "{problems:?}");
    site.shell("chmod 2777 /run/lock/jumpdeck").await;
    let problems = site.problems().await;
    assert_eq!((problems.len(), problems[0].severity), (1, Severity::Unknown), "{problems:?}");
    assert!(problems[0].message.contains("are unknown"), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_console_died_between_its_end_and_its_note_of_that_is_over() {
    let (site, home) = (Site::new(), tempfile::tempdir().unwrap());
    let text = FREEZE.replace("WRITES_END", "").replace("WRITES", "");
    let (machine, run) = site.freeze(&text, home.path(), None).await;
    let (reach, places) = (site.reach(), LeasePlaces::of(&site.env));
    let session = reach.host(reach.jump()).await.unwrap();
    let forget =
        format!("cd /run/lock/jumpdeck/{run} && grep -q '\"ended\"' entries && rm over && echo forgotten");
    let from = std::time::Instant::now();
    loop {
        let ran = session.run(&forget, Duration::from_secs(60), &mut |_| ()).await.unwrap();
        if ran.stdout == b"forgotten\n" {
            break;
        }
        assert!(from.elapsed() < Duration::from_secs(60), "{}", String::from_utf8_lossy(&ran.stderr));
    }
    machine.shutdown_background();
    let found = lease::left_in(&places, session.as_ref()).await.unwrap();
    assert_eq!(found.len(), 1, "the note is missing, so it is among those that may not be over: {found:?}");
    assert_eq!(site.problems().await, [], "its entries say that it ended");
}
