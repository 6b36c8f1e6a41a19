//! `redis-cli`, in its raw form (as when its output is no terminal). Commands and words are those of Redis 5.

use std::sync::PoisonError;

use crate::program::quick::{failure, output, write};
use crate::program::wait;
use crate::program::{BoxFuture, Call, Program, Reply};
use crate::redis::Redis;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// `redis-cli`.
pub(crate) struct RedisCli;

/// The port of every server here.
const PORT: u16 = 6379;
/// What each may use, bytes.
const MAX_MEMORY: u64 = 512 * 1024 * 1024;
/// Seconds a paused server's clients wait at most.
const PATIENCE: u64 = 3600;

/// What is asked of whom.
struct Asked {
    host: String,
    port: u16,
    words: Vec<String>,
}

impl Program for RedisCli {
    fn name(&self) -> &'static str {
        "redis-cli"
    }

    fn installed(&self, world: &World, host: &HostName) -> bool {
        // The jump box has the client, to look at the servers.
        world.jump() == Some(host) || world.services(host).contains(&"redis-server")
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            let asked = match parse(call.args.get(1..).unwrap_or_default()) {
                Ok(asked) => asked,
                Err(reply) => return write(reply, call.stdout, call.stderr).await,
            };
            let target = match asked.host.as_str() {
                "127.0.0.1" | "localhost" => Some(call.host.clone()),
                other => call.world.lock().unwrap_or_else(PoisonError::into_inner).resolve(other),
            };
            if let Some(target) = target.clone().filter(|_| asked.words.first().is_some_and(|w| is_write(w)))
            {
                let free = |world: &mut World| {
                    let now = world.now().as_secs_f64();
                    let paused = world.redis(&target).is_some_and(|server| now < server.paused_until);
                    (!paused).then_some(())
                };
                wait::until(&call.world, PATIENCE, free).await;
            }
            let reply = {
                let mut world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
                answer(&mut world, target.as_ref(), &asked)
            };
            write(reply, call.stdout, call.stderr).await
        })
    }
}

fn parse(args: &[String]) -> Result<Asked, Reply> {
    let mut asked = Asked { host: "127.0.0.1".to_owned(), port: PORT, words: Vec::new() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            _ if !asked.words.is_empty() => asked.words.push(arg.clone()),
            "-h" => asked.host = args.next().cloned().unwrap_or_default(),
            "-p" => asked.port = args.next().and_then(|port| port.parse().ok()).unwrap_or(0),
            "-n" => drop(args.next()),
            "--raw" | "--no-raw" => {}
            option if option.starts_with('-') => {
                let what = format!("Unrecognized option or bad number of args for: '{option}'");
                return Err(failure(1, &what));
            }
            _ => asked.words.push(arg.clone()),
        }
    }
    Ok(asked)
}

fn is_write(word: &str) -> bool {
    ["SET", "DEL", "LPUSH", "RPUSH"].iter().any(|write| word.eq_ignore_ascii_case(write))
}

