//! The NFS server of a host that exports something: a stopped one leaves its clients hanging, and no process of theirs says why.
//!
//! `/etc/exports` says what is exported; threads of the kernel, a server in a process, or the open port say that something serves it.
//! None of it takes a process.

use crate::collect::probe::{HyphenatedProbe, ProbeCadence, Raw, ServiceProbe, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Figure, HostsOf, Service, ServiceKind, ServiceReading};

pub(super) static PROBE: HyphenatedProbe = HyphenatedProbe {
    section: "nfs_server",
    probe: ServiceProbe {
        kind: &ServiceKind {
            name: "nfs-server",
            hosts: HostsOf::Found { except: &[] },
            stopped: Severity::Warning,
            when_stopped: "Processes of its clients hang. Start it: service nfs-kernel-server start; on systems other than Debian its \
                           service is nfs-server. Where nothing is exported any more, empty /etc/exports.",
            rule: |_, _, _| {},
            short: |_| None,
        },
        script: SCRIPT,
        settings: |_| None,
        cadence: ProbeCadence::Slow,
        read,
    },
};

// 0801 is port 2049. A line that goes on after `\` counts twice, which changes no verdict.
const SCRIPT: &str = r#"
    jd_wanted="${jd_wanted}nfsd unfsd ganesha.nfsd "
    probe_nfs_server() {
        [ -s /etc/exports ] || return 0
        need /etc/exports || return
        nfs_server_text=$jd_out jd_out= nfs_server_n=0
        IFS=$NL
        set -- $nfs_server_text
        IFS=$jd_ifs
        for nfs_server_row in "$@"; do
            set -- $nfs_server_row
            case $1 in ''|'#'*) ;; *) nfs_server_n=$((nfs_server_n + 1)) ;; esac
        done
        [ "$nfs_server_n" -gt 0 ] || return 0
        say "@exports $nfs_server_n"
        jd_look
        case $jd_processes in
            *"${NL}nfsd /"*) say '@runs kernel'; return ;;
            *"${NL}unfsd /"*|*"${NL}ganesha.nfsd /"*) say '@runs process'; return ;;
        esac
        jd_listens 0801
        if [ -n "$jd_open" ]; then say '@runs port'
        elif [ -r /proc/1/comm ] && [ -r /proc/net/tcp ]; then say '@runs no'
        else say '@runs hidden'
        fi
    }
"#;

fn read(raw: &Raw) -> Result<Service, Gap> {
    let text = match raw.ok() {
        Ok(text) => text,
        // The file is not empty: that nobody may read it is said even where its exports were never known.
        Err(gap @ Gap::NotPermitted(_)) => {
            return Ok(Service {
                running: true,
                detail: "/etc/exports is there".into(),
                gaps: [("exports", gap)].into(),
                ..Service::default()
            });
        }
        Err(gap) => return Err(gap),
    };
    if text.trim().is_empty() {
        return Err(Gap::NotInstalled);
    }
    let mut lines = text.lines();
    let number = lines.next().and_then(|line| line.strip_prefix("@exports ")?.parse::<u64>().ok());
    let number = number.ok_or_else(|| unreadable(text))?;
    let entries = format!("{number} {}", if number == 1 { "entry" } else { "entries" });
    let service = |running, detail: String| Service {
        running,
        detail: detail.into(),
        readings: [ServiceReading { name: "exports", figure: Figure::count(number) }].into(),
        ..Service::default()
    };
    match lines.next().and_then(|line| line.strip_prefix("@runs ")) {
        Some("kernel") => Ok(service(true, format!("{entries} in /etc/exports, served by the kernel"))),
        Some("process") => Ok(service(true, format!("{entries} in /etc/exports, served by a process"))),
        Some("port") => Ok(service(true, format!("{entries} in /etc/exports, port 2049 is open"))),
        Some("no") => Ok(service(
            false,
            format!("/etc/exports has {entries}, nothing listens on port 2049, and no nfsd runs"),
        )),
        Some("hidden") => {
            let gap = Gap::NotPermitted("processes of other accounts are hidden".into());
            let mut service = service(true, format!("{entries} in /etc/exports"));
            service.gaps = [("server", gap)].into();
            Ok(service)
        }
        Some(_) | None => Err(unreadable(text)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use jumpdeck_fleet::fleet::Thresholds;

    fn of(text: &str) -> Result<Service, Gap> {
        super::read(&Raw { status: 0, text: text.to_owned() })
    }

    fn judged(text: &str) -> Vec<(Severity, String)> {
        let found = PROBE.probe.kind.findings(&of(text).unwrap(), &Thresholds::default());
        found.into_iter().map(|finding| (finding.severity, finding.message)).collect()
    }

    #[test]
    fn exports_that_nobody_serves_are_a_warning() {
        for served in ["kernel", "process", "port"] {
            assert_eq!(judged(&format!("@exports 2\n@runs {served}\n")), vec![]);
        }
        let found = judged("@exports 1\n@runs no\n");
        assert_eq!((found.len(), found[0].0), (1, Severity::Warning));
        assert!(
            found[0].1.starts_with("nfs-server is stopped: /etc/exports has 1 entry, nothing listens"),
            "{found:?}"
        );
        let found = judged("@exports 3\n@runs hidden\n");
        assert!(found.len() == 1 && found[0].0 == Severity::Unknown, "{found:?}");
    }

    #[test]
    fn exports_that_nobody_may_read_are_unknown() {
        let refused = Raw { status: 126, text: "/etc/exports: cannot be read\n".to_owned() };
        let found = PROBE.probe.kind.findings(&super::read(&refused).unwrap(), &Thresholds::default());
        assert_eq!((found.len(), found[0].severity), (1, Severity::Unknown));
        assert_eq!(found[0].message, "nfs-server exports not permitted: /etc/exports: cannot be read");
    }

    #[test]
    fn no_export_is_nothing_to_say_and_rubbish_is_unknown() {
        assert_eq!(of(""), Err(Gap::NotInstalled));
        for text in ["\x1b[2J", "@exports 1\n", "@exports x\n@runs no\n", "@exports 1\n@runs maybe\n"] {
            assert!(matches!(of(text), Err(Gap::Unreadable(_))), "{text}");
        }
    }
}
