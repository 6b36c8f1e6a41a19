//! One look, from its first packet to what was seen.

use std::net::IpAddr;
use std::time::Duration;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::outside::{ClosedPort, OutsideCheck, OutsideReading, OutsideTarget};
use jumpdeck_fleet::text::Clean;

use super::trust::Trust;
use super::{OpensPorts, dns, relay, site};
use crate::listening::within;
use crate::transport::{BoxStream, NotReached};

/// A connection, a handshake, an answer: each may take so long.
pub(super) const STEP: Duration = Duration::from_secs(10);
/// A connection to an address where none is wanted: most such ports do not answer, and each is waited for.
const CLOSED: Duration = Duration::from_secs(4);
/// The same with a name that is looked up first, which takes 4 s at most.
const CLOSED_NAME: Duration = Duration::from_secs(8);
/// Characters of what a server says that are kept.
const LONGEST: usize = 160;

/// What a look brought.
#[derive(Debug)]
pub struct OutsideLook {
    /// What was seen, or why nothing was.
    pub seen: Result<OutsideReading, Gap>,
    /// Whether a connection came about, or something refused one: the place that was looked from has a network.
    pub reached: bool,
    /// Whether what was seen says something about the target, whatever the network of that place is like.
    pub proven: bool,
}

impl OutsideLook {
    /// Something answered.
    pub(super) fn answered(seen: OutsideReading) -> Self {
        Self { seen: Ok(seen), reached: true, proven: true }
    }

    /// The look could not be made.
    pub(super) fn failed(why: impl Into<Clean>, reached: bool) -> Self {
        Self { seen: Err(Gap::Failed(why.into())), reached, proven: false }
    }
}

/// Why a step brought nothing.
#[derive(Debug)]
pub(super) enum StepFailure {
    NotReached(NotReached),
    /// There is a connection, and what came over it is no answer.
    Broken(String),
}

/// Looks. Ends within a bounded time, whatever the other side does; `known` are the hosts that redirects may lead to.
pub async fn look(
    check: &OutsideCheck,
    opens: &dyn OpensPorts,
    trust: &Trust,
    known: &[String],
) -> OutsideLook {
    match &check.target {
        OutsideTarget::Site(target) => site::look(target, opens, trust, known).await,
        OutsideTarget::Closed(port) => closed(port, opens).await,
        OutsideTarget::Relay(host) => relay::look(host, opens).await,
        OutsideTarget::Dns(name) => dns::look(name, opens).await,
        OutsideTarget::Reverse(mail) => dns::look_back(mail, opens).await,
    }
}

async fn closed(port: &ClosedPort, opens: &dyn OpensPorts) -> OutsideLook {
    let limit = if port.address.parse::<IpAddr>().is_ok() { CLOSED } else { CLOSED_NAME };
    match connect(opens, &port.address, port.port, limit).await {
        Ok(_) => OutsideLook::answered(OutsideReading::Open),
        Err(NotReached::Refused(why)) => OutsideLook::answered(OutsideReading::Closed(why)),
        Err(NotReached::NoConnection(why)) => {
            OutsideLook { seen: Ok(OutsideReading::Closed(why)), reached: false, proven: false }
        }
        Err(NotReached::NotTried(why)) => OutsideLook::failed(why, false),
    }
}

/// A connection, or why there is none in time.
pub(super) async fn connect(
    opens: &dyn OpensPorts,
    address: &str,
    port: u16,
    limit: Duration,
) -> Result<BoxStream, NotReached> {
    within(limit, opens.open(address, port)).await.unwrap_or_else(|| {
        let why = format!("no connection to port {port} within {} s", limit.as_secs());
        Err(NotReached::NoConnection(why.into()))
    })
}

/// A step over a connection, in time.
pub(super) async fn step<T>(
    what: &str,
    work: impl Future<Output = Result<T, String>>,
) -> Result<T, StepFailure> {
    match within(STEP, work).await {
        Some(done) => done.map_err(|why| StepFailure::Broken(format!("{what}: {why}"))),
        None => Err(StepFailure::Broken(format!("{what}: no answer within {} s", STEP.as_secs()))),
    }
}

/// What a server said, in a line that can be shown.
pub(super) fn said(text: &str) -> Clean {
    Clean::first_line(text, LONGEST)
}
