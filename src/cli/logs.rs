//! `jumpdeck logs WHERE`: logs of many hosts together, once or followed.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use self::lines::LogPrinter;
use super::common::{CliError, Common};
use super::exec::environment;
use super::print;
use super::setup::{self, Setup};
use super::terminal::interrupts::{Interrupt, interrupts};
use super::terminal::keys::Terminal;
use super::terminal::login::AtTerminal;
use crate::app::rows::declared::DeclaredHosts;
use crate::config::inventory::logs::is_log_path;
use crate::operator::logs::{FollowedLogs, follow};
use crate::transport::ask::{AskPerson, RefuseAll};
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::log::{
    HostLog, LogEvent, LogLine, LogNote, LogPattern, LogRequest, MOST_HOSTS, in_order,
};
use jumpdeck_fleet::names::HostName;

mod lines;

/// What the help says after the options.
const AFTER: &str = "\
Without --unit and --file the journal is read, or where there is none /var/log/syslog or /var/log/messages, and beside it the files that \
the inventory names for the host (logs). Files are followed by name when they rotate. The time of a line is its own, by the host's \
clock; ~ marks the time of arrival, for lines without one that can be read.

Lines are filtered on the hosts. A host sends at most 128 KiB of a log a second: what comes after that is counted and said, and when \
something could not be read, that is said at the end. Exit code: 0 all was read, 3 some was not.";

/// Lines of each log at first, unless more are asked for.
const LINES: u32 = 10;
/// The same with --since.
const LINES_SINCE: u32 = 10_000;
/// So long lines of the beginning wait for those of slower hosts, to be put in order.
const BEGINNING: Duration = Duration::from_secs(5);

/// Which logs, and of them what.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER)]
pub(super) struct LogsArgs {
    /// Host names (whole ones; several with commas), or terms of the console's filter that the inventory can answer:
    /// role:db, !role:app, env:staging, host:app. Every term must hold
    #[arg(required = true, value_name = "WHERE")]
    places: Vec<String>,
    /// The environment [default: the one that WHERE names, else config.toml, else the inventory's first]
    #[arg(long, short, value_name = "NAME")]
    env: Option<String>,
    /// Go on with what comes, until ^C
    #[arg(long, short)]
    follow: bool,
    /// Of what there is, only what is not older: 90s, 10m, 2h, 1d
    #[arg(long, value_name = "AGE", value_parser = age)]
    since: Option<Duration>,
    /// Only lines that match this extended regular expression (grep -E, on the host)
    #[arg(long, value_name = "REGEX", value_parser = one_line)]
    grep: Option<String>,
    /// Only lines with this text
    #[arg(long, value_name = "TEXT", value_parser = one_line, conflicts_with = "grep")]
    text: Option<String>,
    /// Only the journal of this unit
    #[arg(long, short, value_name = "UNIT", value_parser = one_line)]
    unit: Option<String>,
    /// Only this file; may be given several times
    #[arg(long, value_name = "PATH", value_parser = log_path)]
    file: Vec<String>,
    /// Lines of each log to begin with [default: 10, with --since 10,000]
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10_000))]
    lines: Option<u32>,
    /// How to print it: JSON is one object a line (docs/logs-json.md)
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// `10m` and the like.
fn age(text: &str) -> Result<Duration, String> {
    let wrong = || "write an age such as 90s, 10m, 2h or 1d".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = number.checked_mul(seconds).filter(|seconds| (1..=86_400 * 366).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(wrong)
}

fn one_line(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > 1000 || text.contains(['\0', '\n']) {
        return Err("write one line of at most 1000 characters".to_owned());
    }
    Ok(text.to_owned())
}

fn log_path(text: &str) -> Result<String, String> {
    if is_log_path(text) {
        Ok(text.to_owned())
    } else {
        Err("write the absolute path of one file".to_owned())
    }
}

impl LogsArgs {
    /// These, in the environment that was named before the command if none is named after it.
    pub(super) fn or_env(mut self, before: Option<String>) -> Self {
        self.env = self.env.or(before);
        self
    }

    fn request(&self, hosts: Vec<HostName>) -> LogRequest {
        let pattern = |fixed| move |text: &String| LogPattern { text: text.clone(), fixed };
        LogRequest {
            hosts,
            files: self.file.clone(),
            unit: self.unit.clone(),
            pattern: self.grep.as_ref().map(pattern(false)).or(self.text.as_ref().map(pattern(true))),
            lines: self.lines.unwrap_or(if self.since.is_some() { LINES_SINCE } else { LINES }),
            since: self.since,
            follow: self.follow,
        }
    }
}

pub(super) fn run(common: &Common, args: &LogsArgs) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let done = runtime.block_on(read(common, args));
    // Connections that hang must not hold the end back.
    runtime.shutdown_timeout(Duration::from_millis(200));
    done
}

