//! Mounts, from `/proc/mounts` and `df -P -k` for those of the machine itself.

use super::answer::LookParts;
use crate::collect::probes::df::{printed, unescape, usage_by_mount};
use jumpdeck_fleet::look::{MountRoom, MountedHere};
use jumpdeck_fleet::text::Clean;

/// More are not kept: a host of containers has thousands.
const MOST: usize = 2000;
/// A row of the mount table that is longer is none.
const LONGEST: usize = 8 * 1024;

/// Reads an answer.
pub(super) fn read(parts: &LookParts<'_>) -> (Vec<MountedHere>, Vec<Clean>) {
    let mut notes = Vec::new();
    let usage = parts.part("df").map(|part| usage_by_mount(part.body));
    if parts.part("no-df").is_some() {
        notes.push("df is not installed there: how full filesystems are is not known".into());
    }
    let rows = parts.part("mounts").into_iter().flat_map(|part| part.body.lines());
    let mut all: Vec<MountedHere> = Vec::new();
    let mut more = 0;
    for line in rows.filter(|line| line.len() <= LONGEST) {
        let mut words = line.split(' ');
        let (Some(device), Some(dir), Some(fstype), Some(options)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        if all.len() == MOST {
            more += 1;
            continue;
        }
        let dir = unescape(dir);
        let room = match (usage.as_ref().and_then(|usage| usage.get(&printed(&dir))), is_asked(fstype)) {
            (Some(usage), true) => MountRoom::Known(*usage),
            (None, true) => MountRoom::Unknown,
            (_, false) => MountRoom::NotAsked,
        };
        let device = Clean::new(&unescape(device));
        let (mount, fstype, options) = (Clean::new(&dir), Clean::new(fstype), Clean::new(options));
        all.push(MountedHere { device, mount, fstype, options, room });
    }
    if more > 0 {
        notes.push(Clean::new(&format!("{} mounts; the first {MOST} are listed", MOST + more)));
    }
    (all, notes)
}

/// Whether `look.sh` asks for the room of such a filesystem: the same list is there.
fn is_asked(fstype: &str) -> bool {
    const LOCAL: &[&str] = &[
        "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "jfs", "reiserfs", "reiser4", "f2fs", "nilfs2",
        "bcachefs", "vfat", "msdos", "exfat", "ntfs", "ntfs3", "tmpfs", "devtmpfs", "overlay", "aufs",
        "ubifs", "jffs2",
    ];
    LOCAL.contains(&fstype)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

    use super::*;

    #[test]
    fn what_is_of_this_machine_has_its_room_and_what_may_hang_was_not_asked() {
        let text = "M user 1000\nM mounts\n\
            rootfs / rootfs rw 0 0\n\
            /dev/vda1 / ext4 ro,relatime,errors=remount-ro 0 0\n\
            /dev/vdb1 /srv/my\\040files xfs rw 0 0\n\
            overlay /var/lib/docker/x overlay rw 0 0\n\
            nas:/export /mnt/nas nfs4 rw,vers=4.1 0 0\n\
            short\n\nM df\n\
            Filesystem     1024-blocks      Used Available Capacity Mounted on\n\
            /dev/vda1         20511312  16000000   3446352      83% /\n\
            /dev/vdb1        104806400 104806400         0     100% /srv/my files\n\nM end\n";
        let (mounts, notes) = read(&LookParts::of(text, "M").unwrap());
        assert!(notes.is_empty());
        let dirs: Vec<&str> = mounts.iter().map(|mount| mount.mount.as_str()).collect();
        assert_eq!(dirs, ["/", "/", "/srv/my files", "/var/lib/docker/x", "/mnt/nas"]);
        assert_eq!(mounts[0].room, MountRoom::NotAsked, "what lies beneath it is not asked");
        let MountRoom::Known(root) = mounts[1].room else { panic!("{:?}", mounts[1]) };
        assert_eq!(
            (root.use_percent, root.available_kb, mounts[1].is_read_only()),
            (Some(83), 3_446_352, true)
        );
        let MountRoom::Known(full) = mounts[2].room else { panic!("{:?}", mounts[2]) };
        assert_eq!(full.use_percent, Some(100));
        assert_eq!(mounts[3].room, MountRoom::Unknown, "no access, so df says nothing");
        assert_eq!(mounts[4].room, MountRoom::NotAsked);
    }

    #[test]
    fn the_script_asks_for_the_same() {
        let script = include_str!("look.sh");
        let line = script.lines().find(|line| line.trim_start().starts_with("ext[234]|")).unwrap();
        let listed = line.trim().trim_end_matches(") ;;").replace("ext[234]", "ext2|ext3|ext4");
        let listed: Vec<&str> = listed.split('|').collect();
        assert!(listed.len() > 20 && listed.iter().all(|fstype| is_asked(fstype)), "{listed:?}");
        assert!(!["nfs", "cifs", "autofs", "fuse.sshfs", "proc"].iter().any(|fstype| is_asked(fstype)));
    }
}
