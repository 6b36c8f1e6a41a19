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
use super::{Heard, ProgramEnding, RemoteProgram, StandardInput, flooding, keep_tail};
use crate::transport::TerminalRequest;
use crate::transport::advice;
use crate::transport::error::{ErrorKind, TransportError};

/// Runs `command` in a session channel. Does not wait for the server's consent: a refusal ends the script.
pub(in crate::transport::ssh) async fn spawn(
    hop: &Hop,
    channel: Channel<Msg>,
    command: &str,
    connection: Ended,
) -> Result<RemoteProgram, TransportError> {
    let (read, write) = channel.split();
    if write.exec(true, command).await.is_err() {
        return Err(connection.wait().await);
    }
    Ok(follow(hop, (read, write), connection, OutputReader::Prompt))
}

/// Opens a terminal in a session channel and runs `command` in it, or the login shell. Waits for the server's consent to the
/// terminal: sshd would go on without one.
pub(in crate::transport::ssh) async fn spawn_in_terminal(
    hop: &Hop,
    mut channel: Channel<Msg>,
    request: &TerminalRequest,
    connection: Ended,
) -> Result<RemoteProgram, TransportError> {
    let TerminalRequest { kind, size, command } = request;
    let (columns, rows) = (u32::from(size.columns), u32::from(size.rows));
    if channel.request_pty(true, kind, columns, rows, 0, 0, &[]).await.is_err() {
        return Err(connection.wait().await);
    }
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Success) => break,
            Some(ChannelMsg::Failure | ChannelMsg::Close | ChannelMsg::Eof) => {
                let refused = TransportError::new(hop, ErrorKind::Refused, "it gives no terminal");
                return Err(refused.advising(&advice::TERMINAL_REFUSED));
            }
            Some(_) => {}
            None => return Err(connection.wait().await),
        }
    }
    let (read, write) = channel.split();
    let started = match command {
        Some(command) => write.exec(true, command.as_str()).await,
        None => write.request_shell(true).await,
    };
    if started.is_err() {
        return Err(connection.wait().await);
    }
    Ok(follow(hop, (read, write), connection, OutputReader::AtItsPace))
}

/// Who reads a program's output.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OutputReader {
    /// Jumpdeck: output that nobody takes is a flood.
    Prompt,
    /// A person, at a terminal: the program waits while it takes no more. Its connection waits with it.
    AtItsPace,
}

/// A program that was started in a channel.
fn follow(
    hop: &Hop,
    (read, write): (ChannelReadHalf, ChannelWriteHalf<Msg>),
    connection: Ended,
    reader: OutputReader,
) -> RemoteProgram {
    let write = Arc::new(write);
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
        reader,
    };
    tokio::spawn(async move {
        let end = drain.run().await;
        tell.send_replace(Some(end));
    });
    RemoteProgram::new(hop.clone(), inbox, ended, StandardInput::Channel(write), (heard, stop))
}

/// Takes everything off the channel at once, so that the connection never waits for us; for a terminal, at its pace.
struct Drain {
    hop: Hop,
    read: ChannelReadHalf,
    write: Arc<ChannelWriteHalf<Msg>>,
    inbox: Arc<Inbox>,
    heard: Arc<Heard>,
    stop: CancellationToken,
    connection: Ended,
    reader: OutputReader,
}

impl Drain {
    async fn run(mut self) -> ProgramEnding {
        let mut end = ProgramEnding::default();
        let mut errors = Vec::new();
        end.error = self.until_closed(&mut end, &mut errors).await;
        end.stderr = errors;
        // An error means that the connection is gone, and the channel with it.
        let _ = self.write.close().await;
        self.inbox.end();
        end
    }

    /// The exit status is not the end: output may follow it, until the channel closes.
    async fn until_closed(
        &mut self,
        end: &mut ProgramEnding,
        errors: &mut Vec<u8>,
    ) -> Option<TransportError> {
        loop {
            let message = tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                message = self.read.wait() => message,
            };
            match message {
                Some(ChannelMsg::Data { data }) => {
                    self.heard.add(&data);
                    match self.reader {
                        OutputReader::Prompt if !self.inbox.push(&data) => return Some(flooding(&self.hop)),
                        OutputReader::Prompt => {}
                        OutputReader::AtItsPace => tokio::select! {
                            () = self.stop.cancelled() => return None,
                            () = self.inbox.push_patiently(&data) => {}
                        },
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
                        "it refuses to run commands",
                    ));
                }
                Some(ChannelMsg::Close) => return None,
                None => return Some(self.connection.wait().await),
                Some(_) => {}
            }
        }
    }
}
