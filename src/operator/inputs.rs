//! What a runbook asks before its plan is made: given beforehand, found in facts, or asked of the operator. A secret is
//! never given as an argument: anybody on this machine could read it.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::access::EnvAccess;
use crate::runbook::definition::{Input, Runbook};
use crate::runbook::planner::{self, Found};
use crate::runbook::value::ValueKind;
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::run::InputView;
use jumpdeck_fleet::text::Clean;

/// InputValues by name.
pub type InputValues = BTreeMap<String, Zeroizing<String>>;

/// Which questions are put to the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskInputs {
    /// Each that no argument answered.
    Each,
    /// Those that neither facts nor the runbook's default answer.
    Unanswered,
}

/// The values of a runbook's inputs, and why those are as they are that facts answered.
pub struct Gathered {
    /// The values.
    pub values: InputValues,
    /// By input, the reason of a value that facts gave.
    pub because: BTreeMap<String, String>,
}

/// The value given for an input is not valid.
#[derive(Debug, thiserror::Error)]
pub enum NotGiven {
    /// No name and value.
    #[error("--set {0:?}: expected NAME=VALUE")]
    NoPair(String),
    /// The runbook does not ask for it.
    #[error("{name} is not an input of {runbook}; its inputs: {known}")]
    NoInput {
        /// What was named.
        name: String,
        /// The runbook.
        runbook: String,
        /// The inputs it has.
        known: String,
    },
    /// A secret.
    #[error("{0} is a secret: it is asked on the terminal, never given as an argument")]
    Secret(String),
    /// More than once.
    #[error("{0} is given twice")]
    Twice(String),
}

/// The values in arguments: `NAME=VALUE` each.
///
/// # Errors
/// When one is none, is of no input, is given twice, or is a secret.
pub fn given(runbook: &Runbook, set: &[String]) -> Result<InputValues, NotGiven> {
    let mut values = InputValues::new();
    for pair in set {
        let Some((name, value)) = pair.split_once('=') else { return Err(NotGiven::NoPair(pair.clone())) };
        let Some(input) = runbook.inputs.iter().find(|input| input.name == name) else {
            let known: Vec<&str> = runbook.inputs.iter().map(|i| i.name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(NotGiven::NoInput { name: name.to_owned(), runbook: runbook.name.clone(), known });
        };
        if input.sensitive {
            return Err(NotGiven::Secret(name.to_owned()));
        }
        if values.insert(name.to_owned(), Zeroizing::new(value.to_owned())).is_some() {
            return Err(NotGiven::Twice(name.to_owned()));
        }
    }
    Ok(values)
}

/// The values of all inputs of a runbook. What facts answer is the default, with its reason; `ask` asks the operator.
///
/// # Errors
/// What `ask` says.
pub async fn gather<E>(
    access: &EnvAccess,
    runbook: &Runbook,
    given: InputValues,
    asking: AskInputs,
    mut ask: impl AsyncFnMut(&InputView) -> Result<Zeroizing<String>, E>,
) -> Result<Gathered, E> {
    let (mut values, mut because) = (given, BTreeMap::new());
    for input in &runbook.inputs {
        if values.contains_key(&input.name) {
            continue;
        }
        let view = found(access, runbook, input, &values).await;
        let value = match (asking, &view.default) {
            (AskInputs::Unanswered, Some(default)) => Zeroizing::new(default.to_string()),
            (AskInputs::Each, _) | (AskInputs::Unanswered, None) => ask(&view).await?,
        };
        let is_default = view.default.as_ref().is_some_and(|default| default.as_str() == value.as_str());
        if let Some(why) = view.because.filter(|_| is_default) {
            because.insert(input.name.clone(), why.to_string());
        }
        values.insert(input.name.clone(), value);
    }
    Ok(Gathered { values, because })
}

/// What facts say of a runbook's inputs, for those that facts may answer: each is asked with what they say of those before it.
pub async fn find(access: &EnvAccess, runbook: &Runbook) -> Vec<InputView> {
    let (mut values, mut views) = (InputValues::new(), Vec::new());
    for input in runbook.inputs.iter().filter(|input| input.find.is_some()) {
        let view = found(access, runbook, input, &values).await;
        if let Some(default) = &view.default {
            values.insert(input.name.clone(), Zeroizing::new(default.to_string()));
        }
        views.push(view);
    }
    views
}

/// Asks the operator for the sensitive inputs.
///
/// # Errors
/// What `ask` says.
pub(super) async fn secrets<E>(
    env: &Environment,
    runbook: &Runbook,
    mut ask: impl AsyncFnMut(&InputView) -> Result<Zeroizing<String>, E>,
) -> Result<InputValues, E> {
    let mut values = InputValues::new();
    for input in runbook.inputs.iter().filter(|input| input.sensitive) {
        values.insert(input.name.clone(), ask(&view(input, env)).await?);
    }
    Ok(values)
}

/// An input as it is asked in an environment.
#[must_use]
pub fn view(input: &Input, env: &Environment) -> InputView {
    let hosts = if input.kind == ValueKind::Host { planner::choices(input, env) } else { Vec::new() };
    let mut view = input.view();
    if !hosts.is_empty() {
        view.choices = hosts.iter().map(|host| Clean::new(host)).collect();
    }
    view
}

/// An input with what facts say of it, the inputs before it being known.
async fn found(access: &EnvAccess, runbook: &Runbook, input: &Input, values: &InputValues) -> InputView {
    let found = planner::find(runbook, &access.env, input, values, &*access.reach).await;
    let mut view = view(input, &access.env);
    match found {
        None => {}
        Some(Found::Value { value, because }) => {
            (view.default, view.because) = (Some(Clean::new(&value)), Some(Clean::new(&because)));
        }
        Some(Found::Nothing(why)) => {
            let told = match view.default {
                Some(_) => format!("the runbook's default; no value was found on the servers ({why})"),
                None => format!("no value was found on the servers: {why}"),
            };
            view.because = Some(Clean::new(&told));
        }
    }
    view
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use jumpdeck_fleet::run::Danger;

    fn runbook() -> Runbook {
        let input = |name: &str, sensitive| Input {
            name: name.to_owned(),
            label: "Which?".to_owned(),
            help: None,
            kind: ValueKind::Word,
            role: None,
            not: Vec::new(),
            choices: Vec::new(),
            default: None,
            sensitive,
            find: None,
        };
        Runbook {
            name: "x".to_owned(),
            title: String::new(),
            summary: String::new(),
            danger: Danger::Reads,
            without_salt: None,
            remedies: Vec::new(),
            inputs: vec![input("candidate", false), input("password", true)],
            targets: Vec::new(),
            steps: Vec::new(),
            sources: Vec::new(),
            hash: String::new(),
        }
    }

    #[test]
    fn arguments_give_inputs_but_no_secrets() {
        let set =
            |pairs: &[&str]| given(&runbook(), &pairs.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>());
        assert_eq!(set(&["candidate=a=b"]).unwrap()["candidate"].as_str(), "a=b");
        for (pairs, wanted) in [
            (&["candidate"][..], "expected NAME=VALUE"),
            (&["candidat=db2"], "not an input of x; its inputs: candidate, password"),
            (&["password=hunter2"], "never given as an argument"),
            (&["candidate=a", "candidate=b"], "given twice"),
        ] {
            let error = set(pairs).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
