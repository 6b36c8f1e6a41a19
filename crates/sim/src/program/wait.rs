//! Waiting for something in the world, without holding it.

use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::program::SharedWorld;
use crate::world::World;

/// How often the world is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Waits until `found` finds something; `None` when so many seconds passed before, in the world or, should the world
/// stand still, on the real clock.
pub(crate) async fn until<T>(
    world: &SharedWorld,
    seconds: u64,
    mut found: impl FnMut(&mut World) -> Option<T>,
) -> Option<T> {
    let patience = Duration::from_secs(seconds);
    let began = Instant::now();
    let mut started = None;
    loop {
        {
            let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(found) = found(&mut world) {
                return Some(found);
            }
            let now = world.now();
            let started = *started.get_or_insert(now);
            if now.saturating_sub(started) >= patience || began.elapsed() >= patience {
                return None;
            }
        }
        sleep(LOOK).await;
    }
}
