//! `mariadb` and `mysql`: the command-line client and, behind it, the server's answers from the world's databases.

mod accounts;
mod change_master;
mod checksum;
pub mod client;
pub(crate) mod dump;
mod eval;
mod execute;
mod expr;
mod format;
mod functions;
mod lexer;
mod login;
mod options;
mod processes;
mod replication;
mod rights;
mod select;
mod set;
mod show;
mod snapshot;
mod sources;
mod split;
mod tables;
mod threads;
mod value;
mod variables;

use std::sync::PoisonError;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use crate::mariadb::Version;
use crate::mariadb::data::ServerError;
use crate::program::{BoxFuture, Call, Input, Output, Program, SharedWorld};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use execute::{Outcome, Session};
use format::Style;
use options::Options;
use split::{Splitter, Statement};

/// How often a statement that waits is looked at again.
const LOOK: Duration = Duration::from_millis(10);

/// The client, by one of its names.
pub(crate) struct Client(pub(crate) &'static str);

impl Program for Client {
    fn name(&self) -> &'static str {
        self.0
    }

    fn installed(&self, world: &World, host: &HostName) -> bool {
        // The client came to be called `mariadb` with 10.4.6, and everywhere with 10.5.
        // A backup host takes its dumps with it.
        let backup = || world.machine(host).is_some_and(|m| m.roles().iter().any(|r| r.as_str() == "backup"));
        match world.database_version(host) {
            Some(version) => self.0 == "mysql" || version.mariadb_from(10, 5),
            None => self.0 == "mysql" && backup(),
        }
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

    /// Not an error: the statement waits, and shows this as its state meanwhile.
    fn wait(state: &str) -> Self {
        Self::new(0, "00000", state)
    }

    fn is_wait(&self) -> bool {
        self.code == 0
    }

    /// A statement that is SQL, and that the simulated server does not know.
    fn unsupported(what: &str) -> Self {
        Self::new(1235, "42000", format!("the simulated server does not support '{what}'"))
    }
}

impl From<ServerError> for SqlError {
    fn from(error: ServerError) -> Self {
        Self { code: error.code, state: error.state, message: error.message }
    }
}

async fn run(name: &'static str, call: Call) -> std::io::Result<u8> {
    let Call { host, user, world, args, mut stdin, mut stdout, mut stderr, mut descriptors, .. } = call;
    let version = world.lock().unwrap_or_else(PoisonError::into_inner).database_version(&host);
    let mut options = match Options::parse(name, args.get(1..).unwrap_or_default(), version.as_ref()) {
        Ok(options) => options,
        Err(end) => {
            stdout.write_all(end.stdout.as_bytes()).await?;
            stderr.write_all(end.stderr.as_bytes()).await?;
            return Ok(end.status);
        }
    };
    for path in options.defaults.clone() {
        let files = (&world, &host);
        match option_file(&path, files, &mut stdin, &mut descriptors).await? {
            Some(text) => options.read_defaults(&text),
            None => {
                stderr.write_all(no_option_file(&path).as_bytes()).await?;
                return Ok(1);
            }
        }
    }
    let session = match login::connect(&world, &host, &user, &options) {
        Ok(session) => session,
        Err(error) => {
            let text = format!("ERROR {} ({}): {}\n", error.code, error.state, error.message);
            stderr.write_all(text.as_bytes()).await?;
            return Ok(1);
        }
    };
    let session = Open { world: world.clone(), session };
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

/// What a client says of an option file that is not there.
pub(crate) fn no_option_file(path: &str) -> String {
    format!(
        "Could not open required defaults file: {path}\nFatal error in defaults handling. Program aborted\n"
    )
}

/// The text of an option file, which may be a descriptor of the client; `None` when there is none.
pub(crate) async fn option_file(
    path: &str,
    (world, host): (&SharedWorld, &HostName),
    stdin: &mut Input,
    descriptors: &mut [(usize, Input)],
) -> std::io::Result<Option<String>> {
    let number = path.strip_prefix("/dev/fd/").and_then(|n| n.parse::<usize>().ok());
    let mut text = Vec::new();
    if path == "/dev/stdin" || number == Some(0) {
        stdin.read_to_end(&mut text).await?;
    } else if let Some((_, input)) = descriptors.iter_mut().find(|(n, _)| Some(*n) == number) {
        input.read_to_end(&mut text).await?;
    } else {
        match world.lock().unwrap_or_else(PoisonError::into_inner).read_file(host, path) {
            Some(file) => text = file,
            None => return Ok(None),
        }
    }
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}

/// A connection: however the client ends, the server lets go of what it held.
struct Open {
    world: SharedWorld,
    session: Session,
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(server) = self.session.server(&mut world) {
            server.sessions.close(self.session.id);
        }
    }
}

struct Running {
    world: SharedWorld,
    session: Open,
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
            match self.one(&statement.sql).await {
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

    /// Runs one statement to its end. The world is held for moments only.
    async fn one(&mut self, sql: &str) -> Result<Outcome, SqlError> {
        loop {
            let outcome = {
                let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
                self.session.session.execute(&mut world, sql)
            };
            match outcome {
                Err(error) if error.is_wait() => tokio::time::sleep(LOOK).await,
                other => return other,
            }
        }
    }

    async fn complain(&mut self, statement: &Statement, error: &SqlError) -> std::io::Result<()> {
        let mut text = String::new();
        // Newer clients show the statement first.
        if self.session.session.version.mariadb_from(10, 11) && !self.options.silent {
            text.push_str(&format!("--------------\n{}\n--------------\n\n", statement.sql));
        }
        let SqlError { code, state, message } = error;
        text.push_str(&format!("ERROR {code} ({state}) at line {}: {message}\n", statement.line));
        self.stderr.write_all(text.as_bytes()).await?;
        self.stderr.flush().await
    }
}

/// A version's words where it is told of itself.
fn product(version: &Version) -> &'static str {
    if version.mariadb { "MariaDB" } else { "MySQL" }
}

#[cfg(test)]
mod tests;
