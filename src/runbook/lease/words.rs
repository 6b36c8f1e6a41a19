//! What goes over the line to the holder, and back. Pure.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Holder, LeaseError, LeasePlaces, LeaseWidth};
use crate::runbook::approval::{Approval, ApprovalQuestion, Approved};
use jumpdeck_fleet::text::Clean;

/// Longest line that anybody may send.
const LONGEST: usize = 24 * 1024;

/// What is known of a holder, as its file has it.
#[derive(Debug, Serialize, Deserialize)]
struct KnownHolder {
    who: String,
    run: String,
    runbook: String,
    step: String,
    since: Timestamp,
    taken: Timestamp,
    keys: Vec<String>,
    #[serde(default)]
    asks: Option<ApprovalQuestion>,
}

#[derive(Debug, Deserialize)]
struct File {
    beat: i64,
    holder: KnownHolder,
}

/// What the holder says.
#[derive(Debug)]
pub(super) enum Word {
    /// The lease is ours.
    Taken {
        /// Whom it keeps off.
        scope: LeaseWidth,
        /// The account there.
        uid: u32,
        /// Its name, for eyes.
        account: Clean,
    },
    /// Somebody has it.
    Held,
    /// Somebody has what all accounts lock where the folder of the group is missing.
    Busy,
    /// A holder there is.
    Holder(Box<Holder>),
    /// It cannot be kept.
    Refused(Clean),
    /// It is ours no longer.
    Lost(Clean),
    /// A beat was heard.
    Beat(u64),
    /// An account said yes.
    Approved(Box<Approved>),
    /// All entries said before are on the disk.
    Safe(u64),
    /// They are not.
    Deaf(u64),
    /// It let go.
    Ended,
}

/// Reads a line; `None` when it means nothing.
pub(super) fn word(line: &str) -> Option<Word> {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    Some(match verb {
        "taken" => {
            let [kind, uid, account] = parts(rest)?;
            let scope = match kind {
                "group" => LeaseWidth::Group,
                "box" => LeaseWidth::JumpBox,
                "account" => LeaseWidth::Account,
                _ => return None,
            };
            Word::Taken { scope, uid: uid.parse().ok()?, account: Clean::new(account) }
        }
        "held" => Word::Held,
        "busy" => Word::Busy,
        "holder" => Word::Holder(Box::new(holder(rest)?)),
        "refused" => Word::Refused(Clean::new(rest)),
        "lost" => Word::Lost(Clean::new(rest)),
        "beat" => Word::Beat(rest.parse().ok()?),
        "approved" => {
            let [uid, account, json] = parts(rest)?;
            let approval: Approval = serde_json::from_str(json).ok()?;
            let (uid, account) = (uid.parse().ok()?, Clean::new(account));
            Word::Approved(Box::new(Approved { approval, uid, account }))
        }
        "safe" => Word::Safe(rest.parse().ok()?),
        "deaf" => Word::Deaf(rest.parse().ok()?),
        "ended" => Word::Ended,
        _ => return None,
    })
}

/// The holder that a line names, when it names one.
pub(super) fn holder_of(line: &str) -> Option<Holder> {
    holder(line.strip_prefix("holder ")?)
}

/// So many parts between tabs; the last may hold more of them.
fn parts<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.splitn(N, '\t').collect::<Vec<_>>().try_into().ok()
}

/// Reads the jump box's clock in seconds, the owner of a holder's file, its folder, and what it says. It must be about the
/// run whose folder it is in: `RUN`, or `RUN.UID` of the account that took the run over.
fn holder(text: &str) -> Option<Holder> {
    let [now, uid, account, folder, json] = parts(text)?;
    let File { beat, holder } = serde_json::from_str(json).ok()?;
    let rest = folder.strip_prefix(&holder.run)?;
    if !rest.is_empty() && rest.strip_prefix('.') != Some(uid) {
        return None;
    }
    let silent = now.parse::<i64>().ok()?.saturating_sub(beat);
    Some(Holder {
        who: Clean::new(&holder.who),
        account: Clean::new(account),
        uid: uid.parse().ok()?,
        run: Clean::new(&holder.run),
        runbook: Clean::new(&holder.runbook),
        step: Clean::new(&holder.step),
        since: holder.since,
        taken: holder.taken,
        silent: Duration::from_secs(u64::try_from(silent).unwrap_or(0)),
        keys: holder.keys,
        asks: holder.asks,
    })
}

/// A holder as its file has it, one line of JSON.
pub(super) fn known(holder: &Holder) -> String {
    let known = KnownHolder {
        who: holder.who.to_string(),
        run: holder.run.to_string(),
        runbook: holder.runbook.to_string(),
        step: holder.step.to_string(),
        since: holder.since,
        taken: holder.taken,
        keys: holder.keys.clone(),
        asks: holder.asks.clone(),
    };
    serde_json::to_string(&known).unwrap_or_default()
}

/// Checks a name that becomes part of a file's name.
pub(super) fn name(text: &str) -> Result<&str, LeaseError> {
    let fits = !text.is_empty()
        && text.len() <= 200
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if fits { Ok(text) } else { Err(LeaseError::Name(text.to_owned())) }
}

/// A script without its comments, after lines that set variables and the script that finds the folder. Values are quoted.
pub(super) fn script(
    places: &LeasePlaces,
    run: &str,
    variables: &[(&str, &str)],
    body: &str,
    last: &str,
) -> Result<String, LeaseError> {
    let apart = if places.apart { "1" } else { "" };
    let fixed = [
        ("SHARED", places.shared.as_str()),
        ("OWN", places.own.as_str()),
        ("APART", apart),
        ("JOURNALS", places.journals.as_str()),
        ("RUN", run),
    ];
    let mut text = String::new();
    for (name, value) in fixed.iter().chain(variables) {
        let quoted = shlex::try_quote(value).map_err(|_| LeaseError::Name((*value).to_owned()))?;
        text.push_str(&format!("{name}={quoted}\n"));
    }
    for line in include_str!("place.sh").lines().chain(body.lines()) {
        if !line.trim_start().starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text.push_str(last);
    text.push('\n');
    Ok(text)
}

/// Bytes as they come, line by line. A line that is too long is dropped.
#[derive(Debug, Default)]
pub(super) struct ByteLines {
    rest: Vec<u8>,
    dropping: bool,
}

impl ByteLines {
    /// The lines that are whole now.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut whole = Vec::new();
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            self.rest.extend_from_slice(piece);
            if self.rest.len() > LONGEST {
                self.dropping = true;
                self.rest.clear();
            }
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.rest);
                if !std::mem::take(&mut self.dropping) {
                    whole.push(String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned());
                }
            }
        }
        whole
    }
}
