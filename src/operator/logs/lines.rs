//! Bytes of a log as lines.

use super::level;
use super::stamp::{self, HostClock};
use jumpdeck_fleet::log::{LineClock, LogLine, LogName};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::text::Clean;

/// Bytes of a line that are kept; the rest is counted.
const LONGEST: usize = 4096;

/// What all lines of a piece have in common.
pub(super) struct LineOrigin<'a> {
    pub(super) host: &'a HostName,
    pub(super) source: &'a LogName,
    pub(super) clock: HostClock,
    /// When it arrived: milliseconds since 1970.
    pub(super) arrived: i64,
    /// Bytes of its only line that were not sent.
    pub(super) cut: u64,
}

impl LineOrigin<'_> {
    /// The lines, in their order. One that cannot be read as text is shown with what can.
    pub(super) fn lines(&self, body: &[u8]) -> Vec<LogLine> {
        let body = body.strip_suffix(b"\n").unwrap_or(body);
        if body.is_empty() {
            return Vec::new();
        }
        body.split(|byte| *byte == b'\n').map(|line| self.line(line)).collect()
    }

    fn line(&self, line: &[u8]) -> LogLine {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let shown = line.get(..LONGEST).unwrap_or(line);
        let text = String::from_utf8_lossy(shown);
        let own = stamp::of_line(&text, self.clock);
        let (at, clock) = own.map_or((self.arrived, LineClock::Arrival), |own| (own.at, LineClock::Own));
        let lead = own.and_then(|own| own.end).map_or(0, |end| lead(&text, end, self.host.as_str()));
        LogLine {
            host: self.host.clone(),
            source: self.source.clone(),
            level: level::of_line(&text),
            text: Clean::lines(&text).into_iter().next().unwrap_or_default(),
            at,
            clock,
            cut: (line.len() - shown.len()) as u64 + self.cut,
            lead,
        }
    }
}

/// Where what a line says begins, behind a time that ends at `end` and the name of the host it is of.
fn lead(text: &str, end: usize, host: &str) -> usize {
    // A zone may stand behind a space; where there is none, the space is not part of the time.
    let end = text.get(..end).map_or(end, |time| time.trim_end_matches(' ').len());
    let Some(rest) = text.get(end..) else { return 0 };
    let spaces = rest.len() - rest.trim_start_matches(' ').len();
    if spaces == 0 {
        return 0;
    }
    let word = rest.get(spaces..).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let is_host = !word.is_empty() && (word == host || host.split('.').next() == Some(word));
    let behind = rest.get(spaces + word.len()..).map_or(0, |rest| usize::from(rest.starts_with(' ')));
    let lead = end + spaces + if is_host { word.len() + behind } else { 0 };
    // What is made printable may have another length.
    let is_plain = text.get(..lead).is_some_and(|lead| lead.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
    if is_plain { lead } else { 0 }
}

/// Keeps lines that are not older than `from`. One without a time of its own belongs to the line before it.
pub(super) fn since(lines: Vec<LogLine>, from: i64) -> Vec<LogLine> {
    let mut keeps = true;
    lines
        .into_iter()
        .filter(|line| {
            if line.clock == LineClock::Own {
                keeps = line.at >= from;
            }
            keeps
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

    use super::*;

    fn read(body: &[u8]) -> Vec<LogLine> {
        let (host, source) = (HostName::new("app1").unwrap(), "/x".into());
        let clock = HostClock { offset: 0, now: 1_385_830_931_000 };
        LineOrigin { host: &host, source: &source, clock, arrived: 7, cut: 0 }.lines(body)
    }

    #[test]
    fn every_byte_of_a_line_can_be_shown() {
        let lines = read(b"a\tb\r\n\x1b[2J\x07\xff\n\n\0z");
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["a       b", "^[[2J^G\u{fffd}", "", "^@z"]);
        assert!(lines.iter().all(|line| (line.at, line.clock, line.cut) == (7, LineClock::Arrival, 0)));
        assert_eq!(read(b""), []);
    }

    #[test]
    fn what_a_line_repeats_is_told() {
        for (line, rest) in [
            ("Nov 30 17:02:11 app1 CRON[7]: job", "CRON[7]: job"),
            ("2013-11-30T17:02:11+0000 app1 sshd[1]: x", "sshd[1]: x"),
            ("2013-11-30 17:02:11 app12 x", "app12 x"),
            ("131130 17:02:11 [ERROR] x", "[ERROR] x"),
            ("Nov 30 17:02:11 app1", ""),
            // What is not shown beside the line stays in it.
            ("2013-11-30T17:02:11.250Z app1 x", "2013-11-30T17:02:11.250Z app1 x"),
            ("[Sat Nov 30 17:02:11 2013] [error] x", "[Sat Nov 30 17:02:11 2013] [error] x"),
            (
                "10.0.0.1 - - [30/Nov/2013:17:02:11 +0000] \"GET /\"",
                "10.0.0.1 - - [30/Nov/2013:17:02:11 +0000] \"GET /\"",
            ),
            ("Nov 30 17:02:11 \x1bapp1 x", "^[app1 x"),
            ("no time", "no time"),
        ] {
            let read = read(line.as_bytes());
            let shown = read[0].text.as_str().get(read[0].lead..).unwrap();
            assert_eq!(shown, rest, "{line}");
        }
    }

    #[test]
    fn a_long_line_is_cut_and_says_how_much() {
        let lines = read(&[b"x".repeat(5000), b"\nshort\n".to_vec()].concat());
        assert_eq!((lines[0].text.as_str().len(), lines[0].cut, lines[1].cut), (4096, 904, 0));
        // A character at the cut is not whole.
        let lines = read("ä".repeat(3000).as_bytes());
        assert_eq!((lines[0].text.as_str().chars().count(), lines[0].cut), (2048, 1904));
    }

    #[test]
    fn lines_without_a_time_go_with_the_one_before() {
        let lines = read(b"Nov 30 17:00:00 a\n  at b\nNov 30 17:02:00 c\n  at d\nNov 30 17:01:59 e");
        let kept = since(lines, 1_385_830_920_000);
        let texts: Vec<&str> = kept.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["Nov 30 17:02:00 c", "  at d"]);
    }
}
