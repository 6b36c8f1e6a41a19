//! Ids with a meaning of their own: a step's, a run's. Pure.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use jumpdeck_fleet::names::{NameRule, name};

name!(
    /// A step of a plan: `freeze`, and in a batch of a `for_each` `repoint[1/2]/start`.
    StepId,
    NameRule {
        what: "step id",
        longest: 1000,
        more: &['-', '_', '.', '/', '[', ']', '?'],
        not_first: &['-', '_', '.', '/', '[', ']', '?'],
    }
);
name!(
    /// A run: `20261121-134502-promote-masterdb-a3f1`. The name of its journal, and a part of names on its hosts: nothing
    /// that a shell or a file system could misread.
    RunId,
    NameRule { what: "run id", longest: 200, more: &['-', '_', '.'], not_first: &['-', '_', '.'] }
);

/// What the journal needs of an id: its text, checked when it is read.
macro_rules! journaled {
    ($name:ident) => {
        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
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

journaled!(StepId);
journaled!(RunId);

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
