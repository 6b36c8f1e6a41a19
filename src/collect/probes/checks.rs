//! Checks of the inventory's own: a command line each, run by `sh -c` under a time limit of its own, as the account that jumpdeck
//! logs in with. A plugin of a monitoring system is judged as that does, by its exit status; any other command by the one number
//! that it prints.
//!
//! An answer is kept until the check is due again, and how old it is comes with each report. What hangs is that check's own
//! answer. Where two hang, or a report is three seconds old, the rest waits for the next one, which begins with them.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use jumpdeck_fleet::backup::in_words;
use jumpdeck_fleet::check::{
    CheckLimits, CheckNumber, CheckRule, CheckVerdict, DeclaredCheck, PerfDatum, perfdata,
};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::checks::{AGE, MORE_FIGURES};
use jumpdeck_fleet::service::{Figure, Service, ServiceReading, Unit};
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

pub(super) struct Checks;

/// Seconds that an answer may be older than its check's time: a report may come late, and two that hang keep others waiting.
const LATE: u64 = 120;

impl Probe for Checks {
    fn name(&self) -> &'static str {
        "checks"
    }

    fn settings(&self, host: &Host) -> Option<String> {
        let mut out = format!("checks_count={}\n", host.checks.len());
        for (at, check) in (1..).zip(&host.checks) {
            let (key, every, limit) = (check.key(), check.every.as_secs(), check.timeout.as_secs());
            let line = shlex::try_quote(check.command.as_str()).ok()?;
            let _ = writeln!(
                out,
                "checks_key_{at}={key} checks_every_{at}={every} checks_limit_{at}={limit}\nchecks_line_{at}={line}"
            );
        }
        Some(out)
    }

    fn script(&self) -> &'static str {
        r#"
        checks_ask() {
            eval "checks_key=\$checks_key_$checks_n checks_line=\$checks_line_$checks_n"
            eval "checks_every=\$checks_every_$checks_n checks_limit=\$checks_limit_$checks_n"
            eval "checks_pid=\${checks_pid_$checks_n:-}"
            jd_got=
            if [ -n "$checks_pid" ] && kill -0 "$checks_pid"; then
                checks_status=123
            else
                checks_pid= checks_out=$jd_out jd_out=
                jd_ask "$checks_limit" 65536 sh -c "$checks_line"
                checks_status=$?
                # Its status was never read; it may go on.
                if [ -n "$jd_cut" ]; then checks_status=cut; jd_kill; fi
                # The tool to ask with, where that is missing.
                jd_got=$jd_got$jd_out jd_out=$checks_out
                if [ "$checks_status" = 124 ]; then checks_pid=$jd_pid checks_hung=$((checks_hung + 1)); fi
            fi
            [ "${#jd_got}" -le 8192 ] || jd_got=$(printf '%.8192s' "$jd_got")
            checks_kept="@check $checks_nonce $checks_key $checks_status $jd_begun$NL$jd_got$NL"
            checks_due=$((jd_begun + checks_every * 100))
            eval "checks_pid_$checks_n=\$checks_pid"
        }
        # Whether this report has time for one more, with all of its limit: cut short, it would seem to hang. The first one has what
        # there is. Where nobody knows the time, for one.
        checks_may() {
            [ "$checks_hung" -lt 2 ] || return 1
            if [ "$jd_begun" = 0 ]; then [ "$checks_asked" = 0 ]; return; fi
            eval "checks_limit=\$checks_limit_$checks_n"
            jd_share "$checks_limit"
            [ "$((jd_up - jd_begun))" -lt 300 ] || return 1
            [ "$checks_asked" = 0 ] || [ "$jd_seconds" -ge "$checks_limit" ]
        }
        probe_checks() {
            checks_n=$((${checks_first:-1} - 1)) checks_hung=0 checks_seen=0 checks_asked=0 checks_first=
            checks_nonce=${checks_nonce:-$jd_nonce}
            say "@up $jd_begun $checks_nonce"
            while [ "$checks_seen" -lt "$checks_count" ]; do
                checks_seen=$((checks_seen + 1)) checks_n=$((checks_n % checks_count + 1))
                eval "checks_kept=\${checks_kept_$checks_n:-} checks_due=\${checks_due_$checks_n:-0}"
                if [ "$jd_begun" = 0 ] || [ "$jd_begun" -ge "$checks_due" ]; then
                    if checks_may; then checks_asked=$((checks_asked + 1)); checks_ask
                    elif [ -z "$checks_first" ]; then checks_first=$checks_n
                    fi
                fi
                eval "checks_kept_$checks_n=\$checks_kept checks_due_$checks_n=\$checks_due"
                jd_out=$jd_out$checks_kept
            done
        }
        "#
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Every
    }

    fn applies(&self, host: &Host) -> bool {
        !host.checks.is_empty()
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        let found = raw.and_then(|raw| raw.ok().map(ChecksAnswer::read));
        for entry in facts.services.iter_mut() {
            let Some(declared) = entry.check().cloned() else { continue };
            let service = found.as_ref().map_err(Clone::clone).and_then(|found| found.service(&declared));
            entry.fact.take(service.map(Into::into), at);
        }
    }
}

/// What one check said.
#[derive(Debug)]
struct CheckAnswer<'a> {
    /// Its exit status, or one of [`Raw::status`]; `None`: its answer is too long, and nobody waited for its end.
    status: Option<u8>,
    /// Hundredths of a second since the host started, when it was asked.
    asked: u64,
    lines: Vec<&'a str>,
}

/// What the section found.
#[derive(Debug, Default)]
struct ChecksAnswer<'a> {
    /// Hundredths of a second since the host started.
    up: u64,
    answers: HashMap<&'a str, CheckAnswer<'a>>,
}

