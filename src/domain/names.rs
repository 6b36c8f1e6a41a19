//! Names with a meaning of their own, so that a host is never handed where a role is wanted.

use std::fmt;
use std::sync::Arc;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?} {why}")]
pub struct NameError {
    what: &'static str,
    value: String,
    why: &'static str,
}

/// Letters, digits, `-`, `_` and `.`, not starting with `-` or `.`, at most 253 characters: what a host name
/// may be (RFC 1123), with the underscore that real fleets use. Nothing that a shell or a screen could misread.
fn validate(what: &'static str, value: &str) -> Result<(), NameError> {
    let why = if value.is_empty() {
        "is empty"
    } else if value.len() > 253 {
        "is longer than 253 characters"
    } else if value.starts_with(['-', '.']) {
        "starts with '-' or '.'"
    } else if !value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        "holds something other than letters, digits, '-', '_' and '.'"
    } else {
        return Ok(());
    };
    Err(NameError { what, value: value.to_owned(), why })
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and takes a name.
            ///
            /// # Errors
            /// When it is empty, too long, or holds a character that no such name may have.
            pub fn new(value: &str) -> Result<Self, NameError> {
                validate($what, value)?;
                Ok(Self(Arc::from(value)))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

name!(
    /// An environment of the inventory: `production`, `staging`, …
    EnvName,
    "environment name"
);
name!(
    /// A host's short name in its environment: `db1-masterdb`.
    HostName,
    "host name"
);
name!(
    /// A role: `db`, `masterdb`, `memcache`, …
    RoleName,
    "role name"
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
