//! Scripts that outlive the link: each in a folder of its own on the host, with its output and its status, found again
//! by the run's id and the step's. Making the folder is what begins it, so that it is never begun twice. It lies where
//! only the account that runs the script can write ([`own_folder`]): a status or an output there is the script's own.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use super::{Answer, HostOutcome, Machine, Site, Step, Trouble, Verdict, own_folder, script};
use crate::runbook::spec::Script;

/// Time between two looks at it.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A look that takes longer is none.
const LOOK_LIMIT: Duration = Duration::from_secs(15);
/// Bytes of an output that are read, fewer than a command may print.
const LARGEST: usize = 1_000_000;

/// The name of its folder on the host.
pub(super) fn folder(machine: &Machine, index: usize) -> String {
    let step = machine.plan().steps.get(index).map_or("", |s| s.id.as_str());
    let attempt = machine.records().get(index).map_or(1, |r| r.attempts.max(1));
    let plain: String =
        step.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    format!("{}-{plain}-{attempt}", machine.run)
}

/// Begins the script on hosts, and follows it to its end.
pub(super) async fn run(
    site: &Site,
    machine: &Machine,
    index: usize,
    text: &Script,
    hosts: &[String],
    step: &Step,
) -> BTreeMap<String, Result<Answer, Trouble>> {
    let runs = hosts.iter().map(|host| async move {
        let begun = begin(site, machine, index, text, host).await;
        let ended = match begun {
            Ok(()) => follow(site, machine, index, host, step, text.sudo).await,
            Err(trouble) => Err(trouble),
        };
        (host.clone(), ended)
    });
    futures::future::join_all(runs).await.into_iter().collect()
}

async fn begin(
    site: &Site,
    machine: &Machine,
    index: usize,
    text: &Script,
    host: &str,
) -> Result<(), Trouble> {
    let body = machine.at(index, Some(host), |scope| scope.script(text, false));
    let body = body.unwrap_or_else(|| Ok(String::new())).map_err(|e| Trouble::Failed(e.to_string()))?;
    let begin = Zeroizing::new(format!(
        "{}\njd=$jd/{}\numask 077\nset -C\n\
         mkdir \"$jd\" || {{ echo 'it was begun before' >&2; exit 75; }}\n\
         cat >\"$jd/script\" <<'JUMPDECK_END_OF_SCRIPT'\n{body}\nJUMPDECK_END_OF_SCRIPT\n\
         run='sh \"$0/script\" >\"$0/out\" 2>\"$0/err\"; echo $? >\"$0/status.new\"; mv \"$0/status.new\" \"$0/status\"'\n\
         if command -v systemd-run >/dev/null && systemd-run --quiet --collect sh -c \"$run\" \"$jd\" 2>/dev/null; then :\n\
         else nohup setsid sh -c \"$run\" \"$jd\" >/dev/null 2>&1 & echo $! >\"$jd/pid\"; fi",
        own_folder::PROVE,
        folder(machine, index)
    ));
    match script::text_on(site, host, &begin, text.sudo, LOOK_LIMIT, true, None).await {
        Ok(_) => Ok(()),
        Err(trouble) => Err(trouble),
    }
}

/// Where it stands: `none`, `running`, or its status and output.
async fn look(
    site: &Site,
    machine: &Machine,
    index: usize,
    host: &str,
    sudo: bool,
) -> Result<Answer, Trouble> {
    let look = format!(
        "{}\njd=$jd/{}\n\
         if [ ! -d \"$jd\" ]; then echo none\nelif [ ! -f \"$jd/status\" ]; then echo running\n\
         elif [ \"$(wc -c <\"$jd/out\")\" -gt {LARGEST} ]; then echo \"large $(cat \"$jd/status\") $jd/out\"\n\
         else cat \"$jd/status\" \"$jd/out\"; [ \"$(cat \"$jd/status\")\" = 0 ] || tail -n 1 \"$jd/err\"; fi",
        own_folder::PROVE,
        folder(machine, index)
    );
    script::text_on(site, host, &look, sudo, LOOK_LIMIT, true, None).await
}

/// A link that is lost meanwhile is no end: it is looked for again until the step's time is over.
async fn follow(
    site: &Site,
    machine: &Machine,
    index: usize,
    host: &str,
    step: &Step,
    sudo: bool,
) -> Result<Answer, Trouble> {
    let until = Instant::now() + step.timeout;
    loop {
        if let Ok(answer) = look(site, machine, index, host, sudo).await
            && let Some(ended) = ended(&answer.text)
        {
            return ended;
        }
        if Instant::now() + LOOK_EVERY >= until {
            let folder = own_folder::shown(&folder(machine, index));
            return Err(Trouble::Unknown(format!("it has not ended in time; look at {folder} on {host}")));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// How it ended, when it has.
fn ended(text: &str) -> Option<Result<Answer, Trouble>> {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if let Some((status, place)) = first.strip_prefix("large ").and_then(|large| large.split_once(' ')) {
        let why =
            format!("it ended with exit status {status}, and printed more than 1 MiB; read {place} there");
        return Some(Err(Trouble::Unknown(why)));
    }
    match first.trim().parse::<i32>().ok()? {
        0 => Some(Ok(Answer::of_text(rest))),
        status => {
            let last = rest.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("it said nothing");
            Some(Err(Trouble::Failed(format!("exit status {status}: {last}"))))
        }
    }
}

/// Finds one that was begun before, and follows it.
pub(super) async fn find(
    site: &Site,
    machine: &Machine,
    index: usize,
    hosts: &[String],
    step: &Step,
) -> BTreeMap<String, HostOutcome> {
    let mut found = BTreeMap::new();
    let sudo = matches!(&step.act, crate::runbook::spec::Act::Run(s) | crate::runbook::spec::Act::Fence(s) if s.sudo);
    for host in hosts {
        let (verdict, output) = match look(site, machine, index, host, sudo).await {
            Err(trouble) => {
                (Verdict::Unknown(format!("it cannot be asked: {}", trouble.words())), String::new())
            }
            Ok(answer) if answer.text.trim() == "none" => (Verdict::NotDone, String::new()),
            Ok(_) => match follow(site, machine, index, host, step, sudo).await {
                Ok(answer) => (Verdict::Done, answer.text),
                Err(Trouble::Failed(why)) => (Verdict::Failed(why), String::new()),
                Err(Trouble::Unknown(why)) => (Verdict::Unknown(why), String::new()),
            },
        };
        found.insert(
            host.clone(),
            HostOutcome { verdict, values: BTreeMap::new(), output, proof: Vec::new() },
        );
    }
    found
}
