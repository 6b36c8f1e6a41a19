//! Ids with a meaning of their own: a step's, a run's. Pure.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why an id was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?} {why}")]
pub struct IdError {
    what: &'static str,
    value: String,
    why: &'static str,
}

/// What an id may be.
struct Rule {
    /// What it is called.
    what: &'static str,
    /// Bytes, at most.
    longest: usize,
    /// Besides ASCII letters and digits; it begins with one of those.
    more: &'static str,
}

impl Rule {
    fn check(&self, value: &str) -> Result<(), IdError> {
        let why = if value.is_empty() {
            "is empty"
        } else if value.len() > self.longest {
            "is too long"
        } else if !value.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            "begins with something other than a letter or a digit"
        } else if !value.chars().all(|c| c.is_ascii_alphanumeric() || self.more.contains(c)) {
            "has a character that no such id may have"
        } else {
            return Ok(());
        };
        Err(IdError { what: self.what, value: value.to_owned(), why })
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $rule:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and takes an id.
            ///
            /// # Errors
            /// When it is empty, too long, or has a character that no such id may have.
            pub fn new(value: &str) -> Result<Self, IdError> {
                $rule.check(value)?;
                Ok(Self(Arc::from(value)))
            }

            /// The id as text.
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

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = String::deserialize(deserializer)?;
                Self::new(&value).map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// A step of a plan: `freeze`, and in a batch of a `for_each` `repoint[1/2]/start`.
    StepId,
    Rule { what: "step id", longest: 1000, more: "-_./[]?" }
);
id!(
    /// A run: `20261121-134502-promote-masterdb-a3f1`. The name of its journal, and a part of names on its hosts: nothing
    /// that a shell or a file system could misread.
    RunId,
    Rule { what: "run id", longest: 200, more: "-_." }
);

impl RunId {
    /// Stands for the id of a run that has not begun, where its commands are shown before.
    #[must_use]
    pub fn to_come() -> Self {
        Self(Arc::from("RUN"))
    }
}

impl StepId {
    /// The batch around it, with its slash: `repoint[1/2]/` of `repoint[1/2]/start`; empty outside of batches.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.0.rfind('/').and_then(|at| self.0.get(..=at)).unwrap_or_default()
    }

    /// The step's own id in its batch: `start` of `repoint[1/2]/start`.
    #[must_use]
    pub fn last(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_refuse_what_a_shell_or_a_file_system_could_misread() {
        for bad in ["", "..", "../x", "a/b", "-x", ".x", "a b", "a\nb", "a;b", "$(x)", "ä"] {
            assert!(RunId::new(bad).is_err(), "{bad:?}");
        }
        assert!(RunId::new(&"a".repeat(201)).is_err());
        assert!(RunId::new("20261121-134502-promote-masterdb-a3f1").is_ok());
        for bad in ["", "a b", "a\nb", "a;b", "••••••", "/x"] {
            assert!(StepId::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_step_in_a_batch_knows_its_batch() {
        let last = |id| StepId::new(id).map(|id| (id.prefix().to_owned(), id.last().to_owned()));
        assert_eq!(last("repoint[1/2]/start"), Ok(("repoint[1/2]/".to_owned(), "start".to_owned())));
        assert_eq!(last("freeze"), Ok((String::new(), "freeze".to_owned())));
    }
}
