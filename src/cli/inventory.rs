//! The inventory file while the console runs: it is read again when it has changed on disk.
//!
//! The file is small, so its text is read and compared once a second: that works on NFS, with editors that rename and with those that
//! write in place, and behind symbolic links, where notices of the kernel do not.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::config::diagnostic::Diagnostic;
use crate::config::store::InventoryStore;
use crate::config::watched::Watched;
use jumpdeck_fleet::event::{FleetEvent, InventoryNews};
use jumpdeck_fleet::text::Clean;

/// Between two looks. What is new is used at the second look that finds it.
const EVERY: Duration = Duration::from_secs(1);
/// A file server that answers no sooner is told as trouble.
const SILENT: Duration = Duration::from_secs(10);

/// Tells `events` when the inventory changes, until nobody listens.
pub(super) fn watch(file: Option<Watched>, store: &Arc<InventoryStore>, events: mpsc::Sender<FleetEvent>) {
    match file {
        // A pipe has been read to its end, and a look at it would wait for its other end.
        Some(watched) if watched.is_file() => drop(tokio::spawn(follow(watched, events))),
        Some(_) => {}
        None => drop(tokio::spawn(follow_memory(store.clone(), events))),
    }
}

/// The inventory of a simulated fleet has no file; runbooks change it all the same.
async fn follow_memory(store: Arc<InventoryStore>, events: mpsc::Sender<FleetEvent>) {
    let mut tick = interval(EVERY);
    let mut told = store.in_memory();
    loop {
        tick.tick().await;
        let Some(fleet) = store.in_memory() else { return };
        if told.as_ref().is_some_and(|told| Arc::ptr_eq(told, &fleet)) {
            continue;
        }
        told = Some(fleet.clone());
        if events.send(FleetEvent::Inventory(InventoryNews::Read(fleet))).await.is_err() {
            return;
        }
    }
}

async fn follow(mut watched: Watched, events: mpsc::Sender<FleetEvent>) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let path = watched.path().display().to_string();
    // What was told before a silence is told again after it: it ends the trouble.
    let mut last = InventoryNews::Unchanged;
    loop {
        tick.tick().await;
        let mut look = tokio::task::spawn_blocking(move || {
            let found = watched.look();
            (watched, found)
        });
        let mut silent = false;
        let looked = match timeout(SILENT, &mut look).await {
            Ok(looked) => looked,
            Err(_) => {
                silent = true;
                let why = format!("{path}: no answer within {} s when it was read again", SILENT.as_secs());
                if events.send(told(InventoryNews::Refused(Clean::new(&why)))).await.is_err() {
                    return;
                }
                look.await
            }
        };
        let Ok((again, found)) = looked else { return };
        watched = again;
        last = match found {
            Some(Ok(fleet)) => InventoryNews::Read(Arc::new(fleet)),
            Some(Err(errors)) => InventoryNews::Refused(Diagnostic::in_one_line(&errors)),
            None if silent => last,
            None => continue,
        };
        if events.send(told(last.clone())).await.is_err() {
            return;
        }
    }
}

fn told(news: InventoryNews) -> FleetEvent {
    FleetEvent::Inventory(news)
}
