//! Backups that the inventory names: the newest file of each, how old and how large it is, and how large the one before was.
//!
//! `ls -t` lists the folder, the shell takes the newest three that the pattern means, and `stat` says their sizes and times. Each
//! backup is looked at once a minute or so, in a shell of its own that nothing waits for: a folder on a server that is gone hangs
//! alone, and is not asked again while it does. How old a file is, the host's own clock says; in between the host's uptime goes on
//! counting, so an age never stops.
//!
//! A name that ends as those of unfinished files do is no backup, and neither is the newest file while its last change is less
//! than a minute old: then the one before is the newest.

use std::collections::HashMap;

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use jumpdeck_fleet::backup::{DeclaredBackup, in_words};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::service::backups::{AGE, FOLDER_MISSING, NEWEST, SIZE, SIZE_BEFORE};
use jumpdeck_fleet::service::{Figure, Service, ServiceReading, Unit};
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::storage::human_kb;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

pub(super) struct Backups;

/// Seconds. A file whose last change is younger may still be written; clocks of file servers differ by less.
const SETTLED: i64 = 60;

impl Probe for Backups {
    fn name(&self) -> &'static str {
        "backups"
    }

    fn settings(&self, host: &Host) -> Option<String> {
        // Checked by the inventory: nothing but plain characters, `*` and `?`, and the shell expands those where it is to.
        let row = |b: &DeclaredBackup| format!("{}={}={}", b.key(), b.folder, b.pattern);
        let rows: Vec<String> = host.backups.iter().map(|backup| row(backup)).collect();
        Some(format!("backups_wanted='{}'\n", rows.join(" ")))
    }

    fn script(&self) -> &'static str {
        SCRIPT
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Every
    }

    fn applies(&self, host: &Host) -> bool {
        !host.backups.is_empty()
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        let found = raw.and_then(|raw| raw.ok().map(BackupsAnswer::read));
        for entry in facts.services.iter_mut() {
            let Some(declared) = entry.backup().cloned() else { continue };
            let service = found.as_ref().map_err(Clone::clone).and_then(|found| found.service(&declared));
            entry.fact.take(service.map(Into::into), at);
        }
    }
}

