//! What a typed line means to a question. Pure.
//!
//! Only a whole `yes` is a yes; what is pasted never says yes, and never answers a challenge or a choice.

use zeroize::Zeroizing;

use jumpdeck_fleet::run::{InputView, PromptKind, Reply};

use crate::cli::terminal::keys::Typed;

/// What a person said.
#[derive(Debug, PartialEq)]
pub(super) enum TypedAnswer {
    /// An answer.
    Reply(Reply),
    /// The choice of that key, which wants a reason.
    Reason(char),
    /// A note; without a text, it is still to be asked for.
    Note(Option<String>),
    /// Take back.
    Rollback,
    /// Stop before the next step.
    Stop,
    /// No answer: why. The question stands.
    Again(String),
}

/// What stands before the answer, and whether it is shown while typed.
pub(super) fn mark(kind: &PromptKind) -> (String, bool) {
    match kind {
        PromptKind::Confirm => ("type yes to do it> ".to_owned(), true),
        PromptKind::Challenge(value) => (format!("type {value} to do it> "), true),
        PromptKind::Choose(choices) => {
            let keys: Vec<String> = choices.iter().map(|c| c.key.to_string()).collect();
            (format!("{}> ", keys.join("/")), true)
        }
        PromptKind::Approve(_) => ("waiting for a second person; type no to stop waiting> ".to_owned(), true),
        PromptKind::Input(input) => {
            let default = input.default.as_ref().map(|d| format!(" [{d}]")).unwrap_or_default();
            (format!("{}{default}> ", input.name), !input.sensitive)
        }
    }
}

/// What `typed` says to a question of that kind.
pub(super) fn said(kind: &PromptKind, typed: Typed) -> TypedAnswer {
    let (line, pasted) = match typed {
        Typed::Line(line) => (line, false),
        Typed::Pasted(line) => (line, true),
        Typed::Several => {
            return TypedAnswer::Again(
                "several lines came at once; none was used, so type one answer".to_owned(),
            );
        }
        Typed::End => return TypedAnswer::Stop,
    };
    match kind {
        PromptKind::Input(input) => self::input(input, line),
        _ if pasted => TypedAnswer::Again("pasted text is not accepted here: type it".to_owned()),
        _ => aside(&line, kind).unwrap_or_else(|| answer(kind, line.trim())),
    }
}

fn answer(kind: &PromptKind, line: &str) -> TypedAnswer {
    match kind {
        PromptKind::Challenge(value) if line == value.as_str() => {
            TypedAnswer::Reply(Reply::Text(Zeroizing::new(line.to_owned())))
        }
        PromptKind::Challenge(_) if line.is_empty() => TypedAnswer::Reply(Reply::No),
        PromptKind::Challenge(value) => {
            TypedAnswer::Again(format!("that is not {value}; Enter alone says no"))
        }
        PromptKind::Choose(choices) => {
            let mut keys = line.chars();
            let choice = match (keys.next(), keys.next()) {
                (Some(key), None) => choices.iter().find(|choice| choice.key == key),
                _ => None,
            };
            match choice {
                Some(choice) if choice.reason => TypedAnswer::Reason(choice.key),
                Some(choice) => TypedAnswer::Reply(Reply::Chosen(choice.key, None)),
                None => TypedAnswer::Again("type one of the letters shown".to_owned()),
            }
        }
        PromptKind::Approve(_) if line == "no" => TypedAnswer::Reply(Reply::No),
        PromptKind::Approve(_) => {
            TypedAnswer::Again("a second operator must approve; you can only type no".to_owned())
        }
        PromptKind::Confirm if line == "yes" => TypedAnswer::Reply(Reply::Yes),
        PromptKind::Confirm | PromptKind::Input(_) => TypedAnswer::Reply(Reply::No),
    }
}

/// What is said beside the question: a note, or that all is to be taken back.
fn aside(line: &str, kind: &PromptKind) -> Option<TypedAnswer> {
    let line = line.trim();
    let chosen = |key| matches!(kind, PromptKind::Choose(choices) if choices.iter().any(|c| c.key == key));
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match word {
        // Alone it means no to a yes-or-no question, and may be the letter of a choice.
        "n" if rest.is_empty() && (matches!(kind, PromptKind::Confirm) || chosen('n')) => None,
        "n" | "note" => Some(TypedAnswer::Note((!rest.trim().is_empty()).then(|| rest.trim().to_owned()))),
        "rollback" if rest.is_empty() => Some(TypedAnswer::Rollback),
        _ => None,
    }
}

fn input(input: &InputView, line: Zeroizing<String>) -> TypedAnswer {
    let text = line.trim();
    if !input.sensitive
        && let Some(note) = text.strip_prefix(":n").filter(|rest| rest.is_empty() || rest.starts_with(' '))
    {
        return TypedAnswer::Note((!note.is_empty()).then(|| note.trim().to_owned()));
    }
    match value(input, text) {
        Ok(value) => TypedAnswer::Reply(Reply::Text(value)),
        Err(why) => TypedAnswer::Again(why),
    }
}

