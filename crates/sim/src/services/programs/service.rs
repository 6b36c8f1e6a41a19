//! `service NAME start|stop|restart|reload|status`, as Upstart and as systemd's wrapper answer.

use crate::options::Options;
use crate::posix::programs::files::{Work, with_world};
use crate::posix::programs::text::answer;
use crate::program::{BoxFuture, Call, Program};

/// The program.
#[derive(Debug)]
pub(crate) struct Service;

static OPTIONS: Options = Options::new("", &[("status-all", 'a')]);

impl Program for Service {
    fn name(&self) -> &'static str {
        "service"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let given = match OPTIONS.read(&call.args) {
            Ok(given) => given,
            Err(refused) => return answer(call, refused),
        };
        let reply = with_world(&call, |work| match given.operands.as_slice() {
            [] if given.has('a') => {
                let host = work.host.clone();
                for name in work.world.services(&host) {
                    let sign = if work.world.service_runs(&host, name) { '+' } else { '-' };
                    work.say(&format!(" [ {sign} ]  {name}\n"));
                }
            }
            [name, action, ..] => act(work, name, action),
            _ => work.say(
                "Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]\n",
            ),
        });
        answer(call, reply)
    }
}

fn act(work: &mut Work<'_>, wanted: &str, action: &str) {
    let host = work.host.clone();
    let Some(name) = work.world.service_named(&host, wanted) else {
        work.reply.stderr.extend(format!("{wanted}: unrecognized service\n").bytes());
        work.reply.status = 1;
        return;
    };
    let runs = work.world.service_runs(&host, name);
    let changes = matches!(action, "start" | "stop" | "restart" | "reload" | "force-reload");
    if changes && work.user != "root" {
        let text = format!("{action}: Rejected send message, 1 matched rules; type=\"method_call\"\n");
        work.reply.stderr.extend(text.bytes());
        work.reply.status = 1;
        return;
    }
    let running = |work: &Work<'_>| {
        let pid = work.world.service(&host, name).map_or(0, |service| service.pid);
        format!("{wanted} start/running, process {pid}\n")
    };
    match action {
        "status" if runs => {
            let text = running(work);
            work.say(&text);
        }
        "status" => {
            work.say(&format!("{wanted} stop/waiting\n"));
            work.reply.status = 3;
        }
        "start" if runs => {
            work.reply.stderr.extend(format!("start: Job is already running: {wanted}\n").bytes());
            work.reply.status = 1;
        }
        "stop" if !runs => {
            work.reply.stderr.extend(b"stop: Unknown instance: \n");
            work.reply.status = 1;
        }
        "stop" => {
            work.world.set_service(&host, name, false);
            work.say(&format!("{wanted} stop/waiting\n"));
        }
        "start" | "restart" | "reload" | "force-reload" => {
            if action == "restart" && runs {
                work.world.set_service(&host, name, false);
                work.say(&format!("{wanted} stop/waiting\n"));
            }
            if matches!(action, "reload" | "force-reload") && runs {
                if !work.world.reload_service(&host, name) {
                    work.reply.stderr.extend(b"reload: Job failed\n");
                    work.reply.status = 1;
                }
                return;
            }
            if work.world.set_service(&host, name, true) {
                let text = running(work);
                work.say(&text);
            } else {
                work.reply.stderr.extend(b"start: Job failed to start\n");
                work.reply.status = 1;
            }
        }
        other => {
            work.reply.stderr.extend(format!("{other}: not simulated\n").bytes());
            work.reply.status = 2;
        }
    }
}
