//! An agent with a security key whose touch is played: the device's arithmetic is real, so that ssh-keygen can judge it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::{Decode, Encode};
use russh::keys::ssh_key::Signature;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::ssh_key::public::{KeyData, SkEd25519};
use russh::keys::{PrivateKey, PublicKey};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// What the person does when the device blinks.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Touch {
    Given,
    Awaited,
}

/// The agent; it ends with the test's runtime.
pub(super) struct Device {
    pub(super) socket: PathBuf,
    pub(super) public: PublicKey,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Device {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.socket);
    }
}

impl Device {
    pub(super) fn start(folder: &Path, touch: Touch) -> Self {
        let socket = folder.join("device");
        let pair = Ed25519Keypair::from_seed(&[7; 32]);
        let public = PublicKey::from(KeyData::SkEd25519(SkEd25519::new(pair.public, "ssh:".to_owned())));
        let key = Arc::new(PrivateKey::from(pair));
        let listener = UnixListener::bind(&socket).unwrap();
        let blob = public.to_bytes().unwrap();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, key.clone(), blob.clone(), touch));
            }
        });
        Self { socket, public, task }
    }
}

async fn serve(mut stream: UnixStream, key: Arc<PrivateKey>, blob: Vec<u8>, touch: Touch) {
    while let Ok(length) = stream.read_u32().await {
        let mut asked = vec![0; length as usize];
        stream.read_exact(&mut asked).await.unwrap();
        let mut answer = Vec::new();
        match asked[0] {
            // SSH_AGENTC_REQUEST_IDENTITIES
            11 => {
                answer.push(12);
                1u32.encode(&mut answer).unwrap();
                blob.encode(&mut answer).unwrap();
                "device".encode(&mut answer).unwrap();
            }
            // SSH_AGENTC_SIGN_REQUEST
            13 if touch == Touch::Given => {
                let mut rest = &asked[1..];
                assert_eq!(Vec::<u8>::decode(&mut rest).unwrap(), blob);
                let data = Vec::<u8>::decode(&mut rest).unwrap();
                answer.push(14);
                signed(&key, &data).encode(&mut answer).unwrap();
            }
            13 => std::future::pending().await,
            other => panic!("asked {other}"),
        }
        stream.write_u32(u32::try_from(answer.len()).unwrap()).await.unwrap();
        stream.write_all(&answer).await.unwrap();
    }
}

/// A signature of a security key: of the hashes of application and data, between them flags and counter.
fn signed(key: &PrivateKey, data: &[u8]) -> Vec<u8> {
    let trailer = [1u8, 0, 0, 0, 9];
    let message = [&Sha256::digest(b"ssh:")[..], &trailer, &Sha256::digest(data)].concat();
    let inner: Signature = key.try_sign(&message).unwrap();
    let mut out = Vec::new();
    "sk-ssh-ed25519@openssh.com".encode(&mut out).unwrap();
    inner.as_bytes().encode(&mut out).unwrap();
    out.extend(trailer);
    out
}
