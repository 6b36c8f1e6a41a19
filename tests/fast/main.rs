//! Tests that need no fleet: real sshd, MariaDB, shells and terminals of their own, and the simulated fleet.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing
)]

mod advice;
mod architecture;
mod chaos;
mod circles;
mod command_line;
mod console_run;
mod contract;
mod events;
mod exec;
mod guard;
mod guard_rehearsed;
mod held_sessions;
mod histories;
mod invalid_config;
mod inventory;
mod known_hosts;
mod lease_sim;
mod lease_slow;
mod left_behind;
mod library;
mod login;
mod logs;
mod look;
mod mariadb_limits;
mod mariadb_probe;
mod memory;
mod mutants;
mod names;
mod outside;
mod plain;
mod power;
mod rebuild_salt;
mod replace_roles;
mod resident;
mod runbook_cli;
mod security;
mod session;
mod shell_cli;
mod sim_ssh;
mod ssh;
mod ssh_memory;
mod status;
mod takeover;
mod terminal;
mod transport;
mod without_salt;

#[path = "../support"]
mod support {
    pub(crate) mod accounts;
    pub(crate) mod agent;
    pub(crate) mod alone;
    pub(crate) mod asked;
    pub(crate) mod clients;
    #[allow(dead_code)] // the other program uses the other half
    pub(crate) mod desk;
    pub(crate) mod door;
    pub(crate) mod fate;
    pub(crate) mod fleet;
    pub(crate) mod history;
    pub(crate) mod mariadb;
    pub(crate) mod mortal;
    pub(crate) mod mutate;
    pub(crate) mod operator;
    pub(crate) mod play;
    pub(crate) mod program;
    pub(crate) mod reach;
    pub(crate) mod rehearsal;
    pub(crate) mod same_run;
    pub(crate) mod schedule;
    pub(crate) mod seed;
    pub(crate) mod shell;
    pub(crate) mod slow_link;
    pub(crate) mod sshd;
    #[allow(dead_code)] // the other program uses the other half
    pub(crate) mod terminal;
}
