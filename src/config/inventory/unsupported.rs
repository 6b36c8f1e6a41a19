//! Keys that people know from `ssh_config` and that an inventory does not have: each is refused with what to write instead.

use crate::config::reader::{Reader, Table};

/// A key, why it is refused, and what to do instead.
pub(super) type Unsupported = (&'static str, &'static str, &'static str);

const NO_COMMAND: &str = "jumpdeck opens TCP connections only and runs no proxy command";
const LISTEN: &str = "let the command listen on this machine, for example: socat \
                      TCP-LISTEN:2222,bind=127.0.0.1,reuseaddr,fork EXEC:'YOUR PROXY COMMAND'; then write address = \
                      \"127.0.0.1\", port = 2222, host_key_alias = \"bastion.example.org\"";
const NOT_NESTED: &str = "a jump box cannot have a jump box of its own";
const IN_A_LIST: &str = "write the route as a list, first hop first: jump = [{ name = \"bastion1\", address = \
                         \"203.0.113.7\" }, { name = \"bastion2\", address = \"10.1.0.9\" }]";
const SHARED: &str = "the hosts of an environment share its jump box";
const OTHER_ENVIRONMENT: &str = "put this host into an environment of its own, with its own jump = { name = \"bastion\", address = \"203.0.113.7\" }";

/// Of a jump box.
pub(super) const JUMP: [Unsupported; 6] = [
    ("proxy_command", NO_COMMAND, LISTEN),
    ("proxycommand", NO_COMMAND, LISTEN),
    ("ProxyCommand", NO_COMMAND, LISTEN),
    ("jump", NOT_NESTED, IN_A_LIST),
    ("proxy_jump", NOT_NESTED, IN_A_LIST),
    ("ProxyJump", NOT_NESTED, IN_A_LIST),
];
/// Of a host.
pub(super) const HOST: [Unsupported; 6] = [
    ("proxy_command", NO_COMMAND, LISTEN),
    ("proxycommand", NO_COMMAND, LISTEN),
    ("ProxyCommand", NO_COMMAND, LISTEN),
    ("jump", SHARED, OTHER_ENVIRONMENT),
    ("proxy_jump", SHARED, OTHER_ENVIRONMENT),
    ("ProxyJump", SHARED, OTHER_ENVIRONMENT),
];

/// Refuses those that are there; returns their names, which are then no unknown keys.
pub(super) fn refuse(
    reader: &mut Reader,
    table: &Table<'_>,
    unsupported: &[Unsupported],
) -> Vec<&'static str> {
    let mut found = Vec::new();
    for (key, _) in table.entries() {
        if let Some((name, why, instead)) = unsupported.iter().find(|(name, ..)| *name == key.value) {
            reader.error(key.span, format!("{name} is not supported: {why}"), *instead);
            found.push(*name);
        }
    }
    found
}
