//! A host's figures over time, a chart below the other, each with its scale, its unit, and what it was in words. A time of which
//! nothing is known is a hole.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::config::action::Action;
use crate::view::scene::Scene;
use crate::view::screens::Drawing;
use crate::view::state::ViewState;
use crate::view::text::{self, centred, left, right, row, span, two_units};
use crate::view::widgets::footer::{FooterStatus, key};
use crate::view::widgets::sparkline;
use jumpdeck_fleet::course::{Course, CourseFigure, CourseSpan, CourseSummary, DiskCourse, HostCourses};
use jumpdeck_fleet::snapshot::HostSnapshot;
use jumpdeck_fleet::storage::human_kb;
use jumpdeck_fleet::time::Freshness;
use jumpdeck_fleet::timeline::{WallTime, clock};

/// How it looks.
pub(super) const DRAWING: Drawing = Drawing { columns: || EXPLAINED.to_vec(), ..Drawing::of(draw) };

/// What is in its charts.
const EXPLAINED: &[(&str, &str)] = &[
    ("a bar", "the most of its time; the lowest bar is zero, or nearly"),
    ("no bar", "nothing is known: no report, or no console that looked"),
];

/// Columns of the scale, with its line.
const SCALE: u16 = 9;
/// Rows of a chart, at least and at most.
const ROWS: (u16, u16) = (2, 8);
/// Filesystems that have a chart.
const MOST_DISKS: usize = 12;

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let Some((_, host)) = scene.model.screen().charted().and_then(|name| scene.env.host(name)) else {
        return FooterStatus::default();
    };
    head(buf, row(area, 0), scene, host);
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(2), ..area };
    let Some(courses) = scene.model.courses() else {
        centred(buf, body, &[span("reading what is kept", scene.styles.muted).into()]);
        return FooterStatus::default();
    };
    axis(buf, row(area, area.height.saturating_sub(1)), scene, courses.now);
    let charts = charts(scene, host, courses);
    if charts.is_empty() {
        centred(buf, body, &[span("nothing is kept of this host yet", scene.styles.muted).into()]);
        return FooterStatus::default();
    }
    let count = u16::try_from(charts.len()).unwrap_or(u16::MAX);
    let rows = (body.height / count).saturating_sub(1).clamp(ROWS.0, ROWS.1);
    let mut lines: Vec<Line<'a>> = Vec::new();
    for chart in &charts {
        chart.draw(&mut lines, scene, courses.now, rows, body.width);
    }
    let top = state.scroll_text(scene.env.selection.detail_scroll, lines.len(), body.height);
    for (y, line) in (0..body.height).zip(lines.iter().skip(top)) {
        left(buf, row(body, y), line);
    }
    let below = lines.len().saturating_sub(top + usize::from(body.height));
    let says =
        if below > 0 { format!("{} more below ↓", text::count(below, "line")) } else { String::new() };
    FooterStatus { says: span(says, scene.styles.muted).into(), place: None }
}

/// Host and time span at the left, the age of the newest report at the right.
fn head(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, host: &HostSnapshot) {
    let styles = scene.styles;
    let (age, style) = scene.age(host);
    let told = match host.reported_at {
        Some(_) => Line::from(vec![
            span("last report ", styles.muted),
            span(age, style),
            span(" ago ", styles.muted),
        ]),
        None => span("no report yet ", styles.muted).into(),
    };
    let room = right(buf, area, &told);
    let mut spans = vec![span(format!(" {}  ", host.id.host), styles.strong)];
    for one in CourseSpan::ALL {
        let style = if one == scene.model.charts.span { styles.tab } else { styles.muted };
        spans.push(span(format!(" {} ", one.word()), style));
    }
    let keys = format!("  {} {}", key(scene, Action::ShorterSpan), key(scene, Action::LongerSpan));
    spans.push(span(keys, styles.muted));
    left(buf, Rect { width: room, ..area }, &Line::from(spans));
}

/// When the charts begin, their middle, and now.
fn axis(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, now: u32) {
    let styles = scene.styles;
    let width = area.width.saturating_sub(SCALE);
    let area = Rect { x: area.x + SCALE, width, ..area };
    let span_s = scene.model.charts.span.seconds();
    let at = |ago: u32| {
        let wall = |second: u32| WallTime(i64::from(second));
        clock(wall(now.saturating_sub(ago)), wall(now))
    };
    let (all, half) = match scene.model.charts.span {
        CourseSpan::Hour => ("1 h", "30 min"),
        CourseSpan::SixHours => ("6 h", "3 h"),
        CourseSpan::Day => ("24 h", "12 h"),
        CourseSpan::Week => ("7 d", "84 h"),
    };
    left(buf, area, &span(format!("{all} ago ({} UTC)", at(span_s)), styles.muted).into());
    right(buf, area, &span("now", styles.muted).into());
    if width > 60 {
        let middle = format!("{half} ago ({})", at(span_s / 2));
        let middle_at = Rect { x: area.x + width / 2, width: width / 2, ..area };
        left(buf, middle_at, &span(middle, styles.muted).into());
    }
}

/// One chart.
struct FigureChart<'a> {
    title: String,
    unit: &'static str,
    /// What it is now; `None`: not known.
    now: Option<f32>,
    /// The least top of its scale.
    top: f32,
    values: ChartValues<'a>,
    /// What else is to be said.
    more: Option<String>,
}

