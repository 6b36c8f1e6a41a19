//! An SSH agent: a connection to it, and the keys it holds. An identity of a kind that is not known here is skipped, as `ssh`
//! skips it: the other keys stay usable.

use std::path::Path;
use std::time::Duration;

use russh::keys::agent::client::{AgentClient, AgentStream};
use russh::keys::agent::{AgentIdentity, AgentSessionBinding};
use russh::keys::key::parse_public_key;
use russh::keys::ssh_encoding::Decode;
use russh::keys::{Algorithm, Certificate, PublicKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::listening::within;
use jumpdeck_fleet::text::Clean;

/// A connection to an agent.
pub(crate) type Agent = AgentClient<AgentSocket>;
type AgentSocket = Box<dyn AgentStream + Send + Unpin>;

/// An agent that does not answer within this is taken for dead.
const AGENT_LIMIT: Duration = Duration::from_secs(2);
/// The longest list of identities that is read.
const LONGEST: u32 = 1 << 20;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
/// The algorithm name of a certificate ends with this.
const CERTIFICATE: &str = "-cert-v01@openssh.com";

/// What an agent holds.
#[derive(Default)]
pub(crate) struct HeldByAgent {
    pub(crate) identities: Vec<AgentIdentity>,
    /// The kinds of the identities that are not used here.
    pub(crate) skipped: Vec<Clean>,
}

impl HeldByAgent {
    /// The identity to sign with for a key: its own certificate when that is wanted and held, else the plain key, else any
    /// certificate of it.
    pub(crate) fn find(&self, key: &PublicKey, certificate: Option<&Certificate>) -> Option<&AgentIdentity> {
        let of_key = || self.identities.iter().filter(|i| i.public_key().key_data() == key.key_data());
        let wanted = |identity: &&AgentIdentity| match identity {
            AgentIdentity::Certificate { certificate: held, .. } => Some(held) == certificate,
            AgentIdentity::PublicKey { .. } => false,
        };
        let plain = |identity: &&AgentIdentity| matches!(identity, AgentIdentity::PublicKey { .. });
        of_key().find(wanted).or_else(|| of_key().find(plain)).or_else(|| of_key().next())
    }
}

/// Connects to the agent behind `socket` and asks for its keys. `session` tells it which server it is for, so that keys that
/// are for some destinations only can be used.
pub(crate) async fn connect(
    socket: &Path,
    session: Option<&AgentSessionBinding>,
) -> Result<(Agent, HeldByAgent), String> {
    let asking = async {
        let mut agent = AgentClient::connect_uds(socket).await?;
        if let Some(session) = session {
            // An agent that does not know this has no such keys either; OpenSSH goes on, too.
            match agent.bind_session(session, false).await {
                Ok(()) | Err(russh::keys::Error::AgentFailure) => {}
                Err(error) => return Err(error),
            }
        }
        let mut stream: AgentSocket = agent.into_inner();
        let held = identities(&mut stream).await?;
        Ok((Agent::connect(stream), held))
    };
    match within(AGENT_LIMIT, asking).await {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(e)) => Err(format!("the agent {} cannot be reached: {e}", socket.display())),
        None => {
            Err(format!("the agent {} did not answer within {} s", socket.display(), AGENT_LIMIT.as_secs()))
        }
    }
}

/// The agent's identities, each read for itself.
async fn identities(stream: &mut AgentSocket) -> Result<HeldByAgent, russh::keys::Error> {
    let protocol = || russh::keys::Error::AgentProtocolError;
    stream.write_all(&[0, 0, 0, 1, REQUEST_IDENTITIES]).await?;
    stream.flush().await?;
    let length = stream.read_u32().await?;
    if length > LONGEST {
        return Err(protocol());
    }
    let mut answer = vec![0; usize::try_from(length).unwrap_or_default()];
    stream.read_exact(&mut answer).await?;
    match answer.split_first() {
        Some((&IDENTITIES_ANSWER, list)) => read_list(list).ok_or_else(protocol),
        Some(_) | None => Err(russh::keys::Error::AgentFailure),
    }
}

