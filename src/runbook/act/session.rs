//! Statements in the sessions that `hold` steps keep open: no client is started for them, and nobody logs in.
//!
//! Such a session is found on its server by a lock of its own (`mark`), which it takes before it is used. While somebody has
//! that lock, the session is there and what was sent in it may come yet; when nobody has it, the session has ended, and
//! nothing that was sent in it comes later: the client does not connect again. So a statement needs no folder on the host.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep};

use super::client;
use super::manner::{For, Lost, Manner};
use super::sessions::SessionSent;
use super::site::Site;
use super::trouble::Trouble;
use crate::runbook::definition::Pick;
use crate::runbook::ids::{RunId, StepId};
use crate::runbook::judge::HostAnswer;
use crate::runbook::machine::StepRef;
use jumpdeck_fleet::names::HostName;

/// Time between two looks at a session that is to end.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A look that takes longer is none.
const LOOK_LIMIT: Duration = Duration::from_secs(15);

/// Runs statements in the session of a hold. `None`: that is not open, and a client is to be started for them.
pub(super) async fn run(
    site: &Site,
    at: StepRef<'_>,
    hold: &str,
    host: &HostName,
    text: &str,
    manner: Manner,
) -> Option<Result<HostAnswer, Trouble>> {
    match manner.what {
        For::Asking => {}
        For::Change | For::Undo => {
            if let Err(lost) = site.still_ours().await {
                return Some(Err(lost));
            }
        }
    }
    let id = match id_of(at, hold) {
        Ok(id) => id,
        Err(why) => return Some(Err(Trouble::Failed(why))),
    };
    let sent = match site.sessions.opened(&id, host) {
        Some(line) => line.send(text, manner.limit, at.is_quiet()).await,
        None => SessionSent::Not(format!("the session of {hold} is not open")),
    };
    let why = match sent {
        SessionSent::Answered(said) => {
            client::show(site, host, manner, &said);
            return Some(Ok(HostAnswer::of_sql(&said)));
        }
        SessionSent::Ended(trouble) => return Some(Err(trouble)),
        SessionSent::Not(why) => why,
    };
    match (manner.lost, manner.what) {
        (Lost::Fails, _) => Some(Err(Trouble::Failed(format!("{host}: {why}; nothing was started")))),
        (Lost::NewClient, For::Asking) => None,
        // What was sent in the lost session must not come after this.
        (Lost::NewClient, For::Change | For::Undo) => {
            let ended = end(site, host, &mark(&at.machine().run, &id), manner.limit).await;
            ended.err().map(|why| Err(Trouble::Failed(format!("{why}; nothing was started"))))
        }
    }
}

/// Whether the session of a hold is not open any more: nothing that is asked in it is answered until the run opens it again.
pub(super) fn has_ended(site: &Site, at: StepRef<'_>, hold: &str, host: &HostName) -> bool {
    id_of(at, hold).is_ok_and(|id| site.sessions.find(&id, host).is_none())
}

/// Whether nothing that was sent in the session of a hold can come any more. A session that does not end by itself is ended
/// on its server; an error says what is to be looked at.
pub(super) async fn over(
    site: &Site,
    at: StepRef<'_>,
    hold: &str,
    host: &HostName,
    limit: Duration,
) -> Result<(), String> {
    let id = id_of(at, hold)?;
    // One that is open has ended those before it, and answers in the order in which it was asked.
    if let Some(line) = site.sessions.find(&id, host)
        && let SessionSent::Answered(_) = line.send("SELECT 1", limit, false).await
    {
        return Ok(());
    }
    end(site, host, &mark(&at.machine().run, &id), limit).await
}

/// Ends the session that has this lock, and waits until nobody has it.
pub(super) async fn end(site: &Site, host: &HostName, mark: &str, limit: Duration) -> Result<(), String> {
    let until = Instant::now() + limit;
    let whose = format!("SELECT IFNULL(IS_USED_LOCK('{mark}'), 0) AS whose");
    loop {
        let asked = client::once(site, host, &whose, LOOK_LIMIT).await;
        let asked = asked.and_then(|answer| answer.pick(&Pick::Whole).map_err(Trouble::Unknown));
        let whose =
            asked.map_err(|trouble| format!("cannot check whether it was done: {}", trouble.words()))?;
        let Ok(connection) = whose.parse::<u64>() else {
            return Err(format!("the server did not say who holds the lock {mark}: {whose}"));
        };
        if connection == 0 {
            return Ok(());
        }
        let killed = client::once(site, host, &format!("KILL {connection}"), LOOK_LIMIT).await;
        if Instant::now() + LOOK_EVERY >= until {
            let why = killed.err().map(|trouble| format!(" ({})", trouble.words())).unwrap_or_default();
            return Err(format!("its session, connection {connection}, is still open on {host}{why}"));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// The lock by which the session of a step is found on its server.
pub(in crate::runbook) fn mark(run: &RunId, step: &StepId) -> String {
    let sum = Sha256::digest(format!("{run}\n{step}"));
    let sum: String = sum.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("jumpdeck_{sum}")
}

/// The step of a hold as it is in the plan: in the same batch, or outside of all batches.
fn id_of(at: StepRef<'_>, hold: &str) -> Result<StepId, String> {
    let near = format!("{}{hold}", at.id().prefix());
    let steps = || at.machine().steps();
    let found = steps().find(|step| *step.id() == near.as_str());
    let found = found.or_else(|| steps().find(|step| *step.id() == hold));
    found
        .map(|step| step.id().clone())
        .ok_or_else(|| format!("the plan has no step {hold}; nothing was started"))
}
