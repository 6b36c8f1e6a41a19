//! The queue: shown, looked into, changed.

use serde_json::json;

use crate::mail::programs::{Ask, messages, stamp};
use crate::mail::{Message, Queue};
use crate::program::Reply;
use crate::program::quick::{failure, output};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::fatal;

pub(super) fn run(ask: &mut Ask<'_>) -> Reply {
    let now = ask.world.now().as_secs_f64();
    match ask.args {
        [option] if option == "-p" => shown(ask, table),
        [option] if option == "-j" => shown(ask, lines),
        [option] if option == "-f" => {
            if let Some(queue) = ask.world.mail(ask.host) {
                queue.flush(now);
            }
            Reply::default()
        }
        [option, id] if option == "-i" => {
            // What is on hold stays there.
            let deferred = |m: &Message| m.queue == Queue::Deferred;
            if let Some(queue) = ask.world.mail(ask.host)
                && queue.message(id).is_some_and(deferred)
            {
                queue.requeue(id, now);
            }
            Reply::default()
        }
        _ => fatal(
            "postqueue",
            "usage: postqueue -f | postqueue -i queueid | postqueue -j | postqueue -p | postqueue -s site",
        ),
    }
}

/// The queue in that form. Of a Postfix that is stopped only root sees it.
fn shown(ask: &mut Ask<'_>, form: fn(&World, &HostName, &[Message]) -> String) -> Reply {
    const REFUSED: &str = "(Connect to the Postfix showq service: Connection refused)";
    let runs = ask.world.service_runs(ask.host, "postfix");
    if !runs && ask.user != "root" {
        let what = format!("postqueue: fatal: Queue report unavailable - mail system is down {REFUSED}");
        return failure(69, &what);
    }
    let messages = messages(ask.world, ask.host);
    let mut reply = output(form(ask.world, ask.host, &messages));
    if !runs {
        let what = format!("postqueue: warning: Mail system is down -- accessing queue directly {REFUSED}\n");
        reply.stderr.extend(what.into_bytes());
    }
    reply
}

/// `postqueue -p` and `mailq`.
pub(super) fn list(ask: &mut Ask<'_>) -> Reply {
    shown(ask, table)
}

/// `postqueue -j`.
fn lines(world: &World, host: &HostName, messages: &[Message]) -> String {
    messages.iter().map(|message| json(world, host, message)).collect()
}

fn queue_name(message: &Message) -> &'static str {
    match message.queue {
        Queue::Active => "active",
        Queue::Deferred => "deferred",
        Queue::Hold => "hold",
    }
}

/// With the spaces that Postfix puts between.
fn json(world: &World, host: &HostName, m: &Message) -> String {
    let reason =
        m.reason.as_ref().map(|reason| format!(", \"delay_reason\": {}", json!(reason))).unwrap_or_default();
    #[allow(clippy::cast_possible_truncation)] // seconds since 1970
    let arrival = world.clock_at(host, m.arrived) as i64;
    format!(
        "{{\"queue_name\": {}, \"queue_id\": {}, \"arrival_time\": {arrival}, \"message_size\": {}, \
         \"forced_expire\": false, \"sender\": {}, \"recipients\": [{{\"address\": {}{reason}}}]}}\n",
        json!(queue_name(m)),
        json!(m.id),
        m.size,
        json!(m.sender),
        json!(m.recipient),
    )
}

/// `postqueue -p`, as showq prints queue ids of the long form.
fn table(world: &World, host: &HostName, messages: &[Message]) -> String {
    if messages.is_empty() {
        return "Mail queue is empty\n".to_owned();
    }
    let mut text = format!(
        "{:<17} {:>8} {:<19} {}\n",
        "----Queue ID-----", "--Size--", "---Arrival Time----", "--Sender/Recipient------"
    );
    let mut bytes = 0;
    for m in messages {
        let mark = match m.queue {
            Queue::Active => "*",
            Queue::Deferred => "",
            Queue::Hold => "!",
        };
        let id = format!("{}{mark}", m.id);
        let at = stamp(world, host, m.arrived, "%a %b %e %H:%M:%S");
        text.push_str(&format!("{id:<17} {:>8} {at:<19} {}\n", m.size, m.sender));
        if let Some(reason) = &m.reason {
            let padding = 76_usize.saturating_sub(reason.len());
            text.push_str(&format!("{:padding$}({reason})\n", ""));
        }
        text.push_str(&format!("{:<17} {:>8} {:<19} {}\n\n", "", "", "", m.recipient));
        bytes += m.size;
    }
    let requests = if messages.len() == 1 { "Request" } else { "Requests" };
    text.push_str(&format!("-- {} Kbytes in {} {requests}.\n", bytes.div_ceil(1024), messages.len()));
    text
}

