//! What is wrong with a queue of mail, whichever server's it is. For the probes of mail servers.

use std::collections::BTreeMap;

use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Figure, Finding, Service, ServiceReading, Unit};

/// That many messages that wait are more than come and go on a mail host that is well: a route is blocked, or a program sends
/// without end.
const MANY: u64 = 200;
/// That many will not be gone within the hour, whatever is done: people miss their mail.
const FAR_TOO_MANY: u64 = 2000;
/// After so long Postfix's own `delay_warning_time`, where it is set, tells the sender that the mail is late.
const LATE: u64 = 4 * 3600;
/// A few late messages are addresses that nobody reads: Postfix returns them after five days. That many are a blocked route.
const MANY_LATE: u64 = 50;

/// Adds the figures of the ages of messages that are to be delivered, seconds.
pub(super) fn add_ages(ages: impl Iterator<Item = u64> + Clone, readings: &mut Vec<ServiceReading>) {
    let late = ages.clone().filter(|age| *age > LATE).count();
    let late = Figure::count(u64::try_from(late).unwrap_or(u64::MAX));
    readings.push(ServiceReading { name: "late", figure: late });
    if let Some(value) = ages.max() {
        let figure = Figure::Amount { value, of: None, unit: Unit::Seconds };
        readings.push(ServiceReading { name: "oldest", figure });
    }
}

/// How many messages wait, in words; `at_least` is what to write before the number.
pub(super) fn waiting(number: u64, at_least: &str) -> String {
    match number {
        0 => "nothing waits".to_owned(),
        1 => format!("{at_least}1 message waits"),
        _ => format!("{at_least}{number} messages wait"),
    }
}

/// The most frequent reason, and how often it is one. Two that differ in an address or a number are one.
pub(super) fn most_frequent<'t>(reasons: impl Iterator<Item = &'t str>) -> Option<(&'t str, u64)> {
    let mut found: BTreeMap<String, (&str, u64)> = BTreeMap::new();
    for reason in reasons {
        found.entry(kind_of(reason)).or_insert((reason, 0)).1 += 1;
    }
    found.into_values().max_by_key(|(_, times)| *times)
}

/// A reason without its addresses and numbers.
fn kind_of(reason: &str) -> String {
    let mut depth = 0_u32;
    reason
        .chars()
        .filter(|c| {
            match c {
                '<' => depth += 1,
                '>' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && !c.is_ascii_digit()
        })
        .collect()
}

/// Adds what is wrong with the queue of the server `name`; `look` is the command that shows it.
pub(super) fn rule(name: &str, look: &str, service: &Service, found: &mut Vec<Finding>) {
    let mut add = |reading, severity, message| found.push(Finding::of(reading, severity, message));
    let listed = if service.reading("listed").is_some() { "at least " } else { "" };
    let why = service.text("reason").map_or(String::new(), |reason| {
        let times = service.amount("reason_count").map_or(String::new(), |times| format!(" ({times}×)"));
        format!(" Most often{times}: {reason}.")
    });
    let number = service.amount("queue").unwrap_or(0);
    let late = service.amount("late").unwrap_or(0);
    if number > MANY {
        let severity = if number > FAR_TOO_MANY { Severity::Critical } else { Severity::Warning };
        add("queue", severity, format!("{name} queue: {}.{why} Look at {look}.", service.detail));
    } else if late > MANY_LATE {
        let message = format!("{name}: {listed}{late} messages wait for over 4 h.{why} Look at {look}.");
        add("late", Severity::Warning, message);
    }
}
