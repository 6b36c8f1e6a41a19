//! Evidence that others can check: entries of a journal signed by the person who runs it, a second person's yes signed by
//! them, and the newest signed entry kept apart, so that a journal whose end was cut off shows it. Signatures are those of
//! `ssh-keygen -Y`; docs/evidence.md has the form, `contrib/verify-run` checks it without this program.

mod head;
mod names;

use serde::{Deserialize, Serialize};

use crate::openssh::sshsig::{AllowedSigners, TextSigner};

pub use head::{Head, head_path, write_head};
pub(in crate::runbook) use names::may_sign_as;

/// The namespace of every signature made here (PROTOCOL.sshsig): one made for another purpose counts for nothing.
pub const NAMESPACE: &str = "run@jumpdeck";

/// An operator's signature of an entry and, by the chain, of all entries before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// Who, as in the entry: `account@machine`.
    pub by: String,
    /// The signature of [`statement`], as `ssh-keygen -Y sign` makes it, base64 without its frame.
    pub sig: String,
}

/// A second person's yes as they gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedApproval {
    /// The text of the approval; its last line names who.
    pub text: String,
    /// Their signature of the text; none when they had no key at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
}

/// What vouches for an entry, beside what happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seal {
    /// The yes that the entry counts.
    pub approved: Option<SignedApproval>,
    /// The operator's signature.
    pub signed: Option<Signed>,
}

/// Who signs what is said here, and whose signatures count.
#[derive(Debug, Clone)]
pub struct Signing {
    /// Signs; or why no key is at hand.
    pub signer: Result<TextSigner, String>,
    /// Whether the key was named by the person, not taken from the login.
    pub named: bool,
    /// Whose approvals count where signatures are required; or why the list cannot be read.
    pub allowed: Result<AllowedSigners, String>,
}

impl Signing {
    /// Without a key, and why.
    #[must_use]
    pub fn none(why: &str) -> Self {
        Self { signer: Err(why.to_owned()), named: false, allowed: Ok(AllowedSigners::default()) }
    }
}

/// What an operator signs: the entry's own bytes up to its signature, below the run and their name.
#[must_use]
pub fn statement(run: &str, by: &str, entry: &str) -> String {
    format!("jumpdeck entry 1\nrun: {run}\nby: {by}\n{entry}\n")
}
