//! Monit: whether its daemon runs. Any host may have it, so it is shown where its program is found. What it watches is asked of the
//! services themselves.

use crate::collect::probe::{ProbeCadence, Raw, ServiceProbe, ServiceProcess};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{HostsOf, Service, ServiceKind};
use jumpdeck_fleet::text::Clean;

pub(super) static PROBE: ServiceProbe = ServiceProbe {
    kind: &ServiceKind {
        name: "monit",
        hosts: HostsOf::Found { except: &[] },
        // What it watches runs on.
        stopped: Severity::Warning,
        when_stopped: "Nothing on this host is started again when it fails. Start it: service monit start. Where it is not meant to run, \
                       write services.monit = false in the inventory.",
        rule: |_, _, _| {},
        short: |_| None,
    },
    script: SCRIPT,
    settings: |_| None,
    cadence: ProbeCadence::Slow,
    read,
};

// The same program asks the daemon: `monit summary` is none.
const SCRIPT: &str = r#"
    jd_wanted="${jd_wanted}monit "
    monit_at=
    monit_is() { case $jd_line in *summary*|*status*|*report*|*procmatch*) return 1 ;; esac; }
    probe_monit() {
        # It is not run: whether this account may does not matter.
        command -v monit > /dev/null || barred monit || { say @absent; return 0; }
        jd_process="id ${monit_at##*/}"
        if ! jd_still "$monit_at" monit; then
            jd_seek monit_is monit
            monit_at=$jd_at
        fi
        say "@process $jd_process"
    }
"#;

fn read(raw: &Raw) -> Result<Service, Gap> {
    let text = raw.ok()?;
    if text.trim() == "@absent" {
        return Err(Gap::NotInstalled);
    }
    match ServiceProcess::read(text)? {
        ServiceProcess::Runs(process) => {
            let detail = Clean::first_line(&format!("process {process}"), 120);
            Ok(Service { running: true, detail, ..Service::default() })
        }
        ServiceProcess::Absent => {
            Ok(Service { detail: "no process of its daemon runs".into(), ..Service::default() })
        }
        // Its program is there: that nobody sees the daemon is said even where it was never seen.
        ServiceProcess::Hidden => Ok(Service {
            running: true,
            detail: "its program is installed".into(),
            gaps: [("daemon", Gap::NotPermitted("processes of other accounts are hidden".into()))].into(),
            ..Service::default()
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn answer(text: &str) -> Result<Service, Gap> {
        read(&Raw { status: 0, text: text.to_owned() })
    }

    #[test]
    fn only_a_process_is_one_that_runs() {
        assert!(answer("@process id 812\n").unwrap().running);
        assert!(!answer("@process \n").unwrap().running);
        let hidden = PROBE.kind.findings(&answer("@process hidden\n").unwrap(), &Default::default());
        let [one] = hidden.as_slice() else { unreachable!("{hidden:?}") };
        assert_eq!(one.severity, Severity::Unknown);
        assert_eq!(one.message, "monit daemon not permitted: processes of other accounts are hidden");
        assert_eq!(answer("@absent\n"), Err(Gap::NotInstalled));
        for garbage in ["", "monit", "@process 812", "@processes id 1"] {
            assert!(matches!(answer(garbage), Err(Gap::Unreadable(_))), "{garbage}");
        }
    }

    #[test]
    fn a_daemon_that_is_stopped_is_a_warning_with_the_next_step() {
        let found = PROBE.kind.findings(&answer("@process \n").unwrap(), &Default::default());
        let [one] = found.as_slice() else { unreachable!("{found:?}") };
        assert_eq!(one.severity, Severity::Warning);
        assert!(
            one.message.starts_with("monit is stopped: no process of its daemon runs. "),
            "{}",
            one.message
        );
        assert!(
            one.message.contains("service monit start") && one.message.contains("services.monit = false")
        );
    }
}
