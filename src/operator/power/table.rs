//! What the cloud's clients print: the table of one server, a list of servers, a console log.
//!
//! A value may hold anything that somebody wrote into the cloud, a `|` or a line end, too: a table in which a name appears twice is not
//! read at all.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::failure;
use crate::transport::Recorded;
use jumpdeck_fleet::power::{
    CloudClient, CloudServerFacts, CloudTask, ConsoleLines, ConsoleTail, MissReason,
};
use jumpdeck_fleet::text::Clean;

/// Characters of a value that are kept.
const VALUE: usize = 200;
/// Characters of a line of the console log that are kept.
const LINE: usize = 500;
/// Servers of one name that are listed.
const LISTED: usize = 8;
/// Addresses of a server that are kept.
const ADDRESSES: usize = 16;

/// What the clients say when no server has the name.
const NO_SERVER: [&str; 2] = ["No server with a name or ID of", "No Server found for"];
/// What they say when several have it.
const SEVERAL: [&str; 3] = [
    "Multiple server matches found",
    "More than one server exists with the name",
    "More than one Server exists",
];
/// What they say without credentials, or with those that the cloud does not take.
const NO_CREDENTIALS: [&str; 7] = [
    "Missing value auth-url",
    "Missing value auth_url",
    "You must provide",
    "env[OS_",
    "Missing parameter",
    "HTTP 401",
    "Invalid OpenStack Nova credentials",
];

/// What came of asking for one server.
pub(super) enum ShowReply {
    /// Its table.
    Server(String),
    /// No server has the name.
    NoServer,
    /// Several have it.
    Several,
}

/// Whether a client says that it has no credentials.
pub(super) fn lacks_credentials(said: &str) -> bool {
    says(said, &NO_CREDENTIALS)
}

fn says(text: &str, one_of: &[&str]) -> bool {
    one_of.iter().any(|words| text.contains(words))
}

/// The client that answered, and its table of one server.
pub(super) fn shown(recorded: &Recorded) -> Result<(CloudClient, ShowReply), MissReason> {
    let stdout = String::from_utf8_lossy(&recorded.stdout.kept).into_owned();
    let (first, rest) = stdout.split_once('\n').unwrap_or((&stdout, ""));
    let client = match first {
        "client nova" => CloudClient::Nova,
        "client openstack" => CloudClient::OpenStack,
        "client none" => return Err(MissReason::NoClient),
        _ => return Err(failure(recorded).unwrap_or(MissReason::NoAnswer("it said nothing".into()))),
    };
    let Some(why) = failure(recorded) else {
        if recorded.stdout.beyond > 0 {
            return Err(MissReason::Unreadable("it is longer than 64 KiB".into()));
        }
        return Ok((client, ShowReply::Server(rest.to_owned())));
    };
    let said = String::from_utf8_lossy(&recorded.stderr.kept);
    match why {
        MissReason::Failed(_) if says(&said, &NO_SERVER) => Ok((client, ShowReply::NoServer)),
        MissReason::Failed(_) if says(&said, &SEVERAL) => Ok((client, ShowReply::Several)),
        other => Err(other),
    }
}

/// A table of names and values.
fn values(text: &str) -> Result<BTreeMap<String, String>, Clean> {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut is_table = false;
    for line in text.lines() {
        let Some(inner) = line.trim().strip_prefix('|').and_then(|line| line.strip_suffix('|')) else {
            continue;
        };
        let Some((name, value)) = inner.split_once('|') else { continue };
        let (name, value) = (name.trim(), value.trim());
        if !is_table {
            is_table = matches!((name, value), ("Property" | "Field", "Value"));
        } else if !name.is_empty() {
            rows.push((name.to_owned(), value.to_owned()));
        } else if let Some((_, begun)) = rows.last_mut() {
            begun.push(' ');
            begun.push_str(value);
        }
    }
    if !is_table {
        let said = Clean::first_line(text, 120);
        return Err(Clean::new(&format!("there is no table in it: {said:?}")));
    }
    let mut values = BTreeMap::new();
    for (name, value) in rows {
        if values.insert(name.clone(), value).is_some() {
            return Err(Clean::new(&format!("it has {} twice", Clean::first_line(&name, 60))));
        }
    }
    Ok(values)
}

