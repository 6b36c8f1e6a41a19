//! What a second person is asked, and their yes. Both sides make what is shown from the run's entries, so
//! that nobody approves another text than the one that was asked. Pure.

use rand::RngExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::act;
use super::definition::On;
use super::machine::Machine;
use jumpdeck_fleet::run::{Asks, Effect};
use jumpdeck_fleet::text::Clean;

/// Doubts that are told, at most, and the length of each in characters: a question must fit into the holder's file.
const DOUBTS: (usize, usize) = (8, 300);

/// A question to a second person, as the run puts it. An approval counts for this question only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalQuestion {
    /// The run.
    pub run: String,
    /// The step that asks.
    pub step: String,
    /// 32 random hexadecimal digits, made when the question is put: the same step asked again is another question.
    pub nonce: String,
    /// The plan's hash: SHA-256 of the runbook's sources.
    pub plan: String,
    /// SHA-256 of what is shown, [`shown`] joined by line ends.
    pub commands: String,
    /// What could not be proved.
    pub doubts: Vec<String>,
}

impl ApprovalQuestion {
    /// The question of a step as the run stands now; `None` when there is no such step.
    #[must_use]
    pub fn of(machine: &Machine, step: &str, doubts: &[String]) -> Option<Self> {
        let (most, longest) = DOUBTS;
        let doubts: Vec<String> =
            doubts.iter().take(most).map(|d| Clean::first_line(d, longest).to_string()).collect();
        let nonce: u128 = rand::rng().random();
        Some(Self {
            run: machine.run.to_string(),
            step: step.to_owned(),
            nonce: format!("{nonce:032x}"),
            plan: machine.plan().runbook.hash.clone(),
            commands: hash(&shown(machine, step, &doubts)?),
            doubts,
        })
    }

    /// Whether a run's entries say what the question asks to approve: the same plan, the same commands.
    #[must_use]
    pub fn is_about(&self, machine: &Machine) -> bool {
        machine.run == self.run.as_str()
            && self.plan == machine.plan().runbook.hash
            && shown(machine, &self.step, &self.doubts).is_some_and(|lines| hash(&lines) == self.commands)
    }
}

/// A second person's yes to one question.
///
/// [`Approval::text`] is what a signature is to be made over. It binds: the run, the step, the question (its nonce, made
/// when it was put), the plan (hash of the runbook's sources), the commands (hash of everything that was shown: title,
/// doubts, commands of the step and of what follows until the next question), and who says it. It does not bind the
/// account on the jump box: that is the owner of the file, and a signature's key is proof of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The run.
    pub run: String,
    /// The step.
    pub step: String,
    /// The question's nonce.
    pub question: String,
    /// The plan's hash.
    pub plan: String,
    /// The hash of what was shown.
    pub commands: String,
    /// Who, by their own console: `account@machine`.
    pub who: String,
    /// Their signature of [`Approval::text`], as `ssh-keygen -Y sign` makes it, base64 without its frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
}

impl Approval {
    /// Somebody's yes to a question.
    #[must_use]
    pub fn to(question: &ApprovalQuestion, who: &str) -> Self {
        Self {
            run: question.run.clone(),
            step: question.step.clone(),
            question: question.nonce.clone(),
            plan: question.plan.clone(),
            commands: question.commands.clone(),
            who: who.to_owned(),
            sig: None,
        }
    }

    /// Whether it is the yes to that question and no other.
    #[must_use]
    pub fn answers(&self, question: &ApprovalQuestion) -> bool {
        *self == Self { sig: self.sig.clone(), ..Self::to(question, &self.who) }
    }

    /// The canonical text: seven lines, each with a line end, always in this order. Values are one line each: control
    /// characters are written as visible escapes.
    #[must_use]
    pub fn text(&self) -> String {
        let fields = [
            ("run", &self.run),
            ("step", &self.step),
            ("question", &self.question),
            ("plan", &self.plan),
            ("commands", &self.commands),
            ("who", &self.who),
        ];
        let lines: String =
            fields.iter().map(|(name, value)| format!("{name}: {}\n", Clean::new(value))).collect();
        format!("jumpdeck approval 1\n{lines}")
    }
}

