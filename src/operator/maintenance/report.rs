//! The report of a session: what people planned, did and saw, as Markdown and as JSON.

use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::wire::stamp;
use crate::operator::past;
use crate::runbook::lease::{Copy, LeasePlaces, copy_in};
use crate::runbook::report::{RunReport, md};
use crate::runbook::wall;
use crate::transport::Session;
use jumpdeck_fleet::maintenance::{MaintenanceSession, SessionMark, SessionRow, SessionState};
use jumpdeck_fleet::text::Clean;

/// A session. Its JSON is `schema` 1: fields may be added, none is removed. Times are UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionReport {
    /// Which form this is.
    pub schema: u32,
    /// Which session.
    pub session: String,
    /// The environment.
    pub environment: String,
    /// Whether its fleet is simulated.
    pub simulated: bool,
    /// Why.
    pub reason: String,
    /// The ticket; empty for none.
    pub ticket: String,
    /// Who was meant to take part.
    pub people: Vec<String>,
    /// When it began.
    pub began: Timestamp,
    /// Who started it.
    pub by: String,
    /// Its planned end.
    pub until: Timestamp,
    /// When it ended; `None` while it has not.
    pub ended: Option<Timestamp>,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// What they said; empty for nothing.
    pub end_reason: String,
    /// Who leads it.
    pub lead: String,
    /// To whom it was handed over, while they have not confirmed it.
    pub handed_to: Option<String>,
    /// Who took part.
    pub participants: Vec<SessionParticipant>,
    /// Runs, in the order they began.
    pub runs: Vec<RunOfSession>,
    /// What happened, in order.
    pub entries: Vec<SessionMoment>,
    /// What is missing or cannot be read.
    pub troubles: Vec<String>,
}

/// Somebody who took part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionParticipant {
    /// Who.
    pub who: String,
    /// Their account on the jump box, where it is known.
    pub account: Option<String>,
    /// When they came.
    pub since: Timestamp,
    /// When they last wrote a line.
    pub last: Timestamp,
    /// By how many seconds their clock is ahead of the jump box's, where it differs.
    pub clock_ahead_s: Option<i64>,
}

/// A run of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunOfSession {
    /// Which.
    pub run: String,
    /// Its runbook.
    pub runbook: String,
    /// Whether changes were only printed.
    pub dry_run: bool,
    /// Who had it, one after the other.
    pub who: Vec<String>,
    /// How it ended or stopped, as whoever had it last wrote; `None`: no line says so.
    pub outcome: Option<String>,
    /// What its journal says; `None` when there is none.
    pub report: Option<RunReport>,
    /// Why there is none.
    pub unknown: Option<String>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionMoment {
    /// When, by the clock of whoever wrote it.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What kind of thing: `session`, `joined`, `note`, `run`, `command`, `shell`, `event`, `expected`, `clock`.
    pub kind: &'static str,
    /// What, line by line.
    pub lines: Vec<String>,
    /// The run that it is about.
    pub run: Option<String>,
}

impl SessionReport {
    /// Of a session, with its runs as their journals have them: those of this machine, and those on the jump box, whichever knows more.
    pub async fn make(
        session: &MaintenanceSession,
        journals: &Path,
        jump: Option<(&LeasePlaces, &dyn Session)>,
    ) -> Self {
        let mut report = Self::without_runs(session);
        for run in &session.runs {
            let (told, unknown) = match run_report(journals, &run.run, jump).await {
                Ok(told) => (Some(told), None),
                Err(why) => (None, Some(why)),
            };
            report.runs.push(RunOfSession {
                run: run.run.clone(),
                runbook: run.runbook.to_string(),
                dry_run: run.dry_run,
                who: texts(&run.who),
                outcome: run.says.as_ref().map(ToString::to_string),
                report: told,
                unknown,
            });
        }
        report
    }

