//! Charts of a host over what is kept of it.

use std::time::Duration;

use super::{Model, Screen};
use jumpdeck_fleet::course::{CourseSpan, HostCourses};
use jumpdeck_fleet::names::{HostId, HostName};
use jumpdeck_fleet::time::Moment;

/// What is kept is read again this often while it is on screen.
const READ_EVERY: Duration = Duration::from_secs(5);

/// The charts.
#[derive(Debug, Default)]
pub struct HostCharts {
    /// The time span.
    pub span: CourseSpan,
    /// What is kept of a host, when it was read last.
    courses: Option<(HostId, Moment, HostCourses)>,
}

impl Model {
    /// The host whose charts are on screen.
    #[must_use]
    pub fn charted(&self) -> Option<HostId> {
        Some(HostId { env: self.shown_name()?, host: self.screen().charted()?.clone() })
    }

    /// What is kept of that host, once it was read.
    #[must_use]
    pub fn courses(&self) -> Option<&HostCourses> {
        let host = self.charted()?;
        self.charts.courses.as_ref().filter(|(of, ..)| *of == host).map(|(_, _, courses)| courses)
    }

    /// The host of which what is kept is to be read now. A paused screen does not change.
    #[must_use]
    pub fn courses_due(&self) -> Option<HostId> {
        let host = self.charted()?;
        let read = self.charts.courses.as_ref().filter(|(of, ..)| *of == host);
        let is_due = match read {
            Some((_, at, _)) => self.paused.is_none() && self.now.since(*at) >= READ_EVERY,
            None => true,
        };
        is_due.then_some(host)
    }

    pub(in crate::app) fn take_courses(&mut self, host: HostId, courses: HostCourses) {
        self.charts.courses = Some((host, self.now, courses));
        self.changed = true;
    }

    /// Shows more time, or less.
    pub(in crate::app) fn change_span(&mut self, longer: bool) {
        let all = CourseSpan::ALL;
        let at = all.iter().position(|span| *span == self.charts.span).unwrap_or(0);
        let to = if longer { at + 1 } else { at.wrapping_sub(1) };
        match all.get(to) {
            Some(span) => self.charts.span = *span,
            None if longer => self.say("a week is the longest that is kept".to_owned()),
            None => self.say("an hour is the shortest".to_owned()),
        }
    }
}

impl Screen {
    /// The host whose charts it shows, if it does.
    #[must_use]
    pub fn charted(&self) -> Option<&HostName> {
        if let Self::Charts(host) = self { Some(host) } else { None }
    }
}
