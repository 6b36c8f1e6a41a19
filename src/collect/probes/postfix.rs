//! Postfix: whether it runs, how much mail waits, since when and why.
//!
//! `postqueue` asks Postfix for its queue; that the account may not ask is no proof that nothing runs, so the process table is
//! looked through with every report. The queue itself is read every sixth time, and at once when the master process came or went.
//! Of a long queue only the beginning is read, and its number is the last line of `postqueue -p`.

use crate::collect::probe::{ProbeCadence, Raw, ServiceProbe, ServiceProcess};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Thresholds;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Figure, Finding, HostsOf, Service, ServiceKind, ServiceReading, Unit};
use jumpdeck_fleet::text::Clean;

use super::mail_queue;

mod queue;

use queue::{Message, QueuePlace, QueueWords, said};

pub(super) static PROBE: ServiceProbe = ServiceProbe {
    kind: &ServiceKind {
        name: "postfix",
        hosts: HostsOf::Roles(&["mail"]),
        stopped: Severity::Critical,
        when_stopped: "Look at its log, then start it: service postfix start.",
        rule,
        short: |_| None,
    },
    script: SCRIPT,
    settings: |_| None,
    cadence: ProbeCadence::Every,
    read,
};

// Postfix before 3.1 has no `postqueue -j`.
const SCRIPT: &str = r#"
    jd_wanted="${jd_wanted}master "
    postfix_wait=0 postfix_form=-j postfix_before= postfix_kept= postfix_at=
    postfix_list() {
        date '+@now %s %Y-%m-%d %H:%M:%S'
        postqueue "$postfix_form" 2>&1
    }
    postfix_count() { postqueue -p | tail -n 1; }
    postfix_is() { case $jd_line in *postfix*) ;; *) return 1 ;; esac; }
    postfix_look() {
        jd_process="id ${postfix_at##*/}"
        ! jd_still "$postfix_at" master || return
        jd_seek postfix_is master
        postfix_at=$jd_at
    }
    postfix_ask() {
        jd_ask 4 32768 postfix_list
        postfix_status=$?
        case $postfix_status in 124|126|127) return "$postfix_status" ;; esac
        case $postfix_form$jd_got in
            -j*'invalid option'*|-j*'illegal option'*|-j*'unknown option'*)
                postfix_form=-p
                postfix_ask
                return ;;
        esac
    }
    probe_postfix() {
        ! lacks postqueue || return 127
        postfix_look
        if [ "$postfix_wait" -gt 0 ] && [ "$jd_process" = "$postfix_before" ]; then
            postfix_wait=$((postfix_wait - 1))
            jd_out=$postfix_kept
            return 0
        fi
        postfix_before=$jd_process postfix_wait=0
        postfix_ask || { postfix_status=$?; say postqueue; return "$postfix_status"; }
        case $jd_process in id*) postfix_wait=5 ;; esac
        # Each question to a Postfix that is down is a line in its log.
        case $jd_got in *'ail system is down'*) postfix_wait=5 ;; esac
        say "@process $jd_process"
        say "@status $postfix_status"
        if [ -n "$jd_cut" ]; then
            postfix_listed=$jd_got
            jd_ask 3 4096 postfix_count
            say "@cut ${jd_got%"$NL"}"
            jd_got=$postfix_listed postfix_wait=24
        fi
        say "$jd_got"
        postfix_kept=$jd_out
    }
"#;

fn read(raw: &Raw) -> Result<Service, Gap> {
    let said = said(raw.ok()?)?;
    if let Some(down) = &said.down {
        return stopped(&said, down);
    }
    if let Some(fatal) = &said.fatal {
        if said.process == ServiceProcess::Absent {
            return stopped(&said, fatal);
        }
        return Err(
            if fatal.as_str().contains("not allowed") || fatal.as_str().contains("ermission denied") {
                Gap::NotPermitted(fatal.clone())
            } else {
                Gap::Failed(fatal.clone())
            },
        );
    }
    if said.status != 0 {
        return Err(Gap::Failed(format!("postqueue ended with status {}", said.status).into()));
    }
    Ok(queue(&said))
}

/// `postqueue` could not reach Postfix: what the process table says to that.
fn stopped(said: &QueueWords, why: &Clean) -> Result<Service, Gap> {
    let nobody_listens =
        ["Connection refused", "No such file"].iter().any(|words| why.as_str().contains(words));
    let (process, refusal) = match &said.process {
        // Its socket is the host's own: it is nowhere else.
        ServiceProcess::Hidden if nobody_listens => (&ServiceProcess::Absent, why.as_str()),
        ServiceProcess::Absent => (&said.process, "postqueue cannot reach it"),
        ServiceProcess::Hidden | ServiceProcess::Runs(_) => (&said.process, why.as_str()),
    };
    let mut service = process.refused(refusal, "master process of postfix")?;
    let waiting = said.number();
    if waiting > 0 {
        let waiting = format!("{}; {}{waiting} messages wait in its queue", service.detail, said.at_least());
        service.detail = waiting.into();
    }
    Ok(service)
}

fn queue(said: &QueueWords) -> Service {
    let number = said.number();
    let count = |keep: fn(&Message) -> bool| {
        u64::try_from(said.messages.iter().filter(|message| keep(message)).count()).unwrap_or(u64::MAX)
    };
    let mut readings = vec![ServiceReading { name: "queue", figure: Figure::count(number) }];
    let mut gaps = Vec::new();
    let mut add = |name, figure| readings.push(ServiceReading { name, figure });
    add("deferred", Figure::count(count(|m| m.place == QueuePlace::Deferred)));
    add("hold", Figure::count(count(|m| m.place == QueuePlace::Hold)));
    // What is on hold waits for an operator.
    let ages = said.messages.iter().filter(|m| m.place != QueuePlace::Hold).filter_map(|m| m.age);
    mail_queue::add_ages(ages, &mut readings);
    let mut add = |name, figure| readings.push(ServiceReading { name, figure });
    if let Some((reason, times)) = mail_queue::most_frequent(said.reasons()) {
        add("reason", Figure::text(reason));
        add("reason_count", Figure::count(times));
    }
    if said.messages.iter().any(|message| message.age.is_none()) {
        gaps.push(("oldest", Gap::Unreadable("a message has no time of arrival, or the host none".into())));
    }
    if said.cut {
        let listed = u64::try_from(said.messages.len()).unwrap_or(u64::MAX);
        add("listed", Figure::Amount { value: listed, of: said.total, unit: Unit::Count });
        if said.total.is_none() {
            gaps.push(("number of messages", Gap::Cut("32 KiB of the queue".into())));
        }
    }
    let detail = mail_queue::waiting(number, said.at_least());
    Service {
        running: true,
        detail: detail.into(),
        readings: readings.into(),
        gaps: gaps.into(),
        ..Service::default()
    }
}

fn rule(service: &Service, _: &Thresholds, found: &mut Vec<Finding>) {
    mail_queue::rule("postfix", "postqueue -p", service, found);
}

#[cfg(test)]
mod tests;
