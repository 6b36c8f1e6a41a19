//! The sessions of a console: a thread for each environment keeps them, over the connection that the collector has to the jump box, so
//! that nobody logs in twice and a slow disk or jump box holds up nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::mirror::{MirrorError, Mirrored, SessionMirror, SessionThere};
use super::{KeptSession, SessionStore, new_id};
use crate::collect::LooksForRuns;
use crate::operator::left::LeftRunsFinder;
use crate::runbook::lease::LeasePlaces;
use crate::transport::{BoxFuture, JumpConnection, Session, description};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::left::LeftRun;
use jumpdeck_fleet::maintenance::{
    MaintenanceSession, SeenSession, SessionEntry, SessionHead, SessionNews, SessionOrder, SessionState,
    SessionSync,
};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::timeline::WallTime;

/// News that wait for the console.
const QUEUE: usize = 64;
/// How long the end of a console waits for its last lines to reach the jump box.
const LAST: Duration = Duration::from_secs(2);

/// The sessions of a console.
#[derive(Clone)]
pub struct SessionService {
    store: SessionStore,
    who: String,
    simulated: bool,
    news: mpsc::Sender<SessionNews>,
    environments: Arc<Mutex<HashMap<EnvName, mpsc::UnboundedSender<SessionTask>>>>,
}

/// What the thread of an environment is to do.
enum SessionTask {
    /// Compare with the jump box, over this connection.
    Look(Weak<dyn JumpConnection>, Arc<Environment>),
    /// What the operator wants.
    Order(SessionOrder),
    /// Lines, if the operator takes part in a session.
    Write(Vec<SessionEntry>),
    /// The console ends: says so when the last lines were sent, or cannot be.
    End(tokio::sync::oneshot::Sender<()>),
}

impl SessionService {
    /// Of an operator. Gives what comes of it, too.
    #[must_use]
    pub fn new(store: SessionStore, who: String, simulated: bool) -> (Self, mpsc::Receiver<SessionNews>) {
        let (news, received) = mpsc::channel(QUEUE);
        (Self { store, who, simulated, news, environments: Arc::default() }, received)
    }

    /// Begins with an environment, and tells what is on disk. Within the tokio runtime.
    pub fn open(&self, env: &EnvName) {
        let mut environments = self.environments.lock().unwrap_or_else(PoisonError::into_inner);
        if environments.contains_key(env) {
            return;
        }
        let (sender, work) = mpsc::unbounded_channel();
        environments.insert(env.clone(), sender);
        let keeper = EnvironmentSessions {
            store: self.store.clone(),
            who: self.who.clone(),
            simulated: self.simulated,
            news: self.news.clone(),
            env: env.clone(),
            way: None,
            there: None,
            last: None,
            sent: None,
        };
        let runtime = Handle::current();
        let name = format!("sessions of {env}");
        let started =
            std::thread::Builder::new().name(name).spawn(move || runtime.block_on(keeper.run(work)));
        if let Err(error) = started {
            tracing::warn!("sessions of {env} are not kept: {error}");
        }
    }

    /// What the operator wants.
    pub fn order(&self, env: &EnvName, order: SessionOrder) {
        self.send(env, SessionTask::Order(order));
    }

    /// Adds lines to the session of an environment, if the operator takes part in one.
    pub fn write(&self, env: &EnvName, entries: Vec<SessionEntry>) {
        if !entries.is_empty() {
            self.send(env, SessionTask::Write(entries));
        }
    }

    /// The console ends: what was asked for before is done, and sent if that is quick.
    pub async fn end(&self) {
        let ended = {
            let environments = self.environments.lock().unwrap_or_else(PoisonError::into_inner);
            let ends = environments.values().filter_map(|work| {
                let (sender, ended) = tokio::sync::oneshot::channel();
                work.send(SessionTask::End(sender)).ok().map(|()| ended)
            });
            ends.collect::<Vec<_>>()
        };
        // What did not reach the jump box is on disk, and is sent by the next console.
        let _ = timeout(LAST, futures::future::join_all(ended)).await;
    }

