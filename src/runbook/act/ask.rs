//! Questions: reads only. Asked of several hosts at once.

use std::time::Duration;

use super::manner::{For, Lost, Manner};
use super::site::Site;
use super::trouble::{PlaceAnswers, Trouble, on_hosts};
use super::{salt, script, sql};
use crate::runbook::definition::Ask;
use crate::runbook::judge::HostAnswer;
use crate::runbook::machine::StepRef;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use jumpdeck_fleet::names::HostName;

/// A question, and where it is asked.
pub(in crate::runbook) struct PlacedAsk<'a> {
    pub(in crate::runbook) question: &'a Ask,
    pub(in crate::runbook) places: &'a Places,
    pub(in crate::runbook) limit: Duration,
    /// Answers are not shown as they come.
    pub(in crate::runbook) quiet: bool,
    /// What becomes of a question for a session that is not open.
    pub(in crate::runbook) lost: Lost,
}

/// Asks at every place at once. What is asked of hosts has no answer on no host.
pub(in crate::runbook) async fn ask(site: &Site, at: StepRef<'_>, asking: &PlacedAsk<'_>) -> PlaceAnswers {
    let &PlacedAsk { question, places, limit, quiet, lost } = asking;
    let manner = Manner { limit, quiet: quiet || at.is_quiet(), what: For::Asking, lost };
    match question {
        Ask::Run(text) => on_hosts(places, |host| script::run(site, at, text, host, manner)).await,
        Ask::Sql(text) => sql::on(site, at, text, places, manner).await,
        Ask::Salt(call) => salt::call(site, at, call, places, limit, For::Asking).await,
        Ask::Value(text) => {
            let told = |host: Option<&HostName>| {
                let filled = at.at(host, |scope| scope.text(text));
                filled.map(|t| HostAnswer::of_text(&t)).map_err(|e| Trouble::Failed(e.to_string()))
            };
            places.each(|place| told(place.host()))
        }
    }
}

/// A question for eyes.
pub(in crate::runbook) fn shown(scope: &Scope<'_>, question: &Ask, places: &Places) -> String {
    match question {
        Ask::Run(script) => scope.script_shown(script),
        Ask::Sql(text) => sql::shown_with_session(scope, text),
        Ask::Salt(call) => salt::shown(scope, call, places),
        Ask::Value(text) => scope.shown(text),
    }
}