/// `None` when the list itself is damaged.
fn read_list(mut list: &[u8]) -> Option<HeldByAgent> {
    let count = u32::decode(&mut list).ok()?;
    let mut held = HeldByAgent::default();
    for _ in 0..count {
        let blob = Vec::<u8>::decode(&mut list).ok()?;
        // A comment need not be UTF-8, and says nothing that is used.
        let _comment = Vec::<u8>::decode(&mut list).ok()?;
        match read_identity(&blob) {
            Some(identity) => held.identities.push(identity),
            None => held.skipped.push(kind_of(&blob)),
        }
    }
    Some(held)
}

fn read_identity(blob: &[u8]) -> Option<AgentIdentity> {
    let kind = Vec::<u8>::decode(&mut &*blob).ok()?;
    let comment = String::new();
    if kind.ends_with(CERTIFICATE.as_bytes()) {
        // Certificates of certificates have no end; nobody has one.
        let nested = blob.windows(CERTIFICATE.len()).filter(|w| *w == CERTIFICATE.as_bytes()).count() > 2;
        let certificate = (!nested).then(|| Certificate::decode(&mut &*blob).ok())??;
        return is_usable(&certificate.algorithm())
            .then_some(AgentIdentity::Certificate { certificate, comment });
    }
    let key = parse_public_key(blob).ok()?;
    is_usable(&key.algorithm()).then_some(AgentIdentity::PublicKey { key, comment })
}

/// DSA signs with SHA-1 only; of an unknown kind nobody knows how it signs.
fn is_usable(algorithm: &Algorithm) -> bool {
    !matches!(algorithm, Algorithm::Dsa | Algorithm::Other(_))
}

fn kind_of(blob: &[u8]) -> Clean {
    let kind = Vec::<u8>::decode(&mut &*blob).unwrap_or_default();
    Clean::first_line(&String::from_utf8_lossy(&kind), 60)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use russh::keys::PrivateKey;
    use russh::keys::key::safe_rng;
    use russh::keys::ssh_encoding::Encode;

    use super::*;

    fn list(blobs: &[Vec<u8>]) -> Vec<u8> {
        let mut list = Vec::new();
        u32::try_from(blobs.len()).unwrap().encode(&mut list).unwrap();
        for blob in blobs {
            blob.as_slice().encode(&mut list).unwrap();
            b"a comment in Latin-1: \xfc".as_slice().encode(&mut list).unwrap();
        }
        list
    }

    fn blob(kind: &str, rest: &[u8]) -> Vec<u8> {
        let mut blob = Vec::new();
        kind.encode(&mut blob).unwrap();
        rest.encode(&mut blob).unwrap();
        blob
    }

    /// Case 10: one identity of an unknown or damaged kind takes none of the others away.
    #[test]
    fn identities_of_unknown_kinds_are_skipped() {
        let mine = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
        let mine = mine.public_key();
        let good = mine.to_bytes().unwrap();
        for odd in [
            blob("ssh-ed448", &[7; 57]),
            blob("sk-ssh-ed448@openssh.com", &[7; 57]),
            blob("ssh-dss", &[7; 9]),
            blob("x-new-cert-v01@openssh.com", &[7; 300]),
            blob("ssh-ed25519-cert-v01@openssh.com", &[7; 300]),
            blob("webauthn@example.org", b""),
            blob("ssh-ed25519", &[7; 31]),
            blob("", b""),
            vec![0, 0, 0, 9, 1],
            Vec::new(),
            vec![0xff; 40],
        ] {
            let held = read_list(&list(&[odd.clone(), good.clone(), odd.clone()])).unwrap();
            assert_eq!((held.identities.len(), held.skipped.len()), (1, 2), "{odd:?}");
            assert!(held.find(mine, None).is_some());
        }
    }

    proptest! {
        #[test]
        fn no_answer_of_an_agent_breaks_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read_list(&bytes);
            let _ = read_list(&list(&[bytes]));
        }
    }
}
