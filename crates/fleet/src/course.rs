//! The course of a host's figures over a week: the older, the coarser. A time of which nothing is known is a hole, never a zero.

use std::collections::{BTreeMap, VecDeque};

use kept::{CourseTier, HOLE, KeptStep, open_of, together};

use crate::snapshot::HostFacts;
use crate::text::Clean;

mod kept;

/// A figure that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CourseFigure {
    /// One-minute load.
    Load,
    /// Memory in use, percent.
    Memory,
    /// The longest replication lag, seconds.
    Lag,
}

impl CourseFigure {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Load, Self::Memory, Self::Lag];

    /// Its word in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Memory => "memory",
            Self::Lag => "lag",
        }
    }

    /// What a report says of it; `None` where the host has no such figure, an inner `None` where it is not known.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // for a chart
    pub fn of(self, facts: &HostFacts) -> Option<Option<f32>> {
        match self {
            Self::Load => Some(facts.load.current().map(|load| load.one as f32)),
            Self::Memory => {
                Some(facts.memory.current().and_then(|memory| memory.used_percent()).map(|used| used as f32))
            }
            Self::Lag => match WorstLag::of(facts) {
                WorstLag::NoReplica => None,
                WorstLag::Unknown => Some(None),
                WorstLag::Known(seconds) => Some(Some(seconds as f32)),
            },
        }
    }
}

/// The longest lag of a host's connections to its masters; unknown as soon as one of them is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorstLag {
    /// It replicates from nobody.
    NoReplica,
    /// It is not known.
    Unknown,
    /// Seconds behind.
    Known(u64),
}

impl WorstLag {
    /// What a report says of it.
    #[must_use]
    pub fn of(facts: &HostFacts) -> Self {
        let Some(databases) = facts.databases.current() else {
            let had = facts.databases.last().is_some_and(|databases| !databases.is_empty());
            return if had { Self::Unknown } else { Self::NoReplica };
        };
        let mut worst = Self::NoReplica;
        for database in databases {
            let Ok(connections) = database
                .server
                .as_ref()
                .map_err(|_| ())
                .and_then(|server| server.connections.as_ref().map_err(|_| ()))
            else {
                return Self::Unknown;
            };
            for connection in connections {
                worst = match (connection.lag_s(), worst) {
                    (None, _) => return Self::Unknown,
                    (Some(lag), Self::Known(before)) => Self::Known(lag.max(before)),
                    (Some(lag), Self::NoReplica | Self::Unknown) => Self::Known(lag),
                };
            }
        }
        worst
    }
}

/// What a figure was in one step of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CourseStep {
    /// The least.
    pub least: f32,
    /// The mean.
    pub mean: f32,
    /// The most.
    pub most: f32,
}

/// One figure over a week.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    tiers: [CourseTier; 4],
}

impl Default for Course {
    fn default() -> Self {
        Self { tiers: std::array::from_fn(|_| CourseTier::empty()) }
    }
}

/// A time span that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CourseSpan {
    /// An hour.
    #[default]
    Hour,
    /// Six.
    SixHours,
    /// A day.
    Day,
    /// A week.
    Week,
}

impl CourseSpan {
    /// Every one, the shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::SixHours, Self::Day, Self::Week];

    /// In seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        let (step, steps) = self.shape();
        step * u32::try_from(steps).unwrap_or(u32::MAX)
    }

    /// `6 h`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Hour => "1 h",
            Self::SixHours => "6 h",
            Self::Day => "24 h",
            Self::Week => "7 d",
        }
    }

    /// The length of a step in seconds, and how many of them are kept.
    fn shape(self) -> (u32, usize) {
        match self {
            Self::Hour => (30, 120),
            Self::SixHours => (180, 120),
            Self::Day => (720, 120),
            Self::Week => (3_600, 168),
        }
    }
}

/// The shapes of all spans.
fn shapes() -> [(u32, usize); 4] {
    CourseSpan::ALL.map(CourseSpan::shape)
}

impl Course {
    fn tier(&self, span: CourseSpan) -> &CourseTier {
        let [hour, six_hours, day, week] = &self.tiers;
        match span {
            CourseSpan::Hour => hour,
            CourseSpan::SixHours => six_hours,
            CourseSpan::Day => day,
            CourseSpan::Week => week,
        }
    }

