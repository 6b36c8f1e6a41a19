//! Who answered: the name that a machine gives itself against the one that the inventory expects.

use std::collections::HashMap;
use std::net::IpAddr;

use jumpdeck_fleet::fact::{Fact, Gap};
use jumpdeck_fleet::fleet::{Fleet, Host};
use jumpdeck_fleet::names::{HostId, HostName};
use jumpdeck_fleet::snapshot::Identity;
use jumpdeck_fleet::text::Clean;

/// Names that a machine has as long as nobody gives it one: they tell none from another.
const NOBODY: [&str; 4] = ["(none)", "localhost", "localhost4", "localhost6"];

/// Which hosts of the inventory answer to a name, over every environment: advice must not take a name from another host.
#[derive(Debug, Default)]
pub(crate) struct AnsweringNames(HashMap<String, Vec<HostId>>);

impl AnsweringNames {
    pub(crate) fn of(fleet: &Fleet) -> Self {
        let mut names: HashMap<String, Vec<HostId>> = HashMap::new();
        for host in fleet.environments.iter().flat_map(|env| &env.hosts) {
            let called = [Some(host.id.host.as_str()), host.hostname.as_deref()];
            for name in called.into_iter().flatten().map(Name::new) {
                let label: String = name.labels().take(1).collect();
                names.entry(label).or_default().push(host.id.clone());
            }
        }
        Self(names)
    }

    /// Another host of the same environment that has this name.
    fn taken(&self, name: &Name, host: &HostId) -> Option<&HostId> {
        let label = name.labels().next()?;
        self.0.get(label)?.iter().find(|id| *id != host && id.env == host.env)
    }
}

/// Whether the machine that answered is `host`. The error says why not, and what to do.
///
/// # Errors
/// It said another name, one that every machine without a name has, or none.
pub(crate) fn prove(host: &Host, names: &AnsweringNames, identity: &Fact<Identity>) -> Result<(), String> {
    let wanted = expected(host);
    let called = host.hostname.as_deref().unwrap_or(host.id.host.as_str());
    let answered = match (identity.current(), &identity.gap) {
        (Some(identity), _) => &identity.hostname,
        (None, gap) => {
            let gap = gap.as_ref().map_or_else(|| Gap::NotAsked.describe(), Gap::describe);
            return Err(format!(
                "reports no host name ({gap}): nothing proves that it is {called}, so its report was dropped. \
                 Give the machine a host name"
            ));
        }
    };
    let name = Name::new(answered.as_str());
    let declared = host.hostname.is_some();
    if NOBODY.contains(&name.labels().next().unwrap_or_default()) && !(declared && name.is(&wanted)) {
        return Err(format!(
            "reports the host name {answered}, like every machine without one: nothing proves that it is {called}, so its report was dropped. Give the machine a host name"
        ));
    }
    if name.is(&wanted) {
        return Ok(());
    }
    Err(format!(
        "answered as {}, not as {called}: its report was dropped. {}",
        spelled(answered),
        advice(host, names, answered, &name)
    ))
}

/// The host name that the inventory states, or the host's own name there up to its first dot.
fn expected(host: &Host) -> Name {
    match &host.hostname {
        Some(stated) => Name::new(stated),
        None => Name(Name::new(host.id.host.as_str()).labels().take(1).collect()),
    }
}

/// The name, and with letters that only look like ours also their code points.
fn spelled(answered: &Clean) -> String {
    let text = answered.as_str();
    if text.is_ascii() {
        return text.to_owned();
    }
    let codes: String = text
        .chars()
        .map(|c| if c.is_ascii() { c.to_string() } else { format!("<U+{:04X}>", c as u32) })
        .collect();
    format!("{text} ({codes}: not all of its letters are ASCII)")
}

/// What to do; only what `jumpdeck check` accepts, and nothing that another host of the environment is called.
fn advice(host: &Host, names: &AnsweringNames, answered: &Clean, name: &Name) -> String {
    if let Some(other) = names.taken(name, &host.id) {
        return format!("{} is another host of the inventory: check the addresses of both", other.host);
    }
    if HostName::new(answered.as_str()).is_err() {
        return "Check its address, or give the machine another host name: the inventory does not accept this one".to_owned();
    }
    format!("Check its address, or set `hostname = \"{answered}\"` in the inventory if that is its name")
}

/// A host name for comparing: in lower case, without a dot at its end.
#[derive(Debug, PartialEq, Eq)]
struct Name(String);

impl Name {
    fn new(text: &str) -> Self {
        let text = text.trim();
        Self(text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase())
    }

    /// Its labels; an address has one.
    fn labels(&self) -> impl Iterator<Item = &str> {
        let whole = self.0.parse::<IpAddr>().is_ok();
        let mut rest = Some(self.0.as_str());
        std::iter::from_fn(move || {
            let text = rest?;
            match text.split_once('.').filter(|_| !whole) {
                Some((label, more)) => {
                    rest = Some(more);
                    Some(label)
                }
                None => rest.take(),
            }
        })
    }

    /// Whether both may be the same machine: their labels agree as far as both have some. A machine may say its short
    /// name, or the domain too.
    fn is(&self, other: &Name) -> bool {
        !self.0.is_empty() && self.labels().zip(other.labels()).all(|(a, b)| a == b)
    }
}

#[cfg(test)]
mod tests;
