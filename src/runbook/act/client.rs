//! SQL by the host's own client over its local socket, as the database's administrator. Statements go by standard input: no
//! argument holds any of it.

use std::time::Duration;

use super::manner::Manner;
use super::script;
use super::site::Site;
use super::trouble::Trouble;
use crate::runbook::judge::HostAnswer;
use crate::runbook::layout;
use crate::transport::error::TransportError;
use crate::transport::{HostSessions, Ran};
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::text::Clean;

/// How the client is called: its option files may say where the server is and who logs in, not what statements mean and
/// how answers are printed. Plain enough for every login shell, within single quotes.
pub(super) const OPTIONS: &str = "--user=root --batch --unbuffered --connect-timeout=5 --default-character-set=utf8mb4 --column-names \
    --skip-table --skip-html --skip-xml --skip-vertical --skip-raw --skip-force --skip-safe-updates --skip-named-commands \
    --skip-reconnect \"--delimiter=;\" --loose-skip-auto-vertical-output --loose-skip-show-warnings \
    --loose-skip-binary-mode";
pub(super) const NO_CLIENT: &str = "echo there is no client: mariadb or mysql >&2; exit 127";

/// Begins every session. Literals are written for utf8mb4 and for backslashes that escape (`scope::literal`), so the
/// session is told so, whatever the server, an option file or `init_connect` says; modes that imply several others
/// would bring those back. `\C` tells the client itself, which cuts the statements apart. The only row proves that the
/// client prints as it was asked to.
const BEGIN: &str = "SET SESSION sql_mode = REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(\
    @@SESSION.sql_mode, 'NO_BACKSLASH_ESCAPES', ''), 'ANSI_QUOTES', ''), 'EMPTY_STRING_IS_NULL', ''), 'ANSI', ''), \
    'ORACLE', ''), 'MSSQL', ''), 'DB2', ''), 'MAXDB', ''), 'POSTGRESQL', ''); SET NAMES utf8mb4; \\C utf8mb4 ; \
    SELECT 'as\\tbatch' AS jumpdeck; ";
/// What that prints.
pub(super) const BEGUN: &str = "jumpdeck\nas\\tbatch\n";

/// The command of the client on a host.
pub(super) fn client(site: &Site, host: &HostName) -> String {
    command_of(if site.sudo(host) { "sudo -n " } else { "" })
}

pub(super) fn command_of(sudo: &str) -> String {
    format!(
        "exec /bin/sh -c 'for c in mariadb mysql; do command -v $c >/dev/null && exec {sudo}$c {OPTIONS}; done; {NO_CLIENT}'"
    )
}

/// Asks or tells a host's server by a client of its own.
pub(super) async fn once(
    site: &Site,
    host: &HostName,
    statements: &str,
    limit: Duration,
) -> Result<HostAnswer, Trouble> {
    let session = site.session(host).await?;
    let text = begun(statements.to_owned());
    let ran = session.exec(&client(site, host), text.as_bytes(), limit.into(), &mut |_| {}).await;
    answer(&ran.map_err(|e| Trouble::lost(&e))?, false)
}

/// Statements as they are sent to a new session.
pub(super) fn begun(statements: String) -> String {
    format!("{BEGIN}{}", terminated(statements))
}

/// What the statements printed, without what the beginning of the session did.
///
/// # Errors
/// What to do when an option file made the client print in another way: nothing of it can be read then.
pub(super) fn printed(text: &str) -> Result<&str, String> {
    text.strip_prefix(BEGUN).ok_or_else(|| PRINTS_OTHERWISE.to_owned())
}

/// Why an answer cannot be read.
pub(super) const PRINTS_OTHERWISE: &str = "the client prints in another format than it was asked for: remove silent, tee and execute from its option files (my.cnf)";

/// Shows what statements print, as it comes, without what the beginning of the session does.
pub(super) fn shown(mut sink: impl FnMut(&[u8]) + Send) -> impl FnMut(&[u8]) + Send {
    let mut left = BEGUN.matches('\n').count();
    move |bytes: &[u8]| {
        let mut rest = bytes;
        while left > 0 {
            let Some(end) = rest.iter().position(|b| *b == b'\n') else { return };
            rest = rest.get(end + 1..).unwrap_or_default();
            left -= 1;
        }
        sink(rest);
    }
}

/// Shows rows, which are laid out when all of them are there.
pub(super) fn show(site: &Site, host: &HostName, manner: Manner, printed: &str) {
    site.sink(host, manner.quiet)(layout::shown(printed).as_bytes());
}

/// Statements, the last one ended.
pub(super) fn terminated(mut text: String) -> String {
    text.truncate(text.trim_end().trim_end_matches(';').len());
    text.push_str(";\n");
    text
}

/// Asks a host's server before there is a run. Reads only: there is no ticket, and nothing to hide yet.
///
/// # Errors
/// Why there is no answer.
pub(in crate::runbook) async fn look(
    reach: &dyn HostSessions,
    host: &Host,
    statements: &str,
    limit: Duration,
) -> Result<HostAnswer, String> {
    let told = |e: TransportError| format!("{}: {}", e.hop, e.describe());
    let session = reach.host(&host.id.host).await.map_err(told)?;
    let command = command_of(if host.sudo { "sudo -n " } else { "" });
    let text = begun(statements.to_owned());
    let ran = session.exec(&command, text.as_bytes(), limit.into(), &mut |_| {}).await.map_err(told)?;
    answer(&ran, false).map_err(|trouble| Clean::new(trouble.words()).to_string())
}

/// What the client says. A connection lost in the middle of a statement tells nothing of it.
pub(super) fn answer(ran: &Ran, secret: bool) -> Result<HostAnswer, Trouble> {
    match script::answer(ran, secret) {
        Ok(answer) => printed(&answer.text).map(HostAnswer::of_sql).map_err(Trouble::Unknown),
        Err(Trouble::Failed(_)) => Err(complaint(ran, secret)),
        Err(trouble) => Err(trouble),
    }
}

/// Why a client ended with an error.
pub(super) fn complaint(ran: &Ran, secret: bool) -> Trouble {
    let stderr = String::from_utf8_lossy(&ran.stderr);
    let error = stderr.lines().find(|l| l.starts_with("ERROR ")).map(str::trim);
    match error {
        Some(line) if LOST.iter().any(|code| line.starts_with(code)) => {
            Trouble::Unknown(format!("the connection to the server was lost during the statement: {line}"))
        }
        Some(line) => Trouble::Failed(line.to_owned()),
        None => Trouble::Failed(format!("the client failed{}", script::complaint(ran, secret))),
    }
}

/// Errors that tell nothing of the statement: the server, the connection or the statement was ended in the middle of it.
const LOST: [&str; 6] =
    ["ERROR 1053 ", "ERROR 1317 ", "ERROR 1927 ", "ERROR 2006 ", "ERROR 2013 ", "ERROR 2055 "];

#[cfg(test)]
pub(super) mod tests;
