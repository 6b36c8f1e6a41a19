//! A change under way on a host is a folder there, which is removed at its end; it lies where only the account that makes
//! the change can write ([`own_folder`]). What a lost link or a dead console left half done is waited for by it before
//! anybody asks whether it was done; and once somebody has asked, an order that arrives late no longer begins. So a
//! change is never begun twice, and never answered for too early.

use super::manner::For;
use super::own_folder;
use crate::runbook::machine::StepRef;
use jumpdeck_fleet::names::HostName;

/// The name of what a try of a step leaves, without its host.
pub(super) fn folder(at: StepRef<'_>) -> String {
    let step = at.id().as_str();
    let attempt = at.record().attempts.max(1);
    let plain: String =
        step.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    format!("{}-{plain}-{attempt}", at.machine().run)
}

/// The name of the folder on a host, which is there as long as the change is under way; none for what only asks.
pub(super) fn of(at: StepRef<'_>, host: &HostName, what: For) -> Option<String> {
    match what {
        For::Asking => None,
        For::Change => Some(format!("{}-{host}.now", folder(at))),
        For::Undo => {
            let undos = at.record().undos.max(1);
            Some(format!("{}-{host}-undo-{undos}.now", folder(at)))
        }
    }
}

/// What begins a change, in the words of `/bin/sh`: without single quotes and backslashes, so that it fits within
/// single quotes. It ends with status 75 when it was begun, or given up, before, and with 78 when there is no place for
/// its folder that only this account can write to.
pub(super) fn begin(name: &str) -> String {
    let folder = own_folder::path(name);
    format!(
        "{}; (umask 077; mkdir {folder}) || {{ echo it was begun before, or is given up >&2; exit 75; }}; \
         (set -C; echo $$ {} >{folder}/pid) || exit 75",
        own_folder::PROVE,
        own_folder::START
    )
}

/// What ends it, keeping the status of what ran before.
pub(super) fn end(name: &str) -> String {
    format!("jd_s=$?; rm -rf {}; exit $jd_s", own_folder::path(name))
}

/// A look at a change: `over`, or what is still there of it. The folder of one that never began is made here, so that it
/// cannot begin any more.
pub(super) fn look(name: &str) -> String {
    format!(
        "{}\n{}\njd=$jd/{name}\n\
         if (umask 077; mkdir \"$jd\") 2>/dev/null; then (set -C; : >\"$jd/over\") && echo over\n\
         elif [ -f \"$jd/over\" ]; then echo over\n\
         elif [ ! -d \"$jd\" ]; then echo \"$jd cannot be made\"\n\
         elif [ -L \"$jd/pid\" ] || [ ! -f \"$jd/pid\" ] || [ ! -s \"$jd/pid\" ]; then echo \"$jd has no process yet\"\n\
         elif jd_gone \"$jd/pid\"; then (set -C; : >\"$jd/over\") && echo over\n\
         else echo \"process $jd_p\"; fi",
        own_folder::PROVE,
        own_folder::GONE
    )
}
