//! A report for a screen: what one wants to know first, then everything in order.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Report, duration};
use crate::domain::run::ReportSection;
use crate::domain::text::Clean;
use crate::runbook::wall;

pub(super) fn of(report: &Report, tz: &TimeZone) -> Vec<ReportSection> {
    let clock = |at: Timestamp| wall::time(at, tz);
    let last = report.timeline.last().map_or(report.began, |moment| moment.at);
    let row = |label: &str, text: &str| (Clean::new(label), Clean::new(text));
    let mut head = vec![row("why", &report.why), row("by", &report.who.join(", then "))];
    let until = report.ended.map_or_else(|| "not over".to_owned(), |at| format!("ended {}", clock(at)));
    head.push(row("took", &format!("{}: began {}, {until}", duration(report.took_ms), clock(report.began))));
    if let Some(window) = &report.window {
        let text = match &window.until_step {
            None => format!("refused since {}, NOT ENDED", wall::since(window.from, last, tz)),
            Some(until) => format!("{} (from {} to {until})", duration(window.took_ms), window.from_step),
        };
        head.push(row("no writes", &text));
    }
    head.push(row("whole", &format!("jumpdeck runbook report {}", report.run)));
    let still = report.in_effect.iter().map(|one| row("-", &one.line(&wall::since(one.since, last, tz))));
    let by_hand = report.in_effect.iter().flat_map(|one| &one.by_hand).flat_map(|(host, lines)| {
        let label = if host.is_empty() { "end it" } else { host.as_str() };
        lines.iter().map(|line| row(label, line)).collect::<Vec<_>>()
    });
    let way_out = report.way_out();
    let commands = way_out.iter().map(|(label, command)| row(label, command));
    // What a condition left out is in the list of steps; what a person left out is worth a second look.
    let by_people = report.steps.iter().filter(|step| step.state == "skipped" && !step.answers.is_empty());
    let sections = [
        ("STILL IN EFFECT", still.chain(by_hand).chain(commands).collect()),
        ("REPORT", head),
        (
            "SKIPPED BY THE OPERATOR",
            by_people.map(|s| row(&s.id, s.reason.as_deref().unwrap_or("-"))).collect(),
        ),
        (
            "HOSTS EXCLUDED",
            report.excluded.iter().map(|e| row(&e.host, &format!("at {}: {}", e.step, e.reason))).collect(),
        ),
        ("TROUBLE", report.trouble.iter().map(|t| row(&clock(t.at), &t.text)).collect()),
        ("TIMELINE", report.timeline.iter().map(|m| row(&clock(m.at), &m.text)).collect()),
    ];
    let filled = sections.into_iter().filter(|(_, rows): &(_, Vec<_>)| !rows.is_empty());
    filled.map(|(title, rows)| ReportSection { title, rows }).collect()
}
