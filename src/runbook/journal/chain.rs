//! A journal's text: how a line is written, read and chained. Pure. Imports `event`.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Entry, FIRST, JournalError};
use crate::runbook::event::Event;

/// What stands between a line's body and its hash.
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    seq: u64,
    at: Timestamp,
    prev: String,
    event: Event,
    hash: String,
}

/// Cut to the millisecond, as the file has it.
pub(super) fn rounded(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// A line but for its hash and its closing brace: `{"seq":1,…,"event":{…}`.
pub(super) fn body(seq: u64, at: Timestamp, prev: &str, event: &Event) -> Result<String, JournalError> {
    let mut text = serde_json::to_string(&Body { seq, at: format!("{at:.3}"), prev, event })?;
    text.pop();
    Ok(text)
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

/// Reads a line without its line end; the hash is of the bytes as they stand, so that not one of them may differ.
pub(super) fn parse(line: &[u8]) -> Result<Entry, &'static str> {
    let Some((body, closing)) = line.len().checked_sub(CLOSING).and_then(|at| line.split_at_checked(at))
    else {
        return Err("it is no entry of a journal");
    };
    if !closing.starts_with(BEFORE_HASH) || !closing.ends_with(b"\"}") {
        return Err("it is no entry of a journal");
    }
    let read: Line = serde_json::from_slice(line).map_err(|_| "it is no entry of a journal")?;
    if read.hash != hash(&read.prev, body) {
        return Err("its text does not fit its hash");
    }
    Ok(Entry { seq: read.seq, at: read.at, prev: read.prev, event: read.event, hash: read.hash })
}

/// What stands after the last entry that has its line end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing.
    Whole,
    /// A whole entry (the last one read) without its line end.
    Unended,
    /// The beginning of an entry, from this byte on.
    Torn(usize),
}

/// Damage: the line, from 1, and what is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damage {
    line: usize,
    what: &'static str,
}

impl Damage {
    pub(super) fn at(&self, path: &Path) -> JournalError {
        JournalError::Damaged { path: path.to_owned(), line: self.line, what: self.what.to_owned() }
    }
}

/// Reads a whole file.
///
/// Only a write cut short explains a last line without its end: a crash leaves the beginning of a line, or one whose end
/// is zeros (a length on the disk before its data). Whatever has its line end was flushed, and maybe acted upon: when it
/// does not read it is damage. So is a whole entry with something but a line end after it.
pub(super) fn scan(bytes: &[u8]) -> Result<(Vec<Entry>, Tail), Damage> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut at = 0;
    for (index, piece) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        let damage = |what| Damage { line: index + 1, what };
        let (text, ended) = match piece.strip_suffix(b"\n") {
            Some(text) => (text, true),
            None => (piece, false),
        };
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
                return Err(damage("something stands where its line should end"));
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

/// Whether an unfinished line is how the next entry begins, as far as it goes; zeros may stand after it.
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
    if entry.prev != hash { Err("it does not follow the line before") } else { Ok(()) }
}
