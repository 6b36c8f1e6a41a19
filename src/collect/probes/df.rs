//! What `df -P` and the mount table print, read. For the two filesystem probes.

use std::collections::{HashMap, HashSet};

use crate::collect::probe::unreadable;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::storage::{Filesystem, Usage};
use jumpdeck_fleet::text::Clean;

/// Filesystems of a host that are read: each is judged and drawn again every second. `resident.sh` lists no more.
const MAX_MOUNTS: usize = 5_000;

/// A row of `df` or of the mount table that is longer is none.
const MAX_LINE: usize = 8 * 1024;

/// A mount as the section lists it: `DEVICE MOUNT TYPE`, escaped as in `/proc/mounts`.
pub(super) struct Mount {
    device: String,
    pub(super) dir: String,
    fstype: String,
}

impl Mount {
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut words = Some(line).filter(|line| line.len() <= MAX_LINE)?.split(' ');
        let (device, dir, fstype) = (words.next()?, words.next()?, words.next()?);
        (!dir.is_empty() && words.next().is_none()).then(|| Self {
            device: unescape(device),
            dir: unescape(dir),
            fstype: unescape(fstype),
        })
    }

    /// The filesystem, with what `df` or we have to say about it.
    pub(super) fn filesystem(&self, device: Option<&str>, usage: Result<Usage, Gap>) -> Filesystem {
        Filesystem {
            device: Clean::new(device.unwrap_or(&self.device)),
            mount: Clean::new(&self.dir),
            fstype: Some(Clean::new(&self.fstype)),
            remote: is_remote(&self.device, &self.fstype),
            usage,
            inodes_gap: None,
        }
    }
}

/// Whether a filesystem lives on another machine: told by its type, or by a device that names a server.
fn is_remote(device: &str, fstype: &str) -> bool {
    const TYPES: &[&str] = &[
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "ncpfs",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "beegfs",
        "orangefs",
        "9p",
        "sshfs",
        "fuse.glusterfs",
        "fuse.sshfs",
        "fuse.ceph",
        "fuse.ceph-fuse",
        "fuse.s3fs",
        "fuse.rclone",
    ];
    TYPES.contains(&fstype) || device.starts_with("//") || (!device.starts_with('/') && device.contains(':'))
}

