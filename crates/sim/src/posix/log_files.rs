//! Files below `/var/log` that move with the time: what a host of its services writes, and that a service was started or stopped.
//!
//! A line follows from the seed and its moment, so a file only grows, until the hour before the last is rotated away.

use std::fmt::Write as _;

use super::calendar::moment;
use crate::world::World;
use crate::world::noise::{draw, key};
use jumpdeck_fleet::names::HostName;

use super::machine::Machine;

/// A file, and who writes it.
struct LogFile {
    path: &'static str,
    /// The service that must be installed.
    service: &'static str,
    /// Seconds between two lines.
    every: i64,
    /// How a line begins: `strftime`, then `HOST` is put in.
    begins: &'static str,
    /// What lines say; `{n}` becomes a number. The first ones are the usual ones.
    says: &'static [&'static str],
}

static FILES: &[LogFile] = &[
    LogFile {
        path: "/var/log/syslog",
        service: "rsyslog",
        every: 5,
        begins: "%b %e %H:%M:%S HOST ",
        says: &[
            "CRON[{n}]: (root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)",
            "CRON[{n}]: (root) CMD (   cd / && run-parts --report /etc/cron.hourly)",
            "ntpd[{n}]: Listening on routing socket on fd #22 for interface updates",
            "salt-minion[{n}]: [INFO    ] User root Executing command status.loadavg",
            "exim[{n}]: 1W5vN-0001xN-Qe <= root@HOST U=root P=local S=7{n}",
            "kernel: [{n}.310422] TCP: Possible SYN flooding on port 80. Sending cookies.",
            "salt-minion[{n}]: [WARNING ] SaltReqTimeoutError: after {n} seconds, retrying",
        ],
    },
    LogFile {
        path: "/var/log/mysql/error.log",
        service: "mysql",
        every: 40,
        begins: "%y%m%d %k:%M:%S ",
        says: &[
            "[Note] InnoDB: page_cleaner: {n} loops",
            "[Warning] Aborted connection {n} to db: 'wiki' user: 'wiki' (Got timeout reading communication packets)",
            "[Note] Event Scheduler: {n} events",
            "[Warning] IP address '10.0.0.{n}' could not be resolved: Name or service not known",
        ],
    },
    LogFile {
        path: "/var/log/apache2/error.log",
        service: "apache2",
        every: 15,
        begins: "[%a %b %d %H:%M:%S.000000 %Y] ",
        says: &[
            "[:error] [pid {n}] [client 10.0.0.{n}:4] PHP Notice:  Undefined index: title in /srv/webplatform/wiki/index.php on line {n}",
            "[core:info] [pid {n}] [client 10.0.0.{n}:4] AH00128: File does not exist: /srv/webplatform/wiki/robots.txt",
            "[mpm_prefork:notice] [pid {n}] AH00163: Apache/2.4.7 (Ubuntu) PHP/5.5.9 configured -- resuming normal operations",
            "[:warn] [pid {n}] [client 10.0.0.{n}:4] PHP Warning:  Memcached::get(): timed out in Cache.php on line {n}",
        ],
    },
    LogFile {
        path: "/var/log/apache2/access.log",
        service: "apache2",
        every: 2,
        begins: "10.0.0.9 - - [%d/%b/%Y:%H:%M:%S +0000] ",
        says: &[
            "\"GET /css/properties/{n} HTTP/1.1\" 200 5{n}",
            "\"GET /wiki/Special:Search?q={n} HTTP/1.1\" 200 3{n}",
            "\"GET /apis/{n} HTTP/1.1\" 304 -",
            "\"GET /html/elements/{n} HTTP/1.1\" 404 2{n}",
            "\"POST /w/api.php?{n} HTTP/1.1\" 503 1{n}",
        ],
    },
    LogFile {
        path: "/var/log/nginx/error.log",
        service: "nginx",
        every: 30,
        begins: "%Y/%m/%d %H:%M:%S ",
        says: &[
            "[notice] 12#0: signal {n} (SIGCHLD) received",
            "[warn] 12#0: *{n} an upstream response is buffered to a temporary file",
            "[error] 12#0: *{n} upstream timed out (110: Connection timed out) while reading response header from upstream",
        ],
    },
    LogFile {
        path: "/var/log/mail.log",
        service: "postfix",
        every: 6,
        begins: "%b %e %H:%M:%S HOST ",
        says: &[
            "postfix/smtpd[{n}]: connect from app1[10.0.0.{n}]",
            "postfix/qmgr[{n}]: 3f{n}: from=<wiki@webplatform.org>, size=1{n}, nrcpt=1 (queue active)",
            "postfix/smtp[{n}]: 3f{n}: to=<{n}@example.org>, relay=mx.example.org[192.0.2.{n}]:25, status=sent (250 2.0.0 Ok)",
            "postfix/smtp[{n}]: 3f{n}: to=<{n}@example.net>, status=deferred (connect to mx.example.net[192.0.2.{n}]:25: Connection timed out)",
        ],
    },
    LogFile {
        path: "/var/log/salt/master",
        service: "salt-master",
        every: 20,
        begins: "%Y-%m-%d %H:%M:%S,000 [salt.master      ]",
        says: &[
            "[INFO    ][{n}] Clear payload received with command _auth",
            "[INFO    ][{n}] Authentication accepted from app1",
            "[WARNING ][{n}] Minion did not return in {n} seconds",
        ],
    },
];

