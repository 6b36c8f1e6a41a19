//! Session channels, one of them opened ahead: a command that starts in it saves the round trip of opening
//! one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::connection::SshConnection;

/// A busy server takes its time to count an ended session no longer: milliseconds between two tries.
const FREED_WITHIN: [u64; 7] = [0, 25, 50, 100, 200, 400, 800];

/// A channel, or one on its way; a closed end when it could not be opened.
type Coming = oneshot::Receiver<Channel<Msg>>;

/// The channel of a connection that is opened ahead; none before the first was wanted.
#[derive(Default)]
pub(super) struct Spare(Mutex<Option<Coming>>);

/// A session channel: the one opened ahead, where one is, else a new one. Then the next is opened ahead.
pub(super) async fn session(
    connection: &Arc<SshConnection>,
    spare: Option<&Spare>,
) -> Result<Channel<Msg>, russh::Error> {
    let mut waits = FREED_WITHIN.iter();
    let channel = loop {
        if let Some(spare) = spare
            && let Some(channel) = spare.ready().await
        {
            break channel;
        }
        match connection.session().await {
            Ok(channel) => break channel,
            // The server may still count one that has ended, or the one opened ahead. Nothing was begun.
            Err(refused @ russh::Error::ChannelOpenFailure(_)) => match waits.next() {
                Some(wait) => sleep(Duration::from_millis(*wait)).await,
                None => return Err(refused),
            },
            Err(error) => return Err(error),
        }
    };
    if let Some(spare) = spare {
        spare.refill(connection);
    }
    Ok(channel)
}

impl Spare {
    /// The channel opened ahead, when there is one that the server has not closed since.
    async fn ready(&self) -> Option<Channel<Msg>> {
        let coming = self.coming().take()?;
        let mut channel = coming.await.ok()?;
        match channel.wait().now_or_never() {
            // Nothing was said in it, or how much may be sent.
            None | Some(Some(ChannelMsg::WindowAdjusted { .. })) => Some(channel),
            Some(_) => None,
        }
    }

    fn refill(&self, connection: &Arc<SshConnection>) {
        let mut coming = self.coming();
        if coming.is_some() {
            return;
        }
        let (tell, told) = oneshot::channel();
        *coming = Some(told);
        let opening = connection.opening();
        tokio::spawn(async move {
            let Ok(channel) = opening.await else { return };
            if let Err(unwanted) = tell.send(channel) {
                // An error means that the connection is gone, and the channel with it.
                let _ = unwanted.close().await;
            }
        });
    }

    fn coming(&self) -> MutexGuard<'_, Option<Coming>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
