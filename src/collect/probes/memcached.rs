//! Memcached: whether it runs, its memory, hits and evictions, its connections, and where it listens.
//!
//! The server is asked `stats` in its own words over TCP, by whichever of `nc` and `bash` the host has. Where it is asked, and whether it
//! can be reached at a public address, the kernel's list of open ports says. Only where no process is found is it stopped.
//!
//! While its process is there it is asked with every sixth report: the two processes of a question cost a host more than all the rest
//! of a report.

use crate::collect::probe::{ProbeCadence, ServiceProbe};
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{HostsOf, ServiceKind};

mod answer;
mod rule;

pub(super) static PROBE: ServiceProbe = ServiceProbe {
    kind: &ServiceKind {
        name: "memcached",
        hosts: HostsOf::Roles(&["memcache", "sessions"]),
        stopped: Severity::Critical,
        when_stopped: "Look at its log, then start it: service memcached start.",
        rule: rule::rule,
        short: |_| None,
    },
    script: SCRIPT,
    // A cache may throw away what is old; a session that is thrown away logs somebody out.
    settings: |host| host.has_role("sessions").then(|| "memcached_holds=sessions\n".to_owned()),
    cadence: ProbeCadence::Every,
    read: answer::read,
};

// `quit` lets the server close the connection, for which every nc waits. Only the lines that are read are sent.
const SCRIPT: &str = r#"
    jd_wanted="${jd_wanted}memcached "
    memcached_at= memcached_wait=0 memcached_before= memcached_kept=
    memcached_is() { return 0; }
    memcached_question() { printf 'stats\r\nstats settings\r\nquit\r\n'; }
    memcached_run() {
        if [ "$memcached_client" = nc ]; then
            memcached_question | nc "$memcached_host" 11211 2>&1
        else
            memcached_question | bash -c 'exec 3<>"/dev/tcp/$1/11211" && cat >&3 && exec cat <&3' bash "$memcached_host" 2>&1
        fi
    }
    probe_memcached() {
        jd_process="id ${memcached_at##*/}"
        if ! jd_still "$memcached_at" memcached; then
            jd_seek memcached_is memcached
            memcached_at=$jd_at
        fi
        if [ "$memcached_wait" -gt 0 ] && [ "$jd_process" = "$memcached_before" ]; then
            memcached_wait=$((memcached_wait - 1))
            jd_out=$memcached_kept
            return 0
        fi
        memcached_wait=0
        jd_listens 2BCB
        memcached_host=127.0.0.1
        case " $jd_open" in *' * '*|*' 127.0.0.1 '*|' ') ;; *) memcached_host=${jd_open%% *} ;; esac
        memcached_client=nc
        command -v nc > /dev/null || memcached_client=bash
        memcached_status=127 jd_got=
        if command -v "$memcached_client" > /dev/null; then
            jd_ask 2 16384 memcached_run
            memcached_status=$?
        fi
        say "@process $jd_process"
        say "@status $memcached_status $memcached_host"
        say "@open $jd_open"
        say "@holds $memcached_holds"
        case $NL$jd_got in *"${NL}STAT "*) ;; *) say "$jd_got"; return 0 ;; esac
        IFS=$NL
        set -- $jd_got
        IFS=$jd_ifs
        for memcached_line in "$@"; do
            case $memcached_line in
                'STAT version '*|'STAT uptime '*|'STAT bytes '*|'STAT limit_maxbytes '*|'STAT get_'*|'STAT evictions '*) ;;
                'STAT curr_'*|'STAT max_connections '*|'STAT maxconns '*) ;;
                *) continue ;;
            esac
            say "$memcached_line"
        done
        case $jd_process in id*) memcached_wait=5 memcached_before=$jd_process memcached_kept=$jd_out ;; esac
    }
"#;

#[cfg(test)]
mod tests;
