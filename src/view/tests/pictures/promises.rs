//! What holds for every picture: in every theme, at every size.

use ratatui::style::Color;

use super::drawing::{looks, sized};
use super::walker::By;
use super::*;
use crate::view::signs::Status;
use jumpdeck_fleet::snapshot::{Link, LinkState};

fn pictures() -> impl Iterator<Item = (&'static str, Model)> {
    all().map(|picture| (picture.name, picture.by(By::Keys("default"))))
}

/// The first text that cannot be read on its ground.
pub(in crate::view::tests) fn unreadable(buf: &Buffer) -> Option<String> {
    buf.content.iter().enumerate().find_map(|(at, cell)| {
        // Lines of boxes, trees and empty bars are no text.
        let line = cell.symbol().chars().all(|c| ('\u{2500}'..='\u{257f}').contains(&c));
        if line || cell.symbol() == " " {
            return None;
        }
        let ratio = styles::contrast(cell.fg, cell.bg).unwrap();
        let (x, y) = buf.pos_of(at);
        (ratio < 4.5).then(|| {
            format!(
                "{:?} {:?} on {:?} is {ratio:.2} at {x},{y} of\n{}",
                cell.symbol(),
                cell.fg,
                cell.bg,
                rows(buf).join("\n")
            )
        })
    })
}

#[test]
fn every_text_of_every_picture_can_be_read_in_every_theme_at_every_size() {
    for (name, mut model) in pictures() {
        for size in PICTURE_SIZES {
            model = sized(model, size);
            for support in [ColorSupport::TrueColor, ColorSupport::Ansi256] {
                for (theme, styles) in looks(support) {
                    let unreadable = unreadable(&drawn(&model, &styles, size));
                    assert_eq!(unreadable, None, "{name}, {theme} {support:?}, {size:?}");
                }
            }
        }
    }
}

#[test]
fn without_colour_no_cell_of_a_picture_has_one() {
    for (name, model) in pictures() {
        let buf = drawn(&model, &Styles::default(), (80, 24));
        assert!(buf.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset), "{name}");
    }
}

#[test]
fn every_picture_is_ascii_where_only_that_is_shown() {
    for (name, model) in pictures() {
        let buf = drawn(&model, &styles("dark").in_ascii(true), (80, 24));
        let odd = buf.content.iter().find(|cell| !cell.symbol().is_ascii());
        assert!(odd.is_none(), "{name}: {odd:?}\n{}", rows(&buf).join("\n"));
    }
}

#[test]
fn no_picture_reaches_over_an_edge_or_ends_the_console_at_any_size() {
    let widths = [0, 1, 2, 3, 7, 20, 40, 59, 60, 61, 79, 80, 97, 133, 400];
    let heights = [0, 1, 2, 3, 5, 9, 14, 15, 16, 23, 60, 200];
    for (name, mut model) in pictures() {
        for size in widths.iter().flat_map(|width| heights.map(|height| (*width, height))) {
            model = sized(model, size);
            let buf = drawn(&model, &styles("dark"), size);
            assert_eq!((buf.area.width, buf.area.height), size, "{name}");
            for (at, cell) in buf.content.iter().enumerate() {
                let width = unicode_width::UnicodeWidthStr::width(cell.symbol());
                let end = usize::from(buf.pos_of(at).0) + width;
                assert!(
                    end <= usize::from(size.0),
                    "{name} at {size:?}: {:?} reaches over the edge",
                    cell.symbol()
                );
            }
        }
    }
}

/// Ways not to know how a host is.
#[derive(Debug, Clone, Copy)]
enum Unseen {
    /// It does not answer.
    Silent,
    /// Its last answer is too old.
    Old,
    /// The jump box is gone.
    CutOff,
}

/// No host of any environment is seen any more.
fn unseen(mut model: Model, how: Unseen) -> Model {
    let long_ago = Moment(model.now.0 - 600_000);
    let down = |link: &Link| Link {
        state: LinkState::Unreachable,
        detail: "no route to host".into(),
        since: long_ago,
        ..link.clone()
    };
    for env in &mut model.environments {
        let hosts: Vec<String> = env.hosts.iter().map(|host| host.id.host.to_string()).collect();
        for host in hosts {
            edit(env, &host, |host| {
                host.reported_at = host.reported_at.map(|_| long_ago);
                if matches!(how, Unseen::Silent) {
                    host.link = down(&host.link);
                }
            });
        }
        if matches!(how, Unseen::CutOff) {
            let jump = Arc::make_mut(&mut env.jump);
            jump.link = down(&jump.link);
        }
    }
    settled(model)
}

