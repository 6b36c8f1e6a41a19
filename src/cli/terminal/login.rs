//! Questions of logins, on the terminal: an unknown host key, a passphrase, a password.

use super::keys::{AnswerKeys, Shared, Typed};
use super::paper::{Ink, Paper};
use crate::cli::print;
use crate::transport::BoxFuture;
use crate::transport::ask::AskPerson;
use jumpdeck_fleet::event::{Answer, QuestionKind};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::EnvName;

/// Asks the person at the terminal, one question after the other.
pub(in crate::cli) struct AtTerminal {
    terminal: Shared,
}

impl AtTerminal {
    pub(in crate::cli) fn new(terminal: Shared) -> Self {
        Self { terminal }
    }
}

impl AskPerson for AtTerminal {
    fn ask<'a>(&'a self, env: &'a EnvName, hop: &'a Hop, kind: QuestionKind) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            if let QuestionKind::Waiting { .. } = &kind {
                // Nothing is read: the terminal stays free for other questions, and Ctrl-C cancels.
                let _ = print::answer(&question(env, hop, &kind));
                return std::future::pending().await;
            }
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
            let again = if *wrong { "; that passphrase was wrong" } else { "" };
            paper.words(0, Ink::Bold, &format!("{env}: the passphrase of {key}{again}"));
        }
        QuestionKind::Prompt { told, prompt, .. } => {
            paper.words(0, Ink::Bold, &format!("{env}: {hop} asks:"));
            for line in told.lines() {
                paper.exact(2, Ink::Plain, line.as_str());
            }
            for line in prompt {
                paper.exact(2, Ink::Bold, line.as_str());
            }
        }
        QuestionKind::Waiting { told } => {
            paper.words(
                0,
                Ink::Bold,
                &format!("{env}: waiting for {hop}; it may wait for your phone (Ctrl-C cancels)"),
            );
            for line in told.lines() {
                paper.exact(2, Ink::Plain, line.as_str());
            }
        }
        QuestionKind::LogInAgain { why } => {
            paper.words(
                0,
                Ink::Bold,
                &format!("{env}: log in to {hop} again? That may send a push or count as an attempt"),
            );
            paper.words(2, Ink::Plain, why.as_str());
        }
    }
    paper.take()
}

fn mark(kind: &QuestionKind) -> (&'static str, bool) {
    match kind {
        QuestionKind::UnknownHostKey { .. } => ("type yes to accept it> ", true),
        QuestionKind::LogInAgain { .. } => ("type yes to log in> ", true),
        QuestionKind::Waiting { .. } => ("", true),
        QuestionKind::Passphrase { .. } => ("passphrase> ", false),
        QuestionKind::Prompt { echo, .. } => ("answer> ", *echo),
    }
}

fn answered(kind: &QuestionKind, typed: Typed) -> Answer {
    let yes_or_no = match kind {
        QuestionKind::UnknownHostKey { .. }
        | QuestionKind::LogInAgain { .. }
        | QuestionKind::Waiting { .. } => true,
        QuestionKind::Passphrase { .. } | QuestionKind::Prompt { .. } => false,
    };
    match typed {
        Typed::Line(line) if yes_or_no && line.trim() == "yes" => Answer::Accept,
        Typed::Line(line) | Typed::Pasted(line) if !yes_or_no && !line.is_empty() => Answer::Secret(line),
        Typed::Line(_) | Typed::Pasted(_) | Typed::Several | Typed::End => Answer::Refuse,
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
