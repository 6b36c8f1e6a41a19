//! `shutdown -r now`, `shutdown -r +MINUTES`, `shutdown -c`, `reboot`: what is scheduled is a process that waits, as Upstart has it.

use std::sync::Mutex;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use crate::program::{BoxFuture, Call, Program, Reply};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::text::{Arguments, Options, answer, failure, output};

/// How often it is looked whether the time has come.
const LOOK: Duration = Duration::from_millis(20);

/// How a scheduled one is called.
const WAITS: &str = "shutdown -r";

/// The program.
#[derive(Debug)]
pub(crate) struct Power(pub(crate) &'static str);

static SHUTDOWN: Options = Options::new("rc", &[]);
static REBOOT: Options = Options::new("", &[]);

impl Power {
    fn table(&self) -> &'static Options {
        if self.0 == "shutdown" { &SHUTDOWN } else { &REBOOT }
    }
}

impl Program for Power {
    fn name(&self) -> &'static str {
        self.0
    }

    fn options(&self) -> Option<&'static Options> {
        Some(self.table())
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let reply = match self.table().read(&call.args) {
            Ok(given) => evaluate(&call, self.0, &given),
            Err(refused) => refused,
        };
        answer(call, reply)
    }
}

fn evaluate(call: &Call, name: &str, given: &Arguments) -> Reply {
    if call.user != "root" {
        return failure(name, "Need to be root", 1);
    }
    let words: Vec<&str> = given.operands.iter().map(String::as_str).collect();
    match (name, words.as_slice()) {
        ("reboot", []) => begin(call, 0, "now"),
        (_, _) if given.has('c') => cancel(call),
        (_, ["now" | "+0"]) if given.has('r') => begin(call, 0, "now"),
        (_, [when, ..]) if given.has('r') => match when.strip_prefix('+').and_then(|m| m.parse::<u32>().ok())
        {
            Some(minutes) => begin(call, minutes * 60, when),
            None => failure("shutdown", &format!("Failed to parse time specification: {when}"), 1),
        },
        _ => failure("shutdown", "only -r and -c are simulated", 1),
    }
}

fn begin(call: &Call, seconds: u32, when: &str) -> Reply {
    let mut world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
    let pid = world.start_task(&call.host, "root", &format!("{WAITS} {when}"), None);
    let due = world.now() + Duration::from_secs(u64::from(seconds));
    drop(world);
    tokio::spawn(wait(Arc::downgrade(&call.world), call.host.clone(), pid, due));
    output(format!("The system is going down for reboot {when}!\n"))
}

/// Restarts the machine when the time has come, unless that was called off or it went down before.
async fn wait(world: Weak<Mutex<World>>, host: HostName, pid: u32, due: Duration) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(world) = world.upgrade() else { return };
        let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
        if !world.tasks(&host).any(|task| task.pid == pid) {
            return;
        }
        if world.now() >= due {
            world.reboot(&host);
            return;
        }
    }
}

fn cancel(call: &Call) -> Reply {
    let mut world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
    let waiting: Vec<u32> =
        world.tasks(&call.host).filter(|task| task.command.starts_with(WAITS)).map(|task| task.pid).collect();
    if waiting.is_empty() {
        return failure("shutdown", "Cannot find pid of running shutdown", 1);
    }
    for pid in waiting {
        world.kill_task(&call.host, pid);
    }
    output("")
}
