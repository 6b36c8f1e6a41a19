//! Upkeep of a host: what waits to be installed, restarted or looked at, besides its services.

use crate::fact::Gap;
use crate::text::Clean;

pub mod support;

const UPDATES: &str = "security updates";
/// Parts that nobody judges.
const LOGGED_IN: &str = "logged in";
const CLOCK_KEEPER: &str = "clock keeper";
const STATES: &str = "Salt states";

/// What a host says of its own upkeep. What it cannot have (no systemd, a kernel that does not count) is
/// [`Gap::NotInstalled`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upkeep {
    /// The host's date when it was last asked for, `2026-11-30`.
    pub today: Option<Clean>,
    /// Updates that wait.
    pub updates: Result<WaitingUpdates, Gap>,
    /// Why it should be rebooted; `None` when nothing asks for it.
    pub reboot: Result<Option<RebootReason>, Gap>,
    /// Units of systemd that failed.
    pub failed_units: Result<Vec<Clean>, Gap>,
    /// Processes that the kernel ended for lack of memory since boot.
    pub oom_kills: Result<u64, Gap>,
    /// Where filesystems are mounted that are read-only, and that `/etc/fstab` mounts writable.
    pub read_only: Result<Vec<Clean>, Gap>,
    /// Who is logged in on a terminal: a line of `who` each.
    pub logged_in: Result<Vec<Clean>, Gap>,
    /// The program that sets its clock; `None` when none runs.
    pub clock_keeper: Result<Option<Clean>, Gap>,
    /// Seconds since Salt's minion last began to apply states, or to test them; `None` where it never did.
    pub states_age_s: Result<Option<u64>, Gap>,
    /// Seconds since anacron last ended its daily jobs.
    pub daily_jobs_age_s: Result<u64, Gap>,
}

/// Updates that wait to be installed, by the package lists that the host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingUpdates {
    /// Those that mend a weakness.
    pub security: u64,
    /// All of them, where that was asked.
    pub all: Option<u64>,
    /// Who counted them.
    pub source: UpdateSource,
    /// Seconds since the package lists were refreshed, when they were counted.
    pub lists_age_s: Option<u64>,
}

/// Who counted the updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateSource {
    /// The file that Ubuntu's update-notifier writes after each refresh.
    UpdateNotifier,
    /// A simulated upgrade of `apt-get`.
    Apt,
    /// `dnf` or `yum`, from its cache.
    Rpm,
}

impl UpdateSource {
    /// Its word in the status JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::UpdateNotifier => "update-notifier",
            Self::Apt => "apt",
            Self::Rpm => "rpm",
        }
    }
}

/// Why a host should be rebooted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RebootReason {
    /// Packages asked for it: their names, as far as they left them.
    Packages(Vec<Clean>),
    /// A newer kernel is installed than the one that runs.
    Kernel {
        /// The one that runs.
        running: Clean,
        /// The newest installed.
        installed: Clean,
    },
}

impl RebootReason {
    /// In a few words: `linux-image-6.1.0-29-amd64 and 2 more`, `kernel 6.1.0-28 runs, 6.1.0-29 is installed`.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Packages(names) => match names.as_slice() {
                [] => "packages were updated".to_owned(),
                [one] => one.to_string(),
                [first, rest @ ..] => format!("{first} and {} more", rest.len()),
            },
            Self::Kernel { running, installed } => {
                format!("kernel {running} runs, {installed} is installed")
            }
        }
    }
}

impl Upkeep {
    /// Of a host for which nothing waits. Test code.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn in_order() -> Self {
        Self {
            today: None,
            updates: Err(Gap::NotInstalled),
            reboot: Ok(None),
            failed_units: Ok(Vec::new()),
            oom_kills: Ok(0),
            read_only: Ok(Vec::new()),
            logged_in: Ok(Vec::new()),
            clock_keeper: Ok(Some("chronyd".into())),
            states_age_s: Err(Gap::NotInstalled),
            daily_jobs_age_s: Err(Gap::NotInstalled),
        }
    }

    /// Why each part is not known, by its name.
    pub fn gaps(&self) -> impl Iterator<Item = (&'static str, &Gap)> {
        let parts = [
            (UPDATES, self.updates.as_ref().err()),
            ("reboot required", self.reboot.as_ref().err()),
            ("failed units", self.failed_units.as_ref().err()),
            ("OOM kills", self.oom_kills.as_ref().err()),
            ("read-only filesystems", self.read_only.as_ref().err()),
            (LOGGED_IN, self.logged_in.as_ref().err()),
            (CLOCK_KEEPER, self.clock_keeper.as_ref().err()),
            (STATES, self.states_age_s.as_ref().err()),
            ("daily jobs", self.daily_jobs_age_s.as_ref().err()),
        ];
        parts.into_iter().filter_map(|(name, gap)| gap.map(|gap| (name, gap)))
    }

    /// What could not be asked and should have been. What a host cannot have and what was not asked yet is none of it, nor what
    /// nobody judges, nor a package manager that a busy host did not let answer in time: it is asked again in an hour.
    pub fn unknown(&self) -> impl Iterator<Item = (&'static str, &Gap)> {
        self.gaps().filter(|(name, gap)| match gap {
            Gap::NotInstalled | Gap::NotAsked => false,
            Gap::TimedOut => ![UPDATES, LOGGED_IN, CLOCK_KEEPER, STATES].contains(name),
            Gap::Stuck
            | Gap::NotPermitted(_)
            | Gap::NoTool(_)
            | Gap::Cut(_)
            | Gap::Unreadable(_)
            | Gap::Failed(_) => ![LOGGED_IN, CLOCK_KEEPER, STATES].contains(name),
        })
    }
}