/// Undoes the octal escapes of `/proc/mounts` (`\040` for a space).
pub(crate) fn unescape(field: &str) -> String {
    let mut out: Vec<u8> = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let octal = tail.get(..3).filter(|d| *first == b'\\' && d.iter().all(|b| (b'0'..=b'7').contains(b)));
        let code =
            octal.and_then(|d| d.iter().try_fold(0_u8, |n, b| n.checked_mul(8)?.checked_add(b - b'0')));
        match code {
            Some(code) => {
                out.push(code);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

/// A row of `df -P -k`, of `df -P -i`, or of both in one.
#[derive(Debug, Clone, Copy)]
pub(super) struct DfRow<'a> {
    pub(super) device: &'a str,
    figures: [&'a str; 3],
    percent: Option<u8>,
    /// Inodes in use, where the row tells.
    inodes: Option<u8>,
    mount: &'a str,
}

impl<'a> DfRow<'a> {
    /// Device and mount may hold spaces: three figures, a percentage and a `/` are what a row is known by.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        Self::at(line, 5, |words| {
            let [size, used, free, percent, mount] = words else { return None };
            Self::of([size, used, free], percent, None, mount)
        })
    }

    /// A row of `df -k --output=source,size,used,avail,pcent,itotal,ipcent,target`.
    pub(super) fn parse_both(line: &'a str) -> Option<Self> {
        Self::at(line, 7, |words| {
            let [size, used, free, percent, inodes, inodes_percent, mount] = words else { return None };
            let told = is_figure(inodes) && is_percent(inodes_percent);
            let inodes = read_percent(inodes_percent).filter(|_| *inodes != "0");
            told.then(|| Self::of([size, used, free], percent, inodes, mount)).flatten()
        })
    }

    /// Reads the first place in the line where so many words make a row; the last word goes to the line's end.
    fn at(line: &'a str, count: usize, read: impl Fn(&[&'a str]) -> Option<Self>) -> Option<Self> {
        let starts = word_starts(line);
        starts.windows(count).skip_while(|w| w.first() == Some(&0)).find_map(|w| {
            let ends = w.iter().skip(1).map(|end| Some(*end)).chain([None]);
            let words: Option<Vec<&str>> = w
                .iter()
                .zip(ends)
                .map(|(from, end)| match end {
                    Some(end) => line.get(*from..end).map(str::trim_end),
                    None => line.get(*from..),
                })
                .collect();
            let device = line.get(..*w.first()?)?.trim_end();
            read(&words?).map(|row| DfRow { device, ..row })
        })
    }

    fn of(figures: [&'a str; 3], percent: &str, inodes: Option<u8>, mount: &'a str) -> Option<Self> {
        let fits = figures.iter().all(|f| is_figure(f)) && is_percent(percent) && mount.starts_with('/');
        fits.then(|| Self { device: "", figures, percent: read_percent(percent), inodes, mount })
    }

    /// Whether it is this mount's: `df` on a folder where nothing is mounted any more tells of another filesystem.
    pub(super) fn is_of(&self, mount: &Mount) -> bool {
        printed(self.mount) == printed(&mount.dir)
    }

    /// Space, from a row of `-k`, with the inodes of a row of `-i`.
    pub(super) fn usage(&self, inodes: Option<&DfRow<'_>>) -> Result<Usage, Gap> {
        let [size, used, available] = self.figures;
        let odd = |figure: &str| unreadable(&format!("df says {figure:?} kB"));
        let kb = |figure: &str| figure.parse::<u64>().map_err(|_| odd(figure));
        Ok(Usage {
            size_kb: kb(size)?,
            used_kb: kb(used)?,
            available_kb: available.parse().map_err(|_| odd(available))?,
            use_percent: self.percent,
            inodes_use_percent: self.inodes.or_else(|| {
                inodes.filter(|row| row.figures.first() != Some(&"0")).and_then(|row| row.percent)
            }),
        })
    }
}

fn word_starts(line: &str) -> Vec<usize> {
    let mut before = b' ';
    let starts = line.bytes().enumerate().filter_map(|(i, b)| {
        let start = before == b' ' && b != b' ';
        before = b;
        start.then_some(i)
    });
    starts.collect()
}

