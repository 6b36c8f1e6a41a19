//! `hosts`: one entry a machine.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use toml::de::DeValue;

use super::context::Context;
use super::jump::{ReadJump, host_name};
use super::role::role_name;
use super::scope::{SettingScope, read_host_key_alias, read_keys};
use super::{address, backups, checks, logs, unsupported};
use crate::config::reader::{At, Reader, Table};
use jumpdeck_fleet::declared::services_of_roles;
use jumpdeck_fleet::fleet::{Host, Jump, JumpBox, with_peers};
use jumpdeck_fleet::names::{EnvName, HostId, HostName, RoleName, roles_from_host_name};

/// Where a host's table stands: what its keys may be depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HostTable {
    /// `hosts.NAME = { … }`
    Keyed,
    /// `[[environments.E.hosts]]`
    InEnvironment,
    /// `[[hosts]]` of the top level
    Listed,
}

pub(super) const FIELDS: [&str; 11] = [
    "address",
    "port",
    "user",
    "roles",
    "hostname",
    "sudo",
    "keys",
    "host_key_alias",
    "backups",
    "checks",
    "logs",
];

/// A host whose name is known and whose fields are not read yet.
pub(super) struct RawHost<'t> {
    pub(super) name: At<&'t str>,
    table: Table<'t>,
}

/// What a host inherits.
pub(super) struct InheritedBy<'p> {
    pub(super) env: &'p EnvName,
    pub(super) domain: Option<&'p str>,
    pub(super) jump: Option<&'p ReadJump>,
    pub(super) scope: &'p SettingScope,
}

/// The hosts of an environment's own table, in either form.
pub(super) fn in_environment<'t>(reader: &mut Reader, table: &Table<'t>) -> Vec<RawHost<'t>> {
    let path = table.name_of("hosts");
    let hint = format!("write [{path}] and lines such as app1 = {{ address = \"10.0.0.5\" }} below it");
    let Some(value) = table.get("hosts") else { return Vec::new() };
    let before = reader.error_count();
    let hosts: Vec<_> = if matches!(value.get_ref(), DeValue::Array(_)) {
        let items = reader.list(table, "hosts", &hint).unwrap_or_default();
        items
            .into_iter()
            .filter_map(|item| {
                let table = reader.table(path.clone(), item, &hint)?;
                named(reader, table, HostTable::InEnvironment)
            })
            .collect()
    } else {
        let Some(keyed) = reader.table(path, value, &hint) else { return Vec::new() };
        keyed
            .entries()
            .into_iter()
            .filter_map(|(name, value)| {
                let table = reader.table(
                    keyed.name_of(name.value),
                    value,
                    "write app1 = {} or more in the braces",
                )?;
                check_keys(reader, &table, HostTable::Keyed);
                Some(RawHost { name, table })
            })
            .collect()
    };
    if hosts.is_empty() && reader.error_count() == before {
        reader.error(value.span(), format!("{} is empty", table.name_of("hosts")), hint);
    }
    hosts
}

/// A host of a list: its table says its name.
pub(super) fn named<'t>(reader: &mut Reader, table: Table<'t>, form: HostTable) -> Option<RawHost<'t>> {
    check_keys(reader, &table, form);
    if table.get("name").is_none() {
        reader.error(table.span.clone(), "this host has no name", "add name = \"app1\"");
    }
    let name = reader.string(&table, "name", "write name = \"app1\"")?;
    Some(RawHost { name, table })
}

fn check_keys(reader: &mut Reader, table: &Table<'_>, form: HostTable) {
    let more: &[&str] = match form {
        HostTable::Keyed => &[],
        HostTable::InEnvironment => &["name"],
        HostTable::Listed => &["name", "environment"],
    };
    let unsupported = unsupported::refuse(reader, table, &unsupported::HOST);
    reader.only(table, &[more, &FIELDS[..], &unsupported].concat());
}

