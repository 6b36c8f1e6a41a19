//! Statements of steps: in a session that is kept open, or by a client of their own.

use zeroize::Zeroizing;

use super::client::{self, NO_CLIENT, OPTIONS};
use super::manner::{For, Manner};
use super::site::Site;
use super::trouble::{PlaceAnswers, Trouble, on_hosts};
use super::{own_folder, session, ticket};
use crate::runbook::definition::Sql;
use crate::runbook::judge::HostAnswer;
use crate::runbook::machine::StepRef;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use jumpdeck_fleet::names::HostName;

/// Runs statements on hosts at once, each with its own variables.
pub(in crate::runbook) async fn on(
    site: &Site,
    at: StepRef<'_>,
    sql: &Sql,
    places: &Places,
    manner: Manner,
) -> PlaceAnswers {
    on_hosts(places, |host| run(site, at, sql, host, manner)).await
}

async fn run(
    site: &Site,
    at: StepRef<'_>,
    sql: &Sql,
    host: &HostName,
    manner: Manner,
) -> Result<HostAnswer, Trouble> {
    let text = at.at(Some(host), |scope| scope.sql(&sql.text));
    let text = Zeroizing::new(text.map_err(|e| Trouble::Failed(e.to_string()))?);
    if let Some(hold) = &sql.session
        && let Some(answer) = session::run(site, at, hold, host, &text, manner).await
    {
        return answer;
    }
    let text = Zeroizing::new(client::begun(text.to_string()));
    let session = site.session(host).await?;
    let mut printed = Vec::new();
    let mut sink = client::shown(|bytes: &[u8]| printed.extend_from_slice(bytes));
    let command = match ticket::of(at, host, manner.what) {
        None => client::client(site, host),
        Some(ticket) => only_once(site, host, &ticket),
    };
    match manner.what {
        For::Asking => {}
        For::Change | For::Undo => site.still_ours().await?,
    }
    let ran = session.exec(&command, text.as_bytes(), manner.limit.into(), &mut sink).await;
    drop(sink);
    client::show(site, host, manner, &String::from_utf8_lossy(&printed));
    client::answer(&ran.map_err(|e| Trouble::lost(&e))?, at.is_quiet())
}

/// The same for what must not be begun twice.
fn only_once(site: &Site, host: &HostName, ticket: &str) -> String {
    let sudo = if site.sudo(host) { "sudo -n " } else { "" };
    format!(
        "exec /bin/sh -c '{}; for c in mariadb mysql; do command -v $c >/dev/null || continue; {sudo}$c {OPTIONS}; {}; done; \
         rm -rf {}; {NO_CLIENT}'",
        ticket::begin(ticket),
        ticket::end(ticket),
        own_folder::path(ticket)
    )
}

/// Statements for eyes.
pub(in crate::runbook) fn shown_with_session(scope: &Scope<'_>, sql: &Sql) -> String {
    let text = scope.sql_shown(&sql.text);
    match &sql.session {
        Some(hold) => format!("{}\n-- in the session of {hold}", text.trim_end()),
        None => text,
    }
}
