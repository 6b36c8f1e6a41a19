//! Lines of logs, for people and as JSON (schema 1, docs/logs-json.md). Whatever a line holds, what is ours is in front of it.

use std::sync::Arc;

use serde::Serialize;

use super::LogFormat;
use crate::cli::common::CliError;
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::log::{
    LineClock, LogLevel, LogLine, LogNote, NotShown, grouped, hosts_alike, short_name,
};
use jumpdeck_fleet::names::HostName;

const SCHEMA: u32 = 1;
/// The widest column of names; a longer name moves its own line only.
const WIDEST: usize = 32;
/// Colours of hosts: none that means good or bad.
const HOSTS: [&str; 6] = ["36", "35", "34", "96", "95", "94"];

/// Puts events into text.
pub(super) struct LogPrinter {
    format: LogFormat,
    colour: bool,
    env: Arc<Environment>,
    simulated: bool,
    hosts: Vec<HostName>,
    width: usize,
    shown: u64,
    lines_not_shown: u64,
    bytes_not_shown: u64,
    gaps: u64,
}

#[derive(Serialize)]
struct LineObject<'a> {
    schema: u32,
    kind: &'static str,
    environment: &'a str,
    simulated: bool,
    host: &'a str,
    log: &'a str,
    time: String,
    time_is: &'static str,
    level: &'static str,
    text: &'a str,
    bytes_cut: u64,
}

#[derive(Serialize)]
struct NoteObject<'a> {
    schema: u32,
    kind: &'static str,
    environment: &'a str,
    simulated: bool,
    host: &'a str,
    log: Option<&'a str>,
    time: String,
    text: &'a str,
    gap: bool,
}

#[derive(Serialize)]
struct NotShownObject<'a> {
    schema: u32,
    kind: &'static str,
    environment: &'a str,
    simulated: bool,
    host: &'a str,
    log: &'a str,
    lines: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct EndObject<'a> {
    schema: u32,
    kind: &'static str,
    environment: &'a str,
    simulated: bool,
    interrupted: bool,
    lines: u64,
    lines_not_shown: u64,
    bytes_not_shown: u64,
    gaps: u64,
    not_read: Vec<UnreadObject<'a>>,
}

#[derive(Serialize)]
struct UnreadObject<'a> {
    host: &'a str,
    why: &'a str,
}

impl LogPrinter {
    pub(super) fn new(
        format: LogFormat,
        env: &Arc<Environment>,
        simulated: bool,
        hosts: &[HostName],
    ) -> Self {
        Self {
            format,
            colour: format == LogFormat::Text && crate::cli::common::colour_on(&std::io::stdout()),
            env: env.clone(),
            simulated,
            hosts: hosts.to_vec(),
            width: 0,
            shown: 0,
            lines_not_shown: 0,
            bytes_not_shown: 0,
            gaps: 0,
        }
    }

    /// Whether nothing was found that could not be read.
    pub(super) fn is_whole(&self) -> bool {
        self.gaps == 0
    }

    pub(super) fn lines(&mut self, lines: &[LogLine]) -> Result<String, CliError> {
        self.shown += lines.len() as u64;
        let mut out = String::new();
        for line in lines {
            match self.format {
                LogFormat::Text => self.text(line, &mut out),
                LogFormat::Json => out.push_str(&json(&self.object(line))?),
            }
        }
        Ok(out)
    }

    fn object<'a>(&'a self, line: &'a LogLine) -> LineObject<'a> {
        LineObject {
            schema: SCHEMA,
            kind: "line",
            environment: self.env.name.as_str(),
            simulated: self.simulated,
            host: line.host.as_str(),
            log: &line.source,
            time: moment(line.at),
            time_is: match line.clock {
                LineClock::Own => "line",
                LineClock::Arrival => "arrival",
            },
            level: line.level.word(),
            text: line.text.as_str(),
            bytes_cut: line.cut,
        }
    }

    fn text(&mut self, line: &LogLine, out: &mut String) {
        let name = format!("{}:{}", line.host, short_name(&line.source));
        self.width = self.width.max(name.len().min(WIDEST));
        let mark = match line.clock {
            LineClock::Own => ' ',
            LineClock::Arrival => '~',
        };
        let name = self.paint(&format!("{name:<width$}", width = self.width), self.colour_of(&line.host));
        let colour = match line.level {
            LogLevel::Plain => None,
            LogLevel::Warning => Some("33"),
            LogLevel::Error => Some("1;31"),
        };
        let cut = if line.cut > 0 { format!(" … {} bytes more", grouped(line.cut)) } else { String::new() };
        let text = self.paint(&format!("{} {}", line.level.mark(), line.text), colour);
        out.push_str(&format!("{mark}{} {name} {text}{cut}\n", time_of_day(line.at)));
    }

