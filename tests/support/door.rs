//! An SSH server of a test's own, on loopback: for logins that `sshd` needs PAM modules for, and for algorithms that it
//! no longer has.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::keys::{Algorithm, PrivateKey, PublicKey};
use russh::server::{Auth, Config, Handler, Response, run_stream};
use russh::{MethodKind, MethodSet, Preferred};
use tokio::net::TcpListener;

/// What the server does next in a keyboard-interactive login.
#[derive(Clone)]
pub(crate) enum Turn {
    /// Asks; each prompt with whether its answer may be shown.
    Asks { name: &'static str, instructions: &'static str, prompts: &'static [(&'static str, bool)] },
    /// Waits for a person's phone before the next turn.
    Waits(Duration),
    /// Lets the client in.
    Opens,
    /// Refuses.
    Refuses,
    /// Ends the connection.
    HangsUp,
}

/// A running server; ends with the test.
pub(crate) struct Door {
    pub(crate) port: u16,
    /// The host key, as in a known_hosts line.
    pub(crate) known: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    logins: usize,
    users: Vec<String>,
    answers: Vec<Vec<String>>,
    pipes: Vec<tokio::task::AbortHandle>,
}

/// How the server is set up.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) turns: Vec<Turn>,
    pub(crate) preferred: Preferred,
}

impl Door {
    pub(crate) async fn open(plan: Plan) -> Self {
        let key = PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).unwrap();
        Self::open_with(plan, key).await
    }

    /// The same with this host key.
    pub(crate) async fn open_with(plan: Plan, key: PrivateKey) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let public: PublicKey = key.public_key().clone();
        let known = format!("[127.0.0.1]:{port} {}\n", public.to_openssh().unwrap());
        let methods: &[MethodKind] = &[MethodKind::KeyboardInteractive, MethodKind::PublicKey];
        let config = Arc::new(Config {
            methods: MethodSet::from(methods),
            keys: vec![key],
            preferred: plan.preferred.clone(),
            auth_rejection_time: Duration::ZERO,
            inactivity_timeout: None,
            ..Config::default()
        });
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let shared = seen.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                // Through a pipe of the test's own, which can be cut.
                let (inner, mut outer) = tokio::io::duplex(1 << 16);
                let pipe = tokio::spawn(async move {
                    let _ = tokio::io::copy_bidirectional(&mut stream, &mut outer).await;
                });
                shared.lock().unwrap().pipes.push(pipe.abort_handle());
                let guard = Guard { turns: plan.turns.iter().cloned().collect(), seen: shared.clone() };
                if let Ok(session) = run_stream(config.clone(), inner, guard).await {
                    tokio::spawn(session);
                }
            }
        });
        Self { port, known, seen }
    }

    /// How many keyboard-interactive logins were begun: each may have sent a push.
    pub(crate) fn logins(&self) -> usize {
        self.seen.lock().unwrap().logins
    }

    /// The accounts that were asked for.
    pub(crate) fn users(&self) -> Vec<String> {
        self.seen.lock().unwrap().users.clone()
    }

    /// Ends every connection there is.
    pub(crate) fn drop_connections(&self) {
        for pipe in self.seen.lock().unwrap().pipes.drain(..) {
            pipe.abort();
        }
    }

    /// The answers, one list for each time the server asked.
    pub(crate) fn answers(&self) -> Vec<Vec<String>> {
        self.seen.lock().unwrap().answers.clone()
    }
}

struct Guard {
    turns: VecDeque<Turn>,
    seen: Arc<Mutex<Seen>>,
}

impl Handler for Guard {
    type Error = russh::Error;

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        match response {
            None => {
                let mut seen = self.seen.lock().unwrap();
                seen.logins += 1;
                seen.users.push(user.to_owned());
            }
            Some(answers) => {
                let answers = answers.map(|a| String::from_utf8(a.to_vec()).unwrap()).collect();
                self.seen.lock().unwrap().answers.push(answers);
            }
        }
        loop {
            return Ok(match self.turns.pop_front() {
                Some(Turn::Waits(time)) => {
                    tokio::time::sleep(time).await;
                    continue;
                }
                Some(Turn::Asks { name, instructions, prompts }) => Auth::Partial {
                    name: name.into(),
                    instructions: instructions.into(),
                    prompts: prompts.iter().map(|(p, echo)| ((*p).into(), *echo)).collect::<Vec<_>>().into(),
                },
                Some(Turn::Opens) => Auth::Accept,
                Some(Turn::Refuses) | None => Auth::reject(),
                Some(Turn::HangsUp) => return Err(russh::Error::Disconnect),
            });
        }
    }

    async fn auth_none(&mut self, _: &str) -> Result<Auth, russh::Error> {
        Ok(Auth::reject())
    }
}
