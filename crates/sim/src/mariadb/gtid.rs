//! MariaDB's global transaction ids: one, a position (one a domain), a state (one a domain and server), and
//! sets of them as runs.

use std::collections::BTreeMap;
use std::fmt;

/// One transaction: `domain-server-number`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gtid {
    /// Replication domain.
    pub domain: u32,
    /// `server_id` of who wrote it first.
    pub server: u64,
    /// Its number in the domain.
    pub seq: u64,
}

impl fmt::Display for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.domain, self.server, self.seq)
    }
}

impl Gtid {
    /// Reads `0-1-100`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let gtid = Self {
            domain: parts.next()?.parse().ok()?,
            server: parts.next()?.parse().ok()?,
            seq: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(gtid)
    }
}

/// A list that is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PositionError {
    /// It cannot be read.
    Unreadable,
    /// Two of one domain: the second and the first.
    Twice(Gtid, Gtid),
}

/// At most one GTID a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position(BTreeMap<u32, Gtid>);

impl Position {
    /// Reads `0-1-100,1-3-7`; empty text is the empty position.
    ///
    /// # Errors
    /// When it cannot be read, or has two of one domain.
    pub fn parse(text: &str) -> Result<Self, PositionError> {
        let mut position = Self::default();
        for part in text.split(',').filter(|_| !text.trim().is_empty()) {
            let gtid = Gtid::parse(part).ok_or(PositionError::Unreadable)?;
            if let Some(other) = position.0.insert(gtid.domain, gtid) {
                return Err(PositionError::Twice(gtid, other));
            }
        }
        Ok(position)
    }

    /// Its GTID of a domain.
    #[must_use]
    pub fn get(&self, domain: u32) -> Option<Gtid> {
        self.0.get(&domain).copied()
    }

    /// Puts a GTID in place of its domain's.
    pub fn set(&mut self, gtid: Gtid) {
        self.0.insert(gtid.domain, gtid);
    }

    /// Its GTIDs, by domain.
    pub fn iter(&self) -> impl Iterator<Item = Gtid> + '_ {
        self.0.values().copied()
    }

    /// Whether every domain of `wanted` is reached here (`MASTER_GTID_WAIT` compares numbers only).
    #[must_use]
    pub fn reaches(&self, wanted: &Self) -> bool {
        wanted.iter().all(|w| self.get(w.domain).is_some_and(|have| have.seq >= w.seq))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list: Vec<String> = self.iter().map(|g| g.to_string()).collect();
        f.write_str(&list.join(","))
    }
}

/// The last GTID of each server in each domain; within a domain the one written last stands last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State(BTreeMap<u32, Vec<Gtid>>);

impl State {
    /// Notes that this was written.
    pub fn note(&mut self, gtid: Gtid) {
        let domain = self.0.entry(gtid.domain).or_default();
        if let Some(last) = domain.last_mut().filter(|last| last.server == gtid.server) {
            *last = gtid;
            return;
        }
        domain.retain(|g| g.server != gtid.server);
        domain.push(gtid);
    }

    /// A server's last GTID in a domain.
    #[must_use]
    pub fn of(&self, domain: u32, server: u64) -> Option<Gtid> {
        self.0.get(&domain)?.iter().copied().find(|g| g.server == server)
    }

    /// The GTID written last in a domain.
    #[must_use]
    pub fn last(&self, domain: u32) -> Option<Gtid> {
        self.0.get(&domain)?.last().copied()
    }

    /// The highest number in a domain.
    #[must_use]
    pub fn highest(&self, domain: u32) -> u64 {
        self.0.get(&domain).into_iter().flatten().map(|g| g.seq).max().unwrap_or(0)
    }

    /// Its domains.
    pub fn domains(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.keys().copied()
    }

    /// `gtid_binlog_pos`: the last of each domain.
    #[must_use]
    pub fn position(&self) -> Position {
        let mut position = Position::default();
        self.0.values().filter_map(|domain| domain.last()).for_each(|g| position.set(*g));
        position
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list: Vec<String> = self.0.values().flatten().map(Gtid::to_string).collect();
        f.write_str(&list.join(","))
    }
}

/// Which transactions a server's data hold, as runs of numbers. The true writer is part of the key: two servers may
/// have one `server_id` by mistake.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied(BTreeMap<(usize, u32, u64), Vec<(u64, u64)>>);

impl Applied {
    /// Adds `count` transactions of a writer from `first` on.
    pub fn add(&mut self, writer: usize, first: Gtid, count: u64) {
        if count == 0 {
            return;
        }
        let runs = self.0.entry((writer, first.domain, first.server)).or_default();
        let end = first.seq + count;
        match runs.last_mut() {
            Some((_, last)) if *last == first.seq => *last = end,
            Some((_, last)) if *last > first.seq => {
                runs.push((first.seq, end));
                runs.sort_unstable();
                let mut merged: Vec<(u64, u64)> = Vec::new();
                for (from, to) in runs.drain(..) {
                    match merged.last_mut() {
                        Some((_, last)) if *last >= from => *last = to.max(*last),
                        _ => merged.push((from, to)),
                    }
                }
                *runs = merged;
            }
            _ => runs.push((first.seq, end)),
        }
    }

    /// How many of these `count` transactions it holds.
    #[must_use]
    pub fn held(&self, writer: usize, first: Gtid, count: u64) -> u64 {
        let Some(runs) = self.0.get(&(writer, first.domain, first.server)) else { return 0 };
        let end = first.seq + count;
        runs.iter()
            .rev()
            .take_while(|(_, to)| *to > first.seq)
            .fold(0, |sum, (from, to)| sum + end.min(*to).saturating_sub(first.seq.max(*from)))
    }
}
