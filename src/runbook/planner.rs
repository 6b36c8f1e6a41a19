//! Makes a plan: inputs checked, targets resolved from two sources (the inventory, and each host itself) and
//! frozen. Everything it does on hosts is reading.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use zeroize::Zeroizing;

use jumpdeck_fleet::fleet::{DatabaseFile, Environment, Host};
use jumpdeck_fleet::names::{HostName, NameError};
use jumpdeck_fleet::run::PlanView;

use super::definition::{Input, RoleOf, Runbook, Select, Target};
use super::plan::{Frozen, FrozenHost, ManagedBy, Plan};
use super::redact::Redactor;
use super::value::{Value, ValueKind};
use crate::transport::HostSessions;

mod find;
mod identity;
mod meant;
mod salt;
mod view;

pub use find::{Found, find};
pub use identity::HostIdentity;

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Nothing was given for an input.
    #[error("{0} is not given: {1}")]
    Missing(String, String),
    /// What was given does not fit.
    #[error("{0}: {1}")]
    Wrong(String, String),
    /// Something was given that is not asked for.
    #[error("{0} is not an input of this runbook; its inputs: {1}")]
    NoInput(String, String),
    /// A target has too few or too many hosts.
    #[error("target {target}: {count} hosts ({hosts}), but {wanted}")]
    Count {
        /// The target.
        target: String,
        /// How many there are.
        count: usize,
        /// Which.
        hosts: String,
        /// How many there must be, in words.
        wanted: String,
    },
    /// The runbook kept in a journal cannot be read any more.
    #[error("the runbook in the journal cannot be read: {0}")]
    Unreadable(String),
    /// A step has an id that cannot be one.
    #[error("the runbook has a step without a valid id: {0}")]
    Id(#[from] NameError),
}

/// Makes a plan and what is shown of it. Asks every host of it who it is. `because` says of inputs that facts answered
/// ([`find()`]) why.
///
/// # Errors
/// When inputs or targets do not fit. What hosts say against the inventory is in the view's `problems`.
pub async fn make(
    runbook: Arc<Runbook>,
    env: &Arc<Environment>,
    simulated: bool,
    inputs: BTreeMap<String, Zeroizing<String>>,
    because: &BTreeMap<String, String>,
    reach: &dyn HostSessions,
) -> Result<(Plan, PlanView), PlanError> {
    let inputs = checked(&runbook, env, inputs)?;
    let mut targets = resolve(&runbook, env, &inputs)?;
    let names: BTreeSet<String> = targets.values().flatten().map(|h| h.name.clone()).collect();
    let asked = names.iter().map(|name| async move { (name.clone(), identity::ask(reach, env, name).await) });
    let said: BTreeMap<String, Result<HostIdentity, String>> = join_all(asked).await.into_iter().collect();
    for host in targets.values_mut().flatten() {
        let identity = said.get(&host.name).and_then(|s| s.as_ref().ok());
        host.machine_id = identity.and_then(|i| i.machine_id.clone());
    }
    let frozen = Frozen {
        runbook: runbook.name.clone(),
        sources: runbook.sources.clone(),
        hash: runbook.hash.clone(),
        environment: env.name.to_string(),
        level: env.level.clone(),
        domain: env.domain.clone().unwrap_or_default(),
        jump: env.jump.name().to_string(),
        managed_by: if env.management.is_salt() { ManagedBy::Salt } else { ManagedBy::Ssh },
        inputs: inputs
            .iter()
            .filter(|(_, v)| !v.is_secret())
            .map(|(n, v)| (n.clone(), v.text().to_owned()))
            .collect(),
        targets,
    };
    let plan = Plan::new(runbook, frozen, inputs)?;
    let view = view::of(&plan, env, simulated, &said, because);
    Ok((plan, view))
}

/// The sensitive inputs of a run.
pub enum Secrets {
    /// As they were typed again by who runs it, by name.
    Given(BTreeMap<String, Zeroizing<String>>),
    /// Who watches does not have them.
    NotKnown,
}

