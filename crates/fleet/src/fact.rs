//! A value that can be old or missing says so by its type.

use std::time::Duration;

use super::text::Clean;
use super::time::{Freshness, Moment};

/// Why a value is not known. Each has its own word and sign on screen; none is ever shown as zero or as good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// Nobody has asked yet, or this host is not asked for it.
    NotAsked,
    /// The section's own time limit ended it, on the host.
    TimedOut,
    /// An earlier question still waits in the host's kernel, where nothing can end it: no second one is asked.
    Stuck,
    /// The account we use may not ask. Holds what the host said.
    NotPermitted(Clean),
    /// What was asked about is not there (no Salt on the host, no database server): the host said so.
    NotInstalled,
    /// The tool to ask with is missing on the host (`df`, `timeout`, a client): what was asked about may well be there.
    /// Holds the tool.
    NoTool(Clean),
    /// The answer is longer than jumpdeck reads: our limit, not the host's. Holds which.
    Cut(Clean),
    /// An answer came, and it could not be read (garbage, truncated). Holds what was wrong.
    Unreadable(Clean),
    /// The program that would answer failed. Holds what it said.
    Failed(Clean),
}

impl Gap {
    /// The word for it, as screens and `errors` in the JSON use it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Gap::NotAsked => "not asked",
            Gap::TimedOut => "timed out",
            Gap::Stuck => "stuck",
            Gap::NotPermitted(_) => "not permitted",
            Gap::NotInstalled => "not installed",
            Gap::NoTool(_) => "tool missing",
            Gap::Cut(_) => "cut by jumpdeck",
            Gap::Unreadable(_) => "unreadable",
            Gap::Failed(_) => "failed",
        }
    }

    /// The same for people: where the account may not ask, access is denied.
    #[must_use]
    pub fn access_word(&self) -> &'static str {
        match self {
            Gap::NotPermitted(_) => "access denied",
            Gap::NotAsked
            | Gap::TimedOut
            | Gap::Stuck
            | Gap::NotInstalled
            | Gap::NoTool(_)
            | Gap::Cut(_)
            | Gap::Unreadable(_)
            | Gap::Failed(_) => self.word(),
        }
    }

    /// The word and, where there is one, the detail.
    #[must_use]
    pub fn describe(&self) -> String {
        self.described(self.word())
    }

    /// The same with the word for people.
    #[must_use]
    pub fn describe_access(&self) -> String {
        self.described(self.access_word())
    }

    fn described(&self, word: &str) -> String {
        let detail = match self {
            Gap::NotAsked | Gap::TimedOut | Gap::NotInstalled => "",
            Gap::Stuck => "an earlier command hangs in the kernel and cannot be killed; not asked again",
            Gap::NotPermitted(d) | Gap::NoTool(d) | Gap::Cut(d) | Gap::Unreadable(d) | Gap::Failed(d) => {
                d.as_str()
            }
        };
        if detail.is_empty() { word.to_owned() } else { format!("{word}: {detail}") }
    }
}

/// A value with the moment it was read at.
#[derive(Debug, Clone, PartialEq)]
pub struct Known<T> {
    /// The value.
    pub value: T,
    /// When the report that held it arrived.
    pub at: Moment,
}

/// What is known of one thing: the last value read with its moment, and why the newest question brought none.
///
/// `known` and `gap` may both be there: the last answer stands, ageing, while the newest question failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact<T> {
    /// The last value read.
    pub known: Option<Known<T>>,
    /// Why the newest question brought none; `None` when it did.
    pub gap: Option<Gap>,
}

impl<T> Default for Fact<T> {
    fn default() -> Self {
        Self { known: None, gap: Some(Gap::NotAsked) }
    }
}

impl<T> Fact<T> {
    /// A value read at `at`.
    pub fn new(value: T, at: Moment) -> Self {
        Self { known: Some(Known { value, at }), gap: None }
    }

    /// Takes a new answer.
    pub fn learn(&mut self, value: T, at: Moment) {
        *self = Self::new(value, at);
    }

    /// Notes that the newest question brought no value; the last value stays, ageing.
    pub fn miss(&mut self, gap: Gap) {
        self.gap = Some(gap);
    }

    /// Takes an answer or a gap.
    pub fn take(&mut self, answer: Result<T, Gap>, at: Moment) {
        match answer {
            Ok(value) => self.learn(value, at),
            Err(gap) => self.miss(gap),
        }
    }

    /// The value, when the newest question brought it: what may be judged and printed as current.
    #[must_use]
    pub fn current(&self) -> Option<&T> {
        match (&self.known, &self.gap) {
            (Some(known), None) => Some(&known.value),
            _ => None,
        }
    }

    /// The last value read, however old: for dimmed display only.
    #[must_use]
    pub fn last(&self) -> Option<&T> {
        self.known.as_ref().map(|k| &k.value)
    }

    /// How old the last value is.
    #[must_use]
    pub fn age(&self, now: Moment) -> Option<Duration> {
        self.known.as_ref().map(|k| now.since(k.at))
    }

    /// How far the last value may be trusted; `None` when there is none.
    #[must_use]
    pub fn freshness(&self, now: Moment, cadence: Duration) -> Option<Freshness> {
        self.age(now).map(|age| Freshness::of(age, cadence))
    }

    /// The value when it is current and not expired at `now`.
    #[must_use]
    pub fn trusted(&self, now: Moment, cadence: Duration) -> Option<&T> {
        match self.freshness(now, cadence) {
            Some(Freshness::Fresh | Freshness::Stale) => self.current(),
            _ => None,
        }
    }
}
