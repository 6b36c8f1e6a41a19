//! `monit summary|monitor|unmonitor`: what it watches of the services.

use crate::options::Options;
use crate::posix::programs::files::{Work, with_world};
use crate::posix::programs::text::answer;
use crate::program::{BoxFuture, Call, Program};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// The program.
#[derive(Debug)]
pub(crate) struct Monit;

/// Services that Monit does not watch.
static OTHERS: &[&str] = &["exim4", "monit", "ntp", "rsyslog", "xinetd"];

static OPTIONS: Options = Options::new("", &[]);

impl Program for Monit {
    fn name(&self) -> &'static str {
        "monit"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn installed(&self, world: &World, host: &HostName) -> bool {
        world.services(host).contains(&"monit")
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let given = match OPTIONS.read(&call.args) {
            Ok(given) => given,
            Err(refused) => return answer(call, refused),
        };
        let reply = with_world(&call, |work| {
            if work.user != "root" {
                return work.complain("error connecting to the monit daemon");
            }
            match given.operands.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["summary" | "status", ..] => summary(work),
                [action @ ("monitor" | "unmonitor" | "start" | "stop" | "restart"), "all"] => {
                    watched(work).into_iter().for_each(|name| act(work, action, name));
                }
                [action @ ("monitor" | "unmonitor" | "start" | "stop" | "restart"), name] => {
                    match watched(work).into_iter().find(|known| known == name) {
                        Some(name) => act(work, action, name),
                        None => work.complain(&format!("There is no service named \"{name}\"")),
                    }
                }
                ["reload" | "validate", ..] => {}
                _ => work.complain("invalid argument -- see 'monit -h'"),
            }
        });
        answer(call, reply)
    }
}

fn watched(work: &Work<'_>) -> Vec<&'static str> {
    let mut names = work.world.services(&work.host);
    names.retain(|name| !OTHERS.contains(name));
    names
}

fn summary(work: &mut Work<'_>) {
    let host = work.host.clone();
    if !work.world.service_runs(&host, "monit") {
        return work.complain("error connecting to the monit daemon");
    }
    let minutes = work.world.uptime(&host).unwrap_or(0.0) / 60.0;
    work.say(&format!(
        "The Monit daemon 5.6 uptime: {}h {}m \n\n",
        (minutes / 60.0).floor(),
        (minutes % 60.0).floor()
    ));
    let left = work.world.services.unmonitored.get(&host).cloned().unwrap_or_default();
    for name in watched(work) {
        let state = match (left.iter().any(|other| other == name), work.world.service_runs(&host, name)) {
            (true, _) => "Not monitored",
            (false, true) => "Running",
            (false, false) => "Does not exist",
        };
        work.say(&format!("{:<35} {state}\n", format!("Process '{name}'")));
    }
    let name = work.world.minion_id(&host);
    work.say(&format!("{:<35} Running\n", format!("System '{name}'")));
}

fn act(work: &mut Work<'_>, action: &str, name: &str) {
    let host = work.host.clone();
    let left = work.world.services.unmonitored.entry(host.clone()).or_default();
    left.retain(|other| other != name);
    if matches!(action, "unmonitor" | "stop") {
        left.push(name.to_owned());
    }
    match action {
        "start" => {
            work.world.set_service(&host, name, true);
        }
        "stop" => {
            work.world.set_service(&host, name, false);
        }
        "restart" => {
            work.world.restart_service(&host, name);
        }
        _ => {}
    }
}
