//! `ps`: the servers that a host's roles stand for, and what every host runs.

use crate::sim::program::Reply;

use super::quick::{Ask, Quick, output};

pub(super) static PS: Quick = Quick { name: "ps", answer };

/// Role and the server it stands for: account, command.
static SERVERS: &[(&str, &str, &str)] = &[
    ("app", "www-data", "/usr/sbin/apache2 -k start"),
    ("blog", "www-data", "/usr/sbin/apache2 -k start"),
    ("elastic", "elastic+", "/usr/bin/java -Des.path.home=/usr/share/elasticsearch"),
    ("mail", "root", "/usr/lib/postfix/master"),
    ("memcache", "memcache", "/usr/bin/memcached -m 1024 -p 11211 -u memcache"),
    ("nginx", "root", "nginx: master process /usr/sbin/nginx"),
    ("piwik", "www-data", "php-fpm: pool www"),
    ("redis", "redis", "/usr/bin/redis-server 0.0.0.0:6379"),
    ("salt", "root", "/usr/bin/python /usr/bin/salt-master"),
    ("deployment", "root", "/usr/bin/python /usr/bin/salt-master"),
    ("sessions", "redis", "/usr/bin/redis-server 0.0.0.0:6379"),
    ("storage", "root", "/usr/sbin/glusterd -p /var/run/glusterd.pid"),
];

fn answer(ask: &Ask<'_>) -> Reply {
    let letters: String = ask.args.iter().map(|arg| arg.trim_start_matches('-')).collect();
    let everything = letters.chars().any(|c| matches!(c, 'e' | 'A' | 'a' | 'x'));
    if !everything {
        return output("    PID TTY          TIME CMD\n   2211 ?        00:00:00 ps\n");
    }
    let mut rows: Vec<(u32, &str, String)> = vec![
        (1, "root", "/sbin/init".to_owned()),
        (612, "root", "/usr/sbin/sshd -D".to_owned()),
        (707, "root", "/usr/sbin/cron -f".to_owned()),
        (841, "root", "/usr/bin/python /usr/bin/salt-minion".to_owned()),
    ];
    if let Some(machine) = ask.world.machine(ask.host) {
        let roles = machine.roles();
        let servers = SERVERS.iter().filter(|(role, _, _)| roles.iter().any(|r| r.as_str() == *role));
        rows.extend(
            (1101..).zip(servers).map(|(pid, (_, user, command))| (pid, *user, (*command).to_owned())),
        );
    }
    if ask.world.read_file(ask.host, "/var/run/mysqld/mysqld.pid").is_some() {
        rows.push((1187, "mysql", "/usr/sbin/mysqld --basedir=/usr --datadir=/var/lib/mysql".to_owned()));
    }
    rows.push((2211, ask.user, "ps".to_owned()));
    let aux = letters.contains('u');
    let mut text = if aux {
        "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n".to_owned()
    } else {
        "    PID TTY          TIME CMD\n".to_owned()
    };
    for (pid, user, command) in rows {
        text.push_str(&if aux {
            format!("{user:<8} {pid:>7}  0.0  0.1  14720  2208 ?        Ss   Mar01   0:02 {command}\n")
        } else {
            let program = command.split([' ', ':']).next().unwrap_or_default();
            let name = program.rsplit('/').next().unwrap_or_default();
            format!("{pid:>7} ?        00:00:02 {name}\n")
        });
    }
    output(text)
}
