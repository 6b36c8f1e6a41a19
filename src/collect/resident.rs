//! The resident probe, this side of it: the program a host runs, the ticks it is sent, and the reports that come back.
//! Pure: bytes in, bytes out. May import `domain` and the probes.

mod frame;

use std::time::Duration;

use crate::domain::fact::Gap;
use crate::domain::fleet::Host;
use crate::domain::snapshot::HostFacts;
use crate::domain::time::Moment;

use super::probe::{MAX_SECTION, Probe, ProbeCadence, unreadable};
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
        push_code(&mut program, probe.script());
    }
    program.push_str("jd_main");
    push_question(&mut program, nonce, sections);
    program
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
            Some(raw) if raw.text.len() > MAX_SECTION => {
                probe.ingest(Err(unreadable("longer than 256 KiB")), at, facts);
            }
            Some(raw) => probe.ingest(Ok(raw), at, facts),
        }
    }
}

/// Notes why a whole report did not come, in every fact that was asked for.
pub fn miss(gap: &Gap, asked: &[&'static str], at: Moment, facts: &mut HostFacts) {
    for probe in PROBES {
        if asked.contains(&probe.name()) {
            probe.ingest(Err(gap.clone()), at, facts);
        }
    }
}

/// Reads the host's clock out of a report that was asked for it. `arrived_epoch_ms`: our clock when the report arrived;
/// `rtt`: the round trip to the host. The offset is the host's clock minus ours; the clock is the last thing a report
/// reads, so half a round trip lies between that and the arrival.
pub fn learn_clock(report: &Report, arrived_epoch_ms: i64, rtt: Duration, at: Moment, facts: &mut HostFacts) {
    /// More than this is no way back but the host's work before it read its clock, and says nothing about it.
    const LONGEST_WAY_BACK: Duration = Duration::from_millis(250);
    let Some(raw) = report.section(clock::NAME) else { return };
    if let Ok(host_ms) = clock::epoch_ms(raw) {
        let half = i64::try_from((rtt / 2).min(LONGEST_WAY_BACK).as_millis()).unwrap_or(0);
        let offset = host_ms.saturating_add(half).saturating_sub(arrived_epoch_ms);
        facts.clock_offset_ms.learn(offset, at);
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
