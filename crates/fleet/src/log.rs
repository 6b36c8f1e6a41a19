//! Logs of hosts as they are followed: their lines, what was not shown, and what happened to their sources.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::hop::Hop;
use crate::names::{HostName, RoleName};
use crate::text::Clean;

/// What a source of lines is called: `journal`, or the path of a file.
pub type LogName = Arc<str>;

/// The most hosts that are followed at once.
pub const MOST_HOSTS: usize = 100;

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The host.
    pub host: HostName,
    /// Which log of the host.
    pub source: LogName,
    /// The line, printable.
    pub text: Clean,
    /// Its time: milliseconds since 1970.
    pub at: i64,
    /// Whose clock that is.
    pub clock: LineClock,
    /// How bad it is.
    pub level: LogLevel,
    /// Bytes of the line that were not read.
    pub cut: u64,
    /// Bytes at the beginning of `text` that say nothing but its time, to the second, and its host.
    pub lead: usize,
}

/// Whose clock the time of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineClock {
    /// The line's own: the host's clock wrote it.
    Own,
    /// The line has none that can be read: when it arrived here.
    Arrival,
}

/// How bad a line is, by its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum LogLevel {
    /// Nothing that stands out.
    #[default]
    Plain,
    /// A warning.
    Warning,
    /// An error, or worse.
    Error,
}

impl LogLevel {
    /// Its mark in front of a line, so that no colour is needed.
    #[must_use]
    pub fn mark(self) -> &'static str {
        match self {
            Self::Plain => " ",
            Self::Warning => "W",
            Self::Error => "E",
        }
    }

    /// Its word in exports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What is looked for in lines, on the hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPattern {
    /// The text.
    pub text: String,
    /// It is a text as it is; otherwise an extended regular expression.
    pub fixed: bool,
}

/// What is to be followed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogRequest {
    /// Of these hosts.
    pub hosts: Vec<HostName>,
    /// These files; without any, those of the inventory.
    pub files: Vec<String>,
    /// The journal of this unit alone.
    pub unit: Option<String>,
    /// Lines with this alone.
    pub pattern: Option<LogPattern>,
    /// How many lines of each log there are at first.
    pub lines: u32,
    /// Lines not older than this, of those at first.
    pub since: Option<Duration>,
    /// Whether what comes after that is read, too.
    pub follow: bool,
}

/// News of followed logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEvent {
    /// Lines of a host, in the order of each log.
    Lines(Vec<LogLine>),
    /// Lines that were not sent or not kept.
    NotShown(NotShown),
    /// Something that a reader of the log has to know.
    Note(LogNote),
    /// How it is with a host.
    State(HostName, HostLog),
}

/// What a host had and did not send, within its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotShown {
    /// The host.
    pub host: HostName,
    /// Which log.
    pub source: LogName,
    /// Lines, where they were counted: with a pattern those that hold it.
    pub lines: u64,
    /// Bytes that were not even counted as lines.
    pub bytes: u64,
}

/// A sentence between the lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogNote {
    /// The host.
    pub host: HostName,
    /// Which log; `None`: the host as a whole.
    pub source: Option<LogName>,
    /// What happened.
    pub text: Clean,
    /// When it was seen here: milliseconds since 1970.
    pub at: i64,
    /// Whether lines may be missing, or are not read, for it.
    pub gap: bool,
}

/// How it is with the logs of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostLog {
    /// It is being logged in to.
    Connecting,
    /// What there was is read; what comes is followed, where that is wanted.
    Following,
    /// Not read now; it is tried again.
    Lost {
        /// Where it failed.
        hop: Hop,
        /// What happened.
        why: Clean,
    },
    /// Not read any more, or never.
    Ended {
        /// Where it failed; `None`: all that was wanted is read.
        failed: Option<(Hop, Clean)>,
    },
}

/// Log files that the inventory names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredLog {
    /// What the inventory calls it.
    pub name: String,
    /// Hosts of these roles have it; none: the host that it is declared for, whatever its roles are.
    pub roles: Vec<RoleName>,
    /// Its files: absolute paths. Of a built-in one, those that are there are read.
    pub files: Vec<String>,
    /// Nobody said that it is there: a file that is missing is not worth a word.
    pub built_in: bool,
}

/// Name, roles, files: where the servers of these roles write by their packages' defaults (Debian, Ubuntu).
static BUILT_IN: &[(&str, &[&str], &[&str])] = &[
    ("mysql", &["db"], &["/var/log/mysql/error.log", "/var/log/mysql.err", "/var/log/mysqld.log"]),
    (
        "apache",
        &["app", "blog", "project", "notes"],
        &["/var/log/apache2/error.log", "/var/log/httpd/error_log"],
    ),
    ("nginx", &["nginx", "piwik", "accounts", "specs"], &["/var/log/nginx/error.log"]),
    ("mail", &["mail"], &["/var/log/mail.log", "/var/log/maillog"]),
    ("salt-master", &["salt"], &["/var/log/salt/master"]),
];

/// Where the system writes, on hosts without a journal.
pub static SYSTEM_FILES: &[&str] = &["/var/log/syslog", "/var/log/messages"];

