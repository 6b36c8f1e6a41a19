//! `jump`: the machine hosts are reached through, or `"local"` when the console runs on it.

use std::ops::Range;
use std::sync::Arc;

use toml::de::DeValue;

use super::context::Context;
use super::scope::{SettingScope, read_host_key_alias, read_keys};
use super::{address, unsupported};
use crate::config::reader::{At, Reader, Table};
use jumpdeck_fleet::fleet::{Jump, JumpBox};
use jumpdeck_fleet::names::HostName;

/// The jump box and where the inventory speaks of it.
pub(super) struct ReadJump {
    pub(super) jump: Jump,
    pub(super) span: Range<usize>,
}

const HINT: &str =
    "write jump = { name = \"salt\", address = \"203.0.113.7\" }, or jump = \"local\" on the jump box";
const NAME_HINT: &str = "write name = \"salt\"";
const SECOND_HINT: &str = "write second_jump = { name = \"db2\", address = \"198.51.100.9\" }";
const ROUTE_HINT: &str = "write jump = [{ name = \"bastion\", address = \"203.0.113.7\" }, { name = \"salt\", address = \"10.0.0.5\" }]: \
                          the first is reached from here, the last leads to the hosts";
/// Jump boxes in a row; each adds a handshake and a round trip.
const LONGEST_ROUTE: usize = 4;
const FIELDS: [&str; 7] = ["name", "address", "port", "user", "keys", "password", "host_key_alias"];
/// The fleet's own name for its jump boxes ("levels", `002` of the seed documents).
const DEFAULT_NAME: &str = "salt";

pub(super) fn read(
    reader: &mut Reader,
    table: &Table<'_>,
    environment: &At<&str>,
    scope: &SettingScope,
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
        let help = "this jump box is reached by network: write its name as jump = { name = … }";
        reader.error(name.span(), "jump_name is for jump = \"local\"", help);
    }
    let jump = match value.get_ref() {
        DeValue::Array(_) => route(reader, table, "jump", scope, context)?,
        _ => {
            let jump = reader.subtable(table, "jump", HINT)?;
            let name = match reader.string(&jump, "name", NAME_HINT) {
                Some(name) => host_name(reader, &name),
                None => HostName::new(DEFAULT_NAME).ok(),
            };
            let span = span.clone();
            jump_box(reader, &jump, span, scope, context)
                .zip(name)
                .map(|(jump, name)| JumpBox { name, ..jump })?
        }
    };
    Some(ReadJump { jump: Jump::Remote(jump), span })
}

/// `second_jump`: the machine that hosts are looked at through while the jump box is gone, or a list of jump boxes that leads there.
pub(super) fn read_second(
    reader: &mut Reader,
    table: &Table<'_>,
    first: Option<&ReadJump>,
    scope: &SettingScope,
    context: &Context,
) -> Option<JumpBox> {
    let value = table.get("second_jump")?;
    let span = value.span();
    let second = match value.get_ref() {
        DeValue::Array(_) => route(reader, table, "second_jump", scope, context)?,
        _ => {
            let jump = reader.subtable(table, "second_jump", SECOND_HINT)?;
            let name = match reader.string(&jump, "name", SECOND_HINT) {
                Some(name) => host_name(reader, &name),
                None => {
                    if jump.get("name").is_none() {
                        reader.error(span.clone(), "the second jump box needs a name", SECOND_HINT);
                    }
                    None
                }
            };
            jump_box(reader, &jump, span.clone(), scope, context)
                .zip(name)
                .map(|(jump, name)| JumpBox { name, ..jump })?
        }
    };
    let first = first?;
    let jump = match &first.jump {
        Jump::Remote(jump) => jump,
        Jump::Local { .. } => {
            let help = "remove second_jump here; keep it in inventories of other machines";
            let message = "this machine is the jump box, so no second one is needed to reach it";
            reader.conflict(span, message, (first.span.clone(), "the jump box"), help);
            return None;
        }
    };
    let last = second.name == jump.name || second.place() == jump.place();
    // A key that is accepted for a name on one route would else be one of another machine on the other.
    let other = second
        .route()
        .into_iter()
        .find(|one| jump.route().into_iter().any(|two| two.name == one.name && two.place() != one.place()));
    if last || other.is_some() {
        let (message, help) = match other {
            Some(other) if !last => (
                format!("{} is another machine here than in jump", other.name),
                "give it the same address and port in both, or another name",
            ),
            Some(_) | None => (
                format!("the second jump box {} is the first one", second.name),
                "name a machine that works without the first one",
            ),
        };
        reader.conflict(span, message, (first.span.clone(), "the jump box"), help);
        return None;
    }
    Some(second)
}

/// A list: the first is reached from here, each other one through the one before it, the hosts through the last.
fn route(
    reader: &mut Reader,
    table: &Table<'_>,
    key: &str,
    scope: &SettingScope,
    context: &Context,
) -> Option<JumpBox> {
    let path = table.name_of(key);
    let items = reader.list(table, key, ROUTE_HINT)?;
    if items.is_empty() || items.len() > LONGEST_ROUTE {
        let span = table.get(key)?.span();
        let message = format!("{key} lists {} jump boxes, expected 1 to {LONGEST_ROUTE}", items.len());
        reader.error(span, message, ROUTE_HINT);
        return None;
    }
    let mut names: Vec<HostName> = Vec::new();
    let mut last: Option<Option<JumpBox>> = None;
    for value in items {
        let Some(jump) = reader.table(path.clone(), value, ROUTE_HINT) else {
            last = Some(None);
            continue;
        };
        let name = match reader.string(&jump, "name", NAME_HINT) {
            Some(name) => host_name(reader, &name),
            None => {
                if jump.get("name").is_none() {
                    reader.error(value.span(), "a jump box of a list needs a name", NAME_HINT);
                }
                None
            }
        };
        if let Some(name) = &name
            && names.contains(name)
        {
            let message = format!("two jump boxes are called {name}");
            reader.error(value.span(), message, "rename one of them");
        }
        names.extend(name.clone());
        let read = jump_box(reader, &jump, value.span(), scope, context);
        let before = last.take();
        last = Some(match (read, name, before) {
            (Some(read), Some(name), None) => Some(JumpBox { name, ..read }),
            (Some(read), Some(name), Some(Some(before))) => {
                Some(JumpBox { name, via: Some(Arc::new(before)), ..read })
            }
            (_, _, _) => None,
        });
    }
    last.flatten()
}

/// A jump box, by its default name.
fn jump_box(
    reader: &mut Reader,
    jump: &Table<'_>,
    span: Range<usize>,
    scope: &SettingScope,
    context: &Context,
) -> Option<JumpBox> {
    let unsupported = unsupported::refuse(reader, jump, &unsupported::JUMP);
    reader.only(jump, &[&FIELDS[..], &unsupported].concat());
    if jump.get("address").is_none() {
        reader.error(span, "the jump box has no address", HINT);
    }
    let address = address::read_address(reader, jump, "address");
    let port = address::read_port(reader, jump).unwrap_or(scope.port);
    let user = address::read_user(reader, jump);
    let keys = read_keys(reader, jump, context);
    let alias = read_host_key_alias(reader, jump);
    let password = reader.boolean(jump, "password").unwrap_or(true);
    let access = scope.access(user, keys, alias, password, context);
    Some(JumpBox { name: HostName::new(DEFAULT_NAME).ok()?, address: address?, port, access, via: None })
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
