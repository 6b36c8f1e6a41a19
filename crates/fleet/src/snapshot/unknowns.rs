//! Every way not to know something of a host, for the tests that nothing unknown is ok. Test code.

use super::{HostFacts, LinkState};
use crate::fact::{Fact, Gap};

/// Every gap. A new one does not compile before it stands here.
pub fn gaps() -> Vec<Gap> {
    let next = |gap: &Gap| match gap {
        Gap::NotAsked => Some(Gap::TimedOut),
        Gap::TimedOut => Some(Gap::Stuck),
        Gap::Stuck => Some(Gap::NotPermitted("sudo: a password is required".into())),
        Gap::NotPermitted(_) => Some(Gap::NotInstalled),
        Gap::NotInstalled => Some(Gap::NoTool("df".into())),
        Gap::NoTool(_) => Some(Gap::Cut("at 256 KiB".into())),
        Gap::Cut(_) => Some(Gap::Unreadable("garbage".into())),
        Gap::Unreadable(_) => Some(Gap::Failed("it said no".into())),
        Gap::Failed(_) => None,
    };
    std::iter::successors(Some(Gap::NotAsked), next).collect()
}

/// Every state of a connection. A new one does not compile before it stands here.
pub fn states() -> Vec<LinkState> {
    let next = |state: &LinkState| match state {
        LinkState::Up => Some(LinkState::Pending),
        LinkState::Pending => Some(LinkState::Unreachable),
        LinkState::Unreachable => Some(LinkState::TimedOut),
        LinkState::TimedOut => Some(LinkState::NoAlgorithm),
        LinkState::NoAlgorithm => Some(LinkState::NotUsable),
        LinkState::NotUsable => Some(LinkState::AuthFailed),
        LinkState::AuthFailed => Some(LinkState::HostKeyUnknown),
        LinkState::HostKeyUnknown => Some(LinkState::HostKeyChanged),
        LinkState::HostKeyChanged => Some(LinkState::HostKeyRefused),
        LinkState::HostKeyRefused => Some(LinkState::IdentityMismatch),
        LinkState::IdentityMismatch => None,
    };
    std::iter::successors(Some(LinkState::Up), next).collect()
}

/// Makes a question of a report unanswered; and forgets the value that was read before, or not.
pub type Miss = fn(&mut HostFacts, &Gap, bool);

/// Makes one question unanswered.
pub fn miss<T>(fact: &mut Fact<T>, gap: &Gap, read_before: bool) {
    if !read_before {
        fact.known = None;
    }
    fact.miss(gap.clone());
}

/// Every question, with what makes it unanswered.
pub fn misses() -> Vec<(&'static str, Miss)> {
    let all: Vec<(&'static str, Miss)> = vec![
        ("identity", |f, gap, old| miss(&mut f.identity, gap, old)),
        ("load", |f, gap, old| miss(&mut f.load, gap, old)),
        ("memory", |f, gap, old| miss(&mut f.memory, gap, old)),
        ("uptime", |f, gap, old| miss(&mut f.uptime, gap, old)),
        ("operating system", |f, gap, old| miss(&mut f.os, gap, old)),
        ("grains", |f, gap, old| miss(&mut f.grains, gap, old)),
        ("filesystems", |f, gap, old| miss(&mut f.filesystems, gap, old)),
        ("network filesystems", |f, gap, old| miss(&mut f.network_filesystems, gap, old)),
        ("deleted files", |f, gap, old| miss(&mut f.deleted_files, gap, old)),
        ("databases", |f, gap, old| miss(&mut f.databases, gap, old)),
        ("database files", |f, gap, old| miss(&mut f.database_files, gap, old)),
        ("upkeep", |f, gap, old| miss(&mut f.upkeep, gap, old)),
        ("clock", |f, gap, old| miss(&mut f.clock_offset_ms, gap, old)),
        (SERVICES, |f, gap, old| f.services.iter_mut().for_each(|entry| miss(&mut entry.fact, gap, old))),
    ];
    let none = HostFacts::default();
    let names: Vec<&str> = none.questions().map(|(name, _)| name).chain([SERVICES]).collect();
    assert_eq!(all.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names, "every question is tried");
    all
}

/// The questions for a host's services, all of them. Most hosts have none that jumpdeck looks at.
pub const SERVICES: &str = "services";
