//! A host's processes, listening ports or mounts: how old the answer is, what it does not say, and its rows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::model::look::{LookOrder, LookState, LookView};
use crate::config::action::Action;
use crate::view::scene::Scene;
use crate::view::screens::Drawing;
use crate::view::signs::Status;
use crate::view::state::{List, ViewState};
use crate::view::text::{Align, centred, count, cut, left, right, row, span};
use crate::view::widgets::footer::{FooterStatus, key};
use crate::view::widgets::table::{Column, ColumnTable};
use jumpdeck_fleet::look::{
    HostLook, ListeningPort, LookContent, LookKind, MountRoom, MountedHere, PortOwner, RunningProcess,
};
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::storage::{human_kb, human_signed_kb};
use jumpdeck_fleet::time::{Freshness, short_age};

use super::cells;

/// What its columns mean.
const EXPLAINED: &[(&str, &str)] = &[
    ("CPU", "percent of one CPU since the answer before; ? until there are two"),
    ("MEMORY", "resident; – for threads of the kernel"),
    ("QUEUE", "connections that wait to be accepted, of how many may"),
    ("USED", "– where it was not asked: no files of its own, or another machine's"),
];

/// How it looks.
pub(super) const DRAWING: Drawing = Drawing { columns: || EXPLAINED.to_vec(), ..Drawing::of(draw) };

/// Rows for what an answer does not say.
const NOTES: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LookColumn {
    Order(LookOrder),
    State,
    Queue,
    Size,
    Device,
    Mode,
}

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let model: &'a crate::app::model::Model = scene.model;
    let Some(look) = model.shown_look() else { return FooterStatus::default() };
    head(buf, row(area, 0), scene, look);
    let below = notes(buf, area, scene, look);
    let area = Rect { y: area.y + below, height: area.height.saturating_sub(below), ..area };
    let Some(answer) = &look.answer else {
        let text = match look.state {
            LookState::Asking | LookState::Answers => "asking the host",
            LookState::Lost { .. } => "no answer yet",
            LookState::Paused => "paused before there was an answer",
        };
        centred(buf, area, &[span(text, scene.styles.muted).into()]);
        return FooterStatus::default();
    };
    let (seen, all) = look.counts();
    let table = ColumnTable::new(area, &columns(look.place.kind));
    table.titles(buf, scene.styles, Some((Some(LookColumn::Order(look.order)), is_downward(look))));
    if seen == 0 {
        let text = if all > 0 { "no row matches the filter" } else { "there are none" };
        let list = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        centred(buf, list, &[span(text, scene.styles.muted).into()]);
        return FooterStatus { says: Line::default(), place: Some((0, seen, all)) };
    }
    let at = look.selected_at();
    let offset = state.scroll(scene.model.active, List("look"), at, seen, table.height());
    let old = is_old(scene, look, answer);
    for (y, (i, place)) in (0..table.height()).zip(look.rows().iter().enumerate().skip(offset)) {
        let cells = RowCells { scene, old };
        match &answer.content {
            LookContent::Processes(all) => {
                let Some(process) = all.rows.get(*place) else { continue };
                table.row(buf, y, Span::raw(" "), None, |id, _| cells.process(process, id));
            }
            LookContent::Ports(all) => {
                let Some(port) = all.get(*place) else { continue };
                let severity = port.queue.and_then(full_queue);
                table.row(buf, y, cells.sign(severity), None, |id, _| cells.port(port, id));
            }
            LookContent::Mounts(all) => {
                let Some(mount) = all.get(*place) else { continue };
                table.row(buf, y, cells.sign(cells.fullness(mount)), None, |id, _| cells.mount(mount, id));
            }
        }
        if at == Some(i) {
            table.select(buf, y, scene.styles);
        }
    }
    let says =
        at.and_then(|i| look.rows().get(i)).map_or_else(String::new, |at| in_words(&answer.content, *at));
    let place = Some((at.map_or(0, |i| i + 1), seen, all));
    FooterStatus { says: span(says, scene.styles.muted).into(), place }
}

/// An answer is shown as old when nobody asks, or when one is missing.
fn is_old(scene: &Scene<'_>, look: &LookView, answer: &HostLook) -> bool {
    let age = scene.now.since(answer.asked);
    match look.state {
        LookState::Answers => Freshness::of(age, look.place.kind.cadence()) != Freshness::Fresh,
        LookState::Asking | LookState::Lost { .. } | LookState::Paused => true,
    }
}

