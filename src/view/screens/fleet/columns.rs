//! The columns of the fleet table. A column is one descriptor in [`COLUMNS`]: its title, width and rank, what is in its
//! cells, what rows are ordered by when it is the sorted one, and what help says of it.

use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use crate::app::model::columns::NamedColumn;
use crate::app::rows::order::{Key, Order};
use crate::app::screens::fleet::{FleetLine, fleet_lines};
use crate::view::scene::Scene;
use crate::view::screens::cells;
use crate::view::text::{Align, span};
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::snapshot::{HostSnapshot, Load};
use jumpdeck_fleet::summary::{
    REPLICATION_WORDS_LEAST, replication_brief, replication_words, worst_filesystem,
};

pub(super) mod alike;
mod keys;
mod shown;

use keys::{age_key, lag_key, level_key, load_key, mount_key, os_key, service_key};

/// A column.
pub(crate) struct FleetColumn {
    /// Its title; no two columns have the same.
    pub(crate) title: &'static str,
    /// To which side its title and cells lean.
    pub(crate) align: Align,
    /// Narrower than the first it is left out, wider than the second it need not be; on a table so wide.
    pub(crate) widths: fn(&Scene<'_>, u16) -> (u16, u16),
    /// 0 stays longest; see [`crate::view::widgets::table::EXTRA`].
    pub(crate) rank: u8,
    /// What it is about: something else may stand in its place.
    pub(crate) of: Of,
    /// Whether any host has something to show in it.
    pub(crate) is_useful: fn(&Scene<'_>) -> bool,
    /// A cell of so many columns.
    pub(crate) cell: for<'r, 'a> fn(&FleetRow<'r, 'a>, u16) -> Line<'a>,
    /// A figure and its text, where a folded row shows the range of it.
    pub(crate) figure: Option<RowFigure>,
    /// A cell of a folded row, where it is neither the one that all its hosts have nor the range of its figure.
    pub(crate) alike: Option<for<'r, 'a> fn(&[FleetRow<'r, 'a>], u16) -> Line<'a>>,
    /// What rows are ordered by when they are sorted by it.
    pub(crate) order: Option<Order>,
    /// What help says of it: what is explained, and how.
    pub(crate) help: Option<(&'static str, &'static str)>,
}

/// A figure of a row and its text; `None` where it is not known.
type RowFigure = for<'r, 'a> fn(&FleetRow<'r, 'a>) -> Option<(f64, String)>;

/// What a column is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// The host, whether it answers or not.
    Host,
    /// Its load: one word stands in the place of all its figures when it is not known.
    Load,
    /// Something else that only a host that answers tells.
    Report,
}

/// A row.
pub(crate) struct FleetRow<'r, 'a> {
    pub(crate) scene: &'r Scene<'a>,
    pub(crate) host: &'a HostSnapshot,
    pub(crate) spec: Option<&'a Host>,
    /// In what it differs from those of its roles that are alike, while rows are folded.
    pub(crate) differs: &'r [String],
}

impl PartialEq for FleetColumn {
    fn eq(&self, other: &Self) -> bool {
        self.title == other.title
    }
}

/// From so many columns on, texts have more room than the least.
const WIDE: u16 = 110;

/// What most columns are; a column says how it differs.
pub(crate) const PLAIN: FleetColumn = FleetColumn {
    title: "",
    align: Align::Left,
    widths: |_, _| (5, 5),
    rank: 15,
    of: Of::Report,
    is_useful: |_| true,
    cell: |_, _| Line::raw(""),
    figure: None,
    alike: None,
    order: None,
    help: None,
};

const LOAD: FleetColumn =
    FleetColumn { align: Align::Right, of: Of::Load, widths: |scene, _| range(scene, 5), ..PLAIN };

/// Columns of the range of a figure, `0.06–0.94`, on a table with folded rows.
const RANGE: u16 = 9;
/// Columns of the name of a folded row, `17 alike: app1..app17`: on a narrow table, on a wide one, at most.
const NAMES: (u16, u16, u16) = (21, 32, 44);

/// A column of figures as wide as one, or as their range.
fn range(scene: &Scene<'_>, one: u16) -> (u16, u16) {
    if scene.model.folded { (RANGE, RANGE) } else { (one, one) }
}

/// The columns, from left to right.
pub(crate) static COLUMNS: [FleetColumn; 18] = [
    FleetColumn {
        title: "HOST",
        widths: |scene, width| {
            let host = widest(scene, |h| h.id.host.as_str().len(), 8, 40);
            if scene.model.folded {
                (text_least(width, NAMES.0, NAMES.1, NAMES.2), host.max(NAMES.2))
            } else {
                (host.min(15), host)
            }
        },
        rank: 0,
        of: Of::Host,
        cell: |row, _| span(row.host.id.host.as_str(), row.scene.styles.strong).into(),
        alike: Some(alike::names),
        order: Some(Order { words: "by host", down: false, key: |row| Key::name(&row.spec.id.host) }),
        ..PLAIN
    },
    FleetColumn {
        title: "ROLES",
        widths: |scene, width| {
            let joined = |h: &Host| h.roles.iter().map(|r| r.as_str().len() + 1).sum::<usize>();
            let roles = widest(scene, |h| joined(h).saturating_sub(1), 6, 30);
            (text_least(width, 9, 14, roles), roles)
        },
        rank: 4,
        of: Of::Host,
        cell: |row, _| shown::roles(row),
        order: Some(Order { words: "by roles", down: false, key: |row| Key::roles(&row.spec.roles) }),
        ..PLAIN
    },
    FleetColumn {
        title: "DIFFERS",
        widths: |_, _| (13, 24),
        rank: 1,
        of: Of::Host,
        is_useful: |scene| {
            let differs =
                |line: &FleetLine<'_>| matches!(line, FleetLine::Host(_, differs) if !differs.is_empty());
            scene.model.folded && fleet_lines(scene.model).iter().any(differs)
        },
        cell: |row, _| span(row.differs.join(", "), row.scene.styles.warning).into(),
        help: Some(("DIFFERS", "while rows are folded: in what a host differs from those that are alike")),
        ..PLAIN
    },
    FleetColumn {
        title: "1m",
        rank: 2,
        cell: |row, _| {
            shown::figure(row, |load, limits| {
                (Some(load.one), cells::above(load.one_per_cpu(), limits.load_one_per_cpu))
            })
        },
        figure: Some(|row| alike::load(row, |load| Some(load.one))),
        order: Some(Order { words: "by load", down: true, key: |row| load_key(row, |load| Some(load.one)) }),
        help: Some(("1m 5m 15m", "load average over that time")),
        ..LOAD
    },
    FleetColumn {
        title: "5m",
        rank: 8,
        cell: |row, _| {
            shown::figure(row, |load, limits| {
                (Some(load.five), cells::above(load.five_per_cpu(), limits.load_five_per_cpu))
            })
        },
        figure: Some(|row| alike::load(row, |load| Some(load.five))),
        order: Some(Order {
            words: "by 5m load",
            down: true,
            key: |row| load_key(row, |load| Some(load.five)),
        }),
        ..LOAD
    },
    FleetColumn {
        title: "15m",
        cell: |row, _| shown::figure(row, |load, _| (Some(load.fifteen), None)),
        figure: Some(|row| alike::load(row, |load| Some(load.fifteen))),
        order: Some(Order {
            words: "by 15m load",
            down: true,
            key: |row| load_key(row, |load| Some(load.fifteen)),
        }),
        ..LOAD
    },
    FleetColumn {
        title: "LOAD/CPU",
        widths: |scene, _| range(scene, 8),
        rank: 9,
        cell: |row, _| {
            shown::figure(row, |load, limits| {
                (load.one_per_cpu(), cells::above(load.one_per_cpu(), limits.load_one_per_cpu))
            })
        },
        figure: Some(|row| alike::load(row, Load::one_per_cpu)),
        order: Some(Order { words: "by load/CPU", down: true, key: |row| load_key(row, Load::one_per_cpu) }),
        help: Some(("LOAD/CPU", "one-minute load for each CPU; over 1, processes wait")),
        ..LOAD
    },
    FleetColumn {
        title: "TREND",
        align: Align::Left,
        widths: |_, _| (5, 10),
        rank: 10,
        cell: shown::trend,
        // What rises most, first.
        alike: Some(|_, _| Line::default()),
        order: Some(Order {
            words: "by load trend",
            down: true,
            key: |row| load_key(row, |load| Some(load.one - load.fifteen)),
        }),
        help: Some(("TREND", "one-minute load, half a minute a column, the newest at the right")),
        ..LOAD
    },
    FleetColumn {
        title: "MEMORY",
        widths: |_, _| (9, 11),
        rank: 6,
        cell: shown::memory,
        figure: Some(alike::memory),
        order: Some(Order {
            words: "by memory",
            down: true,
            key: |row| {
                let memory = row.host.facts.memory.trusted(row.now, row.poll);
                Key::known(memory.and_then(|memory| memory.used_percent()))
            },
        }),
        help: Some(("MEMORY", "in use, caches not counted")),
        ..PLAIN
    },
    FleetColumn {
        title: "DISK",
        widths: |_, _| (9, 11),
        rank: 3,
        cell: shown::disk,
        figure: Some(alike::disk),
        order: Some(Order {
            words: "by disk",
            down: true,
            key: |row| match worst_filesystem(&row.host.facts).map(|f| &f.usage) {
                None => Key::LAST,
                Some(Err(_)) => Key::FIRST,
                Some(Ok(usage)) => Key::known(usage.use_percent.map(f64::from)),
            },
        }),
        help: Some(("DISK", "the fullest filesystem, and its mount (FULLEST MOUNT)")),
        ..PLAIN
    },
    FleetColumn {
        title: "FULLEST MOUNT",
        // A mount is what the percentage beside it is about: it is shown to its end.
        widths: |scene, width| {
            let mounts = scene.env.hosts.iter().filter_map(|h| worst_filesystem(&h.facts));
            let mount = most_of(mounts.map(|f| f.mount.as_str().width()), 13, 30);
            (text_least(width, 13, 18, mount), mount)
        },
        rank: 7,
        cell: shown::mount,
        order: Some(Order { words: "by mount", down: false, key: mount_key }),
        ..PLAIN
    },
    FleetColumn {
        title: "REPLICATION",
        widths: |scene, width| {
            let briefs = scene.env.hosts.iter().filter_map(|h| h.facts.databases.last());
            let words = briefs.map(|d| replication_words(replication_brief(d)).width());
            let words = most_of(words, REPLICATION_WORDS_LEAST, 26);
            (text_least(width, REPLICATION_WORDS_LEAST, 20, words), words)
        },
        rank: 5,
        cell: |row, width| {
            cells::replication(row.scene, row.host, row.spec.is_some_and(|s| s.has_role("db")), width)
        },
        figure: Some(alike::lag),
        order: Some(Order { words: "by replication", down: true, key: lag_key }),
        help: Some((
            "REPLICATION",
            "role, lag, or the thread that does not run; empty where there is no database",
        )),
        ..PLAIN
    },
    FleetColumn {
        title: "SERVICE",
        widths: |_, _| (12, 22),
        rank: 7,
        is_useful: |scene| !scene.env.hosts.iter().all(|host| host.facts.services.is_empty()),
        cell: |row, width| cells::service(row.scene, row.host, width.into()),
        order: Some(Order { words: "by service", down: true, key: service_key }),
        ..PLAIN
    },
    FleetColumn {
        title: "OS",
        widths: |_, _| (12, 14),
        rank: 13,
        cell: |row, _| {
            let muted = row.scene.styles.muted;
            cells::fact(row.scene, row.host, &row.host.facts.os, |os, _| {
                span(os.release.as_str(), muted).into()
            })
        },
        order: Some(Order { words: "by OS", down: false, key: os_key }),
        ..PLAIN
    },
    FleetColumn {
        title: "UP",
        align: Align::Right,
        widths: |scene, _| range(scene, 4),
        rank: 12,
        cell: |row, _| {
            let muted = row.scene.styles.muted;
            cells::fact(row.scene, row.host, &row.host.facts.uptime, |up, _| {
                span(jumpdeck_fleet::time::short_age(*up), muted).into()
            })
        },
        figure: Some(alike::uptime),
        order: Some(Order {
            words: "by uptime",
            down: false,
            key: |row| {
                let uptime = row.host.facts.uptime.trusted(row.now, row.poll);
                Key::known(uptime.map(|uptime| -uptime.as_secs_f64()))
            },
        }),
        ..PLAIN
    },
    FleetColumn {
        title: "ENV",
        widths: |_, _| (10, 12),
        rank: 14,
        cell: shown::level,
        order: Some(Order { words: "by environment", down: false, key: level_key }),
        help: Some(("ENV", "the environment that the host itself names")),
        ..PLAIN
    },
    FleetColumn {
        // Its order is that of the signs.
        title: "WORST PROBLEM",
        widths: |_, _| (24, 80),
        rank: 11,
        cell: |row, _| match row.scene.problem_of(&row.host.id.host) {
            Some((problem, _)) => {
                span(problem.message.as_str(), row.scene.styles.status(problem.severity.into())).into()
            }
            None => Line::default(),
        },
        alike: Some(alike::worst_problem),
        ..PLAIN
    },
    FleetColumn {
        title: "AGE",
        align: Align::Right,
        widths: |_, _| (3, 3),
        rank: 1,
        of: Of::Host,
        cell: |row, _| {
            let (age, style) = row.scene.age_in_list(row.host);
            span(age, style).into()
        },
        alike: Some(alike::oldest),
        order: Some(Order { words: "by age", down: true, key: age_key }),
        help: Some(("AGE", "of the last report: ≤5s is normal, a plain figure is late")),
        ..PLAIN
    },
];

/// The columns by their titles, with what each is sorted by.
pub(crate) fn named() -> Vec<NamedColumn> {
    let named =
        |column: &'static FleetColumn| NamedColumn { title: column.title, order: column.order.as_ref() };
    COLUMNS.iter().map(named).collect()
}

/// The widest that the inventory has of something.
fn widest(scene: &Scene<'_>, width: impl Fn(&Host) -> usize, least: u16, most: u16) -> u16 {
    most_of(scene.env.spec.hosts.iter().map(|host| width(host)), least, most)
}

fn most_of(widths: impl Iterator<Item = usize>, least: u16, most: u16) -> u16 {
    u16::try_from(widths.max().unwrap_or(0)).unwrap_or(u16::MAX).clamp(least, most)
}

/// With room for them, what is read as text is not cut for the sake of figures.
fn text_least(width: u16, least: u16, wide: u16, most: u16) -> u16 {
    if width < WIDE { least.min(most) } else { wide.min(most) }
}
