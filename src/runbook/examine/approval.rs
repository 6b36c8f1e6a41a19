//! The yes of a second person that an entry counts: theirs, to this question, once.

use super::{EntryInFile, Examination, Grade, KnownSoFar, signature};
use crate::openssh::sshsig::AllowedSigners;

const REPLAYED: &str = "an approval was used for something else than it was given for";
const FIRST: &str = "jumpdeck approval 1";
const FIELDS: [&str; 6] = ["run", "step", "question", "plan", "commands", "who"];

pub(super) fn judge(
    run: &str,
    known: &mut KnownSoFar,
    entry: &EntryInFile<'_>,
    allowed: &AllowedSigners,
    found: &mut Examination,
) {
    let line = Some(entry.number);
    if !entry.is_approval() {
        if entry.read.approved.is_some() {
            found.remark(line, Grade::Broken, "it holds an approval that its step did not ask for", REPLAYED);
        }
        return;
    }
    let Some(approved) = &entry.read.approved else {
        let what = "the second operator's own approval is not in the entry";
        let meaning = "only the operator of the run says that they approved";
        found.remark(line, Grade::Unproved, what, meaning);
        return;
    };
    let Some([of, step, question, plan, _, who]) = fields(&approved.text) else {
        found.remark(line, Grade::Broken, "the approval's text cannot be read", super::CHANGED);
        return;
    };
    let mut broken = |what: String| found.remark(line, Grade::Broken, what, REPLAYED);
    if of != run {
        broken(format!("the approval is of the run {of}"));
    }
    if step != entry.text("step") {
        broken(format!("the approval is of the step {step}"));
    }
    if plan != known.plan {
        broken("the approval is of another plan".to_owned());
    }
    if !known.questions.insert(question.to_owned()) {
        broken("the same approval was counted before".to_owned());
    }
    let name = entry.text("who");
    if name != who && !name.starts_with(&format!("{who} (as ")) {
        broken(format!("the entry names {name}, the approval {who}"));
    }
    if who == known.operator {
        broken(format!("{who} ran it and also approved it"));
    }
    let Some(sig) = &approved.sig else {
        let meaning = "only the operator of the run says that they approved";
        found.remark(line, Grade::Unproved, format!("the approval of {who} is not signed"), meaning);
        return;
    };
    let key = signature::check(entry, sig, &approved.text, who, "approval".to_owned(), allowed, found);
    if key.is_some_and(|key| known.keys.contains(&key)) {
        let what = format!("the approval of {who} is signed with the operator's own key");
        found.remark(line, Grade::Broken, what, "the operator approved their own step");
    }
}

/// The values of an approval's text: seven lines in their order.
fn fields(text: &str) -> Option<[&str; 6]> {
    let mut lines = text.strip_suffix('\n')?.split('\n');
    if lines.next()? != FIRST {
        return None;
    }
    let mut values = [""; 6];
    for (value, name) in values.iter_mut().zip(FIELDS) {
        *value = lines.next()?.strip_prefix(name)?.strip_prefix(": ")?;
    }
    lines.next().is_none().then_some(values)
}
