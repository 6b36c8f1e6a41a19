//! A line for what is wrong with the environment as a whole, on every screen: two servers that are writable, none that is, a
//! freeze that is still in effect. It belongs to no row, so no row would show it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::config::action::Action;
use crate::domain::problem::{Problem, ProblemKind, Severity};
use crate::view::scene::Scene;
use crate::view::signs::Status;
use crate::view::text::{left, row, span, wrap};

use super::footer::key;

/// Lines that it may take.
const MOST: u16 = 2;

/// Draws it when there is something to say, and returns its height.
pub(crate) fn draw(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) -> u16 {
    let freeze = in_effect(buf, area, scene);
    let area = Rect { y: area.y + freeze, height: area.height.saturating_sub(freeze), ..area };
    freeze + problems(buf, area, scene)
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
    let list = key(scene, Action::Runbooks);
    let text = format!("STILL IN EFFECT: {}{more} ({}: {list})", first.line(), run.runbook);
    lines(buf, area, scene, status, &text)
}

/// Behind a jump box that is down nothing of it is known to be so.
fn problems(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) -> u16 {
    if scene.jump_is_down() {
        return 0;
    }
    let problems: Vec<&Problem> = scene.env.problems.iter().filter(|p| is_shown(p)).collect();
    let Some(first) = problems.first() else { return 0 };
    let more = match problems.len() - 1 {
        0 => String::new(),
        n => format!("  (+{n} more: {})", key(scene, Action::ScreenProblems)),
    };
    lines(buf, area, scene, Status::from(first.severity), &format!("{}{more}", first.message))
}

fn lines(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, status: Status, text: &str) -> u16 {
    let lines = wrap(text, usize::from(area.width).saturating_sub(5));
    let height = u16::try_from(lines.len()).unwrap_or(MOST).min(MOST).min(area.height);
    let cut = lines.len() > usize::from(height);
    for (y, line) in (0..height).zip(lines) {
        let sign = if y == 0 { status.sign() } else { " " };
        let end = if cut && y + 1 == height { " …" } else { "" };
        let text = format!(" {sign} {line}{end}");
        left(buf, row(area, y), &Line::from(span(text, scene.styles.status(status))));
    }
    height
}

/// Of the environment, and not for daylight. How many hosts have a role is on the screen of roles.
fn is_shown(problem: &Problem) -> bool {
    let whole = problem.host.is_none() && problem.severity == Severity::Critical;
    whole
        && match problem.kind {
            ProblemKind::JumpDown
            | ProblemKind::RoleCount
            | ProblemKind::RoleImplies
            | ProblemKind::RolesDiffer
            | ProblemKind::OsDiffers => false,
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
            | ProblemKind::Unreadable
            | ProblemKind::Stale
            | ProblemKind::Service => true,
        }
}
