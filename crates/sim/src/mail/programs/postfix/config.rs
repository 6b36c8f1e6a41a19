//! `postfix`: starts, stops and reloads; `postconf`: reads and edits `main.cf`. What it changes holds as soon as it is written (a reload changes nothing more
//! here).

use crate::mail::programs::Ask;
use crate::program::Reply;
use crate::program::quick::output;

use super::fatal;

const MAIN: &str = "/etc/postfix/main.cf";

/// `postfix COMMAND`; like the real one it says everything on standard error.
pub(super) fn control(ask: &mut Ask<'_>) -> Reply {
    if ask.user != "root" {
        return fatal("postfix", "to submit mail, use the Postfix sendmail command");
    }
    let runs = ask.world.service_runs(ask.host, "postfix");
    let now = ask.world.now().as_secs_f64();
    let command = ask.args.first().map(String::as_str).unwrap_or_default();
    let (said, status) = match (command, runs) {
        ("status", true) => ("the Postfix mail system is running: PID: 1207", 0),
        ("start", true) => ("fatal: the Postfix mail system is already running", 1),
        ("start", false) => {
            let came_up = ask.world.set_service(ask.host, "postfix", true);
            ("starting the Postfix mail system", u8::from(!came_up))
        }
        ("check", _) => ("", 0),
        ("status" | "stop" | "reload" | "flush", false) => {
            ("fatal: the Postfix mail system is not running", 1)
        }
        ("reload", true) => ("refreshing the Postfix mail system", 0),
        ("stop", true) => {
            ask.world.set_service(ask.host, "postfix", false);
            ("stopping the Postfix mail system", 0)
        }
        ("flush", true) => {
            if let Some(queue) = ask.world.mail(ask.host) {
                queue.flush(now);
            }
            ("", 0)
        }
        _ => {
            ("error: unknown command: usage: postfix start (or stop, reload, abort, flush, check, status)", 1)
        }
    };
    let line = if said.is_empty() { String::new() } else { format!("postfix/postfix-script: {said}\n") };
    Reply { stderr: line.into_bytes(), status, ..Reply::default() }
}

pub(super) fn run(ask: &mut Ask<'_>) -> Reply {
    let bytes = ask.world.read_file(ask.host, MAIN).unwrap_or_default();
    let mut lines: Vec<String> = String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect();
    let (mut edit, mut bare, mut all) = (false, false, false);
    let mut words = Vec::new();
    for arg in ask.args {
        match arg.as_str() {
            "-e" => edit = true,
            "-h" => bare = true,
            "-n" => all = true,
            option if option.starts_with('-') => {
                return fatal("postconf", &format!("unrecognized option: {option}"));
            }
            word => words.push(word),
        }
    }
    let name = |line: &str| line.split_once('=').map(|(name, _)| name.trim().to_owned());
    if edit {
        if ask.user != "root" {
            return fatal("postconf", &format!("open {MAIN}.tmp: Permission denied"));
        }
        for word in words {
            let Some((key, value)) = word.split_once('=') else {
                return fatal("postconf", &format!("missing '=' after attribute name: \"{word}\""));
            };
            let line = format!("{} = {}", key.trim(), value.trim());
            match lines.iter_mut().find(|line| name(line).as_deref() == Some(key.trim())) {
                Some(old) => *old = line,
                None => lines.push(line),
            }
        }
        let text = lines.join("\n") + "\n";
        ask.world.write_file(ask.host, MAIN, text.into_bytes());
        return Reply::default();
    }
    if all || words.is_empty() {
        return output(lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    }
    let mut reply = Reply::default();
    for word in words {
        let found = lines.iter().find(|line| name(line).as_deref() == Some(word));
        let value = found.and_then(|line| line.split_once('=')).map(|(_, value)| value.trim().to_owned());
        match value.or_else(|| default_of(word)) {
            Some(value) if bare => reply.stdout.extend(format!("{value}\n").into_bytes()),
            Some(value) => {
                reply.stdout.extend(format!("{}\n", format!("{word} = {value}").trim_end()).into_bytes())
            }
            None => {
                reply.stderr.extend(format!("postconf: warning: {word}: unknown parameter\n").into_bytes())
            }
        }
    }
    reply
}

/// The defaults of Postfix 2.10 and later that are wanted here.
fn default_of(name: &str) -> Option<String> {
    let value = match name {
        "master_service_disable" | "smtpd_recipient_restrictions" => "",
        "smtpd_relay_restrictions" => {
            "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination"
        }
        _ => return None,
    };
    Some(value.to_owned())
}
