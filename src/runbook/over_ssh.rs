//! [`Reach`] over real SSH. The run's own jump connection, opened when first needed and again when it was
//! lost; so a probe that stalls never stalls a run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use crate::config::store::InventoryStore;
use crate::openssh::bounded::{LONGEST_LIST, read_if_there};
use crate::openssh::sshsig::AllowedSigners;
use crate::transport::BoxFuture;
use crate::transport::ask::Ask;
use crate::transport::error::{ErrorKind, TransportError};
use crate::transport::ssh::dial::Dial;
use crate::transport::ssh::link::{HostLink, JumpLink};
use crate::transport::ssh::ring::KeyRing;
use crate::transport::ssh::script::{Script, ScriptEnd};
use crate::transport::ssh::signing::signer_for;
use jumpdeck_fleet::event::{Answer, QuestionKind};
use jumpdeck_fleet::fleet::{Environment, Host, Jump};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::{HostId, HostName};
use jumpdeck_fleet::snapshot::Retry;
use jumpdeck_fleet::text::Clean;

use super::evidence::Signing;
use super::reach::{Held, Limits, Ran, Reach, Session};

/// Reaches an environment's hosts over SSH.
pub struct OverSsh {
    env: Arc<Environment>,
    dial: Arc<dyn Dial>,
    ask: Arc<dyn Ask>,
    ring: Arc<KeyRing>,
    links: Mutex<Links>,
    sign_with: Option<PathBuf>,
    allowed_signers: Option<PathBuf>,
    inventory: Option<Arc<InventoryStore>>,
}

#[derive(Default)]
struct Links {
    jump: Option<Arc<JumpLink>>,
    hosts: BTreeMap<HostName, Arc<OverHost>>,
    /// Why an operator is asked before the next login: it may send a push or count as an attempt.
    ask_first: Option<Clean>,
}

impl OverSsh {
    /// `dial` opens the first hop's bytes; `ask` puts questions of logins to a person.
    #[must_use]
    pub fn new(env: Arc<Environment>, dial: Arc<dyn Dial>, ask: Arc<dyn Ask>) -> Self {
        Self {
            env,
            dial,
            ask,
            ring: Arc::default(),
            links: Mutex::default(),
            sign_with: None,
            allowed_signers: None,
            inventory: None,
        }
    }

    /// Signs with a key file, when one is named; signatures of others count by an allowed_signers file.
    #[must_use]
    pub fn signing_with(self, sign_with: Option<PathBuf>, allowed_signers: PathBuf) -> Self {
        Self { sign_with, allowed_signers: Some(allowed_signers), ..self }
    }

    /// The inventory that steps change.
    #[must_use]
    pub fn with_inventory(self, inventory: Arc<InventoryStore>) -> Self {
        Self { inventory: Some(inventory), ..self }
    }

    /// Where an agent listens, by the inventory.
    fn agent(&self) -> Option<&Path> {
        match &self.env.jump {
            Jump::Remote(jump) => jump.access.agent.as_deref(),
            Jump::Local { .. } => self.env.hosts.first()?.access.agent.as_deref(),
        }
    }

    /// The jump link in use, or a new one when there is none or it has ended.
    async fn jump_link(&self) -> Result<Arc<JumpLink>, TransportError> {
        let mut links = self.links.lock().await;
        if let Some(jump) = &links.jump
            && !jump.is_closed()
        {
            return Ok(jump.clone());
        }
        links.hosts.clear();
        if links.jump.take().is_some_and(|jump| jump.is_interactive()) {
            links.ask_first = Some("the connection to the jump box was lost".into());
        }
        if let Some(why) = &links.ask_first {
            self.ask_to_log_in_again(why).await?;
        }
        let opened = JumpLink::open(&self.env, self.dial.clone(), self.ask.clone(), self.ring.clone()).await;
        let link = match opened {
            Ok(link) => Arc::new(link),
            Err(error) => {
                if error.retry == Retry::ByOperator {
                    links.ask_first = Some(error.detail.clone());
                }
                return Err(error);
            }
        };
        links.ask_first = None;
        links.jump = Some(link.clone());
        Ok(link)
    }

    /// No push is sent and no attempt counted that an operator did not want.
    async fn ask_to_log_in_again(&self, why: &Clean) -> Result<(), TransportError> {
        let hop = Hop::Jump(self.env.jump.name().clone());
        match self.ask.ask(&self.env.name, &hop, QuestionKind::LogInAgain { why: why.clone() }).await {
            Answer::Accept => Ok(()),
            Answer::Refuse | Answer::Secret(_) => {
                let detail =
                    format!("not logged in again (declined by you, or nobody is here to ask): {why}");
                Err(TransportError::new(&hop, ErrorKind::AuthFailed, detail).by_operator())
            }
        }
    }

    fn description(&self, name: &HostName) -> Result<Arc<Host>, TransportError> {
        description(&self.env, name)
    }
}

