//! A change under way on a host is a folder there, which is removed at its end; it lies where only the account that makes
//! the change can write ([`own_folder`]). What a lost link or a dead console left half done is waited for by it before
//! anybody asks whether it was done; and once somebody has asked, an order that arrives late no longer begins. So a
//! change is never begun twice, and never answered for too early.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::time::{Instant, sleep};

use super::{Lost, Place, Places, Site, Step, StepRef, detached, own_folder, salt, script, session};
use crate::runbook::event::{HostOutcome, Verdict};
use crate::runbook::scope::quoted;
use jumpdeck_fleet::names::HostName;

/// Time between two looks at one that is under way.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// A look that takes longer is none.
const LOOK_LIMIT: Duration = Duration::from_secs(15);

/// What a command is sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// It only asks: it may be sent as often as one likes.
    Asking,
    /// A step's change.
    Change,
    /// Taking that back.
    Undo,
}

/// What a change leaves on hosts while it is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark<'k> {
    /// Nothing of that kind: what proves it tells.
    None,
    /// A folder on each of its hosts.
    Folder {
        /// It is root's, where the inventory says `sudo`.
        sudo: bool,
    },
    /// The session of a `hold`: when it has ended, nothing that was sent in it comes later.
    Session {
        /// The step that opened it.
        hold: &'k str,
    },
    /// A folder on the jump box, and a job of this function on the minions.
    Salt {
        /// The function.
        function: &'k str,
    },
}

/// How something is sent.
#[derive(Debug, Clone, Copy)]
pub(in crate::runbook) struct Manner {
    /// How long it may take.
    pub(in crate::runbook) limit: Duration,
    /// Whether what it prints is not shown.
    pub(in crate::runbook) quiet: bool,
    /// What for.
    pub(in crate::runbook) what: For,
    /// What becomes of a statement whose session is not open.
    pub(in crate::runbook) lost: Lost,
}

impl Manner {
    /// As a step wants it.
    pub(super) fn of(at: StepRef<'_>, what: For) -> Self {
        let lost = match what {
            For::Asking => Lost::of_reads(at),
            For::Change => Lost::Fails,
            // What is undone must be undone.
            For::Undo => Lost::NewClient,
        };
        Self { limit: at.step().timeout, quiet: at.is_quiet(), what, lost }
    }
}

/// The name of the folder on a host, which is there as long as the change is under way; none for what only asks.
pub(super) fn of(at: StepRef<'_>, host: &HostName, what: For) -> Option<String> {
    match what {
        For::Asking => None,
        For::Change => Some(format!("{}-{host}.now", detached::folder(at))),
        For::Undo => {
            let undos = at.record().undos.max(1);
            Some(format!("{}-{host}-undo-{undos}.now", detached::folder(at)))
        }
    }
}

/// What begins a change, in the words of `/bin/sh`: without single quotes and backslashes, so that it fits within
/// single quotes. It ends with status 75 when it was begun, or given up, before, and with 78 when there is no place for
/// its folder that only this account can write to.
pub(super) fn begin(name: &str) -> String {
    let folder = own_folder::path(name);
    format!(
        "{}; (umask 077; mkdir {folder}) || {{ echo it was begun before, or is given up >&2; exit 75; }}; \
         (set -C; echo $$ {} >{folder}/pid) || exit 75",
        own_folder::PROVE,
        own_folder::START
    )
}

/// What ends it, keeping the status of what ran before.
pub(super) fn end(name: &str) -> String {
    format!("jd_s=$?; rm -rf {}; exit $jd_s", own_folder::path(name))
}

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
                of(at, host, what)
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
    let look = look(name);
    loop {
        let said = script::text_on(site, host, &look, sudo, LOOK_LIMIT, true, None).await;
        let said = said.map_err(|trouble| format!("it cannot be asked: {}", trouble.words()))?;
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

/// A look at a change: `over`, or what is still there of it. The folder of one that never began is made here, so that it
/// cannot begin any more.
pub(super) fn look(name: &str) -> String {
    format!(
        "{}\n{}\njd=$jd/{name}\n\
         if (umask 077; mkdir \"$jd\") 2>/dev/null; then (set -C; : >\"$jd/over\") && echo over\n\
         elif [ -f \"$jd/over\" ]; then echo over\n\
         elif [ ! -d \"$jd\" ]; then echo \"$jd cannot be made\"\n\
         elif [ -L \"$jd/pid\" ] || [ ! -f \"$jd/pid\" ] || [ ! -s \"$jd/pid\" ]; then echo \"$jd has no process yet\"\n\
         elif jd_gone \"$jd/pid\"; then (set -C; : >\"$jd/over\") && echo over\n\
         else echo \"process $jd_p\"; fi",
        own_folder::PROVE,
        own_folder::GONE
    )
}

/// Waits until no job of that function runs on these minions: it goes on there when the one who called it has gone. A
/// minion that does not answer is left to the proof.
async fn jobs_over(site: &Site, function: &str, places: &Places, step: &Step) -> Result<(), String> {
    let until = Instant::now() + step.timeout;
    let text =
        format!("salt --out=json --static --timeout=10 -L {} saltutil.running", quoted(&places.names(",")));
    loop {
        let said = salt::on_jump(site, &text, LOOK_LIMIT, None).await;
        let said = said.map_err(|trouble| format!("Salt cannot be asked: {}", trouble.words()))?;
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
