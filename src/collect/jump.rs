//! The actor of an environment's jump boxes: connects to the first or, while that is gone, to the second; measures the round trip, says
//! when it is lost, and connects again.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use jumpdeck_fleet::event::FleetEvent;
use jumpdeck_fleet::fact::{Fact, Gap};
use jumpdeck_fleet::fleet::{Environment, Jump};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::left::LeftRun;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::snapshot::{FirstJump, JumpSnapshot, Link, LinkState, Retry, SecondJump};

use crate::listening::within;

use super::backoff::Backoff;
use super::clock::Clock;
use super::failure::Failure;
use super::runs::LooksForRuns;
use crate::transport::error::TransportError;
use crate::transport::{BoxFuture, BoxStream, Connector, JumpConnection, Lane, NotReached, WayIn, by_second};

/// A round trip that takes longer means that the jump box is lost: sooner than the hosts behind it time out, so that
/// the right hop is named. Time in which this program could not listen is not counted.
const PING_DEADLINE: Duration = Duration::from_secs(3);
/// How often the jump box is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(2);

/// How often the first jump box is asked whether it is back, while the second is in use.
const FIRST_EVERY: Duration = Duration::from_secs(10);
/// Bytes in which an SSH server has greeted.
const GREETING: usize = 1024;

/// How often the jump box is asked for runs that are not over, from the end of one look to the next.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The live connection to the jump box in use, as hosts see it.
pub(crate) type JumpWatch = watch::Receiver<Option<Arc<dyn JumpConnection>>>;

/// What other actors see of the jump boxes.
pub(crate) struct JumpWatches {
    /// The connection in use.
    pub(crate) way: JumpWatch,
    /// The connection to the first jump box, while that is the one in use.
    pub(crate) first: JumpWatch,
    /// The name of the one in use.
    pub(crate) name: watch::Receiver<HostName>,
}

/// The actor.
pub(crate) struct JumpActor {
    /// What the inventory says of the environment now.
    env: watch::Receiver<Arc<Environment>>,
    connector: Arc<dyn Connector>,
    runs: Arc<dyn LooksForRuns>,
    clock: Clock,
    events: mpsc::Sender<FleetEvent>,
    way: watch::Sender<Option<Arc<dyn JumpConnection>>>,
    first: watch::Sender<Option<Arc<dyn JumpConnection>>>,
    name: watch::Sender<HostName>,
    retry: Arc<Notify>,
    /// The second jump box refused a login: it is not asked again until an operator says so.
    second_refused: bool,
    snapshot: JumpSnapshot,
}

/// How the time with a live connection ends.
enum Tended {
    /// The connection is lost.
    Lost(Failure),
    /// An operator went back to the first jump box, which is connected.
    Back(Arc<dyn JumpConnection>),
}

/// A try to go back to the first jump box.
type GoingBack = BoxFuture<'static, Result<Arc<dyn JumpConnection>, TransportError>>;

impl JumpActor {
    pub(crate) fn new(
        env: watch::Receiver<Arc<Environment>>,
        connector: Arc<dyn Connector>,
        runs: Arc<dyn LooksForRuns>,
        clock: Clock,
        events: mpsc::Sender<FleetEvent>,
        retry: Arc<Notify>,
    ) -> (Self, JumpWatches) {
        let snapshot = JumpSnapshot::pending(&env.borrow(), clock.now());
        let (way, way_seen) = watch::channel(None);
        let (first, first_seen) = watch::channel(None);
        let (name, name_seen) = watch::channel(snapshot.name.clone());
        let watches = JumpWatches { way: way_seen, first: first_seen, name: name_seen };
        let second_refused = false;
        (
            Self { env, connector, runs, clock, events, way, first, name, retry, second_refused, snapshot },
            watches,
        )
    }

