//! Scripts that outlive the connection: each in a folder of its own on the host, with its output and its status, found
//! again by the run's id and the step's. Making the folder is what begins it, so that it is never begun twice. It lies where
//! only the account that runs the script can write ([`own_folder`]): a status or an output there is the script's own.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use super::site::Site;
use super::trouble::{PlaceAnswers, Trouble, on_hosts};
use super::{own_folder, script, ticket};
use crate::runbook::definition::Script;
use crate::runbook::event::{HostOutcome, Outcomes, Verdict};
use crate::runbook::judge::HostAnswer;
use crate::runbook::machine::StepRef;
use crate::runbook::place::Places;
use crate::runbook::scope::quoted;
use jumpdeck_fleet::names::HostName;

/// Time between two looks at it.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A look that takes longer is none.
const LOOK_LIMIT: Duration = Duration::from_secs(15);
/// Bytes of an output that are read, fewer than a command may print.
const LARGEST: usize = 1_000_000;

/// The name of its folder on a host. Hosts may share the home of an account.
fn folder_on(at: StepRef<'_>, host: &HostName) -> String {
    format!("{}-{host}", ticket::folder(at))
}

/// Begins the script on hosts, and follows it to its end.
pub(super) async fn run(site: &Site, at: StepRef<'_>, text: &Script, places: &Places) -> PlaceAnswers {
    on_hosts(places, |host| async move {
        begin(site, at, text, host).await?;
        follow(site, at, host, text.sudo).await
    })
    .await
}

async fn begin(site: &Site, at: StepRef<'_>, text: &Script, host: &HostName) -> Result<(), Trouble> {
    let body = at.at(Some(host), |scope| scope.script(text)).map_err(|e| Trouble::Failed(e.to_string()))?;
    let begin = Zeroizing::new(begin_script(&folder_on(at, host), &body));
    // Its own folder keeps it from being begun twice, so it has no ticket.
    site.session(host).await?;
    site.still_ours().await?;
    script::text_on(site, host, &begin, text.sudo, LOOK_LIMIT, true, None).await.map(drop)
}

/// What begins it. The script is handed over as one word: no line of it, and no line of a value in it, can end it early.
fn begin_script(folder: &str, body: &str) -> String {
    format!(
        "{}\njd=$jd/{folder}\numask 077\nset -C\n\
         mkdir \"$jd\" || {{ echo 'it was begun before' >&2; exit 75; }}\n\
         echo {} >\"$jd/start\" && printf '%s\\n' {} >\"$jd/script\" ||\n\
         {{ rm -rf \"$jd\"; echo \"$jd cannot be written to: make room on its disk; nothing was started\" >&2; exit 73; }}\n\
         run='(set -C; : >\"$0/began\") || exit; sh \"$0/script\" >\"$0/out\" 2>\"$0/err\"; \
         echo $? >\"$0/status.new\"; mv \"$0/status.new\" \"$0/status\"'\n\
         if command -v systemd-run >/dev/null && systemd-run --quiet --collect sh -c \"$run\" \"$jd\" 2>/dev/null; then :\n\
         else nohup setsid sh -c \"$run\" \"$jd\" >/dev/null 2>&1 & echo $! {} >\"$jd/pid\"; fi",
        own_folder::PROVE_LASTING,
        own_folder::START,
        quoted(body),
        own_folder::START,
    )
}

/// Its state: `none`, `running`, `lost`, or its status and output.
async fn look(site: &Site, at: StepRef<'_>, host: &HostName, sudo: bool) -> Result<HostAnswer, Trouble> {
    let look = look_script(&folder_on(at, host), at.is_quiet());
    script::text_on(site, host, &look, sudo, LOOK_LIMIT, true, None).await
}