    fn without_runs(session: &MaintenanceSession) -> Self {
        let head = &session.head;
        let (ended, ended_by, end_reason) = match &session.state {
            SessionState::Open => (None, None, String::new()),
            SessionState::Ended { at, by, reason } => {
                (Some(stamp(*at)), Some(by.to_string()), reason.to_string())
            }
        };
        let people = session.people.iter().map(|person| SessionParticipant {
            who: person.who.to_string(),
            account: person.account.as_ref().map(ToString::to_string),
            since: stamp(person.since),
            last: stamp(person.last),
            clock_ahead_s: person.ahead,
        });
        Self {
            schema: 1,
            session: head.id.clone(),
            environment: head.env.to_string(),
            simulated: head.simulated,
            reason: head.reason.to_string(),
            ticket: head.ticket.to_string(),
            people: texts(&head.people),
            began: stamp(head.began),
            by: head.by.to_string(),
            until: stamp(head.until),
            ended,
            ended_by,
            end_reason,
            lead: session.lead.to_string(),
            handed_to: session.handed_to.as_ref().map(|pending| pending.to.to_string()),
            participants: people.collect(),
            runs: Vec::new(),
            entries: session.story.iter().map(moment).collect(),
            troubles: texts(&session.troubles),
        }
    }

    /// As JSON, indented.
    ///
    /// # Errors
    /// Never, for what a report is made of; serde's signature says it might.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// As Markdown, times in `tz`.
    #[must_use]
    pub fn to_markdown(&self, tz: &TimeZone) -> String {
        let mut paper = ChangeLog { out: String::new(), tz };
        paper.head(self);
        paper.runs(self);
        paper.notes(self);
        paper.story(self);
        paper.out
    }
}

fn texts(all: &[Clean]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

fn moment(row: &SessionRow) -> SessionMoment {
    SessionMoment {
        at: stamp(row.at),
        who: row.who.to_string(),
        kind: row.mark.word(),
        lines: std::iter::once(&row.says).chain(&row.more).map(ToString::to_string).collect(),
        run: row.run.clone(),
    }
}

async fn run_report(
    journals: &Path,
    run: &str,
    jump: Option<(&LeasePlaces, &dyn Session)>,
) -> Result<RunReport, String> {
    let here = past::entries(journals, run);
    let there = match jump {
        Some((places, session)) => match copy_in(places, session, run).await {
            Ok(Copy::Entries(entries)) => Ok(entries),
            Ok(Copy::Missing | Copy::Over) => Err("its journal is not on the jump box".to_owned()),
            Err(error) => Err(error.to_string()),
        },
        None => Err("the jump box was not asked".to_owned()),
    };
    // Who took a run over has the entries of whoever had it before.
    let entries = match (here, there) {
        (Ok((_, here)), Ok(there)) => {
            if there.len() > here.len() {
                there
            } else {
                here
            }
        }
        (Ok((_, here)), Err(_)) => here,
        (Err(_), Ok(there)) => there,
        (Err(_), Err(there)) => return Err(format!("its journal is not on this machine, and {there}")),
    };
    RunReport::of(&entries).ok_or_else(|| "its journal does not say how it began".to_owned())
}

/// Markdown in the manner of a change log. What is not ours is escaped.
struct ChangeLog<'t> {
    out: String,
    tz: &'t TimeZone,
}