async fn read(common: &Common, args: &LogsArgs) -> Result<ExitCode, CliError> {
    let named = DeclaredHosts::read(&args.places).map_err(CliError::Usage)?;
    let setup = Setup::read(common)?;
    let target = setup::target(common, &setup)?;
    let (env, _) = environment(args.env.as_deref(), &named, &setup, &target.fleet)?;
    let hosts: Vec<HostName> =
        named.hosts(&env).map_err(CliError::Usage)?.iter().map(|host| host.id.host.clone()).collect();
    if hosts.len() > MOST_HOSTS {
        return Err(CliError::Usage(format!(
            "{} hosts fit, and logs of at most {MOST_HOSTS} are read together: name fewer",
            hosts.len()
        )));
    }
    let taken = if Terminal::is_there() { Terminal::take().ok() } else { None };
    // The terminal is given back when this ends, however it does.
    let (terminal, _give_back) = taken.unzip();
    let ask: Arc<dyn AskPerson> = match terminal {
        Some(terminal) => Arc::new(AtTerminal::new(Arc::new(tokio::sync::Mutex::new(terminal)))),
        None => Arc::new(RefuseAll),
    };
    let access = target.access(&setup, ask);
    let mut interrupts = interrupts()?;
    let printer = LogPrinter::new(args.format, &env, target.fleet.simulated, &hosts);
    let followed = follow(&access, env.clone(), args.request(hosts.clone()));
    PrintedLogs {
        printer,
        env,
        states: hosts.into_iter().map(|host| (host, None)).collect(),
        beginning: Some(Vec::new()),
        notes: Vec::new(),
    }
    .print_all(followed, args.follow, &mut interrupts)
    .await
}

/// Logs while they are printed.
struct PrintedLogs {
    printer: LogPrinter,
    env: Arc<Environment>,
    states: BTreeMap<HostName, Option<HostLog>>,
    /// Lines of the beginning, until all hosts have sent theirs.
    beginning: Option<Vec<LogLine>>,
    /// What is said of whole hosts meanwhile: for people, once for all that are alike.
    notes: Vec<LogNote>,
}

impl PrintedLogs {
    async fn print_all(
        mut self,
        mut followed: FollowedLogs,
        goes_on: bool,
        interrupts: &mut mpsc::Receiver<Interrupt>,
    ) -> Result<ExitCode, CliError> {
        let until = Instant::now() + BEGINNING;
        let interrupted = loop {
            let waits = goes_on && self.beginning.is_some();
            tokio::select! {
                biased;
                // All signals are handled for as long as this runs: there is always a next one.
                _ = interrupts.recv() => break true,
                event = followed.events.recv() => match event {
                    Some(event) => self.take(event)?,
                    None => break false,
                },
                _ = timeout_at(until, std::future::pending::<()>()), if waits => self.begin()?,
            }
            let all = self.states.values().all(|state| match state {
                Some(HostLog::Following | HostLog::Ended { .. }) => true,
                Some(HostLog::Lost { .. }) => goes_on,
                Some(HostLog::Connecting) | None => false,
            });
            if goes_on && all {
                self.begin()?;
            }
        };
        self.begin()?;
        // What was under way ends on the hosts now.
        drop(followed);
        let unread: Vec<(HostName, String)> = self
            .states
            .iter()
            .filter_map(|(host, state)| Some((host.clone(), unread(state.as_ref(), interrupted && goes_on)?)))
            .collect();
        let whole = unread.is_empty() && self.printer.is_whole();
        print::answer(&self.printer.end(&self.env, &unread, interrupted)?)?;
        Ok(ExitCode::from(if whole { 0 } else { 3 }))
    }

    fn take(&mut self, event: LogEvent) -> Result<(), CliError> {
        match event {
            LogEvent::Lines(lines) => match &mut self.beginning {
                Some(kept) => kept.extend(lines),
                None => print::answer(&self.printer.lines(&lines)?)?,
            },
            LogEvent::NotShown(not_shown) => print::answer(&self.printer.not_shown(&not_shown)?)?,
            LogEvent::Note(note) if self.beginning.is_some() && self.printer.groups(&note) => {
                self.notes.push(note);
            }
            LogEvent::Note(note) => print::answer(&self.printer.note(&note)?)?,
            LogEvent::State(host, state) => drop(self.states.insert(host, Some(state))),
        }
        Ok(())
    }

    /// Prints the lines of the beginning, in the order of their times.
    fn begin(&mut self) -> Result<(), CliError> {
        let Some(lines) = self.beginning.take() else { return Ok(()) };
        print::answer(&self.printer.notes(&std::mem::take(&mut self.notes)))?;
        print::answer(&self.printer.lines(&in_order(lines))?)?;
        Ok(())
    }
}

/// Why a host was not read, in words; `None` when it was.
fn unread(state: Option<&HostLog>, left: bool) -> Option<String> {
    match state {
        Some(HostLog::Ended { failed: None }) => None,
        Some(HostLog::Following) if left => None,
        Some(HostLog::Ended { failed: Some((hop, why)) } | HostLog::Lost { hop, why }) => {
            Some(format!("{hop}: {why}"))
        }
        Some(HostLog::Following | HostLog::Connecting) | None => Some("interrupted by you".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use jumpdeck_fleet::hop::Hop;

    #[test]
    fn ages_have_a_unit() {
        assert_eq!(age("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(age("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(age("1d"), Ok(Duration::from_secs(86_400)));
        for wrong in ["", "m", "10", "0s", "-1m", "1.5h", "400d", "10ü", "99999999999999999999d"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_that_was_not_read_says_why() {
        let failed = Some((Hop::Jump(HostName::new("gate").unwrap()), "refused".into()));
        assert_eq!(unread(Some(&HostLog::Ended { failed }), false).unwrap(), "jump box gate: refused");
        assert_eq!(unread(Some(&HostLog::Ended { failed: None }), false), None);
        assert_eq!(unread(Some(&HostLog::Following), true), None, "left while all was well");
        assert_eq!(unread(None, true).unwrap(), "interrupted by you");
    }
}
