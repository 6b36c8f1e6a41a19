//! The operating system: distribution, release, kernel.

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::snapshot::{HostFacts, Os as System};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

pub(super) struct OsProbe;

impl Probe for OsProbe {
    fn name(&self) -> &'static str {
        "os"
    }

    fn script(&self) -> &'static str {
        // os-release is not everywhere (not on Ubuntu 10.04, Debian 6, CentOS 6, SLES 11): older systems have a file of
        // their own. `uname` only where there is none.
        r#"
        probe_os() {
            say @kernel
            slurp /proc/sys/kernel/osrelease || say "$(uname -r)"
            say @os-release
            os_found=
            slurp /etc/os-release || slurp /usr/lib/os-release || slurp /var/run/os-release && os_found=yes
            # Another file may name another system: Ubuntu's debian_version names Debian.
            [ -n "$os_found" ] || for os_file in os-release lsb-release redhat-release SuSE-release; do
                if [ -e "/etc/$os_file" ] && [ ! -r "/etc/$os_file" ]; then jd_out="/etc/$os_file$NL"; return 126; fi
            done
            for os_file in lsb-release redhat-release SuSE-release alpine-release gentoo-release slackware-version \
                openwrt_release arch-release system-release debian_version issue; do
                say "@$os_file"
                [ -e "/etc/$os_file" ] || continue
                slurp "/etc/$os_file"
                say
                [ "$os_file" = issue ] || os_found=yes
            done
            say @present
            ! [ -e /etc/arch-release ] || say arch
            [ -z "$os_found" ] || return 0
            say @uname
            say "$(uname -sr)"
        }
        "#
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Slow
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        facts.os.take(raw.and_then(|raw| parse(raw.ok()?)), at);
    }
}

fn parse(text: &str) -> Result<System, Gap> {
    let first = |name: &'static str| part(text, name).map(str::trim).find(|l: &&str| !l.is_empty());
    let value = |name: &'static str, key: &str| {
        let mut lines = part(text, name);
        lines.find_map(|l| unquote(l.strip_prefix(key)?.strip_prefix('=')?)).filter(|v| !v.is_empty())
    };
    let kernel = first("kernel").map(Clean::new);
    let known = |pretty: &str, release: &str| {
        Ok(System { pretty: Clean::new(pretty), release: Clean::new(release), kernel: kernel.clone() })
    };
    let described = value("lsb-release", "DISTRIB_DESCRIPTION");
    if let Some(id) = value("os-release", "ID") {
        let version = value("os-release", "VERSION_ID").unwrap_or_default();
        // Ubuntu's early PRETTY_NAME is `Ubuntu precise (12.04.2 LTS)`; its lsb-release says it the way people do.
        let pretty = described.or_else(|| value("os-release", "PRETTY_NAME"));
        return known(&pretty.unwrap_or_else(|| format!("{id} {version}")), &release(&id, &version));
    }
    for (file, id, version) in [
        ("lsb-release", "DISTRIB_ID", "DISTRIB_RELEASE"),
        ("openwrt_release", "DISTRIB_ID", "DISTRIB_RELEASE"),
        ("os-release", "NAME", "VERSION"),
    ] {
        if let (Some(id), Some(version)) = (value(file, id), value(file, version)) {
            let pretty = value(file, "DISTRIB_DESCRIPTION").or_else(|| value(file, "PRETTY_NAME"));
            return known(&pretty.unwrap_or_else(|| format!("{id} {version}")), &release(&id, &version));
        }
    }
    if let Some(line) = first("SuSE-release") {
        return suse(text, line, known);
    }
    // A line that names the system and holds its version somewhere.
    for file in ["redhat-release", "system-release", "gentoo-release", "slackware-version"] {
        if let Some(line) = first(file) {
            return known(line, &release(line.split(' ').next().unwrap_or_default(), version_in(line)));
        }
    }
    for (file, name, id) in
        [("alpine-release", "Alpine Linux", "alpine"), ("debian_version", "Debian", "debian")]
    {
        if let Some(version) = first(file) {
            return known(&format!("{name} {version}"), &release(id, version));
        }
    }
    if first("present") == Some("arch") {
        return known("Arch Linux", "arch");
    }
    // The line above the login prompt, without what the terminal's program fills in (`\n \l`).
    let issue =
        first("issue").map(|l| l.split('\\').next().unwrap_or_default().trim()).filter(|l| !l.is_empty());
    if let Some(line) = issue.filter(|line| !version_in(line).is_empty()) {
        return known(line, &release(line.split(' ').next().unwrap_or_default(), version_in(line)));
    }
    if let Some(line) = first("uname") {
        let (system, version) = line.split_once(' ').unwrap_or((line, ""));
        return known(line, &release(system, version));
    }
    Err(unreadable("neither a release file nor uname names the system"))
}

