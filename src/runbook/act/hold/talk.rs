//! Speaking with a client that stays: statements in, the answer up to its end out.

use zeroize::Zeroizing;

use crate::runbook::act::client;
use crate::runbook::act::trouble::Trouble;
use crate::transport::{Held, LARGEST_ANSWER, Ran};

/// A client that stays.
pub(super) struct Talk {
    held: Box<dyn Held>,
    /// Lines it was sent: the client counts them in its errors.
    lines: usize,
}

/// An answer that did not come to its end. There is no further one.
pub(super) enum Cut {
    /// The client ended: what it left, and the lines it was sent before.
    Ended(Ran, usize),
    /// The session was lost, or cannot be read.
    Lost(String),
}

impl Talk {
    pub(super) fn new(held: Box<dyn Held>) -> Self {
        Self { held, lines: 0 }
    }

    /// Begins the session, and asks.
    pub(super) async fn begin(&mut self, statements: &str) -> Result<String, Cut> {
        let said = self.exchange(&client::begun(statements.to_owned()), client::BEGUN).await?;
        client::printed(&said).map(str::to_owned).map_err(Cut::Lost)
    }

    /// Asks.
    pub(super) async fn ask(&mut self, statements: &str) -> Result<String, Cut> {
        let text = Zeroizing::new(client::terminated(statements.to_owned()));
        self.exchange(&text, "").await
    }

    /// Reads up to the end of the answer, which begins with `begun`: a client that prints otherwise prints no end, either.
    async fn exchange(&mut self, statements: &str, begun: &str) -> Result<String, Cut> {
        let lost = |e: &crate::transport::error::TransportError| {
            Cut::Lost(format!("the session has ended: {}", e.describe()))
        };
        let end = end();
        let text = Zeroizing::new(format!("{statements}SELECT '{end}' AS {end};\n"));
        let before = self.lines;
        self.lines += text.matches('\n').count();
        self.held.write(text.as_bytes()).await.map_err(|e| lost(&e))?;
        let (mut said, end) = (Vec::new(), format!("{end}\n{end}\n"));
        loop {
            match self.held.read().await {
                Ok(bytes) => said.extend_from_slice(&bytes),
                Err(_) => {
                    let ran = self.held.ended().await.map_err(|e| lost(&e))?;
                    return Err(Cut::Ended(Ran { stdout: said, ..ran }, before));
                }
            }
            if said.len() > LARGEST_ANSWER {
                return Err(Cut::Lost("the session printed more than 1 MiB".to_owned()));
            }
            let first = said.get(..begun.len().min(said.len())).unwrap_or_default();
            if !begun.as_bytes().starts_with(first) {
                return Err(Cut::Lost(client::PRINTS_OTHERWISE.to_owned()));
            }
            if let Some(answer) = said.strip_suffix(end.as_bytes()) {
                return Ok(String::from_utf8_lossy(answer).into_owned());
            }
        }
    }

    /// Waits until it ends, while nothing is asked: why it did. Cancel-safe.
    pub(super) async fn until_it_ends(&mut self) -> String {
        match self.held.read().await {
            Ok(_) => "the session printed unexpected output".to_owned(),
            Err(error) => format!("the session has ended: {}", error.describe()),
        }
    }
}

impl Cut {
    /// What it means for the statement that was sent. Only an error of the client itself tells that it failed.
    pub(super) fn trouble(&self, secret: bool) -> Trouble {
        match self {
            Self::Ended(ran, before) => match client::complaint(ran, secret) {
                Trouble::Failed(why) if why.starts_with("ERROR ") => {
                    Trouble::Failed(counted_anew(&why, *before))
                }
                Trouble::Failed(why) | Trouble::Unknown(why) => {
                    Trouble::Unknown(format!("the session ended during the statement: {why}"))
                }
            },
            Self::Lost(why) => {
                Trouble::Unknown(format!("{why}; it may have been done, or may still be running"))
            }
        }
    }
}

/// An error of the client, its line counted from the statement on, as that of a client started for it.
fn counted_anew(error: &str, before: usize) -> String {
    let anew = || {
        let (head, rest) = error.split_once(" at line ")?;
        let (line, text) = rest.split_once(':')?;
        let line = line.parse::<usize>().ok()?.checked_sub(before)?;
        Some(format!("{head} at line {line}:{text}"))
    };
    anew().unwrap_or_else(|| error.to_owned())
}

/// The column that ends an answer. Its name is new each time: a row of a table that others write must not end an answer,
/// even if they saw an earlier one in the server's log.
fn end() -> String {
    format!("jumpdeck_end_{:016x}", rand::random::<u64>())
}
