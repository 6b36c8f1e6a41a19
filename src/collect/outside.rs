//! The actor that looks at an environment from outside: at its public sites, its names in the DNS, at ports that must be closed, at its
//! mail hosts; from this machine, or through the jump box. What could not be looked at is a gap, never a verdict.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;

use jumpdeck_fleet::event::FleetEvent;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::{Environment, Jump};
use jumpdeck_fleet::outside::{OutsideCheck, OutsideReading, OutsideSnapshot, OutsideTarget, Viewpoint};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

use super::clock::Clock;
use super::jump::JumpWatch;
use crate::transport::{BoxFuture, BoxStream, Connector, JumpConnection, NotReached};
use look::OutsideLook;
use trust::Trust;

mod dns;
pub mod look;
mod relay;
mod site;
#[cfg(test)]
mod tests;
pub mod trust;

/// Looks under way at once in an environment: a round must not be a burst.
const AT_ONCE: usize = 4;
/// What was reached so long before, and one time from look to look, says that there is a network.
const LATELY: Duration = Duration::from_secs(30);

/// Opens TCP connections, as they are opened from somewhere.
pub trait OpensPorts: Send + Sync {
    /// Opens one. Callers put a deadline round it.
    fn open<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, Result<BoxStream, NotReached>>;

    /// A UDP socket of its own for one question there; `None`: only TCP leads there. Callers put a deadline round it.
    fn datagrams<'a>(
        &'a self,
        _address: &'a str,
        _port: u16,
    ) -> BoxFuture<'a, Result<Option<UdpSocket>, NotReached>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// The name servers that programs ask there.
    ///
    /// # Errors
    /// Why they are not known.
    fn resolvers(&self) -> Result<Vec<String>, Clean> {
        Err("the resolver there is not known; name servers in the inventory".into())
    }
}

struct FromHere(Arc<dyn Connector>);

impl OpensPorts for FromHere {
    fn open<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, Result<BoxStream, NotReached>> {
        self.0.reach(address, port)
    }

    fn datagrams<'a>(
        &'a self,
        address: &'a str,
        port: u16,
    ) -> BoxFuture<'a, Result<Option<UdpSocket>, NotReached>> {
        self.0.datagrams(address, port)
    }

    fn resolvers(&self) -> Result<Vec<String>, Clean> {
        self.0.resolvers()
    }
}

struct FromJumpBox(Arc<dyn JumpConnection>);

impl OpensPorts for FromJumpBox {
    fn open<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, Result<BoxStream, NotReached>> {
        self.0.reach(address, port)
    }
}

/// A look that is due, and what is needed for it.
struct DueLook {
    at: usize,
    check: Arc<OutsideCheck>,
    opens: Arc<dyn OpensPorts>,
}

impl DueLook {
    fn start(self, trust: &Arc<Trust>, known: &Arc<[String]>) -> BoxFuture<'static, (usize, OutsideLook)> {
        let (trust, known) = (trust.clone(), known.clone());
        Box::pin(async move { (self.at, look::look(&self.check, self.opens.as_ref(), &trust, &known).await) })
    }
}

/// The actor.
pub(super) struct OutsideActor {
    env: watch::Receiver<Arc<Environment>>,
    connector: Arc<dyn Connector>,
    jump: JumpWatch,
    clock: Clock,
    events: mpsc::Sender<FleetEvent>,
    refresh: watch::Receiver<u64>,
    snapshot: OutsideSnapshot,
    /// When each check is due; none yet: now.
    due: Vec<Option<Moment>>,
    /// When something was last reached through the jump connection that is there.
    jump_reached: Option<Moment>,
    /// The same of this machine.
    here_reached: Option<Moment>,
}

