//! Every simulated program. A new one is one new file here and one line in [`PROGRAMS`].

use super::program::Program;

mod df;
mod free;
mod hostname;
mod mount;
mod mysql;
mod nproc;
mod ps;
mod quick;
mod salt_call;
mod uname;
mod uptime;

/// Every program there is.
pub static PROGRAMS: &[&dyn Program] = &[
    &df::Df,
    &free::FREE,
    &hostname::HOSTNAME,
    &mount::MOUNT,
    &mysql::Client("mariadb"),
    &mysql::Client("mysql"),
    &nproc::NPROC,
    &ps::PS,
    &salt_call::SALT_CALL,
    &uname::UNAME,
    &uptime::UPTIME,
];

#[cfg(test)]
mod tests;
