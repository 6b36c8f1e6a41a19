//! The operator's signature of an entry.

use super::{EntryInFile, Examination, Grade, KnownSoFar, SignatureSeen};
use crate::openssh::sshsig::{AllowedSigners, Standing, TextSignature};
use crate::runbook::evidence::{NAMESPACE, may_sign_as, statement};

const FORGED: &str = "it was written by someone who does not have that operator's key";

pub(super) fn judge(
    run: &str,
    known: &mut KnownSoFar,
    entry: &EntryInFile<'_>,
    allowed: &AllowedSigners,
    found: &mut Examination,
) {
    let Some(signed) = &entry.read.signed else {
        if entry.word() == "answered" {
            known.unsigned.push(entry.number);
        }
        return;
    };
    known.signed = Some((entry.number, entry.line.to_vec()));
    let by = &signed.by;
    let mut broken = |what: String, meaning| found.remark(Some(entry.number), Grade::Broken, what, meaning);
    if !may_sign_as(by) {
        broken(format!("{by:?} is not a name that can sign"), "one name was put in the place of another");
    }
    if *by != known.operator {
        broken(
            format!("{by} signed it, but {} runs the run here", known.operator),
            "one name was put in the place of another",
        );
    }
    if entry.word() == "answered" && !entry.is_approval() && entry.text("who") != by {
        broken(
            format!("{by} signed the answer of {}", entry.text("who")),
            "one name was put in the place of another",
        );
    }
    let text = std::str::from_utf8(entry.unsigned).unwrap_or_default();
    let text = statement(run, by, text);
    let of = entry.word().to_owned();
    if let Some(key) = check(entry, &signed.sig, &text, by, of, allowed, found) {
        known.keys.insert(key);
    }
}

/// Judges a signature of a text in somebody's name; the key, when it fits.
pub(super) fn check(
    entry: &EntryInFile<'_>,
    sig: &str,
    text: &str,
    by: &str,
    of: String,
    allowed: &AllowedSigners,
    found: &mut Examination,
) -> Option<String> {
    let line = Some(entry.number);
    let Some(signature) = TextSignature::from_base64(sig) else {
        found.remark(line, Grade::Broken, format!("the signature of {by} cannot be read"), FORGED);
        return None;
    };
    let (key, touched) = (signature.fingerprint(), signature.touched());
    let mut seen = SignatureSeen { line: entry.number, of, by: by.to_owned(), key, touched, proved: false };
    if !signature.fits(NAMESPACE, text.as_bytes()) {
        let what = format!("the signature of {by} does not match it");
        let meaning = "the entry, or one before it, was changed after it was signed, or the signature is of another run";
        found.remark(line, Grade::Broken, what, meaning);
        found.signatures.push(seen);
        return None;
    }
    let key = seen.key.clone();
    let (grade, what, meaning) = match allowed.standing(&signature, by, NAMESPACE, entry.read.at) {
        Standing::Known => {
            seen.proved = true;
            found.signatures.push(seen);
            return Some(key);
        }
        Standing::NotNow => (
            Grade::Unproved,
            format!("{by} signed with {key}, which is not allowed for {NAMESPACE} or not at that time"),
            "someone else may have used the key",
        ),
        Standing::OfOthers(others) => (
            Grade::Broken,
            format!("it is signed in the name of {by} with the key of {}: {key}", others.join("; ")),
            "an operator signed in another operator's name",
        ),
        Standing::NotTheirs => {
            (Grade::Broken, format!("{key} signed in the name of {by}, but is not one of their keys"), FORGED)
        }
        Standing::Unknown => (
            Grade::Unproved,
            format!("allowed_signers knows neither {by} nor {key}"),
            "whoever has that key signed it; who that is, is not proved",
        ),
    };
    found.remark(line, grade, what, meaning);
    found.signatures.push(seen);
    Some(key)
}
