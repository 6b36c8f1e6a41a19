//! A report for a screen: what one wants to know first, then everything in order.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Report, duration};
use crate::domain::run::ReportSection;
use crate::domain::text::Clean;

pub(super) fn of(report: &Report, tz: &TimeZone) -> Vec<ReportSection> {
    let clock = |at: Timestamp| at.to_zoned(tz.clone()).strftime("%H:%M:%S").to_string();
    let row = |label: &str, text: &str| (Clean::new(label), Clean::new(text));
    let mut head = vec![row("why", &report.why), row("by", &report.who.join(", then "))];
    let until = report.ended.map_or_else(|| "it is not over".to_owned(), |at| format!("ended {}", clock(at)));
    head.push(row("took", &format!("{}: began {}, {until}", duration(report.took_ms), clock(report.began))));
    if let Some(window) = &report.window {
        let until =
            window.until_step.as_ref().map_or_else(|| "still open".to_owned(), |step| format!("to {step}"));
        let text = format!("{} ({} {until})", duration(window.took_ms), window.from_step);
        head.push(row("no writes", &text));
    }
    head.push(row("whole", &format!("jumpdeck runbook report {}", report.run)));
    // What a condition left out is in the list of steps; what a person left out is worth a second look.
    let by_people = report.steps.iter().filter(|step| step.state == "skipped" && !step.answers.is_empty());
    let sections = [
        ("REPORT", head),
        ("LEFT OUT BY A PERSON", by_people.map(|s| row(&s.id, s.reason.as_deref().unwrap_or("-"))).collect()),
        (
            "HOSTS LEFT OUT",
            report.excluded.iter().map(|e| row(&e.host, &format!("at {}: {}", e.step, e.reason))).collect(),
        ),
        ("TROUBLE", report.trouble.iter().map(|t| row(&clock(t.at), &t.text)).collect()),
        ("TIMELINE", report.timeline.iter().map(|m| row(&clock(m.at), &m.text)).collect()),
    ];
    let filled = sections.into_iter().filter(|(_, rows): &(_, Vec<_>)| !rows.is_empty());
    filled.map(|(title, rows)| ReportSection { title, rows }).collect()
}
