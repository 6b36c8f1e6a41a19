//! Filesystems of a simulated machine, and the kB figures behind a row that `df -h` printed.

use jumpdeck_fleet::storage::human_kb;

/// A mounted filesystem of a machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Mount {
    /// The device, or `server:/export`.
    pub device: String,
    /// Where.
    pub path: String,
    /// Its type, as in `/proc/mounts`.
    pub fstype: String,
    /// Its mount options.
    pub options: String,
    /// Size in kB; 0 for what holds no data (`proc`).
    pub size_kb: u64,
    /// Used at the start of the world, kB.
    pub used_kb: u64,
    /// Available at the start of the world, kB.
    pub available_kb: u64,
    /// kB of the files on it at the start: those whose sizes the world knows.
    pub stored_kb: u64,
    /// Inodes.
    pub inodes: u64,
    /// Inodes in use.
    pub inodes_used: u64,
    /// kB an hour it fills by, in a world that lives.
    pub grows_kb_per_hour: f64,
    /// Whether it never answers (a dead server).
    pub hanging: bool,
}

impl Mount {
    /// Whether it lives on another machine (the rule of `df -l`: a `:` in the device, or such a type).
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.device.contains(':')
            || self.device.starts_with("//")
            || matches!(
                self.fstype.as_str(),
                "nfs" | "nfs4" | "cifs" | "ceph" | "fuse.glusterfs" | "fuse.sshfs"
            )
    }

    /// A filesystem that holds no data.
    pub(crate) fn pseudo(device: &str, path: &str, fstype: &str, options: &str) -> Self {
        Self {
            device: device.to_owned(),
            path: path.to_owned(),
            fstype: fstype.to_owned(),
            options: options.to_owned(),
            size_kb: 0,
            used_kb: 0,
            available_kb: 0,
            stored_kb: 0,
            inodes: 0,
            inodes_used: 0,
            grows_kb_per_hour: 0.0,
            hanging: false,
        }
    }

    /// A `tmpfs` or `devtmpfs`.
    pub(crate) fn memory(device: &str, path: &str, fstype: &str, size_kb: u64, used_kb: u64) -> Self {
        let options = if fstype == "devtmpfs" { "rw,relatime,mode=755" } else { "rw,nosuid,noexec,relatime" };
        Self {
            size_kb,
            used_kb,
            available_kb: size_kb.saturating_sub(used_kb),
            inodes: size_kb / 4,
            inodes_used: 300,
            ..Self::pseudo(device, path, fstype, options)
        }
    }
}

/// `df`'s percentage: used / (used + available), rounded up; `None` (printed `-`) where there is nothing.
#[must_use]
pub fn use_percent(used: u64, available: u64) -> Option<u64> {
    let total = u128::from(used) + u128::from(available);
    if total == 0 {
        return None;
    }
    u64::try_from((u128::from(used) * 100).div_ceil(total)).ok()
}

/// Reads `DEVICE FSTYPE SIZE USED AVAIL USE% MOUNT…` (the mount may hold spaces) and finds kB figures which
/// `df -h` prints as exactly that.
pub(crate) fn parse_row(row: &str) -> Option<Mount> {
    let mut rest = row;
    let mut word = || {
        let trimmed = rest.trim_start();
        let end = trimmed.find(' ')?;
        let (word, after) = trimmed.split_at(end);
        rest = after;
        Some(word)
    };
    let (device, fstype) = (word()?, word()?);
    let (size, used, available, percent) = (word()?, word()?, word()?, word()?);
    let path = rest.trim();
    let (size_kb, used_kb, available_kb) =
        solve(size, used, available, percent.strip_suffix('%')?.parse().ok()?)?;
    let options = match fstype {
        "nfs" | "nfs4" => "rw,relatime,vers=4.0,hard,proto=tcp",
        "fuse.glusterfs" => {
            "rw,relatime,user_id=0,group_id=0,default_permissions,allow_other,max_read=131072"
        }
        "xfs" => "rw,noatime,attr2,inode64,noquota",
        _ => "rw,relatime,errors=remount-ro,data=ordered",
    };
    // mke2fs's default: an inode for each 16 KiB. A small file a 24 KiB is what such disks hold.
    let inodes = size_kb / 16;
    Some(Mount {
        size_kb,
        used_kb,
        available_kb,
        inodes,
        inodes_used: (used_kb / 24).clamp(11, inodes.max(11)),
        ..Mount::pseudo(device, path, fstype, options)
    })
}

