//! `jump`: the machine hosts are reached through, or `"local"` when the console runs on it.

use std::ops::Range;

use super::scope::{Scope, read_keys};
use super::{Context, address};
use crate::config::reader::{At, Reader, Table};
use crate::domain::fleet::{Jump, JumpBox};
use crate::domain::names::HostName;

/// The jump box and where the inventory speaks of it.
pub(super) struct ReadJump {
    pub(super) jump: Jump,
    pub(super) span: Range<usize>,
}

const HINT: &str =
    "write jump = { name = \"salt\", address = \"203.0.113.7\" }, or jump = \"local\" on the jump box";
/// The fleet's own name for its jump boxes ("levels", `002` of the seed documents).
const DEFAULT_NAME: &str = "salt";

pub(super) fn read(
    reader: &mut Reader,
    table: &Table<'_>,
    environment: &At<&str>,
    scope: &Scope,
    context: &Context,
) -> Option<ReadJump> {
    let Some(value) = table.get("jump") else {
        let message = format!("environment {:?} has no jump box", environment.value);
        reader.error(environment.span.clone(), message, HINT);
        return None;
    };
    let span = value.span();
    if let Some(word) = value.get_ref().as_str() {
        if word != "local" {
            reader.error(span, format!("jump cannot be {word:?}"), HINT);
            return None;
        }
        let name = match reader.string(table, "jump_name", "write jump_name = \"salt\"") {
            Some(name) => host_name(reader, &name)?,
            None => HostName::new(DEFAULT_NAME).ok()?,
        };
        return Some(ReadJump { jump: Jump::Local { name }, span });
    }
    if let Some(name) = table.get("jump_name") {
        let help = "with a jump box of its own the name goes into jump = { name = … }";
        reader.error(name.span(), "jump_name is for jump = \"local\"", help);
    }
    let jump = reader.subtable(table, "jump", HINT)?;
    reader.only(&jump, &["name", "address", "port", "user", "keys", "password"]);
    if jump.get("address").is_none() {
        reader.error(span.clone(), "the jump box has no address", HINT);
    }
    let name = match reader.string(&jump, "name", "write name = \"salt\"") {
        Some(name) => host_name(reader, &name),
        None => HostName::new(DEFAULT_NAME).ok(),
    };
    let address = address::read_address(reader, &jump, "address");
    let port = address::read_port(reader, &jump).unwrap_or(scope.port);
    let user = address::read_user(reader, &jump);
    let keys = read_keys(reader, &jump, context);
    let password = reader.boolean(&jump, "password").unwrap_or(true);
    let access = scope.access(user, keys, password, context);
    Some(ReadJump { jump: Jump::Remote(JumpBox { name: name?, address: address?, port, access }), span })
}

/// A host's name.
pub(super) fn host_name(reader: &mut Reader, name: &At<&str>) -> Option<HostName> {
    match HostName::new(name.value) {
        Ok(name) => Some(name),
        Err(error) => {
            reader.error(name.span.clone(), error.to_string(), "write a name such as db1-masterdb");
            None
        }
    }
}