    fn send(&self, env: &EnvName, work: SessionTask) {
        let environments = self.environments.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = environments.get(env) {
            // The thread ends only with the console.
            let _ = sender.send(work);
        }
    }
}

/// Looks for runs, and compares sessions at the same times over the same connection.
pub struct RunsAndSessions {
    /// Looks for runs.
    pub runs: LeftRunsFinder,
    /// Compares sessions.
    pub sessions: SessionService,
}

impl LooksForRuns for RunsAndSessions {
    fn left<'a>(
        &'a self,
        jump: Arc<dyn JumpConnection>,
        env: Arc<Environment>,
    ) -> BoxFuture<'a, Result<Vec<LeftRun>, Gap>> {
        self.sessions.send(&env.name, SessionTask::Look(Arc::downgrade(&jump), env.clone()));
        self.runs.left(jump, env)
    }
}

/// The sessions of an environment, on their thread.
struct EnvironmentSessions {
    store: SessionStore,
    who: String,
    simulated: bool,
    news: mpsc::Sender<SessionNews>,
    env: EnvName,
    /// The connection that the collector had last, and the environment as it was then.
    way: Option<(Weak<dyn JumpConnection>, Arc<Environment>)>,
    /// The session of others that was read last, and the sizes of its records then.
    there: Option<SessionThere>,
    /// What was told last.
    last: Option<SessionNews>,
    /// The session of this machine that was compared last, and how many bytes of its record the jump box has.
    sent: Option<(String, u64)>,
}

impl EnvironmentSessions {
    async fn run(mut self, mut work: mpsc::UnboundedReceiver<SessionTask>) {
        self.tell(SessionSync::Unknown, Some("the jump box was not asked yet".into()), None).await;
        while let Some(next) = work.recv().await {
            match next {
                SessionTask::Look(way, env) => {
                    self.way = Some((way, env));
                    self.look(None).await;
                }
                SessionTask::Order(order) => self.order(order).await,
                SessionTask::Write(entries) => self.write(&entries).await,
                SessionTask::End(ended) => {
                    if self.store.open(&self.env).is_some() && self.jump().await.is_ok() {
                        self.look(None).await;
                    }
                    let _ = ended.send(());
                    return;
                }
            }
        }
    }

    /// The session on the jump box, over the connection that is there.
    async fn jump(&self) -> Result<(Arc<dyn Session>, LeasePlaces), Clean> {
        let (way, env) = self.way.as_ref().ok_or("there is no connection to the jump box yet")?;
        let way = way.upgrade().ok_or("the connection to the jump box is lost")?;
        let host = description(env, env.jump.name()).map_err(|error| error.describe())?;
        let session = way.host(&host).await.map_err(|error| error.describe())?;
        Ok((session, LeasePlaces::of(env)))
    }

    /// Compares with the jump box, and tells what there is.
    async fn look(&mut self, said: Option<Result<Clean, Clean>>) {
        let open = self.store.open(&self.env);
        let (jump, places) = match self.jump().await {
            Ok(jump) => jump,
            Err(why) => return self.unreached(open, why, said).await,
        };
        let mirror = SessionMirror::new(places, &*jump);
        let Some((kept, before)) = open else {
            let found = mirror.open(&self.env, self.there.as_ref()).await;
            let unknown = match found {
                Ok(found) => {
                    self.there = found;
                    None
                }
                Err(error) => Some(Clean::new(&error.to_string())),
            };
            return self.tell(SessionSync::Unknown, unknown, said).await;
        };
        match mirror.sync(&kept, &self.who, Timestamp::now()).await {
            Ok(Mirrored { shared, behind: 0, there, .. }) => {
                self.sent = Some((kept.id().to_owned(), there));
                let said = said.or_else(|| ended_meanwhile(&kept, &before, &self.who));
                self.tell(SessionSync::Same { shared }, None, said).await;
            }
            Ok(Mirrored { behind, why, there, .. }) => {
                self.sent = Some((kept.id().to_owned(), there));
                let why = why.unwrap_or_else(|| "they are on their way".into());
                self.tell(SessionSync::Behind { lines: behind, why }, None, said).await;
            }
            Err(error) => {
                let why = Clean::new(&error.to_string());
                self.unreached(Some((kept, before)), why, said).await;
            }
        }
    }

