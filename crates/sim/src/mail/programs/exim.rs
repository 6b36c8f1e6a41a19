//! Exim's programs: `exim` (`exim4` on Debian), `exiqgrep`; `mailq` is Postfix's as well. Words and forms are those of Exim 4.82.

mod grep;
mod session;
#[cfg(test)]
mod tests;

use crate::mail::{MailServer, Message, Queue};
use crate::program::Reply;
use crate::program::quick::{failure, output};

use super::{Ask, MailProgram, messages, stamp, written};

const fn exim(name: &'static str, run: fn(&mut Ask<'_>) -> Reply) -> MailProgram {
    MailProgram { name, of: Some(MailServer::Exim), run }
}

pub(crate) static EXIM: MailProgram = exim("exim", run);
pub(crate) static EXIM4: MailProgram = exim("exim4", run);
pub(crate) static EXIQGREP: MailProgram = exim("exiqgrep", grep::run);

fn refused(what: &str) -> Reply {
    failure(1, &format!("exim: {what}"))
}

/// What is said on standard output, and whether all of it was done.
fn said(text: String, done: bool) -> Reply {
    Reply { stdout: text.into_bytes(), status: u8::from(!done), ..Reply::default() }
}

fn run(ask: &mut Ask<'_>) -> Reply {
    let Some((option, rest)) = ask.args.split_first() else {
        return output(
            "Exim is a Mail Transfer Agent. It is normally called by Mail User Agents,\nnot directly from a shell command line.\n",
        );
    };
    match option.as_str() {
        "-bV" => return output("Exim version 4.82 #2 built 12-May-2014 20:56:05\n"),
        "-bp" | "-bpc" | "-bpu" | "-bpr" | "-bpru" => return list(ask),
        "-bh" => return session::run(ask),
        "-q" | "-qf" | "-qff" => {
            if ask.user != "root" {
                return refused("permission denied");
            }
            ask.world.exim_delivers(ask.host, None, option == "-qff");
            return Reply::default();
        }
        _ => {}
    }
    let Some(act) = Act::of(option) else {
        return refused(&format!("option {option} is not simulated"));
    };
    if rest.is_empty() {
        return refused(&format!("no message ids given after {option} option"));
    }
    let asked = if act.shows() { rest.get(..1).unwrap_or_default() } else { rest };
    if let Some(id) = asked.iter().find(|id| !is_id(id)) {
        return refused(&format!("malformed message id {id} after {option} option"));
    }
    if act.shows() && rest.len() > 1 {
        return said("*** Only one message can be listed at once\n".to_owned(), false);
    }
    let ids = rest.to_vec();
    act.on(ask, &ids)
}

