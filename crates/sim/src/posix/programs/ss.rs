//! `ss`: who listens (`-l`, `-t`, `-u`); with `-t` alone the SSH session's own connection, and the applications' connections to their databases. Filters: a state, and `( dport = :PORT )`, `( sport = :PORT )`, `dst ADDRESS`.

use crate::program::Reply;
use crate::program::quick::{Ask, Quick, output};

pub(crate) static SS: Quick = Quick { name: "ss", options: None, answer };

/// The database's port.
const DATABASE: u16 = 3306;

struct Row {
    udp: bool,
    local: (String, u16),
    peer: (String, u16),
    process: &'static str,
    pid: u64,
}

fn answer(ask: &Ask<'_>) -> Reply {
    let letters: String = ask.args.iter().filter(|a| a.starts_with('-')).map(String::as_str).collect();
    let words: Vec<String> = ask
        .args
        .iter()
        .filter(|arg| !arg.starts_with('-'))
        .flat_map(|arg| {
            arg.replace(['(', ')'], " ").split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let after = |names: &[&str]| {
        let at = words.iter().position(|word| names.contains(&word.as_str()))?;
        words
            .iter()
            .skip(at + 1)
            .find(|word| *word != "=" && *word != "eq")
            .map(|word| word.trim_start_matches(':').to_owned())
    };
    let (to, from, address) = (after(&["dport"]), after(&["sport"]), after(&["dst"]));
    let listening = letters.contains('l');
    let rows: Vec<Row> = if listening { listeners(ask) } else { connections(ask) }
        .into_iter()
        // Both, unless one is asked for.
        .filter(|row| {
            if row.udp {
                letters.contains('u') || !letters.contains('t')
            } else {
                letters.contains('t') || !letters.contains('u')
            }
        })
        .filter(|row| to.as_ref().is_none_or(|port| *port == row.peer.1.to_string()))
        .filter(|row| from.as_ref().is_none_or(|port| *port == row.local.1.to_string()))
        .filter(|row| {
            address.as_ref().is_none_or(|wanted| {
                let (host, port) = wanted.split_once(':').unwrap_or((wanted, ""));
                row.peer.0 == host && (port.is_empty() || port == row.peer.1.to_string())
            })
        })
        .collect();
    let state = |row: &Row| match (listening, row.udp) {
        (true, true) => "UNCONN",
        (true, false) => "LISTEN",
        (false, _) => "ESTAB",
    };
    // With more than one protocol, each row begins with its own.
    let shows_protocol = letters.contains('t') == letters.contains('u');
    // With a state asked for, ss leaves its column out.
    let shows_state = !words.iter().any(|word| word == "state");
    let mut text = String::new();
    if !letters.contains('H') {
        text.push_str(if shows_protocol { "Netid " } else { "" });
        text.push_str(if shows_state { "State      " } else { "" });
        text.push_str("Recv-Q Send-Q        Local Address:Port          Peer Address:Port \n");
    }
    for row in rows {
        if shows_protocol {
            text.push_str(if row.udp { "udp   " } else { "tcp   " });
        }
        if shows_state {
            text.push_str(&format!("{:<11}", state(&row)));
        }
        let room = if listening && !row.udp { 128 } else { 0 };
        let port = |port: u16| if port == 0 { "*".to_owned() } else { port.to_string() };
        let (local, peer) = (
            format!("{}:{}", row.local.0, port(row.local.1)),
            format!("{}:{}", row.peer.0, port(row.peer.1)),
        );
        text.push_str(&format!("0      {room:<6} {local:>26} {peer:>26} "));
        if letters.contains('p') && ask.user == "root" {
            text.push_str(&format!("users:((\"{}\",{},7))", row.process, row.pid));
        }
        text.push('\n');
    }
    output(text)
}

fn connections(ask: &Ask<'_>) -> Vec<Row> {
    let Some(own) = ask.world.machine(ask.host) else { return Vec::new() };
    let jump = ask.world.jump().and_then(|jump| ask.world.machine(jump)).map(|m| m.address.clone());
    let ephemeral = |number: u64| u16::try_from(32_768 + number % 28_000).unwrap_or(40_000);
    let mut rows = Vec::new();
    if let Some(jump) = jump {
        let port = ephemeral(own.number(51));
        rows.push(Row {
            udp: false,
            local: (own.address.clone(), 22),
            peer: (jump, port),
            process: "sshd",
            pid: 1900,
        });
    }
    for link in ask.world.database_links() {
        if link.client == own.name {
            rows.push(Row {
                udp: false,
                local: (own.address.clone(), link.port),
                peer: (link.address, DATABASE),
                process: link.kind.process,
                pid: u64::from(link.pid),
            });
        } else if link.address == own.address {
            let peer = ask.world.machine(&link.client).map(|m| m.address.clone()).unwrap_or_default();
            rows.push(Row {
                udp: false,
                local: (own.address.clone(), DATABASE),
                peer: (peer, link.port),
                process: "mysqld",
                pid: 1187,
            });
        }
    }
    rows
}

/// Ports by service.
static PORTS: &[(&str, u16, &str)] = &[
    ("ssh", 22, "sshd"),
    ("exim4", 25, "exim4"),
    ("postfix", 25, "master"),
    ("apache2", 80, "apache2"),
    ("nginx", 80, "nginx"),
    ("apache2", 443, "apache2"),
    ("nginx", 443, "nginx"),
    ("mysql", DATABASE, "mysqld"),
    ("gdnsd", 53, "gdnsd"),
    ("salt-master", 4505, "salt-master"),
    ("salt-master", 4506, "salt-master"),
    ("nfs-kernel-server", 2049, "nfsd"),
    ("glusterfs-server", 24_007, "glusterd"),
    ("gmetad", 8651, "gmetad"),
    ("hhvm", 9000, "hhvm"),
    ("tomcat6", 8080, "java"),
    ("xinetd", 873, "xinetd"),
    ("redis-server", 6379, "redis-server"),
    ("elasticsearch", 9200, "java"),
    ("memcached", 11_211, "memcached"),
];

/// The same of UDP.
static UDP_PORTS: &[(&str, u16, &str)] =
    &[("gdnsd", 53, "gdnsd"), ("ntp", 123, "ntpd"), ("memcached", 11_211, "memcached")];

fn listeners(ask: &Ask<'_>) -> Vec<Row> {
    let tcp = PORTS.iter().map(|port| (false, port));
    let running = tcp.chain(UDP_PORTS.iter().map(|port| (true, port))).filter_map(|(udp, port)| {
        let (service, port, process) = port;
        let found = ask.world.service(ask.host, service).filter(|found| found.runs)?;
        let local = ("0.0.0.0".to_owned(), *port);
        let peer = ("0.0.0.0".to_owned(), 0);
        Some(Row { udp, local, peer, process, pid: u64::from(found.pid) })
    });
    running.collect()
}
