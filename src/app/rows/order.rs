//! How the rows of the fleet are ordered. A column of the table brings its own order; two orders have no column.

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use jumpdeck_fleet::fleet::{Host, Thresholds};
use jumpdeck_fleet::names::{HostName, RoleName};
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::snapshot::HostSnapshot;
use jumpdeck_fleet::time::Moment;

/// An order of the fleet's rows.
pub struct Order {
    /// What rows are ordered by, in words; no two orders have the same.
    pub words: &'static str,
    /// Whether its arrow points down: figures start with the highest, names with A.
    pub down: bool,
    /// Where a row goes.
    pub key: for<'a> fn(&HostRow<'a>) -> Key<'a>,
}

/// A row to be put in its place.
pub struct HostRow<'a> {
    /// The host as the inventory has it.
    pub spec: &'a Host,
    /// What is known of it.
    pub host: &'a HostSnapshot,
    /// Now.
    pub now: Moment,
    /// How often hosts are asked.
    pub poll: Duration,
    /// From when on figures are problems.
    pub thresholds: &'a Thresholds,
    pub(super) worst: Option<Severity>,
    pub(super) place: usize,
}

/// As the inventory lists them.
pub static INVENTORY: Order =
    Order { words: "inventory order", down: false, key: |row| Key { place: row.place, ..Key::highest(0.0) } };

/// Worst problem first.
pub static SEVERITY: Order = Order {
    words: "worst first",
    down: true,
    key: |row| Key::highest(row.worst.map_or(0.0, |severity| f64::from(severity as u8) + 1.0)),
};

impl Order {
    /// The word for it on the command line: `load`, `5m-load`, `worst-first`.
    #[must_use]
    pub fn name(&self) -> String {
        self.words.strip_prefix("by ").unwrap_or(self.words).to_lowercase().replace(' ', "-")
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words)
    }
}

impl PartialEq for Order {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

/// Where a row goes: a group, within it the highest figure first, then by text or name. Equal ones keep the inventory's order.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    group: u8,
    figure: f64,
    text: Option<&'a str>,
    name: Option<&'a HostName>,
    roles: &'a [RoleName],
    place: usize,
}

impl<'a> Key<'a> {
    /// Before all others: to be looked at first.
    pub const FIRST: Self = Self::group(0);
    /// After all others, whichever way these are sorted: the host has no such figure.
    pub const LAST: Self = Self::group(9);

    /// One of the groups 0 to 9.
    #[must_use]
    pub const fn group(group: u8) -> Self {
        Self { group, figure: 0.0, text: None, name: None, roles: &[], place: 0 }
    }

    /// In group 5, the highest figure first.
    #[must_use]
    pub fn highest(figure: f64) -> Self {
        Self { figure, ..Self::group(5) }
    }

    /// A figure that may be missing.
    #[must_use]
    pub fn known(figure: Option<f64>) -> Self {
        figure.map_or(Self::LAST, Self::highest)
    }

    /// By the host's name.
    #[must_use]
    pub fn name(name: &'a HostName) -> Self {
        Self { name: Some(name), ..Self::group(5) }
    }

    /// By a text.
    #[must_use]
    pub fn text(text: &'a str) -> Self {
        Self { text: Some(text), ..Self::group(5) }
    }

    /// By roles.
    #[must_use]
    pub fn roles(roles: &'a [RoleName]) -> Self {
        Self { roles, ..Self::group(5) }
    }

    pub(super) fn compare(&self, other: &Self, reversed: bool) -> Ordering {
        let last = (self.group == Self::LAST.group).cmp(&(other.group == Self::LAST.group));
        let order = (self.group.cmp(&other.group))
            .then_with(|| other.figure.total_cmp(&self.figure))
            .then_with(|| {
                (self.text, self.name, self.roles, self.place).cmp(&(
                    other.text,
                    other.name,
                    other.roles,
                    other.place,
                ))
            });
        last.then(if reversed { order.reverse() } else { order })
    }
}
