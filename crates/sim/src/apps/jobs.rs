//! MediaWiki's job queue: how many jobs of which type wait. Edits add some; cron's runners work them off;
//! runners that were left over by a runaway template add more than they do.

use std::collections::BTreeMap;

use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// The cron file that starts the runners, on machines with role `jobrunner` (or, where there is none, on `app`s).
pub const CRON: &str = "/etc/cron.d/mediawiki-jobs";
/// Where the wiki is.
pub const WIKI: &str = "/srv/webplatform/wiki/current";
/// Seconds between two starts of a runner.
const EVERY: f64 = 60.0;
/// Jobs a runner takes at most.
const TAKES: u64 = 200;
/// Jobs a second that edits add.
const EDITS: f64 = 0.2;
/// Jobs a second that a runner adds which was left over.
const LEFT_OVER: f64 = 12.0;

/// The cron file, as the state `jobrunner` renders it.
pub(crate) fn cron_text() -> String {
    format!(
        "# Managed by Salt\n* * * * * www-data php {WIKI}/maintenance/runJobs.php --maxjobs {TAKES} > /dev/null 2>&1\n"
    )
}

/// The queue.
#[derive(Debug, Clone, Default)]
pub struct Jobs {
    counts: BTreeMap<String, u64>,
    settled: f64,
    rest: f64,
}

impl Jobs {
    /// How many wait, by type.
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }

    /// How many wait.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Works off so many jobs, of one type or of any; returns how many of which.
    pub fn run(&mut self, only: Option<&str>, most: u64) -> Vec<(String, u64)> {
        let mut left = most;
        let mut done = Vec::new();
        for (kind, count) in self.counts.iter_mut().filter(|(kind, _)| only.is_none_or(|only| *kind == only))
        {
            let taken = left.min(*count);
            *count -= taken;
            left -= taken;
            if taken > 0 {
                done.push((kind.clone(), taken));
            }
        }
        self.counts.retain(|_, count| *count > 0);
        done
    }

    /// Throws all jobs away, or all of one type: what `TRUNCATE job` does.
    pub fn truncate(&mut self, only: Option<&str>) {
        self.counts.retain(|kind, _| only.is_some_and(|only| kind != only));
    }

    /// Adds jobs.
    pub fn add(&mut self, kind: &str, count: u64) {
        if count > 0 {
            *self.counts.entry(kind.to_owned()).or_default() += count;
        }
    }
}

impl World {
    /// The job queue, brought up to now.
    pub fn jobs(&mut self) -> &mut Jobs {
        let now = self.seconds();
        while self.jobs.settled + EVERY <= now {
            let at = self.jobs.settled + EVERY;
            self.minute_of_jobs(EVERY);
            self.jobs.settled = at;
            let runners = self.job_hosts().filter(|host| self.starts_runners(host)).count();
            let most = TAKES * u64::try_from(runners).unwrap_or(0);
            self.jobs.run(None, most);
        }
        let part = now - self.jobs.settled;
        if part > 0.0 && self.jobs.rest < part {
            self.minute_of_jobs(part - self.jobs.rest);
            self.jobs.rest = part;
        }
        &mut self.jobs
    }

    /// What so many seconds add.
    fn minute_of_jobs(&mut self, seconds: f64) {
        let seconds = if seconds >= EVERY { seconds - std::mem::take(&mut self.jobs.rest) } else { seconds };
        if self.is_alive() {
            self.jobs.add("enotifNotify", crate::posix::machine::count(EDITS * seconds));
        }
        let left: usize = self
            .job_hosts()
            .map(|host| {
                self.tasks(&host).filter(|t| t.ends.is_none() && t.command.contains("runJobs")).count()
            })
            .sum();
        #[allow(clippy::cast_precision_loss)] // a few
        let added = LEFT_OVER * left as f64 * seconds;
        self.jobs.add("refreshLinks", crate::posix::machine::count(added));
    }

    fn job_hosts(&self) -> impl Iterator<Item = HostName> + use<> {
        let with = |role: &str| -> Vec<HostName> {
            let of = self.machines().filter(|m| m.roles().iter().any(|own| own.as_str() == role));
            of.map(|m| m.name.clone()).collect()
        };
        let runners = with("jobrunner");
        if runners.is_empty() { with("app") } else { runners }.into_iter()
    }

    /// Whether cron starts a runner there: cron runs, and the file is in place. cron passes over names with a dot.
    fn starts_runners(&self, host: &HostName) -> bool {
        let active = |text: &[u8]| {
            String::from_utf8_lossy(text)
                .lines()
                .any(|line| !line.trim_start().starts_with('#') && line.contains("runJobs"))
        };
        self.is_up(host)
            && self.service_runs(host, "cron")
            && self.read_file(host, CRON).is_some_and(|text| active(&text))
    }

    /// Fault: the queue is out of control: so many jobs wait, and so many runners are left over that add more.
    pub fn jobs_run_away(&mut self, count: u64, runners: u32) {
        self.jobs().add("refreshLinks", count);
        let hosts: Vec<HostName> = self.job_hosts().collect();
        let command = format!("php {WIKI}/maintenance/runJobs.php --type refreshLinks");
        for (_, host) in (0..runners).zip(hosts.iter().cycle()) {
            self.start_task(host, "www-data", &command, None);
        }
    }

    /// The cron files, and the few jobs that always wait.
    pub(crate) fn start_jobs(&mut self) {
        let hosts: Vec<HostName> = self.job_hosts().collect();
        for host in &hosts {
            self.write_file(host, CRON, cron_text().into_bytes());
        }
        if !hosts.is_empty() {
            self.jobs.add("enotifNotify", 3);
            self.jobs.add("refreshLinks", 14);
        }
    }
}