/// A service was started or stopped.
#[derive(Debug)]
struct Turn {
    host: HostName,
    service: String,
    at: f64,
    runs: bool,
}

/// What happened that logs tell of.
#[derive(Debug, Default)]
pub(crate) struct Turns(Vec<Turn>);

/// The most that are remembered.
const MOST: usize = 2_000;

impl World {
    /// Puts down that a service was started or stopped.
    pub(crate) fn log_turn(&mut self, host: &HostName, service: &str, runs: bool) {
        let turn = Turn { host: host.clone(), service: service.to_owned(), at: self.epoch(host), runs };
        if self.turns.0.len() < MOST {
            self.turns.0.push(turn);
        }
    }

    /// The log files of a machine.
    pub(crate) fn log_files(&self, machine: &Machine) -> impl Iterator<Item = &'static str> {
        let installed = self.services(&machine.name);
        FILES.iter().filter(move |file| installed.contains(&file.service)).map(|file| file.path)
    }

    /// What is in a log file now.
    pub(crate) fn log_file(&self, machine: &Machine, path: &str) -> Option<String> {
        let file = FILES.iter().find(|file| file.path == path)?;
        self.service_named(&machine.name, file.service)?;
        #[allow(clippy::cast_possible_truncation)] // seconds since 1970 fit
        let now = self.epoch(&machine.name).floor() as i64;
        let from = (now.div_euclid(3600) - 1) * 3600;
        let noise = key(self.seed(), &format!("{}{path}", machine.name));
        let turns = self.turns.0.iter().filter(|turn| turn.host == machine.name && turn.at >= real(from));
        let told = |turn: &&Turn| path == "/var/log/syslog" || turn.service == file.service;
        let mut turns = turns.filter(told).peekable();
        let mut text = String::new();
        let mut runs = true;
        for slot in from.div_euclid(file.every)..=now.div_euclid(file.every) {
            let number = draw(noise, u64::try_from(slot).unwrap_or(0));
            let at = slot * file.every
                + i64::try_from(number % u64::try_from(file.every).unwrap_or(1)).unwrap_or(0);
            if at > now {
                break;
            }
            while let Some(turn) = turns.next_if(|turn| turn.at < real(at)) {
                file.turned(machine, turn, &mut text);
                runs = turn.runs || turn.service != file.service;
            }
            if runs {
                file.line(machine, at, number, &mut text);
            }
        }
        turns.for_each(|turn| file.turned(machine, turn, &mut text));
        Some(text)
    }
}

#[allow(clippy::cast_precision_loss)] // seconds since 1970 fit
fn real(seconds: i64) -> f64 {
    seconds as f64
}

impl LogFile {
    fn begin(&self, machine: &Machine, at: f64) -> String {
        moment(at, self.begins).replace("HOST", machine.hostname.as_str())
    }

    fn line(&self, machine: &Machine, at: i64, number: u64, text: &mut String) {
        // The later ones are rarer.
        let count = self.says.len() as u64;
        let (one, other) = ((number >> 8) % count, (number >> 16) % count);
        let says = self.says.get(usize::try_from(one.min(other)).unwrap_or(0)).copied().unwrap_or_default();
        let says = says
            .replace("{n}", &((number >> 24) % 150 + 100).to_string())
            .replace("HOST", machine.hostname.as_str());
        let _writing_to_memory = writeln!(text, "{}{says}", self.begin(machine, real(at)));
    }

    /// In the service's own file as it says so, in the system's as whoever starts it does.
    fn turned(&self, machine: &Machine, turn: &Turn, text: &mut String) {
        let Turn { service, at, runs, .. } = turn;
        let word = if *runs { "started" } else { "stopped" };
        let says = match self.service == service.as_str() {
            true if *runs => format!("[Note] {service}: ready"),
            true => format!("[ERROR] {service}: shutdown complete"),
            false => format!("init: {service} main process {word}"),
        };
        let _writing_to_memory = writeln!(text, "{}{says}", self.begin(machine, *at));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use crate::programs::tests::{shell, world};
    use jumpdeck_fleet::names::HostName;

    #[test]
    fn a_log_grows_at_its_end_only_and_tells_of_its_service() {
        let world = world("wpd-2015", 0);
        let host = HostName::new("app1").unwrap();
        let read =
            |path: &str| String::from_utf8(world.lock().unwrap().read_file(&host, path).unwrap()).unwrap();
        // Not over the turn of an hour, which rotates.
        let log = "/var/log/apache2/error.log";
        let mut before = read(log);
        for step in 0..40 {
            world.lock().unwrap().advance(Duration::from_millis(1300));
            match step {
                10 => assert!(world.lock().unwrap().set_service(&host, "apache2", false)),
                30 => assert!(world.lock().unwrap().set_service(&host, "apache2", true)),
                _ => {}
            }
            let now = read(log);
            assert!(now.starts_with(&before), "{step}: {now}");
            before = now;
        }
        assert!(
            before.contains("apache2: shutdown complete") && before.contains("apache2: ready"),
            "{before}"
        );
        assert!(read("/var/log/syslog").contains(" app1 init: apache2 main process stopped"));
        let (listed, _, _) =
            shell(&world, "app1", "ls /var/log /var/log/apache2; tail -n 1 /var/log/syslog | wc -l");
        assert_eq!(listed, "/var/log:\napache2\nsyslog\n\n/var/log/apache2:\naccess.log\nerror.log\n1\n");
        assert_eq!(shell(&world, "db2", "test -f /var/log/apache2/error.log").2, 1);
    }
}
