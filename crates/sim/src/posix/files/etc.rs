//! Files under `/etc` and their like, written from what the world knows of a machine.

use crate::gluster;
use crate::posix::machine::Machine;
use crate::posix::processes::service_accounts;
use crate::posix::{people, upkeep};
use crate::salt::jobs::STATES;
use crate::salt::lost::{MASTER_PUBLIC, public_text};
use crate::web::{status, tls};
use crate::world::World;

/// Files that are there when their content is.
pub(super) static ETC: &[&str] = &[
    "/etc/hostname",
    "/etc/hosts",
    "/etc/issue",
    "/etc/debian_version",
    "/etc/exports",
    "/etc/lsb-release",
    "/etc/machine-id",
    "/etc/mtab",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/group",
    "/etc/shadow",
    "/etc/mysql/ssl/ca-cert.pem",
    "/etc/mysql/ssl/client-cert.pem",
    "/etc/mysql/ssl/client-key.pem",
    "/etc/mysql/ssl/server-cert.pem",
    "/etc/mysql/ssl/server-key.pem",
    "/etc/apache2/sites-enabled/default-ssl.conf",
    status::LIMITS,
    "/etc/nginx/sites-enabled/default-ssl",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/web/cert.pem",
    "/etc/ssl/web/chain.pem",
    "/etc/ssl/web/fullchain.pem",
    "/etc/ssl/web/key.pem",
    "/etc/resolv.conf",
    "/etc/salt/grains",
    "/etc/salt/minion_id",
    "/etc/salt/pki/minion/minion.pub",
    "/etc/salt/pki/minion/minion_master.pub",
    "/etc/timezone",
    "/etc/webplatform/db.ini",
    "/etc/webplatform/db.password",
    "/var/run/mysqld/mysqld.pid",
    gluster::IDENTITY,
    gluster::VOLUME_INFO,
    upkeep::NOTIFIED,
    upkeep::REFRESHED,
    STATES,
];

const KERNEL: &str = "/boot/vmlinuz-";

pub(super) fn read(world: &World, m: &Machine, path: &str) -> Option<String> {
    Some(match path {
        "/etc/hostname" => format!("{}\n", m.hostname),
        "/etc/salt/minion_id" => m.hostname.to_string(),
        "/etc/salt/grains" => grains(m)?,
        // The minion took it when the master accepted it.
        "/etc/salt/pki/minion/minion_master.pub" => {
            world.is_accepted_minion(&m.name).then_some(())?;
            String::from_utf8(world.read_file(world.jump()?, MASTER_PUBLIC)?).ok()?
        }
        "/etc/salt/pki/minion/minion.pub" => public_text(&world.minion_fingerprint(&m.name)?),
        // systemd's; before it, D-Bus had one elsewhere.
        "/etc/machine-id" | "/var/lib/dbus/machine-id" => format!("{}\n", m.machine_id),
        "/etc/os-release" => m.os.os_release()?,
        "/etc/lsb-release" => m.os.lsb_release()?,
        "/etc/debian_version" => m.os.debian_version().to_owned(),
        // Elasticsearch's snapshots.
        "/etc/exports" => {
            world.services(&m.name).contains(&"nfs-kernel-server").then_some(())?;
            "/srv/snapshots 10.0.0.0/8(rw,sync,no_subtree_check)\n".to_owned()
        }
        "/etc/issue" => format!("{} \\n \\l\n\n", m.os.description),
        upkeep::NOTIFIED => upkeep::notified(world, m)?,
        upkeep::REFRESHED => String::new(),
        gluster::IDENTITY | gluster::VOLUME_INFO => gluster::file(world, &m.name, path)?,
        STATES => world.is_accepted_minion(&m.name).then(String::new)?,
        "/etc/timezone" => "Etc/UTC\n".to_owned(),
        "/etc/hosts" => {
            // What a new machine is told at its first boot; the jump box itself is told nothing.
            let salt = world.jump_address().filter(|_| world.jump() != Some(&m.name));
            world.initially_rendered(&m.name, path).unwrap_or_else(|| world.hosts_with(&m.name, None, salt))
        }
        "/etc/webplatform/db.ini" | "/etc/webplatform/db.password" => {
            world.initially_rendered(&m.name, path)?
        }
        "/etc/resolv.conf" => resolv_conf(world),
        "/etc/passwd" => passwd(world, m),
        "/etc/group" => people::group(world),
        "/etc/shadow" => people::shadow(world),
        status::LIMITS => status::limits(world, m)?,
        _ if path.strip_prefix(KERNEL) == Some(m.os.kernel) => String::new(),
        _ if tls::FILES.contains(&path) => world.tls_file(m, path)?,
        _ if path.starts_with("/home/") => people::keys_at(world, path)?,
        _ if path.starts_with("/etc/mysql/ssl/") && ETC.contains(&path) => certificate(world, m, path)?,
        "/var/run/mysqld/mysqld.pid" | "/run/mysqld/mysqld.pid" if world.databases.is_running(&m.name) => {
            "1187\n".to_owned()
        }
        _ => return None,
    })
}

/// The kernel that runs is there as a file, which nobody reads.
pub(super) fn kernel_file(m: &Machine) -> String {
    format!("{KERNEL}{}", m.os.kernel)
}

/// What replication over TLS needs, on machines whose server has it. Nobody reads more of it than that it is there.
fn certificate(world: &World, m: &Machine, path: &str) -> Option<String> {
    world.databases.server(&m.name).filter(|server| server.tls)?;
    let kind = if path.ends_with("-key.pem") { "RSA PRIVATE KEY" } else { "CERTIFICATE" };
    Some(format!("-----BEGIN {kind}-----\nc2ltdWxhdGVk\n-----END {kind}-----\n"))
}

/// Every machine asks the jump box, which is the environment's name server (seed `002`).
fn resolv_conf(world: &World) -> String {
    let server = world.jump_address().unwrap_or("127.0.0.1");
    let search = world.domain().map(|d| format!("search {d}\n")).unwrap_or_default();
    format!("{search}nameserver {server}\n")
}

fn passwd(world: &World, m: &Machine) -> String {
    let mut text = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/bin/sh\n\
                    www-data:x:33:33:www-data:/var/www:/bin/sh\n\
                    sshd:x:104:65534::/var/run/sshd:/usr/sbin/nologin\n"
        .to_owned();
    if world.databases.is_installed(&m.name) {
        text.push_str("mysql:x:106:114:MySQL Server,,,:/nonexistent:/bin/false\n");
    }
    text.push_str(&service_accounts(world, &m.name));
    for (number, person) in world.people().iter().enumerate() {
        text.push_str(&format!("{}\n", people::passwd_line(number, person)));
    }
    text
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
