//! Until when security updates come for an operating system without a contract. The table ages: what it does not know, nobody judges.
//!
//! As of 2026-11. Debian (end of long term support) and Ubuntu (end of standard support of servers): Debian's package
//! distro-info-data 0.58+deb12u6. The others by what their makers have announced: the end of Red Hat's maintenance, CentOS, Rocky and
//! AlmaLinux.

/// Release, as [`crate::snapshot::Os::release`] has it, and the last day of its updates.
const ENDS: &[(&str, &str)] = &[
    ("almalinux 8", "2029-05-31"),
    ("almalinux 9", "2032-05-31"),
    ("almalinux 10", "2035-05-31"),
    ("centos 5", "2017-03-31"),
    ("centos 6", "2020-11-30"),
    ("centos 7", "2024-06-30"),
    // CentOS Stream's: CentOS Linux 8 ended on 2021-12-31, and both call themselves so.
    ("centos 8", "2024-05-31"),
    ("centos 9", "2027-05-31"),
    ("debian 5", "2012-02-06"),
    ("debian 6", "2016-02-29"),
    ("debian 7", "2018-05-31"),
    ("debian 8", "2020-06-30"),
    ("debian 9", "2022-06-30"),
    ("debian 10", "2024-06-30"),
    ("debian 11", "2026-08-31"),
    ("debian 12", "2028-06-30"),
    ("debian 13", "2030-06-30"),
    ("red 5", "2017-03-31"),
    ("red 6", "2020-11-30"),
    ("red 7", "2024-06-30"),
    ("rhel 7", "2024-06-30"),
    ("rhel 8", "2029-05-31"),
    ("rhel 9", "2032-05-31"),
    ("rhel 10", "2035-05-31"),
    ("rocky 8", "2029-05-31"),
    ("rocky 9", "2032-05-31"),
    ("rocky 10", "2035-05-31"),
    ("ubuntu 8.04", "2013-05-09"),
    ("ubuntu 10.04", "2015-04-30"),
    ("ubuntu 12.04", "2017-04-28"),
    ("ubuntu 14.04", "2019-04-25"),
    ("ubuntu 16.04", "2021-04-30"),
    ("ubuntu 18.04", "2023-05-31"),
    ("ubuntu 20.04", "2025-05-29"),
    ("ubuntu 22.04", "2027-06-01"),
    ("ubuntu 24.04", "2029-05-31"),
    ("ubuntu 26.04", "2031-05-29"),
];

/// The last day of a release's updates, `2017-04-28`; `None` when it is not known.
#[must_use]
pub fn ends(release: &str) -> Option<&'static str> {
    ENDS.iter().find(|(known, _)| *known == release).map(|(_, day)| *day)
}

/// The last day, when it is over on a day.
#[must_use]
pub fn ended(release: &str, today: &str) -> Option<&'static str> {
    ends(release).filter(|last| *last < today)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_out_of_support_after_its_last_day() {
        assert_eq!(ended("ubuntu 12.04", "2017-04-28"), None);
        assert_eq!(ended("ubuntu 12.04", "2017-04-29"), Some("2017-04-28"));
        assert_eq!(ended("debian 12", "2026-11-30"), None);
        assert_eq!(ended("plan9 4", "2099-01-01"), None);
    }

    #[test]
    fn every_day_can_be_compared() {
        for (release, day) in ENDS {
            let digits = day.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
            assert!(day.len() == 10 && digits, "{release} {day}");
        }
    }
}
