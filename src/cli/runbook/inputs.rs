//! What a runbook asks before its plan is made, on the terminal.

use zeroize::Zeroizing;

use super::Chosen;
use super::answer;
use super::site::RunSite;
use super::terms::input_help;
use crate::cli::common::CliError;
use crate::cli::print;
use crate::cli::terminal::keys::{AnswerKeys, Typed};
use crate::cli::terminal::paper::{Ink, Paper};
use crate::operator::inputs::{self, AskInputs, Gathered};
use crate::operator::start::Planned;
use crate::runbook::definition::Runbook;
use jumpdeck_fleet::run::{InputView, PromptKind};
use jumpdeck_fleet::text::Clean;

/// The plan that was chosen: what is not given for its inputs is found or asked.
pub(super) async fn plan(site: &RunSite, chosen: &Chosen, asking: AskInputs) -> Result<Planned, CliError> {
    let runbook = super::runbook(&chosen.name)?;
    let gathered = gather(site, &runbook, &chosen.set, asking).await?;
    let made = Planned::make(&site.access, runbook, gathered).await;
    made.map_err(|error| CliError::Usage(error.to_string()))
}

/// The values of a runbook's inputs. What facts answer is the default, with its reason.
///
/// # Errors
/// A `--set` that is none, a secret as an argument, or an input nobody can be asked for.
async fn gather(
    site: &RunSite,
    runbook: &Runbook,
    set: &[String],
    asking: AskInputs,
) -> Result<Gathered, CliError> {
    let given = inputs::given(runbook, set).map_err(|error| CliError::Usage(error.to_string()))?;
    // A default needs nobody.
    let asking = if site.terminal.is_some() { asking } else { AskInputs::Unanswered };
    inputs::gather(&site.access, runbook, given, asking, async |input| typed(site, input).await).await
}

/// Asks on the terminal.
///
/// # Errors
/// When there is none, or it ends.
pub(super) async fn typed(site: &RunSite, input: &InputView) -> Result<Zeroizing<String>, CliError> {
    let terminal = site.terminal.as_ref().ok_or_else(|| missing(input))?;
    ask(&mut *terminal.lock().await, input, &mut print_out).await
}

fn print_out(text: &str) {
    // A terminal that is gone says so when it is read.
    let _ = print::answer(text);
}

fn missing(input: &InputView) -> CliError {
    let choices: Vec<&str> = input.choices.iter().map(Clean::as_str).collect();
    let wanted = match choices.as_slice() {
        [] => input.wanted.to_string(),
        choices => format!("one of {}", choices.join(", ")),
    };
    let how = match input.sensitive {
        true => "it is a secret, typed on a terminal, and standard input is not a terminal".to_owned(),
        false => format!("--set {}=…: {wanted}", input.name),
    };
    let why = input.because.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    CliError::Usage(format!("{}: {}{why}; {how}", input.name, input.label))
}

/// Asks until a value fits; the end of the terminal ends it.
async fn ask(
    keys: &mut impl AnswerKeys,
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
            Typed::Several => Err("several lines came at once; none was used, so type one answer".to_owned()),
            Typed::End => return Err(CliError::Usage(format!("{} was not given", input.name))),
        };
        match said {
            Ok(value) => return Ok(value),
            Err(why) => print(&format!("  {why}\n")),
        }
    }
}
