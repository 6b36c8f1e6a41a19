//! `backups`: whose files are on a host, and how often a new one must come.

use std::sync::Arc;
use std::time::Duration;

use toml::de::DeValue;

use super::named::{NamedTable, TablePlace};
use super::role::role_name;
use crate::config::reader::{At, Reader, Table};
use jumpdeck_fleet::backup::{DAY, DeclaredBackup, backups_of_roles, default_backups};
use jumpdeck_fleet::names::RoleName;

const HINT: &str = "write db1 = { roles = [\"backup\"], files = \"/srv/backups/db1/*.sql.gz\", every = \"1d\" }; or db1 = false";
const HOST_HINT: &str =
    "write db1 = { files = \"/srv/backups/db1/*.sql.gz\", every = \"1d\" }; or db1 = false";
const LONGEST: usize = 200;

static BACKUPS: NamedTable<DeclaredBackup> = NamedTable {
    key: "backups",
    entry: "backup",
    hint: HINT,
    host_hint: HOST_HINT,
    name_of: DeclaredBackup::name_of,
    name: |backup| &backup.name,
    read: backup,
};

/// Takes what a table says over what is inherited, backup by backup and field by field.
pub(super) fn read(
    reader: &mut Reader,
    table: &Table<'_>,
    inherited: Vec<DeclaredBackup>,
) -> Vec<DeclaredBackup> {
    // What is wrong with that key, the services say.
    let all = match table.get("default_services").map(|value| value.get_ref()) {
        Some(DeValue::Boolean(false)) => Vec::new(),
        Some(DeValue::Boolean(true)) => default_backups(),
        _ => inherited,
    };
    BACKUPS.read_over(reader, table, all, TablePlace::OfRoles)
}

/// The backups that a host keeps: those of its roles, and what its own table says.
pub(super) fn of_host(
    reader: &mut Reader,
    table: &Table<'_>,
    inherited: &[DeclaredBackup],
    roles: &[RoleName],
) -> Vec<Arc<DeclaredBackup>> {
    BACKUPS.of_host(reader, table, backups_of_roles(inherited, roles))
}

fn backup(
    reader: &mut Reader,
    table: &Table<'_>,
    key: &At<&str>,
    was: Option<DeclaredBackup>,
    place: TablePlace,
) -> Option<DeclaredBackup> {
    let before = reader.error_count();
    let (allowed, hint): (&[&str], _) = match place {
        TablePlace::OfRoles => (&["roles", "files", "every", "when_old"], HINT),
        TablePlace::OfHost => (&["files", "every", "when_old"], HOST_HINT),
    };
    reader.only(table, allowed);
    let none = || DeclaredBackup {
        name: DeclaredBackup::name_of(key.value),
        roles: Vec::new(),
        folder: String::new(),
        pattern: String::new(),
        every: DAY,
        when_old: None,
        built_in: false,
    };
    let mut backup = was.unwrap_or_else(none);
    if place == TablePlace::OfRoles
        && let Some(names) = reader.strings(table, "roles", "write roles = [\"backup\"]")
    {
        backup.roles = names.iter().filter_map(|name| role_name(reader, name)).collect();
    }
    let example = "write files = \"/srv/backups/db1/*.sql.gz\"";
    if let Some(text) = reader.string(table, "files", example)
        && let Some((folder, pattern)) = files(reader, &text)
    {
        (backup.folder, backup.pattern, backup.built_in) = (folder, pattern, false);
    }
    let range = Duration::from_secs(3600)..=DAY * 366;
    backup.every = reader.duration(table, "every", range).unwrap_or(backup.every);
    let hint_old = "write one sentence: when_old = \"Call the storage team.\"";
    backup.when_old =
        reader.string(table, "when_old", hint_old).map(|text| text.value.to_owned()).or(backup.when_old);
    if reader.error_count() > before {
        return None;
    }
    let lacks = match place {
        _ if backup.folder.is_empty() => "no files",
        TablePlace::OfRoles if backup.roles.is_empty() => "no roles",
        TablePlace::OfRoles | TablePlace::OfHost => return Some(backup),
    };
    reader.error(key.span.clone(), format!("backup {:?} has {lacks}", key.value), hint);
    None
}

/// A folder and a pattern in it. They go into the probe's program: nothing but plain characters.
fn files(reader: &mut Reader, text: &At<&str>) -> Option<(String, String)> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._@:+,-".contains(c);
    let wrong = |text: &str| -> Option<&'static str> {
        let Some((folder, pattern)) = text.rsplit_once('/').filter(|(folder, _)| folder.starts_with('/'))
        else {
            return Some("write the absolute path of the files, such as \"/srv/backups/db1/*.sql.gz\"");
        };
        if pattern.is_empty() {
            return Some("write which files of the folder: \"/srv/backups/db1/*\" means all");
        }
        if folder.contains(['*', '?']) {
            return Some("* and ? may be in the last part only: name one folder for each backup");
        }
        let is_sound = text.len() <= LONGEST && text.chars().all(|c| plain(c) || "*?".contains(c));
        (!is_sound).then_some("use at most 200 letters, digits and ._@:+,- and, in the last part, * and ?")
    };
    if let Some(help) = wrong(text.value) {
        reader.error(text.span.clone(), format!("files cannot be {:?}", text.value), help);
        return None;
    }
    let (folder, pattern) = text.value.rsplit_once('/')?;
    Some((folder.to_owned(), pattern.to_owned()))
}
