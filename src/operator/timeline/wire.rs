//! A record as a line of JSON: in the file, and as `jumpdeck events` prints it (docs/events-json.md).

use serde::{Deserialize, Serialize};

use jumpdeck_fleet::names::{HostName, RoleName};
use jumpdeck_fleet::problem::{ProblemKind, Severity};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::timeline::{
    Acknowledgement, Onset, ProblemEnding, RecordedProblem, Reopening, TimelineChange, TimelineRecord,
    WallTime,
};

/// A line.
#[derive(Debug, Serialize, Deserialize)]
struct WireLine {
    at: WireTime,
    #[serde(flatten)]
    change: WireChange,
}

/// `2026-11-30T17:02:03Z`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
struct WireTime(jiff::Timestamp);

impl From<WallTime> for WireTime {
    fn from(at: WallTime) -> Self {
        Self(jiff::Timestamp::from_second(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH))
    }
}

impl From<WireTime> for WallTime {
    fn from(at: WireTime) -> Self {
        Self(at.0.as_second())
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum WireChange {
    Looked {
        since: WireTime,
    },
    Hosts {
        hosts: Vec<String>,
    },
    Added {
        host: String,
    },
    Removed {
        host: String,
    },
    Roles {
        host: String,
        before: Option<Vec<String>>,
        after: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        unseen_since: Option<WireTime>,
    },
    Began {
        #[serde(flatten)]
        problem: WireProblem,
        #[serde(flatten)]
        onset: WireOnset,
    },
    Changed {
        #[serde(flatten)]
        problem: WireProblem,
        before: String,
    },
    Ended {
        #[serde(flatten)]
        problem: WireProblem,
        began: WireTime,
        #[serde(flatten)]
        onset: WireOnset,
        ending: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        last_seen: Option<WireTime>,
    },
    Acknowledged {
        #[serde(flatten)]
        problem: WireProblem,
        by: String,
        reason: String,
        until: Option<WireTime>,
    },
    Reopened {
        #[serde(flatten)]
        problem: WireProblem,
        why: String,
    },
    Cut,
}

#[derive(Debug, Serialize, Deserialize)]
struct WireProblem {
    severity: String,
    kind: String,
    host: Option<String>,
    about: Option<String>,
    count: u32,
    message: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct WireOnset {
    onset: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<WireTime>,
}

/// A record as a line, without its end.
#[must_use]
pub fn line(record: &TimelineRecord) -> String {
    // Text and numbers always become JSON.
    serde_json::to_string(&wire(record)).unwrap_or_default()
}

/// A record as a value, to which more can be added.
#[must_use]
pub fn value(record: &TimelineRecord) -> serde_json::Value {
    serde_json::to_value(wire(record)).unwrap_or_default()
}

fn wire(record: &TimelineRecord) -> WireLine {
    let change = match &record.change {
        TimelineChange::Looked { since } => WireChange::Looked { since: (*since).into() },
        TimelineChange::Hosts(hosts) => {
            WireChange::Hosts { hosts: hosts.iter().map(ToString::to_string).collect() }
        }
        TimelineChange::Added(host) => WireChange::Added { host: host.to_string() },
        TimelineChange::Removed(host) => WireChange::Removed { host: host.to_string() },
        TimelineChange::Roles { host, before, after, unseen_since } => WireChange::Roles {
            host: host.to_string(),
            before: before.as_deref().map(words),
            after: words(after),
            unseen_since: unseen_since.map(Into::into),
        },
        TimelineChange::Began { problem, onset } => {
            WireChange::Began { problem: problem.into(), onset: (*onset).into() }
        }
        TimelineChange::Changed { problem, before } => {
            WireChange::Changed { problem: problem.into(), before: before.word().to_owned() }
        }
        TimelineChange::Ended { problem, began, onset, ending } => {
            let (word, last_seen) = match ending {
                ProblemEnding::Seen => ("seen", None),
                ProblemEnding::After(at) => ("after", Some(*at)),
                ProblemEnding::Unwatched => ("unwatched", None),
            };
            WireChange::Ended {
                problem: problem.into(),
                began: (*began).into(),
                onset: (*onset).into(),
                ending: word.to_owned(),
                last_seen: last_seen.map(Into::into),
            }
        }
        TimelineChange::Acknowledged { problem, acknowledgement } => WireChange::Acknowledged {
            problem: problem.into(),
            by: acknowledgement.by.to_string(),
            reason: acknowledgement.reason.to_string(),
            until: acknowledgement.until.map(Into::into),
        },
        TimelineChange::Reopened { problem, why } => {
            WireChange::Reopened { problem: problem.into(), why: why.word().to_owned() }
        }
        TimelineChange::Cut => WireChange::Cut,
    };
    WireLine { at: record.at.into(), change }
}

fn words(roles: &[RoleName]) -> Vec<String> {
    roles.iter().map(ToString::to_string).collect()
}

impl From<&RecordedProblem> for WireProblem {
    fn from(problem: &RecordedProblem) -> Self {
        Self {
            severity: problem.severity.word().to_owned(),
            kind: problem.kind.word().to_owned(),
            host: problem.host.as_ref().map(ToString::to_string),
            about: problem.about.as_ref().map(ToString::to_string),
            count: problem.count,
            message: problem.message.to_string(),
        }
    }
}

impl From<Onset> for WireOnset {
    fn from(onset: Onset) -> Self {
        let (word, not_before) = match onset {
            Onset::Seen => ("seen", None),
            Onset::After(at) => ("after", Some(at)),
            Onset::FirstLook => ("first_look", None),
        };
        Self { onset: word.to_owned(), not_before: not_before.map(Into::into) }
    }
}

/// The record of a line.
///
/// # Errors
/// What of it cannot be read.
pub fn record(line: &str) -> Result<TimelineRecord, String> {
    let WireLine { at, change } = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let change = match change {
        WireChange::Looked { since } => TimelineChange::Looked { since: since.into() },
        WireChange::Hosts { hosts } => {
            TimelineChange::Hosts(hosts.iter().map(|name| host(name)).collect::<Result<_, _>>()?)
        }
        WireChange::Added { host: name } => TimelineChange::Added(host(&name)?),
        WireChange::Removed { host: name } => TimelineChange::Removed(host(&name)?),
        WireChange::Roles { host: name, before, after, unseen_since } => TimelineChange::Roles {
            host: host(&name)?,
            before: before.as_deref().map(roles).transpose()?,
            after: roles(&after)?,
            unseen_since: unseen_since.map(Into::into),
        },
        WireChange::Began { problem, onset } => {
            TimelineChange::Began { problem: problem.read()?, onset: onset.read()? }
        }
        WireChange::Changed { problem, before } => {
            TimelineChange::Changed { problem: problem.read()?, before: severity(&before)? }
        }
        WireChange::Ended { problem, began, onset, ending, last_seen } => TimelineChange::Ended {
            problem: problem.read()?,
            began: began.into(),
            onset: onset.read()?,
            ending: match (ending.as_str(), last_seen) {
                ("seen", _) => ProblemEnding::Seen,
                ("after", Some(at)) => ProblemEnding::After(at.into()),
                ("unwatched", _) => ProblemEnding::Unwatched,
                _ => return Err(format!("unknown ending {ending:?}")),
            },
        },
        WireChange::Acknowledged { problem, by, reason, until } => TimelineChange::Acknowledged {
            problem: problem.read()?,
            acknowledgement: Acknowledgement {
                by: Clean::new(&by),
                reason: Clean::new(&reason),
                until: until.map(Into::into),
            },
        },
        WireChange::Reopened { problem, why } => TimelineChange::Reopened {
            problem: problem.read()?,
            why: [Reopening::TimeIsUp, Reopening::Worse, Reopening::Removed]
                .into_iter()
                .find(|one| one.word() == why)
                .ok_or_else(|| format!("unknown reason {why:?}"))?,
        },
        WireChange::Cut => TimelineChange::Cut,
    };
    Ok(TimelineRecord { at: at.into(), change })
}

impl WireProblem {
    fn read(self) -> Result<RecordedProblem, String> {
        let kind = ProblemKind::ALL.iter().copied().find(|kind| kind.word() == self.kind);
        Ok(RecordedProblem {
            severity: severity(&self.severity)?,
            kind: kind.ok_or_else(|| format!("unknown kind {:?}", self.kind))?,
            host: self.host.as_deref().map(host).transpose()?,
            about: self.about.as_deref().map(Clean::new),
            count: self.count,
            message: Clean::new(&self.message),
        })
    }
}

impl WireOnset {
    fn read(self) -> Result<Onset, String> {
        match (self.onset.as_str(), self.not_before) {
            ("seen", _) => Ok(Onset::Seen),
            ("after", Some(at)) => Ok(Onset::After(at.into())),
            ("first_look", _) => Ok(Onset::FirstLook),
            _ => Err(format!("unknown onset {:?}", self.onset)),
        }
    }
}

fn severity(word: &str) -> Result<Severity, String> {
    let all = [Severity::Warning, Severity::Unknown, Severity::Critical];
    all.into_iter().find(|one| one.word() == word).ok_or_else(|| format!("unknown severity {word:?}"))
}

fn host(name: &str) -> Result<HostName, String> {
    HostName::new(name).map_err(|error| error.to_string())
}

fn roles(names: &[String]) -> Result<Vec<RoleName>, String> {
    names.iter().map(|name| RoleName::new(name).map_err(|error| error.to_string())).collect()
}
