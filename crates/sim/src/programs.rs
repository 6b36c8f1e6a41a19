//! Every simulated program. A new one is one new file here and one line in [`PROGRAMS`].

pub mod files;
pub mod text;

use super::program::Program;

pub use mysql::client;

mod accounts;
mod cloud;
mod crontab;
mod curl;
mod df;
mod dump;
mod exim;
mod free;
mod git;
mod hostname;
mod mail;
mod mount;
mod mysql;
mod names;
mod nproc;
mod openssl;
mod pack;
mod php;
mod postfix;
mod power;
mod ps;
mod redis_cli;
mod rsync;
mod salt;
mod services;
mod ss;
mod ssh_keys;
mod sync;
mod uname;
mod uptime;
mod web_servers;

/// Every program there is.
pub static PROGRAMS: &[&dyn Program] = &[
    &files::chmod::Chmod,
    &files::chown::Chown,
    &files::cmp::Cmp,
    &files::cp::Cp,
    &files::diff::Diff,
    &files::du::Du,
    &files::find::Find,
    &files::mkdir::Mkdir,
    &files::mktemp::Mktemp,
    &files::mv::Mv,
    &files::readlink::Readlink("readlink"),
    &files::readlink::Readlink("realpath"),
    &files::rm::Rm,
    &files::rmdir::Rmdir,
    &files::sha256sum::Sum("sha1sum"),
    &files::sha256sum::Sum("sha256sum"),
    &files::stat::Stat,
    &files::touch::Touch,
    &text::awk::Awk("awk"),
    &text::awk::Awk("mawk"),
    &text::basename::Basename,
    &text::cat::Cat,
    &text::cut::Cut,
    &text::date::Date,
    &text::dirname::Dirname,
    &text::grep::Grep,
    &text::head::Head,
    &text::id::Id,
    &text::ls::Ls,
    &text::sed::Sed,
    &text::seq::Seq,
    &text::sort::Sort,
    &text::tail::Tail,
    &text::tee::Tee,
    &text::tr::Tr,
    &text::uniq::Uniq,
    &text::wc::Wc,
    &text::whoami::Whoami,
    &accounts::Accounts("chpasswd"),
    &accounts::Accounts("gpasswd"),
    &accounts::Accounts("pkill"),
    &accounts::Accounts("usermod"),
    &cloud::neutron::NEUTRON,
    &cloud::nova::NOVA,
    &cloud::openstack::OPENSTACK,
    &curl::Curl,
    &crontab::Crontab,
    &df::Df,
    &dump::Dump("mariabackup"),
    &dump::Dump("mysqldump"),
    &exim::EXIM,
    &exim::EXIM4,
    &exim::EXIQGREP,
    &free::FREE,
    &git::Git,
    &hostname::HOSTNAME,
    &mount::Blkid,
    &mount::Mounts("mount"),
    &mount::Mounts("umount"),
    &mysql::Client("mariadb"),
    &mysql::Client("mysql"),
    &names::DIG,
    &names::GETENT,
    &names::Gdnsd,
    &names::HOST,
    &names::Nscd,
    &nproc::NPROC,
    &openssl::Openssl,
    &pack::Pack("base64"),
    &pack::Pack("gunzip"),
    &pack::Pack("gzip"),
    &pack::Pack("tar"),
    &pack::Pack("zcat"),
    &php::Php,
    &postfix::MAILQ,
    &postfix::POSTCAT,
    &postfix::POSTCONF,
    &postfix::POSTFIX,
    &postfix::POSTQUEUE,
    &postfix::POSTSUPER,
    &power::Power("reboot"),
    &power::Power("shutdown"),
    &ps::PGREP,
    &ps::PS,
    &ss::SS,
    &ssh_keys::Keygen,
    &ssh_keys::Keyscan,
    &redis_cli::RedisCli,
    &rsync::Rsync,
    &services::monit::Monit,
    &services::service::Service,
    &services::systemctl::Systemctl,
    &salt::call::SaltCall,
    &salt::key::SaltKey,
    &salt::master::Salt,
    &salt::runner::SaltRun,
    &sync::SYNC,
    &uname::UNAME,
    &uptime::UPTIME,
    &web_servers::Tester("apachectl"),
    &web_servers::Tester("nginx"),
];

#[cfg(test)]
pub(crate) mod tests;