/// Reads the fields of every host and refuses what stands for one machine twice.
pub(super) fn read_all(
    reader: &mut Reader,
    raw: &[RawHost<'_>],
    place: &InheritedBy<'_>,
    context: &Context,
) -> Vec<Arc<Host>> {
    // Host names do not tell capitals apart (RFC 4343).
    let mut names: HashMap<String, Range<usize>> = HashMap::new();
    let mut places: HashMap<(String, u16), At<&str>> = HashMap::new();
    let mut hosts = Vec::new();
    for raw in raw {
        let name = &raw.name;
        if let Some(first) = names.get(&name.value.to_ascii_lowercase()) {
            let message = format!("host {:?} appears twice in environment \"{}\"", name.value, place.env);
            let help = "rename one of the two or remove it";
            reader.conflict(name.span.clone(), message, (first.clone(), "first named here"), help);
            continue;
        }
        names.insert(name.value.to_ascii_lowercase(), name.span.clone());
        let Some(host) = read(reader, raw, place, context) else { continue };
        let seen = (host.address.to_ascii_lowercase(), host.port);
        if let Some(first) = places.get(&seen) {
            let message = format!(
                "{:?} and {:?} have the same address: {} port {}",
                first.value, name.value, seen.0, seen.1
            );
            let span = raw.table.get("address").map_or(name.span.clone(), toml::Spanned::span);
            let help = "correct the address or port of one of them, or remove one";
            reader.conflict(span, message, (first.span.clone(), "first named here"), help);
            continue;
        }
        places.insert(seen, name.clone());
        hosts.push(Arc::new(host));
    }
    with_peers(hosts)
}

fn read(reader: &mut Reader, raw: &RawHost<'_>, place: &InheritedBy<'_>, context: &Context) -> Option<Host> {
    let table = &raw.table;
    let name = host_name(reader, &raw.name);
    let address = address::read_address(reader, table, "address");
    let address_is_bad = address.is_none() && table.get("address").is_some();
    let port = address::read_port(reader, table);
    let user = address::read_user(reader, table);
    let roles = roles(reader, table);
    let hostname = hostname(reader, table);
    let sudo = reader.boolean(table, "sudo").unwrap_or(place.scope.sudo);
    let keys = read_keys(reader, table, context);
    let alias = read_host_key_alias(reader, table);
    let name = name?;
    let (roles, roles_declared) = match roles {
        Some(roles) => (roles, true),
        None => (roles_from_host_name(name.as_str()), false),
    };
    let the_jump = place.jump.and_then(|j| match &j.jump {
        Jump::Remote(jump) => {
            jump.route().into_iter().find(|jump| jump.name == name).map(|jump| (jump, j.span.clone()))
        }
        Jump::Local { .. } => None,
    });
    let (address, port, access) = if let Some((jump, span)) = the_jump {
        jump_conflicts(reader, raw, jump, &span);
        (jump.address.clone(), jump.port, Arc::clone(&jump.access))
    } else {
        let address = address.unwrap_or_else(|| default_address(&name, place.domain));
        (address, port.unwrap_or(place.scope.port), place.scope.access(user, keys, alias, false, context))
    };
    let services = services_of_roles(&place.scope.services.named, &roles);
    let unwatched = place.scope.services.unwatched(&roles);
    let backups = backups::of_host(reader, table, &place.scope.backups, &roles);
    let checks = checks::of_host(reader, table, &place.scope.checks, &roles);
    let logs = logs::read(reader, table, place.scope.logs.clone(), logs::TablePlace::OfHost);
    let id = HostId { env: place.env.clone(), host: name };
    (!address_is_bad).then_some(Host {
        id,
        peers: [].into(),
        database_files: [].into(),
        address,
        port,
        access,
        roles,
        roles_declared,
        hostname,
        sudo,
        services,
        unwatched,
        backups,
        checks,
        logs,
    })
}

/// A host that is the jump box is asked over the jump connection: what would reach it otherwise may not differ.
fn jump_conflicts(reader: &mut Reader, raw: &RawHost<'_>, jump: &JumpBox, span: &Range<usize>) {
    for key in ["address", "port", "user", "keys", "host_key_alias"] {
        let Some(value) = raw.table.get(key) else { continue };
        let same = match value.get_ref() {
            DeValue::String(text) if key == "address" => text.eq_ignore_ascii_case(&jump.address),
            DeValue::String(text) if key == "user" => **text == *jump.access.user,
            DeValue::Integer(n) if key == "port" => n.as_str() == jump.port.to_string(),
            _ => false,
        };
        if !same {
            let message = format!("{:?} is the jump box: {key} is taken from jump", raw.name.value);
            let help = format!("remove {key} here, or give this host another name than the jump box");
            reader.conflict(value.span(), message, (span.clone(), "the jump box"), help);
        }
    }
}

fn default_address(name: &HostName, domain: Option<&str>) -> String {
    match domain {
        Some(domain) => format!("{name}.{domain}"),
        None => name.to_string(),
    }
}

fn hostname(reader: &mut Reader, table: &Table<'_>) -> Option<String> {
    let text = reader.string(
        table,
        "hostname",
        "write hostname = \"ip-10-0-0-5\", as the machine itself says it",
    )?;
    host_name(reader, &text).map(|name| name.to_string())
}

fn roles(reader: &mut Reader, table: &Table<'_>) -> Option<Vec<RoleName>> {
    let names = reader.strings(table, "roles", "write roles = [\"db\", \"masterdb\"]")?;
    let mut roles: Vec<RoleName> = Vec::new();
    for name in &names {
        let Some(role) = role_name(reader, name) else { continue };
        if roles.contains(&role) {
            let message = format!("role {:?} appears twice", name.value);
            reader.error(name.span.clone(), message, "remove one of the two");
        } else {
            roles.push(role);
        }
    }
    Some(roles)
}