/// The logs of the roles that are known.
#[must_use]
pub fn default_logs() -> Vec<Arc<DeclaredLog>> {
    let log = |(name, roles, files): &(&str, &[&str], &[&str])| DeclaredLog {
        name: (*name).to_owned(),
        roles: roles.iter().filter_map(|role| RoleName::new(role).ok()).collect(),
        files: files.iter().map(|file| (*file).to_owned()).collect(),
        built_in: true,
    };
    BUILT_IN.iter().map(log).map(Arc::new).collect()
}

impl DeclaredLog {
    /// Whether a host of these roles, which it is declared for, has it.
    #[must_use]
    pub fn is_on(&self, roles: &[RoleName]) -> bool {
        self.roles.is_empty() || self.roles.iter().any(|role| roles.contains(role))
    }
}

/// A count with commas: `1,204`.
#[must_use]
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A source's name where there is little room: the last part of a path.
#[must_use]
pub fn short_name(source: &str) -> &str {
    source.rsplit('/').next().unwrap_or(source)
}

/// Hosts that something is said of alike: `app1`, or `13 hosts (app1 app2 app3 app4 and 9 more)`.
#[must_use]
pub fn hosts_alike<'a>(hosts: impl IntoIterator<Item = &'a HostName>) -> String {
    const NAMED: usize = 4;
    let names: Vec<&str> = hosts.into_iter().map(HostName::as_str).collect();
    match names.as_slice() {
        [one] => (*one).to_owned(),
        all if all.len() <= NAMED + 1 => format!("{} hosts ({})", all.len(), all.join(" ")),
        all => {
            let first = all.iter().take(NAMED).copied().collect::<Vec<_>>().join(" ");
            format!("{} hosts ({first} and {} more)", all.len(), all.len() - NAMED)
        }
    }
}

/// Lines of several logs as one, in the order of their times. Those of one log stay in their order: a line without a time of its
/// own, or with an earlier one, stays behind the line before it.
#[must_use]
pub fn in_order(lines: Vec<LogLine>) -> Vec<LogLine> {
    let mut latest: HashMap<(HostName, LogName), i64> = HashMap::new();
    let mut keyed: Vec<(i64, LogLine)> = Vec::with_capacity(lines.len());
    for line in lines {
        let before = latest.entry((line.host.clone(), line.source.clone())).or_insert(i64::MIN);
        if line.clock == LineClock::Own {
            *before = line.at.max(*before);
        }
        keyed.push((*before, line));
    }
    keyed.sort_by_key(|(at, _)| *at);
    keyed.into_iter().map(|(_, line)| line).collect()
}

impl NotShown {
    /// The sentence: `1,204 lines not shown`.
    #[must_use]
    pub fn text(&self) -> String {
        let lines = match self.lines {
            1 => "1 line".to_owned(),
            lines => format!("{} lines", grouped(lines)),
        };
        match (self.lines, self.bytes) {
            (_, 0) => format!("{lines} not shown"),
            (0, bytes) => format!("{} bytes not shown, not counted as lines", grouped(bytes)),
            (_, bytes) => {
                format!("{lines} not shown, and {} bytes that are not counted as lines", grouped(bytes))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::names::roles_from_host_name;

    #[test]
    fn hosts_have_the_logs_of_their_roles() {
        let names = |host: &str| -> Vec<String> {
            let roles = roles_from_host_name(host);
            default_logs().iter().filter(|log| log.is_on(&roles)).map(|log| log.name.clone()).collect()
        };
        assert_eq!(names("db1-masterdb"), ["mysql"]);
        assert_eq!(names("app3"), ["apache"]);
        assert_eq!(names("bots"), Vec::<String>::new());
        assert_eq!(
            default_logs().iter().map(|log| log.roles.len()).sum::<usize>(),
            11,
            "every role is a name"
        );
    }

    #[test]
    fn lines_of_several_logs_are_in_the_order_of_their_times() {
        let line = |host: &str, at, clock, text: &str| LogLine {
            host: HostName::new(host).unwrap(),
            source: "journal".into(),
            text: text.into(),
            at,
            clock,
            level: LogLevel::Plain,
            cut: 0,
            lead: 0,
        };
        let (own, arrival) = (LineClock::Own, LineClock::Arrival);
        let lines = vec![
            line("a", 10, own, "1"),
            line("a", 99, arrival, "2"),
            line("a", 5, own, "3"),
            line("a", 30, own, "6"),
            line("b", 9, own, "0"),
            line("b", 10, own, "4"),
            line("b", 20, own, "5"),
        ];
        let texts: Vec<String> = in_order(lines).iter().map(|line| line.text.to_string()).collect();
        assert_eq!(texts, ["0", "1", "2", "3", "4", "5", "6"]);
        assert_eq!(short_name("/var/log/mysql/error.log"), "error.log");
    }

    #[test]
    fn what_was_not_shown_is_counted_in_words() {
        let text = |lines, bytes| {
            let host = HostName::new("app1").unwrap();
            NotShown { host, source: "journal".into(), lines, bytes }.text()
        };
        assert_eq!(text(1204, 0), "1,204 lines not shown");
        assert_eq!(text(1, 0), "1 line not shown");
        assert_eq!(text(0, 2_000_000), "2,000,000 bytes not shown, not counted as lines");
        assert_eq!(text(12, 30), "12 lines not shown, and 30 bytes that are not counted as lines");
    }
}
