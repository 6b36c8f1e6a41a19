//! `mount` without arguments: the mount table; `mount DEVICE DIRECTORY` (or `UUID=…`) and `umount DIRECTORY` for a volume;
//! `blkid`: the filesystems on a machine's disks.

use crate::program::{BoxFuture, Call, Program, Reply};

use super::files::{Work, with_world};
use super::text::answer;

/// `mount` or `umount`.
#[derive(Debug)]
pub(crate) struct Mounts(pub(crate) &'static str);

impl Program for Mounts {
    fn name(&self) -> &'static str {
        self.0
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let words: Vec<String> = call.args.get(1..).unwrap_or_default().to_vec();
        let umount = self.0 == "umount";
        let reply =
            with_world(&call, |work| match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                [] if !umount => table(work, None),
                ["-t", fstype] if !umount => table(work, Some(fstype)),
                _ if work.user != "root" => refuse(work, 1, "only root can do that"),
                [path] if umount => {
                    let (host, path) = (work.host.clone(), path.trim_end_matches('/').to_owned());
                    if !work.world.unmount(&host, &path) {
                        refuse(work, 32, &format!("{path}: not mounted"));
                    }
                }
                [device, path] if !umount && path.starts_with('/') => {
                    let (host, path) = (work.host.clone(), path.trim_end_matches('/').to_owned());
                    if work.world.metadata(&host, &path).is_none_or(|found| !found.directory) {
                        refuse(work, 32, &format!("mount point {path} does not exist"));
                    } else if !work.world.mount_volume(&host, device, &path) {
                        refuse(work, 32, &format!("special device {device} does not exist"));
                    }
                }
                _ => refuse(work, 32, "in the simulated fleet: DEVICE DIRECTORY of a volume only"),
            });
        answer(call, reply)
    }
}

/// `blkid`.
#[derive(Debug)]
pub(crate) struct Blkid;

impl Program for Blkid {
    fn name(&self) -> &'static str {
        "blkid"
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let words: Vec<String> = call.args.get(1..).unwrap_or_default().to_vec();
        let reply = with_world(&call, |work| {
            let (mut tag, mut plain, mut by, mut devices) = (None, false, None, Vec::new());
            let mut words = words.iter();
            while let Some(word) = words.next() {
                match word.as_str() {
                    "-s" => tag = words.next(),
                    "-o" => plain = words.next().is_some_and(|form| form == "value"),
                    "-U" => by = words.next(),
                    "-p" | "-c" => {}
                    flag if flag.starts_with('-') => {
                        return refuse(work, 4, &format!("{flag} is not simulated"));
                    }
                    device => devices.push(device.to_owned()),
                }
            }
            // Nobody but root reads a disk.
            let all = if work.user == "root" { work.world.block_devices(&work.host) } else { Vec::new() };
            let mut text = String::new();
            for (device, uuid, kind) in &all {
                let wanted = devices.is_empty() || devices.contains(device);
                if !wanted || by.is_some_and(|by| by != uuid) {
                    continue;
                }
                let tags = [("UUID", uuid), ("TYPE", kind)];
                let shown = tags.iter().filter(|(name, _)| tag.is_none_or(|tag| tag == name));
                if by.is_some() {
                    text.push_str(&format!("{device}\n"));
                } else if plain {
                    shown.for_each(|(_, value)| text.push_str(&format!("{value}\n")));
                } else {
                    let shown: String = shown.map(|(name, value)| format!(" {name}=\"{value}\"")).collect();
                    text.push_str(&format!("{device}:{shown}\n"));
                }
            }
            work.reply.status = if text.is_empty() { 2 } else { 0 };
            work.say(&text);
        });
        answer(call, reply)
    }
}

fn refuse(work: &mut Work<'_>, status: u8, what: &str) {
    work.complain(what);
    work.reply.status = status;
}

fn table(work: &mut Work<'_>, only: Option<&str>) {
    let mounts = work.world.filesystems(&work.host).unwrap_or_default();
    let rows = mounts.iter().filter(|m| only.is_none_or(|fstype| fstype == m.fstype));
    let text: String =
        rows.map(|m| format!("{} on {} type {} ({})\n", m.device, m.path, m.fstype, m.options)).collect();
    work.reply = Reply { stdout: text.into_bytes(), ..Reply::default() };
}
