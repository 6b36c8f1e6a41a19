//! The actor of one jump box: connects, measures the round trip, says when it is lost, and connects again.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use jumpdeck_fleet::event::FleetEvent;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::{Environment, Jump};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::left::LeftRun;
use jumpdeck_fleet::snapshot::{JumpSnapshot, Link, LinkState, Retry};

use crate::listening::within;

use super::backoff::Backoff;
use super::clock::Clock;
use super::failure::Failure;
use super::runs::LooksForRuns;
use crate::transport::{Connector, JumpConnection, Lane};

/// A round trip that takes longer means that the jump box is lost: sooner than the hosts behind it time out, so that
/// the right hop is named. Time in which this program could not listen is not counted.
const PING_DEADLINE: Duration = Duration::from_secs(3);
/// How often the jump box is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(2);

/// How often the jump box is asked for runs that are not over, from the end of one look to the next.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The jump box's live connection, as hosts see it.
pub(crate) type JumpWatch = watch::Receiver<Option<Arc<dyn JumpConnection>>>;

/// The actor.
pub(crate) struct JumpActor {
    /// What the inventory says of the environment now.
    env: watch::Receiver<Arc<Environment>>,
    connector: Arc<dyn Connector>,
    runs: Arc<dyn LooksForRuns>,
    clock: Clock,
    events: mpsc::Sender<FleetEvent>,
    way: watch::Sender<Option<Arc<dyn JumpConnection>>>,
    retry: Arc<Notify>,
    snapshot: JumpSnapshot,
}

impl JumpActor {
    pub(crate) fn new(
        env: watch::Receiver<Arc<Environment>>,
        connector: Arc<dyn Connector>,
        runs: Arc<dyn LooksForRuns>,
        clock: Clock,
        events: mpsc::Sender<FleetEvent>,
        retry: Arc<Notify>,
    ) -> (Self, JumpWatch) {
        let (way, seen) = watch::channel(None);
        let snapshot = JumpSnapshot::pending(&env.borrow(), clock.now());
        (Self { env, connector, runs, clock, events, way, retry, snapshot }, seen)
    }

    /// Runs until nobody listens any more.
    pub(crate) async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            if self.publish().await.is_err() {
                return;
            }
            let failure = match self.connector.connect(&self.env(), Lane::Probe).await {
                Ok(way) => {
                    backoff.reset();
                    tracing::info!(env = %self.snapshot.env, jump = %self.snapshot.name, "up");
                    self.snapshot.link = Link::up(self.clock.now());
                    self.snapshot.banner = way.banner();
                    self.way.send_replace(Some(way.clone()));
                    let mut failure = self.tend(&way).await;
                    self.way.send_replace(None);
                    if way.was_interactive() {
                        failure.retry = Retry::ByOperator;
                    }
                    failure
                }
                Err(error) => error.into(),
            };
            self.lose(failure, &mut backoff);
            if self.publish().await.is_err() {
                return;
            }
            self.wait_to_retry().await;
        }
    }

    fn env(&self) -> Arc<Environment> {
        self.env.borrow().clone()
    }

    /// Watches over a live connection until it is lost.
    async fn tend(&mut self, way: &Arc<dyn JumpConnection>) -> Failure {
        let mut published = None::<Instant>;
        let mut look = pin!(self.look(way, Duration::ZERO));
        loop {
            match within(PING_DEADLINE, way.ping()).await {
                // On the jump box itself there is no way to measure.
                Some(Ok(_)) if matches!(self.env().jump, Jump::Local { .. }) => {}
                Some(Ok(rtt)) => self.snapshot.rtt.learn(rtt, self.clock.now()),
                Some(Err(error)) => return blame(way.as_ref(), error.into()).await,
                None => return blame(way.as_ref(), self.silent()).await,
            }
            // The round trip is news once a poll: a figure that changes faster than it can be read is noise.
            if published.is_none_or(|at| at.elapsed() >= self.env().cadence.poll) {
                published = Some(Instant::now());
                let _ = self.publish().await;
            }
            tokio::select! {
                error = way.closed() => return blame(way.as_ref(), error.into()).await,
                () = sleep(PING_EVERY) => {}
                // It goes on through pings, and is asked for again when it has told.
                left = &mut look => {
                    self.snapshot.left.take(left, self.clock.now());
                    let _ = self.publish().await;
                    look.set(self.look(way, LOOK_EVERY));
                }
            }
        }
    }

    /// Looks for runs that are not over, after a while.
    fn look(
        &self,
        way: &Arc<dyn JumpConnection>,
        after: Duration,
    ) -> impl Future<Output = Result<Vec<LeftRun>, Gap>> + Send + use<> {
        let (runs, way, env) = (self.runs.clone(), way.clone(), self.env.clone());
        async move {
            sleep(after).await;
            let env = env.borrow().clone();
            runs.left(way, env).await
        }
    }

    fn silent(&self) -> Failure {
        Failure {
            state: LinkState::TimedOut,
            hop: Hop::Jump(self.snapshot.name.clone()),
            detail: format!("no answer within {} s", PING_DEADLINE.as_secs()).into(),
            retry: Retry::Automatic,
        }
    }

    fn lose(&mut self, failure: Failure, backoff: &mut Backoff) {
        let now = self.clock.now();
        let retry_at = (!failure.needs_a_person()).then(|| now.plus(backoff.next(rand::random::<f64>())));
        tracing::info!(env = %self.snapshot.env, jump = %self.snapshot.name, state = failure.state.word(), "lost: {}", failure.detail);
        self.snapshot.link = failure.link(&self.snapshot.link, now, retry_at);
    }

    async fn wait_to_retry(&self) {
        match self.snapshot.link.retry_at {
            Some(at) => tokio::select! {
                () = sleep_until(self.clock.instant(at)) => {}
                () = self.retry.notified() => {}
            },
            None => self.retry.notified().await,
        }
    }

    async fn publish(&self) -> Result<(), ()> {
        self.events.send(FleetEvent::Jump(Arc::new(self.snapshot.clone()))).await.map_err(|_| ())
    }
}

/// The failure, at the hop that is silent when it is silence: whoever is behind a silent jump box is silent, too.
async fn blame(way: &dyn JumpConnection, mut failure: Failure) -> Failure {
    if failure.state == LinkState::TimedOut
        && let Some(hop) = way.silent_hop(PING_DEADLINE).await
    {
        failure.hop = hop;
    }
    failure
}
