//! How the databases of a world live on: applications write, replicas receive and apply.

use std::collections::BTreeMap;

use super::super::machine::count;
use super::super::noise::unit;
use super::Databases;

/// Seconds of writes that are remembered to tell how old the next transaction is.
const REMEMBERED: usize = 100_000;

impl Databases {
    /// Lives on until so many seconds after the world's start.
    pub(in crate::sim::world) fn live_until(&mut self, second: u64) {
        while self.second < second {
            if !self.alive || self.servers.is_empty() {
                self.second = second;
                return;
            }
            self.second += 1;
            self.write();
            self.replicate();
        }
    }

    fn write(&mut self) {
        let second = self.second;
        for server in &mut self.servers {
            if server.running && !server.read_only && server.writes_per_second > 0.0 {
                let much = 0.4 + 1.2 * unit(server.key ^ 0x77, second);
                server.written += count(server.writes_per_second * much + unit(server.key ^ 0x78, second));
            }
        }
    }

    fn replicate(&mut self) {
        let second = self.second;
        // What each log held before this second: a chain of replicas takes a second a link.
        let logs: Vec<(u64, bool, f64)> =
            self.servers.iter().map(|s| (s.logged(), s.running, s.writes_per_second)).collect();
        for server in self.servers.iter_mut().filter(|s| s.running) {
            // Now and then a replica is busy for a second or two.
            let busy =
                [second, second.saturating_sub(1)].iter().any(|s| unit(server.key ^ 0x1a9, *s) < 0.008);
            for c in &mut server.connections {
                let Some((there, up, rate)) = logs.get(c.master) else { continue };
                if c.io_started && *up {
                    c.received = (*there).max(c.received);
                }
                if c.sql_started && !busy {
                    let pace = 200 + count(rate * 15.0);
                    c.executed = c.received.min(c.executed + pace);
                }
            }
        }
        self.remember();
    }

    /// Notes what each followed log holds now; forgets what every follower has applied.
    fn remember(&mut self) {
        let mut applied: BTreeMap<usize, u64> = BTreeMap::new();
        for c in self.servers.iter().flat_map(|s| &s.connections) {
            let least = applied.entry(c.master).or_insert(c.executed);
            *least = (*least).min(c.executed);
        }
        for (index, least) in applied {
            let second = self.second;
            let Some(server) = self.servers.get_mut(index) else { continue };
            let logged = server.logged();
            if server.history.back().is_none_or(|(_, held)| *held < logged) {
                server.history.push_back((second, logged));
            }
            while server.history.front().is_some_and(|(_, held)| *held <= least) {
                server.history.pop_front();
            }
            if server.history.len() > REMEMBERED {
                // Coarser, and the oldest stays: the lag is told by it.
                let mut number = 0_usize;
                server.history.retain(|_| {
                    number += 1;
                    number % 2 == 1
                });
            }
        }
    }
}
