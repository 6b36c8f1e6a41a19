//! Hosts by the words of an input: `all`, a role, a host's name, or several of these joined by `+`. Pure.

use std::collections::BTreeMap;

use super::PlanError;
use crate::runbook::definition::{RoleOf, Runbook, Select};
use crate::runbook::value::Value;
use jumpdeck_fleet::fleet::{Environment, Host};

/// The word for every host.
const ALL: &str = "all";

/// Whether the words mean this host.
pub(super) fn is(host: &Host, words: &str) -> bool {
    words.split('+').any(|word| one(host, word))
}

fn one(host: &Host, word: &str) -> bool {
    word == ALL || host.has_role(word) || host.id.host.as_str() == word
}

/// Refuses several words of which one means no host: that is a mistyped name, and its host would be left out unseen. Of a
/// single word its target says so.
pub(super) fn nobody(
    runbook: &Runbook,
    env: &Environment,
    inputs: &BTreeMap<String, Value>,
) -> Result<(), PlanError> {
    for target in &runbook.targets {
        let Select::Role(RoleOf::Input(name)) = &target.select else { continue };
        let Some(words) = inputs.get(name).map(Value::text).filter(|words| words.contains('+')) else {
            continue;
        };
        let unknown = words.split('+').find(|word| !env.hosts.iter().any(|host| one(host, word)));
        if let Some(word) = unknown {
            let why = format!("{word:?} is neither a host nor a role of {}", env.name);
            return Err(PlanError::Wrong(name.clone(), why));
        }
    }
    Ok(())
}
