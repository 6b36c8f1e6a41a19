//! A yes to a command on several hosts: what the inventory's `guard` asks for.

use super::ExecSite;
use crate::cli::common::CliError;
use crate::cli::print;
use crate::cli::terminal::keys::{AnswerKeys, Shared, Typed};
use crate::cli::terminal::paper::{Ink, Paper};
use jumpdeck_fleet::fleet::Guard;
use jumpdeck_fleet::text::Clean;

/// What is still needed before a command is run.
pub(super) enum Agreement {
    /// Nothing: it is one host, or `--yes` was said.
    Given,
    /// An answer that is typed at the terminal.
    Asked(Shared),
}

impl Agreement {
    /// What a command on these hosts needs. `yes` is the flag; `is_named`: the command line names the environment.
    ///
    /// # Errors
    /// When there is no terminal to ask at, or the flag does not suffice.
    pub(super) fn needed(
        site: &ExecSite,
        yes: bool,
        is_named: bool,
        terminal: Option<Shared>,
    ) -> Result<Self, CliError> {
        let (env, count) = (&site.env.name, site.hosts.len());
        match (count, yes, site.env.guard, terminal) {
            (..=1, ..) | (_, true, Guard::Confirm, _) => Ok(Self::Given),
            (_, true, Guard::Challenge, _) if is_named => Ok(Self::Given),
            (_, true, Guard::Challenge, _) => Err(CliError::Usage(format!(
                "{env} has guard = \"challenge\": with --yes, name the environment, too (--env {env})"
            ))),
            (_, false, Guard::Confirm | Guard::Challenge, Some(terminal)) => Ok(Self::Asked(terminal)),
            (_, false, Guard::Confirm | Guard::Challenge, None) => Err(CliError::NoTerminal(format!(
                "{count} hosts are meant, and there is no terminal to confirm it at: run this in a terminal, or say --yes"
            ))),
        }
    }

    /// Shows what is to be run where, and asks.
    ///
    /// # Errors
    /// When the answer is no.
    pub(super) async fn ask(self, site: &ExecSite) -> Result<(), CliError> {
        let Self::Asked(mut terminal) = self else { return Ok(()) };
        print::answer(&shown(&mut Paper::of_stdout(), site))?;
        let word = match site.env.guard {
            Guard::Confirm => "y",
            Guard::Challenge => site.env.name.as_str(),
        };
        loop {
            match terminal.line(&format!("type {word} to run it> "), true).await {
                Typed::Line(line) => match judged(line.trim(), word) {
                    Some(true) => return Ok(()),
                    Some(false) => break,
                    None => print::answer(&format!("  type {word} to run it, or n to leave\n"))?,
                },
                Typed::Pasted(_) => print::answer("  pasted text is not accepted here: type it\n")?,
                Typed::Several => {
                    print::answer("  several lines came at once; none was used, so type one answer\n")?
                }
                Typed::End => break,
            }
        }
        Err(CliError::Refused("nothing was run".to_owned()))
    }
}

/// Only the word runs it; only no, or nothing, leaves.
fn judged(line: &str, word: &str) -> Option<bool> {
    match line {
        _ if line == word => Some(true),
        "" | "n" | "no" => Some(false),
        _ => None,
    }
}

fn shown(paper: &mut Paper, site: &ExecSite) -> String {
    let simulated = if site.simulated { "SIMULATED " } else { "" };
    let names: Vec<&str> = site.hosts.iter().map(|host| host.id.host.as_str()).collect();
    let heading = format!("Run on {} hosts of {simulated}{}:", names.len(), site.env.name);
    paper.words(0, Ink::Bold, &heading);
    for line in Clean::lines(site.line.as_str()) {
        paper.exact(4, Ink::Bold, line.as_str());
    }
    paper.words(2, Ink::Plain, &format!("hosts: {}", names.join(", ")));
    paper.words(2, Ink::Dim, "Whether it changes something is not known; nothing is undone.");
    paper.take()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use super::*;
    use crate::operator::fleet_command::ShellLine;

    fn site(guard: Guard, hosts: usize) -> ExecSite {
        let (universe, servers) = crate::cli::simulate::start("wpd-2015").unwrap();
        let fleet = universe.fleet(|env| servers.access(env));
        let mut env = fleet.environments.first().unwrap().clone();
        Arc::make_mut(&mut env).guard = guard;
        let hosts = env.hosts.iter().take(hosts).cloned().collect();
        let line = ShellLine::of(&["uptime; echo \u{1b}[2J".to_owned()]).unwrap();
        ExecSite { env, simulated: true, hosts, line }
    }

    fn code(site: &ExecSite, yes: bool, is_named: bool) -> u8 {
        Agreement::needed(site, yes, is_named, None).map_or_else(|error| error.code(), |_| 0)
    }

    #[tokio::test]
    async fn several_hosts_need_a_yes() {
        for guard in [Guard::Confirm, Guard::Challenge] {
            assert_eq!(code(&site(guard, 1), false, false), 0);
            assert_eq!(code(&site(guard, 2), false, true), 7, "nobody is there to be asked");
            assert_eq!(code(&site(guard, 2), true, true), 0);
        }
        assert_eq!(code(&site(Guard::Confirm, 2), true, false), 0);
        assert_eq!(code(&site(Guard::Challenge, 2), true, false), 2, "the environment must be named");
    }

    #[tokio::test]
    async fn the_exact_command_and_every_host_are_shown() {
        let said = shown(&mut Paper::new(60, false), &site(Guard::Confirm, 3));
        assert!(
            said.starts_with("Run on 3 hosts of SIMULATED production:\n    uptime; echo ^[[2J\n"),
            "{said}"
        );
        for host in site(Guard::Confirm, 3).hosts {
            assert!(said.contains(host.id.host.as_str()), "{said}");
        }
    }

    #[test]
    fn only_the_word_is_a_yes() {
        assert_eq!(judged("production", "production"), Some(true));
        for other in ["y", "yes", "Production", "production x"] {
            assert_eq!(judged(other, "production"), None, "{other}");
        }
        for no in ["", "n", "no"] {
            assert_eq!(judged(no, "y"), Some(false), "{no}");
        }
    }
}
