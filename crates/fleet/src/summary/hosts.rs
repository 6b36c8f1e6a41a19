//! How many hosts of an environment are up, as far as that is known.

use std::fmt;

use crate::snapshot::{HostSnapshot, JumpSnapshot, LinkState};

/// Hosts by what is known of them now. Behind a jump box that is down, and of a host whose last report has expired, it is
/// not known whether they are up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostsUp {
    up: usize,
    unknown: usize,
    connecting: usize,
    all: usize,
}

impl HostsUp {
    /// Counts hosts; `is_current` tells whether the last report of a host that is up still stands for now.
    pub fn of<'a>(
        jump: &JumpSnapshot,
        hosts: impl IntoIterator<Item = &'a HostSnapshot>,
        is_current: impl Fn(&HostSnapshot) -> bool,
    ) -> Self {
        let mut count = Self { up: 0, unknown: 0, connecting: 0, all: 0 };
        let jump_is_down = !matches!(jump.link.state, LinkState::Up | LinkState::Pending);
        for host in hosts {
            count.all += 1;
            match host.link.state {
                _ if jump_is_down => count.unknown += 1,
                LinkState::Up if is_current(host) => count.up += 1,
                LinkState::Up => count.unknown += 1,
                LinkState::Pending => count.connecting += 1,
                LinkState::Unreachable
                | LinkState::TimedOut
                | LinkState::AuthFailed
                | LinkState::HostKeyUnknown
                | LinkState::HostKeyChanged
                | LinkState::HostKeyRefused
                | LinkState::NoAlgorithm
                | LinkState::NotUsable
                | LinkState::IdentityMismatch => {}
            }
        }
        count
    }

    /// How many are up, where that is known of every host.
    #[must_use]
    pub fn known(self) -> Option<usize> {
        (self.unknown == 0 && self.connecting == 0).then_some(self.up)
    }

    /// How many there are.
    #[must_use]
    pub fn all(self) -> usize {
        self.all
    }

    /// The same without the word `hosts`, for narrow places: `26 of 26 up`.
    #[must_use]
    pub fn short(self) -> String {
        self.words("")
    }

    fn words(self, hosts: &str) -> String {
        let Self { up, unknown, connecting, all } = self;
        // Hosts that are still being connected are not down.
        let word = if connecting > 0 { "connected" } else { "up" };
        match unknown {
            0 => format!("{up} of {all}{hosts} {word}"),
            _ if up == 0 && connecting == 0 => format!("? of {all}{hosts} up"),
            _ => format!("{up} of {all}{hosts} {word}, {unknown} unknown"),
        }
    }
}

/// `26 of 26 hosts up`, `? of 26 hosts up`, `20 of 26 hosts up, 6 unknown`.
impl fmt::Display for HostsUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(" hosts"))
    }
}