    /// Takes a figure in, `second` seconds after 1970. Whether it was: the clock may have been turned back.
    pub fn record(&mut self, second: u32, figure: f32) -> bool {
        if !figure.is_finite() || figure < 0.0 {
            return false;
        }
        let mut taken = false;
        for (tier, (step, most)) in self.tiers.iter_mut().zip(shapes()) {
            taken |= tier.record(second / step, figure, most);
        }
        taken
    }

    /// Whether there is nothing in it that is younger than a week.
    #[must_use]
    pub fn is_forgotten(&self, now: u32) -> bool {
        let (step, most) = CourseSpan::Week.shape();
        let [.., tier] = &self.tiers;
        let kept = u32::try_from(most).unwrap_or(u32::MAX);
        tier.steps.is_empty() || (now / step).saturating_sub(tier.end()) >= kept
    }

    /// The span up to `now` in columns, oldest first, each with the steps that it touches: `None` where nothing is known.
    #[must_use]
    pub fn columns(&self, span: CourseSpan, now: u32, columns: u16) -> Vec<Option<CourseStep>> {
        let (step, _) = span.shape();
        let tier = self.tier(span);
        // Columns end at fixed moments, so that they do not shimmer as time passes.
        let last = u64::from(now / step);
        let steps = u64::from(span.seconds() / step);
        let from = (last + 1).saturating_sub(steps);
        let count = u64::from(columns.max(1));
        let column = |at: u64| {
            let begin = from + at * steps / count;
            let end = (from + ((at + 1) * steps).div_ceil(count)).max(begin + 1);
            let known = (begin..end).filter_map(|slot| tier.step(u32::try_from(slot).ok()?));
            together(known)
        };
        (0..count).map(column).collect()
    }

    /// Every step of the span up to `now`, oldest first: what figures over it are made of.
    #[must_use]
    pub fn steps(&self, span: CourseSpan, now: u32) -> Vec<Option<CourseStep>> {
        let (step, _) = span.shape();
        let tier = self.tier(span);
        let last = now / step;
        let first = (last + 1).saturating_sub(span.seconds() / step);
        (first..=last).map(|slot| tier.step(slot).map(KeptStep::read)).collect()
    }

    /// Takes what another console saw into the holes of this one.
    pub fn merge(&mut self, other: &Self, now: u32) {
        for ((tier, theirs), (step, most)) in self.tiers.iter_mut().zip(&other.tiers).zip(shapes()) {
            let end = tier.end().max(theirs.end()).min((now / step).saturating_add(1));
            let kept = u32::try_from(most).unwrap_or(u32::MAX);
            let begin = match (tier.steps.is_empty(), theirs.steps.is_empty()) {
                (_, true) => continue,
                (true, false) => theirs.first,
                (false, false) => tier.first.min(theirs.first),
            };
            let begin = begin.max(end.saturating_sub(kept));
            let is_newest_ours = tier.end() == end && !tier.steps.is_empty();
            let steps: VecDeque<KeptStep> = (begin..end)
                .map(|slot| tier.step(slot).or_else(|| theirs.step(slot)).unwrap_or(KeptStep::HOLE))
                .collect();
            let open = if is_newest_ours { tier.open } else { open_of(steps.back()) };
            *tier = CourseTier { first: begin, steps, open };
        }
    }

    /// It as lines of a file, one for each length of steps: the length, the number of the first step, and `least,mean,most` in hundredths as
    /// they are kept; one number where all are the same, nothing for a hole.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.tiers.iter().zip(shapes()).filter(|(tier, _)| !tier.steps.is_empty()).map(|(tier, (step, _))| {
            let mut text = format!("{step}\t{}\t", tier.first);
            for (at, kept) in tier.steps.iter().enumerate() {
                if at > 0 {
                    text.push(';');
                }
                match *kept {
                    KeptStep { mean: HOLE, .. } => {}
                    KeptStep { least, mean, most } if least == mean && mean == most => {
                        text.push_str(&mean.to_string());
                    }
                    KeptStep { least, mean, most } => text.push_str(&format!("{least},{mean},{most}")),
                }
            }
            text
        })
    }

    /// Takes a line of a file in; whether it is one.
    pub fn read_line(&mut self, line: &str) -> bool {
        self.try_line(line).is_some()
    }

    fn try_line(&mut self, line: &str) -> Option<()> {
        let mut fields = line.split('\t');
        let (step, first, steps) = (fields.next()?, fields.next()?, fields.next()?);
        let step: u32 = step.parse().ok()?;
        let (tier, (_, most)) = self.tiers.iter_mut().zip(shapes()).find(|(_, (of, _))| *of == step)?;
        let kept = |text: &str| {
            let all: Vec<u16> = text.split(',').map(|part| part.parse().ok()).collect::<Option<_>>()?;
            let step = match *all.as_slice() {
                [one] => KeptStep { least: one, mean: one, most: one },
                [least, mean, most] => KeptStep { least, mean, most },
                _ => return None,
            };
            (step.least <= step.mean && step.mean <= step.most && step.most < HOLE).then_some(step)
        };
        let read = |text: &str| if text.is_empty() { Some(KeptStep::HOLE) } else { kept(text) };
        let steps: VecDeque<KeptStep> = steps.split(';').map(read).collect::<Option<_>>()?;
        let first: u32 = first.parse().ok()?;
        let is_whole = fields.next().is_none()
            && steps.len() <= most
            && tier.steps.is_empty()
            && first.checked_add(u32::try_from(steps.len()).ok()?).is_some();
        if !is_whole {
            return None;
        }
        *tier = CourseTier { first, open: open_of(steps.back()), steps };
        Some(())
    }
}

