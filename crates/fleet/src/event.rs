//! News of a fleet on its way up, and the questions a login may have. Plain data.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::fleet::Fleet;
use super::hop::Hop;
use super::names::EnvName;
use super::outside::OutsideSnapshot;
use super::snapshot::{HostSnapshot, JumpSnapshot};
use super::text::Clean;

/// News from the collecting side.
#[derive(Debug, Clone)]
pub enum FleetEvent {
    /// A jump box changed.
    Jump(Arc<JumpSnapshot>),
    /// A host changed.
    Host(Arc<HostSnapshot>),
    /// What is seen from outside changed.
    Outside(Arc<OutsideSnapshot>),
    /// A login needs a person.
    Question(Question),
    /// A question is no longer open (its connection ended): take its dialog down.
    QuestionGone(QuestionId),
    /// The inventory on disk is another one than the one in use.
    Inventory(InventoryNews),
}

/// What came of reading the inventory again.
#[derive(Debug, Clone)]
pub enum InventoryNews {
    /// It is sound: this is the fleet from now on.
    Read(Arc<Fleet>),
    /// It is the one in use, after a time in which that was not known.
    Unchanged,
    /// It is not used, and the one before stays in force: where in the file, what is wrong, what to do.
    Refused(Clean),
}

/// Tells questions apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QuestionId(pub u64);

/// A login needs a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Which question.
    pub id: QuestionId,
    /// The environment whose connection asks.
    pub env: EnvName,
    /// The hop that asks.
    pub hop: Hop,
    /// What is asked.
    pub kind: QuestionKind,
}

/// What a login may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuestionKind {
    /// The host key is in no known_hosts file. Accepting appends it to `file`.
    UnknownHostKey {
        /// `address:port` that offered it.
        address: String,
        /// `ssh-ed25519`, …
        algorithm: String,
        /// `SHA256:…`
        fingerprint: String,
        /// The known_hosts file an accepted key is written to.
        file: String,
    },
    /// The passphrase of a key file. `wrong` when the last one was.
    Passphrase {
        /// The key file.
        key: String,
        /// The last answer was wrong.
        wrong: bool,
    },
    /// A password or a keyboard-interactive prompt of the jump box. Its text is the server's own, made printable, line by
    /// line.
    Prompt {
        /// What the server says before its prompts.
        told: LoginInstructions,
        /// What the server asks.
        prompt: Vec<Clean>,
        /// Whether the answer may be shown while typed.
        echo: bool,
    },
    /// The server has everything it asked for and does not answer yet: it may wait for a confirmation on a phone. Nothing is
    /// answered but [`Answer::Refuse`], which cancels the login.
    Waiting {
        /// What the server says meanwhile.
        told: LoginInstructions,
    },
    /// The connection to the jump box is lost, and a login may send a push, count as a failed attempt or cost money: whether
    /// to log in again.
    LogInAgain {
        /// Why the connection or the last login ended.
        why: Clean,
    },
}

/// The name and the instructions of a keyboard-interactive request, made printable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoginInstructions {
    /// The name of the request; often empty.
    pub name: Clean,
    /// The instructions, line by line.
    pub instructions: Vec<Clean>,
}

impl LoginInstructions {
    /// Both, line by line.
    pub fn lines(&self) -> impl Iterator<Item = &Clean> {
        Some(&self.name).filter(|name| !name.is_empty()).into_iter().chain(&self.instructions)
    }
}

/// A person's answer.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// Yes: accept the key.
    Accept,
    /// No, or cancelled.
    Refuse,
    /// The secret asked for; wiped when dropped.
    Secret(Zeroizing<String>),
}

impl fmt::Debug for Answer {
    /// Without the secret: effects and messages are logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accept => "Accept",
            Self::Refuse => "Refuse",
            Self::Secret(_) => "Secret(…)",
        })
    }
}
