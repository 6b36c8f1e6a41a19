//! Jobs: what was asked of minions, who runs it, what came back. A run of states ends in the world's time, whether
//! somebody waits for it or not.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::posix::calendar::moment;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::target::Kind;
use super::{MinionFault, states};

/// One job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its number: a moment, `20150310090000123456`.
    pub jid: String,
    /// The function.
    pub function: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The target as it was written.
    pub target: String,
    /// How it was read.
    pub kind: Kind,
    /// Who asked.
    pub user: String,
    /// Seconds since the world's start.
    pub started: f64,
    /// The ids that were asked, and how far each is.
    pub runs: BTreeMap<String, Run>,
}

/// A job on one minion.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// The machine; `None` when no minion answers to the id.
    pub host: Option<HostName>,
    /// When it ends, seconds since the world's start; `None` while nobody knows.
    pub ends: Option<f64>,
    /// Its process on the minion.
    pub pid: u32,
    /// What it returned.
    pub returned: Option<Value>,
    /// It was killed.
    pub killed: bool,
    todo: Option<Todo>,
}

#[derive(Debug, Clone)]
struct Todo {
    states: Vec<String>,
    test: bool,
    highstate: bool,
}

impl Run {
    /// Whether it runs at that moment.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.host.is_some() && self.returned.is_none() && !self.killed
    }
}

impl World {
    /// Starts a job; its number. A minion that is down has no machine in it; one that says at once what there is to
    /// say has its return already.
    pub(crate) fn start_job(
        &mut self,
        function: &str,
        arguments: &[String],
        (target, kind): (&str, Kind),
        ids: &[String],
        user: &str,
    ) -> String {
        self.salt_until_now();
        let jid = self.new_jid();
        let mut runs = BTreeMap::new();
        for id in ids {
            let host = self.minion(id);
            let run = match host {
                None => Run::default(),
                Some(host) => self.start_run(&host, function, arguments),
            };
            runs.insert(id.clone(), run);
        }
        self.salt.jobs.push(Job {
            jid: jid.clone(),
            function: function.to_owned(),
            arguments: arguments.to_vec(),
            target: target.to_owned(),
            kind,
            user: user.to_owned(),
            started: self.seconds(),
            runs,
        });
        jid
    }

    fn new_jid(&self) -> String {
        let now = self.jump().map_or(0.0, |jump| self.epoch(jump));
        let mut number: u128 = moment(now, "%Y%m%d%H%M%S%6f").parse().unwrap_or(0);
        while self.salt.jobs.iter().any(|job| job.jid == number.to_string()) {
            number += 1;
        }
        number.to_string()
    }

    fn start_run(&mut self, host: &HostName, function: &str, arguments: &[String]) -> Run {
        let pid = self.salt.new_pid();
        let now = self.seconds();
        // Who makes time stand still wants answers all the same.
        let latency = if self.runs() { self.minion_latency(host) } else { 0.0 };
        let run = Run { host: Some(host.clone()), pid, ..Run::default() };
        if self.minion_fault(host) == Some(&MinionFault::NoReturn) {
            return run;
        }
        if !is_state_run(function) {
            return Run { ends: Some(now + latency), ..run };
        }
        // States of one minion run one after the other, or not at all.
        if let Some(message) = self.conflict(host) {
            return Run { ends: Some(now + latency), returned: Some(json!([message])), ..run };
        }
        let word = function.trim_start_matches("state.");
        if self.salt.disabled.get(host).is_some_and(|names| names.iter().any(|name| name == word)) {
            let message = format!(
                "The state file \"{word}\" is currently disabled by \"{word}\", to re-enable, run state.enable {word}."
            );
            return Run { ends: Some(now + latency), returned: Some(json!([message])), ..run };
        }
        let highstate = function != "state.sls";
        let test = arguments.iter().any(|a| a.eq_ignore_ascii_case("test=true"));
        let states = if highstate {
            self.refresh_pillar(host);
            states::of_roles(self, host)
        } else {
            let named = arguments.iter().filter(|a| !a.contains('='));
            let mods = arguments.iter().filter_map(|a| a.strip_prefix("mods="));
            named
                .map(String::as_str)
                .chain(mods)
                .flat_map(|a| a.split(','))
                .map(|a| a.trim().to_owned())
                .collect()
        };
        let takes = states::duration(self, host, states.len(), highstate) * if test { 0.6 } else { 1.0 };
        Run { ends: Some(now + latency + takes), todo: Some(Todo { states, test, highstate }), ..run }
    }

