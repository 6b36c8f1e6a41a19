//! Groups of one account alone, as `adduser` makes them.

use std::fs;

use nix::unistd::{Gid, Group, Uid, User};

/// Whether the own account is the only member. Who has it as the first group is in `/etc/passwd` alone, as for `ssh` where
/// a directory does not list its accounts.
pub(super) fn is_private(gid: u32) -> bool {
    let me = User::from_uid(Uid::effective()).ok().flatten();
    let group = Group::from_gid(Gid::from_raw(gid)).ok().flatten();
    let accounts = fs::read_to_string("/etc/passwd");
    let (Some(me), Some(group), Ok(accounts)) = (me, group, accounts) else { return false };
    is_only_member(&me.name, gid, &group.mem, &accounts)
}

/// A group's name, or its number.
pub(super) fn name(gid: u32) -> String {
    let named = Group::from_gid(Gid::from_raw(gid)).ok().flatten();
    named.map_or_else(|| gid.to_string(), |group| group.name)
}

/// Whether the group has this member and no other: those that are listed, and the accounts whose first group it is.
fn is_only_member(account: &str, gid: u32, listed: &[String], accounts: &str) -> bool {
    let gid = gid.to_string();
    let first_group_of = accounts.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(2)? == gid).then_some(name)
    });
    let mut members = first_group_of.chain(listed.iter().map(String::as_str)).peekable();
    members.peek().is_some() && members.all(|member| member == account)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNTS: &str = "root:x:0:0:root:/root:/bin/bash\nada:x:1000:1000:Ada,,,:/home/ada:/bin/sh\n\
                            bob:x:1001:1001::/home/bob:/bin/sh\neve:x:1002:1001::/home/eve:/bin/sh\n";

    #[test]
    fn a_group_is_private_when_the_account_is_its_only_member() {
        let members = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (account, gid, listed, private) in [
            ("ada", 1000, members(&[]), true),
            ("ada", 1000, members(&["ada"]), true),
            ("ada", 1000, members(&["bob"]), false),
            ("ada", 1000, members(&["ada", "bob"]), false),
            ("ada", 4000, members(&["ada"]), true),
            ("ada", 4000, members(&["bob"]), false),
            // Nobody is known to be in it: a program that takes its group on may be.
            ("ada", 4000, members(&[]), false),
            ("ada", 0, members(&[]), false),
            ("root", 0, members(&[]), true),
            ("bob", 1001, members(&[]), false),
            ("eve", 1001, members(&["eve"]), false),
        ] {
            assert_eq!(
                is_only_member(account, gid, &listed, ACCOUNTS),
                private,
                "{account} {gid} {listed:?}"
            );
        }
    }

    #[test]
    fn a_group_that_nothing_is_known_of_is_not_private() {
        assert!(!is_private(4_123_456));
        assert_eq!(name(4_123_456), "4123456");
    }
}
