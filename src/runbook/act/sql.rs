//! SQL: by the host's own client over its local socket, as the database's administrator. Statements go by standard
//! input: nothing of them stands in an argument.

use zeroize::Zeroizing;

use super::{Answer, Answers, Manner, Places, Site, StepRef, Trouble, on_hosts, own_folder, script, ticket};
use crate::domain::names::HostName;
use crate::runbook::reach::Ran;
use crate::runbook::spec::Sql;

/// The client's command. Constant, and plain enough for every login shell: it stands in single quotes.
const CLIENT: &str = "exec /bin/sh -c 'for c in mariadb mysql; do command -v $c >/dev/null && exec $c --user=root --batch \
                      --unbuffered --connect-timeout=5; done; echo there is no client: mariadb or mysql >&2; exit 127'";
const CLIENT_SUDO: &str = "exec /bin/sh -c 'for c in mariadb mysql; do command -v $c >/dev/null && exec sudo -n $c --user=root \
                           --batch --unbuffered --connect-timeout=5; done; echo there is no client: mariadb or mysql \
                           >&2; exit 127'";

/// The command of the client on a host.
pub(super) fn client(site: &Site, host: &HostName) -> &'static str {
    if site.sudo(host) { CLIENT_SUDO } else { CLIENT }
}

/// The same for what must not be begun twice.
fn once(site: &Site, host: &HostName, ticket: &str) -> String {
    let sudo = if site.sudo(host) { "sudo -n " } else { "" };
    format!(
        "exec /bin/sh -c '{}; for c in mariadb mysql; do command -v $c >/dev/null || continue; {sudo}$c --user=root --batch \
         --unbuffered --connect-timeout=5; {}; done; rm -rf {}; echo there is no client: mariadb or mysql >&2; exit 127'",
        ticket::begin(ticket),
        ticket::end(ticket),
        own_folder::path(ticket)
    )
}

/// Runs statements on hosts at once, each with its own variables.
pub(super) async fn on(site: &Site, at: StepRef<'_>, sql: &Sql, places: &Places, manner: Manner) -> Answers {
    on_hosts(places, |host| run(site, at, sql, host, manner)).await
}

async fn run(
    site: &Site,
    at: StepRef<'_>,
    sql: &Sql,
    host: &HostName,
    manner: Manner,
) -> Result<Answer, Trouble> {
    let text = at.at(Some(host), |scope| scope.sql(&sql.text, false));
    let text = text.map_err(|e| Trouble::Failed(e.to_string()))?;
    let text = Zeroizing::new(terminated(text));
    let session = site.session(host).await?;
    let mut sink = site.sink(host, manner.quiet);
    let command = match ticket::of(at, host, manner.what) {
        None => client(site, host).to_owned(),
        Some(ticket) => once(site, host, &ticket),
    };
    let ran = session.exec(&command, text.as_bytes(), manner.limit, &mut sink).await;
    answer(&ran.map_err(|e| Trouble::lost(&e))?)
}

/// Statements, the last one ended.
pub(super) fn terminated(mut text: String) -> String {
    text.truncate(text.trim_end().trim_end_matches(';').len());
    text.push_str(";\n");
    text
}

/// What the client says. A connection lost in the middle of a statement tells nothing of it (errors 2006, 2013, 2055).
fn answer(ran: &Ran) -> Result<Answer, Trouble> {
    match script::answer(ran) {
        Ok(answer) => Ok(Answer::of_sql(&answer.text)),
        Err(Trouble::Failed(_)) => {
            let stderr = String::from_utf8_lossy(&ran.stderr);
            let error = stderr.lines().find(|l| l.starts_with("ERROR ")).map(str::trim);
            let lost = ["ERROR 2006", "ERROR 2013", "ERROR 2055"];
            match error {
                Some(line) if lost.iter().any(|code| line.starts_with(code)) => {
                    Err(Trouble::Unknown(format!("the server was lost in the middle: {line}")))
                }
                Some(line) => Err(Trouble::Failed(line.to_owned())),
                None => Err(Trouble::Failed(format!("the client failed{}", script::complaint(ran)))),
            }
        }
        Err(trouble) => Err(trouble),
    }
}
