//! Salt: run on the jump box, about the step's hosts. Its exit status proves nothing: every host must answer, and of
//! states each must be `result: true`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value as Json;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep};

use super::manner::For;
use super::site::Site;
use super::trouble::{PlaceAnswers, Trouble};
use super::{own_folder, script, ticket};
use crate::runbook::definition::SaltCall;
use crate::runbook::event::{HostOutcome, Outcomes, Verdict};
use crate::runbook::judge::HostAnswer;
use crate::runbook::machine::StepRef;
use crate::runbook::place::{Place, Places};
use crate::runbook::scope::{Scope, ScopeError, quoted};
use crate::transport::Limits;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::text::Clean;

mod argument;

/// What hosts said, each still to be read.
type Printed<'t> = BTreeMap<String, &'t RawValue>;

/// Bytes of a call's answer: a highstate of 200 hosts, 300 KiB each. Only the jump box is believed that much.
const LARGEST_CALL: usize = 64 << 20;

/// Time between two looks at a job, or two tries while another state run is under way.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Beginning a job, or asking of one, takes no longer.
const JOB_LIMIT: Duration = Duration::from_secs(60);

/// What Salt prints for a value of the pillar that it hides.
const MASKED: &str = "**********";

/// The command, word by word.
fn command(
    scope: &Scope<'_>,
    call: &SaltCall,
    places: &Places,
    limit: Duration,
) -> Result<String, ScopeError> {
    let arguments = call.arguments.iter().map(|argument| argument::word(scope, argument));
    let arguments: Vec<String> = arguments.collect::<Result<_, _>>()?;
    Ok(line(call, places, limit, arguments.iter().map(|word| quoted(word)).collect()))
}

