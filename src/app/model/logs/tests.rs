#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::app::rows::LineTerms;

fn name(text: &str) -> HostName {
    HostName::new(text).unwrap()
}

fn line(host: &str, at: i64, text: &str, level: LogLevel) -> LogLine {
    LogLine {
        host: name(host),
        source: "/var/log/syslog".into(),
        text: text.into(),
        at,
        clock: LineClock::Own,
        level,
        cut: 0,
        lead: 0,
    }
}

fn view(hosts: &[&str]) -> LogView {
    let request =
        LogRequest { hosts: hosts.iter().map(|host| name(host)).collect(), ..LogRequest::default() };
    LogView::new(1, EnvName::new("production").unwrap(), request)
}

fn add(logs: &mut LogView, host: &str, texts: &[&str]) {
    let lines = texts.iter().map(|text| line(host, 1000, text, LogLevel::Plain)).collect();
    logs.take(LogEvent::Lines(lines));
}

fn seen(logs: &LogView) -> Vec<String> {
    let texts = logs.upwards().map(|entry| match entry {
        LogEntry::Line(line) => line.text.to_string(),
        LogEntry::Note { note, others } if others.is_empty() => format!("note {}", note.text),
        LogEntry::Note { note, others } => format!("note of {}: {}", others.len() + 1, note.text),
        LogEntry::NotShown(missed) => missed.text(),
    });
    let mut texts: Vec<String> = texts.collect();
    texts.reverse();
    texts
}

#[test]
fn a_list_that_is_paused_stays_where_it_is() {
    let mut logs = view(&["a"]);
    add(&mut logs, "a", &["1", "2", "3"]);
    assert!(logs.follows());
    logs.put_at_bottom(1);
    add(&mut logs, "a", &["4", "5"]);
    assert_eq!((seen(&logs), logs.new_below(), logs.follows()), (vec!["1".into(), "2".into()], 3, false));
    logs.put_at_bottom(4);
    add(&mut logs, "a", &["6"]);
    assert_eq!((seen(&logs).len(), logs.follows()), (6, true), "the last line follows");
    logs.hold();
    add(&mut logs, "a", &["7"]);
    assert_eq!((seen(&logs).len(), logs.new_below()), (6, 1));
    logs.hold();
    assert_eq!((seen(&logs).len(), logs.new_below()), (7, 0));
}

#[test]
fn a_filter_hides_lines_and_never_what_says_that_some_are_missing() {
    let mut logs = view(&["a", "b"]);
    add(&mut logs, "a", &["disk full", "fine"]);
    let host = name("a");
    logs.take(LogEvent::NotShown(NotShown { host: host.clone(), source: "x".into(), lines: 7, bytes: 0 }));
    logs.take(LogEvent::Note(LogNote { host, source: None, text: "rotated".into(), at: 0, gap: true }));
    logs.filter(LineTerms::of("DISK"));
    assert_eq!(seen(&logs), ["disk full", "7 lines not shown", "note rotated"]);
    add(&mut logs, "b", &["other", "disk too"]);
    assert_eq!(seen(&logs).last().unwrap(), "disk too", "what comes is filtered, too");
    logs.filter(LineTerms::of("!disk host:b"));
    assert_eq!(seen(&logs), ["7 lines not shown", "note rotated", "other"]);
    logs.filter(LineTerms::of("level:error"));
    assert_eq!(seen(&logs).len(), 2);
    logs.filter(LineTerms::of(""));
    assert_eq!((seen(&logs).len(), logs.not_sent), (6, 7));
}

#[test]
fn hosts_are_hidden_and_shown() {
    let mut logs = view(&["a", "b", "c"]);
    for host in ["a", "b", "c"] {
        add(&mut logs, host, &[host]);
    }
    logs.hide(name("b"));
    assert_eq!(seen(&logs), ["a", "c"]);
    logs.only(None);
    assert_eq!(seen(&logs).len(), 3);
    logs.only(Some(&name("c")));
    add(&mut logs, "a", &["a2"]);
    assert_eq!(seen(&logs), ["c"]);
    logs.only(Some(&name("c")));
    assert_eq!(seen(&logs), ["a", "b", "c", "a2"], "all again");
}

