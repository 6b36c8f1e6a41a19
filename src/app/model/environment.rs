//! What the console knows and remembers of one environment.

use std::collections::HashMap;
use std::sync::Arc;

use super::timeline::Timeline;
use jumpdeck_fleet::fleet::{Environment, Host};
use jumpdeck_fleet::history::Ring;
use jumpdeck_fleet::judge::likeness::{Likeness, Unlike};
use jumpdeck_fleet::judge::roles::RoleStanding;
use jumpdeck_fleet::maintenance::SessionMark;
use jumpdeck_fleet::names::{EnvName, HostName, RoleName};
use jumpdeck_fleet::outside::OutsideSnapshot;
use jumpdeck_fleet::problem::{Problem, ProblemKind, Severity};
use jumpdeck_fleet::snapshot::{HostSnapshot, JumpSnapshot};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;
use jumpdeck_fleet::timeline::{Acknowledgement, ProblemKey, TimelineRecord, WallTime};

/// One environment's live state.
#[derive(Debug, Clone)]
pub struct EnvironmentState {
    /// What the inventory says.
    pub spec: Arc<Environment>,
    /// Whether it was ever shown: only then are its hosts asked.
    pub watched: bool,
    /// The jump box.
    pub jump: Arc<JumpSnapshot>,
    /// The hosts, in the inventory's order.
    pub hosts: Vec<Arc<HostSnapshot>>,
    /// What is seen from outside.
    pub outside: Arc<OutsideSnapshot>,
    places: Arc<HashMap<HostName, usize>>,
    /// Judged problems, worst first.
    pub problems: Vec<Problem>,
    /// Roles against their requirements.
    pub roles: Vec<RoleStanding>,
    /// Histories, by host.
    pub history: HashMap<HostName, History>,
    /// The worst problem of each host that has one.
    pub worst: HashMap<HostName, Severity>,
    /// What each host has in common with those that are alike, as last judged; empty while rows are not folded.
    pub likeness: Vec<Result<Likeness, Unlike>>,
    /// What is selected on each screen.
    pub selection: Selection,
    /// News came since the last judgement.
    pub unjudged: bool,
    /// When it was last judged.
    pub judged_at: Option<Moment>,
    /// What changed in it.
    pub timeline: Timeline,
}

/// A host's figures over the last hour.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// One-minute load.
    pub load: Ring,
    /// Memory in use, percent.
    pub memory: Ring,
    /// Worst replication lag, seconds.
    pub lag: Ring,
}

/// What is selected, by identity, so that it stays on its host when rows move.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The host selected on the fleet and replication screens.
    pub host: Option<HostName>,
    /// The hosts of the folded row that is selected, `host` being one of them; empty where `host` alone is.
    pub alike: Vec<HostName>,
    /// Whether a person selected `host`. Until then the first row is, whatever it is: when the first answers come in,
    /// the worst host rises to the top, and it is the one to open.
    pub chosen: bool,
    /// The problem selected: its kind and host.
    pub problem: Option<(ProblemKind, Option<HostName>)>,
    /// Which of them, when one host has several problems of a kind (two full disks), from zero. A message is no
    /// identity: its figures change.
    pub problem_nth: usize,
    /// The role selected.
    pub role: Option<RoleName>,
    /// The service selected.
    pub service: Option<String>,
    /// The run or runbook selected.
    pub runbook: Option<LibraryRow>,
    /// The past run selected.
    pub past_run: Option<String>,
    /// The event selected: its environment and its first record.
    pub event: Option<(EnvName, TimelineRecord)>,
    /// The row of the session that is selected; `None`: the newest.
    pub session: Option<(WallTime, Clean, SessionMark)>,
    /// First line shown of a host's detail, or of a past run's report.
    pub detail_scroll: usize,
    /// Where the selection last was, so that its neighbour is taken when it goes.
    pub row: usize,
}

/// A row of the list of runbooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LibraryRow {
    /// A run, by its id.
    Run(String),
    /// A runbook, by its name.
    Runbook(String),
}

/// What a held screen shows.
#[derive(Debug, Clone)]
pub struct Paused {
    /// Since when.
    pub since: Moment,
    /// The environments as they were then.
    pub environments: Vec<EnvironmentState>,
}

impl EnvironmentState {
    /// An environment of which nothing is known yet.
    #[must_use]
    pub fn new(spec: Arc<Environment>, now: Moment) -> Self {
        Self {
            watched: false,
            jump: Arc::new(JumpSnapshot::pending(&spec, now)),
            hosts: spec.hosts.iter().map(|host| pending(host, now)).collect(),
            outside: Arc::new(OutsideSnapshot::pending(&spec.name, &spec.outside)),
            places: places(&spec),
            spec,
            problems: Vec::new(),
            roles: Vec::new(),
            history: HashMap::new(),
            worst: HashMap::new(),
            likeness: Vec::new(),
            selection: Selection::default(),
            unjudged: true,
            judged_at: None,
            timeline: Timeline::default(),
        }
    }

    /// The inventory says something else of the environment. What is known stays, except of what is reached another way: that may be
    /// another machine.
    pub(in crate::app) fn follow(&mut self, spec: &Arc<Environment>, now: Moment) {
        let same_way = self.spec.has_jumps_of(spec);
        if !same_way {
            self.jump = Arc::new(JumpSnapshot::pending(spec, now));
        }
        let mut history = std::mem::take(&mut self.history);
        let mut hosts = Vec::with_capacity(spec.hosts.len());
        for host in &spec.hosts {
            let known = self.host(&host.id.host);
            let known = known.filter(|(before, _)| same_way && before.is_reached_like(host));
            hosts.push(match known {
                Some((_, snapshot)) => {
                    let of_it = history.remove_entry(&host.id.host);
                    let snapshot = snapshot.clone();
                    self.history.extend(of_it);
                    snapshot
                }
                None => pending(host, now),
            });
        }
        self.hosts = hosts;
        self.outside = Arc::new(self.outside.follow(&spec.outside));
        self.places = places(spec);
        self.spec = spec.clone();
        // It is by place.
        self.likeness.clear();
        (self.unjudged, self.judged_at) = (true, None);
    }

    /// What the inventory says of a host, and what is known of it.
    #[must_use]
    pub fn host(&self, name: &HostName) -> Option<(&Arc<Host>, &Arc<HostSnapshot>)> {
        let at = self.place(name)?;
        self.spec.hosts.get(at).zip(self.hosts.get(at))
    }

    /// What somebody says who knows of a problem.
    #[must_use]
    pub fn acknowledgement(&self, problem: &Problem) -> Option<&Acknowledgement> {
        let known = self.timeline.known();
        // Most of the time nothing is acknowledged, and a key costs three copies.
        known.has_acknowledgements().then(|| known.acknowledgement(&ProblemKey::of(problem)))?
    }

    /// Whether a problem is one that nobody has acknowledged.
    #[must_use]
    pub fn is_unacknowledged(&self, problem: &Problem) -> bool {
        self.acknowledgement(problem).is_none()
    }

    /// Where a host stands in `hosts`.
    pub(in crate::app) fn place(&self, name: &HostName) -> Option<usize> {
        self.places.get(name).copied()
    }
}

fn pending(host: &Host, now: Moment) -> Arc<HostSnapshot> {
    let address = format!("{}:{}", host.address, host.port);
    Arc::new(HostSnapshot::pending(host.id.clone(), address, now))
}

fn places(spec: &Environment) -> Arc<HashMap<HostName, usize>> {
    Arc::new(spec.hosts.iter().enumerate().map(|(at, host)| (host.id.host.clone(), at)).collect())
}
