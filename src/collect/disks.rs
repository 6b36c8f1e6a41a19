//! What filesystems had in use over two weeks, and figures of hosts over one, in two files for each environment, so that a console that has
//! just started, or `status` run by cron, knows how fast disks fill and what was before. A file that is broken or not to be trusted is not used, and nothing waits for one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use figures::HostsFigures;
use jumpdeck_fleet::course::{CourseFigure, DiskCourse, HostCourses};
use jumpdeck_fleet::fleet::{Fleet, Host};
use jumpdeck_fleet::growth::{FilesystemGrowth, UsedSeries, is_kept};
use jumpdeck_fleet::names::{EnvName, HostId, HostName};
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::storage::Filesystem;
use jumpdeck_fleet::text::Clean;

mod figures;
mod file;
#[cfg(test)]
mod tests;

pub use file::DiskFileError;

/// Filesystems of one host that are kept.
const MOST_OF_A_HOST: usize = 32;
/// Time between two times that a file is written.
const SAVE_EVERY: Duration = Duration::from_secs(600);

/// The histories of all environments.
#[derive(Debug, Default)]
pub struct DiskHistory {
    /// Where they are kept; `None`: in memory only.
    folder: Option<PathBuf>,
    environments: Mutex<HashMap<EnvName, EnvironmentDisks>>,
}

/// The histories of one environment.
#[derive(Debug, Default)]
struct EnvironmentDisks {
    hosts: HostsDisks,
    figures: HostsFigures,
    /// Something was added that no file has yet.
    changed: bool,
    /// When it was read or written last.
    saved_at: Option<Instant>,
}

/// The histories of hosts.
type HostsDisks = HashMap<HostName, HostDisks>;

/// The histories of one host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct HostDisks {
    /// Its machine id, or its address where it has none: another machine has other disks.
    machine: String,
    disks: Vec<KeptDisk>,
}

/// One filesystem.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KeptDisk {
    device: Clean,
    mount: Clean,
    series: UsedSeries,
}

impl DiskHistory {
    /// The histories of a fleet's environments in that folder, and what is wrong with files that are not used.
    #[must_use]
    pub fn open(folder: PathBuf, fleet: &Fleet) -> (Self, Vec<DiskFileError>) {
        let mut environments = HashMap::new();
        let mut wrong = Vec::new();
        for env in &fleet.environments {
            let hosts = file::read(&path(&folder, &env.name)).unwrap_or_else(|error| {
                wrong.push(error);
                HostsDisks::new()
            });
            let figures = figures::read(&figures_path(&folder, &env.name)).unwrap_or_else(|error| {
                wrong.push(error);
                HostsFigures::new()
            });
            let kept = EnvironmentDisks { hosts, figures, changed: false, saved_at: Some(Instant::now()) };
            environments.insert(env.name.clone(), kept);
        }
        (Self { folder: Some(folder), environments: Mutex::new(environments) }, wrong)
    }

    /// Takes what a report says is in use, `minute` minutes after 1970; returns which of the host's filesystems grow.
    #[must_use]
    pub fn record(&self, host: &Host, facts: &HostFacts, minute: u32) -> Vec<FilesystemGrowth> {
        let machine = machine_of(host, facts);
        if machine.len() > file::LONGEST_NAME {
            return Vec::new();
        }
        let mut environments = self.environments();
        let env = environments.entry(host.id.env.clone()).or_default();
        let of_host = env.hosts.entry(host.id.host.clone()).or_default();
        if of_host.machine != machine {
            *of_host = HostDisks { machine, disks: Vec::new() };
        }
        let local = facts.filesystems.current().into_iter().flatten();
        let mut growing = Vec::new();
        for filesystem in local.chain(facts.network_filesystems.current().into_iter().flatten()) {
            let Ok(usage) = &filesystem.usage else { continue };
            let Some(disk) = of_host.disk(filesystem, usage.size_kb) else { continue };
            env.changed |= disk.series.record(minute, usage);
            growing.extend(disk.series.growth().map(|growth| FilesystemGrowth {
                device: disk.device.clone(),
                mount: disk.mount.clone(),
                growth,
            }));
        }
        growing
    }

    /// Takes what a report says of a host's figures, `second` seconds after 1970.
    pub fn record_figures(&self, host: &Host, facts: &HostFacts, second: u32) {
        let machine = machine_of(host, facts);
        if machine.len() > file::LONGEST_NAME {
            return;
        }
        let mut environments = self.environments();
        let env = environments.entry(host.id.env.clone()).or_default();
        let of_host = env.figures.entry(host.id.host.clone()).or_default();
        if of_host.machine != machine {
            *of_host = figures::HostFigures { machine, courses: Default::default() };
        }
        for figure in CourseFigure::ALL {
            if let Some(Some(value)) = figure.of(facts) {
                env.changed |= of_host.courses.entry(figure).or_default().record(second, value);
            }
        }
    }

