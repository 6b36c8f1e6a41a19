//! A host that is looked at: what it answered last, in which order, and which row is selected.

use std::cmp::Ordering;

use super::{Model, Screen};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::look::{
    HostLook, ListeningPort, LookContent, LookEvent, LookKind, MountRoom, MountedHere, RunningProcess,
};
use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::text::Clean;

/// What is looked at, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookPlace {
    /// The environment.
    pub env: EnvName,
    /// The host.
    pub host: HostName,
    /// What of it.
    pub kind: LookKind,
}

/// How it is with the questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookState {
    /// It is being asked for the first time, or after it was lost.
    Asking,
    /// It answers.
    Answers,
    /// It does not.
    Lost {
        /// Where it failed.
        hop: Hop,
        /// What happened.
        why: Clean,
        /// Whether it is tried again without anybody doing something.
        again: bool,
    },
    /// Nobody asks: the operator paused it.
    Paused,
}

/// By what rows are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookOrder {
    /// CPU in use now, most first; without a second answer by what was used since the start.
    Cpu,
    /// Memory, most first.
    Memory,
    /// Name of the process, or who listens.
    Name,
    /// Account.
    User,
    /// Number of the process.
    Pid,
    /// Running time, shortest first: what was started last.
    Time,
    /// Number of the port.
    Port,
    /// Address.
    Address,
    /// Share in use, most first.
    Used,
    /// Room that is left, least first.
    Left,
    /// Mount point.
    Mount,
    /// Type.
    Type,
}

impl LookOrder {
    /// Those of a look; the first is the usual one.
    #[must_use]
    pub fn of(kind: LookKind) -> &'static [Self] {
        match kind {
            LookKind::Processes => &[Self::Cpu, Self::Memory, Self::Time, Self::Name, Self::User, Self::Pid],
            LookKind::Ports => &[Self::Port, Self::Address, Self::Name],
            LookKind::Mounts => &[Self::Used, Self::Left, Self::Mount, Self::Type],
        }
    }

    /// The one behind it.
    #[must_use]
    pub fn next(self, kind: LookKind) -> Self {
        let all = Self::of(kind);
        let at = all.iter().position(|order| *order == self);
        at.and_then(|at| all.get(at + 1)).or(all.first()).copied().unwrap_or(self)
    }
}

/// Which row: by what it is, so that it stays selected when rows move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookRow {
    /// A process, by number and start.
    Process(u32, u64),
    /// A port.
    Port(ListeningPort),
    /// A mount, by what is mounted where.
    Mount(Clean, Clean),
}

/// A host that is looked at.
#[derive(Debug)]
pub struct LookView {
    /// News of another number is of what was looked at before.
    pub number: u64,
    /// What and where.
    pub place: LookPlace,
    /// How it is with the questions.
    pub state: LookState,
    /// The last answer.
    pub answer: Option<HostLook>,
    /// The order of the rows.
    pub order: LookOrder,
    /// Turned round.
    pub reversed: bool,
    /// The selected row.
    pub selected: Option<LookRow>,
    /// The rows that the filter lets through, as places in the answer, in order.
    rows: Vec<usize>,
}

impl LookView {
    /// Nothing was answered yet.
    #[must_use]
    pub fn new(number: u64, place: LookPlace) -> Self {
        let order = LookOrder::of(place.kind).first().copied().unwrap_or(LookOrder::Name);
        Self {
            number,
            place,
            state: LookState::Asking,
            answer: None,
            order,
            reversed: false,
            selected: None,
            rows: Vec::new(),
        }
    }

    /// Takes news in.
    pub fn take(&mut self, event: LookEvent) {
        match event {
            LookEvent::Asking => self.state = LookState::Asking,
            LookEvent::Answer(look) => (self.answer, self.state) = (Some(look), LookState::Answers),
            LookEvent::Lost { hop, why, again } => self.state = LookState::Lost { hop, why, again },
        }
    }

    /// Filters and sorts again: each row is judged by its text in lower case.
    pub fn arrange(&mut self, holds: impl Fn(&str) -> bool) {
        self.rows.clear();
        let Some(answer) = &self.answer else { return };
        let content = &answer.content;
        self.rows = (0..len(content)).filter(|at| holds(&text(content, *at))).collect();
        let (order, reversed) = (self.order, self.reversed);
        self.rows.sort_by(|a, b| {
            let ordering = compare(content, *a, *b, order);
            if reversed { ordering.reverse() } else { ordering }
        });
    }

    /// How many rows are seen, and how many there are.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.rows.len(), self.answer.as_ref().map_or(0, |answer| len(&answer.content)))
    }

    /// The place in the answer of each row that is seen.
    #[must_use]
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// The place of the selected row among those seen.
    #[must_use]
    pub fn selected_at(&self) -> Option<usize> {
        let (wanted, answer) = (self.selected.as_ref()?, self.answer.as_ref()?);
        self.rows.iter().position(|at| row(&answer.content, *at).as_ref() == Some(wanted))
    }

    /// Selects the row at that place among those seen.
    pub fn select_at(&mut self, at: usize) -> bool {
        let found = self.answer.as_ref().zip(self.rows.get(at)).and_then(|(a, at)| row(&a.content, *at));
        let is_there = found.is_some();
        if is_there {
            self.selected = found;
        }
        is_there
    }
}

fn len(content: &LookContent) -> usize {
    match content {
        LookContent::Processes(table) => table.rows.len(),
        LookContent::Ports(ports) => ports.len(),
        LookContent::Mounts(mounts) => mounts.len(),
    }
}

