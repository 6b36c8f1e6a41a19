//! The status table: one screenful for people and for a pipe. No colour when not asked for one.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use jumpdeck_fleet::fleet::Jump;
use jumpdeck_fleet::judge::roles;
use jumpdeck_fleet::problem::{Problem, Severity};
use jumpdeck_fleet::snapshot::HostSnapshot;
use jumpdeck_fleet::summary::{HostsUp, replication_brief, replication_words, worst_filesystem};
use jumpdeck_fleet::time::short_age;

use super::gather::Picture;

/// The sign of a host that has not reported, and that no problem is known of.
const NO_REPORT: &str = "..";
/// What stands for a value nobody knows.
const UNKNOWN: &str = "?";

#[derive(Debug, Clone, Copy)]
enum CellAlign {
    Left,
    Right,
}

/// The columns that may be chosen, by their titles in exports; the state comes before them.
pub(super) const COLUMNS: [&str; 10] =
    ["HOST", "ROLES", "LOAD 1", "LOAD 5", "LOAD 15", "MEMORY", "DISK", "REPLICATION", "AGE", "WORST PROBLEM"];

/// The columns of a row. The last is not shown unless it is chosen: problems are listed below.
const HEADINGS: [(&str, CellAlign); 11] = [
    ("", CellAlign::Left),
    ("HOST", CellAlign::Left),
    ("ROLES", CellAlign::Left),
    ("LOAD 1", CellAlign::Right),
    ("5", CellAlign::Right),
    ("15", CellAlign::Right),
    ("MEMORY", CellAlign::Right),
    ("DISK", CellAlign::Left),
    ("REPLICATION", CellAlign::Left),
    ("AGE", CellAlign::Right),
    ("WORST PROBLEM", CellAlign::Left),
];

