//! What the cloud says of a host: its state with its age, what to do next, the end of its console log. The log is behind `|`: none of
//! it can look like a line of jumpdeck's own.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::model::power::PowerLook;
use crate::app::screens::power::host_of;
use crate::config::action::Action;
use crate::view::scene::Scene;
use crate::view::screens::Drawing;
use crate::view::signs::{Progress, Status};
use crate::view::state::ViewState;
use crate::view::text::{centred, count, exact, left, right, row, span, two_units};
use crate::view::widgets::footer::{FooterStatus, key};
use crate::view::widgets::page::Page;
use jumpdeck_fleet::power::{CloudReply, CloudServerFacts, CloudTask, ConsoleTail, PowerReport, ServerReply};
use jumpdeck_fleet::text::Clean;

/// How it looks.
pub(super) const DRAWING: Drawing = Drawing::of(draw);

/// Seconds after which an answer is said to be old.
const OLD: u64 = 60;

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let styles = scene.styles;
    let ask = key(scene, Action::Refresh);
    let Some(look) = scene.model.shown_power() else {
        let host = host_of(scene.model.screen()).map(ToString::to_string).unwrap_or_default();
        let text =
            format!("the cloud was not asked about {host} since it was asked about another host: {ask} asks");
        centred(buf, area, &[span(text, styles.muted).into()]);
        return FooterStatus::default();
    };
    head(buf, row(area, 0), scene, look, &ask);
    let area = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let lines = lines(scene, look, area.width);
    let top = state.scroll_text(look.scroll, lines.len(), area.height);
    for (y, line) in (0..area.height).zip(lines.iter().skip(top)) {
        left(buf, row(area, y), line);
    }
    let below = lines.len().saturating_sub(top + usize::from(area.height));
    let down = key(scene, Action::PageDown);
    let more = if below > 0 { format!("{} below: {down}", count(below, "line")) } else { String::new() };
    FooterStatus { says: span(more, styles.muted).into(), place: None }
}

/// The host and what is said of it at the left, the age of that at the right.
fn head(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, look: &PowerLook, ask: &str) {
    let styles = scene.styles;
    let age = match (&look.asking, &look.last) {
        (Some(since), _) => {
            let time = two_units(scene.model.now.since(*since));
            span(
                format!("{} asking the cloud, {time} ", Progress::Runs.sign()),
                styles.progress(Progress::Runs),
            )
        }
        (None, Some((at, _))) if scene.model.now.since(*at).as_secs() >= OLD => {
            span(format!("{} ago: {ask} asks again ", scene.ago(*at)), styles.stale)
        }
        (None, Some((at, _))) => span(format!("{} ago ", scene.ago(*at)), styles.muted),
        (None, None) => span("not asked ", styles.muted),
    };
    let room = right(buf, area, &age.into());
    let (sign, style, says) = match &look.last {
        Some((at, report)) => {
            let status = status_of(scene, look, report);
            // While it is asked again, what is shown is of before.
            let of_before =
                if look.asking.is_some() { format!(", {} ago", scene.ago(*at)) } else { String::new() };
            (
                status.sign(),
                styles.status(status),
                format!("the cloud says: {}{of_before}", report.headline()),
            )
        }
        None => (Status::Pending.sign(), styles.status(Status::Pending), "no answer so far".to_owned()),
    };
    let line = Line::from(vec![
        span(format!(" {sign} "), style),
        span(look.host.to_string(), styles.strong),
        span(format!("  {says}"), style),
    ]);
    left(buf, Rect { width: room, ..area }, &line);
}

/// What the cloud says runs is well only where the host answers, too.
fn status_of(scene: &Scene<'_>, look: &PowerLook, report: &PowerReport) -> Status {
    let answers = scene.env.host(&look.host).is_some_and(|(_, host)| host.link.is_up());
    match report.answer.as_ref().map(|answer| &answer.says) {
        None => Status::Unknown,
        Some(ServerReply::NoServer | ServerReply::Several(_)) => Status::Warning,
        Some(ServerReply::Server(facts, _)) if facts.is_running() && answers => Status::Ok,
        Some(ServerReply::Server(facts, _)) if facts.status.is_none() || facts.power.is_none() => {
            Status::Unknown
        }
        Some(ServerReply::Server(..)) => Status::Warning,
    }
}

