//! A journal's text: how a line is written, read and chained. Pure.

use std::path::Path;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Entry, FIRST, JournalError};
use crate::runbook::event::{Event, SCHEMA};
use crate::runbook::evidence::{Seal, Signed, SignedApproval};

/// The text between a line's body and its hash.
const BEFORE_HASH: &[u8] = b",\"hash\":\"";
/// Length of a hash in hexadecimal.
const DIGITS: usize = 64;
/// `,"hash":"`, the digits, `"}`.
const CLOSING: usize = BEFORE_HASH.len() + DIGITS + 2;

#[derive(Serialize)]
struct Body<'a> {
    seq: u64,
    at: String,
    prev: &'a str,
    event: &'a Event,
}

/// What vouches for an entry, as it is written after its event.
#[derive(Serialize)]
struct Sealed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    approved: Option<&'a SignedApproval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<&'a Signed>,
}

/// A line as it is read; `E` is what its event is read as.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::runbook) struct JournalLine<E> {
    pub(in crate::runbook) seq: u64,
    pub(in crate::runbook) at: Timestamp,
    pub(in crate::runbook) prev: String,
    pub(in crate::runbook) event: E,
    #[serde(default)]
    pub(in crate::runbook) approved: Option<SignedApproval>,
    #[serde(default)]
    pub(in crate::runbook) signed: Option<Signed>,
    pub(in crate::runbook) hash: String,
}

/// Cut to the millisecond, as the file has it.
pub(super) fn rounded(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// A line up to its signature: `{"seq":1,…,"event":{…}`, with the approval that it counts behind it.
pub(super) fn unsigned(
    seq: u64,
    at: Timestamp,
    prev: &str,
    event: &Event,
    approved: Option<&SignedApproval>,
) -> Result<String, JournalError> {
    let mut text = serde_json::to_string(&Body { seq, at: format!("{at:.3}"), prev, event })?;
    text.pop();
    text.push_str(&tail(approved, None)?);
    Ok(text)
}

/// The text after the event: `,"approved":{…},"signed":{…}`, or nothing.
fn tail(approved: Option<&SignedApproval>, signed: Option<&Signed>) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string(&Sealed { approved, signed })?;
    let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or_default();
    Ok(if inner.is_empty() { String::new() } else { format!(",{inner}") })
}

/// A line up to its hash, from what [`unsigned`] gave.
pub(super) fn body(unsigned: &str, signed: Option<&Signed>) -> Result<String, JournalError> {
    Ok(format!("{unsigned}{}", tail(None, signed)?))
}

/// The whole line, without its line end.
pub(super) fn closed(body: &str, hash: &str) -> String {
    format!("{body},\"hash\":\"{hash}\"}}")
}

/// SHA-256 of the hash before (as it is written) and a body, lower-case hexadecimal.
pub(super) fn hash(prev: &str, body: &[u8]) -> String {
    let mut sha = Sha256::new();
    sha.update(prev.as_bytes());
    sha.update(body);
    sha.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// Reads a line without its line end, and tells how long it is up to its signature; the hash is of the bytes as they
/// are, so that not one of them may differ.
pub(in crate::runbook) fn line<E: DeserializeOwned>(
    line: &[u8],
) -> Result<(JournalLine<E>, usize), &'static str> {
    let odd = "it is not a journal entry";
    let split = line.len().checked_sub(CLOSING).and_then(|at| line.split_at_checked(at));
    let (body, closing) = split.ok_or(odd)?;
    if !closing.starts_with(BEFORE_HASH) || !closing.ends_with(b"\"}") {
        return Err(odd);
    }
    let read: JournalLine<E> = serde_json::from_slice(line).map_err(|_| odd)?;
    if read.hash != hash(&read.prev, body) {
        return Err("its text does not match its hash");
    }
    // What is signed follows from its place: there is one way to write what comes after it.
    let signature = tail(None, read.signed.as_ref()).map_err(|_| odd)?;
    let unsigned = body.strip_suffix(signature.as_bytes()).ok_or(odd)?;
    let approval = tail(read.approved.as_ref(), None).map_err(|_| odd)?;
    if !unsigned.ends_with(approval.as_bytes()) {
        return Err(odd);
    }
    let unsigned = unsigned.len();
    Ok((read, unsigned))
}

