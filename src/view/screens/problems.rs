//! What is wrong, worst first; the selected problem in full.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::app::screens::problems::{problem_rows, selected_problem};
use crate::config::action::{Action, Destination};
use crate::view::scene::Scene;
use crate::view::screens::Drawing;
use crate::view::signs;
use crate::view::state::{List, ViewState};
use crate::view::text::{Align, centred, left, row, span, wrap};
use crate::view::widgets::footer::{FooterStatus, key};
use crate::view::widgets::table::{Column, ColumnTable};
use jumpdeck_fleet::contact::Contacts;
use jumpdeck_fleet::problem::Problem;

use super::cells;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProblemColumn {
    Severity,
    Host,
    Kind,
    Message,
}

/// Lines kept for the selected problem's full message, at least.
const DETAIL: u16 = 4;

/// Lines that the list keeps beside a problem with a long address.
const LEAST_LIST: u16 = 8;

/// Columns of the word before whom to call or what to read.
const CONTACT_LABEL: usize = 9;

/// Columns left free beside the full message.
const MARGIN: u16 = 5;

/// How it looks.
pub(super) const DRAWING: Drawing =
    Drawing { columns: || vec![("KIND", "of the problem, as in the status JSON")], ..Drawing::of(draw) };

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let rows = problem_rows(scene.model);
    let all = scene.env.problems.len();
    // An address is shown whole or not at all: where contacts are named, the list may become shorter for it.
    let named = scene.env.spec.contacts != Contacts::default();
    let most = if named { area.height.saturating_sub(LEAST_LIST) } else { area.height / 3 };
    let (list, detail) = cells::split_at_most(area, pane(scene, area.width), most.max(area.height / 3));
    let table = ColumnTable::new(list, &columns(scene, area.width)).recorded(state);
    table.titles(buf, scene.styles, None);
    if rows.is_empty() {
        centred(buf, area, &[nothing(scene, all)]);
        return FooterStatus { says: tally(scene), place: (all > 0).then_some((0, 0, all)) };
    }
    let selected = selected_problem(scene.model);
    let at = selected.map(|(at, _)| at);
    let offset = state.scroll(scene.model.active, List("problems"), at, rows.len(), table.height());
    for (y, (i, problem)) in (0..table.height()).zip(rows.iter().enumerate().skip(offset)) {
        let status = signs::Status::from(problem.severity);
        table.row(buf, y, cells::sign(scene, status), None, |id, _| cell(scene, problem, id));
        if at == Some(i) {
            table.select(buf, y, scene.styles);
        }
    }
    if let Some((_, problem)) = selected {
        in_full(buf, detail, scene, problem);
    }
    FooterStatus { says: tally(scene), place: Some((at.map_or(0, |i| i + 1), rows.len(), all)) }
}

/// Lines for the longest message and contact: the list stays where it is while the selection moves.
fn pane(scene: &Scene<'_>, width: u16) -> u16 {
    let width = usize::from(width.saturating_sub(MARGIN).max(1));
    // Words do not fill their lines.
    let lines = |text: &str| text.chars().count() * 8 / 7 / width + 1;
    let contact = |problem: &Problem| {
        let contact = scene.env.spec.contact(problem);
        // A label stands before each.
        [contact.owner, contact.docs]
            .into_iter()
            .flatten()
            .map(|text| (text.chars().count() + CONTACT_LABEL) / width + 1)
            .sum::<usize>()
            + usize::from(contact.runbook.is_some())
    };
    let said = |problem: &Problem| {
        scene.env.acknowledgement(problem).map_or(0, |said| lines(&cells::acknowledged(scene, said)))
    };
    let longest =
        scene.env.problems.iter().map(|p| lines(&p.message) + contact(p) + said(p)).max().unwrap_or(0);
    // A line is left free above and one is for runbooks.
    u16::try_from(longest + 2).unwrap_or(u16::MAX).max(DETAIL)
}

