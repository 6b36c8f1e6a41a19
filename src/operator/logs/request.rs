//! What a host is asked for: the logs it may have, and the words that ask for them.

use super::reader::FilePlace;
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::log::{LogName, LogRequest, SYSTEM_FILES};

/// The script; see there.
const SCRIPT: &str = include_str!("read.sh");
/// What is filtered or looked for by age begins with this many lines of the journal.
const LOOKED_THROUGH: u32 = 10_000;
/// A last line without a line end counts as whole after this number of requests.
const PATIENCE: u32 = 3;

/// A log that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AskedLog {
    /// What it is called.
    pub(super) name: LogName,
    /// Where it is, and how far it was read.
    pub(super) kind: LogKind,
    /// Why it is asked for.
    pub(super) wanted: Wanted,
    /// Whether it is asked for now.
    pub(super) active: bool,
    /// It was read at least once.
    pub(super) found: bool,
    /// What is known to be wrong with it, so that it is said once.
    pub(super) trouble: Option<&'static str>,
    /// How many requests found a last line without a line end.
    pub(super) unended: u32,
}

/// A journal or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LogKind {
    Journal { cursor: Option<String> },
    File { place: FilePlace },
}

/// Why a log is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Somebody named it: when it is missing, that is said.
    Named,
    /// Hosts of this role usually have it.
    Usual,
    /// The journal, or what the system writes where there is none.
    System,
}

impl AskedLog {
    fn new(name: &str, kind: LogKind, wanted: Wanted, active: bool) -> Self {
        Self { name: name.into(), kind, wanted, active, found: false, trouble: None, unended: 0 }
    }

    fn file(path: &str, wanted: Wanted, active: bool) -> Self {
        Self::new(path, LogKind::File { place: FilePlace::default() }, wanted, active)
    }

    /// Whether it is the journal.
    pub(super) fn is_journal(&self) -> bool {
        matches!(self.kind, LogKind::Journal { .. })
    }
}

/// The logs of a host.
pub(super) fn logs(host: &Host, request: &LogRequest) -> Vec<AskedLog> {
    let journal = |wanted| AskedLog::new("journal", LogKind::Journal { cursor: None }, wanted, true);
    if request.unit.is_some() || !request.files.is_empty() {
        let unit = request.unit.iter().map(|_| journal(Wanted::Named));
        let files = request.files.iter().map(|file| AskedLog::file(file, Wanted::Named, true));
        return unit.chain(files).collect();
    }
    let declared = host.logs.iter().filter(|log| log.is_on(&host.roles)).flat_map(|log| {
        let wanted = if log.built_in { Wanted::Usual } else { Wanted::Named };
        log.files.iter().map(move |file| AskedLog::file(file, wanted, true))
    });
    let mut logs = vec![journal(Wanted::System)];
    logs.extend(SYSTEM_FILES.iter().map(|file| AskedLog::file(file, Wanted::System, false)));
    for log in declared {
        // A file that the inventory names and that the system writes is one file.
        match logs.iter_mut().find(|known| known.name == log.name) {
            Some(known) => *known = log,
            None => logs.push(log),
        }
    }
    logs
}

