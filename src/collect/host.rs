//! The actor of one host: connects through the jump box, keeps the resident probe asked, publishes snapshots.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::time::sleep_until;

use crate::listening::within;
use jumpdeck_fleet::event::FleetEvent;
use jumpdeck_fleet::fleet::{Cadence, Environment, Host};
use jumpdeck_fleet::growth::FilesystemGrowth;
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::snapshot::{HostFacts, HostSnapshot, Link, LinkState, Retry};
use jumpdeck_fleet::time::Moment;

use super::backoff::Backoff;
use super::clock::Clock;
use super::disks::DiskHistory;
use super::failure::Failure;
use super::identity::{self, AnsweringNames};
use super::jump::JumpWatch;
use super::resident::{self, FrameReader, Report};
use super::shell::ProbeShell;
use crate::transport::JumpConnection;

/// How long a lost host waits for the news that its jump box is lost too, so that the right hop is named.
const JUMP_NEWS: Duration = Duration::from_millis(500);

/// What the actors of an environment share.
#[derive(Clone)]
pub(crate) struct EnvironmentShared {
    pub(crate) clock: Clock,
    /// What the inventory says of the environment now.
    pub(crate) env: watch::Receiver<Arc<Environment>>,
    /// The name of the jump box in use.
    pub(crate) jump_name: watch::Receiver<HostName>,
    pub(crate) jump: JumpWatch,
    /// What the hosts of every environment are called.
    pub(crate) names: watch::Receiver<Arc<AnsweringNames>>,
    pub(crate) events: mpsc::Sender<FleetEvent>,
    /// Polls under way at once, over every environment.
    pub(crate) in_flight: Arc<Semaphore>,
    /// Counts up when every host shall be asked now.
    pub(crate) refresh: watch::Receiver<u64>,
    /// What disks had in use.
    pub(crate) disks: Arc<DiskHistory>,
}

impl EnvironmentShared {
    fn cadence(&self) -> Cadence {
        self.env.borrow().cadence
    }
}

/// The actor.
pub(crate) struct HostActor {
    /// What the inventory said of the host when it was last looked at.
    spec: Arc<Host>,
    /// What it says now.
    told: watch::Receiver<Arc<Host>>,
    shared: EnvironmentShared,
    retry: Arc<Notify>,
    /// As it was published last: one copy for this actor and for whoever shows it.
    snapshot: Arc<HostSnapshot>,
    backoff: Backoff,
}

impl HostActor {
    pub(crate) fn new(
        told: watch::Receiver<Arc<Host>>,
        shared: EnvironmentShared,
        retry: Arc<Notify>,
    ) -> Self {
        let spec = told.borrow().clone();
        let snapshot = Arc::new(pending(&spec, shared.clock.now()));
        Self { spec, told, shared, retry, snapshot, backoff: Backoff::default() }
    }

    /// Runs until nobody listens any more. `anew`: the console has figures of this host that were read another way.
    pub(crate) async fn run(mut self, anew: bool) {
        if anew && self.publish().await.is_err() {
            return;
        }
        loop {
            let Some(way) = self.jump().await else { return };
            let Some(failure) = self.session(way).await else { continue };
            let failure = self.blame(failure).await;
            if self.lose(failure).await.is_err() {
                return;
            }
            self.wait_to_retry().await;
        }
    }

    /// Waits for a live jump connection; `None` when there will be none any more.
    async fn jump(&mut self) -> Option<Arc<dyn JumpConnection>> {
        let seen = self.shared.jump.wait_for(Option::is_some).await.ok()?;
        seen.clone()
    }

    /// One connection, from login to its end. `None`: it ends as everything goes through another jump box from now on.
    async fn session(&mut self, way: Arc<dyn JumpConnection>) -> Option<Failure> {
        let mut jump = self.shared.jump.clone();
        let is_other =
            |now: &Option<Arc<dyn JumpConnection>>| now.as_ref().is_none_or(|now| !Arc::ptr_eq(now, &way));
        let replaced = tokio::select! {
            failure = self.serve(way.clone()) => return Some(failure),
            now = jump.wait_for(is_other) => now.is_ok_and(|now| now.is_some()),
        };
        (!replaced).then(|| self.jump_lost())
    }

    async fn serve(&mut self, way: Arc<dyn JumpConnection>) -> Failure {
        self.spec = self.told.borrow_and_update().clone();
        let host = match way.host(&self.spec).await {
            Ok(host) => host,
            Err(error) => return error.into(),
        };
        let hop = Hop::Host(self.spec.id.host.clone());
        loop {
            let limit = self.shared.cadence().connect;
            let mut shell = match within(limit, ProbeShell::start(host.as_ref(), hop.clone())).await {
                Some(Ok(shell)) => shell,
                Some(Err(failure)) => return failure,
                None => return self.late("no shell", limit, None),
            };
            if let Err(failure) = self.poll(&mut shell).await {
                return failure;
            }
        }
    }

