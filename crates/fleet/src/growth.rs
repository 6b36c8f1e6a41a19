//! How fast a filesystem fills: what was in use over two weeks, bounded, and what that supports. Nothing is said where it does not.

use std::time::Duration;

use crate::fleet::Thresholds;
use crate::storage::{Filesystem, Usage, human_kb};
use crate::text::Clean;

mod estimate;
#[cfg(test)]
mod tests;

/// Minutes between two points of the last day.
const EVERY: u32 = 20;
/// Minutes in which points are that close.
const DAY: u32 = 24 * 60;
/// Minutes between two older points.
const EVERY_OLDER: u32 = 120;
/// Minutes after which a point is forgotten.
const KEPT: u32 = 14 * DAY;
/// A series cannot have more points: one of a file that has is none that this program wrote.
pub const MOST_POINTS: usize = (DAY / EVERY + KEPT / EVERY_OLDER) as usize + 2;
/// An estimate reaches at most this many times as far as it has been observed.
const FARTHEST: u32 = 10;
/// Before a day has been seen, a log that is rotated each night looks like a disk that fills: that makes no problem.
const LEAST_FOR_A_PROBLEM: Duration = Duration::from_secs(86_400);
/// A filesystem with more room than this, in percent, makes no problem.
const HALF_FULL: u8 = 50;

/// What was in use at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedAt {
    /// Minutes since 1970.
    pub minute: u32,
    /// In use, in units of the series.
    pub used: u32,
}

/// What one filesystem had in use, oldest first: a point in each twenty minutes of the last day, in each two hours before that, for two weeks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedSeries {
    size_kb: u64,
    points: Vec<UsedAt>,
    growth: Option<Growth>,
}

/// How fast a filesystem fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// In kB (1,024 bytes).
    pub kb_per_day: u64,
    /// How long it has grown like that.
    pub span: Duration,
}

/// The growth of one of a host's filesystems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesystemGrowth {
    /// Its device.
    pub device: Clean,
    /// Where it is mounted.
    pub mount: Clean,
    /// How fast it fills.
    pub growth: Growth,
}

impl UsedSeries {
    /// A series of a filesystem of that size, without points.
    #[must_use]
    pub fn new(size_kb: u64) -> Self {
        Self { size_kb, points: Vec::new(), growth: None }
    }

    /// A series that was kept elsewhere. `None` when it cannot be one: too many points, not in order, more in use than there is.
    #[must_use]
    pub fn restored(size_kb: u64, points: Vec<UsedAt>) -> Option<Self> {
        let most = Self::new(size_kb).unit(size_kb)?;
        let ordered = points.windows(2).all(|two| matches!(two, [a, b] if a.minute < b.minute));
        if points.len() > MOST_POINTS || !ordered || points.iter().any(|point| point.used > most) {
            return None;
        }
        let mut series = Self { size_kb, points, growth: None };
        series.growth = estimate::growth(&series);
        Some(series)
    }

    /// The size of the filesystem that it is of.
    #[must_use]
    pub fn size_kb(&self) -> u64 {
        self.size_kb
    }

    /// The same in the units of its points.
    #[must_use]
    pub fn size_in_points(&self) -> u32 {
        self.unit(self.size_kb).unwrap_or(u32::MAX)
    }

    /// Its points, oldest first.
    #[must_use]
    pub fn points(&self) -> &[UsedAt] {
        &self.points
    }

    /// How fast the filesystem fills, where the points support it.
    #[must_use]
    pub fn growth(&self) -> Option<Growth> {
        self.growth
    }

    /// kB as the points have them: a size of more than 2 TiB is counted in larger units, so that a point stays small.
    fn unit(&self, kb: u64) -> Option<u32> {
        u32::try_from(kb >> self.shift()).ok()
    }

    fn shift(&self) -> u32 {
        (u64::BITS - self.size_kb.leading_zeros()).saturating_sub(31)
    }