#[test]
fn memory_is_bounded_and_what_goes_is_counted() {
    let mut logs = view(&["a"]);
    logs.take(LogEvent::Lines(
        (0..MOST_LINES + 5).map(|n| line("a", 0, &n.to_string(), LogLevel::Plain)).collect(),
    ));
    assert_eq!((logs.counts(), logs.dropped), ((MOST_LINES, MOST_LINES), 5));
    assert_eq!(seen(&logs)[0], "5");
    // A list that is paused at a line which goes shows the oldest that is kept.
    logs.put_at_bottom(0);
    add(&mut logs, "a", &["x", "y"]);
    assert_eq!(seen(&logs), ["7"]);
    let long = "x".repeat(1 << 20);
    (0..20).for_each(|_| add(&mut logs, "a", &[&long]));
    assert!(logs.bytes <= MOST_BYTES && logs.counts().1 <= 16, "{} {:?}", logs.bytes, logs.counts());
    assert_eq!(
        logs.dropped + logs.counts().1 as u64,
        MOST_LINES as u64 + 5 + 2 + 20,
        "every line is kept or counted"
    );
}

#[test]
fn the_course_is_of_the_lines_that_are_seen() {
    let mut logs = view(&["a"]);
    assert_eq!(logs.timeline(10), None);
    let at = |second: i64| 1_385_830_930_000 + second * 1000;
    logs.take(LogEvent::Lines(vec![
        line("a", at(0), "one", LogLevel::Plain),
        line("a", at(1), "two", LogLevel::Error),
        line("a", at(1), "three", LogLevel::Warning),
        line("a", at(4), "four", LogLevel::Plain),
    ]));
    let course = logs.timeline(10).unwrap();
    let span = |lines, errors| LogSpan { lines, errors };
    assert_eq!((course.from, course.each), (at(0), 1));
    assert_eq!(course.spans, [span(1, 0), span(2, 1), span(0, 0), span(0, 0), span(1, 0)]);
    let narrow = logs.timeline(2).unwrap();
    assert_eq!((narrow.each, narrow.spans), (5, vec![span(4, 1)]));
    logs.filter(LineTerms::of("two"));
    assert_eq!(logs.timeline(10).unwrap().spans, [span(1, 1)]);
    assert_eq!(logs.timeline(0).unwrap().spans.len(), 1, "a screen without room");
    // A line of the future, or of long ago, costs no memory.
    logs.filter(LineTerms::of(""));
    logs.take(LogEvent::Lines(vec![
        line("a", i64::MAX / 2, "x", LogLevel::Plain),
        line("a", i64::MIN / 2, "y", LogLevel::Plain),
    ]));
    assert!(logs.timeline(10).unwrap().spans.len() <= 10);
}

#[test]
fn what_is_said_of_hosts_alike_at_the_beginning_is_said_once_and_later_each_time() {
    let mut logs = view(&["a", "b", "c"]);
    let note = |host: &str, source: Option<&str>| {
        let source = source.map(Into::into);
        LogEvent::Note(LogNote { host: name(host), source, text: "no log found".into(), at: 0, gap: true })
    };
    logs.take(note("a", None));
    add(&mut logs, "b", &["between"]);
    logs.take(note("b", None));
    logs.take(note("b", None));
    logs.take(note("b", Some("/x")));
    assert_eq!(seen(&logs), ["note of 2: no log found", "between", "note no log found"]);
    logs.hide(name("a"));
    assert_eq!(seen(&logs)[0], "note of 2: no log found", "it is of another host, too");
    logs.hide(name("b"));
    assert!(seen(&logs).is_empty(), "{:?}", seen(&logs));
    logs.take(note("c", None));
    assert_eq!(seen(&logs), ["note of 3: no log found"], "what a host that is seen says is seen");
    for host in ["a", "b", "c"] {
        logs.take(LogEvent::State(name(host), HostLog::Following));
    }
    logs.take(note("c", None));
    assert_eq!(
        seen(&logs),
        ["note of 3: no log found", "note no log found"],
        "later it has a place of its own"
    );
}