/// Host, what there is to look at, how many, and how old it is.
fn head(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, look: &LookView) {
    let styles = scene.styles;
    let age = look.answer.as_ref().map(|answer| short_age(scene.now.since(answer.asked)));
    let old = look.answer.as_ref().is_some_and(|answer| is_old(scene, look, answer));
    let (text, style) = match (&look.state, age) {
        (LookState::Answers, Some(age)) if !old => {
            let every = look.place.kind.cadence().as_secs();
            (format!("● {age} old, asked every {every} s "), styles.ok)
        }
        (LookState::Answers, Some(age)) => (format!("○ {age} old, no newer answer "), styles.stale),
        (LookState::Paused, Some(age)) => (format!("‖ PAUSED, {age} old "), styles.paused),
        (LookState::Paused, None) => ("‖ PAUSED ".to_owned(), styles.paused),
        (LookState::Lost { .. }, Some(age)) => (format!("✖ LOST, {age} old "), styles.critical),
        (LookState::Lost { .. }, None) => ("✖ NO ANSWER ".to_owned(), styles.critical),
        (LookState::Asking, Some(age)) => (format!("◌ asking again, {age} old "), styles.stale),
        (LookState::Asking | LookState::Answers, None) => ("◌ asking ".to_owned(), styles.muted),
    };
    let room = right(buf, area, &span(text, style).into());
    let mut spans = vec![span(format!(" {} ", look.place.host), styles.strong)];
    for kind in LookKind::ALL {
        if kind == look.place.kind {
            spans.push(span(format!(" {} ", kind.word()), styles.tab));
        } else {
            let action = match kind {
                LookKind::Processes => Action::Processes,
                LookKind::Ports => Action::Ports,
                LookKind::Mounts => Action::Mounts,
            };
            spans.push(span(format!(" {} {} ", key(scene, action), kind.word()), styles.muted));
        }
    }
    left(buf, Rect { width: room, ..area }, &Line::from(spans));
}

/// What is listed of how many, what is not known, and why there is no newer answer. Returns the first row below.
fn notes(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, look: &LookView) -> u16 {
    let styles = scene.styles;
    let mut lines: Vec<(String, Style)> = Vec::new();
    if let LookState::Lost { hop, why, again } = &look.state {
        let then = if *again { "it is tried again" } else { "not tried again until asked" };
        lines.push((format!("✖ {hop}: {why}; {then}"), styles.critical));
    }
    if let Some(answer) = &look.answer {
        if let LookContent::Processes(table) = &answer.content
            && table.rows.len() < table.count
        {
            let text = format!(
                "{} processes; listed are the {} that use most CPU or memory",
                table.count,
                table.rows.len()
            );
            lines.push((text, styles.muted));
        }
        lines.extend(answer.notes.iter().map(|note| (format!("▲ {note}"), styles.warning)));
    }
    let width = usize::from(area.width).saturating_sub(2);
    let most = NOTES.min(usize::from(area.height / 4));
    let mut y = 1;
    for (text, style) in lines.into_iter().take(most) {
        left(buf, row(area, y), &span(format!(" {}", cut(&text, width)), style).into());
        y += 1;
    }
    y
}

