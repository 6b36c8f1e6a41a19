//! `nc HOST PORT`, as that of OpenBSD: only Memcached answers it, and a refusal is silent.

use std::sync::PoisonError;

use tokio::io::AsyncReadExt;

use crate::options::Options;
use crate::program::quick::{failure, write};
use crate::program::{BoxFuture, Call, Program, Reply};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::PORT;

/// `nc`.
pub(crate) struct Nc;

static OPTIONS: Options = Options::new("", &[]);

/// Bytes of standard input that are read.
const LARGEST: u64 = 64 * 1024;

impl Program for Nc {
    fn name(&self) -> &'static str {
        "nc"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, mut call: Call) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            let asked = match OPTIONS.read(&call.args) {
                Ok(asked) => asked.operands.clone(),
                Err(reply) => return write(reply, call.stdout, call.stderr).await,
            };
            let [host, port] = asked.as_slice() else {
                let usage = failure(1, "usage: nc destination port");
                return write(usage, call.stdout, call.stderr).await;
            };
            let mut bytes = Vec::new();
            let _failed = (&mut call.stdin).take(LARGEST).read_to_end(&mut bytes).await;
            let input = String::from_utf8_lossy(&bytes).into_owned();
            let reply = {
                let mut world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
                let target = match host.as_str() {
                    "127.0.0.1" | "localhost" => Some(call.host.clone()),
                    other => world.resolve(other),
                };
                let target = target.filter(|_| port.parse() == Ok(PORT));
                target.and_then(|target| answer(&mut world, &target, &input))
            };
            let reply = reply.map_or_else(
                || Reply { status: 1, ..Reply::default() },
                |text| Reply { stdout: text.into_bytes(), ..Reply::default() },
            );
            write(reply, call.stdout, call.stderr).await
        })
    }
}

/// What the server says to these lines, until `quit`.
fn answer(world: &mut World, host: &HostName, input: &str) -> Option<String> {
    let [stats, settings] = world.memcached_stats(host)?;
    let list = |rows: &[(&str, String)]| {
        let rows: String = rows.iter().map(|(name, value)| format!("STAT {name} {value}\r\n")).collect();
        format!("{rows}END\r\n")
    };
    let lines = input.lines().map(str::trim).take_while(|line| *line != "quit");
    Some(
        lines
            .map(|line| match line {
                "stats" => list(&stats),
                "stats settings" => list(&settings),
                "version" => "VERSION 1.4.14\r\n".to_owned(),
                _ => "ERROR\r\n".to_owned(),
            })
            .collect(),
    )
}