impl ChangeLog<'_> {
    /// Writing to a String cannot fail.
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
    }

    fn dated(&self, at: Timestamp) -> String {
        wall::dated(at, self.tz)
    }

    fn head(&mut self, report: &SessionReport) {
        self.line(&format!("# Maintenance of {}: {}", md(&report.environment), md(&report.reason)));
        if report.simulated {
            self.line("\n**SIMULATED: no real machine was touched.**");
        }
        let ended = match (&report.ended, &report.ended_by) {
            (Some(at), Some(by)) => format!("{} by {by}", self.dated(*at)),
            (Some(at), None) => self.dated(*at),
            (None, _) => "not over".to_owned(),
        };
        let person = |one: &SessionParticipant| match one.account.as_ref() {
            Some(account) => format!("{} (account {account})", one.who),
            None => one.who.clone(),
        };
        let people: Vec<String> = report.participants.iter().map(person).collect();
        let waiting = report.handed_to.as_ref().map(|to| format!(", handed over to {to}: not confirmed"));
        let rows = [
            ("session", report.session.clone()),
            ("ticket", report.ticket.clone()),
            ("began", format!("{} by {}", self.dated(report.began), report.by)),
            ("planned end", self.dated(report.until)),
            ("ended", ended),
            ("at its end", report.end_reason.clone()),
            ("planned with", report.people.join(", ")),
            ("took part", people.join(", ")),
            ("led by", format!("{}{}", report.lead, waiting.unwrap_or_default())),
        ];
        self.line("\n| | |\n|---|---|");
        for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
            self.line(&format!("| {name} | {} |", md(value)));
        }
        let clock = |one: &SessionParticipant| {
            let ahead = one.clock_ahead_s?;
            let side = if ahead > 0 { "ahead of" } else { "behind" };
            Some(format!("the clock of {} is {} s {side} the jump box's", one.who, ahead.unsigned_abs()))
        };
        let clocks: Vec<String> = report.participants.iter().filter_map(clock).collect();
        if !report.troubles.is_empty() || !clocks.is_empty() {
            self.line("\n## Not certain\n");
            for trouble in report.troubles.iter().chain(&clocks) {
                self.line(&format!("- {}", md(trouble)));
            }
        }
    }

    fn runs(&mut self, report: &SessionReport) {
        if report.runs.is_empty() {
            return;
        }
        self.line("\n## Runs");
        for run in &report.runs {
            self.run(run);
        }
    }

    fn run(&mut self, run: &RunOfSession) {
        let dry = if run.dry_run { " (dry run)" } else { "" };
        let outcome = match (&run.report, &run.outcome) {
            (Some(report), _) => report.outcome.clone(),
            (None, Some(says)) => says.clone(),
            (None, None) => "no end is recorded".to_owned(),
        };
        self.line(&format!("\n### {}{dry}: {}\n", md(&run.runbook), md(&outcome)));
        self.line(&format!("- run {}, {}", md(&run.run), md(&run.who.join(", then "))));
        let Some(report) = &run.report else {
            self.line(&format!("- steps unknown: {}", md(run.unknown.as_deref().unwrap_or_default())));
            return;
        };
        self.line(&format!("- took {}", wall::duration(report.took_ms)));
        for window in &report.windows {
            self.line(&format!("- {}", md(&window.line(self.tz))));
        }
        for one in &report.in_effect {
            self.line(&format!("- **still in effect**: {} on {}", md(&one.says), md(&one.hosts.join(", "))));
        }
        self.line("\n| step | state | who answered what |\n|---|---|---|");
        for step in &report.steps {
            let answer = |one: &crate::runbook::report::ReportAnswer| {
                let why = one.reason.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
                format!("{}: {} = {}{why}", one.who, one.asked, one.answer)
            };
            let answers: Vec<String> = step.answers.iter().map(answer).collect();
            let reason = step.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            let state = format!("{}{reason}", step.state);
            self.line(&format!("| {} | {} | {} |", md(&step.id), md(&state), md(&answers.join("; "))));
        }
        for (step, why) in &report.skipped {
            self.line(&format!("| {} | skipped | {} |", md(step), md(why)));
        }
    }

    /// Notes are Markdown of their own; each is a quotation, which it cannot end.
    fn notes(&mut self, report: &SessionReport) {
        let notes = report.entries.iter().filter(|one| one.kind == SessionMark::Note.word());
        let notes: Vec<&SessionMoment> = notes.collect();
        if notes.is_empty() {
            return;
        }
        self.line("\n## Notes");
        for note in notes {
            self.line(&format!("\n**{}, {}**\n", self.dated(note.at), md(&note.who)));
            for line in &note.lines {
                self.line(format!("> {}", line.replace('<', "\\<")).trim_end());
            }
        }
    }

    fn story(&mut self, report: &SessionReport) {
        self.line("\n## What happened\n\n| when | who | | |\n|---|---|---|---|");
        for one in &report.entries {
            let lines: Vec<String> = one.lines.iter().map(|line| md(line)).collect();
            let (when, who) = (self.dated(one.at), md(&one.who));
            self.line(&format!("| {when} | {who} | {} | {} |", one.kind, lines.join("<br>")));
        }
    }
}