    /// Everything that is kept of a host, `now` seconds after 1970. `None` while it is being written: nobody waits for that.
    #[must_use]
    pub fn courses(&self, host: &HostId, now: u32) -> Option<HostCourses> {
        let environments = match self.environments.try_lock() {
            Ok(environments) => environments,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let env = environments.get(&host.env);
        let figures = env.and_then(|env| env.figures.get(&host.host));
        let disks = env.and_then(|env| env.hosts.get(&host.host));
        Some(HostCourses {
            now,
            figures: figures.map(|figures| figures.courses.clone()).unwrap_or_default(),
            disks: disks.into_iter().flat_map(|disks| &disks.disks).map(KeptDisk::course).collect(),
        })
    }

    /// Whether a file should be written now: seldom, and never twice at once.
    #[must_use]
    pub fn is_due(&self, env: &EnvName) -> bool {
        let mut environments = self.environments();
        let Some(kept) = environments.get_mut(env).filter(|kept| kept.changed && self.folder.is_some())
        else {
            return false;
        };
        let due = kept.saved_at.is_none_or(|at| at.elapsed() >= SAVE_EVERY);
        if due {
            kept.saved_at = Some(Instant::now());
        }
        due
    }

    /// Writes what has changed. Blocks.
    ///
    /// # Errors
    /// Each file that could not be written.
    pub fn save(&self, now: u32) -> Result<(), Vec<DiskFileError>> {
        let changed = |kept: &EnvironmentDisks| kept.changed;
        let names: Vec<EnvName> = {
            let all = self.environments();
            all.iter().filter(|(_, kept)| changed(kept)).map(|(name, _)| name.clone()).collect()
        };
        let wrong: Vec<_> = names.iter().filter_map(|env| self.save_one(env, now).err()).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// Writes the file of one environment, with what another console or `status` has put there meanwhile. Blocks.
    ///
    /// # Errors
    /// When it cannot be written. One that cannot be read is replaced.
    pub fn save_one(&self, env: &EnvName, now: u32) -> Result<(), DiskFileError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let path = path(folder, env);
        let there = file::read(&path).unwrap_or_default();
        let figures_path = figures_path(folder, env);
        let figures_there = figures::read(&figures_path).unwrap_or_default();
        let (text, figures_text) = {
            let mut environments = self.environments();
            let kept = environments.entry(env.clone()).or_default();
            merge(&mut kept.hosts, there, now);
            figures::merge(&mut kept.figures, figures_there, now.saturating_mul(60));
            kept.changed = false;
            let has_figures = !kept.figures.is_empty() || figures_path.exists();
            (file::render(&kept.hosts), has_figures.then(|| figures::render(&kept.figures)))
        };
        let disks = file::write(&path, &text);
        // A host that only its disks are known of makes no file of figures.
        let written = match figures_text {
            Some(text) => disks.and(file::write(&figures_path, &text)),
            None => disks,
        };
        written.inspect_err(|_| {
            if let Some(kept) = self.environments().get_mut(env) {
                kept.changed = true;
            }
        })
    }

    fn environments(&self) -> MutexGuard<'_, HashMap<EnvName, EnvironmentDisks>> {
        self.environments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HostDisks {
    /// The history of a filesystem, a new one where there is none and room for it.
    fn disk(&mut self, filesystem: &Filesystem, size_kb: u64) -> Option<&mut KeptDisk> {
        let is_it = |disk: &KeptDisk| disk.mount == filesystem.mount && disk.device == filesystem.device;
        let at = match self.disks.iter().position(is_it) {
            Some(at) => at,
            None if self.disks.len() < MOST_OF_A_HOST
                && is_kept(filesystem)
                && can_be_written(filesystem) =>
            {
                let (device, mount) = (filesystem.device.clone(), filesystem.mount.clone());
                self.disks.push(KeptDisk { device, mount, series: UsedSeries::new(size_kb) });
                self.disks.len() - 1
            }
            None => return None,
        };
        self.disks.get_mut(at)
    }
}

impl KeptDisk {
    /// Its points, in hundredths of a percent.
    fn course(&self) -> DiskCourse {
        let size = u64::from(self.series.size_in_points()).max(1);
        let share = |used: u32| u16::try_from((u64::from(used) * 10_000).div_ceil(size)).unwrap_or(u16::MAX);
        let points = self.series.points().iter();
        DiskCourse {
            mount: self.mount.clone(),
            size_kb: self.series.size_kb(),
            points: points.map(|point| (point.minute.saturating_mul(60), share(point.used))).collect(),
        }
    }
}

/// Whose figures these are: its machine id, or its address where it has none.
fn machine_of(host: &Host, facts: &HostFacts) -> String {
    let identity = facts.identity.current().and_then(|identity| identity.machine_id.as_ref());
    identity.map_or_else(|| format!("{}:{}", host.address, host.port), ToString::to_string)
}

/// A longer name would make the whole file unreadable.
fn can_be_written(filesystem: &Filesystem) -> bool {
    [&filesystem.device, &filesystem.mount].iter().all(|name| name.as_str().len() <= file::LONGEST_NAME)
}

/// Takes what a file has over what is here: points of the same disks, and hosts that only the file has. What has got no point for two
/// weeks goes.
fn merge(hosts: &mut HostsDisks, there: HostsDisks, now: u32) {
    for (name, other) in there {
        let of_host = hosts.entry(name).or_default();
        if of_host.disks.is_empty() {
            *of_host = other;
        } else if of_host.machine == other.machine {
            for disk in other.disks {
                let room = of_host.disks.len() < MOST_OF_A_HOST;
                match of_host.disks.iter_mut().find(|d| d.mount == disk.mount && d.device == disk.device) {
                    Some(ours) => ours.series.merge(&disk.series, now),
                    None if room => of_host.disks.push(disk),
                    None => {}
                }
            }
        }
    }
    for of_host in hosts.values_mut() {
        of_host.disks.retain(|disk| disk.series.is_remembered(now));
    }
    hosts.retain(|_, of_host| !of_host.disks.is_empty());
}

fn figures_path(folder: &Path, env: &EnvName) -> PathBuf {
    folder.join(format!("{env}.figures"))
}

fn path(folder: &Path, env: &EnvName) -> PathBuf {
    folder.join(format!("{env}.disks"))
}
