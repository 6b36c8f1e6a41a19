//! The end of a journal: whether it is there, and whether it is the one that was written.

use super::{Examination, Examined, Grade, KnownSoFar};
use crate::runbook::evidence::Head;
use crate::runbook::journal::chain;

const CUT: &str = "entries were cut off the end";

pub(super) fn judge(seen: &Examined<'_>, known: &KnownSoFar, found: &mut Examination) {
    if known.chain.is_empty() && found.remarks.is_empty() {
        found.remark(
            None,
            Grade::Unproved,
            "the journal is empty",
            "the run did nothing, or its entries were removed",
        );
    }
    coverage(known, found);
    head(seen, known, found);
    if let Some(elsewhere) = seen.elsewhere {
        other_copy(elsewhere, known, found);
    }
    if !matches!(known.last.as_str(), "ended" | "stopped") && found.grade() < Grade::Broken {
        let what = "the run neither ended nor stopped";
        let meaning = "it is under way, was killed, or its end was cut off; the jump box may know more";
        found.remark(None, Grade::Unproved, what, meaning);
    }
}

/// What no signature vouches for.
fn coverage(known: &KnownSoFar, found: &mut Examination) {
    let last = known.chain.len();
    let Some((signed, _)) = known.signed else {
        if last > 0 {
            let meaning = "the hash chain shows accidental damage, but whoever could write the file could compute it again";
            found.remark(None, Grade::Unproved, "no entry is signed", meaning);
        }
        return;
    };
    for line in &known.unsigned {
        let meaning = "only the operator of the run says who answered";
        found.remark(Some(*line), Grade::Unproved, "the answer is not signed", meaning);
    }
    if signed < last {
        let what = format!("lines {} to {last} come after the last signature", signed + 1);
        let meaning = "there the hash chain shows accidental damage, but whoever could write the file could compute it again";
        found.remark(None, Grade::Unproved, what, meaning);
    }
}

/// The head is the newest signed line.
fn head(seen: &Examined<'_>, known: &KnownSoFar, found: &mut Examination) {
    let text = match (seen.head, &known.signed) {
        (Head::Missing, None) => return,
        (Head::Missing, Some(_)) => {
            let meaning = "whether entries were cut off the end cannot be seen from it";
            found.remark(None, Grade::Unproved, "the head (RUN.head) is missing", meaning);
            return;
        }
        (Head::Text(text), _) => text,
    };
    let line = text.strip_suffix(b"\n").unwrap_or(text);
    if known.signed.as_ref().is_some_and(|(_, signed)| signed == line) && line.len() + 1 == text.len() {
        return;
    }
    let Ok((read, _)) = chain::line::<serde_json::Value>(line) else {
        found.remark(None, Grade::Broken, "the head cannot be read", "it was changed");
        return;
    };
    let entries = known.chain.len();
    match known.chain.iter().find(|(seq, _)| *seq == read.seq) {
        None => {
            let what = format!("the head is entry {}, but the journal ends at {entries}", read.seq);
            found.remark(None, Grade::Broken, what, CUT);
        }
        Some((_, hash)) if *hash != read.hash => {
            let what = format!("entry {} differs from the one in the head", read.seq);
            found.remark(None, Grade::Broken, what, "the journal or its head was replaced");
        }
        Some(_) => {
            let what = format!("the head is entry {}, but a later entry is signed", read.seq);
            let meaning = "the program was killed between the two, or the head was replaced";
            found.remark(None, Grade::Unproved, what, meaning);
        }
    }
}

/// Entries that others saw are the same ones.
fn other_copy(elsewhere: &[(u64, String)], known: &KnownSoFar, found: &mut Examination) {
    let differs = known.chain.iter().zip(elsewhere).position(|(here, there)| here != there);
    if let Some(at) = differs {
        let what = "the jump box has another entry";
        found.remark(Some(at + 1), Grade::Broken, what, "one of the two was changed afterwards");
    } else if elsewhere.len() > known.chain.len() {
        let what =
            format!("the jump box has {} entries, this journal {}", elsewhere.len(), known.chain.len());
        found.remark(None, Grade::Broken, what, CUT);
    }
}