    /// Why a minion takes no states now, in Salt's words.
    pub(crate) fn conflict(&self, host: &HostName) -> Option<String> {
        let busy = |run: &&Run| run.host.as_ref() == Some(host) && run.is_running();
        let (job, run) = self
            .salt
            .jobs
            .iter()
            .rev()
            .filter(|job| is_state_run(&job.function))
            .find_map(|job| job.runs.values().find(busy).map(|run| (job, run)))?;
        Some(format!(
            "The function \"{}\" is running as PID {} and was started at {} with jid {}",
            job.function,
            run.pid,
            jid_time(&job.jid),
            job.jid
        ))
    }

    /// Ends what is through by now: files are written, returns are there.
    pub(super) fn jobs_end(&mut self) {
        let now = self.seconds();
        let mut due: Vec<(f64, usize, String)> = Vec::new();
        for (number, job) in self.salt.jobs.iter().enumerate() {
            for (id, run) in &job.runs {
                if let (Some(ends), true, Some(_)) = (run.ends, run.is_running(), &run.todo)
                    && ends <= now
                {
                    due.push((ends, number, id.clone()));
                }
            }
        }
        due.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (_, number, id) in due {
            let found = self.salt.jobs.get(number).and_then(|job| job.runs.get(&id)).cloned();
            let Some(Run { host: Some(host), todo: Some(todo), .. }) = found else { continue };
            // Salt keeps what it is to apply, or to test, when it begins.
            if self.is_up(&host) {
                self.write_file(&host, STATES, Vec::new());
            }
            // A machine that went down in the middle never says how far it came.
            let returned = self.is_up(&host).then(|| states::apply(self, &host, &todo.states, todo.test));
            if todo.highstate && !todo.test && returned.as_ref().is_some_and(Value::is_object) {
                self.salt.settled.push(host);
            }
            if let Some(run) = self.salt.jobs.get_mut(number).and_then(|job| job.runs.get_mut(&id)) {
                run.killed = returned.is_none();
                run.returned = returned;
            }
        }
    }

    /// Files the return of a run that is no state's.
    pub(crate) fn job_returns(&mut self, jid: &str, id: &str, value: Value) {
        let job = self.salt.jobs.iter_mut().find(|job| job.jid == jid);
        if let Some(run) = job.and_then(|job| job.runs.get_mut(id)).filter(|run| !run.killed) {
            run.returned = Some(value);
        }
    }

    /// Kills a job's process on a machine; its process id.
    pub(crate) fn kill_job(&mut self, host: &HostName, jid: &str) -> Option<u32> {
        let job = self.salt.jobs.iter_mut().find(|job| job.jid == jid)?;
        let run = job.runs.values_mut().find(|run| run.host.as_ref() == Some(host) && run.is_running())?;
        run.killed = true;
        Some(run.pid)
    }
}

/// The states that a minion last applied or tested, as it keeps them.
pub(crate) const STATES: &str = "/var/cache/salt/minion/highstate.cache.p";
/// Seconds between the last time and the world's start: a run each night.
pub(crate) const APPLIED_BEFORE: f64 = 6.0 * 3600.0;

/// Whether a function applies states.
pub(crate) fn is_state_run(function: &str) -> bool {
    matches!(function, "state.highstate" | "state.apply" | "state.sls")
}

/// `2015, Mar 10 09:00:00.123456`
#[must_use]
pub fn jid_time(jid: &str) -> String {
    let part = |from: usize, to: usize| jid.get(from..to).unwrap_or_default();
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month =
        part(4, 6).parse::<usize>().ok().and_then(|m| months.get(m.checked_sub(1)?)).unwrap_or(&"Jan");
    let (year, day, hour, minute, second) = (part(0, 4), part(6, 8), part(8, 10), part(10, 12), part(12, 14));
    format!("{year}, {month} {day} {hour}:{minute}:{second}.{}", part(14, 20))
}