    fn colour_of(&self, host: &HostName) -> Option<&'static str> {
        let at = self.hosts.iter().position(|known| known == host)?;
        HOSTS.get(at % HOSTS.len()).copied()
    }

    fn paint(&self, text: &str, colour: Option<&str>) -> String {
        match colour.filter(|_| self.colour) {
            Some(colour) => format!("\x1b[{colour}m{text}\x1b[0m"),
            None => text.to_owned(),
        }
    }

    pub(super) fn not_shown(&mut self, missed: &NotShown) -> Result<String, CliError> {
        self.lines_not_shown += missed.lines;
        self.bytes_not_shown += missed.bytes;
        match self.format {
            LogFormat::Text => {
                Ok(self.between(&format!("{}:{}", missed.host, short_name(&missed.source)), &missed.text()))
            }
            LogFormat::Json => json(&NotShownObject {
                schema: SCHEMA,
                kind: "not_shown",
                environment: self.env.name.as_str(),
                simulated: self.simulated,
                host: missed.host.as_str(),
                log: &missed.source,
                lines: missed.lines,
                bytes: missed.bytes,
            }),
        }
    }

    pub(super) fn note(&mut self, note: &LogNote) -> Result<String, CliError> {
        self.gaps += u64::from(note.gap);
        match self.format {
            LogFormat::Text => {
                // The whole path: it is what is to be looked at.
                let name = match &note.source {
                    Some(source) => format!("{}:{source}", note.host),
                    None => note.host.to_string(),
                };
                Ok(self.between(&name, note.text.as_str()))
            }
            LogFormat::Json => json(&NoteObject {
                schema: SCHEMA,
                kind: "note",
                environment: self.env.name.as_str(),
                simulated: self.simulated,
                host: note.host.as_str(),
                log: note.source.as_deref(),
                time: moment(note.at),
                text: note.text.as_str(),
                gap: note.gap,
            }),
        }
    }

    /// Whether the note is one that is said once for all hosts that are alike.
    pub(super) fn groups(&self, note: &LogNote) -> bool {
        self.format == LogFormat::Text && note.source.is_none()
    }

    /// Notes of whole hosts: each text once, with all its hosts.
    pub(super) fn notes(&mut self, notes: &[LogNote]) -> String {
        let mut groups: Vec<(&str, Vec<&HostName>)> = Vec::new();
        for note in notes {
            self.gaps += u64::from(note.gap);
            let text = note.text.as_str();
            match groups.iter_mut().find(|(said, _)| *said == text) {
                Some((_, hosts)) if hosts.contains(&&note.host) => {}
                Some((_, hosts)) => hosts.push(&note.host),
                None => groups.push((text, vec![&note.host])),
            }
        }
        groups.iter().map(|(text, hosts)| self.between(&hosts_alike(hosts.iter().copied()), text)).collect()
    }

    /// A line that is ours.
    fn between(&self, name: &str, text: &str) -> String {
        self.paint(&format!("-- {name}: {text}"), Some("1")) + "\n"
    }

    /// What was read in all, and what was not.
    pub(super) fn end(
        &self,
        env: &Environment,
        unread: &[(HostName, String)],
        interrupted: bool,
    ) -> Result<String, CliError> {
        if self.format == LogFormat::Json {
            return json(&EndObject {
                schema: SCHEMA,
                kind: "end",
                environment: env.name.as_str(),
                simulated: self.simulated,
                interrupted,
                lines: self.shown,
                lines_not_shown: self.lines_not_shown,
                bytes_not_shown: self.bytes_not_shown,
                gaps: self.gaps,
                not_read: unread
                    .iter()
                    .map(|(host, why)| UnreadObject { host: host.as_str(), why })
                    .collect(),
            });
        }
        let mut out = String::new();
        for (host, why) in unread {
            out.push_str(&self.between(host.as_str(), &format!("not read: {why}")));
        }
        let simulated = if self.simulated { "SIMULATED " } else { "" };
        let hosts = match self.hosts.len() {
            1 => "1 host".to_owned(),
            count => format!("{count} hosts"),
        };
        let mut parts = vec![format!("{} lines", grouped(self.shown))];
        if self.lines_not_shown > 0 {
            parts.push(format!("{} lines not shown", grouped(self.lines_not_shown)));
        }
        if self.bytes_not_shown > 0 {
            parts.push(format!("{} bytes not shown and not counted as lines", grouped(self.bytes_not_shown)));
        }
        if !unread.is_empty() {
            parts.push(format!("{} of them not read", unread.len()));
        }
        if self.gaps > 0 {
            parts.push("something could not be read (see above)".to_owned());
        }
        out.push_str(
            &self.between(&format!("{simulated}{}", env.name), &format!("{hosts}, {}", parts.join(", "))),
        );
        Ok(out)
    }
}

fn json(object: &impl Serialize) -> Result<String, CliError> {
    Ok(serde_json::to_string(object).map_err(std::io::Error::from)? + "\n")
}

/// RFC 3339, UTC.
fn moment(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map(|at| format!("{at:.3}")).unwrap_or_default()
}

fn time_of_day(at: i64) -> String {
    let zone = jiff::tz::TimeZone::system();
    jiff::Timestamp::from_millisecond(at)
        .map(|at| at.to_zoned(zone).strftime("%H:%M:%S").to_string())
        .unwrap_or_default()
}
