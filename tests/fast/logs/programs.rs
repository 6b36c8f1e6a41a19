//! Hosts whose programs are the test's own: a journal, and a sudo that refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Following, append, command_of, texts};
use crate::exec::{Site, ran};
use crate::support::sshd::Sshd;

/// A program of this name in the folder `bin` of the site.
fn program(site: &Site, name: &str, text: &str) {
    let bin = site.path("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join(name), text).unwrap();
    fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
}

/// The host `one` is another sshd now, which finds the programs of the site first. `own`: fields of the inventory.
fn with_programs(site: Site, config: &str, before: &str, own: &str) -> Site {
    let Site { dir, jump, mut hosts } = site;
    let entry =
        |port: u16| format!("[environments.test.hosts]\none = {{ address = \"127.0.0.1\", port = {port}");
    let was = entry(hosts[0].port);
    let config = format!("SetEnv PATH={}:/usr/bin:/bin\n{config}", dir.path().join("bin").display());
    hosts[0] = Sshd::behind(dir.path(), "one", &config, before);
    let now = format!("{}{own}", entry(hosts[0].port));
    let file = dir.path().join("inventory.toml");
    let inventory = fs::read_to_string(&file).unwrap();
    assert!(inventory.contains(&was), "{inventory}");
    fs::write(&file, inventory.replace(&was, &now)).unwrap();
    let known: String = hosts.iter().map(Sshd::known).collect();
    fs::write(dir.path().join("known"), jump.known() + &known).unwrap();
    Site { dir, jump, hosts }
}

#[test]
fn a_journal_is_read_from_where_it_ended() {
    let Some(site) = Site::new("") else { return };
    // In the form of journalctl.
    let journal = site.path("journal");
    fs::write(&journal, "2013-11-30T17:02:11+0000 one sshd[1]: first\n").unwrap();
    let journalctl = format!(
        "#!/bin/sh\nafter=0\nfor word; do case $word in --after-cursor=*) after=${{word#*=}};; esac; done\n\
         tail -n +$((after + 1)) {journal}\necho \"-- cursor: $(grep -c '' {journal})\"\n",
        journal = journal.display()
    );
    program(&site, "journalctl", &journalctl);
    let with = "mkdir -p /run/jd-none; mount -t tmpfs tmpfs /run/log 2>/dev/null || mkdir -p /run/log; mkdir -p /run/log/journal";
    let site = with_programs(site, "", with, "");
    let following = Following::new(&site, &["one"]);
    let seen = following.until_line("2013-11-30T17:02:11+0000 one sshd[1]: first");
    assert_eq!(seen.last().unwrap()["time"], "2013-11-30T17:02:11.000Z");
    assert_eq!(seen.last().unwrap()["log"], "journal");
    append(&journal, b"2013-11-30T17:02:12+0000 one sshd[1]: second\n");
    let seen = following.until_line("2013-11-30T17:02:12+0000 one sshd[1]: second");
    assert_eq!(texts(&seen).len(), 1, "{seen:?}");
    assert_eq!(following.interrupt().0, Some(0));
}

#[test]
fn where_sudo_is_refused_what_the_account_may_read_is_read_and_the_rest_is_named() {
    let Some(site) = Site::new("") else { return };
    program(&site, "sudo", "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n");
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(site.dir.path(), 0o755);
    let (open, closed) = (site.path("open.log"), site.path("closed.log"));
    fs::write(&open, "for everybody\n").unwrap();
    fs::write(&closed, "for root\n").unwrap();
    mode(&open, 0o644);
    mode(&closed, 0o600);
    // The account is one without rights.
    let account = "ForceCommand setpriv --reuid=65534 --regid=65534 --clear-groups /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"";
    let site = with_programs(site, account, "true", ", sudo = true");
    let files = ["one", "--file", open.to_str().unwrap(), "--file", closed.to_str().unwrap()];
    let ran = ran(command_of(&site, &files));
    assert_eq!(ran.code, Some(3), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("for everybody") && !ran.out.contains("for root"), "{}", ran.out);
    let refused = "-- one: sudo -n is refused there (the shell that reads the logs ended with exit status 1: sudo: a password is \
                   required): only what this account may read is read, the rest needs sudo";
    assert!(ran.out.contains(refused), "{}", ran.out);
    assert!(
        ran.out.contains(&format!(
            "-- one:{}: access denied: it needs sudo, which is refused there",
            closed.display()
        )),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("something could not be read (see above)"), "{}", ran.out);
}
