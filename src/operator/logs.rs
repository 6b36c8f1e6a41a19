//! Logs of many hosts, followed together.
//!
//! Each host is asked once a second, over a session of its own, by a shell that stays: nothing runs there between two requests, and how
//! far each log was read is kept here. So a host sends no more than is read here, a lost connection loses nothing that is still in
//! the file, and nothing is left running when the operator goes.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::host::HostReader;
use super::access::FleetAccess;
use crate::transport::{HostSessions, Lane, SessionPool, description};
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::log::{HostLog, LogEvent, LogRequest};
use jumpdeck_fleet::names::HostName;

mod host;
mod level;
mod lines;
mod reader;
mod request;
mod stamp;

/// Events that wait to be taken: more are not read from the hosts.
const WAITING: usize = 64;

/// Logs that are being followed. Dropping it ends that, on the hosts, too.
pub struct FollowedLogs {
    /// Its news. It ends when every host has ended.
    pub events: mpsc::Receiver<LogEvent>,
    _readers: JoinSet<()>,
}

impl FollowedLogs {
    /// Nothing: for a console without a fleet.
    #[must_use]
    pub fn none() -> Self {
        Self { events: mpsc::channel(1).1, _readers: JoinSet::new() }
    }
}

/// Follows the logs of hosts of an environment, over connections of its own.
#[must_use]
pub fn follow(access: &FleetAccess, env: Arc<Environment>, request: LogRequest) -> FollowedLogs {
    let connector = access.connectors.open(access.ask.clone());
    let sessions: Arc<dyn HostSessions> = Arc::new(SessionPool::new(connector, env.clone(), Lane::Person));
    let (sender, events) = mpsc::channel(WAITING);
    let mut readers = JoinSet::new();
    let request = Arc::new(request);
    tracing::info!(env = %env.name, hosts = request.hosts.len(), "logs are followed");
    for name in &request.hosts {
        readers.spawn(read(sessions.clone(), env.clone(), name.clone(), request.clone(), sender.clone()));
    }
    FollowedLogs { events, _readers: readers }
}

async fn read(
    sessions: Arc<dyn HostSessions>,
    env: Arc<Environment>,
    name: HostName,
    request: Arc<LogRequest>,
    out: mpsc::Sender<LogEvent>,
) {
    match description(&env, &name) {
        Ok(host) => HostReader::new(sessions, host, request, out).run().await,
        Err(error) => {
            let failed = Some((error.hop.clone(), error.describe()));
            // Nobody listens: nothing is to be told.
            let _ = out.send(LogEvent::State(name, HostLog::Ended { failed })).await;
        }
    }
}
