//! Names: `getent hosts` asks as every program does (`/etc/hosts`, then what nscd keeps, then the name server); `dig` and
//! `host` ask the name server alone, as in life; `nscd -i hosts` forgets what is kept.

use std::net::IpAddr;

use crate::dns::{GDNSD, Record};
use crate::posix::programs::files::with_world;
use crate::posix::programs::text::answer as answered;
use crate::program::quick::{Ask, Quick, bad_option, failure, output};
use crate::program::{BoxFuture, Call, Program, Reply};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

pub(crate) static GETENT: Quick = Quick { name: "getent", options: None, answer: getent };
pub(crate) static DIG: Quick = Quick { name: "dig", options: None, answer: dig };
pub(crate) static HOST: Quick = Quick { name: "host", options: None, answer: host };

fn getent(ask: &Ask<'_>) -> Reply {
    if let [database @ ("passwd" | "group" | "shadow"), names @ ..] =
        ask.args.iter().map(String::as_str).collect::<Vec<_>>().as_slice()
    {
        return accounts(ask, database, names);
    }
    let (database, names) = match ask.args {
        [database, names @ ..] if matches!(database.as_str(), "hosts" | "ahosts" | "ahostsv4") => {
            (database, names)
        }
        [database, ..] => return failure(1, &format!("getent: database {database} is not simulated")),
        [] => return failure(1, "getent: wrong number of arguments"),
    };
    if database == "hosts" && names.is_empty() {
        return output(ask.world.read_file(ask.host, "/etc/hosts").unwrap_or_default());
    }
    let mut text = String::new();
    let mut status = 0;
    for name in names {
        let listed = ask.world.in_hosts_file(ask.host, name);
        let Some(address) = ask.world.address_of(ask.host, name) else {
            status = 2;
            continue;
        };
        let shown = listed.map_or_else(|| ask.world.full_name(name), |(_, names)| names.join(" "));
        match database.as_str() {
            "hosts" => text.push_str(&format!("{address:<15} {shown}\n")),
            _ => {
                let first = shown.split(' ').next().unwrap_or_default();
                text.push_str(&format!(
                    "{address:<15} STREAM {first}\n{address:<15} DGRAM  \n{address:<15} RAW    \n"
                ));
            }
        }
    }
    Reply { status, ..output(text) }
}

/// `getent passwd NAME`: 2 where one is not there, as everybody but root is told of `shadow`.
fn accounts(ask: &Ask<'_>, database: &str, names: &[&str]) -> Reply {
    let file = format!("/etc/{database}");
    if names.is_empty() {
        return output(ask.world.read_file(ask.host, &file).unwrap_or_default());
    }
    let visible = database != "shadow" || ask.user == "root";
    let lines: Vec<_> =
        names.iter().map(|name| ask.world.account(ask.host, &file, name).filter(|_| visible)).collect();
    let text: String = lines.iter().flatten().map(|line| line.join(":") + "\n").collect();
    Reply { status: if lines.iter().all(Option::is_some) { 0 } else { 2 }, ..output(text) }
}

/// The server that is asked: the environment's own, by whatever name.
fn asks_us(ask: &Ask<'_>, server: Option<&str>) -> bool {
    let Some(server) = server else { return ask.world.asks_name_server(ask.host) };
    let jump = ask.world.jump();
    let address = ask.world.address_of(ask.host, server);
    let local = matches!(server, "127.0.0.1" | "localhost") && jump == Some(ask.host);
    let at = if local { Some("127.0.0.1".to_owned()) } else { address };
    at.is_some_and(|at| (local || !at.starts_with("127.")) && ask.world.name_server_listens(&at))
}

