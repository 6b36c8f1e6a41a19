//! One SSH session channel: its requests, then a command, or a shell with or without a terminal.

use std::sync::Arc;
use std::time::Duration;

use russh::server::{Handle, Msg};
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};

use super::fault::{Fault, Switch};
use crate::shell::pipe::{Reader, Writer, pipe};
use crate::shell::{Ended, Login, terminal};

/// Bytes of output in one packet.
const PACKET: usize = 16 * 1024;
/// Input bytes kept for a command that does not read, before the client has to wait.
const KEPT: usize = 256 * 1024;
/// Extended data that is standard error (RFC 4254, 5.2).
const STDERR: u32 = 1;

/// What a session was asked to run.
enum Wanted {
    Command(String),
    Shell,
}

/// Serves a session to its end. As with a real server, a command outlives its connection: it finds the end of its input.
pub(crate) async fn run(channel: Channel<Msg>, handle: Handle, mut login: Login, switch: Arc<Switch>) {
    let id = channel.id();
    let (mut requests, output) = channel.split();
    let mut terminal = false;
    let wanted = loop {
        let accepted = match requests.wait().await {
            None | Some(ChannelMsg::Close) => return,
            Some(ChannelMsg::RequestPty { term, .. }) => {
                terminal = true;
                login.environment.push(("TERM".to_owned(), term));
                true
            }
            Some(ChannelMsg::SetEnv { variable_name, variable_value, .. }) => {
                // What sshd_config of Debian and Ubuntu accepts.
                let accepted = variable_name == "LANG" || variable_name.starts_with("LC_");
                if accepted {
                    login.environment.push((variable_name, variable_value));
                }
                accepted
            }
            Some(ChannelMsg::Exec { command, .. }) => {
                break Wanted::Command(String::from_utf8_lossy(&command).into_owned());
            }
            Some(ChannelMsg::RequestShell { .. }) => break Wanted::Shell,
            Some(
                ChannelMsg::RequestSubsystem { .. }
                | ChannelMsg::AgentForward { .. }
                | ChannelMsg::RequestX11 { .. },
            ) => false,
            Some(_) => continue,
        };
        let _gone =
            if accepted { handle.channel_success(id).await } else { handle.channel_failure(id).await };
    };
    if handle.channel_success(id).await.is_err() {
        return;
    }
    let (stdin, read_end) = pipe();
    let (out_writer, out) = pipe();
    let (err_writer, err) = pipe();
    let power_cut = login.machine.power_cut();
    let mut work = tokio::spawn(async move {
        let work = async {
            match wanted {
                Wanted::Command(command) => login.execute(&command, read_end, out_writer, err_writer).await,
                Wanted::Shell if terminal => terminal::run(&login, read_end, out_writer).await,
                Wanted::Shell => login.read_commands(read_end, out_writer, err_writer).await,
            }
        };
        tokio::select! {
            ended = work => Some(ended),
            () = power_cut => None,
        }
    });
    let pump_out = pump(out, &output, None, terminal, &switch);
    let pump_err = pump(err, &output, Some(STDERR), terminal, &switch);
    let finish = async {
        let (ended, (), ()) = tokio::join!(&mut work, pump_out, pump_err);
        if let Ok(Some(Ended { status, leftovers })) = ended {
            drop(leftovers);
            let _gone = output.exit_status(u32::from(status)).await;
        }
        let _gone = output.eof().await;
        let _gone = output.close().await;
    };
    let end = tokio::select! {
        () = finish => return,
        end = feed(&mut requests, stdin) => end,
    };
    // Without a client the command finds the end of its input, and nobody reads what it writes; a terminal hangs up.
    if terminal || matches!(end, End::Signal) {
        work.abort();
    }
    let _gone = output.close().await;
}

/// Why there is no more input.
enum End {
    /// The client has gone, or closed the channel.
    Gone,
    /// The client sent a signal.
    Signal,
}

/// Passes the client's input on until the channel closes or a signal ends the command.
async fn feed(requests: &mut ChannelReadHalf, stdin: Writer) -> End {
    let mut stdin = Some(stdin);
    let mut waiting: Vec<u8> = Vec::new();
    let mut ended = false;
    loop {
        if ended && waiting.is_empty() {
            stdin = None;
        }
        let writing = async {
            match &stdin {
                Some(writer) if !waiting.is_empty() => writer.put_some(&waiting).await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            written = writing => match written {
                Ok(count) if count == waiting.len() => waiting = Vec::new(),
                Ok(count) => drop(waiting.drain(..count)),
                Err(_) => {
                    // The command has closed its input; what comes is thrown away.
                    waiting.clear();
                    stdin = None;
                }
            },
            message = requests.wait(), if waiting.len() < KEPT => match message {
                None | Some(ChannelMsg::Close) => return End::Gone,
                Some(ChannelMsg::Signal { .. }) => return End::Signal,
                Some(ChannelMsg::Data { data }) if stdin.is_some() => waiting.extend_from_slice(&data),
                Some(ChannelMsg::Eof) => ended = true,
                Some(_) => {}
            },
        }
    }
}

/// Passes output on to the client until all who could write are gone.
async fn pump(
    from: Reader,
    to: &ChannelWriteHalf<Msg>,
    stream: Option<u32>,
    terminal: bool,
    switch: &Switch,
) {
    loop {
        let mut bytes = from.take_some(PACKET).await;
        if bytes.is_empty() {
            return;
        }
        match switch.fault() {
            Some(Fault::Garbage) => bytes = garbage(&bytes),
            Some(Fault::DropMidReport) => {
                bytes.truncate(bytes.len() / 2);
                let _gone = send(to, stream, bytes).await;
                // What was sent must be on its way before the connection ends.
                tokio::time::sleep(Duration::from_millis(20)).await;
                switch.drop_connections();
                return;
            }
            Some(Fault::Flood) => while send(to, stream, bytes.clone()).await {},
            _ => {}
        }
        if terminal {
            bytes = with_carriage_returns(&bytes);
        }
        if !send(to, stream, bytes).await {
            return;
        }
    }
}

async fn send(to: &ChannelWriteHalf<Msg>, stream: Option<u32>, bytes: Vec<u8>) -> bool {
    match stream {
        None => to.data_bytes(bytes).await.is_ok(),
        Some(stream) => to.extended_data_bytes(stream, bytes).await.is_ok(),
    }
}

/// As many bytes that mean nothing, escape sequences and broken UTF-8 among them.
fn garbage(bytes: &[u8]) -> Vec<u8> {
    const NOISE: &[u8] = b"\x1b]0;owned\x07\x1b[2J\xff\xfe\x00\x9b31m\x1b[6n\xc3(\r\n%s%n\x08\x08";
    bytes.iter().zip(NOISE.iter().cycle()).map(|(_, &noise)| noise).collect()
}

fn with_carriage_returns(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 16);
    for &byte in bytes {
        if byte == b'\n' {
            out.push(b'\r');
        }
        out.push(byte);
    }
    out
}
