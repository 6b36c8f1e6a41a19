//! Tables of things that an inventory names, `NAME = { … }`, and whose names hosts of a role inherit: backups, checks.

use std::sync::Arc;

use toml::de::DeValue;

use crate::config::reader::{At, Reader, Table};

/// Where such a table is: one of a host speaks of that host alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TablePlace {
    OfRoles,
    OfHost,
}

/// Reads the table of one entry, of that name, over what it was.
pub(super) type ReadEntry<T> = fn(&mut Reader, &Table<'_>, &At<&str>, Option<T>, TablePlace) -> Option<T>;

/// One kind of such things.
pub(super) struct NamedTable<T: 'static> {
    /// The key of the table.
    pub(super) key: &'static str,
    /// What one is called.
    pub(super) entry: &'static str,
    /// How one is written.
    pub(super) hint: &'static str,
    /// How one is written in a host's own table.
    pub(super) host_hint: &'static str,
    /// Its whole name, of what the inventory calls it.
    pub(super) name_of: fn(&str) -> String,
    /// Its whole name.
    pub(super) name: fn(&T) -> &str,
    /// Takes what its table says over what it was.
    pub(super) read: ReadEntry<T>,
}

impl<T: Clone> NamedTable<T> {
    /// Takes what a table says over what is inherited, entry by entry; `NAME = false` drops one.
    pub(super) fn read_over(
        &self,
        reader: &mut Reader,
        table: &Table<'_>,
        mut all: Vec<T>,
        place: TablePlace,
    ) -> Vec<T> {
        let hint = match place {
            TablePlace::OfRoles => self.hint,
            TablePlace::OfHost => self.host_hint,
        };
        let table_hint =
            format!("write [{}] and lines such as {} below it", self.key, hint.trim_start_matches("write "));
        let Some(table) = reader.subtable(table, self.key, &table_hint) else { return all };
        for (key, value) in table.entries() {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if key.value.is_empty() || key.value.len() > 32 || !key.value.chars().all(plain) {
                let help = "use at most 32 lower-case letters, digits and -";
                let message = format!("{:?} cannot be the name of a {}", key.value, self.entry);
                reader.error(key.span.clone(), message, help);
                continue;
            }
            let name = (self.name_of)(key.value);
            let old = all.iter().position(|one| (self.name)(one) == name);
            if matches!(value.get_ref(), DeValue::Boolean(false)) {
                all.retain(|one| (self.name)(one) != name);
                continue;
            }
            let Some(entry) = reader.table(table.name_of(key.value), value, hint) else { continue };
            let was = old.and_then(|at| all.get(at).cloned());
            let Some(now) = (self.read)(reader, &entry, &key, was, place) else { continue };
            match old.and_then(|at| all.get_mut(at)) {
                Some(old) => *old = now,
                None => all.push(now),
            }
        }
        all
    }

    /// Those of a host: of its roles, and what its own table says.
    pub(super) fn of_host(
        &self,
        reader: &mut Reader,
        table: &Table<'_>,
        of_roles: Vec<Arc<T>>,
    ) -> Vec<Arc<T>> {
        if table.get(self.key).is_none() {
            return of_roles;
        }
        let all = of_roles.iter().map(|one| one.as_ref().clone()).collect();
        self.read_over(reader, table, all, TablePlace::OfHost).into_iter().map(Arc::new).collect()
    }
}