/// The value a typed line gives an input: a choice by its number, the default for nothing.
///
/// # Errors
/// What is wanted instead.
pub(super) fn value(input: &InputView, text: &str) -> Result<Zeroizing<String>, String> {
    let taken = |text: &str| Ok(Zeroizing::new(text.to_owned()));
    match &input.default {
        Some(default) if text.is_empty() => return taken(default.as_str()),
        None if text.is_empty() => return Err(format!("expected {}", input.wanted)),
        _ => {}
    }
    if input.choices.is_empty() || input.choices.iter().any(|c| c.as_str() == text) {
        return taken(text);
    }
    let numbered = text.parse::<usize>().ok().and_then(|n| input.choices.get(n.checked_sub(1)?));
    match numbered {
        Some(choice) => taken(choice.as_str()),
        None => Err("type one of the values above, or its number".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jumpdeck_fleet::run::Choice;
    use jumpdeck_fleet::text::Clean;

    fn typed(text: &str) -> Typed {
        Typed::Line(Zeroizing::new(text.to_owned()))
    }

    fn pasted(text: &str) -> Typed {
        Typed::Pasted(Zeroizing::new(text.to_owned()))
    }

    fn text(text: &str) -> TypedAnswer {
        TypedAnswer::Reply(Reply::Text(Zeroizing::new(text.to_owned())))
    }

    fn asks(choices: &[&str], default: Option<&str>, sensitive: bool) -> PromptKind {
        PromptKind::Input(InputView {
            name: "candidate".to_owned(),
            label: Clean::new("Which?"),
            help: None,
            wanted: Clean::new("a host name"),
            choices: choices.iter().map(|c| Clean::new(c)).collect(),
            default: default.map(Clean::new),
            finds: false,
            because: None,
            sensitive,
            not: Vec::new(),
        })
    }

    #[test]
    fn only_a_whole_yes_is_a_yes() {
        assert_eq!(said(&PromptKind::Confirm, typed("yes")), TypedAnswer::Reply(Reply::Yes));
        for no in ["", "y", "Y", "YES", "yes please", "n", "no", "\x1b[A"] {
            assert_eq!(said(&PromptKind::Confirm, typed(no)), TypedAnswer::Reply(Reply::No), "{no:?}");
        }
        for nothing in [pasted("yes"), Typed::Several] {
            assert!(matches!(said(&PromptKind::Confirm, nothing), TypedAnswer::Again(_)));
        }
        assert_eq!(said(&PromptKind::Confirm, Typed::End), TypedAnswer::Stop);
    }

    #[test]
    fn a_challenge_is_typed_and_typed_right() {
        let kind = PromptKind::Challenge(Clean::new("db2"));
        assert_eq!(said(&kind, typed("db2")), text("db2"));
        assert_eq!(said(&kind, typed("")), TypedAnswer::Reply(Reply::No));
        assert!(matches!(said(&kind, typed("db3")), TypedAnswer::Again(_)));
        assert!(matches!(said(&kind, typed("yes")), TypedAnswer::Again(_)));
        assert!(matches!(said(&kind, pasted("db2")), TypedAnswer::Again(_)));
    }

    #[test]
    fn choices_are_taken_by_their_letter() {
        let choice = |key, reason| Choice { key, label: Clean::new("…"), reason, changes: false };
        let kind = PromptKind::Choose(vec![choice('r', false), choice('k', true)]);
        assert_eq!(said(&kind, typed("r")), TypedAnswer::Reply(Reply::Chosen('r', None)));
        assert_eq!(said(&kind, typed("k")), TypedAnswer::Reason('k'));
        for no in ["", "x", "rr", "R"] {
            assert!(matches!(said(&kind, typed(no)), TypedAnswer::Again(_)), "{no:?}");
        }
        assert!(matches!(said(&kind, pasted("r")), TypedAnswer::Again(_)));
    }

    #[test]
    fn values_may_be_pasted_and_chosen_by_number() {
        assert_eq!(said(&asks(&[], None, false), pasted("0-1-5")), text("0-1-5"));
        assert_eq!(said(&asks(&["db2", "db3"], None, false), typed("2")), text("db3"));
        assert_eq!(said(&asks(&["db2", "db3"], None, false), typed("db2")), text("db2"));
        assert!(matches!(said(&asks(&["db2"], None, false), typed("db4")), TypedAnswer::Again(_)));
        assert!(matches!(said(&asks(&[], None, false), typed("")), TypedAnswer::Again(_)));
        assert_eq!(said(&asks(&[], Some("db2"), false), typed("")), text("db2"));
        assert_eq!(said(&asks(&[], None, true), typed(":n x")), text(":n x"), "a secret is taken as it is");
    }

    #[test]
    fn notes_may_be_made_at_every_question_but_a_secrets() {
        let note = |text: Option<&str>| TypedAnswer::Note(text.map(str::to_owned));
        assert_eq!(said(&PromptKind::Confirm, typed("n the lag is odd")), note(Some("the lag is odd")));
        assert_eq!(said(&PromptKind::Confirm, typed("note")), note(None));
        assert_eq!(said(&PromptKind::Challenge(Clean::new("db2")), typed("n")), note(None));
        assert_eq!(said(&asks(&[], None, false), typed(":n seen twice")), note(Some("seen twice")));
        assert_eq!(said(&asks(&[], None, false), typed("note")), text("note"));
        assert_eq!(said(&PromptKind::Confirm, typed("rollback")), TypedAnswer::Rollback);
    }
}
