//! `CHANGE MASTER ['name'] TO …`: what is not said stays as it was.

use crate::mariadb::Place;
use crate::mariadb::replica::{Connection, Using};
use crate::world::World;

use super::SqlError;
use super::execute::{Outcome, Session};
use super::lexer::{Cursor, Token};
use super::threads::{misconfigured, still_running};

/// An option and its value, as read.
enum Value {
    Text(String),
    Number(u64),
    Word(String),
}

/// What the options say.
#[derive(Default)]
struct Wanted {
    host: Option<String>,
    port: Option<u32>,
    user: Option<String>,
    password: Option<String>,
    file: Option<String>,
    position: Option<u64>,
    using: Option<Using>,
    tls: Option<bool>,
    tls_files: [Option<String>; 3],
    verify: Option<bool>,
    delay: Option<u64>,
}

pub(super) fn run(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<Outcome, SqlError> {
    c.expect_word("master")?;
    let name = if session.version.mariadb { c.text().unwrap_or_default() } else { String::new() };
    c.expect_word("to")?;
    let mut wanted = Wanted::default();
    loop {
        option(session, c, &mut wanted)?;
        if !c.symbol(',') {
            break;
        }
    }
    c.end()?;
    session.need(&["SUPER", "REPLICATION SLAVE ADMIN"])?;
    let newer = session.version.mariadb_from(10, 10);
    let server = session.server(world)?;
    let place = match server.connections.iter().position(|c| c.name == name) {
        Some(place) => place,
        None if wanted.host.is_none() => return Err(misconfigured()),
        None => {
            let same = |c: &&Connection| Some(&c.host) == wanted.host.as_ref();
            if let Some(other) = server.connections.iter().find(same) {
                let message =
                    format!("Connection '{name}' conflicts with existing connection '{}'", other.name);
                return Err(SqlError::new(1934, "HY000", message));
            }
            let using = if newer { Using::SlavePos } else { Using::No };
            server.connections.push(Connection {
                name: name.clone(),
                port: 3306,
                using,
                ..Connection::default()
            });
            server.connections.len() - 1
        }
    };
    let Some(connection) = server.connections.get_mut(place) else { return Ok(Outcome::Done) };
    if connection.io_started || connection.sql_started {
        return Err(still_running(session, &name));
    }
    wanted.put_into(connection);
    Ok(Outcome::Done)
}

impl Wanted {
    fn put_into(self, c: &mut Connection) {
        let moved = self.host.as_ref().is_some_and(|host| *host != c.host)
            || self.port.is_some_and(|port| port != c.port);
        let placed = self.file.is_some() || self.position.is_some();
        c.host = self.host.unwrap_or_else(|| c.host.clone());
        c.port = self.port.unwrap_or(c.port);
        c.user = self.user.unwrap_or_else(|| c.user.clone());
        c.password = self.password.unwrap_or_else(|| c.password.clone());
        c.tls = self.tls.unwrap_or(c.tls);
        c.verify = self.verify.unwrap_or(c.verify);
        c.delay = self.delay.unwrap_or(c.delay);
        for (file, new) in c.tls_files.iter_mut().zip(self.tls_files) {
            *file = new.unwrap_or_else(|| file.clone());
        }
        // A place, or another host, means following by place, unless it is said otherwise.
        c.using = match self.using {
            Some(using) => using,
            None if placed => Using::No,
            None => c.using,
        };
        let file = self.file.and_then(|file| Place::parse(&file, self.position.unwrap_or(4)));
        c.start_over(moved, file, self.position);
    }
}

fn option(session: &Session, c: &mut Cursor<'_>, wanted: &mut Wanted) -> Result<(), SqlError> {
    let before = c.syntax();
    let Some(Token::Word(word)) = c.next() else { return Err(before) };
    let name = word.to_ascii_lowercase();
    static TEXTS: &[&str] = &[
        "master_host",
        "master_user",
        "master_password",
        "master_log_file",
        "master_ssl_ca",
        "master_ssl_capath",
        "master_ssl_cert",
        "master_ssl_key",
        "master_ssl_cipher",
        "master_ssl_crl",
        "master_ssl_crlpath",
        "relay_log_file",
    ];
    static NUMBERS: &[&str] = &[
        "master_port",
        "master_log_pos",
        "master_ssl",
        "master_ssl_verify_server_cert",
        "master_connect_retry",
        "master_heartbeat_period",
        "relay_log_pos",
        "master_delay",
    ];
    let known = TEXTS.contains(&name.as_str())
        || NUMBERS.contains(&name.as_str())
        || name == "master_use_gtid" && session.version.mariadb
        || matches!(name.as_str(), "ignore_server_ids" | "do_domain_ids" | "ignore_domain_ids");
    if !known || name == "master_delay" && !session.version.mariadb_from(10, 2) {
        return Err(before);
    }
    c.expect('=')?;
    if c.symbol('(') {
        while !c.symbol(')') {
            if c.next().is_none() {
                return Err(c.syntax());
            }
        }
        return Ok(());
    }
    let before = c.syntax();
    let value = match c.next() {
        Some(Token::Text(text)) if TEXTS.contains(&name.as_str()) => Value::Text(text),
        Some(Token::Number(number)) if NUMBERS.contains(&name.as_str()) => {
            Value::Number(number.split('.').next().and_then(|n| n.parse().ok()).unwrap_or(0))
        }
        Some(Token::Word(word)) if name == "master_use_gtid" => Value::Word(word.to_ascii_lowercase()),
        _ => return Err(before),
    };
    keep(wanted, &name, value, before)
}

fn keep(wanted: &mut Wanted, name: &str, value: Value, before: SqlError) -> Result<(), SqlError> {
    let [ca, cert, key] = &mut wanted.tls_files;
    match (name, value) {
        ("master_host", Value::Text(text)) => wanted.host = Some(text),
        ("master_user", Value::Text(text)) => wanted.user = Some(text),
        ("master_password", Value::Text(text)) => wanted.password = Some(text),
        ("master_log_file", Value::Text(text)) => wanted.file = Some(text),
        ("master_ssl_ca", Value::Text(text)) => *ca = Some(text),
        ("master_ssl_cert", Value::Text(text)) => *cert = Some(text),
        ("master_ssl_key", Value::Text(text)) => *key = Some(text),
        ("master_port", Value::Number(number)) => wanted.port = u32::try_from(number).ok(),
        ("master_log_pos", Value::Number(number)) => wanted.position = Some(number),
        ("master_ssl", Value::Number(number)) => wanted.tls = Some(number != 0),
        ("master_ssl_verify_server_cert", Value::Number(number)) => wanted.verify = Some(number != 0),
        ("master_delay", Value::Number(number)) => wanted.delay = Some(number),
        ("master_use_gtid", Value::Word(word)) => {
            wanted.using = Some(match word.as_str() {
                "slave_pos" => Using::SlavePos,
                "current_pos" => Using::CurrentPos,
                "no" => Using::No,
                _ => return Err(before),
            });
        }
        _ => {}
    }
    Ok(())
}