enum ChartValues<'a> {
    Figure(&'a Course),
    Disk(&'a DiskCourse),
}

/// Those of a host: its figures, then its filesystems, the fullest first.
fn charts<'a>(scene: &Scene<'a>, host: &'a HostSnapshot, courses: &'a HostCourses) -> Vec<FigureChart<'a>> {
    let is_fresh = scene.freshness(host) == Some(Freshness::Fresh) && host.link.is_up();
    let mut charts = Vec::new();
    for (figure, course) in &courses.figures {
        #[allow(clippy::cast_precision_loss)] // no machine has 2²⁴ CPUs
        let cpus = host.facts.load.last().and_then(|load| load.cpus).map(|cpus| cpus as f32);
        let (title, unit, top) = match figure {
            CourseFigure::Load => ("load, 1 min average", "", cpus.unwrap_or(1.0)),
            CourseFigure::Memory => ("memory in use", " %", 100.0),
            CourseFigure::Lag => ("replication lag", " s", 10.0),
        };
        let more = (*figure == CourseFigure::Load).then(|| cpus.map(|cpus| format!("{cpus:.0} CPUs")));
        charts.push(FigureChart {
            title: title.to_owned(),
            unit,
            now: figure.of(&host.facts).flatten().filter(|_| is_fresh),
            top,
            values: ChartValues::Figure(course),
            more: more.flatten(),
        });
    }
    let mut disks: Vec<&DiskCourse> = courses.disks.iter().filter(|disk| !disk.points.is_empty()).collect();
    disks.sort_by_key(|disk| std::cmp::Reverse(disk.points.last().map(|(_, share)| *share)));
    for disk in disks.into_iter().take(MOST_DISKS) {
        let filesystems = host.facts.filesystems.current().into_iter().flatten();
        let usage = filesystems.filter(|one| one.mount == disk.mount).find_map(|one| one.usage.as_ref().ok());
        let growth = host.growth.iter().find(|growth| growth.mount == disk.mount);
        let more = growth.zip(usage).and_then(|(growth, usage)| growth.growth.describe(usage));
        charts.push(FigureChart {
            title: format!("disk {} of {}", disk.mount, human_kb(disk.size_kb)),
            unit: " %",
            now: usage.and_then(|usage| usage.use_percent).map(f32::from).filter(|_| is_fresh),
            top: 100.0,
            values: ChartValues::Disk(disk),
            more,
        });
    }
    charts
}

impl FigureChart<'_> {
    fn draw<'a>(&self, lines: &mut Vec<Line<'a>>, scene: &Scene<'a>, now: u32, rows: u16, width: u16) {
        let styles = scene.styles;
        let span_shown = scene.model.charts.span;
        let columns = width.saturating_sub(SCALE);
        let (values, summary) = match self.values {
            ChartValues::Figure(course) => {
                let values = course.columns(span_shown, now, columns);
                let values: Vec<Option<f32>> = values.iter().map(|step| step.map(|step| step.most)).collect();
                (values, CourseSummary::of(course, span_shown, now))
            }
            ChartValues::Disk(disk) => {
                let values = disk.columns(span_shown, now, columns);
                let summary = summary(&values, span_shown);
                (values, summary)
            }
        };
        let mut title: Vec<Span<'a>> = vec![span(format!(" {}", self.title), styles.accent)];
        title.push(match self.now {
            Some(value) => span(format!("  now {}{}", figure(value), self.unit), styles.strong),
            None => span("  now ?", styles.unknown),
        });
        title.push(span(self.words(summary), styles.muted));
        if let Some(more) = &self.more {
            title.push(span(format!("  {more}"), styles.muted));
        }
        lines.push(Line::from(title));
        let top = sparkline::top(&values, self.top);
        for (at, bars) in sparkline::rows(&values, top, rows).into_iter().enumerate() {
            let label = match at {
                0 => format!("{}{}", figure(top), self.unit),
                _ if at + 1 == usize::from(rows) => format!("0{}", self.unit),
                _ => String::new(),
            };
            let scale = usize::from(SCALE) - 1;
            lines.push(Line::from(vec![
                span(format!("{label:>scale$}│"), styles.muted),
                span(bars, styles.base),
            ]));
        }
    }

    fn words(&self, summary: Option<CourseSummary>) -> String {
        let Some(CourseSummary { least, median, most, unknown }) = summary else {
            return "  nothing known of this time".to_owned();
        };
        let [least, median, most] = [least, median, most].map(figure);
        let unknown = match unknown {
            0 => String::new(),
            seconds => format!(", unknown for {}", two_units(Duration::from_secs(u64::from(seconds)))),
        };
        format!("  least {least}, median {median}, most {most}{}{unknown}", self.unit)
    }
}

/// Two decimals for small figures, none for large ones.
fn figure(value: f32) -> String {
    if value < 9.995 {
        let text = format!("{value:.2}");
        text.strip_suffix(".00").map_or(text.clone(), str::to_owned)
    } else if value < 99.95 {
        let text = format!("{value:.1}");
        text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
    } else {
        format!("{value:.0}")
    }
}

/// The same of columns: what is known of a disk is a point in twenty minutes or two hours.
fn summary(values: &[Option<f32>], span: CourseSpan) -> Option<CourseSummary> {
    let mut known: Vec<f32> = values.iter().flatten().copied().collect();
    known.sort_by(f32::total_cmp);
    let holes = values.iter().skip_while(|value| value.is_none()).filter(|value| value.is_none()).count();
    let each = span.seconds() / u32::try_from(values.len().max(1)).unwrap_or(u32::MAX);
    Some(CourseSummary {
        least: *known.first()?,
        median: *known.get(known.len() / 2)?,
        most: *known.last()?,
        unknown: u32::try_from(holes).unwrap_or(u32::MAX).saturating_mul(each),
    })
}