impl<'a> ChecksAnswer<'a> {
    fn read(text: &'a str) -> Self {
        let mut lines = text.lines();
        let first =
            lines.next().and_then(|line| line.strip_prefix("@up ")).and_then(|line| line.split_once(' '));
        let (up, nonce) = first.unwrap_or_default();
        let mut found = Self { up: up.parse().unwrap_or(0), ..Self::default() };
        let mut key = "";
        for line in lines {
            if let Some((head, answer)) = head(line, nonce) {
                key = head;
                found.answers.insert(key, answer);
            } else if let Some(answer) = found.answers.get_mut(key) {
                answer.lines.push(line);
            }
        }
        found
    }

    fn service(&self, declared: &DeclaredCheck) -> Result<Service, Gap> {
        let answer = self.answers.get(declared.key()).ok_or(Gap::NotAsked)?;
        let age = self.up.saturating_sub(answer.asked) / 100;
        if age > declared.every.as_secs().saturating_add(LATE) {
            let why = format!("its last answer is {} old: other checks of this host hang", in_words(age));
            return Err(Gap::Failed(Clean::new(&why)));
        }
        let program = declared.command.as_str().split_whitespace().next().unwrap_or_default();
        let status = answer.status.ok_or_else(|| Gap::Cut("its answer is longer than 64 KiB".into()))?;
        let said = match status {
            123 => return Err(Gap::Stuck),
            124 => return Err(Gap::TimedOut),
            126 => {
                return Err(Gap::NotPermitted(Clean::first_line(&format!("{program} may not be run"), 160)));
            }
            127 => return Err(Gap::NoTool(Clean::first_line(program, 160))),
            _ => match &declared.rule {
                CheckRule::Plugin => plugin(status, &answer.lines)?,
                CheckRule::Number(limits) => number(status, &answer.lines, limits)?,
            },
        };
        let age = Figure::Amount { value: age, of: None, unit: Unit::Seconds };
        let mut readings = vec![ServiceReading { name: AGE, figure: age }];
        if said.more > 0 {
            let figure = Figure::count(u64::try_from(said.more).unwrap_or(u64::MAX));
            readings.push(ServiceReading { name: MORE_FIGURES, figure });
        }
        Ok(Service {
            running: true,
            detail: said.text,
            readings: readings.into(),
            check: Some(Box::new(said.verdict)),
            ..Service::default()
        })
    }
}

/// What a check's answer means.
struct CheckSaid {
    text: Clean,
    verdict: CheckVerdict,
    /// Figures beyond those that are kept.
    more: usize,
}

/// `@check NONCE KEY STATUS ASKED`: no check knows the nonce, so none can speak for another.
fn head<'a>(line: &'a str, nonce: &str) -> Option<(&'a str, CheckAnswer<'a>)> {
    let words: Vec<&str> = line.strip_prefix("@check ")?.split(' ').collect();
    let &[its, key, status, asked] = words.as_slice() else { return None };
    if its != nonce || nonce.is_empty() {
        return None;
    }
    let status = if status == "cut" { None } else { Some(status.parse().ok()?) };
    Some((key, CheckAnswer { status, asked: asked.parse().ok()?, lines: Vec::new() }))
}

/// The Monitoring Plugins Development Guidelines: text before a `|`, figures behind it; on further lines text, and behind one more
/// `|` figures until the end.
fn plugin(status: u8, lines: &[&str]) -> Result<CheckSaid, Gap> {
    let (first, more) = lines.split_first().unwrap_or((&"", &[]));
    let (text, figures) = first.split_once('|').unwrap_or((first, ""));
    let text = Clean::first_line(text.trim(), 200);
    if text.is_empty() {
        let why = format!("it printed nothing and ended with status {status}: run its command on the host");
        return Err(Gap::Failed(Clean::new(&why)));
    }
    let severity = match status {
        0 => None,
        1 => Some(Severity::Warning),
        2 => Some(Severity::Critical),
        3 => return Err(Gap::Failed(Clean::new(&format!("the plugin does not know: {text}")))),
        _ => {
            let why = format!("ended with status {status}, which no plugin does: {text}");
            return Err(Gap::Failed(Clean::new(&why)));
        }
    };
    let further = more.join("\n");
    let further = further.split_once('|').map_or("", |(_, figures)| figures);
    let (figures, more) = perfdata(&format!("{figures} {further}"));
    Ok(CheckSaid { text, verdict: CheckVerdict { severity, figures: figures.into() }, more })
}

/// One number, and nothing else.
fn number(status: u8, lines: &[&str], limits: &CheckLimits) -> Result<CheckSaid, Gap> {
    let said: Vec<&str> = lines.iter().copied().filter(|line| !line.trim().is_empty()).collect();
    if status != 0 {
        let said = said.first().map(|line| format!(": {line}")).unwrap_or_default();
        return Err(Gap::Failed(Clean::first_line(&format!("ended with status {status}{said}"), 200)));
    }
    let &[line] = said.as_slice() else {
        return Err(unreadable(&format!("{} lines instead of one number", said.len())));
    };
    let value = CheckNumber::parse(line.trim()).ok_or_else(|| unreadable(&format!("no number: {line}")))?;
    let severity = limits.severity(value);
    let text = match severity {
        None => value.to_string(),
        Some(_) => format!("{value} ({limits})"),
    };
    let datum = PerfDatum {
        label: Clean::new("value"),
        value,
        unit: Clean::default(),
        limits: limits.clone(),
        min: None,
        max: None,
    };
    let verdict = CheckVerdict { severity, figures: [datum].into() };
    Ok(CheckSaid { text: Clean::new(&text), verdict, more: 0 })
}

#[cfg(test)]
mod tests;