/// The plan of a journal's first entry, made again. Secrets are no part of it.
///
/// # Errors
/// When the runbook it kept can no longer be read.
pub fn again(
    frozen: &Frozen,
    read: impl FnOnce(&[(String, String)]) -> Result<Runbook, String>,
    secrets: &Secrets,
) -> Result<Plan, PlanError> {
    let runbook = read(&frozen.sources).map_err(PlanError::Unreadable)?;
    let mut inputs = BTreeMap::new();
    for input in &runbook.inputs {
        let text = match (input.sensitive, secrets) {
            (true, Secrets::Given(secrets)) => secrets.get(&input.name).map(|s| s.as_str()),
            (true, Secrets::NotKnown) => {
                inputs.insert(input.name.clone(), Value::unknown_secret(input.kind));
                continue;
            }
            (false, Secrets::Given(_) | Secrets::NotKnown) => {
                frozen.inputs.get(&input.name).map(String::as_str)
            }
        };
        let text = text.ok_or_else(|| PlanError::Missing(input.name.clone(), input.label.clone()))?;
        inputs.insert(input.name.clone(), value(input, text)?);
    }
    Ok(Plan::new(Arc::new(runbook), frozen.clone(), inputs)?)
}

fn value(input: &Input, text: &str) -> Result<Value, PlanError> {
    let value = match input.sensitive {
        true => Value::secret(input.kind, text),
        false => Value::new(input.kind, text),
    };
    value.map_err(|e| PlanError::Wrong(input.name.clone(), e.to_string()))
}

fn checked(
    runbook: &Runbook,
    env: &Environment,
    mut given: BTreeMap<String, Zeroizing<String>>,
) -> Result<BTreeMap<String, Value>, PlanError> {
    let mut inputs = BTreeMap::new();
    for input in &runbook.inputs {
        let text = given.remove(&input.name).filter(|t| !t.is_empty());
        let text = text.or_else(|| input.default.clone().map(Zeroizing::new));
        let text = text.ok_or_else(|| PlanError::Missing(input.name.clone(), input.label.clone()))?;
        let value = value(input, &text)?;
        let wrong = |why: String| Err(PlanError::Wrong(input.name.clone(), why));
        if !input.choices.is_empty() && !input.choices.iter().any(|c| c == value.text()) {
            return wrong(format!("{:?} is not one of {}", value.shown(), input.choices.join(", ")));
        }
        if input.kind == ValueKind::Host {
            let role = |name: &str| inputs.get(name).map(|value: &Value| value.text().to_owned());
            let hosts = of_role(input, env, role);
            if !hosts.iter().any(|h| h == value.text()) {
                return wrong(format!("{:?} is not one of {}", value.text(), hosts.join(", ")));
            }
        }
        inputs.insert(input.name.clone(), value);
    }
    hide_all(&inputs)?;
    if let Some(unknown) = given.keys().next() {
        let known: Vec<&str> = runbook.inputs.iter().map(|i| i.name.as_str()).collect();
        return Err(PlanError::NoInput(unknown.clone(), known.join(", ")));
    }
    for input in runbook.inputs.iter().filter(|i| i.kind == ValueKind::Host) {
        let Some(host) = inputs.get(&input.name) else { continue };
        for other in &input.not {
            let hosts = named(runbook, env, &inputs, other, 0);
            if hosts.iter().any(|h| h == host.text()) {
                let why = format!("must differ from {other} ({})", host.text());
                return Err(PlanError::Wrong(input.name.clone(), why));
            }
        }
    }
    Ok(inputs)
}

/// Secrets that can be hidden, and no other value that holds one: those are kept in the journal. Hosts are public.
fn hide_all(inputs: &BTreeMap<String, Value>) -> Result<(), PlanError> {
    let redactor = Redactor::new();
    let wrong = |name: &String, why: String| Err(PlanError::Wrong(name.clone(), why));
    for (name, value) in inputs.iter().filter(|(_, value)| value.is_secret()) {
        if let Err(why) = redactor.add(value.text()) {
            return wrong(name, why.to_string());
        }
    }
    let kept = inputs.iter().filter(|(_, value)| !value.is_secret() && value.kind() != ValueKind::Host);
    match kept.into_iter().find(|(_, value)| redactor.finds(value.text())) {
        None => Ok(()),
        Some((name, _)) => {
            let why =
                "it holds a secret of this run, and would be kept in the journal: choose a stronger secret";
            wrong(name, why.to_owned())
        }
    }
}

/// The hosts an input may be, as far as that is known before the inputs before it are.
#[must_use]
pub fn choices(input: &Input, env: &Environment) -> Vec<String> {
    of_role(input, env, |_| None)
}

