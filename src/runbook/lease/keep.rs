//! Keeping a lease: beats, answers, and the moment it is lost. Entries are sent in pieces, so that no beat waits behind many of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch as latest};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::outbox::Outbox;
use super::pace::Pace;
use super::shared::{LeaseShared, clock};
use super::words::{self, ByteLines, Word};
use super::{BEAT_EVERY, Holder, LOST_AFTER, Lease, LeaseError, LeasePlaces, LeaseState, LeaseWidth};
use crate::listening::{Listening, within};
use crate::transport::{Held, Session};
use jumpdeck_fleet::text::Clean;

/// Said to the task that keeps a lease.
#[derive(Debug)]
pub(super) enum Tell {
    /// Beat now; told when it was answered.
    Beat(Option<oneshot::Sender<()>>),
    /// An entry's line.
    Say(String),
    /// The entries are said again, from the first.
    Anew,
    /// From now on the run may change something.
    Open,
    /// It is over.
    Over,
    /// Told when everything that was said is on the jump box's disk, or is not.
    Store(Option<oneshot::Sender<bool>>),
    /// Let go; told when it is.
    End(oneshot::Sender<()>),
}

/// Takes it once.
pub(super) async fn take(
    places: &LeasePlaces,
    session: &dyn Session,
    mut holder: Holder,
) -> Result<Lease, LeaseError> {
    words::name(holder.run.as_str())?;
    for key in &holder.keys {
        words::name(key)?;
    }
    if holder.keys.is_empty() {
        return Err(LeaseError::Name(String::new()));
    }
    let first = words::known(&holder);
    let variables = [("FIRST", first.as_str())];
    let main = format!("main {}", holder.keys.join(" "));
    let script = words::script(places, holder.run.as_str(), &variables, include_str!("holder.sh"), &main)?;
    let mut held = session.open().await?;
    let sent = clock();
    held.write(script.as_bytes()).await?;
    let mut lines = ByteLines::default();
    let mut others = Vec::new();
    loop {
        for line in lines.take(&held.read().await?) {
            match words::word(&line) {
                Some(Word::Taken { scope, uid, account }) => {
                    (holder.uid, holder.account) = (uid, account);
                    return Ok(keep(held, lines, holder, scope, sent));
                }
                Some(Word::Holder(other)) => others.push(*other),
                Some(Word::Held) => {
                    others.retain(|other| {
                        other.is_alive() && other.keys.iter().any(|k| holder.keys.contains(k))
                    });
                    return Err(LeaseError::Held(others));
                }
                Some(Word::Busy) => {
                    others.retain(Holder::is_alive);
                    return Err(LeaseError::Busy(others));
                }
                Some(Word::Refused(why) | Word::Lost(why)) => return Err(LeaseError::Refused(why)),
                Some(Word::Ended) => {
                    return Err(LeaseError::Refused(Clean::new("its lock file cannot be opened")));
                }
                Some(Word::Beat(_) | Word::Approved(_) | Word::Safe(_) | Word::Deaf(_)) | None => {}
            }
        }
    }
}

fn keep(held: Box<dyn Held>, lines: ByteLines, holder: Holder, scope: LeaseWidth, sent: u64) -> Lease {
    let (tell, told) = mpsc::unbounded_channel();
    let (say, state) = latest::channel(LeaseState::Held);
    let shared = Arc::new(LeaseShared::new(holder, scope, sent));
    let keeper = Keeper {
        held,
        lines,
        told,
        let_go: false,
        shared: shared.clone(),
        number: 0,
        sent: BTreeMap::new(),
        outbox: Outbox::default(),
        pace: Pace::sending(),
        bytes: 0,
        answered_bytes: 0,
        awaited: None,
        beat_now: None,
        stores: BTreeMap::new(),
        listening: Listening::default(),
        answered: Duration::ZERO,
        end: None,
    };
    tokio::spawn(async move {
        let why = keeper.run().await;
        // Nobody may be listening any more.
        let _ = say.send(LeaseState::Lost(why));
    });
    Lease { tell, state, shared }
}

struct Keeper {
    held: Box<dyn Held>,
    lines: ByteLines,
    told: mpsc::UnboundedReceiver<Tell>,
    /// The last copy of the lease was dropped.
    let_go: bool,
    shared: Arc<LeaseShared>,
    number: u64,
    /// Beats without an answer.
    sent: BTreeMap<u64, Sent>,
    /// What waits until more can be sent.
    outbox: Outbox,
    pace: Pace,
    /// Written so far, and as much of it as the newest answered beat followed.
    bytes: usize,
    answered_bytes: usize,
    /// The beat whose answer is waited for before more is sent, and when the piece before it was begun.
    awaited: Option<(u64, Instant)>,
    /// A beat is wanted, by those who want to know when it is answered.
    beat_now: Option<Vec<oneshot::Sender<()>>>,
    /// Who waits for entries to be stored.
    stores: BTreeMap<u64, Option<oneshot::Sender<bool>>>,
    /// Time in which an answer could have been heard.
    listening: Listening,
    /// How much of it was counted when the newest answered beat was sent.
    answered: Duration,
    end: Option<oneshot::Sender<()>>,
}

/// A beat without an answer.
struct Sent {
    /// When, by the clock that counts sleep.
    at: u64,
    /// How much time to listen was counted then.
    counted: Duration,
    /// The same by the clock that measures the link.
    from: Instant,
    /// Bytes written up to its end.
    bytes: usize,
    /// Nothing else was on its way.
    alone: bool,
    /// Who wants to know.
    tell: Vec<oneshot::Sender<()>>,
}

