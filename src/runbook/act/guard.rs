//! A script that stays on a host and acts when its input ends. It is sent whole, prints `ready` when it can act, and is told
//! `here` every two seconds, and `stand down` when it is not needed any more. Whatever else ends its channel (a lost link, a killed console, a jump box
//! that restarts) is the end of its input.

use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};
use zeroize::Zeroizing;

use super::hold::Holding;
use super::script;
use super::site::Site;
use super::trouble::Trouble;
use crate::transport::Held;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::text::Clean;

/// It prints this line when it can act.
const READY: &str = "ready";
/// It is sent this line to end without having acted.
const STAND_DOWN: &[u8] = b"stand down\n";
/// It is sent this line every two seconds: a link that went silent does not end its input.
const STILL_HERE: &[u8] = b"here\n";
/// Time between two of them.
const SAY_EVERY: Duration = Duration::from_secs(2);
/// A line that takes longer to send is lost.
const SAY_LIMIT: Duration = Duration::from_secs(5);
/// It has so long to end then.
const END_LIMIT: Duration = Duration::from_secs(2);
/// What it prints before it is ready is kept up to this.
const MOST_WORDS: usize = 16 * 1024;

/// Starts a guard on a host and waits until it is ready.
pub(in crate::runbook) async fn start(
    site: &Site,
    host: &HostName,
    text: &str,
    sudo: bool,
    limit: Duration,
) -> Result<Holding, Trouble> {
    let session = site.session(host).await?;
    let shell = if sudo && site.sudo(host) { "exec sudo -n /bin/sh" } else { "exec /bin/sh" };
    site.still_ours().await?;
    let started = session.start(shell).await;
    let mut held = started.map_err(|e| Trouble::Failed(format!("{}: {}", e.hop, e.describe())))?;
    // One command: the shell has read all of it before it begins, and leaves what follows to the script.
    let whole = Zeroizing::new(format!("{{\n{text}\nexit\n}}\n"));
    match timeout(limit, until_ready(held.as_mut(), whole.as_bytes())).await {
        Ok(ready) => ready.map_err(|why| Trouble::Failed(format!("{host}: {why}")))?,
        Err(_) => return Err(Trouble::Failed(format!("{host}: the guard was not ready in time"))),
    }
    let (tell, lost) = watch::channel(None);
    let (stand_down, told) = oneshot::channel();
    let keeping = tokio::spawn(keep(held, host.clone(), told, tell));
    Ok(Holding::guard(lost, stand_down, keeping))
}

async fn until_ready(held: &mut dyn Held, script_text: &[u8]) -> Result<(), String> {
    held.write(script_text).await.map_err(|e| format!("the guard has ended: {}", e.describe()))?;
    let mut said = Vec::new();
    while said.len() < MOST_WORDS {
        match held.read().await {
            Ok(bytes) => said.extend_from_slice(&bytes),
            Err(ended) => {
                let why = match held.ended().await {
                    Ok(ran) => script::complaint(&crate::transport::Ran { stdout: said, ..ran }, false),
                    Err(_) => format!(": {}", ended.describe()),
                };
                return Err(format!("the guard ended before it was ready{why}"));
            }
        }
        if String::from_utf8_lossy(&said).lines().any(|line| line == READY) {
            return Ok(());
        }
    }
    Err("the guard printed too much before it was ready".to_owned())
}

/// Keeps its input open until it is told to stand down.
async fn keep(
    mut held: Box<dyn Held>,
    host: HostName,
    mut told: oneshot::Receiver<()>,
    tell: watch::Sender<Option<String>>,
) {
    let mut say = Instant::now() + SAY_EVERY;
    let why = loop {
        tokio::select! {
            // Dropped without a word: its input ends, and it acts.
            told = &mut told => match told {
                Ok(()) => break None,
                Err(_) => return,
            },
            said = held.read() => break Some(match said {
                Ok(bytes) => Clean::first_line(&String::from_utf8_lossy(&bytes), 200).to_string(),
                Err(error) => error.describe().to_string(),
            }),
            () = sleep_until(say) => {}
        }
        match timeout(SAY_LIMIT, held.write(STILL_HERE)).await {
            Ok(Ok(())) => say = Instant::now() + SAY_EVERY,
            Ok(Err(error)) => break Some(error.describe().to_string()),
            Err(_) => break Some("it does not read its input".to_owned()),
        }
    };
    if let Some(why) = why {
        // Nobody listens any more when the run has ended.
        let _ = tell.send(Some(format!("{host}: the guard is lost: {why}")));
        return;
    }
    if held.write(STAND_DOWN).await.is_ok() {
        let _ended_or_late = timeout(END_LIMIT, async { while held.read().await.is_ok() {} }).await;
    }
}
