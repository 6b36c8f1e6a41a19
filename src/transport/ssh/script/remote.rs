//! A program in a session channel.

use std::sync::Arc;

use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::text::Clean;

use super::super::connection::Ended;
use super::super::inbox::Inbox;
use super::{Ending, Heard, Input, Script, flooding, keep_tail};
use crate::transport::error::{ErrorKind, TransportError};

/// Runs `command` in a session channel. Does not wait for the server's consent: a refusal ends the script.
pub(in crate::transport::ssh) async fn spawn(
    hop: &Hop,
    channel: Channel<Msg>,
    command: &str,
    connection: Ended,
) -> Result<Script, TransportError> {
    let (read, write) = channel.split();
    let write = Arc::new(write);
    if write.exec(true, command).await.is_err() {
        return Err(connection.wait().await);
    }
    let (inbox, stop) = (Arc::new(Inbox::default()), CancellationToken::new());
    let heard = Arc::new(Heard::default());
    let (tell, ended) = watch::channel(None);
    let drain = Drain {
        hop: hop.clone(),
        read,
        write: write.clone(),
        inbox: inbox.clone(),
        heard: heard.clone(),
        stop: stop.clone(),
        connection,
    };
    tokio::spawn(async move {
        let end = drain.run().await;
        tell.send_replace(Some(end));
    });
    Ok(Script::new(hop.clone(), inbox, ended, Input::Channel(write), (heard, stop)))
}

/// Takes everything off the channel at once, so that the connection never waits for us.
struct Drain {
    hop: Hop,
    read: ChannelReadHalf,
    write: Arc<ChannelWriteHalf<Msg>>,
    inbox: Arc<Inbox>,
    heard: Arc<Heard>,
    stop: CancellationToken,
    connection: Ended,
}

impl Drain {
    async fn run(mut self) -> Ending {
        let mut end = Ending::default();
        let mut errors = Vec::new();
        end.error = self.until_closed(&mut end, &mut errors).await;
        end.stderr = errors;
        // An error means that the connection is gone, and the channel with it.
        let _ = self.write.close().await;
        self.inbox.end();
        end
    }

    /// The exit status is not the end: output may follow it, until the channel closes.
    async fn until_closed(&mut self, end: &mut Ending, errors: &mut Vec<u8>) -> Option<TransportError> {
        loop {
            let message = tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                message = self.read.wait() => message,
            };
            match message {
                Some(ChannelMsg::Data { data }) => {
                    self.heard.add(&data);
                    if !self.inbox.push(&data) {
                        return Some(flooding(&self.hop));
                    }
                }
                Some(ChannelMsg::ExtendedData { data, .. }) => {
                    self.heard.add(&data);
                    keep_tail(errors, &data);
                }
                Some(ChannelMsg::ExitStatus { exit_status }) => end.status = Some(exit_status),
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    end.signal = Some(Clean::new(&format!("{signal_name:?}")));
                }
                Some(ChannelMsg::Failure) => {
                    return Some(TransportError::new(
                        &self.hop,
                        ErrorKind::Refused,
                        "it runs no command for us",
                    ));
                }
                Some(ChannelMsg::Close) => return None,
                None => return Some(self.connection.wait().await),
                Some(_) => {}
            }
        }
    }
}
