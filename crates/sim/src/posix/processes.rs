//! The processes of a simulated machine: what every one runs, its services, and what cron and others started.

use crate::posix::machine::count;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// Service, and what it runs as: account, the process's name, command.
static SERVERS: &[(&str, &str, &str, &str)] = &[
    ("apache2", "www-data", "apache2", "/usr/sbin/apache2 -k start"),
    ("cron", "root", "cron", "/usr/sbin/cron -f"),
    ("elasticsearch", "elasticsearch", "java", "/usr/bin/java -Des.path.home=/usr/share/elasticsearch"),
    ("exim4", "Debian-exim", "exim4", "/usr/sbin/exim4 -bd -q30m"),
    ("fxa-auth-server", "fxa", "node", "node /srv/fxa/auth-server/bin/key_server.js"),
    ("gdnsd", "gdnsd", "gdnsd", "/usr/sbin/gdnsd start"),
    ("glusterfs-server", "root", "glusterd", "/usr/sbin/glusterd -p /var/run/glusterd.pid"),
    ("gmetad", "ganglia", "gmetad", "/usr/sbin/gmetad --pid-file=/var/run/gmetad.pid"),
    ("hhvm", "www-data", "hhvm", "/usr/bin/hhvm --mode daemon --config /etc/hhvm/server.ini"),
    ("hypothesis", "h", "gunicorn", "gunicorn: master [h.app]"),
    (
        "jobrunner",
        "www-data",
        "php",
        "/usr/bin/php /srv/jobrunner/redisJobRunnerService --config-file=/etc/jobrunner/jobrunner.conf",
    ),
    ("lumberjack", "bots", "lumberjack", "/opt/lumberjack/bin/lumberjack -config /etc/lumberjack.conf"),
    ("memcached", "memcache", "memcached", "/usr/bin/memcached -m 1024 -p 11211 -u memcache"),
    ("monit", "root", "monit", "/usr/bin/monit -c /etc/monit/monitrc"),
    ("mysql", "mysql", "mysqld", "/usr/sbin/mysqld --basedir=/usr --datadir=/var/lib/mysql"),
    // A thread of the kernel.
    ("nfs-kernel-server", "root", "nfsd", "[nfsd]"),
    ("nginx", "root", "nginx", "nginx: master process /usr/sbin/nginx"),
    ("ntp", "ntp", "ntpd", "/usr/sbin/ntpd -p /var/run/ntpd.pid"),
    ("opendkim", "opendkim", "opendkim", "/usr/sbin/opendkim -x /etc/opendkim.conf"),
    ("php5-fpm", "www-data", "php5-fpm", "php-fpm: pool www"),
    ("pierc", "bots", "python", "python /srv/bots/pierc/pierc.py"),
    ("postfix", "root", "master", "/usr/lib/postfix/master"),
    ("redis-server", "redis", "redis-server", "/usr/bin/redis-server 0.0.0.0:6379"),
    ("salt-master", "root", "salt-master", "/usr/bin/python /usr/bin/salt-master"),
    ("salt-minion", "root", "salt-minion", "/usr/bin/python /usr/bin/salt-minion"),
    ("ssh", "root", "sshd", "/usr/sbin/sshd -D"),
    ("tomcat6", "tomcat6", "java", "/usr/lib/jvm/default-java/bin/java -Dcatalina.base=/var/lib/tomcat6"),
];

/// One process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) user: String,
    /// As in `/proc/PID/comm`.
    pub(crate) name: String,
    pub(crate) command: String,
    /// Seconds it has run.
    pub(crate) seconds: u64,
}

impl World {
    /// The processes of a machine, by their number.
    pub(crate) fn processes(&self, host: &HostName) -> Vec<Process> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // seconds
        let whole = |seconds: f64| seconds.max(0.0) as u64;
        let uptime = whole(self.uptime(host).unwrap_or(0.0));
        let init = if self.machine(host).is_some_and(|machine| machine.os.has_systemd()) {
            "systemd"
        } else {
            "init"
        };
        let process = |pid, user: &str, name: &str, command: &str, seconds| Process {
            pid,
            user: user.to_owned(),
            name: name.to_owned(),
            command: command.to_owned(),
            seconds,
        };
        let mut all = vec![process(1, "root", init, "/sbin/init", uptime)];
        for (service, user, name, command) in SERVERS {
            if let Some(state) = self.service(host, service).filter(|state| state.runs) {
                let seconds = whole(self.epoch(host) - state.since);
                all.push(process(state.pid, user, name, command, seconds));
            }
        }
        let now = self.now().as_secs_f64();
        all.extend(
            self.tasks(host)
                .map(|t| process(t.pid, &t.user, program(&t.command), &t.command, whole(now - t.started))),
        );
        all.sort_by_key(|process| process.pid);
        all
    }

    /// What `/proc/PID/FILE` of a machine holds; `None` when there is no such process, or the file is not simulated.
    pub(crate) fn process_file(&self, host: &HostName, path: &str) -> Option<String> {
        let (pid, file) = path.strip_prefix("/proc/")?.split_once('/')?;
        let pid: u32 = pid.parse().ok()?;
        let process = self.processes(host).into_iter().find(|process| process.pid == pid)?;
        Some(match file {
            "comm" => format!("{:.15}\n", process.name),
            "cmdline" => process.command.replace(' ', "\0") + "\0",
            "stat" => self.stat_of(host, &process)?,
            "status" => self.status_of(host, &process)?,
            _ => return None,
        })
    }
}

