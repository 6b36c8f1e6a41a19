//! Nothing unknown is green: every way not to know, on every screen that shows the host.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use ratatui::buffer::Buffer;
use ratatui::style::Color;

use super::fixtures::*;
use super::tests::{drawn, rows};
use crate::app::model::{Model, Screen};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::snapshot::unknowns::{gaps, misses, states};
use jumpdeck_fleet::snapshot::{HostSnapshot, Link, LinkState};
use jumpdeck_fleet::time::Moment;

const SIZE: (u16, u16) = (200, 50);
/// A master, a replica, the jump box, and a host with nothing special.
const HOSTS: [&str; 4] = ["db1-masterdb", "db2", "salt", "app1"];

fn green() -> Color {
    styles("dark").ok.fg.unwrap()
}

/// The line below the header that has the text.
fn line_of(buf: &Buffer, text: &str) -> u16 {
    let rows = rows(buf);
    let at = (2..rows.len()).find(|y| rows[*y].contains(text)).unwrap_or_else(|| panic!("{text}: {rows:#?}"));
    u16::try_from(at).unwrap()
}

/// No cell of a line is green, and it does not show the sign of ok.
fn is_not_ok(buf: &Buffer, line: u16, what: &str) {
    let row = &rows(buf)[usize::from(line)];
    assert!((0..SIZE.0).all(|x| buf[(x, line)].fg != green()), "{what}: green: {row}");
    assert!(!row.contains('●') && !row.contains('○'), "{what}: {row}");
}

/// Neither the fleet, nor the host's own page, nor the tab of the environment says that all is well.
fn nothing_is_well(host: &str, what: &str, change: impl Fn(&mut HostSnapshot)) {
    let mut model: Model = healthy();
    edit(&mut model.environments[0], host, |h| {
        serve(h, 0);
        change(h);
    });
    let model = settled(model);
    let fleet = drawn(&model, &styles("dark"), SIZE);
    let tabs = &rows(&fleet)[0];
    assert!(!tabs.contains("● production"), "{what}: {tabs}");
    is_not_ok(&fleet, line_of(&fleet, &format!(" {host} ")), what);
    let page = drawn(&on(model, Screen::Host(name(host))), &styles("dark"), SIZE);
    is_not_ok(&page, line_of(&page, &format!(" {host}  ")), what);
}

#[test]
fn no_gap_is_green() {
    for host in ["db1-masterdb", "app1"] {
        for (question, miss) in misses() {
            for gap in gaps() {
                for read_before in [true, false] {
                    let what = format!("{host} {question} {} {read_before}", gap.word());
                    nothing_is_well(host, &what, |h| miss(&mut h.facts, &gap, read_before));
                }
            }
        }
    }
}

#[test]
fn no_state_of_a_connection_but_up_with_a_report_is_green() {
    for host in HOSTS {
        for state in states() {
            for reported in [None, Some(Moment(0)), Some(NOW)] {
                if state == LinkState::Up && reported == Some(NOW) {
                    continue;
                }
                let what = format!("{host} {} {reported:?}", state.word());
                nothing_is_well(host, &what, |h| {
                    let hop = Some(Hop::Host(h.id.host.clone()));
                    h.link = Link { state, hop, ..h.link.clone() };
                    h.reported_at = reported;
                });
            }
        }
    }
}

#[test]
fn nothing_is_green_when_time_has_passed() {
    for (seconds, host) in [21, 60, 600, 7_000].into_iter().zip(HOSTS) {
        let old = Moment(NOW.0 - seconds * 1000);
        nothing_is_well(host, &format!("{seconds} s old"), |h| h.reported_at = Some(old));
    }
}
