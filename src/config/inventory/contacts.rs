//! `contacts`: whom to call, what to read and which runbook to open, for an environment, its roles and its services.

use std::collections::BTreeSet;

use toml::de::DeValue;

use super::role::role_name;
use crate::config::diagnostic::{Diagnostic, nearest};
use crate::config::reader::{At, Reader, Table};
use jumpdeck_fleet::backup::{DeclaredBackup, default_backups};
use jumpdeck_fleet::check::DeclaredCheck;
use jumpdeck_fleet::contact::{Contact, Contacts};
use jumpdeck_fleet::declared::{PROBED_SERVICES, default_services};
use jumpdeck_fleet::fleet::{Fleet, default_requirements};
use jumpdeck_fleet::outside::SiteUrl;
use jumpdeck_fleet::text::Clean;

const FIELDS: [&str; 3] = ["owner", "docs", "runbook"];
const HINT: &str =
    "write [contacts] and owner = \"Operations, +1 555 0100\", and tables roles and services below it";
const ENTRY_HINT: &str = "write db = { owner = \"Database team, +1 555 0100\", docs = \"https://www.example.org/db\", runbook = \"replace-vm\" }";
const OWNER_HINT: &str = "write whom to call in one line: owner = \"Database team, +1 555 0100\"";
const DOCS_HINT: &str = "write docs = \"https://www.example.org/db\"; encode other characters as %XX";
const RUNBOOK_HINT: &str = "write runbook = \"replace-vm\"; `jumpdeck runbook list` shows the names";
const LONGEST_OWNER: usize = 120;
/// As many as two lines of a narrow terminal show in full.
const LONGEST_DOCS: usize = 200;
const LONGEST_RUNBOOK: usize = 64;

/// Takes what a table says over what is inherited, entry by entry and field by field; `NAME = false` drops an entry.
pub(super) fn read(reader: &mut Reader, table: &Table<'_>, inherited: Contacts) -> Contacts {
    let mut all = inherited;
    let Some(table) = reader.subtable(table, "contacts", HINT) else { return all };
    reader.only(&table, &[&FIELDS[..], &["roles", "services"]].concat());
    all.environment = contact(reader, &table, all.environment);
    if let Some(table) = reader.subtable(&table, "roles", ENTRY_HINT) {
        entries(reader, &table, &mut all.roles, role_name);
    }
    if let Some(table) = reader.subtable(&table, "services", ENTRY_HINT) {
        entries(reader, &table, &mut all.services, |_, name| Some(name.value.to_owned()));
    }
    all
}

fn entries<K: PartialEq>(
    reader: &mut Reader,
    table: &Table<'_>,
    all: &mut Vec<(K, Contact)>,
    key: fn(&mut Reader, &At<&str>) -> Option<K>,
) {
    for (name, value) in table.entries() {
        let Some(key) = key(reader, &name) else { continue };
        let was = all.iter().position(|(known, _)| *known == key).map(|at| all.remove(at).1);
        if matches!(value.get_ref(), DeValue::Boolean(false)) {
            continue;
        }
        let Some(entry) = reader.table(table.name_of(name.value), value, ENTRY_HINT) else { continue };
        reader.only(&entry, &FIELDS);
        all.push((key, contact(reader, &entry, was.unwrap_or_default())));
    }
}

fn contact(reader: &mut Reader, table: &Table<'_>, was: Contact) -> Contact {
    Contact {
        owner: text(reader, table, "owner", OWNER_HINT, is_owner).or(was.owner),
        docs: text(reader, table, "docs", DOCS_HINT, is_link).or(was.docs),
        runbook: text(reader, table, "runbook", RUNBOOK_HINT, is_runbook).or(was.runbook),
    }
}

fn text(
    reader: &mut Reader,
    table: &Table<'_>,
    key: &str,
    hint: &str,
    fits: fn(&str) -> bool,
) -> Option<String> {
    let text = reader.string(table, key, hint)?;
    if fits(text.value) {
        return Some(text.value.to_owned());
    }
    reader.error(text.span, format!("{} cannot be {:?}", table.name_of(key), text.value), hint);
    None
}

/// One printable line, as it is shown.
fn is_owner(text: &str) -> bool {
    (1..=LONGEST_OWNER).contains(&text.chars().count())
        && text.trim() == text
        && Clean::new(text).as_str() == text
}