/// The facts in a server's table. `address` is the inventory's.
pub(super) fn facts(text: &str, address: &str) -> Result<CloudServerFacts, Clean> {
    let values = values(text)?;
    let value = |name: &str| {
        let value = values.get(name)?.as_str();
        (!matches!(value, "" | "-" | "None")).then(|| Clean::first_line(value, VALUE))
    };
    let status = value("status");
    let is_id = |id: &Clean| {
        let id = id.as_str();
        id.len() <= 64
            && id.starts_with(|c: char| c.is_ascii_alphanumeric())
            && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let id = value("id").filter(is_id);
    if status.is_none() && id.is_none() {
        return Err("it has neither a status nor an id".into());
    }
    let networks = values.iter().filter(|(name, _)| *name == "addresses" || name.ends_with(" network"));
    let mut addresses: Vec<IpAddr> = networks
        .flat_map(|(_, value)| value.split(|c: char| !(c.is_ascii_hexdigit() || matches!(c, '.' | ':'))))
        .filter_map(|word| word.parse().ok())
        .collect();
    addresses.truncate(ADDRESSES);
    let own: Option<IpAddr> = address.parse().ok();
    let has_address = own.filter(|_| !addresses.is_empty()).map(|own| addresses.contains(&own));
    let task = match values.get("OS-EXT-STS:task_state").map(String::as_str) {
        None => CloudTask::Unknown,
        Some("" | "-" | "None") => CloudTask::Idle,
        Some(task) => CloudTask::Doing(Clean::first_line(task, VALUE)),
    };
    Ok(CloudServerFacts {
        id,
        status,
        power: values.get("OS-EXT-STS:power_state").and_then(|state| power(state)),
        task,
        addresses: addresses.iter().map(|address| Clean::new(&address.to_string())).collect(),
        has_address,
        launched: value("OS-SRV-USG:launched_at"),
        updated: value("updated"),
        fault: value("fault"),
        under: value("host_status"),
    })
}

/// The power state in words: nova prints its number, openstack its name (nova/compute/power_state.py).
fn power(state: &str) -> Option<Clean> {
    Some(match state {
        "" | "-" | "None" => return None,
        "0" | "NOSTATE" => "no state".into(),
        "1" | "Running" => "running".into(),
        "3" | "Paused" => "paused".into(),
        "4" | "Shutdown" => "shut down".into(),
        "6" | "Crashed" => "crashed".into(),
        "7" | "Suspended" => "suspended".into(),
        other => Clean::first_line(other, VALUE),
    })
}

/// The rows of a list whose server has exactly this name, and how many more there are.
pub(super) fn listed(recorded: &Recorded, name: &str) -> Vec<Clean> {
    if failure(recorded).is_some() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&recorded.stdout.kept);
    let mut rows = text.lines().filter_map(|line| {
        let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
        Some(inner.split('|').map(str::trim).collect::<Vec<_>>())
    });
    let heads = rows.next().unwrap_or_default();
    let Some(named) = heads.iter().position(|head| *head == "Name") else { return Vec::new() };
    let of_name = rows.filter(|cells| cells.len() == heads.len() && cells.get(named) == Some(&name));
    let mut lines: Vec<Clean> = of_name
        .map(|cells| {
            let shown = heads
                .iter()
                .zip(cells)
                .filter(|(head, _)| ["ID", "Status", "Task State", "Power State", "Networks"].contains(head));
            let cells: Vec<&str> =
                shown.map(|(_, cell)| cell).filter(|cell| !matches!(*cell, "" | "-")).collect();
            Clean::first_line(&cells.join("  "), VALUE)
        })
        .collect();
    if let Some(more) = lines.len().checked_sub(LISTED).filter(|more| *more > 0) {
        lines.truncate(LISTED);
        lines.push(Clean::new(&format!("and {more} more")));
    }
    lines
}

/// The end of a console log.
pub(super) fn tail(recorded: &Recorded, asked: u16) -> ConsoleTail {
    if let Some(why) = failure(recorded) {
        return ConsoleTail::Unknown(Clean::new(&why.describe()));
    }
    let text = without_colours(&String::from_utf8_lossy(&recorded.stdout.kept));
    let mut lines: Vec<&str> = text.lines().collect();
    // The clients end what they print with empty lines of their own.
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    let dropped = lines.len().saturating_sub(usize::from(asked));
    let mut shortened = 0;
    let lines = lines.split_off(dropped).into_iter().map(|line| {
        let long = line.char_indices().nth(LINE);
        shortened += usize::from(long.is_some());
        let kept = long.map_or_else(|| line.to_owned(), |(end, _)| format!("{}…", line.split_at(end).0));
        Clean::lines(&kept).into_iter().next().unwrap_or_default()
    });
    let lines = lines.collect();
    ConsoleTail::Lines(ConsoleLines { asked, lines, dropped, shortened, beyond: recorded.stdout.beyond })
}

/// The text without the sequences that only choose a colour (`ESC [ 0;32 m`): a console log is full of them. Every other escape stays,
/// and is shown as one.
fn without_colours(text: &str) -> String {
    let mut pieces = text.split("\x1b[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| !(c.is_ascii_digit() || c == ';')).unwrap_or(piece.len());
        let (_, rest) = piece.split_at(end);
        match rest.strip_prefix('m') {
            Some(rest) => plain.push_str(rest),
            None => {
                plain.push_str("\x1b[");
                plain.push_str(piece);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests;
