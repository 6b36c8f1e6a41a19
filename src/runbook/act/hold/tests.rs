//! A session that stays, with the host's own client and a real server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod guards;
mod statements;

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::*;
use crate::runbook::act::client::tests::Server;
use crate::runbook::ids::RunId;
use crate::runbook::redact::Redactor;
use crate::runbook::scope::literal;
use crate::runbook::value::{Value, ValueKind};
use crate::transport::BoxFuture;
use crate::transport::error::{ErrorKind, TransportError};
use crate::transport::{Held, HostSessions, Limits, Ran, Session};
use jumpdeck_fleet::fleet::{Cadence, Environment, Guard, Jump, Thresholds, Transport};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::EnvName;

/// This machine, with another home.
#[derive(Clone)]
struct Here {
    name: HostName,
    home: PathBuf,
    /// The process of the newest client that stays.
    client: Arc<Mutex<Option<u32>>>,
}

impl HostSessions for Here {
    fn host<'a>(&'a self, _: &'a HostName) -> BoxFuture<'a, Result<Arc<dyn Session>, TransportError>> {
        Box::pin(async move { Ok(Arc::new(self.clone()) as Arc<dyn Session>) })
    }

    fn jump(&self) -> &HostName {
        &self.name
    }
}

impl Session for Here {
    fn exec<'a>(
        &'a self,
        command: &'a str,
        stdin: &'a [u8],
        _: Limits,
        out: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, TransportError>> {
        Box::pin(async move {
            let mut child = self.spawn(command);
            let mut input = child.stdin.take().unwrap();
            input.write_all(stdin).await.unwrap();
            drop(input);
            let said = child.wait_with_output().await.unwrap();
            out(&said.stdout);
            Ok(ran(said))
        })
    }

    fn start<'a>(&'a self, command: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, TransportError>> {
        Box::pin(async move {
            let child = self.spawn(command);
            *self.client.lock().unwrap() = child.id();
            Ok(Box::new(Open(Some(child))) as Box<dyn Held>)
        })
    }
}