// The code is a text, so that root's shell can have it too, where the account may not read the folder. It has no quotes of its kind.
const SCRIPT: &str = r#"
    backups_code='
    # DIR PATTERN NL
    backups_look() {
        exec 2> /dev/null
        command -v stat > /dev/null || { echo stat; return 127; }
        set +f
        if [ ! -e "$1" ]; then
            backups_next=$1 backups_up=${1%/*}
            while [ -n "$backups_up" ] && [ ! -e "$backups_up" ]; do
                backups_next=$backups_up backups_up=${backups_up%/*}
            done
            [ -x "$backups_up/" ] || { echo "$backups_up"; return 126; }
            # It is listed and cannot be opened: a mount that is stale, a link that leads nowhere.
            for backups_file in "$backups_up"/*; do
                [ "$backups_file" != "$backups_next" ] || { echo "$backups_next is there and cannot be opened"; return 1; }
            done
            echo missing
            return
        fi
        [ -d "$1" ] || { echo "$1 is not a folder"; return 1; }
        if [ ! -r "$1" ] || [ ! -x "$1" ]; then echo "$1"; return 126; fi
        backups_dir=$1 backups_pattern=$2 backups_nl=$3 backups_a= backups_b= backups_c=
        unset QUOTING_STYLE
        backups_all=$(ls -tL "$1")
        # Listed with an error is one that leads nowhere; nothing but an error is a folder of a file server that may not be read.
        backups_status=$?
        if [ "$backups_status" != 0 ] && [ -z "$backups_all" ]; then echo "$1"; return 126; fi
        IFS=$3
        set -f
        set -- $backups_all
        for backups_file in "$@"; do
            case $backups_file in $backups_pattern) ;; *) continue ;; esac
            case $backups_file in *.part|*.partial|*.filepart|*.incomplete|*.tmp|*.temp|*"~") continue ;; esac
            backups_file=$backups_dir/$backups_file
            # A name of several lines is several that are not there.
            [ -f "$backups_file" ] || continue
            if [ -z "$backups_a" ]; then
                backups_a=$backups_file
            elif [ "$backups_file" -ef "$backups_a" ]; then
                continue
            elif [ -z "$backups_b" ]; then
                backups_b=$backups_file
            elif [ ! "$backups_file" -ef "$backups_b" ]; then
                backups_c=$backups_file
                break
            fi
        done
        [ -n "$backups_a" ] || { echo none; return; }
        backups_now=$(date +%s)
        echo "now $backups_now"
        set -- "$backups_a"
        [ -z "$backups_b" ] || set -- "$@" "$backups_b"
        [ -z "$backups_c" ] || set -- "$@" "$backups_c"
        stat -L -c "%s %Y" -- "$@" || return
        for backups_file in "$@"; do
            backups_file=${backups_file##*/}
            case $backups_file in *@jd-*) backups_file=? ;; esac
            printf "name %s\n" "${backups_file%%"$backups_nl"*}"
        done
    }'
    eval "$backups_code"
    backups_ask() {
        backups_out=$jd_out jd_out=
        backups_key=${backups_row%%=*} backups_files=${backups_row#*=}
        set -- "${backups_files%%=*}" "${backups_files#*=}" "$NL"
        apart "backups_$backups_n" 3 backups_look "$@"
        backups_status=$?
        if [ "$backups_status" = 126 ] && [ -n "$SUDO" ] && [ "$LIMIT" != jd_bounded ]; then
            jd_out=
            apart "backups_$backups_n" 3 $SUDO $LIMIT 3 sh -c "$backups_code${NL}backups_look \"\$@\"" sh "$@"
            backups_status=$?
        fi
        backups_kept="@backup $backups_key $backups_status $jd_begun$NL$jd_out"
        jd_out=$backups_out backups_wait=3
        case $backups_status in
            0) backups_wait=11 ;;
            124) backups_hung=$((backups_hung + 1)) ;;
        esac
        # Without the uptime nothing would count on.
        [ "$jd_begun" != 0 ] || backups_wait=0
    }
    probe_backups() {
        backups_n=0 backups_hung=0
        say "@up $jd_begun"
        for backups_row in $backups_wanted; do
            backups_n=$((backups_n + 1))
            eval "backups_kept=\${backups_kept_$backups_n:-} backups_wait=\${backups_wait_$backups_n:-0}"
            if [ "$backups_wait" -gt 0 ]; then
                backups_wait=$((backups_wait - 1))
            elif [ "$backups_hung" -lt 2 ]; then
                backups_ask
            fi
            eval "backups_kept_$backups_n=\$backups_kept backups_wait_$backups_n=\$backups_wait"
            jd_out=$jd_out$backups_kept
        done
    }
"#;

/// What the section found of one backup.
#[derive(Debug)]
struct BackupLook<'a> {
    status: u8,
    /// Hundredths of a second since the host started, when it was looked at.
    asked: u64,
    lines: Vec<&'a str>,
}

/// What the section found.
#[derive(Debug, Default)]
struct BackupsAnswer<'a> {
    /// Hundredths of a second since the host started.
    up: u64,
    looks: HashMap<&'a str, BackupLook<'a>>,
}

/// A file of a backup.
#[derive(Debug, Clone, Copy)]
struct BackupFile<'a> {
    name: &'a str,
    size: u64,
    modified: i64,
}

impl<'a> BackupsAnswer<'a> {
    fn read(text: &'a str) -> Self {
        let mut found = Self::default();
        let mut key = "";
        for line in text.lines() {
            if let Some(up) = line.strip_prefix("@up ") {
                found.up = up.parse().unwrap_or(0);
            } else if let Some(head) = line.strip_prefix("@backup ") {
                let mut words = head.split(' ');
                key = words.next().unwrap_or_default();
                let status = words.next().and_then(|word| word.parse().ok()).unwrap_or(1);
                let asked = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
                found.looks.insert(key, BackupLook { status, asked, lines: Vec::new() });
            } else if let Some(look) = found.looks.get_mut(key) {
                look.lines.push(line);
            }
        }
        found
    }