/// The hosts an input may be; `said` is what an input before it says, where that is known.
fn of_role(input: &Input, env: &Environment, said: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let fits = |host: &&Arc<Host>| match &input.role {
        None => true,
        Some(RoleOf::Named(role)) => host.has_role(role.as_str()),
        Some(RoleOf::Input(name)) => said(name).is_none_or(|words| meant::is(host, &words)),
    };
    env.hosts.iter().filter(fits).map(|h| h.id.host.to_string()).collect()
}

/// The hosts of an input or a target, as far as they are known before anything runs.
fn named(
    runbook: &Runbook,
    env: &Environment,
    inputs: &BTreeMap<String, Value>,
    name: &str,
    depth: usize,
) -> Vec<String> {
    if let Some(value) = inputs.get(name) {
        return vec![value.text().to_owned()];
    }
    // A target that leaves itself out, by a long way round, leaves nothing out.
    let Some(target) = runbook.targets.iter().find(|t| t.name == name).filter(|_| depth < 8) else {
        return Vec::new();
    };
    let except: Vec<String> =
        target.except.iter().flat_map(|e| named(runbook, env, inputs, e, depth + 1)).collect();
    selected(target, env, inputs).into_iter().filter(|h| !except.contains(h)).collect()
}

fn selected(target: &Target, env: &Environment, inputs: &BTreeMap<String, Value>) -> Vec<String> {
    match &target.select {
        Select::Jump => vec![env.jump.name().to_string()],
        Select::All => env.hosts.iter().map(|h| h.id.host.to_string()).collect(),
        Select::Host(name) => vec![name.to_string()],
        Select::DatabaseFiles => {
            let has = |host: &&Arc<Host>| env.management.database_files(host).next().is_some();
            env.hosts.iter().filter(has).map(|h| h.id.host.to_string()).collect()
        }
        Select::Role(role) => {
            let wanted = |host: &Host| match role {
                RoleOf::Named(role) => host.has_role(role.as_str()),
                RoleOf::Input(input) => inputs.get(input).is_some_and(|words| meant::is(host, words.text())),
            };
            let of_role = env.hosts.iter().filter(|h| wanted(h));
            of_role.map(|h| h.id.host.to_string()).collect()
        }
    }
}

fn resolve(
    runbook: &Runbook,
    env: &Environment,
    inputs: &BTreeMap<String, Value>,
) -> Result<BTreeMap<String, Vec<FrozenHost>>, PlanError> {
    let mut targets = BTreeMap::new();
    meant::nobody(runbook, env, inputs)?;
    for target in &runbook.targets {
        let hosts = named(runbook, env, inputs, &target.name, 0);
        let most = target.at_most.unwrap_or(usize::MAX);
        if hosts.len() < target.at_least || hosts.len() > most {
            let wanted = match target.at_most {
                Some(most) if most == target.at_least => format!("there must be {most}"),
                Some(most) => format!("there must be {} to {most}", target.at_least),
                None => format!("there must be at least {}", target.at_least),
            };
            let names = if hosts.is_empty() { "none".to_owned() } else { hosts.join(", ") };
            let (target, count) = (target.name.clone(), hosts.len());
            return Err(PlanError::Count { target, count, hosts: names, wanted });
        }
        targets.insert(target.name.clone(), hosts.iter().map(|h| freeze(env, h)).collect());
    }
    for (name, value) in inputs.iter().filter(|(_, v)| v.kind() == ValueKind::Host) {
        targets.insert(name.clone(), vec![freeze(env, value.text())]);
    }
    Ok(targets)
}

/// A host's files that name the database server, as a script reads them.
fn database_files(env: &Environment, host: &Host) -> String {
    let entry = |file: &DatabaseFile| {
        let [reload, check] = [&file.reload, &file.check].map(|text| text.as_deref().unwrap_or_default());
        format!("file {}\nline {}\nreload {reload}\ncheck {check}\n", file.file, file.line)
    };
    env.management.database_files(host).map(entry).collect()
}

fn freeze(env: &Environment, name: &str) -> FrozenHost {
    let host = HostName::new(name).ok().and_then(|name| env.host(&name).cloned());
    FrozenHost {
        name: name.to_owned(),
        address: host.as_ref().map_or_else(|| name.to_owned(), |h| h.address.clone()),
        port: host.as_ref().map_or(22, |h| h.port),
        roles: host.iter().flat_map(|h| &h.roles).map(ToString::to_string).collect(),
        database_files: host.as_ref().map(|host| database_files(env, host)).unwrap_or_default(),
        machine_id: None,
    }
}