impl Here {
    /// One that is dropped sees its input end, as behind sshd: nobody kills it.
    fn spawn(&self, command: &str) -> Child {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(command).env("HOME", &self.home);
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

fn ran(said: std::process::Output) -> Ran {
    let status = said.status.code().and_then(|code| u32::try_from(code).ok());
    Ran { status, stdout: said.stdout, stderr: said.stderr, ..Ran::default() }
}

struct Open(Option<Child>);

impl Held for Open {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), TransportError>> {
        Box::pin(async move {
            let stdin = self.0.as_mut().unwrap().stdin.as_mut().unwrap();
            let ended = |_| TransportError::new(&Hop::Here, ErrorKind::Dropped, "the client has ended");
            stdin.write_all(bytes).await.map_err(ended)?;
            stdin.flush().await.map_err(ended)
        })
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, TransportError>> {
        Box::pin(async move {
            let mut bytes = Vec::new();
            match self.0.as_mut().unwrap().stdout.as_mut().unwrap().read_buf(&mut bytes).await.unwrap() {
                0 => Err(TransportError::new(&Hop::Here, ErrorKind::Dropped, "the client has ended")),
                _ => Ok(bytes),
            }
        })
    }

    fn ended(&mut self) -> BoxFuture<'_, Result<Ran, TransportError>> {
        Box::pin(async move { Ok(ran(self.0.take().unwrap().wait_with_output().await.unwrap())) })
    }
}

fn site(server: &Server, options: &str) -> (Site, HostName) {
    let (site, host, _) = site_and_client(server, options);
    (site, host)
}

fn site_and_client(server: &Server, options: &str) -> (Site, HostName, Arc<Mutex<Option<u32>>>) {
    site_at(server.home(options))
}

fn site_at(home: &std::path::Path) -> (Site, HostName, Arc<Mutex<Option<u32>>>) {
    let name = HostName::new("here").unwrap();
    let env = Environment {
        outside: Default::default(),
        name: EnvName::new("test").unwrap(),
        level: "test".to_owned(),
        guard: Guard::Confirm,
        signatures: Default::default(),
        journals: None,
        lease: Default::default(),
        management: Default::default(),
        contacts: Default::default(),
        domain: None,
        second_jump: None,
        jump: Jump::Local { name: name.clone() },
        transport: Transport::Ssh,
        thresholds: Thresholds::default(),
        requirements: Vec::new(),
        cadence: Cadence::default(),
        hosts: Vec::new(),
    };
    let reach = Here { name: name.clone(), home: home.to_owned(), client: Arc::default() };
    let client = reach.client.clone();
    let site = Site {
        reach: Arc::new(reach),
        inventory: None,
        env: Arc::new(env),
        out: Arc::new(|_, _| {}),
        redactor: Redactor::new(),
        lease: None,
        sessions: Sessions::default(),
        foreign: Default::default(),
    };
    (site, name, client)
}

const MINUTE: Duration = Duration::from_secs(60);

/// Opens a session as the step of that id.
async fn open_as(
    site: &Site,
    host: &HostName,
    id: &str,
    open: &str,
    heartbeat: &str,
) -> Result<(Holding, HostAnswer), Trouble> {
    let id = StepId::new(id).unwrap();
    let mark = session::mark(&RunId::new("run").unwrap(), &id);
    let (open, heartbeat) = (open.to_owned(), heartbeat.to_owned());
    super::open(site, host, Opening { id: &id, mark, open, heartbeat, limit: MINUTE }).await
}

async fn open(site: &Site, host: &HostName, open: String) -> Result<(Holding, HostAnswer), Trouble> {
    open_as(site, host, "lock", &open, "SELECT 1").await
}

async fn send(site: &Site, host: &HostName, text: &str, limit: Duration) -> SessionSent {
    let line = site.sessions.find(&StepId::new("lock").unwrap(), host);
    line.expect("the session is not open").send(text, limit, false).await
}

/// What would be SQL, or another value, in a session that believes an option file or the server.
const TEXTS: [&str; 7] =
    ["東\\' UNION SELECT 42 -- x", "a\\b", "\\", "'", "it's \\' \"both\"", "ソ表功\\", "😀 é ¿'"];

#[tokio::test]
async fn every_value_arrives_in_a_held_session_whatever_option_files_and_modes_say() {
    let Some(server) = Server::start(&[]) else { return };
    for mode in ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,ORACLE"] {
        let set = server.plain(&[], &format!("SET GLOBAL sql_mode = '{mode}';"));
        assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
        for options in
            ["", "default-character-set=gbk", "default-character-set=sjis", "[mysql]\ntable\nhtml\nraw"]
        {
            let (site, host) = site(&server, options);
            for text in TEXTS {
                let value = Value::new(ValueKind::Text, text).unwrap();
                let statements = format!("SELECT HEX({}) AS h", literal(&value, false));
                let opened = open(&site, &host, statements).await;
                let (_, answer) = opened.unwrap_or_else(|e| panic!("{options} {mode} {text}: {}", e.words()));
                let sent: String = text.bytes().map(|byte| format!("{byte:02X}")).collect();
                assert_eq!(answer.text, format!("h\n{sent}\n"), "{options} {mode} {text}");
            }
        }
    }
}

#[tokio::test]
async fn rows_that_look_like_the_end_of_an_answer_do_not_end_it() {
    let Some(server) = Server::start(&[]) else { return };
    let (site, host) = site(&server, "");
    let fakes = ["jumpdeck", "jumpdeck_end_of_answer", "jumpdeck_end_0000000000000000"];
    for fake in fakes {
        // The client prints the first rows at once; the last one comes later.
        let statements = format!("SELECT '{fake}' AS {fake}; SELECT SLEEP(0.5) AS later");
        let opened = open(&site, &host, statements).await;
        let (_, answer) = opened.unwrap_or_else(|e| panic!("{fake}: {}", e.words()));
        assert_eq!(answer.text, format!("{fake}\n{fake}\nlater\n0\n"));
    }
}

#[tokio::test]
async fn a_session_that_prints_otherwise_is_not_held() {
    let Some(server) = Server::start(&[]) else { return };
    let (site, host) = site(&server, "[mysql]\nsilent");
    let opened = open(&site, &host, "SELECT 1 AS held".to_owned()).await;
    let Err(Trouble::Failed(why)) = opened else { panic!("it is held") };
    assert!(why.contains("option files"), "{why}");
}