fn row(content: &LookContent, at: usize) -> Option<LookRow> {
    match content {
        LookContent::Processes(table) => {
            table.rows.get(at).map(|process| LookRow::Process(process.pid, process.started))
        }
        // It is the same port when its queue changes.
        LookContent::Ports(ports) => {
            ports.get(at).map(|port| LookRow::Port(ListeningPort { queue: None, ..port.clone() }))
        }
        LookContent::Mounts(mounts) => {
            mounts.get(at).map(|mount| LookRow::Mount(mount.mount.clone(), mount.device.clone()))
        }
    }
}

/// What a filter finds in a row.
fn text(content: &LookContent, at: usize) -> String {
    let text = match content {
        LookContent::Processes(table) => table.rows.get(at).map(|row| {
            let user = row.user.as_ref().map_or("", Clean::as_str);
            format!("{} {} {user} {}", row.name, row.pid, row.state_word())
        }),
        LookContent::Ports(ports) => ports.get(at).map(|port| {
            format!("{} {}:{} {}", port.protocol.word(), port.address, port.port, port.owner.words())
        }),
        LookContent::Mounts(mounts) => mounts
            .get(at)
            .map(|mount| format!("{} {} {} {}", mount.mount, mount.device, mount.fstype, mount.options)),
    };
    text.unwrap_or_default().to_lowercase()
}

fn compare(content: &LookContent, a: usize, b: usize, order: LookOrder) -> Ordering {
    let equal = Ordering::Equal;
    match content {
        LookContent::Processes(table) => {
            table.rows.get(a).zip(table.rows.get(b)).map_or(equal, |(a, b)| processes(a, b, order))
        }
        LookContent::Ports(ports) => {
            ports.get(a).zip(ports.get(b)).map_or(equal, |(a, b)| ports_by(a, b, order))
        }
        LookContent::Mounts(mounts) => {
            mounts.get(a).zip(mounts.get(b)).map_or(equal, |(a, b)| mounts_by(a, b, order))
        }
    }
}

fn processes(a: &RunningProcess, b: &RunningProcess, order: LookOrder) -> Ordering {
    let cpu = |row: &RunningProcess| row.cpu.unwrap_or(-1.0);
    let first = match order {
        LookOrder::Memory => b.memory_kb.cmp(&a.memory_kb),
        LookOrder::Name => a.name.cmp(&b.name),
        LookOrder::User => a.user.cmp(&b.user),
        LookOrder::Time => b.started.cmp(&a.started),
        LookOrder::Pid => Ordering::Equal,
        LookOrder::Cpu
        | LookOrder::Port
        | LookOrder::Address
        | LookOrder::Used
        | LookOrder::Left
        | LookOrder::Mount
        | LookOrder::Type => cpu(b).total_cmp(&cpu(a)).then(b.ticks.cmp(&a.ticks)),
    };
    first.then(a.pid.cmp(&b.pid))
}

fn ports_by(a: &ListeningPort, b: &ListeningPort, order: LookOrder) -> Ordering {
    let first = match order {
        LookOrder::Address => a.address.cmp(&b.address),
        LookOrder::Name => a.owner.words().cmp(&b.owner.words()),
        LookOrder::Cpu
        | LookOrder::Memory
        | LookOrder::User
        | LookOrder::Pid
        | LookOrder::Time
        | LookOrder::Port
        | LookOrder::Used
        | LookOrder::Left
        | LookOrder::Mount
        | LookOrder::Type => Ordering::Equal,
    };
    first.then(a.port.cmp(&b.port)).then(a.protocol.cmp(&b.protocol)).then(a.address.cmp(&b.address))
}

fn mounts_by(a: &MountedHere, b: &MountedHere, order: LookOrder) -> Ordering {
    // What is not known comes before what was not asked.
    let used = |mount: &MountedHere| match mount.room {
        MountRoom::Known(usage) => (0, std::cmp::Reverse(usage.use_percent)),
        MountRoom::Unknown => (1, std::cmp::Reverse(None)),
        MountRoom::NotAsked => (2, std::cmp::Reverse(None)),
    };
    let left = |mount: &MountedHere| match mount.room {
        MountRoom::Known(usage) => (0, usage.available_kb),
        MountRoom::Unknown => (1, 0),
        MountRoom::NotAsked => (2, 0),
    };
    let first = match order {
        LookOrder::Left => left(a).cmp(&left(b)),
        LookOrder::Mount => Ordering::Equal,
        LookOrder::Type => a.fstype.cmp(&b.fstype),
        LookOrder::Cpu
        | LookOrder::Memory
        | LookOrder::Name
        | LookOrder::User
        | LookOrder::Pid
        | LookOrder::Time
        | LookOrder::Port
        | LookOrder::Address
        | LookOrder::Used => used(a).cmp(&used(b)),
    };
    first.then(a.mount.cmp(&b.mount)).then(a.device.cmp(&b.device))
}

impl Model {
    /// The look on screen.
    #[must_use]
    pub fn shown_look(&self) -> Option<&LookView> {
        let look = self.look.as_ref()?;
        (self.screen().look() == Some(&look.place)).then_some(look)
    }
}

impl Screen {
    /// What it looks at, if it does.
    #[must_use]
    pub fn look(&self) -> Option<&LookPlace> {
        if let Self::Look(place) = self { Some(place) } else { None }
    }
}
