//! Password and keyboard-interactive: an operator answers on screen. The jump box only, and only where the inventory
//! says so. The time an operator takes, at the keyboard or on a phone, does not count against the login's deadline.

use std::pin::pin;
use std::time::Duration;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse as Step};
use russh::{MethodKind, MethodSet};
use zeroize::Zeroizing;

use crate::listening::{passes, within};
use jumpdeck_fleet::event::{Answer, LoginInstructions, QuestionKind};
use jumpdeck_fleet::text::Clean;

use super::super::client::Client;
use super::Login;
use crate::transport::error::{ErrorKind, TransportError};

/// How often the answers may be wrong; with three keys before, one more would be sshd's `MaxAuthTries`.
const TRIES: usize = 2;
/// A server may ask this often within one try.
const ROUNDS: usize = 8;
/// So many lines of what a server says at once are shown.
const MOST_LINES: usize = 100;
/// So many characters of it are read.
const MOST_TEXT: usize = 16 * 1024;
/// A server that answers sooner waits for nobody's phone.
const QUIET: Duration = Duration::from_secs(2);
/// A server may wait this long for a phone; sshd's own `LoginGraceTime` is 120 s.
const PHONE_LIMIT: Duration = Duration::from_secs(600);

/// How it went.
pub(super) enum Prompted {
    LoggedIn,
    /// The answers were refused.
    Refused,
    /// The operator cancelled the login.
    Cancelled,
    /// The server takes neither.
    NotOffered,
}

/// Tries keyboard-interactive, then password.
pub(super) async fn log_in(
    handle: &mut Handle<Client>,
    login: &Login<'_>,
    server_takes: Option<&MethodSet>,
) -> Result<Prompted, TransportError> {
    let takes = |method| server_takes.is_none_or(|m| m.contains(&method));
    let mut asked = false;
    let mut interactive_too = takes(MethodKind::KeyboardInteractive);
    for _ in 0..TRIES {
        if interactive_too {
            match interactive(handle, login).await? {
                // Refused without a prompt, perhaps on a phone: another start might send another push.
                Interactive::Unanswered => interactive_too = false,
                Interactive::Refused => {
                    asked = true;
                    continue;
                }
                Interactive::LoggedIn => return Ok(Prompted::LoggedIn),
                Interactive::Cancelled => return Ok(Prompted::Cancelled),
            }
        }
        if !takes(MethodKind::Password) || handle.is_closed() {
            break;
        }
        let prompt = vec![Clean::new(&format!("{}'s password", login.access.user))];
        let Some(mut password) = ask(login, LoginInstructions::default(), prompt, false).await else {
            return Ok(Prompted::Cancelled);
        };
        asked = true;
        login.asker.patience.begin_interactive();
        let sent = handle.authenticate_password(login.access.user.as_str(), std::mem::take(&mut *password));
        match wait(login, LoginInstructions::default(), sent).await? {
            Some(AuthResult::Success) => return Ok(Prompted::LoggedIn),
            Some(AuthResult::Failure { .. }) => {}
            None => return Ok(Prompted::Cancelled),
        }
    }
    Ok(if asked { Prompted::Refused } else { Prompted::NotOffered })
}

/// How one keyboard-interactive try went.
enum Interactive {
    LoggedIn,
    /// The operator's answers were refused.
    Refused,
    /// Refused, and no operator had answered anything.
    Unanswered,
    Cancelled,
}

async fn interactive(handle: &mut Handle<Client>, login: &Login<'_>) -> Result<Interactive, TransportError> {
    // From here on the server may send a push.
    login.asker.patience.begin_interactive();
    let begun = handle.authenticate_keyboard_interactive_start(login.access.user.as_str(), None);
    let mut step = wait(login, LoginInstructions::default(), begun).await?;
    let mut answered = false;
    for _ in 0..ROUNDS {
        let (told, prompts) = match step {
            None => return Ok(Interactive::Cancelled),
            Some(Step::Success) => return Ok(Interactive::LoggedIn),
            Some(Step::Failure { .. }) if answered => return Ok(Interactive::Refused),
            Some(Step::Failure { .. }) => return Ok(Interactive::Unanswered),
            Some(Step::InfoRequest { name, instructions, prompts }) => {
                let name = name.trim();
                let name = if name.is_empty() { Clean::default() } else { Clean::first_line(name, 200) };
                (LoginInstructions { name, instructions: lines(&instructions) }, prompts)
            }
        };
        answered |= !prompts.is_empty();
        let mut answers = Vec::with_capacity(prompts.len());
        for prompt in &prompts {
            match ask(login, told.clone(), lines(&prompt.prompt), prompt.echo).await {
                // Taken out, not copied: what russh sends is the one there is.
                Some(mut answer) => answers.push(std::mem::take(&mut *answer)),
                None => return Ok(Interactive::Cancelled),
            }
        }
        // What was said with a prompt has been read; what was said without one is shown while the server waits.
        let said = if prompts.is_empty() { told } else { LoginInstructions::default() };
        step = wait(login, said, handle.authenticate_keyboard_interactive_respond(answers)).await?;
    }
    Ok(Interactive::Refused)
}

/// Waits for the server's answer with the login's clock stopped, and says so on screen: it may wait for a phone. `None` when
/// the operator cancels.
async fn wait<T>(
    login: &Login<'_>,
    told: LoginInstructions,
    answer: impl Future<Output = Result<T, russh::Error>>,
) -> Result<Option<T>, TransportError> {
    let quiet = if told.lines().next().is_some() { Duration::ZERO } else { QUIET };
    let waiting = async {
        let mut answer = pin!(answer);
        if !quiet.is_zero()
            && let Some(answered) = within(quiet, &mut answer).await
        {
            return Some(answered.map(Some));
        }
        tokio::select! {
            biased;
            answered = &mut answer => Some(answered.map(Some)),
            _ = login.asker.put(login.hop, QuestionKind::Waiting { told }) => Some(Ok(None)),
            () = passes(PHONE_LIMIT) => None,
        }
    };
    match login.asker.patience.pause(waiting).await {
        Some(answered) => answered.map_err(|e| lost(login, &e)),
        None => {
            let detail = format!("it did not answer the login within {} s", PHONE_LIMIT.as_secs());
            Err(TransportError::new(login.hop, ErrorKind::TimedOut, detail))
        }
    }
}

/// Every line of what a server says, made printable.
fn lines(text: &str) -> Vec<Clean> {
    let end = text.char_indices().nth(MOST_TEXT).map_or(text.len(), |(at, _)| at);
    let mut lines = Clean::lines(text.get(..end).unwrap_or(text));
    if lines.len() > MOST_LINES || end < text.len() {
        lines.truncate(MOST_LINES);
        lines.push("(the rest is too long to be shown)".into());
    }
    lines
}

async fn ask(
    login: &Login<'_>,
    told: LoginInstructions,
    prompt: Vec<Clean>,
    echo: bool,
) -> Option<Zeroizing<String>> {
    match login.asker.put(login.hop, QuestionKind::Prompt { told, prompt, echo }).await {
        Answer::Secret(secret) => Some(secret),
        Answer::Accept | Answer::Refuse => None,
    }
}

fn lost(login: &Login<'_>, error: &russh::Error) -> TransportError {
    TransportError::new(login.hop, ErrorKind::Dropped, format!("the connection ended during login: {error}"))
}
