//! Keys made from the seed: the same world always shows the same ones. They guard nothing: the fleet is simulated.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use russh::keys::PrivateKey;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;

use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// The key that belongs to a name in a world of this seed.
pub(crate) fn key(seed: u64, name: &str) -> PrivateKey {
    // FNV-1a: only to tell names apart.
    let hash = name.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mut bytes = [0_u8; 32];
    StdRng::seed_from_u64(hash).fill_bytes(&mut bytes);
    PrivateKey::from(Ed25519Keypair::from_seed(&bytes))
}

/// What a machine's keys are made from: a machine that was added has others than one that bore its name before.
pub(crate) fn label(world: &World, host: &HostName) -> Option<String> {
    let environment = world.environment()?;
    let machine = world.machine(host)?;
    let added = if machine.added { format!("/{}", machine.machine_id) } else { String::new() };
    Some(format!("{environment}/{host}{added}"))
}

/// A machine's SSH host key.
pub(crate) fn host(world: &World, host: &HostName) -> Option<PrivateKey> {
    Some(key(world.seed(), &label(world, host)?))
}

/// A private key in OpenSSH's format.
pub(crate) fn private_text(key: &PrivateKey) -> String {
    key.to_openssh(LineEnding::LF).map(|text| text.to_string()).unwrap_or_default()
}
