//! Who runs a runbook: `account@machine` of this side, in the journal and on the lease.

use crate::config::files;
use jumpdeck_fleet::text::Clean;

/// People who share an account tell themselves apart by it: `JUMPDECK_WHO=anna`.
const VARIABLE: &str = "JUMPDECK_WHO";
/// A longer name is cut.
const LONGEST: usize = 64;

/// `account@machine`; what `JUMPDECK_WHO` says before the `@` when it is set.
#[must_use]
pub fn who() -> String {
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let said = std::env::var(VARIABLE).ok().filter(|name| !name.trim().is_empty());
    let account =
        said.or_else(files::own_account).unwrap_or_else(|| rustix::process::getuid().as_raw().to_string());
    named(&account, &machine)
}

fn named(account: &str, machine: &str) -> String {
    let word = |text: &str| -> String {
        let text = Clean::new(text.trim());
        text.as_str().chars().map(|c| if c.is_whitespace() { '_' } else { c }).take(LONGEST).collect()
    };
    let account = word(account);
    if account.contains('@') { account } else { format!("{account}@{}", word(machine)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_printable_word() {
        assert_eq!(named("anna", "desk"), "anna@desk");
        assert_eq!(named("anna@home", "desk"), "anna@home");
        assert_eq!(named(" an na\x1b[31m ", "desk\n"), "an_na^[[31m@desk");
        assert_eq!(named(&"x".repeat(200), "desk").len(), LONGEST + "@desk".len());
    }
}