fn answer(world: &mut World, target: Option<&HostName>, asked: &Asked) -> Reply {
    let now = world.now().as_secs_f64();
    let refused = || {
        let what = format!("Could not connect to Redis at {}:{}: Connection refused", asked.host, asked.port);
        failure(1, &what)
    };
    let Some(host) = target.filter(|_| asked.port == PORT) else { return refused() };
    let followers: Vec<String> = world
        .redis_followers(host)
        .into_iter()
        .filter_map(|(name, address)| {
            let offset = world.redis(&name).filter(|server| server.synced)?.offset;
            Some(format!("ip={address},port={PORT},state=online,offset={offset},lag=0"))
        })
        .collect();
    let Some(server) = world.redis(host) else { return refused() };
    let words: Vec<&str> = asked.words.iter().map(String::as_str).collect();
    let command = words.first().map(|word| word.to_ascii_uppercase()).unwrap_or_default();
    if server.wants_password {
        return output("NOAUTH Authentication required.\n\n");
    }
    if server.master.is_some() && is_write(&command) {
        return output("READONLY You can't write against a read only replica.\n\n");
    }
    let text = match (command.as_str(), words.get(1..).unwrap_or_default()) {
        ("PING", []) => "PONG".to_owned(),
        ("DBSIZE", []) => server.keys().to_string(),
        ("INFO", sections) => info(server, sections.first().copied(), &followers),
        ("REPLICAOF" | "SLAVEOF", [address, port]) => {
            if address.eq_ignore_ascii_case("no") && port.eq_ignore_ascii_case("one") {
                server.master = None;
            } else {
                server.master = Some(((*address).to_owned(), port.parse().unwrap_or(PORT)));
                server.synced = false;
                server.since = now;
            }
            "OK".to_owned()
        }
        ("CLIENT", [word, milliseconds, ..]) if word.eq_ignore_ascii_case("pause") => {
            match milliseconds.parse::<u32>() {
                Ok(milliseconds) => {
                    server.paused_until = now + f64::from(milliseconds) / 1000.0;
                    "OK".to_owned()
                }
                Err(_) => "ERR timeout is not an integer or out of range\n".to_owned(),
            }
        }
        ("CLIENT", [word]) if word.eq_ignore_ascii_case("unpause") => {
            server.paused_until = now;
            "OK".to_owned()
        }
        (_, rest) => data(server, &command, rest),
    };
    output(text + "\n")
}

/// Commands about keys.
fn data(server: &mut Redis, command: &str, rest: &[&str]) -> String {
    let wrong = "WRONGTYPE Operation against a key holding the wrong kind of value\n".to_owned();
    match (command, rest) {
        ("GET", [key]) if server.lists.contains_key(*key) => wrong,
        ("GET", [key]) => server.strings.get(*key).cloned().unwrap_or_default(),
        ("SET", [key, value]) => {
            server.lists.remove(*key);
            server.strings.insert((*key).to_owned(), (*value).to_owned());
            "OK".to_owned()
        }
        ("DEL", [_, ..]) => {
            let gone = |key: &&&str| {
                let list = server.lists.remove(**key).is_some();
                server.strings.remove(**key).is_some() || list
            };
            rest.iter().filter(gone).count().to_string()
        }
        ("EXISTS", [key]) => {
            u8::from(server.strings.contains_key(*key) || server.lists.contains_key(*key)).to_string()
        }
        ("TYPE", [key]) => match (server.strings.contains_key(*key), server.lists.contains_key(*key)) {
            (true, _) => "string",
            (_, true) => "list",
            _ => "none",
        }
        .to_owned(),
        ("LLEN", [key]) if server.strings.contains_key(*key) => wrong,
        ("LLEN", [key]) => server.lists.get(*key).map_or(0, Vec::len).to_string(),
        ("LPUSH" | "RPUSH", [key, values @ ..]) if !values.is_empty() => {
            let list = server.lists.entry((*key).to_owned()).or_default();
            for value in values {
                let at = if command == "LPUSH" { 0 } else { list.len() };
                list.insert(at, (*value).to_owned());
            }
            list.len().to_string()
        }
        (known, _) if is_write(known) || ["GET", "TYPE", "LLEN", "DBSIZE", "EXISTS"].contains(&known) => {
            format!("ERR wrong number of arguments for '{}' command\n", known.to_ascii_lowercase())
        }
        (other, _) => format!("ERR unknown command `{other}`, with args beginning with: \n"),
    }
}

