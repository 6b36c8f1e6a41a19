//! Shell scripts: read by `/bin/sh` from its standard input, so that no argument holds any of it.

use zeroize::Zeroizing;

use super::manner::Manner;
use super::site::Site;
use super::ticket;
use super::trouble::{PlaceAnswers, Trouble, on_hosts};
use crate::runbook::definition::Script;
use crate::runbook::judge::HostAnswer;
use crate::runbook::machine::StepRef;
use crate::runbook::place::Places;
use crate::transport::error::ErrorKind;
use crate::transport::{Limits, Ran};
use jumpdeck_fleet::names::HostName;

mod stop;

/// Runs a step's script on its hosts at once.
pub(super) async fn on(
    site: &Site,
    at: StepRef<'_>,
    script: &Script,
    places: &Places,
    manner: Manner,
) -> PlaceAnswers {
    on_hosts(places, |host| run(site, at, script, host, manner)).await
}

/// Runs a script on a host.
pub(super) async fn run(
    site: &Site,
    at: StepRef<'_>,
    script: &Script,
    host: &HostName,
    manner: Manner,
) -> Result<HostAnswer, Trouble> {
    let text = at.at(Some(host), |scope| scope.script(script));
    let text = text.map_err(|e| Trouble::Failed(e.to_string()))?;
    let (text, ticket) = (Zeroizing::new(text), ticket::of(at, host, manner.what));
    let ran = ran_on(site, host, &text, script.sudo, manner.limit, manner.quiet, ticket.as_deref()).await?;
    answer(&ran, at.is_quiet())
}

/// Runs a script's text on a host, and takes what it printed for its answer. What is not shown as it comes (`quiet`) is not
/// quoted when it fails, either: our own scripts put their complaints on standard error.
pub(super) async fn text_on(
    site: &Site,
    host: &HostName,
    text: &str,
    sudo: bool,
    limits: impl Into<Limits>,
    quiet: bool,
    ticket: Option<&str>,
) -> Result<HostAnswer, Trouble> {
    answer(&ran_on(site, host, text, sudo, limits, quiet, ticket).await?, quiet)
}

/// Runs a script's text on a host. It reads nothing: its own input would be the rest of itself. With a ticket it is a
/// change: begun once only, however often it is sent, and only while the lease is ours. One that prints too much is ended
/// there.
async fn ran_on(
    site: &Site,
    host: &HostName,
    text: &str,
    sudo: bool,
    limits: impl Into<Limits>,
    quiet: bool,
    ticket: Option<&str>,
) -> Result<Ran, Trouble> {
    let session = site.session(host).await?;
    let whole = Zeroizing::new(match ticket {
        None => format!("{{\n{text}\n}} </dev/null\n"),
        Some(ticket) => {
            format!("{{ {}\n(\n{text}\n) </dev/null\n{}; }}\n", ticket::begin(ticket), ticket::end(ticket))
        }
    });
    let shell = if sudo && site.sudo(host) { "exec sudo -n /bin/sh" } else { "exec /bin/sh" };
    let name = stop::name();
    let mut sink = site.sink(host, quiet);
    if ticket.is_some() {
        site.still_ours().await?;
    }
    let ran = session.exec(&format!("{shell} -s {name}"), whole.as_bytes(), limits.into(), &mut sink).await;
    match ran {
        Ok(ran) => Ok(ran),
        Err(error) if error.kind == ErrorKind::Flooding => {
            let stopped = stop::on(session.as_ref(), shell, &name).await;
            let advice = "let it print less (into a file), or ask fewer hosts at once";
            Err(Trouble::Unknown(format!("{}: {}; {stopped}; {advice}", error.hop, error.describe())))
        }
        Err(error) => Err(Trouble::lost(&error)),
    }
}

/// What a script that ended says. A `secret` output is not quoted when it failed.
pub(super) fn answer(ran: &Ran, secret: bool) -> Result<HostAnswer, Trouble> {
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    match ran.status {
        Some(0) => Ok(HostAnswer::of_text(&text)),
        Some(status) => Err(Trouble::Failed(format!("exit status {status}{}", complaint(ran, secret)))),
        None => Err(Trouble::Unknown(format!("it was killed before it ended{}", complaint(ran, secret)))),
    }
}

/// The last line of what it complained of: of its errors, else of its output, unless that is secret.
pub(super) fn complaint(ran: &Ran, secret: bool) -> String {
    let stderr = String::from_utf8_lossy(&ran.stderr);
    let stdout = String::from_utf8_lossy(&ran.stdout);
    let last = |text: &str| text.lines().rev().find(|l| !l.trim().is_empty()).map(|l| l.trim().to_owned());
    last(&stderr)
        .or_else(|| if secret { None } else { last(&stdout) })
        .map(|line| format!(": {line}"))
        .unwrap_or_default()
}
