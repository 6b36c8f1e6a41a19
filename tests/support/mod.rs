//! What several tests need. Both programs have it; neither uses all of it.

pub(crate) mod agent;
pub(crate) mod clients;
pub(crate) mod desk;
pub(crate) mod door;
pub(crate) mod fate;
pub(crate) mod fleet;
pub(crate) mod history;
pub(crate) mod lane;
pub(crate) mod mariadb;
pub(crate) mod mortal;
pub(crate) mod mutate;
pub(crate) mod operator;
pub(crate) mod plain_lane;
pub(crate) mod play;
pub(crate) mod rehearsal;
pub(crate) mod schedule;
pub(crate) mod seed;
pub(crate) mod shell;
pub(crate) mod slow_link;
pub(crate) mod sshd;
pub(crate) mod sweep;
pub(crate) mod terminal;
