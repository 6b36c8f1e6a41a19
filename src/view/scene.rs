//! What every part of a frame needs: the environment shown, the moment it is shown for, and how each host stands.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use ratatui::style::Style;

use crate::app::model::{EnvironmentState, Model};
use jumpdeck_fleet::fact::{Fact, Gap};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::problem::Problem;
use jumpdeck_fleet::run::InEffect;
use jumpdeck_fleet::snapshot::{HostSnapshot, LinkState};
use jumpdeck_fleet::time::{Freshness, Moment, short_age};

/// Columns an age has in a list.
const AGE_WIDTH: usize = 3;

use super::signs::Status;
use super::styles::Styles;

/// A frame's surroundings.
pub(crate) struct Scene<'a> {
    pub(crate) model: &'a Model,
    pub(crate) env: &'a EnvironmentState,
    /// The moment ages are counted to. They grow on a paused screen, too.
    pub(crate) now: Moment,
    pub(crate) styles: &'a Styles,
    problems: HashMap<&'a HostName, (&'a Problem, usize)>,
}

/// A fact as it may be shown.
pub(crate) enum ShownFact<'a, T> {
    /// A value, fresh or stale.
    Value(&'a T, Freshness),
    /// The newest question brought none.
    Gap(&'a Gap),
    /// There is one, too old to be told.
    Expired,
}

impl<'a> Scene<'a> {
    /// The scene of a model; `None` when it has no environment.
    pub(crate) fn of(model: &'a Model, styles: &'a Styles) -> Option<Self> {
        let env = model.shown()?;
        let now = model.now;
        let mut problems: HashMap<&HostName, (&Problem, usize)> = HashMap::new();
        for problem in &env.problems {
            // One of the environment marks every host that it names.
            for host in problem.host.iter().chain(&problem.named) {
                let entry = problems.entry(host).or_insert((problem, 0));
                if problem.severity > entry.0.severity {
                    entry.0 = problem;
                }
                entry.1 += 1;
            }
        }
        Some(Self { model, env, now, styles, problems })
    }

    /// The time between two reports of a host.
    pub(crate) fn cadence(&self) -> Duration {
        self.env.spec.cadence.poll
    }

    /// Whether the jump box is known not to answer: then no host's own state means anything.
    pub(crate) fn jump_is_down(&self) -> bool {
        !matches!(self.env.jump.link.state, LinkState::Up | LinkState::Pending)
    }

    /// A host's worst problem and how many it has.
    pub(crate) fn problem_of(&self, host: &HostName) -> Option<(&'a Problem, usize)> {
        self.problems.get(host).copied()
    }

    /// What a run began on a host and has not ended.
    pub(crate) fn in_effect_on(&self, host: &HostName) -> Option<&'a InEffect> {
        let model: &'a Model = self.model;
        let env: &'a EnvironmentState = self.env;
        model.in_effect(&env.spec.name).map(|(_, effect)| effect).find(|effect| effect.on.contains(host))
    }

    /// How far a host's figures may be trusted; `None` when there are none. Behind a jump box that is down nothing is
    /// fresh, however young.
    pub(crate) fn freshness(&self, host: &HostSnapshot) -> Option<Freshness> {
        let freshness = Freshness::of(host.age(self.now)?, self.cadence());
        Some(if self.jump_is_down() { freshness.max(Freshness::Stale) } else { freshness })
    }

    /// Whether a host is out of reach because the jump box is: it said nothing of itself, and stood as its last report says.
    fn is_lost_with_the_jump_box(&self, host: &HostSnapshot) -> bool {
        self.jump_is_down() && matches!(host.link.hop, Some(Hop::Jump(_)))
    }

    /// How a host stands.
    pub(crate) fn status(&self, host: &HostSnapshot) -> Status {
        let judged = self.problem_of(&host.id.host).map(|(p, _)| Status::from(p.severity));
        let own = match (host.link.state, self.freshness(host)) {
            (LinkState::Up | LinkState::Pending, _) if self.jump_is_down() => match self.freshness(host) {
                Some(Freshness::Fresh | Freshness::Stale) => Status::Stale,
                Some(Freshness::Expired) | None => Status::Unknown,
            },
            _ if self.is_lost_with_the_jump_box(host) => match self.freshness(host) {
                Some(Freshness::Fresh | Freshness::Stale) => Status::Stale,
                Some(Freshness::Expired) | None => Status::Unknown,
            },
            // It did not answer before the jump box went; nobody knows whether it would now.
            _ if self.jump_is_down() => Status::Unknown,
            (LinkState::Pending, None) => Status::Pending,
            (LinkState::Up, Some(Freshness::Fresh)) => Status::Ok,
            (LinkState::Up | LinkState::Pending, Some(Freshness::Stale | Freshness::Fresh)) => Status::Stale,
            (LinkState::Up, None) => Status::Pending,
            (LinkState::Up | LinkState::Pending, Some(Freshness::Expired)) => Status::Unknown,
            (
                LinkState::Unreachable
                | LinkState::TimedOut
                | LinkState::NoAlgorithm
                | LinkState::NotUsable
                | LinkState::AuthFailed
                | LinkState::HostKeyUnknown
                | LinkState::HostKeyChanged
                | LinkState::HostKeyRefused
                | LinkState::IdentityMismatch,
                _,
            ) => Status::Critical,
        };
        // A host on which a run left something in effect is not as it should be.
        let judged = if self.in_effect_on(&host.id.host).is_some() {
            judged.max(Some(Status::Warning))
        } else {
            judged
        };
        match judged {
            // What was judged before the jump box went is no longer known to be so.
            Some(_) if self.jump_is_down() => own,
            Some(judged) if own == Status::Critical => judged,
            Some(judged) => judged.max(own),
            None => own,
        }
    }

    /// What to say in place of a host's figures, when it has none worth showing: its state, and what happened. What was
    /// known of a host before the jump box went stays known as that.
    pub(crate) fn silence(&self, host: &'a HostSnapshot) -> Option<(Cow<'static, str>, &'a str)> {
        let link = &host.link;
        if self.is_lost_with_the_jump_box(host) {
            return if host.reported_at.is_some() { None } else { Some(("no data yet".into(), "")) };
        }
        match (link.state, host.reported_at) {
            (LinkState::Up | LinkState::Pending, Some(_)) => None,
            (LinkState::Up | LinkState::Pending, None) if self.jump_is_down() => {
                Some(("no data yet".into(), ""))
            }
            (LinkState::Up, None) => Some(("waiting for first report".into(), "")),
            (LinkState::Pending, None) => Some((link.state.label().into(), link.detail.as_str())),
            (
                LinkState::Unreachable
                | LinkState::TimedOut
                | LinkState::NoAlgorithm
                | LinkState::NotUsable
                | LinkState::AuthFailed
                | LinkState::HostKeyUnknown
                | LinkState::HostKeyChanged
                | LinkState::HostKeyRefused
                | LinkState::IdentityMismatch,
                _,
            ) => {
                let was = if self.jump_is_down() { "before the outage: " } else { "" };
                Some((format!("{was}{}", link.state.label()).into(), link.detail.as_str()))
            }
        }
    }

    /// A host's fact as it may be shown now.
    pub(crate) fn shown<'f, T>(&self, host: &HostSnapshot, fact: &'f Fact<T>) -> ShownFact<'f, T> {
        match (&fact.known, &fact.gap, self.freshness(host)) {
            (Some(_), _, Some(Freshness::Expired) | None) => ShownFact::Expired,
            (Some(known), None, Some(freshness)) => ShownFact::Value(&known.value, freshness),
            (_, Some(gap), _) => ShownFact::Gap(gap),
            (None, None, _) => ShownFact::Gap(&Gap::NotAsked),
        }
    }

    /// A host's age in a few columns, and its style.
    pub(crate) fn age(&self, host: &HostSnapshot) -> (String, Style) {
        match (host.age(self.now), self.freshness(host)) {
            (Some(age), Some(freshness)) => {
                let style = match freshness {
                    Freshness::Fresh => self.styles.muted,
                    Freshness::Stale => self.styles.stale,
                    Freshness::Expired => self.styles.unknown,
                };
                (short_age(age), style)
            }
            _ => ("–".to_owned(), self.styles.muted),
        }
    }

    /// The same in a list: while reports come as they should it is the cadence that bounds it, and stands still, so that
    /// the ages that move are those of hosts that are late.
    /// (A bound wider than the column, as of half a minute, is not told: those ages move seldom enough.)
    pub(crate) fn age_in_list(&self, host: &HostSnapshot) -> (String, Style) {
        let cadence = self.cadence();
        let bound = format!("≤{}", short_age(cadence));
        match host.age(self.now) {
            Some(age) if age.as_secs() <= cadence.as_secs() && bound.chars().count() <= AGE_WIDTH => {
                (bound, self.styles.muted)
            }
            _ => self.age(host),
        }
    }

    /// How long ago something was.
    pub(crate) fn ago(&self, at: Moment) -> String {
        short_age(self.now.since(at))
    }
}
