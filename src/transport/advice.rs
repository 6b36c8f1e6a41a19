//! What an operator is told to do next. `tests/fast/advice.rs` gives every line it names to the reader of inventories.

use super::error::ErrorKind;

/// One piece of advice.
#[derive(Debug, PartialEq, Eq)]
pub struct Advice {
    /// The words.
    pub text: &'static str,
}

const fn plain(text: &'static str) -> Advice {
    Advice { text }
}

/// The login was refused.
pub static LOGIN: Advice = plain("check user, keys and agent in the inventory, then retry");
/// There is nothing to log in with.
pub static CREDENTIALS: Advice = Advice {
    text: "load the key into the agent (ssh-add), or name a key file in the inventory: keys = [\"~/.ssh/id_ed25519\"]; then \
           retry",
};
/// There are more keys than a server lets anybody try.
pub static MANY_KEYS: Advice = Advice {
    text: "name the right key in the inventory, by its public half if the agent holds it (ssh-add -L prints them): keys = \
           [\"~/.ssh/id_ed25519.pub\"]; then retry",
};
/// An RSA key, and a server that knows SHA-1 only.
pub static RSA_SHA1: Advice = Advice {
    text: "the key may be right: use an ECDSA key there, which servers of that age know: keys = [\"~/.ssh/id_ecdsa\"]; or update the \
           server",
};
/// A host key that the server proves in a way that is not safe.
pub static HOST_KEY_PROOF: Advice = plain(
    "verify the fingerprint of an ECDSA or ed25519 key of the host out of band (it may need one: ssh-keygen -A there makes it) and \
     add that key to known_hosts, or update the server; then retry",
);
/// A login that asks, and nobody is there.
pub static ATTENDED: Advice = plain("log in with the console (jumpdeck), or use a key for this account");
/// A server that wants more than a key, where nothing may be asked.
pub static MORE_THAN_A_KEY: Advice = plain(
    "a jump box may ask for a password or code unless password = false; a host behind it may not: let it accept the key alone \
     (AuthenticationMethods in its sshd_config)",
);
/// The host key is in no file.
pub static UNKNOWN_KEY: Advice = plain(
    "verify the fingerprint out of band, then accept it in the console (jumpdeck), or log in once with ssh to add it",
);
/// The host key is another one.
pub static CHANGED_KEY: Advice = plain(
    "do not log in before you know why; if the host was replaced, correct that line of known_hosts by hand",
);
/// The host key is revoked.
pub static REVOKED_KEY: Advice = plain("do not log in: the key is revoked; find out who uses it");
/// A line of a file of host keys cannot be read.
pub static UNREADABLE_KEY: Advice =
    plain("verify the fingerprint of its key out of band, correct or remove that line, then retry");
/// The host certificate is not valid.
pub static CERTIFICATE: Advice = plain("have the host's certificate signed again, then retry");
/// A file of host keys cannot be read.
pub static KNOWN_HOSTS: Advice = plain("correct the file or its permissions, then retry");
/// No algorithm in common.
pub static ALGORITHMS: Advice = plain(
    "the server is too old or its sshd_config allows too little: see Ciphers, KexAlgorithms, HostKeyAlgorithms there",
);
/// A key exchange that is not supported.
pub static SNTRUP: Advice = plain(
    "add curve25519-sha256 or mlkem768x25519-sha256 to KexAlgorithms in its sshd_config (mlkem768x25519 resists quantum \
     computers too; OpenSSH 9.9 and newer have it), then retry",
);
/// A session or command was refused.
pub static REFUSED: Advice = plain(
    "check MaxSessions and AllowTcpForwarding in the server's sshd_config, and the account's login shell",
);
/// A jump box that forwards no connection.
pub static TUNNEL: Advice = plain(
    "check AllowTcpForwarding, PermitOpen and DisableForwarding in the jump box's sshd_config, and the options of your key in its authorized_keys (no-port-forwarding, permitopen)",
);
/// No session.
pub static MAX_SESSIONS: Advice = plain(
    "set MaxSessions in the server's sshd_config to 10 (the default), at least to 2, reload sshd, then retry",
);
/// No terminal.
pub static NO_TERMINAL: Advice = plain("use a terminal of that machine, or ssh");
/// A server that gives no terminal.
pub static TERMINAL_REFUSED: Advice = plain(
    "see PermitTTY in the server's sshd_config, and the options of our key in its authorized_keys (no-pty), then retry",
);
/// Both jump boxes are silent.
pub static NETWORK: Advice = plain("check the network of this machine first, then both jump boxes");
/// A run, and the jump box with its lease is gone.
pub static RUNS_BY_FIRST: Advice = plain(
    "runs go through this jump box only, as leases and journals are there: bring it back; if it is lost for good, agree with the other \
     operators, then make another one jump in everybody's inventory",
);
/// Too much output.
pub static FLOODING: Advice = plain("check what the account's shell start-up files print at login");
/// Not SSH.
pub static PROTOCOL: Advice = plain("check that address and port are those of an SSH server");
/// A pattern that grep does not read.
pub static LOG_PATTERN: Advice = plain(
    "correct it: an extended regular expression, as grep -E has them; or look for a plain text (--text)",
);
/// A program that reading logs needs.
pub static LOG_TOOL: Advice = plain("install it there, or look at the log in a shell (jumpdeck ssh)");
/// The shell that reads logs does not stay.
pub static LOG_SHELL: Advice =
    plain("try /bin/sh there with jumpdeck ssh; where the inventory says sudo, sudo -n must be allowed");
/// What runs on a host cannot be told.
pub static LOOK: Advice = plain("look in a shell there (jumpdeck ssh)");

/// The advice for a kind of failure; none when there is nothing but waiting for the next try.
pub(super) fn of(kind: ErrorKind) -> Option<&'static Advice> {
    Some(match kind {
        ErrorKind::AuthFailed => &LOGIN,
        ErrorKind::NoCredentials => &CREDENTIALS,
        ErrorKind::HostKeyUnknown => &UNKNOWN_KEY,
        ErrorKind::HostKeyChanged => &CHANGED_KEY,
        ErrorKind::HostKeyRevoked => &REVOKED_KEY,
        ErrorKind::HostKeyUnreadable => &UNREADABLE_KEY,
        ErrorKind::HostCertificate => &CERTIFICATE,
        ErrorKind::KnownHostsFile => &KNOWN_HOSTS,
        ErrorKind::Algorithms => &ALGORITHMS,
        ErrorKind::Refused => &REFUSED,
        ErrorKind::Flooding => &FLOODING,
        ErrorKind::Protocol => &PROTOCOL,
        ErrorKind::Unreachable | ErrorKind::Dropped | ErrorKind::TimedOut => return None,
    })
}
