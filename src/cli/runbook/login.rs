//! Questions of logins, on the terminal: an unknown host key, a passphrase, a password.

use super::keys::{Keys, Typed};
use super::site::Shared;
use super::text::{Ink, Paper};
use crate::cli::print;
use crate::domain::event::{Answer, QuestionKind};
use crate::domain::hop::Hop;
use crate::domain::names::EnvName;
use crate::ssh::ask::Ask;
use crate::ssh::dial::BoxFuture;

/// Asks the person at the terminal, one question after the other.
pub(super) struct AtTerminal {
    terminal: Shared,
}

impl AtTerminal {
    pub(super) fn new(terminal: Shared) -> Self {
        Self { terminal }
    }
}

impl Ask for AtTerminal {
    fn ask<'a>(&'a self, env: &'a EnvName, hop: &'a Hop, kind: QuestionKind) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let mut terminal = self.terminal.lock().await;
            let _ = print::answer(&question(env, hop, &kind));
            let (mark, echo) = mark(&kind);
            answered(&kind, terminal.line(mark, echo).await)
        })
    }
}

fn question(env: &EnvName, hop: &Hop, kind: &QuestionKind) -> String {
    let mut paper = Paper::of_stdout();
    paper.gap();
    match kind {
        QuestionKind::UnknownHostKey { address, algorithm, fingerprint, file } => {
            let text = format!("{env}: the host key of {hop} at {address} is not known");
            paper.words(0, Ink::Bold, &text);
            paper.exact(2, Ink::Plain, &format!("{algorithm} {fingerprint}"));
            paper.words(2, Ink::Plain, &format!("accepted, it is written to {file}"));
        }
        QuestionKind::Passphrase { key, wrong } => {
            let again = if *wrong { "; that was not it" } else { "" };
            paper.words(0, Ink::Bold, &format!("{env}: the passphrase of {key}{again}"));
        }
        QuestionKind::Prompt { prompt, .. } => {
            paper.words(0, Ink::Bold, &format!("{env}: {hop} asks: {prompt}"));
        }
    }
    paper.take()
}

fn mark(kind: &QuestionKind) -> (&'static str, bool) {
    match kind {
        QuestionKind::UnknownHostKey { .. } => ("type yes to accept it> ", true),
        QuestionKind::Passphrase { .. } => ("passphrase> ", false),
        QuestionKind::Prompt { echo, .. } => ("answer> ", *echo),
    }
}

fn answered(kind: &QuestionKind, typed: Typed) -> Answer {
    match (kind, typed) {
        (QuestionKind::UnknownHostKey { .. }, Typed::Line(line)) if line.trim() == "yes" => Answer::Accept,
        (QuestionKind::UnknownHostKey { .. }, _) | (_, Typed::Several | Typed::End) => Answer::Refuse,
        (_, Typed::Line(line) | Typed::Pasted(line)) if line.is_empty() => Answer::Refuse,
        (_, Typed::Line(line) | Typed::Pasted(line)) => Answer::Secret(line),
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn a_key_is_accepted_by_a_typed_yes_alone() {
        let key = QuestionKind::UnknownHostKey {
            address: "10.0.0.1:22".to_owned(),
            algorithm: "ssh-ed25519".to_owned(),
            fingerprint: "SHA256:x".to_owned(),
            file: "known_hosts".to_owned(),
        };
        let line = |text: &str| Zeroizing::new(text.to_owned());
        assert_eq!(answered(&key, Typed::Line(line("yes"))), Answer::Accept);
        for no in [Typed::Line(line("y")), Typed::Line(line("")), Typed::Pasted(line("yes")), Typed::End] {
            assert_eq!(answered(&key, no), Answer::Refuse);
        }
        let password = QuestionKind::Passphrase { key: "id".to_owned(), wrong: false };
        assert_eq!(answered(&password, Typed::Pasted(line("s"))), Answer::Secret(line("s")));
        assert_eq!(answered(&password, Typed::Line(line(""))), Answer::Refuse);
    }
}