/// How much of a machine's work and memory a process has, beside the others that run there.
fn weight(name: &str) -> u64 {
    match name {
        "mysqld" | "java" => 40,
        "apache2" | "php5-fpm" | "hhvm" | "php" | "node" | "gunicorn" => 20,
        "memcached" | "redis-server" | "salt-master" => 12,
        "salt-minion" | "nginx" | "python" => 4,
        // A thread of the kernel.
        "nfsd" => 0,
        _ => 1,
    }
}

/// The accounts of the services that a machine has, as lines of `/etc/passwd`.
pub(crate) fn service_accounts(world: &World, host: &HostName) -> String {
    let services = world.services(host);
    let mut text = String::new();
    let mut seen = vec!["root", "www-data", "mysql"];
    for (number, (service, user, ..)) in SERVERS.iter().enumerate() {
        if services.iter().any(|one| one == service) && !seen.contains(user) {
            seen.push(user);
            text.push_str(&format!("{user}:x:{0}:{0}::/nonexistent:/usr/sbin/nologin\n", 200 + number));
        }
    }
    text
}

impl World {
    /// A process's part of everything that runs on its machine.
    fn part_of(&self, host: &HostName, process: &Process) -> f64 {
        let all: u64 = self.processes(host).iter().map(|one| weight(&one.name)).sum();
        #[allow(clippy::cast_precision_loss)] // small numbers
        let part = weight(&process.name) as f64 / all.max(1) as f64;
        part
    }

    /// `/proc/PID/stat` (proc(5)). CPU grows with time: by some hundredths of what the machine has, most of it the servers'.
    fn stat_of(&self, host: &HostName, process: &Process) -> Option<String> {
        let machine = self.machine(host)?;
        let uptime = self.uptime(host)?;
        #[allow(clippy::cast_precision_loss)] // seconds
        let ran = (process.seconds as f64).min(uptime);
        #[allow(clippy::cast_precision_loss)] // below a hundred
        let busy = (3 + machine.number(61) % 25) as f64 / 100.0 * f64::from(machine.cpus);
        // By the machine's clock, not by whole seconds: two looks a moment apart differ.
        let fraction = uptime.fract();
        let ticks = count((ran + fraction) * 100.0 * busy * self.part_of(host, process));
        let (user, system) = (ticks - ticks / 4, ticks / 4);
        let started = count((uptime - ran).max(0.0)) * 100;
        let (pid, parent) = (process.pid, u8::from(process.pid != 1));
        Some(format!(
            "{pid} ({:.15}) S {parent} {pid} {pid} 0 -1 4194560 0 0 0 0 {user} {system} 0 0 20 0 1 0 {started} 0 0\n",
            process.name
        ))
    }

    /// The lines of `/proc/PID/status` that programs read. A thread of the kernel has no memory of its own.
    fn status_of(&self, host: &HostName, process: &Process) -> Option<String> {
        let uid = self.account(host, "/etc/passwd", &process.user).and_then(|fields| fields.get(2).cloned());
        let uid =
            uid.unwrap_or_else(|| (100 + self.machine(host).map_or(0, |m| m.number(62) % 20)).to_string());
        let memory = self.memory(host)?;
        let used = memory.total.saturating_sub(memory.available);
        #[allow(clippy::cast_precision_loss)] // kB
        let resident = count(used as f64 * 0.8 * self.part_of(host, process));
        let resident = if resident == 0 { String::new() } else { format!("VmRSS:\t{resident:>8} kB\n") };
        Some(format!(
            "Name:\t{:.15}\nState:\tS (sleeping)\nPid:\t{}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n{resident}Threads:\t1\n",
            process.name, process.pid
        ))
    }
}

/// The files of a process that are simulated.
pub(crate) static FILES: &[&str] = &["comm", "cmdline", "stat", "status"];

/// A command's own name.
fn program(command: &str) -> &str {
    let program = command.split([' ', ':']).next().unwrap_or_default();
    program.rsplit('/').next().unwrap_or_default()
}