fn columns(kind: LookKind) -> Vec<Column<LookColumn>> {
    use LookColumn as C;
    use LookOrder as O;
    let (lean_left, lean_right) = (Align::Left, Align::Right);
    match kind {
        LookKind::Processes => vec![
            Column { id: C::Order(O::Name), title: "NAME", align: lean_left, least: 15, most: 24, rank: 0 },
            Column::fixed(C::Order(O::Cpu), "CPU", lean_right, 6, 1),
            Column::fixed(C::Order(O::Memory), "MEMORY", lean_right, 7, 2),
            Column { id: C::Order(O::User), title: "USER", align: lean_left, least: 8, most: 16, rank: 4 },
            Column::fixed(C::Order(O::Pid), "PID", lean_right, 8, 3),
            Column::fixed(C::Order(O::Time), "TIME", lean_right, 5, 5),
            Column::fixed(C::State, "STATE", lean_left, 14, 6),
        ],
        LookKind::Ports => vec![
            Column::fixed(C::Order(O::Port), "PORT", lean_right, 9, 0),
            Column {
                id: C::Order(O::Address),
                title: "ADDRESS",
                align: lean_left,
                least: 16,
                most: 40,
                rank: 2,
            },
            Column::fixed(C::Queue, "QUEUE", lean_right, 10, 3),
            Column {
                id: C::Order(O::Name),
                title: "LISTENS",
                align: lean_left,
                least: 20,
                most: 200,
                rank: 1,
            },
        ],
        LookKind::Mounts => vec![
            Column { id: C::Order(O::Mount), title: "MOUNT", align: lean_left, least: 20, most: 48, rank: 0 },
            Column::fixed(C::Order(O::Used), "USED", lean_right, 5, 1),
            Column::fixed(C::Order(O::Left), "LEFT", lean_right, 6, 2),
            Column::fixed(C::Size, "SIZE", lean_right, 6, 3),
            Column { id: C::Order(O::Type), title: "TYPE", align: lean_left, least: 8, most: 14, rank: 4 },
            Column::fixed(C::Mode, "", lean_left, 2, 5),
            Column { id: C::Device, title: "DEVICE", align: lean_left, least: 14, most: 60, rank: 6 },
        ],
    }
}

/// Whether the arrow points down: the largest comes first.
fn is_downward(look: &LookView) -> bool {
    let down = match look.order {
        LookOrder::Cpu | LookOrder::Memory | LookOrder::Used => true,
        LookOrder::Name
        | LookOrder::User
        | LookOrder::Pid
        | LookOrder::Time
        | LookOrder::Port
        | LookOrder::Address
        | LookOrder::Left
        | LookOrder::Mount
        | LookOrder::Type => false,
    };
    down != look.reversed
}

/// As many wait as may.
fn full_queue((waiting, room): (u64, Option<u64>)) -> Option<Severity> {
    room.filter(|room| *room > 0 && waiting >= *room).map(|_| Severity::Warning)
}

/// Cells of rows.
struct RowCells<'s, 'a> {
    scene: &'s Scene<'a>,
    /// The answer is old: all of it is dim.
    old: bool,
}

