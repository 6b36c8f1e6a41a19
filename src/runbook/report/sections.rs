//! A report for a screen: what one wants to know first, then everything in order.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{RunReport, STILL_IN_EFFECT, TimelineEntry};
use crate::runbook::wall;
use jumpdeck_fleet::run::ReportSection;
use jumpdeck_fleet::text::Clean;

pub(super) fn of(report: &RunReport, tz: &TimeZone) -> Vec<ReportSection> {
    let clock = |at: Timestamp| wall::time(at, tz);
    let last = report.timeline.last().map_or(report.began, |moment| moment.at);
    let row = |label: &str, text: &str| (Clean::new(label), Clean::new(text));
    let mut head = vec![row("why", &report.why), row("by", &report.who.join(", then "))];
    let until = report.ended.map_or_else(|| "not over".to_owned(), |at| format!("ended {}", clock(at)));
    head.push(row(
        "took",
        &format!("{}: began {}, {until}", wall::duration(report.took_ms), clock(report.began)),
    ));
    head.extend(
        report.without_writes.iter().map(|w| row("no writes", &w.line(&wall::since(w.from, last, tz)))),
    );
    head.extend(report.windows.iter().map(|story| row("window", &story.line(tz))));
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
        (STILL_IN_EFFECT, still.chain(by_hand).chain(commands).collect()),
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
        ("TIMELINE", timeline(report).iter().map(|(at, text)| row(&clock(*at), text)).collect()),
    ];
    let filled = sections.into_iter().filter(|(_, rows): &(_, Vec<_>)| !rows.is_empty());
    filled.map(|(title, rows)| ReportSection { title, rows }).collect()
}

/// A line a step: by its title, and without what was about to be done where a later line says how that went.
fn timeline(report: &RunReport) -> Vec<(Timestamp, String)> {
    let answered = |at: usize, moment: &TimelineEntry| {
        moment.is_intent && report.timeline.iter().skip(at + 1).any(|later| later.step == moment.step)
    };
    let shown = report.timeline.iter().enumerate().filter(|(at, moment)| !answered(*at, moment));
    let text = |moment: &TimelineEntry| {
        let named = moment.step.as_ref().and_then(|step| {
            let rest = moment.text.strip_prefix(step.as_str())?;
            Some(format!("{}:{}", report.titles.get(step)?, rest.replacen("  ", " ", 1)))
        });
        named.unwrap_or_else(|| moment.text.clone())
    };
    shown.map(|(_, moment)| (moment.at, text(moment))).collect()
}
