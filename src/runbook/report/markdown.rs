//! A report as Markdown. What is not ours is escaped, and commands stand in fences that they cannot close.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::runbook::wall;

use super::collect::clean;
use super::{Action, Proved, RunReport, StepReport};

/// Text that means nothing to Markdown.
#[must_use]
pub fn md(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if "\\`*_[]<>|#~&!".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Lines in a fence longer than any they hold.
pub fn fence(out: &mut String, lines: &[String]) {
    let longest = lines.iter().flat_map(|l| l.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(out, "\n{ticks}\n{}\n{ticks}", lines.join("\n"));
}

struct MarkdownPaper<'t> {
    out: String,
    tz: &'t TimeZone,
}

pub(super) fn report(report: &RunReport, tz: &TimeZone) -> String {
    let mut paper = MarkdownPaper { out: String::new(), tz };
    paper.head(report);
    paper.table("Windows", &[""], report.windows.iter().map(|story| vec![clean(&story.line(tz))]));
    paper.still(report);
    paper.table(
        "Values",
        &["step", "value", "host", ""],
        report.values.iter().map(|v| vec![v.step.clone(), v.name.clone(), v.host.clone(), v.value.clone()]),
    );
    paper.table("Skipped", &["step", "why"], report.skipped.iter().map(|(s, w)| vec![s.clone(), w.clone()]));
    paper.table(
        "Hosts excluded",
        &["host", "step", "why"],
        report.excluded.iter().map(|e| vec![e.host.clone(), e.step.clone(), e.reason.clone()]),
    );
    let notes: Vec<_> =
        report.notes.iter().map(|n| vec![paper.time(n.at), n.who.clone(), n.text.clone()]).collect();
    paper.table("Notes", &["when", "who", "note"], notes.into_iter());
    let trouble: Vec<_> = report.trouble.iter().map(|n| vec![paper.time(n.at), n.text.clone()]).collect();
    paper.table("Trouble", &["when", "what"], trouble.into_iter());
    let steps = report.steps.iter().map(|s| {
        let took = format!("{} (machines {})", wall::duration(s.took_ms), wall::duration(s.worked_ms));
        vec![s.id.clone(), s.state.to_owned(), took, s.reason.clone().unwrap_or_default()]
    });
    paper.table("Steps", &["step", "state", "time", ""], steps);
    for step in &report.steps {
        paper.step(step);
    }
    let all: Vec<_> = (report.timeline.iter())
        .map(|m| vec![paper.time(m.at), format!("+{}", wall::duration(m.after_ms)), m.text.clone()])
        .collect();
    paper.table("Timeline", &["when", "after", "what"], all.into_iter());
    paper.out
}

impl MarkdownPaper<'_> {
    fn time(&self, at: Timestamp) -> String {
        wall::exact(at, self.tz)
    }

    fn dated(&self, at: Timestamp) -> String {
        wall::dated(at, self.tz)
    }

    /// Writing to a String cannot fail.
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
    }

    fn head(&mut self, report: &RunReport) {
        self.line(&format!(
            "# {} in {}: {}",
            md(&report.runbook),
            md(&report.environment),
            md(&report.outcome)
        ));
        if report.simulated {
            self.line("\n**SIMULATED: no real machine was touched.**");
        }
        if report.dry_run {
            self.line("\n**DRY RUN: changes were printed, not made.**");
        }
        let ended = report.ended.map_or_else(|| "not over".to_owned(), |at| self.dated(at));
        let inputs: Vec<String> = report.inputs.iter().map(|(k, v)| format!("{k} = {v}")).collect();
        let targets = report.targets.iter().map(|(name, hosts)| format!("{name}: {}", hosts.join(", ")));
        let times: Vec<String> = report.without_writes.iter().map(|w| w.line(&self.dated(w.from))).collect();
        let rows = [
            ("run", Some(report.run.clone())),
            ("who", Some(report.who.join(", then "))),
            ("why", Some(report.why.clone())),
            ("level", Some(report.level.clone())),
            ("began", Some(self.dated(report.began))),
            ("ended", Some(ended)),
            ("took", Some(wall::duration(report.took_ms))),
            ("without writes", Some(times.join("; ")).filter(|t| !t.is_empty())),
            ("inputs", Some(inputs.join("; ")).filter(|t| !t.is_empty())),
            ("targets", Some(targets.collect::<Vec<_>>().join("; ")).filter(|t| !t.is_empty())),
            ("runbook's SHA-256", Some(report.hash.clone())),
        ];
        self.line("\n| | |\n|---|---|");
        for (name, value) in rows.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            self.line(&format!("| {name} | {} |", md(value)));
        }
    }

    /// What the run began and has not ended, and the commands that end it.
    fn still(&mut self, report: &RunReport) {
        if report.in_effect.is_empty() {
            return;
        }
        let gone = if report.simulated { " when the simulated fleet ended" } else { "" };
        self.line(&format!("\n## STILL IN EFFECT{gone}"));
        for one in &report.in_effect {
            let line = one.line(&self.dated(one.since));
            self.line(&format!("\n- {}", md(&line)));
            for (host, lines) in &one.by_hand {
                let on = if host.is_empty() { String::new() } else { format!(" on {}", md(host)) };
                self.line(&format!("\nTo end it by hand{on}:"));
                fence(&mut self.out, lines);
            }
        }
        let commands = report.way_out();
        if !commands.is_empty() {
            let lines: Vec<String> =
                commands.iter().map(|(label, command)| format!("{command}   # {label}")).collect();
            fence(&mut self.out, &lines);
        }
    }

    fn table(&mut self, title: &str, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) {
        let rows: Vec<_> = rows.collect();
        if rows.is_empty() {
            return;
        }
        self.line(&format!("\n## {title}\n\n| {} |", heads.join(" | ")));
        self.line(&format!("|{}", "---|".repeat(heads.len())));
        for row in rows {
            let cells: Vec<String> = row.iter().map(|cell| md(cell)).collect();
            self.line(&format!("| {} |", cells.join(" | ")));
        }
    }

    fn step(&mut self, step: &StepReport) {
        self.line(&format!("\n### {}: {}", md(&step.id), step.state));
        for answer in &step.answers {
            let why = answer.reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
            let said = format!("{} answered {} with {}{why}", answer.who, answer.asked, answer.answer);
            self.line(&format!("\n- {} {}", self.time(answer.at), md(&said)));
        }
        for action in &step.actions {
            self.action(action);
        }
    }

    fn action(&mut self, action: &Action) {
        let took = action.took_ms.map_or_else(|| "cut off".to_owned(), wall::duration);
        let again = if action.attempt > 1 { format!(", attempt {}", action.attempt) } else { String::new() };
        self.line(&format!("\n**{}{again}**, {}, {took}", action.phase, self.time(action.at)));
        self.facts("before", &action.before);
        for (host, lines) in &action.commands {
            self.line(&format!("\n{}:", if host.is_empty() { "what".to_owned() } else { md(host) }));
            fence(&mut self.out, lines);
        }
        for on in &action.hosts {
            let host = if on.host.is_empty() { String::new() } else { format!("{}: ", md(&on.host)) };
            let why = on.why.as_ref().map(|w| format!(": {}", md(w))).unwrap_or_default();
            self.line(&format!("\n- {host}{}{why}", on.verdict));
            self.facts("after", &on.after);
            if !on.output.is_empty() {
                fence(&mut self.out, &on.output);
            }
        }
    }

    fn facts(&mut self, when: &str, facts: &[Proved]) {
        for (i, fact) in facts.iter().enumerate() {
            let sign = if fact.holds { "holds" } else { "DOES NOT HOLD" };
            let host = if fact.host.is_empty() { String::new() } else { format!(" ({})", fact.host) };
            let gap = if i == 0 { "\n" } else { "" };
            self.line(&format!(
                "{gap}- {when}: {}",
                md(&format!("{}{host}: {}; {sign}", fact.says, fact.seen))
            ));
        }
    }
}
