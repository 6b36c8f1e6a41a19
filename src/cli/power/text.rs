//! What the cloud says, for people. Its console log is behind `|`: none of it can look like a line of jumpdeck's own.

use std::io::IsTerminal;

use super::PowerSite;
use crate::cli::terminal::paper::{Ink, Paper};
use jumpdeck_fleet::power::{CloudServerFacts, CloudTask, ConsoleTail, PowerReport, ServerReply};
use jumpdeck_fleet::text::Clean;

/// The whole answer.
pub(super) fn render(paper: &mut Paper, site: &PowerSite, report: &PowerReport) -> String {
    let simulated = if site.simulated { "SIMULATED " } else { "" };
    let (host, env) = (&site.host.id.host, &site.env.name);
    let by = report
        .answer
        .as_ref()
        .map_or_else(String::new, |answer| format!(" (by {} on {})", answer.client.program(), answer.by));
    paper.words(0, Ink::Bold, &format!("{simulated}{env} {host}: {}{by}", report.headline()));
    match report.answer.as_ref().map(|answer| &answer.says) {
        Some(ServerReply::Server(facts, console)) => {
            server(paper, facts);
            log(paper, console);
        }
        Some(ServerReply::Several(servers)) if servers.is_empty() => {
            paper.words(2, Ink::Warn, "the list of them was not read");
        }
        Some(ServerReply::Several(servers)) => servers.iter().for_each(|line| quoted(paper, line)),
        Some(ServerReply::NoServer) | None => {}
    }
    for miss in &report.without {
        paper.words(2, Ink::Warn, &format!("no answer from {}: {}", miss.at, miss.why.describe()));
    }
    paper.words(0, Ink::Plain, &report.next());
    paper.take()
}

fn server(paper: &mut Paper, facts: &CloudServerFacts) {
    let task = match &facts.task {
        CloudTask::Unknown => None,
        CloudTask::Idle => Some("none"),
        CloudTask::Doing(task) => Some(task.as_str()),
    };
    let addresses: Vec<&str> = facts.addresses.iter().map(Clean::as_str).collect();
    let addresses = addresses.join(", ");
    let text = |value: &'_ Option<Clean>| value.as_ref().map(ToString::to_string);
    let rows = [
        ("status", text(&facts.status)),
        ("power", text(&facts.power)),
        ("task", task.map(str::to_owned)),
        ("address", (!addresses.is_empty()).then_some(addresses)),
        ("updated", text(&facts.updated)),
        ("launched", text(&facts.launched)),
        ("UUID", text(&facts.id)),
    ];
    let known = |(label, value): (&'static str, Option<String>)| match value {
        Some(value) => (label, Ink::Plain, value),
        None => (label, Ink::Warn, "unknown".to_owned()),
    };
    let mut rows: Vec<_> = rows.into_iter().map(known).collect();
    let more = [("fault", &facts.fault), ("beneath", &facts.under)];
    let more =
        more.into_iter().filter_map(|(label, value)| Some((label, Ink::Warn, value.as_ref()?.to_string())));
    rows.extend(more);
    paper.fields(2, &rows);
}

fn log(paper: &mut Paper, console: &ConsoleTail) {
    match console {
        ConsoleTail::NotAsked => {}
        ConsoleTail::Unknown(why) => paper.words(2, Ink::Warn, &format!("console log unknown: {why}")),
        ConsoleTail::Lines(log) => {
            let nothing = if log.lines.is_empty() { ": nothing is written on it" } else { "" };
            let lines = if log.asked == 1 { "line" } else { "lines" };
            let asked = log.asked;
            paper.words(2, Ink::Dim, &format!("end of the console log, at most {asked} {lines}{nothing}"));
            log.lines.iter().for_each(|line| quoted(paper, line));
            log.remarks().iter().for_each(|remark| paper.words(2, Ink::Warn, remark));
        }
    }
}

fn quoted(paper: &mut Paper, line: &Clean) {
    let text = format!("| {line}");
    // On a terminal a long line must not go on at the edge, where our own lines begin.
    if std::io::stdout().is_terminal() {
        paper.exact(2, Ink::Plain, &text);
    } else {
        paper.command(2, Ink::Plain, "", &text);
    }
}
