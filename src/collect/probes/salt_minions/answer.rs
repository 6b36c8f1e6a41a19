//! The answer of a Salt master: its lists of keys, and who is connected.

use std::net::Ipv4Addr;

use crate::collect::probe::unreadable;
use jumpdeck_fleet::fact::Gap;

/// The address of the master's own host among its peers: its minion may connect by any of them.
pub(super) const OWN: &str = "own";

/// Names and connections that are compared. A host may send any number; the probe asks for no more.
const MOST: usize = 1000;

/// Where a connection comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MinionOrigin {
    /// The master's own host.
    Own,
    /// Another host.
    Address(Ipv4Addr),
    /// One that only has IPv6.
    Unknown,
}

/// What the section printed.
pub(super) struct MinionsAnswer<'a> {
    /// Name and address of the environment's hosts.
    pub(super) peers: Vec<(&'a str, &'a str)>,
    /// `None` where no master listens.
    pub(super) connections: Result<Option<Vec<MinionOrigin>>, Gap>,
    /// Folder, number of keys, the first names.
    lists: Vec<(&'a str, (u64, Vec<&'a str>))>,
}

impl<'a> MinionsAnswer<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, Gap> {
        let mut lines = text.lines().filter(|line| !line.is_empty()).peekable();
        let mut head = |name: &str| {
            let line = lines.next().unwrap_or_default();
            line.strip_prefix(name).ok_or_else(|| unreadable(line))
        };
        let peers = head("@peers ")?.split(' ').filter_map(|row| row.split_once('=')).take(MOST).collect();
        let status = head("@connections ")?;
        let mut rows = Vec::new();
        while let Some(row) = lines.next_if(|line| !line.starts_with("@list ")) {
            rows.push(row);
        }
        let connections = match status {
            "124 no" => Err(Gap::TimedOut),
            "127 no" => Err(Gap::NoTool("grep".into())),
            status if status.ends_with(" yes") => Err(Gap::Cut("64 KiB of the list of connections".into())),
            _ => Ok(connections(&rows)),
        };
        let mut lists: Vec<(&str, (u64, Vec<&str>))> = Vec::new();
        for line in lines {
            match (line.strip_prefix("@list "), lists.last_mut()) {
                (Some(head), _) => {
                    let (name, count) = head.split_once(' ').ok_or_else(|| unreadable(line))?;
                    lists.push((name, (count.parse().map_err(|_| unreadable(line))?, Vec::new())));
                }
                (None, Some((_, (_, names)))) if names.len() < MOST => names.push(line),
                (None, Some(_)) => {}
                (None, None) => return Err(unreadable(line)),
            }
        }
        Ok(Self { peers, connections, lists })
    }

    /// A list of keys by its folder: how many, and the first names.
    pub(super) fn list(&self, folder: &str) -> Result<&(u64, Vec<&'a str>), Gap> {
        let found = self.lists.iter().find(|(name, _)| *name == folder);
        found.map(|(_, list)| list).ok_or_else(|| unreadable(&format!("no list {folder}")))
    }
}

/// Rows of `/proc/net/tcp` and `tcp6`: number, own address and port, the other's, state. 01 is connected, 0A listens.
fn connections(rows: &[&str]) -> Option<Vec<MinionOrigin>> {
    let (mut listens, mut found) = (false, Vec::new());
    for row in rows {
        let mut words = row.split_whitespace().skip(1);
        let (Some(own), Some(other), Some(state)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let Some(own) = own.strip_suffix(":1199") else { continue };
        match state {
            "0A" => listens = true,
            "01" => found.push(origin(own, other.split(':').next().unwrap_or_default())),
            _ => {}
        }
    }
    (listens || !found.is_empty()).then_some(found)
}

fn origin(own: &str, other: &str) -> MinionOrigin {
    match address(other) {
        _ if own == other => MinionOrigin::Own,
        Some(address) if address.is_loopback() => MinionOrigin::Own,
        Some(address) => MinionOrigin::Address(address),
        None => MinionOrigin::Unknown,
    }
}

/// 0500000A is 10.0.0.5, alone or mapped into IPv6.
fn address(hex: &str) -> Option<Ipv4Addr> {
    let hex = hex.strip_prefix("0000000000000000FFFF0000").unwrap_or(hex);
    let number = (hex.len() == 8).then(|| u32::from_str_radix(hex, 16).ok())??;
    Some(Ipv4Addr::from(number.swap_bytes()))
}

/// The minions without a connection, where it is certain which they are: there are `missing` of them.
pub(super) fn disconnected<'a>(
    ids: &[&'a str],
    peers: &[(&str, &str)],
    connections: &[MinionOrigin],
    missing: u64,
) -> Option<Vec<&'a str>> {
    let as_many = |names: &Vec<&str>| missing > 0 && u64::try_from(names.len()) == Ok(missing);
    let (mut absent, mut unknown) = (Vec::new(), Vec::new());
    for id in ids {
        let short = id.split('.').next().unwrap_or_default();
        let peer = peers
            .iter()
            .find(|(name, _)| name == id)
            .or_else(|| peers.iter().find(|(name, _)| *name == short));
        let from = match peer {
            Some((_, address)) if *address == OWN => Some(MinionOrigin::Own),
            Some((_, address)) => address.parse().ok().map(MinionOrigin::Address),
            None => None,
        };
        match from {
            Some(from) if connections.contains(&from) => {}
            Some(_) => absent.push(*id),
            None => unknown.push(*id),
        }
    }
    if as_many(&absent) {
        return Some(absent);
    }
    let all: Vec<&str> = absent.into_iter().chain(unknown).collect();
    as_many(&all).then_some(all)
}