fn lines(scene: &Scene<'_>, look: &PowerLook, width: u16) -> Vec<Line<'static>> {
    let styles = scene.styles;
    let mut page = Page::new(width, styles);
    let Some((_, report)) = &look.last else {
        page.text(
            1,
            "The cloud's client is asked on the jump box, then on hosts of role salt or deployment.",
            styles.muted,
        );
        return page.lines;
    };
    page.text(1, &report.next(), styles.base);
    if let Some(answer) = &report.answer {
        reply(&mut page, scene, answer, width);
    }
    if !report.without.is_empty() {
        page.section("NO ANSWER FROM", "");
        for miss in &report.without {
            let text = format!("{}: {}", miss.at, miss.why.describe());
            page.signed(1, Status::Unknown.sign(), &text, styles.unknown);
        }
    }
    page.lines
}

fn reply(page: &mut Page<'_>, scene: &Scene<'_>, answer: &CloudReply, width: u16) {
    let styles = scene.styles;
    let by = format!("{} on {}", answer.client.program(), answer.by);
    match &answer.says {
        ServerReply::NoServer => page.section("THE CLOUD", &by),
        ServerReply::Several(servers) => {
            page.section("THE CLOUD", &by);
            if servers.is_empty() {
                page.text(1, "the list of them was not read", styles.unknown);
            }
            servers.iter().for_each(|server| quoted(page, server, styles.muted, styles.base, width));
        }
        ServerReply::Server(facts, console) => {
            page.section("THE CLOUD", &by);
            server(page, scene, facts);
            log(page, scene, console, width);
        }
    }
}

fn server(page: &mut Page<'_>, scene: &Scene<'_>, facts: &CloudServerFacts) {
    let styles = scene.styles;
    let task = match &facts.task {
        CloudTask::Unknown => None,
        CloudTask::Idle => Some("none".into()),
        CloudTask::Doing(task) => Some(task.clone()),
    };
    let addresses = facts.addresses.iter().map(Clean::as_str).collect::<Vec<_>>().join(", ");
    let addresses = (!addresses.is_empty()).then(|| Clean::new(&addresses));
    for (label, value) in [
        ("status", &facts.status),
        ("power", &facts.power),
        ("task", &task),
        ("address", &addresses),
        ("updated", &facts.updated),
        ("launched", &facts.launched),
        ("UUID", &facts.id),
    ] {
        match value {
            Some(value) => page.labelled(label, value.as_str(), styles.base),
            None => page.labelled(label, "unknown", styles.unknown),
        }
    }
    for (label, value) in [("fault", &facts.fault), ("beneath", &facts.under)] {
        if let Some(value) = value {
            page.labelled(label, value.as_str(), styles.warning);
        }
    }
}

fn log(page: &mut Page<'_>, scene: &Scene<'_>, console: &ConsoleTail, width: u16) {
    let styles = scene.styles;
    match console {
        ConsoleTail::NotAsked => {}
        ConsoleTail::Unknown(why) => {
            page.section("CONSOLE LOG", "");
            page.signed(1, Status::Unknown.sign(), &format!("unknown: {why}"), styles.unknown);
        }
        ConsoleTail::Lines(log) => {
            page.section("CONSOLE LOG", &format!("its end, at most {} lines, the newest last", log.asked));
            for remark in log.remarks() {
                page.signed(1, Status::Warning.sign(), &remark, styles.warning);
            }
            if log.lines.is_empty() {
                page.text(1, "nothing is written on it", styles.muted);
            }
            log.lines.iter().for_each(|line| quoted(page, line, styles.muted, styles.base, width));
        }
    }
}

/// A line from elsewhere, as it is.
fn quoted(page: &mut Page<'_>, line: &Clean, mark: Style, style: Style, width: u16) {
    for part in exact(line.as_str(), usize::from(width).saturating_sub(4)) {
        page.line(vec![span(" | ", mark), Span::styled(part, style)]);
    }
}