fn nothing(scene: &Scene<'_>, all: usize) -> Line<'static> {
    if all > 0 {
        return span(
            format!("no problem matches {}", scene.model.filter().text.as_str()),
            scene.styles.muted,
        )
        .into();
    }
    let awaited = scene.env.hosts.iter().filter(|h| h.reported_at.is_none()).count();
    if awaited > 0 {
        let of = crate::view::text::count(scene.env.hosts.len(), "host");
        return span(
            format!("no problems so far; {awaited} of {of} have not reported yet"),
            scene.styles.muted,
        )
        .into();
    }
    span("● no known problems", scene.styles.ok).into()
}

fn columns(scene: &Scene<'_>, width: u16) -> Vec<Column<ProblemColumn>> {
    let hosts = scene.env.problems.iter().filter_map(|p| p.host.as_ref()).map(|h| h.as_str().len());
    let host = u16::try_from(hosts.max().unwrap_or(0)).unwrap_or(u16::MAX).clamp(8, 30);
    let kinds = scene.env.problems.iter().map(|p| p.kind.word().len());
    let kind = u16::try_from(kinds.max().unwrap_or(0)).unwrap_or(u16::MAX).max(4);
    // What is wrong says more than its kind: the kind goes first.
    let message = width.saturating_sub(host.min(15) + 16).clamp(20, 48);
    vec![
        Column::fixed(ProblemColumn::Severity, "", Align::Left, 8, 2),
        Column {
            id: ProblemColumn::Host,
            title: "HOST",
            align: Align::Left,
            least: host.min(15),
            most: host,
            rank: 0,
        },
        Column::fixed(ProblemColumn::Kind, "KIND", Align::Left, kind, 3),
        Column {
            id: ProblemColumn::Message,
            title: "WHAT",
            align: Align::Left,
            least: message,
            most: 400,
            rank: 1,
        },
    ]
}

fn cell<'a>(scene: &Scene<'a>, problem: &'a Problem, id: ProblemColumn) -> Line<'a> {
    let styles = scene.styles;
    let acknowledged = scene.env.acknowledgement(problem);
    match id {
        ProblemColumn::Severity if acknowledged.is_some() => {
            span(problem.severity.word(), styles.muted).into()
        }
        ProblemColumn::Severity => {
            span(problem.severity.word(), styles.status(problem.severity.into())).into()
        }
        ProblemColumn::Host => match &problem.host {
            Some(host) => span(host.as_str(), styles.strong).into(),
            None => span("–", styles.muted).into(),
        },
        ProblemColumn::Kind => span(problem.kind.word().replace('_', " "), styles.muted).into(),
        ProblemColumn::Message => match acknowledged {
            Some(_) => Line::from(vec![
                span("acknowledged  ", styles.accent),
                span(problem.message.as_str(), styles.muted),
            ]),
            None => Line::from(problem.message.as_str()),
        },
    }
}

fn in_full(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, problem: &Problem) {
    let width = usize::from(area.width.saturating_sub(MARGIN));
    let mut lines = wrap(&problem.message, width);
    if let Some(said) = scene.env.acknowledgement(problem) {
        lines.extend(wrap(&cells::acknowledged(scene, said), width));
    }
    let room = usize::from(area.height.saturating_sub(1));
    for (y, line) in (1..area.height).zip(&lines) {
        let cut = usize::from(y) == room && lines.len() > room;
        let text = format!("    {line}{}", if cut { " …" } else { "" });
        left(buf, row(area, y), &span(text, scene.styles.base).into());
    }
    let mut at = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(1);
    for line in contact_lines(scene, problem, width, usize::from(area.height.saturating_sub(at))) {
        left(buf, row(area, at), &span(format!("    {line}"), scene.styles.muted).into());
        at = at.saturating_add(1);
    }
    let names = scene.model.runbooks_for(problem).unwrap_or_default();
    if at < area.height && !names.is_empty() {
        let list = key(scene, Action::Screen(Destination::Runbooks));
        let text = format!("    → {list}: {}", names.join(", "));
        left(buf, row(area, at), &span(text, scene.styles.muted).into());
    }
}

/// Whom it is for, in at most `room` lines. A part of an address leads elsewhere: one that has no room is not shown.
fn contact_lines(scene: &Scene<'_>, problem: &Problem, width: usize, room: usize) -> Vec<String> {
    let contact = scene.env.spec.contact(problem);
    let mut lines = Vec::new();
    for (label, text) in [("owner", contact.owner), ("docs", contact.docs)] {
        let Some(text) = text else { continue };
        let own = wrap(text, width.saturating_sub(CONTACT_LABEL));
        if lines.len() + own.len() > room {
            lines.push(format!("{label:<CONTACT_LABEL$}too long for this window; it is in: jumpdeck status"));
            break;
        }
        lines.extend(own.iter().enumerate().map(|(at, line)| {
            let label = if at == 0 { label } else { "" };
            format!("{label:<CONTACT_LABEL$}{line}")
        }));
    }
    let listed = scene.model.listing().is_none_or(|listing| {
        contact.runbook.is_none_or(|name| listing.runbooks.iter().any(|one| one.name == name))
    });
    if let Some(name) = contact.runbook.filter(|_| !listed) {
        lines.push(format!(
            "{:<CONTACT_LABEL$}{name} (named by the inventory, and not installed here)",
            "runbook"
        ));
    }
    lines.truncate(room);
    lines
}

/// All problems, the hidden ones too: a filter makes nothing well.
fn tally(scene: &Scene<'_>) -> Line<'static> {
    use jumpdeck_fleet::problem::Severity;
    let mut spans = Vec::new();
    for severity in [Severity::Critical, Severity::Unknown, Severity::Warning] {
        let open = scene.env.problems.iter().filter(|p| scene.env.is_unacknowledged(p));
        let n = open.filter(|p| p.severity == severity).count();
        if n > 0 {
            let status = signs::Status::from(severity);
            let plural = if severity == Severity::Warning && n > 1 { "s" } else { "" };
            spans.push(span(
                format!("{} {n} {}{plural}   ", status.sign(), status.word()),
                scene.styles.status(status),
            ));
        }
    }
    let acknowledged = scene.env.problems.iter().filter(|p| !scene.env.is_unacknowledged(p)).count();
    if acknowledged > 0 {
        spans.push(span(format!("{acknowledged} acknowledged"), scene.styles.muted));
    }
    Line::from(spans)
}
