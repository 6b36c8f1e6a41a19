//! A host is looked at: its processes, listening ports or mounts, asked again and again for as long as somebody looks, and never
//! otherwise. All looks of an environment share one connection to its jump box.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use self::answer::LookParts;
use self::processes::LastTimes;
use super::access::FleetAccess;
use crate::collect::clock::Clock;
use crate::transport::error::{ErrorKind, TransportError};
use crate::transport::{HostSessions, Lane, Limits, Session, SessionPool, advice, description};
use jumpdeck_fleet::fleet::{Environment, Host};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::look::{HostLook, LookContent, LookEvent, LookKind};
use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::text::Clean;

mod answer;
mod mounts;
mod ports;
mod processes;
#[cfg(test)]
mod tests;

/// The script; see there.
const SCRIPT: &str = include_str!("look/look.sh");
/// An answer takes no longer, without the login.
const ANSWER: Duration = Duration::from_secs(20);
/// Bytes of an answer: what the script sends of its own limits.
const LARGEST: usize = 12 << 20;
/// Before a lost connection is opened anew: the first time, and at most.
const SOONEST: Duration = Duration::from_secs(1);
const LATEST: Duration = Duration::from_secs(30);
/// Between two questions whose difference is what processes use now.
const APART: Duration = Duration::from_secs(1);

/// A host that is being looked at. Dropping it ends that.
pub struct WatchedHost {
    /// Its news.
    pub events: mpsc::Receiver<LookEvent>,
    again: Arc<Notify>,
    _asking: JoinSet<()>,
}

impl WatchedHost {
    /// Nobody: for a console without a fleet.
    #[must_use]
    pub fn none() -> Self {
        Self { events: mpsc::channel(1).1, again: Arc::default(), _asking: JoinSet::new() }
    }

    /// Asks now, whatever was waited for.
    pub fn again(&self) {
        self.again.notify_one();
    }
}

/// The sessions with the hosts of an environment, as the inventory had it then.
type LookSessions = (Arc<Environment>, Arc<dyn HostSessions>);

/// Looks at hosts.
pub struct HostLooker {
    access: FleetAccess,
    /// An environment that the inventory says something else of now is connected anew.
    sessions: Mutex<HashMap<EnvName, LookSessions>>,
}

impl HostLooker {
    /// Over connections of its own. Nothing is connected yet.
    #[must_use]
    pub fn new(access: FleetAccess) -> Self {
        Self { access, sessions: Mutex::default() }
    }

    /// Looks at a host until what is returned is dropped.
    #[must_use]
    pub fn watch(&self, env: &Arc<Environment>, host: &HostName, kind: LookKind) -> WatchedHost {
        let (sender, events) = mpsc::channel(4);
        let again = Arc::new(Notify::new());
        let mut asking = JoinSet::new();
        let asker = self.asker(env, host, kind);
        let (clock, woken) = (self.access.clock, again.clone());
        asking.spawn(async move {
            match asker {
                Ok(asker) => watch(asker, clock, &woken, sender).await,
                // Nobody listens: nothing is to be told.
                Err(error) => drop(sender.send(lost(&error, false)).await),
            }
        });
        WatchedHost { events, again, _asking: asking }
    }

    /// Looks at a host once; for processes twice, so that it is known what they use now.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn look(
        &self,
        env: &Arc<Environment>,
        host: &HostName,
        kind: LookKind,
    ) -> Result<HostLook, TransportError> {
        let mut asker = self.asker(env, host, kind)?;
        let first = asker.ask(self.access.clock).await?;
        match kind {
            LookKind::Processes => {
                tokio::time::sleep(APART).await;
                asker.ask(self.access.clock).await
            }
            LookKind::Ports | LookKind::Mounts => Ok(first),
        }
    }

    fn asker(
        &self,
        env: &Arc<Environment>,
        host: &HostName,
        kind: LookKind,
    ) -> Result<HostAsker, TransportError> {
        let mut all = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(&env.name).filter(|(of, _)| of == env).map(|(_, sessions)| sessions.clone());
        let sessions = known.unwrap_or_else(|| {
            let connector = self.access.connectors.open(self.access.ask.clone());
            let new: Arc<dyn HostSessions> = Arc::new(SessionPool::new(connector, env.clone(), Lane::Person));
            all.insert(env.name.clone(), (env.clone(), new.clone()));
            new
        });
        Ok(HostAsker { sessions, host: description(env, host)?, kind, sudo_refused: None, times: None })
    }
}

