//! `salt` and `database_files`: what writes the hosts' files, and which of them name the database server.

use std::sync::Arc;

use super::role::role_name;
use crate::config::reader::{At, Reader, Table};
use jumpdeck_fleet::fleet::{ADDRESS, DatabaseFile, FILE, Host, Management, database_files_of_salt};

const KEYS: [&str; 5] = ["role", "file", "line", "reload", "check"];
const HINT: &str = "write database_files = [{ role = \"app\", file = \"/etc/webplatform/db.ini\", line = \"host = {address}\", \
                    reload = \"systemctl reload apache2\" }]";
const LINE_HINT: &str = "write the part of the line that names the server, with {address} in place of its address: line = \
                         \"host = {address}\"";
const CHECK_HINT: &str = "write a command that exits with 0 when the file is valid, with {file} in place of its path: check = \
                          \"haproxy -c -f {file}\"";

/// What an environment's table says, and which files name the database server: with Salt they are only looked at.
pub(super) fn read(
    reader: &mut Reader,
    table: &Table<'_>,
    hosts: &[Arc<Host>],
) -> (Management, Vec<DatabaseFile>) {
    let salt = reader.boolean(table, "salt").unwrap_or(true);
    let listed = reader.list(table, "database_files", HINT);
    if salt && listed.is_none() {
        return (Management::Salt, database_files_of_salt());
    }
    let mut database_files: Vec<DatabaseFile> = Vec::new();
    for value in listed.unwrap_or_default() {
        let Some(entry) = reader.table(table.name_of("database_files"), value, HINT) else { continue };
        reader.only(&entry, &KEYS);
        for key in ["reload", "check"].into_iter().filter(|_| salt) {
            let Some(value) = entry.get(key) else { continue };
            let message = format!("{key} is only for environments without Salt (salt = false)");
            let help = "without Salt write salt = false; with Salt remove this: its states change the file, and jumpdeck only reads it";
            reader.error(value.span(), message, help);
        }
        if let Some(file) = database_file(reader, &entry, hosts) {
            if database_files.contains(&file) {
                reader.error(
                    entry.span.clone(),
                    format!("{} appears twice", file.file),
                    "remove one of the two",
                );
            }
            database_files.push(file);
        }
    }
    if salt {
        return (Management::Salt, database_files);
    }
    (Management::Ssh { database_files: database_files.clone() }, database_files)
}

fn database_file(reader: &mut Reader, entry: &Table<'_>, hosts: &[Arc<Host>]) -> Option<DatabaseFile> {
    let role = needed(reader, entry, "role");
    let file = needed(reader, entry, "file");
    let line = needed(reader, entry, "line");
    let reload = one_line(reader, entry, "reload");
    let check = one_line(reader, entry, "check");
    if let Some(role) = &role
        && !hosts.iter().any(|host| host.has_role(role.value))
    {
        let message = format!("no host of this environment has the role {:?}", role.value);
        reader.error(role.span.clone(), message, "write a role of the hosts that have this file");
    }
    if let Some(file) = &file
        && (!file.value.starts_with('/') || file.value.ends_with('/'))
    {
        let message = format!("{:?} is not an absolute path of a file", file.value);
        reader.error(
            file.span.clone(),
            message,
            "write the absolute path: file = \"/etc/webplatform/db.ini\"",
        );
    }
    if let Some(line) = &line
        && line.value.matches(ADDRESS).count() != 1
    {
        let message = format!("{:?} must contain {{address}} exactly once", line.value);
        reader.error(line.span.clone(), message, LINE_HINT);
    }
    if let Some(check) = &check
        && check.value.matches(FILE).count() != 1
    {
        let message = format!("{:?} must contain {{file}} exactly once", check.value);
        reader.error(check.span.clone(), message, CHECK_HINT);
    }
    Some(DatabaseFile {
        role: role_name(reader, &role?)?,
        file: file?.value.to_owned(),
        line: line?.value.to_owned(),
        reload: reload.map(|reload| reload.value.to_owned()),
        check: check.map(|check| check.value.to_owned()),
        built_in: false,
    })
}

fn needed<'t>(reader: &mut Reader, entry: &Table<'t>, key: &str) -> Option<At<&'t str>> {
    if entry.get(key).is_none() {
        reader.error(entry.span.clone(), format!("{key} is missing in database_files"), HINT);
    }
    one_line(reader, entry, key)
}

/// Text that a script reads as one line: no white space at its ends, which would be lost there.
fn one_line<'t>(reader: &mut Reader, entry: &Table<'t>, key: &str) -> Option<At<&'t str>> {
    let text = reader.string(entry, key, HINT)?;
    if text.value.is_empty() || text.value.trim() != text.value || text.value.chars().any(char::is_control) {
        let message = format!("{} must be one line without spaces at its start or end", entry.name_of(key));
        reader.error(text.span.clone(), message, HINT);
        return None;
    }
    Some(text)
}
