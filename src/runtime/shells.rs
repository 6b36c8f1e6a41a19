//! The console steps aside for a shell on a host: it is opened beside the loop, has the terminal and the keyboard while it lasts, and
//! gives both back. News of the fleet and of runs are taken in meanwhile; nothing is drawn.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::keyboard::Keyboard;
use super::raw::{self, RawTerminal};
use super::shell::{self, ShellEnd};
use crate::app::message::{AskedShell, ShellNews};
use crate::operator::fleet_command::RemoteShell;
use crate::transport::TerminalRequest;
use crate::transport::error::TransportError;

/// Opens a shell on a host.
pub type OpenShell = Box<
    dyn Fn(&AskedShell, TerminalRequest) -> BoxFuture<'static, Result<RemoteShell, TransportError>> + Send,
>;

/// A shell that is open, and the keyboard that is lent to it.
pub(super) struct ReadyShell {
    asked: AskedShell,
    shell: RemoteShell,
    typed: mpsc::Receiver<Vec<u8>>,
}

impl ReadyShell {
    pub(super) fn number(&self) -> u64 {
        self.asked.number
    }

    pub(super) fn asked(&self) -> &AskedShell {
        &self.asked
    }
}

/// What the loop is told.
pub(super) enum ShellMoment {
    /// Everything is there: the console is to step aside, if that is still wanted.
    Ready(Box<ReadyShell>),
    /// Something for the model.
    News(ShellNews),
}

/// Shells on hosts, one at a time.
pub struct Shells {
    open: OpenShell,
    keyboard: Arc<Keyboard>,
    told: mpsc::UnboundedSender<ShellMoment>,
    /// What became of them.
    pub(super) moments: mpsc::UnboundedReceiver<ShellMoment>,
    opening: Option<JoinHandle<()>>,
    attending: Option<JoinHandle<()>>,
}

impl Shells {
    /// Shells that `open` opens, at that keyboard.
    #[must_use]
    pub fn new(open: OpenShell, keyboard: Keyboard) -> Self {
        let (told, moments) = mpsc::unbounded_channel();
        Self { open, keyboard: Arc::new(keyboard), told, moments, opening: None, attending: None }
    }

    /// Opens one beside the loop.
    pub(super) fn open(&mut self, asked: AskedShell) {
        self.cancel();
        let opening = (self.open)(&asked, shell::request());
        let (keyboard, told) = (self.keyboard.clone(), self.told.clone());
        self.opening = Some(tokio::spawn(async move {
            let moment = match opening.await {
                Ok(shell) => {
                    let typed = keyboard.lend().await;
                    ShellMoment::Ready(Box::new(ReadyShell { asked, shell, typed }))
                }
                Err(error) => {
                    ShellMoment::News(ShellNews::Failed { number: asked.number, why: error.to_string() })
                }
            };
            // A console that has ended wants none.
            let _ = told.send(moment);
        }));
    }

    /// Nobody waits for the one that is being opened any more.
    pub(super) fn cancel(&mut self) {
        if let Some(opening) = self.opening.take() {
            opening.abort();
            self.take_back();
        }
    }

    /// What is typed is the console's again.
    pub(super) fn take_back(&self) {
        let keyboard = self.keyboard.clone();
        tokio::spawn(async move { keyboard.take_back().await });
    }

    /// Whether a shell has the terminal.
    pub(super) fn has_terminal(&self) -> bool {
        self.attending.is_some()
    }

    /// Gives the terminal, which the console has left, to that shell until it ends.
    pub(super) fn attend(&mut self, ready: ReadyShell) {
        self.opening = None;
        let (keyboard, told) = (self.keyboard.clone(), self.told.clone());
        self.attending = Some(tokio::spawn(async move {
            let number = ready.asked.number;
            let how = last(ready).await;
            keyboard.take_back().await;
            let _ = told.send(ShellMoment::News(ShellNews::Ended { number, how }));
        }));
    }

    /// The terminal is the console's again.
    pub(super) fn ended(&mut self) {
        self.attending = None;
    }

    /// Ends whatever has the terminal, so that it is given back as it was found.
    pub(super) async fn end(&mut self) {
        self.cancel();
        if let Some(attending) = self.attending.take() {
            attending.abort();
            // Only now what it held is dropped.
            let _ = attending.await;
        }
    }
}

/// A shell from its beginning to its end: its exit status, or why there is none.
async fn last(ready: ReadyShell) -> Result<u32, String> {
    let ReadyShell { asked, mut shell, mut typed } = ready;
    let terminal = RawTerminal::take().map_err(|error| format!("the terminal: {error}"))?;
    let _ = raw::show(asked.first_line().as_bytes());
    let attended =
        shell::attend(&mut shell, terminal, &mut typed, async || std::future::pending().await).await;
    match attended.map_err(|error| format!("the terminal: {error}"))? {
        ShellEnd::Remote => shell::status(shell.terminal.ended().await),
        ShellEnd::Local => Err("the terminal takes no more".to_owned()),
    }
}
