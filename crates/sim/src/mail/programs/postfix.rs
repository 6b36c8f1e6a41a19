//! Postfix: `postfix`, `postqueue`, `mailq`, `postsuper`, `postcat`, `postconf`. Words and forms are those of Postfix 3 (2 has no
//! `postqueue -j`).

mod config;
mod queue;
#[cfg(test)]
mod tests;

use crate::mail::MailServer;
use crate::program::Reply;
use crate::program::quick::failure;

use super::{Ask, MailProgram};

const fn postfix(name: &'static str, run: fn(&mut Ask<'_>) -> Reply) -> MailProgram {
    MailProgram { name, of: Some(MailServer::Postfix), run }
}

pub(crate) static MAILQ: MailProgram = MailProgram {
    name: "mailq",
    of: None,
    run: |ask| match ask.world.mail_server(ask.host) {
        Some(MailServer::Postfix) => queue::list(ask),
        Some(MailServer::Exim) | None => super::exim::list(ask),
    },
};
pub(crate) static POSTCAT: MailProgram = postfix("postcat", queue::show);
pub(crate) static POSTCONF: MailProgram = postfix("postconf", config::run);
pub(crate) static POSTFIX: MailProgram = postfix("postfix", config::control);
pub(crate) static POSTQUEUE: MailProgram = postfix("postqueue", queue::run);
pub(crate) static POSTSUPER: MailProgram = postfix("postsuper", queue::change);

fn fatal(program: &str, what: &str) -> Reply {
    failure(1, &format!("{program}: fatal: {what}"))
}
