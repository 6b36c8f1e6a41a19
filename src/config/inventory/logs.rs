//! `logs`: log files that hosts of a role have.

use std::sync::Arc;

use super::named::NamedTable;
pub(super) use super::named::TablePlace;
use super::role::role_name;
use crate::config::reader::{At, Reader, Table};
use jumpdeck_fleet::log::DeclaredLog;

const HINT: &str =
    "write mysql = { roles = [\"db\"], files = [\"/var/log/mysql/error.log\"] }; or mysql = false";
const HOST_HINT: &str = "write mysql = { files = [\"/var/log/mysql/error.log\"] }; or mysql = false";
/// Bytes of a path.
pub(super) const LONGEST: usize = 400;
/// Files of one entry.
const MOST: usize = 16;

static LOGS: NamedTable<DeclaredLog> = NamedTable {
    key: "logs",
    entry: "log",
    hint: HINT,
    host_hint: HOST_HINT,
    name_of: str::to_owned,
    name: |log| &log.name,
    read: log,
};

/// Takes what a table says over what is inherited, log by log and field by field.
pub(super) fn read(
    reader: &mut Reader,
    table: &Table<'_>,
    inherited: Vec<Arc<DeclaredLog>>,
    place: TablePlace,
) -> Vec<Arc<DeclaredLog>> {
    // All hosts share what none of them changes.
    if table.get(LOGS.key).is_none() {
        return inherited;
    }
    let all = inherited.iter().map(|log| log.as_ref().clone()).collect();
    LOGS.read_over(reader, table, all, place).into_iter().map(Arc::new).collect()
}

fn log(
    reader: &mut Reader,
    table: &Table<'_>,
    key: &At<&str>,
    was: Option<DeclaredLog>,
    place: TablePlace,
) -> Option<DeclaredLog> {
    let before = reader.error_count();
    let (allowed, hint): (&[&str], _) = match place {
        TablePlace::OfRoles => (&["roles", "files"], HINT),
        TablePlace::OfHost => (&["files"], HOST_HINT),
    };
    reader.only(table, allowed);
    let none =
        || DeclaredLog { name: key.value.to_owned(), roles: Vec::new(), files: Vec::new(), built_in: false };
    let mut log = was.unwrap_or_else(none);
    if place == TablePlace::OfHost {
        // It is this host's, whatever its roles are.
        log.roles.clear();
    }
    if place == TablePlace::OfRoles
        && let Some(names) = reader.strings(table, "roles", "write roles = [\"db\"]")
    {
        log.roles = names.iter().filter_map(|name| role_name(reader, name)).collect();
    }
    if let Some(texts) = reader.strings(table, "files", "write files = [\"/var/log/mysql/error.log\"]") {
        log.files = texts.iter().filter_map(|text| file(reader, text)).collect();
        log.built_in = false;
    }
    if reader.error_count() > before {
        return None;
    }
    let lacks = match place {
        _ if log.files.is_empty() => "no files",
        _ if log.files.len() > MOST => "more than 16 files",
        TablePlace::OfRoles if log.roles.is_empty() => "no roles",
        TablePlace::OfRoles | TablePlace::OfHost => return Some(log),
    };
    reader.error(key.span.clone(), format!("log {:?} has {lacks}", key.value), hint);
    None
}

fn file(reader: &mut Reader, text: &At<&str>) -> Option<String> {
    if is_log_path(text.value) {
        return Some(text.value.to_owned());
    }
    let help =
        "write the absolute path of one file, at most 400 characters, without * and control characters";
    reader.error(text.span.clone(), format!("{:?} is not the path of a log", text.value), help);
    None
}

/// Whether it can be the path of a log file: absolute, one file, on one line.
#[must_use]
pub fn is_log_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.ends_with('/')
        && path.len() <= LONGEST
        && !path.chars().any(|c| c.is_control() || c == '*')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::config::inventory::{Context, parse};

    /// Each host with the files of its logs.
    fn files(hosts: &str, more: &str) -> Vec<String> {
        let text = format!("user = 'ops'\n{more}\n[environments.a]\njump = 'local'\nhosts = {{ {hosts} }}\n");
        let fleet = parse("inventory.toml", &text, &Context::default()).unwrap();
        let hosts = fleet.environments.iter().flat_map(|env| &env.hosts);
        hosts
            .map(|host| {
                let files: Vec<&str> = host
                    .logs
                    .iter()
                    .filter(|log| log.is_on(&host.roles))
                    .flat_map(|log| log.files.iter().map(String::as_str))
                    .collect();
                format!("{}: {}", host.id.host, files.join(" "))
            })
            .collect()
    }

    #[test]
    fn files_are_named_by_role_and_by_host() {
        let own = "logs.mysql = { files = ['/data/mysql.err'] }\nlogs.bots = { roles = ['bots'], files = ['/srv/irc log'] }";
        assert_eq!(files("db1 = {}, bots = {}", own), ["db1: /data/mysql.err", "bots: /srv/irc log"]);
        assert_eq!(
            files("db1 = { logs = { mysql = false, app = { files = ['/a', '/b'] } } }", ""),
            ["db1: /a /b"]
        );
        assert_eq!(files("db1 = {}", "logs.mysql = false"), ["db1: "]);
    }

    #[test]
    fn a_log_is_one_file_with_an_absolute_path() {
        for wrong in [
            "files = ['log']",
            "files = ['/var/log/*']",
            "files = []",
            "files = [\"/a\\nb\"]",
            "files = ['/a/']",
        ] {
            let text = format!(
                "user = 'o'\nlogs.x = {{ roles = ['db'], {wrong} }}\n[environments.a]\njump = 'local'\nhosts.db1 = {{}}\n"
            );
            assert!(parse("inventory.toml", &text, &Context::default()).is_err(), "{wrong}");
        }
    }
}
