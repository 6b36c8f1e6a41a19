//! A line for what is wrong with the environment as a whole, on every screen: two servers that are writable, none that is,
//! none that is known to be, a freeze that is still in effect, an inventory, keymap or theme on disk that is not the one in use. It belongs
//! to no row, so no row would show it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use crate::config::action::{Action, Destination};
use crate::view::scene::Scene;
use crate::view::signs::Status;
use crate::view::text::{cut, left, row, span, wrap};
use jumpdeck_fleet::problem::{Problem, ProblemKind, Severity};

use super::footer::key;

/// Lines that one text may take.
const MOST: u16 = 2;
/// A terminal of fewer rows has none to spare.
const LOW: u16 = 30;
/// Lines for what has a path, a place, a mistake and advice.
const LONGEST: u16 = 4;

/// Draws it when there is something to say, and returns its height.
pub(crate) fn draw(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) -> u16 {
    let mut used = 0;
    for part in [in_effect, problems, inventory, keymap, theme, views, changed_under_run] {
        let rest = Rect { y: area.y + used, height: area.height.saturating_sub(used), ..area };
        used += part(buf, rest, scene);
    }
    used
}

/// What is on screen is not what the inventory on disk says: until somebody mends it.
fn inventory(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) -> u16 {
    let Some(why) = &scene.model.inventory_refused else { return 0 };
    let text = format!("INVENTORY ON DISK NOT USED, the previous one stays in use: {why}");
    at_most(LONGEST, buf, area, scene, Status::Warning, &text)
}

/// The keys are not those of the person's own file: until it is mended and the console started again.
fn keymap(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) -> u16 {
    let Some(why) = &scene.model.keymap_refused else { return 0 };
    let text = format!(
        "OWN KEYMAP NOT USED, the built-in keys are. Mend the file, then start jumpdeck again: {why}"
    );
    at_most(LONGEST, buf, area, scene, Status::Warning, &text)
}

/// The colours may not be those of the person's own file: until it is mended and the console started again.
fn theme(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) -> u16 {
    let Some(why) = &scene.model.theme_refused else { return 0 };
    let text = format!("OWN THEME NOT USED. Mend the file, then start jumpdeck again: {why}");
    at_most(LONGEST, buf, area, scene, Status::Warning, &text)
}

/// The saved views are not available: until their file is mended and read again.
fn views(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) -> u16 {
    // Their list says it itself.
    let elsewhere = scene.model.screen().kind().is_view();
    let Some(why) = scene.model.views.refused.as_ref().filter(|_| elsewhere) else { return 0 };
    let text = format!("SAVED VIEWS NOT AVAILABLE. Mend the file; their list reads it again: {why}");
    at_most(LONGEST, buf, area, scene, Status::Warning, &text)
}

/// The run on screen goes on with the hosts of its plan.
fn changed_under_run(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) -> u16 {
    let run = scene.model.shown_run().filter(|run| run.state.is_under_way());
    let Some(text) = run.and_then(|run| scene.model.runs.outdated.get(&run.id)) else { return 0 };
    lines(buf, area, scene, Status::Warning, text.as_str())
}

/// What runs began and have not ended, on every screen but their own, which says it itself.
fn in_effect(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) -> u16 {
    let shown = scene.model.shown_run().map(|run| &run.id);
    let mut all = scene.model.in_effect(&scene.env.spec.name).filter(|(run, _)| Some(&run.id) != shown);
    let Some((mut run, mut first)) = all.next() else { return 0 };
    let mut others = 0;
    for (other, effect) in all {
        others += 1;
        // Refused writes are what users feel: they are named first.
        if effect.stops_writes && !first.stops_writes {
            (run, first) = (other, effect);
        }
    }
    let more = if others > 0 { format!(", and {others} more") } else { String::new() };
    let status = if first.stops_writes { Status::Critical } else { Status::Warning };
    let list = key(scene, Action::Screen(Destination::Runbooks));
    let text = format!("STILL IN EFFECT: {}{more} ({}: {list})", first.line(), run.runbook);
    lines(buf, area, scene, status, &text)
}

