//! Accounts of people on the machines: what lets them in, and what keeps them out. Each account is a line of
//! `/etc/passwd`, one of `/etc/shadow`, a membership in `/etc/group` and a file of keys in its home.

use crate::world::World;
use crate::world::noise::{draw, key};
use jumpdeck_fleet::names::HostName;

/// Members of it may become root.
pub(crate) const ADMINISTRATORS: &str = "sudo";
/// As long as this file is there, programs that change accounts refuse to.
const LOCK: &str = "/etc/passwd.lock";

/// A line's fields.
fn fields(line: &str) -> Vec<String> {
    line.split(':').map(str::to_owned).collect()
}

/// `/etc/shadow` as a machine was installed with it.
pub(crate) fn shadow(world: &World) -> String {
    let people: String = world.people().iter().map(|person| shadow_line(world, person) + "\n").collect();
    format!("root:*:16500:0:99999:7:::\ndaemon:*:16500:0:99999:7:::\n{people}")
}

fn shadow_line(world: &World, person: &str) -> String {
    let drawn = key(world.seed(), &format!("password/{person}"));
    format!(
        "{person}:$6${:016x}${:016x}{:016x}:16500:0:99999:7:::",
        draw(drawn, 1),
        draw(drawn, 2),
        draw(drawn, 3)
    )
}

/// `/etc/group` as a machine was installed with it.
pub(crate) fn group(world: &World) -> String {
    let own =
        world.people().iter().enumerate().map(|(number, person)| format!("{person}:x:{}:\n", 1000 + number));
    format!(
        "root:x:0:\n{ADMINISTRATORS}:x:27:{}\nwww-data:x:33:\n{}",
        world.people().join(","),
        own.collect::<String>()
    )
}

/// The line of `/etc/passwd` of the person with that place in the list.
pub(crate) fn passwd_line(number: usize, person: &str) -> String {
    let id = 1000 + number;
    format!("{person}:x:{id}:{id}::/home/{person}:/bin/bash")
}

/// Where a person's keys are.
#[must_use]
pub fn key_file(person: &str) -> String {
    format!("/home/{person}/.ssh/authorized_keys")
}

/// The keys of whose file that is.
pub(crate) fn keys_at(world: &World, path: &str) -> Option<String> {
    let person = world.people().iter().find(|person| key_file(person) == path)?;
    Some(world.key_line(person) + "\n")
}

impl World {
    /// A person's public key, as a line of `authorized_keys`.
    #[must_use]
    pub fn key_line(&self, person: &str) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let base = key(self.seed(), &format!("key/{person}"));
        let letter = |number| {
            LETTERS.get(usize::try_from(draw(base, number) % 64).unwrap_or(0)).map_or('A', |&b| char::from(b))
        };
        let drawn: String = (0..43).map(letter).collect();
        format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{drawn} {person}@laptop")
    }

    /// Whether sshd lets a person in: the account is there, has not expired, has a shell and a key. Of others nothing is known here.
    #[must_use]
    pub fn lets_in(&self, host: &HostName, person: &str) -> bool {
        if !self.people().iter().any(|known| known == person) {
            return true;
        }
        let Some(account) = self.account(host, "/etc/passwd", person) else { return false };
        let shell =
            account.last().is_some_and(|shell| !shell.ends_with("nologin") && !shell.ends_with("false"));
        let expires =
            self.account(host, "/etc/shadow", person).and_then(|line| line.get(7)?.parse::<f64>().ok());
        let valid = expires.is_none_or(|day| day * 86_400.0 > self.epoch(host));
        let keys = self.read_file(host, &key_file(person)).unwrap_or_default();
        shell && valid && keys.windows(4).any(|letters| letters == b"AAAA")
    }

    /// The fields of an account's, or a group's, line in a file.
    #[must_use]
    pub fn account(&self, host: &HostName, file: &str, name: &str) -> Option<Vec<String>> {
        let text = String::from_utf8(self.read_file(host, file)?).ok()?;
        text.lines().map(fields).find(|line| line.first().is_some_and(|first| first == name))
    }

    /// The groups that list an account.
    #[must_use]
    pub fn groups_of(&self, host: &HostName, person: &str) -> Vec<String> {
        let text =
            String::from_utf8(self.read_file(host, "/etc/group").unwrap_or_default()).unwrap_or_default();
        let lists =
            |line: &Vec<String>| line.get(3).is_some_and(|members| members.split(',').any(|m| m == person));
        text.lines().map(fields).filter(lists).filter_map(|line| line.first().cloned()).collect()
    }

    /// Whether accounts cannot be changed now, as another program has locked the files.
    pub(crate) fn accounts_are_locked(&self, host: &HostName) -> bool {
        self.metadata(host, LOCK).is_some()
    }

    /// Puts another line in place of that of an account; `None` takes it out, and a line that is not there is added.
    pub(crate) fn set_account(&mut self, host: &HostName, file: &str, name: &str, line: Option<Vec<String>>) {
        let text = String::from_utf8(self.read_file(host, file).unwrap_or_default()).unwrap_or_default();
        let mut line = line.map(|line| line.join(":"));
        let mut lines: Vec<String> = Vec::new();
        for old in text.lines() {
            match fields(old).first().is_some_and(|first| first == name) {
                false => lines.push(old.to_owned()),
                true => lines.extend(line.take()),
            }
        }
        lines.extend(line);
        self.keep_file(host, file);
        self.write_file(host, file, (lines.join("\n") + "\n").into_bytes());
    }

    /// Puts an account into a group, or takes it out.
    pub(crate) fn set_member(&mut self, host: &HostName, group: &str, person: &str, member: bool) -> bool {
        let Some(mut line) = self.account(host, "/etc/group", group) else { return false };
        let members = line.get(3).cloned().unwrap_or_default();
        let mut members: Vec<&str> = members.split(',').filter(|m| !m.is_empty() && *m != person).collect();
        if member {
            members.push(person);
        }
        line.truncate(3);
        line.push(members.join(","));
        self.set_account(host, "/etc/group", group, Some(line));
        true
    }

    /// Whether an account is as Salt's states want it: there, open, in the group of administrators.
    pub(crate) fn is_open_account(&self, host: &HostName, person: &str) -> bool {
        let open = |line: &Vec<String>| {
            line.get(1).is_some_and(|p| !p.starts_with('!')) && line.get(7).is_none_or(String::is_empty)
        };
        self.account(host, "/etc/passwd", person).is_some()
            && self.account(host, "/etc/shadow", person).as_ref().is_some_and(open)
            && self.groups_of(host, person).iter().any(|group| group == ADMINISTRATORS)
    }

    /// What `user.present` does.
    pub(crate) fn open_account(&mut self, host: &HostName, person: &str) {
        let number = self.people().iter().position(|known| known == person).unwrap_or(self.people().len());
        let (passwd, shadow) = (passwd_line(number, person), shadow_line(self, person));
        self.set_account(host, "/etc/passwd", person, Some(fields(&passwd)));
        self.set_account(host, "/etc/shadow", person, Some(fields(&shadow)));
        self.set_member(host, ADMINISTRATORS, person, true);
    }

    /// What `user.absent` does: the home stays.
    pub(crate) fn remove_account(&mut self, host: &HostName, person: &str) {
        for file in ["/etc/passwd", "/etc/shadow"] {
            self.set_account(host, file, person, None);
        }
        for group in self.groups_of(host, person) {
            self.set_member(host, &group, person, false);
        }
        self.set_account(host, "/etc/group", person, None);
    }
}
