//! Whether the services run that the inventory names: as units of systemd, and else as processes.
//!
//! A service that was found is looked at again by its process alone: a file each. Only one that is not found costs a look through the
//! process table, and a question to systemd, which knows why. Where processes are hidden, and systemd does not know either, nobody
//! can tell; where neither a unit nor a process nor a script of that name is there, it is not installed.
//!
//! Of several processes of one name the service is the one that none of them began. Where it was killed and no systemd ends the others,
//! they go on: pages come, but nothing can start, stop or renew them. They are known by their group, whose first process is gone.

use std::collections::HashMap;
use std::sync::Arc;

use crate::collect::probe::{Probe, ProbeCadence, Raw};
use jumpdeck_fleet::declared::DeclaredService;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::service::{Figure, Service, ServiceReading, UNIT};
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

pub(super) struct Units;

impl Probe for Units {
    fn name(&self) -> &'static str {
        "units"
    }

    fn settings(&self, host: &Host) -> Option<String> {
        // Checked by the inventory: no character in it means anything to a shell.
        let row = |s: &DeclaredService| {
            let part = s.command_line.as_deref().unwrap_or_default();
            format!("{}={part}={}={}", s.name, s.units.join(","), s.processes.join(","))
        };
        let rows: Vec<String> =
            host.services.iter().filter(|service| has_process(service)).map(|service| row(service)).collect();
        Some(format!("units_wanted='{}'\n", rows.join(" ")))
    }

    fn script(&self) -> &'static str {
        r#"
        for units_row in $units_wanted; do
            units_names=${units_row##*=}
            IFS=,; set -- $units_names; IFS=$jd_ifs
            for units_name in "$@"; do jd_wanted="$jd_wanted$units_name "; done
        done
        # The first process of the unit. What it is called is remembered, so that another one with its number is not taken for it.
        units_by_unit() {
            [ -d /run/systemd/system ] || return 1
            IFS=,; set -- $units_units; IFS=$jd_ifs
            for units_unit in "$@"; do
                for units_tree in /sys/fs/cgroup /sys/fs/cgroup/systemd; do
                    units_pid=
                    IFS= read -r units_pid < "$units_tree/system.slice/$units_unit.service/cgroup.procs" || continue
                    case $units_pid in ''|*[!0-9]*) continue ;; esac
                    units_at=/proc/$units_pid
                    IFS= read -r units_comm < "$units_at/comm" && return
                done
            done
            return 1
        }
        # Of the processes with one of the names those whose command line has the part. One without a command line is a thread of the
        # kernel, one that ends, or one that this account may not look at.
        units_with_part() {
            units_table=$NL
            IFS=,; set -- $units_names; IFS=$jd_ifs
            for units_comm in "$@"; do
                units_rest=$jd_processes
                while :; do
                    case $units_rest in *"$NL$units_comm /"*) ;; *) break ;; esac
                    units_rest=${units_rest#*"$NL$units_comm /"}
                    units_at=/${units_rest%%"$NL"*}
                    units_rest=$NL${units_rest#*"$NL"}
                    units_line=
                    IFS= read -r units_line < "$units_at/cmdline"
                    case $units_line in
                        *"$units_part"*) units_table="$units_table$units_comm $units_at$NL" ;;
                        '') [ -r "$units_at/cmdline" ] || units_unseen=yes ;;
                    esac
                done
            done
        }
        # Their group is left in units_group, and how many they are in units_left, where the main process is gone.
        units_by_process() {
            jd_look
            units_left=0 units_table=$jd_processes
            [ -z "$units_part" ] || units_with_part
            IFS=,; set -- $units_names; IFS=$jd_ifs
            for units_comm in "$@"; do
                units_rest=$units_table
                while :; do
                    case $units_rest in *"$NL$units_comm /"*) ;; *) break ;; esac
                    units_rest=${units_rest#*"$NL$units_comm /"}
                    units_at=/${units_rest%%"$NL"*}
                    units_rest=$NL${units_rest#*"$NL"}
                    units_line=
                    IFS= read -r units_line < "$units_at/stat"
                    # State, parent, group.
                    set -- ${units_line##*') '}
                    case $units_table in *"$NL$units_comm ${units_at%/*}/${2:-none}$NL"*) continue ;; esac
                    if [ "${3:-0}" = 0 ] || [ "$3" = "${units_at##*/}" ] || [ -e "${units_at%/*}/$3" ]; then return 0; fi
                    if [ "$units_left" -gt 0 ] && [ "$3" != "$units_group" ]; then return 0; fi
                    units_left=$((units_left + 1)) units_group=$3 units_first=$units_at
                done
                # One alone may be a daemon whose starter ended.
                case $units_left in 0) ;; 1) units_at=$units_first; return 0 ;; *) return 1 ;; esac
            done
            return 1
        }
        # Whether a script of another init system would start it.
        units_installed() {
            IFS=,; set -- $units_units; IFS=$jd_ifs
            for units_unit in "$@"; do
                if [ -e "/etc/init.d/$units_unit" ] || [ -e "/etc/init/$units_unit.conf" ]; then return 0; fi
            done
            return 1
        }
        units_show() { systemctl show --property=Id,LoadState,ActiveState,SubState,Result,ExecMainStatus -- "$@"; }
        probe_units() {
            units_n=0 units_ask= units_unseen=
            for units_row in $units_wanted; do
                units_n=$((units_n + 1))
                units_service=${units_row%%=*} units_rest=${units_row#*=} units_names=${units_row##*=}
                units_part=${units_rest%%=*} units_units=${units_rest#*=}
                units_units=${units_units%%=*}
                eval "units_at=\${units_at_$units_n:-} units_comm=\${units_comm_$units_n:-}"
                if jd_still "$units_at" "$units_comm" || units_by_unit || units_by_process; then
                    say "runs $units_service ${units_at##*/} $units_comm"
                else
                    if units_installed; then units_found=$units_unit; else units_found=; fi
                    if [ "$units_left" -gt 0 ]; then
                        say "alone $units_service $units_group $units_left ${units_found:-$units_comm}"
                    elif [ -n "$units_found" ]; then
                        say "stopped $units_service $units_found"
                    else
                        say "missing $units_service"
                    fi
                    units_at= units_comm=
                    units_ask="$units_ask$units_units,"
                fi
                eval "units_at_$units_n=\$units_at units_comm_$units_n=\$units_comm"
            done
            [ -n "$units_ask" ] || return 0
            if [ ! -r /proc/1/comm ] || [ -n "$units_unseen" ]; then say @hidden; fi
            [ -d /run/systemd/system ] || return 0
            if lacks systemctl; then return 0; fi
            IFS=,; set -- $units_ask; IFS=$jd_ifs
            for units_unit in "$@"; do
                shift
                set -- "$@" "$units_unit.service"
            done
            jd_ask 3 65536 units_show "$@"
            say "@systemd $?$NL$jd_got"
        }
        "#
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Every
    }

    fn applies(&self, host: &Host) -> bool {
        host.services.iter().any(|service| has_process(service))
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        let found = raw.and_then(|raw| raw.ok().map(UnitsAnswer::read));
        for entry in facts.services.iter_mut() {
            let Some(declared) = entry.declared().filter(|service| has_process(service)).cloned() else {
                continue;
            };
            let service = found.as_ref().map_err(Clone::clone).and_then(|found| found.service(&declared));
            let service = service.map(|service| with_figures(service, entry.fact.last()));
            entry.fact.take(service.map(Into::into), at);
        }
    }
}

