//! The shell on a host that the resident probe runs in.

use super::failure::Failure;
use crate::transport::banner::quoted;
use crate::transport::{Held, Session};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::snapshot::{LinkState, Retry};
use jumpdeck_fleet::text::Clean;

/// A running `/bin/sh`.
pub(super) struct ProbeShell {
    held: Box<dyn Held>,
    hop: Hop,
}

impl ProbeShell {
    /// Starts it.
    pub(super) async fn start(session: &dyn Session, hop: Hop) -> Result<Self, Failure> {
        Ok(Self { held: session.open().await?, hop })
    }

    /// Writes to its standard input.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self.held.write(bytes).await {
            Ok(()) => Ok(()),
            // A shell that ends without reading (nologin) may be gone before the program is sent: its words say why.
            Err(_) => Err(self.ended().await),
        }
    }

    /// The next bytes of its standard output; an error when it, or the connection, has ended.
    pub(super) async fn read(&mut self) -> Result<Vec<u8>, Failure> {
        match self.held.read().await {
            Ok(bytes) => Ok(bytes),
            Err(_) => Err(self.ended().await),
        }
    }

    /// What it printed on either stream before any report, in quotes: a forced command, an account without a shell and a
    /// bastion say there why there is none.
    pub(super) fn said(&self) -> Option<String> {
        let lines = self.held.first_lines();
        let reported = lines.iter().any(|line| begins_a_report(line.as_str()));
        if reported { None } else { quoted(&lines) }
    }

    /// Why it ended: the connection's failure, or else what the shell itself left.
    async fn ended(&mut self) -> Failure {
        let said = self.said();
        let ran = match self.held.ended().await {
            Ok(ran) => ran,
            Err(error) => return error.into(),
        };
        // After a report the newest line of standard error says more than the first ones.
        let errors = Clean::lines(&String::from_utf8_lossy(&ran.stderr));
        let last = errors.iter().rev().find(|line| !line.is_empty());
        let said = said.or_else(|| last.and_then(|line| quoted(std::slice::from_ref(line))));
        let said = said.map(|said| format!("; it says: {said}")).unwrap_or_default();
        let status = ran.status.map(|status| format!(" with status {status}")).unwrap_or_default();
        let signal = ran.signal.map(|signal| format!(", killed by signal {signal}")).unwrap_or_default();
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