/// An address of the web without account and password, of the characters that RFC 3986 allows: every terminal shows it as it is.
fn is_link(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    text.len() <= LONGEST_DOCS && text.bytes().all(allowed) && SiteUrl::parse(text).is_some()
}

fn is_runbook(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=LONGEST_RUNBOOK).contains(&text.len()) && text.chars().all(plain)
}

/// Notes each role of `contacts` that no host can have, and each service that no problem can be about: a name that is mistyped would
/// never be found. Where the file has other mistakes, roles and services may be missing because of them.
pub(super) fn check_names(reader: &mut Reader, root: &Table<'_>, fleet: &Fleet) {
    if reader.error_count() > 0 {
        return;
    }
    let places = places(reader, root);
    let known = [
        ("role", "roles", known_roles(fleet)),
        ("service", "services", known_services(reader, &places, fleet)),
    ];
    for table in &places {
        let Some(contacts) = reader.subtable(table, "contacts", HINT) else { continue };
        for (what, key, known) in &known {
            let Some(entries) = reader.subtable(&contacts, key, ENTRY_HINT) else { continue };
            for (name, _) in entries.entries().iter().filter(|(name, _)| !known.contains(name.value)) {
                let help = match nearest(name.value, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean {near:?}?"),
                    None => format!("known are {}", known.iter().cloned().collect::<Vec<_>>().join(", ")),
                };
                reader.error(name.span.clone(), format!("unknown {what} {:?}", name.value), help);
            }
        }
    }
}

/// Every role that a host has, that an environment requires, or that something built in is for.
fn known_roles(fleet: &Fleet) -> BTreeSet<String> {
    let hosts = fleet.environments.iter().flat_map(|env| &env.hosts).flat_map(|host| host.roles.clone());
    let required = fleet.environments.iter().flat_map(|env| &env.requirements).map(|one| one.role.clone());
    let built_in = default_services().into_iter().flat_map(|service| service.roles);
    let standard = default_requirements().into_iter().map(|one| one.role);
    hosts.chain(required).chain(built_in).chain(standard).map(|role| role.to_string()).collect()
}

/// The name that something has in problems, of its key in the inventory.
type WholeName = fn(&str) -> String;

/// Every service that a problem can be about, by the name that it has there.
fn known_services(reader: &mut Reader, places: &[Table<'_>], fleet: &Fleet) -> BTreeSet<String> {
    let built_in = default_services().into_iter().map(|service| service.name);
    let backups = default_backups().into_iter().map(|backup| backup.name);
    let probed = PROBED_SERVICES.iter().map(|&name| name.to_owned());
    let mut known: BTreeSet<String> = built_in.chain(backups).chain(probed).collect();
    let name_of: [(&str, WholeName); 3] = [
        ("services", str::to_owned),
        ("backups", DeclaredBackup::name_of),
        ("checks", DeclaredCheck::name_of),
    ];
    for table in places {
        for (key, name_of) in name_of {
            let entries = reader.subtable(table, key, HINT).map(|table| table.entries()).unwrap_or_default();
            known.extend(entries.iter().map(|(name, _)| name_of(name.value)));
        }
    }
    for env in &fleet.environments {
        known.extend(env.outside.checks.iter().map(|check| check.key().to_owned()));
        for host in &env.hosts {
            known.extend(host.backups.iter().map(|backup| backup.name.clone()));
            known.extend(host.checks.iter().map(|check| check.name.clone()));
        }
    }
    known
}

/// The tables that may hold `contacts`: the whole file, and each environment.
fn places<'t>(reader: &mut Reader, root: &Table<'t>) -> Vec<Table<'t>> {
    let mut places = vec![root.clone()];
    if let Some(all) = reader.subtable(root, "environments", HINT) {
        for (name, value) in all.entries() {
            places.extend(reader.table(all.name_of(name.value), value, HINT));
        }
    }
    places
}

