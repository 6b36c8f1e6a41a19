//! Whether a problem that is not there any more has ended, or only cannot be seen.

use super::ProblemKey;
use crate::fact::{Fact, Gap};
use crate::judge::roles::RoleState;
use crate::judge::{Judgement, Situation};
use crate::names::HostName;
use crate::problem::ProblemKind;
use crate::snapshot::HostSnapshot;
use crate::storage::Filesystem;
use crate::time::Freshness;
use crate::upkeep::Upkeep;

/// What must be known for a problem to have ended.
enum Basis {
    /// The jump box answers.
    Jump,
    /// The host answers.
    Reach,
    /// What could not be read was read.
    Readable,
    /// This question was answered.
    Question(&'static str),
    /// Every filesystem answered.
    Filesystems,
    /// Every database server answered, and said how it replicates.
    Databases,
    /// Every part of the host's upkeep was answered.
    Upkeep,
    /// The service was asked.
    Service,
    /// The look from outside was made.
    Outside,
    /// It is known how the role stands.
    Role,
    /// The jump box said which runs are left.
    Runs,
}

fn basis(kind: ProblemKind) -> Basis {
    use ProblemKind as P;
    match kind {
        P::JumpDown | P::SecondJump => Basis::Jump,
        P::HostDown | P::HostKey | P::Identity | P::Stale => Basis::Reach,
        P::Unreadable => Basis::Readable,
        P::Load => Basis::Question("load"),
        P::Memory | P::Swap => Basis::Question("memory"),
        P::Disk | P::Inodes | P::Mount => Basis::Filesystems,
        P::Clock => Basis::Question("clock"),
        P::Level | P::RolesDiffer | P::RoleImplies => Basis::Question("grains"),
        P::RoleCount => Basis::Role,
        P::OsDiffers | P::OsSupport => Basis::Question("operating system"),
        P::Replication
        | P::ReplicationLag
        | P::ReplicationTls
        | P::WritableMasters
        | P::ServerId
        | P::Cluster
        | P::Database => Basis::Databases,
        P::DatabaseAddress => Basis::Question("database files"),
        P::Run => Basis::Runs,
        P::Service => Basis::Service,
        P::Outside => Basis::Outside,
        P::SecurityUpdates
        | P::PackageLists
        | P::RebootRequired
        | P::FailedUnits
        | P::OomKill
        | P::DailyJobs
        | P::ReadOnly => Basis::Upkeep,
    }
}

/// Whether a problem that no rule finds any more has ended: what it rests on is known now.
pub(super) fn may_have_ended(s: &Situation<'_>, judgement: &Judgement, key: &ProblemKey) -> bool {
    if !s.jump.link.is_up() {
        return false;
    }
    match basis(key.kind) {
        Basis::Jump => true,
        Basis::Reach => on(s, key, |_| true),
        // A part of the upkeep is not known while all of it is not.
        Basis::Readable => on(s, key, |host| {
            host.facts.upkeep.gap.is_none()
                && key.about.as_ref().is_none_or(|question| is_answered(host, question.as_str()))
        }),
        Basis::Question(question) => on(s, key, |host| is_answered(host, question)),
        Basis::Filesystems => on(s, key, knows_filesystems),
        Basis::Databases => on(s, key, knows_databases),
        Basis::Upkeep => on(s, key, |host| {
            let upkeep = &host.facts.upkeep;
            is_said(upkeep.gap.as_ref()) && upkeep.current().is_none_or(|u| Upkeep::unknown(u).count() == 0)
        }),
        Basis::Service => {
            on(s, key, |host| key.about.as_ref().is_none_or(|name| is_answered(host, name.as_str())))
        }
        Basis::Outside => {
            s.jump.link.is_up() && key.about.as_ref().is_none_or(|id| is_looked_at(s, id.as_str()))
        }
        Basis::Role => key.about.as_ref().is_none_or(|name| {
            let mut all = judgement.roles.iter().filter(|standing| standing.role.as_str() == name.as_str());
            all.all(|standing| matches!(standing.state, RoleState::Ok | RoleState::Free))
        }),
        Basis::Runs => is_said(s.jump.left.gap.as_ref()),
    }
}

/// Whether it holds for the problem's host; for a problem of the environment, for all of them.
fn on(s: &Situation<'_>, key: &ProblemKey, holds: impl Fn(&HostSnapshot) -> bool) -> bool {
    let is_meant =
        |host: &HostSnapshot| key.host.as_ref().is_none_or(|name: &HostName| *name == host.id.host);
    s.hosts.iter().filter(|host| is_meant(host)).all(|host| s.is_judgeable(host) && holds(host))
}

/// Whether a question was answered, if only by: there is nothing of that kind here.
fn is_said(gap: Option<&Gap>) -> bool {
    match gap {
        None | Some(Gap::NotInstalled) => true,
        Some(
            Gap::NotAsked
            | Gap::TimedOut
            | Gap::Stuck
            | Gap::NotPermitted(_)
            | Gap::NoTool(_)
            | Gap::Cut(_)
            | Gap::Unreadable(_)
            | Gap::Failed(_),
        ) => false,
    }
}

fn is_answered(host: &HostSnapshot, question: &str) -> bool {
    host.facts.questions().filter(|(name, _)| *name == question).all(|(_, gap)| is_said(gap))
}

fn knows_filesystems(host: &HostSnapshot) -> bool {
    let knows = |fact: &Fact<Vec<Filesystem>>| {
        is_said(fact.gap.as_ref()) && fact.current().is_none_or(|all| all.iter().all(|one| one.usage.is_ok()))
    };
    knows(&host.facts.filesystems) && knows(&host.facts.network_filesystems)
}

fn knows_databases(host: &HostSnapshot) -> bool {
    let databases = &host.facts.databases;
    let knows = |database: &crate::replication::Database| {
        database.server.as_ref().is_ok_and(|server| server.connections.is_ok() && server.gaps.is_empty())
    };
    is_said(databases.gap.as_ref()) && databases.current().is_none_or(|all| all.iter().all(knows))
}

/// Whether a look from outside was made lately. One that the inventory no longer has says nothing any more.
fn is_looked_at(s: &Situation<'_>, id: &str) -> bool {
    let Some(result) = s.outside.results.iter().find(|result| result.id == id) else { return true };
    let every = result.check.every(s.env.outside.every);
    let fresh = result.fact.freshness(s.now, every).is_some_and(|known| known != Freshness::Expired);
    result.fact.gap.is_none() && fresh
}
