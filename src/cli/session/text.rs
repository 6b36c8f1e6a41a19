//! A session in words.

use super::shown;
use crate::cli::terminal::paper::{Ink, Paper};
use jumpdeck_fleet::maintenance::{MaintenanceSession, SessionMark, SessionPerson, SessionState};
use jumpdeck_fleet::time::short_age;
use jumpdeck_fleet::timeline::WallTime;

/// In a line: `session 20261130T2130-a3f9 of production until 2026-11-30 23:30Z: upgrade the databases (OPS-12)`.
pub(super) fn brief(session: &MaintenanceSession) -> String {
    let head = &session.head;
    let simulated = if head.simulated { "SIMULATED " } else { "" };
    let ticket = if head.ticket.is_empty() { String::new() } else { format!(" ({})", head.ticket) };
    let until = shown(head.until);
    format!("session {} of {simulated}{} until {until}: {}{ticket}", head.id, head.env, head.reason)
}

/// Whether it is under way, and how its planned end compares with now.
pub(super) fn state(session: &MaintenanceSession, now: WallTime) -> (Ink, String) {
    match (&session.state, session.overdue(now)) {
        (SessionState::Ended { at, by, reason }, _) => {
            let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            (Ink::Plain, format!("ended {} by {by}{reason}", shown(*at)))
        }
        (SessionState::Open, Some(late)) => {
            let late = short_age(std::time::Duration::from_secs(late));
            (Ink::Warn, format!("open, {late} past its planned end"))
        }
        (SessionState::Open, None) => {
            (Ink::Good, format!("open, {} left", short_age(session.head.until.since(now))))
        }
    }
}

/// All of it, for a terminal.
pub(super) fn whole(session: &MaintenanceSession, now: WallTime) -> String {
    let mut paper = Paper::of_stdout();
    let head = &session.head;
    paper.words(0, Ink::Bold, &brief(session));
    let (ink, state) = state(session, now);
    paper.field(2, "state", ink, &state);
    paper.field(2, "began", Ink::Plain, &format!("{} by {}", shown(head.began), head.by));
    let waiting =
        session.handed_to.as_ref().map(|pending| format!(", handed over to {} (not confirmed)", pending.to));
    paper.field(2, "led by", Ink::Plain, &format!("{}{}", session.lead, waiting.unwrap_or_default()));
    if !head.people.is_empty() {
        let planned: Vec<&str> = head.people.iter().map(|name| name.as_str()).collect();
        paper.field(2, "planned", Ink::Plain, &planned.join(", "));
    }
    let people: Vec<String> = session.people.iter().map(|one| person(one, now)).collect();
    paper.field(2, "people", Ink::Plain, &people.join("; "));
    for trouble in session.troubles.iter().map(ToString::to_string).chain(session.clocks()) {
        paper.field(2, "note", Ink::Warn, &trouble);
    }
    paper.gap();
    for row in &session.story {
        let ink = if row.mark == SessionMark::Note { Ink::Bold } else { Ink::Plain };
        let before = format!("{}  {:<8}  {}: ", shown(row.at), row.mark.word(), row.who);
        paper.words(0, ink, &format!("{before}{}", row.says));
        for line in &row.more {
            paper.words(8, ink, line.as_str());
        }
    }
    paper.take()
}

fn person(one: &SessionPerson, now: WallTime) -> String {
    let account = one.account.as_ref().map(|account| format!(" (as {account})")).unwrap_or_default();
    format!("{}{account}, last line {} ago", one.who, short_age(now.since(one.last)))
}