    /// The jump box cannot be asked: what is here is told, and that it may be alone with it.
    async fn unreached(
        &mut self,
        open: Option<(KeptSession, MaintenanceSession)>,
        why: Clean,
        said: Option<Result<Clean, Clean>>,
    ) {
        let sync = match open {
            Some((kept, _)) => {
                let sent = self.sent.as_ref().filter(|(id, _)| id == kept.id()).map_or(0, |(_, sent)| *sent);
                match kept.lines_after(sent) {
                    // Everything was there when it was last asked.
                    0 => self.sync_so_far(),
                    lines => SessionSync::Behind { lines, why: why.clone() },
                }
            }
            None => SessionSync::Unknown,
        };
        self.tell(sync, Some(why), said).await;
    }

    async fn tell(&mut self, sync: SessionSync, unknown: Option<Clean>, said: Option<Result<Clean, Clean>>) {
        let seen = match self.store.open(&self.env) {
            Some((_, story)) => Some(self.seen(story, sync)),
            None => self
                .there
                .as_ref()
                .and_then(|there| there.story.clone())
                .map(|story| self.seen(story, SessionSync::Same { shared: true })),
        };
        let news = SessionNews { env: self.env.clone(), seen, unknown, said };
        if self.last.as_ref() == Some(&news) && news.said.is_none() {
            return;
        }
        self.last = Some(news.clone());
        // A console that is gone takes no news.
        let _ = self.news.send(news).await;
    }

    fn seen(&self, story: MaintenanceSession, sync: SessionSync) -> SeenSession {
        SeenSession {
            takes_part: story.has(&self.who),
            leads_when_joined: story.handed_to.as_ref().is_some_and(|pending| pending.is_for(&self.who)),
            session: Arc::new(story),
            sync,
        }
    }

    async fn order(&mut self, order: SessionOrder) {
        let done = match order {
            SessionOrder::Start { reason, ticket, people, lasts } => {
                let began = WallTime(Timestamp::now().as_second());
                let head = SessionHead {
                    id: new_id(began),
                    env: self.env.clone(),
                    simulated: self.simulated,
                    reason,
                    ticket,
                    people,
                    began,
                    by: Clean::new(&self.who),
                    until: began.plus(lasts),
                };
                self.start(&head).await
            }
            SessionOrder::Join => self.join().await,
            SessionOrder::Note(lines) => self.append(SessionEntry::Note(lines), "noted in the session"),
            SessionOrder::HandOver(to) => {
                let said = format!("handed over to {to}, who confirms it by joining");
                self.append(SessionEntry::HandedOver { to }, &said)
            }
            SessionOrder::End(reason) => self.end(reason).await,
        };
        // What was done here is told at once, what comes of it there when it does.
        self.tell(self.sync_so_far(), self.unknown_so_far(), Some(done.map_err(|why| Clean::new(&why))))
            .await;
        self.look(None).await;
    }

    fn sync_so_far(&self) -> SessionSync {
        let seen = self.last.as_ref().and_then(|news| news.seen.as_ref());
        seen.map_or(SessionSync::Unknown, |seen| seen.sync.clone())
    }

    fn unknown_so_far(&self) -> Option<Clean> {
        self.last.as_ref().and_then(|news| news.unknown.clone())
    }