/// Asks until nobody listens.
async fn watch(mut asker: HostAsker, clock: Clock, again: &Notify, out: mpsc::Sender<LookEvent>) {
    let mut pause = SOONEST;
    let mut answers = false;
    loop {
        if !answers && out.send(LookEvent::Asking).await.is_err() {
            return;
        }
        let begun = Instant::now();
        let asked = tokio::select! {
            asked = asker.ask(clock) => asked,
            () = out.closed() => return,
        };
        let (event, next) = match asked {
            Ok(look) => {
                (answers, pause) = (true, SOONEST);
                (LookEvent::Answer(look), Some(begun + asker.kind.cadence()))
            }
            Err(error) => {
                answers = false;
                let passes = error.passes();
                let next = passes.then(|| Instant::now() + pause);
                pause = (pause * 2).min(LATEST);
                (lost(&error, passes), next)
            }
        };
        if out.send(event).await.is_err() {
            return;
        }
        tokio::select! {
            () = at(next) => {}
            () = again.notified() => {}
            () = out.closed() => return,
        }
    }
}

async fn at(next: Option<Instant>) {
    match next {
        Some(next) => sleep_until(next).await,
        None => std::future::pending().await,
    }
}

fn lost(error: &TransportError, again: bool) -> LookEvent {
    LookEvent::Lost { hop: error.hop.clone(), why: error.describe(), again }
}

/// Asks one host one thing.
struct HostAsker {
    sessions: Arc<dyn HostSessions>,
    host: Arc<Host>,
    kind: LookKind,
    /// What sudo said when it refused: from then on it is asked without.
    sudo_refused: Option<Clean>,
    /// What processes had used at the last question.
    times: Option<LastTimes>,
}

impl HostAsker {
    async fn ask(&mut self, clock: Clock) -> Result<HostLook, TransportError> {
        let session = self.sessions.host(&self.host.id.host).await?;
        let asked = clock.now();
        let mark = format!("jd{:032x}", rand::random::<u128>());
        let script = script(&mark, self.kind);
        if self.host.sudo && self.sudo_refused.is_none() {
            let (text, said) = self.run(session.as_ref(), "exec sudo -n /bin/sh", &script).await?;
            if let Some(parts) = LookParts::of(&text, &mark) {
                return self.read(&parts, asked);
            }
            self.sudo_refused = Some(said);
        }
        let (text, said) = self.run(session.as_ref(), "exec /bin/sh", &script).await?;
        match LookParts::of(&text, &mark) {
            Some(parts) => self.read(&parts, asked),
            None => {
                let said = if said.is_empty() { String::new() } else { format!(": {said}") };
                Err(self.refused(&format!("the script of the question did not run to its end{said}")))
            }
        }
    }

    /// What it printed, and the first line of what it said besides.
    async fn run(
        &self,
        session: &dyn Session,
        shell: &str,
        script: &str,
    ) -> Result<(String, Clean), TransportError> {
        let limits = Limits { time: ANSWER, bytes: LARGEST };
        let ran = session.exec(shell, script.as_bytes(), limits, &mut |_| ()).await?;
        let said = Clean::first_line(&String::from_utf8_lossy(&ran.stderr), 200);
        Ok((String::from_utf8_lossy(&ran.stdout).into_owned(), said))
    }

    fn read(
        &mut self,
        parts: &LookParts<'_>,
        asked: jumpdeck_fleet::time::Moment,
    ) -> Result<HostLook, TransportError> {
        if let Some(missing) = parts.lacks() {
            let missing = Clean::new(missing);
            let kind = self.kind.word();
            return Err(self.refused(&format!("{missing} is missing there: its {kind} are not known")));
        }
        let (content, mut notes) = match self.kind {
            LookKind::Processes => {
                let (table, notes) = processes::read(parts, &mut self.times);
                (LookContent::Processes(table), notes)
            }
            LookKind::Ports => {
                let (ports, notes) = ports::read(parts);
                (LookContent::Ports(ports), notes)
            }
            LookKind::Mounts => {
                let (mounts, notes) = mounts::read(parts);
                (LookContent::Mounts(mounts), notes)
            }
        };
        if let Some(said) = &self.sudo_refused {
            let said = if said.is_empty() { String::new() } else { format!(" ({said})") };
            notes.insert(0, Clean::new(&format!("sudo -n is refused there{said}: asked without it")));
        }
        Ok(HostLook { asked, content, notes })
    }

    fn refused(&self, detail: &str) -> TransportError {
        let hop = Hop::Host(self.host.id.host.clone());
        TransportError::new(&hop, ErrorKind::Refused, detail).advising(&advice::LOOK)
    }
}

/// The script without its comments, behind the word it needs, and what it is to say.
fn script(mark: &str, kind: LookKind) -> String {
    let mut text = format!("jd_mark={mark}\n");
    for line in SCRIPT.lines().filter(|line| !line.trim_start().starts_with('#')) {
        text.push_str(line);
        text.push('\n');
    }
    text.push_str(match kind {
        LookKind::Processes => "jd_processes\n",
        LookKind::Ports => "jd_ports\n",
        LookKind::Mounts => "jd_mounts\n",
    });
    text
}
