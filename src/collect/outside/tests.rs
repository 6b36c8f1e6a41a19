#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::*;
use crate::collect::tests::fleet;
use crate::openssh::sshsig::{NotSigned, TextSigner};
use crate::transport::ask::{AskPerson, RefuseAll};
use crate::transport::error::TransportError;
use crate::transport::{HostConnection, Lane};
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::outside::{ClosedPort, OutsideSettings, RelayHost, TrustedAuthorities};

/// A firewall: port 6379 refuses after a second, nothing else answers. The connection to the jump box is there.
struct Firewall;

impl Connector for Firewall {
    fn connect<'a>(
        &'a self,
        _: &'a Arc<Environment>,
        _: Lane,
    ) -> BoxFuture<'a, Result<Arc<dyn JumpConnection>, TransportError>> {
        Box::pin(std::future::pending())
    }

    fn ask(&self) -> &dyn AskPerson {
        &RefuseAll
    }

    fn reach<'a>(&'a self, _: &'a str, port: u16) -> BoxFuture<'a, Result<BoxStream, NotReached>> {
        Box::pin(async move {
            if port == 6379 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                return Err(NotReached::Refused("connection refused".into()));
            }
            Err(NotReached::NoConnection("no connection".into()))
        })
    }

    fn signer<'a>(
        &'a self,
        _: &'a Environment,
        _: Option<&'a Path>,
    ) -> BoxFuture<'a, Result<TextSigner, NotSigned>> {
        Box::pin(std::future::pending())
    }
}

impl JumpConnection for Firewall {
    fn host<'a>(&'a self, _: &'a Host) -> BoxFuture<'a, Result<Arc<dyn HostConnection>, TransportError>> {
        Box::pin(std::future::pending())
    }

    fn ping(&self) -> BoxFuture<'_, Result<Duration, TransportError>> {
        Box::pin(std::future::pending())
    }

    fn closed(&self) -> BoxFuture<'_, TransportError> {
        Box::pin(std::future::pending())
    }

    fn is_closed(&self) -> bool {
        false
    }
}

fn check(target: OutsideTarget) -> Arc<OutsideCheck> {
    Arc::new(OutsideCheck { name: "it".to_owned(), from: Viewpoint::ThisMachine, target })
}

fn closed(port: u16) -> Arc<OutsideCheck> {
    check(OutsideTarget::Closed(ClosedPort { address: "192.0.2.1".to_owned(), port }))
}

/// An actor that looks at these from this machine, with a connection to the jump box, or without.
fn actor(
    checks: &[Arc<OutsideCheck>],
    jump: Option<Jump>,
) -> (OutsideActor, mpsc::Receiver<FleetEvent>, Arc<Environment>) {
    let mut env = Environment::clone(fleet(&[]).environments.first().unwrap());
    let authorities = TrustedAuthorities::Text(String::new());
    env.outside = OutsideSettings { authorities, checks: checks.to_vec(), ..OutsideSettings::default() };
    let way = jump.is_some().then(|| Arc::new(Firewall) as Arc<dyn JumpConnection>);
    env.jump = jump.unwrap_or(env.jump);
    let env = Arc::new(env);
    let (events, seen) = mpsc::channel(64);
    let (_, spec) = watch::channel(env.clone());
    let (_, way) = watch::channel(way);
    let (_, refresh) = watch::channel(0);
    (OutsideActor::new(spec, Arc::new(Firewall), way, Clock::start(), events, refresh), seen, env)
}

/// Whether each port is open, as far as that is known.
fn open(actor: &OutsideActor) -> Vec<Option<bool>> {
    let results = actor.snapshot.results.iter();
    results.map(|result| result.fact.current().and_then(OutsideReading::is_open)).collect()
}

fn nothing_proven() -> OutsideLook {
    OutsideLook { seen: Ok(OutsideReading::Closed("no answer".into())), reached: false, proven: false }
}

#[tokio::test(start_paused = true)]
async fn a_look_that_proves_nothing_is_judged_after_all_the_others() {
    let (mut actor, _seen, env) = actor(&[closed(3306), closed(6379), closed(9200)], None);
    actor.round().await.unwrap();
    assert_eq!(open(&actor), [Some(false); 3]);
    // What was reached is not believed for ever.
    tokio::time::advance(Duration::from_secs(85)).await;
    actor.learn(0, nothing_proven(), None, &env);
    tokio::time::advance(Duration::from_secs(6)).await;
    actor.learn(2, nothing_proven(), None, &env);
    assert_eq!(open(&actor), [Some(false), Some(false), None]);
}

/// A connection from the jump box to itself is no sign of a network.
#[tokio::test(start_paused = true)]
async fn only_a_jump_box_that_is_elsewhere_proves_a_network() {
    let remote = fleet(&[]).environments.first().unwrap().jump.clone();
    let local = Jump::Local { name: HostName::new("salt").unwrap() };
    for (jump, seen) in [(None, None), (Some(local), None), (Some(remote), Some(false))] {
        let (mut actor, _seen, _) = actor(&[closed(3306)], jump);
        actor.round().await.unwrap();
        assert_eq!(open(&actor), [seen]);
    }
}

/// Nothing bans who did not reach it.
#[tokio::test(start_paused = true)]
async fn a_mail_host_that_was_reached_is_left_alone_for_an_hour() {
    let mail = check(OutsideTarget::Relay(RelayHost { address: "192.0.2.1".to_owned(), port: 25 }));
    let (mut actor, _seen, env) = actor(&[mail], None);
    let mut due = |look: OutsideLook| {
        actor.learn(0, look, None, &env);
        actor.due.first().copied().flatten().unwrap().since(actor.clock.now()).as_secs()
    };
    assert_eq!(due(OutsideLook::answered(OutsideReading::RefusesRelay("554 no".into()))), 3600);
    assert_eq!(due(OutsideLook::failed("no connection", false)), 60);
}
