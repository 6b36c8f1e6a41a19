//! Grouped answers, for people. What a host printed is behind `|` and `!`: no output can look like a line of jumpdeck's own.

use std::io::IsTerminal;

use super::ExecSite;
use crate::cli::terminal::paper::{Ink, Paper};
use crate::operator::fleet_command::{AnswerGroup, CommandEnd, NotRun, Tally, kept_lines, kept_of_each};
use crate::transport::StreamOutput;
use jumpdeck_fleet::names::HostName;

/// The whole answer.
pub(super) fn render(paper: &mut Paper, site: &ExecSite, groups: &[AnswerGroup], counted: Tally) -> String {
    let fold = std::io::stdout().is_terminal();
    for group in groups {
        heading(paper, group);
        let kept = kept_of_each(site.hosts.len());
        if let Some(streams) = group.end.printed() {
            output(paper, streams, kept, fold);
        }
        paper.gap();
    }
    let simulated = if site.simulated { "SIMULATED " } else { "" };
    let summary = format!("{simulated}{}: {}", site.env.name, summary(counted));
    paper.words(0, Ink::Bold, &summary);
    paper.take()
}

fn heading(paper: &mut Paper, AnswerGroup { hosts, end }: &AnswerGroup) {
    let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
    let (count, names) = (hosts_of(hosts.len()), names.join(", "));
    let (ink, what) = match end {
        CommandEnd::Exit { status: 0, .. } => (Ink::Good, ", exit 0".to_owned()),
        CommandEnd::Exit { status, .. } => (Ink::Warn, format!(", exit {status}")),
        CommandEnd::Signal { signal, .. } => (Ink::Warn, format!(", ended by signal {signal}")),
        CommandEnd::Unknown { .. } => (Ink::Bad, ", outcome unknown".to_owned()),
        CommandEnd::NotRun(NotRun::Failed(_)) => (Ink::Bad, " could not be asked".to_owned()),
        CommandEnd::NotRun(NotRun::Interrupted) => (Ink::Bad, " not asked".to_owned()),
    };
    paper.words(0, ink, &format!("{count}{what}: {names}"));
    if let Some(why) = end.why() {
        paper.words(2, Ink::Plain, &why);
    }
}

fn output(paper: &mut Paper, [stdout, stderr]: &[StreamOutput; 2], kept: usize, fold: bool) {
    if stdout.kept.is_empty() && stderr.kept.is_empty() {
        paper.words(2, Ink::Dim, "no output");
    }
    for (stream, mark, name) in [(stdout, "| ", "standard output"), (stderr, "! ", "standard error")] {
        let (lines, whole) = kept_lines(stream);
        for line in lines {
            let text = format!("{mark}{line}");
            // On a terminal a long line must not go on at the edge, where our own lines begin.
            if fold { paper.exact(2, Ink::Plain, &text) } else { paper.command(2, Ink::Plain, "", &text) }
        }
        if !whole {
            let note = format!("{name} is not all UTF-8; what is not is shown as \u{fffd}");
            paper.words(2, Ink::Warn, &note);
        }
        if stream.beyond > 0 {
            let note =
                format!("{} bytes more on {name}; the first {} KiB are shown", stream.beyond, kept >> 10);
            paper.words(2, Ink::Warn, &note);
        }
    }
}

fn hosts_of(count: usize) -> String {
    if count == 1 { "1 host".to_owned() } else { format!("{count} hosts") }
}

pub(super) fn summary(counted: Tally) -> String {
    let Tally { zero, other, unknown, not_run } = counted;
    let parts = [
        (zero, "exit 0"),
        (other, "with another status or a signal"),
        (unknown, "outcome unknown"),
        (not_run, "not asked"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    format!("{}: {}", hosts_of(counted.all()), parts.join(", "))
}
