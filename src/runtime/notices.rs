//! The terminal says that a problem began: by its bell, and by a notice of the desktop (OSC 9, OSC 777).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::clipboard::Clipboard;
use crate::config::notices::{DesktopNotice, NoticeSettings};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::timeline::{ProblemKey, RecordedProblem};

/// Time between two of them: what begins meanwhile is said together.
const APART: Duration = Duration::from_secs(10);
/// How long the same problem is not said again, unless it became worse: one that comes and goes rings once.
const SAME: Duration = Duration::from_secs(600);
/// Characters of a notice.
const LONGEST: usize = 200;

/// What is said, and what waits to be said.
#[derive(Debug)]
pub struct Notifier {
    /// `None`: nothing is ever said.
    settings: Option<NoticeSettings>,
    terminal: Clipboard,
    said: Option<Instant>,
    waiting: Vec<String>,
    /// The problems that were said of late, when, and how bad they were.
    lately: HashMap<(EnvName, ProblemKey), (Instant, Severity)>,
}

impl Notifier {
    /// Says what the settings want; nothing without them.
    #[must_use]
    pub fn new(settings: Option<NoticeSettings>, terminal: Clipboard) -> Self {
        Self { settings, terminal, said: None, waiting: Vec::new(), lately: HashMap::new() }
    }

    /// When something that waits may be said.
    #[must_use]
    pub(super) fn due(&self) -> Option<Instant> {
        (!self.waiting.is_empty()).then(|| self.said.map_or_else(Instant::now, |said| said + APART))
    }

    /// What to send to the terminal for problems that began, at a minute after local midnight.
    pub(super) fn sequence(
        &mut self,
        begun: &[(EnvName, RecordedProblem)],
        minute: u16,
        now: Instant,
    ) -> Option<Vec<u8>> {
        let settings = self.settings?;
        let level = settings.level?;
        if settings.quiet.is_some_and(|quiet| quiet.contains(minute)) {
            // Who wakes up looks at the screen; it is not said then.
            self.waiting.clear();
            return None;
        }
        self.lately.retain(|_, (said, _)| now.duration_since(*said) < SAME);
        for (env, problem) in begun.iter().filter(|(_, problem)| problem.severity >= level) {
            let key = (env.clone(), problem.key());
            if self.lately.get(&key).is_none_or(|(_, before)| problem.severity > *before) {
                self.lately.insert(key, (now, problem.severity));
                self.waiting.push(text(env, problem));
            }
        }
        if self.waiting.is_empty() || self.said.is_some_and(|said| now.duration_since(said) < APART) {
            return None;
        }
        self.said = Some(now);
        let more = self.waiting.len() - 1;
        let mut text = self.waiting.first().cloned().unwrap_or_default();
        self.waiting.clear();
        if more > 0 {
            text = format!("{text} (+{more} more)");
        }
        let mut bytes = match settings.desktop {
            DesktopNotice::Off => Vec::new(),
            DesktopNotice::Osc9 => self.terminal.wrapped(format!("\x1b]9;{text}\x07").as_bytes()),
            DesktopNotice::Osc777 => {
                self.terminal.wrapped(format!("\x1b]777;notify;jumpdeck;{text}\x07").as_bytes())
            }
        };
        if settings.bell {
            bytes.push(0x07);
        }
        (!bytes.is_empty()).then_some(bytes)
    }
}

