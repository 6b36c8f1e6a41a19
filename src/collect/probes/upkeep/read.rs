//! What the section printed, by its parts.

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::upkeep::{RebootReason, Upkeep};

use crate::collect::probe::{Raw, unreadable};

use super::kernels;
use super::waiting;

/// At most this many names are kept of a list. The problem of failed units knows it (`failed_units.rs`).
const NAMES: usize = 40;

/// A part's status and its lines.
pub(super) struct UpkeepPart<'a> {
    status: &'a str,
    pub(super) lines: Vec<&'a str>,
}

impl UpkeepPart<'_> {
    /// Why there is no value.
    pub(super) fn gap(&self) -> Option<Gap> {
        match self.status {
            "0" => None,
            "none" => Some(Gap::NotInstalled),
            "later" => Some(Gap::NotAsked),
            status => {
                let raw = Raw { status: status.parse().unwrap_or(1), text: self.lines.join("\n") };
                Some(raw.gap().unwrap_or_else(|| unreadable(status)))
            }
        }
    }
}

/// The part of that name; the first, as what programs print comes after.
pub(super) fn part<'a>(text: &'a str, name: &str) -> Result<UpkeepPart<'a>, Gap> {
    let mut lines = text.lines().skip_while(|line| head(line).is_none_or(|(known, _)| known != name));
    let (_, status) = lines.next().and_then(head).ok_or_else(|| unreadable("a part is missing"))?;
    Ok(UpkeepPart { status, lines: lines.take_while(|line| head(line).is_none()).collect() })
}

fn head(line: &str) -> Option<(&str, &str)> {
    const PARTS: &[&str] = &[
        "reboot", "kernel", "oom", "readonly", "units", "who", "keeper", "salt", "anacron", "date", "lists",
        "updates",
    ];
    line.strip_prefix('@')?.split_once(' ').filter(|(name, _)| PARTS.contains(name))
}

pub(super) fn read(text: &str) -> Result<Upkeep, Gap> {
    let date = part(text, "date").ok().filter(|date| date.gap().is_none());
    let (now, today) = match date.as_ref().and_then(|date| date.lines.first()?.split_once(' ')) {
        Some((now, today)) => (now.parse::<u64>().ok(), Some(today).filter(|day| is_day(day))),
        None => (None, None),
    };
    Ok(Upkeep {
        today: today.map(Clean::new),
        updates: waiting::updates(text, now),
        reboot: reboot(text),
        failed_units: lines_of(text, "units").and_then(|lines| lines.into_iter().map(unit).collect()),
        oom_kills: oom_kills(text),
        read_only: lines_of(text, "readonly")
            .map(|lines| lines.iter().map(|line| Clean::first_line(line, 120)).collect()),
        logged_in: lines_of(text, "who")
            .map(|lines| lines.iter().map(|line| Clean::first_line(line, 120)).collect()),
        clock_keeper: clock_keeper(text),
        states_age_s: age_of(text, "salt"),
        daily_jobs_age_s: age_of(text, "anacron").and_then(|age| age.ok_or_else(|| unreadable("no time"))),
    })
}

fn is_day(day: &str) -> bool {
    day.len() == 10
        && day.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// The first lines of a part that hold something.
fn lines_of<'a>(text: &'a str, name: &str) -> Result<Vec<&'a str>, Gap> {
    all_lines_of(text, name).map(|mut lines| {
        lines.truncate(NAMES);
        lines
    })
}

fn all_lines_of<'a>(text: &'a str, name: &str) -> Result<Vec<&'a str>, Gap> {
    let part = part(text, name)?;
    match part.gap() {
        Some(gap) => Err(gap),
        None => Ok(part.lines.into_iter().filter(|line| !line.trim().is_empty()).collect()),
    }
}

fn reboot(text: &str) -> Result<Option<RebootReason>, Gap> {
    if let Ok(asked) = lines_of(text, "reboot") {
        let mut names: Vec<Clean> = asked.iter().map(|name| Clean::first_line(name, 80)).collect();
        names.sort();
        names.dedup();
        return Ok(Some(RebootReason::Packages(names)));
    }
    // All of them: a folder is sorted by letters, and the newest may come last.
    let kernels = all_lines_of(text, "kernel")?;
    let (running, installed) = kernels.split_first().ok_or_else(|| unreadable("no release of the kernel"))?;
    let newest = kernels::newest(running, installed).ok_or(Gap::NotInstalled)?;
    Ok(kernels::is_newer(newest, running).then(|| RebootReason::Kernel {
        running: Clean::first_line(running, 80),
        installed: Clean::first_line(newest, 80),
    }))
}

/// `UNIT LOAD ACTIVE SUB DESCRIPTION`. Older systemd mark a failed one with a dot or `*`, in spite of `--plain`. Its name comes
/// into commands that people are advised to run: it has only the characters that systemd allows.
fn unit(line: &str) -> Result<Clean, Gap> {
    let mut words = line.split_whitespace().skip_while(|word| !word.contains('.'));
    match (words.next(), words.next(), words.next()) {
        (Some(unit), Some(_), Some("failed")) if is_unit(unit) => Ok(Clean::new(unit)),
        _ => Err(unreadable(line)),
    }
}

/// systemd allows 255 characters.
fn is_unit(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    name.len() < 256 && name.bytes().all(allowed)
}

fn oom_kills(text: &str) -> Result<u64, Gap> {
    let line = lines_of(text, "oom")?.first().copied().unwrap_or_default();
    line.strip_prefix("oom_kill ").and_then(|count| count.trim().parse().ok()).ok_or_else(|| unreadable(line))
}

/// How old a file was when it was looked at: the host's time, then the file's and its name. Nothing: it was never written.
fn age_of(text: &str, name: &str) -> Result<Option<u64>, Gap> {
    let lines = lines_of(text, name)?;
    let Some((now, rest)) = lines.split_first() else { return Ok(None) };
    let written = rest.first().and_then(|line| line.split(' ').next());
    let number = |word: &str| word.parse::<u64>().ok();
    match (number(now), written.and_then(number)) {
        // One from the future by a few seconds is of now.
        (Some(now), Some(written)) if written <= now.saturating_add(60) => {
            Ok(Some(now.saturating_sub(written)))
        }
        _ => Err(unreadable(&lines.join(" "))),
    }
}

fn clock_keeper(text: &str) -> Result<Option<Clean>, Gap> {
    Ok(match lines_of(text, "keeper")?.first().copied() {
        None => None,
        Some("hidden") => {
            return Err(Gap::NotPermitted("this account cannot see every process".into()));
        }
        // The kernel keeps 15 characters of a name.
        Some("systemd-timesyn") => Some("systemd-timesyncd".into()),
        Some(name) => Some(Clean::first_line(name, 40)),
    })
}

#[cfg(test)]
mod tests;
