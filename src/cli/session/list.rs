//! `jumpdeck session list`.

use serde::Serialize;

use super::site::SessionSite;
use super::{ListArgs, ListFormat, now, text};
use crate::cli::common::{CliError, Common};
use crate::cli::print;
use crate::cli::terminal::paper::{Ink, Paper};
use jumpdeck_fleet::maintenance::MaintenanceSession;

/// Sessions. Its JSON is `schema` 1: fields may be added, none is removed.
#[derive(Debug, Serialize)]
struct SessionList {
    schema: u32,
    environment: String,
    simulated: bool,
    /// Why the jump box's sessions are not among them; `None` when they are.
    jump_unknown: Option<String>,
    sessions: Vec<ListedSession>,
}

#[derive(Debug, Serialize)]
struct ListedSession {
    session: String,
    /// `open`, `ended`, or `unknown` when no record says what it is.
    state: &'static str,
    overdue_s: Option<u64>,
    reason: Option<String>,
    ticket: Option<String>,
    began: Option<String>,
    until: Option<String>,
    by: Option<String>,
    lead: Option<String>,
    /// Whether this machine has a record of it.
    here: bool,
    /// Whether the jump box has one; `None`: unknown.
    on_jump: Option<bool>,
    #[serde(skip)]
    story: Option<MaintenanceSession>,
}

pub(super) async fn run(common: &Common, args: &ListArgs) -> Result<(), CliError> {
    let mut site = SessionSite::open(common, &args.site)?;
    let env = site.env.name.clone();
    let (there, jump_unknown) = match site.jump().await {
        Some(Ok(jump)) => match site.mirror(&*jump).list(&env).await {
            Ok(there) => (Some(there), None),
            Err(error) => (None, Some(error.to_string())),
        },
        Some(Err(why)) => (None, Some(why)),
        None => (None, Some("the jump box was not asked (--here)".to_owned())),
    };
    let mut sessions: Vec<ListedSession> = Vec::new();
    for kept in site.store.of(&env) {
        let on_jump = there.as_ref().map(|there| there.iter().any(|one| one.id == kept.id()));
        sessions.push(listed(kept.id(), kept.story(), true, on_jump));
    }
    for one in there.into_iter().flatten() {
        match sessions.iter_mut().find(|known| known.session == one.id) {
            // An end that was seen there may not be here yet.
            Some(known) => {
                let newer = one.story.filter(|story| !story.is_open());
                if let Some(story) = newer.filter(|_| known.state != "ended") {
                    *known = listed(&one.id, Some(story), true, Some(true));
                }
            }
            None => sessions.push(listed(&one.id, one.story, false, Some(true))),
        }
    }
    // The newest first; of two of the same second the one that is under way.
    sessions.sort_by_key(|one| {
        let began = one.story.as_ref().map(|story| (story.head.began, story.is_open()));
        std::cmp::Reverse((began, one.session.clone()))
    });
    let list = SessionList {
        schema: 1,
        environment: env.to_string(),
        simulated: site.simulated,
        jump_unknown,
        sessions,
    };
    let text = match args.format {
        ListFormat::Text => words(&list),
        ListFormat::Json => {
            format!("{}\n", serde_json::to_string_pretty(&list).map_err(std::io::Error::from)?)
        }
    };
    print::answer(&text)?;
    if let Some(why) = list.jump_unknown.filter(|_| !args.site.here) {
        return Err(CliError::Refused(format!("sessions on the jump box are unknown: {why}")));
    }
    Ok(())
}

fn listed(id: &str, story: Option<MaintenanceSession>, here: bool, on_jump: Option<bool>) -> ListedSession {
    let of = |take: &dyn Fn(&MaintenanceSession) -> String| story.as_ref().map(take);
    ListedSession {
        session: id.to_owned(),
        state: match &story {
            Some(story) if story.is_open() => "open",
            Some(_) => "ended",
            None => "unknown",
        },
        overdue_s: story.as_ref().and_then(|story| story.overdue(now())),
        reason: of(&|story| story.head.reason.to_string()),
        ticket: of(&|story| story.head.ticket.to_string()),
        began: of(&|story| story.head.began.rfc3339()),
        until: of(&|story| story.head.until.rfc3339()),
        by: of(&|story| story.head.by.to_string()),
        lead: of(&|story| story.lead.to_string()),
        here,
        on_jump,
        story,
    }
}

fn words(list: &SessionList) -> String {
    let mut paper = Paper::of_stdout();
    if list.sessions.is_empty() {
        let known = if list.jump_unknown.is_some() { " on this machine" } else { "" };
        paper.words(0, Ink::Plain, &format!("no session of {} is known{known}", list.environment));
    }
    let rows: Vec<(Ink, Vec<String>)> = list.sessions.iter().map(row).collect();
    paper.table(0, &rows);
    paper.take()
}

fn row(one: &ListedSession) -> (Ink, Vec<String>) {
    let place = match (one.here, one.on_jump) {
        (true, Some(true)) => "here, jump box",
        (true, Some(false)) => "here only",
        (true, None) => "here",
        (false, _) => "jump box",
    };
    let (ink, state, says) = match &one.story {
        Some(story) => {
            let (ink, state) = text::state(story, now());
            let head = &story.head;
            let ticket = if head.ticket.is_empty() { String::new() } else { format!(" ({})", head.ticket) };
            (ink, state, format!("{}: {}{ticket}", story.lead, head.reason))
        }
        None => (Ink::Warn, "unknown".to_owned(), "no record says what it is".to_owned()),
    };
    (ink, vec![one.session.clone(), place.to_owned(), state, says])
}
