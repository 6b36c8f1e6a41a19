//! Maintenance sessions of the console: what is asked of them, and what the console does on hosts, as lines of their records.

use std::collections::HashMap;

use tokio::sync::mpsc;

use crate::app::message::{AskedShell, ShellNews};
use crate::operator::maintenance::jot;
use crate::operator::maintenance::service::SessionService;
use jumpdeck_fleet::command::{CommandOrder, CommandView};
use jumpdeck_fleet::maintenance::{RunEntry, SessionNews, SessionOrder, SessionWork};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::run::{RunEvent, RunView};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::timeline::TimelineRecord;

/// Maintenance sessions, and what of this console is under way in them.
pub struct SessionDesk {
    service: Option<SessionService>,
    /// What is known of sessions.
    pub(super) news: mpsc::Receiver<SessionNews>,
    /// Runs of this console that are under way, and those that are to be resumed.
    runs: HashMap<String, RunPart>,
    /// The shell that has the terminal: its number, environment and work.
    shell: Option<(u64, EnvName, String)>,
    /// Commands under way, by the id of their order.
    commands: HashMap<u64, String>,
}

/// How far this console is with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunPart {
    /// It was asked to go on with it.
    Resuming,
    /// It has it under way, and that is written.
    Written,
}

impl SessionDesk {
    /// Over the sessions of an operator.
    #[must_use]
    pub fn new(service: SessionService, news: mpsc::Receiver<SessionNews>) -> Self {
        let (runs, commands) = (HashMap::new(), HashMap::new());
        Self { service: Some(service), news, runs, shell: None, commands }
    }

    /// None: nothing is kept.
    #[must_use]
    pub fn none() -> Self {
        let (_, news) = mpsc::channel(1);
        Self { service: None, news, runs: HashMap::new(), shell: None, commands: HashMap::new() }
    }

    pub(super) fn open(&self, env: &EnvName) {
        if let Some(service) = &self.service {
            service.open(env);
        }
    }

    pub(super) fn order(&self, env: &EnvName, order: SessionOrder) {
        if let Some(service) = &self.service {
            service.order(env, order);
        }
    }

    pub(super) async fn end(&self) {
        if let Some(service) = &self.service {
            service.end().await;
        }
    }

    fn write(&self, env: &EnvName, entries: Vec<jumpdeck_fleet::maintenance::SessionEntry>) {
        if let Some(service) = &self.service {
            service.write(env, entries);
        }
    }

    /// What changed in the fleet.
    pub(super) fn events(&self, env: &EnvName, records: &[TimelineRecord]) {
        self.write(env, records.iter().filter_map(jot::event).collect());
    }

    /// A run is to go on: its next picture is not that of a new one.
    pub(super) fn resumes(&mut self, run: &str) {
        self.runs.insert(run.to_owned(), RunPart::Resuming);
    }

    /// What is told of runs and commands.
    pub(super) fn run_event(&mut self, event: &RunEvent) {
        match event {
            RunEvent::Run(view) => self.run(view),
            RunEvent::Command(view) => self.command(view),
            RunEvent::List(_)
            | RunEvent::Found { .. }
            | RunEvent::Plan(_)
            | RunEvent::Refused(_)
            | RunEvent::PastRuns(_)
            | RunEvent::PastReport(_)
            | RunEvent::Power(_)
            | RunEvent::CommandReady { .. } => {}
        }
    }

    fn run(&mut self, view: &RunView) {
        if view.watching {
            return;
        }
        let before = self.runs.get(&view.id).copied();
        let mut lines = Vec::new();
        match before {
            Some(RunPart::Written) => {}
            Some(RunPart::Resuming) => lines.push(jot::run(view, RunEntry::Resumed)),
            None => lines.push(jot::run(view, RunEntry::Started)),
        }
        self.runs.insert(view.id.clone(), RunPart::Written);
        if let Some(over) = jot::run_over(view) {
            self.runs.remove(&view.id);
            lines.push(over);
        }
        self.write(&view.env, lines);
    }

    /// A command is run on hosts.
    pub(super) fn command_ordered(&mut self, order: &CommandOrder) {
        let work = jot::new_work();
        let hosts = order.hosts.iter().map(|host| Clean::new(host.as_str())).collect();
        let what = SessionWork::Command { hosts, command: Clean::lines(order.text.as_str()) };
        self.write(&order.env, vec![jot::opened(&work, what)]);
        self.commands.insert(order.id, work);
    }

    fn command(&mut self, view: &CommandView) {
        if view.is_under_way() {
            return;
        }
        if let Some(work) = self.commands.remove(&view.order.id) {
            self.write(&view.order.env, vec![jot::closed(&work, &view.counts())]);
        }
    }

    /// A shell has the terminal.
    pub(super) fn shell(&mut self, asked: &AskedShell) {
        let work = jot::new_work();
        let host = Clean::new(asked.host.id.host.as_str());
        self.write(&asked.env.name, vec![jot::opened(&work, SessionWork::Shell { host })]);
        self.shell = Some((asked.number, asked.env.name.clone(), work));
    }

    /// What became of it.
    pub(super) fn shell_news(&mut self, news: &ShellNews) {
        let ShellNews::Ended { number, how } = news else { return };
        let Some((_, env, work)) = self.shell.take_if(|(of, ..)| of == number) else { return };
        let says = match how {
            Ok(status) => format!("exit {status}"),
            Err(why) => format!("lost: {why}"),
        };
        self.write(&env, vec![jot::closed(&work, &says)]);
    }
}