    /// Takes what is in use now; says whether a point was added. Another size is another filesystem, or one that was enlarged: what was
    /// seen before says nothing of it.
    pub fn record(&mut self, minute: u32, usage: &Usage) -> bool {
        if usage.size_kb != self.size_kb {
            *self = Self::new(usage.size_kb);
        }
        // A quota may allow more than there is: such figures make no series.
        let Some(used) = self.unit(usage.used_kb).filter(|_| usage.used_kb <= usage.size_kb) else {
            return false;
        };
        // The clock was set back: what it said then is not known.
        let ahead = self.points.iter().any(|point| point.minute > minute);
        self.points.retain(|point| point.minute <= minute);
        if let Some(last) = self.points.last() {
            // Somebody cleaned up: that must end an estimate at once.
            let dropped = self.growth.is_some() && used < last.used && minute > last.minute;
            if minute / EVERY == last.minute / EVERY && !dropped {
                if ahead {
                    self.growth = estimate::growth(self);
                }
                return ahead;
            }
        }
        self.points.push(UsedAt { minute, used });
        self.thin(minute);
        self.growth = estimate::growth(self);
        true
    }

    /// Takes the points of the same filesystem that another console saw.
    pub fn merge(&mut self, other: &Self, now: u32) {
        let known = |point: &UsedAt| {
            point.minute > now || self.points.binary_search_by_key(&point.minute, |own| own.minute).is_ok()
        };
        if other.size_kb != self.size_kb || other.points.iter().all(known) {
            return;
        }
        self.points.extend(other.points.iter().filter(|point| point.minute <= now));
        self.points.sort_by_key(|point| point.minute);
        self.points.dedup_by_key(|point| point.minute);
        self.thin(now);
        self.growth = estimate::growth(self);
    }

    /// Whether a point is young enough to be kept.
    #[must_use]
    pub fn is_remembered(&self, now: u32) -> bool {
        self.points.last().is_some_and(|point| now.saturating_sub(point.minute) <= KEPT)
    }

    /// Forgets what is too old, and keeps the last point of each twenty minutes, of each two hours where they are over a day ago.
    fn thin(&mut self, now: u32) {
        let slot = |point: &UsedAt| {
            let is_old = now.saturating_sub(point.minute) > DAY;
            (is_old, point.minute / if is_old { EVERY_OLDER } else { EVERY })
        };
        self.points.retain(|point| now.saturating_sub(point.minute) <= KEPT);
        // Of points in a row that are of one slot, the first is kept: so from the newest on.
        self.points.reverse();
        self.points.dedup_by_key(|point| slot(point));
        self.points.reverse();
    }
}

impl Growth {
    /// When the filesystem is full if it goes on like that; `None` when it is full already, or farther off than what was seen supports.
    #[must_use]
    pub fn full_in(&self, usage: &Usage) -> Option<Duration> {
        let available = u64::try_from(usage.available_kb).ok().filter(|kb| *kb > 0)?;
        #[allow(clippy::cast_precision_loss)] // a time in days needs no more
        let days = available as f64 / self.kb_per_day.max(1) as f64;
        Duration::try_from_secs_f64(days * 86_400.0).ok().filter(|time| *time <= self.span * FARTHEST)
    }

    /// Whether it is a problem by these thresholds.
    #[must_use]
    pub fn is_a_problem(&self, usage: &Usage, limits: &Thresholds) -> bool {
        let soon =
            self.full_in(usage).is_some_and(|time| time.as_secs_f64() < limits.disk_full_days * 86_400.0);
        soon && self.span >= LEAST_FOR_A_PROBLEM
            && usage.use_percent.is_some_and(|percent| percent > HALF_FULL)
    }

    /// `+1.2 GiB/day, full in about 9 days`; `None` when nobody can say when it is full.
    #[must_use]
    pub fn describe(&self, usage: &Usage) -> Option<String> {
        let hours = self.full_in(usage)?.as_secs() / 3600;
        let time = match hours {
            0 => "less than an hour".to_owned(),
            1..=47 => format!("about {hours} h"),
            _ => format!("about {} days", (hours + 12) / 24),
        };
        let size = human_kb(self.kb_per_day);
        let (number, unit) = size.split_at(size.len() - 1);
        Some(format!("+{number} {unit}iB/day, full in {time}"))
    }
}

/// Whether what is in use there is worth keeping: it has a size, and neither is it memory nor does another filesystem hold it.
#[must_use]
pub fn is_kept(filesystem: &Filesystem) -> bool {
    const NOT: [&str; 7] = ["tmpfs", "devtmpfs", "ramfs", "squashfs", "iso9660", "overlay", "efivarfs"];
    let sized = filesystem.usage.as_ref().is_ok_and(|usage| usage.size_kb > 0 && usage.use_percent.is_some());
    sized && filesystem.fstype.as_ref().is_none_or(|fstype| !NOT.contains(&fstype.as_str()))
}
