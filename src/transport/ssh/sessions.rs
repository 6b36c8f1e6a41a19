//! SSH as a [`Connector`].

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::dial::Dial;
use super::link::{HostLink, JumpLink};
use super::reach;
use super::ring::KeyRing;
use super::script::{RemoteProgram, ScriptEnd};
use super::signing::signer_for;
use crate::openssh::sshsig::{NotSigned, TextSigner};
use crate::transport::ask::AskPerson;
use crate::transport::error::{ErrorKind, TransportError};
use crate::transport::{
    BoxFuture, BoxStream, Connector, Connectors, Held, HeldTerminal, HostConnection, JumpConnection, Lane,
    Limits, NotReached, Ran, Recorded, Session, TerminalRequest, TerminalSize,
};
use jumpdeck_fleet::fleet::{Environment, Host, Jump};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::text::Clean;

/// Reaches machines over SSH.
pub struct SshConnectors {
    dial: Arc<dyn Dial>,
}

impl SshConnectors {
    /// `dial` opens the first hop's bytes.
    #[must_use]
    pub fn new(dial: Arc<dyn Dial>) -> Self {
        Self { dial }
    }
}

impl Connectors for SshConnectors {
    fn open(&self, ask: Arc<dyn AskPerson>) -> Arc<dyn Connector> {
        Arc::new(SshConnector::new(self.dial.clone(), ask))
    }
}

/// Logins over SSH, with a key ring of their own.
pub struct SshConnector {
    dial: Arc<dyn Dial>,
    ask: Arc<dyn AskPerson>,
    ring: Arc<KeyRing>,
}

impl SshConnector {
    /// `dial` opens the first hop's bytes; `ask` puts questions of logins to a person.
    #[must_use]
    pub fn new(dial: Arc<dyn Dial>, ask: Arc<dyn AskPerson>) -> Self {
        Self { dial, ask, ring: Arc::default() }
    }
}

/// Where an agent listens, by the inventory.
fn agent(env: &Environment) -> Option<&Path> {
    match &env.jump {
        Jump::Remote(jump) => jump.access.agent.as_deref(),
        Jump::Local { .. } => env.hosts.first()?.access.agent.as_deref(),
    }
}

impl Connector for SshConnector {
    fn connect<'a>(
        &'a self,
        env: &'a Arc<Environment>,
        lane: Lane,
    ) -> BoxFuture<'a, Result<Arc<dyn JumpConnection>, TransportError>> {
        Box::pin(async move {
            let link = JumpLink::open(env, self.dial.clone(), self.ask.clone(), self.ring.clone()).await?;
            Ok(Arc::new(SshJump { link: Arc::new(link), lane }) as Arc<dyn JumpConnection>)
        })
    }

    fn ask(&self) -> &dyn AskPerson {
        self.ask.as_ref()
    }

    fn forget_refusals(&self) {
        self.ring.forget_refusals();
    }

    fn reach<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, Result<BoxStream, NotReached>> {
        Box::pin(reach::from_here(self.dial.as_ref(), address, port))
    }

    fn datagrams<'a>(
        &'a self,
        address: &'a str,
        port: u16,
    ) -> BoxFuture<'a, Result<Option<UdpSocket>, NotReached>> {
        self.dial.datagrams(address, port)
    }

    fn resolvers(&self) -> Result<Vec<String>, Clean> {
        self.dial.resolvers()
    }

    fn signer<'a>(
        &'a self,
        env: &'a Environment,
        named: Option<&'a Path>,
    ) -> BoxFuture<'a, Result<TextSigner, NotSigned>> {
        Box::pin(signer_for(&env.name, &self.ring, self.ask.clone(), named, agent(env)))
    }
}

struct SshJump {
    link: Arc<JumpLink>,
    lane: Lane,
}

impl JumpConnection for SshJump {
    fn host<'a>(&'a self, host: &'a Host) -> BoxFuture<'a, Result<Arc<dyn HostConnection>, TransportError>> {
        Box::pin(async move {
            let link = self.link.host(host).await?;
            let link = match self.lane {
                // The probe has one session for hours: another one would take a place of the server's `MaxSessions`.
                Lane::Probe => link,
                Lane::Run | Lane::Person => link.opening_ahead(),
            };
            let hop = Hop::Host(host.id.host.clone());
            Ok(Arc::new(SshHost { link, hop, _jump: self.link.clone() }) as Arc<dyn HostConnection>)
        })
    }

    fn reach<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, Result<BoxStream, NotReached>> {
        Box::pin(self.link.reach(address, port))
    }

