//! Waits until nothing of a change is under way any more.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::time::{Instant, sleep};

use super::manner::{For, Mark};
use super::site::Site;
use super::{salt, script, session, ticket};
use crate::runbook::definition::Step;
use crate::runbook::event::{HostOutcome, Verdict};
use crate::runbook::machine::StepRef;
use crate::runbook::place::{Place, Places};
use crate::runbook::scope::quoted;
use jumpdeck_fleet::names::HostName;

/// Time between two looks at one that is under way.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// A look that takes longer is none.
const LOOK_LIMIT: Duration = Duration::from_secs(15);

/// Waits until nothing of a change is under way any more on these hosts, and lets nothing of it begin. What is still
/// under way after the step's own time is unknown.
pub(super) async fn settle(
    site: &Site,
    at: StepRef<'_>,
    mark: Mark<'_>,
    places: &Places,
    what: For,
) -> BTreeMap<Place, HostOutcome> {
    let step = at.step();
    let hosts: Vec<HostName> = places.hosts().cloned().collect();
    let (looked_at, sudo) = match mark {
        Mark::None => return BTreeMap::new(),
        Mark::Folder { sudo } => (hosts, sudo),
        Mark::Session { .. } => (hosts, false),
        Mark::Salt { .. } => (vec![site.reach.jump().clone()], true),
    };
    let looked = looked_at.iter().map(|host| async move {
        let in_session = match mark {
            Mark::Session { hold } => session::over(site, at, hold, host, step.timeout).await,
            Mark::None | Mark::Folder { .. } | Mark::Salt { .. } => Ok(()),
        };
        // In a session only a change has no folder: an undo may have been sent without one.
        let folder = match (mark, what) {
            (Mark::Session { .. }, For::Change | For::Asking) => None,
            (Mark::Session { .. }, For::Undo) | (Mark::None | Mark::Folder { .. } | Mark::Salt { .. }, _) => {
                ticket::of(at, host, what)
            }
        };
        let over = match (in_session, folder) {
            (Ok(()), Some(name)) => match foreign(site, at, host).filter(|_| !sudo) {
                Some(who) => Err(format!(
                    "it was sent to {host} as {who}, and only that account can see whether it is still under way: look there \
                     for a folder {name} in ~{who}/.jumpdeck, as root in /run/jumpdeck"
                )),
                None => over(site, host, &name, sudo, step).await,
            },
            (in_session, _) => in_session,
        };
        (Place::from(host), over)
    });
    let looked = futures::future::join_all(looked).await;
    let mut open: BTreeMap<Place, String> =
        looked.into_iter().filter_map(|(place, over)| Some((place, over.err()?))).collect();
    if let Mark::Salt { function } = mark {
        let why = match open.into_values().next() {
            Some(why) => Some(why),
            None => jobs_over(site, function, places, step).await.err(),
        };
        open = why.map(|why| places.each(|_| why.clone()).into_map()).unwrap_or_default();
    }
    open.into_iter().map(|(place, why)| (place, HostOutcome::of(Verdict::Unknown(why)))).collect()
}

/// The other account that began a change, when this one cannot see its mark.
fn foreign<'s>(site: &'s Site, at: StepRef<'_>, host: &HostName) -> Option<&'s str> {
    let record = at.record();
    let key = (at.id().clone(), record.attempts, record.undos, host.clone());
    site.foreign.get(&key).map(String::as_str)
}

/// Waits until a change is over on a host; an error says what is to be looked at.
async fn over(site: &Site, host: &HostName, name: &str, sudo: bool, step: &Step) -> Result<(), String> {
    let until = Instant::now() + step.timeout;
    let look = ticket::look(name);
    loop {
        let said = script::text_on(site, host, &look, sudo, LOOK_LIMIT, true, None).await;
        let said =
            said.map_err(|trouble| format!("cannot check whether it was done: {}", trouble.words()))?;
        let said = said.text.trim().to_owned();
        if said == "over" {
            return Ok(());
        }
        if Instant::now() + LOOK_EVERY >= until {
            return Err(format!("it is still under way on {host}: {said}"));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Waits until no job of that function runs on these minions: it goes on there when the one who called it has gone. A
/// minion that does not answer is left to the proof.
async fn jobs_over(site: &Site, function: &str, places: &Places, step: &Step) -> Result<(), String> {
    let until = Instant::now() + step.timeout;
    let text =
        format!("salt --out=json --static --timeout=10 -L {} saltutil.running", quoted(&places.names(",")));
    loop {
        let said = salt::on_jump(site, &text, LOOK_LIMIT, None).await;
        let said = said.map_err(|trouble| format!("cannot ask Salt which jobs run: {}", trouble.words()))?;
        let Some((host, job)) = running(&said, function) else { return Ok(()) };
        if Instant::now() + LOOK_EVERY >= until {
            return Err(format!("it is still under way on {host}: Salt's job {job}"));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// The first minion that runs that function, and the job's number.
fn running(said: &str, function: &str) -> Option<(String, String)> {
    let json = said.find('{').and_then(|at| said.get(at..)).unwrap_or_default();
    let all: Json = serde_json::from_str(json.trim()).ok()?;
    all.as_object()?.iter().find_map(|(host, jobs)| {
        let job = jobs.as_array()?.iter().find(|job| job.get("fun").is_some_and(|f| f == function))?;
        let number = job.get("jid").and_then(Json::as_str).unwrap_or("without a number");
        Some((host.clone(), number.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_job_of_that_function_is_found() {
        let said = r#"{"app1": [], "app2": [{"fun": "test.ping", "jid": "1"}, {"fun": "state.sls", "jid": "20261121"}]}"#;
        assert_eq!(running(said, "state.sls").unwrap(), ("app2".to_owned(), "20261121".to_owned()));
        assert_eq!(running(said, "state.highstate"), None);
        assert_eq!(running("Minion did not return", "state.sls"), None);
    }
}
