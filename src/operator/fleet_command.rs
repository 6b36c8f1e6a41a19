//! One command on many hosts: asked over one connection to the jump box, a few hosts at once, and what each answered.
//!
//! It keeps no journal and reads nothing back: nobody but the operator knows what the command does. Nothing of the command, or of
//! what it prints, is logged.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::stream;

use super::access::FleetAccess;
use super::left::LeftRunsFinder;
use crate::collect::LooksForRuns;
use crate::runbook::lease::{self, Holder, LeaseError, LeasePlaces};
use crate::transport::error::{ErrorKind, TransportError};
use crate::transport::{
    HeldTerminal, HostConnection, JumpConnection, LARGEST_ANSWER, Lane, Limits, NoWayIn, Recorded,
    TerminalRequest, WayIn, description, way_in,
};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::{Environment, Host};
use jumpdeck_fleet::left::LeftRun;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::text::Clean;

mod answers;
mod board;
mod groups;
mod notes;

pub use answers::{CommandAnswer, CommandEnd, NotRun, kept_lines};
pub use board::AnswerBoard;
pub use groups::{AnswerGroup, Tally, grouped, tally};
pub use notes::notes;

/// Bytes of all answers together: those of a large fleet are kept shorter.
const ALL_ANSWERS: usize = 64 << 20;
/// Bytes of one stream of a host that are kept in any case.
const SHORTEST_ANSWER: usize = 16 << 10;

/// A command as the remote `/bin/sh` reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct ShellLine(String);

/// It holds its command, which may hold anything: no log shows it.
impl std::fmt::Debug for ShellLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ShellLine")
    }
}

impl ShellLine {
    /// One argument is a line of the shell as it is, as for ssh; of several, each stays one argument.
    ///
    /// # Errors
    /// When there is none, or one holds a NUL.
    pub fn of(arguments: &[String]) -> Result<Self, &'static str> {
        let line = match arguments {
            [] => return Err("no command is given"),
            [line] if line.contains('\0') => return Err("the command holds a NUL character"),
            [line] => line.clone(),
            several => shlex::try_join(several.iter().map(String::as_str))
                .map_err(|_| "the command holds a NUL character")?,
        };
        if line.trim().is_empty() { Err("no command is given") } else { Ok(Self(line)) }
    }

    /// The line, for people.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a `/bin/sh` reads: the line runs in a shell of its own, without input. The login shell sees nothing of it.
    fn script(&self) -> String {
        // Checked when it was made: there is no NUL in it.
        let line = shlex::try_quote(&self.0).unwrap_or_default();
        format!("exec /bin/sh -c {line} </dev/null\n")
    }
}

/// Limits of a command on many hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FleetLimits {
    /// How many hosts are asked at once.
    pub at_once: usize,
    /// How long the command may take on each, without the login.
    pub time: Duration,
    /// Bytes of each stream that are kept of each host.
    pub kept: usize,
}

/// Bytes of each stream that are kept of each host, when that many are asked: 1 MiB, or less where all of them would be too much.
#[must_use]
pub fn kept_of_each(hosts: usize) -> usize {
    (ALL_ANSWERS / 2 / hosts.max(1)).clamp(SHORTEST_ANSWER, LARGEST_ANSWER)
}

/// What the jump box says of runs.
#[derive(Debug, Default)]
pub struct RunsThere {
    /// Those that somebody has under way: who, what, at which step.
    pub held: Vec<Clean>,
    /// Those that may have changed something and are not over.
    pub left: Vec<LeftRun>,
}

/// A connection to the jump box, over which hosts are asked.
pub struct FleetCommands {
    env: Arc<Environment>,
    jump: Arc<dyn JumpConnection>,
    /// Why the second jump box is in use; `None`: it is the first.
    first: Option<TransportError>,
}

impl FleetCommands {
    /// Logs in to the jump box, or where that is gone to the second one, once.
    ///
    /// # Errors
    /// When neither can be reached.
    pub async fn connect(access: &FleetAccess, env: Arc<Environment>) -> Result<Self, TransportError> {
        let connector = access.connectors.open(access.ask.clone());
        let WayIn { jump, first } =
            way_in(&*connector, &env, Lane::Person).await.map_err(NoWayIn::into_error)?;
        Ok(Self { env, jump, first })
    }

    /// The runs that are not over, by the jump box. One that runs no commands has none.
    ///
    /// # Errors
    /// Why they are not known.
    pub async fn runs(&self) -> Result<RunsThere, Clean> {
        if let (Some(first), Some(second)) = (&self.first, &self.env.second_jump) {
            return Err(
                format!("connected through {}, as {}: {}", second.name, first.hop, first.detail).into()
            );
        }
        let held = match self.held().await {
            Ok(held) => held.iter().map(|holder| Clean::new(&holder.to_string())).collect(),
            Err(LeaseError::Ssh(error)) if error.kind == ErrorKind::Refused => {
                return Ok(RunsThere::default());
            }
            Err(error) => return Err(Clean::new(&error.to_string())),
        };
        match LeftRunsFinder::default().left(self.jump.clone(), self.env.clone()).await {
            Ok(left) => Ok(RunsThere { held, left }),
            Err(Gap::NotInstalled) => Ok(RunsThere { held, left: Vec::new() }),
            Err(gap) => Err(Clean::new(&gap.describe())),
        }
    }

    async fn held(&self) -> Result<Vec<Holder>, LeaseError> {
        let session = self.jump.host(&*description(&self.env, self.env.jump.name())?).await?;
        lease::look_in(&LeasePlaces::of(&self.env), session.as_ref(), self.env.name.as_str()).await
    }

