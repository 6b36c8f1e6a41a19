//! What others see of a run on the jump box, and a second person's yes.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::time::Instant;

use super::pace::Pace;
use super::words;
use super::{ANSWER_LIMIT, Holder, LeaseError, LeasePlaces};
use crate::runbook::approval::Approval;
use crate::runbook::event::Event;
use crate::runbook::journal::Entry;
use crate::transport::Session;
use jumpdeck_fleet::text::Clean;

/// Runs one of the questions of `ask.sh`.
pub(super) async fn ask(
    session: &dyn Session,
    places: &LeasePlaces,
    run: &str,
    question: &str,
    arguments: &[&str],
) -> Result<Vec<u8>, LeaseError> {
    ask_with(session, places, run, (question, arguments), &mut |_| {}).await
}

/// The same; `out` gets the answer as it comes.
async fn ask_with(
    session: &dyn Session,
    places: &LeasePlaces,
    run: &str,
    (question, arguments): (&str, &[&str]),
    out: &mut (dyn FnMut(&[u8]) + Send),
) -> Result<Vec<u8>, LeaseError> {
    let last = call(question, arguments)?;
    let script = words::script(places, run, &[], include_str!("ask.sh"), &last)?;
    let said = session.run(&script, ANSWER_LIMIT, out).await?.stdout;
    match said.strip_prefix(b"refused ") {
        Some(why) => Err(LeaseError::Refused(Clean::new(String::from_utf8_lossy(why).trim()))),
        None => Ok(said),
    }
}

/// The line that calls a function of a script.
pub(super) fn call(question: &str, arguments: &[&str]) -> Result<String, LeaseError> {
    let mut line = question.to_owned();
    for argument in arguments {
        let quoted = shlex::try_quote(argument).map_err(|_| LeaseError::Name((*argument).to_owned()))?;
        line.push(' ');
        line.push_str(&quoted);
    }
    Ok(line)
}

/// The entries of a run from a byte on, in pieces of a size that the link carries.
pub(super) async fn tell(
    session: &dyn Session,
    places: &LeasePlaces,
    run: &str,
    offset: usize,
    pace: &mut Pace,
) -> Result<Vec<u8>, LeaseError> {
    let (offset, most) = (offset.to_string(), pace.size().to_string());
    // From the first line of the answer on it is the link that takes time, not the command.
    let mut first = None;
    let mut out = |_: &[u8]| {
        first.get_or_insert_with(Instant::now);
    };
    let said = ask_with(session, places, run, ("tell", &[&offset, &most]), &mut out).await?;
    pace.piece_took(first.map(|first| first.elapsed()).unwrap_or_default());
    Ok(said)
}

/// Who holds leases on the jump box that begin with `env.`; all of them for an empty `env`.
///
/// # Errors
/// When the jump box cannot be asked.
pub async fn look(session: &dyn Session, env: &str) -> Result<Vec<Holder>, LeaseError> {
    look_in(&LeasePlaces::default(), session, env).await
}

/// The same, in those places.
///
/// # Errors
/// As [`look`].
pub async fn look_in(
    places: &LeasePlaces,
    session: &dyn Session,
    env: &str,
) -> Result<Vec<Holder>, LeaseError> {
    let said = ask(session, places, "", "look", &[]).await?;
    let prefix = if env.is_empty() { String::new() } else { format!("{env}.") };
    let mut found: Vec<Holder> = String::from_utf8_lossy(&said)
        .lines()
        .filter_map(words::holder_of)
        .filter(|h| h.is_alive() && h.keys.iter().any(|k| k.starts_with(&prefix)))
        .collect();
    found.sort_by_key(|h| h.taken);
    Ok(found)
}

/// Says yes to a question of a run that somebody else runs.
///
/// # Errors
/// [`LeaseError::NoRun`] when it is not under way, [`LeaseError::NotAsked`] when it asks nothing (any more) or something
/// else, [`LeaseError::SamePerson`] for who runs it, and for their account on the jump box.
pub async fn approve(session: &dyn Session, approval: &Approval) -> Result<(), LeaseError> {
    approve_in(&LeasePlaces::default(), session, approval).await
}

/// The same, in those places.
///
/// # Errors
/// As [`approve`].
pub async fn approve_in(
    places: &LeasePlaces,
    session: &dyn Session,
    approval: &Approval,
) -> Result<(), LeaseError> {
    let run = words::name(&approval.run)?;
    let holders = look_in(places, session, "").await?;
    let holder = holders.into_iter().find(|h| h.run.as_str() == run).ok_or(LeaseError::NoRun)?;
    if holder.who == Clean::new(&approval.who) {
        return Err(LeaseError::SamePerson(holder.who));
    }
    if !holder.asks.as_ref().is_some_and(|question| approval.answers(question)) {
        return Err(LeaseError::NotAsked);
    }
    let nonce = words::name(&approval.question)?;
    let json = serde_json::to_string(approval).map_err(|_| LeaseError::Name(approval.step.clone()))?;
    let said = ask(session, places, run, "approve", &[nonce, &json]).await?;
    match String::from_utf8_lossy(&said).trim() {
        "done" => Ok(()),
        "alone" => Err(LeaseError::Alone),
        "same" => Err(LeaseError::SamePerson(holder.who)),
        "none" => Err(LeaseError::NoRun),
        _ => Err(LeaseError::Refused(Clean::new("the approval could not be written"))),
    }
}

/// What somebody who watches sees.
#[derive(Debug, Clone, PartialEq)]
pub enum WatcherSees {
    /// An entry, in order, each once.
    Entry(Box<Entry>),
    /// Who runs it, or nobody (its console is gone, or it was let go); told at first and when it changes.
    Holder(Option<Box<Holder>>),
}