/// The script without its comments, behind the words it needs.
pub(super) fn script(mark: &str, request: &LogRequest) -> String {
    let mut text = format!("jd_mark={mark}\n");
    match &request.pattern {
        None => text.push_str("jd_kind=\n"),
        Some(pattern) => {
            let kind = if pattern.fixed { "-F" } else { "-E" };
            text.push_str(&format!("jd_kind={kind}\njd_pattern={}\n", quoted(&pattern.text)));
        }
    }
    for line in SCRIPT.lines().filter(|line| !line.starts_with('#')) {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// A word of the shell. What holds a NUL is refused before it comes here: nothing would be asked for it.
fn quoted(text: &str) -> String {
    shlex::try_quote(text).map(std::borrow::Cow::into_owned).unwrap_or_else(|_| "''".to_owned())
}

/// The lines that ask for all active logs. `last`: nothing more is asked, so a line without an end is one.
pub(super) fn ask(logs: &[AskedLog], request: &LogRequest, number: u64, last: bool) -> String {
    let mut text = String::new();
    for (at, log) in logs.iter().enumerate().filter(|(_, log)| log.active) {
        match &log.kind {
            LogKind::File { place } => {
                let FilePlace { inode, at: from, within } = place;
                let (within, flush) = (u8::from(*within), u8::from(last || log.unended >= PATIENCE));
                let name = quoted(&log.name);
                text.push_str(&format!(
                    "jd_read {at} {name} {inode} {from} {within} {flush} {}\n",
                    request.lines
                ));
            }
            LogKind::Journal { cursor } => {
                let cursor = quoted(cursor.as_deref().unwrap_or_default());
                let unit = quoted(request.unit.as_deref().unwrap_or_default());
                let since = request.since.map(|since| format!("-{}s", since.as_secs())).unwrap_or_default();
                let lines =
                    if request.pattern.is_some() { request.lines.max(LOOKED_THROUGH) } else { request.lines };
                text.push_str(&format!("jd_journal {at} {cursor} {lines} '{since}' {unit}\n"));
            }
        }
    }
    text.push_str(&format!("jd_done {number}\n"));
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

    use std::sync::Arc;

    use super::*;
    use crate::config::inventory::{Context, parse};
    use jumpdeck_fleet::log::LogPattern;

    fn host(more: &str) -> Arc<Host> {
        let text = format!(
            "user = 'o'\n{more}\n[environments.a]\njump = 'local'\n[environments.a.hosts]\ndb1 = {{}}\n"
        );
        parse("i.toml", &text, &Context::default()).unwrap().environments[0].hosts[0].clone()
    }

    fn names(logs: &[AskedLog], active: bool) -> Vec<&str> {
        logs.iter().filter(|log| log.active == active).map(|log| log.name.as_ref()).collect()
    }

    #[test]
    fn the_journal_comes_first_and_files_of_the_role_beside_it() {
        let logs = logs(&host(""), &LogRequest::default());
        assert_eq!(
            names(&logs, true),
            ["journal", "/var/log/mysql/error.log", "/var/log/mysql.err", "/var/log/mysqld.log"]
        );
        assert_eq!(names(&logs, false), SYSTEM_FILES, "only where there is no journal");
    }

    #[test]
    fn what_is_named_is_read_alone() {
        let request =
            LogRequest { files: vec!["/a".into()], unit: Some("ssh".into()), ..LogRequest::default() };
        let asked = logs(&host(""), &request);
        assert_eq!(names(&asked, true), ["journal", "/a"]);
        assert!(asked.iter().all(|log| log.wanted == Wanted::Named));
        let own = logs(
            &host("logs.mysql = false\nlogs.x = { roles = ['db'], files = ['/var/log/syslog'] }"),
            &LogRequest::default(),
        );
        assert_eq!(names(&own, true), ["journal", "/var/log/syslog"]);
    }

    #[test]
    fn whatever_is_written_stays_a_word() {
        let odd = "it's $(id) `id` \"x\"; \\ !x *\t|";
        let request = LogRequest {
            files: vec![format!("/{odd}")],
            pattern: Some(LogPattern { text: odd.into(), fixed: true }),
            unit: Some(odd.into()),
            lines: 7,
            ..LogRequest::default()
        };
        let asked = ask(&logs(&host(""), &request), &request, 3, true);
        let lines: Vec<Vec<String>> = asked.lines().map(|line| shlex::split(line).unwrap()).collect();
        assert_eq!(lines[0], ["jd_journal", "0", "", "10000", "", odd]);
        assert_eq!(lines[1], ["jd_read", "1", &format!("/{odd}"), "0", "0", "0", "1", "7"]);
        assert_eq!(lines[2], ["jd_done", "3"]);
        let script = script("M", &request);
        let pattern = script.lines().find(|line| line.starts_with("jd_pattern=")).unwrap();
        assert_eq!(shlex::split(pattern).unwrap(), [format!("jd_pattern={odd}")]);
        assert!(!script.lines().any(|line| line.starts_with('#')));
    }
}