    async fn start(&mut self, head: &SessionHead) -> Result<Clean, String> {
        if let Some((_, open)) = self.store.open(&self.env) {
            return Err(format!("{} has a session already: {}", self.env, open.head.reason));
        }
        let (jump, places) = match self.jump().await {
            Ok(jump) => jump,
            Err(why) => {
                let kept = self.store.session(&head.env, &head.id);
                kept.start(&self.who, head).map_err(|error| error.to_string())?;
                let said = format!("session started on this machine alone, others cannot see it yet: {why}");
                return Ok(Clean::new(&said));
            }
        };
        match SessionMirror::new(places, &*jump).start(&self.store, &self.who, head).await {
            Ok(_) => Ok(Clean::new(&format!("session {} started", head.id))),
            Err(MirrorError::Other(other)) => {
                let said = MirrorError::Other(other.clone()).to_string();
                self.there = Some(*other);
                Err(said)
            }
            Err(error) => Err(error.to_string()),
        }
    }

    async fn join(&mut self) -> Result<Clean, String> {
        let (kept, story) = match (self.store.open(&self.env), &self.there) {
            (Some(open), _) => open,
            (None, Some(SessionThere { id, story: Some(story), .. })) => {
                (self.store.session(&self.env, id), story.clone())
            }
            (None, Some(_) | None) => return Err(format!("no session of {} is under way", self.env)),
        };
        let confirms = story.handed_to.as_ref().is_some_and(|pending| pending.is_for(&self.who));
        if kept.own().exists() && story.has(&self.who) && !confirms {
            return Ok("you take part already".into());
        }
        kept.join(&self.who, Timestamp::now(), &story).map_err(|error| error.to_string())?;
        Ok(if confirms { "you lead the session from here on" } else { "you joined the session" }.into())
    }

    async fn end(&mut self, reason: Clean) -> Result<Clean, String> {
        let Some((kept, _)) = self.store.open(&self.env) else { return Err(self.not_in()) };
        let said =
            format!("session ended; its report: jumpdeck session report {} --env {}", kept.id(), self.env);
        let done = self.append(SessionEntry::Ended { reason }, &said)?;
        // Its end is sent although it is under way no more.
        if let Ok((jump, places)) = self.jump().await {
            let sent = SessionMirror::new(places, &*jump).sync(&kept, &self.who, Timestamp::now()).await;
            match sent {
                Ok(Mirrored { behind: 0, .. }) => {}
                Ok(Mirrored { behind, .. }) => {
                    return Ok(Clean::new(&format!("{said} ({behind} lines are not on the jump box)")));
                }
                Err(error) => return Ok(Clean::new(&format!("{said} (not yet on the jump box: {error})"))),
            }
        }
        Ok(done)
    }

    fn not_in(&self) -> String {
        format!("you take part in no session of {}", self.env)
    }

    fn append(&self, entry: SessionEntry, said: &str) -> Result<Clean, String> {
        let Some((kept, _)) = self.store.open(&self.env) else { return Err(self.not_in()) };
        kept.own().append(&self.who, Timestamp::now(), &[entry]).map_err(|error| error.to_string())?;
        Ok(Clean::new(said))
    }

    async fn write(&mut self, entries: &[SessionEntry]) {
        let open = self.store.open(&self.env).filter(|(_, story)| story.has(&self.who));
        let Some((kept, _)) = open else { return };
        let said = match kept.own().append(&self.who, Timestamp::now(), entries) {
            Ok(_) => None,
            Err(error) => Some(Err(Clean::new(&format!("not recorded in the session: {error}")))),
        };
        self.tell(self.sync_so_far(), self.unknown_so_far(), said).await;
        self.look(None).await;
    }
}

/// Somebody else ended the session.
fn ended_meanwhile(
    kept: &KeptSession,
    before: &MaintenanceSession,
    who: &str,
) -> Option<Result<Clean, Clean>> {
    let after = kept.story()?;
    let SessionState::Ended { by, .. } = &after.state else { return None };
    (before.is_open() && by.as_str() != who).then(|| Ok(Clean::new(&format!("{by} ended the session"))))
}
