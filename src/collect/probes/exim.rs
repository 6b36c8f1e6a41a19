//! Exim: whether its daemon runs, how much mail waits, how much of it is frozen, since when and why.
//!
//! Any host may have it, so it is shown where its program is found. The daemon is looked for with every report; the queue is read every
//! sixth time, and at once when the daemon came or went. Its number is exact; of a long queue only the oldest messages are listed. Only root, and
//! members of Exim's admin group, may see a queue.

use crate::collect::probe::{ProbeCadence, Raw, ServiceProbe, ServiceProcess};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Thresholds;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Figure, Finding, HostsOf, Service, ServiceKind, ServiceReading, Unit};
use jumpdeck_fleet::text::Clean;

use super::mail_queue;

mod queue;

use queue::EximQueue;

pub(super) static PROBE: ServiceProbe = ServiceProbe {
    kind: &ServiceKind {
        name: "exim",
        // Those have Postfix.
        hosts: HostsOf::Found { except: &["mail"] },
        // Mail that the host itself sends is delivered without the daemon, as long as the first attempt succeeds.
        stopped: Severity::Warning,
        when_stopped: "Mail that is not delivered at once is not tried again. Start it: service exim4 start; on systems other \
                       than Debian its service is exim. Where cron runs its queue instead, write services.exim = false in the inventory.",
        rule,
        short: |_| None,
    },
    script: SCRIPT,
    settings: |_| None,
    cadence: ProbeCadence::Every,
    read,
};

// The daemon listens (-bd), or runs the queue again and again (-q30m). Other processes of Exim deliver one message.
const SCRIPT: &str = r#"
    jd_wanted="${jd_wanted}exim4 exim "
    exim_wait=0 exim_before= exim_kept= exim_at=
    exim_is() {
        case $jd_line in *-M[A-Za-z]*) return 1 ;; *-bd*|*-q[0-9]*) ;; *) return 1 ;; esac
    }
    exim_look() {
        jd_process="id ${exim_at##*/}"
        ! jd_still "$exim_at" "${exim_program##*/}" || return
        jd_seek exim_is exim4 exim
        exim_at=$jd_at
    }
    # sudo cannot run a limit of the shell's own.
    exim_run() {
        if [ -n "$SUDO" ] && [ "$LIMIT" != jd_bounded ]; then $SUDO $LIMIT 3 "$exim_program" "$@" 2>&1
        else "$exim_program" "$@" 2>&1
        fi
    }
    # The number costs no look into a message.
    exim_list() {
        exim_number=$(exim_run -bpc) || { exim_failed=$?; echo "$exim_number"; return "$exim_failed"; }
        echo "@count $exim_number"
        [ "$exim_number" = 0 ] || exim_run -bp
    }
    exim_logs() { for exim_id in $exim_oldest; do exim_run -Mvl "$exim_id"; echo @next; done; }
    # The ids of the oldest three that are tried: why they wait is in a log of their own.
    exim_choose() {
        exim_oldest= exim_n=0
        IFS=$NL
        set -- $jd_got
        IFS=$jd_ifs
        for exim_row in "$@"; do
            case $exim_row in *'*** frozen ***'*|'          '*) continue ;; *' <'*) ;; *) continue ;; esac
            exim_id=${exim_row%%' <'*}
            exim_id=${exim_id##* }
            case $exim_id in ''|-*|*[!0-9A-Za-z-]*) continue ;; esac
            exim_oldest="$exim_oldest$exim_id " exim_n=$((exim_n + 1))
            [ "$exim_n" -lt 3 ] || break
        done
    }
    probe_exim() {
        exim_program=exim4
        command -v exim4 > /dev/null || exim_program=exim
        if ! command -v "$exim_program" > /dev/null; then
            barred exim4 exim || { say @absent; return 0; }
            exim_program=$jd_barred
        fi
        exim_look
        if [ "$exim_wait" -gt 0 ] && [ "$jd_process" = "$exim_before" ]; then
            exim_wait=$((exim_wait - 1))
            jd_out=$exim_kept
            return 0
        fi
        exim_before=$jd_process exim_wait=5
        jd_ask 4 32768 exim_list
        exim_status=$?
        # What dash says of a program that it may not run.
        case $exim_status$jd_got in 127*ermission*) exim_status=126 ;; esac
        say "@process $jd_process"
        say "@status $exim_status $jd_cut"
        say "$jd_got"
        exim_choose
        if [ "$exim_status" = 0 ] && [ -n "$exim_oldest" ]; then
            jd_ask 3 16384 exim_logs
            say "@why$NL$jd_got"
        fi
        exim_kept=$jd_out
    }