/// Whether a screen shows what was found or done at a time that it names, which stays so when its host is gone: a plan, steps, answers, what
/// was written in a session, what a look found (how old it is, is said by its own answers: `look` tests that).
fn shows_work(screen: &Screen) -> bool {
    match screen {
        Screen::Plan
        | Screen::Run(_)
        | Screen::PastRun(_)
        | Screen::PastRuns
        | Screen::Answers
        | Screen::Session
        | Screen::Look(_)
        | Screen::Events => true,
        Screen::Fleet
        | Screen::Host(_)
        | Screen::Replication
        | Screen::Roles
        | Screen::Problems
        | Screen::Services
        | Screen::Runbooks
        | Screen::Compare(_)
        | Screen::CompareEnvironments(_)
        | Screen::Charts(_)
        | Screen::Views
        | Screen::Logs
        | Screen::Power(_) => false,
    }
}

/// The rows that have a cell in the colour of what is well, or its sign; the row of the header that names the jump box, if that is well.
fn well(buf: &Buffer, ok: Option<Color>, jump_is_well: bool) -> Vec<String> {
    let cells = buf.content.chunks(usize::from(buf.area.width));
    let is_well = |cell: &ratatui::buffer::Cell| {
        cell.symbol() == Status::Ok.sign() || (Some(cell.fg) == ok && cell.symbol() != " ")
    };
    let lines = cells.zip(rows(buf)).enumerate().filter(|(row, _)| *row != 1 || !jump_is_well);
    lines.filter(|(_, (cells, _))| cells.iter().any(is_well)).map(|(_, (_, line))| line).collect()
}

#[test]
fn what_is_not_seen_any_more_has_neither_the_colour_nor_the_sign_of_what_is_well() {
    let mut found: Vec<String> = Vec::new();
    for picture in screens_alone() {
        for how in [Unseen::Silent, Unseen::Old, Unseen::CutOff] {
            let model = unseen(picture.by(By::Keys("default")), how);
            if shows_work(model.screen()) {
                continue;
            }
            let jump_is_well = !matches!(how, Unseen::CutOff);
            for size in PICTURE_SIZES {
                let mut all = looks(ColorSupport::TrueColor);
                all.push(("no colour".to_owned(), Styles::default()));
                for (theme, styles) in all {
                    let rows = well(&drawn(&model, &styles, size), styles.ok.fg, jump_is_well);
                    found.extend(rows.iter().map(|row| format!("{}, {how:?}, {theme}: {row}", picture.name)));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Where hosts are rows, or one is shown in full: without colour the text alone says that it is not seen.
#[test]
fn without_colour_text_tells_a_host_that_is_seen_from_one_that_is_not() {
    let lines_of = |model: &Model, host: &str| -> Vec<String> {
        let all = rows(&drawn(model, &Styles::default(), (120, 40)));
        all.into_iter().skip(2).filter(|row| row.contains(host)).collect()
    };
    let mut looked_at = 0;
    for picture in screens_alone() {
        let seen = picture.of(told(healthy()), By::Keys("default"));
        let kind = seen.screen().kind();
        let hosts = match seen.screen() {
            Screen::Host(host) => vec![host.clone()],
            _ if kind.rows_are_hosts() => kind.hosts(&seen).into_iter().cloned().collect(),
            _ => Vec::new(),
        };
        for how in [Unseen::Silent, Unseen::Old, Unseen::CutOff] {
            let gone = unseen(picture.of(told(healthy()), By::Keys("default")), how);
            for host in &hosts {
                let (before, after) = (lines_of(&seen, host.as_str()), lines_of(&gone, host.as_str()));
                if before.is_empty() {
                    continue;
                }
                assert_ne!(before, after, "{}, {how:?}: {host} looks the same", picture.name);
                looked_at += 1;
            }
        }
    }
    assert!(looked_at >= 90, "{looked_at} hosts were looked at");
}
