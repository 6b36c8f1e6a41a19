//! Maintenance sessions on the jump box: beside the folders of runs, in the same folder of the operators' group, by the same checks.

use std::time::Duration;

use tokio::time::sleep;

use super::{ANSWER_LIMIT, LeaseError, LeasePlaces, words};
use crate::transport::Session;
use crate::transport::error::TransportError;
use jumpdeck_fleet::text::Clean;

/// Parts of sessions and records of each that are looked at; what is beyond is said.
const MOST: usize = 200;
/// How often somebody who writes at the same moment is waited for.
const TRIES: u32 = 20;

/// Why nothing can be read or kept there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionPlaceError {
    /// The jump box says why.
    #[error("the jump box cannot keep sessions: {0}")]
    Refused(Clean),
    /// The way there.
    #[error(transparent)]
    Ssh(#[from] TransportError),
    /// Its answer is not one.
    #[error("the jump box's answer about sessions is incomplete")]
    Garbled,
}

impl From<LeaseError> for SessionPlaceError {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Ssh(error) => Self::Ssh(error),
            LeaseError::Refused(why) => Self::Refused(why),
            other @ (LeaseError::Late
            | LeaseError::Held(_)
            | LeaseError::Busy(_)
            | LeaseError::Name(_)
            | LeaseError::NoRun
            | LeaseError::Alone
            | LeaseError::NotAsked
            | LeaseError::OtherStep(_)
            | LeaseError::SamePerson(_)
            | LeaseError::Damaged(_)) => Self::Refused(Clean::new(&other.to_string())),
        }
    }
}

/// One account's part in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPart {
    /// The environment.
    pub env: String,
    /// The session.
    pub id: String,
    /// The account's number: who it is.
    pub uid: u32,
    /// Its name, for eyes.
    pub account: Clean,
    /// Whether it saw the end of the session.
    pub over: bool,
    /// Its records, with their sizes in bytes.
    pub records: Vec<(String, u64)>,
}

/// What the jump box has of sessions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionsThere {
    /// Whether other accounts can read what is kept there.
    pub shared: bool,
    /// This account's number.
    pub uid: u32,
    /// The jump box's clock, in seconds since 1970.
    pub now: i64,
    /// Every account's part in every session.
    pub parts: Vec<SessionPart>,
}

/// How it went to add to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordAdded {
    /// Its length now, in bytes.
    Size(u64),
    /// There is no room: it has so many.
    NoRoom(u64),
    /// Nothing was added: another session of the environment is not over.
    Other(Vec<SessionPart>),
}

/// What the jump box has of the sessions of an environment; of all of them for `None`.
///
/// # Errors
/// Why it cannot be told.
pub async fn sessions_in(
    places: &LeasePlaces,
    session: &dyn Session,
    env: Option<&str>,
) -> Result<SessionsThere, SessionPlaceError> {
    let said = ask(session, places, "sessions", &[env.map_or(Ok("*"), words::name)?]).await?;
    let said = String::from_utf8_lossy(&said);
    let mut lines = said.lines();
    let first =
        lines.next().and_then(|line| line.strip_prefix("place ")).ok_or(SessionPlaceError::Garbled)?;
    let [kind, uid, now]: [&str; 3] =
        first.split('\t').collect::<Vec<_>>().try_into().map_err(|_| SessionPlaceError::Garbled)?;
    Ok(SessionsThere {
        shared: kind == "group",
        uid: uid.parse().map_err(|_| SessionPlaceError::Garbled)?,
        now: now.parse().map_err(|_| SessionPlaceError::Garbled)?,
        parts: parts(lines)?,
    })
}

