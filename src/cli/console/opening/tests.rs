#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use clap::Parser;

use super::*;
use crate::cli::{Cli, Command};
use crate::operator::commands::Start;

/// What a command of this program shows first, read as a shell and the program read it.
fn read_command(command: &str) -> (Cli, ShownFirst) {
    let words = shlex::split(command).unwrap();
    let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{command}: {error}"));
    let shown = match &cli.command {
        None => cli.looks.view.clone(),
        Some(Command::Console(looks) | Command::Demo { looks, .. }) => {
            looks.clone().or(cli.looks.clone()).view
        }
        Some(other) => panic!("{command}: {other:?}"),
    };
    (cli, shown)
}

fn environment() -> std::sync::Arc<Environment> {
    crate::app::fixture::model().fleet.environments.first().unwrap().clone()
}

fn views() -> Vec<OpeningView> {
    let usual = OpeningView::default();
    let order = |name: &str, reversed| Sort { by: super::order(name).unwrap(), reversed };
    let mut views: Vec<OpeningView> =
        Destination::ALL.iter().map(|screen| OpeningView { screen: *screen, ..usual.clone() }).collect();
    for filter in ["role:db load>1", "!app", "-x", "it's \"$HOME\" `id` \\ ; & * ~ #1 é日", "--screen", "a=b"]
    {
        views.push(OpeningView { filter: filter.to_owned(), ..usual.clone() });
    }
    views.push(OpeningView {
        screen: Destination::Problems,
        filter: "severity:critical".to_owned(),
        ..usual.clone()
    });
    views.push(OpeningView { sort: order("5m-load", true), ..usual.clone() });
    views.push(OpeningView { sort: order("load/cpu", false), filter: "db".to_owned(), ..usual.clone() });
    views.push(OpeningView { sort: order("worst-first", true), ..usual.clone() });
    views.push(OpeningView { folded: true, ..usual.clone() });
    let columns = Some(vec!["WORST PROBLEM", "HOST", "LOAD/CPU", "1m"]);
    views.push(OpeningView { columns, folded: true, sort: order("load", true), ..usual.clone() });
    views.push(OpeningView { host: Some(HostName::new("db2").unwrap()), ..usual });
    views
}

#[test]
fn the_command_of_a_view_opens_the_same_view() {
    let env = environment();
    for start in [
        Start { world: None, tail: String::new() },
        Start { world: None, tail: " --inventory '/home/o p/it'\\''s.toml'".to_owned() },
        Start { world: Some("big-1000".to_owned()), tail: String::new() },
    ] {
        for view in views() {
            let command = start.console("production", &view.arguments());
            let (cli, shown) = read_command(&command);
            assert_eq!(read(&shown, Some(&env)).ok(), Some(view), "{command}");
            let world =
                if let Some(Command::Demo { world, .. }) = &cli.command { world.clone() } else { None };
            assert_eq!(world, start.world, "{command}");
            assert_eq!(cli.common.inventory.is_some(), !start.tail.is_empty(), "{command}");
        }
    }
}

#[test]
fn the_command_is_quoted_where_a_shell_needs_it_and_nowhere_else() {
    let start = Start { world: None, tail: String::new() };
    let view = OpeningView {
        filter: "role:db load>1".to_owned(),
        screen: Destination::Fleet,
        ..OpeningView::default()
    };
    assert_eq!(
        start.console("production", &view.arguments()),
        "jumpdeck --env production --filter 'role:db load>1'"
    );
    let view = OpeningView { screen: Destination::PastRuns, ..OpeningView::default() };
    assert_eq!(
        start.console("production", &view.arguments()),
        "jumpdeck --env production --screen past-runs"
    );
}

#[test]
fn what_cannot_be_read_says_what_there_is() {
    let env = environment();
    let wrong = |words: &[&str]| {
        let (_, shown) = read_command(&shlex::try_join([&["jumpdeck"][..], words].concat()).unwrap());
        read(&shown, Some(&env)).map(|_| ()).unwrap_err().to_string()
    };
    let text = wrong(&["--screen", "fleets"]);
    assert!(text.contains("no screen \"fleets\"; there are: fleet, replication, roles, problems, services, runbooks, past-runs"), "{text}");
    let text = wrong(&["--host", "db22"]);
    assert!(text.contains("no host \"db22\" in production; did you mean db2?"), "{text}");
    let text = wrong(&["--host", "nothing-like-it"]);
    assert!(text.contains("`jumpdeck status` lists its hosts"), "{text}");
    let text = wrong(&["--sort", "colour"]);
    assert!(
        text.contains(
            "no order \"colour\"; there are: worst-first, inventory-order, host, roles, load, 5m-load"
        ),
        "{text}"
    );
    let text = wrong(&["--screen", "problems", "--sort", "load"]);
    assert!(text.contains("the screen problems cannot be sorted"), "{text}");
    let text = wrong(&["--screen", "problems", "--reverse"]);
    assert!(text.contains("the screen problems cannot be sorted"), "{text}");
    let text = wrong(&["--screen", "problems", "--fold"]);
    assert!(text.contains("--fold is for the fleet"), "{text}");
    let text = wrong(&["--screen", "problems", "--columns", "host"]);
    assert!(text.contains("--columns is for the fleet"), "{text}");
    let text = wrong(&["--columns", "host,colour"]);
    assert!(
        text.contains(
            "no column \"colour\"; columns are: host, roles, differs, 1m, 5m, 15m, load/cpu, trend, memory"
        ),
        "{text}"
    );
    let text = wrong(&["--columns", "1m,disk"]);
    assert!(text.contains("has no \"host\""), "{text}");
    let text = wrong(&["--filter", "db colour:red"]);
    assert!(text.contains("--filter:1:4") && text.contains("^^^^^^^^^^"), "{text}");
}

#[test]
fn a_page_of_a_host_has_no_filter_and_no_order() {
    for words in [["--filter", "db"], ["--screen", "fleet"], ["--sort", "load"], ["--columns", "host"]] {
        let all = ["jumpdeck", "--host", "db2", words[0], words[1]];
        assert!(Cli::try_parse_from(all).is_err(), "{words:?}");
    }
}
