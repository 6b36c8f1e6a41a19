//! The answer of a Salt master: its lists of keys, and who is connected.

use std::net::Ipv4Addr;

use crate::collect::probe::unreadable;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::names::roles_from_host_name;

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

/// Whether the environment has another host that may be a master, by its name: those are the names of the roles.
pub(super) fn has_other_master(peers: &[(&str, &str)]) -> bool {
    peers.iter().filter(|(_, address)| *address != OWN).any(|(name, _)| {
        roles_from_host_name(name).iter().any(|role| super::MASTERS.contains(&role.as_str()))
    })
}

/// Which of the accepted minions are connected.
pub(super) struct Connected<'a> {
    /// How many.
    pub(super) count: u64,
    /// The others, where it is certain which they are.
    pub(super) missing: Option<Vec<&'a str>>,
}

impl<'a> Connected<'a> {
    /// A minion is connected when a connection comes from its address. One whose address has none may come from an address that no
    /// minion is known by, and one whose address nobody knows from there too, or through another one's address. A second
    /// connection of one minion is no other minion's.
    pub(super) fn of(
        accepted: u64,
        ids: &[&'a str],
        peers: &[(&str, &str)],
        connections: &[MinionOrigin],
    ) -> Self {
        // Several may have one address.
        let mut known: Vec<(MinionOrigin, Vec<&'a str>)> = Vec::new();
        let mut unknown = Vec::new();
        for id in ids {
            match expected(id, peers) {
                None => unknown.push(*id),
                Some(from) => match known.iter_mut().find(|(other, _)| *other == from) {
                    Some((_, same)) => same.push(*id),
                    None => known.push((from, vec![*id])),
                },
            }
        }
        let (mut present, mut absent, mut surplus, mut suspects) = (0, 0, 0, unknown);
        for (from, same) in &known {
            let there = connections.iter().filter(|one| *one == from).count();
            present += there.min(same.len());
            absent += same.len().saturating_sub(there);
            surplus += there.saturating_sub(same.len());
            if there < same.len() {
                suspects.extend(same);
            }
        }
        let strange = connections.iter().filter(|one| known.iter().all(|(from, _)| from != *one)).count();
        let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let (present, absent, strange) = (number(present), number(absent), number(strange));
        let nameless = accepted.saturating_sub(present).saturating_sub(absent);
        let covered = strange.min(absent);
        let rest = strange.saturating_sub(covered).saturating_add(number(surplus));
        let count = present.saturating_add(covered).saturating_add(rest.min(nameless));
        let missing = accepted.saturating_sub(count);
        let all_named = number(ids.len()) == accepted;
        let is_certain = missing > 0 && all_named && number(suspects.len()) == missing;
        // In the order of the keys.
        let missing = is_certain.then(|| ids.iter().copied().filter(|id| suspects.contains(id)).collect());
        Self { count, missing }
    }
}

/// Where a minion's connection comes from, where the inventory knows it.
fn expected(id: &str, peers: &[(&str, &str)]) -> Option<MinionOrigin> {
    let short = id.split('.').next().unwrap_or_default();
    let named = |name: &str| peers.iter().find(|(other, _)| *other == name);
    let (_, address) = named(id).or_else(|| named(short))?;
    if *address == OWN {
        return Some(MinionOrigin::Own);
    }
    let address: Ipv4Addr = address.parse().ok()?;
    (!address.is_loopback()).then_some(MinionOrigin::Address(address))
}
