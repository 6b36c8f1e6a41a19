//! Every probe. A new one is one new file here and one line in the list below; docs/architecture.md says how to add one.

pub(crate) mod df;
mod mail_queue;

use super::probe::Probe;

/// Names the files of the probes and makes their list, so that a probe is one line.
macro_rules! probes {
    ($($file:ident :: $probe:ident,)*) => {
        $(pub(crate) mod $file;)*

        /// Every probe, in the order in which their sections run.
        pub static PROBES: &[&dyn Probe] = &[$(&$file::$probe,)*];
    };
}

probes! {
    identity::IdentityProbe,
    load::LoadProbe,
    memory::MemoryProbe,
    uptime::Uptime,
    os::OsProbe,
    grains::GrainsProbe,
    filesystems::Filesystems,
    network_filesystems::NetworkFilesystems,
    // Uses what df said in the same report.
    deleted_files::DeletedFilesProbe,
    mariadb::MariaDb,
    database_files::DatabaseFiles,
    redis::PROBE,
    elasticsearch::PROBE,
    postfix::PROBE,
    exim::PROBE,
    memcached::PROBE,
    mdraid::PROBE,
    drbd::PROBE,
    gluster::PROBE,
    monit::PROBE,
    lvm_snapshots::PROBE,
    nfs_server::PROBE,
    units::Units,
    web_status::WebStatus,
    backups::Backups,
    checks::Checks,
    salt_minions::PROBE,
    code_trees::PROBE,
    cloud_servers::PROBE,
    ceph_health::PROBE,
    smart::PROBE,
    // Late: sections that follow take from the time that a package manager may have.
    upkeep::UpkeepProbe,
    // Stays last: see there.
    clock::ClockProbe,
}
