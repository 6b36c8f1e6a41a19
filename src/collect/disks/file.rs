//! The file of an environment: a line for each filesystem, plain text, written in one step.
//!
//! ```text
//! jumpdeck disks 1
//! HOST <tab> MACHINE <tab> DEVICE <tab> MOUNT <tab> SIZE IN KB <tab> MINUTE,USED;MINUTES LATER,MORE;…
//! end 1
//! ```

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{HostDisks, HostsDisks, KeptDisk, MOST_OF_A_HOST};
use crate::ownership::{self, OpenError};
use jumpdeck_fleet::growth::{MOST_POINTS, UsedAt, UsedSeries};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::text::Clean;

const HEAD: &str = "jumpdeck disks 1";
/// Five thousand hosts with four filesystems each have less.
const LONGEST: usize = 48 << 20;
/// Of a device, a mount point, a machine id.
pub(super) const LONGEST_NAME: usize = 4096;

/// Why a file is not used, or was not written.
#[derive(Debug, thiserror::Error)]
pub enum DiskFileError {
    /// What it holds is no history.
    #[error("{}: {what}: it is not used, and how fast disks fill is unknown until they have been seen for some hours", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        what: String,
    },
    /// What the file of figures holds is none.
    #[error("{}: {what}: it is not used, and charts begin now", path.display())]
    Figures {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        what: String,
    },
    /// It could not be written.
    #[error("{}: {what}: what it holds is not kept over a restart", path.display())]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// What the system says.
        what: String,
    },
}

/// Reads a file. One that is not there holds nothing.
pub(super) fn read(path: &Path) -> Result<HostsDisks, DiskFileError> {
    let wrong = |what: String| DiskFileError::Unreadable { path: path.to_owned(), what };
    let text = read_text(path, LONGEST).map_err(wrong)?;
    let read =
        |text: String| parse(&text).map_err(|line| wrong(format!("line {line} is not one of this program")));
    text.map_or_else(|| Ok(HostsDisks::new()), read)
}

/// The text of a file of one's own, at most that long; `None` where there is none; or why it cannot be read.
pub(super) fn read_text(path: &Path, longest: usize) -> Result<Option<String>, String> {
    let file = match ownership::open_own(path) {
        Ok(file) => file,
        Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(OpenError::Io(error)) => return Err(format!("cannot be read: {error}")),
        Err(OpenError::Exposed(exposed)) => return Err(format!("{} ({})", exposed.what, exposed.fix)),
    };
    let mut text = String::new();
    match file.take(longest as u64 + 1).read_to_string(&mut text) {
        Ok(length) if length > longest => Err(format!("longer than {} MiB", longest >> 20)),
        Ok(_) => Ok(Some(text)),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

/// The hosts of a text; or the number of the line that is wrong.
pub(super) fn parse(text: &str) -> Result<HostsDisks, usize> {
    let mut hosts = HostsDisks::new();
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    if lines.next().is_none_or(|(_, head)| head != HEAD) {
        return Err(1);
    }
    for (at, line) in lines.by_ref() {
        if let Some(count) = line.strip_prefix("end ") {
            // A text that was cut has no end.
            let whole = count.parse() == Ok(at - 2) && lines.next().is_none();
            return if whole { Ok(hosts) } else { Err(at) };
        }
        let (name, machine, disk) = disk(line).ok_or(at)?;
        let of_host =
            hosts.entry(name).or_insert_with(|| HostDisks { machine: machine.clone(), disks: Vec::new() });
        let twice = of_host.disks.iter().any(|d| d.mount == disk.mount && d.device == disk.device);
        if of_host.machine != machine || twice || of_host.disks.len() == MOST_OF_A_HOST {
            return Err(at);
        }
        of_host.disks.push(disk);
    }
    Err(text.lines().count())
}

fn disk(line: &str) -> Option<(HostName, String, KeptDisk)> {
    let mut fields = line.split('\t');
    let mut printable = || {
        let text = fields.next()?;
        let clean = Clean::new(text);
        (text.len() <= LONGEST_NAME && clean.as_str() == text).then_some(clean)
    };
    let (host, machine, device, mount) = (printable()?, printable()?, printable()?, printable()?);
    let size_kb = fields.next()?.parse().ok()?;
    let points = points(fields.next()?)?;
    if fields.next().is_some() {
        return None;
    }
    let series = UsedSeries::restored(size_kb, points)?;
    Some((HostName::new(host.as_str()).ok()?, machine.to_string(), KeptDisk { device, mount, series }))
}

fn points(text: &str) -> Option<Vec<UsedAt>> {
    let mut points: Vec<UsedAt> = Vec::new();
    for part in text.split(';') {
        let (minute, used) = part.split_once(',')?;
        let (minute, used): (u32, i64) = (minute.parse().ok()?, used.parse().ok()?);
        let before = points.last().copied().unwrap_or(UsedAt { minute: 0, used: 0 });
        let minute = before.minute.checked_add(minute)?;
        let used = u32::try_from(i64::from(before.used).checked_add(used)?).ok()?;
        if points.len() == MOST_POINTS {
            return None;
        }
        points.push(UsedAt { minute, used });
    }
    Some(points)
}

/// The text of hosts, in the order of their names. What does not fit is not in it.
pub(super) fn render(hosts: &HostsDisks) -> String {
    let mut text = format!("{HEAD}\n");
    let mut names: Vec<&HostName> = hosts.keys().collect();
    names.sort();
    let mut lines = 0;
    for name in names {
        let Some(of_host) = hosts.get(name) else { continue };
        for disk in of_host.disks.iter().filter(|disk| !disk.series.points().is_empty()) {
            let from = text.len();
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "{name}\t{}\t{}\t{}\t{}\t",
                of_host.machine,
                disk.device,
                disk.mount,
                disk.series.size_kb()
            );
            let mut before = UsedAt { minute: 0, used: 0 };
            for (at, point) in disk.series.points().iter().enumerate() {
                let more = i64::from(point.used) - i64::from(before.used);
                let _ =
                    write!(text, "{}{},{more}", if at == 0 { "" } else { ";" }, point.minute - before.minute);
                before = *point;
            }
            text.push('\n');
            // Room for the end.
            if text.len() > LONGEST - 64 {
                text.truncate(from);
                break;
            }
            lines += 1;
        }
    }
    let _ = writeln!(text, "end {lines}");
    text
}

/// Puts a text in the place of a file, in one step; its folder is made, for nobody else.
pub(super) fn write(path: &Path, text: &str) -> Result<(), DiskFileError> {
    let wrong = |what: String| DiskFileError::Unwritten { path: path.to_owned(), what };
    let folder = path.parent().unwrap_or(Path::new("/"));
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| wrong(error.to_string()))?;
    ownership::open_own_folder(folder).map_err(|error| wrong(error.to_string()))?;
    let mut name = path.file_name().map(ToOwned::to_owned).unwrap_or_default();
    name.push(format!(".{:016x}", rand::random::<u64>()));
    let part = folder.join(name);
    let written = fill(&part, text).and_then(|()| fs::rename(&part, path));
    written.map_err(|error| {
        // Where it cannot be removed either, it is a file without a meaning.
        let _ = fs::remove_file(&part);
        wrong(error.to_string())
    })
}

fn fill(part: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
