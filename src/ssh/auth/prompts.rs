//! Password and keyboard-interactive: a person answers on screen. The jump box only, and only where the inventory
//! says so.

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse as Step};
use russh::{MethodKind, MethodSet};
use zeroize::Zeroizing;

use crate::domain::event::{Answer, QuestionKind};
use crate::domain::text::Clean;

use super::super::connection::Client;
use super::super::error::{ErrorKind, SshError};
use super::Login;

/// How often the answers may be wrong; with three keys before, one more would be sshd's `MaxAuthTries`.
const TRIES: usize = 2;
/// A server may ask this often within one try.
const ROUNDS: usize = 8;
/// The longest prompt shown.
const PROMPT_LIMIT: usize = 200;

/// Tries keyboard-interactive, then password. `false` when the server takes neither, or the answers were refused.
pub(super) async fn log_in(
    handle: &mut Handle<Client>,
    login: &Login<'_>,
    server_takes: Option<&MethodSet>,
) -> Result<bool, SshError> {
    let takes = |method| server_takes.is_none_or(|m| m.contains(&method));
    for _ in 0..TRIES {
        if takes(MethodKind::KeyboardInteractive) {
            match interactive(handle, login).await? {
                Outcome::Success => return Ok(true),
                Outcome::Cancelled => return Ok(false),
                Outcome::Refused => continue,
                Outcome::NotOffered => {}
            }
        }
        if !takes(MethodKind::Password) || handle.is_closed() {
            return Ok(false);
        }
        let prompt = Clean::new(&format!("{}'s password", login.access.user));
        let Some(mut password) = ask(login, prompt, false).await else {
            return Ok(false);
        };
        let sent =
            handle.authenticate_password(login.access.user.as_str(), std::mem::take(&mut *password)).await;
        if matches!(sent.map_err(|e| lost(login, &e))?, AuthResult::Success) {
            return Ok(true);
        }
    }
    Ok(false)
}

enum Outcome {
    Success,
    Refused,
    Cancelled,
    /// The server refused without having asked anything.
    NotOffered,
}

async fn interactive(handle: &mut Handle<Client>, login: &Login<'_>) -> Result<Outcome, SshError> {
    let begun = handle.authenticate_keyboard_interactive_start(login.access.user.as_str(), None).await;
    let mut step = begun.map_err(|e| lost(login, &e))?;
    let mut asked = false;
    for _ in 0..ROUNDS {
        let (instructions, prompts) = match step {
            Step::Success => return Ok(Outcome::Success),
            Step::Failure { .. } if asked => return Ok(Outcome::Refused),
            Step::Failure { .. } => return Ok(Outcome::NotOffered),
            Step::InfoRequest { instructions, prompts, .. } => (instructions, prompts),
        };
        let mut answers = Vec::with_capacity(prompts.len());
        for prompt in prompts {
            asked = true;
            let text = format!("{instructions} {}", prompt.prompt);
            match ask(login, Clean::first_line(&text, PROMPT_LIMIT), prompt.echo).await {
                // Taken out, not copied: what russh sends is the one there is.
                Some(mut answer) => answers.push(std::mem::take(&mut *answer)),
                None => return Ok(Outcome::Cancelled),
            }
        }
        let next = handle.authenticate_keyboard_interactive_respond(answers).await;
        step = next.map_err(|e| lost(login, &e))?;
    }
    Ok(Outcome::Cancelled)
}

async fn ask(login: &Login<'_>, prompt: Clean, echo: bool) -> Option<Zeroizing<String>> {
    match login.asker.put(login.hop, QuestionKind::Prompt { prompt, echo }).await {
        Answer::Secret(secret) => Some(secret),
        Answer::Accept | Answer::Refuse => None,
    }
}

fn lost(login: &Login<'_>, error: &russh::Error) -> SshError {
    SshError::new(login.hop, ErrorKind::Dropped, format!("the connection ended during login: {error}"))
}
