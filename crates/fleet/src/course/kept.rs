//! Steps of a course as they are kept: three figures in six bytes.

use std::collections::VecDeque;

use super::CourseStep;

/// A step as it is kept: six bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeptStep {
    pub(super) least: u16,
    pub(super) mean: u16,
    pub(super) most: u16,
}

/// Nothing is known of a step: no figure is that large.
pub(super) const HOLE: u16 = u16::MAX;
/// Bits of a kept figure that are its digits; the others say how often it is doubled.
const DIGITS: u16 = 12;

/// A figure in hundredths, to a part in two thousand: to a hundredth below 40.
pub(super) fn code(value: f32) -> u16 {
    // The largest float below 2³²: what is larger is kept as that.
    const MOST: f32 = 4_294_967_040.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped
    let mut rest = (value * 100.0).round().clamp(0.0, MOST) as u32;
    let mut doubled: u16 = 0;
    while rest >= 1 << DIGITS {
        rest = rest.div_ceil(2);
        doubled += 1;
    }
    let digits = u16::try_from(rest).unwrap_or(0);
    if doubled > 14 { HOLE - 1 } else { (doubled << DIGITS) | digits }
}

#[allow(clippy::cast_precision_loss)] // twelve bits, doubled
pub(super) fn value(code: u16) -> f32 {
    let digits = u64::from(code & ((1 << DIGITS) - 1));
    (digits << (code >> DIGITS)) as f32 / 100.0
}

/// Steps of one length, the oldest first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CourseTier {
    /// The number of the first step: seconds since 1970 by the length of a step.
    pub(super) first: u32,
    pub(super) steps: VecDeque<KeptStep>,
    /// Sum and count of the newest step.
    pub(super) open: (f64, u32),
}

impl CourseTier {
    pub(super) fn empty() -> Self {
        Self { first: 0, steps: VecDeque::new(), open: (0.0, 0) }
    }

    /// The number of the step behind the newest.
    pub(super) fn end(&self) -> u32 {
        self.first.saturating_add(u32::try_from(self.steps.len()).unwrap_or(u32::MAX))
    }

    /// Whether something was added: a step that is no longer the newest takes nothing more in.
    pub(super) fn record(&mut self, slot: u32, figure: f32, most: usize) -> bool {
        if self.steps.is_empty() {
            self.first = slot;
        } else if slot + 1 < self.end() {
            return false;
        }
        if slot >= self.end() {
            // What is older than all that is kept goes at once: a console that slept for a month has no month of holes.
            let kept = u32::try_from(most).unwrap_or(u32::MAX);
            if slot - self.end() >= kept {
                self.steps.clear();
                self.first = slot;
            }
            while self.end() < slot {
                self.steps.push_back(KeptStep::HOLE);
            }
            let coded = code(figure);
            self.steps.push_back(KeptStep { least: coded, mean: coded, most: coded });
            self.open = (f64::from(figure), 1);
        } else if let Some(last) = self.steps.back_mut() {
            let (sum, count) = self.open;
            self.open = (sum + f64::from(figure), count + 1);
            #[allow(clippy::cast_possible_truncation)] // for a chart
            let mean = (self.open.0 / f64::from(self.open.1)) as f32;
            let coded = code(figure);
            last.least = last.least.min(coded);
            last.most = if last.most == HOLE { coded } else { last.most.max(coded) };
            last.mean = code(mean);
        }
        while self.steps.len() > most {
            self.steps.pop_front();
            self.first += 1;
        }
        true
    }

    pub(super) fn step(&self, slot: u32) -> Option<KeptStep> {
        let at = usize::try_from(slot.checked_sub(self.first)?).ok()?;
        self.steps.get(at).copied().filter(|step| step.mean != HOLE)
    }
}

/// A newest step whose figures are not known one by one counts as one figure.
pub(super) fn open_of(last: Option<&KeptStep>) -> (f64, u32) {
    match last {
        Some(step) if step.mean != HOLE => (f64::from(value(step.mean)), 1),
        Some(_) | None => (0.0, 0),
    }
}

impl KeptStep {
    /// Nothing is known.
    pub(super) const HOLE: Self = Self { least: HOLE, mean: HOLE, most: HOLE };

    pub(super) fn read(self) -> CourseStep {
        CourseStep { least: value(self.least), mean: value(self.mean), most: value(self.most) }
    }
}

pub(super) fn together(steps: impl Iterator<Item = KeptStep>) -> Option<CourseStep> {
    let all: Vec<CourseStep> = steps.map(KeptStep::read).collect();
    #[allow(clippy::cast_precision_loss)] // a handful
    let mean = all.iter().map(|step| step.mean).sum::<f32>() / all.len() as f32;
    let least = all.iter().map(|step| step.least).reduce(f32::min)?;
    let most = all.iter().map(|step| step.most).reduce(f32::max)?;
    Some(CourseStep { least, mean, most })
}
