//! `mariadb` and `mysql`: the command-line client and, behind it, the server's answers from the world's databases.

mod execute;
mod format;
mod lexer;
mod options;
mod replication;
mod select;
mod show;
mod split;
mod variables;

use std::sync::PoisonError;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::domain::names::HostName;
use crate::sim::program::{Call, Output, Program, SharedWorld};
use crate::sim::world::World;
use crate::sim::world::database::Version;
use crate::ssh::dial::BoxFuture;

use execute::{Outcome, Session};
use format::Style;
use options::Options;
use split::{Splitter, Statement};

/// The client, by one of its names.
pub(super) struct Client(pub(super) &'static str);

impl Program for Client {
    fn name(&self) -> &'static str {
        self.0
    }

    fn installed(&self, world: &World, host: &HostName) -> bool {
        // The client came to be called `mariadb` with 10.4.6, and everywhere with 10.5.
        world.database_version(host).is_some_and(|v| self.0 == "mysql" || v.mariadb_from(10, 5))
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let name = self.0;
        Box::pin(async move { run(name, call).await.unwrap_or(141) })
    }
}

/// An error of the server or of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SqlError {
    code: u32,
    state: &'static str,
    message: String,
}

impl SqlError {
    fn new(code: u32, state: &'static str, message: impl Into<String>) -> Self {
        Self { code, state, message: message.into() }
    }

    /// A statement that is SQL, and that the simulated server does not know.
    fn unsupported(what: &str) -> Self {
        Self::new(1235, "42000", format!("the simulated server does not support '{what}'"))
    }
}

async fn run(name: &'static str, call: Call) -> std::io::Result<u8> {
    let Call { host, user, world, args, stdin, mut stdout, mut stderr, .. } = call;
    let version = world.lock().unwrap_or_else(PoisonError::into_inner).database_version(&host);
    let options = match Options::parse(name, args.get(1..).unwrap_or_default(), version.as_ref()) {
        Ok(options) => options,
        Err(end) => {
            stdout.write_all(end.stdout.as_bytes()).await?;
            stderr.write_all(end.stderr.as_bytes()).await?;
            return Ok(end.status);
        }
    };
    let session = match connect(&world, &host, &user, &options) {
        Ok(session) => session,
        Err(error) => {
            let text = format!("ERROR {} ({}): {}\n", error.code, error.state, error.message);
            stderr.write_all(text.as_bytes()).await?;
            return Ok(1);
        }
    };
    let mut running = Running { world, session, options, stdout, stderr };
    let mut splitter = Splitter::default();
    if let Some(text) = running.options.execute.clone() {
        for line in text.lines() {
            if let Some(status) = running.all(splitter.line(line)).await? {
                return Ok(status);
            }
        }
    } else {
        let mut lines = BufReader::new(stdin);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).await? > 0 {
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
            line.clear();
            if let Some(status) = running.all(splitter.line(&text)).await? {
                return Ok(status);
            }
        }
    }
    let last = splitter.finish().into_iter().collect();
    Ok(running.all(last).await?.unwrap_or(0))
}

struct Running {
    world: SharedWorld,
    session: Session,
    options: Options,
    stdout: Output,
    stderr: Output,
}

impl Running {
    /// Runs statements; `Some` is the status to end with.
    async fn all(&mut self, statements: Vec<Statement>) -> std::io::Result<Option<u8>> {
        for statement in statements {
            if matches!(statement.sql.to_ascii_lowercase().as_str(), "quit" | "exit" | "\\q") {
                return Ok(Some(0));
            }
            let outcome = {
                let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
                self.session.execute(&mut world, &statement.sql)
            };
            match outcome {
                Ok(Outcome::Done) => {}
                Ok(Outcome::Rows(rows)) => {
                    let style = if statement.vertical { Style::Vertical } else { self.options.style };
                    let text = format::print(&rows, style, &self.options);
                    self.stdout.write_all(text.as_bytes()).await?;
                    self.stdout.flush().await?;
                }
                Err(error) => {
                    self.complain(&statement, &error).await?;
                    if !self.options.force {
                        return Ok(Some(1));
                    }
                }
            }
        }
        Ok(None)
    }

    async fn complain(&mut self, statement: &Statement, error: &SqlError) -> std::io::Result<()> {
        let mut text = String::new();
        // Newer clients show the statement first.
        if self.session.version.mariadb_from(10, 11) && !self.options.silent {
            text.push_str(&format!("--------------\n{}\n--------------\n\n", statement.sql));
        }
        let SqlError { code, state, message } = error;
        text.push_str(&format!("ERROR {code} ({state}) at line {}: {message}\n", statement.line));
        self.stderr.write_all(text.as_bytes()).await?;
        self.stderr.flush().await
    }
}

fn connect(world: &SharedWorld, host: &HostName, user: &str, options: &Options) -> Result<Session, SqlError> {
    let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
    let people = world.people().to_vec();
    let local = matches!(options.host.as_deref(), None | Some("localhost"));
    let target = match options.host.as_deref() {
        None | Some("localhost" | "127.0.0.1") => Some(host.clone()),
        Some(name) => world.resolve(name),
    };
    let here = world.database_version(host);
    let newer = here.as_ref().is_some_and(|v| v.mariadb_from(10, 5));
    let word = if newer { "server" } else { "MySQL server" };
    let Some(target) = target else {
        let name = options.host.as_deref().unwrap_or_default();
        let reason = if newer { -2 } else { 0 };
        return Err(SqlError::new(2005, "HY000", format!("Unknown {word} host '{name}' ({reason})")));
    };
    let from = world.machine(host).map(|m| m.address.clone()).unwrap_or_default();
    let account = options.user.clone().unwrap_or_else(|| user.to_owned());
    let known = account == user || account == "root" || people.contains(&account);
    let there = world.databases().server(&target).filter(|server| server.running).map(|s| s.version.clone());
    let Some(version) = there else {
        if local {
            let socket = match &options.socket {
                Some(path) => path.as_str(),
                None if newer => "/run/mysqld/mysqld.sock",
                None => "/var/run/mysqld/mysqld.sock",
            };
            let which = if newer { "local server" } else { "local MySQL server" };
            let message = format!("Can't connect to {which} through socket '{socket}' (2)");
            return Err(SqlError::new(2002, "HY000", message));
        }
        let name = options.host.as_deref().unwrap_or_default();
        let message = format!("Can't connect to {word} on '{name}' (111)");
        return Err(SqlError::new(2003, "HY000", message));
    };
    let at = if local { "localhost" } else { from.as_str() };
    if !known {
        let with = if options.password { "YES" } else { "NO" };
        let message = format!("Access denied for user '{account}'@'{at}' (using password: {with})");
        return Err(SqlError::new(1045, "28000", message));
    }
    Ok(Session {
        host: target,
        account: format!("{account}@{at}"),
        version,
        database: options.database.clone(),
        note: None,
    })
}

/// A version's words where it is told of itself.
fn product(version: &Version) -> &'static str {
    if version.mariadb { "MariaDB" } else { "MySQL" }
}

#[cfg(test)]
mod tests;