/// A line of plain ASCII without semicolons: nothing of it ends the sequence or is another field of it, also where bytes over 127 are
/// control characters.
fn text(env: &EnvName, problem: &RecordedProblem) -> String {
    let host = problem.host.as_ref().map_or_else(String::new, |host| format!(" {host}"));
    let text = format!("{env}{host}: {} {}", problem.severity.word(), problem.message);
    let plain = |c: char| match c {
        ';' => ',',
        ' '..='~' => c,
        _ => '?',
    };
    text.chars().map(plain).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::notices::QuietHours;
    use jumpdeck_fleet::names::HostName;
    use jumpdeck_fleet::problem::ProblemKind;

    const NOON: u16 = 720;

    fn begun(host: &str, severity: Severity, message: &str) -> (EnvName, RecordedProblem) {
        let problem = RecordedProblem {
            severity,
            kind: ProblemKind::Disk,
            host: Some(HostName::new(host).unwrap()),
            about: None,
            count: 1,
            message: message.into(),
        };
        (EnvName::new("production").unwrap(), problem)
    }

    fn notifier(settings: Option<NoticeSettings>, tmux: bool) -> Notifier {
        let terminal = Clipboard::of(|name| (tmux && name == "TMUX").then(|| "/tmp/tmux".to_owned()));
        Notifier::new(settings, terminal)
    }

    #[test]
    fn critical_problems_ring_the_bell_and_others_do_not() {
        let mut usual = notifier(Some(NoticeSettings::default()), false);
        let now = Instant::now();
        assert_eq!(usual.sequence(&[begun("db1", Severity::Warning, "/ 90%")], NOON, now), None);
        assert_eq!(usual.sequence(&[begun("db1", Severity::Critical, "/ 99%")], NOON, now), Some(vec![7]));
        let mut none = notifier(None, false);
        assert_eq!(none.sequence(&[begun("db1", Severity::Critical, "/ 99%")], NOON, now), None);
    }

    #[test]
    fn many_at_once_are_one_notice_and_quiet_hours_are_quiet() {
        let quiet = QuietHours::read("22:00-07:00");
        let settings = NoticeSettings { desktop: DesktopNotice::Osc9, quiet, ..NoticeSettings::default() };
        let mut notifier = notifier(Some(settings), false);
        let now = Instant::now();
        let one = |host| begun(host, Severity::Critical, "/ 99%");
        assert_eq!(notifier.sequence(&[one("db1")], 60, now), None, "at night");
        let said = notifier.sequence(&[one("db1"), one("db2")], NOON, now).unwrap();
        assert_eq!(said, b"\x1b]9;production db1: critical / 99% (+1 more)\x07\x07");
        assert_eq!(notifier.sequence(&[one("db3")], NOON, now + APART / 2), None, "too soon");
        assert!(notifier.due().is_some());
        assert!(notifier.sequence(&[], NOON, now + APART).is_some(), "it is said later");
        assert_eq!(notifier.sequence(&[], NOON, now + APART * 3), None, "and once");
    }

    #[test]
    fn a_problem_that_comes_and_goes_rings_once_in_ten_minutes_unless_it_is_worse() {
        let settings = NoticeSettings { level: Some(Severity::Warning), ..NoticeSettings::default() };
        let mut notifier = notifier(Some(settings), false);
        let start = Instant::now();
        let mut rings = |severity, after| {
            notifier.sequence(&[begun("db1", severity, "down")], NOON, start + after).is_some()
        };
        assert!(rings(Severity::Warning, Duration::ZERO));
        assert!(!rings(Severity::Warning, APART * 2));
        assert!(rings(Severity::Critical, APART * 3), "worse");
        assert!(!rings(Severity::Critical, APART * 5));
        assert!(rings(Severity::Critical, APART * 3 + SAME));
    }

    #[test]
    fn text_of_hosts_ends_no_sequence() {
        let settings =
            NoticeSettings { desktop: DesktopNotice::Osc777, bell: false, ..NoticeSettings::default() };
        let hostile = "x\x07\x1b]52;c;aGk=\x07\u{9c}é;y";
        let said = notifier(Some(settings), false)
            .sequence(&[begun("db1", Severity::Critical, hostile)], NOON, Instant::now())
            .unwrap();
        let (last, inner) = said.split_last().unwrap();
        let inner = inner.strip_prefix(b"\x1b]777;notify;jumpdeck;").unwrap();
        assert_eq!(*last, 7);
        assert!(inner.iter().all(|byte| (b' '..=b'~').contains(byte) && *byte != b';'), "{inner:?}");
        let wrapped = notifier(Some(settings), true)
            .sequence(&[begun("db1", Severity::Critical, "/ 99%")], NOON, Instant::now())
            .unwrap();
        assert!(
            wrapped.starts_with(b"\x1bPtmux;\x1b\x1b]777;") && wrapped.ends_with(b"\x07\x1b\\"),
            "{wrapped:?}"
        );
    }
}
