//! Every simulated program. A new one is one new file here and one line in [`PROGRAMS`].

use crate::cloud;
use crate::git;
use crate::mail;
use crate::mariadb;
use crate::posix;
use crate::salt;
use crate::services;

use super::program::Program;

mod curl;
mod names;
mod openssl;
mod pack;
mod php;
mod redis_cli;
mod web_servers;

/// Every program there is.
pub static PROGRAMS: &[&dyn Program] = &[
    &posix::programs::files::chmod::Chmod,
    &posix::programs::files::chown::Chown,
    &posix::programs::files::cmp::Cmp,
    &posix::programs::files::cp::Cp,
    &posix::programs::files::diff::Diff,
    &posix::programs::files::du::Du,
    &posix::programs::files::find::Find,
    &posix::programs::files::mkdir::Mkdir,
    &posix::programs::files::mktemp::Mktemp,
    &posix::programs::files::mv::Mv,
    &posix::programs::files::readlink::Readlink("readlink"),
    &posix::programs::files::readlink::Readlink("realpath"),
    &posix::programs::files::rm::Rm,
    &posix::programs::files::rmdir::Rmdir,
    &posix::programs::files::sha256sum::Sum("sha1sum"),
    &posix::programs::files::sha256sum::Sum("sha256sum"),
    &posix::programs::files::stat::Stat,
    &posix::programs::files::touch::Touch,
    &posix::programs::text::awk::Awk("awk"),
    &posix::programs::text::awk::Awk("mawk"),
    &posix::programs::text::basename::Basename,
    &posix::programs::text::cat::Cat,
    &posix::programs::text::cut::Cut,
    &posix::programs::text::date::Date,
    &posix::programs::text::dirname::Dirname,
    &posix::programs::text::grep::Grep,
    &posix::programs::text::head::Head,
    &posix::programs::text::id::Id,
    &posix::programs::text::ls::Ls,
    &posix::programs::text::sed::Sed,
    &posix::programs::text::seq::Seq,
    &posix::programs::text::sort::Sort,
    &posix::programs::text::tail::Tail,
    &posix::programs::text::tee::Tee,
    &posix::programs::text::tr::Tr,
    &posix::programs::text::uniq::Uniq,
    &posix::programs::text::wc::Wc,
    &posix::programs::text::whoami::Whoami,
    &posix::programs::accounts::Accounts("chpasswd"),
    &posix::programs::accounts::Accounts("gpasswd"),
    &posix::programs::accounts::Accounts("pkill"),
    &posix::programs::accounts::Accounts("usermod"),
    &cloud::programs::neutron::NEUTRON,
    &cloud::programs::nova::NOVA,
    &cloud::programs::openstack::OPENSTACK,
    &curl::Curl,
    &posix::programs::crontab::Crontab,
    &posix::programs::df::Df,
    &mariadb::programs::dump::Dump("mariabackup"),
    &mariadb::programs::dump::Dump("mysqldump"),
    &mail::programs::exim::EXIM,
    &mail::programs::exim::EXIM4,
    &mail::programs::exim::EXIQGREP,
    &posix::programs::free::FREE,
    &git::programs::git::Git,
    &posix::programs::hostname::HOSTNAME,
    &posix::programs::mount::Blkid,
    &posix::programs::mount::Mounts("mount"),
    &posix::programs::mount::Mounts("umount"),
    &mariadb::programs::mysql::Client("mariadb"),
    &mariadb::programs::mysql::Client("mysql"),
    &names::DIG,
    &names::GETENT,
    &names::Gdnsd,
    &names::HOST,
    &names::Nscd,
    &posix::programs::nproc::NPROC,
    &openssl::Openssl,
    &pack::Pack("base64"),
    &pack::Pack("gunzip"),
    &pack::Pack("gzip"),
    &pack::Pack("tar"),
    &pack::Pack("zcat"),
    &php::Php,
    &mail::programs::postfix::MAILQ,
    &mail::programs::postfix::POSTCAT,
    &mail::programs::postfix::POSTCONF,
    &mail::programs::postfix::POSTFIX,
    &mail::programs::postfix::POSTQUEUE,
    &mail::programs::postfix::POSTSUPER,
    &posix::programs::power::Power("reboot"),
    &posix::programs::power::Power("shutdown"),
    &posix::programs::ps::PGREP,
    &posix::programs::ps::PS,
    &posix::programs::ss::SS,
    &posix::programs::ssh_keys::Keygen,
    &posix::programs::ssh_keys::Keyscan,
    &redis_cli::RedisCli,
    &posix::programs::rsync::Rsync,
    &services::programs::monit::Monit,
    &services::programs::service::Service,
    &services::programs::systemctl::Systemctl,
    &salt::programs::call::SaltCall,
    &salt::programs::key::SaltKey,
    &salt::programs::master::Salt,
    &salt::programs::runner::SaltRun,
    &posix::programs::sync::SYNC,
    &posix::programs::uname::UNAME,
    &posix::programs::uptime::UPTIME,
    &web_servers::Tester("apachectl"),
    &web_servers::Tester("nginx"),
];

#[cfg(test)]
pub(crate) mod tests;