/// The parts that lines name, up to the one that says that it was all.
fn parts<'l>(lines: impl Iterator<Item = &'l str>) -> Result<Vec<SessionPart>, SessionPlaceError> {
    let mut found: Vec<SessionPart> = Vec::new();
    for line in lines {
        if line == "all" {
            return Ok(found);
        }
        let (word, rest) = line.split_once(' ').ok_or(SessionPlaceError::Garbled)?;
        let cells: Vec<&str> = rest.split('\t').collect();
        match (word, cells.as_slice()) {
            ("part", [uid, account, state, name]) => {
                let [_, env, id, _]: [&str; 4] =
                    name.split('@').collect::<Vec<_>>().try_into().map_err(|_| SessionPlaceError::Garbled)?;
                if found.len() == MOST {
                    return Err(SessionPlaceError::Refused(Clean::new(&format!(
                        "it has more than {MOST} folders of sessions: remove old ones there"
                    ))));
                }
                found.push(SessionPart {
                    env: env.to_owned(),
                    id: id.to_owned(),
                    uid: uid.parse().map_err(|_| SessionPlaceError::Garbled)?,
                    account: Clean::new(account),
                    over: *state == "over",
                    records: Vec::new(),
                });
            }
            ("record", [name, size]) => {
                let part = found.last_mut().ok_or(SessionPlaceError::Garbled)?;
                let size = size.parse().map_err(|_| SessionPlaceError::Garbled)?;
                if part.records.len() < MOST {
                    part.records.push(((*name).to_owned(), size));
                }
            }
            _ => return Err(SessionPlaceError::Garbled),
        }
    }
    Err(SessionPlaceError::Garbled)
}

/// Bytes of a record, from one on, at most that many.
///
/// # Errors
/// Why it cannot be read.
pub async fn record_in(
    places: &LeasePlaces,
    session: &dyn Session,
    part: &SessionPart,
    record: &str,
    (offset, most): (u64, u64),
) -> Result<Vec<u8>, SessionPlaceError> {
    let (uid, offset, most) = (part.uid.to_string(), offset.to_string(), most.to_string());
    let names = [words::name(&part.env)?, words::name(&part.id)?, &uid, words::name(record)?];
    ask(session, places, "record", &[names[0], names[1], names[2], names[3], &offset, &most]).await
}

/// Adds bytes to this account's record of a session where it has exactly `offset` of them; makes this account's part in the session,
/// unless another session of the environment is not over.
///
/// # Errors
/// Why it cannot be kept there.
pub async fn add_in(
    places: &LeasePlaces,
    session: &dyn Session,
    (env, id, record): (&str, &str, &str),
    offset: u64,
    bytes: &str,
) -> Result<RecordAdded, SessionPlaceError> {
    let offset = offset.to_string();
    let arguments = [words::name(env)?, words::name(id)?, words::name(record)?, &offset, bytes];
    for _ in 0..TRIES {
        let said = ask(session, places, "add", &arguments).await?;
        let said = String::from_utf8_lossy(&said);
        let mut full = false;
        let mut lines = said.lines();
        while let Some(line) = lines.next() {
            match line.split_once(' ') {
                Some(("size", size)) => {
                    let size = size.parse().map_err(|_| SessionPlaceError::Garbled)?;
                    return Ok(if full { RecordAdded::NoRoom(size) } else { RecordAdded::Size(size) });
                }
                Some(("refused", why)) => return Err(SessionPlaceError::Refused(Clean::new(why))),
                None if line == "full" => full = true,
                None if line == "other" => return Ok(RecordAdded::Other(parts(lines)?)),
                None if line == "busy" => break,
                Some(_) | None => return Err(SessionPlaceError::Garbled),
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
    Err(SessionPlaceError::Refused("another process has the record locked; try again".into()))
}

/// Keeps that the session is over.
///
/// # Errors
/// Why it cannot be kept there.
pub async fn close_in(
    places: &LeasePlaces,
    session: &dyn Session,
    (env, id): (&str, &str),
) -> Result<(), SessionPlaceError> {
    let said = ask(session, places, "close", &[words::name(env)?, words::name(id)?]).await?;
    if said == b"done\n" { Ok(()) } else { Err(SessionPlaceError::Garbled) }
}

async fn ask(
    session: &dyn Session,
    places: &LeasePlaces,
    question: &str,
    arguments: &[&str],
) -> Result<Vec<u8>, SessionPlaceError> {
    let last = super::ask::call(question, arguments)?;
    let script = words::script(places, "", &[], include_str!("sessions.sh"), &last)?;
    let said = session.run(&script, ANSWER_LIMIT, &mut |_| {}).await?.stdout;
    match said.strip_prefix(b"refused ") {
        Some(why) => Err(SessionPlaceError::Refused(Clean::new(String::from_utf8_lossy(why).trim()))),
        None => Ok(said),
    }
}
