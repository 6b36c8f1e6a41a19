//! Tells the console of runs that somebody else has under way.

use super::Inner;
use crate::operator::following::Following;
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::run::RunEvent;

/// Tells a run of somebody else to the console until it is over.
///
/// # Errors
/// Why it cannot be watched, in words.
pub(super) async fn watch(inner: &Inner, run: &str) -> Result<(), String> {
    let access = inner.shared(&environment(inner, run)?)?;
    let following = Following::open(&*access.reach, &access.env, run).await;
    let mut following = following.map_err(|error| error.to_string())?;
    loop {
        let next = tokio::select! {
            next = following.next(access.clock) => next.map_err(|error| error.to_string())?,
            () = inner.news.closed() => break,
        };
        let Some((view, _)) = next else { break };
        inner.tell(RunEvent::Run(view.into())).await;
    }
    Ok(())
}

/// The environment a run was seen in.
fn environment(inner: &Inner, run: &str) -> Result<EnvName, String> {
    let seen = inner.lock().held.get(run).cloned();
    seen.ok_or_else(|| "the jump box lists no operator for this run".to_owned())
}
