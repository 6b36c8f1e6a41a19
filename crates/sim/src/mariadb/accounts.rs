//! Accounts of a database server and what they may do. The privileges' words are those of `SHOW GRANTS`.

use std::collections::{BTreeMap, BTreeSet};

use super::data::{Effect, ServerError};
use super::version::Version;

/// Privileges that MariaDB and MySQL have had since 5.1.
static OLD: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "RELOAD",
    "SHUTDOWN",
    "PROCESS",
    "FILE",
    "REFERENCES",
    "INDEX",
    "ALTER",
    "SHOW DATABASES",
    "SUPER",
    "CREATE TEMPORARY TABLES",
    "LOCK TABLES",
    "EXECUTE",
    "REPLICATION SLAVE",
    "REPLICATION CLIENT",
    "CREATE VIEW",
    "SHOW VIEW",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "CREATE USER",
    "EVENT",
    "TRIGGER",
    "CREATE TABLESPACE",
];

/// Privileges since MariaDB 10.5 (`SHOW PRIVILEGES` of 10.11).
static NEW: &[&str] = &[
    "DELETE HISTORY",
    "SET USER",
    "FEDERATED ADMIN",
    "CONNECTION ADMIN",
    "READ_ONLY ADMIN",
    "REPLICATION SLAVE ADMIN",
    "REPLICATION MASTER ADMIN",
    "BINLOG ADMIN",
    "BINLOG REPLAY",
    "SLAVE MONITOR",
];

/// Those that a single database's grant may hold.
static OF_A_DATABASE: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "REFERENCES",
    "INDEX",
    "ALTER",
    "CREATE TEMPORARY TABLES",
    "LOCK TABLES",
    "EXECUTE",
    "CREATE VIEW",
    "SHOW VIEW",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "EVENT",
    "TRIGGER",
];

/// Every global privilege of a version, in the order of `information_schema.user_privileges`.
#[must_use]
pub fn global_privileges(version: &Version) -> Vec<&'static str> {
    let newer = version.mariadb_from(10, 5);
    let renamed = |word: &&'static str| match *word {
        "REPLICATION CLIENT" if newer => "BINLOG MONITOR",
        other => other,
    };
    let old: Vec<&'static str> = OLD.iter().map(renamed).collect();
    let new = NEW.iter().copied().filter(|_| newer);
    old.into_iter().chain(new).collect()
}

/// What a grant may say of one database.
#[must_use]
pub fn database_privileges() -> &'static [&'static str] {
    OF_A_DATABASE
}

/// What is granted, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The privileges' words, in capitals.
    pub privileges: BTreeSet<String>,
    /// A database; `None` for all of them.
    pub database: Option<String>,
    /// `WITH GRANT OPTION`.
    pub option: bool,
    /// `REQUIRE SSL` (or `NONE`), where the statement says so.
    pub tls: Option<bool>,
}

/// An account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// User.
    pub user: String,
    /// Host, with `%` and `_` for anything.
    pub host: String,
    /// Password; `None` lets in without.
    pub password: Option<String>,
    /// `REQUIRE SSL`.
    pub tls: bool,
    /// Privileges on everything.
    pub global: BTreeSet<String>,
    /// Whether it may pass them on.
    pub option: bool,
    /// Privileges on databases.
    pub databases: BTreeMap<String, BTreeSet<String>>,
}

impl Account {
    /// An account that may do everything.
    #[must_use]
    pub fn all_powerful(user: &str, host: &str, version: &Version) -> Self {
        Self {
            user: user.to_owned(),
            host: host.to_owned(),
            global: global_privileges(version).into_iter().map(str::to_owned).collect(),
            option: true,
            ..Self::default()
        }
    }

    /// Whether it has a privilege on everything.
    #[must_use]
    pub fn has(&self, privilege: &str) -> bool {
        self.global.contains(privilege)
    }

    /// Whether it has a privilege on a database.
    #[must_use]
    pub fn has_on(&self, database: &str, privilege: &str) -> bool {
        let on = |(pattern, held): (&String, &BTreeSet<String>)| {
            matches_host(database, pattern) && held.contains(privilege)
        };
        self.has(privilege) || self.databases.iter().any(on)
    }

    /// Whether it writes while `read_only` is on. Since 10.11 SUPER alone does not (seen on 10.11.19).
    #[must_use]
    pub fn writes_through_read_only(&self, version: &Version) -> bool {
        self.has("READ_ONLY ADMIN") || self.has("SUPER") && !version.mariadb_from(10, 11)
    }
}