/// A session with an environment's jump box over a connection that is there already: no login.
///
/// # Errors
/// When it cannot be had.
pub async fn on_jump_box(jump: Arc<JumpLink>, env: &Environment) -> Result<Arc<dyn Session>, TransportError> {
    let name = env.jump.name();
    let link = jump.host(description(env, name)?.as_ref()).await?;
    Ok(Arc::new(OverHost { link, hop: Hop::Host(name.clone()), _jump: jump }))
}

/// What is known of a host, or of a jump box that is none of the hosts.
fn description(env: &Environment, name: &HostName) -> Result<Arc<Host>, TransportError> {
    if let Some(host) = env.host(name) {
        return Ok(host.clone());
    }
    // A jump box need be none of the hosts.
    if let Jump::Remote(jump) = &env.jump
        && let Some(jump) = jump.route().into_iter().find(|jump| jump.name == *name)
    {
        return Ok(Arc::new(Host {
            id: HostId { env: env.name.clone(), host: name.clone() },
            address: jump.address.clone(),
            port: jump.port,
            access: jump.access.clone(),
            roles: Vec::new(),
            roles_declared: true,
            hostname: None,
            sudo: false,
        }));
    }
    let detail = format!("{name} is no host of environment {}", env.name);
    Err(TransportError::new(&Hop::Here, ErrorKind::Refused, detail))
}

impl Reach for OverSsh {
    fn host<'a>(&'a self, name: &'a HostName) -> BoxFuture<'a, Result<Arc<dyn Session>, TransportError>> {
        Box::pin(async move {
            let jump = self.jump_link().await?;
            let known = self.links.lock().await.hosts.get(name).cloned();
            if let Some(host) = known
                && !host.link.is_closed()
            {
                return Ok(host as Arc<dyn Session>);
            }
            let link = jump.host(self.description(name)?.as_ref()).await?.opening_ahead();
            let host = Arc::new(OverHost { link, hop: Hop::Host(name.clone()), _jump: jump });
            self.links.lock().await.hosts.insert(name.clone(), host.clone());
            Ok(host as Arc<dyn Session>)
        })
    }

    fn jump(&self) -> &HostName {
        self.env.jump.name()
    }

    fn inventory(&self) -> Option<Arc<InventoryStore>> {
        self.inventory.clone()
    }

    fn signing(&self) -> BoxFuture<'_, Signing> {
        Box::pin(async move {
            let with = self.sign_with.as_deref();
            let signer = signer_for(&self.env.name, &self.ring, self.ask.clone(), with, self.agent()).await;
            let allowed = match &self.allowed_signers {
                Some(file) => read_allowed(file).await,
                None => Ok(AllowedSigners::default()),
            };
            Signing { signer: signer.map_err(|why| why.to_string()), named: with.is_some(), allowed }
        })
    }
}

/// Who may sign, by an allowed_signers file. Without the file nobody is known; one that cannot be read is an error.
async fn read_allowed(file: &Path) -> Result<AllowedSigners, String> {
    let bytes = read_if_there(file, LONGEST_LIST).await?.unwrap_or_default();
    Ok(AllowedSigners::read(&String::from_utf8_lossy(&bytes)))
}

struct OverHost {
    link: HostLink,
    hop: Hop,
    /// Its connection goes with the last who uses it.
    _jump: Arc<JumpLink>,
}

impl Session for OverHost {
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

    fn start<'a>(&'a self, command: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, TransportError>> {
        Box::pin(async move {
            let script = self.link.spawn(command).await?;
            Ok(Box::new(OverScript { script, hop: self.hop.clone() }) as Box<dyn Held>)
        })
    }
}

/// What a program that ended left; an error when it did not end by itself.
fn ran(end: ScriptEnd, stdout: Vec<u8>) -> Result<Ran, TransportError> {
    let ScriptEnd { status, stderr, error, .. } = end;
    if let Some(error) = error {
        return Err(error);
    }
    let lines: Vec<String> = stderr.iter().map(ToString::to_string).collect();
    Ok(Ran { status, stdout, stderr: lines.join("\n").into_bytes() })
}

struct OverScript {
    script: Script,
    hop: Hop,
}

impl Held for OverScript {
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

    fn ended(&mut self) -> BoxFuture<'_, Result<Ran, TransportError>> {
        Box::pin(async move {
            let unknown =
                || TransportError::new(&self.hop, ErrorKind::Dropped, "it did not tell how it ended");
            ran(self.script.how_it_ended().await.ok_or_else(unknown)?, Vec::new())
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn an_allowed_signers_file_that_cannot_be_read_is_not_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read_allowed(&dir.path().join("none")).await.unwrap().is_empty());
        let why = read_allowed(dir.path()).await.unwrap_err();
        assert!(why.contains(dir.path().to_str().unwrap()), "{why}");
    }
}
