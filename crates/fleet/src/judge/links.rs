//! Who does not answer, and at which hop. A jump box down is one problem, not one for each host behind it.

use super::Situation;
use crate::problem::{Problem, ProblemKind, Severity};
use crate::snapshot::{Link, LinkState, SecondJump};
use crate::time::{Freshness, short_age};

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    if !matches!(s.jump.link.state, LinkState::Up | LinkState::Pending) {
        let (severity, kind) = weigh(s.jump.link.state, ProblemKind::JumpDown);
        let behind = match s.hosts.len() {
            1 => "1 host".to_owned(),
            n => format!("{n} hosts"),
        };
        let message = format!(
            "jump box {} {}: {}. Nothing current is known of the {behind} behind it",
            s.jump.failing(),
            s.jump.link.state.label(),
            said(&s.jump.link),
        );
        out.push(s.problem(severity, None, kind, message));
        return;
    }
    if let Some(second) = &s.jump.second {
        out.push(by_second(s, second));
    }
    for host in s.hosts {
        let name = Some(&host.id.host);
        match host.link.state {
            LinkState::Pending => {
                // Only the very first answer is awaited without a word.
                if let Some(age) = host.age(s.now) {
                    let message = format!("connecting; last report {} ago", short_age(age));
                    out.push(s.problem(Severity::Unknown, name, ProblemKind::Stale, message));
                }
            }
            LinkState::Up => {
                let message = match host.age(s.now) {
                    None => "connected, no report yet".to_owned(),
                    Some(age) if Freshness::of(age, s.env.cadence.poll) == Freshness::Expired => {
                        format!("no report for {}", short_age(age))
                    }
                    Some(_) => continue,
                };
                out.push(s.problem(Severity::Unknown, name, ProblemKind::Stale, message));
            }
            state => {
                let (severity, kind) = weigh(state, ProblemKind::HostDown);
                let message = format!("{}: {}", state.label(), said(&host.link));
                out.push(s.problem(severity, name, kind, message));
            }
        }
    }
}

/// The fleet is seen through the second jump box.
fn by_second(s: &Situation<'_>, second: &SecondJump) -> Problem {
    let (name, first) = (&s.jump.name, &second.first);
    let in_use = format!("{} is in use, for no runs", second.name);
    if let Some(answers) = first.answers {
        let message = format!(
            "jump box {name} answers again since {}; {in_use}. Go back to {name} in the console",
            short_age(s.now.since(answers)),
        );
        return s.problem(Severity::Warning, None, ProblemKind::SecondJump, message);
    }
    let (severity, _) = weigh(first.state, ProblemKind::SecondJump);
    let message = format!(
        "jump box {name} {}: {}; {in_use}. Unfinished runs, and what is seen from {name}, are unknown",
        first.state.label(),
        first.detail,
    );
    s.problem(severity, None, ProblemKind::SecondJump, message)
}

fn said(link: &Link) -> &str {
    if link.detail.is_empty() { "no reason was given" } else { link.detail.as_str() }
}

/// A login that waits for a person, or that we do not try, tells nothing of the machine: unknown. Silence and refusal are critical, and so is
/// anything that may be an impostor.
fn weigh(state: LinkState, down: ProblemKind) -> (Severity, ProblemKind) {
    match state {
        LinkState::AuthFailed | LinkState::NoAlgorithm => (Severity::Unknown, down),
        LinkState::HostKeyUnknown => (Severity::Unknown, ProblemKind::HostKey),
        LinkState::HostKeyChanged | LinkState::HostKeyRefused => (Severity::Critical, ProblemKind::HostKey),
        LinkState::IdentityMismatch => (Severity::Critical, ProblemKind::Identity),
        LinkState::Up
        | LinkState::Pending
        | LinkState::Unreachable
        | LinkState::TimedOut
        | LinkState::NotUsable => (Severity::Critical, down),
    }
}