/// Every account of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts(Vec<Account>);

impl Accounts {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.0.iter()
    }

    /// One, by its exact name.
    #[must_use]
    pub fn get(&self, user: &str, host: &str) -> Option<&Account> {
        self.0.iter().find(|a| a.user == user && a.host == host)
    }

    /// The account that somebody who comes from a host becomes: the most specific host first.
    #[must_use]
    pub fn matching(&self, user: &str, from: &str) -> Option<&Account> {
        let fits = |a: &&Account| a.user == user && matches_host(from, &a.host);
        self.0.iter().filter(fits).max_by_key(|a| a.host.chars().take_while(|c| !"%_".contains(*c)).count())
    }

    /// Puts an account in, in place of one of that name.
    pub fn put(&mut self, account: Account) {
        self.0.retain(|a| (&a.user, &a.host) != (&account.user, &account.host));
        self.0.push(account);
    }

    /// Takes one out.
    pub fn remove(&mut self, user: &str, host: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|a| a.user != user || a.host != host);
        self.0.len() < before
    }

    pub(super) fn apply(&mut self, effect: &Effect) -> Result<(), ServerError> {
        let failed = |what: &str, user: &str, host: &str| {
            ServerError::new(1396, "HY000", format!("Operation {what} failed for '{user}'@'{host}'"))
        };
        match effect {
            Effect::CreateUser(account) => {
                if self.get(&account.user, &account.host).is_some() {
                    return Err(failed("CREATE USER", &account.user, &account.host));
                }
                self.put(account.clone());
            }
            Effect::DropUser { user, host } if !self.remove(user, host) => {
                return Err(failed("DROP USER", user, host));
            }
            Effect::AlterUser(account) => {
                if self.get(&account.user, &account.host).is_none() {
                    return Err(failed("ALTER USER", &account.user, &account.host));
                }
                self.put(account.clone());
            }
            Effect::Grant { user, host, grant } => {
                let Some(account) = self.0.iter_mut().find(|a| &a.user == user && &a.host == host) else {
                    let message = "Can't find any matching row in the user table";
                    return Err(ServerError::new(1133, "28000", message));
                };
                let held = match &grant.database {
                    None => &mut account.global,
                    Some(name) => account.databases.entry(name.clone()).or_default(),
                };
                held.extend(grant.privileges.iter().cloned());
                account.option |= grant.option;
                account.tls = grant.tls.unwrap_or(account.tls);
            }
            Effect::Revoke { user, host, grant } => {
                let Some(account) = self.0.iter_mut().find(|a| &a.user == user && &a.host == host) else {
                    let message =
                        format!("There is no such grant defined for user '{user}' on host '{host}'");
                    return Err(ServerError::new(1141, "42000", message));
                };
                match &grant.database {
                    None => account.global.retain(|p| !grant.privileges.contains(p)),
                    Some(name) => {
                        if let Some(held) = account.databases.get_mut(name) {
                            held.retain(|p| !grant.privileges.contains(p));
                        }
                    }
                }
                account.databases.retain(|_, held| !held.is_empty());
                account.option &= !grant.option;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether a host, an address or a database's name fits a pattern with `%` and `_`, which a backslash makes plain.
pub(crate) fn matches_host(text: &str, pattern: &str) -> bool {
    fn fits(text: &[char], pattern: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => {
                (0..=text.len()).any(|skip| fits(text.get(skip..).unwrap_or_default(), rest))
            }
            Some(('\\', [plain, rest @ ..])) => {
                text.split_first().is_some_and(|(have, more)| have == plain && fits(more, rest))
            }
            Some((want, rest)) => text
                .split_first()
                .is_some_and(|(have, more)| (*want == '_' || have == want) && fits(more, rest)),
        }
    }
    let chars = |text: &str| text.to_lowercase().chars().collect::<Vec<char>>();
    fits(&chars(text), &chars(pattern))
}

#[cfg(test)]
mod tests {
    use super::matches_host;

    #[test]
    fn an_underscore_stands_for_any_letter_unless_a_backslash_makes_it_plain() {
        assert!(matches_host("wiki_restore", "wiki_restore") && matches_host("wiki1restore", "wiki_restore"));
        assert!(
            matches_host("wiki_restore", r"wiki\_restore") && !matches_host("wiki1restore", r"wiki\_restore")
        );
        assert!(matches_host("10.20.20.13", "10.20.%") && !matches_host("10.21.20.13", r"10.20.\%"));
    }
}
