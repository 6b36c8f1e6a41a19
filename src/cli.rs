//! The command line: one file a subcommand.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use common::{CliError, Common, DEFAULT_WORLD, Looks, ShownFirst};

#[cfg(test)]
mod advice_tests;
mod check;
mod common;
mod console;
mod events;
mod exec;
mod exit_codes;
mod info;
mod inventory;
mod log;
mod logs;
mod look;
mod man;
mod power;
mod print;
mod runbook;
mod session;
mod setup;
#[cfg(feature = "demo")]
mod simulate;
mod ssh;
pub mod status;
mod terminal;

/// A terminal operations console: a live fleet through one jump box.
#[derive(Debug, Parser)]
#[command(name = "jumpdeck", version, about, long_about = None, max_term_width = 100)]
#[command(
    after_help = "Without a command the console opens on the inventory. `jumpdeck demo` needs no fleet."
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    looks: Looks,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The console on the inventory's fleet (default)
    Console(Looks),
    /// The console on a simulated fleet: no network, nothing to break
    Demo {
        /// The simulated world: wpd-2015, wpd-2013, or big-N with N hosts (big-1000) [default: wpd-2015]
        #[arg(value_name = "WORLD")]
        world: Option<String>,
        #[command(flatten)]
        looks: Looks,
    },
    /// Ask once and print: exit 0 ok, 1 warning, 2 critical, 3 unknown
    Status(status::StatusArgs),
    /// What changed since when: problems that began and ended, roles, hosts; from the files that consoles keep
    Events(events::EventsArgs),
    /// Run one command on the hosts that WHERE names, answers grouped by sameness: exit 0 all ended with 0, 1 some did not, 3 some could
    /// not be asked or did not end
    Exec(exec::ExecArgs),
    /// Read logs of the hosts that WHERE names, together, once or followed: exit 0 all was read, 3 some was not
    Logs(logs::LogsArgs),
    /// Show processes, listening ports or mounts of a host, once: exit 0 it answered, 3 it did not
    Look(look::LookArgs),
    /// Open a shell on a host, through the jump box: exit status of the shell, 255 when the connection failed
    Ssh(ssh::SshArgs),
    /// Ask the cloud for the power state and the console log of a host that may not answer: exit 0 one server was found, 1 none or several, 3
    /// unknown
    Power(power::PowerArgs),
    /// Validate inventory, themes, keymaps, settings and runbooks: exit 0, or 2 after printing every error
    Check {
        /// Files; without any, all that would be used
        files: Vec<PathBuf>,
    },
    /// Guided changes: list, show, plan, run, resume, rollback, runs, log, report, verify
    #[command(subcommand)]
    Runbook(runbook::RunbookCommand),
    /// A maintenance session: start, note, join, handover, end, list, show, report
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Serve the simulated fleet to any SSH client on this machine
    #[cfg(feature = "demo")]
    Sim(simulate::SimArgs),
    /// Every path in use, and what was found there
    Info,
    /// Shell completions, on standard output
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The manual page, on standard output
    Man,
}

/// Runs the program to its end.
#[must_use]
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    forbid_core_dumps();
    let cli = match Cli::try_parse_from(whole_demo(args)) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version end well; a usage error ends with 2. Nothing is left to do if printing fails.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let common = &cli.common;
    let shows = matches!(cli.command, None | Some(Command::Console(_) | Command::Demo { .. }));
    if !shows && cli.looks.view != ShownFirst::default() {
        // Whoever asks for a part must not take all of it for that part.
        print::complain(
            "--screen, --host, --filter, --sort, --reverse, --fold and --columns are options of the console",
        );
        return ExitCode::from(2);
    }
    let done = match cli.command {
        None => console::run(common, &cli.looks),
        Some(Command::Console(looks)) => console::run(common, &looks.or(cli.looks)),
        Some(Command::Demo { world, looks }) => {
            let world = world.unwrap_or_else(|| DEFAULT_WORLD.to_owned());
            console::run(&Common { demo: Some(world), ..common.clone() }, &looks.or(cli.looks))
        }
        Some(Command::Status(args)) => status::run(common, &args.or_env(cli.looks.env)),
        Some(Command::Events(args)) => events::run(common, &args.or_env(cli.looks.env)),
        Some(Command::Exec(args)) => exec::run(common, &args.or_env(cli.looks.env)),
        Some(Command::Logs(args)) => logs::run(common, &args.or_env(cli.looks.env)),
        Some(Command::Look(args)) => look::run(common, &args.or_env(cli.looks.env)),
        Some(Command::Ssh(args)) => ssh::run(common, &args.or_env(cli.looks.env)),
        Some(Command::Power(args)) => power::run(common, &args.or_env(cli.looks.env)),
        Some(Command::Check { files }) => check::run(common, &files),
        Some(Command::Runbook(command)) => runbook::run(common, command, cli.looks.env),
        Some(Command::Session(command)) => session::run(common, command, cli.looks.env),
        #[cfg(feature = "demo")]
        Some(Command::Sim(args)) => simulate::run(common, &args),
        Some(Command::Info) => info::run(common),
        Some(Command::Completions { shell }) => completions(shell),
        Some(Command::Man) => man(),
    };
    done.unwrap_or_else(|error| {
        print::complain(&error.to_string());
        ExitCode::from(error.code())
    })
}

/// `--demo` takes a world or none: the name of a command behind it is no world, and what names hosts is none either.
fn whole_demo(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let commands = command_names(&Cli::command());
    let mut args: Vec<OsString> = args.into_iter().collect();
    let ends = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let names_hosts =
        |arg: &OsString| ["exec", "logs", "look", "power", "ssh"].iter().any(|name| arg == name);
    let hosts_from = args.iter().take(ends).position(names_hosts).unwrap_or(ends);
    for at in 1..ends {
        let names_command = |arg: &OsString| commands.iter().any(|name| arg == name.as_str());
        let before_command = args.get(at + 1).is_some_and(names_command);
        let before_hosts = at > hosts_from && at + 1 < ends && !args.get(at + 1).is_some_and(names_world);
        if let Some(arg) = args.get_mut(at).filter(|arg| *arg == "--demo" && (before_command || before_hosts))
        {
            *arg = format!("--demo={DEFAULT_WORLD}").into();
        }
    }
    args
}

/// Whether it looks like the name of a simulated world.
fn names_world(arg: &OsString) -> bool {
    arg.to_str().is_some_and(|arg| arg.starts_with("wpd-") || arg.starts_with("big-"))
}

fn command_names(command: &clap::Command) -> Vec<String> {
    let inner = command.get_subcommands();
    inner.flat_map(|sub| std::iter::once(sub.get_name().to_owned()).chain(command_names(sub))).collect()
}

/// Passphrases, typed secrets and unlocked keys are in memory: a crash must not write them to a disk, and no other process of the
/// account may read them. Commands that are started here decide for themselves.
fn forbid_core_dumps() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // Neither is refused by a system that knows it, and one that does not has nothing to forbid.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), ..getrlimit(Resource::Core) });
}

fn completions(shell: clap_complete::Shell) -> Result<ExitCode, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "jumpdeck", &mut script);
    print::answer(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

fn man() -> Result<ExitCode, CliError> {
    print::answer(&man::page(&Cli::command()))?;
    Ok(ExitCode::SUCCESS)
}
