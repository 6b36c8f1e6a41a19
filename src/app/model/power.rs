//! What the cloud was last asked about, and what it says.

use std::sync::Arc;

use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::power::PowerReport;
use jumpdeck_fleet::time::Moment;

/// What the cloud was asked about one host.
#[derive(Debug, Clone, PartialEq)]
pub struct PowerLook {
    /// The id of the last order.
    pub id: u64,
    /// The environment.
    pub env: EnvName,
    /// The host.
    pub host: HostName,
    /// Since when it is being asked; `None`: it is not.
    pub asking: Option<Moment>,
    /// The last answer, and when it came.
    pub last: Option<(Moment, Arc<PowerReport>)>,
    /// The first line shown.
    pub scroll: usize,
}
