//! Updates that wait, as each of those who count them says it.

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::upkeep::{UpdateSource, WaitingUpdates};

use crate::collect::probe::unreadable;

use super::read::part;

/// `now`: seconds since 1970 by the host's clock.
pub(super) fn updates(text: &str, now: Option<u64>) -> Result<WaitingUpdates, Gap> {
    let part = part(text, "updates")?;
    if let Some(gap) = part.gap() {
        return Err(gap);
    }
    let mut lines = part.lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let rest: Vec<&str> = lines.collect();
    let words: Vec<&str> = first.split(' ').collect();
    let number = |word: &str| word.parse::<u64>().map_err(|_| unreadable(first));
    let (source, security, all) = match words.as_slice() {
        ["notifier"] => {
            let (security, all) = notified(&rest).ok_or_else(|| unreadable(&rest.join(" ")))?;
            (UpdateSource::UpdateNotifier, security, Some(all))
        }
        ["apt", security, all] => (UpdateSource::Apt, number(security)?, Some(number(all)?)),
        ["rpm", security] => (UpdateSource::Rpm, number(security)?, None),
        _ => return Err(unreadable(first)),
    };
    // Where it is asked for, it is the lists of apt.
    let lists_age_s = if source == UpdateSource::Rpm { None } else { now.and_then(|now| age(text, now)) };
    Ok(WaitingUpdates { security, all, source, lists_age_s })
}

/// `9 updates are security updates.`; since Ubuntu 20.04 `2 of these updates are standard security updates.`, and no such line
/// where there are none; with a contract `5 of these updates are ESM Apps security updates.` too. What only a contract would bring
/// (`17 additional security updates can be applied with ESM Apps.`) is not waiting: nobody without one can install it.
fn notified(lines: &[&str]) -> Option<(u64, u64)> {
    let (mut security, mut all) = (0_u64, None);
    for line in lines {
        let Some((count, words)) = line.split_once(' ') else { continue };
        let Ok(count) = count.parse::<u64>() else { continue };
        if words.contains("additional") {
            continue;
        }
        if words.contains("security update") {
            security = security.saturating_add(count);
        } else if ["updated", "applied", "installed"]
            .iter()
            .any(|done| words.contains(&format!("can be {done}")))
        {
            all = Some(count);
        }
    }
    all.map(|all| (security, all))
}

/// Seconds since the lists were refreshed: by the stamp that a refresh leaves, else by their folders.
fn age(text: &str, now: u64) -> Option<u64> {
    let lists = part(text, "lists").ok()?;
    let times: Vec<(u64, &str)> = lists
        .lines
        .iter()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(time, path)| Some((time.parse().ok()?, path)))
        .collect();
    let stamp = times.iter().find(|(_, path)| path.ends_with("-stamp")).map(|(time, _)| *time);
    let newest = stamp.or_else(|| times.iter().map(|(time, _)| *time).max())?;
    Some(now.saturating_sub(newest))
}