/// `postcat -q ID`.
pub(super) fn show(ask: &mut Ask<'_>) -> Reply {
    let (mut body, mut header, mut id) = (false, false, None);
    for arg in ask.args {
        match arg.strip_prefix('-') {
            Some(letters) if letters.contains('q') && letters.chars().all(|c| "qbhv".contains(c)) => {
                body |= letters.contains('b');
                header |= letters.contains('h');
            }
            Some(_) => {
                return fatal(
                    "postcat",
                    "usage: postcat [-b (body text)] [-c config_dir] [-d (decimal record type)] [-e (envelope records)] [-h (header text)] [-q (access queue)] [-v] [file(s)...]",
                );
            }
            None => id = Some(arg),
        }
    }
    let id = id.map_or("", String::as_str);
    let found = messages(ask.world, ask.host).into_iter().find(|m| m.id == id);
    let Some(m) = found else {
        return fatal("postcat", &format!("open queue file {id}: No such file or directory"));
    };
    let place = format!("{}/{}/{}", queue_name(&m), m.id.chars().next().unwrap_or('0'), m.id);
    let long = stamp(ask.world, ask.host, m.arrived, "%a %b %e %H:%M:%S %Y");
    let full = ask.world.fqdn(ask.host);
    let heads = format!(
        "Received: by {full} (Postfix, from userid 33)\n\tid {}; {long} +0000 (UTC)\nTo: {}\nSubject: {}\n\
         From: {}\nDate: {long} +0000 (UTC)\n",
        m.id, m.recipient, m.subject, m.sender
    );
    let text = format!("\n{}\n", m.subject);
    if body || header {
        return output(format!(
            "{}{}",
            if header { heads.as_str() } else { "" },
            if body { &text } else { "" }
        ));
    }
    output(format!(
        "*** ENVELOPE RECORDS {place} ***\nmessage_size: {:>15} {:>15} {:>15} {:>15} {:>15}\n\
         message_arrival_time: {long}\ncreate_time: {long}\nsender: {}\noriginal_recipient: {}\nrecipient: {}\n\
         *** MESSAGE CONTENTS {place} ***\n{heads}{text}*** HEADER EXTRACTED {place} ***\n\
         *** MESSAGE FILE END {place} ***\n",
        m.size, 612, 1, 0, m.size, m.sender, m.recipient, m.recipient
    ))
}

/// `postsuper`: what it did goes to standard error, and ids that are not there are passed over in silence.
pub(super) fn change(ask: &mut Ask<'_>) -> Reply {
    if ask.user != "root" {
        return fatal("postsuper", "use of this command is reserved for the superuser");
    }
    let now = ask.world.now().as_secs_f64();
    let mut reply = Reply::default();
    let mut args = ask.args.iter();
    while let Some(arg) = args.next() {
        let (Some(act), Some(wanted)) = (Act::of(arg), args.next()) else {
            return fatal(
                "postsuper",
                "usage: postsuper [-c config_dir] [-d queue_id (delete)] [-e queue_id (expire)] [-h queue_id (hold)] [-H queue_id (un-hold)] [-r queue_id (requeue)] [-s (structure check/repair)] [-v (verbose)] [queue...]",
            );
        };
        let ids: Vec<String> = match wanted.as_str() {
            "-" => ask.input.split_whitespace().map(str::to_owned).collect(),
            "ALL" => messages(ask.world, ask.host).into_iter().map(|m| m.id).collect(),
            id => vec![id.to_owned()],
        };
        let Some(queue) = ask.world.mail(ask.host) else { continue };
        let mut done = 0_usize;
        for id in ids {
            let changed = match act {
                Act::Delete => queue.delete(&id),
                Act::Hold => queue.hold(&id, true),
                Act::Release => queue.hold(&id, false),
                Act::Requeue => queue.requeue(&id, now),
            };
            if changed {
                done += 1;
                reply.stderr.extend(format!("postsuper: {id}: {}\n", act.words().0).into_bytes());
            }
        }
        if done > 0 {
            let messages = if done == 1 { "message" } else { "messages" };
            reply.stderr.extend(format!("postsuper: {}: {done} {messages}\n", act.words().1).into_bytes());
        }
    }
    reply
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Delete,
    Hold,
    Release,
    Requeue,
}

impl Act {
    fn of(option: &str) -> Option<Self> {
        Some(match option {
            "-d" => Self::Delete,
            "-h" => Self::Hold,
            "-H" => Self::Release,
            "-r" => Self::Requeue,
            _ => return None,
        })
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Delete => ("removed", "Deleted"),
            Self::Hold => ("placed on hold", "Placed on hold"),
            Self::Release => ("released from hold", "Released from hold"),
            Self::Requeue => ("requeued", "Requeued"),
        }
    }
}
