//! Whether a running replication connection is encrypted, and how that is known.
//!
//! `Master_SSL_Allowed` is what the replica was told to ask for. MariaDB falls back to clear text where the master offers
//! no TLS and the certificate is not verified, and says `Yes` all the same. So the setting alone proves nothing.

use super::{Connection, Database, Engine, ServerStatus, Thread};

/// What is known of a connection's encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// The IO thread is not connected: there is nothing to encrypt.
    NoConnection,
    /// Encrypted, and how that is known.
    Encrypted(&'static str),
    /// In clear text, and how that is known.
    Clear(&'static str),
    /// Not known, and why.
    Unknown(&'static str),
}

impl Encryption {
    /// `true` and `false` only where it is known.
    #[must_use]
    pub fn known(self) -> Option<bool> {
        match self {
            Self::Encrypted(_) => Some(true),
            Self::Clear(_) => Some(false),
            Self::NoConnection | Self::Unknown(_) => None,
        }
    }

    /// How it is known, or why it is not.
    #[must_use]
    pub fn basis(self) -> &'static str {
        match self {
            Self::NoConnection => "not connected",
            Self::Encrypted(how) | Self::Clear(how) | Self::Unknown(how) => how,
        }
    }
}

/// Whether a connection of this server is encrypted. `master`: what the server at its other end says of itself, where it is
/// known which one that is.
#[must_use]
pub fn encryption(replica: &Database, c: &Connection, master: Option<&ServerStatus>) -> Encryption {
    use Encryption::{Clear, Encrypted, NoConnection, Unknown};
    if c.io != Thread::Running {
        return NoConnection;
    }
    let offers = master.and_then(|m| m.have_ssl);
    match (c.tls_requested, c.tls_verified, offers) {
        (None, _, _) => Unknown("the replica does not say whether it asks for TLS"),
        (Some(false), _, _) => Clear("the replica does not ask for TLS"),
        (Some(true), _, _) if insists(replica) => Encrypted("this server does not connect without TLS"),
        (Some(true), Some(true), Some(false)) => {
            Unknown("the replica verifies the certificate, but the master reports that it has no TLS")
        }
        (Some(true), Some(true), Some(true)) => Encrypted("the master's certificate is verified"),
        (Some(true), Some(true), None) if verifies(replica) => {
            Encrypted("the master's certificate is verified")
        }
        (Some(true), Some(true), None) => {
            Unknown("this version may fall back to clear text, and the master's TLS is unknown")
        }
        (Some(true), _, Some(false)) => Clear("the master has no TLS, and MariaDB falls back to clear text"),
        (Some(true), _, _) => {
            Unknown("TLS is requested and not enforced: MariaDB may fall back to clear text")
        }
    }
}

/// MySQL since 5.7.11: with `MASTER_SSL=1` it connects with TLS or not at all (reference manual, CHANGE MASTER TO).
fn insists(replica: &Database) -> bool {
    replica.engine == Engine::MySql && since(replica, (5, 7, 11))
}

/// MariaDB since 10.0.20 (and 5.5.44): a certificate that is to be verified and not sent ends the connection.
fn verifies(replica: &Database) -> bool {
    replica.engine == Engine::MariaDb
        && (since(replica, (10, 0, 20)) || since(replica, (5, 5, 44)) && !since(replica, (10, 0, 0)))
}

fn since(replica: &Database, wanted: (u32, u32, u32)) -> bool {
    let Some(version) = &replica.version else { return false };
    let mut numbers = version.as_str().split(['.', '-', '+', '~']).map(|n| n.parse::<u32>().ok());
    let mut next = || numbers.next().flatten();
    match (next(), next(), next()) {
        (Some(major), Some(minor), Some(patch)) => (major, minor, patch) >= wanted,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replication::GtidMode;
    use crate::text::Clean;

    fn known(version: &str, asks: bool, verifies: bool, offers: Option<bool>) -> Option<bool> {
        let engine = if version.contains("Maria") { Engine::MariaDb } else { Engine::MySql };
        let replica = Database { engine, version: Some(version.into()), server: Ok(ServerStatus::default()) };
        let c = Connection {
            io: Thread::Running,
            tls_requested: Some(asks),
            tls_verified: Some(verifies),
            gtid_mode: GtidMode::FilePosition,
            name: Clean::default(),
            ..Connection::default()
        };
        let master = ServerStatus { have_ssl: offers, ..ServerStatus::default() };
        encryption(&replica, &c, Some(&master)).known()
    }

    /// Fleet finding 1: `Master_SSL_Allowed: Yes` while a marker row was read off the wire.
    #[test]
    fn a_setting_that_asks_for_tls_is_no_proof_of_it() {
        let maria = "10.11.19-MariaDB-0+deb12u1-log";
        for (version, asks, verifies, offers, want) in [
            (maria, true, false, Some(false), Some(false)),
            (maria, true, false, Some(true), None),
            (maria, true, false, None, None),
            (maria, true, true, Some(true), Some(true)),
            (maria, true, true, None, Some(true)),
            (maria, true, true, Some(false), None),
            (maria, false, true, Some(true), Some(false)),
            ("10.0.17-MariaDB-log", true, true, None, None),
            ("10.0.17-MariaDB-log", true, true, Some(true), Some(true)),
            ("5.5.44-MariaDB", true, true, None, Some(true)),
            ("8.0.36", true, false, None, Some(true)),
            ("5.7.10-log", true, false, None, None),
            ("5.7.44-log", true, false, Some(true), Some(true)),
            ("5.1.73", true, false, Some(false), Some(false)),
            ("odd", true, false, Some(true), None),
        ] {
            assert_eq!(
                known(version, asks, verifies, offers),
                want,
                "{version} {asks} {verifies} {offers:?}"
            );
        }
    }

    #[test]
    fn a_thread_that_is_not_connected_has_no_encryption() {
        let replica = Database { engine: Engine::MySql, version: None, server: Ok(ServerStatus::default()) };
        for io in [Thread::Connecting, Thread::Stopped, Thread::Unknown] {
            let c = Connection { io, tls_requested: Some(true), ..Connection::default() };
            assert_eq!(encryption(&replica, &c, None), Encryption::NoConnection);
        }
    }
}
