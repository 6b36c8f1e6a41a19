//! A program on this machine: when the console runs on the jump box itself.

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::text::Clean;

use super::super::inbox::Inbox;
use super::{Heard, ProgramEnding, RemoteProgram, StandardInput, flooding, keep_tail};
use crate::transport::error::{ErrorKind, TransportError};

/// Runs `/bin/sh` with these arguments.
pub(in crate::transport::ssh) fn spawn(
    hop: &Hop,
    arguments: &[&str],
) -> Result<RemoteProgram, TransportError> {
    let mut child = start(hop, arguments)?;
    let stdin = child.stdin.take();
    let (inbox, stop) = (Arc::new(Inbox::default()), CancellationToken::new());
    let (tell, ended) = watch::channel(None);
    let heard = Arc::new(Heard::default());
    let task = (hop.clone(), inbox.clone(), heard.clone(), stop.clone());
    tokio::spawn(async move {
        let (hop, inbox, heard, stop) = task;
        let end = drain(&hop, child, (&inbox, &heard), &stop).await;
        inbox.end();
        tell.send_replace(Some(end));
    });
    Ok(RemoteProgram::new(hop.clone(), inbox, ended, StandardInput::Pipe(Mutex::new(stdin)), (heard, stop)))
}

/// Starts `/bin/sh` with these arguments. It ends with the value that is returned.
pub(super) fn start(hop: &Hop, arguments: &[&str]) -> Result<Child, TransportError> {
    Command::new("/bin/sh")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| TransportError::new(hop, ErrorKind::Refused, format!("/bin/sh: {error}")))
}

async fn drain(
    hop: &Hop,
    mut child: Child,
    (inbox, heard): (&Inbox, &Heard),
    stop: &CancellationToken,
) -> ProgramEnding {
    let mut end = ProgramEnding::default();
    let (Some(mut out), Some(mut err)) = (child.stdout.take(), child.stderr.take()) else {
        return end;
    };
    let (mut out_bytes, mut err_bytes) = (BytesMut::new(), BytesMut::new());
    let (mut out_open, mut err_open) = (true, true);
    while out_open || err_open {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            read = out.read_buf(&mut out_bytes), if out_open => {
                out_open = read.is_ok_and(|n| n > 0);
                let bytes = out_bytes.split();
                heard.add(&bytes);
                if !inbox.push(&bytes) {
                    end.error = Some(flooding(hop));
                    break;
                }
            }
            read = err.read_buf(&mut err_bytes), if err_open => {
                err_open = read.is_ok_and(|n| n > 0);
                let bytes = err_bytes.split();
                heard.add(&bytes);
                keep_tail(&mut end.stderr, &bytes);
            }
        }
    }
    if end.error.is_some() || stop.is_cancelled() {
        // It may have ended by itself meanwhile.
        let _ = child.start_kill();
    }
    if let Ok(status) = child.wait().await {
        end.status = status.code().and_then(|c| u32::try_from(c).ok());
        end.signal = status.signal().map(|n| Clean::new(&n.to_string()));
    }
    end
}