/// The command with its arguments, which are quoted.
fn line(call: &SaltCall, places: &Places, limit: Duration, arguments: Vec<String>) -> String {
    let mut words = vec!["salt".to_owned(), "--out=json".to_owned(), "--static".to_owned()];
    if call.job {
        words = vec!["salt".to_owned(), "--async".to_owned()];
    } else {
        // Salt gives up a little before the step does, so that it can say on whom.
        words.push(format!("--timeout={}", limit.as_secs().saturating_sub(2).max(3)));
    }
    words.extend(["-L".to_owned(), places.names(","), call.function.clone()]);
    words.iter().map(|w| quoted(w)).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// The command for eyes: an argument that rests on what is not known (yet) as it was written.
pub(in crate::runbook) fn shown(scope: &Scope<'_>, call: &SaltCall, places: &Places) -> String {
    let arguments = call.arguments.iter().map(|argument| match argument::word(scope, argument) {
        Ok(word) => quoted(&word),
        Err(_) => argument.to_string(),
    });
    line(call, places, scope.step.step.timeout, arguments.collect())
}

/// Does a step's call.
pub(in crate::runbook) async fn on(
    site: &Site,
    at: StepRef<'_>,
    salt: &SaltCall,
    places: &Places,
    what: For,
) -> PlaceAnswers {
    if !salt.job {
        return call(site, at, salt, places, at.step().timeout, what).await;
    }
    match start(site, at, salt, places, what).await {
        Ok(jid) => follow(site, at, salt, places, &jid).await,
        Err(trouble) => places.each(|_| Err(trouble.clone())),
    }
}

/// Calls, and waits for the answers. While another state run is under way it waits and tries again: nothing was started.
pub(super) async fn call(
    site: &Site,
    at: StepRef<'_>,
    salt: &SaltCall,
    places: &Places,
    limit: Duration,
    what: For,
) -> PlaceAnswers {
    let until = Instant::now() + limit;
    let ticket = ticket::of(at, site.reach.jump(), what);
    let mut extra = "";
    loop {
        let said = match at.at(None, |scope| command(&scope, salt, places, limit)) {
            Err(error) => Err(Trouble::Failed(error.to_string())),
            Ok(_) if places.hosts().next().is_none() => Err(Trouble::nowhere()),
            Ok(text) => {
                let text = format!("{}\n{text}{extra}", salt_is_there());
                on_jump(site, &text, limit, ticket.as_deref()).await.map_err(on_minions)
            }
        };
        let answers = answers(&said, places, salt);
        // Salt 3008 and newer show the pillar as asterisks unless asked not to; older ones do not know the word.
        if extra.is_empty() && answers.values().any(|a| matches!(a, Ok(answer) if answer.text == MASKED)) {
            extra = " unmask=True";
            continue;
        }
        let busy = answers
            .values()
            .any(|a| matches!(a, Err(Trouble::Failed(why)) if why.contains(" is running as PID")));
        if !busy || Instant::now() + LOOK_EVERY >= until {
            // Where nothing came of the call itself, its reason is ours and holds nothing that Salt printed.
            return if said.is_ok() { quotable(at, answers) } else { answers };
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Why nothing was called.
const MISSING: &str = "the jump box has no program \"salt\". Where there is no Salt, write salt = false into the inventory (docs/inventory.md)";

/// A line that ends a script of ours where there is no Salt, before anything is begun.
fn salt_is_there() -> String {
    format!("command -v salt >/dev/null 2>&1 || {{ echo {} >&2; exit 127; }}", quoted(MISSING))
}

/// Answers without what Salt printed as the reason of a failure, where that may be a secret.
fn quotable(at: StepRef<'_>, answers: PlaceAnswers) -> PlaceAnswers {
    match at.is_quiet() {
        true => answers.map(|_, answer| answer.clone().map_err(unquoted)),
        false => answers,
    }
}

fn unquoted(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Failed(why) if why != SILENT => {
            Trouble::Failed("the call failed; what Salt printed is not shown".to_owned())
        }
        Trouble::Failed(_) | Trouble::Unknown(_) => trouble,
    }
}

/// Runs a command on the jump box; whatever its exit status, what it printed is looked at.
pub(super) async fn on_jump(
    site: &Site,
    command: &str,
    limit: Duration,
    ticket: Option<&str>,
) -> Result<String, Trouble> {
    let text = format!("{command} || echo \"jumpdeck: exit status $?\" >&2");
    let limits = Limits { time: limit + Duration::from_secs(5), bytes: LARGEST_CALL };
    Ok(script::text_on(site, site.reach.jump(), &text, true, limits, true, ticket).await?.text)
}

/// What is lost or stopped here is not stopped on the minions.
fn on_minions(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Failed(why) => Trouble::Failed(why),
        Trouble::Unknown(why) => {
            Trouble::Unknown(format!("{why}. Minions may still be working: salt-run jobs.active shows it"))
        }
    }
}

/// Every place's answer in what Salt printed. That may be large: it is taken apart once.
fn answers(said: &Result<String, Trouble>, places: &Places, salt: &SaltCall) -> PlaceAnswers {
    let printed = said.as_ref().map_err(Clone::clone).and_then(|text| printed(text));
    places.each(|place| {
        let host = place.host().ok_or_else(Trouble::nowhere)?;
        of_host(printed.as_ref().map_err(Clone::clone)?, host, salt)
    })
}

/// What Salt printed, host by host.
fn printed(text: &str) -> Result<Printed<'_>, Trouble> {
    // Warnings may stand before the JSON.
    let json = text.find('{').and_then(|at| text.get(at..)).unwrap_or_default();
    serde_json::from_str(json.trim()).map_err(|_| {
        Trouble::Failed(format!(
            "{NO_JSON}: {}",
            text.trim()
                .lines()
                .next_back()
                .unwrap_or("it printed nothing; see the Salt master's log, and the room on its disks")
        ))
    })
}

/// How it is said that a host is missing in Salt's answer.
const SILENT: &str = "the minion did not answer";
/// How it is said that Salt's answer cannot be read.
const NO_JSON: &str = "Salt printed no JSON";

/// A host's part of what Salt printed.
fn of_host(printed: &Printed<'_>, host: &HostName, salt: &SaltCall) -> Result<HostAnswer, Trouble> {
    let silent = || Trouble::Failed(SILENT.to_owned());
    let said = printed.get(host.as_str()).ok_or_else(silent)?;
    let unreadable = |error| Trouble::Failed(format!("{NO_JSON} about {host}: {error}"));
    let said: Json = serde_json::from_str(said.get()).map_err(unreadable)?;
    match &said {
        Json::Bool(false) if !salt.states && salt.function != "test.ping" => {}
        Json::String(text) if text.starts_with("Minion did not return") => return Err(silent()),
        Json::String(text) if text.contains("is not available") || text.starts_with("ERROR") => {
            return Err(Trouble::Failed(text.clone()));
        }
        _ => {}
    }
    if salt.states {
        states(&said)?;
    }
    Ok(HostAnswer::of_text(&match said {
        Json::String(text) => text,
        other => other.to_string(),
    }))
}

/// Every state must have been applied.
fn states(said: &Json) -> Result<(), Trouble> {
    let Some(all) = said.as_object() else {
        let why = match said {
            Json::Array(lines) => lines.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(" "),
            other => other.to_string(),
        };
        return Err(Trouble::Failed(format!("no states were applied: {why}")));
    };
    let bad: Vec<String> = all
        .iter()
        .filter(|(_, state)| state.get("result") != Some(&Json::Bool(true)))
        .map(|(id, state)| {
            let comment = state.get("comment").and_then(Json::as_str).unwrap_or("no comment");
            format!(
                "{}: {}",
                id.split("_|-").nth(1).unwrap_or(id),
                comment.lines().next().unwrap_or_default()
            )
        })
        .collect();
    match (all.is_empty(), bad.is_empty()) {
        (true, _) => Err(Trouble::Failed("no state matches this host".to_owned())),
        (_, true) => Ok(()),
        _ => {
            Err(Trouble::Failed(format!("{} of {} states failed: {}", bad.len(), all.len(), bad.join("; "))))
        }
    }
}

/// Where the number of a step's job is kept on the jump box from the moment that it is begun: Salt takes none of ours. Words
/// of `/bin/sh` that leave it in `$jd`.
fn folder(at: StepRef<'_>) -> String {
    format!("{}\njd=$jd/{}", own_folder::PROVE_LASTING, ticket::folder(at))
}

/// Starts a job and returns its number. That of an undo is kept nowhere: its minions are asked whether it is over, and its
/// proof whether it did it.
async fn start(
    site: &Site,
    at: StepRef<'_>,
    salt: &SaltCall,
    places: &Places,
    what: For,
) -> Result<String, Trouble> {
    if places.hosts().next().is_none() {
        return Err(Trouble::nowhere());
    }
    let text = at.at(None, |scope| command(&scope, salt, places, JOB_LIMIT));
    let text = text.map_err(|e| Trouble::Failed(e.to_string()))?;
    let jump = site.reach.jump();
    let (text, ticket) = match what {
        For::Asking | For::Change => {
            let kept = format!(
                "{}\n{}\numask 077\nset -C\nmkdir \"$jd\" || {{ echo 'it was begun before' >&2; exit 75; }}\n\
                 {text} >\"$jd/job\" 2>&1\ncat \"$jd/job\"",
                salt_is_there(),
                folder(at)
            );
            (kept, None)
        }
        For::Undo => (format!("{}\n{text} 2>&1", salt_is_there()), ticket::of(at, jump, what)),
    };
    // One that is kept in its own folder has no ticket, by which the lease is looked at.
    site.session(jump).await?;
    site.still_ours().await?;
    let said = script::text_on(site, jump, &text, true, JOB_LIMIT, true, ticket.as_deref()).await?.text;
    number(&said).ok_or_else(|| {
        let last = if at.is_quiet() { None } else { said.trim().lines().next_back() };
        Trouble::Failed(format!("Salt gave no job id: {}", last.unwrap_or("what it printed is not shown")))
    })
}

/// The number of a job in what Salt printed.
fn number(said: &str) -> Option<String> {
    let digits = |w: &&str| w.len() >= 14 && w.chars().all(|c| c.is_ascii_digit());
    said.rsplit(char::is_whitespace).find(digits).map(str::to_owned)
}

/// Follows a job to its end.
async fn follow(site: &Site, at: StepRef<'_>, salt: &SaltCall, places: &Places, jid: &str) -> PlaceAnswers {
    let until = Instant::now() + at.step().timeout;
    (site.out)(&Place::Nowhere, vec![Clean::new(&format!("job {jid}"))]);
    loop {
        let answers = look_up(site, salt, places, jid).await;
        let open = answers.values().any(|a| matches!(a, Err(Trouble::Unknown(_))));
        if !open || Instant::now() + LOOK_EVERY >= until {
            return quotable(at, answers);
        }
        sleep(LOOK_EVERY).await;
    }
}

/// What a job has brought so far; a host that has not answered yet is unknown.
async fn look_up(site: &Site, salt: &SaltCall, places: &Places, jid: &str) -> PlaceAnswers {
    let text = format!("salt-run --out=json jobs.lookup_jid {}", quoted(jid));
    let said = on_jump(site, &text, JOB_LIMIT, None).await;
    let open = |place: &Place, why: &str| {
        Err(Trouble::Unknown(format!(
            "job {jid} has not ended on {place}{why}: look with salt-run jobs.lookup_jid {jid}"
        )))
    };
    answers(&said, places, salt).map(|place, answer| match (&said, answer) {
        (Err(trouble), _) => open(place, &format!(", or its end could not be read ({})", trouble.words())),
        (Ok(_), Err(Trouble::Failed(why))) if why.starts_with(NO_JSON) || why == SILENT => open(place, ""),
        (Ok(_), answer) => answer.clone(),
    })
}

/// Finds a job that was begun before, and follows it.
pub(in crate::runbook) async fn find(
    site: &Site,
    at: StepRef<'_>,
    salt: &SaltCall,
    places: &Places,
) -> Outcomes {
    let every = |verdict: Verdict| places.each(|_| HostOutcome::of(verdict.clone()));
    let folder = folder(at);
    let look = format!("{folder}\nif [ -d \"$jd\" ]; then cat \"$jd/job\"; else echo none; fi");
    let said = on_jump(site, &look, JOB_LIMIT, None).await;
    let jid = match &said {
        Err(trouble) => {
            return every(Verdict::Unknown(format!("cannot check whether it was done: {}", trouble.words())));
        }
        Ok(said) if said.trim() == "none" => return every(Verdict::NotDone),
        Ok(said) => number(said),
    };
    let Some(jid) = jid else {
        let why = format!(
            "Salt printed no job id; look with salt-run jobs.list_jobs search_function={}",
            salt.function
        );
        return every(Verdict::Unknown(why));
    };
    let answers = follow(site, at, salt, places, &jid).await;
    answers.map(|_, answer| {
        let (verdict, output) = match answer {
            Ok(answer) => (Verdict::Done, answer.text.clone()),
            Err(Trouble::Failed(why)) => (Verdict::Failed(why.clone()), String::new()),
            Err(Trouble::Unknown(why)) => (Verdict::Unknown(why.clone()), String::new()),
        };
        HostOutcome { output, ..HostOutcome::of(verdict) }
    })
}

#[cfg(test)]
mod tests;