    /// Starts the resident probe and keeps it asked; until the inventory says something of the host that wants another program.
    async fn poll(&mut self, shell: &mut ProbeShell) -> Result<(), Failure> {
        let mut reader = FrameReader::new();
        let mut reports = 0;
        loop {
            let before = std::mem::replace(&mut self.spec, self.told.borrow_and_update().clone());
            if reports > 0 && !resident::is_same_program(&before, &self.spec) {
                return Ok(());
            }
            let sections = resident::sections(&self.spec, reports);
            let asked = self.ask(shell, &mut reader, &sections, reports == 0).await?;
            reports += 1;
            self.wait_for_next(asked).await;
        }
    }

    /// Asks once and publishes the answer; the first question brings the program along. Returns when it was asked.
    async fn ask(
        &mut self,
        shell: &mut ProbeShell,
        reader: &mut FrameReader,
        sections: &[&'static str],
        first: bool,
    ) -> Result<Moment, Failure> {
        let in_flight = self.shared.in_flight.clone();
        // The semaphore is never closed; were it, asking without a place is better than not asking.
        let place = in_flight.acquire().await.ok();
        self.shared.refresh.mark_unchanged();
        let asked = self.shared.clock.now();
        let nonce = format!("{:016x}", rand::random::<u64>());
        let question = if first {
            resident::program(&self.spec, &nonce, sections)
        } else {
            resident::tick(&nonce, sections)
        };
        let deadline = self.shared.cadence().deadline;
        let answer = within(deadline, exchange(shell, reader, &nonce, &question, &self.spec)).await;
        drop(place);
        let report = answer.unwrap_or_else(|| Err(self.late("no report", deadline, shell.said())))?;
        self.learn(&report, sections, asked).await?;
        Ok(asked)
    }

    /// Takes a report: proves who answered, then reads it into the facts.
    async fn learn(
        &mut self,
        report: &Report,
        sections: &[&'static str],
        asked: Moment,
    ) -> Result<(), Failure> {
        let arrived = self.shared.clock.now();
        let took = arrived.since(asked);
        let mut facts = self.snapshot.facts.clone();
        facts.services.follow(&self.spec);
        resident::ingest(report, sections, asked, &mut facts);
        resident::learn_clock(report, epoch_ms(), took, asked, &mut facts);
        self.prove(&facts)?;
        tracing::debug!(host = %self.spec.id, ?took, "reported");
        if !self.snapshot.link.is_up() {
            tracing::info!(host = %self.spec.id, "up");
            self.edit().link = Link::up(arrived);
        }
        self.backoff.reset();
        let growth = self.record_disks(&facts);
        let snapshot = self.edit();
        snapshot.growth = growth;
        snapshot.facts = facts;
        snapshot.reported_at = Some(asked);
        snapshot.took = Some(took);
        self.publish().await.map_err(|()| self.jump_lost())
    }

    /// Notes what its disks have in use; says which fill, and how fast.
    fn record_disks(&self, facts: &HostFacts) -> Vec<FilesystemGrowth> {
        let disks = self.shared.disks.clone();
        let Ok(now) = u32::try_from(epoch_ms() / 60_000) else { return Vec::new() };
        let growth = disks.record(&self.spec, facts, now);
        disks.record_figures(&self.spec, facts, u32::try_from(epoch_ms() / 1000).unwrap_or(u32::MAX));
        let env = &self.spec.id.env;
        if disks.is_due(env) {
            let env = env.clone();
            // Its end is not waited for: the next one, or the end of the program, writes what this one could not.
            tokio::task::spawn_blocking(move || {
                if let Err(error) = disks.save_one(&env, now) {
                    tracing::warn!("{error}");
                }
            });
        }
        growth
    }

    /// Whether the machine that answered is the one that was asked for. One that does not say who it is, is not.
    fn prove(&self, facts: &HostFacts) -> Result<(), Failure> {
        identity::prove(&self.spec, &self.shared.names.borrow(), &facts.identity).map_err(|why| Failure {
            state: LinkState::IdentityMismatch,
            hop: Hop::Host(self.spec.id.host.clone()),
            detail: format!("{} {why}", self.snapshot.address).into(),
            retry: Retry::Automatic,
        })
    }

    /// Waits until the next report is due, or somebody asks for it now. A host whose reports take long is asked half
    /// as often.
    async fn wait_for_next(&mut self, asked: Moment) {
        let poll = self.shared.cadence().poll;
        let slow = self.snapshot.took.is_some_and(|took| took * 2 > poll);
        let due = asked.plus(if slow { poll * 2 } else { poll });
        tokio::select! {
            () = sleep_until(self.shared.clock.instant(due)) => {}
            changed = self.shared.refresh.changed() => if changed.is_err() {
                std::future::pending::<()>().await;
            },
        }
    }

    /// A host that is lost because its jump box is, is the jump box's failure: wait a moment for that news.
    async fn blame(&mut self, failure: Failure) -> Failure {
        if matches!(failure.hop, Hop::Jump(_)) || failure.state.needs_a_person() {
            return failure;
        }
        let mut jump = self.shared.jump.clone();
        match within(JUMP_NEWS, jump.wait_for(Option::is_none)).await {
            Some(_) => self.jump_lost(),
            None => failure,
        }
    }

    fn jump_lost(&self) -> Failure {
        let jump = self.shared.jump_name.borrow().clone();
        Failure {
            state: LinkState::Unreachable,
            detail: format!("jump box {jump} is lost").into(),
            hop: Hop::Jump(jump),
            retry: Retry::Automatic,
        }
    }

    fn late(&self, what: &str, limit: Duration, said: Option<String>) -> Failure {
        let said = said.map(|said| format!("; it says: {said}")).unwrap_or_default();
        Failure {
            state: LinkState::TimedOut,
            hop: Hop::Host(self.spec.id.host.clone()),
            detail: format!("{what} within {} s{said}", limit.as_secs_f64()).into(),
            retry: Retry::Automatic,
        }
    }

    async fn lose(&mut self, failure: Failure) -> Result<(), ()> {
        let now = self.shared.clock.now();
        // While the jump box is gone its return is what to wait for, and no clock.
        let retry_at = (!failure.needs_a_person() && !self.jump_gone())
            .then(|| now.plus(self.backoff.next(rand::random::<f64>())));
        tracing::info!(host = %self.spec.id, state = failure.state.word(), hop = %failure.hop, "lost: {}", failure.detail);
        let link = failure.link(&self.snapshot.link, now, retry_at);
        self.edit().link = link;
        self.publish().await
    }

    /// Waits out the backoff. Without one a person must act (by a key, or in the inventory), or the jump box must come back.
    async fn wait_to_retry(&mut self) {
        let until = match self.snapshot.link.retry_at {
            Some(at) => Some(self.shared.clock.instant(at)),
            None if self.snapshot.link.state.needs_a_person() => None,
            None => return,
        };
        let backoff = async {
            match until {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = backoff => {}
            () = self.retry.notified() => self.backoff.reset(),
            changed = self.told.changed() => match changed {
                Ok(()) => self.backoff.reset(),
                // The host is in the inventory no more, and this actor about to end.
                Err(_) => std::future::pending().await,
            },
        }
    }

    fn jump_gone(&self) -> bool {
        self.shared.jump.borrow().is_none()
    }

    fn edit(&mut self) -> &mut HostSnapshot {
        Arc::make_mut(&mut self.snapshot)
    }

    async fn publish(&mut self) -> Result<(), ()> {
        self.edit().generation += 1;
        self.shared.events.send(FleetEvent::Host(self.snapshot.clone())).await.map_err(|_| ())
    }
}

/// Sends one question and reads until its answer is whole.
async fn exchange(
    shell: &mut ProbeShell,
    reader: &mut FrameReader,
    nonce: &str,
    question: &str,
    spec: &Host,
) -> Result<Report, Failure> {
    shell.write(question.as_bytes()).await?;
    loop {
        let bytes = shell.read().await?;
        let mut next = reader.push(&bytes).map_err(|e| unreadable(spec, &e.to_string()))?;
        while let Some(report) = next {
            // An answer to an older question is no answer.
            if report.nonce == nonce {
                return Ok(report);
            }
            next = reader.push(&[]).map_err(|e| unreadable(spec, &e.to_string()))?;
        }
    }
}

fn unreadable(spec: &Host, why: &str) -> Failure {
    Failure {
        state: LinkState::NotUsable,
        hop: Hop::Host(spec.id.host.clone()),
        detail: format!("its report could not be read: {why}").into(),
        retry: Retry::Automatic,
    }
}

fn epoch_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// What is known of a host before anything is.
#[must_use]
pub fn pending(spec: &Host, at: Moment) -> HostSnapshot {
    HostSnapshot::pending(spec.id.clone(), format!("{}:{}", spec.address, spec.port), at)
}
