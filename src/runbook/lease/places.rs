//! Where leases and entries are on a jump box.

use jumpdeck_fleet::fleet::{Environment, LeaseScope};

/// Where leases and runs' entries are on a jump box.
#[derive(Debug, Clone)]
pub struct LeasePlaces {
    /// The folder of the operators' group, made by root. Where there is one, nobody uses another.
    pub(super) shared: String,
    /// The folder of one account; empty for the one below its home.
    pub(super) own: String,
    /// Without the group's folder, whether accounts do not keep each other off.
    pub(super) apart: bool,
    /// The folder of the runs' entries, of the operators' group too; empty for beside the leases.
    pub(super) journals: String,
}

impl LeasePlaces {
    /// As an environment's inventory has it.
    #[must_use]
    pub fn of(env: &Environment) -> Self {
        Self {
            apart: env.lease == LeaseScope::OwnAccount,
            journals: env.journals.clone().unwrap_or_default(),
            ..Self::default()
        }
    }
}

impl Default for LeasePlaces {
    fn default() -> Self {
        Self {
            shared: "/run/lock/jumpdeck".to_owned(),
            own: String::new(),
            apart: false,
            journals: String::new(),
        }
    }
}
