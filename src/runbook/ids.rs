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

/// What no id is longer than.
const LONGEST: usize = 1000;

fn validate(what: &'static str, value: &str, fits: impl Fn(char) -> bool) -> Result<(), IdError> {
    let why = if value.is_empty() {
        "is empty"
    } else if value.len() > LONGEST {
        "is longer than 1000 characters"
    } else if !value.chars().all(fits) {
        "has a character that no such id may have"
    } else {
        return Ok(());
    };
    Err(IdError { what, value: value.to_owned(), why })
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $fits:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and takes an id.
            ///
            /// # Errors
            /// When it is empty, too long, or has a character that no such id may have.
            pub fn new(value: &str) -> Result<Self, IdError> {
                validate($what, value, $fits)?;
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
    "step id",
    |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '[' | ']' | '.' | '?')
);

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
