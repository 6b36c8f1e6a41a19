//! The operating system: distribution, release, kernel.

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use crate::domain::fact::Gap;
use crate::domain::snapshot::{HostFacts, Os as System};
use crate::domain::text::Clean;
use crate::domain::time::Moment;

pub(super) struct Os;

impl Probe for Os {
    fn name(&self) -> &'static str {
        "os"
    }

    fn script(&self) -> &'static str {
        // os-release is not everywhere (not on Ubuntu 10.04, Debian 6, CentOS 6).
        r#"
        probe_os() {
            say @kernel
            slurp /proc/sys/kernel/osrelease || say "$(uname -r)"
            say @os-release
            slurp /etc/os-release || slurp /usr/lib/os-release
            say @lsb-release
            slurp /etc/lsb-release
            say @redhat-release
            slurp /etc/redhat-release
            say @debian_version
            slurp /etc/debian_version || :
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
    let first = |name: &'static str| part(text, name).next().map(str::trim).filter(|l: &&str| !l.is_empty());
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
    if let (Some(id), Some(version)) =
        (value("lsb-release", "DISTRIB_ID"), value("lsb-release", "DISTRIB_RELEASE"))
    {
        return known(&described.unwrap_or_else(|| format!("{id} {version}")), &release(&id, &version));
    }
    if let Some(line) = first("redhat-release") {
        let id = line.split(' ').next().unwrap_or_default();
        let version =
            line.split(' ').find(|w| w.starts_with(|c: char| c.is_ascii_digit())).unwrap_or_default();
        return known(line, &release(id, version));
    }
    if let Some(version) = first("debian_version") {
        return known(&format!("Debian {version}"), &release("debian", version));
    }
    Err(unreadable("no release file says which system this is"))
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