/// The least and the greatest kB figure that `df -h` prints as `text`.
fn range(text: &str) -> Option<(u64, u64)> {
    if text == "0" {
        return Some((0, 0));
    }
    let unit = text.chars().last()?;
    let power = ['K', 'M', 'G', 'T', 'P'].iter().position(|u| *u == unit)?;
    let scale = 1024_u64.pow(u32::try_from(power).ok()?);
    let number = text.strip_suffix(unit)?;
    let (step, count) = match number.split_once('.') {
        Some((whole, tenth)) => (10, whole.parse::<u64>().ok()? * 10 + tenth.parse::<u64>().ok()?),
        None => (1, number.parse::<u64>().ok()?),
    };
    // Rounded up: count is printed for all that lies in (count − 1, count].
    let (low, high) = ((count.checked_sub(1)? * scale) / step + 1, count * scale / step);
    Some((first_that_prints(text, low, high)?, high))
}

/// `10G` is printed from just over 9.9G on, not from 9.0G: the narrower of the two rules holds.
fn first_that_prints(text: &str, mut low: u64, high: u64) -> Option<u64> {
    if human_kb(high) != text {
        return None;
    }
    if human_kb(low) == text {
        return Some(low);
    }
    let mut good = high;
    while good - low > 1 {
        let middle = low + (good - low) / 2;
        if human_kb(middle) == text {
            good = middle;
        } else {
            low = middle;
        }
    }
    Some(good)
}

/// kB figures for size, used and available that print as these three and as that percentage, and that fit into each
/// other. Of several, the one nearest the middle of what each may be.
fn solve(size: &str, used: &str, available: &str, percent: u64) -> Option<(u64, u64, u64)> {
    const STEPS: u64 = 64;
    let (size_low, size_high) = range(size)?;
    let (used_low, used_high) = range(used)?;
    let (available_low, available_high) = range(available)?;
    // From the middle outward.
    let order =
        || (0..=STEPS).map(|i| if i % 2 == 0 { STEPS / 2 + i / 2 } else { STEPS / 2 - i.div_ceil(2) });
    let at = |low: u64, high: u64, step: u64| low + (high - low) * step / STEPS;
    let nominal = at(size_low, size_high, STEPS * 3 / 4);
    for u in order() {
        for a in order() {
            let (used_kb, available_kb) = (at(used_low, used_high, u), at(available_low, available_high, a));
            let size_kb = nominal.max(used_kb + available_kb);
            if size_kb <= size_high && use_percent(used_kb, available_kb) == Some(percent) {
                return Some((size_kb, used_kb, available_kb));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_row_of_df_h_is_solved_into_figures_that_print_as_that_row() {
        for row in [
            "/dev/vda ext3 9.9G 5.0G 4.5G 53% /",
            "/dev/vdb ext3 50G 50G 0 100% /mnt",
            "/dev/mapper/backup1-lvbackup1 xfs 40G 40G 122M 100% /mnt/backup",
            "storage3:/wiki-images fuse.glusterfs 50G 832M 50G 2% /srv/web platform/images",
            "/dev/vda1 ext4 10G 1017M 8.4G 11% /",
        ] {
            let mount = parse_row(row).unwrap();
            let percent = use_percent(mount.used_kb, mount.available_kb).unwrap();
            let [size, used, available] = [mount.size_kb, mount.used_kb, mount.available_kb].map(human_kb);
            let printed = format!(
                "{} {} {size} {used} {available} {percent}% {}",
                mount.device, mount.fstype, mount.path
            );
            assert_eq!(printed, row);
            assert!(mount.used_kb + mount.available_kb <= mount.size_kb);
        }
    }

    #[test]
    fn a_row_that_no_disk_could_print_is_refused() {
        for row in [
            "/dev/vda ext3 9.9G 5.0G 4.5G 90% /",
            "/dev/vda ext3 4.0G 5.0G 4.5G 53% /",
            "/dev/vda ext3 9.95G 5.0G 4.5G 53% /",
            "/dev/vda ext3 9.9G",
        ] {
            assert_eq!(parse_row(row), None, "{row}");
        }
    }
}