impl RowCells<'_, '_> {
    fn text(&self, text: impl Into<String>, style: Style) -> Line<'static> {
        span(text.into(), if self.old { self.scene.styles.stale } else { style }).into()
    }

    fn sign(&self, severity: Option<Severity>) -> Span<'static> {
        severity.map_or_else(
            || Span::raw(" "),
            |severity| {
                let status = Status::from(severity);
                let style = if self.old { self.scene.styles.stale } else { self.scene.styles.status(status) };
                span(status.sign(), style)
            },
        )
    }

    fn process(&self, row: &RunningProcess, id: LookColumn) -> Line<'static> {
        let styles = self.scene.styles;
        match id {
            LookColumn::Order(LookOrder::Name) => self.text(row.name.as_str(), styles.strong),
            LookColumn::Order(LookOrder::Cpu) => match row.cpu {
                Some(cpu) => self.text(format!("{cpu:.1}%"), styles.base),
                None => self.text("?", styles.unknown),
            },
            LookColumn::Order(LookOrder::Memory) => match row.memory_kb {
                Some(kb) => self.text(human_kb(kb), styles.base),
                None => self.text("–", styles.muted),
            },
            LookColumn::Order(LookOrder::User) => match &row.user {
                Some(user) => self.text(user.as_str(), styles.base),
                None => self.text("?", styles.unknown),
            },
            LookColumn::Order(LookOrder::Pid) => self.text(row.pid.to_string(), styles.muted),
            LookColumn::Order(LookOrder::Time) => {
                let time = short_age(std::time::Duration::from_secs(row.seconds));
                self.text(time, styles.muted)
            }
            LookColumn::State => {
                let style = match row.state {
                    'Z' | 'D' => styles.warning,
                    _ => styles.muted,
                };
                self.text(row.state_word(), style)
            }
            LookColumn::Order(_)
            | LookColumn::Queue
            | LookColumn::Size
            | LookColumn::Device
            | LookColumn::Mode => Line::default(),
        }
    }

    fn port(&self, row: &ListeningPort, id: LookColumn) -> Line<'static> {
        let styles = self.scene.styles;
        match id {
            LookColumn::Order(LookOrder::Port) => {
                self.text(format!("{} {}", row.protocol.word(), row.port), styles.strong)
            }
            LookColumn::Order(LookOrder::Address) => self.text(row.address.as_str(), styles.base),
            LookColumn::Order(LookOrder::Name) => {
                let style = if row.owner == PortOwner::Hidden { styles.unknown } else { styles.base };
                self.text(row.owner.words(), style)
            }
            LookColumn::Queue => match row.queue {
                Some((waiting, room)) => {
                    let style =
                        if full_queue((waiting, room)).is_some() { styles.warning } else { styles.muted };
                    self.text(queue(waiting, room), style)
                }
                None => self.text("–", styles.muted),
            },
            LookColumn::Order(_)
            | LookColumn::State
            | LookColumn::Size
            | LookColumn::Device
            | LookColumn::Mode => Line::default(),
        }
    }

    fn fullness(&self, row: &MountedHere) -> Option<Severity> {
        match row.room {
            MountRoom::Known(usage) => {
                cells::at_or_above(usage.use_percent, self.scene.env.spec.thresholds.disk)
            }
            MountRoom::Unknown => Some(Severity::Unknown),
            MountRoom::NotAsked => None,
        }
    }

    fn mount(&self, row: &MountedHere, id: LookColumn) -> Line<'static> {
        let styles = self.scene.styles;
        let room =
            |known: &dyn Fn(jumpdeck_fleet::storage::Usage) -> Option<String>, style: Style| match row.room {
                MountRoom::Known(usage) => match known(usage) {
                    Some(text) => self.text(text, style),
                    None => self.text("–", styles.muted),
                },
                MountRoom::Unknown => self.text("?", styles.unknown),
                MountRoom::NotAsked => self.text("–", styles.muted),
            };
        match id {
            LookColumn::Order(LookOrder::Mount) => self.text(row.mount.as_str(), styles.strong),
            LookColumn::Order(LookOrder::Used) => {
                let style = self.fullness(row).map_or(styles.base, |one| styles.status(Status::from(one)));
                room(&|usage| usage.use_percent.map(|percent| format!("{percent}%")), style)
            }
            LookColumn::Order(LookOrder::Left) => {
                room(&|usage| Some(human_signed_kb(usage.available_kb)), styles.base)
            }
            LookColumn::Size => room(&|usage| Some(human_kb(usage.size_kb)), styles.muted),
            LookColumn::Order(LookOrder::Type) => self.text(row.fstype.as_str(), styles.muted),
            LookColumn::Mode if row.is_read_only() => self.text("ro", styles.warning),
            LookColumn::Mode => self.text("rw", styles.muted),
            LookColumn::Device => self.text(row.device.as_str(), styles.muted),
            LookColumn::Order(_) | LookColumn::State | LookColumn::Queue => Line::default(),
        }
    }
}

fn queue(waiting: u64, room: Option<u64>) -> String {
    format!("{waiting}/{}", room.map_or_else(|| "?".to_owned(), |room| room.to_string()))
}

/// The selected row, with what its columns have no room for.
fn in_words(content: &LookContent, at: usize) -> String {
    match content {
        LookContent::Processes(table) => table.rows.get(at).map_or_else(String::new, |row| {
            let used = std::time::Duration::from_millis(row.ticks.saturating_mul(10));
            format!(
                "{} {}: started by {}, {} of CPU since then",
                row.name,
                row.pid,
                row.parent,
                crate::view::text::took(used)
            )
        }),
        LookContent::Ports(ports) => ports.get(at).map_or_else(String::new, |row| {
            let waiting = row.queue.map_or_else(String::new, |(waiting, _)| match waiting {
                0 => String::new(),
                waiting => {
                    format!(", {} wait", count(usize::try_from(waiting).unwrap_or(usize::MAX), "connection"))
                }
            });
            format!("{} {}:{} {}{waiting}", row.protocol.word(), row.address, row.port, row.owner.words())
        }),
        LookContent::Mounts(mounts) => mounts.get(at).map_or_else(String::new, |row| {
            format!("{} on {}: {} {}", row.device, row.mount, row.fstype, row.options)
        }),
    }
}
