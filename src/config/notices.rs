//! `[notices]` of `config.toml`: what the terminal says of problems that begin.

use super::reader::{Reader, Table};
use jumpdeck_fleet::problem::Severity;

/// What is said, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeSettings {
    /// From which severity on; `None`: nothing is said.
    pub level: Option<Severity>,
    /// By the terminal's bell.
    pub bell: bool,
    /// By a notice of the desktop, in one of the sequences for it.
    pub desktop: DesktopNotice,
    /// When nothing is said.
    pub quiet: Option<QuietHours>,
}

impl Default for NoticeSettings {
    /// Who is on call must not have to look at the screen to learn that something became critical. Every terminal has a bell; desktop
    /// notices are for those that are known to take them.
    fn default() -> Self {
        Self { level: Some(Severity::Critical), bell: true, desktop: DesktopNotice::Off, quiet: None }
    }
}

/// How a terminal is asked for a notice of the desktop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DesktopNotice {
    /// Not at all.
    Off,
    /// OSC 9: iTerm2, WezTerm, Ghostty, kitty, foot.
    Osc9,
    /// OSC 777: urxvt, foot, VTE, Ghostty.
    Osc777,
}

/// Hours of the day, in the local time of the machine that jumpdeck runs on; they may go past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// Minutes after midnight.
    from: u16,
    /// The same; not part of it.
    to: u16,
}

impl QuietHours {
    /// Reads `22:00-07:00`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let hours = Self { from: minute(from.trim())?, to: minute(to.trim())? };
        (hours.from != hours.to).then_some(hours)
    }

    /// Whether a minute after midnight is in it.
    #[must_use]
    pub fn contains(self, minute: u16) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str, most: u16| text.parse::<u16>().ok().filter(|n| *n < most && text.len() == 2);
    Some(number(hour, 24)? * 60 + number(minute, 60)?)
}

/// The table, when there is one.
pub(super) fn read(reader: &mut Reader, root: &Table<'_>) -> Option<NoticeSettings> {
    let table = reader.subtable(root, "notices", "write [notices], and below it level = \"critical\"")?;
    reader.only(&table, &["level", "bell", "desktop", "quiet"]);
    let usual = NoticeSettings::default();
    let levels = [
        ("off", None),
        ("critical", Some(Severity::Critical)),
        ("unknown", Some(Severity::Unknown)),
        ("warning", Some(Severity::Warning)),
    ];
    let ways =
        [("off", DesktopNotice::Off), ("osc9", DesktopNotice::Osc9), ("osc777", DesktopNotice::Osc777)];
    let hint = "write quiet = \"22:00-07:00\"";
    let mut quiet = None;
    if let Some(text) = reader.string(&table, "quiet", hint) {
        quiet = QuietHours::read(text.value);
        if quiet.is_none() {
            reader.error(text.span, format!("{:?} is not a time of day to another", text.value), hint);
        }
    }
    Some(NoticeSettings {
        level: reader.word(&table, "level", &levels).unwrap_or(usual.level),
        bell: reader.boolean(&table, "bell").unwrap_or(usual.bell),
        desktop: reader.word(&table, "desktop", &ways).unwrap_or(usual.desktop),
        quiet,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn quiet_hours_go_past_midnight() {
        let night = QuietHours::read("22:00-07:00").unwrap();
        let at = |hour: u16, minute: u16| night.contains(hour * 60 + minute);
        assert!(at(22, 0) && at(23, 59) && at(0, 0) && at(6, 59));
        assert!(!at(7, 0) && !at(12, 0) && !at(21, 59));
        let noon = QuietHours::read("12:00 - 13:30").unwrap();
        assert!(noon.contains(12 * 60) && noon.contains(13 * 60 + 29) && !noon.contains(13 * 60 + 30));
        for wrong in ["", "22:00", "22-7", "24:00-07:00", "22:60-07:00", "7:00-8:00", "07:00-07:00"] {
            assert_eq!(QuietHours::read(wrong), None, "{wrong}");
        }
    }
}
