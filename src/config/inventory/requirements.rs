//! `requirements`: how many hosts each role needs.

use toml::de::DeValue;

use super::role::role_name;
use crate::config::reader::{Reader, Table, TomlValue};
use jumpdeck_fleet::fleet::{Requirement, default_requirements};
use jumpdeck_fleet::names::RoleName;

/// More hosts of a role than any environment has.
const MOST: u32 = 10_000;
const HINT: &str =
    "write memcache = { at_least = 2 }, with at_most and implies where needed; or memcache = false";

/// Takes what a table says over what is inherited, role by role and field by field.
pub(super) fn read(reader: &mut Reader, table: &Table<'_>, inherited: Vec<Requirement>) -> Vec<Requirement> {
    let mut all = match reader.boolean(table, "default_requirements") {
        Some(false) => Vec::new(),
        Some(true) => default_requirements(),
        None => inherited,
    };
    let hint = "write [requirements] and lines such as memcache = { at_least = 2 } below it";
    let Some(table) = reader.subtable(table, "requirements", hint) else { return all };
    for (name, value) in table.entries() {
        let Some(role) = role_name(reader, &name) else { continue };
        let place = all.iter().position(|r| r.role == role);
        if matches!(value.get_ref(), DeValue::Boolean(false)) {
            all.retain(|r| r.role != role);
            continue;
        }
        let none = || Requirement {
            role: role.clone(),
            at_least: 0,
            at_most: None,
            implies: Vec::new(),
            built_in: false,
        };
        let was = place.and_then(|i| all.get(i).cloned()).unwrap_or_else(none);
        let Some(entry) = reader.table(table.name_of(name.value), value, HINT) else { continue };
        let now = requirement(reader, &entry, was);
        match place.and_then(|i| all.get_mut(i)) {
            Some(old) => *old = now,
            None => all.push(now),
        }
    }
    all
}

fn requirement(reader: &mut Reader, table: &Table<'_>, was: Requirement) -> Requirement {
    reader.only(table, &["at_least", "at_most", "implies"]);
    let before = reader.error_count();
    let at_least = reader.integer(table, "at_least", 0..=MOST).unwrap_or(was.at_least);
    let at_most = match table.get("at_most").map(TomlValue::get_ref) {
        None => was.at_most,
        Some(DeValue::String(word)) if word == "any" => None,
        Some(_) => reader.integer(table, "at_most", 0..=MOST),
    };
    if let Some(high) = at_most
        && at_least > high
        && reader.error_count() == before
    {
        let value = table.get("at_least").or_else(|| table.get("at_most"));
        let span = value.map_or(table.span.clone(), toml::Spanned::span);
        let help = if table.get("at_most").is_some() && table.get("at_least").is_some() {
            "at_least may not be more than at_most".to_owned()
        } else {
            format!("the other limit is inherited ({}): write both, or at_most = \"any\"", was.describe())
        };
        reader.error(span, format!("{}: at least {at_least} but at most {high}", table.path), help);
    }
    let implies = match reader.strings(table, "implies", "write implies = [\"db\"]") {
        Some(names) => names.iter().filter_map(|name| role_name(reader, name)).collect::<Vec<RoleName>>(),
        None => was.implies,
    };
    Requirement { role: was.role, at_least, at_most, implies, built_in: false }
}