/// A service that runs keeps the figures that its status page showed: that is asked less often.
fn with_figures(service: Service, before: Option<&Arc<Service>>) -> Service {
    match before.filter(|before| before.running && service.running) {
        Some(before) => Service { readings: before.readings.clone(), gaps: before.gaps.clone(), ..service },
        None => service,
    }
}

/// Whether the inventory says what to look for: a service with a probe of its own needs no more than roles.
fn has_process(declared: &DeclaredService) -> bool {
    !declared.units.is_empty() || !declared.processes.is_empty()
}

/// Where a service is, as the section says.
#[derive(Debug, Clone, Copy)]
enum ProcessState<'a> {
    /// Its process: number and name.
    Runs(&'a str, &'a str),
    /// Processes that their main one left behind: their group, how many, and the unit that starts it.
    Alone(u32, u32, &'a str),
    /// No process; this script of an init system is there.
    Stopped(&'a str),
    /// No process, and no script.
    Missing,
}

/// What the section found.
#[derive(Debug, Default)]
struct UnitsAnswer<'a> {
    places: HashMap<&'a str, ProcessState<'a>>,
    /// Processes of others are hidden.
    hidden: bool,
    /// What systemd said of its units; a gap where it could not be asked.
    systemd: Option<Result<Vec<SystemdUnit<'a>>, Gap>>,
}

/// A unit as `systemctl show` describes it.
#[derive(Debug, Clone, Copy, Default)]
struct SystemdUnit<'a> {
    id: &'a str,
    load: &'a str,
    active: &'a str,
    sub: &'a str,
    result: &'a str,
    status: &'a str,
}

impl<'a> UnitsAnswer<'a> {
    fn read(text: &'a str) -> Self {
        let (rows, answer) = match text.split_once("@systemd ") {
            Some((rows, answer)) => (rows, answer.split_once('\n')),
            None => (text, None),
        };
        let mut found = Self::default();
        for row in rows.lines() {
            if let Some((name, alone)) = row.strip_prefix("alone ").and_then(alone) {
                found.places.insert(name, alone);
                continue;
            }
            let mut words = row.splitn(4, ' ');
            match (words.next(), words.next(), words.next(), words.next()) {
                (Some("runs"), Some(name), Some(pid), Some(comm)) => {
                    found.places.insert(name, ProcessState::Runs(pid, comm));
                }
                (Some("stopped"), Some(name), Some(unit), None) => {
                    found.places.insert(name, ProcessState::Stopped(unit));
                }
                (Some("missing"), Some(name), None, None) => {
                    found.places.insert(name, ProcessState::Missing);
                }
                _ if row == "@hidden" => found.hidden = true,
                _ => {}
            }
        }
        found.systemd = answer.map(|(status, text)| match status {
            "0" => Ok(text.split("\n\n").map(SystemdUnit::read).collect()),
            "124" => Err(Gap::TimedOut),
            _ => Err(Gap::Failed(Clean::first_line(&format!("systemctl show ended with {status}"), 80))),
        });
        found
    }