fn dig(ask: &Ask<'_>) -> Reply {
    let (mut short, mut answer_only, mut server, mut names) = (false, false, None, Vec::new());
    let mut soa = false;
    for arg in ask.args {
        match arg.as_str() {
            "+short" => short = true,
            "+noall" => {}
            "+answer" => answer_only = true,
            "A" | "a" | "IN" | "-4" => {}
            "SOA" | "soa" => soa = true,
            other if other.starts_with('+') => {}
            other if other.starts_with('-') => return bad_option("dig", other),
            other => match other.strip_prefix('@') {
                Some(name) => server = Some(name),
                None => names.push(other),
            },
        }
    }
    let mut text = String::new();
    for name in names {
        let asked = asks_us(ask, server);
        if soa && let Some(data) = ask.world.zone_soa(name).filter(|_| asked) {
            let lead = if short { String::new() } else { format!("{name}.\t300\tIN\tSOA\t") };
            text.extend((!data.is_empty()).then(|| format!("{lead}{data}\n")));
            continue;
        }
        let found = if asked { ask.world.zone_answer(name) } else { None };
        let Some(found) = found else {
            let silent = ";; connection timed out; no servers could be reached\n";
            return Reply { stdout: silent.into(), status: 9, ..Reply::default() };
        };
        if short {
            found.iter().for_each(|record| text.push_str(&format!("{}\n", short_data(record))));
            continue;
        }
        let status = if found.is_empty() { "NXDOMAIN" } else { "NOERROR" };
        if !answer_only {
            text.push_str(&format!(
                ";; ->>HEADER<<- opcode: QUERY, status: {status}\n\n;; QUESTION SECTION:\n;{name}.\t\tIN\tA\n\n;; ANSWER SECTION:\n"
            ));
        }
        for record in &found {
            text.push_str(&format!(
                "{}.\t{}\tIN\t{}\t{}\n",
                record.name,
                record.ttl,
                record.kind,
                short_data(record)
            ));
        }
    }
    output(text)
}

fn short_data(record: &Record) -> String {
    if record.kind == "CNAME" { format!("{}.", record.data) } else { record.data.clone() }
}

fn host(ask: &Ask<'_>) -> Reply {
    let mut words = Vec::new();
    let mut args = ask.args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-t" => {
                if args.next().is_none_or(|kind| !kind.eq_ignore_ascii_case("a")) {
                    return failure(1, "host: only -t A is simulated");
                }
            }
            "-4" => {}
            other if other.starts_with('-') => return bad_option("host", other),
            other => words.push(other),
        }
    }
    let (name, server) = match words.as_slice() {
        [name] => (*name, None),
        [name, server] => (*name, Some(*server)),
        _ => return failure(1, "Usage: host [-t type] name [server]"),
    };
    if name.parse::<IpAddr>().is_ok() {
        return failure(1, "host: addresses are not looked up in the simulated fleet");
    }
    let full = ask.world.full_name(name);
    let found = if asks_us(ask, server) { ask.world.zone_answer(&full) } else { None };
    match found {
        None => Reply {
            stdout: b";; connection timed out; no servers could be reached\n".to_vec(),
            status: 1,
            ..Reply::default()
        },
        Some(found) if found.is_empty() => Reply {
            stdout: format!("Host {name} not found: 3(NXDOMAIN)\n").into(),
            status: 1,
            ..Reply::default()
        },
        Some(found) => {
            let line = |record: &Record| match record.kind.as_str() {
                "CNAME" => format!("{} is an alias for {}.\n", record.name, record.data),
                _ => format!("{} has address {}\n", record.name, record.data),
            };
            output(found.iter().map(line).collect::<String>())
        }
    }
}

/// `gdnsd checkconf`: what it says of its zone.
#[derive(Debug)]
pub(crate) struct Gdnsd;

impl Program for Gdnsd {
    fn name(&self) -> &'static str {
        GDNSD
    }

    fn installed(&self, world: &World, host: &HostName) -> bool {
        world.service_named(host, GDNSD).is_some()
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let words: Vec<String> = call.args.get(1..).unwrap_or_default().to_vec();
        let reply = with_world(&call, |work| match (words.as_slice(), work.world.zone_problem()) {
            ([action], None) if action == "checkconf" => {}
            ([action], Some(why)) if action == "checkconf" => {
                let text = format!("error: {why}\nfatal: Initial load of zone data failed\n");
                work.reply.stderr.extend(text.bytes());
                work.reply.status = 42;
            }
            _ => work.complain("gdnsd: only checkconf is simulated"),
        });
        answered(call, reply)
    }
}

/// `nscd -i hosts`.
#[derive(Debug)]
pub(crate) struct Nscd;

impl Program for Nscd {
    fn name(&self) -> &'static str {
        "nscd"
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let words: Vec<String> = call.args.get(1..).unwrap_or_default().to_vec();
        let reply =
            with_world(&call, |work| match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["-i" | "--invalidate", "hosts"] | ["-ihosts" | "--invalidate=hosts"]
                    if work.user == "root" =>
                {
                    let host = work.host.clone();
                    work.world.forget_names(&host);
                }
                ["-i" | "--invalidate", ..] if work.user != "root" => {
                    work.complain("Only root is allowed to use this option!");
                }
                _ => work.complain("nscd: only -i hosts is simulated"),
            });
        answered(call, reply)
    }
}