impl OutsideActor {
    pub(super) fn new(
        env: watch::Receiver<Arc<Environment>>,
        connector: Arc<dyn Connector>,
        jump: JumpWatch,
        clock: Clock,
        events: mpsc::Sender<FleetEvent>,
        refresh: watch::Receiver<u64>,
    ) -> Self {
        let snapshot = {
            let env = env.borrow();
            OutsideSnapshot::pending(&env.name, &env.outside)
        };
        let due = vec![None; snapshot.results.len()];
        let (jump_reached, here_reached) = (None, None);
        Self { env, connector, jump, clock, events, refresh, snapshot, due, jump_reached, here_reached }
    }

    /// Runs until nobody listens any more.
    pub(super) async fn run(mut self) {
        loop {
            self.follow();
            if self.publish().await.is_err() || self.round().await.is_err() {
                return;
            }
            if self.wait().await.is_err() {
                return;
            }
        }
    }

    fn env(&self) -> Arc<Environment> {
        self.env.borrow().clone()
    }

    /// Takes up what the inventory says now.
    fn follow(&mut self) {
        let env = self.env.borrow_and_update().clone();
        let now = self.snapshot.follow(&env.outside);
        let known = std::mem::replace(&mut self.snapshot, now);
        let due = std::mem::take(&mut self.due);
        let before = |check: &Arc<OutsideCheck>| {
            let at = known.results.iter().position(|result| result.check == *check)?;
            due.get(at).copied().flatten()
        };
        self.due = env.outside.checks.iter().map(before).collect();
    }

    /// Looks at what is due.
    async fn round(&mut self) -> Result<(), ()> {
        let way = self.jump.borrow_and_update().clone().filter(|way| !way.is_closed());
        if way.is_none() {
            self.jump_reached = None;
            self.lose_jump();
        }
        let (env, now) = (self.env(), self.clock.now());
        let is_due = |due: &Option<Moment>| due.is_none_or(|due| due <= now);
        let due: Vec<usize> = (0..).zip(&self.due).filter(|(_, due)| is_due(due)).map(|(at, _)| at).collect();
        let due: Vec<_> = due.into_iter().filter_map(|at| self.look_at(at, way.as_ref())).collect();
        if due.is_empty() {
            return self.publish().await;
        }
        let trust = Arc::new(Trust::load(&env.outside.authorities).await);
        let known: Arc<[String]> = known_hosts(&env).into();
        let looks: Vec<_> = due.into_iter().map(|due| due.start(&trust, &known)).collect();
        let mut looks = stream::iter(looks).buffer_unordered(AT_ONCE);
        let mut late = Vec::new();
        while let Some((at, look)) = looks.next().await {
            // What proves nothing is judged by what all the others reached.
            if look.seen.is_ok() && !look.proven {
                late.push((at, look));
                continue;
            }
            self.learn(at, look, way.as_ref(), &env);
            self.publish().await?;
        }
        for (at, look) in late {
            self.learn(at, look, way.as_ref(), &env);
        }
        self.publish().await
    }

    /// What is needed for a look; `None` while it cannot be made.
    fn look_at(&self, at: usize, way: Option<&Arc<dyn JumpConnection>>) -> Option<DueLook> {
        let check = self.snapshot.results.get(at)?.check.clone();
        let opens: Arc<dyn OpensPorts> = match check.from {
            Viewpoint::ThisMachine => Arc::new(FromHere(self.connector.clone())),
            Viewpoint::JumpBox => Arc::new(FromJumpBox(way?.clone())),
        };
        Some(DueLook { at, check, opens })
    }

    /// What is seen from the jump box is not known any more. What was never asked waits for the first connection.
    fn lose_jump(&mut self) {
        let from_jump = self.snapshot.results.iter_mut().zip(&mut self.due);
        for (result, due) in from_jump.filter(|(result, _)| result.check.from == Viewpoint::JumpBox) {
            *due = None;
            if result.fact.gap != Some(Gap::NotAsked) {
                result.fact.miss(Gap::Failed("the jump box is not connected".into()));
            }
        }
    }

