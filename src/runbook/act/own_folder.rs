//! The folder of a host that only the account which makes changes there can write to. Changes under way have their marks in
//! it: root's is `/run/jumpdeck`. Scripts that outlive the connection and the numbers of Salt jobs have to outlive a restart
//! of the host, too: root's are in `/var/lib/jumpdeck`. Another account has `~/.jumpdeck` for both.
//!
//! A folder that other accounts can write (`/tmp`) lets them take a name first, put a pipe or a link there, and so stop a
//! change, make it look finished, or make root write a file of their choice. The choice depends on the account alone,
//! never on what happens to be there: whoever looks later finds the same folder.

/// The words of `/bin/sh` that find the folder, make it when it is missing, and prove that only this account can write to
/// it. Else they say what to do, and end the shell with status 78. They leave the folder's name in `$jd`.
///
/// One line without single quotes, backslashes and exclamation marks: it fits within single quotes of any login shell.
macro_rules! prove {
    ($root:literal) => {
        concat!(
            "jd_no() { echo \"$1, then repeat the step\" >&2; exit 78; }; ",
            "jd_uid=$(id -u) || jd_no \"id -u failed, so the account is not known: repair that\"; ",
            "case $jd_uid in 0) jd_in=",
            $root,
            ";; *) jd_in=${HOME-};; esac; ",
            "case $jd_in in /*) ;; *) jd_no \"HOME of uid $jd_uid is ${jd_in:-not set}: give the account a home folder\";; esac; ",
            "case $jd_uid in 0) jd=${jd_in%/}/jumpdeck;; *) jd=${jd_in%/}/.jumpdeck;; esac; ",
            "jd_is=$(set -- $(LC_ALL=C ls -lnd \"$jd_in/.\" 2>/dev/null); echo \"$1:$3\"); ",
            "case $jd_is in d????-??-*:0|d????-??-*:$jd_uid) ;; ",
            ":) jd_no \"$jd_in is missing, or uid $jd_uid cannot enter it: make it, or correct its mode\";; ",
            "*) jd_no \"$jd_in must be a folder of root or uid $jd_uid that no other account can write to; it is ${jd_is}. ",
            "Correct its owner and mode (chown, chmod go-w)\";; esac; ",
            "mkdir -m 700 \"$jd\" 2>/dev/null; ",
            "jd_is=$(set -- $(LC_ALL=C ls -lnd \"$jd\" 2>/dev/null); echo \"$1:$3\"); ",
            "case $jd_is in drwx------*:$jd_uid|drwx--S---*:$jd_uid) ;; ",
            ":) jd_no \"$jd cannot be made. Make room on its disk, or as root: install -d -m 700 -o $jd_uid $jd\";; ",
            "*) jd_no \"$jd must be a folder of uid $jd_uid with mode 0700; it is ${jd_is}. Remove it or correct it\";; esac",
        )
    };
}

/// For marks of changes under way: a change ends with a restart of its host.
pub(super) const PROVE: &str = prove!("/run");
/// For what is looked for after a restart of the host, too.
pub(super) const PROVE_LASTING: &str = prove!("/var/lib");

/// What tells one start of a host from the next, as a word of `/bin/sh`; empty where the host does not tell.
pub(super) const START: &str = "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)";

/// Defines `jd_gone FILE`: whether the process that wrote its number and [`START`] there has ended, also by a restart of the
/// host, after which the number may be another process's. A file that is none, or a link, tells nothing.
pub(super) const GONE: &str = "jd_gone() {\n\
    [ -f \"$1\" ] && [ ! -L \"$1\" ] || return 1\n\
    jd_p= jd_start=\n\
    read -r jd_p jd_start <\"$1\"\n\
    [ -n \"$jd_p\" ] || return 1\n\
    [ -z \"$jd_start\" ] || [ \"$jd_start\" = \"$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)\" ] || return 0\n\
    ! kill -0 \"$jd_p\" 2>/dev/null\n\
    }";

/// A name in the folder, as a word of `/bin/sh` after [`PROVE`].
pub(super) fn path(name: &str) -> String {
    format!("\"$jd/{name}\"")
}

/// The name of what has to outlive a restart, for messages.
pub(super) fn shown_lasting(name: &str) -> String {
    format!("/var/lib/jumpdeck/{name} (root) or ~/.jumpdeck/{name} (another account)")
}

#[cfg(test)]
pub(super) mod tests;
