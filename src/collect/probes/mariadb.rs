//! MariaDB and MySQL: what the server is, whom it follows, who follows it, which cluster it is a node of, how busy it is.
//!
//! The client finds server and account by its own option file and socket, or runs under `sudo -n`; no password is in
//! any argument. An option file is believed: where it leads to another machine's server, that server is what answers; so
//! only hosts with a server of their own (or of role db) are asked at all. One installed that nobody expects to run, and
//! that never answered over this connection, is none (ERROR 2002: no socket) and is looked for with every twelfth report
//! only; one that answered and is gone is down.
//!
//! The batch format is read, not the vertical one: it escapes line ends and tabs inside values. Each statement follows a
//! row that names it and its line, by which an error on standard error finds its statement; so one refused does not blur
//! the next, and nothing else on standard error is taken for data.
//!
//! Statements go by version, so that none fills the server's log with errors or warnings: `SHOW ALL SLAVES` since MariaDB
//! 10.0, `SHOW REPLICA` since MySQL 8.0.22, `SHOW BINARY LOG STATUS` since 8.2. The version is asked once a connection,
//! and again when the server was gone, hung or says another one. A GTID is selected: `SHOW VARIABLES` cuts it at 1024.
//!
//! Nothing is left behind in the server: the session limits each statement and its own idle time, the client has a limit
//! on the host, and a session whose client was ended is killed from a second one. A statement that waits for a mutex of
//! the server ends with neither; `SHOW MASTER STATUS` does where the binary log's disk is full. So MariaDB is asked for its
//! place by a status variable that takes no such lock, and what hangs is not asked twice.

mod activity;
mod answer;
mod cluster;
mod status;

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::replication::{Database, Engine};
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

use answer::ClientAnswer;

pub(super) struct MariaDb;

impl Probe for MariaDb {
    fn name(&self) -> &'static str {
        "mariadb"
    }

    fn script(&self) -> &'static str {
        include_str!("mariadb/probe.sh")
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Every
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        let mut found = raw.and_then(parse);
        if let (Ok(databases), Some(before)) = (&mut found, &facts.databases.known) {
            let pairs = databases.iter_mut().zip(&before.value);
            for (server, old) in pairs.filter_map(|(a, b)| a.server.as_mut().ok().zip(b.server.as_ref().ok()))
            {
                server.activity.compare(&old.activity, before.at, at);
            }
        }
        facts.databases.take(found, at);
    }
}

/// The host's servers: none where none is installed. One that is there and cannot be asked is in the list, with the
/// reason.
fn parse(raw: &Raw) -> Result<Vec<Database>, Gap> {
    if raw.status == 127 && raw.text.is_empty() {
        return Ok(Vec::new());
    }
    let Some((first, text)) = raw.text.strip_prefix("@server ").and_then(|t| t.split_once('\n')) else {
        return Err(raw.gap().unwrap_or_else(|| unreadable(&raw.text)));
    };
    // `SERVER CLIENT`: either may be missing.
    let (program, _) = first.split_once(' ').unwrap_or((first, ""));
    let of_host = |gap: Gap| match gap {
        Gap::Failed(said) if program.is_empty() && nobody_listens(&said) => Gap::NoTool(nothing_here(&said)),
        gap => gap,
    };
    if text == "@no-client\n" {
        return no_client(program);
    }
    let answer = ClientAnswer::read(raw.status, text);
    let variables = answer.part("variables", &["variable_name", "value"]);
    let value = |name: &str| variables.as_ref().ok().and_then(|rows| status::variable(rows, name));
    // The server names itself; the names of the programs count only where it does not answer: a host with MariaDB's client may
    // ask a MySQL server.
    let words = match value("version") {
        Some(version) => [Some(version), value("version_comment")],
        None => [Some(first), None],
    };
    let maria = words.iter().flatten().any(|w| w.to_ascii_lowercase().contains("mariadb"));
    let server = match &variables {
        Ok(rows) if status::variable(rows, "version").is_some() => Ok(status::server(rows, &answer)),
        Ok(_) => Err(unreadable("no version among the server's variables")),
        Err(gap) => Err(of_host(gap.clone())),
    };
    let engine = if maria { Engine::MariaDb } else { Engine::MySql };
    Ok(vec![Database { engine, version: value("version").map(Clean::new), server }])
}

/// Without a client nobody can ask. Whether there is a server is known only where its program is here.
fn no_client(program: &str) -> Result<Vec<Database>, Gap> {
    if program.is_empty() {
        let said = "no client (mariadb, mysql) on this host, and no server found; a server in a container is not visible from the host";
        return Err(Gap::NoTool(Clean::new(said)));
    }
    let engine = if program.contains("mariadb") { Engine::MariaDb } else { Engine::MySql };
    let gap =
        Gap::NoTool(Clean::new("a server runs here, but there is no client (mariadb, mysql) to ask it with"));
    Ok(vec![Database { engine, version: None, server: Err(gap) }])
}

/// No socket (2002), or nobody at the address (2003).
fn nobody_listens(said: &Clean) -> bool {
    ["ERROR 2002 ", "ERROR 2003 "].iter().any(|error| said.as_str().starts_with(error))
}

/// No server answers where no server program is: it may be in a container.
fn nothing_here(said: &Clean) -> Clean {
    Clean::first_line(
        &format!(
            "no server found on this host ({said}); for one in a container, put its host or socket under [client] in \
             ~/.my.cnf"
        ),
        400,
    )
}

#[cfg(test)]
mod tests;