    /// Takes what a look brought. A failure counts only where what it went through works.
    fn learn(
        &mut self,
        at: usize,
        look: OutsideLook,
        way: Option<&Arc<dyn JumpConnection>>,
        env: &Environment,
    ) {
        let jump_is_there = way.is_some_and(|way| !way.is_closed()) && self.jump.borrow().is_some();
        let (now, every) = (self.clock.now(), env.outside.every);
        let Some(result) = self.snapshot.results.get_mut(at) else { return };
        let view = result.check.from;
        let gone = view == Viewpoint::JumpBox && !jump_is_there;
        let reached = match view {
            Viewpoint::ThisMachine => &mut self.here_reached,
            Viewpoint::JumpBox => &mut self.jump_reached,
        };
        if look.reached && !gone {
            *reached = Some(now);
        }
        let reaches = reached.is_some_and(|at| now.since(at) <= every.saturating_add(LATELY));
        // On the jump box itself that connection needs no network.
        let through_network = jump_is_there && !matches!(env.jump, Jump::Local { .. });
        let works = match (view, &result.check.target) {
            // A port that must not answer looks closed to a jump box without a network.
            (Viewpoint::JumpBox, OutsideTarget::Closed(_)) => reaches,
            (Viewpoint::ThisMachine | Viewpoint::JumpBox, _) => reaches || through_network,
        };
        let seen: Result<OutsideReading, Gap> = match look.seen {
            Ok(_) if gone => Err(Gap::Failed("the connection to the jump box ended meanwhile".into())),
            Ok(_) if !look.proven && !works => Err(Gap::Failed(
                format!(
                    "there was no connection, and nothing else was reached from {} either, so that proves nothing; {}",
                    view.label(),
                    "check its network, or name a site that it can reach"
                )
                .into(),
            )),
            seen => seen,
        };
        result.fact.take(seen, now);
        // Where nothing was reached, nothing was asked too often.
        let every = if look.reached { result.check.every(every) } else { every };
        if let Some(due) = self.due.get_mut(at) {
            *due = (!gone).then(|| now.plus(every));
        }
    }

    /// Waits until something is due, asked for, or can be looked at again.
    async fn wait(&mut self) -> Result<(), ()> {
        let now = self.clock.now();
        let from_jump = |at: &usize| {
            let result = self.snapshot.results.get(*at);
            result.is_some_and(|result| result.check.from == Viewpoint::JumpBox)
        };
        let jump_is_there = self.jump.borrow().is_some();
        let due = (0..).zip(&self.due).filter(|(at, _)| jump_is_there || !from_jump(at));
        let next = due.map(|(_, due)| due.unwrap_or(now.plus(Duration::from_secs(1)))).min();
        let clock = self.clock;
        let time = async {
            match next {
                Some(at) => sleep_until(clock.instant(at)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = time => Ok(()),
            changed = self.env.changed() => changed.map_err(|_| ()),
            changed = self.jump.changed() => changed.map_err(|_| ()),
            changed = self.refresh.changed() => {
                self.due.fill(None);
                changed.map_err(|_| ())
            }
        }
    }

    async fn publish(&self) -> Result<(), ()> {
        if self.snapshot.results.is_empty() && self.env.borrow().outside.checks.is_empty() {
            return Ok(());
        }
        self.events.send(FleetEvent::Outside(Arc::new(self.snapshot.clone()))).await.map_err(|_| ())
    }
}

/// The hosts that a redirect may lead to and is followed: those that the inventory names. A site may not make us ask others.
fn known_hosts(env: &Environment) -> Vec<String> {
    let site = |check: &Arc<OutsideCheck>| match &check.target {
        OutsideTarget::Site(site) => Some(site.url.host.clone()),
        OutsideTarget::Closed(_)
        | OutsideTarget::Relay(_)
        | OutsideTarget::Dns(_)
        | OutsideTarget::Reverse(_) => None,
    };
    env.outside.checks.iter().filter_map(site).collect()
}
