//! Every probe. A new one is one new file here and one line in the list below; docs/architecture.md says how to add one.

mod df;

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
    mariadb::MariaDb,
    redis::PROBE,
    elasticsearch::PROBE,
    postfix::PROBE,
    units::Units,
    // Stays last: see there.
    clock::ClockProbe,
}

#[cfg(test)]
mod tests {
    use super::PROBES;
    use jumpdeck_fleet::declared::PROBED_SERVICES;
    use jumpdeck_fleet::fact::Gap;
    use jumpdeck_fleet::snapshot::HostFacts;
    use jumpdeck_fleet::time::Moment;

    /// An inventory may name them.
    #[test]
    fn the_list_of_services_with_a_probe_is_true() {
        let mut facts = HostFacts::default();
        for probe in PROBES {
            probe.ingest(Err(Gap::TimedOut), Moment(0), &mut facts);
        }
        let names: Vec<&str> = facts.services.iter().map(|entry| entry.name()).collect();
        assert_eq!(names, PROBED_SERVICES);
    }
}
