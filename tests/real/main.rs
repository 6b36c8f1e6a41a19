//! Tests on the real fleet that `tests/fleet` starts: they run one at a time. Without it each says that it is skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing
)]

mod bad_luck;
mod crash;
mod failover;
mod highstate;
mod operators;
mod plain_fleet;
mod proxy_fleet;
mod real_fleet;
mod rebuild_real_salt;
mod replace_vm;
mod switchover;
mod switchover_fails;

#[path = "../support"]
mod support {
    pub(crate) mod desk;
    pub(crate) mod lane;
    pub(crate) mod operator;
    pub(crate) mod plain_lane;
    pub(crate) mod reach;
    pub(crate) mod sweep;
    #[allow(dead_code)] // the other program uses the other half
    pub(crate) mod terminal;
}