/// Looks at it. What a `secret` script printed is not told as the reason of a failure.
fn look_script(folder: &str, secret: bool) -> String {
    let printed = if secret { "" } else { "tail -c 1000 \"$jd/out\"; echo; " };
    format!(
        "{}\n{}\njd=$jd/{folder}\n\
         if [ ! -d \"$jd\" ]; then echo none\n\
         elif [ -f \"$jd/status\" ]; then\n\
         if [ \"$(cat \"$jd/status\")\" != 0 ]; then\n\
         cat \"$jd/status\"; {printed}tail -c 1000 \"$jd/err\"\n\
         elif [ \"$(wc -c <\"$jd/out\")\" -gt {LARGEST} ]; then echo \"large $jd/out\"\n\
         else cat \"$jd/status\" \"$jd/out\"; fi\n\
         elif jd_gone \"$jd/pid\" ||\n\
         {{ read -r jd_start <\"$jd/start\" && [ -n \"$jd_start\" ] && [ \"$jd_start\" != \"{}\" ]; }}; then\n\
         if [ -f \"$jd/status\" ]; then echo running; else echo lost; fi\n\
         else echo running; fi",
        own_folder::PROVE_LASTING,
        own_folder::GONE,
        own_folder::START,
    )
}

/// A lost connection does not end the wait: it looks again until the step's time is over.
async fn follow(site: &Site, at: StepRef<'_>, host: &HostName, sudo: bool) -> Result<HostAnswer, Trouble> {
    let until = Instant::now() + at.step().timeout;
    loop {
        let at_host = || format!("{} on {host}", own_folder::shown_lasting(&folder_on(at, host)));
        if let Ok(answer) = look(site, at, host, sudo).await {
            if answer.text.trim() == "lost" {
                let why = "it was killed, or the host restarted, before it ended";
                return Err(Trouble::Unknown(format!("{why}; look at {}", at_host())));
            }
            if let Some(ended) = ended(&answer.text) {
                return ended;
            }
        }
        if Instant::now() + LOOK_EVERY >= until {
            return Err(Trouble::Unknown(format!("it has not ended in time; look at {}", at_host())));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// How it ended, when it has.
fn ended(text: &str) -> Option<Result<HostAnswer, Trouble>> {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if let Some(place) = first.strip_prefix("large ") {
        let why = format!("it ended with exit status 0 and printed more than 1 MiB; read {place} there");
        return Some(Err(Trouble::Unknown(why)));
    }
    match first.trim().parse::<i32>().ok()? {
        0 => Some(Ok(HostAnswer::of_text(rest))),
        status => {
            let last = rest.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("it printed nothing");
            Some(Err(Trouble::Failed(format!("exit status {status}: {last}"))))
        }
    }
}

/// Finds one that was begun before, and follows it.
pub(super) async fn find(site: &Site, at: StepRef<'_>, text: &Script, places: &Places) -> Outcomes {
    let found = places.each_at_once(|place| async move {
        match place.host() {
            Some(host) => find_on(site, at, host, text.sudo).await,
            None => HostOutcome::of(Verdict::Unknown(Trouble::nowhere().words().to_owned())),
        }
    });
    found.await
}

async fn find_on(site: &Site, at: StepRef<'_>, host: &HostName, sudo: bool) -> HostOutcome {
    let (verdict, output) = match look(site, at, host, sudo).await {
        Err(trouble) => (
            Verdict::Unknown(format!("cannot check whether it was done: {}", trouble.words())),
            String::new(),
        ),
        Ok(answer) if answer.text.trim() == "none" => (Verdict::NotDone, String::new()),
        Ok(_) => match follow(site, at, host, sudo).await {
            Ok(answer) => (Verdict::Done, answer.text),
            Err(Trouble::Failed(why)) => (Verdict::Failed(why), String::new()),
            Err(Trouble::Unknown(why)) => (Verdict::Unknown(why), String::new()),
        },
    };
    HostOutcome { output, ..HostOutcome::of(verdict) }
}

#[cfg(test)]
mod tests;
