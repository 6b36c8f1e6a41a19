//! The status pages of web servers and of PHP: for the machine itself only, as their packages set them up.

use crate::posix::machine::Machine;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::Page;

/// The file that says how many workers Apache has at most.
pub(crate) const LIMITS: &str = "/etc/apache2/mods-enabled/mpm_prefork.conf";
/// How many that is.
const WORKERS: u64 = 150;
/// Processes of PHP.
const CHILDREN: u64 = 5;

/// How busy a machine's web server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebLoad {
    /// Workers of Apache, or processes of PHP, that serve a request.
    pub busy: u64,
    /// Requests that wait for PHP.
    pub queue: u64,
}

impl Default for WebLoad {
    fn default() -> Self {
        Self { busy: 2, queue: 0 }
    }
}

impl World {
    /// Fault: a machine's web server has so much to do; `None`: as little as at first.
    pub fn set_web_load(&mut self, host: &HostName, load: Option<WebLoad>) {
        match load {
            Some(load) => self.web.load.insert(host.clone(), load),
            None => self.web.load.remove(host),
        };
    }

    /// The status page that a path leads to.
    pub(crate) fn status_page(&self, host: &HostName, path: &str) -> Option<Page> {
        let WebLoad { busy, queue } = self.web.load.get(host).copied().unwrap_or_default();
        let runs = |service: &str| self.services(host).contains(&service) && self.service_runs(host, service);
        let body = match path {
            "/server-status" if runs("apache2") => apache(busy.min(WORKERS)),
            "/nginx_status" if runs("nginx") => format!(
                "Active connections: {} \nserver accepts handled requests\n 81203 81203 204211 \nReading: 0 Writing: 1 Waiting: \
                 {busy} \n",
                busy + 1
            ),
            "/fpm-status" if runs("nginx") && runs("php5-fpm") => php(busy.min(CHILDREN), queue),
            _ => return None,
        };
        Some(Page { status: 200, body })
    }
}

fn apache(busy: u64) -> String {
    let idle = (WORKERS - busy).min(5);
    let board = [("W", busy), ("_", idle), (".", 256 - busy - idle)];
    let board: String =
        board.iter().map(|(state, count)| state.repeat(usize::try_from(*count).unwrap_or(0))).collect();
    format!(
        "Total Accesses: 70321\nTotal kBytes: 412007\nUptime: 81233\nReqPerSec: .8657\nBytesPerSec: 5193.7\nBytesPerReq: \
         5999.5\nBusyWorkers: {busy}\nIdleWorkers: {idle}\nScoreboard: {board}\n"
    )
}

fn php(active: u64, queue: u64) -> String {
    format!(
        "pool:                 www\nprocess manager:      dynamic\nstart time:           12/May/2015:09:11:02 +0000\n\
         start since:          81233\naccepted conn:        9120\nlisten queue:         {queue}\nmax listen queue:     {queue}\n\
         listen queue len:     128\nidle processes:       {}\nactive processes:     {active}\ntotal processes:      {CHILDREN}\n\
         max active processes: {active}\nmax children reached: {}\nslow requests:        0\n",
        CHILDREN - active,
        u8::from(queue > 0)
    )
}

/// What is in the file of Apache's limits, where Apache is installed.
pub(crate) fn limits(world: &World, machine: &Machine) -> Option<String> {
    world.services(&machine.name).contains(&"apache2").then(|| {
        format!("<IfModule mpm_prefork_module>\n\tStartServers\t\t\t 5\n\tMaxRequestWorkers\t  {WORKERS}\n</IfModule>\n")
    })
}
