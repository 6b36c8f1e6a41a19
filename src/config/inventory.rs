//! The inventory: TOML to [`Fleet`], validated. docs/inventory.md describes every field.
//! Reads neither files nor the process environment.

use std::collections::HashMap;
use std::sync::Arc;

use super::diagnostic::{Diagnostic, nearest};
use super::reader::{At, Reader, Table};
use jumpdeck_fleet::fleet::{
    Environment, Fleet, Guard, LeaseScope, Signatures, with_database_files, with_minions,
};
use jumpdeck_fleet::names::EnvName;

mod address;
mod backups;
mod checks;
mod contacts;
mod context;
pub mod edit;
mod host;
mod jump;
pub mod logs;
mod management;
mod named;
mod outside;
mod requirements;
mod role;
mod scope;
mod services;
mod thresholds;
mod unsupported;

pub use contacts::unknown_runbooks;
pub use context::Context;
use host::{HostTable, RawHost};
use scope::SettingScope;

/// The inventory that comes with the program as an example.
pub const EXAMPLE: &str = include_str!("../../inventory.example.toml");

/// Reads an inventory.
///
/// # Errors
/// Every mistake of the file, in its order; nothing is ignored. Where the syntax is wrong nothing else is judged.
pub fn parse(file_name: &str, text: &str, context: &Context) -> Result<Fleet, Vec<Diagnostic>> {
    let mut reader = Reader::new(file_name, text);
    let root = reader.parse(text);
    let fleet = root.as_ref().map(|root| {
        let root = reader.root(root);
        read(&mut reader, &root, context)
    });
    reader.finish(fleet)
}

const ENVIRONMENT_KEYS: [&str; 13] = [
    "level",
    "guard",
    "signatures",
    "lease",
    "journals",
    "domain",
    "jump",
    "jump_name",
    "second_jump",
    "hosts",
    "salt",
    "database_files",
    "outside",
];

fn read(reader: &mut Reader, root: &Table<'_>, context: &Context) -> Fleet {
    reader.only(root, &[&scope::KEYS[..], &["environments", "hosts"]].concat());
    let defaults = SettingScope::of_context(context).read(reader, root, context);
    let hint = "write [environments.production] and its jump and hosts below it";
    let before = reader.error_count();
    let tables: Vec<_> = match reader.subtable(root, "environments", hint) {
        Some(all) => all
            .entries()
            .into_iter()
            .filter_map(|(name, value)| Some((reader.table(all.name_of(name.value), value, hint)?, name)))
            .collect(),
        None => Vec::new(),
    };
    if tables.is_empty() && reader.error_count() == before {
        reader.error(0..0, "the inventory has no environments", hint);
    }
    let mut listed = listed_hosts(reader, root, &tables.iter().map(|(_, n)| n.value).collect::<Vec<_>>());
    let environments = tables
        .iter()
        .filter_map(|(table, name)| {
            let hosts = listed.remove(name.value).unwrap_or_default();
            environment(reader, table, name, &defaults, hosts, context).map(Arc::new)
        })
        .collect();
    let fleet = Fleet { environments, simulated: false };
    contacts::check_names(reader, root, &fleet);
    fleet
}

/// The hosts of the top level's `[[hosts]]`, by the environment each names.
fn listed_hosts<'t>(
    reader: &mut Reader,
    root: &Table<'t>,
    known: &[&str],
) -> HashMap<&'t str, Vec<RawHost<'t>>> {
    let mut by_environment: HashMap<&str, Vec<RawHost<'_>>> = HashMap::new();
    let hint = "write [[hosts]], and name = \"app1\" and environment = \"production\" below it";
    for value in reader.list(root, "hosts", hint).unwrap_or_default() {
        let Some(table) = reader.table("hosts".to_owned(), value, hint) else { continue };
        let Some(host) = host::named(reader, table.clone(), HostTable::Listed) else { continue };
        let Some(environment) = reader.string(&table, "environment", hint) else {
            if table.get("environment").is_none() {
                let message = format!("host {:?} is in no environment", host.name.value);
                reader.error(host.name.span, message, "add environment = \"production\"");
            }
            continue;
        };
        if known.contains(&environment.value) {
            by_environment.entry(environment.value).or_default().push(host);
        } else {
            let help = match nearest(environment.value, known.iter().copied()) {
                Some(near) => format!("did you mean {near:?}?"),
                None => {
                    format!("add [environments.{}], or use one of: {}", environment.value, known.join(", "))
                }
            };
            reader.error(environment.span, format!("unknown environment {:?}", environment.value), help);
        }
    }
    by_environment
}

