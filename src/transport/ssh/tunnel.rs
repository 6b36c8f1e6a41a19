//! A `direct-tcpip` channel of the jump connection as a byte stream.
//!
//! Its own task takes everything off the channel at once: a channel that is not drained stalls its whole connection,
//! and with it every other host behind the jump box.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::inbox::Inbox;

/// See the module. Dropping it closes the channel.
pub(super) struct Tunnel {
    inbox: Arc<Inbox>,
    writer: Pin<Box<dyn AsyncWrite + Send>>,
    _open: DropGuard,
}

impl Tunnel {
    pub(super) fn new(channel: Channel<Msg>) -> Self {
        let (read, write) = channel.split();
        let inbox = Arc::new(Inbox::default());
        let dropped = CancellationToken::new();
        let writer = Box::pin(write.make_writer());
        tokio::spawn(drain(read, write, inbox.clone(), dropped.clone()));
        Self { inbox, writer, _open: dropped.drop_guard() }
    }
}

async fn drain(
    mut read: ChannelReadHalf,
    write: ChannelWriteHalf<Msg>,
    inbox: Arc<Inbox>,
    dropped: CancellationToken,
) {
    loop {
        let message = tokio::select! {
            message = read.wait() => message,
            () = dropped.cancelled() => None,
        };
        match message {
            Some(ChannelMsg::Data { data }) => {
                // More than the limit before anybody reads: no SSH server does that.
                if !inbox.push(&data) {
                    break;
                }
            }
            Some(ChannelMsg::Eof | ChannelMsg::Close) | None => break,
            Some(_) => {}
        }
    }
    inbox.end();
    // A stream that has ended one way is of no use to SSH. An error means that the connection is gone already.
    let _ = write.close().await;
}

impl AsyncRead for Tunnel {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.inbox.poll_take(cx, buf.remaining()).map(|bytes| {
            buf.put_slice(bytes.as_deref().unwrap_or_default());
            Ok(())
        })
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.writer.as_mut().poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_mut().poll_shutdown(cx)
    }
}