    /// Runs until nobody listens any more.
    pub(crate) async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            if self.publish().await.is_err() {
                return;
            }
            let failure = match self.connect().await {
                Ok(by) => {
                    backoff.reset();
                    self.serve(by).await
                }
                Err(failure) => failure,
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

    /// Logs in to the first jump box, or where that is gone to the second one.
    async fn connect(&mut self) -> Result<WayIn, Failure> {
        let env = self.env();
        let first = match self.connector.connect(&env, Lane::Probe).await {
            Ok(jump) => return Ok(WayIn { jump, first: None }),
            Err(first) => first,
        };
        if self.second_refused {
            return Err(first.into());
        }
        let none = match by_second(&*self.connector, &env, Lane::Probe, first).await {
            Ok(by) => return Ok(by),
            Err(none) => none,
        };
        let (first, refused) = (none.first.clone(), none.second.clone());
        self.second_refused = refused.is_some_and(|second| Failure::from(second).needs_a_person());
        // The first goes on being asked, whatever the second says.
        Err(Failure { detail: none.into_error().describe(), ..first.into() })
    }

    /// Tends connections until there is none any more.
    async fn serve(&mut self, mut by: WayIn) -> Failure {
        loop {
            self.take_up(by);
            match self.tend().await {
                Tended::Back(jump) => by = WayIn { jump, first: None },
                Tended::Lost(mut failure) => {
                    let was_interactive = self.in_use().is_some_and(|way| way.was_interactive());
                    self.first.send_replace(None);
                    self.way.send_replace(None);
                    if was_interactive {
                        failure.retry = Retry::ByOperator;
                    }
                    return failure;
                }
            }
        }
    }

    fn in_use(&self) -> Option<Arc<dyn JumpConnection>> {
        self.way.borrow().clone()
    }

    /// Everything goes through this connection from now on.
    fn take_up(&mut self, by: WayIn) {
        let now = self.clock.now();
        let before = std::mem::replace(&mut self.snapshot.link, Link::up(now));
        self.second_refused = false;
        self.snapshot.second =
            by.first.zip(self.env().second_jump.as_ref()).map(|(why, second)| SecondJump {
                name: second.name.clone(),
                address: second.route_text(),
                since: now,
                first: FirstJump {
                    state: why.state(),
                    detail: why.describe(),
                    since: if before.state == LinkState::Pending { now } else { before.since },
                    asked: now,
                    answers: None,
                },
            });
        self.snapshot.rtt = Fact::default();
        self.snapshot.banner = by.jump.banner();
        let name = self.snapshot.in_use().clone();
        tracing::info!(env = %self.snapshot.env, jump = %name, "up");
        self.name.send_replace(name);
        let first = self.snapshot.second.is_none().then(|| by.jump.clone());
        if first.is_none() {
            let why = format!("leases and journals are on {}, which is not connected", self.snapshot.name);
            self.snapshot.left.miss(Gap::Failed(why.into()));
        }
        self.first.send_replace(first);
        self.way.send_replace(Some(by.jump));
    }

    /// Watches over a live connection until it is lost, or an operator goes back to the first jump box.
    async fn tend(&mut self) -> Tended {
        let Some(way) = self.in_use() else { return Tended::Lost(self.silent()) };
        let mut published = None::<Instant>;
        let mut look = self.look(&way, Duration::ZERO);
        let mut first = self.ask_first();
        let mut back = self.go_back();
        loop {
            match within(PING_DEADLINE, way.ping()).await {
                // On the jump box itself there is no way to measure.
                Some(Ok(_)) if matches!(self.env().jump, Jump::Local { .. }) => {}
                Some(Ok(rtt)) => self.snapshot.rtt.learn(rtt, self.clock.now()),
                Some(Err(error)) => return Tended::Lost(blame(way.as_ref(), error.into()).await),
                None => return Tended::Lost(blame(way.as_ref(), self.silent()).await),
            }
            // The round trip is news once a poll: a figure that changes faster than it can be read is noise.
            if published.is_none_or(|at| at.elapsed() >= self.env().cadence.poll) {
                published = Some(Instant::now());
                let _ = self.publish().await;
            }
            tokio::select! {
                error = way.closed() => return Tended::Lost(blame(way.as_ref(), error.into()).await),
                () = sleep(PING_EVERY) => {}
                // It goes on through pings, and is asked for again when it has told.
                left = &mut look => {
                    self.snapshot.left.take(left, self.clock.now());
                    let _ = self.publish().await;
                    look = self.look(&way, LOOK_EVERY);
                }
                answers = &mut first => {
                    self.learn_of_first(answers);
                    let _ = self.publish().await;
                    first = self.ask_first();
                }
                done = &mut back => match done {
                    Ok(jump) => return Tended::Back(jump),
                    Err(error) => {
                        self.stay(&error);
                        let _ = self.publish().await;
                        back = self.go_back();
                    }
                }
            }
        }
    }

    /// Asks after a while whether the SSH port of the first jump box answers, without a login: that may send a push, or count as an
    /// attempt. Never ends while the first is in use.
    fn ask_first(&self) -> BoxFuture<'static, bool> {
        let Some(place) = self.snapshot.second.as_ref().and_then(|_| first_place(&self.env())) else {
            return Box::pin(std::future::pending());
        };
        let (connector, limit) = (self.connector.clone(), self.env().cadence.connect);
        Box::pin(async move {
            sleep(FIRST_EVERY).await;
            let (address, port) = place;
            let answers = async { is_ssh(connector.reach(&address, port).await).await };
            within(limit, answers).await.unwrap_or(false)
        })
    }

