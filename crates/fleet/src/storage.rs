//! Filesystems, as `df -P -k` and `/proc/mounts` tell of them.

use std::time::Duration;

use super::fact::Gap;
use super::text::Clean;
use super::time::short_age;

/// One mounted filesystem.
#[derive(Debug, Clone, PartialEq)]
pub struct Filesystem {
    /// The device, or `server:/export`.
    pub device: Clean,
    /// Where it is mounted; may hold spaces.
    pub mount: Clean,
    /// Its type from `/proc/mounts`, when known: `ext4`, `nfs4`, `fuse.glusterfs`, …
    pub fstype: Option<Clean>,
    /// Whether it lives on another machine: a dead one must not hold the rest.
    pub remote: bool,
    /// Its figures, or why there are none (a dead network mount: timed out).
    pub usage: Result<Usage, Gap>,
    /// Why inodes are not known although they were asked for; `None` when they are, or when the filesystem counts none.
    pub inodes_gap: Option<Gap>,
}

/// How full a filesystem is. Sizes in kB (1,024 bytes), as `df -P -k` prints them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Size.
    pub size_kb: u64,
    /// Used.
    pub used_kb: u64,
    /// What ordinary users may still write; less than size − used where blocks are reserved for root, and below zero
    /// where root has taken of its reserve.
    pub available_kb: i64,
    /// In use as `df` counts it, rounded up: used / (used + available). `None` where `df` prints `-`.
    pub use_percent: Option<u8>,
    /// Inodes in use; `None` where the filesystem counts none.
    pub inodes_use_percent: Option<u8>,
}

/// Files on a filesystem that is nearly full, which were deleted and are still open: their room is not free yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedFiles {
    /// Where the filesystem is mounted.
    pub mount: Clean,
    /// Their sum, or why it is not known.
    pub held: Result<HeldFiles, Gap>,
}

/// The sum of deleted files that are still open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldFiles {
    /// The room they take, kB.
    pub kb: u64,
    /// How many files.
    pub files: u64,
    /// Not every process could be looked at: there may be more.
    pub at_least: bool,
    /// Who holds most of them.
    pub holder: Option<FileHolder>,
    /// How many seconds ago the host was asked; `None` where its clock cannot be read.
    pub age: Option<u64>,
}

/// A process that holds deleted files open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileHolder {
    /// Its program's name.
    pub program: Clean,
    /// Its number.
    pub process: u32,
    /// What it holds, kB.
    pub kb: u64,
}

impl HeldFiles {
    /// `14G of it are deleted files held open by mysqld (pid 812), seen 9m ago`, with who holds most where several do.
    #[must_use]
    pub fn words(&self) -> String {
        let least = if self.at_least { "at least " } else { "" };
        let whole = human_kb(self.kb);
        let words = match &self.holder {
            Some(FileHolder { program, process, kb }) if *kb < self.kb => {
                let part = human_kb(*kb);
                format!(
                    "{least}{whole} of it are deleted files held open, {part} by {program} (pid {process})"
                )
            }
            Some(FileHolder { program, process, .. }) => {
                format!("{least}{whole} of it are deleted files held open by {program} (pid {process})")
            }
            None => format!("{least}{whole} of it are deleted files held open"),
        };
        match self.age {
            Some(age) if age >= 60 => format!("{words}, seen {} ago", short_age(Duration::from_secs(age))),
            Some(_) | None => words,
        }
    }
}

/// A size that may be below zero, as `df -h` prints it: `-188M`.
#[must_use]
pub fn human_signed_kb(kb: i64) -> String {
    let size = human_kb(kb.unsigned_abs());
    if kb < 0 { format!("-{size}") } else { size }
}

/// A size as `df -h` prints it: rounded up, one decimal below ten (`9.9G`, `188M`, `1017M`, `0`).
///
/// The rule is gnulib's `human_readable` with a ceiling, base 1024.
#[must_use]
pub fn human_kb(kb: u64) -> String {
    const UNITS: [char; 6] = ['K', 'M', 'G', 'T', 'P', 'E'];
    if kb == 0 {
        return "0".to_owned();
    }
    let (mut unit, mut scale) = (0_usize, 1_u128);
    let kb = u128::from(kb);
    while unit + 1 < UNITS.len() && kb >= scale * 1024 {
        unit += 1;
        scale *= 1024;
    }
    loop {
        let letter = UNITS.get(unit).copied().unwrap_or('E');
        let tenths = (kb * 10).div_ceil(scale);
        if unit > 0 && tenths < 100 {
            return format!("{}.{}{letter}", tenths / 10, tenths % 10);
        }
        let whole = kb.div_ceil(scale);
        if whole < 1024 || unit + 1 == UNITS.len() {
            return format!("{whole}{letter}");
        }
        unit += 1;
        scale *= 1024;
    }
}

#[cfg(test)]
mod tests {
    use super::human_kb;

    #[test]
    fn sizes_print_as_df_h_prints_them() {
        let cases = [
            (0, "0"),
            (1, "1K"),
            (1023, "1023K"),
            (1024, "1.0M"),
            (1025, "1.1M"),
            (10 * 1024, "10M"),
            (1017 * 1024, "1017M"),
            (1023 * 1024 + 1, "1.0G"),
            (10_380_903, "10G"),
            (10_380_902, "9.9G"),
            (50 * 1024 * 1024, "50G"),
        ];
        for (kb, human) in cases {
            assert_eq!(human_kb(kb), human, "{kb}");
        }
    }
}