"#;

/// Bounces that nobody accepts are frozen, and Exim deletes them after a week. That many come from a program that sends to wrong
/// addresses, or from somebody who abuses the host.
const MANY_FROZEN: u64 = 50;

fn read(raw: &Raw) -> Result<Service, Gap> {
    let text = raw.ok()?;
    if text.trim() == "@absent" {
        return Err(Gap::NotInstalled);
    }
    let queue = EximQueue::read(text)?;
    // It went while a shell remembered where it is.
    if queue.status == 127 && !matches!(queue.process, ServiceProcess::Runs(_)) {
        return Err(Gap::NotInstalled);
    }
    let mut service = match queue.messages() {
        Ok(()) => figures(&queue),
        Err(gap) => Service {
            running: true,
            detail: "its queue is unknown".into(),
            gaps: [("queue", gap)].into(),
            ..Service::default()
        },
    };
    match &queue.process {
        ServiceProcess::Runs(_) => {}
        ServiceProcess::Hidden => {
            let hidden = Gap::NotPermitted("processes of other accounts are hidden".into());
            service.gaps = service.gaps.into_iter().chain([("daemon", hidden)]).collect();
        }
        ServiceProcess::Absent => {
            let wait = queue.number.filter(|number| *number > 0).map_or(String::new(), |number| {
                format!("; in its queue {}", mail_queue::waiting(number, ""))
            });
            service.running = false;
            service.detail = Clean::first_line(&format!("no process of its daemon runs{wait}"), 160);
        }
    }
    Ok(service)
}

fn figures(queue: &EximQueue) -> Service {
    let number = queue.number.unwrap_or(0);
    let mut readings = vec![ServiceReading { name: "queue", figure: Figure::count(number) }];
    let frozen = queue.messages.iter().filter(|message| message.frozen).count();
    let frozen = Figure::count(u64::try_from(frozen).unwrap_or(u64::MAX));
    readings.push(ServiceReading { name: "frozen", figure: frozen });
    let tried = queue.messages.iter().filter(|message| !message.frozen);
    mail_queue::add_ages(tried.map(|message| message.age), &mut readings);
    if let Some((reason, _)) = mail_queue::most_frequent(queue.reasons.iter().map(Clean::as_str)) {
        readings.push(ServiceReading { name: "reason", figure: Figure::Text(reason.into()) });
    }
    if queue.cut {
        let value = u64::try_from(queue.messages.len()).unwrap_or(u64::MAX);
        let figure = Figure::Amount { value, of: Some(number), unit: Unit::Count };
        readings.push(ServiceReading { name: "listed", figure });
    }
    let detail = mail_queue::waiting(number, "").into();
    Service { running: true, detail, readings: readings.into(), ..Service::default() }
}

fn rule(service: &Service, _: &Thresholds, found: &mut Vec<Finding>) {
    mail_queue::rule("exim", "exim -bp", service, found);
    if let Some(frozen) = service.amount("frozen").filter(|frozen| *frozen > MANY_FROZEN) {
        let message = format!(
            "exim: {frozen} messages are frozen, mostly bounces that nobody accepts. See who sends them: exiqgrep -z."
        );
        found.push(Finding::of("frozen", Severity::Warning, message));
    }
}

#[cfg(test)]
mod tests;
