//! Commands whose output is kept up to a limit and counted beyond it. Whoever waits for one reads it: nothing that a host
//! prints is held up, and no more than the limit is in memory.

use std::convert::Infallible;

use bytes::BytesMut;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf};
use std::os::unix::process::ExitStatusExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;

use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::text::Clean;

use super::super::connection::Ended;
use super::local;
use crate::listening::within;
use crate::transport::error::{ErrorKind, TransportError};
use crate::transport::recorded::StreamKeeper;
use crate::transport::{Limits, Recorded};

/// Why nothing more is read.
enum RecordEnd {
    /// It ended.
    End,
    /// It was not begun.
    Refused(TransportError),
    /// The connection was lost.
    Lost(TransportError),
}

/// What came so far.
struct Recording {
    status: Option<u32>,
    signal: Option<Clean>,
    stdout: StreamKeeper,
    stderr: StreamKeeper,
}

impl Recording {
    fn new(limits: Limits) -> Self {
        let stream = || StreamKeeper::new(limits.bytes);
        Self { status: None, signal: None, stdout: stream(), stderr: stream() }
    }

    /// The exit status is not the end: output may follow it, until the channel closes.
    async fn read(&mut self, hop: &Hop, from: &mut ChannelReadHalf, connection: &Ended) -> RecordEnd {
        loop {
            match from.wait().await {
                Some(ChannelMsg::Data { data }) => self.stdout.take(&data),
                Some(ChannelMsg::ExtendedData { data, .. }) => self.stderr.take(&data),
                Some(ChannelMsg::ExitStatus { exit_status }) => self.status = Some(exit_status),
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    self.signal = Some(Clean::new(&format!("{signal_name:?}")));
                }
                Some(ChannelMsg::Failure) => {
                    let detail = "it refuses to run commands";
                    return RecordEnd::Refused(TransportError::new(hop, ErrorKind::Refused, detail));
                }
                Some(ChannelMsg::Close) => return RecordEnd::End,
                None => return RecordEnd::Lost(connection.wait().await),
                Some(_) => {}
            }
        }
    }

    /// Waits for the end of a program of this machine.
    async fn follow(&mut self, child: &mut Child) -> RecordEnd {
        let (Some(mut out), Some(mut err)) = (child.stdout.take(), child.stderr.take()) else {
            return RecordEnd::End;
        };
        let (mut out_bytes, mut err_bytes) = (BytesMut::new(), BytesMut::new());
        let (mut out_open, mut err_open) = (true, true);
        while out_open || err_open {
            tokio::select! {
                read = out.read_buf(&mut out_bytes), if out_open => {
                    out_open = read.is_ok_and(|n| n > 0);
                    self.stdout.take(&out_bytes.split());
                }
                read = err.read_buf(&mut err_bytes), if err_open => {
                    err_open = read.is_ok_and(|n| n > 0);
                    self.stderr.take(&err_bytes.split());
                }
            }
        }
        if let Ok(status) = child.wait().await {
            self.status = status.code().and_then(|code| u32::try_from(code).ok());
            self.signal = status.signal().map(|number| Clean::new(&number.to_string()));
        }
        RecordEnd::End
    }

    fn done(self, hop: &Hop, stop: Option<RecordEnd>, limits: Limits) -> Result<Recorded, TransportError> {
        let cut = match stop {
            Some(RecordEnd::Refused(error)) => return Err(error),
            Some(RecordEnd::Lost(error)) => Some(error),
            Some(RecordEnd::End) if self.status.is_none() && self.signal.is_none() => {
                let detail = "it ended without an exit status";
                Some(TransportError::new(hop, ErrorKind::Dropped, detail))
            }
            Some(RecordEnd::End) => None,
            None => {
                let seconds = limits.time.as_secs_f64();
                let detail = format!("it did not finish within {seconds} s; it may still be running there");
                Some(TransportError::new(hop, ErrorKind::TimedOut, detail))
            }
        };
        let Self { status, signal, stdout, stderr } = self;
        Ok(Recorded { status, signal, stdout: stdout.done(), stderr: stderr.done(), cut })
    }
}

/// Runs `command` in a session channel.
pub(in crate::transport::ssh) async fn remote(
    hop: &Hop,
    channel: Channel<Msg>,
    (command, stdin): (&str, &[u8]),
    limits: Limits,
    connection: Ended,
) -> Result<Recorded, TransportError> {
    let (mut read, write) = channel.split();
    if write.exec(true, command).await.is_err() {
        return Err(connection.wait().await);
    }
    let mut recording = Recording::new(limits);
    let sending = async {
        // A command need not read its input; how it ended tells more.
        if write.data_bytes(stdin.to_vec()).await.is_ok() {
            let _ = write.eof().await;
        }
        std::future::pending::<Infallible>().await
    };
    let both = async {
        tokio::select! {
            stop = recording.read(hop, &mut read, &connection) => stop,
            never = sending => match never {},
        }
    };
    let stop = within(limits.time, both).await;
    // An error means that the connection is gone, and the channel with it.
    let _ = write.close().await;
    recording.done(hop, stop, limits)
}

/// Runs `/bin/sh` with these arguments on this machine.
pub(in crate::transport::ssh) async fn here(
    hop: &Hop,
    arguments: &[&str],
    stdin: &[u8],
    limits: Limits,
) -> Result<Recorded, TransportError> {
    let mut child = local::start(hop, arguments)?;
    let mut input = child.stdin.take();
    let mut recording = Recording::new(limits);
    let sending = async {
        if let Some(pipe) = &mut input {
            // A command need not read its input; how it ended tells more.
            let _ = pipe.write_all(stdin).await;
        }
        drop(input.take());
        std::future::pending::<Infallible>().await
    };
    let both = async {
        tokio::select! {
            stop = recording.follow(&mut child) => stop,
            never = sending => match never {},
        }
    };
    let stop = within(limits.time, both).await;
    recording.done(hop, stop, limits)
}
