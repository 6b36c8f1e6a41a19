//! The Memcached servers: how full each is, and what it threw away.

pub(crate) mod programs;

use std::collections::BTreeMap;

use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// A Memcached server.
#[derive(Debug, Clone, Default)]
pub struct Memcached {
    /// Items it threw away for want of memory.
    pub evicted: u64,
    /// Connections that are open beside those of every day.
    pub clients: u64,
}

/// The servers by machine.
pub(crate) type Servers = BTreeMap<HostName, Memcached>;

/// What each may use, bytes, and how many connections.
const MAX_MEMORY: u64 = 1024 * 1024 * 1024;
const MAX_CLIENTS: u64 = 1024;

impl World {
    /// The Memcached server of a machine; `None` when none runs there.
    pub fn memcached(&mut self, host: &HostName) -> Option<&mut Memcached> {
        let runs = self.is_up(host) && self.service_runs(host, "memcached");
        runs.then(|| self.memcached.entry(host.clone()).or_default())
    }

    /// What the server says of itself: names and values of `stats`, and of `stats settings`.
    fn memcached_stats(&mut self, host: &HostName) -> Option<[Vec<(&'static str, String)>; 2]> {
        let server = self.memcached(host)?.clone();
        let machine = self.machine(host)?;
        let own = |which: u64, most: u64| machine.number(which) % most;
        let (items, clients) = (40_000 + own(0x3e3, 20_000), 12 + own(0x3e4, 30) + server.clients);
        let service = self.service(host, "memcached")?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // seconds
        let uptime = (self.epoch(host) - service.since).max(0.0) as u64;
        let asked = 1_000 + uptime * (20 + own(0x3e5, 60));
        let hits = asked / 100 * (88 + own(0x3e6, 9));
        let stats = vec![
            ("pid", service.pid.to_string()),
            ("uptime", uptime.to_string()),
            ("version", "1.4.14".to_owned()),
            ("curr_connections", clients.to_string()),
            ("get_hits", hits.to_string()),
            ("get_misses", asked.saturating_sub(hits).to_string()),
            ("bytes", (items * 9_000).to_string()),
            ("limit_maxbytes", MAX_MEMORY.to_string()),
            ("curr_items", items.to_string()),
            ("evictions", server.evicted.to_string()),
        ];
        let settings = vec![
            ("maxbytes", MAX_MEMORY.to_string()),
            ("maxconns", MAX_CLIENTS.to_string()),
            ("evictions", "on".to_owned()),
            ("tcpport", programs::PORT.to_string()),
        ];
        Some([stats, settings])
    }
}
