//! [`Reach`] over real SSH: the links of [`crate::transport::ssh::link`].

use std::sync::Arc;
use std::time::Duration;

use crate::transport::BoxFuture;
use crate::transport::ask::Ask;
use crate::transport::error::TransportError;
use crate::transport::ssh::banner::quoted;
use crate::transport::ssh::dial::Dial;
use crate::transport::ssh::link::{HostLink, JumpLink};
use crate::transport::ssh::ring::KeyRing;
use crate::transport::ssh::script::Script;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::{Environment, Host};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::left::LeftRun;
use jumpdeck_fleet::snapshot::{LinkState, Retry};
use jumpdeck_fleet::text::Clean;

use super::reach::{Failure, HostWay, JumpWay, Reach, Shell};

/// Reaches machines over SSH.
pub struct OverSsh {
    dial: Arc<dyn Dial>,
    ask: Arc<dyn Ask>,
    ring: Arc<KeyRing>,
    runs: Arc<dyn LooksForRuns>,
}

/// Looks for runs that are not over, on a jump box that is connected: runbooks are not known here.
pub trait LooksForRuns: Send + Sync + 'static {
    /// The runs of an environment; a gap when they cannot be told.
    fn left<'a>(
        &'a self,
        jump: Arc<JumpLink>,
        env: Arc<Environment>,
    ) -> BoxFuture<'a, Result<Vec<LeftRun>, Gap>>;
}

/// Looks for none: where no runs are.
pub struct NoRuns;

impl LooksForRuns for NoRuns {
    fn left<'a>(&'a self, _: Arc<JumpLink>, _: Arc<Environment>) -> BoxFuture<'a, Result<Vec<LeftRun>, Gap>> {
        Box::pin(std::future::ready(Err(Gap::NotInstalled)))
    }
}

impl OverSsh {
    /// `dial` opens the first hop's bytes; `ask` puts questions of logins to a person.
    #[must_use]
    pub fn new(dial: Arc<dyn Dial>, ask: Arc<dyn Ask>) -> Self {
        Self { dial, ask, ring: Arc::default(), runs: Arc::new(NoRuns) }
    }

    /// Looks for runs that are not over, too.
    #[must_use]
    pub fn looking_for_runs(self, runs: Arc<dyn LooksForRuns>) -> Self {
        Self { runs, ..self }
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        Self { state: error.state(), detail: error.describe(), retry: error.retry, hop: error.hop }
    }
}

impl Reach for OverSsh {
    fn jump<'a>(&'a self, env: &'a Arc<Environment>) -> BoxFuture<'a, Result<Arc<dyn JumpWay>, Failure>> {
        Box::pin(async move {
            let link = JumpLink::open(env, self.dial.clone(), self.ask.clone(), self.ring.clone()).await?;
            Ok(Arc::new(OverJump { link: Arc::new(link), runs: self.runs.clone() }) as Arc<dyn JumpWay>)
        })
    }

    fn forget_refusals(&self) {
        self.ring.forget_refusals();
    }
}

struct OverJump {
    link: Arc<JumpLink>,
    runs: Arc<dyn LooksForRuns>,
}

impl JumpWay for OverJump {
    fn host<'a>(&'a self, host: &'a Arc<Host>) -> BoxFuture<'a, Result<Box<dyn HostWay>, Failure>> {
        Box::pin(async move {
            let link = self.link.host(host).await?;
            let hop = Hop::Host(host.id.host.clone());
            Ok(Box::new(OverHost { link, hop }) as Box<dyn HostWay>)
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<Duration, Failure>> {
        Box::pin(async move { Ok(self.link.ping().await?) })
    }

    fn closed(&self) -> BoxFuture<'_, Failure> {
        Box::pin(async move { self.link.closed().await.into() })
    }

    fn left(&self, env: Arc<Environment>) -> BoxFuture<'_, Result<Vec<LeftRun>, Gap>> {
        self.runs.left(self.link.clone(), env)
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

struct OverHost {
    link: HostLink,
    hop: Hop,
}

impl HostWay for OverHost {
    fn shell(&self) -> BoxFuture<'_, Result<Box<dyn Shell>, Failure>> {
        Box::pin(async move {
            let script = Some(self.link.shell().await?);
            Ok(Box::new(OverShell { script, hop: self.hop.clone() }) as Box<dyn Shell>)
        })
    }
}

struct OverShell {
    /// `None` once it has ended.
    script: Option<Script>,
    hop: Hop,
}

impl OverShell {
    /// Why it ended: the connection's failure, or else what the shell itself left.
    async fn ended(&mut self) -> Failure {
        let said = self.said();
        let end = match self.script.take() {
            Some(script) => Some(script.end().await),
            None => None,
        };
        if let Some(error) = end.as_ref().and_then(|end| end.error.clone()) {
            return error.into();
        }
        // After a report the newest line of standard error says more than the first ones.
        let last = end.as_ref().and_then(|end| end.stderr.iter().rev().find(|l| !l.is_empty()));
        let said = said.or_else(|| last.and_then(|line| quoted(std::slice::from_ref(line))));
        let said = said.map(|said| format!("; it says: {said}")).unwrap_or_default();
        let status = end.as_ref().and_then(|end| end.status);
        let status = status.map(|status| format!(" with status {status}")).unwrap_or_default();
        let signal = end.and_then(|end| end.signal);
        let signal = signal.map(|signal| format!(", killed by signal {signal}")).unwrap_or_default();
        Failure {
            state: LinkState::NotUsable,
            hop: self.hop.clone(),
            detail: format!("its shell ended{status}{signal}{said}").into(),
            retry: Retry::Automatic,
        }
    }
}

/// Whether a report begins with that line (see [`super::resident::FrameReader`]).
fn begins_a_report(line: &str) -> bool {
    let nonce = line.strip_prefix('%').and_then(|line| line.strip_suffix(" begin"));
    nonce.is_some_and(|nonce| !nonce.is_empty() && nonce.bytes().all(|b| b.is_ascii_alphanumeric()))
}

impl Shell for OverShell {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let sent = match &self.script {
                Some(script) => script.write(bytes).await.is_ok(),
                None => false,
            };
            // A shell that ends without reading (nologin) may be gone before the program is sent: its words say why.
            if sent { Ok(()) } else { Err(self.ended().await) }
        })
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, Failure>> {
        Box::pin(async move {
            let chunk = match &mut self.script {
                Some(script) => script.read_chunk().await,
                None => None,
            };
            match chunk {
                Some(bytes) => Ok(bytes.to_vec()),
                None => Err(self.ended().await),
            }
        })
    }

    fn said(&self) -> Option<String> {
        let lines = self.script.as_ref()?.first_lines();
        let reported = lines.iter().any(|line| begins_a_report(line.as_str()));
        if reported { None } else { quoted(&lines) }
    }
}