/// What a figure was over a span: least, the median of its steps, most; and how much of the span is not known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CourseSummary {
    /// The least.
    pub least: f32,
    /// The median of the steps' means.
    pub median: f32,
    /// The most.
    pub most: f32,
    /// Seconds of the span, since the first step that is known, of which nothing is.
    pub unknown: u32,
}

impl CourseSummary {
    /// That of a span; `None` where nothing of it is known.
    #[must_use]
    pub fn of(course: &Course, span: CourseSpan, now: u32) -> Option<Self> {
        let (step, _) = span.shape();
        let steps = course.steps(span, now);
        let mut means: Vec<f32> = steps.iter().flatten().map(|step| step.mean).collect();
        means.sort_by(f32::total_cmp);
        let known = || steps.iter().flatten();
        // The step under way may still be answered.
        let unknown = steps.iter().skip_while(|step| step.is_none());
        let unknown = unknown.take(steps.len()).filter(|step| step.is_none()).count();
        let under_way = usize::from(steps.last().is_some_and(Option::is_none) && means.len() > 1);
        Some(Self {
            least: known().map(|step| step.least).reduce(f32::min)?,
            median: means.get(means.len() / 2).copied()?,
            most: known().map(|step| step.most).reduce(f32::max)?,
            unknown: u32::try_from(unknown.saturating_sub(under_way))
                .unwrap_or(u32::MAX)
                .saturating_mul(step),
        })
    }
}

/// Everything that is kept of a host.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HostCourses {
    /// Seconds since 1970 when it was read.
    pub now: u32,
    /// Its figures; one that the host never had is not there.
    pub figures: BTreeMap<CourseFigure, Course>,
    /// What its filesystems had in use.
    pub disks: Vec<DiskCourse>,
}

/// What a filesystem had in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskCourse {
    /// Where it is mounted.
    pub mount: Clean,
    /// Its size, kB.
    pub size_kb: u64,
    /// Seconds since 1970, and the share in use in hundredths of a percent; oldest first.
    pub points: Vec<(u32, u16)>,
}

impl DiskCourse {
    /// The span up to `now` in columns, in percent: the last point of each, or the one before it while that is no older than the time
    /// between two points.
    #[must_use]
    pub fn columns(&self, span: CourseSpan, now: u32, columns: u16) -> Vec<Option<f32>> {
        /// Seconds: a point of the last day, and an older one, holds so long. Twice the time between two.
        const HOLDS: (u32, u32) = (40 * 60, 4 * 3600);
        const DAY: u32 = 86_400;
        let (seconds, count) = (u64::from(span.seconds()), u64::from(columns.max(1)));
        let from = u64::from(now).saturating_sub(seconds);
        let column = |at: u64| {
            let end = u32::try_from(from + (at + 1) * seconds / count).unwrap_or(u32::MAX);
            let before = self.points.partition_point(|(second, _)| *second <= end).checked_sub(1)?;
            let (second, share) = self.points.get(before).copied()?;
            let holds = if now.saturating_sub(second) <= DAY { HOLDS.0 } else { HOLDS.1 };
            (end - second <= holds).then(|| f32::from(share) / 100.0)
        };
        (0..count).map(column).collect()
    }
}

#[cfg(test)]
mod tests;
