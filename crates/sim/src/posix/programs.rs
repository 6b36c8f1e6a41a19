//! Programs of a Unix system.

pub(crate) mod accounts;
pub(crate) mod apt_get;
pub(crate) mod crontab;
pub(crate) mod df;
pub(crate) mod dmsetup;
pub mod files;
pub(crate) mod free;
pub(crate) mod hostname;
pub(crate) mod mount;
pub(crate) mod nproc;
pub(crate) mod power;
pub(crate) mod ps;
pub(crate) mod rsync;
pub(crate) mod ss;
pub(crate) mod ssh_keys;
pub(crate) mod sync;
pub mod text;
pub(crate) mod uname;
pub(crate) mod uptime;
pub(crate) mod who;
