//! A command on hosts as a person sees it: plain data, made by who runs it, drawn by the console.

use std::fmt;
use std::sync::Arc;

use super::names::{EnvName, HostName};
use super::text::Clean;
use super::time::Moment;

/// A command as it was typed. It may hold anything: no log shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandText(Arc<str>);

impl CommandText {
    /// This text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text, for people and for the shell.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CommandText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CommandText")
    }
}

/// What is to be run, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandOrder {
    /// Tells orders of one console apart.
    pub id: u64,
    /// The environment.
    pub env: EnvName,
    /// The hosts, in the inventory's order.
    pub hosts: Vec<HostName>,
    /// The command.
    pub text: CommandText,
}

/// A command on hosts as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandView {
    /// What was to be run, and where.
    pub order: Arc<CommandOrder>,
    /// When it began.
    pub began: Moment,
    /// How far it is.
    pub state: CommandState,
    /// Hosts whose answers are the same: as they came while it is under way; then those that ran first, the largest first.
    pub groups: Vec<SameAnswers>,
    /// Hosts without an answer so far.
    pub waiting: Vec<HostName>,
}

/// How far a command is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandState {
    /// Hosts are being asked.
    UnderWay,
    /// Every host has its answer, or why it has none; when.
    Over(Moment),
    /// Nothing was run: why.
    NotBegun(Clean),
}

/// Hosts on which a command ended alike and printed the same, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SameAnswers {
    /// Its number: it keeps it when groups are put in another order.
    pub number: usize,
    /// The hosts.
    pub hosts: Vec<HostName>,
    /// How it ended there.
    pub outcome: CommandOutcome,
    /// What is to be said of it besides: the failing hop and the reason.
    pub why: Option<Clean>,
    /// What it printed there, as far as it is shown; `None` where it did not run.
    pub printed: Option<Arc<[PrintedLine]>>,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandOutcome {
    /// With an exit status.
    Exit(u32),
    /// By a signal.
    Signal(Clean),
    /// It was sent, and how it ended is not known: it may be running there.
    Unknown,
    /// The host could not be asked.
    NotAsked,
    /// The operator stopped it before the host's turn.
    Stopped,
}

/// A line of what a command printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrintedLine {
    /// On standard output.
    Out(Clean),
    /// On standard error.
    Err(Clean),
    /// What jumpdeck says of the output: what of it is not shown.
    Remark(Clean),
}

impl CommandView {
    /// One that has just been ordered.
    #[must_use]
    pub fn new(order: Arc<CommandOrder>, began: Moment) -> Self {
        let waiting = order.hosts.clone();
        Self { order, began, state: CommandState::UnderWay, groups: Vec::new(), waiting }
    }

    /// Whether hosts are being asked.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.state == CommandState::UnderWay
    }

    /// How many hosts ended how, in words: `15 exit 0, 1 outcome unknown, 1 not asked`. Another exit is any other status, or a signal.
    #[must_use]
    pub fn counts(&self) -> String {
        let count = |is: fn(&CommandOutcome) -> bool| -> usize {
            self.groups.iter().filter(|group| is(&group.outcome)).map(|group| group.hosts.len()).sum()
        };
        let parts = [
            (count(|outcome| *outcome == CommandOutcome::Exit(0)), "exit 0"),
            (
                count(|outcome| match outcome {
                    CommandOutcome::Exit(status) => *status != 0,
                    CommandOutcome::Signal(_) => true,
                    CommandOutcome::Unknown | CommandOutcome::NotAsked | CommandOutcome::Stopped => false,
                }),
                "other exit",
            ),
            (count(|outcome| *outcome == CommandOutcome::Unknown), "outcome unknown"),
            (
                count(|outcome| matches!(outcome, CommandOutcome::NotAsked | CommandOutcome::Stopped)),
                "not asked",
            ),
            (self.waiting.len(), "without an answer"),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        parts.join(", ")
    }
}

impl CommandOutcome {
    /// In a few words: `exit 0`.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Exit(status) => format!("exit {status}"),
            Self::Signal(signal) => format!("ended by signal {signal}"),
            Self::Unknown => "outcome unknown".to_owned(),
            Self::NotAsked => "could not be asked".to_owned(),
            Self::Stopped => "not asked".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_host_is_counted_once_and_the_command_is_in_no_debug_text() {
        let host = |name: &str| HostName::new(name).unwrap();
        let hosts: Vec<HostName> = ["a", "b", "c", "d", "e", "f"].into_iter().map(host).collect();
        let order = CommandOrder {
            id: 1,
            env: EnvName::new("production").unwrap(),
            hosts: hosts.clone(),
            text: CommandText::new("mysql -psecret"),
        };
        let mut view = CommandView::new(Arc::new(order), Moment(0));
        assert_eq!(view.counts(), "6 without an answer");
        let outcomes = [
            CommandOutcome::Exit(0),
            CommandOutcome::Exit(2),
            CommandOutcome::Signal("KILL".into()),
            CommandOutcome::Unknown,
            CommandOutcome::NotAsked,
        ];
        for (number, (host, outcome)) in hosts.iter().zip(outcomes).enumerate() {
            view.groups.push(SameAnswers {
                number,
                hosts: vec![host.clone()],
                outcome,
                why: None,
                printed: None,
            });
        }
        view.waiting = vec![host("f")];
        assert_eq!(
            view.counts(),
            "1 exit 0, 2 other exit, 1 outcome unknown, 1 not asked, 1 without an answer"
        );
        assert!(!format!("{view:?}").contains("secret"));
    }
}