/// Each runbook of `contacts` that is not among these names, in a file that [`super::parse`] found sound. The console and `status`
/// read an inventory without it: a runbook that is missing on one operator's machine must not keep them from their fleet.
#[must_use]
pub fn unknown_runbooks(file_name: &str, text: &str, known: &[String]) -> Vec<Diagnostic> {
    let mut reader = Reader::new(file_name, text);
    let root = reader.parse(text);
    if let Some(root) = &root {
        let root = reader.root(root);
        for table in places(&mut reader, &root) {
            let Some(contacts) = reader.subtable(&table, "contacts", HINT) else { continue };
            check_runbook(&mut reader, &contacts, known);
            for key in ["roles", "services"] {
                let Some(group) = reader.subtable(&contacts, key, ENTRY_HINT) else { continue };
                for (name, value) in group.entries() {
                    if matches!(value.get_ref(), DeValue::Table(_))
                        && let Some(entry) = reader.table(group.name_of(name.value), value, ENTRY_HINT)
                    {
                        check_runbook(&mut reader, &entry, known);
                    }
                }
            }
        }
    }
    reader.finish(None::<()>).err().unwrap_or_default()
}

fn check_runbook(reader: &mut Reader, table: &Table<'_>, known: &[String]) {
    let Some(name) = reader.string(table, "runbook", RUNBOOK_HINT) else { return };
    if known.iter().any(|known| known == name.value) {
        return;
    }
    let help = match nearest(name.value, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near:?}?"),
        None => RUNBOOK_HINT.to_owned(),
    };
    reader.error(name.span, format!("unknown runbook {:?}", name.value), help);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::config::inventory::{Context, parse};

    const TEXT: &str = "user = \"ops\"\n[contacts]\nowner = \"Operations\"\ndocs = \"https://docs.example.org/a?b=c#d\"\n\
        [contacts.roles]\ndb = { owner = \"Database team\", runbook = \"replace-vm\" }\nmail = { owner = \"Mail team\" }\n\
        [contacts.services]\nredis = { owner = \"Sessions\" }\n\
        [environments.a]\njump = \"local\"\nhosts.db1 = {}\n\
        [environments.b]\njump = \"local\"\nhosts.db1 = {}\n\
        [environments.b.contacts]\ndocs = \"http://b.example.org\"\nroles.mail = false\nroles.db = { docs = \"https://db.b.example.org/\" }\n\
        services.redis = { runbook = \"redis\" }\n";

    fn texts(contact: &Contact) -> [&str; 3] {
        let text = |field: &Option<String>| field.clone().map_or("", |text| text.leak());
        [text(&contact.owner), text(&contact.docs), text(&contact.runbook)]
    }

    #[test]
    fn an_environment_changes_what_it_names_and_keeps_the_rest() {
        let fleet = parse("inventory.toml", TEXT, &Context::default()).unwrap();
        let [a, b] = [0, 1].map(|at| &fleet.environments[at].contacts);
        assert_eq!(texts(&a.environment), ["Operations", "https://docs.example.org/a?b=c#d", ""]);
        assert_eq!(texts(&b.environment), ["Operations", "http://b.example.org", ""]);
        let roles =
            |contacts: &Contacts| contacts.roles.iter().map(|(role, _)| role.to_string()).collect::<Vec<_>>();
        assert_eq!((roles(a), roles(b)), (vec!["db".to_owned(), "mail".to_owned()], vec!["db".to_owned()]));
        assert_eq!(texts(&b.roles[0].1), ["Database team", "https://db.b.example.org/", "replace-vm"]);
        assert_eq!(texts(&b.services[0].1), ["Sessions", "", "redis"]);
        assert_eq!(texts(&a.services[0].1), ["Sessions", "", ""]);
    }

    #[test]
    fn an_address_is_shown_as_it_is_or_refused() {
        for good in
            ["https://a.example", "http://a.example:8080/x?y=z&w=%C3%BC#part(1)", "HTTPS://A.EXAMPLE/"]
        {
            assert!(is_link(good), "{good}");
        }
        let long = format!("https://a.example/{}", "x".repeat(LONGEST_DOCS));
        for bad in [
            "",
            "a.example",
            "ftp://a.example/",
            "https://",
            "https://a b/",
            "https://a/|x",
            "https://a/\u{202e}x",
            "https://a/\"",
            &long,
        ] {
            assert!(!is_link(bad), "{bad}");
        }
        assert!(is_owner("Ünï, +1 555 0100") && !is_owner("a\u{202e}b") && !is_owner("a\tb"));
        assert!(is_owner(&"x".repeat(LONGEST_OWNER)) && !is_owner(&"x".repeat(LONGEST_OWNER + 1)));
    }
}