impl Keeper {
    /// Until the lease is gone: why it is.
    async fn run(mut self) -> Clean {
        let mut beats = interval(BEAT_EVERY);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if self.left().is_zero() {
                return Clean::new(&format!("the jump box did not answer for {} s", LOST_AFTER.as_secs()));
            }
            let went = tokio::select! {
                bytes = self.held.read() => match bytes {
                    Ok(bytes) => self.heard(&bytes),
                    Err(_) if self.end.is_some() || self.let_go => Err(Clean::new("let go")),
                    Err(error) => Err(error.describe().as_str().into()),
                },
                told = self.told.recv(), if !self.let_go => {
                    self.take(told);
                    Ok(())
                }
                _ = beats.tick() => self.beat().await.map(drop),
                () = self.listening.goes_on() => Ok(()),
            };
            let went = match went {
                Ok(()) => self.send().await,
                lost => lost,
            };
            if let Err(why) = went {
                return why;
            }
        }
    }

    /// The next work. `None`: there will be no more; everything said before that comes first.
    fn take(&mut self, told: Option<Tell>) {
        let mut told = told;
        self.let_go = told.is_none();
        if self.let_go && self.end.is_none() {
            self.outbox.word("end".to_owned());
        }
        while let Some(tell) = told {
            match tell {
                Tell::Beat(tell) => self.beat_now.get_or_insert_default().extend(tell),
                Tell::Say(line) => self.outbox.entry(line),
                Tell::Anew => self.outbox.word("anew".to_owned()),
                Tell::Open => self.outbox.word("open".to_owned()),
                Tell::Over => self.outbox.word("over".to_owned()),
                Tell::Store(tell) => {
                    self.number += 1;
                    self.stores.insert(self.number, tell);
                    self.outbox.word(format!("safe {}", self.number));
                }
                Tell::End(tell) => {
                    self.end = Some(tell);
                    self.outbox.word("end".to_owned());
                }
            }
            told = self.told.try_recv().ok();
        }
    }

    /// Sends what waits, as much as may be on its way without an answer. A beat behind it asks for that answer: until it is
    /// there, nothing but beats is sent.
    async fn send(&mut self) -> Result<(), Clean> {
        if self.awaited.is_some() {
            return Ok(());
        }
        let from = Instant::now();
        let room = self.pace.size().saturating_sub(self.bytes - self.answered_bytes);
        if room > 0 && !self.outbox.is_empty() {
            let piece = self.outbox.piece(room);
            self.write(&piece).await?;
        }
        if !self.outbox.is_empty() {
            self.awaited = Some((self.beat().await?, from));
        } else if self.beat_now.is_some() {
            self.beat().await?;
        }
        Ok(())
    }

    /// Time to listen until the lease counts as lost.
    fn left(&self) -> Duration {
        LOST_AFTER.saturating_sub(self.listening.counted().saturating_sub(self.answered))
    }

    /// Beats; the beat's number.
    async fn beat(&mut self) -> Result<u64, Clean> {
        self.number += 1;
        let number = self.number;
        let (at, counted, from) = (clock(), self.listening.counted(), Instant::now());
        let alone = self.bytes == self.answered_bytes;
        let line = self.shared.holder(|holder| {
            let nonce = holder.asks.as_ref().map_or("-", |question| question.nonce.as_str());
            format!("beat {number} {nonce} {}\n", words::known(holder))
        });
        let bytes = self.bytes + line.len();
        let tell = self.beat_now.take().unwrap_or_default();
        self.sent.insert(number, Sent { at, counted, from, bytes, alone, tell });
        self.write(&line).await?;
        Ok(number)
    }

    async fn write(&mut self, text: &str) -> Result<(), Clean> {
        self.bytes += text.len();
        match within(self.left(), self.held.write(text.as_bytes())).await {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(error.describe().as_str().into()),
            None => Err(Clean::new(&format!("the jump box accepted no data for {} s", LOST_AFTER.as_secs()))),
        }
    }

    fn stored(&mut self, number: u64, stored: bool) {
        if !stored {
            tracing::warn!("the jump box cannot keep the copy of the journal");
        }
        // Who asked may have given up.
        let _ = self.stores.remove(&number).flatten().map(|tell| tell.send(stored));
    }

    /// That beat, and all before it, are answered.
    fn beat_answered(&mut self, number: u64) {
        let later = self.sent.split_off(&(number + 1));
        for (of, sent) in std::mem::replace(&mut self.sent, later) {
            self.shared.is_proved(sent.at);
            self.answered = self.answered.max(sent.counted);
            self.answered_bytes = self.answered_bytes.max(sent.bytes);
            match self.awaited {
                Some((awaited, from)) if awaited == of => {
                    self.awaited = None;
                    self.pace.piece_answered(from.elapsed());
                }
                Some(_) | None if sent.alone => self.pace.answered(sent.from.elapsed()),
                Some(_) | None => {}
            }
            for tell in sent.tell {
                // Who asked may have given up.
                let _ = tell.send(());
            }
        }
    }

    fn heard(&mut self, bytes: &[u8]) -> Result<(), Clean> {
        for line in self.lines.take(bytes) {
            match words::word(&line) {
                Some(Word::Beat(number)) => self.beat_answered(number),
                Some(Word::Approved(approved)) => self.shared.approve(*approved),
                Some(Word::Lost(why) | Word::Refused(why)) => return Err(why),
                Some(Word::Ended) => return Err(Clean::new("let go")),
                Some(Word::Safe(number)) => self.stored(number, true),
                Some(Word::Deaf(number)) => self.stored(number, false),
                Some(Word::Taken { .. } | Word::Holder(_) | Word::Held | Word::Busy) | None => {}
            }
        }
        Ok(())
    }
}