fn info(server: &Redis, section: Option<&str>, followers: &[String]) -> String {
    let wants = |name: &str| section.is_none_or(|section| section.eq_ignore_ascii_case(name));
    let mut lines: Vec<String> = Vec::new();
    if wants("server") {
        lines.extend(["# Server", "redis_version:5.0.14", "redis_mode:standalone", ""].map(str::to_owned));
    }
    if wants("clients") {
        // Applications stay away from a server that follows another.
        let clients = if server.master.is_none() && server.sessions > 0 { 9 } else { 1 };
        lines.extend(["# Clients".to_owned(), format!("connected_clients:{clients}"), String::new()]);
    }
    if wants("memory") {
        lines.extend([
            "# Memory".to_owned(),
            format!("used_memory:{}", server.used_memory()),
            format!("maxmemory:{MAX_MEMORY}"),
            "maxmemory_policy:noeviction".to_owned(),
            String::new(),
        ]);
    }
    if wants("persistence") {
        let saved = if server.save_failed { "err" } else { "ok" };
        let about =
            ["# Persistence", "loading:0", &format!("rdb_last_bgsave_status:{saved}"), "aof_enabled:0", ""];
        lines.extend(about.map(str::to_owned));
    }
    if wants("stats") {
        lines.extend(["# Stats".to_owned(), format!("evicted_keys:{}", server.evicted), String::new()]);
    }
    if wants("replication") {
        lines.push("# Replication".to_owned());
        match &server.master {
            None => lines.push("role:master".to_owned()),
            Some((address, port)) => lines.extend([
                "role:slave".to_owned(),
                format!("master_host:{address}"),
                format!("master_port:{port}"),
                format!("master_link_status:{}", if server.synced { "up" } else { "down" }),
                format!("master_last_io_seconds_ago:{}", if server.synced { 0 } else { -1 }),
                format!("master_sync_in_progress:{}", u8::from(!server.synced)),
                format!("slave_repl_offset:{}", server.offset),
                "slave_read_only:1".to_owned(),
            ]),
        }
        lines.push(format!("connected_slaves:{}", followers.len()));
        lines.extend(followers.iter().enumerate().map(|(number, line)| format!("slave{number}:{line}")));
        lines.extend([format!("master_repl_offset:{}", server.offset), String::new()]);
    }
    if wants("keyspace") {
        lines.push("# Keyspace".to_owned());
        if server.keys() > 0 {
            lines.push(format!("db0:keys={},expires={},avg_ttl=0", server.keys(), server.sessions));
        }
    }
    // The protocol's own line ends.
    lines.join("\r\n") + "\r"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

    use std::time::Duration;

    use crate::programs::tests::{host, run, world};

    #[test]
    fn a_server_follows_another_takes_its_keys_and_is_let_go() {
        let world = world("wpd-2015", 0);
        let like = host("sessions1");
        world.lock().unwrap().add_machine(&host("sessions2"), "10.10.10.91", &like).unwrap();
        world.lock().unwrap().advance(Duration::from_secs(30));
        let ask = |on: &str, line: &str| {
            let args: Vec<&str> = std::iter::once("redis-cli").chain(line.split(' ')).collect();
            run(&world, on, &args, "")
        };
        let (_, complaint, status) = ask("salt", "-h sessions2 PING");
        assert_eq!(status, 1, "nobody started it");
        assert_eq!(complaint, "Could not connect to Redis at sessions2:6379: Connection refused\n");
        world.lock().unwrap().set_service(&host("sessions2"), "redis-server", true);
        assert_eq!(ask("salt", "-h sessions2 PING").0, "PONG\n");
        assert_eq!(ask("sessions2", "DBSIZE").0, "0\n");
        assert_eq!(ask("sessions2", "REPLICAOF sessions1 6379").0, "OK\n");
        assert!(ask("sessions2", "INFO replication").0.contains("master_link_status:down\r\n"));
        world.lock().unwrap().advance(Duration::from_secs(5));
        assert!(ask("sessions2", "INFO replication").0.contains("master_link_status:up\r\n"));
        let info = ask("sessions1", "INFO replication").0;
        assert!(info.contains("slave0:ip=10.10.10.91,port=6379,state=online"), "{info}");
        assert_eq!(ask("sessions2", "DBSIZE").0, ask("sessions1", "DBSIZE").0);
        assert!(ask("sessions2", "SET a b").0.contains("READONLY"));
        assert_eq!(ask("sessions1", "SET a b").0, "OK\n");
        assert_eq!(ask("sessions2", "GET a").0, "b\n");
        assert_eq!(ask("sessions2", "REPLICAOF NO ONE").0, "OK\n");
        assert_eq!(ask("sessions2", "SET a c").0, "OK\n");
        assert_eq!(ask("sessions1", "GET a").0, "b\n");
        assert_eq!(ask("redis-alpha1", "TYPE jobs").0, "list\n");
    }
}