    fn service(&self, declared: &DeclaredService) -> Result<Service, Gap> {
        let unreadable = || Gap::Unreadable("no line about it".into());
        let place = *self.places.get(declared.name.as_str()).ok_or_else(unreadable)?;
        if let ProcessState::Runs(pid, comm) = place {
            return Ok(running(&format!("process {pid}, {comm}")));
        }
        let units = match &self.systemd {
            Some(Ok(units)) => units.as_slice(),
            Some(Err(gap)) => return Err(gap.clone()),
            None => &[],
        };
        let is_its = |unit: &&SystemdUnit<'_>| {
            let id = unit.id.strip_suffix(".service").unwrap_or(unit.id);
            unit.load != "not-found" && declared.units.iter().any(|name| name == id)
        };
        // An active one comes first: the others are other systems' names.
        let its = units.iter().filter(is_its);
        if let Some(unit) = its.max_by_key(|unit| unit.is_active()) {
            return Ok(unit.service());
        }
        match place {
            _ if self.hidden => Err(Gap::NotPermitted("processes of other accounts are hidden".into())),
            ProcessState::Alone(group, left, unit) => {
                Err(Gap::Failed(Clean::first_line(&left_behind(declared, group, left, unit), 400)))
            }
            ProcessState::Stopped(unit) => {
                Ok(stopped(unit, &format!("no process {}", any_of(&declared.processes))))
            }
            ProcessState::Missing | ProcessState::Runs(..) => {
                Err(Gap::Failed(Clean::new(&not_installed(declared))))
            }
        }
    }
}

impl<'a> SystemdUnit<'a> {
    fn read(block: &'a str) -> Self {
        let mut unit = Self::default();
        for (name, value) in block.lines().filter_map(|line| line.split_once('=')) {
            match name {
                "Id" => unit.id = value,
                "LoadState" => unit.load = value,
                "ActiveState" => unit.active = value,
                "SubState" => unit.sub = value,
                "Result" => unit.result = value,
                "ExecMainStatus" => unit.status = value,
                _ => {}
            }
        }
        unit
    }

    fn is_active(&self) -> bool {
        matches!(self.active, "active" | "reloading")
    }

    fn service(&self) -> Service {
        let name = self.id.strip_suffix(".service").unwrap_or(self.id);
        if self.is_active() {
            return running(&format!("unit {name} is active ({})", self.sub));
        }
        let mut why = match (self.load, self.sub) {
            ("masked", _) => format!("unit {name} is masked"),
            (_, "auto-restart" | "auto-restart-queued") => format!("unit {name} ends again and again"),
            _ => format!("unit {name} is {}", self.active),
        };
        if !matches!(self.result, "" | "success") {
            why.push_str(&format!(", result {}", self.result));
        }
        if !matches!(self.status, "" | "0") {
            why.push_str(&format!(", exit status {}", self.status));
        }
        stopped(name, &why)
    }
}

/// `NAME GROUP COUNT UNIT`. Nothing is said of a group that the advice could not name safely.
fn alone(row: &str) -> Option<(&str, ProcessState<'_>)> {
    let words: Vec<&str> = row.split(' ').collect();
    let &[name, group, left, unit] = words.as_slice() else { return None };
    let group = group.parse().ok().filter(|group| *group > 1)?;
    Some((name, ProcessState::Alone(group, left.parse().ok()?, unit)))
}

fn left_behind(declared: &DeclaredService, group: u32, left: u32, unit: &str) -> String {
    let next = declared
        .when_stopped
        .clone()
        .unwrap_or_else(|| format!("End them: kill -TERM -{group}. Then: service {unit} start"));
    format!("its main process is gone, and {left} of its processes go on without it. {next}")
}

fn running(detail: &str) -> Service {
    Service { running: true, detail: Clean::first_line(detail, 120), ..Service::default() }
}

fn stopped(unit: &str, detail: &str) -> Service {
    let unit = ServiceReading { name: UNIT, figure: Figure::text(unit) };
    Service { detail: Clean::first_line(detail, 160), readings: [unit].into(), ..Service::default() }
}

fn not_installed(declared: &DeclaredService) -> String {
    let units = any_of(&declared.units);
    format!(
        "not installed: no unit {units}. Install it, or correct services.{} in the inventory",
        declared.name
    )
}

fn any_of(names: &[String]) -> String {
    names.join(", ")
}

#[cfg(test)]
mod tests;
