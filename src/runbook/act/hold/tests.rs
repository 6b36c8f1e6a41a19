//! A session that stays, with the host's own client and a real server.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::*;
use crate::domain::fleet::{Cadence, Environment, Guard, Jump, Thresholds, Transport};
use crate::domain::hop::Hop;
use crate::domain::names::EnvName;
use crate::runbook::act::sql::tests::Server;
use crate::runbook::reach::{Limits, Ran, Reach, Session};
use crate::runbook::redact::Redactor;
use crate::runbook::scope::literal;
use crate::runbook::value::{Value, ValueKind};
use crate::ssh::dial::BoxFuture;
use crate::ssh::error::{ErrorKind, SshError};

/// This machine, with another home.
#[derive(Clone)]
struct Here {
    name: HostName,
    home: PathBuf,
}

impl Reach for Here {
    fn host<'a>(&'a self, _: &'a HostName) -> BoxFuture<'a, Result<Arc<dyn Session>, SshError>> {
        Box::pin(async move { Ok(Arc::new(self.clone()) as Arc<dyn Session>) })
    }

    fn jump(&self) -> &HostName {
        &self.name
    }
}

impl Session for Here {
    fn exec<'a>(
        &'a self,
        _: &'a str,
        _: &'a [u8],
        _: Limits,
        _: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, SshError>> {
        panic!("nothing but the session is wanted here")
    }

    fn start<'a>(&'a self, command: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, SshError>> {
        Box::pin(async move {
            let mut shell = Command::new("/bin/sh");
            shell.arg("-c").arg(command).env("HOME", &self.home).kill_on_drop(true);
            let child =
                shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            Ok(Box::new(Open(child)) as Box<dyn Held>)
        })
    }
}

struct Open(Child);

impl Held for Open {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), SshError>> {
        Box::pin(async move {
            let stdin = self.0.stdin.as_mut().unwrap();
            stdin.write_all(bytes).await.unwrap();
            stdin.flush().await.unwrap();
            Ok(())
        })
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, SshError>> {
        Box::pin(async move {
            let mut bytes = Vec::new();
            match self.0.stdout.as_mut().unwrap().read_buf(&mut bytes).await.unwrap() {
                0 => Err(SshError::new(&Hop::Here, ErrorKind::Dropped, "the client has ended")),
                _ => Ok(bytes),
            }
        })
    }
}

fn site(server: &Server, options: &str) -> (Site, HostName) {
    let name = HostName::new("here").unwrap();
    let env = Environment {
        name: EnvName::new("test").unwrap(),
        level: "test".to_owned(),
        guard: Guard::Confirm,
        signatures: Default::default(),
        lease: Default::default(),
        domain: None,
        jump: Jump::Local { name: name.clone() },
        transport: Transport::Ssh,
        thresholds: Thresholds::default(),
        requirements: Vec::new(),
        cadence: Cadence::default(),
        hosts: Vec::new(),
    };
    let reach = Here { name: name.clone(), home: server.home(options).to_owned() };
    let site = Site {
        reach: Arc::new(reach),
        env: Arc::new(env),
        out: Arc::new(|_, _| {}),
        redactor: Redactor::new(),
        lease: None,
    };
    (site, name)
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
                let beat = "SELECT 1".to_owned();
                let opened = open(&site, &host, statements, beat, Duration::from_secs(60)).await;
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
        let opened = open(&site, &host, statements, "SELECT 1".to_owned(), Duration::from_secs(60)).await;
        let (_, answer) = opened.unwrap_or_else(|e| panic!("{fake}: {}", e.words()));
        assert_eq!(answer.text, format!("{fake}\n{fake}\nlater\n0\n"));
    }
}

#[tokio::test]
async fn a_session_that_prints_otherwise_is_not_held() {
    let Some(server) = Server::start(&[]) else { return };
    let (site, host) = site(&server, "[mysql]\nsilent");
    let opened =
        open(&site, &host, "SELECT 1 AS held".to_owned(), "SELECT 1".to_owned(), Duration::from_secs(60))
            .await;
    let Err(Trouble::Failed(why)) = opened else { panic!("it is held") };
    assert!(why.contains("option files"), "{why}");
}
