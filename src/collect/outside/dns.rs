//! DNS answers: each name server that the inventory names is asked for itself, or else the resolver of this machine.

mod ask;
mod message;
mod reverse;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::time::Duration;

use futures::future::join_all;

use jumpdeck_fleet::outside::{DnsName, DnsReply, DnsSaid, DnsType, OutsideReading};
use jumpdeck_fleet::text::Clean;

use super::OpensPorts;
use super::look::OutsideLook;
use crate::listening::within;
use ask::{AskFailure, ask};
pub(super) use reverse::look as look_back;

/// All questions to one server, for a name and its aliases.
const SERVER: Duration = Duration::from_secs(15);
/// Resolvers that are asked one after the other until one answers, as the system's library does.
const RESOLVERS: usize = 3;

/// Looks at a name.
pub(super) async fn look(name: &DnsName, opens: &dyn OpensPorts) -> OutsideLook {
    if name.servers.is_empty() {
        return match Resolver::of(opens) {
            Ok(mut resolver) => resolver.look(name).await,
            Err(why) => OutsideLook::failed(why, false),
        };
    }
    let each = name.servers.iter().map(|server| bounded(opens, server, &name.name, name.kind));
    let answers = join_all(each).await;
    let (mut reached, mut proven, mut replies) = (false, false, Vec::new());
    for (server, answer) in name.servers.iter().zip(answers) {
        let there = answer.as_ref().map_or_else(AskFailure::is_there, |_| true);
        proven |= there;
        reached |= there && !is_own(server);
        let said = answer.unwrap_or_else(|failure| match failure {
            AskFailure::NotAsked(why) => DnsSaid::NotAsked(why),
            AskFailure::Silent(why) | AskFailure::Broken(why) => DnsSaid::Failed(why),
        });
        replies.push(DnsReply { server: server.as_str().into(), said });
    }
    match replies.as_slice() {
        [DnsReply { said: DnsSaid::NotAsked(why), .. }] => OutsideLook::failed(why.clone(), reached),
        _ => OutsideLook { seen: Ok(OutsideReading::Dns(replies)), reached, proven },
    }
}

async fn bounded(
    opens: &dyn OpensPorts,
    server: &str,
    name: &str,
    kind: DnsType,
) -> Result<DnsSaid, AskFailure> {
    within(SERVER, ask(opens, server, name, kind)).await.unwrap_or_else(|| {
        Err(AskFailure::Broken(format!("it did not answer everything within {} s", SERVER.as_secs()).into()))
    })
}

/// Whether a server is of the machine that asks: that it answers does not say that there is a network.
fn is_own(server: &str) -> bool {
    server == "localhost" || server.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The resolver of the place that is looked from.
struct Resolver<'a> {
    opens: &'a dyn OpensPorts,
    servers: Vec<String>,
    /// Whether one that is not of this machine answered.
    reached: bool,
}

impl<'a> Resolver<'a> {
    fn of(opens: &'a dyn OpensPorts) -> Result<Self, Clean> {
        let servers: Vec<String> = opens.resolvers()?.into_iter().take(RESOLVERS).collect();
        if servers.is_empty() {
            return Err("/etc/resolv.conf names no name server; name servers in the inventory".into());
        }
        Ok(Self { opens, servers, reached: false })
    }

    /// What the first one that answers says; why none did.
    async fn ask(&mut self, name: &str, kind: DnsType) -> Result<DnsReply, Clean> {
        let mut failures = Vec::new();
        for server in &self.servers {
            let answer = bounded(self.opens, server, name, kind).await;
            let there = answer.as_ref().map_or_else(AskFailure::is_there, |_| true);
            self.reached |= there && !is_own(server);
            match answer {
                Ok(DnsSaid::Failed(why) | DnsSaid::NotAsked(why)) => {
                    failures.push(format!("{server}: {why}"))
                }
                Ok(said) => return Ok(DnsReply { server: server.as_str().into(), said }),
                Err(AskFailure::NotAsked(why) | AskFailure::Silent(why) | AskFailure::Broken(why)) => {
                    failures.push(format!("{server}: {why}"));
                }
            }
        }
        Err(format!("no resolver answered for {name} ({}): {}", kind.word(), failures.join("; ")).into())
    }

    async fn look(&mut self, name: &DnsName) -> OutsideLook {
        match self.ask(&name.name, name.kind).await {
            Ok(reply) => {
                let seen = Ok(OutsideReading::Dns(vec![reply]));
                OutsideLook { seen, reached: self.reached, proven: true }
            }
            // What keeps a resolver from answering is not known here: its own network, or the name's servers.
            Err(why) => OutsideLook::failed(why, self.reached),
        }
    }
}