    fn ping(&self) -> BoxFuture<'_, Result<Duration, TransportError>> {
        Box::pin(self.link.ping())
    }

    fn closed(&self) -> BoxFuture<'_, TransportError> {
        Box::pin(self.link.closed())
    }

    fn is_closed(&self) -> bool {
        self.link.is_closed()
    }

    fn banner(&self) -> Vec<Clean> {
        self.link.banner()
    }

    fn silent_hop(&self, limit: Duration) -> BoxFuture<'_, Option<Hop>> {
        Box::pin(self.link.silent_hop(limit))
    }

    fn was_interactive(&self) -> bool {
        self.link.is_interactive()
    }
}

struct SshHost {
    link: HostLink,
    hop: Hop,
    /// Its connection goes with the last who uses it.
    _jump: Arc<JumpLink>,
}

impl HostConnection for SshHost {
    fn is_closed(&self) -> bool {
        self.link.is_closed()
    }
}

impl Session for SshHost {
    fn exec<'a>(
        &'a self,
        command: &'a str,
        stdin: &'a [u8],
        limits: Limits,
        out: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, TransportError>> {
        Box::pin(async move {
            let until = Instant::now() + limits.time;
            let late = || {
                let seconds = limits.time.as_secs();
                let detail = format!("it did not finish within {seconds} s; it may still be running there");
                TransportError::new(&self.hop, ErrorKind::TimedOut, detail)
            };
            let mut program = timeout_at(until, self.link.spawn(command)).await.map_err(|_| late())??;
            if !stdin.is_empty() {
                // A program need not read its input; how it ended tells more.
                let _ = timeout_at(until, program.write(stdin)).await.map_err(|_| late())?;
            }
            program.eof().await;
            let mut stdout = Vec::new();
            while let Some(bytes) = timeout_at(until, program.read_chunk()).await.map_err(|_| late())? {
                if stdout.len() + bytes.len() > limits.bytes {
                    let detail =
                        format!("it printed more than {} KiB; its output was closed", limits.bytes >> 10);
                    return Err(TransportError::new(&self.hop, ErrorKind::Flooding, detail));
                }
                out(&bytes);
                stdout.extend_from_slice(&bytes);
            }
            ran(program.end().await, stdout)
        })
    }

    fn record<'a>(
        &'a self,
        command: &'a str,
        stdin: &'a [u8],
        limits: Limits,
    ) -> BoxFuture<'a, Result<Recorded, TransportError>> {
        Box::pin(self.link.record(command, stdin, limits))
    }

    fn start<'a>(&'a self, command: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, TransportError>> {
        Box::pin(async move {
            let script = self.link.spawn(command).await?;
            Ok(Box::new(SshProgram { script, hop: self.hop.clone() }) as Box<dyn Held>)
        })
    }

    fn terminal<'a>(
        &'a self,
        request: &'a TerminalRequest,
    ) -> BoxFuture<'a, Result<Box<dyn HeldTerminal>, TransportError>> {
        Box::pin(async move {
            let script = self.link.terminal(request).await?;
            Ok(Box::new(SshProgram { script, hop: self.hop.clone() }) as Box<dyn HeldTerminal>)
        })
    }
}

impl HeldTerminal for SshProgram {
    fn resize(&mut self, size: TerminalSize) -> BoxFuture<'_, Result<(), TransportError>> {
        Box::pin(self.script.resize(size))
    }
}

/// The output and status of a program that ended; an error when the connection ended it.
fn ran(end: ScriptEnd, stdout: Vec<u8>) -> Result<Ran, TransportError> {
    let ScriptEnd { status, signal, stderr, error } = end;
    if let Some(error) = error {
        return Err(error);
    }
    let lines: Vec<String> = stderr.iter().map(ToString::to_string).collect();
    Ok(Ran { status, stdout, stderr: lines.join("\n").into_bytes(), signal })
}

struct SshProgram {
    script: RemoteProgram,
    hop: Hop,
}

impl Held for SshProgram {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), TransportError>> {
        Box::pin(self.script.write(bytes))
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, TransportError>> {
        Box::pin(async move {
            match self.script.read_chunk().await {
                Some(bytes) => Ok(bytes.to_vec()),
                None => Err(TransportError::new(&self.hop, ErrorKind::Dropped, "the session has ended")),
            }
        })
    }

    fn first_lines(&self) -> Vec<Clean> {
        self.script.first_lines()
    }

    fn ended(&mut self) -> BoxFuture<'_, Result<Ran, TransportError>> {
        Box::pin(async move {
            let unknown =
                || TransportError::new(&self.hop, ErrorKind::Dropped, "it ended without an exit status");
            ran(self.script.how_it_ended().await.ok_or_else(unknown)?, Vec::new())
        })
    }
}