/// `SUSE Linux Enterprise Server 11 (x86_64)`, with the patch level in a line of its own.
fn suse(text: &str, line: &str, known: impl Fn(&str, &str) -> Result<System, Gap>) -> Result<System, Gap> {
    let value = |key: &str| {
        let mut lines = part(text, "SuSE-release").filter_map(|l| l.split_once('='));
        lines.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim())
    };
    let named = line.split('(').next().unwrap_or(line).trim();
    let version = value("VERSION").unwrap_or_else(|| version_in(line));
    let level = value("PATCHLEVEL").filter(|level| *level != "0");
    let pretty = level.map_or_else(|| named.to_owned(), |level| format!("{named} SP{level}"));
    let id = if named.to_ascii_lowercase().contains("opensuse") { "opensuse" } else { "sles" };
    let release_of = level.map_or_else(|| version.to_owned(), |level| format!("{version}.{level}"));
    known(&pretty, &release(id, &release_of))
}

/// The first word of a line that starts with a digit, or with a `v` and a digit.
fn version_in(line: &str) -> &str {
    let words = line.split(' ').map(|w| w.strip_prefix('v').unwrap_or(w));
    words.into_iter().find(|w| w.starts_with(|c: char| c.is_ascii_digit())).unwrap_or_default()
}

/// The lines after `@NAME`, up to the next such line.
fn part<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let from = text.lines().skip_while(move |l| l.strip_prefix('@') != Some(name)).skip(1);
    from.take_while(|l| !l.starts_with('@'))
}

/// Distribution and release for comparing: `ubuntu 12.04`, `debian 6`, `centos 7`, `alpine 3.19`.
fn release(id: &str, version: &str) -> String {
    const MAJOR_ONLY: &[&str] = &[
        "debian",
        "rhel",
        "red",
        "centos",
        "rocky",
        "almalinux",
        "ol",
        "oracle",
        "scientific",
        "fedora",
        "amzn",
    ];
    let id = id.to_ascii_lowercase();
    let keep = if MAJOR_ONLY.contains(&id.as_str()) { 1 } else { 2 };
    let version: Vec<&str> = version.split('.').take(keep).collect();
    format!("{id} {}", version.join(".")).trim_end().to_owned()
}