    fn service(&self, declared: &DeclaredBackup) -> Result<Service, Gap> {
        // Two others hung in the same report: this one comes with the next.
        let look = self.looks.get(declared.key()).ok_or(Gap::NotAsked)?;
        let raw = Raw { status: look.status, text: look.lines.join("\n") };
        match raw.gap() {
            Some(Gap::NotPermitted(folder)) => {
                let why = format!("{folder}: let this account read it, or set sudo = true in the inventory");
                return Err(Gap::NotPermitted(Clean::new(&why)));
            }
            Some(gap) => return Err(gap),
            None => {}
        }
        let DeclaredBackup { folder, pattern, .. } = declared;
        match look.lines.as_slice() {
            ["missing"] if declared.built_in => {
                let key = declared.key();
                let why = format!(
                    "the folder {folder} is missing: say in the inventory where they are, backups.{key}"
                );
                Err(Gap::Failed(Clean::new(&why)))
            }
            ["missing"] => {
                let missing = ServiceReading { name: FOLDER_MISSING, figure: Figure::Flag(true) };
                Ok(Service { readings: [missing].into(), ..none(&format!("the folder {folder} is missing")) })
            }
            ["none"] => Ok(none(&format!("there is no file {folder}/{pattern}"))),
            lines => {
                let passed = i64::try_from(self.up.saturating_sub(look.asked) / 100).unwrap_or(0);
                files(lines, passed, declared)
            }
        }
    }
}

/// Certain: there is no backup.
fn none(detail: &str) -> Service {
    Service { detail: Clean::first_line(detail, 240), ..Service::default() }
}

/// Reads the newest files; `passed`: the seconds since they were looked at.
fn files(lines: &[&str], passed: i64, declared: &DeclaredBackup) -> Result<Service, Gap> {
    let (now, mut found) = read_files(lines).ok_or_else(|| unreadable(&lines.join(" ")))?;
    // In the order of their times, even where a name of several lines confused the list.
    found.sort_by_key(|file| std::cmp::Reverse(file.modified));
    let mut found = found.into_iter();
    let first = found.next().ok_or_else(|| unreadable("no file"))?;
    let is_written = now.saturating_sub(first.modified).saturating_abs() < SETTLED;
    let (newest, written) = if is_written { (found.next(), Some(first)) } else { (Some(first), None) };
    let Some(newest) = newest else {
        let DeclaredBackup { folder, .. } = declared;
        return Ok(none(&format!("there is no finished file in {folder}: {} is being written", first.name)));
    };
    Ok(service(newest, found.next(), written, now.saturating_add(passed), declared))
}

/// The host's time, then the files: a line with size and time for each, then a line with the name for each.
fn read_files<'a>(lines: &[&'a str]) -> Option<(i64, Vec<BackupFile<'a>>)> {
    let (first, rest) = lines.split_first()?;
    let now: i64 = first.strip_prefix("now ")?.parse().ok()?;
    let (figures, names) = rest.split_at_checked(rest.len() / 2)?;
    let file = |(figures, name): (&&'a str, &&'a str)| {
        let (size, modified) = figures.split_once(' ')?;
        let name = name.strip_prefix("name ")?;
        Some(BackupFile { name, size: size.parse().ok()?, modified: modified.parse().ok()? })
    };
    let files = figures.iter().zip(names).map(file).collect::<Option<Vec<_>>>()?;
    (figures.len() == names.len()).then_some((now, files))
}

fn service(
    newest: BackupFile<'_>,
    before: Option<BackupFile<'_>>,
    written: Option<BackupFile<'_>>,
    now: i64,
    declared: &DeclaredBackup,
) -> Service {
    let amount = |value, of, unit| Figure::Amount { value, of, unit };
    let mut readings = Vec::new();
    let mut add = |name, figure| readings.push(ServiceReading { name, figure });
    add(NEWEST, Figure::text(newest.name));
    let seconds = now.saturating_sub(newest.modified);
    let age = (seconds > -SETTLED).then(|| u64::try_from(seconds).unwrap_or(0));
    if let Some(age) = age {
        add(AGE, amount(age, Some(declared.allowed().as_secs()), Unit::Seconds));
    }
    add(SIZE, amount(newest.size, None, Unit::Bytes));
    if let Some(before) = before {
        add("before", Figure::text(before.name));
        add(SIZE_BEFORE, amount(before.size, None, Unit::Bytes));
    }
    if let Some(written) = written {
        add("being_written", Figure::text(written.name));
    }
    let how_old = age.map_or("dated in the future".to_owned(), |age| format!("{} old", in_words(age)));
    let size = human_kb(newest.size.div_ceil(1024));
    let detail = format!("{how_old}, {size}: {}", newest.name);
    Service {
        running: true,
        detail: Clean::first_line(&detail, 120),
        readings: readings.into(),
        ..Service::default()
    }
}

#[cfg(test)]
mod tests;
