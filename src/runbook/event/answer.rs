//! What a person answered, and how it is written in a journal: schema 2 has `said`, with a form for each kind of answer;
//! schema 1 had a word, `answer`, whose meaning hung on what was asked.

use serde::{Deserialize, Serialize};

/// What a person was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// A yes.
    Confirm,
    /// A value on screen, typed.
    Challenge,
    /// The yes of a second person.
    Approve,
    /// A value.
    Input,
    /// Something done by hand, or the value seen there.
    Manual,
}

impl Asked {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Challenge => "challenge",
            Self::Approve => "approve",
            Self::Input => "input",
            Self::Manual => "manual",
        }
    }
}

/// A way on from a step that waits for a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Do it again.
    Retry,
    /// Look again whether it was done.
    Look,
    /// A person looked: it was done.
    #[serde(rename = "done")]
    WasDone,
    /// A person looked: it was not done.
    #[serde(rename = "not_done")]
    WasNotDone,
    /// Leave it out.
    Skip,
    /// Leave its failed hosts out of the rest.
    Exclude,
    /// Undo what was done.
    Rollback,
    /// Stop here; the run may be resumed.
    Stop,
    /// Give the run up; closing steps are done.
    Abandon,
}

impl Way {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Look => "look",
            Self::WasDone => "done",
            Self::WasNotDone => "not_done",
            Self::Skip => "skip",
            Self::Exclude => "exclude",
            Self::Rollback => "rollback",
            Self::Stop => "stop",
            Self::Abandon => "abandon",
        }
    }
}

/// What a person answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum OperatorAnswer {
    /// Yes.
    Confirmed(Asked),
    /// No.
    Declined(Asked),
    /// A value.
    Typed(Asked, String),
    /// A secret value, which is not written.
    Hidden(Asked),
    /// A way on.
    Chosen(Way),
}

impl OperatorAnswer {
    /// What was asked, as a word.
    #[must_use]
    pub fn asked(&self) -> &'static str {
        match self {
            Self::Confirmed(asked) | Self::Declined(asked) | Self::Typed(asked, _) | Self::Hidden(asked) => {
                asked.word()
            }
            Self::Chosen(_) => CHOICE,
        }
    }

    /// The answer for eyes: `yes`, `no`, the value typed, `…` for a secret, the word of a way on.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::Confirmed(_) => "yes",
            Self::Declined(_) => "no",
            Self::Typed(_, text) => text,
            Self::Hidden(_) => "…",
            Self::Chosen(way) => way.word(),
        }
    }
}

/// The word for the question how to go on.
const CHOICE: &str = "choice";

/// The keys of an answer in a journal.
#[derive(Clone, Serialize, Deserialize)]
struct Written {
    asked: AskedAs,
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<Said>,
    /// Schema 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AskedAs {
    Confirm,
    Challenge,
    Approve,
    Input,
    Manual,
    Choice,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Confirmed,
    Declined,
    Typed(String),
    Hidden,
    Chosen(Way),
}

impl From<OperatorAnswer> for Written {
    fn from(answer: OperatorAnswer) -> Self {
        let asked = |asked: Asked| match asked {
            Asked::Confirm => AskedAs::Confirm,
            Asked::Challenge => AskedAs::Challenge,
            Asked::Approve => AskedAs::Approve,
            Asked::Input => AskedAs::Input,
            Asked::Manual => AskedAs::Manual,
        };
        let (asked, said) = match answer {
            OperatorAnswer::Confirmed(to) => (asked(to), Said::Confirmed),
            OperatorAnswer::Declined(to) => (asked(to), Said::Declined),
            OperatorAnswer::Typed(to, text) => (asked(to), Said::Typed(text)),
            OperatorAnswer::Hidden(to) => (asked(to), Said::Hidden),
            OperatorAnswer::Chosen(way) => (AskedAs::Choice, Said::Chosen(way)),
        };
        Self { asked, said: Some(said), answer: None }
    }
}