/// An approval that counts, and whose it is by the jump box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// What they said yes to.
    pub approval: Approval,
    /// The account that owns the file, by its number.
    pub uid: u32,
    /// That account's name on the jump box, for eyes.
    pub account: Clean,
}

impl std::fmt::Display for Approved {
    /// `anna@desk (as anna)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (as {})", Clean::new(&self.approval.who), self.account)
    }
}

/// What a second person sees before they say yes, line by line: the step, what is not proved, its commands, and the
/// changes that follow until the next question. `None` when there is no such step.
#[must_use]
pub fn shown(machine: &Machine, step: &str, doubts: &[String]) -> Option<Vec<String>> {
    let asked = machine.steps().find(|at| *at.id() == step)?;
    let mut lines = Vec::new();
    for at in machine.steps().skip(asked.planned().position) {
        let own = at.id() == asked.id();
        if !own && at.step().kind.entry().asks == Asks::Yes {
            break;
        }
        if !own && (at.step().effect == Effect::Read || at.is_left_out()) {
            continue;
        }
        let places = at.known_places();
        let names = places.names(", ");
        if !own && at.step().on != On::Nowhere && names.is_empty() {
            continue;
        }
        let on = if names.is_empty() { String::new() } else { format!(" on {names}") };
        let word = if own { "step" } else { "then" };
        lines.push(format!("{word} {}: {}{on}", at.id(), at.shown(&at.step().title).trim()));
        if own {
            lines.extend(doubts.iter().map(|doubt| format!("  not proved: {doubt}")));
        }
        for (place, text) in act::shown(at, at.step().kind.as_ref(), &places) {
            let host = place.host().map(|host| format!("{host}: ")).unwrap_or_default();
            lines.extend(text.lines().map(|line| format!("  {host}{line}")));
        }
        if at.step().point_of_no_return {
            lines.push("  Point of no return.".to_owned());
        }
    }
    Some(lines.iter().map(|line| Clean::new(line).to_string()).collect())
}

/// SHA-256 of lines joined by line ends, lower-case hexadecimal.
fn hash(lines: &[String]) -> String {
    let digest = Sha256::digest(lines.join("\n").as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> ApprovalQuestion {
        ApprovalQuestion {
            run: "20261121-134502-promote-masterdb-a3f1".to_owned(),
            step: "fence".to_owned(),
            nonce: "00112233445566778899aabbccddeeff".to_owned(),
            plan: "a".repeat(64),
            commands: "b".repeat(64),
            doubts: Vec::new(),
        }
    }

    #[test]
    fn the_canonical_text_is_seven_lines_whatever_the_values_hold() {
        let text = Approval::to(&question(), "anna@desk").text();
        let wanted = format!(
            "jumpdeck approval 1\nrun: 20261121-134502-promote-masterdb-a3f1\nstep: fence\n\
             question: 00112233445566778899aabbccddeeff\nplan: {}\ncommands: {}\nwho: anna@desk\n",
            "a".repeat(64),
            "b".repeat(64)
        );
        assert_eq!(text, wanted);
        let forged = Approval::to(&question(), "anna\nstep: other\r\u{2028}x").text();
        assert_eq!(forged.lines().count(), 7);
    }

    #[test]
    fn a_yes_to_one_question_is_none_to_another() {
        let asked = question();
        let yes = Approval::to(&asked, "anna@desk");
        assert!(yes.answers(&asked));
        let changes: [fn(&mut ApprovalQuestion); 5] = [
            |q| q.run.push('x'),
            |q| q.step.push('x'),
            |q| q.nonce.push('0'),
            |q| q.plan.push('0'),
            |q| q.commands.push('0'),
        ];
        for change in changes {
            let mut other = asked.clone();
            change(&mut other);
            assert!(!yes.answers(&other), "{other:?}");
        }
    }
}
