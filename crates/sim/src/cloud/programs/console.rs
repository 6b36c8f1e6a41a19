//! What a server wrote on its console: the kernel, and the keys it made at its first boot.

use crate::cloud::{Server, Status};
use crate::sshd::{host_key_fingerprint, host_key_line};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::now;

/// A server's console log so far: its last lines, when so many are asked for.
pub(super) fn log(world: &World, server: &Server, lines: Option<&str>) -> String {
    let text = whole(world, server);
    let Some(length) = lines.and_then(|length| length.parse::<usize>().ok()) else { return text };
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    all.iter().skip(all.len().saturating_sub(length)).copied().collect()
}

fn whole(world: &World, server: &Server) -> String {
    let Some(machine) = server.machine.as_ref().and_then(|name| world.machine(name)) else {
        return String::new();
    };
    if server.status(now(world)) == Status::Build {
        return String::new();
    }
    let (os, name) = (machine.os, &server.name);
    let mut text = format!(
        "[    0.000000] Initializing cgroup subsys cpuset\n\
         [    0.000000] Linux version {} (buildd@lgw01) {}\n\
         [    0.000000] Command line: BOOT_IMAGE=/boot/vmlinuz root=LABEL=cloudimg-rootfs ro console=ttyS0\n\
         [    1.204117] EXT4-fs (vda1): mounted filesystem with ordered data mode. Opts: (null)\n",
        os.kernel, os.build
    );
    if machine.never_boots() && !server.stopped {
        // Its disk is not what the kernel looks for.
        text.push_str(
            "[   11.350114] VFS: Cannot open root device \"LABEL=cloudimg-rootfs\" or unknown-block(0,0): error -6\n\
             [   11.350320] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n",
        );
        return text;
    }
    if !world.is_up(&machine.name) && !server.stopped && !server.hung {
        return text;
    }
    text.push_str(&format!(
        "ci-info: +++++++++++++++++++++++++++Net device info++++++++++++++++++++++++++++\n\
         ci-info: | eth0   | True |   {}   | 255.255.255.0 | {} |\n",
        server.address, server.mac
    ));
    text.push_str(&keys(world, server, &machine.name));
    text.push_str(&format!("\n{} {name} ttyS0\n\n{name} login: \n", os.description));
    if server.hung {
        text.push_str(&format!(
            "ci-info: no authorized ssh keys fingerprints found for user ubuntu.\n\
             Set the following 'random' passwords\nubuntu:Ahp4eiQuoh\n\
             [912345.120037] INFO: task jbd2/vda1-8:215 blocked for more than 120 seconds.\n\
             [912345.120114]       Not tainted {} {}\n\
             [912345.120188] \"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.\n",
            os.kernel, os.build
        ));
    }
    text
}

fn keys(world: &World, server: &Server, machine: &HostName) -> String {
    let foreign = server.shows_foreign_fingerprints();
    let name = &server.name;
    let host_key = if foreign {
        format!("SHA256:{}", world.cloud().identifier(&server.id))
    } else {
        host_key_fingerprint(world, machine).unwrap_or_default()
    };
    let line = "#############################################################";
    let mut text = format!(
        "ec2: \nec2: {line}\nec2: -----BEGIN SSH HOST KEY FINGERPRINTS-----\n\
         ec2: 256 {host_key}  root@{name} (ED25519)\n\
         ec2: -----END SSH HOST KEY FINGERPRINTS-----\nec2: {line}\n"
    );
    if !foreign && let Some(key) = host_key_line(world, machine) {
        text.push_str(&format!(
            "-----BEGIN SSH HOST KEY KEYS-----\n{key} root@{name}\n-----END SSH HOST KEY KEYS-----\n"
        ));
    }
    if let Some(print) = world.minion_fingerprint(machine) {
        let shown = if foreign { print.chars().rev().collect() } else { print };
        text.push_str(&format!("salt-minion key fingerprint:\nlocal:\n    {shown}\n"));
    }
    text
}