/// A run somebody watches.
pub struct Watching {
    places: LeasePlaces,
    session: Arc<dyn Session>,
    run: String,
    /// Bytes that were read.
    offset: usize,
    /// Bytes there were when it was last asked.
    size: u64,
    pace: Pace,
    /// The entries are read again, from the first.
    again: bool,
    rest: Vec<u8>,
    found: VecDeque<WatcherSees>,
    /// Number and hash of the newest entry.
    last: Option<(u64, String)>,
    holder: Option<Option<Holder>>,
    over: bool,
}

/// What the jump box says of a run.
pub(super) struct Told<'s> {
    /// Who runs it.
    pub(super) holder: Option<Holder>,
    /// Whether it is over.
    pub(super) over: bool,
    /// The size of its entries, and those asked for; `None`: there are none.
    pub(super) entries: Option<(u64, &'s [u8])>,
}

impl<'s> Told<'s> {
    /// Reads an answer of `tell`.
    pub(super) fn read(said: &'s [u8]) -> Result<Self, LeaseError> {
        let (mut rest, mut holder, mut over) = (said, None, false);
        loop {
            let Some(end) = rest.iter().position(|b| *b == b'\n') else { return Err(LeaseError::NoRun) };
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            let line = String::from_utf8_lossy(line);
            let entries = if let Some(size) = line.strip_prefix("size ") {
                Some((size.parse().map_err(|_| LeaseError::NoRun)?, rest))
            } else if line == "none" {
                None
            } else {
                over |= line == "over";
                holder = holder.or(words::holder_of(&line).filter(Holder::is_alive));
                continue;
            };
            return Ok(Self { holder, over, entries });
        }
    }
}

/// Watches a run from its beginning. Nothing is asked yet.
///
/// # Errors
/// When that cannot be a run's name.
pub fn watch(session: Arc<dyn Session>, run: &str) -> Result<Watching, LeaseError> {
    watch_in(&LeasePlaces::default(), session, run)
}

/// The same, in those places.
///
/// # Errors
/// As [`watch`].
pub fn watch_in(places: &LeasePlaces, session: Arc<dyn Session>, run: &str) -> Result<Watching, LeaseError> {
    Ok(Watching {
        places: places.clone(),
        session,
        run: words::name(run)?.to_owned(),
        offset: 0,
        size: 0,
        pace: Pace::reading(),
        again: false,
        rest: Vec::new(),
        found: VecDeque::new(),
        last: None,
        holder: None,
        over: false,
    })
}

impl Watching {
    /// Asks once: what came since, or the next piece of it ([`Watching::is_behind`]); nothing when nothing did. `None` when the
    /// run is over and all of it was told. How often to ask is the caller's.
    ///
    /// # Errors
    /// [`LeaseError::NoRun`] when there is nothing (any more), [`LeaseError::Damaged`], or the way there.
    pub async fn poll(&mut self) -> Result<Option<Vec<WatcherSees>>, LeaseError> {
        if self.over {
            return Ok(None);
        }
        loop {
            let session = self.session.as_ref();
            let said = tell(session, &self.places, &self.run, self.offset, &mut self.pace).await?;
            let Told { holder, over: _, entries } = Told::read(&said)?;
            let Some((size, rest)) = entries else { return Err(LeaseError::NoRun) };
            self.size = size;
            self.holder(holder);
            if size < self.read() {
                // It goes on in another process, which tells it anew.
                self.restart();
                break;
            }
            let first = self.offset == 0;
            self.offset += rest.len();
            match self.entries(rest) {
                // The one who wrote a part of an entry is gone, and whoever goes on has written others in its place.
                Err(LeaseError::Damaged(_)) if !first && !self.again => {
                    self.restart();
                    self.again = true;
                }
                read => {
                    self.again &= self.is_behind();
                    read?;
                    break;
                }
            }
        }
        Ok(Some(self.found.drain(..).collect()))
    }

    /// Whether more was there than the last answer had: ask again at once.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.read() < self.size && !self.over
    }

    fn read(&self) -> u64 {
        u64::try_from(self.offset).unwrap_or(u64::MAX)
    }

    fn restart(&mut self) {
        self.offset = 0;
        self.rest.clear();
    }

    fn holder(&mut self, holder: Option<Holder>) {
        // Another second of silence is no news.
        let plain = |h: &Holder| Holder { silent: std::time::Duration::ZERO, ..h.clone() };
        let news = holder.as_ref().map(plain);
        if self.holder.as_ref() != Some(&news) {
            self.found.push_back(WatcherSees::Holder(holder.map(Box::new)));
            self.holder = Some(news);
        }
    }

    fn entries(&mut self, bytes: &[u8]) -> Result<(), LeaseError> {
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let damaged = |what: &str| LeaseError::Damaged(Clean::new(what));
            let entry = Entry::from_line(String::from_utf8_lossy(&line).trim_end_matches('\n'))
                .ok_or_else(|| damaged("an entry does not match its hash"))?;
            match &self.last {
                Some((seq, _)) if entry.seq <= *seq => continue,
                Some((seq, hash)) if entry.seq != seq + 1 || entry.prev != *hash => {
                    return Err(damaged("an entry does not follow the one before"));
                }
                None if entry.seq != 1 => return Err(damaged("its first entry is missing")),
                _ => {}
            }
            self.last = Some((entry.seq, entry.hash.clone()));
            self.over = matches!(entry.event, Event::Ended { .. });
            self.found.push_back(WatcherSees::Entry(Box::new(entry)));
        }
        Ok(())
    }
}
