//! Tells the console of runs that somebody else has under way.

use tokio::time::sleep;

use super::Inner;
use crate::operator::following::{EVERY, Following};
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
    while let Some(view) = following.look(access.clock.now()).await.map_err(|error| error.to_string())? {
        if let Some(view) = view {
            let over = !view.state.is_under_way();
            inner.tell(RunEvent::Run(view.into())).await;
            if over {
                return Ok(());
            }
        }
        if inner.news.is_closed() {
            return Ok(());
        }
        sleep(EVERY).await;
    }
    Ok(())
}

/// The environment a run was seen in.
fn environment(inner: &Inner, run: &str) -> Result<EnvName, String> {
    let seen = inner.lock().held.get(run).cloned();
    seen.ok_or_else(|| "the jump box knows no operator of this run".to_owned())
}