/// Critical ones and unknown ones, each with its sign; where rows are few, in one line. Behind a jump box that is down
/// nothing of it is known to be so.
fn problems(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) -> u16 {
    if scene.jump_is_down() {
        return 0;
    }
    let of = |severity: Severity| -> Vec<&Problem> {
        scene
            .env
            .problems
            .iter()
            .filter(|p| p.severity == severity && is_shown(p) && scene.env.is_unacknowledged(p))
            .collect()
    };
    let (critical, unknown) = (of(Severity::Critical), of(Severity::Unknown));
    let list = key(scene, Action::Screen(Destination::Problems));
    let more = |others: &[(usize, Severity)]| {
        let others: Vec<String> = others
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, severity)| format!("+{n} {}", severity.word()))
            .collect();
        if others.is_empty() { String::new() } else { format!("  ({}: {list})", others.join(", ")) }
    };
    let blocks = match (critical.as_slice(), unknown.as_slice()) {
        ([], []) => return 0,
        ([first, rest @ ..], []) | ([], [first, rest @ ..]) => {
            vec![(*first, more(&[(rest.len(), first.severity)]))]
        }
        ([first, rest @ ..], all @ [_, ..]) if is_low(buf) => {
            vec![(*first, more(&[(rest.len(), first.severity), (all.len(), Severity::Unknown)]))]
        }
        ([first, rest @ ..], [second, others @ ..]) => vec![
            (*first, more(&[(rest.len(), first.severity)])),
            (*second, more(&[(others.len(), second.severity)])),
        ],
    };
    let mut used = 0;
    for (problem, more) in blocks {
        let below = Rect { y: area.y + used, height: area.height.saturating_sub(used), ..area };
        let status = Status::from(problem.severity);
        used += if is_low(buf) {
            line(buf, below, scene, status, &problem.message, &more)
        } else {
            lines(buf, below, scene, status, &format!("{}{more}", problem.message))
        };
    }
    used
}

/// Whether rows are few: what is wrong with the whole then takes one of them.
fn is_low(buf: &Buffer) -> bool {
    buf.area.height < LOW
}

/// One line, of which only the text is cut: how many more there are stays.
fn line(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, status: Status, text: &str, more: &str) -> u16 {
    let room = usize::from(area.width).saturating_sub(4 + more.width());
    let text = format!(" {} {}{more}", status.sign(), cut(text, room));
    left(buf, row(area, 0), &Line::from(span(text, scene.styles.status(status))));
    area.height.min(1)
}

fn lines(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, status: Status, text: &str) -> u16 {
    at_most(MOST, buf, area, scene, status, text)
}

fn at_most(most: u16, buf: &mut Buffer, area: Rect, scene: &Scene<'_>, status: Status, text: &str) -> u16 {
    let lines = wrap(text, usize::from(area.width).saturating_sub(5));
    let height = u16::try_from(lines.len()).unwrap_or(most).min(most).min(area.height);
    let cut = lines.len() > usize::from(height);
    for (y, line) in (0..height).zip(lines) {
        let sign = if y == 0 { status.sign() } else { " " };
        let end = if cut && y + 1 == height { " …" } else { "" };
        let text = format!(" {sign} {line}{end}");
        left(buf, row(area, y), &Line::from(span(text, scene.styles.status(status))));
    }
    height
}

/// Of the environment as a whole. How many hosts have a role is on the screen of roles; what can wait for daylight is among the
/// problems.
fn is_shown(problem: &Problem) -> bool {
    problem.host.is_none()
        && match problem.kind {
            ProblemKind::JumpDown
            | ProblemKind::SecondJump
            | ProblemKind::RoleCount
            | ProblemKind::RoleImplies
            | ProblemKind::RolesDiffer
            | ProblemKind::OsDiffers
            | ProblemKind::OsSupport
            | ProblemKind::SecurityUpdates
            | ProblemKind::PackageLists
            | ProblemKind::DailyJobs
            | ProblemKind::RebootRequired => false,
            ProblemKind::HostDown
            | ProblemKind::HostKey
            | ProblemKind::Identity
            | ProblemKind::Load
            | ProblemKind::Memory
            | ProblemKind::Swap
            | ProblemKind::Disk
            | ProblemKind::Inodes
            | ProblemKind::Mount
            | ProblemKind::Clock
            | ProblemKind::Level
            | ProblemKind::Replication
            | ProblemKind::ReplicationLag
            | ProblemKind::ReplicationTls
            | ProblemKind::WritableMasters
            | ProblemKind::ServerId
            | ProblemKind::Cluster
            | ProblemKind::Database
            | ProblemKind::DatabaseAddress
            | ProblemKind::Unreadable
            | ProblemKind::Stale
            | ProblemKind::Service
            | ProblemKind::Outside
            | ProblemKind::FailedUnits
            | ProblemKind::OomKill
            | ProblemKind::ReadOnly
            | ProblemKind::Run => true,
        }
}
