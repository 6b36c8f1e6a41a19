//! The folder of a host in which changes under way leave their marks: only the account that makes the changes can write
//! to it. root's is `/run/jumpdeck`, another account's is `~/.jumpdeck`. Imports nothing.
//!
//! A folder that other accounts can write (`/tmp`) lets them take a name first, put a pipe or a link there, and so stop a
//! change, make it look finished, or make root write a file of their choice. The choice depends on the account alone,
//! never on what happens to be there: whoever looks later finds the same folder.

/// Finds the folder, makes it when it is missing, and proves that only this account can write to it; else it says what
/// to do, and ends the shell with status 78. Leaves the folder's name in `$jd`.
///
/// One line in the words of `/bin/sh`, without single quotes, backslashes and exclamation marks: it may stand within
/// single quotes of any login shell.
pub(super) const PROVE: &str = "jd_no() { echo \"$1\" >&2; exit 78; }; \
    jd_uid=$(id -u) || jd_no \"id -u failed: the account is not known\"; \
    case $jd_uid in 0) jd_in=/run; jd=/run/jumpdeck;; *) jd_in=${HOME:-/nonexistent}; jd=$jd_in/.jumpdeck;; esac; \
    jd_is=$(set -- $(LC_ALL=C ls -lnd \"$jd_in/.\" 2>/dev/null); echo \"$1:$3\"); \
    case $jd_is in d????-??-*:0|d????-??-*:$jd_uid) ;; *) jd_no \"$jd_in must be a folder of root or uid $jd_uid that \
    no other account can write to; it is ${jd_is}. Correct its owner and mode, then repeat the step\";; esac; \
    mkdir -m 700 \"$jd\" 2>/dev/null; \
    jd_is=$(set -- $(LC_ALL=C ls -lnd \"$jd\" 2>/dev/null); echo \"$1:$3\"); \
    case $jd_is in drwx------*:$jd_uid|drwx--S---*:$jd_uid) ;; :) jd_no \"$jd cannot be made: give uid $jd_uid the \
    right to write to $jd_in and room on its disk, then repeat the step\";; *) jd_no \"$jd must be a folder of uid \
    $jd_uid with mode 0700; it is ${jd_is}. Remove it or correct it, then repeat the step\";; esac";

/// A name in the folder, as a word of `/bin/sh` behind [`PROVE`].
pub(super) fn path(name: &str) -> String {
    format!("\"$jd/{name}\"")
}

/// The folder's name for eyes, for messages.
pub(super) fn shown(name: &str) -> String {
    format!("/run/jumpdeck/{name} (root) or ~/.jumpdeck/{name} (another account)")
}

#[cfg(test)]
mod tests;
