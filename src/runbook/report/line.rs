//! An entry in one line.

use jiff::tz::TimeZone;

use crate::runbook::describe::prose;
use crate::runbook::event::{Ending, Event, Outcomes, Phase, Verdict};
use crate::runbook::journal::Entry;
use crate::runbook::wall;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::text::Clean;

/// An entry in one line: `13:45:02.120+01:00  freeze  done on db1 in 0.1 s`; with its date when `dated`.
#[must_use]
pub fn line(entry: &Entry, tz: &TimeZone, dated: bool) -> String {
    let at = if dated { wall::dated_exact(entry.at, tz) } else { wall::exact(entry.at, tz) };
    format!("{at}  {}", text(&entry.event))
}

/// What an entry tells.
pub(super) fn text(event: &Event) -> String {
    let said = match event {
        Event::Started { schema: _, run, who, why, dry_run, simulated, plan, accounts: _ } => {
            let dry = if *dry_run { "dry run of " } else { "" };
            let sim = if *simulated { "SIMULATED: " } else { "" };
            let (book, env) = (&plan.runbook, &plan.environment);
            format!("{sim}{who} began {dry}{book} in {env}: {why} ({run})")
        }
        Event::Resumed { who, taken_over: true, accounts: _ } => format!("{who} took it over"),
        Event::Resumed { who, taken_over: false, accounts: _ } => format!("{who} resumed it"),
        Event::Answered { step, answer, who, reason } => {
            let (asked, answer) = (answer.asked(), answer.words());
            let why = reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
            format!("{step}  {who} answered {asked} with {answer}{why}")
        }
        Event::Intent { step, phase, attempt, commands, facts } => {
            let hosts: Vec<&str> = commands.keys().filter_map(|p| p.host()).map(HostName::as_str).collect();
            let on = if hosts.is_empty() { String::new() } else { format!(" on {}", hosts.join(", ")) };
            let again = if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
            let proved = match facts.iter().filter(|f| f.holds).count() {
                0 => String::new(),
                n => format!(", {n} {} proved", if n == 1 { "fact" } else { "facts" }),
            };
            format!("{step}  about to {}{on}{again}{proved}", verb(*phase))
        }
        Event::Outcome { step, phase, hosts, took_ms, .. } => {
            let what = match phase {
                Phase::Run => "",
                Phase::Probe => "asked: ",
                Phase::Undo => "undo: ",
                Phase::UndoProbe => "asked whether undone: ",
            };
            format!("{step}  {what}{} in {}", outcomes(hosts), wall::duration(*took_ms))
        }
        Event::Skipped { step, reason } => format!("{step}  skipped: {reason}"),
        Event::Excluded { host, step, reason } => format!("{step}  {host} excluded from the rest: {reason}"),
        Event::RollingBack { reason } => format!("rolling back: {reason}"),
        Event::Abandoning { reason } => format!("aborting: {reason}"),
        Event::WindowFailed { window, reason } => {
            format!("{window}  failed, everything done in it is undone now: {reason}")
        }
        Event::Note { who, text } => format!("note by {who}: {}", prose(text)),
        Event::Trouble { text } => format!("trouble: {text}"),
        Event::HoldLost { step, reason } => format!("{step}  its held session was lost: {reason}"),
        Event::Stopped { reason } => format!("stopped: {reason}"),
        Event::Ended { how } => ending(how),
    };
    Clean::new(&said).to_string()
}

fn verb(phase: Phase) -> &'static str {
    match phase {
        Phase::Run => "run",
        Phase::Probe => "ask whether it was done",
        Phase::Undo => "undo",
        Phase::UndoProbe => "ask whether it was undone",
    }
}

/// `done on db1, db2; failed on db3 (why)`.
fn outcomes(hosts: &Outcomes) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for (host, outcome) in hosts {
        let (word, why) = verdict(&outcome.verdict);
        let says = why.map_or_else(|| word.to_owned(), |why| format!("{word} ({why})"));
        match groups.iter_mut().find(|(s, _)| *s == says) {
            Some((_, names)) => names.push(host.as_str()),
            None => groups.push((says, vec![host.as_str()])),
        }
    }
    let all = groups.iter().map(|(says, names)| match names.as_slice() {
        [] | [""] => says.clone(),
        names => format!("{says} on {}", names.join(", ")),
    });
    all.collect::<Vec<_>>().join("; ")
}

/// A verdict's word, and why.
pub(super) fn verdict(verdict: &Verdict) -> (&'static str, Option<&str>) {
    match verdict {
        Verdict::Done => ("done", None),
        Verdict::NotDone => ("not done", None),
        Verdict::Failed(why) => ("failed", Some(why)),
        Verdict::Unknown(why) => ("unknown", Some(why)),
        Verdict::Printed => ("printed", None),
    }
}

/// How it ended, in words.
pub(super) fn ending(how: &Ending) -> String {
    match how {
        Ending::Finished => "finished".to_owned(),
        Ending::RolledBack => "rolled back to the last safe point".to_owned(),
        Ending::Abandoned(why) => format!("aborted: {why}"),
    }
}
