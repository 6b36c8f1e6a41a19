//! One host in full, as one page of lines that scrolls: what is wrong with it, the way to it, who it says it is, its
//! figures, every filesystem, its replication, its services, its upkeep; of the jump box its banner.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::screens::host::host_of;
use crate::view::scene::{Scene, ShownFact};
use crate::view::screens::Drawing;
use crate::view::signs;
use crate::view::state::ViewState;
use crate::view::text::{centred, count, left, right, row, span, wrap};
use crate::view::widgets::footer::FooterStatus;
use jumpdeck_fleet::contact::Contact;
use jumpdeck_fleet::fact::Fact;
use jumpdeck_fleet::problem::Problem;
use jumpdeck_fleet::snapshot::HostSnapshot;
use jumpdeck_fleet::time::Freshness;

use super::cells;

mod banner;
mod database_files;
mod databases;
mod figures;
mod filesystems;
mod identity;
mod services;
mod upkeep;

/// Columns of a label, its space included.
const LABEL: usize = 12;

/// Lines under construction, for a width.
struct HostPage<'a> {
    lines: Vec<Line<'a>>,
    width: u16,
    title: Style,
    label: Style,
}

impl<'a> HostPage<'a> {
    /// A line without a label.
    fn plain(&mut self, line: impl Into<Line<'a>>) {
        self.lines.push(line.into());
    }

    /// A label and what belongs to it.
    fn labelled(&mut self, label: &str, line: impl Into<Line<'a>>) {
        let mut spans = vec![span(format!("{label:<LABEL$}"), self.label)];
        spans.extend(line.into().spans);
        self.lines.push(Line::from(spans));
    }

    /// A label and text in as many lines as it needs.
    fn wrapped(&mut self, label: &str, text: &str, style: Style) {
        let width = usize::from(self.width).saturating_sub(LABEL);
        for (i, part) in wrap(text, width).into_iter().enumerate() {
            self.labelled(if i == 0 { label } else { "" }, span(part, style));
        }
    }

    /// Makes the lines from `at` on dim: they are no longer current.
    fn dim(&mut self, at: usize, style: Style) {
        for line in self.lines.iter_mut().skip(at) {
            for span in &mut line.spans {
                span.style = style;
            }
        }
    }

    /// An empty line and a title.
    fn section(&mut self, title: &'a str) {
        self.lines.push(Line::default());
        self.lines.push(span(title, self.title).into());
    }
}

/// How it looks.
pub(super) const DRAWING: Drawing = Drawing::of(draw);

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let Some(name) = host_of(scene.model.screen()) else { return FooterStatus::default() };
    let Some((spec, host)) = scene.env.host(name) else {
        centred(buf, area, &[span(format!("{name} is not in this environment"), scene.styles.muted).into()]);
        return FooterStatus::default();
    };
    draw_title(buf, row(area, 0), scene, host);
    let inner = Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(3),
        height: area.height.saturating_sub(1),
    };
    let mut page = HostPage {
        lines: Vec::new(),
        width: inner.width,
        title: scene.styles.accent,
        label: scene.styles.muted,
    };
    problems(&mut page, scene, host);
    identity::lines(&mut page, scene, spec, host);
    figures::lines(&mut page, scene, host);
    filesystems::lines(&mut page, scene, host);
    databases::lines(&mut page, scene, spec, host);
    database_files::lines(&mut page, scene, host);
    services::lines(&mut page, scene, host);
    upkeep::lines(&mut page, scene, host);
    banner::lines(&mut page, scene, host);

    let len = page.lines.len();
    let top = state.scroll_text(scene.env.selection.detail_scroll, len, inner.height);
    for (y, line) in (0..inner.height).zip(page.lines.iter().skip(top)) {
        left(buf, row(inner, y), line);
    }
    FooterStatus { says: position(scene, top, usize::from(inner.height), len), place: None }
}

/// Name and sign at the left, age of all that follows at the right.
fn draw_title(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, host: &HostSnapshot) {
    let styles = scene.styles;
    let status = scene.status(host);
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
    let title = Line::from(vec![
        Span::raw("  "),
        cells::sign(scene, status),
        Span::raw(" "),
        span(host.id.host.as_str(), styles.strong),
        span(format!("  {}", status.word()), styles.status(status)),
        span(format!("  {} via {}", host.address, scene.env.jump.in_use()), styles.muted),
    ]);
    left(buf, Rect { width: room, ..area }, &title);
}

fn position(scene: &Scene<'_>, top: usize, height: usize, len: usize) -> Line<'static> {
    let below = len.saturating_sub(top + height);
    let text = match (top, below) {
        (0, 0) => return Line::default(),
        (_, 0) => format!("end of page, {} above ↑", count(top, "line")),
        (0, _) => format!("{} more below ↓", count(below, "line")),
        _ => format!("{} above ↑, {} below ↓", count(top, "line"), count(below, "line")),
    };
    span(text, scene.styles.muted).into()
}

/// A fact as [`cells::fact`] shows it; one too old to be told is `?`, and dim what it was.
fn known<'a, T>(
    scene: &Scene<'a>,
    host: &HostSnapshot,
    fact: &'a Fact<T>,
    show: impl FnOnce(&'a T, Freshness) -> Line<'a>,
) -> Line<'a> {
    let (ShownFact::Expired, Some(last)) = (scene.shown(host, fact), fact.last()) else {
        return cells::fact(scene, host, fact, show);
    };
    let styles = scene.styles;
    let mut spans = vec![span("?", styles.unknown), span("  was ", styles.stale)];
    spans.extend(show(last, Freshness::Stale).spans.into_iter().map(|s| s.style(styles.stale)));
    Line::from(spans)
}

fn problems<'a>(page: &mut HostPage<'a>, scene: &Scene<'a>, host: &HostSnapshot) {
    let name = &host.id.host;
    let problems: Vec<&Problem> = scene.env.problems.iter().filter(|p| p.concerns(name)).collect();
    for (at, problem) in problems.iter().enumerate() {
        let status = signs::Status::from(problem.severity);
        let style = scene.styles.status(status);
        let width = usize::from(page.width).saturating_sub(LABEL);
        for (i, part) in wrap(&problem.message, width).into_iter().enumerate() {
            let label = if i == 0 { format!("{} {}", status.sign(), status.word()) } else { String::new() };
            let line = vec![span(format!("{label:<LABEL$}"), style), span(part, scene.styles.base)];
            page.plain(Line::from(line));
        }
        if let Some(said) = scene.env.acknowledgement(problem) {
            page.wrapped("", &cells::acknowledged(scene, said), scene.styles.accent);
        }
        // Whom problems in a row are for, once behind them.
        let contact = scene.env.spec.contact(problem);
        let next = problems.get(at + 1).map(|problem| scene.env.spec.contact(problem));
        if next != Some(contact) {
            contact_lines(page, scene, &contact);
        }
    }
    if !page.lines.is_empty() {
        page.plain(Line::default());
    }
}

fn contact_lines<'a>(page: &mut HostPage<'a>, scene: &Scene<'a>, contact: &Contact<&str>) {
    for (key, text) in contact.parts() {
        page.wrapped(&format!("  {key}"), text, scene.styles.muted);
    }
}
