//! The processes of a simulated machine: what every one runs, its services, and what cron and others started.

use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// Service, and what it runs as: account, the process's name, command.
static SERVERS: &[(&str, &str, &str, &str)] = &[
    ("apache2", "www-data", "apache2", "/usr/sbin/apache2 -k start"),
    ("cron", "root", "cron", "/usr/sbin/cron -f"),
    ("elasticsearch", "elastic+", "java", "/usr/bin/java -Des.path.home=/usr/share/elasticsearch"),
    ("exim4", "Debian-+", "exim4", "/usr/sbin/exim4 -bd -q30m"),
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
            "stat" => format!("{pid} ({:.15}) S {} {pid} {pid} 0 -1\n", process.name, u8::from(pid != 1)),
            _ => return None,
        })
    }
}

/// The files of a process that are simulated.
pub(crate) static FILES: &[&str] = &["comm", "cmdline", "stat"];

/// A command's own name.
fn program(command: &str) -> &str {
    let program = command.split([' ', ':']).next().unwrap_or_default();
    program.rsplit('/').next().unwrap_or_default()
}