    fn learn_of_first(&mut self, answers: bool) {
        let now = self.clock.now();
        if let Some(second) = &mut self.snapshot.second {
            second.first.asked = now;
            second.first.answers = answers.then(|| second.first.answers.unwrap_or(now));
        }
    }

    /// Logs in to the first jump box as soon as an operator says so. Never ends while it is in use.
    fn go_back(&self) -> GoingBack {
        if self.snapshot.second.is_none() {
            return Box::pin(std::future::pending());
        }
        let (connector, env, retry) = (self.connector.clone(), self.env.clone(), self.retry.clone());
        Box::pin(async move {
            retry.notified().await;
            let env = env.borrow().clone();
            connector.connect(&env, Lane::Probe).await
        })
    }

    /// The first jump box could not be gone back to: the second stays in use.
    fn stay(&mut self, error: &TransportError) {
        let now = self.clock.now();
        if let Some(second) = &mut self.snapshot.second {
            let first = &mut second.first;
            (first.state, first.detail, first.asked, first.answers) =
                (error.state(), error.describe(), now, None);
        }
    }

    /// Looks for runs that are not over, after a while.
    fn look(
        &self,
        way: &Arc<dyn JumpConnection>,
        after: Duration,
    ) -> BoxFuture<'static, Result<Vec<LeftRun>, Gap>> {
        // They are on the first jump box alone.
        if self.snapshot.second.is_some() {
            return Box::pin(std::future::pending());
        }
        let (runs, way, env) = (self.runs.clone(), way.clone(), self.env.clone());
        Box::pin(async move {
            sleep(after).await;
            let env = env.borrow().clone();
            runs.left(way, env).await
        })
    }

    fn silent(&self) -> Failure {
        Failure {
            state: LinkState::TimedOut,
            hop: Hop::Jump(self.snapshot.in_use().clone()),
            detail: format!("no answer within {} s", PING_DEADLINE.as_secs()).into(),
            retry: Retry::Automatic,
        }
    }

    fn lose(&mut self, failure: Failure, backoff: &mut Backoff) {
        let now = self.clock.now();
        let retry_at = (!failure.needs_a_person()).then(|| now.plus(backoff.next(rand::random::<f64>())));
        tracing::info!(env = %self.snapshot.env, jump = %self.snapshot.in_use(), state = failure.state.word(), "lost: {}", failure.detail);
        self.snapshot.link = failure.link(&self.snapshot.link, now, retry_at);
        // The next try begins with the first again.
        self.snapshot.second = None;
    }

    async fn wait_to_retry(&mut self) {
        let due = async {
            match self.snapshot.link.retry_at {
                Some(at) => sleep_until(self.clock.instant(at)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = self.retry.notified() => self.second_refused = false,
        }
    }

    async fn publish(&self) -> Result<(), ()> {
        self.events.send(FleetEvent::Jump(Arc::new(self.snapshot.clone()))).await.map_err(|_| ())
    }
}

/// Where the first jump box of the first route takes connections from here.
fn first_place(env: &Environment) -> Option<(String, u16)> {
    match &env.jump {
        Jump::Remote(jump) => jump.route().first().map(|jump| (jump.address.clone(), jump.port)),
        Jump::Local { .. } => None,
    }
}

/// Whether an SSH server greets there.
async fn is_ssh(reached: Result<BoxStream, NotReached>) -> bool {
    let Ok(mut stream) = reached else { return false };
    let mut said = Vec::new();
    while said.len() < GREETING {
        if !matches!(stream.read_buf(&mut said).await, Ok(read) if read > 0) {
            return false;
        }
        if said.windows(4).any(|word| word == b"SSH-") {
            return true;
        }
    }
    false
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
