//! Names with a meaning of their own, so that a host is never handed where a role is wanted.

use std::fmt;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?} {why}")]
pub struct NameError {
    what: &'static str,
    value: String,
    why: String,
}

/// What a name may be: ASCII letters and digits, and nothing that a shell, a file system or a screen could misread.
#[derive(Debug)]
pub struct NameRule {
    /// What it is called.
    pub what: &'static str,
    /// Characters, at most.
    pub longest: usize,
    /// What it may hold besides letters and digits.
    pub more: &'static [char],
    /// Those of them that it may not start with.
    pub not_first: &'static [char],
}

impl NameRule {
    /// # Errors
    /// What the value has that no such name may have.
    pub fn check(&self, value: &str) -> Result<(), NameError> {
        let quoted = |chars: &[char]| chars.iter().map(|c| format!("'{c}'")).collect::<Vec<_>>();
        let why = if value.is_empty() {
            "is empty".to_owned()
        } else if value.len() > self.longest {
            format!("is longer than {} characters", self.longest)
        } else if value.starts_with(self.not_first) {
            format!("starts with {}", quoted(self.not_first).join(" or "))
        } else if !value.chars().all(|c| c.is_ascii_alphanumeric() || self.more.contains(&c)) {
            let (more, last) = (quoted(self.more), self.more.last().map(|c| format!(" and '{c}'")));
            let before = more.get(..more.len().saturating_sub(1)).unwrap_or_default().join(", ");
            format!("holds something other than letters, digits, {before}{}", last.unwrap_or_default())
        } else {
            return Ok(());
        };
        Err(NameError { what: self.what, value: value.to_owned(), why })
    }
}

/// Makes a type of its own for a name, which is checked when it is made.
#[macro_export]
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $rule:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Checks and takes a name.
            ///
            /// # Errors
            /// When it is empty, too long, or holds a character that no such name may have.
            pub fn new(value: &str) -> Result<Self, $crate::names::NameError> {
                $rule.check(value)?;
                Ok(Self(std::sync::Arc::from(value)))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{:?}", &self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

pub use name;

/// What names of the inventory may be: a host name (RFC 1123), with the underscore that real fleets use.
const fn of_inventory(what: &'static str) -> NameRule {
    NameRule { what, longest: 253, more: &['-', '_', '.'], not_first: &['-', '.'] }
}

name!(
    /// An environment of the inventory: `production`, `staging`, …
    EnvName,
    of_inventory("environment name")
);
name!(
    /// A host's short name in its environment: `db1-masterdb`.
    HostName,
    of_inventory("host name")
);
name!(
    /// A role: `db`, `masterdb`, `memcache`, …
    RoleName,
    of_inventory("role name")
);

/// A host in its environment: two environments may each have an `app1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId {
    /// The environment it belongs to.
    pub env: EnvName,
    /// Its name there.
    pub host: HostName,
}

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.env, self.host)
    }
}

/// The roles a host name tells: drop every digit, split on `-` (`db1-masterdb` → `db`, `masterdb`).
///
/// The WebPlatform convention; `redis-alpha1` → `redis`, `alpha`. Empty parts (`1-db`) are dropped.
#[must_use]
pub fn roles_from_host_name(host: &str) -> Vec<RoleName> {
    let mut roles: Vec<RoleName> = Vec::new();
    let short = host.split('.').next().unwrap_or(host);
    let without_digits: String = short.chars().filter(|c| !c.is_ascii_digit()).collect();
    for part in without_digits.split('-') {
        if let Ok(role) = RoleName::new(part)
            && !roles.contains(&role)
        {
            roles.push(role);
        }
    }
    roles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(host: &str) -> Vec<String> {
        roles_from_host_name(host).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn roles_come_from_the_host_name() {
        assert_eq!(roles("db1-masterdb"), ["db", "masterdb"]);
        assert_eq!(roles("app1-jobrunner"), ["app", "jobrunner"]);
        assert_eq!(roles("redis-alpha1"), ["redis", "alpha"]);
        assert_eq!(roles("salt.production.wpdn"), ["salt"]);
        assert_eq!(roles("app1-app2"), ["app"]);
        assert_eq!(roles("42"), Vec::<String>::new());
    }

    #[test]
    fn names_refuse_what_a_shell_or_a_screen_could_misread() {
        for bad in ["", "-n", ".ssh", "a b", "a;b", "a\nb", "a\u{202e}b", "ä"] {
            assert!(HostName::new(bad).is_err(), "{bad:?}");
        }
        assert!(HostName::new("db1-masterdb").is_ok());
        assert!(HostName::new(&"a".repeat(254)).is_err());
    }
}
