//! Sessions on the jump box: this machine's lines go there, others' lines come from there.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::Instant;

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};

use super::record::{RecordError, RecordFile, beginning};
use super::wire::stamp;
use super::{KeptSession, LONGEST_COPY, SessionStore, new_record, wire};
use crate::runbook::lease::LeasePlaces;
use crate::runbook::lease::sessions::{
    RecordAdded, SessionPart, SessionPlaceError, SessionsThere, add_in, close_in, record_in, sessions_in,
};
use crate::transport::Session;
use jumpdeck_fleet::maintenance::{AHEAD, MaintenanceSession, SessionEntry, SessionHead, SessionRecord};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::text::Clean;

/// What is sent at once, in bytes.
const PIECE: usize = 16 << 10;
/// What is read at once: more than the longest line.
const READ: u64 = 64 << 10;

/// Why a session cannot be kept on the jump box, or read from there.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The jump box.
    #[error(transparent)]
    There(#[from] SessionPlaceError),
    /// This machine.
    #[error(transparent)]
    Here(#[from] RecordError),
    /// Another session of the environment is under way.
    #[error("{}", other_session(.0))]
    Other(Box<SessionThere>),
}

fn other_session(other: &SessionThere) -> String {
    let SessionThere { env, id, story, .. } = other;
    match story {
        Some(story) => format!(
            "{} has a session already: {:?} by {} ({id}); join it: jumpdeck session join {id} --env {env}",
            env, story.head.reason, story.head.by
        ),
        None => format!("{env} has a session already, whose records cannot be read: {id}"),
    }
}

/// A session on the jump box.
#[derive(Debug, Clone)]
pub struct SessionThere {
    /// Its environment.
    pub env: EnvName,
    /// Its name.
    pub id: String,
    /// Whether one of those who take part saw its end.
    pub over: bool,
    /// The records that were read, with their sizes.
    pub parts: Vec<SessionPart>,
    /// What happened; `None` when no record says what it is.
    pub story: Option<MaintenanceSession>,
}

/// How the records here and there compare.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mirrored {
    /// Whether other accounts can read it there.
    pub shared: bool,
    /// Bytes of this machine's record that are there.
    pub there: u64,
    /// Lines of this machine that are not there.
    pub behind: usize,
    /// Why, when that is not only a matter of time.
    pub why: Option<Clean>,
}

/// A session on the jump box, in the places of its environment.
pub struct SessionMirror<'s> {
    places: LeasePlaces,
    session: &'s dyn Session,
}

impl<'s> SessionMirror<'s> {
    /// Over a connection to the jump box.
    #[must_use]
    pub fn new(places: LeasePlaces, session: &'s dyn Session) -> Self {
        Self { places, session }
    }

    /// Starts a session: there first, so that of two that start at the same time one is refused, then here.
    ///
    /// # Errors
    /// [`MirrorError::Other`] when the environment has one; why it cannot be kept.
    pub async fn start(
        &self,
        store: &SessionStore,
        who: &str,
        head: &SessionHead,
    ) -> Result<KeptSession, MirrorError> {
        let kept = store.session(&head.env, &head.id);
        let (record, entry) = (new_record(), SessionEntry::Started(head.clone()));
        kept.own().create(&record, who, stamp(head.began), &entry)?;
        let text = beginning(&record, &head.id, who, stamp(head.began), &entry)?;
        let of = (head.env.as_str(), head.id.as_str(), record.as_str());
        match add_in(&self.places, self.session, of, 0, &text).await {
            Ok(RecordAdded::Size(_) | RecordAdded::NoRoom(_)) => Ok(kept),
            Ok(RecordAdded::Other(parts)) => {
                kept.forget();
                Err(self.other(&head.env, &parts).await)
            }
            Err(error) => {
                kept.forget();
                Err(error.into())
            }
        }
    }

    async fn other(&self, env: &EnvName, parts: &[SessionPart]) -> MirrorError {
        let there = SessionsThere { parts: parts.to_vec(), ..SessionsThere::default() };
        match self.told(env, &there).await {
            Ok(found) => match found.into_iter().find(|one| !one.over) {
                Some(other) => MirrorError::Other(Box::new(other)),
                None => SessionPlaceError::Garbled.into(),
            },
            Err(error) => error,
        }
    }