fn is_figure(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    !word.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn is_percent(word: &str) -> bool {
    word == "-"
        || word.strip_suffix('%').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

fn read_percent(word: &str) -> Option<u8> {
    // Over 255%: so full that its figure does not matter.
    word.strip_suffix('%').and_then(|n| n.parse::<u128>().ok()).map(|n| u8::try_from(n).unwrap_or(u8::MAX))
}

/// The mounts that a section lists, and how many more the host has than are asked about.
pub(super) struct Listed {
    pub(super) mounts: Vec<Mount>,
    more: usize,
}

impl Listed {
    /// Reads the lines before the answers: mounts, and `@more COUNT`.
    pub(super) fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Self, Gap> {
        let mut listed = Self { mounts: Vec::new(), more: 0 };
        for line in lines {
            if let Some(more) = line.strip_prefix("@more ").and_then(|n| n.parse::<usize>().ok()) {
                listed.more = listed.more.saturating_add(more);
            } else if listed.mounts.len() == MAX_MOUNTS {
                listed.more = listed.more.saturating_add(1);
            } else {
                listed.mounts.push(Mount::parse(line).ok_or_else(|| unreadable(line))?);
            }
        }
        Ok(listed)
    }

    /// The filesystems, each with what is known of it; what was not asked about comes last, named as our limit.
    pub(super) fn filesystems(&self, judge: impl Fn(usize, &Mount) -> Filesystem) -> Vec<Filesystem> {
        let mut found: Vec<Filesystem> = self.mounts.iter().enumerate().map(|(at, m)| judge(at, m)).collect();
        if self.more > 0 {
            let limit = format!("jumpdeck asks about {} filesystems of this kind", self.mounts.len());
            found.push(Filesystem {
                device: Clean::default(),
                mount: Clean::new(&format!("{} more", self.more)),
                fstype: None,
                remote: false,
                usage: Err(Gap::Cut(Clean::new(&limit))),
                inodes_gap: None,
            });
        }
        found
    }

    /// Their names as `df` prints them: rows for other mounts are not kept.
    fn printed(&self) -> HashSet<String> {
        self.mounts.iter().map(|m| printed(&m.dir)).collect()
    }
}

/// Rows by their mounts: an answer may hold thousands of both.
#[derive(Default)]
pub(super) struct Rows<'a>(HashMap<String, DfRow<'a>>);

impl<'a> Rows<'a> {
    /// Of rows of the same mount the last one counts, for `df` may have been asked twice.
    pub(super) fn new(
        listed: &Listed,
        lines: impl Iterator<Item = &'a str>,
        read: impl Fn(&'a str) -> Option<DfRow<'a>>,
    ) -> Self {
        let wanted = listed.printed();
        let short = lines.filter(|line| line.len() <= MAX_LINE);
        let rows = short.filter_map(read).map(|row| (printed(row.mount), row));
        Self(rows.filter(|(mount, _)| wanted.contains(mount)).collect())
    }

    pub(super) fn find(&self, mount: &Mount) -> Option<&DfRow<'a>> {
        self.0.get(&printed(&mount.dir))
    }
}

/// What `df -P -k` says, by mount as it prints it.
pub(crate) fn usage_by_mount(text: &str) -> HashMap<String, Usage> {
    let rows = text.lines().filter(|line| line.len() <= MAX_LINE).filter_map(DfRow::parse);
    rows.filter_map(|row| Some((printed(row.mount), row.usage(None).ok()?))).collect()
}

/// A mount as `df` prints it: `?` for control characters.
pub(crate) fn printed(mount: &str) -> String {
    mount.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Why `df` printed no rows: `df: /mnt/x: Stale file handle`, by mount.
pub(super) struct Refusals<'a>(HashMap<&'a str, &'a str>);

impl<'a> Refusals<'a> {
    pub(super) fn read(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut said = HashMap::new();
        for line in lines.filter(|l| l.starts_with("df:")) {
            // From the first slash to the last colon; some quote the name.
            let named = line.find('/').and_then(|at| line.get(at..)).and_then(|l| l.rsplit_once(':'));
            if let Some((mount, _)) = named {
                said.entry(mount.trim_end_matches(['\'', '"', '’'])).or_insert(line);
            }
        }
        Self(said)
    }

    /// What was said of a mount that has no row.
    pub(super) fn of(&self, mount: &Mount) -> Gap {
        if mount.dir.contains('\n') {
            return Gap::Cut("jumpdeck does not ask about a mount point with a line end in its name".into());
        }
        match self.0.get(mount.dir.as_str()).map(|l| Clean::first_line(l, 200)) {
            Some(line) if line.as_str().contains("ermission denied") => Gap::NotPermitted(line),
            Some(line) => Gap::Failed(line),
            None => Gap::Failed("df has no row for it".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rows_with_spaces_on_either_side() {
        let row = DfRow::parse("//nas/My Share   52403200 851968 51551232       2% /srv/my share").unwrap();
        assert_eq!((row.device, row.mount), ("//nas/My Share", "/srv/my share"));
        let usage = row.usage(None).unwrap();
        assert_eq!((usage.size_kb, usage.used_kb, usage.available_kb), (52_403_200, 851_968, 51_551_232));
        assert_eq!(usage.use_percent, Some(2));
        // A name that looks like a row: the leftmost reading is the true one, for a device is first.
        let row = DfRow::parse("/dev/sdb1 10 5 5 50% /a 1 2 3 4% /b").unwrap();
        assert_eq!((row.device, row.mount), ("/dev/sdb1", "/a 1 2 3 4% /b"));
    }

    #[test]
    fn figures_that_are_none() {
        let odd = DfRow::parse("none - - - - /sys/fs/x").unwrap();
        assert!(matches!(odd.usage(None), Err(Gap::Unreadable(_))));
        // A quota or a filesystem in user space may tell any figure: it is not "nothing said".
        let over = DfRow::parse("q 10 40 0 400% /q").unwrap();
        assert_eq!(over.usage(None).unwrap().use_percent, Some(u8::MAX));
        let reserve = DfRow::parse("/dev/vdb 100 99 -3 100% /mnt").unwrap();
        assert_eq!(reserve.usage(None).unwrap().available_kb, -3);
        let btrfs = DfRow::parse("/dev/vdb 0 0 0 - /mnt").unwrap();
        let space = DfRow::parse("/dev/vdb 100 9 91 9% /mnt").unwrap();
        assert_eq!(space.usage(Some(&btrfs)).unwrap().inodes_use_percent, None);
        for header in [
            "Filesystem     1024-blocks    Used Available Capacity Mounted on",
            "",
            "1 2 3 4% /x",
            "df: /x: no",
        ] {
            assert!(DfRow::parse(header).is_none(), "{header:?}");
        }
    }

    #[test]
    fn mounts_are_unescaped() {
        let mount = Mount::parse(r"nas:/My\040Export /srv/a\040b\134c\011 nfs4").unwrap();
        assert_eq!((mount.device.as_str(), mount.dir.as_str()), ("nas:/My Export", "/srv/a b\\c\t"));
        assert!(mount.filesystem(None, Err(Gap::TimedOut)).remote);
        assert_eq!(unescape(r"\777\04\x\"), r"\777\04\x\");
        assert!(!is_remote("/dev/disk/by-path/pci-0000:00", "ext4"));
        assert!(Mount::parse("a b").is_none() && Mount::parse("a b c d").is_none());
    }

    #[test]
    fn refusals_name_their_mount_and_no_other() {
        let refused = "df: /mnt/a: Stale file handle\ndf: ‘/mnt/b c’: Permission denied\ndf: '/mnt/d': No such device\n\
             df: /mnt/e:f: Permission denied\ndf: /mnt/a: again\ndf: no slash\n";
        let refused = Refusals::read(refused.lines());
        let said = |dir: &str| refused.of(&Mount::parse(&format!("x {dir} y")).unwrap()).describe();
        assert_eq!(said("/mnt/a"), "failed: df: /mnt/a: Stale file handle");
        assert!(said("/mnt/b\\040c").starts_with("not permitted: df: ‘/mnt/b c’"));
        assert!(said("/mnt/d").ends_with("No such device"));
        assert!(said("/mnt/e:f").starts_with("not permitted"));
        assert_eq!(said("/mnt"), "failed: df has no row for it");
    }

    #[test]
    fn more_mounts_than_are_read_are_told_as_our_own_limit() {
        let list = |count: usize| (0..count).map(|n| format!("/dev/x /m{n} ext4\n")).collect::<String>();
        let read = |text: &str| {
            let listed = Listed::read(text.lines()).unwrap();
            listed.filesystems(|_, mount| mount.filesystem(None, Err(Gap::TimedOut)))
        };
        assert_eq!(read(&list(MAX_MOUNTS)).len(), MAX_MOUNTS);
        let cut = read(&(list(MAX_MOUNTS + 7) + "@more 3\n"));
        assert_eq!(cut.len(), MAX_MOUNTS + 1);
        assert_eq!(cut.last().unwrap().mount.as_str(), "10 more");
        assert!(
            matches!(&cut.last().unwrap().usage, Err(Gap::Cut(said)) if said.as_str().contains("jumpdeck"))
        );
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(line in "[ -~/%0-9\\\\é]{0,60}") {
            let _ = Mount::parse(&line);
            for row in DfRow::parse(&line).into_iter().chain(DfRow::parse_both(&line)) {
                let _ = row.usage(Some(&row));
            }
        }
    }
}