/// A value as a shell would read it.
fn unquote(value: &str) -> Option<String> {
    shlex::split(value)?.into_iter().next()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> (String, String) {
        let os = parse(text).unwrap();
        (os.pretty.to_string(), os.release.to_string())
    }

    #[test]
    fn releases_of_many_years() {
        let cases = [
            // base-files of Ubuntu 12.04.2, 10.04.3, 14.04; Debian 12 and 6; CentOS 6 and 7; Arch; Alpine
            (
                "@kernel\n3.2.0-39-virtual\n@os-release\nNAME=\"Ubuntu\"\nVERSION=\"12.04.2 LTS, Precise Pangolin\"\nID=ubuntu\n\
                 ID_LIKE=debian\nPRETTY_NAME=\"Ubuntu precise (12.04.2 LTS)\"\nVERSION_ID=\"12.04\"\n@lsb-release\n\
                 DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=12.04\nDISTRIB_DESCRIPTION=\"Ubuntu 12.04.2 LTS\"\n@redhat-release\n",
                ("Ubuntu 12.04.2 LTS", "ubuntu 12.04"),
            ),
            (
                "@os-release\n@lsb-release\nDISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\nDISTRIB_CODENAME=lucid\n\
                 DISTRIB_DESCRIPTION=\"Ubuntu 10.04.3 LTS\"\n@debian_version\nsqueeze/sid\n",
                ("Ubuntu 10.04.3 LTS", "ubuntu 10.04"),
            ),
            (
                "@os-release\nID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
                ("Debian GNU/Linux 12 (bookworm)", "debian 12"),
            ),
            ("@debian_version\n6.0.10\n", ("Debian 6.0.10", "debian 6")),
            ("@redhat-release\nCentOS release 6.10 (Final)\n", ("CentOS release 6.10 (Final)", "centos 6")),
            (
                "@os-release\nID=\"centos\"\nVERSION_ID=\"7\"\nPRETTY_NAME=\"CentOS Linux 7 (Core)\"\n",
                ("CentOS Linux 7 (Core)", "centos 7"),
            ),
            ("@os-release\nID=arch\nPRETTY_NAME='Arch Linux'\n", ("Arch Linux", "arch")),
            ("@os-release\nID=alpine\nVERSION_ID=3.19.1\n", ("alpine 3.19.1", "alpine 3.19")),
        ];
        for (text, (pretty, release)) in cases {
            assert_eq!(read(text), (pretty.to_owned(), release.to_owned()));
        }
        assert_eq!(parse("@kernel\n5.4\n@os-release\nID=x\n").unwrap().kernel.unwrap().as_str(), "5.4");
    }

    /// Case 18: systems older than os-release, and others without it.
    #[test]
    fn systems_without_os_release() {
        let cases = [
            (
                "@SuSE-release\nSUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 3\n@issue\n\nWelcome to SUSE\n",
                ("SUSE Linux Enterprise Server 11 SP3", "sles 11.3"),
            ),
            (
                "@SuSE-release\nopenSUSE 13.1 (x86_64)\nVERSION = 13.1\nCODENAME = Bottle\n",
                ("openSUSE 13.1", "opensuse 13.1"),
            ),
            (
                "@redhat-release\nRed Hat Enterprise Linux Server release 5.11 (Tikanga)\n",
                ("Red Hat Enterprise Linux Server release 5.11 (Tikanga)", "red 5"),
            ),
            (
                "@system-release\nAmazon Linux AMI release 2018.03\n",
                ("Amazon Linux AMI release 2018.03", "amazon 2018.03"),
            ),
            ("@alpine-release\n2.7.9\n", ("Alpine Linux 2.7.9", "alpine 2.7")),
            (
                "@gentoo-release\nGentoo Base System release 2.2\n",
                ("Gentoo Base System release 2.2", "gentoo 2.2"),
            ),
            ("@slackware-version\nSlackware 14.2\n", ("Slackware 14.2", "slackware 14.2")),
            (
                "@openwrt_release\nDISTRIB_ID='OpenWrt'\nDISTRIB_RELEASE='15.05'\nDISTRIB_DESCRIPTION='OpenWrt Chaos Calmer 15.05'\n",
                ("OpenWrt Chaos Calmer 15.05", "openwrt 15.05"),
            ),
            ("@arch-release\n@present\narch\n@uname\nLinux 3.1\n", ("Arch Linux", "arch")),
            (
                "@issue\nMageia release 4 (Official) \\n \\l\n@uname\nLinux 3.1\n",
                ("Mageia release 4 (Official)", "mageia 4"),
            ),
            (
                "@issue\nAuthorized use only\n@uname\nFreeBSD 9.3-RELEASE\n",
                ("FreeBSD 9.3-RELEASE", "freebsd 9.3-RELEASE"),
            ),
            ("@uname\nOpenBSD 7.4\n", ("OpenBSD 7.4", "openbsd 7.4")),
        ];
        for (text, (pretty, release)) in cases {
            assert_eq!(read(text), (pretty.to_owned(), release.to_owned()), "{text}");
        }
    }

    #[test]
    fn no_release_file_is_unreadable() {
        for none in
            ["", "@kernel\n5.4\n@os-release\n@lsb-release\n@redhat-release\n@debian_version\n", "ID=x"]
        {
            assert!(matches!(parse(none), Err(Gap::Unreadable(_))), "{none:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "(@[a-z_-]{2,15}\n|ID=[ -~]{0,9}\n|DISTRIB_ID=\\PC{0,9}\n|\\PC)*") {
            let _ = parse(&text);
        }
    }
}
