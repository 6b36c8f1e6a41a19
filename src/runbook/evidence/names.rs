//! Which names can sign.

/// Whether a name can stand in a signed text and in an allowed_signers file: a word without control characters. Whoever
/// checks by hand must be able to type it.
pub(in crate::runbook) fn may_sign_as(who: &str) -> bool {
    !who.is_empty() && who.len() <= 200 && who.chars().all(|c| !c.is_control() && !c.is_whitespace())
}