    /// The environment.
    #[must_use]
    pub fn env(&self) -> &Arc<Environment> {
        &self.env
    }

    /// Runs it on these hosts, until all have answered or `stop` ends it: hosts without an answer say so. In the order of `hosts`;
    /// `told` gets each answer when it comes.
    pub async fn run(
        &self,
        hosts: &[Arc<Host>],
        line: &ShellLine,
        limits: FleetLimits,
        stop: impl Future<Output = ()>,
        mut told: impl FnMut(&HostName, &CommandEnd),
    ) -> Vec<CommandAnswer> {
        let script = line.script();
        let each = Limits { time: limits.time, bytes: limits.kept };
        let sent = Mutex::new(BTreeSet::new());
        let mut found: Vec<Option<CommandEnd>> = hosts.iter().map(|_| None).collect();
        {
            // A list, as the future of a mapped iterator could not be sent to another thread.
            let mut asking = Vec::with_capacity(hosts.len());
            for (at, host) in hosts.iter().enumerate() {
                let (script, sent) = (script.as_str(), &sent);
                asking.push(async move { (at, self.ask(host, script, each, sent).await) });
            }
            let mut answers = stream::iter(asking).buffer_unordered(limits.at_once.max(1));
            let mut stop = std::pin::pin!(stop);
            loop {
                tokio::select! {
                    biased;
                    () = &mut stop => break,
                    answer = answers.next() => match answer {
                        Some((at, end)) => if let (Some(host), Some(place)) = (hosts.get(at), found.get_mut(at)) {
                            told(&host.id.host, &end);
                            *place = Some(end);
                        },
                        None => break,
                    },
                }
            }
        }
        let sent = sent.into_inner().unwrap_or_else(PoisonError::into_inner);
        let answer = |(host, end): (&Arc<Host>, Option<CommandEnd>)| {
            let host = host.id.host.clone();
            let interrupted = if sent.contains(&host) {
                CommandEnd::Unknown { why: None, printed: Default::default() }
            } else {
                CommandEnd::NotRun(NotRun::Interrupted)
            };
            CommandAnswer { host, end: end.unwrap_or(interrupted) }
        };
        hosts.iter().zip(found).map(answer).collect()
    }

    /// Opens a terminal with the login shell on a host.
    ///
    /// # Errors
    /// When the host cannot be reached, or gives no terminal.
    pub async fn shell(&self, host: &Host, request: &TerminalRequest) -> Result<RemoteShell, TransportError> {
        let connection = self.jump.host(host).await?;
        let terminal = connection.terminal(request).await?;
        Ok(RemoteShell { terminal, _connection: connection, _jump: self.jump.clone() })
    }

    /// Asks one host. Its connection goes when it has answered: a jump box has room for some hundred.
    async fn ask(
        &self,
        host: &Host,
        script: &str,
        limits: Limits,
        sent: &Mutex<BTreeSet<HostName>>,
    ) -> CommandEnd {
        let session = match self.jump.host(host).await {
            Ok(session) => session,
            Err(error) => return CommandEnd::NotRun(NotRun::Failed(error)),
        };
        sent.lock().unwrap_or_else(PoisonError::into_inner).insert(host.id.host.clone());
        match session.record("exec /bin/sh", script.as_bytes(), limits).await {
            Ok(recorded) => CommandEnd::of(recorded),
            Err(error) => CommandEnd::NotRun(NotRun::Failed(error)),
        }
    }
}

/// A shell in a terminal on a host, with the connections it needs.
pub struct RemoteShell {
    /// Its terminal.
    pub terminal: Box<dyn HeldTerminal>,
    _connection: Arc<dyn HostConnection>,
    _jump: Arc<dyn JumpConnection>,
}

impl CommandEnd {
    fn of(recorded: Recorded) -> Self {
        let Recorded { status, signal, stdout, stderr, cut } = recorded;
        let printed = [stdout, stderr];
        match (status, signal) {
            (Some(status), _) => Self::Exit { status, left_open: cut.is_some(), printed },
            (None, Some(signal)) => Self::Signal { signal, printed },
            (None, None) => Self::Unknown { why: cut, printed },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn line(arguments: &[&str]) -> Result<ShellLine, &'static str> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        ShellLine::of(&arguments)
    }

    #[test]
    fn one_argument_is_a_line_and_several_stay_arguments() {
        assert_eq!(line(&["ps aux | wc -l"]).unwrap().as_str(), "ps aux | wc -l");
        assert_eq!(line(&["uptime"]).unwrap().as_str(), "uptime");
        let several = line(&["echo", "a b", "$HOME;", "it's", "*"]).unwrap();
        assert_eq!(shlex::split(several.as_str()).unwrap(), ["echo", "a b", "$HOME;", "it's", "*"]);
        for nothing in [&[][..], &[""], &["  "], &["a\0b"], &["a", "\0"]] {
            assert!(line(nothing).is_err(), "{nothing:?}");
        }
        assert!(!format!("{:?}", line(&["mysql -psecret"]).unwrap()).contains("secret"));
    }

    #[test]
    fn a_large_fleet_is_kept_shorter() {
        assert_eq!((kept_of_each(1), kept_of_each(32)), (1 << 20, 1 << 20));
        assert_eq!(kept_of_each(64), 512 << 10);
        assert_eq!(kept_of_each(100_000), SHORTEST_ANSWER);
    }
}