impl TryFrom<Written> for OperatorAnswer {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let asked = match written.asked {
            AskedAs::Confirm => Some(Asked::Confirm),
            AskedAs::Challenge => Some(Asked::Challenge),
            AskedAs::Approve => Some(Asked::Approve),
            AskedAs::Input => Some(Asked::Input),
            AskedAs::Manual => Some(Asked::Manual),
            AskedAs::Choice => None,
        };
        match (asked, written.said, written.answer) {
            (Some(asked), Some(said), None) => match said {
                Said::Confirmed => Ok(Self::Confirmed(asked)),
                Said::Declined => Ok(Self::Declined(asked)),
                Said::Typed(text) => Ok(Self::Typed(asked, text)),
                Said::Hidden => Ok(Self::Hidden(asked)),
                Said::Chosen(way) => Err(format!("{} is not an answer to {}", way.word(), asked.word())),
            },
            (None, Some(Said::Chosen(way)), None) => Ok(Self::Chosen(way)),
            (Some(asked), None, Some(answer)) => of_schema_1(asked, answer),
            (None, None, Some(answer)) => {
                let way = serde_json::from_value(serde_json::Value::String(answer));
                way.map(Self::Chosen).map_err(|error| error.to_string())
            }
            (None, Some(_), None) => Err("the answer to a choice chooses nothing".to_owned()),
            (_, None, None) | (_, Some(_), Some(_)) => Err("an answer has one of said and answer".to_owned()),
        }
    }
}

/// The word of an answer of schema 1. One who refused to type a value had the same word as one who typed `no`.
fn of_schema_1(asked: Asked, answer: String) -> Result<OperatorAnswer, String> {
    let of_a_value = match asked {
        Asked::Input => true,
        Asked::Manual => answer != "yes",
        Asked::Confirm | Asked::Challenge | Asked::Approve => false,
    };
    match (answer.as_str(), of_a_value) {
        ("no", _) => Ok(OperatorAnswer::Declined(asked)),
        ("yes", false) => Ok(OperatorAnswer::Confirmed(asked)),
        ("…", true) => Ok(OperatorAnswer::Hidden(asked)),
        (_, true) => Ok(OperatorAnswer::Typed(asked, answer)),
        (_, false) => Err(format!("{answer:?} is not an answer to {}", asked.word())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(json: &str) -> Result<OperatorAnswer, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_is_read_again() {
        let all = [
            OperatorAnswer::Confirmed(Asked::Challenge),
            OperatorAnswer::Declined(Asked::Approve),
            OperatorAnswer::Typed(Asked::Input, "no".to_owned()),
            OperatorAnswer::Typed(Asked::Manual, "confirmed".to_owned()),
            OperatorAnswer::Hidden(Asked::Input),
            OperatorAnswer::Chosen(Way::WasNotDone),
        ];
        for answer in all {
            let text = serde_json::to_string(&answer).unwrap();
            assert_eq!(read(&text).unwrap(), answer, "{text}");
        }
        let text = serde_json::to_string(&OperatorAnswer::Chosen(Way::WasDone)).unwrap();
        assert_eq!(text, r#"{"asked":"choice","said":{"chosen":"done"}}"#);
    }

    #[test]
    fn answers_of_schema_1_are_read() {
        let of = |asked: &str, answer: &str| read(&format!(r#"{{"asked":"{asked}","answer":"{answer}"}}"#));
        for way in ["retry", "look", "done", "not_done", "skip", "exclude", "rollback", "stop", "abandon"] {
            let answer = of("choice", way).unwrap();
            assert_eq!((answer.asked(), answer.words()), ("choice", way));
        }
        assert_eq!(of("confirm", "yes").unwrap(), OperatorAnswer::Confirmed(Asked::Confirm));
        assert_eq!(of("approve", "no").unwrap(), OperatorAnswer::Declined(Asked::Approve));
        assert_eq!(of("manual", "yes").unwrap(), OperatorAnswer::Confirmed(Asked::Manual));
        assert_eq!(of("manual", "7").unwrap(), OperatorAnswer::Typed(Asked::Manual, "7".to_owned()));
        assert_eq!(of("input", "yes").unwrap(), OperatorAnswer::Typed(Asked::Input, "yes".to_owned()));
        assert_eq!(of("input", "…").unwrap(), OperatorAnswer::Hidden(Asked::Input));
    }

    #[test]
    fn a_word_that_is_no_answer_is_refused() {
        for json in [
            r#"{"asked":"choice","answer":"again"}"#,
            r#"{"asked":"choice","said":"confirmed"}"#,
            r#"{"asked":"confirm","answer":"maybe"}"#,
            r#"{"asked":"confirm","said":{"chosen":"retry"}}"#,
            r#"{"asked":"confirm"}"#,
            r#"{"asked":"confirm","said":"confirmed","answer":"no"}"#,
            r#"{"asked":"else","answer":"yes"}"#,
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
