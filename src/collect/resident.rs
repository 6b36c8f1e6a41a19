//! The resident probe, this side of it: the program a host runs, the ticks it is sent, and the reports that
//! come back. Pure: bytes in, bytes out.

mod frame;

use std::time::Duration;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

use super::probe::{Probe, ProbeCadence, unreadable};
use super::probes::{PROBES, clock};

pub use frame::{FrameError, FrameReader, MAX_FRAME, Report};

/// What a session channel executes: every login shell (bash, dash, zsh, fish, tcsh) reads it alike. The program then
/// goes to its standard input.
pub const COMMAND: &str = "exec /bin/sh";

/// A slow section is asked with the first report of a connection and with every so-many-th after it.
const SLOW_EVERY: u64 = 6;

/// The sections to ask for with a connection's report number `nth`, counted from 0.
#[must_use]
pub fn sections(host: &Host, nth: u64) -> Vec<&'static str> {
    let due = |p: &&&dyn Probe| p.cadence() == ProbeCadence::Every || nth.is_multiple_of(SLOW_EVERY);
    applicable(host).filter(due).map(|p| p.name()).collect()
}

/// The program for a host. It ends with the first question: the report for `nonce` and `sections` comes unasked, and
/// no [`tick`] may be sent before that report has begun to arrive (a shell may read its script in blocks).
#[must_use]
pub fn program(host: &Host, nonce: &str, sections: &[&str]) -> String {
    let mut program = String::with_capacity(16 * 1024);
    push_code(&mut program, include_str!("resident.sh"));
    program.push_str(if host.sudo { "SUDO='sudo -n'\n" } else { "SUDO=\n" });
    program.push_str(if host.has_role("db") { "DB_EXPECTED=yes\n" } else { "DB_EXPECTED=no\n" });
    for probe in applicable(host) {
        if let Some(settings) = probe.settings(host) {
            push_code(&mut program, &settings);
        }
        push_code(&mut program, probe.script());
    }
    program.push_str("jd_main");
    push_question(&mut program, nonce, sections);
    program
}

/// Whether the program that runs on a host is still right when the inventory says this of it instead.
#[must_use]
pub(crate) fn is_same_program(before: &Host, now: &Host) -> bool {
    before == now || program(before, "", &[]) == program(now, "", &[])
}

/// The line that asks for a report. `nonce`: letters and digits, fresh each time; other characters are dropped, here
/// and in the program, so that nothing but words reaches the shell.
#[must_use]
pub fn tick(nonce: &str, sections: &[&str]) -> String {
    let mut line = String::from("tick");
    push_question(&mut line, nonce, sections);
    line
}

/// Reads a report into the facts. A section asked for and not there is unreadable; one not asked for stays untouched.
/// The clock is read by [`learn_clock`], which wants to know more.
pub fn ingest(report: &Report, asked: &[&'static str], at: Moment, facts: &mut HostFacts) {
    for probe in PROBES {
        if !asked.contains(&probe.name()) {
            continue;
        }
        match report.section(probe.name()) {
            None => probe.ingest(Err(unreadable("truncated report")), at, facts),
            Some(raw) if raw.text.len() > probe.longest() => {
                let limit = format!("its answer is longer than {} KiB", probe.longest() / 1024);
                probe.ingest(Err(Gap::Cut(Clean::new(&limit))), at, facts);
            }
            Some(raw) => probe.ingest(Ok(raw), at, facts),
        }
    }
}

/// Reads the host's clock out of a report that was asked for it. `arrived_epoch_ms`: our clock when the report arrived;
/// `took`: how long it had been asked for then. The offset is the host's clock minus ours, as far as the time between
/// question and answer does not explain it: whoever answers late is not thereby off.
pub fn learn_clock(
    report: &Report,
    arrived_epoch_ms: i64,
    took: Duration,
    at: Moment,
    facts: &mut HostFacts,
) {
    let Some(raw) = report.section(clock::NAME) else { return };
    if let Ok(host_ms) = clock::epoch_ms(raw) {
        let least = host_ms.saturating_sub(arrived_epoch_ms);
        let most = least.saturating_add(i64::try_from(took.as_millis()).unwrap_or(i64::MAX));
        facts.clock_offset_ms.learn(if least > 0 { least } else { most.min(0) }, at);
    }
}

fn applicable(host: &Host) -> impl Iterator<Item = &'static &'static dyn Probe> {
    PROBES.iter().filter(move |p| p.applies(host))
}

/// Adds shell code without its comment lines, indentation and blank lines: less to send, nothing to run.
/// (No section holds a here-document or a string of several lines that this would change.)
fn push_code(program: &mut String, code: &str) {
    for line in code.lines().map(str::trim_start) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        program.push_str(line);
        program.push('\n');
    }
}

fn push_question(out: &mut String, nonce: &str, sections: &[&str]) {
    out.push(' ');
    out.extend(nonce.chars().filter(char::is_ascii_alphanumeric));
    for section in sections {
        out.push(' ');
        out.extend(section.chars().filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_'));
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::collect::probe::Raw;

    fn offset(host_ms: i64, arrived_ms: i64, took_ms: u64) -> i64 {
        let text = format!("{}.{:03}\n", host_ms / 1000, host_ms % 1000);
        let sections = vec![(clock::NAME.to_owned(), Raw { status: 0, text })];
        let report = Report { nonce: "n".to_owned(), sections, noise: 0 };
        let mut facts = HostFacts::default();
        learn_clock(&report, arrived_ms, Duration::from_millis(took_ms), Moment(0), &mut facts);
        *facts.clock_offset_ms.current().unwrap()
    }

    #[test]
    fn a_slow_report_does_not_put_a_clock_off() {
        // Read anywhere between question and answer by a host whose clock is right.
        for read in [0, 100, 2_500, 5_000] {
            assert_eq!(offset(1_700_000_000_000 + read, 1_700_000_005_000, 5_000), 0, "{read}");
        }
    }

    #[test]
    fn only_what_the_round_trip_cannot_explain_is_an_offset() {
        assert_eq!(offset(1_700_000_060_000, 1_700_000_000_000, 40), 60_000);
        assert_eq!(offset(1_700_000_000_000, 1_700_000_060_000, 40), -59_960);
    }
}