/// Reads an entry.
pub(super) fn parse(text: &[u8]) -> Result<Entry, &'static str> {
    let (read, _) = line(text)?;
    let seal = Seal { approved: read.approved, signed: read.signed };
    let line = String::from_utf8_lossy(text).into_owned();
    Ok(Entry { seq: read.seq, at: read.at, prev: read.prev, event: read.event, seal, hash: read.hash, line })
}

/// The bytes after the last entry that has its line end.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::runbook) enum Tail {
    /// Nothing.
    Whole,
    /// A whole entry (the last one read) without its line end.
    Unended,
    /// The beginning of an entry, from this byte on.
    Torn(usize),
}

/// Why a journal cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::runbook) enum Unreadable {
    /// Damage: the line, from 1, and what is wrong.
    Damaged { line: usize, what: &'static str },
    /// It has a schema that this version does not know.
    Newer(u64),
}

impl Unreadable {
    pub(super) fn at(&self, path: &Path) -> JournalError {
        let path = path.to_owned();
        match self {
            Self::Damaged { line, what } => {
                JournalError::Damaged { path, line: *line, what: (*what).to_owned() }
            }
            Self::Newer(schema) => JournalError::Newer { path, schema: *schema },
        }
    }
}

/// The schema of a journal, from its first line; `None` when it says none.
fn schema(first: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct First {
        event: Started,
    }
    #[derive(Deserialize)]
    struct Started {
        schema: Option<u64>,
    }
    serde_json::from_slice::<First>(first).ok()?.event.schema
}

/// Reads a whole file.
///
/// Only a write cut short explains a last line without its end: a crash leaves the beginning of a line, or one whose end
/// is zeros (a length on the disk before its data). Whatever has its line end was flushed, and maybe acted upon: when it
/// does not read it is damage. So is a whole entry with something but a line end after it.
pub(in crate::runbook) fn scan(bytes: &[u8]) -> Result<(Vec<Entry>, Tail), Unreadable> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut at = 0;
    for (index, piece) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        let damage = |what| Unreadable::Damaged { line: index + 1, what };
        let (text, ended) = match piece.strip_suffix(b"\n") {
            Some(text) => (text, true),
            None => (piece, false),
        };
        // What a newer version writes is no damage.
        if index == 0
            && let Some(schema) = schema(text).filter(|schema| !(1..=u64::from(SCHEMA)).contains(schema))
        {
            return Err(Unreadable::Newer(schema));
        }
        match parse(text) {
            Ok(entry) => {
                follows(entries.last(), &entry).map_err(damage)?;
                entries.push(entry);
                if !ended {
                    return Ok((entries, Tail::Unended));
                }
            }
            Err(what) if ended => return Err(damage(what)),
            Err(_) if holds_entry(text) => {
                return Err(damage("there is more text after its end"));
            }
            Err(what) if !begins_entry(text, entries.last()) => return Err(damage(what)),
            Err(_) => return Ok((entries, Tail::Torn(at))),
        }
        at += piece.len();
    }
    Ok((entries, Tail::Whole))
}

/// Whether an unfinished line has a whole entry in it.
fn holds_entry(text: &[u8]) -> bool {
    text.windows(2).enumerate().any(|(i, two)| {
        two == b"\"}" && i + 2 < text.len() && text.get(..i + 2).is_some_and(|whole| parse(whole).is_ok())
    })
}

/// Whether an unfinished line is how the next entry begins, as far as it goes; zeros may follow it.
fn begins_entry(text: &[u8], before: Option<&Entry>) -> bool {
    let end = text.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
    let written = text.get(..end).unwrap_or_default();
    let begins = format!("{{\"seq\":{},\"at\":\"", before.map_or(1, |e| e.seq + 1));
    let known = written.len().min(begins.len());
    written.get(..known) == begins.as_bytes().get(..known)
}

fn follows(before: Option<&Entry>, entry: &Entry) -> Result<(), &'static str> {
    let (seq, hash) = before.map_or((0, FIRST), |b| (b.seq, b.hash.as_str()));
    if entry.seq != seq + 1 {
        return Err("its number does not follow the one before; lines are missing or moved");
    }
    if entry.prev != hash { Err("its previous-entry hash does not match the line before") } else { Ok(()) }
}