/// The places of columns in a row: the state, then those that are chosen, else the first `usual`.
pub(super) fn places(chosen: Option<&[&'static str]>, usual: usize) -> Vec<usize> {
    match chosen {
        None => (0..usual).collect(),
        Some(titles) => {
            let place = |title: &&str| COLUMNS.iter().position(|one| one == title).map(|at| at + 1);
            [0].into_iter().chain(titles.iter().filter_map(place)).collect()
        }
    }
}

/// The picture as text, a line a host, its problems below; with all columns or with those that are chosen.
#[must_use]
pub fn render(picture: &Picture, colour: bool, chosen: Option<&[&'static str]>) -> String {
    let mut out = heading(picture, colour);
    let places = places(chosen, HEADINGS.len() - 1);
    let at = |cells: &[String]| places.iter().filter_map(|at| cells.get(*at).cloned()).collect::<Vec<_>>();
    let rows: Vec<(Option<Severity>, Vec<String>)> =
        picture.hosts.iter().map(|h| (worst_of(picture, h), at(&whole_row(picture, h)))).collect();
    let titles = match chosen {
        None => at(&HEADINGS.map(|(title, _)| title.to_owned())),
        // Without its neighbours a `5` says nothing.
        Some(titles) => [""].iter().chain(titles).map(|title| (*title).to_owned()).collect(),
    };
    let widths = titles.iter().enumerate().map(|(i, title)| {
        let cells = rows.iter().filter_map(|(_, row)| row.get(i)).map(|cell| cell.width());
        cells.chain([title.width()]).max().unwrap_or(0)
    });
    let aligns = places.iter().filter_map(|at| HEADINGS.get(*at)).map(|(_, align)| *align);
    let layout: Vec<(usize, CellAlign)> = widths.zip(aligns).collect();
    line(&mut out, &titles, &layout, None, colour);
    for (severity, row) in &rows {
        line(&mut out, row, &layout, *severity, colour);
    }
    if rows.iter().any(|(_, row)| row.first().is_some_and(|sign| sign == NO_REPORT)) {
        let _ = writeln!(out, "{NO_REPORT}  the host has not reported yet");
    }
    problems(&mut out, picture, colour);
    out
}

/// A row with the worst problem at its end.
pub(super) fn whole_row(picture: &Picture, host: &HostSnapshot) -> Vec<String> {
    let concerns = |problem: &&Problem| problem.concerns(&host.id.host);
    let worst = picture.problems.iter().filter(concerns).max_by_key(|problem| problem.severity);
    let message = worst.map_or(String::new(), |problem| problem.message.clone());
    row(picture, host).into_iter().chain([message]).collect()
}

pub(super) fn heading(picture: &Picture, colour: bool) -> String {
    let jump = &picture.jump;
    let simulated = if picture.simulated { "  SIMULATED" } else { "" };
    let state = match jump.rtt.current() {
        Some(rtt) if jump.link.is_up() => format!("{:.1} ms", rtt.as_secs_f64() * 1000.0),
        _ if jump.link.is_up() && matches!(picture.env.jump, Jump::Local { .. }) => {
            "(this machine)".to_owned()
        }
        _ => jump.link.state.label().to_owned(),
    };
    // A link that is up has just answered: this command asks once.
    let up = HostsUp::of(jump, picture.hosts.iter().map(AsRef::as_ref), |_| true);
    let name = paint(&picture.env.name.as_str().to_uppercase(), "1", colour);
    let instead = jump.second.as_ref().map_or_else(String::new, |second| {
        format!(" (second jump box: {} {})", jump.name, second.first.state.label())
    });
    format!("{name}  jump {} {state}{instead}  {up}{simulated}\n", jump.in_use())
}

fn worst_of(picture: &Picture, host: &HostSnapshot) -> Option<Severity> {
    picture.problems.iter().filter(|p| p.concerns(&host.id.host)).map(|p| p.severity).max()
}

pub(super) fn row(picture: &Picture, host: &HostSnapshot) -> Vec<String> {
    let situation = picture.situation();
    let sign = match worst_of(picture, host) {
        None if situation.is_judgeable(host) => "ok",
        None => NO_REPORT,
        Some(severity) => sign(severity),
    };
    let spec = picture.env.host(&host.id.host);
    let judgeable = situation.is_judgeable(host);
    let reported = spec.filter(|_| judgeable).and_then(|s| roles::reported(s, host));
    let roles = reported.or_else(|| spec.map(|s| s.roles.clone())).unwrap_or_default();
    let roles: Vec<&str> = roles.iter().map(|r| r.as_str()).collect();
    let mut cells = vec![sign.to_owned(), host.id.host.to_string(), roles.join(",")];
    if !judgeable {
        let why = if host.link.is_up() { "no report" } else { host.link.state.label() };
        cells.extend([UNKNOWN; 4].map(str::to_owned));
        cells.push(why.to_owned());
        cells.extend([String::new(), host.age(picture.now).map_or("-".to_owned(), short_age)]);
        return cells;
    }
    let facts = &host.facts;
    match facts.load.current() {
        Some(load) => cells.extend([load.one, load.five, load.fifteen].map(|l| format!("{l:.2}"))),
        None => cells.extend([UNKNOWN; 3].map(str::to_owned)),
    }
    let memory = facts.memory.current();
    let (used, most) = (memory.and_then(|m| m.used_percent()), memory.is_some_and(|m| m.cache_unread));
    cells.push(match used {
        Some(percent) if most => format!("≤{percent:.0}%"),
        Some(percent) => format!("{percent:.0}%"),
        None => UNKNOWN.to_owned(),
    });
    let disk = match (facts.filesystems.current(), worst_filesystem(facts)) {
        (Some(_), Some(f)) => match &f.usage {
            Ok(usage) => match usage.use_percent {
                Some(percent) => format!("{percent:>3}% {}", mount(f.mount.as_str())),
                None => format!("  - {}", mount(f.mount.as_str())),
            },
            Err(gap) => format!("  ? {} {}", mount(f.mount.as_str()), gap.word()),
        },
        _ => UNKNOWN.to_owned(),
    };
    cells.push(disk);
    cells.push(match facts.databases.current() {
        Some(databases) => replication_words(replication_brief(databases)),
        None => facts.databases.gap.as_ref().map_or(UNKNOWN.to_owned(), |g| g.word().to_owned()),
    });
    cells.push(host.age(picture.now).map_or(UNKNOWN.to_owned(), short_age));
    cells
}

/// A mount in a bounded number of columns: its end is kept.
fn mount(path: &str) -> String {
    const ROOM: usize = 24;
    if path.width() <= ROOM {
        return path.to_owned();
    }
    let mut kept = 0;
    let end: Vec<char> = path
        .chars()
        .rev()
        .take_while(|c| {
            kept += c.width().unwrap_or(0);
            kept < ROOM
        })
        .collect();
    format!("…{}", end.into_iter().rev().collect::<String>())
}

pub(super) fn sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "CRIT",
        Severity::Unknown => "UNKN",
        Severity::Warning => "WARN",
    }
}

fn code(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "1;31",
        Severity::Unknown => "35",
        Severity::Warning => "33",
    }
}

fn line(
    out: &mut String,
    cells: &[String],
    layout: &[(usize, CellAlign)],
    severity: Option<Severity>,
    colour: bool,
) {
    let mut text = String::new();
    for (i, (cell, (width, align))) in cells.iter().zip(layout).enumerate() {
        let pad = " ".repeat(width.saturating_sub(cell.width()));
        let painted = match severity {
            Some(severity) if i == 0 => paint(cell, code(severity), colour),
            _ => cell.clone(),
        };
        match align {
            CellAlign::Left => text.push_str(&(painted + &pad)),
            CellAlign::Right => text.push_str(&(pad + &painted)),
        }
        text.push_str("  ");
    }
    out.push_str(text.trim_end());
    out.push('\n');
}

fn problems(out: &mut String, picture: &Picture, colour: bool) {
    if picture.problems.is_empty() {
        return;
    }
    out.push('\n');
    for p in &picture.problems {
        let word = paint(sign(p.severity), code(p.severity), colour);
        let host = p.host.as_ref().map_or(picture.env.name.as_str(), |h| h.as_str());
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{word}  {host}: {}", p.message);
        for (key, text) in picture.env.contact(p).parts() {
            let _ = writeln!(out, "      {key}: {text}");
        }
    }
}

fn paint(text: &str, code: &str, colour: bool) -> String {
    if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}
