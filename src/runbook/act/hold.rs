//! A database session that is kept open: what it holds (`GET_LOCK`) dies with it. Asked every two seconds whether it
//! still holds; when not, the run stops before its next step.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::{Site, Trouble, sql};
use crate::domain::names::HostName;
use crate::runbook::judge::Answer;
use crate::runbook::reach::{Held, LARGEST_ANSWER};

/// Time between two heartbeats.
const BEAT_EVERY: Duration = Duration::from_secs(2);
/// An answer within this, or it is lost.
const BEAT_LIMIT: Duration = Duration::from_secs(5);

/// A session that holds. Dropping it ends it.
pub(in crate::runbook) struct Holding {
    lost: watch::Receiver<Option<String>>,
    beating: tokio::task::JoinHandle<()>,
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.beating.abort();
    }
}

impl Holding {
    /// Why it no longer holds, when it does not.
    pub(in crate::runbook) fn lost(&self) -> Option<String> {
        self.lost.borrow().clone()
    }
}

/// Opens a session on a host and does `open` in it. The heartbeat's answer must be `1`.
pub(in crate::runbook) async fn open(
    site: &Site,
    host: &HostName,
    open: String,
    heartbeat: String,
    limit: Duration,
) -> Result<(Holding, Answer), Trouble> {
    let session = site.session(host).await?;
    let client = sql::client(site, host);
    site.still_ours().await?;
    let started = session.start(&client).await;
    let mut held = started.map_err(|e| Trouble::Failed(format!("{}: {}", e.hop, e.describe())))?;
    let end = end();
    let first = timeout(limit, ask(held.as_mut(), &end, sql::begun(open), sql::BEGUN)).await;
    let answer = match first {
        Ok(Ok(text)) => Answer::of_sql(sql::printed(&text).map_err(Trouble::Failed)?),
        Ok(Err(why)) => return Err(Trouble::Failed(why)),
        Err(_) => {
            return Err(Trouble::Failed("the session did not answer in time and was closed".to_owned()));
        }
    };
    let (tell, lost) = watch::channel(None);
    let name = host.clone();
    let beating = tokio::spawn(async move {
        loop {
            sleep(BEAT_EVERY).await;
            let beat = ask(held.as_mut(), &end, sql::terminated(heartbeat.clone()), "");
            let why = match timeout(BEAT_LIMIT, beat).await {
                Ok(Ok(text))
                    if Answer::of_sql(&text).pick(&crate::runbook::spec::Pick::Whole).as_deref()
                        == Ok("1") =>
                {
                    continue;
                }
                Ok(Ok(_)) => "the session no longer holds it".to_owned(),
                Ok(Err(why)) => why,
                Err(_) => "the session does not answer".to_owned(),
            };
            // Nobody listens any more when the run has ended.
            let _ = tell.send(Some(format!("{name}: {why}")));
            return;
        }
    });
    Ok((Holding { lost, beating }, answer))
}

/// The column that ends each answer of a session. Its name is the session's own: a row of a table that others write must not
/// end an answer.
fn end() -> String {
    format!("jumpdeck_end_{:016x}", rand::random::<u64>())
}

/// Asks in the session, and reads up to the end of the answer, which begins with `begun`: a client that prints otherwise
/// prints no end, either.
async fn ask(held: &mut dyn Held, end: &str, statements: String, begun: &str) -> Result<String, String> {
    let text = format!("{statements}SELECT '{end}' AS {end};\n");
    held.write(text.as_bytes()).await.map_err(|e| format!("the session has ended: {}", e.describe()))?;
    let mut said = Vec::new();
    let end = format!("{end}\n{end}\n");
    loop {
        let bytes = held.read().await.map_err(|e| format!("the session has ended: {}", e.describe()))?;
        said.extend_from_slice(&bytes);
        if said.len() > LARGEST_ANSWER {
            return Err("the session printed more than 1 MiB".to_owned());
        }
        let text = String::from_utf8_lossy(&said);
        if !text.starts_with(begun) && !begun.starts_with(text.as_ref()) {
            return Err(sql::PRINTS_OTHERWISE.to_owned());
        }
        if let Some(answer) = text.strip_suffix(&end) {
            return Ok(answer.to_owned());
        }
    }
}

#[cfg(test)]
mod tests;
