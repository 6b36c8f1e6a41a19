//! What a probe is: a shell section that runs on the host, and a pure parser of what it prints.

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::service::{Service, ServiceKind};
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

/// A probe. One file each under `probes/`, one line each in its list. A probe of a service is a [`ServiceProbe`].
pub trait Probe: Sync {
    /// The section's name: lower-case letters, digits and `_`.
    fn name(&self) -> &'static str;

    /// The section: POSIX `sh` that defines the function `probe_NAME`. It adds raw output of standard tools to the report
    /// with the helpers `resident.sh` describes (`say`, `slurp`, `apart`), and prints nothing itself.
    /// A dead program, a missing file, no right: the section says so by its exit status (see [`Raw::status`]).
    fn script(&self) -> &'static str;

    /// What the section wants to know of this host, as assignments of the shell; before the section.
    fn settings(&self, host: &Host) -> Option<String> {
        let _ = host;
        None
    }

    /// A longer section is not read: [`Gap::Cut`]. Bytes.
    fn longest(&self) -> usize {
        MAX_SECTION
    }

    /// How often it is asked.
    fn cadence(&self) -> ProbeCadence;

    /// Whether this host is asked at all.
    fn applies(&self, host: &Host) -> bool {
        let _ = host;
        true
    }

    /// Reads what came, into the facts. Never panics, whatever came. A section that could not be read is a
    /// [`Gap::Unreadable`] of its own fact; the rest goes on.
    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts);
}

/// A probe of one service: all that a service's file declares. Its fact, its problems, its rows and its JSON follow from what
/// `read` returns and from its kind.
pub struct ServiceProbe {
    /// Its name, its roles, its rule, its words.
    pub kind: &'static ServiceKind,
    /// As [`Probe::settings`].
    pub settings: fn(&Host) -> Option<String>,
    /// As [`Probe::script`]: the function is `probe_NAME`, with the kind's name.
    pub script: &'static str,
    /// How often it is asked.
    pub cadence: ProbeCadence,
    /// Reads what the script printed. That nobody could tell how the service is, is a gap.
    pub read: fn(&Raw) -> Result<Service, Gap>,
}

impl Probe for ServiceProbe {
    fn name(&self) -> &'static str {
        self.kind.name
    }

    fn script(&self) -> &'static str {
        self.script
    }

    fn settings(&self, host: &Host) -> Option<String> {
        (self.settings)(host)
    }

    fn cadence(&self) -> ProbeCadence {
        self.cadence
    }

    fn applies(&self, host: &Host) -> bool {
        self.kind.is_asked_of(host)
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        facts.services.take(self.kind, raw.and_then(self.read), at);
    }
}

/// The same for a service whose name has a `-`, which no function of a shell may have.
pub struct HyphenatedProbe {
    /// The section's name: its kind's, with `_` for `-`.
    pub section: &'static str,
    /// The rest.
    pub probe: ServiceProbe,
}

impl Probe for HyphenatedProbe {
    fn name(&self) -> &'static str {
        self.section
    }

    fn script(&self) -> &'static str {
        self.probe.script()
    }

    fn settings(&self, host: &Host) -> Option<String> {
        self.probe.settings(host)
    }

    fn cadence(&self) -> ProbeCadence {
        self.probe.cadence()
    }

    fn applies(&self, host: &Host) -> bool {
        self.probe.applies(host)
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        self.probe.ingest(raw, at, facts);
    }
}

/// What a host's process table says of a service whose client was refused, as `jd_seek` of resident.sh writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum ServiceProcess {
    /// It has no process.
    Absent,
    /// This account cannot see every process.
    #[default]
    Hidden,
    /// Its process: the number, and its title where that says more.
    Runs(Clean),
}

impl ServiceProcess {
    /// Reads the line `@process …`.
    pub(crate) fn read(line: &str) -> Result<Self, Gap> {
        let said = line.lines().next().and_then(|line| line.strip_prefix("@process"));
        match said.map(|said| said.trim_matches([' ', '\0'])).ok_or_else(|| unreadable(line))? {
            "" => Ok(Self::Absent),
            "hidden" => Ok(Self::Hidden),
            process => match process.strip_prefix("id ") {
                Some(process) => Ok(Self::Runs(Clean::first_line(process, 80))),
                None => Err(unreadable(line)),
            },
        }
    }

    /// What a refusal means: stopped only where there is no process. `refusal` is a sentence, `program` what was looked for.
    pub(crate) fn refused(&self, refusal: &str, program: &str) -> Result<Service, Gap> {
        let gap = |why: String| Err(Gap::Failed(Clean::first_line(&why, MAX_SAID)));
        match self {
            Self::Absent => {
                let detail = format!("{refusal}, and no {program} runs");
                Ok(Service { detail: Clean::first_line(&detail, MAX_SAID), ..Service::default() })
            }
            Self::Hidden => {
                gap(format!("{refusal}; this account cannot see every process, so it may run elsewhere"))
            }
            Self::Runs(process) => {
                gap(format!("{refusal}, but {program} {process} runs: it is starting, or listens elsewhere"))
            }
        }
    }
}

/// How often a probe is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeCadence {
    /// With every report.
    Every,
    /// With the first report of a connection, and every sixth after it: what seldom changes.
    Slow,
}

/// What a section printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// Its exit status: 0 fine, 123 an earlier question still waits in the kernel, 124 its time limit ended it, 126 not permitted, 127 the tool to ask with is missing (the
    /// first line names it), else failed.
    pub status: u8,
    /// Standard output, as bytes that may be anything; lossily decoded. At most [`Probe::longest`] bytes.
    pub text: String,
}

/// What [`Probe::longest`] is for most. Bytes.
pub const MAX_SECTION: usize = 256 * 1024;

/// At most this many characters of what a host said stand in a gap.
const MAX_SAID: usize = 200;

impl Raw {
    /// Why there is no value, when the status says so; the detail is the first line the section printed.
    #[must_use]
    pub fn gap(&self) -> Option<Gap> {
        match self.status {
            0 => None,
            123 => Some(Gap::Stuck),
            124 => Some(Gap::TimedOut),
            126 => Some(Gap::NotPermitted(self.said())),
            127 => Some(Gap::NoTool(self.said())),
            _ => Some(Gap::Failed(self.said())),
        }
    }

    /// The text when the status is 0.
    ///
    /// # Errors
    /// The gap otherwise.
    pub fn ok(&self) -> Result<&str, Gap> {
        self.gap().map_or(Ok(self.text.as_str()), Err)
    }

    /// The first line that holds something, printable and short.
    #[must_use]
    pub fn said(&self) -> Clean {
        Clean::first_line(&self.text, MAX_SAID)
    }
}

/// A gap for an answer that could not be read.
#[must_use]
pub fn unreadable(what: &str) -> Gap {
    Gap::Unreadable(Clean::first_line(what, MAX_SAID))
}
