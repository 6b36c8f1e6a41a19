//! The copy of a run's journal on the jump box: what whoever takes the run over goes on from.

use super::ask::{Told, ask, tell};
use super::pace::Pace;
use super::words;
use super::{Holder, LeaseError, LeasePlaces};
use crate::runbook::journal::Entry;
use crate::runbook::journal::chain::{self, Unreadable};
use crate::transport::Session;
use jumpdeck_fleet::text::Clean;

/// What the jump box keeps of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Copy {
    /// Nothing.
    Missing,
    /// That it is over; its entries are no longer there.
    Over,
    /// Its entries, from the first, chained.
    Entries(Vec<Entry>),
}

/// A run that may have left changes in effect, and is not over.
#[derive(Debug, Clone, PartialEq)]
pub struct RunInCopies {
    /// Which.
    pub run: String,
    /// The account on the jump box that ran it last.
    pub account: Clean,
    /// Its number: who it is.
    pub uid: u32,
    /// The size of its entries in bytes.
    pub size: u64,
    /// Who has it under way; `None`: nobody.
    pub holder: Option<Holder>,
}

/// Reads the entries of a run, all of them. What a crash left of an unfinished last one is not among them: the change that
/// it announces was never sent.
///
/// # Errors
/// [`LeaseError::Damaged`] with the line when they are not what was written; when the jump box cannot be asked.
pub async fn copy_in(places: &LeasePlaces, session: &dyn Session, run: &str) -> Result<Copy, LeaseError> {
    let run = words::name(run)?;
    let mut bytes = Vec::new();
    // The lease's beats share the link.
    let mut pace = Pace::reading();
    loop {
        let said = tell(session, places, run, bytes.len(), &mut pace).await?;
        let told = Told::read(&said)?;
        let (size, more) = match told.entries {
            Some((size, more)) if size > 0 => (size, more),
            Some(_) | None if told.over => return Ok(Copy::Over),
            Some(_) | None => return Ok(Copy::Missing),
        };
        bytes.extend_from_slice(more);
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) >= size {
            break;
        }
        if more.is_empty() {
            return Err(LeaseError::Damaged(Clean::new("their file became shorter while it was read")));
        }
    }
    match chain::scan(&bytes) {
        Ok((entries, _)) if entries.is_empty() => Ok(Copy::Missing),
        Ok((entries, _)) => Ok(Copy::Entries(entries)),
        Err(Unreadable::Damaged { line, what }) => {
            Err(LeaseError::Damaged(Clean::new(&format!("line {line}: {what}"))))
        }
        Err(Unreadable::Newer(schema)) => Err(LeaseError::Damaged(Clean::new(&format!(
            "they have schema {schema}, written by a newer version of jumpdeck: use that version"
        )))),
    }
}

/// Runs that may have left changes in effect and are not over, under way or not.
///
/// # Errors
/// When the jump box cannot be asked, or did not tell all of them.
pub async fn left_in(places: &LeasePlaces, session: &dyn Session) -> Result<Vec<RunInCopies>, LeaseError> {
    let said = ask(session, places, "", "left", &[]).await?;
    let said = String::from_utf8_lossy(&said);
    let cut = || LeaseError::Refused(Clean::new("its list of runs is incomplete"));
    let mut found: Vec<RunInCopies> = Vec::new();
    for line in said.lines() {
        if line == "all" {
            return Ok(found);
        }
        if let Some(text) = line.strip_prefix("left ") {
            found.push(left(text).ok_or_else(cut)?);
        } else if let Some(holder) = words::holder_of(line).filter(Holder::is_alive)
            && let Some(last) = found.last_mut()
        {
            last.holder = Some(holder);
        }
    }
    Err(cut())
}

fn left(text: &str) -> Option<RunInCopies> {
    let [uid, account, size, run]: [&str; 4] = text.splitn(4, '\t').collect::<Vec<_>>().try_into().ok()?;
    let run = words::name(run).ok()?.to_owned();
    Some(RunInCopies {
        run,
        account: Clean::new(account),
        uid: uid.parse().ok()?,
        size: size.parse().ok()?,
        holder: None,
    })
}
