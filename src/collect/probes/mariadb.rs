//! MariaDB and MySQL: what the server is, whom it follows, who follows it.
//!
//! The client finds server and account by its own option file and socket, or runs under `sudo -n`; no password is in
//! any argument. The batch format is read, not the vertical one: it escapes line ends and tabs inside values. Each
//! statement follows a marker row of its own, so that one refused does not blur the next.

mod answer;
mod status;

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use crate::domain::fact::Gap;
use crate::domain::replication::{Database, Engine};
use crate::domain::snapshot::HostFacts;
use crate::domain::text::Clean;
use crate::domain::time::Moment;

use answer::{Answer, error_gap};

pub(super) struct MariaDb;

impl Probe for MariaDb {
    fn name(&self) -> &'static str {
        "mariadb"
    }

    fn script(&self) -> &'static str {
        // Statements by version, so that none fills the server's log with errors or warnings: SHOW ALL SLAVES since
        // MariaDB 10.0, SHOW REPLICA since MySQL 8.0.22, SHOW BINARY LOG STATUS since 8.2. The version is asked once
        // a connection, and again when the server was gone or says another one. An option file is believed: where it
        // leads to another machine's server, that server is what answers; so only hosts with a server of their own
        // (or of role db) are asked at all. One installed that nobody expects to run, and that never answered over this
        // connection, is none (ERROR 2002: no socket) and is looked for with every twelfth report only; one that answered
        // and is gone is down.
        r#"
        mariadb_have() {
            for mariadb_found in "$@"; do
                command -v "$mariadb_found" >/dev/null && return
            done
            mariadb_found=
            return 1
        }
        mariadb_ask() { $SUDO "$mariadb_client" --batch --connect-timeout=2 "$@" 2>&1 | head -c 131072; }
        mariadb_statements() {
            mariadb_replica='SHOW SLAVE STATUS' mariadb_hosts='SHOW SLAVE HOSTS' mariadb_binlog='SHOW MASTER STATUS'
            case $mariadb_version in
                [1-9].*[Mm]aria[Dd][Bb]*) ;;
                *[Mm]aria[Dd][Bb]*) mariadb_replica='SHOW ALL SLAVES STATUS' ;;
                [1-7].*|8.0.[0-9]|8.0.[0-9]-*|8.0.1[0-9]|8.0.1[0-9]-*|8.0.2[01]|8.0.2[01]-*) ;;
                8.[01].*) mariadb_replica='SHOW REPLICA STATUS' mariadb_hosts='SHOW REPLICAS' ;;
                *) mariadb_replica='SHOW REPLICA STATUS' mariadb_hosts='SHOW REPLICAS'
                   mariadb_binlog='SHOW BINARY LOG STATUS' ;;
            esac
            jd_in="SELECT 'variables' AS jd_part;
        SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version','version_comment','server_id','read_only','log_bin',
        'log_slave_updates','log_replica_updates','gtid_current_pos','gtid_executed','have_ssl','ssl_cert');
        SELECT 'connections' AS jd_part;
        $mariadb_replica;
        SELECT 'replicas' AS jd_part;
        $mariadb_hosts;
        SELECT 'binlog' AS jd_part;
        $mariadb_binlog;
        SELECT 'end' AS jd_part;
        "
        }
        probe_mariadb() {
            if [ "${mariadb_idle:-0}" -gt 0 ]; then
                mariadb_idle=$((mariadb_idle - 1))
                return 127
            fi
            mariadb_have mariadbd mysqld /usr/libexec/mariadbd /usr/libexec/mysqld /usr/local/mysql/bin/mysqld ||
                [ "$DB_EXPECTED" = yes ] || return 127
            mariadb_server=$mariadb_found
            if ! mariadb_have mariadb mysql; then
                [ -n "$mariadb_server" ] || return 127
                say "@server $mariadb_server"
                say 'there is a server, and no client (mariadb, mysql) to ask it with'
                return 1
            fi
            mariadb_client=$mariadb_found
            if [ -z "$mariadb_version" ]; then
                jd_in='SELECT VERSION();'
                apart mariadb 3 mariadb_ask --skip-column-names
                mariadb_status=$?
                mariadb_version=${jd_out%"$NL"}
                mariadb_version=${mariadb_version##*"$NL"}
                case $mariadb_status$mariadb_version in
                    0[1-9]*.*) jd_out= mariadb_seen=yes ;;
                    *) mariadb_version=; jd_out="@server $mariadb_server $mariadb_client$NL$jd_out"
                       [ "$mariadb_status" != 0 ] || mariadb_status=1
                       case $DB_EXPECTED$mariadb_seen$jd_out in
                           no@*'ERROR 2002 '*) jd_out= mariadb_idle=11; return 127 ;;
                       esac
                       return "$mariadb_status" ;;
                esac
            fi
            say "@server $mariadb_server $mariadb_client"
            mariadb_statements
            apart mariadb 3 mariadb_ask --unbuffered --force
            mariadb_status=$?
            case $jd_out in *"$NL"version"	$mariadb_version$NL"*) ;; *) mariadb_version= ;; esac
            return "$mariadb_status"
        }
        "#
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Every
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        facts.databases.take(raw.and_then(parse), at);
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
    let answer = Answer::read(text);
    let variables = answer.part("variables");
    let value = |name: &str| variables.as_ref().ok().and_then(|rows| status::variable(rows, name));
    let words = [value("version"), value("version_comment"), Some(first)];
    let maria = words.iter().flatten().any(|w| w.to_ascii_lowercase().contains("mariadb"));
    let server = match &variables {
        Ok(rows) if status::variable(rows, "version").is_some() => Ok(status::server(rows, &answer)),
        Ok(_) => Err(unreadable("no version among the server's variables")),
        Err(gap) => Err(whole_gap(raw.status, text).unwrap_or_else(|| gap.clone())),
    };
    let engine = if maria { Engine::MariaDb } else { Engine::MySql };
    Ok(vec![Database { engine, version: value("version").map(Clean::new), server }])
}

/// Why the server could not be asked at all: refused by `sudo` or the server, not there, timed out.
fn whole_gap(status: u8, text: &str) -> Option<Gap> {
    if let Some(gap) = text.lines().find_map(error_gap) {
        return Some(gap);
    }
    if let Some(line) = text.lines().find(|l| l.starts_with("sudo:")) {
        return Some(Gap::NotPermitted(Clean::first_line(line, 200)));
    }
    let raw = Raw { status, text: text.to_owned() };
    raw.gap()
}

#[cfg(test)]
mod tests;