/// The folder of journals on the jump box. It becomes a part of a shell script there, quoted.
fn journals(reader: &mut Reader, table: &Table<'_>) -> Option<String> {
    let hint = "write journals = \"/var/lib/jumpdeck\": a folder on the jump box for journals only, made by root for the operators' group";
    let text = reader.string(table, "journals", hint)?;
    let path = text.value;
    let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let parts = path
        .strip_prefix('/')
        .is_some_and(|rest| rest.split('/').all(|part| !part.is_empty() && part != "." && part != ".."));
    if plain && parts {
        return Some(path.to_owned());
    }
    reader.error(text.span, format!("{path:?} is not an absolute path of a folder"), hint);
    None
}

fn environment(
    reader: &mut Reader,
    table: &Table<'_>,
    name: &At<&str>,
    defaults: &SettingScope,
    listed: Vec<RawHost<'_>>,
    context: &Context,
) -> Option<Environment> {
    reader.only(table, &[&ENVIRONMENT_KEYS[..], &scope::KEYS[..]].concat());
    let env = environment_name(reader, name)?;
    let scope = defaults.clone().read(reader, table, context);
    if scope.user.is_empty() {
        let message = format!("environment {:?} has no user, and your own account is not known", name.value);
        reader.error(name.span.clone(), message, "add user = \"deploy\"");
    }
    let level = level(reader, table, name.value);
    let guard = reader
        .word(table, "guard", &[("confirm", Guard::Confirm), ("challenge", Guard::Challenge)])
        .unwrap_or_else(|| default_guard(&level));
    let signatures = [("when-possible", Signatures::WhenPossible), ("required", Signatures::Required)];
    let signatures = reader.word(table, "signatures", &signatures).unwrap_or_default();
    let lease = [("jump-box", LeaseScope::JumpBox), ("own-account", LeaseScope::OwnAccount)];
    let lease = reader.word(table, "lease", &lease).unwrap_or_default();
    let journals = journals(reader, table);
    let domain = address::read_domain(reader, table);
    let jump = jump::read(reader, table, name, &scope, context);
    let second_jump = jump::read_second(reader, table, jump.as_ref(), &scope, context);
    let mut raw = host::in_environment(reader, table);
    raw.extend(listed);
    if raw.is_empty() && table.get("hosts").is_none() {
        let help = format!("add [{}.hosts] and lines such as app1 = {{}} below it", table.path);
        reader.error(name.span.clone(), format!("environment {:?} has no hosts", name.value), help);
    }
    let place =
        host::InheritedBy { env: &env, domain: domain.as_deref(), jump: jump.as_ref(), scope: &scope };
    let hosts = host::read_all(reader, &raw, &place, context);
    let (management, files) = management::read(reader, table, &hosts);
    let hosts = with_database_files(hosts, files);
    let hosts = with_minions(hosts, &scope.services.named, &management);
    let outside = outside::read(reader, table, context);
    Some(Environment {
        jump: jump?.jump,
        second_jump,
        name: env.clone(),
        level,
        guard,
        signatures,
        lease,
        management,
        contacts: scope.contacts,
        journals,
        domain,
        transport: scope.transport,
        thresholds: scope.thresholds,
        requirements: scope.requirements,
        cadence: scope.cadence,
        outside,
        hosts,
    })
}

/// The environment's name. A bad one is noted and another put in its place, so that the rest is judged too.
fn environment_name(reader: &mut Reader, name: &At<&str>) -> Option<EnvName> {
    EnvName::new(name.value)
        .or_else(|error| {
            let help = "use letters, digits, - and _, for example [environments.production]";
            reader.error(name.span.clone(), error.to_string(), help);
            EnvName::new("unnamed")
        })
        .ok()
}

/// The level its hosts carry: what the inventory says, or the environment's own name.
fn level(reader: &mut Reader, table: &Table<'_>, environment: &str) -> String {
    let hint = "write level = \"production\", as in the hosts' Salt grains";
    let Some(level) = reader.string(table, "level", hint) else { return environment.to_owned() };
    if level.value.is_empty() || !level.value.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    {
        reader.error(level.span, format!("{:?} cannot be a level", level.value), hint);
    }
    level.value.to_owned()
}

/// Production and its replica are fixed and must not break; the rest is built to be broken ("levels", `002` of the
/// seed documents).
fn default_guard(level: &str) -> Guard {
    match level {
        "production" | "secondary" => Guard::Challenge,
        _ => Guard::Confirm,
    }
}

#[cfg(test)]
mod tests;