/// Six characters, six, two, of base 62.
fn is_id(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [6, 6, 2] && parts.iter().all(|part| part.chars().all(|c| c.is_ascii_alphanumeric()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Freeze,
    Thaw,
    Remove,
    Deliver,
    Heads,
    Body,
    Log,
}

impl Act {
    fn of(option: &str) -> Option<Self> {
        Some(match option {
            "-Mf" => Self::Freeze,
            "-Mt" => Self::Thaw,
            "-Mrm" => Self::Remove,
            "-M" => Self::Deliver,
            "-Mvh" => Self::Heads,
            "-Mvb" => Self::Body,
            "-Mvl" => Self::Log,
            _ => return None,
        })
    }

    fn shows(self) -> bool {
        matches!(self, Self::Heads | Self::Body | Self::Log)
    }

    fn on(self, ask: &mut Ask<'_>, ids: &[String]) -> Reply {
        if ask.user != "root" {
            let quiet = self == Self::Deliver;
            return if quiet {
                refused("Permission denied")
            } else {
                said("Permission denied\n".to_owned(), false)
            };
        }
        if self == Self::Deliver {
            // Each in a process of its own, of which nothing is said: what came of it is in its log.
            ask.world.exim_delivers(ask.host, Some(ids), true);
            return Reply::default();
        }
        let (mut text, mut all) = (String::new(), true);
        for id in ids {
            let found = messages(ask.world, ask.host).into_iter().find(|m| m.id == *id);
            let (line, done) = match found {
                Some(m) if self.shows() => (self.shown(ask, &m), true),
                Some(m) if m.locked() => (format!("Message {id} is locked\n"), false),
                Some(_) => self.change(ask, id),
                None => (self.missing(id), false),
            };
            text.push_str(&line);
            all &= done;
        }
        said(text, all)
    }

    fn missing(self, id: &str) -> String {
        let none = |folder: &str, end: &str| {
            format!("Failed to open {folder} file for {id}{end}: No such file or directory\n")
        };
        match self {
            Self::Heads => none("input", "-H"),
            Self::Body => none("input", "-D"),
            Self::Log => none("msglog", ""),
            Self::Remove => format!(
                "Spool data file for {id} does not exist\nContinuing, to ensure all files removed\n\
                 Spool read error for {id}-H: No such file or directory\nContinuing to ensure all files removed\n\
                 Message {id} has been removed or did not exist\n"
            ),
            Self::Freeze | Self::Thaw | Self::Deliver => format!("Spool data file for {id} does not exist\n"),
        }
    }

    fn change(self, ask: &mut Ask<'_>, id: &str) -> (String, bool) {
        let Some(queue) = ask.world.mail(ask.host) else { return (String::new(), false) };
        let (did, words, otherwise) = match self {
            Self::Freeze => (queue.hold(id, true), "is now frozen", "is already frozen"),
            Self::Thaw => (queue.hold(id, false), "is no longer frozen", "is not frozen"),
            Self::Remove => (queue.delete(id), "has been removed", "has been removed or did not exist"),
            Self::Deliver | Self::Heads | Self::Body | Self::Log => return (String::new(), false),
        };
        (format!("Message {id} {}\n", if did { words } else { otherwise }), did)
    }

    /// `-Mvh`, `-Mvb`, `-Mvl`: a file of the spool.
    fn shown(self, ask: &Ask<'_>, m: &Message) -> String {
        let at = |seconds, form| stamp(ask.world, ask.host, seconds, form);
        let from = envelope(m);
        match self {
            Self::Heads => {
                #[allow(clippy::cast_possible_truncation)] // seconds since 1970
                let second = ask.world.clock_at(ask.host, m.arrived) as i64;
                let frozen =
                    if m.queue == Queue::Hold { format!("-frozen {second}\n") } else { String::new() };
                let long = at(m.arrived, "%a, %d %b %Y %H:%M:%S +0000");
                let received = format!(
                    "Received: from www-data by {full} with local (Exim 4.82)\n\t(envelope-from {from})\n\tid {}\n\t\
                     for {}; {long}",
                    m.id,
                    m.recipient,
                    full = ask.world.fqdn(ask.host)
                );
                let mut text = format!(
                    "{}-H\nwww-data 33 33\n{from}\n{second} 0\n-ident www-data\n-received_protocol local\n{frozen}\
                     -local\nXX\n1\n{}\n\n",
                    m.id, m.recipient
                );
                for (mark, head) in [
                    ('P', received),
                    ('T', format!("To: {}", m.recipient)),
                    (' ', format!("Subject: {}", m.subject)),
                    ('F', format!("From: {}", m.sender)),
                    (' ', format!("Date: {long}")),
                ] {
                    text.push_str(&format!("{:03}{mark} {head}\n", head.len() + 1));
                }
                text
            }
            Self::Body => format!("{}-D\n{}\n", m.id, m.subject),
            Self::Log => {
                let form = "%Y-%m-%d %H:%M:%S";
                let tried = written(m.tried.unwrap_or_default(), form);
                let why = m.reason.iter().map(|why| {
                    format!("{tried} {} R=smarthost T=remote_smtp_smarthost defer: {why}\n", m.recipient)
                });
                let frozen = (m.queue == Queue::Hold).then(|| format!("{tried} *** Frozen\n"));
                let mut text = format!("{} Received from {from} P=local S={}\n", at(m.arrived, form), m.size);
                text.extend(why.chain(frozen));
                text
            }
            Self::Freeze | Self::Thaw | Self::Remove | Self::Deliver => String::new(),
        }
    }
}

/// The envelope's sender as Exim writes it; a bounce has none.
fn envelope(m: &Message) -> String {
    let sender = if m.sender == "MAILER-DAEMON" { "" } else { m.sender.as_str() };
    format!("<{sender}>")
}

/// Five characters, as `string_format_size` writes them.
fn size(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss)] // a message's bytes fit
    let thousands = bytes as f64 / 1024.0;
    match bytes {
        0 => " ".repeat(5),
        1..1024 => format!("{bytes:5}"),
        1024..10_240 => format!("{thousands:4.1}K"),
        10_240..1_048_576 => format!("{:4}K", (bytes + 512) / 1024),
        _ => format!("{:4.1}M", thousands / 1024.0),
    }
}

/// How long a message has been there: minutes, hours, days.
fn age(seconds: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let minutes = (seconds.max(0.0) / 60.0) as u64;
    let hours = (minutes + 30) / 60;
    match minutes {
        0..=90 => format!("{minutes:2}m"),
        _ if hours <= 72 => format!("{hours:2}h"),
        _ => format!("{:2}d", (hours + 12) / 24),
    }
}

/// One message of the list, without its recipient.
fn line(m: &Message, now: f64) -> String {
    let frozen = if m.queue == Queue::Hold { " *** frozen ***" } else { "" };
    format!("{} {} {} {}{frozen}", age(now - m.arrived), size(m.size), m.id, envelope(m))
}

/// `exim -bp` and its kin.
pub(crate) fn list(ask: &mut Ask<'_>) -> Reply {
    if ask.user != "root" {
        return refused("permission denied");
    }
    let (option, ids) = match ask.args.split_first() {
        Some((option, ids)) => (option.as_str(), ids),
        None => ("-bp", ask.args),
    };
    let now = ask.world.now().as_secs_f64();
    let mut messages = messages(ask.world, ask.host);
    if option == "-bpc" {
        return output(format!("{}\n", messages.len()));
    }
    messages.retain(|m| ids.is_empty() || ids.contains(&m.id));
    let text = messages.iter().map(|m| format!("{}\n          {}\n\n", line(m, now), m.recipient));
    output(text.collect::<String>())
}
