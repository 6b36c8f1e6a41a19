//! Why a login failed, in words: what was offered, what could not be, and what to do next.

use russh::MethodSet;

use crate::transport::advice::{self, Advice};
use crate::transport::error::{ErrorKind, TransportError};

use super::Login;

/// What a login has tried so far.
#[derive(Default)]
pub(super) struct Tried {
    /// Keys the server refused.
    pub(super) refused: Vec<String>,
    /// A key the server took, and for which it wants more than a key.
    pub(super) accepted: Option<String>,
    /// RSA keys refused by a server that does not announce SHA-2, or not offered to one that takes SHA-1 only.
    pub(super) without_rsa_sha2: Vec<String>,
    /// An ed25519 key was refused by a server that does not announce which signatures it takes.
    pub(super) may_not_know_ed25519: bool,
    /// What could not be tried, and why.
    pub(super) notes: Vec<String>,
    /// Keys that were not offered because there are too many.
    pub(super) more: usize,
    /// How the server would be logged in to after that.
    pub(super) server_takes: Option<MethodSet>,
}

/// Why no prompt led to a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unprompted {
    Refused,
    Cancelled,
    /// Nobody is there to answer.
    Unattended,
}

impl Tried {
    /// The failure that these tries come to.
    pub(super) fn refusal(self, login: &Login<'_>, prompts: Option<Unprompted>) -> TransportError {
        let user = &login.access.user;
        let nothing = self.refused.is_empty() && self.without_rsa_sha2.is_empty() && self.accepted.is_none();
        let by_prompt = matches!(prompts, Some(Unprompted::Refused | Unprompted::Cancelled));
        let kind = if nothing && !by_prompt { ErrorKind::NoCredentials } else { ErrorKind::AuthFailed };
        let mut parts = Vec::new();
        match (nothing, prompts) {
            (_, Some(Unprompted::Cancelled)) => parts.push(format!("login as {user} cancelled")),
            (true, Some(Unprompted::Refused)) => parts.push(format!("login as {user} refused")),
            (true, Some(Unprompted::Unattended) | None) => {
                parts.push(format!("no key to log in with as {user}"));
            }
            (false, _) if self.refused.is_empty() => parts.push(format!("login as {user} not completed")),
            (false, _) => parts.push(format!("login as {user} refused with {}", self.refused.join(", "))),
        }
        if let Some(accepted) = &self.accepted {
            parts.push(format!("{accepted} was accepted, but the server also requires {}", self.wanted()));
        }
        if !self.without_rsa_sha2.is_empty() {
            parts.push(format!(
                "the server does not announce RSA signatures with SHA-2, which are needed for {}; like OpenSSH, jumpdeck does not sign with SHA-1 (ssh-rsa)",
                self.without_rsa_sha2.join(", ")
            ));
        }
        if self.may_not_know_ed25519 {
            parts.push(
                "the server does not announce which signatures it accepts: if it is older than ed25519 (OpenSSH before 6.5, dropbear \
                 before 2020.79), an ECDSA key is needed there"
                    .to_owned(),
            );
        }
        if self.more > 0 {
            parts.push(format!("{} more keys were not offered: a server allows few tries", self.more));
        }
        if prompts == Some(Unprompted::Unattended) {
            parts.push("password and prompts were not tried: nobody is here to answer".to_owned());
        }
        parts.extend(self.notes.iter().cloned());
        let error = TransportError::new(login.hop, kind, parts.join("; "));
        match self.advice(kind, prompts) {
            Some(advice) => error.advising(advice),
            None => error,
        }
    }

    /// What the server wants next.
    fn wanted(&self) -> String {
        let methods = self.server_takes.iter().flat_map(|methods| methods.iter());
        let names: Vec<String> = methods.map(String::from).collect();
        if names.is_empty() { "more".to_owned() } else { names.join(" or ") }
    }

    fn advice(&self, kind: ErrorKind, prompts: Option<Unprompted>) -> Option<&'static Advice> {
        if prompts == Some(Unprompted::Cancelled) {
            return None;
        }
        if self.refused.is_empty() && !self.without_rsa_sha2.is_empty() {
            return Some(&advice::RSA_SHA1);
        }
        if self.more > 0 {
            return Some(&advice::MANY_KEYS);
        }
        let unattended = prompts == Some(Unprompted::Unattended);
        if unattended && (kind == ErrorKind::NoCredentials || self.accepted.is_some()) {
            return Some(&advice::ATTENDED);
        }
        (self.accepted.is_some() && prompts.is_none()).then_some(&advice::MORE_THAN_A_KEY)
    }
}
