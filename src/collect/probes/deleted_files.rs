//! Files that were deleted and are still open: they take room that `du` does not find, until the process that holds them ends.
//!
//! Asked only while a local filesystem is at least 80 % full, by the figures of the same report, and then every ten minutes. Only root
//! sees what processes of other accounts hold: without it, and without sudo, a sum is "at least", or unknown. So it is on btrfs, where
//! each subvolume has a device number of its own.

use std::collections::{HashMap, HashSet};

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::storage::{DeletedFiles, FileHolder, Filesystem, HeldFiles};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

pub(super) struct DeletedFilesProbe;

impl Probe for DeletedFilesProbe {
    fn name(&self) -> &'static str {
        "deleted_files"
    }

    fn script(&self) -> &'static str {
        SCRIPT
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Slow
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        let local = facts.filesystems.last().map(Vec::as_slice).unwrap_or_default();
        let found = raw.and_then(|raw| read(raw, local));
        facts.deleted_files.take(found, at);
    }
}

// A deleted file has no link left, whatever its name says. Each complaint is a look that found nothing, except of a process that has
// ended and of a link to itself; with `hidepid=2` there is none, as the processes of others are not even listed. The last line of the
// answer is the first complaint; without it the answer is not whole. A descriptor of a dead network filesystem may hang.
const SCRIPT: &str = r#"
    deleted_files_wait=0 deleted_files_kept= deleted_files_before= deleted_files_at=0
    deleted_files_find='{ {
        [ -r /proc/1/comm ] || echo hidden >&3
        find -L /proc/[0-9]*/fd -maxdepth 1 -type f -links 0 2>&3 |
            xargs stat -L -c "%d %i %b %B %n" 2> /dev/null >&4 3>&-
    } 3>&1 | {
        deleted_files_first=
        while IFS= read -r deleted_files_row; do
            case $deleted_files_row in *"No such"*|*"loop detected"*) continue ;; esac
            deleted_files_first=$deleted_files_row
            cat > /dev/null
            break
        done
        echo "@refused $deleted_files_first"
    }; } 4>&1'
    deleted_files_ask() {
        stat -L -c '@device %d %n' "$@"
        if [ -n "$SUDO" ] && [ "$LIMIT" != jd_bounded ]; then $SUDO $LIMIT 4 sh -c "$deleted_files_find"
        else sh -c "$deleted_files_find"
        fi
    }
    # The local filesystems that are full, by what df said in this report.
    deleted_files_full() {
        deleted_files_mounts= deleted_files_n=0
        IFS=$NL
        set -- $filesystems_used
        IFS=$jd_ifs
        for deleted_files_row in "$@"; do
            deleted_files_n=$((deleted_files_n + 1))
            [ "$deleted_files_n" -le 500 ] || return
            set -- $deleted_files_row
            case $5 in [89][0-9]%|100%) ;; *) continue ;; esac
            if [ "$filesystems_both" = yes ]; then shift 7; else shift 5; fi
            deleted_files_mounts="$deleted_files_mounts$*$NL"
        done
    }
    deleted_files_names() {
        deleted_files_seen=' ' deleted_files_n=0
        IFS=$NL
        set -- $jd_got
        IFS=$jd_ifs
        for deleted_files_row in "$@"; do
            case $deleted_files_row in *' /proc/'*/fd/*) ;; *) continue ;; esac
            deleted_files_id=${deleted_files_row##*' /proc/'}
            deleted_files_id=${deleted_files_id%%/*}
            case $deleted_files_seen in *" $deleted_files_id "*) continue ;; esac
            case $deleted_files_id in ''|*[!0-9]*) continue ;; esac
            deleted_files_n=$((deleted_files_n + 1))
            [ "$deleted_files_n" -le 200 ] || return
            deleted_files_seen="$deleted_files_seen$deleted_files_id "
            jd_line=
            IFS= read -r jd_line < "/proc/$deleted_files_id/comm"
            say "@name $deleted_files_id $jd_line"
        done
    }
    # What it said last, and how many seconds ago it was asked; nothing where the host's clock cannot be read.
    deleted_files_say() {
        deleted_files_age=
        jd_clock
        [ "$jd_up" = 0 ] || deleted_files_age=$(((jd_up - deleted_files_at) / 100))
        jd_out="@asked $deleted_files_age$NL$deleted_files_kept"
    }
    probe_deleted_files() {
        deleted_files_mounts=
        case $filesystems_used in *[89][0-9]%*|*100%*) deleted_files_full ;; esac
        if [ -z "$deleted_files_mounts" ]; then deleted_files_before=; return 0; fi
        if [ "$deleted_files_wait" -gt 0 ] && [ "$deleted_files_mounts" = "$deleted_files_before" ]; then
            deleted_files_wait=$((deleted_files_wait - 1))
            deleted_files_say
            return 0
        fi
        deleted_files_before=$deleted_files_mounts deleted_files_wait=19
        IFS=$NL
        set -- $deleted_files_mounts
        IFS=$jd_ifs
        for deleted_files_row in "$@"; do say "@full $deleted_files_row"; done
        say @answer
        jd_clock
        deleted_files_at=$jd_up
        if lacks find || lacks xargs || lacks stat; then say '@status 127'
        else
            apart deleted_files 4 deleted_files_ask "$@"
            say "@status $?"
            deleted_files_names
        fi
        deleted_files_kept=$jd_out
        deleted_files_say
    }
"#;

/// One descriptor of a deleted file.
struct Descriptor {
    device: u64,
    inode: u64,
    bytes: u64,
    process: u32,
}

impl Descriptor {
    /// `65024 10010686 5864 512 /proc/812/fd/3`
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let mut number = || words.next()?.parse::<u64>().ok();
        let (device, inode, blocks, size) = (number()?, number()?, number()?, number()?);
        let (process, _) = words.next()?.strip_prefix("/proc/")?.split_once("/fd/")?;
        Some(Self { device, inode, bytes: blocks.saturating_mul(size), process: process.parse().ok()? })
    }
}

/// What the host answered.
#[derive(Default)]
struct HeldAnswer<'a> {
    devices: HashMap<&'a str, u64>,
    descriptors: Vec<Descriptor>,
    /// The first complaint, `hidden` where processes are not listed, empty where there is none; `None`: the answer is not whole.
    refused: Option<&'a str>,
    names: HashMap<u32, &'a str>,
    /// How many seconds ago it was asked.
    age: Option<u64>,
    status: u8,
    /// The first line that is none of these: why there is no answer.
    said: Option<&'a str>,
}

fn read(raw: &Raw, local: &[Filesystem]) -> Result<Vec<DeletedFiles>, Gap> {
    let text = raw.ok()?;
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let (full, rest) = text.split_once("@answer\n").ok_or_else(|| unreadable(text))?;
    let asked = full.lines().next().and_then(|line| line.strip_prefix("@asked "));
    let answer = HeldAnswer { age: asked.and_then(|age| age.parse().ok()), ..HeldAnswer::read(rest) };
    let mounts = full.lines().filter_map(|line| line.strip_prefix("@full "));
    let found = mounts.map(|name| {
        let mount = Clean::new(name);
        let held = answer.held(name, is_divided(local, &mount));
        DeletedFiles { mount, held }
    });
    Ok(found.collect())
}

/// Whether files of a filesystem may have another device number than the place where it is mounted.
fn is_divided(local: &[Filesystem], mount: &Clean) -> bool {
    let is_btrfs = |one: &Filesystem| one.fstype.as_ref().is_some_and(|kind| kind.as_str() == "btrfs");
    local.iter().any(|one| one.mount == *mount && is_btrfs(one))
}

impl<'a> HeldAnswer<'a> {
    fn read(text: &'a str) -> Self {
        let mut answer = Self { status: 1, ..Self::default() };
        for line in text.lines() {
            if let Some((device, mount)) = line.strip_prefix("@device ").and_then(|rest| rest.split_once(' '))
            {
                answer.devices.extend(device.parse().ok().map(|device| (mount, device)));
            } else if let Some((process, name)) =
                line.strip_prefix("@name ").and_then(|rest| rest.split_once(' '))
            {
                answer.names.extend(process.parse().ok().map(|process| (process, name)));
            } else if let Some(status) = line.strip_prefix("@status ") {
                answer.status = status.parse().unwrap_or(1);
            } else if let Some(descriptor) = Descriptor::read(line) {
                answer.descriptors.push(descriptor);
            } else if let Some(first) = line.strip_prefix("@refused") {
                answer.refused = Some(first.trim());
            } else if !line.trim().is_empty() {
                answer.said.get_or_insert(line);
            }
        }
        answer
    }

    /// Why there is no answer at all.
    fn gap(&self) -> Option<Gap> {
        let said = Clean::first_line(self.said.unwrap_or("no answer"), 160);
        match self.status {
            123 => Some(Gap::Stuck),
            124 => Some(Gap::TimedOut),
            127 => Some(Gap::NoTool(said)),
            _ if self.refused.is_some() || !self.descriptors.is_empty() => None,
            _ if said.as_str().contains("password") => Some(Gap::NotPermitted(said)),
            _ => Some(Gap::Failed(said)),
        }
    }

    /// Why nobody knows whether there is a file, where none was found.
    fn unseen(&self, is_divided: bool) -> Option<Gap> {
        match self.refused {
            None => Some(Gap::Failed("the list of open files is not whole".into())),
            Some("") if is_divided => Some(Gap::Failed(
                "each subvolume of btrfs has a device number of its own, and those of the others are not known".into(),
            )),
            Some("") => None,
            Some(why) if why == "hidden" || why.contains("ermi") => {
                Some(Gap::NotPermitted("only root sees what other accounts hold open".into()))
            }
            Some(why) => Some(Gap::Failed(Clean::first_line(why, 160))),
        }
    }

    fn held(&self, mount: &str, is_divided: bool) -> Result<HeldFiles, Gap> {
        if let Some(gap) = self.gap() {
            return Err(gap);
        }
        let device =
            self.devices.get(mount).ok_or_else(|| Gap::Failed("stat does not name its device".into()))?;
        let (mut files, mut held) = (HashSet::new(), HashSet::new());
        let unseen = self.unseen(is_divided);
        let mut found =
            HeldFiles { kb: 0, files: 0, at_least: unseen.is_some(), holder: None, age: self.age };
        let (mut bytes, mut by_process) = (0_u64, HashMap::<u32, u64>::new());
        for one in self.descriptors.iter().filter(|one| one.device == *device) {
            // Several descriptors, and several processes, may hold one file.
            if files.insert(one.inode) {
                found.files += 1;
                bytes = bytes.saturating_add(one.bytes);
            }
            if held.insert((one.inode, one.process)) {
                let sum = by_process.entry(one.process).or_default();
                *sum = sum.saturating_add(one.bytes);
            }
        }
        if let Some(gap) = unseen.filter(|_| found.files == 0) {
            return Err(gap);
        }
        found.kb = bytes / 1024;
        // Of several that hold the same the oldest: the others may be its children.
        let most =
            by_process.into_iter().max_by_key(|(process, bytes)| (*bytes, std::cmp::Reverse(*process)));
        found.holder = most.map(|(process, bytes)| FileHolder {
            process,
            program: Clean::first_line(self.names.get(&process).copied().unwrap_or("?"), 32),
            kb: bytes / 1024,
        });
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn of(text: &str) -> Result<Vec<DeletedFiles>, Gap> {
        super::read(&Raw { status: 0, text: text.to_owned() }, &[])
    }

    const FULL: &str =
        "@asked 540\n@full /\n@full /srv/my disk\n@answer\n@device 65024 /\n@device 65040 /srv/my disk\n";
    // As GNU coreutils 9.1 and BusyBox 1.35 print it.
    const FILES: &str = "65024 11 29360128 512 /proc/812/fd/3\n65024 11 29360128 512 /proc/812/fd/4\n65024 12 8 512 /proc/901/fd/7\n\
        65024 11 29360128 512 /proc/900/fd/3\n1 5 800 512 /proc/812/fd/9\n";
    const NAMES: &str = "@status 0\n@name 812 mysqld\n@name 901 x\x1b[2J\n";

    #[test]
    fn each_file_counts_once_and_the_one_who_holds_most_is_named() {
        let found = of(&format!("{FULL}{FILES}@refused \n{NAMES}")).unwrap();
        let root = found[0].held.clone().unwrap();
        assert_eq!((root.kb, root.files, root.at_least, root.age), (14_680_068, 2, false, Some(540)));
        let holder = root.holder.unwrap();
        assert_eq!((holder.program.as_str(), holder.process, holder.kb), ("mysqld", 812, 14_680_064));
        let other = found[1].held.clone().unwrap();
        assert_eq!((other.kb, other.files, other.holder), (0, 0, None));
        assert_eq!(found[1].mount.as_str(), "/srv/my disk");
    }

    #[test]
    fn what_was_refused_makes_a_sum_a_lower_bound_and_none_unknown() {
        for (first, gap) in [
            ("@refused find: '/proc/1/fd': Permission denied\n", "not permitted: only root sees"),
            ("@refused find: /proc/1/fd: Operation not permitted\n", "not permitted: only root sees"),
            ("@refused hidden\n", "not permitted: only root sees"),
            ("@refused find: unrecognized: -links\n", "failed: find: unrecognized: -links"),
            // Cut: it is the last line.
            ("", "failed: the list of open files is not whole"),
        ] {
            let found = of(&format!("{FULL}{FILES}{first}{NAMES}")).unwrap();
            assert!(found[0].held.as_ref().unwrap().at_least, "{first}");
            let why = found[1].held.as_ref().unwrap_err().describe();
            assert!(why.starts_with(gap), "{first}: {why}");
        }
    }

    #[test]
    fn a_sum_of_btrfs_is_a_lower_bound() {
        let on = |kind: &str| {
            let local = ["/", "/srv/my disk"].map(|mount| Filesystem {
                device: "/dev/vda1".into(),
                mount: mount.into(),
                fstype: Some(kind.into()),
                remote: false,
                usage: Err(Gap::NotAsked),
                inodes_gap: None,
            });
            let text = format!("{FULL}{FILES}@refused \n{NAMES}");
            let found = read(&Raw { status: 0, text }, &local).unwrap();
            let root = found[0].held.as_ref().unwrap();
            (root.at_least, found[1].held.clone().map(|held| held.files))
        };
        assert_eq!(on("ext4"), (false, Ok(0)));
        let (at_least, none) = on("btrfs");
        assert!(at_least && matches!(none, Err(Gap::Failed(_))), "{none:?}");
    }

    #[test]
    fn no_answer_is_unknown_and_no_full_disk_is_nothing() {
        assert_eq!(of(""), Ok(vec![]));
        assert!(matches!(of("\x1b[2J"), Err(Gap::Unreadable(_))));
        let gap = |rest: &str| of(&format!("{FULL}{rest}")).unwrap()[0].held.clone().unwrap_err();
        assert_eq!(gap("@status 124\n"), Gap::TimedOut);
        assert_eq!(gap("@status 123\n"), Gap::Stuck);
        assert_eq!(gap("find\n@status 127\n"), Gap::NoTool("find".into()));
        assert!(matches!(gap("sudo: a password is required\n@status 1\n"), Gap::NotPermitted(_)));
        assert_eq!(gap("@status 1\n"), Gap::Failed("no answer".into()));
        let gone = of("@full /gone\n@answer\n@refused \n@status 0\n").unwrap();
        assert!(matches!(gone[0].held, Err(Gap::Failed(_))));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "(@full /\n|@answer\n|@device |@status 0\n|@name |@refused |[0-9]{1,25} |/proc/|/fd/|\n|\\PC)*") {
            let _ = of(&text);
        }
    }
}