    /// The sessions of an environment, the newest first.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub async fn list(&self, env: &EnvName) -> Result<Vec<SessionThere>, MirrorError> {
        let there = sessions_in(&self.places, self.session, Some(env.as_str())).await?;
        self.told(env, &there).await
    }

    /// The session of an environment that is not over. One that was read before is not read again until there is more of it.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub async fn open(
        &self,
        env: &EnvName,
        before: Option<&SessionThere>,
    ) -> Result<Option<SessionThere>, MirrorError> {
        let there = sessions_in(&self.places, self.session, Some(env.as_str())).await?;
        let over = |id: &str| there.parts.iter().any(|part| part.id == id && part.over);
        let Some(id) = there.parts.iter().map(|part| part.id.as_str()).filter(|id| !over(id)).max() else {
            return Ok(None);
        };
        let parts: Vec<SessionPart> = there.parts.iter().filter(|part| part.id == id).cloned().collect();
        if let Some(before) = before.filter(|before| before.parts == parts) {
            return Ok(Some(before.clone()));
        }
        let only = SessionsThere { parts, ..there };
        Ok(self
            .told(env, &only)
            .await?
            .into_iter()
            .find(|one| one.story.as_ref().is_none_or(MaintenanceSession::is_open)))
    }

    async fn told(&self, env: &EnvName, there: &SessionsThere) -> Result<Vec<SessionThere>, MirrorError> {
        let mut ids: Vec<&str> = there.parts.iter().map(|part| part.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut found = Vec::new();
        for id in ids.into_iter().rev() {
            let parts: Vec<&SessionPart> = there.parts.iter().filter(|part| part.id == id).collect();
            let mut records = Vec::new();
            for part in &parts {
                for (record, size) in &part.records {
                    records.push(self.record(part, record, *size).await?);
                }
            }
            found.push(SessionThere {
                env: env.clone(),
                id: id.to_owned(),
                over: parts.iter().any(|part| part.over),
                story: MaintenanceSession::of(&records),
                parts: parts.into_iter().cloned().collect(),
            });
        }
        Ok(found)
    }

    /// Reads a record whole.
    async fn record(
        &self,
        part: &SessionPart,
        record: &str,
        size: u64,
    ) -> Result<SessionRecord, MirrorError> {
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < size.min(LONGEST_COPY) {
            let more = self.piece(part, record, bytes.len() as u64).await?;
            if more.is_empty() {
                break;
            }
            bytes.extend(more);
        }
        let mut read = wire::record(&part.id, record, &bytes);
        read.account = Some(part.account.clone());
        Ok(read)
    }

    async fn piece(&self, part: &SessionPart, record: &str, from: u64) -> Result<Vec<u8>, SessionPlaceError> {
        record_in(&self.places, self.session, part, record, (from, READ)).await
    }

    /// Sends the lines that the jump box lacks, and fetches those that this machine lacks.
    ///
    /// # Errors
    /// Why nothing could be compared; what was sent or taken before stays.
    pub async fn sync(
        &self,
        kept: &KeptSession,
        who: &str,
        asked: Timestamp,
    ) -> Result<Mirrored, MirrorError> {
        let began = Instant::now();
        let there = sessions_in(&self.places, self.session, Some(kept.env.as_str())).await?;
        self.compare_clocks(kept, who, asked, began, there.now)?;
        let parts: Vec<&SessionPart> = there.parts.iter().filter(|part| part.id == kept.id).collect();
        for part in &parts {
            for (record, size) in &part.records {
                self.take(kept, part, record, *size).await?;
            }
        }
        let mut mirrored = self.send(kept, &there).await?;
        mirrored.shared = there.shared;
        let own = parts.iter().find(|part| part.uid == there.uid);
        let ended = kept.story().is_some_and(|story| !story.is_open());
        if ended && mirrored.behind == 0 && own.is_none_or(|part| !part.over) && kept.own().exists() {
            close_in(&self.places, self.session, (kept.env.as_str(), &kept.id)).await?;
        }
        Ok(mirrored)
    }

    async fn send(&self, kept: &KeptSession, there: &SessionsThere) -> Result<Mirrored, MirrorError> {
        let bytes = kept.own().bytes()?;
        let Some(record) = RecordFile::name(&bytes) else { return Ok(Mirrored::default()) };
        let text = String::from_utf8_lossy(&bytes);
        let own = there.parts.iter().find(|part| part.id == kept.id && part.uid == there.uid);
        let known = own.and_then(|part| part.records.iter().find(|(name, _)| *name == record));
        let mut size = known.map_or(0, |(_, size)| *size);
        let mut mirrored = Mirrored::default();
        loop {
            let Some(rest) = usize::try_from(size).ok().and_then(|at| text.get(at..)) else {
                mirrored.why = Some("the record there is not the beginning of the one here".into());
                break;
            };
            if rest.is_empty() {
                break;
            }
            if size >= LONGEST_COPY {
                mirrored.why =
                    Some(Clean::new(&format!("a record there has at most {} MiB", LONGEST_COPY >> 20)));
                break;
            }
            let piece = piece_of(rest);
            let of = (kept.env.as_str(), kept.id.as_str(), record.as_str());
            match add_in(&self.places, self.session, of, size, piece).await? {
                RecordAdded::Size(now) if now == size => {
                    mirrored.why = Some("the jump box did not add to the record".into());
                    break;
                }
                RecordAdded::Size(now) => size = now,
                RecordAdded::NoRoom(now) => {
                    size = now;
                    mirrored.why = Some("the folder of sessions on the jump box is full".into());
                    break;
                }
                RecordAdded::Other(parts) => return Err(self.other(&kept.env, &parts).await),
            }
        }
        mirrored.there = size;
        let there = usize::try_from(size).unwrap_or(usize::MAX);
        mirrored.behind = text.get(there..).unwrap_or_default().lines().count();
        Ok(mirrored)
    }

    /// Takes what is not here yet of another's record.
    async fn take(
        &self,
        kept: &KeptSession,
        part: &SessionPart,
        record: &str,
        size: u64,
    ) -> Result<(), MirrorError> {
        let own = kept.own().bytes()?;
        if RecordFile::name(&own).as_deref() == Some(record) {
            return Ok(());
        }
        let copy = kept.copy_of(part.uid, &part.account, record);
        let mut have = copy.bytes()?.len() as u64;
        while have < size.min(LONGEST_COPY) {
            let more = self.piece(part, record, have).await?;
            // The last line may be half there; it is taken when it is whole.
            let whole = more.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let Some(whole) = more.get(..whole).filter(|whole| !whole.is_empty()) else { break };
            let wrong =
                |error: std::io::Error| RecordError::Io { path: copy.path.clone(), what: error.to_string() };
            if !append(&copy.path, have, whole).map_err(wrong)? {
                break;
            }
            have += whole.len() as u64;
        }
        Ok(())
    }

    /// Keeps by how much the clocks differ, where that is more than the time that the answer took, and changed.
    fn compare_clocks(
        &self,
        kept: &KeptSession,
        who: &str,
        asked: Timestamp,
        began: Instant,
        there: i64,
    ) -> Result<(), RecordError> {
        if !kept.own().exists() {
            return Ok(());
        }
        let took = i64::try_from(began.elapsed().as_secs()).unwrap_or(i64::MAX);
        let ahead = asked.as_second().saturating_sub(there);
        // The jump box read its clock at some moment of that time.
        let ahead = match ahead {
            0.. => ahead,
            _ => (ahead.saturating_add(took).saturating_add(1)).min(0),
        };
        let record = kept.own().read()?;
        let mut own = record.lines.iter().rev().filter(|line| line.who.as_str() == who);
        let before = own
            .find_map(|line| if let SessionEntry::Clock { ahead } = line.entry { Some(ahead) } else { None });
        let differs = |ahead: i64| ahead.abs() >= AHEAD;
        let news = match before {
            Some(before) => (ahead - before).abs() >= AHEAD && (differs(ahead) || differs(before)),
            None => differs(ahead),
        };
        if news {
            kept.own().append(who, asked, &[SessionEntry::Clock { ahead }])?;
        }
        Ok(())
    }
}

/// Appends to a copy whose whole lines have the given length in bytes; `false` when another process fetches the same lines.
fn append(path: &std::path::Path, have: u64, bytes: &[u8]) -> std::io::Result<bool> {
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() || file.metadata()?.len() > have {
        return Ok(false);
    }
    file.write_all(bytes)?;
    Ok(true)
}

/// The first bytes of a text, as many as are sent at once, without a part of a character.
fn piece_of(text: &str) -> &str {
    let end = (0..=PIECE.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}
