//! Files of the simulated machines: some are written from the world's figures, the rest is what was written to them.

use std::collections::BTreeSet;

use crate::domain::names::HostName;

use super::machine::Machine;
use super::{World, proc};

/// Files under `/etc` that are there when their content is.
static ETC: &[&str] = &[
    "/etc/hostname",
    "/etc/hosts",
    "/etc/issue",
    "/etc/debian_version",
    "/etc/lsb-release",
    "/etc/machine-id",
    "/etc/mtab",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/resolv.conf",
    "/etc/salt/grains",
    "/etc/salt/minion_id",
    "/etc/timezone",
    "/var/run/mysqld/mysqld.pid",
];

/// Directories that are there even when nothing is in them.
static DIRECTORIES: &[&str] =
    &["/", "/bin", "/dev", "/dev/pts", "/home", "/mnt", "/root", "/srv", "/tmp", "/usr/bin", "/var/log"];

impl World {
    /// What a file holds, by its absolute path; `None` when there is no such file.
    #[must_use]
    pub fn read_file(&self, host: &HostName, path: &str) -> Option<Vec<u8>> {
        if let Some(written) = self.files.get(&(host.clone(), path.to_owned())) {
            return Some(written.clone());
        }
        let machine = self.machine(host)?;
        proc::read(self, machine, path).or_else(|| self.etc(machine, path)).map(String::into_bytes)
    }

    /// Writes a whole file, by its absolute path. What the world would have said there is hidden by it.
    pub fn write_file(&mut self, host: &HostName, path: &str, content: Vec<u8>) {
        // What was there holds until now: applications read their files.
        self.live();
        self.files.insert((host.clone(), path.to_owned()), content);
    }

    /// The names in a directory, sorted; `None` when there is no such directory.
    #[must_use]
    pub fn list_dir(&self, host: &HostName, path: &str) -> Option<Vec<String>> {
        let prefix = format!("{}/", path.trim_end_matches('/'));
        let mut names = BTreeSet::new();
        let mut add = |file: &str| {
            if let Some(name) = file.strip_prefix(&prefix).and_then(|rest| rest.split('/').next())
                && !name.is_empty()
            {
                names.insert(name.to_owned());
            }
        };
        self.files.keys().filter(|(owner, _)| owner == host).for_each(|(_, file)| add(file));
        let mut there = path == "/" || !prefix.starts_with('/');
        if let Some(machine) = self.machine(host) {
            for file in ETC.iter().filter(|file| self.read_file(host, file).is_some()) {
                add(file);
            }
            proc::PATHS.iter().for_each(|file| add(file));
            machine.mounts.iter().for_each(|mount| add(&mount.path));
            DIRECTORIES.iter().for_each(|directory| add(directory));
            let homes: Vec<String> = self.people().iter().map(|person| format!("/home/{person}")).collect();
            homes.iter().for_each(|home| add(home));
            let same = |known: &str| format!("{}/", known.trim_end_matches('/')) == prefix;
            there |= DIRECTORIES.iter().any(|directory| same(directory))
                || machine.mounts.iter().any(|mount| same(&mount.path))
                || homes.iter().any(|home| same(home));
        }
        (there || !names.is_empty()).then(|| names.into_iter().collect())
    }

    fn etc(&self, m: &Machine, path: &str) -> Option<String> {
        Some(match path {
            "/etc/hostname" => format!("{}\n", m.name),
            "/etc/salt/minion_id" => m.name.to_string(),
            "/etc/salt/grains" => grains(m)?,
            // systemd's; before it, D-Bus had one elsewhere.
            "/etc/machine-id" | "/var/lib/dbus/machine-id" => format!("{}\n", m.machine_id),
            "/etc/os-release" => m.os.os_release()?,
            "/etc/lsb-release" => m.os.lsb_release()?,
            "/etc/debian_version" => m.os.debian_version().to_owned(),
            "/etc/issue" => format!("{} \\n \\l\n\n", m.os.description),
            "/etc/timezone" => "Etc/UTC\n".to_owned(),
            "/etc/hosts" => self.hosts_file(m),
            "/etc/resolv.conf" => self.resolv_conf(),
            "/etc/passwd" => self.passwd(m),
            "/var/run/mysqld/mysqld.pid" | "/run/mysqld/mysqld.pid" if self.databases.is_running(&m.name) => {
                "1187\n".to_owned()
            }
            _ => return None,
        })
    }

    fn hosts_file(&self, m: &Machine) -> String {
        let mut text = "127.0.0.1 localhost\n".to_owned();
        text.push_str(&format!("127.0.1.1 {} {}\n", self.fqdn(&m.name), m.name));
        if let Some(address) = self.first_master().filter(|_| knows_the_master(m)) {
            let domain = self.domain().map(|d| format!("masterdb.{d} ")).unwrap_or_default();
            text.push_str(&format!("{address} {domain}masterdb\n"));
        }
        text
    }

    /// Every machine asks the jump box, which is the environment's name server (seed `002`).
    fn resolv_conf(&self) -> String {
        let server =
            self.jump().and_then(|jump| self.machine(jump)).map_or("127.0.0.1", |m| m.address.as_str());
        let search = self.domain().map(|d| format!("search {d}\n")).unwrap_or_default();
        format!("{search}nameserver {server}\n")
    }

    fn passwd(&self, m: &Machine) -> String {
        let mut text = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/bin/sh\n\
                        www-data:x:33:33:www-data:/var/www:/bin/sh\n\
                        sshd:x:104:65534::/var/run/sshd:/usr/sbin/nologin\n"
            .to_owned();
        if self.databases.is_installed(&m.name) {
            text.push_str("mysql:x:106:114:MySQL Server,,,:/nonexistent:/bin/false\n");
        }
        for (number, person) in self.people().iter().enumerate() {
            let id = 1000 + number;
            text.push_str(&format!("{person}:x:{id}:{id}::/home/{person}:/bin/bash\n"));
        }
        text
    }
}

/// Applications and database servers know the master by a name of its own.
fn knows_the_master(m: &Machine) -> bool {
    m.roles().iter().any(|role| matches!(role.as_str(), "app" | "db"))
}

fn grains(m: &Machine) -> Option<String> {
    let mut text = m.level.as_ref().map(|level| format!("level: {level}\n")).unwrap_or_default();
    if let Some(roles) = &m.grain_roles {
        text.push_str("roles:\n");
        for role in roles {
            text.push_str(&format!("  - {role}\n"));
        }
    }
    (!text.is_empty()).then_some(text)
}
