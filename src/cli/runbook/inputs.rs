//! What a runbook asks before its plan is made: given by `--set`, or asked on the terminal. A secret is never an
//! argument: anybody on this machine could read it.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::answer;
use super::keys::{Keys, Typed};
use super::site::Site;
use super::story::input_help;
use super::text::{Ink, Paper};
use crate::cli::common::CliError;
use crate::cli::print;
use crate::runbook::definition::{Input, Runbook};
use crate::runbook::planner::{self, Found};
use crate::runbook::value::ValueKind;
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::run::{InputView, PromptKind};
use jumpdeck_fleet::text::Clean;

/// Values by name.
pub(super) type Values = BTreeMap<String, Zeroizing<String>>;

/// Which questions are put to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// Each that no argument answered.
    Each,
    /// Those that neither facts nor the runbook's default answer.
    Unanswered,
}

/// The values of a runbook's inputs, and why those are as they are that facts answered.
pub(super) struct Gathered {
    pub(super) values: Values,
    pub(super) because: BTreeMap<String, String>,
}

/// The values of a runbook's inputs. What facts answer is the default, with its reason.
///
/// # Errors
/// A `--set` that is none, a secret as an argument, or an input nobody can be asked for.
pub(super) async fn gather(
    site: &Site,
    runbook: &Runbook,
    set: &[String],
    asking: Asking,
) -> Result<Gathered, CliError> {
    let (mut values, mut because) = (given(runbook, set)?, BTreeMap::new());
    for input in &runbook.inputs {
        if values.contains_key(&input.name) {
            continue;
        }
        let found = planner::find(runbook, &site.env, input, &values, &*site.reach).await;
        let view = answered(view(input, &site.env), found);
        let value = match (&site.terminal, asking, &view.default) {
            // A default needs nobody.
            (None, _, Some(default)) | (Some(_), Asking::Unanswered, Some(default)) => {
                Zeroizing::new(default.to_string())
            }
            (None, _, None) => return Err(missing(&view)),
            (Some(terminal), Asking::Each, _) | (Some(terminal), Asking::Unanswered, None) => {
                ask(&mut *terminal.lock().await, &view, &mut print_out).await?
            }
        };
        let is_default = view.default.as_ref().is_some_and(|default| default.as_str() == value.as_str());
        if let Some(why) = view.because.filter(|_| is_default) {
            because.insert(input.name.clone(), why.to_string());
        }
        values.insert(input.name.clone(), value);
    }
    Ok(Gathered { values, because })
}

/// An input with what facts say of it.
pub(in crate::cli) fn answered(mut view: InputView, found: Option<Found>) -> InputView {
    match found {
        None => {}
        Some(Found::Value { value, because }) => {
            (view.default, view.because) = (Some(Clean::new(&value)), Some(Clean::new(&because)));
        }
        Some(Found::Nothing(why)) => {
            let told = match view.default {
                Some(_) => format!("the runbook's own default: the servers do not tell ({why})"),
                None => format!("the servers do not tell: {why}"),
            };
            view.because = Some(Clean::new(&told));
        }
    }
    view
}

/// Secrets of a run that goes on: they are kept nowhere, so they are asked for again.
pub(super) async fn secrets(site: &Site, runbook: &Runbook) -> Result<Values, CliError> {
    let mut values = Values::new();
    for input in runbook.inputs.iter().filter(|input| input.sensitive) {
        let view = view(input, &site.env);
        let terminal = site.terminal.as_ref().ok_or_else(|| missing(&view))?;
        let mut keys = terminal.lock().await;
        values.insert(input.name.clone(), ask(&mut *keys, &view, &mut print_out).await?);
    }
    Ok(values)
}

fn print_out(text: &str) {
    // A terminal that is gone says so when it is read.
    let _ = print::answer(text);
}

fn given(runbook: &Runbook, set: &[String]) -> Result<Values, CliError> {
    let mut values = Values::new();
    for pair in set {
        let usage = |text: String| Err(CliError::Usage(text));
        let Some((name, value)) = pair.split_once('=') else {
            return usage(format!("--set {pair:?}: NAME=VALUE is wanted"));
        };
        let Some(input) = runbook.inputs.iter().find(|input| input.name == name) else {
            let known: Vec<&str> = runbook.inputs.iter().map(|i| i.name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return usage(format!("{name} is no input of {}; there are: {known}", runbook.name));
        };
        if input.sensitive {
            return usage(format!(
                "{name} is a secret: it is asked on the terminal, never given as an argument"
            ));
        }
        if values.insert(name.to_owned(), Zeroizing::new(value.to_owned())).is_some() {
            return usage(format!("{name} is given twice"));
        }
    }
    Ok(values)
}

fn missing(input: &InputView) -> CliError {
    let choices: Vec<&str> = input.choices.iter().map(Clean::as_str).collect();
    let wanted = match choices.as_slice() {
        [] => input.wanted.to_string(),
        choices => format!("one of {}", choices.join(", ")),
    };
    let how = match input.sensitive {
        true => "it is a secret, asked on a terminal, and standard input is none".to_owned(),
        false => format!("--set {}=…: {wanted}", input.name),
    };
    let why = input.because.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    CliError::Usage(format!("{}: {}{why}; {how}", input.name, input.label))
}

/// An input as it is asked in an environment.
pub(in crate::cli) fn view(input: &Input, env: &Environment) -> InputView {
    let hosts = match input.kind {
        ValueKind::Host => planner::choices(input, env),
        _ => Vec::new(),
    };
    let mut view = input.view();
    if !hosts.is_empty() {
        view.choices = hosts.iter().map(|host| Clean::new(host)).collect();
    }
    view
}

/// Asks until a value fits; the end of the terminal ends it.
async fn ask(
    keys: &mut impl Keys,
    input: &InputView,
    print: &mut (dyn FnMut(&str) + Send),
) -> Result<Zeroizing<String>, CliError> {
    let mut paper = Paper::of_stdout();
    paper.gap();
    paper.words(0, Ink::Bold, input.label.as_str());
    input_help(&mut paper, input);
    print(&paper.take());
    let (mark, echo) = answer::mark(&PromptKind::Input(input.clone()));
    loop {
        let said = match keys.line(&mark, echo).await {
            Typed::Line(line) | Typed::Pasted(line) => answer::value(input, line.trim()),
            Typed::Several => Err("several lines came at once; nothing was taken".to_owned()),
            Typed::End => return Err(CliError::Usage(format!("{} was not given", input.name))),
        };
        match said {
            Ok(value) => return Ok(value),
            Err(why) => print(&format!("  {why}\n")),
        }
    }
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
            (&["candidate"][..], "NAME=VALUE is wanted"),
            (&["candidat=db2"], "no input of x; there are: candidate, password"),
            (&["password=hunter2"], "never given as an argument"),
            (&["candidate=a", "candidate=b"], "given twice"),
        ] {
            let error = set(pairs).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
